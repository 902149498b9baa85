//! Nodes that take no new services for a time, since they were fenced again and again.

use alloc::collections::BTreeMap;

use super::{
    Placement, Preference, Subject,
    node_set::NodeSet,
    rules::NodeClasses,
    select::{LeftOut, Recorder, Scratch},
};
use crate::{id::NodeName, status::NodeFencings};

/// The nodes that take no new services, with the seconds for which they still do not.
#[derive(Debug, Clone, Default)]
pub(super) struct Holds {
    nodes: BTreeMap<usize, u32>,
}

/// The nodes that a service may have without those that take no new services.
#[derive(Debug)]
pub(super) struct Spared {
    pub(super) classes: NodeClasses,
    /// Those that are left out.
    held: NodeSet,
}

impl Placement {
    /// Takes note of the nodes that take no new services.
    pub(crate) fn note_holds(&mut self, fenced: &BTreeMap<NodeName, NodeFencings>) {
        let held = fenced.iter().filter_map(|(node, fencings)| Some((self.position(node)?, fencings.left?)));
        self.holds = Holds { nodes: held.collect() };
    }

    /// For how many seconds more the node at a position takes no new services, if it is held.
    pub(crate) fn held_for(&self, node: usize) -> Option<u32> {
        self.holds.nodes.get(&node).copied()
    }

    /// The nodes that take no new services.
    pub(super) fn held(&self) -> impl Iterator<Item = usize> {
        self.holds.nodes.keys().copied()
    }

    /// What a service is given instead of what is `open` to it, so that it leaves those nodes alone that take no new services; nothing if
    /// that is the same, or would leave it without any node: what could run must run.
    ///
    /// A node is new to a service that does not stay there and is not kept together with another one there.
    pub(super) fn spare_held(&self, subject: Subject<'_>, open: &NodeClasses, scratch: &mut Scratch) -> Option<Spared> {
        if self.holds.nodes.is_empty() {
            return None;
        }
        let stays = self.stays_on(subject);
        let mut held = NodeSet::empty(self.online.len());
        let is_new = |node: &usize| Some(*node) != stays && self.partner_on(subject.service, *node).is_none();
        self.held().filter(|node| open.allowed.contains(*node)).filter(is_new).for_each(|node| held.insert(node));
        if held.is_empty() {
            return None;
        }
        let is_free = |node: usize| open.allowed.contains(node) && !held.contains(node);
        let rule = self.rules.node_affinity(subject.service);
        let classes = match rule.and_then(|rule| self.rules.compiled().node_affinities().get(rule)) {
            Some(rule) => NodeClasses::of_rule_where(rule, &self.online, is_free),
            None => {
                let mut all = open.allowed.clone();
                all.subtract(&held);
                NodeClasses { allowed: all.clone(), preferred: all }
            }
        };
        self.find_candidates(subject, &classes, &mut (), scratch);
        (!scratch.has_no_candidate()).then_some(Spared { classes, held })
    }

    /// The node that is not new to a service, though nothing draws it there: where it is, if it may stay.
    pub(super) fn stays_on(&self, subject: Subject<'_>) -> Option<usize> {
        self.place_of(subject.service).filter(|_| subject.preference == Preference::None)
    }

    /// The first service by SID that must be together with one and is on a node, or on its way there. What waits to be recovered from
    /// there is not.
    pub(crate) fn partner_on(&self, service: usize, node: usize) -> Option<usize> {
        let is_there = |other: &usize| {
            let occupancy = self.occupancy(*other);
            !occupancy.leaves && occupancy.destination().is_some_and(|on| on as usize == node)
        };
        self.together_with(service).find(is_there)
    }
}

impl Spared {
    /// Takes note of the nodes that are left out.
    pub(super) fn record(&self, placement: &Placement, recorder: &mut impl Recorder) {
        for node in self.held.iter() {
            if let Some(left) = placement.held_for(node) {
                recorder.left_out(node, LeftOut::Held { left });
            }
        }
    }
}
