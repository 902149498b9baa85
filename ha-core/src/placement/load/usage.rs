//! The static and the dynamic scheduler: how much of each node's cpu and memory is in use.
//!
//! The static scheduler adds up the configured sizes of all that uses a node. The dynamic one begins with what is measured
//! on the node and adds the configured sizes of what is about to start there, which no measurement knows of yet.

use alloc::vec::Vec;

use super::{
    Occupancy,
    amount::Amount,
    basic::BasicLoad,
    figures::{FiguresByService, FiguresError, NodeSize, node_figures},
    spread::{Change, Spread},
};
use crate::{
    host::{HostFigures, ServiceFigures},
    id::{NodeName, ServiceId},
    placement::topsis::{Figures, Survey},
};

/// By which figures load is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// By configured sizes: the static scheduler.
    Configured,
    /// By measurement: the dynamic scheduler.
    Measured,
}

/// The load of the online nodes in cpu and memory.
#[derive(Debug, Clone)]
pub(crate) struct UsageLoad {
    source: Source,
    /// By position; those whose figures can't be used take no part.
    nodes: Vec<Option<Node>>,
    /// By position in the table of services; those whose figures can't be used count as using nothing.
    services: Vec<Option<ServiceFigures>>,
    /// What these are placed by, if there are any.
    counts: Option<BasicLoad>,
}

/// An online node.
#[derive(Debug, Clone)]
struct Node {
    size: NodeSize,
    /// What is measured; nothing with the static scheduler.
    measured: Amount,
    /// What is measured, and what was added for services.
    used: Amount,
    /// `used` in cores and in bytes, each rounded once, and as fractions of the node.
    cores: f64,
    bytes: f64,
    usage: Usage,
}

impl Node {
    fn new(size: NodeSize, measured: Amount) -> Self {
        let nothing = Usage { cpu: 0.0, memory: 0.0 };
        let mut node = Self { size, measured, used: measured, cores: 0.0, bytes: 0.0, usage: nothing };
        node.sum_up();
        node
    }

    /// Works out what follows from `used`.
    fn sum_up(&mut self) {
        self.cores = self.used.cores();
        self.bytes = self.used.bytes();
        self.usage = self.size.usage(self.cores, self.bytes);
    }

    /// If a service starts here.
    fn usage_with(&self, service: &ServiceFigures) -> Usage {
        self.size.usage(self.cores + limit(service, self.size), self.bytes + service.max_memory as f64)
    }
}

/// The cores that a service may use on a node of this size.
fn limit(service: &ServiceFigures, size: NodeSize) -> f64 {
    if service.max_cpu == 0.0 { size.cores } else { service.max_cpu }
}

/// The fractions of a node that are in use. More than 1 is possible: nodes can be overcommitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    pub(crate) cpu: f64,
    pub(crate) memory: f64,
}

impl NodeSize {
    fn usage(self, cores: f64, bytes: f64) -> Usage {
        Usage { cpu: cores / self.cores, memory: bytes / self.memory }
    }
}

impl Usage {
    /// A node's load, for its imbalance with others.
    pub(crate) fn load(self) -> f64 {
        (self.cpu + self.memory) / 2.0
    }
}

