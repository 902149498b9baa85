//! The rules and capacities in force, each as a part that can be left out.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};

use super::{
    answer::{FeasibleQuestion, Part},
    instance::{Amounts, Clique, Instance, Item, RESOURCES, UNBOUNDED},
    route::Beginning,
};
use crate::{
    config::{Affinity, RequestedState, Rule, RuleKind},
    host::{Configuration, HostFigures, UnmanagedGuest},
    id::{NodeName, RuleId, ServiceId},
    placement::NodeSet,
    plan::moves::Move,
    rules::{Domain, evaluate},
    status::ManagerStatus,
};

/// What is known of the cluster.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) status: &'a ManagerStatus,
    pub(super) configuration: &'a Configuration,
    pub(super) members: &'a [NodeName],
    pub(super) usage: Option<&'a HostFigures>,
    pub(super) unmanaged: &'a [UnmanagedGuest],
}

/// A service that wants a node.
struct Wanting {
    sid: ServiceId,
    sizes: Amounts,
    /// The bytes of memory that are moved with it.
    bytes: u64,
    /// Where it is, as recorded.
    from: Option<NodeName>,
    /// The node that it can't leave, since nobody knows what it is doing there. It is in nobody's way but by rules.
    pinned: Option<usize>,
}

/// What a part asks of an instance.
enum Constraint {
    On { services: Vec<usize>, nodes: NodeSet },
    Together { services: Vec<usize> },
    Apart { services: Vec<usize>, by_domain: bool },
    Room { node: usize, resource: usize },
}

/// The services that want a node, the nodes, and all that is asked of a placement.
pub(super) struct Model {
    pub(super) nodes: Vec<NodeName>,
    services: Vec<Wanting>,
    constraints: Vec<(Part, Constraint)>,
    room: Vec<Amounts>,
    /// For each node the number of its failure domain: that of the first node in it.
    domain_of: Vec<usize>,
    pub(super) services_without_figures: Vec<ServiceId>,
    pub(super) nodes_without_figures: Vec<NodeName>,
    pub(super) rules_left_out: Vec<RuleId>,
}

impl Model {
    pub(super) fn new(known: Known<'_>, question: &FeasibleQuestion) -> Self {
        let Known { status, configuration, .. } = known;
        let is_there = |node: &&NodeName| status.is_online(node) && !question.without.contains(*node);
        let mut model = Self {
            nodes: status.nodes.keys().filter(is_there).cloned().collect(),
            services: Vec::new(),
            constraints: Vec::new(),
            room: Vec::new(),
            domain_of: Vec::new(),
            services_without_figures: Vec::new(),
            nodes_without_figures: Vec::new(),
            rules_left_out: Vec::new(),
        };
        let asked = configuration.resources.resources.iter().filter(|(_, of)| of.state() == RequestedState::Started);
        model.services = asked.map(|(sid, _)| Wanting::new(known, sid)).collect();
        model.services.sort_by(|one, other| one.sid.cmp(&other.sid));
        model.add_capacities(known, question);
        model.add_strangers(status);
        model.add_rules(known);
        model
    }

    /// Of everything that counts: sizes, rooms, and who has none.
    fn add_capacities(&mut self, known: Known<'_>, question: &FeasibleQuestion) {
        self.room = vec![[UNBOUNDED; RESOURCES]; self.nodes.len()];
        let unmanaged = unmanaged(known);
        for (resource, factor) in [question.memory, question.cpu].into_iter().enumerate() {
            let Some(factor) = factor else { continue };
            for service in &mut self.services {
                match size_of_service(known.usage, &service.sid, resource) {
                    Some(size) => set(&mut service.sizes, resource, size),
                    None => self.services_without_figures.push(service.sid.clone()),
                }
            }
            for (number, (node, room)) in self.nodes.iter().zip(&mut self.room).enumerate() {
                let Some(size) = size_of_node(known.usage, node, resource, factor) else {
                    self.nodes_without_figures.push(node.clone());
                    continue;
                };
                let there = unmanaged.iter().filter(|guest| guest.node == *node);
                let sizes = there.filter_map(|guest| size_of_service(known.usage, &guest.sid, resource));
                let size = size.saturating_sub(sizes.fold(0, u64::saturating_add));
                set(room, resource, size);
                let part = capacity(node, resource, size);
                self.constraints.push((part, Constraint::Room { node: number, resource }));
            }
        }
        self.services_without_figures.sort();
        self.services_without_figures.dedup();
        self.nodes_without_figures.sort();
        self.nodes_without_figures.dedup();
    }

