//! Fence devices: what counts as proof that a node is down, and how devices are tried one after another.

use std::sync::Arc;

use ha_core::{
    config::{FenceConfig, RequestedState, datacenter::FencingMode},
    host::{FenceProgress, HostOperation, Lock},
    status::{NodeState, ServiceState, StateName},
};

use crate::cluster::{Cluster, Daemon, node, sid};

const TWO_DEVICES: &str = "\
device first fence_one ip=192.0.2.1
device second fence_two ip=192.0.2.2
connect first node=node2 plug=1
connect second node=node2 plug=2
";

/// A master whose `node2` has gone with `vm:101` on it, and is to be fenced. The lock of `node2` is not over yet.
fn failed_node(fencing: FencingMode) -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
    cluster.datacenter().fencing = fencing;
    cluster.store.fence = Some(Arc::new(FenceConfig::read(TWO_DEVICES.as_bytes()).config.unwrap()));
    cluster.add_service("vm:101", "node2", RequestedState::Started);
    cluster.put_entry("vm:101", "node2", ServiceState::Started { confirmed: true }, Some("one"));
    cluster.iterate_times(1, "node1", Daemon::Crm);
    cluster.node("node2").connected = false;
    for _ in 0..5 {
        hold_lock(&mut cluster);
        cluster.iterate_times(1, "node1", Daemon::Crm);
    }
    assert_eq!(cluster.status().node_state(&node("node2")), NodeState::Unknown);
    hold_lock(&mut cluster);
    cluster.take_events();
    cluster
}

fn hold_lock(cluster: &mut Cluster) {
    cluster.give_lock(Lock::Agent(node("node2")), "node2");
}

fn lose_lock(cluster: &mut Cluster) {
    cluster.release_lock_of("node2");
}

fn iterate(cluster: &mut Cluster) {
    cluster.iterate_times(1, "node1", Daemon::Crm);
}

fn is_recovered(cluster: &Cluster) -> bool {
    let status = cluster.status();
    let entry = status.services.get(&sid("vm:101")).unwrap();
    let is_recovered = entry.node != node("node2");
    assert_eq!(entry.state.name(), if is_recovered { StateName::Started } else { StateName::Fence });
    assert_eq!(status.node_state(&node("node2")) == NodeState::Fence, !is_recovered);
    is_recovered
}

fn runs(cluster: &Cluster) -> u32 {
    cluster.calls.get(&HostOperation::RunFenceDevice).copied().unwrap_or_default()
}

#[test]
fn with_hardware_a_device_that_succeeded_is_proof_enough() {
    let mut cluster = failed_node(FencingMode::Hardware);
    cluster.devices.insert(0, FenceProgress::Succeeded);
    iterate(&mut cluster);
    assert!(is_recovered(&cluster));
    assert_eq!(runs(&cluster), 1);
}

#[test]
fn with_hardware_the_lock_is_no_proof() {
    let mut cluster = failed_node(FencingMode::Hardware);
    lose_lock(&mut cluster);
    iterate(&mut cluster);
    assert!(!is_recovered(&cluster));
}

#[test]
fn with_both_neither_is_proof_without_the_other() {
    let mut only_device = failed_node(FencingMode::Both);
    only_device.devices.insert(0, FenceProgress::Succeeded);
    iterate(&mut only_device);
    assert!(!is_recovered(&only_device));

    let mut only_lock = failed_node(FencingMode::Both);
    lose_lock(&mut only_lock);
    iterate(&mut only_lock);
    assert!(!is_recovered(&only_lock));

    lose_lock(&mut only_device);
    iterate(&mut only_device);
    assert!(is_recovered(&only_device));
    assert_eq!(runs(&only_device), 1, "a node that is off is not switched off again");
}

#[test]
fn the_next_device_is_tried_when_one_fails_and_without_any_left_the_node_stays_in_fence() {
    let mut second = failed_node(FencingMode::Hardware);
    second.devices.insert(1, FenceProgress::Succeeded);
    iterate(&mut second);
    assert!(is_recovered(&second));
    assert_eq!(runs(&second), 2);

    let mut none = failed_node(FencingMode::Hardware);
    iterate(&mut none);
    let exhausted = |cluster: &mut Cluster| {
        cluster.take_events().iter().filter(|event| *event == "fence_devices_exhausted").count()
    };
    assert_eq!(exhausted(&mut none), 1);
    assert_eq!(runs(&none), 2);
    none.devices.insert(0, FenceProgress::Succeeded);
    lose_lock(&mut none);
    iterate(&mut none);
    assert!(!is_recovered(&none), "nothing is recovered on a guess");
    assert_eq!((runs(&none), exhausted(&mut none)), (2, 0));
}

#[test]
fn a_device_that_still_runs_is_asked_once_a_round_and_no_other_one_is() {
    let mut cluster = failed_node(FencingMode::Hardware);
    // Another service lets a round take more than one pass.
    cluster.add_service("vm:102", "node1", RequestedState::Started);
    cluster.devices.insert(0, FenceProgress::Running);
    for round in 1..=3 {
        iterate(&mut cluster);
        assert!(!is_recovered(&cluster));
        assert_eq!(runs(&cluster), round);
    }
    cluster.devices.insert(0, FenceProgress::Succeeded);
    iterate(&mut cluster);
    assert!(is_recovered(&cluster));
    assert_eq!(runs(&cluster), 4);
}

#[test]
fn a_node_that_came_back_and_fails_again_is_switched_off_again() {
    let mut cluster = failed_node(FencingMode::Hardware);
    cluster.devices.insert(0, FenceProgress::Succeeded);
    iterate(&mut cluster);
    assert!(is_recovered(&cluster));
    cluster.node("node2").connected = true;
    cluster.add_service("vm:102", "node2", RequestedState::Started);
    iterate(&mut cluster);
    cluster.node("node2").connected = false;
    let before = runs(&cluster);
    for _ in 0..5 {
        iterate(&mut cluster);
    }
    assert_eq!(runs(&cluster), before);
    iterate(&mut cluster);
    assert_eq!(runs(&cluster), before + 1, "what a device did before proves nothing now");
}
