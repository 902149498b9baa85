//! The LRM: each row of its table of states, its work, being asked to stop, and what a job does.

use std::collections::BTreeSet;

use ha_core::{
    config::{RequestedState, datacenter::ShutdownPolicy},
    host::{HostOperation, Job, JobId, Lock},
    id::Uid,
    lrm::StopRequest,
    status::{
        Disarm, DisarmMode, DisarmState, ExitCode, LrmMode, LrmState, LrmStatus, NodeRequest, NodeState, ServiceState,
        StateName,
    },
    time::Instant,
};

use crate::cluster::{Cluster, Daemon, node, secs, sid};

const STARTED: ServiceState = ServiceState::Started { confirmed: false };

/// Two nodes, of which the first runs an LRM, and `vm:101` there.
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
        status.node_requests.insert(node("node1"), NodeRequest { maintenance, unknown: None });
    });
}

fn disarm(cluster: &mut Cluster) {
    cluster.edit_status(|status| {
        status.disarm = Some(Disarm { mode: DisarmMode::Freeze, state: DisarmState::Disarming, unknown: None });
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

#[test]
fn stop_wait_for_agent_lock_exits() {
    let mut cluster = cluster();
    iterate(&mut cluster);
    ask_to_stop(&mut cluster, StopRequest::Restart);
    assert_eq!(iterate(&mut cluster), None);
}

#[test]
fn stop_active_restart_exits_when_all_services_are_frozen() {
    let mut cluster = active();
    ask_to_stop(&mut cluster, StopRequest::Restart);
    assert!(iterate(&mut cluster).is_some(), "a service is active");
    put(&mut cluster, ServiceState::Freeze, "two");
    assert_eq!(iterate(&mut cluster), None);
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")], "it runs on");
}

#[test]
fn stop_active_shutdown_stops_all_and_exits() {
    let mut cluster = active();
    cluster.put_entry("vm:102", "node2", STARTED, Some("other"));
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    assert_eq!(iterate(&mut cluster), None);
    assert_eq!(cluster.take_events(), ["shutdown_requested", "lrm_shutdown_mode", "agent_stopping", "agent_stopped"]);
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
    assert_eq!(record(&cluster).results.len(), 1, "a final stop is not reported");
}

#[test]
fn stop_active_shutdown_with_a_failed_stop_exits_and_leaves_the_watchdog_open() {
    let mut cluster = active();
    cluster.guests.get_mut(&sid("vm:101")).unwrap().stop_fails = true;
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    assert_eq!(iterate(&mut cluster), None);
    assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster));
}

#[test]
fn stop_active_shutdown_queues_nothing_new() {
    let mut cluster = active();
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    put(&mut cluster, ServiceState::Migrate { target: node("node2") }, "two");
    assert_eq!(iterate(&mut cluster), None);
    assert_eq!(cluster.guests[&sid("vm:101")].node, node("node1"));
}

#[test]
fn stop_active_shutdown_a_final_stop_waits_for_the_job_that_runs() {
    let mut cluster = cluster();
    put(&mut cluster, STARTED, "one");
    let _ = cluster.tick(&node("node1"), Daemon::Lrm);
    assert_eq!(cluster.nodes[&node("node1")].jobs.len(), 1, "it is being started");
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    cluster.take_events();
    while iterate(&mut cluster).is_some() {}
    assert_eq!(cluster.take_events(), ["agent_starting", "agent_started", "agent_stopping", "agent_stopped"]);
    assert!(cluster.places(&sid("vm:101")).is_empty());
}

#[test]
fn stop_lost_agent_lock_shutdown_while_lock_lost_and_given_up_after_90_s_in_mode_restart() {
    let mut cluster = lost();
    let lost_at = cluster.time;
    ask_to_stop(&mut cluster, StopRequest::Restart);
    break_call(&mut cluster, HostOperation::TakeLock);
    cluster.take_events();
    loop {
        let next = iterate(&mut cluster);
        let events = cluster.take_events();
        let lasted = cluster.time.since(lost_at);
        assert!(events.contains(&"shutdown_while_lock_lost".into()));
        match next {
            Some(instant) => {
                assert!(lasted <= secs(95) && !events.contains(&"shutdown_given_up".into()));
                cluster.time = instant;
            }
            None => {
                assert!(lasted > secs(85), "{lasted:?}");
                assert_eq!(events.last().map(String::as_str), Some("shutdown_given_up"));
                break;
            }
        }
    }
    assert!(watchdog_is_open(&mut cluster));
}

#[test]
fn stop_lost_agent_lock_is_not_given_up_in_mode_shutdown() {
    let mut cluster = lost();
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    break_call(&mut cluster, HostOperation::TakeLock);
    cluster.iterate_times(40, "node1", Daemon::Lrm);
    assert_eq!(state(&mut cluster), LrmState::LostAgentLock);
    assert!(!cluster.take_events().contains(&"shutdown_given_up".into()));
}

#[test]
fn stop_lost_agent_lock_with_no_active_service_closes_the_watchdog_and_exits() {
    let mut cluster = lost();
    ask_to_stop(&mut cluster, StopRequest::Restart);
    put(&mut cluster, ServiceState::Freeze, "two");
    cluster.node("node1").connected = false;
    assert_eq!(iterate(&mut cluster), None);
    assert!(!watchdog_is_open(&mut cluster));
}

#[test]
fn stop_maintenance_waits_until_the_services_have_moved() {
    for request in [StopRequest::Restart, StopRequest::NodeReboot] {
        let mut cluster = maintenance();
        cluster.datacenter().shutdown_policy = ShutdownPolicy::Migrate;
        ask_to_stop(&mut cluster, request);
        assert_eq!(mode(&mut cluster), LrmMode::Maintenance);
        cluster.iterate_times(3, "node1", Daemon::Lrm);
        put(&mut cluster, ServiceState::Migrate { target: node("node2") }, "two");
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        assert_eq!(cluster.guests[&sid("vm:101")].node, node("node2"));
        cluster.put_entry("vm:101", "node2", STARTED, Some("three"));
        assert_eq!(iterate(&mut cluster), None);
        assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
    }
}

#[test]
fn a_second_request_to_stop_changes_nothing() {
    let mut cluster = active();
    ask_to_stop(&mut cluster, StopRequest::Restart);
    cluster.take_events();
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    assert_eq!(cluster.take_events(), [""; 0]);
    assert_eq!(mode(&mut cluster), LrmMode::Restart);
}

#[test]
fn the_mode_that_each_policy_asks_for() {
    use LrmMode::{Maintenance, Restart, Shutdown};
    use ShutdownPolicy::{Conditional, Failover, Freeze, Migrate};
    let table = [
        (Conditional, Restart, ("reboot", "freeze", Restart), ("shutdown", "stop", Shutdown)),
        (Freeze, Restart, ("reboot", "freeze", Restart), ("shutdown", "freeze", Restart)),
        (Failover, Restart, ("shutdown", "stop", Shutdown), ("shutdown", "stop", Shutdown)),
        (Migrate, Restart, ("reboot", "maintenance", Maintenance), ("shutdown", "maintenance", Maintenance)),
    ];
    for (policy, restart, reboot, shutdown) in table {
        let restart = (StopRequest::Restart, ("restart", "freeze", restart));
        for (request, (kind, reported, expected)) in
            [restart, (StopRequest::NodeReboot, reboot), (StopRequest::NodeShutdown, shutdown)]
        {
            let mut cluster = active();
            cluster.datacenter().shutdown_policy = policy;
            ask_to_stop(&mut cluster, request);
            assert_eq!(mode(&mut cluster), expected, "{policy:?}, {request:?}");
            assert_eq!(record(&cluster).mode, expected, "the record is written at once");
            let last = serde_json::to_value(&cluster.reports.last().unwrap().event).unwrap();
            assert_eq!((&last["kind"], &last["mode"]), (&kind.into(), &reported.into()), "{policy:?}, {request:?}");
            let announced = cluster.take_events().contains(&"shutdown_requested".to_owned());
            assert_eq!(announced, request != StopRequest::Restart);
        }
    }
}

#[test]
fn already_in_maintenance_is_reported_when_the_node_goes_down_only() {
    let events = |request| {
        let mut cluster = maintenance();
        ask_to_stop(&mut cluster, request);
        cluster.take_events()
    };
    assert_eq!(events(StopRequest::Restart), [""; 0]);
    assert_eq!(events(StopRequest::NodeReboot), ["shutdown_requested", "lrm_shutdown_mode"]);
    assert_eq!(events(StopRequest::NodeShutdown), ["shutdown_requested", "lrm_shutdown_mode"]);
}

#[test]
fn a_stopped_service_is_stopped_again_whenever_it_runs_but_other_requests_are_carried_out_once() {
    let mut cluster = active();
    cluster.add_service("vm:102", "node1", RequestedState::Stopped);
    cluster.put_entry("vm:102", "node1", ServiceState::Stopped, Some("two"));
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    cluster.node("node1").running = BTreeSet::from([sid("vm:102")]);
    cluster.take_events();
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["agent_stopping", "agent_stopped"]);
    assert!(cluster.places(&sid("vm:101")).is_empty(), "its start was reported, and is not looked at again");
}

