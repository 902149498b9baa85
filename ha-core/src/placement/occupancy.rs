//! Which nodes a service uses, by its state.

use crate::{
    id::NodeName,
    status::{ServiceEntry, ServiceState},
};

/// The online nodes that one service uses, by their positions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Occupancy {
    /// Where it is, whether it uses that or not.
    pub(crate) present: Option<u32>,
    /// Its own node, if it uses that.
    pub(crate) node: Option<u32>,
    /// The node that it moves to.
    pub(crate) target: Option<u32>,
    /// The node that it is about to start on, so that no measurement knows of it yet.
    pub(crate) starting: Option<u32>,
    /// Whether placement may move it now.
    pub(crate) movable: bool,
    /// Whether it goes on wherever there is a place, since its own node was fenced.
    pub(crate) leaves: bool,
}

impl Occupancy {
    /// What a service uses, where `online` gives the position of an online node.
    ///
    /// In `stopped` and `request_start` it uses none; in `request_start_balance` its target alone.
    pub(crate) fn of(entry: &ServiceEntry, online: impl Fn(&NodeName) -> Option<u32>) -> Self {
        let present = online(&entry.node);
        let node = present;
        let target = entry.state.target().and_then(&online);
        match &entry.state {
            ServiceState::Stopped | ServiceState::RequestStart => Self { present, ..Self::default() },
            ServiceState::RequestStartBalance { .. } => Self { present, target, starting: target, ..Self::default() },
            ServiceState::Started { confirmed } => {
                let starting = if *confirmed { None } else { node };
                Self { present, node, starting, movable: true, ..Self::default() }
            }
            ServiceState::Migrate { .. } | ServiceState::Relocate { .. } => {
                let starting = if node.is_none() { target } else { None };
                Self { present, node, target, starting, ..Self::default() }
            }
            ServiceState::RequestStop { .. } | ServiceState::Fence | ServiceState::Freeze | ServiceState::Error => {
                Self { present, node, ..Self::default() }
            }
            ServiceState::Recovery => Self { present, node, leaves: true, ..Self::default() },
        }
    }

    /// A guest that is not managed and runs on a node.
    pub(crate) fn unmanaged(node: u32) -> Self {
        Self { present: Some(node), node: Some(node), ..Self::default() }
    }

    /// The nodes that it uses.
    pub(crate) fn used(self) -> impl Iterator<Item = u32> {
        self.node.into_iter().chain(self.target)
    }

    /// Whether it uses a node.
    pub(crate) fn uses(&self, node: u32) -> bool {
        self.node == Some(node) || self.target == Some(node)
    }

    /// The one node that counts for those that must be together with it: where it moves to, else where it is.
    pub(crate) fn destination(self) -> Option<u32> {
        self.target.or(self.node)
    }
}