    /// Services whose entries can't be understood may run where they are.
    fn add_strangers(&mut self, status: &ManagerStatus) {
        for stranger in &status.not_understood {
            let Ok(sid) = stranger.sid().parse::<ServiceId>() else { continue };
            let nodes: BTreeSet<NodeName> = stranger.nodes().collect();
            self.services.retain(|service| service.sid != sid);
            for pinned in
                (0..self.nodes.len()).filter(|node| self.nodes.get(*node).is_some_and(|node| nodes.contains(node)))
            {
                self.services.push(Wanting {
                    sid: sid.clone(),
                    sizes: [0; RESOURCES],
                    bytes: 0,
                    from: None,
                    pinned: Some(pinned),
                });
            }
        }
    }

    fn add_rules(&mut self, known: Known<'_>) {
        let rules = known.configuration.rule_set();
        let evaluated = evaluate(&rules, known.members);
        let mut first_of: BTreeMap<Domain<'_>, usize> = BTreeMap::new();
        let domains = evaluated.compiled.domains();
        let first = |(number, node)| *first_of.entry(domains.of(node)).or_insert(number);
        self.domain_of = self.nodes.iter().enumerate().map(first).collect();
        let left_out: BTreeSet<&RuleId> = evaluated.dropped.iter().map(|finding| &finding.rule).collect();
        let mut numbers: BTreeMap<&ServiceId, Vec<usize>> = BTreeMap::new();
        for (number, service) in self.services.iter().enumerate() {
            numbers.entry(&service.sid).or_default().push(number);
        }
        let mut constraints = Vec::new();
        for rule in rules.iter().filter(|rule| !rule.is_disabled() && !left_out.contains(&rule.id)) {
            let services: Vec<usize> =
                rule.resources.iter().filter_map(|sid| numbers.get(sid)).flatten().copied().collect();
            let affinities = evaluated.compiled.node_affinities();
            let nodes = affinities.iter().find(|affinity| affinity.strict && affinity.rule == rule.id);
            let nodes = nodes.map(|affinity| self.set_where(|node| affinity.priority(node).is_some()));
            constraints.extend(self.constraint(rule, services, nodes));
        }
        self.constraints.extend(constraints);
        self.rules_left_out = left_out.into_iter().cloned().collect();
    }

    /// What a rule asks, if it asks anything of these services. `nodes` are those that it allows if it is strict about nodes.
    fn constraint(&self, rule: &Rule, services: Vec<usize>, nodes: Option<NodeSet>) -> Option<(Part, Constraint)> {
        let id = rule.id.clone();
        let mut services = services;
        if !matches!(rule.kind, RuleKind::ResourceAffinity { affinity: Affinity::Negative, .. }) {
            // Where services are left alone, others are kept apart from them, and nothing else is asked.
            services.retain(|service| self.services.get(*service).is_some_and(|service| service.pinned.is_none()));
        }
        let names = self.names(&services);
        match &rule.kind {
            RuleKind::NodeAffinity { .. } => {
                let nodes = nodes.filter(|_| !services.is_empty())?;
                let allowed = nodes.iter().filter_map(|node| self.nodes.get(node)).cloned().collect();
                let part = Part::NodeAffinity { rule: id, services: names, nodes: allowed };
                Some((part, Constraint::On { services, nodes }))
            }
            RuleKind::ResourceAffinity { .. } if services.len() < 2 || rule.is_loosely_apart() => None,
            RuleKind::ResourceAffinity { affinity: Affinity::Positive, .. } => {
                Some((Part::Together { rule: id, services: names }, Constraint::Together { services }))
            }
            RuleKind::ResourceAffinity { affinity: Affinity::Negative, .. } => {
                let spread = rule.apart().and_then(|apart| apart.spread);
                let part = Part::Apart { rule: id, services: names, spread };
                Some((part, Constraint::Apart { services, by_domain: spread.is_some() }))
            }
            RuleKind::Order(_) => None,
        }
    }

    fn names(&self, services: &[usize]) -> Vec<ServiceId> {
        let mut names: Vec<ServiceId> = services
            .iter()
            .filter_map(|service| self.services.get(*service))
            .map(|service| service.sid.clone())
            .collect();
        names.dedup();
        names
    }

