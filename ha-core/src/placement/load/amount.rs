//! Amounts of cpu and memory that add up exactly.

/// Cpu and memory that is used or asked for.
///
/// Both are whole numbers. In floating point a + x − x is not always a, and then the use of a node would depend on what came
/// and went in the round, and in which order. So cores are counted in units of 2⁻⁶⁴: the conversion of a figure of a
/// thousandth of a core or more loses nothing worth naming, sums are exact, and are rounded once, when a node's fraction is
/// taken. Whatever way a node came to its use, the same services give the same bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    /// In 2⁻⁶⁴ cores.
    cpu: u128,
    /// In bytes.
    memory: u128,
}

const UNITS_PER_CORE: f64 = 18_446_744_073_709_551_616.0;

/// The most cores that a figure may name: far more than any machine has, and thousands of millions of such figures can be
/// added.
pub(crate) const MAX_CORES: f64 = 16_777_216.0;

impl Amount {
    /// From figures that were checked: cores from 0 to [`MAX_CORES`].
    pub(crate) fn new(cores: f64, memory: u64) -> Self {
        // In two halves, which is faster than a conversion to 128 bits, and as exact.
        let whole = cores as u64;
        let rest = ((cores - whole as f64) * UNITS_PER_CORE) as u64;
        Self { cpu: (u128::from(whole) << 64) | u128::from(rest), memory: memory.into() }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { cpu: self.cpu.saturating_add(other.cpu), memory: self.memory.saturating_add(other.memory) }
    }

    /// What is left, at least nothing.
    pub(crate) fn minus(self, other: Self) -> Self {
        Self { cpu: self.cpu.saturating_sub(other.cpu), memory: self.memory.saturating_sub(other.memory) }
    }

    pub(crate) fn cores(self) -> f64 {
        self.cpu as f64 / UNITS_PER_CORE
    }

    pub(crate) fn bytes(self) -> f64 {
        self.memory as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_and_goes_leaves_no_trace() {
        let start = Amount::new(0.1, 1000);
        let visitor = Amount::new(1_000_000.7, 1 << 60);
        assert_ne!((0.1 + 1_000_000.7) - 1_000_000.7, 0.1, "it does in floating point");
        assert_eq!(start.plus(visitor).minus(visitor), start);
        assert_eq!(start.cores(), 0.1);
        assert_eq!(start.bytes(), 1000.0);
    }

    #[test]
    fn nothing_is_less_than_nothing() {
        assert_eq!(Amount::new(1.0, 1).minus(Amount::new(2.0, 2)), Amount::default());
    }
}
