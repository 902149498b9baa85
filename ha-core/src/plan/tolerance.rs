//! Which losses a cluster survives: whether this manager, by its rules, recovers every service when nodes are lost.

use alloc::{collections::BTreeSet, string::ToString, vec::Vec};

use super::{
    RoundsToCome,
    combinations::Combinations,
    losses::{Down, DownReason, LossLevel, Losses, Tolerance, TooMuch},
    other_placement::other_placement,
    remedies::remedies,
    rounds::is_asked_to_run,
    settled::Settled,
    situation::Prepared,
};
use crate::{
    config::datacenter::FencingMode,
    id::{NodeName, ServiceId},
};

impl RoundsToCome {
    /// Which losses the cluster survives, once what is under way has settled.
    ///
    /// Each set is played by the code that decides. Where all services of the lost nodes find a node at the first look this is what
    /// recovery does, and the rounds after that need not be played.
    ///
    /// ```
    /// use ha_core::{id::NodeName, manager::RoundInput, plan::{Losses, RoundsToCome}, status::{ManagerStatus, NodeState}, timing::Timings};
    ///
    /// let nodes = [NodeName::new("node1")?, NodeName::new("node2")?];
    /// let mut status = ManagerStatus::default();
    /// status.nodes.extend(nodes.iter().map(|node| (node.clone(), NodeState::Online)));
    /// let members = nodes.iter().map(|node| (node.clone(), true)).collect();
    /// let input = RoundInput { members, ..RoundInput::default() };
    /// let rounds = RoundsToCome { master: nodes[0].clone(), timings: Timings::default(), status, input };
    /// let tolerance = rounds.tolerance(&Losses::of_nodes(&nodes, 2));
    /// assert_eq!(tolerance.survives, 1, "there is nothing left after both");
    /// # Ok::<(), ha_core::id::IdError>(())
    /// ```
    #[must_use]
    pub fn tolerance(self, losses: &Losses) -> Tolerance {
        let settled = Settled::of(self);
        let mut asked = Asked::new(&settled, losses);
        let mut tolerance = Tolerance {
            survives: 0,
            is_whole: true,
            levels: Vec::new(),
            down_already: settled.down_already.values().cloned().collect(),
        };
        for size in 1..=losses.most.min(asked.units.len()) {
            let level = asked.level(size);
            let holds = level.too_much.is_none();
            if asked.is_exhausted && holds {
                tolerance.is_whole = false;
                break;
            }
            if holds && tolerance.survives.saturating_add(1) == size {
                tolerance.survives = size;
            }
            tolerance.levels.push(level);
            if !holds && !losses.goes_on {
                break;
            }
        }
        tolerance
    }
}

/// The question, and what is prepared for it.
struct Asked<'a> {
    settled: &'a Settled,
    prepared: Prepared<'a>,
    losses: &'a Losses,
    /// What is lost with each unit, of what is there now.
    units: Vec<(&'a str, BTreeSet<NodeName>)>,
    sets_left: usize,
    is_exhausted: bool,
}

impl<'a> Asked<'a> {
    fn new(settled: &'a Settled, losses: &'a Losses) -> Self {
        let status = &settled.rounds.status;
        let units = losses.units.iter().filter_map(|unit| {
            let nodes: BTreeSet<NodeName> = unit.nodes.iter().filter(|node| status.is_there(node)).cloned().collect();
            (!nodes.is_empty()).then_some((unit.name.as_str(), nodes))
        });
        Self {
            settled,
            prepared: settled.situation().prepare(),
            losses,
            units: units.collect(),
            sets_left: losses.most_sets,
            is_exhausted: false,
        }
    }

    /// Looks at all sets of a size until one is too much.
    fn level(&mut self, size: usize) -> LossLevel {
        let mut level = LossLevel { losses: size, sets: 0, too_much: None };
        for set in Combinations::new(self.units.len(), size) {
            let Some(left) = self.sets_left.checked_sub(1) else {
                self.is_exhausted = true;
                break;
            };
            self.sets_left = left;
            level.sets = level.sets.saturating_add(1);
            let chosen = || set.iter().filter_map(|unit| self.units.get(*unit));
            let lost: BTreeSet<NodeName> = chosen().flat_map(|(_, nodes)| nodes).cloned().collect();
            if let Some(mut too_much) = self.too_much(&lost) {
                too_much.units = chosen().map(|(name, _)| (*name).to_string()).collect();
                level.too_much = Some(too_much);
                break;
            }
        }
        level
    }

    fn too_much(&self, lost: &BTreeSet<NodeName>) -> Option<TooMuch> {
        let status = &self.settled.rounds.status;
        let stays = |node: &NodeName| status.is_there(node) && !lost.contains(node);
        let nodes: Vec<NodeName> = lost.iter().cloned().collect();
        let too_much = |down| {
            let (units, remedies) = (Vec::new(), Vec::new());
            Some(TooMuch { units, nodes, is_without_quorum: false, down, remedies, other_placement: None })
        };
        if !status.nodes.keys().any(stays) {
            return too_much(self.all_on(lost, &DownReason::NothingLeft));
        }
        if self.losses.votes.as_ref().is_some_and(|votes| !votes.are_enough_with(stays)) {
            let down = self.all_on(lost, &DownReason::NoQuorum);
            return too_much(down).map(|too_much| TooMuch { is_without_quorum: true, ..too_much });
        }
        if self.finds_all_a_node(lost) {
            return None;
        }
        let down = self.settled.down_after(self.settled.rounds.clone(), lost);
        if down.is_empty() {
            return None;
        }
        let (mut helps, mut other) = (Vec::new(), None);
        if self.losses.wants_remedies {
            helps = remedies(self.settled, lost, &down);
            other = other_placement(self.settled, lost, &down);
        }
        too_much(down).map(|too_much| TooMuch { remedies: helps, other_placement: other, ..too_much })
    }

    /// Whether all services of these nodes are recovered by the first round that may do it: their locks prove at once that they are down,
    /// and each service finds a node.
    fn finds_all_a_node(&self, lost: &BTreeSet<NodeName>) -> bool {
        let Settled { rounds, is_quiet, .. } = self.settled;
        let by_lock = rounds.input.configuration.datacenter.fencing == FencingMode::Watchdog
            && !lost.iter().any(|node| rounds.status.unguarded.contains(node));
        if !is_quiet || rounds.status.disarm.is_some() || !by_lock {
            return false;
        }
        let nodes: Vec<NodeName> = lost.iter().cloned().collect();
        self.prepared.after_loss(&nodes).iter().all(|recovery| recovery.to.is_some())
    }

    /// The services on these nodes that are asked to run.
    fn all_on(&self, lost: &BTreeSet<NodeName>, reason: &DownReason) -> Vec<Down> {
        let RoundsToCome { status, input, .. } = &self.settled.rounds;
        let asked = |sid: &ServiceId| is_asked_to_run(&input.configuration, sid);
        let on = status.services.iter().filter(|(sid, entry)| lost.contains(&entry.node) && asked(sid));
        let counted = on.filter(|(sid, _)| !self.settled.down_already.contains_key(*sid));
        counted
            .map(|(sid, entry)| Down { sid: sid.clone(), node: entry.node.clone(), reason: reason.clone() })
            .collect()
    }
}
