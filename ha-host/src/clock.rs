//! The clocks of this machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ha_core::{
    status::Timestamp,
    time::{Instant, Now},
};
use nix::time::{ClockId, clock_gettime};

/// The present, counted from when this machine was started, by `CLOCK_BOOTTIME`: it is the same for all processes of the
/// machine, nobody can set it, and it goes on while the machine sleeps.
#[must_use]
pub fn instant() -> Instant {
    // The call fails only for a clock that the kernel does not know, and every kernel of the last ten years knows it.
    let elapsed = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default();
    Instant::after_start(elapsed)
}

/// The wall clock in whole seconds, only to be written down for people.
#[must_use]
pub fn wall() -> Timestamp {
    let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()),
        Err(error) => i64::try_from(error.duration().as_secs()).map(|seconds| -seconds),
    };
    seconds.unwrap_or(Timestamp::MAX)
}

/// Both clocks, the monotonic one first.
#[must_use]
pub fn now() -> Now {
    Now { instant: instant(), wall: wall() }
}

/// Sleeps until that moment; not at all if it has passed.
pub fn sleep_until(moment: Instant) {
    std::thread::sleep(moment.since(instant()));
}