impl UsageLoad {
    /// The load of the nodes without any service, and the figures of the services, which come by position. What single nodes
    /// and services lack is added to `lacking`; it is an error if every node, or every service, lacks figures.
    pub(crate) fn new<'a>(
        source: Source,
        online: &[NodeName],
        sids: impl Iterator<Item = &'a ServiceId>,
        of_host: &HostFigures,
        lacking: &mut Vec<FiguresError>,
    ) -> Result<Self, FiguresError> {
        let measured = source == Source::Measured;
        let figures = online.iter().map(|node| node_figures(node, of_host, measured));
        let nodes = usable(figures, lacking)?;
        let before = lacking.len();
        let mut figures = FiguresByService::new(of_host, measured);
        let services = usable(sids.map(|sid| figures.get(sid)), lacking)?;
        let counts = (lacking.len() > before).then(|| BasicLoad::new(online.len()));
        let node = |figures: Option<(NodeSize, Amount)>| figures.map(|(size, measured)| Node::new(size, measured));
        Ok(Self { source, nodes: nodes.into_iter().map(node).collect(), services, counts })
    }

    /// Begins with what all services use.
    pub(crate) fn fill(&mut self, occupancies: &[Occupancy]) {
        for (service, occupancy) in occupancies.iter().enumerate() {
            if let Some(counts) = &mut self.counts {
                counts.add(*occupancy);
            }
            if let Some(figures) = self.figures(service).copied() {
                self.change(*occupancy, &figures, Amount::plus);
            }
        }
        self.nodes.iter_mut().flatten().for_each(Node::sum_up);
    }

    fn figures(&self, service: usize) -> Option<&ServiceFigures> {
        self.services.get(service)?.as_ref()
    }

    fn node(&self, position: usize) -> Option<&Node> {
        self.nodes.get(position)?.as_ref()
    }

    /// The numbers of services by which a service is placed, if its figures can't be used.
    pub(crate) fn counts_for(&self, service: usize) -> Option<&BasicLoad> {
        self.counts.as_ref().filter(|_| self.figures(service).is_none())
    }

    /// A service uses other nodes than before.
    pub(crate) fn replace(&mut self, service: usize, old: Occupancy, new: Occupancy) {
        if let Some(counts) = &mut self.counts {
            counts.replace(old, new);
        }
        let Some(figures) = self.figures(service).copied() else { return };
        self.change(old, &figures, Amount::minus);
        self.change(new, &figures, Amount::plus);
        self.sum_up(old);
        self.sum_up(new);
    }

    /// Guests that are not managed run on nodes.
    pub(crate) fn add_unmanaged<'a>(
        &mut self,
        guests: impl Iterator<Item = (&'a ServiceId, u32)>,
        of_host: &HostFigures,
        lacking: &mut Vec<FiguresError>,
    ) {
        let mut figures = FiguresByService::new(of_host, self.source == Source::Measured);
        for (sid, node) in guests {
            let guest = Occupancy::unmanaged(node);
            if let Some(counts) = &mut self.counts {
                counts.add(guest);
            }
            // What runs is in a measurement already, so then its figures are not needed either.
            if self.source == Source::Measured {
                continue;
            }
            match figures.get(sid) {
                Ok(figures) => {
                    self.change(guest, &figures, Amount::plus);
                    self.sum_up(guest);
                }
                Err(error) => lacking.push(error),
            }
        }
    }

    /// The nodes to which a service adds its configured size.
    fn counted(&self, occupancy: Occupancy) -> [Option<u32>; 2] {
        match self.source {
            Source::Configured => [occupancy.node(), occupancy.target()],
            Source::Measured => [occupancy.starting(), None],
        }
    }

    fn change(&mut self, occupancy: Occupancy, service: &ServiceFigures, with: fn(Amount, Amount) -> Amount) {
        self.at_counted(occupancy, |node| {
            let size = Amount::new(limit(service, node.size), service.max_memory);
            node.used = with(node.used, size);
        });
    }

    fn sum_up(&mut self, occupancy: Occupancy) {
        self.at_counted(occupancy, Node::sum_up);
    }

    fn at_counted(&mut self, occupancy: Occupancy, change: impl Fn(&mut Node)) {
        let [first, second] = self.counted(occupancy);
        let mut at = |position: u32| self.nodes.get_mut(position as usize)?.as_mut().map(&change);
        first.and_then(&mut at);
        second.and_then(&mut at);
    }

    /// The score for starting a service on each node, by position: from 0 to 1, the higher, the better; less than any for a
    /// node whose figures can't be used, so that it comes last.
    ///
    /// The definition works out the figures of all nodes again for every alternative. Since only one node differs from what
    /// is now, they follow here from sums over all nodes.
    pub(crate) fn scores(&self, service: usize, alternatives: &mut Vec<Figures>, scores: &mut Vec<f64>) {
        scores.clear();
        alternatives.clear();
        let Some(figures) = self.figures(service) else { return };
        let cpu = Spread::new(self.nodes.iter().flatten().map(|node| node.usage.cpu));
        let memory = Spread::new(self.nodes.iter().flatten().map(|node| node.usage.memory));
        let mut survey = Survey::new();
        alternatives.extend(self.nodes.iter().flatten().enumerate().map(|(position, node)| {
            let (old, new) = (node.usage, node.usage_with(figures));
            let (average_cpu, highest_cpu) = cpu.with_one(Change { position, old: old.cpu, new: new.cpu });
            let (average_memory, highest_memory) =
                memory.with_one(Change { position, old: old.memory, new: new.memory });
            let figures = [1.0 + average_cpu, 1.0 + highest_cpu, 1.0 + average_memory, 1.0 + highest_memory];
            survey.add(&figures);
            figures
        }));
        let scorer = survey.scorer();
        let mut alternatives = alternatives.iter();
        scores.extend(self.nodes.iter().map(|node| match node {
            Some(_) => alternatives.next().map_or(f64::NEG_INFINITY, |figures| scorer.score(figures)),
            None => f64::NEG_INFINITY,
        }));
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How much of a node is in use.
    pub(crate) fn usage(&self, position: usize) -> Option<Usage> {
        self.node(position).map(|node| node.usage)
    }

    /// What balancing compares: with the dynamic scheduler the measured use alone.
    pub(crate) fn balanced(&self, position: usize) -> Option<Balanced> {
        let node = self.node(position)?;
        let used = match self.source {
            Source::Configured => node.used,
            Source::Measured => node.measured,
        };
        Some(Balanced::new(node.size, used))
    }

    /// What a service takes along when it leaves a node: nothing if its figures can't be used.
    pub(crate) fn share(&self, service: usize, position: usize) -> Option<Amount> {
        let node = self.node(position)?;
        let Some(service) = self.figures(service) else { return Some(Amount::default()) };
        Some(match self.source {
            Source::Configured => Amount::new(limit(service, node.size), service.max_memory),
            Source::Measured => Amount::new(service.cpu, service.memory),
        })
    }
}

