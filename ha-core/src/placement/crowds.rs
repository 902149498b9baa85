//! Where the services are that should rather be apart: what loose rules ask.

use super::{
    Placement,
    groups::NodeCounts,
    node_set::NodeSet,
    occupancy::Occupancy,
    select::{LeftOut, Recorder, leave_out},
};

impl Placement {
    /// How many of the services that should rather be apart from one use each node. Those that are about to leave its own node do not
    /// count there: only one of two moves apart.
    pub(super) fn find_crowds<R: Recorder>(&self, service: usize, crowds: &mut NodeCounts, recorder: &mut R) {
        crowds.clear();
        for (node, other) in self.crowded_by(service) {
            crowds.add(node);
            if R::EXPLAINS {
                recorder.crowded(node as usize, other);
            }
        }
    }

    /// Whether a service shares a node with one that should rather be apart from it.
    #[inline]
    pub(super) fn is_crowded(&self, service: usize, node: usize) -> bool {
        self.rules.is_loosely_apart(service) && self.crowded_by(service).any(|(used, _)| used as usize == node)
    }

    /// The services that should rather be apart from one and use a node, by SID.
    pub(crate) fn crowd_on(&self, service: usize, node: usize) -> alloc::collections::BTreeSet<usize> {
        let crowd = self.crowded_by(service).filter(|(used, _)| *used as usize == node);
        crowd.map(|(_, other)| other).collect()
    }

    fn crowded_by(&self, service: usize) -> impl Iterator<Item = (u32, usize)> + '_ {
        let present = self.occupancy(service).present();
        self.rules.rather_apart_by(service).flat_map(move |(other, by_domain)| {
            let occupancy = if by_domain { Occupancy::default() } else { self.occupancy(other) };
            let stays = move |node: &u32| keeps_crowded(*node, present, occupancy.destination());
            let of_domains = by_domain.then(|| self.crowded_domains(other, present));
            let nodes = occupancy.used().filter(stays).chain(of_domains.into_iter().flatten());
            nodes.map(move |node| (node, other))
        })
    }

    /// Leaves only those candidates that the fewest use which should rather be apart from the service. So it may always run somewhere.
    pub(super) fn leave_crowds(
        &self,
        service: usize,
        crowds: &mut NodeCounts,
        candidates: &mut NodeSet,
        recorder: &mut impl Recorder,
    ) {
        self.find_crowds(service, crowds, recorder);
        let fewest = candidates.iter().filter_map(|node| u32::try_from(node).ok()).map(|node| crowds.of(node)).min();
        for (node, _) in crowds.iter().filter(|(_, count)| Some(*count) > fewest) {
            leave_out(candidates, node as usize, LeftOut::RatherApart, recorder);
        }
    }
}

/// Whether a service that uses a node and ends on another one crowds that node for one whose own node is `present`. It does not if it is
/// about to leave that.
fn keeps_crowded(node: u32, present: Option<u32>, destination: Option<u32>) -> bool {
    Some(node) != present || destination == Some(node)
}