#[test]
fn entries_without_a_uid_and_those_in_recovery_freeze_and_request_start_are_not_queued() {
    let mut cluster = active();
    let jobs = cluster.calls[&HostOperation::StartJob];
    for state in [ServiceState::Recovery, ServiceState::Freeze, ServiceState::RequestStart] {
        put(&mut cluster, state, "two");
        cluster.iterate_times(1, "node1", Daemon::Lrm);
    }
    cluster.put_entry("vm:101", "node1", STARTED, None);
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert_eq!(cluster.calls[&HostOperation::StartJob], jobs);
}

#[test]
fn a_start_is_tried_again_until_max_restart_then_reported_and_the_count_begins_anew() {
    let mut cluster = active();
    cluster.node("node1").running.clear();
    cluster.guests.get_mut(&sid("vm:101")).unwrap().start_fails_on.insert(node("node1"));
    for uid in ["two", "three"] {
        put(&mut cluster, STARTED, uid);
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        let failed = ["agent_starting", "host_call_failed", "agent_start_failed"];
        assert_eq!(cluster.take_events(), [&failed[..], &["start_retry"]].concat());
        assert_eq!(record(&cluster).results.get(&uid.parse::<Uid>().unwrap()), None);
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        assert_eq!(cluster.take_events(), [&failed[..], &["start_retries_exhausted"]].concat());
        assert_eq!(record(&cluster).results[&uid.parse::<Uid>().unwrap()].exit_code, ExitCode::ERROR);
    }
}