    fn set_where(&self, is_in: impl Fn(&NodeName) -> bool) -> NodeSet {
        let mut set = NodeSet::empty(self.nodes.len());
        self.nodes.iter().enumerate().filter(|(_, node)| is_in(node)).for_each(|(number, _)| set.insert(number));
        set
    }

    /// How many services are asked to run.
    pub(super) fn services(&self) -> usize {
        self.asked().count()
    }

    fn asked(&self) -> impl Iterator<Item = (usize, &Wanting)> {
        self.services.iter().enumerate().filter(|(_, service)| service.pinned.is_none())
    }

    /// How much of a resource all services need.
    pub(super) fn needed(&self, resource: usize) -> u64 {
        let sizes = self.services.iter().filter_map(|service| service.sizes.get(resource)).copied();
        sizes.fold(0, u64::saturating_add)
    }

    pub(super) fn parts(&self) -> usize {
        self.constraints.len()
    }

    pub(super) fn part(&self, number: usize) -> Option<&Part> {
        self.constraints.get(number).map(|(part, _)| part)
    }

    /// What is asked by some of the parts alone; with the item that each service is in.
    pub(super) fn instance(&self, parts: &[usize]) -> (Instance, Vec<usize>) {
        let constraints = || parts.iter().filter_map(|part| self.constraints.get(*part)).map(|(_, asked)| asked);
        let item_of = self.items(constraints());
        let count = item_of.iter().max().map_or(0, |last| last.saturating_add(1));
        let item = || Item { open: NodeSet::full(self.nodes.len()), sizes: [0; RESOURCES], home: None };
        let mut items: Vec<Item> = core::iter::repeat_with(item).take(count).collect();
        for (service, number) in self.services.iter().zip(&item_of) {
            let Some(item) = items.get_mut(*number) else { continue };
            for (sum, size) in item.sizes.iter_mut().zip(&service.sizes) {
                *sum = sum.saturating_add(*size);
            }
            if let Some(pinned) = service.pinned {
                keep(&mut item.open, |node| node == pinned);
            }
        }
        self.set_homes(&mut items, &item_of);
        let room = vec![[UNBOUNDED; RESOURCES]; self.nodes.len()];
        let mut instance = Instance { room, items, cliques: Vec::new(), domain_of: self.domain_of.clone() };
        constraints().for_each(|asked| self.ask(asked, &mut instance, &item_of));
        (instance, item_of)
    }

