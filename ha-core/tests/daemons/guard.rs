//! Nodes to which a service comes running while their LRM does not have its lock: nobody may take that lock for a proof.

use std::sync::Arc;

use ha_core::{
    config::RequestedState,
    host::{Lock, UnmanagedGuest},
    status::{ExitCode, JobResult, LrmMode, LrmState, LrmStatus, NodeState, ServiceState, StateName, Writer},
};

use crate::cluster::{Cluster, Daemon, node, sid};

/// A CRM that becomes master in its first iteration, with a service on `node2`. No LRM has its lock.
fn cluster() -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
    cluster.add_service("vm:101", "node2", RequestedState::Started);
    cluster
}

fn iterate(cluster: &mut Cluster) {
    cluster.iterate_times(1, "node1", Daemon::Crm);
}

fn is_unguarded(cluster: &Cluster, name: &str) -> bool {
    cluster.status().unguarded.contains(&node(name))
}

/// `node2` must be fenced for `vm:101`, and its lock is free. Another service is on its way there.
fn fence_with_one_on_its_way(state: ServiceState) -> Cluster {
    let mut cluster = cluster();
    cluster.add_service("vm:102", "node3", RequestedState::Started);
    cluster.put_entry("vm:102", "node3", state, Some("two"));
    cluster.put_entry("vm:101", "node2", ServiceState::Fence, Some("one"));
    cluster.edit_status(|status| status.nodes.extend([(node("node2"), NodeState::Fence)]));
    iterate(&mut cluster);
    let entry = cluster.status().services.get(&sid("vm:101")).cloned().unwrap();
    assert_ne!(entry.state.name(), StateName::Fence, "it was fenced");
    cluster
}

#[test]
fn a_fenced_node_to_which_a_service_comes_live_is_unguarded() {
    let cluster = fence_with_one_on_its_way(ServiceState::Migrate { target: node("node2") });
    assert!(is_unguarded(&cluster, "node2"));
}

#[test]
fn a_fenced_node_to_which_a_service_comes_stopped_is_not() {
    let cluster = fence_with_one_on_its_way(ServiceState::Relocate { target: node("node2") });
    assert!(!is_unguarded(&cluster, "node2"));
}

#[test]
fn a_service_that_turns_out_to_be_elsewhere_when_it_is_recovered_may_have_come_live() {
    let mut cluster = cluster();
    cluster.guests.get_mut(&sid("vm:101")).unwrap().node = node("node3");
    cluster.put_entry("vm:101", "node2", ServiceState::Recovery, Some("one"));
    iterate(&mut cluster);
    assert_eq!(cluster.status().services.get(&sid("vm:101")).unwrap().node, node("node3"));
    assert!(is_unguarded(&cluster, "node3"));
}

#[test]
fn a_node_whose_lrm_let_go_before_a_live_move_to_it_was_over_is_unguarded() {
    let mut cluster = cluster();
    cluster.put_entry("vm:101", "node2", ServiceState::Migrate { target: node("node3") }, Some("one"));
    cluster.guests.get_mut(&sid("vm:101")).unwrap().node = node("node3");
    let mut record = LrmStatus { state: LrmState::Active, ..LrmStatus::default() };
    let uid = cluster.status().services.get(&sid("vm:101")).unwrap().uid.clone().unwrap();
    record.results.insert(uid, JobResult::new(sid("vm:101"), "migrate", ExitCode::SUCCESS));
    cluster.store.lrm_status.insert(node("node2"), Arc::new(record));
    // A master reads the records of nodes that it knows already, so not yet in its first round.
    cluster.iterate_times(2, "node1", Daemon::Crm);
    assert_eq!(cluster.status().services.get(&sid("vm:101")).unwrap().node, node("node3"));
    assert!(is_unguarded(&cluster, "node3"));
}

#[test]
fn another_boot_than_that_of_a_record_from_before_a_running_guest_came_does_not_prove_that_it_is_gone() {
    for comes in [false, true] {
        let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
        cluster.add_service("vm:102", "node1", RequestedState::Stopped);
        cluster.put_entry("vm:102", "node1", ServiceState::Stopped, Some("two"));
        cluster.edit_status(|status| {
            status.nodes.insert(node("node2"), NodeState::Online);
        });
        let record =
            LrmStatus { writer: Some(Writer::new("machine", "boot")), timestamp: Some(1), ..LrmStatus::default() };
        cluster.store.lrm_status.insert(node("node2"), Arc::new(record));
        iterate(&mut cluster);
        cluster.node("node2").connected = false;
        cluster.add_service("vm:101", "node2", RequestedState::Started);
        if comes {
            cluster.unmanaged.push(UnmanagedGuest { sid: sid("vm:101"), node: node("node2"), running: true });
        }
        cluster.give_lock(Lock::Agent(node("node2")), "node2");
        for _ in 0..8 {
            cluster.give_lock(Lock::Agent(node("node2")), "node2");
            iterate(&mut cluster);
        }
        let incident = cluster.status().fencing.get(&node("node2")).cloned().unwrap();
        assert_eq!(incident.writer, (!comes).then(|| Writer::new("machine", "boot")), "comes: {comes}");
    }
}

