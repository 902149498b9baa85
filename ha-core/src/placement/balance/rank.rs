//! Which moves would balance best.
//!
//! There can be hundreds of thousands of candidates, so a first pass over all of them takes what follows from sums over the
//! nodes, and a second one looks closely at those few that can be among the best.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{
    bundles::Bundle,
    imbalance::{Sums, cut, imbalance},
    targets::Targets,
};
use crate::{
    config::datacenter::{BalanceMethod, ImbalanceScale},
    placement::{
        Placement,
        load::{Balanced, Change, Spread, Usage, UsageLoad},
        topsis::{Figures, Survey},
    },
};

/// The move of a bundle to a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) bundle: Bundle,
    pub(super) target: usize,
    /// The imbalance after it.
    pub(super) imbalance: f64,
    /// With TOPSIS, what it is ranked by; the higher, the better.
    pub(super) score: Option<f64>,
}

/// The nodes as they are, and the bundles that can be moved.
pub(super) struct Ranking<'a> {
    placement: &'a Placement,
    /// The place of each online node in what follows, if its figures can be used.
    places: Vec<Option<usize>>,
    nodes: Vec<Balanced>,
    usages: Vec<Usage>,
    loads: Vec<f64>,
    scale: ImbalanceScale,
}

impl<'a> Ranking<'a> {
    pub(super) fn new(placement: &'a Placement, load: &UsageLoad, scale: ImbalanceScale) -> Self {
        let mut nodes: Vec<Balanced> = Vec::with_capacity(load.len());
        let places = (0..load.len()).map(|position| {
            nodes.push(load.balanced(position)?);
            nodes.len().checked_sub(1)
        });
        let places = places.collect();
        let usages: Vec<Usage> = nodes.iter().map(|node| node.usage()).collect();
        let loads = usages.iter().map(|usage| usage.load()).collect();
        Self { placement, places, nodes, usages, loads, scale }
    }

    /// The imbalance as it is.
    pub(super) fn imbalance(&self) -> f64 {
        imbalance(&self.loads, self.scale)
    }

    /// The best `count` of all moves of these bundles, the best first.
    pub(super) fn best(&self, bundles: &[Bundle], method: BalanceMethod, count: usize) -> Vec<Candidate> {
        match method {
            BalanceMethod::BruteForce => self.best_by_imbalance(bundles, count),
            BalanceMethod::Topsis => self.best_by_topsis(bundles, count),
        }
    }

    fn best_by_imbalance(&self, bundles: &[Bundle], count: usize) -> Vec<Candidate> {
        let sums = Sums::new(&self.loads);
        let bounds = |step: &Step| {
            let (source, target) = (step.source.loads(), step.target.loads());
            sums.with(source, target)
        };
        // The bounds are wider apart than imbalances that are equal once they are cut, so those are all looked at closely.
        let mut highest = Best::new(count, |a: &f64, b: &f64| a.total_cmp(b));
        self.for_each(bundles, |step| highest.add(bounds(&step).most));
        let limit = highest.last().copied().unwrap_or(f64::INFINITY);

        let order = |a: &Candidate, b: &Candidate| cut(a.imbalance).total_cmp(&cut(b.imbalance));
        let mut best = Best::new(count, order);
        let mut loads = Vec::new();
        self.for_each(bundles, |step| {
            if bounds(&step).least <= limit {
                best.add(self.candidate(&step, None, &mut loads));
            }
        });
        best.found
    }

