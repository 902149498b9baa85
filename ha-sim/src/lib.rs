//! A virtual cluster around `ha-core`.
//!
//! | module | what is in it |
//! |---|---|
//! | [`world`] | what daemons see and touch: nodes with power and network, locks, watchdogs, records, guests |
//! | [`cluster`] | real CRMs and LRMs in that world, under a clock of its own, with all that can be done to them |
//! | [`history`] | a cluster, all that is done to it and when, and whether it goes as it must |
//! | [`scenario`] | what is done to a cluster, and what is expected of it, as a text that a person reads |
//! | [`chaos`] | random histories of random clusters, judged after every step, and shortened where an invariant breaks |
//! | [`recorded`] | recorded scenario folders, replayed exactly, step by step as they were made |
//! | [`snapshot`] | what placement looks at, at one moment of a scenario: to explain decisions |

pub mod chaos;
pub mod cluster;
pub mod history;
pub mod recorded;
pub mod scenario;
pub mod snapshot;
mod texts;
mod words;
pub mod world;
