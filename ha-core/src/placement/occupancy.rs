//! Which nodes a service uses, by its state.

use core::num::NonZeroU32;

use crate::{
    id::NodeName,
    status::{ServiceEntry, ServiceState},
};

/// The position of a node, or none: as small as the number, so that to compare two is one comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place(Option<NonZeroU32>);

impl Place {
    /// A position that has none after it is none, which no cluster has.
    fn new(node: Option<u32>) -> Self {
        Self(node.and_then(|node| NonZeroU32::MIN.checked_add(node)))
    }

    fn node(self) -> Option<u32> {
        self.0.map(|after| after.get().wrapping_sub(1))
    }
}

/// The online nodes that one service uses, by their positions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Occupancy {
    present: Place,
    node: Place,
    target: Place,
    starting: Place,
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
        let present = Place::new(online(&entry.node));
        let node = present;
        let target = Place::new(entry.state.target().and_then(&online));
        match &entry.state {
            ServiceState::Stopped | ServiceState::RequestStart => Self { present, ..Self::default() },
            ServiceState::RequestStartBalance { .. } => Self { present, target, starting: target, ..Self::default() },
            ServiceState::Started { confirmed } => {
                let starting = if *confirmed { Place::default() } else { node };
                Self { present, node, starting, movable: true, ..Self::default() }
            }
            ServiceState::Migrate { .. } | ServiceState::Relocate { .. } => {
                let starting = if node.node().is_none() { target } else { Place::default() };
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
        let node = Place::new(Some(node));
        Self { present: node, node, ..Self::default() }
    }

    /// Where it is, whether it uses that or not.
    pub(crate) fn present(self) -> Option<u32> {
        self.present.node()
    }

    /// Its own node, if it uses that.
    pub(crate) fn node(self) -> Option<u32> {
        self.node.node()
    }

    /// The node that it moves to.
    pub(crate) fn target(self) -> Option<u32> {
        self.target.node()
    }

    /// The node that it is about to start on, so that no measurement knows of it yet.
    pub(crate) fn starting(self) -> Option<u32> {
        self.starting.node()
    }

    /// The nodes that it uses.
    pub(crate) fn used(self) -> impl Iterator<Item = u32> {
        self.node().into_iter().chain(self.target())
    }

    /// Whether it uses a node.
    pub(crate) fn uses(&self, node: u32) -> bool {
        let node = Place::new(Some(node));
        node.0.is_some() && (self.node == node || self.target == node)
    }

    /// The one node that counts for those that must be together with it: where it moves to, else where it is.
    pub(crate) fn destination(self) -> Option<u32> {
        self.target().or(self.node())
    }
}
