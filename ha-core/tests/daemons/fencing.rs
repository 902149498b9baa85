//! Fence devices: what counts as proof that a node is down, and how devices are tried one after another.

use std::{collections::BTreeSet, sync::Arc};

use ha_core::{
    config::{FenceConfig, RequestedState, datacenter::FencingMode},
    host::{FenceProgress, HostOperation, Lock},
    status::{NodeState, ServiceState, StateName},
};

use crate::cluster::{Cluster, Daemon, node, secs, sid};

const TWO_DEVICES: &str = "\
device first fence_one ip=192.0.2.1
device second fence_two ip=192.0.2.2
connect first node=node2 plug=1
connect second node=node2 plug=2
";

/// A master whose `node2` has gone with `vm:101` on it, and must be fenced. The lock of `node2` is not over yet.
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
    lose_lock(&mut none);
    iterate(&mut none);
    assert!(!is_recovered(&none), "nothing is recovered on a guess");
}

#[test]
fn devices_that_failed_are_tried_again_after_pauses_that_grow() {
    let mut cluster = failed_node(FencingMode::Hardware);
    let mut rounds = Vec::new();
    for round in 0..130 {
        let before = runs(&cluster);
        iterate(&mut cluster);
        if runs(&cluster) > before {
            rounds.push(round);
        }
    }
    // A round takes 10 s.
    let pauses: Vec<i32> = rounds.windows(2).map(|pair| 10 * (pair[1] - pair[0])).collect();
    assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300, 300]);
    let numbers: Vec<u32> = cluster.attempts.iter().map(|attempt| attempt.number).collect();
    assert!(numbers.iter().copied().eq(0..numbers.len() as u32), "each attempt has a number of its own: {numbers:?}");
    assert!(cluster.attempts.iter().all(|attempt| attempt.incident == cluster.attempts[0].incident));
    cluster.devices.insert(1, FenceProgress::Succeeded);
    (0..31).for_each(|_| iterate(&mut cluster));
    assert!(is_recovered(&cluster));
}

#[test]
fn an_incident_is_recorded_and_its_devices_are_forgotten_when_it_ends() {
    let mut cluster = failed_node(FencingMode::Hardware);
    cluster.devices.insert(0, FenceProgress::Running);
    iterate(&mut cluster);
    let incident = cluster.status().fencing[&node("node2")].id.clone();
    assert_eq!(cluster.attempts[0].incident, incident);
    // Another CRM goes on with the same incident, and first has what it asked for earlier forgotten.
    cluster.forgotten.clear();
    cluster.start_daemon(&node("node1"), Daemon::Crm);
    iterate(&mut cluster);
    assert_eq!(cluster.attempts.last().unwrap().incident, incident, "it survives a change of master");
    assert_eq!(cluster.forgotten, [BTreeSet::from([incident.clone()])]);
    cluster.devices.insert(0, FenceProgress::Succeeded);
    iterate(&mut cluster);
    assert!(is_recovered(&cluster));
    assert!(cluster.status().fencing.is_empty());
    iterate(&mut cluster);
    assert_eq!(cluster.forgotten.last(), Some(&BTreeSet::new()));
}

#[test]
fn a_confirmation_is_accepted_only_for_a_node_that_is_to_be_fenced_and_is_not_online() {
    let mut cluster = failed_node(FencingMode::Hardware);
    iterate(&mut cluster);
    cluster.take_events();
    cluster.command("confirm-fenced node3");
    iterate(&mut cluster);
    assert!(cluster.take_events().contains(&"command_rejected".into()));
    // The lock is still held, so somebody may be wrong.
    cluster.command("confirm-fenced node2 alice@desk");
    hold_lock(&mut cluster);
    iterate(&mut cluster);
    let events = cluster.take_events();
    assert!(events.contains(&"command_accepted".into()) && events.contains(&"fence_confirmed".into()), "{events:?}");
    assert!(!is_recovered(&cluster));
    lose_lock(&mut cluster);
    iterate(&mut cluster);
    assert!(is_recovered(&cluster));
}

