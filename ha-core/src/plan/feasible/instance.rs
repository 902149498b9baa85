//! The question in numbers: items that want a node each, what keeps them off nodes and from one another, and how much fits.

use alloc::vec::Vec;

use crate::placement::NodeSet;

/// How many resources have a capacity: memory and processors.
pub(super) const RESOURCES: usize = 2;

/// An amount of each resource, in bytes and in thousandths of a core.
pub(super) type Amounts = [u64; RESOURCES];

/// The room of a node that has no bound.
pub(super) const UNBOUNDED: u64 = u64::MAX;

/// Services that must be on one node, or a single one.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The nodes that all of its rules allow.
    pub(super) open: NodeSet,
    pub(super) sizes: Amounts,
    /// Where most of it is now, if that node is there.
    pub(super) home: Option<usize>,
}

/// Items of which no two may be at one place.
#[derive(Debug, Clone)]
pub(super) struct Clique {
    pub(super) items: Vec<usize>,
    /// Whether a place is all that fails together; else it is a node.
    pub(super) by_domain: bool,
}

/// Items, nodes, and what holds between them.
#[derive(Debug, Clone, Default)]
pub(super) struct Instance {
    /// How much of each resource each node has for the items; [`UNBOUNDED`] where that does not count.
    pub(super) room: Vec<Amounts>,
    pub(super) items: Vec<Item>,
    pub(super) cliques: Vec<Clique>,
    /// For each node the number of its failure domain.
    pub(super) domain_of: Vec<usize>,
}

impl Instance {
    pub(super) fn size(&self, item: usize, resource: usize) -> u64 {
        self.items.get(item).and_then(|item| item.sizes.get(resource)).copied().unwrap_or_default()
    }

    /// The cliques that each item is in.
    pub(super) fn cliques_of(&self) -> Vec<Vec<usize>> {
        let mut cliques_of = alloc::vec![Vec::new(); self.items.len()];
        for (number, clique) in self.cliques.iter().enumerate() {
            for item in &clique.items {
                if let Some(of) = cliques_of.get_mut(*item) {
                    of.push(number);
                }
            }
        }
        cliques_of
    }

    /// The nodes that are in one failure domain with this one, itself included.
    pub(super) fn domain(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let own = self.domain_of.get(node);
        self.domain_of.iter().zip(0..).filter(move |(domain, _)| Some(*domain) == own).map(|(_, other)| other)
    }

    /// Whether two nodes are one place for a clique.
    fn are_one(&self, clique: &Clique, one: usize, other: usize) -> bool {
        one == other || (clique.by_domain && self.domain(one).any(|node| node == other))
    }

    /// Moves items back to where they are now as long as nothing is against it: what need not move stays.
    pub(super) fn bring_home(&self, places: &mut [usize]) {
        let mut used: Vec<Amounts> = alloc::vec![[0; RESOURCES]; self.room.len()];
        for (item, node) in self.items.iter().zip(places.iter()) {
            add(&mut used, *node, &item.sizes);
        }
        let cliques_of = self.cliques_of();
        loop {
            let mut is_changed = false;
            for (number, item) in self.items.iter().enumerate() {
                let (Some(home), Some(&now)) = (item.home, places.get(number)) else { continue };
                let is_at_home = |clique: &Clique, other: usize| {
                    other != number && places.get(other).is_some_and(|at| self.are_one(clique, *at, home))
                };
                let cliques = cliques_of.get(number).into_iter().flatten();
                let is_kept_apart = cliques
                    .filter_map(|clique| self.cliques.get(*clique))
                    .any(|clique| clique.items.iter().any(|other| is_at_home(clique, *other)));
                if now == home || !item.open.contains(home) || is_kept_apart || !self.fits(&used, home, &item.sizes) {
                    continue;
                }
                take(&mut used, now, &item.sizes);
                add(&mut used, home, &item.sizes);
                if let Some(place) = places.get_mut(number) {
                    *place = home;
                }
                is_changed = true;
            }
            if !is_changed {
                return;
            }
        }
    }

    /// Whether a node has room for so much more.
    fn fits(&self, used: &[Amounts], node: usize, more: &Amounts) -> bool {
        let (Some(room), Some(used)) = (self.room.get(node), used.get(node)) else { return false };
        let each = room.iter().zip(used).zip(more);
        each.into_iter()
            .all(|((room, used), more)| *room == UNBOUNDED || used.checked_add(*more).is_some_and(|sum| sum <= *room))
    }
}

fn add(used: &mut [Amounts], node: usize, sizes: &Amounts) {
    for (used, size) in used.get_mut(node).into_iter().flatten().zip(sizes) {
        *used = used.saturating_add(*size);
    }
}

fn take(used: &mut [Amounts], node: usize, sizes: &Amounts) {
    for (used, size) in used.get_mut(node).into_iter().flatten().zip(sizes) {
        *used = used.saturating_sub(*size);
    }
}
