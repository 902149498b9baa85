//! One watchdog for many: what a multiplexer decides, and the protocol between it and its clients. All of it is bytes, time and
//! values; who embeds it brings the sockets, the clock and the device.
//!
//! A node has one watchdog device, and several daemons that must each be guarded by it. A small process owns the device, and feeds
//! it as long as each client has fed *it*.
//!
//! # Protocol
//!
//! On a stream of bytes, numbers with the highest byte first, times in nanoseconds:
//!
//! | the client sends | | the multiplexer answers | |
//! |---|---|---|---|
//! | `ha-wd-2\n`, timeout, slack, its clock | [`hello`] | `ha-wd-2\n` and a welcome, or a refusal and the end | [`Answer`] |
//! | `F`, deadline on the machine's clock | [`feed`] | to the first one only: armed, or too late | |
//! | `V`, and closes the connection | [`LEAVE`] | nothing | |
//!
//! * **A client says what it counts on** ([`Terms`]): how long after its last feed it has expired, and how long after that the node is
//!   down at the latest. What does not fit is refused, with the figures of both: by other timings the node would be reset after its lock
//!   has passed on, or in vain.
//! * **Deadlines mean something only on one clock**: a client says what it shows, and is refused where that is later than the multiplexer's,
//!   or long before it. So a daemon in a container with a time of its own is not guarded in appearance only.
//! * **A client is armed by its first feed**, not by connecting, and only if that feed comes before its deadline. It hears when it is.
//! * **A feed that comes after its deadline does not count**: not even a process that is stopped between its last look at the clock
//!   and the feed can push the reset out.
//! * A client that has expired, or whose connection ends without `V`, ends the feeding of the device for good.

mod answer;
mod multiplexer;

pub use answer::{Answer, Answers, Foreign, Refusal};
pub use multiplexer::{ClientId, Effect, Multiplexer, MultiplexerEvent, MultiplexerTimings};

use core::{fmt, time::Duration};

use crate::{
    time::Instant,
    timing::{Amount, Timings},
};

/// The first bytes of both sides.
pub(crate) const GREETING: &[u8; 8] = b"ha-wd-2\n";
/// Begins a feed.
const FEED: u8 = b'F';
/// The last byte of a client that leaves.
pub const LEAVE: u8 = b'V';

const HELLO_BYTES: usize = 32;
const FRAME_BYTES: usize = 9;

/// What the safety of a client's node hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long after its last feed a client has expired.
    pub timeout: Duration,
    /// How long after that the node is down, at the latest.
    pub slack: Duration,
}

impl Terms {
    /// What a daemon with these timings counts on.
    #[must_use]
    pub fn of(timings: &Timings) -> Self {
        Self { timeout: timings.watchdog_timeout(), slack: timings.settings().multiplexer_slack() }
    }

    /// Whether a client that counts on this is safe with a multiplexer that has `offered`, and is not reset earlier than it thinks.
    #[must_use]
    pub fn fit(&self, offered: &Self) -> bool {
        self.timeout == offered.timeout && offered.slack <= self.slack
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a timeout of {} and a slack of {}", Amount::Time(self.timeout), Amount::Time(self.slack))
    }
}

/// The first bytes of a client that counts on these terms. `now` is read just before they are sent.
#[must_use]
pub fn hello(terms: &Terms, now: Instant) -> [u8; HELLO_BYTES] {
    let mut bytes = [0; HELLO_BYTES];
    let numbers = [terms.timeout, terms.slack, now.since_start()].into_iter().flat_map(nanoseconds);
    for (place, byte) in bytes.iter_mut().zip(GREETING.iter().copied().chain(numbers)) {
        *place = byte;
    }
    bytes
}

/// A feed that counts until this moment.
#[must_use]
pub fn feed(not_after: Instant) -> [u8; FRAME_BYTES] {
    let mut bytes = [FEED; FRAME_BYTES];
    for (place, byte) in bytes.iter_mut().skip(1).zip(nanoseconds(not_after.since_start())) {
        *place = byte;
    }
    bytes
}

fn nanoseconds(time: Duration) -> [u8; 8] {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).to_be_bytes()
}

/// The time at this place among bytes; nothing if they end before.
fn time_at(bytes: &[u8], place: usize) -> Option<Duration> {
    let number = bytes.get(place..)?.first_chunk()?;
    Some(Duration::from_nanos(u64::from_be_bytes(*number)))
}
