//! Whether no more services start and move at once than may.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ha_core::{
    config::{Affinity, RuleKind},
    event::Event,
    host::Configuration,
    id::{NodeName, ServiceId},
    status::{ManagerStatus, NodeState, ServiceEntry, ServiceState, StateName},
    time::Instant,
};

use super::{Invariant, belief::Wrong};

/// A start counts for a quarter of an hour, by a clock that is a little faster or slower.
const START_COUNTS_FOR: Duration = Duration::from_secs(14 * 60);
/// A move counts for an hour.
const MOVE_COUNTS_FOR: Duration = Duration::from_secs(56 * 60);

/// What each master lets start and move, and since when it does.
#[derive(Debug, Clone, Default)]
pub(super) struct Storms {
    turns: BTreeMap<NodeName, Turn>,
    since: BTreeMap<(ServiceId, Traffic), Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Traffic {
    Start,
    Move,
}

/// A round of a master.
#[derive(Debug, Clone, Default)]
struct Turn {
    max_starts: Option<u32>,
    max_moves: Option<u32>,
    /// Whether services may have to move together.
    has_pairs: bool,
    begun: BTreeSet<(ServiceId, Traffic)>,
    /// What some service did in this round, be it that it does something else by now.
    taken: BTreeSet<Traffic>,
    /// What failed to start goes elsewhere at once.
    failed: BTreeSet<ServiceId>,
}

impl Storms {
    /// The master of a node reads the configuration by which it goes in this round.
    pub(super) fn begins(&mut self, node: &NodeName, configuration: &Configuration) {
        let is_pair = |kind: &RuleKind| matches!(kind, RuleKind::ResourceAffinity { affinity: Affinity::Positive, .. });
        let turn = Turn {
            max_starts: configuration.datacenter.max_starts,
            max_moves: configuration.datacenter.max_moves,
            has_pairs: configuration.rules.rules.values().any(|rule| is_pair(&rule.kind)),
            ..Turn::default()
        };
        self.turns.insert(node.clone(), turn);
    }

    /// The CRM of a node tells what it does.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others let nothing start or move")]
    pub(super) fn tells(&mut self, node: &NodeName, event: &Event) {
        let Some(turn) = self.turns.get_mut(node) else { return };
        if let Event::ServiceState { to, .. } = event {
            turn.taken.extend(traffic(*to, false));
        }
        match event {
            Event::ServiceRecovered { sid, .. }
            | Event::ServiceState { sid, from: StateName::Stopped, to: StateName::RequestStart, .. } => {
                turn.begun.insert((sid.clone(), Traffic::Start));
            }
            Event::StartFailedRelocating { sid, .. } => {
                turn.failed.insert(sid.clone());
            }
            Event::ServiceMove { sid, .. } if !turn.failed.contains(sid) => {
                turn.begun.insert((sid.clone(), Traffic::Move));
            }
            _ => {}
        }
    }

    /// The master of a node writes what it has decided.
    pub(super) fn writes(
        &mut self,
        node: &NodeName,
        before: Option<&ManagerStatus>,
        status: &ManagerStatus,
        now: Instant,
    ) -> Option<Wrong> {
        let seen = status.services.iter().filter_map(|(sid, entry)| {
            let key = (sid.clone(), traffic_of(entry)?);
            let since = self.since.get(&key).copied().unwrap_or(now);
            Some((key, since))
        });
        self.since = seen.collect();
        let turn = self.turns.remove(node)?;
        // While HA is being disarmed nobody takes note of what has started.
        let before = before.filter(|_| status.disarm.is_none())?;
        let bounds = [(Traffic::Start, turn.max_starts), (Traffic::Move, turn.max_moves)];
        bounds.into_iter().find_map(|(traffic, max)| {
            let max = max?;
            waits_for_nothing(&turn, traffic, before, status)
                .or_else(|| self.too_many(&turn, traffic, max, before, status, now))
        })
    }

    fn too_many(
        &self,
        turn: &Turn,
        wanted: Traffic,
        max: u32,
        before: &ManagerStatus,
        status: &ManagerStatus,
        now: Instant,
    ) -> Option<Wrong> {
        if wanted == Traffic::Move && turn.has_pairs {
            return None;
        }
        let is_new = |sid: &ServiceId| turn.begun.contains(&(sid.clone(), wanted)) && !before.may_run.contains(sid);
        let counts_for = if wanted == Traffic::Start { START_COUNTS_FOR } else { MOVE_COUNTS_FOR };
        let goes_on = |sid: &ServiceId, entry: &ServiceEntry| {
            let is_same = before.services.get(sid).is_some_and(|old| old.uid == entry.uid && old.state == entry.state);
            let is_young = self.since.get(&(sid.clone(), wanted)).is_some_and(|since| now.since(*since) < counts_for);
            is_same && is_young && status.is_there(&entry.node)
        };
        let of_kind = || status.services.iter().filter(|(_, entry)| traffic_of(entry) == Some(wanted));
        let new = of_kind().filter(|(sid, _)| is_new(sid)).count();
        // What was begun under another bound, or to empty a node, goes on and may be more than that.
        let going_on: Vec<&NodeName> = of_kind()
            .filter(|(sid, entry)| !is_new(sid) && goes_on(sid, entry))
            .map(|(_, entry)| &entry.node)
            .collect();
        // From each node that is to be emptied one may always move.
        let is_emptied = |node: &NodeName, state: NodeState| {
            wanted == Traffic::Move && state == NodeState::Maintenance && !going_on.contains(&node)
        };
        let emptied = status.nodes.iter().filter(|(node, state)| is_emptied(node, **state)).count();
        let room = (max as usize).saturating_sub(going_on.len()).saturating_add(emptied);
        let details = || format!("{new} more {wanted:?} beside {}, of {max} that may", going_on.len());
        (new > room).then(|| (Invariant::StormsAreBounded, details()))
    }
}

/// Something waits though nothing is ahead of it.
fn waits_for_nothing(turn: &Turn, wanted: Traffic, before: &ManagerStatus, status: &ManagerStatus) -> Option<Wrong> {
    let waiting = |status: &ManagerStatus| match wanted {
        Traffic::Start => !status.waiting_starts.is_empty(),
        Traffic::Move => !status.waiting_moves.is_empty(),
    };
    let is_idle = |status: &ManagerStatus| status.services.iter().all(|(_, entry)| traffic_of(entry) != Some(wanted));
    let wrong =
        !turn.taken.contains(&wanted) && [before, status].into_iter().all(|status| waiting(status) && is_idle(status));
    wrong.then(|| (Invariant::StormsAreBounded, format!("services wait for a {wanted:?}, and there is none")))
}

fn traffic_of(entry: &ServiceEntry) -> Option<Traffic> {
    traffic(entry.state.name(), entry.state == ServiceState::Started { confirmed: true })
}

fn traffic(state: StateName, confirmed: bool) -> Option<Traffic> {
    match state {
        StateName::RequestStart | StateName::RequestStartBalance => Some(Traffic::Start),
        StateName::Started => (!confirmed).then_some(Traffic::Start),
        StateName::Migrate | StateName::Relocate => Some(Traffic::Move),
        StateName::Stopped
        | StateName::RequestStop
        | StateName::Fence
        | StateName::Recovery
        | StateName::Freeze
        | StateName::Error => None,
    }
}
