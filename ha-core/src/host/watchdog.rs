//! The watchdog of a node, which resets it when it is not fed.

use super::HostError;
use crate::{text_enum::text_enum, time::Instant};

/// Whether a feed was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedOutcome {
    /// It was.
    Fed,
    /// It came too late and was not made.
    TooLate,
}

text_enum! {
    FeedOutcome: "the outcome of a feed",
    Fed = "fed",
    TooLate = "too_late",
}

/// A watchdog that resets this node unless it is fed.
///
/// The core feeds it only after it has renewed its lock, and says until when that feed may be made: the host compares
/// with its monotonic clock as its last step before it touches the device. A feed that would come later is not made
/// ([`FeedOutcome::TooLate`]), or made with what is left where the device can be told. Otherwise a process that was
/// stopped between renewal and feed would live on after its lock has ended.
///
/// ```
/// use ha_core::{
///     host::{FeedOutcome, HostError, Watchdog},
///     time::Instant,
/// };
///
/// /// A device, and the clock that is read right before it is touched.
/// struct Device<C> {
///     clock: C,
///     feeds: u32,
/// }
///
/// impl<C: Fn() -> Instant> Watchdog for Device<C> {
///     fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
///         self.feed(not_after)
///     }
///
///     fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
///         if (self.clock)() > not_after {
///             return Ok(FeedOutcome::TooLate);
///         }
///         // … nothing else may come between: write to the device …
///         self.feeds += 1;
///         Ok(FeedOutcome::Fed)
///     }
///
///     fn close(&mut self) -> Result<(), HostError> {
///         Ok(())
///     }
/// }
///
/// let mut device = Device { clock: || Instant::from_secs(60), feeds: 0 };
/// assert_eq!(device.feed(Instant::from_secs(60))?, FeedOutcome::Fed);
/// assert_eq!(device.feed(Instant::from_secs(59))?, FeedOutcome::TooLate);
/// assert_eq!(device.feeds, 1);
/// # Ok::<(), HostError>(())
/// ```
pub trait Watchdog {
    /// Arms the watchdog. `not_after`: as for [`feed`](Self::feed). If it fails or comes too late the core does not work under
    /// the lock that it just got, and gives it back.
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError>;

    /// Feeds it, if it is not later than `not_after`. On an error the core counts its lock as lost, and the node is reset
    /// in time.
    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError>;

    /// Disarms the watchdog without a reset. The core calls it only where nothing runs, or nothing is touched any more.
    /// On an error the node may be reset.
    fn close(&mut self) -> Result<(), HostError>;
}
