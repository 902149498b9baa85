//! The records that the daemons share: the manager status, the LRM status, and the command queue.
//!
//! States carry their data: an entry cannot hold a target that its state does not have. The flat JSON that tools read
//! is made and read at the edge.

mod command;
mod json;
mod lrm;
mod manager;
mod service_table;
mod utc;
pub mod view;

pub(crate) use command::LineParts;
pub use command::{Command, CommandError, CommandLine, DisarmMode};
pub use json::{NotUnderstood, StatusError};
pub use lrm::{ExitCode, JobResult, LrmMode, LrmState, LrmStatus, Readiness, ServiceNote, Writer};
pub use manager::{
    Disarm, DisarmState, FailbackWait, FenceIncident, ManagerStatus, Motion, NodeFencings, NodeRequest, NodeReturn,
    NodeState, OrderedStart, QueuedCommand, ServiceEntry, ServiceState, StateName,
};
pub use service_table::ServiceTable;
pub use utc::UtcTime;
pub use view::{ClusterView, ViewInput};

use alloc::{boxed::Box, collections::BTreeMap, string::String};

/// Fields of a record that this version does not know: kept when the record is read and written again.
///
/// `None` is the usual case and takes no room.
pub type UnknownFields = Option<Box<BTreeMap<String, serde_json::Value>>>;

/// Wall-clock time in seconds since 1970-01-01 UTC. It is only written down for people, never decided from.
pub type Timestamp = i64;
