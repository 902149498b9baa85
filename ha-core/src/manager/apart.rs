//! Services that should rather be apart: which of them share a node, or a failure domain (M30, M33).

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{RoundHost, round::Round};
use crate::{
    event::Event,
    id::{NodeName, RuleId, ServiceId},
    placement::Placement,
    rules::KeptApart,
    status::{ManagerStatus, ServiceState},
};

/// Who shares a node, or a failure domain, by one rule.
#[derive(Default)]
struct Sharing {
    services: BTreeSet<ServiceId>,
    /// By node, or by one node of a domain, where somebody shares it who did not before.
    begun: BTreeMap<usize, BTreeSet<ServiceId>>,
}

impl Sharing {
    /// Services share a place from when they are to be there, until they do not use it any more. Of one whose node is not online nobody
    /// can tell.
    fn of(
        (rule, sides): (&KeptApart, &[(u32, u32)]),
        before: Option<&BTreeSet<ServiceId>>,
        status: &ManagerStatus,
        placement: &Placement,
    ) -> Self {
        let mut sharing = Self::default();
        let mut in_place: BTreeMap<usize, Vec<(u32, &ServiceId, bool)>> = BTreeMap::new();
        for (service, side) in sides {
            let service = *service as usize;
            let Some((sid, entry)) = status.services.at(service) else { continue };
            let shared_before = before.is_some_and(|before| before.contains(sid));
            if shared_before && placement.place_of(service).is_none() && entry.state != ServiceState::Stopped {
                sharing.services.insert(sid.clone());
            }
            let place = |node| placement.place(node, rule.by_domain);
            let (used, end) = placement.uses_and_ends(service);
            let (used, end) = (used.map(place).collect::<BTreeSet<_>>(), end.map(place));
            for used in used.into_iter().filter(|used| shared_before || Some(*used) == end) {
                in_place.entry(used).or_default().push((*side, sid, shared_before));
            }
        }
        for (place, there) in in_place {
            let (first, is_new) = (there.first().map(|(side, ..)| *side), there.iter().any(|(.., before)| !before));
            if there.iter().all(|(side, ..)| Some(*side) == first) {
                continue;
            }
            let services: BTreeSet<ServiceId> = there.into_iter().map(|(_, sid, _)| sid.clone()).collect();
            sharing.services.extend(services.iter().cloned());
            if is_new {
                sharing.begun.insert(place, services);
            }
        }
        sharing
    }
}

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Takes note of the services that share a place though a loose rule would have them apart, and tells of each once when that begins,
    /// and once when it is over.
    pub(super) fn note_sharing(&mut self) {
        let rules = self.placement.shared_rules();
        if self.status.sharing.is_empty() && rules.loosely_apart().next().is_none() {
            return;
        }
        let mut before = core::mem::take(&mut self.status.sharing);
        for (apart, sides) in rules.loosely_apart() {
            let rule = &apart.rule;
            let known = before.remove(rule);
            let sharing = Sharing::of((apart, sides), known.as_ref(), self.status, &self.placement);
            for (place, services) in sharing.begun {
                let Some(node) = self.placement.node(place).cloned() else { continue };
                let (rule, services) = (rule.clone(), services.into_iter().collect());
                let domain = self.placement.failure_domain(place).filter(|_| apart.by_domain).cloned();
                self.host.event(match domain {
                    Some(domain) => Event::DomainSharingBegun { rule, domain, services },
                    None => Event::SharingBegun { rule, node, services },
                });
            }
            let known = known.unwrap_or_default();
            let is_over = |sid: &&ServiceId| !sharing.services.contains(*sid) && self.status.services.contains(sid);
            let over: Vec<ServiceId> = known.iter().filter(is_over).cloned().collect();
            if !over.is_empty() {
                self.host.event(Event::SharingEnded { rule: rule.clone(), services: over });
            }
            if !sharing.services.is_empty() {
                self.status.sharing.insert(rule.clone(), sharing.services);
            }
        }
    }

    /// Says so if a move that was asked for brings services onto one node that should rather be apart. It is carried out: people may.
    pub(super) fn report_if_brought_together(&mut self, service: usize, target: &NodeName) {
        if !self.placement.rules().is_loosely_apart(service) {
            return;
        }
        let Some(node) = self.placement.position(target) else { return };
        let crowd = self.placement.crowd_on(service, node);
        let with: Vec<ServiceId> =
            crowd.into_iter().filter_map(|other| self.entry(other)).map(|(sid, _)| sid.clone()).collect();
        let Some((sid, _)) = self.entry(service) else { return };
        let Some(rule) = with.first().and_then(|other| self.rule_rather_apart(sid, other)) else { return };
        let event = Event::MoveBringsTogether { sid: sid.clone(), node: target.clone(), rule, with };
        self.host.event(event);
    }

    fn rule_rather_apart(&self, sid: &ServiceId, other: &ServiceId) -> Option<RuleId> {
        self.placement.rules().compiled().why_rather_apart(sid, other).into_iter().next()
    }
}
