//! Node states: each change that the membership and the modes of LRMs lead to.

use std::sync::Arc;

use ha_core::{
    config::RequestedState,
    status::{LrmMode, LrmState, LrmStatus, NodeState, ServiceState},
};

use crate::cluster::{Cluster, Daemon, node, secs, sid};

/// A master, with a service on its own node, that has seen all nodes.
fn cluster() -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3", "node4"], Daemon::Crm);
    cluster.add_service("vm:101", "node1", RequestedState::Stopped);
    cluster.put_entry("vm:101", "node1", ServiceState::Stopped, Some("one"));
    iterate(&mut cluster);
    cluster.take_events();
    cluster
}

fn iterate(cluster: &mut Cluster) {
    cluster.iterate_times(1, "node1", Daemon::Crm);
}

fn state(cluster: &Cluster) -> NodeState {
    cluster.status().node_state(&node("node2"))
}

fn is_known(cluster: &Cluster) -> bool {
    cluster.status().nodes.contains_key(&node("node2"))
}

fn set_mode(cluster: &mut Cluster, mode: LrmMode) {
    let record = LrmStatus { state: LrmState::Maintenance, mode, ..LrmStatus::default() };
    cluster.store.lrm_status.insert(node("node2"), Arc::new(record));
}

#[test]
fn online_to_unknown_and_back() {
    let mut cluster = cluster();
    assert_eq!(state(&cluster), NodeState::Online);
    cluster.node("node2").connected = false;
    iterate(&mut cluster);
    assert_eq!(state(&cluster), NodeState::Unknown);
    assert_eq!(cluster.take_events(), ["node_state"]);
    iterate(&mut cluster);
    assert_eq!(state(&cluster), NodeState::Unknown, "it is still a member");
    assert_eq!(cluster.take_events(), [""; 0]);
    cluster.node("node2").connected = true;
    iterate(&mut cluster);
    assert_eq!(state(&cluster), NodeState::Online);
}

#[test]
fn maintenance_of_a_node_that_is_off_lasts_as_long_as_its_mode() {
    let mut cluster = cluster();
    set_mode(&mut cluster, LrmMode::Maintenance);
    iterate(&mut cluster);
    assert_eq!(state(&cluster), NodeState::Maintenance);
    cluster.node("node2").connected = false;
    iterate(&mut cluster);
    assert_eq!(state(&cluster), NodeState::Maintenance);
    set_mode(&mut cluster, LrmMode::Active);
    iterate(&mut cluster);
    assert_eq!(state(&cluster), NodeState::Unknown);
}

#[test]
fn a_node_that_left_the_cluster_is_forgotten_after_more_than_an_hour() {
    let mut cluster = cluster();
    let left = cluster.nodes.remove(&node("node2")).unwrap();
    iterate(&mut cluster);
    assert_eq!(state(&cluster), NodeState::Unknown);
    iterate(&mut cluster);
    assert_eq!(state(&cluster), NodeState::Gone);
    // It was last seen 20 s ago.
    while cluster.time.since_start() < secs(3600) {
        iterate(&mut cluster);
        assert!(is_known(&cluster));
    }
    assert_eq!(cluster.time.since_start(), secs(3600));
    cluster.take_events();
    iterate(&mut cluster);
    assert!(is_known(&cluster), "an hour is not more than an hour");
    iterate(&mut cluster);
    assert!(!is_known(&cluster));
    assert_eq!(cluster.take_events(), ["node_forgotten"]);
    cluster.nodes.insert(node("node2"), left);
    iterate(&mut cluster);
    assert_eq!(state(&cluster), NodeState::Online);
}

#[test]
fn a_new_master_waits_the_full_delay_for_a_node_that_it_never_saw() {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
    cluster.time = cluster.time.after(secs(1000));
    cluster.add_service("vm:101", "node2", RequestedState::Started);
    cluster.put_entry("vm:101", "node2", ServiceState::Started { confirmed: true }, Some("one"));
    cluster.edit_status(|status| {
        status.nodes.insert(node("node2"), NodeState::Unknown);
    });
    cluster.node("node2").connected = false;
    // Nobody holds the lock of node2, so that it is fenced, and its service recovered, in the round in which that begins.
    let is_on_node2 = |cluster: &Cluster| cluster.status().services.get(&sid("vm:101")).unwrap().node == node("node2");
    for round in 1..=6 {
        iterate(&mut cluster);
        assert!(is_on_node2(&cluster), "after {round} rounds");
    }
    iterate(&mut cluster);
    assert!(!is_on_node2(&cluster), "60 s after it first asked");
}

#[test]
fn rules_are_judged_anew_when_a_member_leaves_or_joins() {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
    for name in ["vm:101", "vm:102", "vm:103"] {
        cluster.add_service(name, "node1", RequestedState::Stopped);
    }
    cluster.set_rules("resource-affinity: apart\n\tresources vm:101,vm:102,vm:103\n\taffinity negative\n");
    let dropped = |cluster: &mut Cluster| {
        iterate(cluster);
        cluster.take_events().contains(&"rule_dropped".into())
    };
    assert!(!dropped(&mut cluster), "there is a node for each");
    let node3 = cluster.nodes.remove(&node("node3")).unwrap();
    assert!(dropped(&mut cluster), "three do not fit on two");
    cluster.nodes.insert(node("node3"), node3);
    assert!(!dropped(&mut cluster));
}
