//! The LRM: each row of its table of states, and its work.

use std::{collections::BTreeSet, sync::Arc};

use ha_core::{
    config::{RequestedState, datacenter::ShutdownPolicy},
    host::{HostOperation, Job, JobId, Lock},
    id::Uid,
    lrm::StopRequest,
    status::{
        Disarm, DisarmMode, DisarmState, ExitCode, JobResult, LrmMode, LrmState, LrmStatus, NodeRequest, NodeState,
        ServiceState, StateName, Writer,
    },
    time::Instant,
};

use crate::cluster::{Cluster, Daemon, name_of, node, secs, sid};

mod hold;
mod jobs;
mod let_go;
mod patience;
mod probes;
mod stop;

const STARTED: ServiceState = ServiceState::Started { confirmed: false };

/// Two nodes, the first of which runs an LRM, and `vm:101` there.
fn cluster() -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Lrm);
    cluster.add_service("vm:101", "node1", RequestedState::Started);
    cluster.take_events();
    cluster
}

fn active() -> Cluster {
    let mut cluster = cluster();
    cluster.put_entry("vm:101", "node1", STARTED, Some("one"));
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert_eq!(state(&mut cluster), LrmState::Active);
    assert_eq!(cluster.take_events(), ["lock_acquired", "daemon_state", "agent_starting", "agent_started"]);
    cluster
}

fn lost() -> Cluster {
    let mut cluster = active();
    break_call(&mut cluster, HostOperation::TakeLock);
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    cluster.broken.clear();
    assert_eq!(state(&mut cluster), LrmState::LostAgentLock);
    cluster.take_events();
    cluster
}

fn maintenance() -> Cluster {
    let mut cluster = active();
    request_maintenance(&mut cluster, true);
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert_eq!(state(&mut cluster), LrmState::Maintenance);
    assert_eq!(cluster.take_events(), ["daemon_state"]);
    cluster
}

fn iterate(cluster: &mut Cluster) -> Option<Instant> {
    cluster.iterate("node1", Daemon::Lrm)
}

fn wait_after(cluster: &Cluster, next: Option<Instant>) -> u64 {
    next.unwrap().since(cluster.time).as_secs()
}

fn state(cluster: &mut Cluster) -> LrmState {
    cluster.node("node1").lrm.as_ref().unwrap().state()
}

fn mode(cluster: &mut Cluster) -> LrmMode {
    cluster.node("node1").lrm.as_ref().unwrap().mode()
}

fn watchdog_is_open(cluster: &mut Cluster) -> bool {
    let node = cluster.node("node1");
    node.watchdogs.contains_key(&Daemon::Lrm) || !node.abandoned.is_empty()
}

fn holds_lock(cluster: &Cluster) -> bool {
    cluster.holder(&Lock::Agent(node("node1"))) == Some(&node("node1"))
}

fn break_call(cluster: &mut Cluster, operation: HostOperation) {
    cluster.broken.insert((node("node1"), operation));
}

fn request_maintenance(cluster: &mut Cluster, maintenance: bool) {
    cluster.edit_status(|status| {
        status.node_requests.insert(node("node1"), NodeRequest { maintenance, ..NodeRequest::default() });
    });
}

fn disarm(cluster: &mut Cluster) {
    cluster.edit_status(|status| {
        status.disarm = Some(Disarm {
            mode: DisarmMode::Freeze,
            state: DisarmState::Disarming,
            by: None,
            since: None,
            unknown: None,
        });
    });
}

fn put(cluster: &mut Cluster, state: ServiceState, uid: &str) {
    cluster.put_entry("vm:101", "node1", state, Some(uid));
}

fn ask_to_stop(cluster: &mut Cluster, request: StopRequest) {
    cluster.stop_lrm(&node("node1"), request);
}

fn record(cluster: &Cluster) -> LrmStatus {
    LrmStatus::clone(&cluster.store.lrm_status[&node("node1")])
}

#[test]
fn it_does_nothing_before_it_has_written_its_record_once() {
    let mut cluster = cluster();
    put(&mut cluster, STARTED, "one");
    break_call(&mut cluster, HostOperation::WriteLrmStatus);
    let next = iterate(&mut cluster);
    assert_eq!(wait_after(&cluster, next), 5);
    assert_eq!(cluster.take_events(), ["host_call_failed", "lrm_status_unwritable"]);
    cluster.broken.clear();
    cluster.node("node1").connected = false;
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), [""; 0], "the record is written only while quorate");
    assert_eq!(cluster.calls.get(&HostOperation::ReadManagerStatus), None);
    cluster.node("node1").connected = true;
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), LrmState::Active);
}

