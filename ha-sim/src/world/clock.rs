//! The clocks of a node, which need not agree with the world's time.

use std::time::Duration;

use ha_core::time::Instant;

/// How the clocks of a node differ from the world's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clock {
    /// By how many parts per million the monotonic clock is faster than the world's time; negative if it is slower.
    pub ppm: i32,
    /// By how many seconds the wall clock is ahead.
    pub wall_ahead: i64,
}

const MILLION: i64 = 1_000_000;

impl Clock {
    /// What the monotonic clock says at a moment of the world.
    #[must_use]
    pub fn local(&self, world: Instant) -> Instant {
        if self.ppm == 0 {
            return world;
        }
        scaled(world, self.rate(), MILLION.unsigned_abs().into())
    }

    /// The first moment of the world at which the monotonic clock says this.
    #[must_use]
    pub fn world(&self, local: Instant) -> Instant {
        if self.ppm == 0 {
            return local;
        }
        let moment = scaled(local, MILLION.unsigned_abs().into(), self.rate());
        if self.local(moment) < local { moment.after(Duration::from_nanos(2)) } else { moment }
    }

    fn rate(&self) -> u128 {
        MILLION.saturating_add(self.ppm.into()).max(1).unsigned_abs().into()
    }
}

fn scaled(instant: Instant, numerator: u128, denominator: u128) -> Instant {
    let nanoseconds = instant.since_start().as_nanos().saturating_mul(numerator).checked_div(denominator).unwrap_or(0);
    Instant::after_start(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_clock_reaches_a_moment_later_and_not_before_it() {
        let clock = Clock { ppm: -1000, wall_ahead: 0 };
        for milliseconds in [1, 999, 60_000, 1_234_567] {
            let local = Instant::after_start(Duration::from_millis(milliseconds));
            let world = clock.world(local);
            assert!(clock.local(world) >= local && world > local);
        }
    }
}