    /// Which services are one item: those that rules keep together.
    fn items<'a>(&self, constraints: impl Iterator<Item = &'a Constraint>) -> Vec<usize> {
        let mut leader: Vec<usize> = (0..self.services.len()).collect();
        for asked in constraints {
            let Constraint::Together { services } = asked else { continue };
            let first = services.first().map(|service| leader_of(&leader, *service));
            for service in services {
                let own = leader_of(&leader, *service);
                if let (Some(slot), Some(first)) = (leader.get_mut(own), first) {
                    *slot = first;
                }
            }
        }
        let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
        let number = |service: usize| {
            let next = numbers.len();
            *numbers.entry(leader_of(&leader, service)).or_insert(next)
        };
        (0..self.services.len()).map(number).collect()
    }

    /// Each item is at home where most of it is.
    fn set_homes(&self, items: &mut [Item], item_of: &[usize]) {
        let positions: BTreeMap<&NodeName, usize> = self.nodes.iter().zip(0..).collect();
        let mut counts: Vec<BTreeMap<usize, usize>> = vec![BTreeMap::new(); items.len()];
        for (service, item) in self.services.iter().zip(item_of) {
            let at = service.from.as_ref().and_then(|from| positions.get(from));
            if let (Some(at), Some(counts)) = (at, counts.get_mut(*item)) {
                let count = counts.entry(*at).or_default();
                *count = count.saturating_add(1);
            }
        }
        for (item, counts) in items.iter_mut().zip(counts) {
            item.home = counts
                .into_iter()
                .max_by_key(|(node, count)| (*count, core::cmp::Reverse(*node)))
                .map(|(node, _)| node);
        }
    }

    fn ask(&self, asked: &Constraint, instance: &mut Instance, item_of: &[usize]) {
        let items_of = |services: &[usize]| -> Vec<usize> {
            let mut items: Vec<usize> = services.iter().filter_map(|service| item_of.get(*service)).copied().collect();
            items.sort_unstable();
            items
        };
        match asked {
            Constraint::Together { .. } => {}
            Constraint::On { services, nodes } => {
                for item in items_of(services) {
                    if let Some(item) = instance.items.get_mut(item) {
                        keep(&mut item.open, |node| nodes.contains(node));
                    }
                }
            }
            Constraint::Apart { services, by_domain } => {
                let mut items = items_of(services);
                // What must be apart and together has no node at all. Such rules are left out already.
                let twice = items
                    .windows(2)
                    .filter_map(|pair| if let [one, other] = pair { (one == other).then_some(*one) } else { None });
                for item in twice {
                    if let Some(item) = instance.items.get_mut(item) {
                        item.open.clear();
                    }
                }
                items.dedup();
                instance.cliques.push(Clique { items, by_domain: *by_domain });
            }
            Constraint::Room { node, resource } => {
                let room = self.room.get(*node).and_then(|room| room.get(*resource)).copied();
                if let (Some(room), Some(slot)) = (room, instance.room.get_mut(*node)) {
                    set(slot, *resource, room);
                }
            }
        }
    }

    /// Where each service is if its item is at one of these places, and which of them are elsewhere now.
    pub(super) fn told(&self, item_of: &[usize], places: &[usize]) -> (BTreeMap<ServiceId, NodeName>, Vec<Move>) {
        let mut told = BTreeMap::new();
        let mut moves = Vec::new();
        for (number, service) in self.asked() {
            let place = item_of.get(number).and_then(|item| places.get(*item));
            let Some(to) = place.and_then(|place| self.nodes.get(*place)) else { continue };
            told.insert(service.sid.clone(), to.clone());
            if service.from.as_ref() != Some(to) {
                moves.push(Move { sid: service.sid.clone(), from: service.from.clone(), to: to.clone() });
            }
        }
        (told, moves)
    }

    /// The node that each service has by these places; where it is if they don't name it. None if it is on none that may have it.
    pub(super) fn targets(&self, to: &BTreeMap<ServiceId, NodeName>) -> Vec<Option<usize>> {
        let positions: BTreeMap<&NodeName, usize> = self.nodes.iter().zip(0..).collect();
        let target = |service: &Wanting| {
            let named = to.get(&service.sid).or(service.from.as_ref());
            service.pinned.or_else(|| positions.get(named?).copied())
        };
        self.services.iter().map(target).collect()
    }

    /// The parts that these places, one for each service, don't keep.
    pub(super) fn broken_by(&self, places: &[Option<usize>]) -> Vec<Part> {
        let keeps = |constraint: &Constraint| {
            let at = |service: &usize| places.get(*service).copied().flatten();
            match constraint {
                Constraint::On { services, nodes } => {
                    services.iter().all(|service| at(service).is_some_and(|node| nodes.contains(node)))
                }
                Constraint::Together { services } => {
                    services.windows(2).all(|pair| matches!(pair, [one, other] if at(one) == at(other)))
                }
                Constraint::Apart { services, by_domain } => {
                    let domain = |node: usize| self.domain_of.get(node).copied();
                    let place = |node| if *by_domain { domain(node) } else { Some(node) };
                    let places: BTreeSet<Option<usize>> =
                        services.iter().map(|service| at(service).and_then(place)).collect();
                    places.len() == services.len()
                }
                Constraint::Room { node, resource } => {
                    let there = self.services.iter().zip(places).filter(|(_, at)| **at == Some(*node));
                    let sizes = there.filter_map(|(service, _)| service.sizes.get(*resource)).copied();
                    let room = self.room.get(*node).and_then(|room| room.get(*resource)).copied();
                    room.is_none_or(|room| sizes.fold(0, u64::saturating_add) <= room)
                }
            }
        };
        self.constraints.iter().filter(|(_, constraint)| !keeps(constraint)).map(|(part, _)| part.clone()).collect()
    }

    /// Where each item is now, part by part.
    pub(super) fn beginnings(&self, item_of: &[usize], items: usize) -> Vec<Beginning> {
        let mut beginnings = vec![Beginning::default(); items];
        for ((service, item), at) in self.services.iter().zip(item_of).zip(self.targets(&BTreeMap::new())) {
            let Some(beginning) = beginnings.get_mut(*item) else { continue };
            beginning.bytes = beginning.bytes.saturating_add(service.bytes);
            let is_first = beginning.services == 0;
            beginning.services = beginning.services.saturating_add(1);
            beginning.whole_on = if is_first || beginning.whole_on == at { at } else { None };
            let Some(at) = at else { continue };
            let (amounts, bytes) = beginning.parts.entry(at).or_default();
            *bytes = bytes.saturating_add(service.bytes);
            for (sum, size) in amounts.iter_mut().zip(&service.sizes) {
                *sum = sum.saturating_add(*size);
            }
        }
        beginnings
    }

    /// The services of an item, without those that are left alone.
    pub(super) fn services_of(&self, item_of: &[usize], item: usize) -> Vec<ServiceId> {
        let of_item = self.asked().filter(|(number, _)| item_of.get(*number) == Some(&item));
        of_item.map(|(_, service)| service.sid.clone()).collect()
    }

    /// Where each service is now.
    pub(super) fn present(&self) -> impl Iterator<Item = (ServiceId, Option<NodeName>)> {
        self.asked().map(|(_, service)| (service.sid.clone(), service.from.clone()))
    }

    /// How many bytes of memory are moved with a service.
    pub(super) fn bytes_of(&self, sid: &ServiceId) -> u64 {
        self.asked().find(|(_, service)| service.sid == *sid).map_or(0, |(_, service)| service.bytes)
    }
}

