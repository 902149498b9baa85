//! The reference values of rule P10 (`docs/behaviour/placement.md`), and what happens without figures.

use std::sync::Arc;

use ha_core::{
    config::{
        DatacenterConfig,
        datacenter::{ImbalanceScale, SchedulerMode},
    },
    host::{Configuration, HostFigures, NodeFigures, ServiceFigures},
    id::NodeName,
    placement::{BalanceHold, BalanceOutcome, Figure, Preference},
    status::{ManagerStatus, NodeState, ServiceEntry, ServiceState},
};

use crate::cluster::{Cluster, sid};

const MIB: u64 = 1 << 20;

/// Three nodes of 16 cores and 64 GiB under measured load, and a service without load that must be placed.
fn reference(scale: ImbalanceScale, service: ServiceFigures) -> Cluster {
    let mut status = ManagerStatus::default();
    let mut usage = HostFigures::default();
    for (name, cpu, memory) in [("node1", 1.7, 12334), ("node2", 15.184, 529), ("node3", 5.2, 9381)] {
        let node = NodeName::new(name).unwrap();
        status.nodes.insert(node.clone(), NodeState::Online);
        let size = NodeFigures { max_cpu: 16.0, max_memory: 65536 * MIB, cpu, memory: memory * MIB };
        usage.nodes.insert(node, size);
    }
    status.services.insert(sid(0), ServiceEntry::new(ServiceState::Recovery, NodeName::new("node4").unwrap()));
    usage.services.insert(sid(0), service);
    let mut datacenter = DatacenterConfig::default();
    datacenter.scheduler.mode = SchedulerMode::Dynamic;
    datacenter.scheduler.auto_rebalance = true;
    datacenter.scheduler.scale = scale;
    let configuration = Configuration { datacenter: Arc::new(datacenter), ..Configuration::default() };
    Cluster { members: status.nodes.keys().cloned().collect(), status, configuration, usage, unmanaged: Vec::new() }
}

fn service(max_cpu: f64) -> ServiceFigures {
    ServiceFigures { max_cpu, max_memory: 12 * 1024 * MIB, cpu: 0.0, memory: 0 }
}

fn assert_scores(cluster: &Cluster, expected: [f64; 3]) {
    let explanation = cluster.situation().explain(&sid(0), Preference::BestScore).unwrap();
    for (node, expected) in explanation.nodes.iter().zip(expected) {
        let Some(Figure::Score(score)) = node.figure else { panic!("{node:?}") };
        assert!((score - expected).abs() < 1e-12, "{}: {score} is not {expected}", node.node);
    }
}

#[test]
fn scores_are_the_reference_values() {
    assert_scores(
        &reference(ImbalanceScale::Plain, service(12.0)),
        [0.324_986_979_417, 0.675_013_020_583, 0.383_789_902_863],
    );
    assert_scores(
        &reference(ImbalanceScale::Plain, service(1.0)),
        [0.044_998_691_436, 0.955_001_308_564, 0.252_725_819_957],
    );
}

#[test]
fn imbalances_are_the_reference_values() {
    for (scale, expected) in
        [(ImbalanceScale::Plain, 0.489_395_472_462_824_7), (ImbalanceScale::Normalised, 0.346_054_857_260_457_6)]
    {
        let balance = reference(scale, service(1.0)).situation().balance(BalanceHold::default(), 1);
        assert!((balance.imbalance.unwrap() - expected).abs() < 1e-15, "{balance:?}");
    }
}

