//! A virtual cluster around `ha-core`.
//!
//! * [`world`]: what daemons see and touch: nodes with power and network, locks, watchdogs, records, guests. All of it is
//!   controlled from code.
//! * [`recorded`]: replays recorded scenario folders exactly, step by step as they were made.

pub mod chaos;
pub mod cluster;
pub mod recorded;
pub mod scenario;
pub mod snapshot;
pub mod world;
