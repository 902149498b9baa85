//! Counters, for monitors.

use alloc::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Cause, Entry};
use crate::{
    event::{Event, Severity},
    id::{NodeName, ServiceId},
};

/// What has been counted of a history, since its first entry that was taken.
///
/// Counters only grow. Where a history is kept for a while only, whoever exports them keeps them, and takes each entry once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Entries, by how much they matter.
    pub entries: BTreeMap<Severity, u64>,
    /// How often each node was known to be down after it was to be fenced.
    pub fencings: BTreeMap<NodeName, u64>,
    /// Moves, by what they came from. Recoveries are among them.
    pub moves: BTreeMap<Cause, u64>,
    /// Moves of each service that failed.
    pub failed_moves: BTreeMap<ServiceId, u64>,
    /// How often each service was started again because it had ended by itself.
    pub restarts: BTreeMap<ServiceId, u64>,
    /// Starts of each service that failed.
    pub failed_starts: BTreeMap<ServiceId, u64>,
    /// How often another node became master.
    pub master_changes: u64,
    /// Changes by persons or programs.
    pub changes: u64,
    /// Entries that could not be kept, as far as it is known how many.
    pub lost_entries: u64,
    /// Services whose next commanded move is one of balancing.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    rebalanced: BTreeSet<ServiceId>,
}

impl Figures {
    /// Counts an entry.
    pub fn take(&mut self, entry: &Entry) {
        count(&mut self.entries, &entry.severity);
        match entry.event() {
            Some(Event::FenceAcknowledged { node }) => count(&mut self.fencings, node),
            Some(Event::AutoRebalance { sid, .. }) => drop(self.rebalanced.insert(sid.clone())),
            Some(Event::ComoveQueued { sid, with, .. }) if self.rebalanced.contains(with) => {
                self.rebalanced.insert(sid.clone());
            }
            Some(Event::ServiceMove { sid, .. }) => {
                let cause = if self.rebalanced.remove(sid) { Some(Cause::Rebalance) } else { entry.cause };
                // Older entries, and hosts that do not keep why, say no more than that placement did it.
                count(&mut self.moves, &cause.unwrap_or(Cause::Affinity));
            }
            Some(Event::ServiceRecovered { .. }) => count(&mut self.moves, &Cause::Recovery),
            Some(Event::MoveFailed { sid, .. } | Event::MoveFailedWrongNode { sid }) => {
                count(&mut self.failed_moves, sid)
            }
            Some(Event::UnplannedRestart { sid, .. }) => count(&mut self.restarts, sid),
            Some(Event::AgentStartFailed { sid }) => count(&mut self.failed_starts, sid),
            Some(Event::DaemonState { to: crate::event::DaemonState::Master, .. }) => {
                self.master_changes = self.master_changes.saturating_add(1);
            }
            Some(Event::ChangeMade { .. }) => self.changes = self.changes.saturating_add(1),
            Some(Event::HistoryIncomplete { events, .. }) => {
                self.lost_entries = self.lost_entries.saturating_add(events.unwrap_or(0));
            }
            _ => {}
        }
    }

    /// How many entries matter at least this much.
    #[must_use]
    pub fn at_least(&self, severity: Severity) -> u64 {
        self.entries.range(severity..).map(|(_, count)| *count).fold(0, u64::saturating_add)
    }
}

fn count<K: Clone + Ord>(counts: &mut BTreeMap<K, u64>, key: &K) {
    let count = counts.entry(key.clone()).or_default();
    *count = count.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::MoveCause,
        history::{EntryId, Source},
        status::Motion,
    };

    #[test]
    fn a_move_that_balancing_asks_for_is_one_of_balancing() {
        let node = NodeName::new("node1").unwrap();
        let sid = ServiceId::new("vm:100").unwrap();
        let mut figures = Figures::default();
        let moves = Event::ServiceMove {
            sid: sid.clone(),
            target: node.clone(),
            cause: MoveCause::Command,
            task: Motion::Migrate,
        };
        let balances = Event::AutoRebalance {
            task: Motion::Migrate,
            sid,
            target: node.clone(),
            imbalance: 0.5,
            expected_imbalance: 0.1,
        };
        for event in [balances, moves.clone(), moves] {
            let id = EntryId::of_node(&node, 1, 1);
            figures.take(&Entry::new(id, 0, node.clone(), Source::Crm, event.into()));
        }
        let counted: alloc::vec::Vec<_> = figures.moves.into_iter().collect();
        assert_eq!(counted, [(Cause::Request, 1), (Cause::Rebalance, 1)]);
    }
}
