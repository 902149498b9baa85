//! What starts and moves in the cluster, counted: see [`super::storms`].

use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use crate::{
    id::{NodeName, ServiceId},
    status::ServiceState,
    time::Instant,
};

/// A service that starts or moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    Start,
    Move,
}

impl Traffic {
    pub(crate) fn of(state: &ServiceState) -> Option<Self> {
        match state {
            ServiceState::RequestStart
            | ServiceState::RequestStartBalance { .. }
            | ServiceState::Started { confirmed: false } => Some(Self::Start),
            ServiceState::Migrate { .. } | ServiceState::Relocate { .. } => Some(Self::Move),
            ServiceState::Started { confirmed: true }
            | ServiceState::Stopped
            | ServiceState::RequestStop { .. }
            | ServiceState::Fence
            | ServiceState::Recovery
            | ServiceState::Freeze
            | ServiceState::Error => None,
        }
    }

    /// For how long one counts that its LRM does not answer for. It holds up no other one for ever then, whatever has become of it.
    pub(super) const fn counts_for(self) -> Duration {
        match self {
            // A little longer than a start may take by the usual limit of its job.
            Self::Start => Duration::from_secs(15 * 60),
            Self::Move => Duration::from_secs(60 * 60),
        }
    }
}

/// What starts and moves, and since when this master knows of that. Without bounds it takes no note.
#[derive(Debug, Clone, Default)]
pub(super) struct TrafficHistory {
    pub(super) since: BTreeMap<ServiceId, (Traffic, Instant)>,
    /// For this round.
    pub(super) room: Room,
}

/// What more may start and move in a round; without a bound as many as want to.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    pub(super) starts: Option<u32>,
    pub(super) moves: Option<u32>,
    /// The nodes in maintenance that a service is leaving.
    pub(super) being_left: BTreeSet<NodeName>,
    /// What waited to start, and what to move, in the last round.
    pub(super) waited: (BTreeSet<ServiceId>, BTreeSet<ServiceId>),
}

impl Room {
    /// A service starts or moves, from a node.
    pub(super) fn take(&mut self, traffic: Traffic, node: &NodeName) {
        match traffic {
            Traffic::Start => self.starts = self.starts.map(|starts| starts.saturating_sub(1)),
            Traffic::Move => {
                if let Some(moves) = &mut self.moves {
                    *moves = moves.saturating_sub(1);
                    self.being_left.insert(node.clone());
                }
            }
        }
    }
}
