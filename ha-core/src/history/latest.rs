//! Since when something is as it is.

use alloc::{collections::BTreeMap, string::String, string::ToString};

use serde::{Deserialize, Serialize};

use super::{Entry, EntryId};
use crate::{
    event::Event,
    id::{NodeName, ServiceId},
    status::{NodeState, StateName},
};

/// The last change of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The entry that says it.
    pub id: EntryId,
    /// Its place in the history of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// The state that a service is in since then, if it is a change of state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateName>,
    /// In words.
    pub text: String,
}

impl Change {
    fn of(entry: &Entry, state: Option<StateName>) -> Self {
        Self {
            id: entry.id.clone(),
            position: entry.position,
            time_ms: entry.time_ms,
            state,
            text: entry.what.to_string(),
        }
    }
}

/// Why and until when automatic balancing leaves a service alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// How many of its moves have failed in a row.
    pub failures: u32,
    /// Until when, in milliseconds since 1970-01-01 UTC.
    pub until_ms: i64,
}

/// The last changes of services and nodes, as far as the entries that were taken reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// The last change of each service: of its state, its node, or that it was started again by itself.
    pub services: BTreeMap<ServiceId, Change>,
    /// When each node was last known to be down after it was to be fenced; not of those that came back.
    pub fenced: BTreeMap<NodeName, Change>,
    /// The services that automatic balancing leaves alone, as the present master has said. Some of it may be over by now.
    pub suspended: BTreeMap<ServiceId, Suspension>,
}

impl Latest {
    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) {
        match entry.event() {
            Some(Event::ServiceState { sid, to, .. }) => self.change(sid, entry, Some(*to)),
            Some(Event::ServiceAdded { sid, .. }) => self.change(sid, entry, None),
            Some(
                Event::ServiceLocationFixed { sid, .. }
                | Event::ServiceLocationUpdated { sid, .. }
                | Event::UnplannedRestart { sid, .. },
            ) => {
                let state = self.services.get(sid).and_then(|change| change.state);
                self.change(sid, entry, state);
            }
            Some(Event::ServiceRemoved { sid, .. }) => {
                self.services.remove(sid);
                self.suspended.remove(sid);
            }
            Some(Event::FenceAcknowledged { node }) => {
                self.fenced.insert(node.clone(), Change::of(entry, None));
            }
            Some(Event::NodeState { node, to: NodeState::Online | NodeState::Maintenance, .. }) => {
                self.fenced.remove(node);
            }
            Some(Event::AutoRebalanceSuspended { sid, failures, seconds }) => {
                let pause = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
                let until_ms = entry.time_ms.saturating_add(pause);
                self.suspended.insert(sid.clone(), Suspension { failures: *failures, until_ms });
            }
            Some(Event::AgentMoveEnded { sid, .. }) => drop(self.suspended.remove(sid)),
            // A new master begins with none.
            Some(Event::DaemonState { to: crate::event::DaemonState::Master, .. }) => self.suspended.clear(),
            _ => {}
        }
    }

    fn change(&mut self, sid: &ServiceId, entry: &Entry, state: Option<StateName>) {
        self.services.insert(sid.clone(), Change::of(entry, state));
    }
}
