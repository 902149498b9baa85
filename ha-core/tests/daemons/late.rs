//! Late and lost answers: what they must not lead to.

use ha_core::{
    config::RequestedState,
    event::Event,
    host::{HostOperation, Lock},
    status::{ExitCode, LrmState, ServiceState},
    time::Instant,
};

use crate::cluster::{Cluster, Daemon, Disturbance, Fault, node, secs, sid};

/// A cluster of one LRM with a service that runs, at second 100.
fn active() -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1"], Daemon::Lrm);
    cluster.add_service("vm:101", "node1", RequestedState::Started);
    cluster.put_entry("vm:101", "node1", ServiceState::Started { confirmed: false }, Some("one"));
    cluster.run_until(Instant::from_secs(100));
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")]);
    cluster
}

fn fail_next(cluster: &mut Cluster, operation: HostOperation, fault: Fault) {
    let number = cluster.calls[&operation] + 1;
    cluster.disturbance = Some(Disturbance { operation, number, fault });
    cluster.reports.clear();
}

fn lrm_state(cluster: &mut Cluster) -> LrmState {
    cluster.node("node1").lrm.as_ref().unwrap().state()
}

fn fed(cluster: &Cluster) -> u64 {
    cluster.nodes[&node("node1")].watchdogs[&Daemon::Lrm].since_start().as_secs()
}

/// How long after its question a feed may be made: 120 s of lease, less the watchdog, its slack and the drift.
const BUDGET_S: u64 = 47;

#[test]
fn a_lock_answer_within_the_budget_is_fed_for() {
    let mut cluster = active();
    fail_next(&mut cluster, HostOperation::TakeLock, Fault::Late(BUDGET_S));
    let asked = cluster.time.since_start().as_secs();
    cluster.run_for(BUDGET_S + 3);
    assert_eq!(lrm_state(&mut cluster), LrmState::Active);
    assert!(fed(&cluster) >= asked + BUDGET_S);
    assert!(!cluster.reports.iter().any(|report| report.event == Event::WatchdogFeedTooLate));
}

#[test]
fn a_lock_answer_after_the_budget_feeds_nothing_and_the_lock_is_asked_for_again() {
    let mut cluster = active();
    let fed_before = fed(&cluster);
    fail_next(&mut cluster, HostOperation::TakeLock, Fault::Late(BUDGET_S + 1));
    let feeds = cluster.calls[&HostOperation::FeedWatchdog];
    while cluster.calls[&HostOperation::FeedWatchdog] == feeds {
        cluster.run_for(1);
    }
    let too_late = cluster.reports.iter().position(|report| report.event == Event::WatchdogFeedTooLate);
    assert!(too_late.is_some());
    cluster.run_for(5);
    assert!(fed(&cluster) > fed_before);
    assert_eq!(lrm_state(&mut cluster), LrmState::Active);
}

#[test]
fn a_renewal_that_took_effect_but_said_it_failed_feeds_nothing() {
    let mut cluster = active();
    let feeds = cluster.calls[&HostOperation::FeedWatchdog];
    fail_next(&mut cluster, HostOperation::TakeLock, Fault::Unknown);
    let takes = cluster.calls[&HostOperation::TakeLock];
    while cluster.calls[&HostOperation::TakeLock] == takes {
        cluster.run_for(1);
    }
    assert_eq!(cluster.calls[&HostOperation::FeedWatchdog], feeds);
    cluster.run_for(2);
    assert!(cluster.calls[&HostOperation::FeedWatchdog] > feeds, "the next renewal is fed for");
    assert_eq!(lrm_state(&mut cluster), LrmState::Active);
}

#[test]
fn a_feed_that_failed_counts_as_a_lost_lock_and_is_made_good_by_the_next_renewal() {
    let mut cluster = active();
    fail_next(&mut cluster, HostOperation::FeedWatchdog, Fault::Fails);
    cluster.run_for(30);
    let names = cluster.take_events();
    assert_eq!(names[..2], ["host_call_failed", "daemon_state"], "{names:?}");
    assert_eq!(lrm_state(&mut cluster), LrmState::Active);
    assert_eq!(cluster.resets, []);
}

#[test]
fn without_any_renewal_the_node_is_reset_before_its_lock_can_pass() {
    let mut cluster = active();
    cluster.broken.insert((node("node1"), HostOperation::TakeLock));
    let last_fed = fed(&cluster);
    while cluster.resets.is_empty() {
        assert_eq!(fed(&cluster), last_fed);
        cluster.run_for(1);
    }
    assert_eq!(cluster.holder(&Lock::Agent(node("node1"))), Some(&node("node1")));
    assert!(cluster.places(&sid("vm:101")).is_empty());
}

#[test]
fn after_a_stop_of_minutes_no_job_begins_before_the_lock_was_renewed() {
    let mut cluster = active();
    cluster.datacenter().max_workers = 1;
    cluster.add_service("vm:102", "node1", RequestedState::Stopped);
    for name in ["vm:101", "vm:102"] {
        cluster.put_entry(name, "node1", ServiceState::RequestStop { timeout: None }, Some(name));
    }
    while cluster.nodes[&node("node1")].jobs.is_empty() {
        cluster.run_for(1);
    }
    // The machine is paused between two looks at the workers, and its watchdog with it.
    let (_, job) = cluster.node("node1").jobs.remove(0);
    cluster.node("node1").finished.push((job.id, ExitCode::SUCCESS));
    cluster.node("node1").watchdogs.clear();
    cluster.time = cluster.time.after(secs(600));
    let jobs = cluster.calls[&HostOperation::StartJob];
    assert!(cluster.tick(&node("node1"), Daemon::Lrm).is_some());
    assert_eq!(cluster.calls[&HostOperation::StartJob], jobs, "the job that waits does not begin");
}

#[test]
fn a_lock_that_was_held_before_is_not_given_back_though_its_watchdog_can_not_be_opened() {
    let mut cluster = Cluster::with_one_daemon(&["node1"], Daemon::Lrm);
    cluster.add_service("vm:101", "node1", RequestedState::Started);
    cluster.put_entry("vm:101", "node1", ServiceState::Started { confirmed: true }, Some("one"));
    // The LRM that was here before it has ended, and the service runs on.
    cluster.give_lock(Lock::Agent(node("node1")), "node1");
    cluster.node("node1").running.insert(sid("vm:101"));
    cluster.broken.insert((node("node1"), HostOperation::OpenWatchdog));
    cluster.run_for(1);
    assert_eq!(lrm_state(&mut cluster), LrmState::WaitForAgentLock);
    assert!(cluster.calls[&HostOperation::TakeLock] > 0);
    assert_eq!(cluster.holder(&Lock::Agent(node("node1"))), Some(&node("node1")), "nobody may recover what runs");
}

#[test]
fn after_a_loss_of_quorum_the_lock_is_tried_for_its_full_time_again() {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Lrm);
    cluster.add_service("vm:101", "node1", RequestedState::Started);
    cluster.put_entry("vm:101", "node1", ServiceState::Started { confirmed: false }, Some("one"));
    cluster.give_lock(Lock::Agent(node("node1")), "node2");
    cluster.run_for(2);
    cluster.node("node1").connected = false;
    cluster.run_for(30);
    let before = cluster.calls[&HostOperation::TakeLock];
    cluster.node("node1").connected = true;
    while cluster.calls[&HostOperation::TakeLock] == before {
        cluster.run_for(1);
    }
    cluster.run_for(4);
    assert!(cluster.calls[&HostOperation::TakeLock] >= before + 5, "for up to 5 s, about once a second");
}
