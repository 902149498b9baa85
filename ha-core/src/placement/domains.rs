//! Where the services are that are kept apart by failure domain: what rules with `spread` ask.

use alloc::vec::Vec;

use super::{Placement, occupancy::Occupancy};
use crate::{
    id::{FailureDomain, NodeName},
    rules::{Domain, FailureDomains, Lists},
};

/// The online nodes by what they fail together with. Empty where no rule asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Domains {
    /// The domain of each node, by number.
    of_node: Vec<u32>,
    /// The nodes of each domain.
    nodes: Lists,
}

impl Domains {
    pub(super) fn new(online: &[NodeName], domains: &FailureDomains) -> Self {
        let mut known: Vec<Domain<'_>> = online.iter().map(|node| domains.of(node)).collect();
        known.sort_unstable();
        known.dedup();
        let number = |node| known.binary_search(&domains.of(node)).ok().and_then(|at| u32::try_from(at).ok());
        let of_node: Vec<u32> = online.iter().filter_map(number).collect();
        let nodes = Lists::from_pairs(known.len(), || of_node.iter().copied().zip(0..));
        Self { of_node, nodes }
    }

    fn of(&self, node: u32) -> Option<u32> {
        self.of_node.get(node as usize).copied()
    }

    fn nodes(&self, domain: u32) -> impl Iterator<Item = u32> + '_ {
        self.nodes.get(domain).iter().copied()
    }

    /// The domains that a service uses, each once.
    fn used(&self, occupancy: Occupancy) -> impl Iterator<Item = u32> + use<> {
        let node = occupancy.node().and_then(|node| self.of(node));
        let target = occupancy.target().and_then(|target| self.of(target));
        node.into_iter().chain(target.filter(|target| Some(*target) != node))
    }
}

impl Placement {
    /// The nodes that a service must keep off since one that is kept apart by failure domain uses that domain, each with that one.
    pub(super) fn spread_from(&self, service: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.rules.spread_from(service).flat_map(move |other| {
            let nodes = self.domains.used(self.occupancy(other)).flat_map(|domain| self.domains.nodes(domain));
            nodes.map(move |node| (node as usize, other))
        })
    }

    /// The nodes that one crowds for another that should rather not be in one failure domain with it, whose own node is `present`.
    pub(super) fn crowded_domains(&self, other: usize, present: Option<u32>) -> impl Iterator<Item = u32> + '_ {
        let own = present.and_then(|node| self.domains.of(node));
        let used = self.domains.used(self.occupancy(other)).filter(move |domain| self.crowds(other, *domain, own));
        used.flat_map(|domain| self.domains.nodes(domain))
    }

    /// Whether one crowds a failure domain that it uses, for another whose own is `own`.
    fn crowds(&self, other: usize, domain: u32, own: Option<u32>) -> bool {
        let end = self.occupancy(other).destination().and_then(|node| self.domains.of(node));
        // Of two in one domain only one moves apart: what is about to leave does not count.
        Some(domain) != own || end == Some(domain)
    }

    /// The nodes that fail together with any of these, where a rule asks.
    pub(super) fn domains_of(&self, nodes: &[usize]) -> Vec<usize> {
        let domains = nodes.iter().filter_map(|node| self.domains.of(u32::try_from(*node).ok()?));
        domains.flat_map(|domain| self.domains.nodes(domain)).map(|node| node as usize).collect()
    }

    /// The failure domain that an online node is said to be in, where a rule asks.
    pub(crate) fn failure_domain(&self, node: usize) -> Option<&FailureDomain> {
        match self.rules.compiled().domains().of(self.node(node)?) {
            Domain::Named(domain) => Some(domain),
            Domain::Node(_) => None,
        }
    }

    /// The failure domain of a node, where a service that is kept off it is elsewhere in that.
    pub(crate) fn domain_between(&self, service: usize, node: usize) -> Option<&FailureDomain> {
        let is_there = self.occupancy(service).used().any(|used| used as usize == node);
        if is_there { None } else { self.failure_domain(node) }
    }

    /// Where a node stands for all places that count as one: that node, or by failure domain the first one of that.
    pub(crate) fn place(&self, node: usize, by_domain: bool) -> usize {
        let first = || {
            let domain = self.domains.of(u32::try_from(node).ok()?)?;
            self.domains.nodes(domain).next()
        };
        if by_domain { first().map_or(node, |first| first as usize) } else { node }
    }
}