    fn best_by_topsis(&self, bundles: &[Bundle], count: usize) -> Vec<Candidate> {
        let cpu = Spread::new(self.usages.iter().map(|usage| usage.cpu));
        let memory = Spread::new(self.usages.iter().map(|usage| usage.memory));
        let figures = |step: &Step| -> Figures {
            let (average_cpu, highest_cpu) = cpu.with_two(step.source.cpu(), step.target.cpu());
            let (average_memory, highest_memory) = memory.with_two(step.source.memory(), step.target.memory());
            [1.0 + average_cpu, 1.0 + highest_cpu, 1.0 + average_memory, 1.0 + highest_memory]
        };
        let mut survey = Survey::new();
        self.for_each(bundles, |step| survey.add(&figures(&step)));
        let scorer = survey.scorer();

        let order = |a: &(Bundle, usize, f64), b: &(Bundle, usize, f64)| b.2.total_cmp(&a.2);
        let mut best = Best::new(count, order);
        self.for_each(bundles, |step| best.add((step.bundle, step.to, scorer.score(&figures(&step)))));
        let mut loads = Vec::new();
        let best = best.found.iter().filter_map(|(bundle, target, score)| {
            let step = self.step(*bundle, self.leaves(bundle)?, *target)?;
            Some(self.candidate(&step, Some(*score), &mut loads))
        });
        best.collect()
    }

    /// Visits all candidates in their order: by leader, then by target.
    fn for_each(&self, bundles: &[Bundle], mut visit: impl FnMut(Step)) {
        let mut targets = Targets::default();
        for bundle in bundles {
            let Some(source) = self.leaves(bundle) else { continue };
            let targets = targets.find(self.placement, bundle.leader, bundle.source);
            targets.iter().filter_map(|target| self.step(*bundle, source, target)).for_each(&mut visit);
        }
    }

    /// What becomes of the node that a bundle leaves.
    fn leaves(&self, bundle: &Bundle) -> Option<NodeChange> {
        let position = self.place(bundle.source)?;
        let node = self.nodes.get(position)?;
        Some(NodeChange { position, old: *self.usages.get(position)?, new: node.usage_without(bundle.share) })
    }

    fn place(&self, node: usize) -> Option<usize> {
        self.places.get(node).copied().flatten()
    }

    fn step(&self, bundle: Bundle, source: NodeChange, to: usize) -> Option<Step> {
        let position = self.place(to)?;
        let node = self.nodes.get(position)?;
        let target =
            NodeChange { position, old: *self.usages.get(position)?, new: node.usage_with(bundle.cores, bundle.bytes) };
        Some(Step { bundle, source, to, target })
    }

    /// A candidate with its imbalance, as the definition has it.
    fn candidate(&self, step: &Step, score: Option<f64>, loads: &mut Vec<f64>) -> Candidate {
        loads.clone_from(&self.loads);
        for change in [&step.source, &step.target] {
            if let Some(load) = loads.get_mut(change.position) {
                *load = change.new.load();
            }
        }
        Candidate { bundle: step.bundle, target: step.to, imbalance: imbalance(loads, self.scale), score }
    }
}

/// What a move changes.
struct Step {
    bundle: Bundle,
    source: NodeChange,
    /// The position of the node that it goes to.
    to: usize,
    target: NodeChange,
}

#[derive(Debug, Clone, Copy)]
struct NodeChange {
    /// The place of the node among those that are compared.
    position: usize,
    old: Usage,
    new: Usage,
}

impl NodeChange {
    /// The loads before and after.
    fn loads(&self) -> [f64; 2] {
        [self.old.load(), self.new.load()]
    }

    fn cpu(&self) -> Change {
        Change { position: self.position, old: self.old.cpu, new: self.new.cpu }
    }

    fn memory(&self) -> Change {
        Change { position: self.position, old: self.old.memory, new: self.new.memory }
    }
}

/// The first few in an order; of equals the one that came first.
struct Best<T, F> {
    count: usize,
    order: F,
    found: Vec<T>,
}

impl<T, F: Fn(&T, &T) -> Ordering> Best<T, F> {
    fn new(count: usize, order: F) -> Self {
        Self { count, order, found: Vec::new() }
    }

    fn add(&mut self, item: T) {
        let full = self.found.len() >= self.count;
        if full && self.found.last().is_none_or(|last| (self.order)(&item, last) != Ordering::Less) {
            return;
        }
        if full {
            self.found.pop();
        }
        let at = self.found.partition_point(|other| (self.order)(other, &item) != Ordering::Greater);
        self.found.insert(at, item);
    }

    /// The last of them, if there are as many as were asked for.
    fn last(&self) -> Option<&T> {
        if self.found.len() == self.count { self.found.last() } else { None }
    }
}