#[test]
fn results_of_requests_that_no_entry_has_any_more_are_dropped_with_the_next_one() {
    let mut cluster = active();
    put(&mut cluster, ServiceState::RequestStop { timeout: Some(0) }, "two");
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    let uids: Vec<String> = record(&cluster).results.keys().map(ToString::to_string).collect();
    assert_eq!(uids, ["two"]);
}

#[test]
fn at_most_max_workers_jobs_run_and_none_starves() {
    let mut cluster = cluster();
    cluster.datacenter().max_workers = 2;
    for number in 1..=7 {
        let name = format!("vm:20{number}");
        cluster.add_service(&name, "node1", RequestedState::Started);
        cluster.put_entry(&name, "node1", STARTED, Some(&name));
    }
    let _ = cluster.tick(&node("node1"), Daemon::Lrm);
    let running: Vec<String> = cluster.nodes[&node("node1")].jobs.iter().map(|(_, job)| job.sid.to_string()).collect();
    assert_eq!(running, ["vm:201", "vm:202"]);
    cluster.run_until(Instant::from_secs(40));
    assert_eq!(cluster.node("node1").running.len(), 7);
}

#[test]
fn a_turn_of_the_workers_lasts_for_8_s_with_a_look_each_second() {
    let mut cluster = active();
    cluster.datacenter().max_workers = 1;
    for name in ["vm:201", "vm:202", "vm:203", "vm:204"] {
        cluster.add_service(name, "node1", RequestedState::Started);
        cluster.put_entry(name, "node1", STARTED, Some(name));
    }
    let (began, looks) = (cluster.time, cluster.calls[&HostOperation::FinishedJobs]);
    let next = iterate(&mut cluster);
    assert_eq!(cluster.time.since(began), secs(8));
    assert_eq!(cluster.calls[&HostOperation::FinishedJobs] - looks, 9);
    assert_eq!(next.unwrap().since(began), secs(10));
}

#[test]
fn a_request_that_was_taken_back_while_it_waited_is_not_carried_out() {
    let mut cluster = cluster();
    cluster.datacenter().max_workers = 1;
    for name in ["vm:201", "vm:202", "vm:203", "vm:204", "vm:205"] {
        cluster.add_service(name, "node1", RequestedState::Started);
        cluster.put_entry(name, "node1", STARTED, Some(name));
    }
    iterate(&mut cluster);
    assert!(!cluster.node("node1").running.contains(&sid("vm:205")), "it still waits");
    cluster.put_entry("vm:205", "node1", ServiceState::Freeze, Some("frozen"));
    cluster.run_for(60);
    let running: Vec<String> = cluster.node("node1").running.iter().map(ToString::to_string).collect();
    assert_eq!(running, ["vm:201", "vm:202", "vm:203", "vm:204"]);
}

