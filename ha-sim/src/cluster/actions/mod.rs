//! What people do, and what goes wrong.

mod guests;
mod hardware;
mod nodes;
mod store;

use ha_core::{
    config::EditError,
    id::{IdError, NodeName, ServiceId},
};

use super::RanTwice;
use crate::world::DaemonKind;

/// Why something can't be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// A name that is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
    /// There is no such node.
    #[error("there is no node {0}")]
    NoSuchNode(NodeName),
    /// There is no such guest.
    #[error("there is no guest {0}")]
    NoSuchGuest(ServiceId),
    /// There is a guest of that name.
    #[error("there is a guest {0} already")]
    GuestExists(ServiceId),
    /// The node has no power.
    #[error("{0} has no power")]
    NoPower(NodeName),
    /// The daemon does not run.
    #[error("no {} runs on {node}", daemon.as_str())]
    NotRunning {
        /// The node.
        node: NodeName,
        /// The daemon.
        daemon: DaemonKind,
    },
    /// The node has a twin already.
    #[error("{0} has a twin already")]
    HasTwin(NodeName),
    /// The node has no twin.
    #[error("{0} has no twin")]
    NoTwin(NodeName),
    /// The store has no room left.
    #[error("the store has no room left")]
    StoreFull,
    /// The service has no entry that could be damaged.
    #[error("{0} has no entry")]
    NoEntry(ServiceId),
    /// No node is in a quorate partition, so nothing can be written.
    #[error("no node has quorum, so that nothing can be written")]
    NoQuorum,
    /// An edit that is refused.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// What was done made a service run on two nodes.
    #[error(transparent)]
    RanTwice(#[from] RanTwice),
}
