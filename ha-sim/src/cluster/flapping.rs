//! Whether nodes that are fenced again and again take new services only where there is no way around it, and not for ever.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ha_core::{
    event::{DaemonState, Event, MoveCause},
    host::Configuration,
    id::{NodeName, ServiceId},
    status::{ManagerStatus, NodeFencings, StateName},
    time::Instant,
};

use super::{Invariant, belief::Wrong};

/// Fencings within this time count, by a clock that is a little faster or slower.
const COUNT_FOR: Duration = Duration::from_secs(55 * 60);
/// How late a hold may end.
const SLACK: Duration = Duration::from_secs(60);

/// How often nodes were fenced, by what masters have told.
#[derive(Debug, Clone, Default)]
pub(super) struct Flapping {
    turns: BTreeMap<NodeName, Turn>,
    /// The fencings of each node that count, the last one last.
    fenced: BTreeMap<NodeName, Vec<Instant>>,
    /// The nodes that were not there since they were fenced.
    down: BTreeSet<NodeName>,
    /// What was written last, and by whom.
    written: BTreeMap<NodeName, NodeFencings>,
    writer: Option<NodeName>,
    /// When a node was first written down as held for so many seconds, and as there ever since.
    held: BTreeMap<NodeName, (Instant, u32)>,
}

/// A round of a master.
#[derive(Debug, Clone, Default)]
struct Turn {
    hold: Option<Duration>,
    /// The services of which no rule and no group says anything.
    free: BTreeSet<ServiceId>,
    fenced: Vec<NodeName>,
    cleared: Vec<NodeName>,
    /// Where services go that nobody asked to go there.
    placed: Vec<(ServiceId, NodeName)>,
    /// What is told to go to a node that takes no new services, and whether since there is no other one.
    told: BTreeMap<(ServiceId, NodeName), bool>,
    /// What failed to start goes to the next node.
    failed: BTreeSet<ServiceId>,
}

impl Flapping {
    /// The master of a node reads the configuration by which it goes in this round.
    pub(super) fn begins(&mut self, node: &NodeName, configuration: &Configuration) {
        let Configuration { resources, rules, datacenter, .. } = configuration;
        let is_free = |sid: &ServiceId| !rules.rules.values().any(|rule| rule.resources.contains(sid));
        let without_group = resources.resources.values().filter(|resource| resource.group.is_none());
        let hold = datacenter.flapping_hold.map(|hold| Duration::from_secs(hold.into()));
        let free = match hold {
            Some(_) => without_group.map(|resource| resource.sid.clone()).filter(is_free).collect(),
            None => BTreeSet::new(),
        };
        self.turns.insert(node.clone(), Turn { hold, free, ..Turn::default() });
    }

    /// The CRM of a node tells what it does.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others say nothing of fencings and places")]
    pub(super) fn tells(&mut self, node: &NodeName, event: &Event) {
        // It counts from where the record is. That nobody counted before is its to lose.
        if matches!(event, Event::DaemonState { to: DaemonState::Master, .. }) && self.writer.as_ref() == Some(node) {
            self.writer = None;
        }
        let Some(turn) = self.turns.get_mut(node) else { return };
        match event {
            Event::FenceAcknowledged { node } => turn.fenced.push(node.clone()),
            Event::FencingsCleared { node, .. } => turn.cleared.push(node.clone()),
            Event::ServiceRecovered { sid, to: target, .. }
            | Event::ServiceMove { sid, target, cause: MoveCause::Placement, .. }
            | Event::AutoRebalance { sid, target, .. }
            | Event::ServiceState { sid, to: StateName::RequestStartBalance, target: Some(target), .. } => {
                turn.placed.push((sid.clone(), target.clone()));
            }
            Event::HeldNodeTaken { sid, node, with } => {
                turn.told.insert((sid.clone(), node.clone()), with.is_none());
            }
            Event::StartFailedRelocating { sid, .. } => {
                turn.failed.insert(sid.clone());
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
        let turn = self.turns.remove(node)?;
        let is_known = before.is_some_and(|before| before.fenced_nodes == self.written);
        if turn.hold.is_none() || !is_known {
            self.fenced.clear();
        }
        for node in &turn.cleared {
            self.fenced.remove(node);
        }
        let wrong = self.wrong_place(&turn, status, now);
        self.down.retain(|node| !status.is_there(node));
        for node in turn.fenced.iter().filter(|_| turn.hold.is_some()) {
            if self.down.insert(node.clone()) {
                self.fenced.entry(node.clone()).or_default().push(now);
            }
        }
        let wrong = wrong.or_else(|| self.held_too_long(node, status, now));
        self.written.clone_from(&status.fenced_nodes);
        self.writer = Some(node.clone());
        wrong
    }

    /// Whether a node takes no new services for sure.
    fn is_held(&self, node: &NodeName, hold: Duration, now: Instant) -> bool {
        let Some([.., third, _, last]) = self.fenced.get(node).map(Vec::as_slice) else { return false };
        last.since(*third) < COUNT_FOR && now.since(*last) < hold.mul_f64(0.9)
    }

    fn wrong_place(&self, turn: &Turn, status: &ManagerStatus, now: Instant) -> Option<Wrong> {
        let hold = turn.hold?;
        let mut placed = turn.placed.iter().filter(|(_, node)| self.is_held(node, hold, now));
        placed.find_map(|(sid, node)| {
            let why = match turn.told.get(&(sid.clone(), node.clone())) {
                None => "and that is not told",
                Some(true) if turn.free.contains(sid) && !turn.failed.contains(sid) && has_another(status) => {
                    "though there are others"
                }
                Some(_) => return None,
            };
            let details = format!("{sid} goes to {node}, which takes no new services, {why}");
            Some((Invariant::SparesFlapping, details))
        })
    }

    /// A node is held, and it is not by as much less as time has passed while it was there and the same master was at work.
    fn held_too_long(&mut self, writer: &NodeName, status: &ManagerStatus, now: Instant) -> Option<Wrong> {
        let is_same_writer = self.writer.as_ref() == Some(writer);
        let before = std::mem::take(&mut self.held);
        for node in status.fenced_nodes.keys().filter(|node| status.is_there(node)) {
            let Some(left) = status.held_for(node) else { continue };
            let known = before.get(node).filter(|(_, first)| is_same_writer && *first >= left);
            let (since, first) = *known.unwrap_or(&(now, left));
            self.held.insert(node.clone(), (since, first));
            let passed = Duration::from_secs(first.saturating_sub(left).into());
            if now.since(since).mul_f64(0.9) > passed.saturating_add(SLACK) {
                let details =
                    format!("{node} takes no new services for {left} s, as it was {:?} ago", now.since(since));
                return Some((Invariant::SparesFlapping, details));
            }
        }
        None
    }
}

/// Whether there is a node that takes new services.
fn has_another(status: &ManagerStatus) -> bool {
    status.nodes.keys().any(|node| status.is_online(node) && status.held_for(node).is_none())
}