#[test]
fn its_record_says_who_wrote_it_where_the_host_has_told_it() {
    let mut cluster = cluster();
    iterate(&mut cluster);
    assert_eq!(record(&cluster).writer, None);
    let writer = Writer::new("machine-1", "boot-1");
    cluster.node("node1").lrm.as_mut().unwrap().set_writer(writer.clone());
    iterate(&mut cluster);
    assert_eq!(record(&cluster).writer, Some(writer));
}

#[test]
fn wait_for_agent_lock_stays() {
    type Reason = (&'static str, fn(&mut Cluster));
    let reasons: [Reason; 6] = [
        ("mode disarm", disarm),
        ("a service of this node in fence", |cluster| cluster.put_entry("vm:102", "node1", ServiceState::Fence, None)),
        ("the node in fence", |cluster| {
            cluster.edit_status(|status| {
                status.nodes.insert(node("node1"), NodeState::Fence);
            });
        }),
        ("no active service", |cluster| put(cluster, ServiceState::Freeze, "one")),
        ("not quorate", |cluster| cluster.node("node1").connected = false),
        ("the lock is held elsewhere", |cluster| cluster.give_lock(Lock::Agent(node("node1")), "node2")),
    ];
    for (name, set) in reasons {
        let mut cluster = cluster();
        iterate(&mut cluster);
        put(&mut cluster, STARTED, "one");
        set(&mut cluster);
        iterate(&mut cluster);
        assert_eq!(state(&mut cluster), LrmState::WaitForAgentLock, "{name}");
        assert!(!watchdog_is_open(&mut cluster), "{name}");
    }
}

#[test]
fn wait_for_agent_lock_active_services_quorate_got_the_lock_to_active() {
    let mut cluster = active();
    assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster));
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")]);
}

#[test]
fn wait_for_agent_lock_a_service_on_its_way_here_counts_as_active() {
    let mut cluster = cluster();
    cluster.put_entry("vm:101", "node2", ServiceState::Migrate { target: node("node1") }, None);
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), LrmState::Active);
}

#[test]
fn lost_agent_lock_no_fence_request_quorate_got_the_lock_to_active() {
    let mut cluster = lost();
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), LrmState::Active);
    assert_eq!(cluster.take_events(), ["daemon_state"]);
}

#[test]
fn lost_agent_lock_fence_requested_or_not_quorate_stays() {
    let mut fenced = lost();
    put(&mut fenced, ServiceState::Fence, "two");
    let mut cut_off = lost();
    cut_off.node("node1").connected = false;
    for mut cluster in [fenced, cut_off] {
        let next = iterate(&mut cluster);
        assert_eq!(state(&mut cluster), LrmState::LostAgentLock);
        assert_eq!(wait_after(&cluster, next), 5);
        assert_eq!(cluster.take_events(), [""; 0]);
    }
}

#[test]
fn active_fence_requested_to_lost_agent_lock_with_an_event() {
    let mut cluster = active();
    put(&mut cluster, ServiceState::Fence, "two");
    let feeds = cluster.calls.get(&HostOperation::FeedWatchdog).copied();
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["fence_requested_lock_dropped", "daemon_state"]);
    assert_eq!(state(&mut cluster), LrmState::LostAgentLock);
    assert_eq!(cluster.calls.get(&HostOperation::FeedWatchdog).copied(), feeds, "its watchdog is not fed any more");
}

#[test]
fn active_node_in_fence_to_lost_agent_lock_with_an_event() {
    let mut cluster = active();
    cluster.edit_status(|status| {
        status.nodes.insert(node("node1"), NodeState::Fence);
    });
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["fence_requested_lock_dropped", "daemon_state"]);
}

#[test]
fn active_lock_not_renewed_to_lost_agent_lock() {
    let mut cluster = active();
    cluster.node("node1").connected = false;
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["daemon_state"]);
    assert_eq!(state(&mut cluster), LrmState::LostAgentLock);
    assert!(watchdog_is_open(&mut cluster));
}