#[test]
fn a_node_with_figures_that_cannot_be_comes_last() {
    type Spoil = fn(&mut NodeFigures);
    let cases: [Spoil; 6] = [
        |node| node.max_cpu = 0.0,
        |node| node.max_cpu = f64::NAN,
        |node| node.max_cpu = f64::INFINITY,
        |node| node.max_memory = 0,
        |node| node.cpu = -1.0,
        |node| node.cpu = f64::NAN,
    ];
    for spoil in cases {
        let mut cluster = reference(ImbalanceScale::Plain, service(1.0));
        spoil(cluster.usage.nodes.get_mut("node2").unwrap());
        assert_node2_comes_last(&cluster);
    }
    let mut cluster = reference(ImbalanceScale::Plain, service(1.0));
    cluster.usage.nodes.remove("node2");
    assert_node2_comes_last(&cluster);
    cluster.usage.nodes.clear();
    assert_falls_back(&cluster, "the figures lack node 'node1'");
}

/// With figures it would come first.
fn assert_node2_comes_last(cluster: &Cluster) {
    let explanation = cluster.situation().explain(&sid(0), Preference::BestScore).unwrap();
    assert_eq!((explanation.scheduler, &explanation.fallback), (SchedulerMode::Dynamic, &None));
    assert_eq!(explanation.answer.as_ref().unwrap(), "node3");
    let node2 = &explanation.nodes[1];
    assert_eq!((node2.rank, node2.figure), (Some(3), None));
    let balance = cluster.situation().balance(BalanceHold::after(5), 1);
    assert!(balance.imbalance.is_some(), "{balance:?}");
}

#[test]
fn a_service_with_figures_that_cannot_be_is_placed_by_counting_alone() {
    type Spoil = fn(&mut ServiceFigures);
    let cases: [(Spoil, &str); 3] = [
        (|service| service.max_cpu = f64::INFINITY, "service 'vm:100' cannot be limited to inf cores"),
        (|service| service.max_cpu = -2.0, "service 'vm:100' cannot be limited to -2 cores"),
        (|service| service.cpu = f64::NAN, "service 'vm:100' cannot use NaN cores"),
    ];
    for (spoil, reason) in cases {
        let mut cluster = reference(ImbalanceScale::Plain, service(1.0));
        let entry = ServiceEntry::new(ServiceState::Stopped, NodeName::new("node1").unwrap());
        cluster.status.services.insert(sid(1), entry);
        cluster.usage.services.insert(sid(1), service(1.0));
        spoil(&mut cluster.usage.services[0]);
        let explanation = cluster.situation().explain(&sid(0), Preference::BestScore).unwrap();
        assert!(explanation.fallback.unwrap_or_default().starts_with(reason), "{reason}");
        assert_eq!(explanation.nodes[0].figure, Some(Figure::Services(0)));
        let other = cluster.situation().explain(&sid(1), Preference::BestScore).unwrap();
        assert_eq!((other.scheduler, other.fallback), (SchedulerMode::Dynamic, None));
        let balance = cluster.situation().balance(BalanceHold::after(5), 1);
        assert!(balance.imbalance.is_some(), "{balance:?}");
    }
}

#[test]
fn without_any_figures_services_are_counted_and_it_is_said_what_is_missing() {
    let mut cluster = reference(ImbalanceScale::Plain, service(1.0));
    cluster.usage.services.clear();
    assert_falls_back(&cluster, "the figures lack service 'vm:100'");

    let cluster = reference(ImbalanceScale::Plain, service(1.0));
    let mut situation = cluster.situation();
    situation.usage = None;
    let explanation = situation.explain(&sid(0), Preference::BestScore).unwrap();
    assert_eq!(explanation.fallback.as_deref(), Some("the host has no figures"));
}

fn assert_falls_back(cluster: &Cluster, reason: &str) {
    let explanation = cluster.situation().explain(&sid(0), Preference::BestScore).unwrap();
    assert_eq!(explanation.scheduler, SchedulerMode::Basic);
    let fallback = explanation.fallback.unwrap_or_default();
    assert!(fallback.starts_with(reason), "'{fallback}' does not begin with '{reason}'");
    assert_eq!(explanation.nodes[0].figure, Some(Figure::Services(0)));
    let balance = cluster.situation().balance(BalanceHold::after(5), 1);
    assert_eq!((balance.outcome, balance.imbalance), (BalanceOutcome::NotMeasured, None));
}
