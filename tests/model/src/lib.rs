//! A model of lock, lease, renewal, watchdog, stalls and drift, small enough to be searched completely.
//!
//! # What is modelled
//!
//! Two nodes and a store. Node *N* runs a service under its lock and watchdog; *elsewhere* is the master and the node that
//! it recovers services on, at their fastest: the service runs there at the very moment at which the lock can be taken.
//! Time goes in steps of one millisecond, which is the resolution in which the library compares timings. Between two steps
//! any number of things may happen, in any order, so of two things that happen at the same moment either may be first.
//!
//! * **The daemon of N** asks for its lock, the store grants it some time later, the answer arrives some time later, then the
//!   watchdog is fed. Between any two of these it may stall for any time. A question or an answer may be lost; a question that
//!   the daemon has given up may still reach the store.
//! * **The lease** ends after the lock lifetime by the store's clock, which may be fast by as much as is allowed: any amount of
//!   drift up to that. It may be taken any time later, or never.
//! * **The multiplexer** looks at its client and feeds the device up to its interval later. It may look whenever it wants.
//! * **The device** runs out any time between its granularity early and its granularity late.
//! * **N** may be reset at any time, comes back at any time, and may then renew the lease that it still has. It may let go of
//!   its watchdog and its lock at any time, when it has stopped its service.
//!
//! [`Pace::AsPromised`] is the other question: nothing takes longer than the timings say and at most one renewal, and one feed
//! of the device, is missed in a row. Then no node may be reset.
//!
//! # What is assumed
//!
//! What `docs/safety.md` asks of a host, in particular: the comparison of a feed with its deadline and the feed itself are one
//! step ([`FeedRule::ComparedTooEarly`] shows what happens otherwise); a reset is immediate; a request that reaches the
//! store is carried out whole; two clocks are never further apart than allowed. That N starts nothing after its services were
//! recovered elsewhere does not follow from timings, and is not part of this model.

mod machine;
mod physics;

pub use machine::{Action, Client, Daemon, Machine, State};
pub use physics::{FeedRule, Pace, Physics};