/// Keeps the figures that can be used. It is an error if there are some, and none of them can.
fn usable<T>(
    figures: impl Iterator<Item = Result<T, FiguresError>>,
    lacking: &mut Vec<FiguresError>,
) -> Result<Vec<Option<T>>, FiguresError> {
    let before = lacking.len();
    let usable: Vec<Option<T>> = figures.map(|figures| figures.map_err(|error| lacking.push(error)).ok()).collect();
    match lacking.get(before) {
        Some(first) if usable.iter().all(Option::is_none) => Err(first.clone()),
        Some(_) | None => Ok(usable),
    }
}

/// A node as balancing sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Balanced {
    size: NodeSize,
    used: Amount,
    /// `used` in cores and in bytes, each rounded once.
    cores: f64,
    bytes: f64,
}

impl Balanced {
    fn new(size: NodeSize, used: Amount) -> Self {
        Self { size, used, cores: used.cores(), bytes: used.bytes() }
    }

    pub(crate) fn usage(&self) -> Usage {
        self.size.usage(self.cores, self.bytes)
    }

    /// If something leaves.
    pub(crate) fn usage_without(&self, share: Amount) -> Usage {
        let left = self.used.minus(share);
        self.size.usage(left.cores(), left.bytes())
    }

    /// If something joins that uses so many cores and bytes.
    pub(crate) fn usage_with(&self, cores: f64, bytes: f64) -> Usage {
        self.size.usage(self.cores + cores, self.bytes + bytes)
    }
}
