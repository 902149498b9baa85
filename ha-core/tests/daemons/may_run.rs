//! Services that nobody has seen stopped, and guests that are elsewhere than recorded.

use std::sync::Arc;

use ha_core::{
    config::RequestedState,
    host::{HostOperation, UnmanagedGuest},
    status::{ExitCode, JobResult, LrmMode, LrmState, LrmStatus, NodeState, ServiceState, StateName},
};

use crate::cluster::{Cluster, Daemon, node, sid};

const STARTED: ServiceState = ServiceState::Started { confirmed: true };

/// A master on `node1` that knows all nodes, and `vm:101` on `node2`.
fn cluster() -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
    cluster.add_service("vm:101", "node2", RequestedState::Started);
    cluster.edit_status(|status| {
        status.nodes.extend(["node1", "node2", "node3"].map(|name| (node(name), NodeState::Online)));
    });
    cluster
}

/// What becomes of `vm:101` when the LRM of `node2` answers a request.
fn after(state: ServiceState, exit_code: i32) -> Cluster {
    let mut cluster = cluster();
    cluster.resources().get_mut(&sid("vm:101")).unwrap().max_relocate = Some(0);
    answer(&mut cluster, state, exit_code);
    cluster
}

fn answer(cluster: &mut Cluster, state: ServiceState, exit_code: i32) {
    let command = state.name();
    cluster.put_entry("vm:101", "node2", state, Some("one"));
    let mut record = LrmStatus { state: LrmState::Active, ..LrmStatus::default() };
    let result = JobResult::new(sid("vm:101"), command.as_str(), ExitCode(exit_code));
    record.results.insert("one".parse().unwrap(), result);
    cluster.store.lrm_status.insert(node("node2"), Arc::new(record));
    cluster.iterate_times(1, "node1", Daemon::Crm);
}

fn state(cluster: &Cluster) -> StateName {
    cluster.status().services.get(&sid("vm:101")).unwrap().state.name()
}

fn may_run(cluster: &Cluster) -> bool {
    cluster.status().may_run.contains(&sid("vm:101"))
}

#[test]
fn a_start_that_did_not_end_by_looking_leaves_a_service_in_error_that_may_run() {
    for exit_code in [-1, 2, 3, 4, 5, 6, 7, 8, 42] {
        let cluster = after(STARTED, exit_code);
        assert_eq!((state(&cluster), may_run(&cluster)), (StateName::Error, true), "exit code {exit_code}");
    }
    let looked = after(STARTED, 1);
    assert_eq!((state(&looked), may_run(&looked)), (StateName::Error, false), "its LRM saw that it does not run");
}

/// An LRM that begins meanwhile goes by what was written before, and tries again.
#[test]
fn an_error_that_could_not_be_written_is_one_of_a_service_that_may_run() {
    let mut cluster = cluster();
    cluster.resources().get_mut(&sid("vm:101")).unwrap().max_relocate = Some(0);
    cluster.put_entry("vm:101", "node2", STARTED, Some("one"));
    cluster.iterate_times(2, "node1", Daemon::Crm);
    cluster.broken.insert((node("node1"), HostOperation::WriteManagerStatus));
    answer(&mut cluster, STARTED, 1);
    cluster.broken.clear();
    cluster.iterate_times(1, "node1", Daemon::Crm);
    assert_eq!((state(&cluster), may_run(&cluster)), (StateName::Error, true));
}

#[test]
fn a_stop_that_did_not_work_leaves_a_service_in_error_that_may_run() {
    for exit_code in [-1, 1, 2, 3, 4, 5, 6, 7, 8, 42] {
        let cluster = after(ServiceState::RequestStop { timeout: None }, exit_code);
        assert_eq!((state(&cluster), may_run(&cluster)), (StateName::Error, true), "exit code {exit_code}");
    }
}

#[test]
fn a_move_of_a_guest_that_was_elsewhere_leaves_a_service_in_error_that_may_run() {
    let cluster = after(ServiceState::Relocate { target: node("node3") }, 3);
    assert_eq!((state(&cluster), may_run(&cluster)), (StateName::Error, true));
}

#[test]
fn a_guest_that_is_elsewhere_is_followed_to_a_node_that_counts_as_unguarded() {
    for request in [STARTED, ServiceState::RequestStop { timeout: None }] {
        let mut cluster = cluster();
        cluster.guests.get_mut(&sid("vm:101")).unwrap().node = node("node3");
        answer(&mut cluster, request.clone(), 3);
        let status = cluster.status();
        let entry = status.services.get(&sid("vm:101")).unwrap();
        assert_eq!((entry.node.as_str(), entry.state.name()), ("node3", request.name()));
        assert_ne!(entry.uid.as_ref().unwrap().as_str(), "one", "the LRM there is asked");
        assert!(status.unguarded.contains(&node("node3")));
        assert!(cluster.take_events().contains(&"service_location_updated".into()));
    }
}

#[test]
fn a_guest_on_a_node_that_is_lost_is_followed_and_that_node_counts_as_unguarded() {
    let mut cluster = cluster();
    cluster.guests.get_mut(&sid("vm:101")).unwrap().node = node("node3");
    cluster.node("node3").connected = false;
    answer(&mut cluster, STARTED, 3);
    let status = cluster.status();
    let entry = status.services.get(&sid("vm:101")).unwrap();
    assert_eq!((entry.node.as_str(), entry.state.name()), ("node3", StateName::Started));
    assert!(status.unguarded.contains(&node("node3")), "its lock proves nothing");
}

