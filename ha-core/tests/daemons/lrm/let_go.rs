//! Letting go of the lock and the watchdog, in each way in which an LRM comes to that, with a service in `error` that may run.

use super::*;

/// How an LRM comes to let go, and how it is brought there.
type Way = (&'static str, fn(&mut Cluster));

const WAYS: [Way; 4] = [
    ("maintenance", |cluster| {
        request_maintenance(cluster, true);
        cluster.put_entry("vm:101", "node2", STARTED, Some("three"));
    }),
    ("restart", |cluster| {
        ask_to_stop(cluster, StopRequest::Restart);
        put(cluster, ServiceState::Freeze, "three");
    }),
    ("shutdown", |cluster| {
        ask_to_stop(cluster, StopRequest::NodeShutdown);
        put(cluster, ServiceState::Freeze, "three");
    }),
    ("disarm", |cluster| {
        disarm(cluster);
        put(cluster, ServiceState::Freeze, "three");
    }),
];

/// An active LRM with a service in `error` that may run.
fn with_one_that_may_run() -> Cluster {
    let mut cluster = active();
    cluster.add_service("vm:102", "node1", RequestedState::Started);
    cluster.put_entry("vm:102", "node1", ServiceState::Error, Some("two"));
    // What may run elsewhere says nothing of this node.
    cluster.put_entry("vm:103", "node2", ServiceState::Error, Some("other"));
    cluster.edit_status(|status| {
        status.may_run.extend([sid("vm:102"), sid("vm:103")]);
    });
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster));
    cluster
}

fn says_it_guards(cluster: &Cluster) -> bool {
    let record = record(cluster);
    record.state == LrmState::Active && !matches!(record.mode, LrmMode::Restart | LrmMode::Disarm)
}

/// Lets the LRM do some iterations, until it has ended if it does.
fn go_on(cluster: &mut Cluster) {
    for _ in 0..4 {
        match iterate(cluster) {
            Some(instant) => cluster.time = instant,
            None => return,
        }
    }
}

#[test]
fn the_watchdog_stays_open_as_long_as_the_record_can_not_say_that_it_is_closed() {
    for (name, way) in WAYS {
        let mut cluster = with_one_that_may_run();
        way(&mut cluster);
        break_call(&mut cluster, HostOperation::WriteLrmStatus);
        go_on(&mut cluster);
        assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster), "{name}");
        cluster.broken.clear();
        go_on(&mut cluster);
        assert!(!watchdog_is_open(&mut cluster), "{name}");
        assert!(!says_it_guards(&cluster), "{name}");
    }
}

#[test]
fn the_lock_is_kept_as_long_as_the_watchdog_can_not_be_closed() {
    for (name, way) in WAYS {
        let mut cluster = with_one_that_may_run();
        way(&mut cluster);
        break_call(&mut cluster, HostOperation::CloseWatchdog);
        go_on(&mut cluster);
        assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster), "{name}");
        cluster.broken.clear();
        go_on(&mut cluster);
        assert!(!watchdog_is_open(&mut cluster), "{name}");
    }
}

/// The calls of an LRM, and what must not have happened where they fail, in each of its states.
#[test]
fn a_call_that_fails_closes_no_watchdog_over_a_service_that_runs_and_begins_nothing_without_the_lock() {
    let calls = [
        HostOperation::Refresh,
        HostOperation::TakeLock,
        HostOperation::ReleaseLock,
        HostOperation::OpenWatchdog,
        HostOperation::FeedWatchdog,
        HostOperation::CloseWatchdog,
        HostOperation::ReadManagerStatus,
        HostOperation::ReadConfiguration,
        HostOperation::WriteLrmStatus,
        HostOperation::StartJob,
        HostOperation::FinishedJobs,
    ];
    let states: [fn() -> Cluster; 4] = [cluster, active, lost, maintenance];
    for (number, start) in states.into_iter().enumerate() {
        for operation in calls {
            let mut cluster = start();
            if number == 0 {
                put(&mut cluster, STARTED, "one");
            }
            let was_open = watchdog_is_open(&mut cluster);
            let ran = !cluster.node("node1").running.is_empty();
            break_call(&mut cluster, operation);
            let before = cluster.calls.get(&HostOperation::StartJob).copied();
            cluster.iterate_times(2, "node1", Daemon::Lrm);
            assert!(!ran || !was_open || watchdog_is_open(&mut cluster), "{number}, {operation}: it was closed");
            let began = cluster.calls.get(&HostOperation::StartJob).copied() != before;
            assert!(!began || (holds_lock(&cluster) && watchdog_is_open(&mut cluster)), "{number}, {operation}");
        }
    }
}
