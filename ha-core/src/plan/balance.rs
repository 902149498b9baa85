//! What automatic balancing would move, move by move.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};

use super::{
    RoundsToCome, Situation,
    balance_plan::{BalancePlan, BalanceQuestion, BalanceStep, LeftAlone, Shorter},
    feasible::{FeasibleQuestion, Steps, StepsQuestion},
    moves::Move,
    rounds::is_asked_to_run,
    settled::Settled,
};
use crate::{
    config::Digest,
    event::Event,
    id::{NodeName, ServiceId},
    placement::{BalanceHold, BalanceOutcome},
    status::StateName,
};

/// Rounds for which balancing waits before each move: stopped services that have moved along have settled then, and count nowhere. How long they
/// take depends on their agents, so what is decided sooner can't be foretold.
const HOLD: u32 = 2;

impl RoundsToCome {
    /// What automatic balancing moves once what is under way has settled, or would move if it was switched on.
    ///
    /// The manager's rounds are played until it moves nothing more. Before each move it waits for no more rounds than those that went before
    /// need to settle: it moves the same however long it waits, as long as nothing else changes.
    ///
    /// ```
    /// use ha_core::{
    ///     host::{HostFigures, NodeFigures, ServiceFigures}, id::{NodeName, ServiceId}, manager::RoundInput,
    ///     config::{Resource, ResourcesConfig, datacenter::SchedulerMode}, plan::{BalanceQuestion, RoundsToCome},
    ///     status::{ManagerStatus, NodeState, ServiceEntry, ServiceState}, timing::Timings,
    /// };
    /// # use std::sync::Arc;
    ///
    /// let nodes = [NodeName::new("node1")?, NodeName::new("node2")?];
    /// let services = [ServiceId::new("vm:100")?, ServiceId::new("vm:101")?];
    /// let mut status = ManagerStatus::default();
    /// status.nodes.extend(nodes.iter().map(|node| (node.clone(), NodeState::Online)));
    /// let mut input = RoundInput { members: nodes.iter().map(|node| (node.clone(), true)).collect(), ..RoundInput::default() };
    /// let mut resources = ResourcesConfig::default();
    /// let mut usage = HostFigures::default();
    /// for sid in &services {
    ///     status.services.insert(sid.clone(), ServiceEntry::new(ServiceState::Started { confirmed: true }, nodes[0].clone()));
    ///     resources.resources.insert(sid.clone(), Resource::new(sid.clone()));
    ///     usage.services.insert(sid.clone(), ServiceFigures { max_cpu: 1.0, max_memory: 1 << 30, ..ServiceFigures::default() });
    /// }
    /// let size = NodeFigures { max_cpu: 8.0, max_memory: 8 << 30, ..NodeFigures::default() };
    /// usage.nodes.extend(nodes.iter().map(|node| (node.clone(), size)));
    /// input.usage = Some(usage.into());
    /// input.configuration.resources = resources.into();
    /// input.configuration.guests = Arc::new(services.iter().map(|sid| (sid.clone(), nodes[0].clone())).collect());
    /// Arc::make_mut(&mut input.configuration.datacenter).scheduler.mode = SchedulerMode::Static;
    ///
    /// let rounds = RoundsToCome { master: nodes[0].clone(), timings: Timings::default(), status, input };
    /// let plan = rounds.balance(&BalanceQuestion::default());
    /// let moves: Vec<String> = plan.moves().map(ToString::to_string).collect();
    /// assert_eq!(moves, ["vm:100 from node1 to node2"]);
    /// assert!(plan.balances() && !plan.is_on);
    /// # Ok::<(), ha_core::id::IdError>(())
    /// ```
    #[must_use]
    pub fn balance(mut self, question: &BalanceQuestion) -> BalancePlan {
        let is_on = self.input.configuration.datacenter.scheduler.auto_rebalance;
        self.let_balance(false);
        let mut settled = Settled::of(self);
        settled.rounds.let_balance(true);
        let suspended = settled.rounds.leave_alone(&question.suspended);
        let before = settled.situation().balance(BalanceHold::after(HOLD), 0);
        let played = settled.rounds.clone().play_balancing(question.most_moves.max(1));
        let mut course = Course::from(&settled.rounds);
        played.events.iter().for_each(|event| course.note(event));
        let steps = course.steps();
        let members: Vec<NodeName> = settled.rounds.input.members.keys().cloned().collect();
        let mut configuration = played.configuration.clone();
        Arc::make_mut(&mut configuration.datacenter).scheduler.auto_rebalance = true;
        let after = Situation {
            usage: played.usage.as_deref(),
            unmanaged: &settled.rounds.input.unmanaged,
            ..Situation::new(&played.status, &configuration, &members)
        };
        let then = after.balance(BalanceHold::after(HOLD), 1);
        let mut plan = BalancePlan {
            is_on,
            imbalance: before.imbalance,
            is_whole: played.settled && then.outcome != BalanceOutcome::Move,
            then,
            bytes: 0,
            services_without_figures: Vec::new(),
            places: BTreeMap::new(),
            left_alone: Vec::new(),
            shorter: None,
            steps,
        };
        plan.places = plan.moves().map(|step| (step.sid.clone(), step.to.clone())).collect();
        plan.weigh(&settled);
        plan.left_alone = plan.left_alone_in(&after, &suspended);
        plan.shorter = plan.shorter_way(&settled);
        plan
    }

