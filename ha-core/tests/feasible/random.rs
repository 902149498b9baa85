//! Random clusters with rules, and memory for services and nodes.

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

use ha_core::{
    config::{Affinity, Apart, NodesConfig, Resource, ResourcesConfig, Rule, RuleKind, RulesConfig, Spread},
    host::{Configuration, HostFigures, NodeFigures, ServiceFigures},
    id::{NodeName, RuleId, ServiceId},
    plan::Situation,
    status::{ManagerStatus, NodeState, ServiceEntry, ServiceState},
};

/// Numbers that are the same in every run: splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.next() % (range.end() - range.start() + 1)
    }

    fn count(&mut self, range: RangeInclusive<u64>) -> usize {
        usize::try_from(self.within(range)).unwrap()
    }

    /// So many different numbers below `of`, or all.
    fn some(&mut self, count: usize, of: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..of).collect();
        let count = count.min(of);
        for place in 0..count {
            let other = place + self.count(0..=(of - place - 1) as u64);
            all.swap(place, other);
        }
        all.truncate(count);
        all.sort_unstable();
        all
    }
}

/// How large a cluster is, and how much is asked of it.
pub(crate) struct Extent {
    pub(crate) nodes: RangeInclusive<u64>,
    /// Members that are not online. Rules are checked against all members, so that more of them are in force.
    pub(crate) offline: u64,
    pub(crate) services: RangeInclusive<u64>,
    pub(crate) rules: RangeInclusive<u64>,
    /// How many services a rule names, if it keeps them together, apart, or on some nodes.
    pub(crate) together: RangeInclusive<u64>,
    pub(crate) apart: RangeInclusive<u64>,
    pub(crate) on: RangeInclusive<u64>,
    /// How many nodes a rule allows.
    pub(crate) allowed: RangeInclusive<u64>,
    /// The sizes that services can have.
    pub(crate) sizes: &'static [u64],
    /// How much all services need, in percent of what all nodes have.
    pub(crate) fill: RangeInclusive<u64>,
}

#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) status: ManagerStatus,
    pub(crate) configuration: Configuration,
    pub(crate) members: Vec<NodeName>,
    pub(crate) usage: HostFigures,
}

pub(crate) fn node(number: usize) -> NodeName {
    NodeName::new(format!("node{number:02}")).unwrap()
}

pub(crate) fn sid(number: usize) -> ServiceId {
    ServiceId::new(format!("vm:{}", 1000 + number)).unwrap()
}

impl Cluster {
    pub(crate) fn new(random: &mut Random, extent: &Extent) -> Self {
        let nodes = random.count(extent.nodes.clone());
        let services = random.count(extent.services.clone());
        let mut status = ManagerStatus::default();
        status.nodes.extend((0..nodes).map(|number| (node(number), NodeState::Online)));
        let members: Vec<NodeName> = (0..nodes + extent.offline as usize).map(node).collect();
        let places: Vec<usize> = (0..services).map(|_| random.count(0..=nodes as u64 - 1)).collect();
        let entry = |at: &usize| ServiceEntry::new(ServiceState::Started { confirmed: true }, node(*at));
        status.services.extend(places.iter().enumerate().map(|(number, at)| (sid(number), entry(at))));
        let resources = (0..services).map(|number| (sid(number), Resource::new(sid(number)))).collect();
        let rules = random.count(extent.rules.clone());
        let rules = (0..rules).map(|number| rule(random, extent, number, services, members.len()));
        let rules: Vec<Rule> = rules.collect();
        let mut config = RulesConfig::default();
        config.rules.extend(rules.into_iter().map(|rule| (rule.id.clone(), rule)));
        let configuration = Configuration {
            resources: Arc::new(ResourcesConfig { resources, ..ResourcesConfig::default() }),
            rules: Arc::new(config),
            nodes: Arc::new(labels(random, members.len())),
            ..Configuration::default()
        };
        let usage = usage(random, extent, nodes, services);
        Self { status, configuration, members, usage }
    }

    pub(crate) fn situation(&self) -> Situation<'_> {
        Situation { usage: Some(&self.usage), ..Situation::new(&self.status, &self.configuration, &self.members) }
    }
}

/// In which of few racks each node is; of some nothing is said.
fn labels(random: &mut Random, nodes: usize) -> NodesConfig {
    let racks = random.within(1..=4);
    let labels = (0..nodes).map(|number| (node(number), random.within(0..=racks)));
    let labels = labels.filter(|(_, rack)| *rack > 0);
    let text: String = labels.map(|(node, rack)| format!("node: {node}\n\tfailure-domain rack{rack}\n\n")).collect();
    NodesConfig::read(text.as_bytes()).config
}

fn rule(random: &mut Random, extent: &Extent, number: usize, services: usize, nodes: usize) -> Rule {
    let kind = random.within(0..=9);
    let range = match kind {
        0..=2 => &extent.together,
        3..=6 => &extent.apart,
        _ => &extent.on,
    };
    let count = random.count(range.clone());
    let resources = random.some(count, services).into_iter().map(sid).collect();
    let is_strict = random.within(0..=7) > 0;
    let kind = match kind {
        0..=2 => RuleKind::resource_affinity(Affinity::Positive),
        3..=6 => {
            let spread = (random.within(0..=2) == 0).then_some(Spread::FailureDomain);
            RuleKind::ResourceAffinity {
                affinity: Affinity::Negative,
                apart: Apart { strict: Some(is_strict), spread },
            }
        }
        _ => {
            let count = random.count(extent.allowed.clone());
            let nodes: BTreeMap<NodeName, i32> =
                random.some(count, nodes).into_iter().map(|number| (node(number), 0)).collect();
            RuleKind::NodeAffinity { nodes, strict: Some(is_strict), affinity: Affinity::Positive }
        }
    };
    Rule { id: RuleId::new(format!("rule{number:03}")).unwrap(), resources, disable: None, comment: None, kind }
}

fn usage(random: &mut Random, extent: &Extent, nodes: usize, services: usize) -> HostFigures {
    let mut usage = HostFigures::default();
    let sizes: Vec<u64> =
        (0..services).map(|_| extent.sizes[random.count(0..=extent.sizes.len() as u64 - 1)]).collect();
    let figures = |size: &u64| ServiceFigures { max_memory: *size, ..ServiceFigures::default() };
    usage.services.extend(sizes.iter().enumerate().map(|(number, size)| (sid(number), figures(size))));
    let fill = random.within(extent.fill.clone());
    let each = sizes.iter().sum::<u64>() * 100 / (fill * nodes as u64);
    for number in 0..nodes {
        // Half of the nodes have a little more, the others a little less.
        let size = if number % 2 == 0 { each + each / 8 } else { each - each / 8 };
        usage.nodes.insert(node(number), NodeFigures { max_memory: size.max(1), ..NodeFigures::default() });
    }
    usage
}
