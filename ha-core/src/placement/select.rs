//! Where one service should be.

use alloc::vec::Vec;

use super::{Placement, node_set::NodeSet, rules::NodeClasses};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Preference {
    /// Stay where it is if that is allowed: every round, for a running service.
    None,
    /// The best node: for recovery and start.
    BestScore,
    /// The best node on which its start has not failed yet.
    TryNext,
}

/// A service to be placed: its own part of the question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Its position in the table.
    pub(crate) service: usize,
    /// The node where it is, if that is online.
    pub(crate) node: Option<usize>,
    /// Where its start failed, online nodes only.
    pub(crate) failed: &'a [usize],
    /// The node that it left for maintenance, if that is online.
    pub(crate) maintenance_node: Option<usize>,
    /// Whether it moves to a node of higher priority when one comes online.
    pub(crate) failback: bool,
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
    /// A service that must be kept apart uses it.
    KeptApart,
    /// The services that must be together are on another one.
    KeptTogether {
        /// That one.
        on: usize,
    },
}

/// What decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decider {
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

/// Takes note of how a decision is made, by the code that makes it.
pub(crate) trait Recorder {
    /// A node was left out.
    fn left_out(&mut self, node: usize, why: LeftOut);
    /// What is left in the end, and the cost of each online node, in the order of preference.
    fn ranked(&mut self, order: &[usize], costs: &[f64]);
    /// What decided.
    fn decided(&mut self, by: Decider);
}

/// Takes no note.
impl Recorder for () {
    fn left_out(&mut self, _: usize, _: LeftOut) {}
    fn ranked(&mut self, _: &[usize], _: &[f64]) {}
    fn decided(&mut self, _: Decider) {}
}

/// Room to work in, so that a decision allocates nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    candidates: NodeSet,
    separate: NodeSet,
    together: Vec<(usize, u32)>,
    order: Vec<usize>,
    costs: Vec<f64>,
}

impl Placement {
    /// The position of the online node where the service should be, if there is one.
    ///
    /// The steps are those of the specification, chapter placement.
    pub(crate) fn select(
        &mut self,
        subject: Subject<'_>,
        preference: Preference,
        recorder: &mut impl Recorder,
    ) -> Option<usize> {
        let mut scratch = core::mem::take(&mut self.scratch);
        let decision = self.decide(subject, preference, recorder, &mut scratch);
        self.scratch = scratch;
        let (node, decider) = decision;
        recorder.decided(decider);
        node
    }

    fn decide(
        &self,
        subject: Subject<'_>,
        preference: Preference,
        recorder: &mut impl Recorder,
        scratch: &mut Scratch,
    ) -> (Option<usize>, Decider) {
        let classes = self.classes(subject.service);
        self.record_classes(classes, recorder);
        if classes.preferred.is_empty() {
            return (None, Decider::NothingAllowed);
        }
        self.find_together(subject.service, &mut scratch.together);
        self.find_separate(subject.service, &mut scratch.separate);
        let keeps = preference == Preference::None;

        if let Some(node) = subject.node
            && keeps
            && !subject.failback
            && classes.allowed.contains(node)
            && (scratch.together.iter().any(|(other, _)| *other == node) || !scratch.separate.contains(node))
        {
            return (Some(node), Decider::NoFailback);
        }

        scratch.candidates.copy_from(&classes.preferred);
        if preference == Preference::TryNext {
            for node in subject.failed {
                leave_out(&mut scratch.candidates, *node, LeftOut::FailedBefore, recorder);
            }
        }
        for node in scratch.separate.iter() {
            leave_out(&mut scratch.candidates, node, LeftOut::KeptApart, recorder);
        }
        keep_together(&scratch.together, &mut scratch.candidates, &mut scratch.order, recorder);

        if let Some(node) = subject.maintenance_node.filter(|node| scratch.candidates.contains(*node)) {
            return (Some(node), Decider::MaintenanceNode);
        }
        if let Some(node) = subject.node.filter(|node| keeps && scratch.candidates.contains(*node)) {
            return (Some(node), Decider::Stay);
        }
        self.by_load(subject, preference, recorder, scratch)
    }

    /// The nodes that the rule of a service allows and prefers.
    fn classes(&self, service: usize) -> &NodeClasses {
        self.rules.node_affinity(service).and_then(|rule| self.classes.get(rule)).unwrap_or(&self.without_rule)
    }

    fn record_classes(&self, classes: &NodeClasses, recorder: &mut impl Recorder) {
        for node in 0..self.online.len() {
            if !classes.allowed.contains(node) {
                recorder.left_out(node, LeftOut::NotAllowed);
            } else if !classes.preferred.contains(node) {
                recorder.left_out(node, LeftOut::LowerPriority);
            }
        }
    }

    /// How many services in positive affinity use each node, by node.
    fn find_together(&self, service: usize, together: &mut Vec<(usize, u32)>) {
        together.clear();
        for other in self.rules.positive(service) {
            let Some(node) = self.occupancy(other).destination() else { continue };
            let node = node as usize;
            match together.binary_search_by_key(&node, |(node, _)| *node) {
                Ok(at) => {
                    if let Some((_, count)) = together.get_mut(at) {
                        *count = count.saturating_add(1);
                    }
                }
                Err(at) => together.insert(at, (node, 1)),
            }
        }
    }

    /// The nodes that services in negative affinity use.
    fn find_separate(&self, service: usize, separate: &mut NodeSet) {
        separate.copy_from(&self.nothing);
        for other in self.rules.negative(service) {
            for node in self.occupancy(other).used() {
                separate.insert(node as usize);
            }
        }
    }

    /// The last step: by load, ties by name.
    fn by_load(
        &self,
        subject: Subject<'_>,
        preference: Preference,
        recorder: &mut impl Recorder,
        scratch: &mut Scratch,
    ) -> (Option<usize>, Decider) {
        let Scratch { candidates, order, costs, .. } = scratch;
        self.load.costs(costs);
        let cost = |node: usize| costs.get(node).copied().unwrap_or(f64::INFINITY);
        order.clear();
        order.extend(candidates.iter());
        order.sort_unstable_by(|a, b| cost(*a).total_cmp(&cost(*b)).then(a.cmp(b)));
        recorder.ranked(order, costs);
        let after_present = subject
            .node
            .filter(|_| preference == Preference::TryNext)
            .and_then(|node| order.iter().position(|other| *other == node))
            .and_then(|at| order.get(at.saturating_add(1)));
        match (after_present, order.first()) {
            (Some(next), _) => (Some(*next), Decider::NextInOrder),
            (None, Some(first)) => (Some(*first), Decider::LowestLoad),
            (None, None) => (None, Decider::NothingLeft),
        }
    }
}

fn leave_out(candidates: &mut NodeSet, node: usize, why: LeftOut, recorder: &mut impl Recorder) {
    if candidates.contains(node) {
        candidates.remove(node);
        recorder.left_out(node, why);
    }
}

/// If services that must be together use candidates, keeps only the one that most of them use; ties: the first by name.
fn keep_together(
    together: &[(usize, u32)],
    candidates: &mut NodeSet,
    others: &mut Vec<usize>,
    recorder: &mut impl Recorder,
) {
    let usable = together.iter().filter(|(node, _)| candidates.contains(*node));
    let Some((on, _)) = usable.copied().reduce(|best, next| if next.1 > best.1 { next } else { best }) else { return };
    others.clear();
    others.extend(candidates.iter().filter(|node| *node != on));
    for node in others.drain(..) {
        leave_out(candidates, node, LeftOut::KeptTogether { on }, recorder);
    }
}
