//! What a server shows that is no real cluster: one that is played, in a time of its own.

use std::fmt;

use ha_host::os::clock::Clock;
use serde_json::Value;

/// What somebody asks of a cluster that is played.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Direction {
    /// How many seconds of the cluster pass in one: 1 to [`FASTEST`].
    pub rate: Option<u32>,
    /// Whether its time stands still.
    pub paused: Option<bool>,
    /// Until which second of the cluster its time passes at once; not more than [`LONGEST_LEAP_S`] from now.
    pub to_s: Option<u32>,
    /// Something that happens now, as a line of a scenario says it: `power off node1`.
    pub action: Option<String>,
}

/// Faster than this nobody sees anything.
pub const FASTEST: u32 = 60;

/// Time that passes at once takes a while for who waits for it.
pub const LONGEST_LEAP_S: u32 = 3600;

/// A cluster that is played. It tells the time by its own clock.
pub trait Stage: Clock + fmt::Debug + Send + Sync {
    /// How many seconds of the cluster pass in one; 0 while its time stands still.
    fn rate(&self) -> u32;

    /// How the play stands, as the API gives it.
    fn look(&self) -> Value;

    /// Does what is asked: lets time pass up to a moment, then what happens there, then how fast time goes on.
    ///
    /// # Errors
    ///
    /// If one of these can't be done: why, for people. What comes after it is not done then; what came before it is.
    fn direct(&self, direction: &Direction) -> Result<(), String>;
}
