//! Where one service should be.

use alloc::{collections::BTreeSet, vec::Vec};
use core::cmp::Ordering;

use super::{
    Placement, groups::NodeCounts, node_set::NodeSet, returns::Meanwhile, rules::NodeClasses, topsis::Figures,
};
use crate::{status::ServiceEntry, text_enum::text_enum};

/// What is asked of placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Preference {
    /// Stay where it is if that is allowed: every round, for a running service.
    None,
    /// The best node: for recovery and start.
    BestScore,
    /// The best node on which its start has not failed yet.
    TryNext,
}

text_enum! {
    Preference: "a placement preference",
    None = "none",
    BestScore = "best_score",
    TryNext = "try_next",
}

/// What decided a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decider {
    /// It may stay, and does not fail back.
    NoFailback,
    /// It returns to the node that it left for maintenance.
    MaintenanceNode,
    /// It may stay where it is.
    Stay,
    /// The lowest load, or the only node left.
    LowestLoad,
    /// The node after the present one in the order of load.
    NextInOrder,
    /// The rules leave no online node.
    NothingAllowed,
    /// Nothing was left.
    NothingLeft,
}

text_enum! {
    Decider: "what decides a placement",
    NoFailback = "no_failback",
    MaintenanceNode = "maintenance_node",
    Stay = "stay",
    LowestLoad = "lowest_load",
    NextInOrder = "next_in_order",
    NothingAllowed = "nothing_allowed",
    NothingLeft = "nothing_left",
}

/// A service to be placed: its own part of the question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Its position in the table.
    pub(crate) service: usize,
    pub(crate) entry: &'a ServiceEntry,
    /// Whether it moves to a node of higher priority when one comes online.
    pub(crate) failback: bool,
    pub(crate) preference: Preference,
}

/// Why a node is not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// The node affinity rule of the service does not allow it.
    NotAllowed,
    /// The node affinity rule of the service prefers others.
    LowerPriority,
    /// The start of the service failed there.
    FailedBefore,
    /// It came back lately: the service goes back there when it has been well for long enough.
    BackTooShortly {
        /// In how many seconds that is.
        left: u32,
    },
    /// It takes no new services, since it was fenced again and again.
    Held {
        /// For how many seconds more.
        left: u32,
    },
    /// A service that must be kept apart uses it.
    KeptApart,
    /// Others are left that fewer services use which should rather be apart.
    RatherApart,
    /// The services that must be together are on another one.
    KeptTogether {
        /// That one.
        on: usize,
    },
}

/// Takes note of how a decision is made, by the code that makes it.
pub(crate) trait Recorder {
    /// Whether all that leads to the decision is of interest: [`Recorder::together`], [`Recorder::separate`], [`Recorder::crowded`] and
    /// [`Recorder::left_out`]. They cost time with each service.
    const EXPLAINS: bool = false;
    /// A service that must be together uses a node.
    fn together(&mut self, _node: usize, _service: usize) {}
    /// A service that must be kept apart uses a node.
    fn separate(&mut self, _node: usize, _service: usize) {}
    /// A service that should rather be apart uses a node.
    fn crowded(&mut self, _node: usize, _service: usize) {}
    /// A node was left out.
    fn left_out(&mut self, _node: usize, _why: LeftOut) {}
    /// The node affinity rule gave way: these nodes, which it does not prefer, may be used after all.
    fn gave_way(&mut self, _to: &NodeSet) {}
    /// What decided.
    fn decided(&mut self, by: Decider);
}

/// Takes no note.
impl Recorder for () {
    fn decided(&mut self, _: Decider) {}
}

/// Room to work in, so that a decision allocates nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    candidates: NodeSet,
    separate: NodeSet,
    together: NodeCounts,
    crowds: NodeCounts,
    costs: Costs,
}

impl Scratch {
    pub(super) fn has_no_candidate(&self) -> bool {
        self.candidates.is_empty()
    }
}

/// The cost of starting a service on each online node; the lower, the better.
#[derive(Debug, Clone, Default)]
pub(crate) struct Costs {
    by_position: Vec<f64>,
    figures: Vec<Figures>,
}

impl Costs {
    pub(crate) fn of(&self, node: usize) -> f64 {
        self.by_position.get(node).copied().unwrap_or(f64::INFINITY)
    }

    /// The order in which nodes are taken: by cost, ties by name.
    pub(crate) fn order(&self, one: usize, other: usize) -> Ordering {
        self.of(one).total_cmp(&self.of(other)).then(one.cmp(&other))
    }
}

