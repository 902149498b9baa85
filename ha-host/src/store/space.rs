//! How much room a store has left.

/// How much room a store has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSpace {
    /// How much is free, in whole percent, rounded down; of bytes or of files, whichever is less.
    pub free_percent: u32,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpaceLevel {
    /// More than 10 % is free.
    Enough,
    /// 10 % or less is free.
    Low,
    /// 1 % or less is free: edits and records fail soon, or do already.
    Critical,
}

impl StoreSpace {
    /// From what there is in all and what is free.
    pub(super) fn of(free: u64, all: u64) -> Self {
        let percent = u128::from(free).saturating_mul(100).checked_div(u128::from(all)).unwrap_or(100);
        Self { free_percent: u32::try_from(percent).unwrap_or(100) }
    }

    /// How bad it is.
    #[must_use]
    pub const fn level(self) -> SpaceLevel {
        match self.free_percent {
            0..=1 => SpaceLevel::Critical,
            2..=10 => SpaceLevel::Low,
            _ => SpaceLevel::Enough,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_told_at_ten_and_at_one_percent() {
        let level = |free, all| StoreSpace::of(free, all).level();
        assert_eq!(level(0, 0), SpaceLevel::Enough, "a file system that does not say");
        assert_eq!((level(11, 100), level(10, 100)), (SpaceLevel::Enough, SpaceLevel::Low));
        assert_eq!(
            (level(20, 1000), level(19, 1000), level(0, 5)),
            (SpaceLevel::Low, SpaceLevel::Critical, SpaceLevel::Critical)
        );
        assert_eq!(StoreSpace::of(u64::MAX, u64::MAX).free_percent, 100);
    }
}