#[test]
fn a_guest_on_a_node_that_is_no_member_is_not_followed() {
    let mut cluster = cluster();
    cluster.resources().get_mut(&sid("vm:101")).unwrap().max_relocate = Some(0);
    cluster.guests.get_mut(&sid("vm:101")).unwrap().node = node("node9");
    answer(&mut cluster, STARTED, 3);
    assert_eq!((state(&cluster), may_run(&cluster)), (StateName::Error, true));
}

#[test]
fn a_service_whose_configuration_could_not_be_moved_stays_in_recovery() {
    let mut cluster = cluster();
    cluster.node("node2").connected = false;
    cluster.put_entry("vm:101", "node2", ServiceState::Recovery, Some("one"));
    cluster.broken.insert((node("node1"), HostOperation::MoveConfiguration));
    cluster.iterate_times(2, "node1", Daemon::Crm);
    assert_eq!(state(&cluster), StateName::Recovery);
    assert!(!cluster.take_events().contains(&"service_recovered".into()));
    cluster.broken.clear();
    cluster.iterate_times(1, "node1", Daemon::Crm);
    assert_eq!(state(&cluster), StateName::Started);
}

#[test]
fn a_lock_that_its_lrm_had_let_go_of_does_not_prove_that_a_service_in_error_is_down() {
    let mut cluster = cluster();
    cluster.add_service("vm:102", "node2", RequestedState::Started);
    cluster.put_entry("vm:102", "node2", ServiceState::Fence, Some("two"));
    cluster.put_entry("vm:101", "node2", ServiceState::Error, Some("one"));
    cluster.edit_status(|status| {
        status.nodes.insert(node("node2"), NodeState::Fence);
        status.may_run.insert(sid("vm:101"));
    });
    cluster.node("node2").connected = false;
    let record = LrmStatus { state: LrmState::WaitForAgentLock, mode: LrmMode::Maintenance, ..LrmStatus::default() };
    cluster.store.lrm_status.insert(node("node2"), Arc::new(record));
    cluster.iterate_times(1, "node1", Daemon::Crm);
    assert!(cluster.take_events().contains(&"fence_acknowledged".into()));
    assert!(may_run(&cluster));
}

#[test]
fn a_new_master_does_not_take_the_records_that_it_finds_for_new_ones() {
    let mut cluster = cluster();
    cluster.put_entry("vm:101", "node2", STARTED, Some("one"));
    cluster.edit_status(|status| {
        status.unguarded.insert(node("node2"));
    });
    let record = |timestamp| LrmStatus { state: LrmState::Active, timestamp: Some(timestamp), ..LrmStatus::default() };
    cluster.store.lrm_status.insert(node("node2"), Arc::new(record(1)));
    cluster.iterate_times(3, "node1", Daemon::Crm);
    assert!(cluster.status().unguarded.contains(&node("node2")));
    cluster.store.lrm_status.insert(node("node2"), Arc::new(record(2)));
    cluster.iterate_times(1, "node1", Daemon::Crm);
    assert!(!cluster.status().unguarded.contains(&node("node2")));
}

#[test]
fn a_guest_that_runs_when_it_is_added_makes_its_node_unguarded_whatever_is_requested() {
    for requested in [RequestedState::Started, RequestedState::Stopped, RequestedState::Disabled] {
        let mut cluster = cluster();
        cluster.request("vm:101", requested);
        cluster.unmanaged = vec![UnmanagedGuest { sid: sid("vm:101"), node: node("node2"), running: true }];
        cluster.iterate_times(1, "node1", Daemon::Crm);
        assert!(cluster.status().unguarded.contains(&node("node2")), "{requested}");
    }
}

/// What becomes of `vm:101`, whose failed starts expire, long after the LRM of `node2` has answered its start.
fn long_after(exit_code: i32, change: impl FnOnce(&mut Cluster)) -> (StateName, Option<u32>) {
    let mut cluster = cluster();
    let resources = cluster.resources();
    let resource = resources.get_mut(&sid("vm:101")).unwrap();
    (resource.max_relocate, resource.failure_timeout) = (Some(0), Some(60));
    answer(&mut cluster, STARTED, exit_code);
    change(&mut cluster);
    cluster.iterate_times(9, "node1", Daemon::Crm);
    (state(&cluster), cluster.status().start_failures.get(&sid("vm:101")).copied())
}

#[test]
fn only_what_is_known_not_to_run_and_is_wanted_is_tried_again_when_its_failed_starts_expire() {
    assert_eq!(long_after(1, |_| {}), (StateName::Started, None));
    for exit_code in [-1, 2, 3, 4, 5, 6, 7, 8, 42] {
        assert_eq!(long_after(exit_code, |_| {}), (StateName::Error, None), "exit code {exit_code}");
    }
    let not_wanted = long_after(1, |cluster| cluster.request("vm:101", RequestedState::Stopped));
    assert_eq!(not_wanted.0, StateName::Error, "a person asked for something else");
    let unset = long_after(1, |cluster| cluster.resources().get_mut(&sid("vm:101")).unwrap().failure_timeout = None);
    assert_eq!(unset, (StateName::Error, None));
}
