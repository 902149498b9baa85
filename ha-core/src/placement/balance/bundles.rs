//! What balancing can move: services that are together move together.

use alloc::{vec, vec::Vec};

use super::targets::Targets;
use crate::{
    id::RuleId,
    placement::{
        Placement,
        load::{Amount, Load, UsageLoad},
    },
    status::{ServiceEntry, ServiceState, ServiceTable},
};

/// Started services that belong together and are on one node, or a single one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bundle {
    /// The first of them by SID.
    pub(super) leader: usize,
    /// The position of the node that they are on.
    pub(super) source: usize,
    /// What they take along.
    pub(super) share: Amount,
    /// That in cores and in bytes.
    pub(super) cores: f64,
    pub(super) bytes: f64,
}

/// Why balancing can't move a started service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Immovable {
    /// It may not be moved itself.
    ByItself,
    /// One that it must be together with can't be moved.
    Together { with: usize },
    /// The figures of its node can't be used.
    NotMeasured,
    /// This rule has no other node for it.
    Rule { rule: RuleId },
    /// Nothing is left of the nodes that it may go to.
    NoTarget,
}

impl Placement {
    /// The bundles of a table, by their leaders.
    pub(super) fn bundles(
        &self,
        services: &ServiceTable,
        load: &UsageLoad,
        may_move: &dyn Fn(usize) -> bool,
    ) -> Vec<Bundle> {
        let mut bundles = Vec::new();
        let mut seen = vec![false; self.rules.groups()];
        for (service, (_, entry)) in services.iter().enumerate() {
            if !is_started(entry) {
                continue;
            }
            let Some(source) = self.occupancy(service).node() else { continue };
            let source = source as usize;
            // The first started service of a group leads all of it; the others are seen then.
            if let Some(group) = self.rules.group(service)
                && seen.get_mut(group).is_none_or(|seen| core::mem::replace(seen, true))
            {
                continue;
            }
            let share = self.members(service, services).try_fold(Amount::default(), |share, member| {
                let (_, entry) = services.at(member)?;
                if self.is_held(member, entry, source, may_move) {
                    return None;
                }
                let own = if is_started(entry) { load.share(member, source)? } else { Amount::default() };
                Some(share.plus(own))
            });
            bundles.extend(share.map(|share| Bundle {
                leader: service,
                source,
                share,
                cores: share.cores(),
                bytes: share.bytes(),
            }));
        }
        bundles
    }

    /// Whether a service can't leave a node, which the others of its bundle are on.
    fn is_held(&self, member: usize, entry: &ServiceEntry, source: usize, may_move: &dyn Fn(usize) -> bool) -> bool {
        let node = self.occupancy(member).node();
        entry.state.target().is_some()
            || !may_move(member)
            || if is_started(entry) {
                node.is_none_or(|node| node as usize != source)
            } else {
                // What can't be moved from a node brings the others back to it.
                node.is_some()
            }
    }

    /// The started services that balancing can move nowhere, however the loads are, and why.
    pub(crate) fn immovable(
        &self,
        services: &ServiceTable,
        may_move: &dyn Fn(usize) -> bool,
    ) -> Vec<(usize, Immovable)> {
        let Load::Usage(load) = &self.load else { return Vec::new() };
        let mut immovable = Vec::new();
        let mut targets = Targets::default();
        let mut seen = vec![false; self.rules.groups()];
        for (leader, (_, entry)) in services.iter().enumerate() {
            let Some(source) = self.occupancy(leader).node().filter(|_| is_started(entry)) else { continue };
            let source = source as usize;
            if let Some(group) = self.rules.group(leader)
                && seen.get_mut(group).is_none_or(|seen| core::mem::replace(seen, true))
            {
                continue;
            }
            let is_held = |member: &usize| {
                services.at(*member).is_some_and(|(_, entry)| self.is_held(*member, entry, source, may_move))
            };
            let holds = self.members(leader, services).find(is_held);
            let of_all = match holds {
                Some(with) => Immovable::Together { with },
                None if load.balanced(source).is_none() => Immovable::NotMeasured,
                None => {
                    let found = targets.find(self, leader, source);
                    if found.iter().any(|node| load.balanced(node).is_some()) {
                        continue;
                    }
                    self.without_target(leader, source)
                }
            };
            let started = |member: &usize| services.at(*member).is_some_and(|(_, entry)| is_started(entry));
            immovable.extend(self.members(leader, services).filter(started).map(|member| match holds {
                _ if !may_move(member) => (member, Immovable::ByItself),
                // It holds the others since it is elsewhere.
                Some(with) if with == member => (member, Immovable::Together { with: leader }),
                Some(_) | None => (member, of_all.clone()),
            }));
        }
        immovable
    }

    /// Why there is no node for services that this one leads.
    fn without_target(&self, leader: usize, source: usize) -> Immovable {
        let is_bound = self.classes(leader).preferred.iter().all(|node| node == source);
        let rule = self.node_affinity_rule(leader).filter(|_| is_bound);
        rule.cloned().map_or(Immovable::NoTarget, |rule| Immovable::Rule { rule })
    }

    /// A service and all that must be together with it, started or not.
    fn members<'a>(&'a self, service: usize, services: &'a ServiceTable) -> impl Iterator<Item = usize> + 'a {
        let known = move |other: &usize| *other < services.len();
        core::iter::once(service).chain(self.together_with(service)).filter(known)
    }

    /// The started services of a bundle, its leader first.
    pub(super) fn bundled<'a>(
        &'a self,
        bundle: &Bundle,
        services: &'a ServiceTable,
    ) -> impl Iterator<Item = usize> + 'a {
        self.members(bundle.leader, services)
            .filter(|member| services.at(*member).is_some_and(|(_, entry)| is_started(entry)))
    }
}

fn is_started(entry: &ServiceEntry) -> bool {
    matches!(entry.state, ServiceState::Started { .. })
}
