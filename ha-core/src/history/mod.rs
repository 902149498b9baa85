//! What has happened in a cluster: entries that a host keeps, and what can be told from them.
//!
//! This is pure: it has no clock, does no I/O, and keeps nothing by itself. A host makes an [`Entry`] of each event that its
//! daemons report, keeps it wherever it likes, and gives entries back in the order in which they were kept:
//!
//! * [`Failovers`]: which nodes were lost, and how long each step took until their services ran elsewhere.
//! * [`Figures`]: counters, such as fencings and moves by cause.
//! * [`Counted`]: the same of a history that is kept for a while only.
//! * [`Commands`]: what became of commands that have an id.
//! * [`Notice`]: what a person is told of an entry who does not watch.
//! * [`Latest`]: since when something is as it is.
//! * [`because`]: the chain of entries that led to one.
//!
//! ```
//! use ha_core::{
//!     event::Event,
//!     history::{Entry, EntryId, Failovers, Source},
//!     id::NodeName,
//!     status::NodeState,
//! };
//!
//! let (node1, node2) = (NodeName::new("node1")?, NodeName::new("node2")?);
//! let entry = |number, time_ms, event: Event| {
//!     Entry::new(EntryId::of_node(&node1, 1, number), time_ms, node1.clone(), Source::Crm, event.into())
//! };
//! let state = |from, to| Event::NodeState { node: node2.clone(), from, to };
//! let mut failovers = Failovers::default();
//! failovers.take(&entry(1, 1_000, state(NodeState::Online, NodeState::Unknown)).after_silence(800));
//! failovers.take(&entry(2, 9_000, state(NodeState::Unknown, NodeState::Fence)));
//! failovers.take(&entry(3, 10_000, Event::FenceAcknowledged { node: node2.clone() }));
//!
//! let failover = &failovers.all()[0];
//! assert_eq!((&failover.node, failover.lost_ms), (&node2, Some(200)));
//! assert_eq!(failover.seconds(failover.locked_ms), Some(9.8));
//! # Ok::<(), ha_core::id::IdError>(())
//! ```

mod cause;
mod chain;
mod commands;
mod counted;
mod entry;
mod failover;
mod figures;
mod latest;
mod notice;
#[cfg(test)]
mod story;

pub use cause::Cause;
pub use chain::because;
pub use commands::{CommandFate, CommandOutcome, Commands};
pub use counted::{Counted, FailoverPhase, Sum};
pub use entry::{Entry, EntryId, Source, What};
pub use failover::{
    Failover, FailoverOutcome, FailoverSeconds, FailoverService, Failovers, MeasuredFailover, ProofOfDown,
};
pub use figures::Figures;
pub use latest::{Change, Latest, Suspension};
pub use notice::Notice;
