//! A cluster in which nothing is under way any more, and what stays down after a loss.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    RoundsPlayed, RoundsToCome, Situation,
    losses::{Down, DownReason},
    rounds::is_asked_to_run,
};
use crate::{
    id::{NodeName, ServiceId},
    manager::RoundInput,
    placement::Preference,
    status::{ManagerStatus, ServiceEntry, ServiceState},
};

/// A cluster in which nothing is under way any more.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) rounds: RoundsToCome,
    members: Vec<NodeName>,
    /// Whether rounds came to an end.
    pub(super) is_quiet: bool,
    /// Services that stay down even if nothing is lost.
    pub(super) down_already: BTreeMap<ServiceId, Down>,
}

impl Settled {
    pub(super) fn of(rounds: RoundsToCome) -> Self {
        let played = rounds.clone().play(&[]);
        let down_already = down(&played, &rounds.input, &BTreeMap::new());
        let down_already = down_already.into_iter().map(|down| (down.sid.clone(), down)).collect();
        let RoundsPlayed { status, lrms, configuration, usage, settled, .. } = played;
        let mut rounds = RoundsToCome { status, ..rounds };
        rounds.input.lrms = lrms;
        rounds.input.configuration = configuration;
        rounds.input.usage = usage;
        let members = rounds.input.members.keys().cloned().collect();
        Self { rounds, members, is_quiet: settled, down_already }
    }

    pub(super) fn situation(&self) -> Situation<'_> {
        let RoundsToCome { status, input, .. } = &self.rounds;
        Situation {
            usage: input.usage.as_deref(),
            unmanaged: &input.unmanaged,
            ..Situation::new(status, &input.configuration, &self.members)
        }
    }

    /// The services that stay down after a loss, with some of the configuration changed perhaps.
    pub(super) fn down_after(&self, rounds: RoundsToCome, lost: &BTreeSet<NodeName>) -> Vec<Down> {
        let input = rounds.input.clone();
        down(&rounds.play_loss(lost), &input, &self.down_already)
    }
}

/// The services that are asked to run and are not on the way to it on a node that is there; without those that don't count. `input` is what
/// the rounds began with: the members and figures by which placement says why there is no node.
fn down(played: &RoundsPlayed, input: &RoundInput, but: &BTreeMap<ServiceId, Down>) -> Vec<Down> {
    let RoundsPlayed { status, configuration, .. } = played;
    let stays_down = |(sid, entry): &(&ServiceId, &ServiceEntry)| {
        is_asked_to_run(configuration, sid) && !but.contains_key(*sid) && !runs(status, sid, entry)
    };
    let members: Vec<NodeName> = input.members.keys().cloned().collect();
    let situation = Situation {
        usage: input.usage.as_deref(),
        unmanaged: &input.unmanaged,
        ..Situation::new(status, configuration, &members)
    };
    let entries = status.services.iter().filter(stays_down);
    let down = entries.map(|(sid, entry)| {
        let no_node = || {
            let explanation = situation.explain(sid, Preference::BestScore).ok();
            explanation.map(|explanation| DownReason::NoNode { explanation })
        };
        let reason = if entry.state == ServiceState::Fence {
            Some(DownReason::NotFenced)
        } else if entry.state == ServiceState::Recovery {
            no_node()
        } else {
            None
        };
        let reason = reason.unwrap_or_else(|| DownReason::State { state: entry.state.name() });
        Down { sid: sid.clone(), node: entry.node.clone(), reason }
    });
    down.collect()
}

/// Whether a service runs, or is on the way to it. One that waits for others, and not without end, is.
fn runs(status: &ManagerStatus, sid: &ServiceId, entry: &ServiceEntry) -> bool {
    let waits_for_some_time = || status.ordered.get(sid).is_some_and(|start| start.left.is_some());
    match entry.state {
        ServiceState::RequestStart
        | ServiceState::RequestStartBalance { .. }
        | ServiceState::Started { .. }
        | ServiceState::Migrate { .. }
        | ServiceState::Relocate { .. } => status.is_there(&entry.node),
        ServiceState::Stopped => waits_for_some_time() && status.is_there(&entry.node),
        ServiceState::RequestStop { .. }
        | ServiceState::Fence
        | ServiceState::Recovery
        | ServiceState::Freeze
        | ServiceState::Error => false,
    }
}