    /// Switches automatic balancing on or off. It waits for as long as all that has moved along needs to settle.
    fn let_balance(&mut self, is_on: bool) {
        let scheduler = &mut Arc::make_mut(&mut self.input.configuration.datacenter).scheduler;
        (scheduler.auto_rebalance, scheduler.hold_duration) = (is_on, HOLD);
    }

    /// Keeps balancing off services, as the master does for a while. Gives those that it would not be kept off otherwise.
    fn leave_alone(&mut self, suspended: &BTreeSet<ServiceId>) -> BTreeSet<ServiceId> {
        if suspended.is_empty() {
            return BTreeSet::new();
        }
        let resources = Arc::make_mut(&mut self.input.configuration.resources);
        let of = resources.resources.iter_mut().filter(|(sid, of)| suspended.contains(*sid) && of.auto_rebalance());
        let left_alone = of.map(|(sid, resource)| {
            resource.auto_rebalance = Some(false);
            sid.clone()
        });
        let left_alone = left_alone.collect();
        // They are others than those that were read.
        resources.digest = Digest::default();
        left_alone
    }
}

impl BalancePlan {
    /// Those of the moves that are of services which run: only these have memory to move.
    fn moves_of_running<'a>(&'a self, settled: &'a Settled) -> impl Iterator<Item = &'a Move> {
        let configuration = &settled.rounds.input.configuration;
        self.moves().filter(|step| is_asked_to_run(configuration, &step.sid))
    }

    /// Adds up what is moved.
    fn weigh(&mut self, settled: &Settled) {
        let usage = settled.rounds.input.usage.as_deref();
        let mut unknown = BTreeSet::new();
        let mut bytes = 0_u64;
        for step in self.moves_of_running(settled) {
            match usage.and_then(|usage| usage.services.get(&step.sid)).filter(|figures| figures.max_memory > 0) {
                Some(figures) => bytes = bytes.saturating_add(figures.max_memory),
                None => drop(unknown.insert(step.sid.clone())),
            }
        }
        self.bytes = bytes;
        self.services_without_figures = unknown.into_iter().collect();
    }

    /// What can't be moved at the end, and was not moved before.
    fn left_alone_in(&self, after: &Situation<'_>, suspended: &BTreeSet<ServiceId>) -> Vec<LeftAlone> {
        let mut left_alone = after.prepare().left_alone(suspended);
        left_alone.retain(|left| !self.places.contains_key(&left.sid));
        left_alone.sort_by(|one, other| one.sid.cmp(&other.sid));
        left_alone
    }

    /// Straight moves can't be bettered, so others are looked for only where a service is moved again.
    fn shorter_way(&self, settled: &Settled) -> Option<Shorter> {
        /// Positions that are looked at, at the most: this is one answer among others.
        const MOST_STEPS: u64 = 20_000;
        let count = self.moves_of_running(settled).count();
        let sids: BTreeSet<&ServiceId> = self.moves_of_running(settled).map(|step| &step.sid).collect();
        if sids.len() == count {
            return None;
        }
        let within = FeasibleQuestion { most_steps: MOST_STEPS, ..FeasibleQuestion::default() };
        let found = settled.situation().steps(&self.places, &StepsQuestion { within, ..StepsQuestion::default() });
        let Ok(Steps::Found { waves, bytes, .. }) = found else { return None };
        let moves = waves.iter().map(Vec::len).sum();
        (bytes <= self.bytes && moves <= count && (bytes, moves) != (self.bytes, count))
            .then_some(Shorter { moves, bytes })
    }
}

/// What is moved by balancing, and because of that, by the events.
struct Course {
    places: BTreeMap<ServiceId, NodeName>,
    steps: Vec<BalanceStep>,
    /// Those that are to move with the last step, and have not yet.
    along: BTreeSet<ServiceId>,
}

impl Course {
    fn from(rounds: &RoundsToCome) -> Self {
        let services = rounds.status.services.iter();
        let places = services.map(|(sid, entry)| (sid.clone(), entry.node.clone())).collect();
        Self { places, steps: Vec::new(), along: BTreeSet::new() }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "three of the events tell who moves")]
    fn note(&mut self, event: &Event) {
        match event {
            Event::AutoRebalance { task, sid, expected_imbalance, .. } => {
                let (leader, motion, imbalance) = (sid.clone(), *task, *expected_imbalance);
                let (moves, followed_by) = (Vec::new(), Vec::new());
                self.steps.push(BalanceStep { leader, motion, moves, followed_by, imbalance });
                self.along = [sid.clone()].into();
            }
            Event::ComoveQueued { sid, with, .. } if self.along.contains(with) => drop(self.along.insert(sid.clone())),
            Event::ServiceState { sid, to, node, target, .. } => {
                self.places.extend(node.iter().map(|node| (sid.clone(), node.clone())));
                if let (Some(target), StateName::Migrate | StateName::Relocate | StateName::RequestStartBalance) =
                    (target, to)
                {
                    self.add(Move { sid: sid.clone(), from: self.places.get(sid).cloned(), to: target.clone() });
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, moved: Move) {
        let Some(step) = self.steps.last_mut() else { return };
        if !self.along.remove(&moved.sid) {
            step.followed_by.push(moved);
        } else if moved.sid == step.leader {
            step.moves.insert(0, moved);
        } else {
            step.moves.push(moved);
        }
    }

    /// Those that came to something.
    fn steps(self) -> Vec<BalanceStep> {
        self.steps.into_iter().filter(|step| !step.moves.is_empty()).collect()
    }
}
