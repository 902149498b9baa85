//! What balancing can move: services that are together move together.

use alloc::{vec, vec::Vec};

use crate::{
    placement::{
        Placement,
        load::{Amount, UsageLoad},
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
            let Some(source) = self.occupancy(service).node else { continue };
            let source = source as usize;
            // The first started service of a group leads all of it; the others are seen then.
            if let Some(group) = self.rules.group(service)
                && seen.get_mut(group).is_none_or(|seen| core::mem::replace(seen, true))
            {
                continue;
            }
            let share = self.members(service, services).try_fold(Amount::default(), |share, member| {
                let (_, entry) = services.at(member)?;
                if entry.state.target().is_some() || !may_move(member) {
                    return None;
                }
                if !is_started(entry) {
                    // What can't be moved from a node brings the others back to it.
                    return self.occupancy(member).node.is_none().then_some(share);
                }
                let here = self.occupancy(member).node.is_some_and(|node| node as usize == source);
                here.then_some(share.plus(load.share(member, source)?))
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