#[test]
fn a_node_to_which_a_service_is_sent_live_is_unguarded_in_the_same_write_whoever_sends_it_there() {
    type Way = (&'static str, bool, fn(&mut Cluster));
    let ways: [Way; 3] = [
        ("a command, live", true, |cluster| cluster.command("migrate vm:101 node3")),
        ("a command, stopped", false, |cluster| cluster.command("relocate vm:101 node3")),
        ("placement", true, |cluster| {
            cluster.set_rules("node-affinity: home\n\tresources vm:101\n\tnodes node3\n\tstrict 1\n");
        }),
    ];
    for (name, is_live, way) in ways {
        let mut cluster = cluster();
        cluster.put_entry("vm:101", "node2", ServiceState::Started { confirmed: true }, Some("one"));
        // Its LRM has its lock, as far as its record says.
        let record =
            |timestamp| LrmStatus { state: LrmState::Active, timestamp: Some(timestamp), ..LrmStatus::default() };
        iterate(&mut cluster);
        for timestamp in 1..3 {
            cluster.store.lrm_status.insert(node("node3"), Arc::new(record(timestamp)));
            iterate(&mut cluster);
        }
        assert!(!is_unguarded(&cluster, "node3"), "{name}");
        way(&mut cluster);
        iterate(&mut cluster);
        let entry = cluster.status().services.get(&sid("vm:101")).cloned().unwrap();
        assert_eq!(entry.state.target(), Some(&node("node3")), "{name}");
        assert_eq!(is_unguarded(&cluster, "node3"), is_live, "{name}");
    }
}

#[test]
fn the_record_that_a_fenced_node_left_behind_guards_nothing_that_comes_there() {
    let mut cluster = cluster();
    cluster.add_service("vm:102", "node3", RequestedState::Started);
    cluster.put_entry("vm:101", "node2", ServiceState::Started { confirmed: true }, Some("one"));
    cluster.put_entry("vm:102", "node3", ServiceState::Migrate { target: node("node2") }, Some("two"));
    let record = |timestamp| LrmStatus { state: LrmState::Active, timestamp: Some(timestamp), ..LrmStatus::default() };
    iterate(&mut cluster);
    for timestamp in 1..3 {
        cluster.store.lrm_status.insert(node("node2"), Arc::new(record(timestamp)));
        iterate(&mut cluster);
    }
    assert!(!is_unguarded(&cluster, "node2"), "its LRM has its lock");
    cluster.node("node2").connected = false;
    cluster.iterate_times(9, "node1", Daemon::Crm);
    assert!(cluster.take_events().contains(&"fence_acknowledged".into()));
    assert!(is_unguarded(&cluster, "node2"), "what comes there runs without a watchdog");
    cluster.store.lrm_status.insert(node("node2"), Arc::new(record(3)));
    iterate(&mut cluster);
    assert!(is_unguarded(&cluster, "node2"), "it may be reset before that comes");
}

/// An LRM whose services are all frozen may leave at any moment, after the record that this round has read.
#[test]
fn a_node_whose_services_are_thawed_is_unguarded_until_its_lrm_was_seen_with_its_lock_again() {
    let mut cluster = cluster();
    let round = |cluster: &mut Cluster, time: i64, mode: LrmMode| {
        let record = LrmStatus { state: LrmState::Active, mode, timestamp: Some(time), ..LrmStatus::default() };
        cluster.store.lrm_status.insert(node("node2"), Arc::new(record));
        iterate(cluster);
        cluster.status().services.get(&sid("vm:101")).map(|entry| entry.state.name())
    };
    round(&mut cluster, 1, LrmMode::Active);
    assert_eq!(round(&mut cluster, 2, LrmMode::Active), Some(StateName::Started));
    assert_eq!(round(&mut cluster, 3, LrmMode::Restart), Some(StateName::Freeze));
    assert_eq!(round(&mut cluster, 4, LrmMode::Active), Some(StateName::Started), "it is thawed");
    assert!(is_unguarded(&cluster, "node2"));
    round(&mut cluster, 5, LrmMode::Active);
    assert!(!is_unguarded(&cluster, "node2"));
}