#[test]
fn a_start_that_succeeded_sets_the_retries_back() {
    let mut cluster = active();
    let fails = |cluster: &mut Cluster, fails: bool| {
        let guest = cluster.guests.get_mut(&sid("vm:101")).unwrap();
        guest.start_fails_on = if fails { BTreeSet::from([node("node1")]) } else { BTreeSet::new() };
    };
    for uid in ["two", "three"] {
        cluster.node("node1").running.clear();
        fails(&mut cluster, true);
        put(&mut cluster, STARTED, uid);
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        let events = cluster.take_events();
        assert_eq!(events.last().map(String::as_str), Some("start_retry"), "{uid}: {events:?}");
        fails(&mut cluster, false);
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        assert_eq!(record(&cluster).results[&uid.parse::<Uid>().unwrap()].exit_code, ExitCode::SUCCESS);
        cluster.take_events();
    }
}

fn job(name: &str, command: StateName, target: Option<&str>) -> Job {
    Job { id: JobId(1), sid: sid(name), uid: None, command, target: target.map(node), timeout: None }
}

#[test]
fn exit_codes_of_jobs() {
    use StateName::{Error, Fence, Migrate, Recovery, Relocate, RequestStartBalance, RequestStop, Started, Stopped};
    let table = [
        ("zz:1", Started, None, ExitCode::UNKNOWN_SERVICE_TYPE, &[][..]),
        ("vm:999", Started, None, ExitCode::UNKNOWN_SERVICE, &[]),
        ("vm:999", Error, None, ExitCode::UNKNOWN_SERVICE, &[]),
        ("vm:201", Error, None, ExitCode::SUCCESS, &["service_in_error"]),
        ("vm:201", Started, None, ExitCode::WRONG_NODE, &["service_not_here"]),
        ("vm:201", Fence, None, ExitCode::WRONG_NODE, &["service_not_here"]),
        ("vm:101", Started, None, ExitCode::SUCCESS, &["agent_starting", "agent_started"]),
        ("vm:101", Started, None, ExitCode::SUCCESS, &[]),
        ("vm:101", RequestStartBalance, Some("node2"), ExitCode::IGNORED, &["agent_start_balance_ignored"]),
        ("vm:101", RequestStop, None, ExitCode::SUCCESS, &["agent_stopping", "agent_stopped"]),
        ("vm:101", Stopped, None, ExitCode::SUCCESS, &[]),
        ("vm:101", Migrate, None, ExitCode::INVALID_PARAMETER, &[]),
        ("vm:101", Relocate, Some("node1"), ExitCode::SUCCESS, &[]),
        ("vm:101", Fence, None, ExitCode::UNKNOWN_COMMAND, &[]),
        ("vm:101", Recovery, None, ExitCode::UNKNOWN_COMMAND, &[]),
        ("vm:102", Started, None, ExitCode::ERROR, &["agent_starting", "host_call_failed", "agent_start_failed"]),
        ("vm:103", RequestStop, None, ExitCode::ERROR, &["agent_stopping", "host_call_failed", "agent_stop_failed"]),
        ("vm:101", Migrate, Some("node3"), ExitCode::ERROR, &["host_call_failed", "agent_move_failed"]),
        ("vm:101", RequestStartBalance, Some("node2"), ExitCode::SUCCESS, &[]),
    ];
    let mut cluster = cluster();
    cluster.add_service("vm:201", "node2", RequestedState::Started);
    cluster.add_service("vm:102", "node1", RequestedState::Started);
    cluster.add_service("vm:103", "node1", RequestedState::Started);
    cluster.guests.get_mut(&sid("vm:102")).unwrap().start_fails_on.insert(node("node1"));
    cluster.guests.get_mut(&sid("vm:103")).unwrap().stop_fails = true;
    cluster.node("node1").running.insert(sid("vm:103"));
    cluster.node("node3").connected = false;
    for (name, command, target, exit_code, events) in table {
        assert_eq!(
            cluster.run_job("node1", job(name, command, target)),
            exit_code,
            "{command} of {name} to {target:?}"
        );
        assert_eq!(cluster.take_events(), events, "{command} of {name} to {target:?}");
    }
    assert_eq!(cluster.guests[&sid("vm:101")].node, node("node2"));
}