impl Wanting {
    fn new(known: Known<'_>, sid: &ServiceId) -> Self {
        let recorded = known.status.services.get(sid).map(|entry| &entry.node);
        let from = recorded.or_else(|| known.configuration.guests.node_of(sid));
        let bytes = size_of_service(known.usage, sid, MEMORY).unwrap_or_default();
        Self { sid: sid.clone(), sizes: [0; RESOURCES], bytes, from: from.cloned(), pinned: None }
    }
}

/// The guests that run and are not managed. Hosts name all, as far as they know.
fn unmanaged(known: Known<'_>) -> Vec<&UnmanagedGuest> {
    let Known { status, configuration, .. } = known;
    let resources = &configuration.resources.resources;
    let is_asked = |sid| resources.get(sid).is_some_and(|of| of.state() == RequestedState::Started);
    let is_managed = |sid| status.services.contains(sid) || is_asked(sid);
    known.unmanaged.iter().filter(|guest| guest.running && !is_managed(&guest.sid)).collect()
}

fn leader_of(leader: &[usize], service: usize) -> usize {
    let mut now = service;
    while let Some(next) = leader.get(now).copied().filter(|next| *next != now) {
        now = next;
    }
    now
}

fn keep(set: &mut NodeSet, is_kept: impl Fn(usize) -> bool) {
    let gone: Vec<usize> = set.iter().filter(|node| !is_kept(*node)).collect();
    gone.into_iter().for_each(|node| set.remove(node));
}

fn set(amounts: &mut Amounts, resource: usize, amount: u64) {
    if let Some(slot) = amounts.get_mut(resource) {
        *slot = amount;
    }
}

const MEMORY: usize = 0;
/// In how many parts a core is counted.
const PARTS_OF_A_CORE: f64 = 1000.0;

fn size_of_service(usage: Option<&HostFigures>, sid: &ServiceId, resource: usize) -> Option<u64> {
    let figures = usage?.services.get(sid)?;
    let size =
        if resource == MEMORY { figures.max_memory } else { whole(libm::ceil(figures.max_cpu * PARTS_OF_A_CORE)) };
    Some(size).filter(|size| *size > 0)
}

fn size_of_node(usage: Option<&HostFigures>, node: &NodeName, resource: usize, factor: f64) -> Option<u64> {
    let figures = usage?.nodes.get(node)?;
    #[expect(clippy::cast_precision_loss, reason = "what is lost of that many bytes is no guest's size")]
    let size = if resource == MEMORY { figures.max_memory as f64 } else { figures.max_cpu * PARTS_OF_A_CORE };
    Some(size).filter(|size| *size > 0.0).map(|size| whole(libm::floor(size * factor)))
}

/// The same as a whole number; what is no number or too large counts as the least or the most.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast to the nearest there is")]
fn whole(amount: f64) -> u64 {
    amount as u64
}

#[expect(clippy::cast_precision_loss, reason = "cores are few")]
pub(super) fn cores(amount: u64) -> f64 {
    amount as f64 / PARTS_OF_A_CORE
}

fn capacity(node: &NodeName, resource: usize, size: u64) -> Part {
    if resource == MEMORY {
        Part::Memory { node: node.clone(), bytes: size }
    } else {
        Part::Cpu { node: node.clone(), cores: cores(size) }
    }
}
