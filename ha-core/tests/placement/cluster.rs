//! Random clusters.

use std::sync::Arc;

use ha_core::{
    config::{
        Affinity, Apart, DatacenterConfig, NodeLabels, NodesConfig, Resource, ResourcesConfig, Rule, RuleKind,
        RulesConfig, Spread,
        datacenter::{BalanceMethod, ImbalanceScale, SchedulerMode},
    },
    host::{Configuration, HostFigures, NodeFigures, ServiceFigures, UnmanagedGuest},
    id::{FailureDomain, NodeName, RuleId, ServiceId},
    plan::Situation,
    status::{ManagerStatus, NodeFencings, NodeState, ServiceEntry, ServiceState},
};
use proptest::{bool::weighted, collection::vec, prelude::*, sample::select};

pub(crate) fn node(number: usize) -> NodeName {
    NodeName::new(format!("node{number:02}")).unwrap()
}

pub(crate) fn sid(number: usize) -> ServiceId {
    ServiceId::new(format!("vm:{}", 100 + number)).unwrap()
}

/// All that placement looks at.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) status: ManagerStatus,
    pub(crate) configuration: Configuration,
    pub(crate) members: Vec<NodeName>,
    pub(crate) usage: HostFigures,
    pub(crate) unmanaged: Vec<UnmanagedGuest>,
}

impl Cluster {
    pub(crate) fn situation(&self) -> Situation<'_> {
        Situation {
            usage: Some(&self.usage),
            unmanaged: &self.unmanaged,
            ..Situation::new(&self.status, &self.configuration, &self.members)
        }
    }

    pub(crate) fn mode(&self) -> SchedulerMode {
        self.configuration.datacenter.scheduler.mode
    }

    pub(crate) fn is_online(&self, node: &NodeName) -> bool {
        self.status.is_online(node)
    }

    /// Whether a node takes no new services.
    pub(crate) fn is_held(&self, node: &NodeName) -> bool {
        self.configuration.datacenter.flapping_hold.is_some() && self.status.held_for(node).is_some()
    }

    pub(crate) fn failback(&self, sid: &ServiceId) -> bool {
        self.configuration.resources.resources[sid].failback()
    }

    pub(crate) fn auto_rebalance(&self, sid: &ServiceId) -> bool {
        self.configuration.resources.resources[sid].auto_rebalance()
    }

    pub(crate) fn change_scheduler(&mut self, change: impl FnOnce(&mut ha_core::config::datacenter::SchedulerConfig)) {
        change(&mut Arc::make_mut(&mut self.configuration.datacenter).scheduler);
    }
}

const GIB: u64 = 1 << 30;

fn node_figures() -> impl Strategy<Value = NodeFigures> {
    (select(vec![8.0, 16.0, 24.0]), select(vec![32 * GIB, 64 * GIB, 96 * GIB]), 0.0..1.2, 0.0..1.2).prop_map(
        |(max_cpu, max_memory, cpu, memory): (f64, u64, f64, f64)| NodeFigures {
            max_cpu,
            max_memory,
            cpu: max_cpu * cpu,
            memory: (max_memory as f64 * memory) as u64,
        },
    )
}

fn service_figures() -> impl Strategy<Value = ServiceFigures> {
    let cores = prop_oneof![Just(0.0), Just(4.0), 0.2..12.0];
    (cores, GIB..16 * GIB, 0.0..6.0, 0..8 * GIB).prop_map(|(max_cpu, max_memory, cpu, memory)| ServiceFigures {
        max_cpu,
        max_memory,
        cpu,
        memory,
    })
}

fn service_state(nodes: usize) -> impl Strategy<Value = ServiceState> {
    let target = move || (0..nodes).prop_map(node);
    prop_oneof![
        6 => any::<bool>().prop_map(|confirmed| ServiceState::Started { confirmed }),
        1 => Just(ServiceState::Stopped),
        1 => Just(ServiceState::RequestStart),
        1 => Just(ServiceState::RequestStop { timeout: None }),
        1 => Just(ServiceState::Recovery),
        1 => Just(ServiceState::Error),
        1 => Just(ServiceState::Fence),
        1 => Just(ServiceState::Freeze),
        1 => target().prop_map(|target| ServiceState::Migrate { target }),
        1 => target().prop_map(|target| ServiceState::Relocate { target }),
        1 => target().prop_map(|target| ServiceState::RequestStartBalance { target }),
    ]
}

fn service_entry(nodes: usize) -> impl Strategy<Value = ServiceEntry> {
    let failed = vec((0..nodes).prop_map(node), 0..3);
    let maintenance_node = proptest::option::weighted(0.2, (0..nodes).prop_map(node));
    (service_state(nodes), 0..nodes, failed, maintenance_node).prop_map(
        |(state, at, failed_nodes, maintenance_node)| {
            let mut entry = ServiceEntry::new(state, node(at));
            if entry.state.target() == Some(&entry.node) {
                entry.state = ServiceState::Started { confirmed: true };
            }
            ServiceEntry { failed_nodes, maintenance_node, ..entry }
        },
    )
}