impl Placement {
    /// The position of the online node where the service should be, if there is one.
    ///
    /// The steps are rules P1 to P10 of `docs/behaviour/placement.md`, in their order.
    pub(crate) fn select<R: Recorder>(&mut self, subject: Subject<'_>, recorder: &mut R) -> Option<usize> {
        if !R::EXPLAINS
            && let Some((node, decider)) = self.stays_plainly(subject)
        {
            recorder.decided(decider);
            return Some(node);
        }
        let mut scratch = core::mem::take(&mut self.scratch);
        let (node, decider) = self.decide(subject, recorder, &mut scratch);
        self.scratch = scratch;
        recorder.decided(decider);
        node
    }

    /// A short cut, which gives what [`Placement::decide`] would or nothing: where a service is, if it prefers that, nothing is against
    /// it, and nothing comes before it. So it is for nearly every service in nearly every round; then no set of nodes has to be made.
    fn stays_plainly(&self, subject: Subject<'_>) -> Option<(usize, Decider)> {
        let Subject { service, entry, failback, preference } = subject;
        // It may have a home to return to.
        if preference != Preference::None || entry.maintenance_node.is_some() {
            return None;
        }
        let node = self.present(subject)?;
        let stays = !self.rules.are_about(service)
            || (self.classes(service).preferred.contains(node)
                && self.is_only_place_of_group(service, node)
                && !self.is_kept_apart_from(service, node)
                && !(failback && self.is_crowded(service, node)));
        stays.then_some((node, if failback { Decider::Stay } else { Decider::NoFailback }))
    }

    /// Whether no service in positive affinity with this one is on another node, or on its way there.
    fn is_only_place_of_group(&self, service: usize, node: usize) -> bool {
        let group = self.rules.group(service).and_then(|group| self.groups.get(group));
        group.is_none_or(|group| group.all.iter().all(|(other, _)| other as usize == node))
    }

    /// Whether a service in negative affinity with this one uses a node: whether [`Placement::find_separate`] finds that node.
    ///
    /// Each service that a rule is about is asked for this in each round.
    fn is_kept_apart_from(&self, service: usize, node: usize) -> bool {
        let Ok(node) = u32::try_from(node) else { return false };
        self.rules.apart_from_one(service).iter().any(|other| self.uses(*other, node))
            || (!self.groups.is_empty() && self.group_uses(service, node))
            || (!self.strangers.is_empty() && self.stranger_uses(service, node))
            || (self.rules.is_spread(service) && self.spread_from(service).any(|(used, _)| used == node as usize))
    }

    fn uses(&self, service: u32, node: u32) -> bool {
        self.occupancies.get(service as usize).is_some_and(|occupancy| occupancy.uses(node))
    }

    fn stranger_uses(&self, service: usize, node: u32) -> bool {
        self.strangers.get(&service).is_some_and(|nodes| nodes.contains(&(node as usize)))
    }

    /// Whether a node is used by a group of which none may share it with this service, or by what its own group keeps away from.
    fn group_uses(&self, service: usize, node: u32) -> bool {
        let uses = |counts: &NodeCounts| counts.iter().any(|(used, _)| used == node);
        let group = |number: usize| self.groups.get(number);
        self.rules.group(service).and_then(group).is_some_and(|own| uses(&own.apart))
            || self.rules.groups_apart_from_one(service).filter_map(group).any(|other| uses(&other.used))
    }

    fn decide(
        &self,
        subject: Subject<'_>,
        recorder: &mut impl Recorder,
        scratch: &mut Scratch,
    ) -> (Option<usize>, Decider) {
        let classes = self.classes(subject.service);
        self.find_together(subject.service, &mut scratch.together, recorder);
        self.find_separate(subject.service, &mut scratch.separate, recorder);
        let keeps = subject.preference == Preference::None;
        let meanwhile = if keeps && subject.failback { self.before_going_back(subject, scratch) } else { None };
        let open = meanwhile.as_ref().map_or(classes, |meanwhile| &meanwhile.classes);
        let spared = self.spare_held(subject, open, scratch);
        let open = spared.as_ref().map_or(open, |spared| &spared.classes);
        self.record_classes(classes, open, recorder);
        for (node, left) in meanwhile.iter().flat_map(|meanwhile| &meanwhile.waits_for) {
            recorder.left_out(*node, LeftOut::BackTooShortly { left: *left });
        }
        if let Some(spared) = &spared {
            spared.record(self, recorder);
        }
        if open.preferred.is_empty() {
            return (None, Decider::NothingAllowed);
        }
        self.find_candidates(subject, open, recorder, scratch);
        let home = self.home_of_group(subject, &scratch.candidates);
        if home.is_none() {
            keep_together(&scratch.together, &mut scratch.candidates, recorder);
        }

        let present = self.present(subject);
        if let Some(node) = present
            && keeps
            && !subject.failback
            && classes.allowed.contains(node)
            && (scratch.together.iter().any(|(other, _)| other as usize == node) || !scratch.separate.contains(node))
        {
            return (Some(node), Decider::NoFailback);
        }
        if self.rules.is_loosely_apart(subject.service) {
            let Scratch { crowds, candidates, .. } = scratch;
            self.leave_crowds(subject.service, crowds, candidates, recorder);
        }
        if let Some(node) = home.or_else(|| self.home(subject, &scratch.candidates)) {
            return (Some(node), Decider::MaintenanceNode);
        }
        if let Some(node) = present.filter(|node| keeps && scratch.candidates.contains(*node)) {
            return (Some(node), Decider::Stay);
        }
        self.by_load(subject, scratch)
    }

