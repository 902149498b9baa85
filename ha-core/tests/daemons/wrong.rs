//! Answers that say no, or make no sense, each at every call of its kind in turn: the daemon goes on, and does what it would have done.

use std::sync::Arc;

use ha_core::{
    config::{GroupsConfig, RequestedState},
    event::DaemonState,
    host::HostOperation,
    status::{LrmState, LrmStatus, ServiceState},
    time::Instant,
};

use crate::cluster::{Cluster, Daemon, Disturbance, Fault, node, sid};

/// An LRM with a service that runs and one that must be stopped, and what both must come to.
fn lrm() -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1"], Daemon::Lrm);
    for (name, state) in [
        ("vm:101", ServiceState::Started { confirmed: false }),
        ("vm:102", ServiceState::RequestStop { timeout: None }),
    ] {
        cluster.add_service(name, "node1", RequestedState::Started);
        cluster.put_entry(name, "node1", state, Some(name));
    }
    cluster.node("node1").running.insert(sid("vm:102"));
    cluster
}

fn lrm_is_done(cluster: &Cluster) -> bool {
    let state = cluster.nodes[&node("node1")].lrm.as_ref().map(|lrm| lrm.state());
    let results = &cluster.store.lrm_status[&node("node1")].results;
    state == Some(LrmState::Active)
        && cluster.places(&sid("vm:101")) == [&node("node1")]
        && cluster.places(&sid("vm:102")).is_empty()
        && results.len() == 2
}

/// A master with a group that becomes a rule, a command, and a node that it loses.
fn crm() -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
    cluster.add_service("vm:101", "node1", RequestedState::Started);
    cluster.add_service("vm:102", "node3", RequestedState::Started);
    cluster.store.groups = Arc::new(GroupsConfig::read(b"group: home\n\tnodes node1,node2\n").config);
    cluster.resources().get_mut(&sid("vm:101")).unwrap().group = Some("home".parse().unwrap());
    for name in ["node1", "node2", "node3"] {
        let record = LrmStatus { state: LrmState::Active, ..LrmStatus::default() };
        cluster.store.lrm_status.insert(node(name), Arc::new(record));
    }
    cluster.command("enable-node-maintenance node2");
    cluster
}

fn crm_is_done(cluster: &Cluster) -> bool {
    let status = cluster.status();
    let moved = status.services.get(&sid("vm:102")).is_some_and(|entry| entry.node != node("node3"));
    cluster.nodes[&node("node1")].crm.as_ref().map(|crm| crm.state()) == Some(DaemonState::Master)
        && cluster.store.groups.groups.is_empty()
        && status.services.contains(&sid("vm:101"))
        && !status.is_there(&node("node3"))
        && moved
}

/// Plays 400 s, in which `node3` is lost after a quarter, where there is one.
fn play(mut cluster: Cluster, disturbance: Option<Disturbance>) -> Cluster {
    cluster.disturbance = disturbance;
    cluster.run_until(Instant::from_secs(100));
    if let Some(node3) = cluster.nodes.get_mut(&node("node3")) {
        node3.connected = false;
    }
    cluster.run_until(Instant::from_secs(400));
    cluster
}

/// Plays it with each of these answers wrong once, at each call that is made of it if none is.
fn each_answer_is_wrong_in_turn(operations: &[HostOperation], begin: fn() -> Cluster, is_done: fn(&Cluster) -> bool) {
    let undisturbed = play(begin(), None);
    assert!(is_done(&undisturbed), "it does not even come to that if no answer is wrong");
    for operation in operations {
        let calls = undisturbed.calls.get(operation).copied().unwrap_or_default();
        assert!(calls > 0, "{operation} is never called");
        for number in 1..=calls {
            let disturbance = Disturbance { operation: *operation, number, fault: Fault::Wrong };
            let cluster = play(begin(), Some(disturbance));
            assert!(is_done(&cluster), "{operation}, call {number} of {calls}: {:?}", cluster.status());
        }
    }
}

#[test]
fn an_lrm_goes_on_after_any_wrong_answer() {
    let operations = [
        HostOperation::TakeLock,
        HostOperation::OpenWatchdog,
        HostOperation::FeedWatchdog,
        HostOperation::FinishedJobs,
    ];
    each_answer_is_wrong_in_turn(&operations, lrm, lrm_is_done);
}

#[test]
fn a_master_goes_on_after_any_wrong_answer() {
    let operations = [
        HostOperation::TakeLock,
        HostOperation::OpenWatchdog,
        HostOperation::FeedWatchdog,
        HostOperation::Members,
        HostOperation::Commands,
        HostOperation::SoftwareVersion,
    ];
    each_answer_is_wrong_in_turn(&operations, crm, crm_is_done);
}