fn rule_kind(nodes: usize) -> impl Strategy<Value = RuleKind> {
    let affinity =
        (vec((0..nodes, 0..3), 1..=nodes), any::<bool>(), weighted(0.2)).prop_map(|(priorities, strict, negative)| {
            let priority = |priority| if negative { 0 } else { priority };
            let nodes = priorities.into_iter().map(|(number, given)| (node(number), priority(given)));
            let affinity = if negative { Affinity::Negative } else { Affinity::Positive };
            RuleKind::NodeAffinity { nodes: nodes.collect(), strict: Some(strict), affinity }
        });
    prop_oneof![
        affinity,
        Just(RuleKind::resource_affinity(Affinity::Positive)),
        Just(RuleKind::resource_affinity(Affinity::Negative)),
        (any::<bool>(), any::<bool>()).prop_map(|(strict, is_spread)| {
            let apart = Apart { strict: Some(strict), spread: is_spread.then_some(Spread::FailureDomain) };
            RuleKind::ResourceAffinity { affinity: Affinity::Negative, apart }
        }),
    ]
}

fn rules(nodes: usize, services: usize) -> impl Strategy<Value = RulesConfig> {
    vec((rule_kind(nodes), vec(0..services, 1..4)), 0..5).prop_map(|rules| {
        let mut config = RulesConfig::default();
        for (number, (kind, mut resources)) in rules.into_iter().enumerate() {
            resources.sort_unstable();
            resources.dedup();
            let id = RuleId::new(format!("rule{number}")).unwrap();
            let resources = resources.into_iter().map(sid).collect();
            config.rules.insert(id.clone(), Rule { id, resources, disable: None, comment: None, kind });
        }
        config
    })
}

/// What people say of nodes: which of them fail together.
fn labels(nodes: usize) -> impl Strategy<Value = NodesConfig> {
    vec(proptest::option::weighted(0.8, 0..3_usize), nodes).prop_map(|domains| {
        let labels = domains.into_iter().enumerate().filter_map(|(number, domain)| {
            let failure_domain = Some(FailureDomain::new(format!("rack{}", domain?)).unwrap());
            Some((node(number), NodeLabels { node: node(number), failure_domain, comment: None }))
        });
        NodesConfig { nodes: labels.collect(), ..NodesConfig::default() }
    })
}

/// A cluster in any situation, of at most so many nodes and services.
pub(crate) fn cluster(max_nodes: usize, max_services: usize) -> impl Strategy<Value = Cluster> {
    (1..=max_nodes, 1..=max_services).prop_flat_map(|(nodes, services)| {
        let states = vec(
            prop_oneof![8 => Just(NodeState::Online), 1 => Just(NodeState::Maintenance), 1 => Just(NodeState::Unknown)],
            nodes,
        );
        let scheduler = (
            select(SchedulerMode::ALL),
            select(BalanceMethod::ALL),
            select(vec![ImbalanceScale::Plain, ImbalanceScale::Normalised]),
        );
        // In most clusters no node takes no new services.
        let held = prop_oneof![2 => vec(Just(false), nodes), 1 => vec(weighted(0.4), nodes)];
        (
            (states, held, weighted(0.9)),
            vec(node_figures(), nodes),
            vec((service_entry(nodes), service_figures(), (any::<bool>(), weighted(0.9))), services),
            vec((0..nodes, service_figures(), any::<bool>()), 0..4),
            (rules(nodes, services), labels(nodes)),
            scheduler,
        )
            .prop_map(
                |((states, held, counts_fencings), sizes, services, guests, (rules, labels), (mode, method, scale))| {
                    let mut status = ManagerStatus::default();
                    let mut usage = HostFigures::default();
                    let mut resources = ResourcesConfig::default();
                    let mut unmanaged = Vec::new();
                    for (number, (state, size)) in states.into_iter().zip(sizes).enumerate() {
                        status.nodes.insert(node(number), state);
                        usage.nodes.insert(node(number), size);
                    }
                    for (number, _) in held.into_iter().enumerate().filter(|(_, held)| *held) {
                        let fencings = NodeFencings { left: Some(300), ..NodeFencings::default() };
                        status.fenced_nodes.insert(node(number), fencings);
                    }
                    for (number, (entry, figures, (failback, auto_rebalance))) in services.into_iter().enumerate() {
                        status.services.insert(sid(number), entry);
                        usage.services.insert(sid(number), figures);
                        let resource = Resource {
                            failback: Some(failback),
                            auto_rebalance: Some(auto_rebalance),
                            ..Resource::new(sid(number))
                        };
                        resources.resources.insert(sid(number), resource);
                    }
                    for (number, (at, figures, running)) in guests.into_iter().enumerate() {
                        usage.services.insert(sid(500 + number), figures);
                        unmanaged.push(UnmanagedGuest { sid: sid(500 + number), node: node(at), running });
                    }
                    let mut datacenter = DatacenterConfig::default();
                    datacenter.scheduler.mode = mode;
                    datacenter.scheduler.method = method;
                    datacenter.scheduler.scale = scale;
                    datacenter.flapping_hold = counts_fencings.then_some(300);
                    let configuration = Configuration {
                        resources: Arc::new(resources),
                        rules: Arc::new(rules),
                        nodes: Arc::new(labels),
                        datacenter: Arc::new(datacenter),
                        ..Configuration::default()
                    };
                    Cluster { members: status.nodes.keys().cloned().collect(), status, configuration, usage, unmanaged }
                },
            )
    })
}
