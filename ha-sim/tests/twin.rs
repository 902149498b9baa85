//! Another machine with the name of a node.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use ha_core::{event::Event, id::NodeName};
use ha_sim::{
    cluster::{ActionError, Cluster, Setup},
    world::What,
};

fn cluster() -> Cluster {
    let setup = Setup::new(["node1", "node2", "node3"]).unwrap();
    let setup = setup.resources("vm: 100\n").unwrap().guest("vm:100", "node3").unwrap();
    let mut cluster = Cluster::new(setup);
    cluster.run_for(Duration::from_secs(60)).unwrap();
    assert_eq!(places(&cluster), ["node3"]);
    cluster
}

fn node3() -> NodeName {
    "node3".parse().unwrap()
}

fn places(cluster: &Cluster) -> Vec<String> {
    cluster.world().places(&"vm:100".parse().unwrap()).map(ToString::to_string).collect()
}

fn was_seen(cluster: &Cluster) -> bool {
    cluster.world().happenings.iter().any(|happening| matches!(&happening.what, What::Core(Event::TwinSeen { .. })))
}

#[test]
fn a_twin_does_nothing_as_long_as_the_node_is_heard_from() {
    let mut cluster = cluster();
    cluster.twin_appears(&node3()).unwrap();
    assert_eq!(cluster.twin_appears(&node3()), Err(ActionError::HasTwin(node3())));
    cluster.run_for(Duration::from_secs(600)).unwrap();
    assert_eq!(places(&cluster), ["node3"]);
    assert!(!was_seen(&cluster));
}

/// Whoever is first after the lifetime has the lock, the master or the twin; the node was reset before, and does nothing after.
#[test]
fn a_node_that_comes_back_when_its_twin_has_its_name_does_nothing_before_the_twin_is_gone() {
    let mut cluster = cluster();
    cluster.twin_appears(&node3()).unwrap();
    cluster.power_off(&node3()).unwrap();
    cluster.run_for(Duration::from_secs(150)).unwrap();
    assert!(was_seen(&cluster));
    let there = places(&cluster);
    assert_eq!(there.len(), 1, "{there:?}");
    cluster.power_on(&node3()).unwrap();
    cluster.run_for(Duration::from_secs(600)).unwrap();
    assert_eq!(places(&cluster).len(), 1);
    assert_ne!(places(&cluster), ["node3"]);
    cluster.twin_goes(&node3()).unwrap();
    cluster.run_for(Duration::from_secs(600)).unwrap();
    assert_eq!(places(&cluster).len(), 1);
}

/// As on hosts that took a name for a proof.
#[test]
fn where_names_count_a_twin_leads_to_a_double_run() {
    let mut cluster = cluster();
    cluster.let_names_count();
    cluster.twin_appears(&node3()).unwrap();
    let ran_twice = cluster.run_for(Duration::from_secs(60)).unwrap_err();
    assert_eq!(ran_twice.nodes.len(), 2);
}

/// Its services run on, and nothing guards them: no silence lets anybody else have its name.
#[test]
fn a_twin_of_an_unguarded_node_that_is_cut_off_does_nothing() {
    let mut cluster = cluster();
    cluster.queue_command("disarm-ha freeze").unwrap();
    cluster.run_for(Duration::from_secs(120)).unwrap();
    cluster.queue_command("arm-ha").unwrap();
    cluster.set_network(&node3(), false).unwrap();
    cluster.twin_appears(&node3()).unwrap();
    cluster.run_for(Duration::from_secs(600)).unwrap();
    assert_eq!(places(&cluster), ["node3"]);
    assert!(!was_seen(&cluster));
}
