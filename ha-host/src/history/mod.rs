//! What has happened, kept where an operator finds it: on each node in a journal of its own, and in the store for all.
//!
//! * [`History`]: where a node's daemons report. Whoever reports never waits, whatever the disk or the store does: what can't be kept
//!   is counted, and the next thing that is kept says how much is missing.
//! * [`Journal`]: the files of a node, one a day.
//! * [`Reader`]: what is kept, from the store and from a node's journal, as [`Entry`]s.
//! * [`tell_in_time`]: keeps a change that a person has made.
//!
//! What can be told from entries (failovers, counters, what led to what) is in [`ha_core::history`].

mod journal;
mod keeper;
mod person;
mod places;
mod reader;
mod recorder;

pub use ha_core::history::{Entry, EntryId, Source, What};
pub use journal::{Journal, JournalLimits};
pub use keeper::Tell;
pub use person::{ChangeByPerson, new_id, tell_in_time};
pub use reader::{Filter, Kept, Reader, latest};
pub use recorder::{History, HistorySettings, Report};