#[test]
fn active_mode_maintenance_to_maintenance() {
    let mut cluster = maintenance();
    assert_eq!(record(&cluster).state, LrmState::Maintenance);
    assert_eq!(record(&cluster).mode, LrmMode::Maintenance);
    let next = iterate(&mut cluster);
    assert_eq!(wait_after(&cluster, next), 5);
}

#[test]
fn active_mode_disarm_no_worker_left_to_wait_for_agent_lock_with_services_active() {
    let mut cluster = active();
    disarm(&mut cluster);
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["lrm_disarmed", "daemon_state"]);
    assert_eq!(state(&mut cluster), LrmState::WaitForAgentLock);
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")]);
    assert_eq!(record(&cluster).mode, LrmMode::Disarm);
}

#[test]
fn active_mode_disarm_with_a_move_to_make_stays_until_it_is_made() {
    for state in [ServiceState::Migrate { target: node("node2") }, ServiceState::Relocate { target: node("node2") }] {
        let mut cluster = active();
        put(&mut cluster, state, "two");
        disarm(&mut cluster);
        iterate(&mut cluster);
        assert_eq!(cluster.guests[&sid("vm:101")].node, node("node2"));
        assert_eq!(self::state(&mut cluster), LrmState::Active);
        assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster));
        iterate(&mut cluster);
        assert_eq!(self::state(&mut cluster), LrmState::WaitForAgentLock);
    }
}

#[test]
fn active_mode_disarm_with_a_worker_stays() {
    let mut cluster = active();
    put(&mut cluster, ServiceState::RequestStop { timeout: None }, "two");
    let mut next = cluster.tick(&node("node1"), Daemon::Lrm);
    assert_eq!(cluster.nodes[&node("node1")].jobs.len(), 1);
    // The job never ends.
    cluster.node("node1").jobs.clear();
    disarm(&mut cluster);
    for _ in 0..40 {
        let Some(ha_core::time::Next::At { instant, .. }) = next else { panic!("it ended") };
        cluster.time = instant;
        next = cluster.tick(&node("node1"), Daemon::Lrm);
    }
    assert_eq!(state(&mut cluster), LrmState::Active);
    assert_eq!(mode(&mut cluster), LrmMode::Disarm);
}

#[test]
fn active_no_entry_for_more_than_60_rounds_to_wait_for_agent_lock() {
    let mut cluster = active();
    cluster.put_entry("vm:101", "node2", STARTED, Some("two"));
    cluster.iterate_times(60, "node1", Daemon::Lrm);
    assert_eq!(state(&mut cluster), LrmState::Active);
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["lrm_idle", "daemon_state"]);
    assert_eq!(state(&mut cluster), LrmState::WaitForAgentLock);
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
}

#[test]
fn an_entry_in_whatever_state_sets_the_idle_count_back() {
    let mut cluster = active();
    cluster.put_entry("vm:101", "node2", STARTED, Some("two"));
    cluster.iterate_times(50, "node1", Daemon::Lrm);
    cluster.put_entry("vm:102", "node1", ServiceState::Error, None);
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    cluster.put_entry("vm:102", "node2", ServiceState::Error, None);
    cluster.iterate_times(60, "node1", Daemon::Lrm);
    assert_eq!(state(&mut cluster), LrmState::Active);
}

#[test]
fn maintenance_fence_requested_to_lost_agent_lock_with_an_event() {
    let mut cluster = maintenance();
    put(&mut cluster, ServiceState::Fence, "two");
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["fence_requested_lock_dropped", "daemon_state"]);
    assert_eq!(state(&mut cluster), LrmState::LostAgentLock);
}

#[test]
fn without_a_watchdog_that_would_end_it_fence_requested_leads_to_wait_for_agent_lock() {
    let mut cluster = maintenance();
    put(&mut cluster, ServiceState::Freeze, "two");
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), LrmState::Maintenance);
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
    put(&mut cluster, ServiceState::Fence, "three");
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), LrmState::WaitForAgentLock);
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster), "it waits for the end of the incident");
}

#[test]
fn maintenance_mode_disarm_no_active_service_no_worker_to_wait_for_agent_lock() {
    let mut cluster = maintenance();
    request_maintenance(&mut cluster, false);
    disarm(&mut cluster);
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), LrmState::Maintenance, "a service is active");
    put(&mut cluster, ServiceState::Freeze, "two");
    cluster.take_events();
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["lrm_disarmed", "daemon_state"]);
    assert_eq!(state(&mut cluster), LrmState::WaitForAgentLock);
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
}