    /// What a service is given as long as it waits to go back. Where it left for maintenance, and where those are that must be together
    /// with it, it goes at once.
    fn before_going_back(&self, subject: Subject<'_>, scratch: &Scratch) -> Option<Meanwhile> {
        let home = || self.position(subject.entry.maintenance_node.as_ref()?);
        let draws =
            |node: usize| home() == Some(node) || scratch.together.iter().any(|(other, _)| other as usize == node);
        self.meanwhile(subject.service, &scratch.separate, draws)
    }

    /// The node that a service left for maintenance, if it can return.
    fn home(&self, subject: Subject<'_>, candidates: &NodeSet) -> Option<usize> {
        let home = self.position(subject.entry.maintenance_node.as_ref()?)?;
        candidates.contains(home).then_some(home)
    }

    /// The same for a running service that must be together with others: it is where they are only because they all left, so
    /// they return as soon as all of them can.
    fn home_of_group(&self, subject: Subject<'_>, candidates: &NodeSet) -> Option<usize> {
        let group = self.groups.get(self.rules.group(subject.service)?)?;
        let home = self.home(subject, candidates).filter(|_| subject.preference == Preference::None)?;
        group.held.iter().all(|(node, _)| node as usize == home).then_some(home)
    }

    /// Where the service is, if that is online.
    fn present(&self, subject: Subject<'_>) -> Option<usize> {
        let present = self.place_of(subject.service);
        debug_assert_eq!(present, self.position(&subject.entry.node), "placement follows each change of an entry");
        present
    }

    /// The nodes that the rule of a service allows and prefers.
    pub(super) fn classes(&self, service: usize) -> &NodeClasses {
        self.rules.node_affinity(service).and_then(|rule| self.classes.get(rule)).unwrap_or(&self.without_rule)
    }

    /// `open` are those of the `classes` of a service that it may have now.
    fn record_classes(&self, classes: &NodeClasses, open: &NodeClasses, recorder: &mut impl Recorder) {
        for node in 0..self.online.len() {
            if !classes.allowed.contains(node) {
                recorder.left_out(node, LeftOut::NotAllowed);
            } else if !open.preferred.contains(node) {
                recorder.left_out(node, LeftOut::LowerPriority);
            }
        }
    }

    /// How many services in positive affinity use each node.
    pub(super) fn find_together<R: Recorder>(&self, service: usize, together: &mut NodeCounts, recorder: &mut R) {
        together.clear();
        let Some(group) = self.rules.group(service).and_then(|group| self.groups.get(group)) else { return };
        together.copy_from(&group.all);
        if let Some(own) = self.occupancy(service).destination() {
            together.remove(own);
        }
        if R::EXPLAINS {
            for other in self.rules.positive(service) {
                if let Some(node) = self.occupancy(other).destination() {
                    recorder.together(node as usize, other);
                }
            }
        }
    }

    /// The nodes that services in negative affinity use.
    pub(super) fn find_separate<R: Recorder>(&self, service: usize, separate: &mut NodeSet, recorder: &mut R) {
        separate.copy_from(&self.nothing);
        let group = self.rules.group(service).and_then(|group| self.groups.get(group));
        let of_group = group.into_iter().flat_map(|group| group.apart.iter());
        let groups = self.rules.groups_apart_from_one(service).filter_map(|group| self.groups.get(group));
        let of_groups = groups.flat_map(|group| group.used.iter());
        of_group.chain(of_groups).for_each(|(node, _)| separate.insert(node as usize));
        let of_one = self.rules.apart_from_one(service).iter().flat_map(|other| self.occupancy(*other as usize).used());
        of_one.for_each(|node| separate.insert(node as usize));
        let of_strangers = self.strangers.get(&service).into_iter().flatten();
        of_strangers.for_each(|node| separate.insert(*node));
        if self.rules.is_spread(service) {
            self.spread_from(service).for_each(|(node, _)| separate.insert(node));
        }
        if R::EXPLAINS {
            let uses = |other| self.occupancy(other).used().map(move |node| (other, node as usize));
            let spread = self.spread_from(service).map(|(node, other)| (other, node));
            let others: BTreeSet<(usize, usize)> = self.rules.negative(service).flat_map(uses).chain(spread).collect();
            others.into_iter().for_each(|(other, node)| recorder.separate(node, other));
        }
    }