#[test]
fn a_node_that_is_online_is_not_confirmed_to_be_down() {
    let mut cluster = failed_node(FencingMode::Hardware);
    iterate(&mut cluster);
    cluster.node("node2").connected = true;
    cluster.command("confirm-fenced node2");
    cluster.take_events();
    iterate(&mut cluster);
    assert!(cluster.take_events().contains(&"command_rejected".into()));
    assert!(!is_recovered(&cluster));
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

#[test]
fn a_device_that_succeeded_proves_nothing_for_another_incident_that_begins_in_the_same_round() {
    let mut cluster = failed_node(FencingMode::Hardware);
    // Its node is missed only when it counts as started, in the second pass of the round.
    cluster.add_service("vm:102", "node2", RequestedState::Started);
    cluster.devices.insert(0, FenceProgress::Succeeded);
    iterate(&mut cluster);
    let state = |cluster: &Cluster| cluster.status().services.get(&sid("vm:102")).unwrap().state.name();
    assert_eq!((runs(&cluster), state(&cluster)), (1, StateName::Fence));
    iterate(&mut cluster);
    assert_eq!((runs(&cluster), state(&cluster)), (2, StateName::Started));
    assert_ne!(cluster.attempts[0].incident, cluster.attempts[1].incident);
}

#[test]
fn a_crm_that_is_no_longer_master_has_all_attempts_forgotten() {
    type Way = (&'static str, fn(&mut Cluster));
    let ways: [Way; 3] = [
        ("it lost its lock", |cluster| cluster.give_lock(Lock::Manager, "node3")),
        ("it is asked to stop", |cluster| cluster.stop_crm(&node("node1"))),
        ("another master has its node fenced", |cluster| {
            cluster.time = cluster.time.after(secs(200));
            cluster.edit_status(|status| {
                status.nodes.insert(node("node1"), NodeState::Fence);
            });
        }),
    ];
    for (name, way) in ways {
        let mut cluster = failed_node(FencingMode::Hardware);
        cluster.devices.insert(0, FenceProgress::Running);
        iterate(&mut cluster);
        assert_eq!(runs(&cluster), 1, "{name}");
        way(&mut cluster);
        cluster.forgotten.clear();
        cluster.iterate("node1", Daemon::Crm);
        assert_eq!(cluster.forgotten, [BTreeSet::new()], "{name}");
        assert_eq!(runs(&cluster), 1, "{name}");
    }
}

/// Lets the master's calls fail, as when the store has no room left.
fn break_store(cluster: &mut Cluster, broken: bool) {
    // Without these a service waits in `recovery` for a round that can do it.
    for operation in [HostOperation::WriteManagerStatus, HostOperation::RemoveLeftoverLocks] {
        let call = (node("node1"), operation);
        if broken {
            cluster.broken.insert(call);
        } else {
            cluster.broken.remove(&call);
        }
    }
}

#[test]
fn what_a_device_did_before_the_incident_was_recorded_proves_nothing() {
    let mut cluster = failed_node(FencingMode::Hardware);
    break_store(&mut cluster, true);
    cluster.devices.insert(0, FenceProgress::Succeeded);
    (0..3).for_each(|_| iterate(&mut cluster));
    assert_eq!(runs(&cluster), 1, "while nothing can be recorded no device is asked again");
    // The record says that the node should run the service: it may have done so since the device turned it off.
    break_store(&mut cluster, false);
    iterate(&mut cluster);
    assert!(!is_recovered(&cluster));
    assert_eq!(runs(&cluster), 1);
    iterate(&mut cluster);
    assert!(is_recovered(&cluster));
    assert_eq!(runs(&cluster), 2);
    assert_ne!(cluster.attempts[0].incident, cluster.attempts[1].incident, "an old answer must not count");
}

#[test]
fn a_device_that_was_asked_before_the_incident_was_recorded_is_asked_again() {
    let mut cluster = failed_node(FencingMode::Hardware);
    cluster.broken.insert((node("node1"), HostOperation::WriteManagerStatus));
    cluster.devices.insert(0, FenceProgress::Running);
    iterate(&mut cluster);
    break_store(&mut cluster, false);
    cluster.devices.insert(0, FenceProgress::Succeeded);
    iterate(&mut cluster);
    assert!(!is_recovered(&cluster), "when it turned the node off is not known");
    iterate(&mut cluster);
    assert!(is_recovered(&cluster));
    assert_ne!(cluster.attempts[0].incident, cluster.attempts[1].incident);
}

#[test]
fn the_lock_of_a_node_that_nobody_knows_to_be_fenced_is_taken_again() {
    let mut cluster = failed_node(FencingMode::Watchdog);
    lose_lock(&mut cluster);
    break_store(&mut cluster, true);
    iterate(&mut cluster);
    // The master's lock of the node ends meanwhile, and the node is back: it starts what the record says.
    for _ in 0..13 {
        iterate(&mut cluster);
    }
    hold_lock(&mut cluster);
    break_store(&mut cluster, false);
    iterate(&mut cluster);
    hold_lock(&mut cluster);
    iterate(&mut cluster);
    assert!(!is_recovered(&cluster));
    lose_lock(&mut cluster);
    iterate(&mut cluster);
    assert!(is_recovered(&cluster));
}

#[test]
fn a_fence_that_is_recorded_ends_though_its_end_cannot_be_written_at_once() {
    let mut cluster = failed_node(FencingMode::Hardware);
    cluster.devices.insert(0, FenceProgress::Running);
    iterate(&mut cluster);
    break_store(&mut cluster, true);
    cluster.devices.insert(0, FenceProgress::Succeeded);
    iterate(&mut cluster);
    iterate(&mut cluster);
    let asked = runs(&cluster);
    break_store(&mut cluster, false);
    iterate(&mut cluster);
    assert!(is_recovered(&cluster));
    assert_eq!(runs(&cluster), asked);
}