#[test]
fn maintenance_active_services_lock_renewed_stays_whatever_the_mode() {
    let mut cluster = maintenance();
    request_maintenance(&mut cluster, false);
    cluster.iterate_times(5, "node1", Daemon::Lrm);
    assert_eq!(mode(&mut cluster), LrmMode::Active);
    assert_eq!(state(&mut cluster), LrmState::Maintenance);
    assert_eq!(cluster.take_events(), [""; 0]);
}

#[test]
fn maintenance_active_services_lock_not_renewed_to_lost_agent_lock() {
    let mut cluster = maintenance();
    break_call(&mut cluster, HostOperation::TakeLock);
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), LrmState::LostAgentLock);
}

#[test]
fn maintenance_a_record_that_can_not_say_so_keeps_the_watchdog_open_where_a_service_may_run() {
    let mut cluster = maintenance();
    put(&mut cluster, ServiceState::Error, "two");
    cluster.edit_status(|status| {
        status.may_run.insert(sid("vm:101"));
    });
    break_call(&mut cluster, HostOperation::WriteLrmStatus);
    cluster.iterate_times(2, "node1", Daemon::Lrm);
    assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster));
    cluster.broken.clear();
    iterate(&mut cluster);
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
}

#[test]
fn maintenance_nothing_left_lets_go_and_stays() {
    let mut cluster = maintenance();
    cluster.put_entry("vm:101", "node2", STARTED, Some("two"));
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), LrmState::Maintenance);
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
    assert_eq!(cluster.take_events(), [""; 0]);
}

#[test]
fn maintenance_mode_no_longer_maintenance_got_the_lock_to_active() {
    let mut cluster = maintenance();
    cluster.put_entry("vm:101", "node2", STARTED, Some("two"));
    iterate(&mut cluster);
    request_maintenance(&mut cluster, false);
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["lock_acquired", "daemon_state"]);
    assert_eq!(state(&mut cluster), LrmState::Active);
}

#[test]
fn maintenance_mode_no_longer_maintenance_did_not_get_the_lock_to_lost_agent_lock() {
    let mut cluster = maintenance();
    cluster.put_entry("vm:101", "node2", STARTED, Some("two"));
    iterate(&mut cluster);
    request_maintenance(&mut cluster, false);
    cluster.give_lock(Lock::Agent(node("node1")), "node2");
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["daemon_state"]);
    assert_eq!(state(&mut cluster), LrmState::LostAgentLock);
}

#[test]
fn the_status_sets_the_mode_maintenance_before_disarm() {
    let mut cluster = cluster();
    disarm(&mut cluster);
    iterate(&mut cluster);
    assert_eq!(mode(&mut cluster), LrmMode::Disarm);
    request_maintenance(&mut cluster, true);
    iterate(&mut cluster);
    assert_eq!(mode(&mut cluster), LrmMode::Maintenance);
    cluster.edit_status(|status| {
        status.disarm = None;
        status.node_requests.clear();
    });
    iterate(&mut cluster);
    assert_eq!(mode(&mut cluster), LrmMode::Active);
}

#[test]
fn the_status_does_not_set_the_mode_of_an_lrm_that_was_asked_to_stop() {
    let mut cluster = active();
    ask_to_stop(&mut cluster, StopRequest::Restart);
    request_maintenance(&mut cluster, true);
    iterate(&mut cluster);
    assert_eq!(mode(&mut cluster), LrmMode::Restart);
}

#[test]
fn a_status_that_can_not_be_read_is_reported_at_each_read_and_what_was_read_before_stays() {
    let mut cluster = active();
    break_call(&mut cluster, HostOperation::ReadManagerStatus);
    iterate(&mut cluster);
    let unreadable = ["host_call_failed", "service_status_unreadable"];
    assert_eq!(cluster.take_events(), [unreadable, unreadable].concat());
    assert_eq!(state(&mut cluster), LrmState::Active);
}

#[test]
fn active_with_a_stale_view_skips_with_an_event() {
    let mut cluster = active();
    put(&mut cluster, ServiceState::RequestStop { timeout: None }, "two");
    break_call(&mut cluster, HostOperation::Refresh);
    let next = iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["host_call_failed", "round_skipped_stale_cluster_state"]);
    assert_eq!(wait_after(&cluster, next), 10);
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")]);
}