    /// The preferred nodes, less those that are left out; if nothing is left since services to be kept apart use them, and the
    /// rule that prefers them is not strict, all that it allows.
    pub(super) fn find_candidates(
        &self,
        subject: Subject<'_>,
        classes: &NodeClasses,
        recorder: &mut impl Recorder,
        scratch: &mut Scratch,
    ) {
        let Scratch { candidates, separate, .. } = scratch;
        candidates.copy_from(&classes.preferred);
        self.leave_out_failed(subject, candidates, recorder);
        let without_apart = candidates.is_empty();
        separate.iter().for_each(|node| leave_out(candidates, node, LeftOut::KeptApart, recorder));
        if without_apart || !candidates.is_empty() || self.is_strict(subject.service) {
            return;
        }
        candidates.copy_from(&classes.allowed);
        self.leave_out_failed(subject, candidates, recorder);
        separate.iter().for_each(|node| leave_out(candidates, node, LeftOut::KeptApart, recorder));
        if !candidates.is_empty() {
            recorder.gave_way(candidates);
        }
    }

    /// When another node is tried: those on which the start failed.
    fn leave_out_failed(&self, subject: Subject<'_>, candidates: &mut NodeSet, recorder: &mut impl Recorder) {
        if subject.preference == Preference::TryNext {
            for node in subject.entry.failed_nodes.iter().filter_map(|node| self.position(node)) {
                leave_out(candidates, node, LeftOut::FailedBefore, recorder);
            }
        }
    }

    /// Whether a service may use no other nodes than its node affinity rule says, if it has one.
    fn is_strict(&self, service: usize) -> bool {
        let rule = self.rules.node_affinity(service).and_then(|rule| self.rules.compiled().node_affinities().get(rule));
        rule.is_none_or(|rule| rule.strict)
    }

    /// The last step: by load, ties by name.
    fn by_load(&self, subject: Subject<'_>, scratch: &mut Scratch) -> (Option<usize>, Decider) {
        let Scratch { candidates, costs, .. } = scratch;
        self.find_costs(subject.service, costs);
        let first = |nodes: &mut dyn Iterator<Item = usize>| nodes.min_by(|one, other| costs.order(*one, *other));
        if subject.preference == Preference::TryNext
            && let Some(present) = self.present(subject).filter(|node| candidates.contains(*node))
            && let Some(next) = first(&mut candidates.iter().filter(|node| costs.order(*node, present).is_gt()))
        {
            return (Some(next), Decider::NextInOrder);
        }
        match first(&mut candidates.iter()) {
            Some(node) => (Some(node), Decider::LowestLoad),
            None => (None, Decider::NothingLeft),
        }
    }

    /// The cost of starting a service on each online node.
    pub(super) fn find_costs(&self, service: usize, costs: &mut Costs) {
        self.load.costs(service, &mut costs.figures, &mut costs.by_position);
        if let Some((node, cost)) = self.assumed
            && let Some(slot) = costs.by_position.get_mut(node)
        {
            *slot = cost;
        }
    }
}

pub(super) fn leave_out(candidates: &mut NodeSet, node: usize, why: LeftOut, recorder: &mut impl Recorder) {
    if candidates.contains(node) {
        candidates.remove(node);
        recorder.left_out(node, why);
    }
}

/// If services that must be together use candidates, keeps only the one that most of them use; ties: the first by name.
fn keep_together(together: &NodeCounts, candidates: &mut NodeSet, recorder: &mut impl Recorder) {
    let usable = together.iter().filter(|(node, _)| candidates.contains(*node as usize));
    let Some((on, _)) = usable.reduce(|best, next| if next.1 > best.1 { next } else { best }) else { return };
    let on = on as usize;
    candidates.iter().filter(|node| *node != on).for_each(|node| recorder.left_out(node, LeftOut::KeptTogether { on }));
    candidates.clear();
    candidates.insert(on);
}
