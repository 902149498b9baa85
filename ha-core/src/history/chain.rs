//! What led to what.

use alloc::vec::Vec;

use super::Entry;
use crate::{
    event::Event,
    id::{NodeName, ServiceId},
    status::{NodeState, StateName},
};

/// A chain of this length is enough for anybody.
const LONGEST: usize = 8;

/// The entries that led to one, the nearest first, as far as they are among `entries`, which are in the order in which they were kept.
///
/// They are found by what they say: a service is recovered because its node was known to be down, which had to be fenced because it
/// was not seen; a service moves because a command was accepted, which somebody had given. Nothing is decided by it.
#[must_use]
pub fn because<'a>(entries: &'a [Entry], entry: &'a Entry) -> Vec<&'a Entry> {
    let mut chain: Vec<&Entry> = Vec::new();
    let mut at = entries.iter().position(|other| other.id == entry.id).unwrap_or(entries.len());
    let mut present = entry;
    while chain.len() < LONGEST {
        let Some(wanted) = Wanted::for_event(present) else { break };
        let Some(found) = entries.iter().take(at).rposition(|other| wanted.is_met_by(other)) else { break };
        let Some(cause) = entries.get(found) else { break };
        chain.push(cause);
        (at, present) = (found, cause);
    }
    chain
}

/// What an entry comes from.
enum Wanted<'a> {
    /// The node was known to be down.
    Down(&'a NodeName),
    /// The node was to be fenced.
    ToBeFenced(&'a NodeName),
    /// The node was not seen.
    NotSeen(&'a NodeName),
    /// The service was recovered, moved, or brought into a state.
    Placed(&'a ServiceId),
    /// The service failed.
    Failed(&'a ServiceId),
    /// A command for the service was accepted, or balancing asked for it.
    Commanded(&'a ServiceId),
    /// Somebody gave this command, or it was taken.
    Given(&'a str),
    /// Somebody gave the command of this id.
    Called(&'a str),
    /// Maintenance was asked for the node, or it goes down.
    Maintenance(&'a NodeName),
}

impl<'a> Wanted<'a> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "those that come from something else are named")]
    fn for_event(entry: &'a Entry) -> Option<Self> {
        use crate::event::MoveCause;
        Some(match entry.event()? {
            Event::ServiceRecovered { from, .. } => Self::Down(from),
            Event::RecoveryFailed { node, .. } => Self::Down(node),
            Event::FenceAcknowledged { node } | Event::NotifyFenceSucceeded { node } => Self::ToBeFenced(node),
            Event::NodeState { node, to: NodeState::Fence, .. } | Event::NotifyFenceStarted { node } => {
                Self::NotSeen(node)
            }
            Event::NodeState { node, to: NodeState::Maintenance, .. } => Self::Maintenance(node),
            Event::AgentStarting { sid } | Event::AgentStarted { sid } | Event::AgentMoveStarted { sid, .. } => {
                Self::Placed(sid)
            }
            Event::ServiceMove { sid, cause: MoveCause::Command, .. } | Event::StopRequested { sid, .. } => {
                Self::Commanded(sid)
            }
            Event::ServiceState { sid, to: StateName::Error, .. } | Event::ServiceInError { sid } => Self::Failed(sid),
            Event::CommandAccepted { command, .. } => Self::Given(command),
            Event::CommandTaken { id, .. } => Self::Called(id),
            _ => return None,
        })
    }

    fn is_met_by(&self, entry: &Entry) -> bool {
        let Some(event) = entry.event() else { return false };
        match (self, event) {
            (Self::Down(wanted), Event::FenceAcknowledged { node })
            | (Self::ToBeFenced(wanted), Event::NodeState { node, to: NodeState::Fence, .. })
            | (Self::NotSeen(wanted), Event::NodeState { node, to: NodeState::Unknown, .. })
            | (Self::Maintenance(wanted), Event::MaintenanceRequested { node, .. }) => node == *wanted,
            (Self::Maintenance(wanted), Event::ShutdownRequested { .. }) => entry.node == **wanted,
            (Self::Placed(wanted), Event::ServiceRecovered { sid, .. } | Event::ServiceMove { sid, .. })
            | (Self::Commanded(wanted), Event::AutoRebalance { sid, .. } | Event::ComoveQueued { sid, .. })
            | (
                Self::Failed(wanted),
                Event::RelocationExhausted { sid, .. }
                | Event::ServiceUnrecoverable { sid, .. }
                | Event::StopFailed { sid, .. }
                | Event::MoveFailedWrongNode { sid },
            ) => sid == *wanted,
            (Self::Commanded(wanted), Event::CommandAccepted { .. }) => entry.is_about_service(wanted),
            (Self::Given(wanted), Event::CommandTaken { command, .. }) => command == wanted,
            (Self::Given(command), Event::ChangeMade { change, .. }) => change.contains(*command),
            (Self::Called(wanted), Event::ChangeMade { command_id: Some(id), .. }) => id == wanted,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{
        EntryId, Source,
        story::{node, recovery},
    };
    use std::string::ToString;

    #[test]
    fn a_recovery_leads_back_to_the_loss_of_the_node() {
        let mut entries = recovery();
        // Another node was fenced too, right before the service was recovered.
        let other = Event::FenceAcknowledged { node: node("node1") };
        entries
            .insert(3, Entry::new(EntryId::of_node(&node("node2"), 1, 1), 0, node("node2"), Source::Crm, other.into()));
        let chain: Vec<_> = because(&entries, &entries[5]).iter().map(|entry| entry.id.to_string()).collect();
        assert_eq!(chain, ["node1.1.4", "node1.1.3", "node1.1.2", "node1.1.1"]);
    }
}
