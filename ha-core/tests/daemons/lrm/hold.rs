//! What an LRM must not let go of, and what it must not begin: each condition under which it would, one at a time.

use super::*;
use crate::cluster::{Disturbance, Fault};

/// Lets the LRM go on until it exits, for some minutes at most.
fn exits(cluster: &mut Cluster) -> bool {
    for _ in 0..40 {
        match iterate(cluster) {
            Some(instant) => cluster.time = instant,
            None => return true,
        }
    }
    false
}

fn calls(cluster: &Cluster, operation: HostOperation) -> u32 {
    cluster.calls.get(&operation).copied().unwrap_or_default()
}

#[test]
fn a_service_that_is_here_or_comes_here_keeps_an_lrm_from_being_idle() {
    let to = || node("node1");
    let rows = [
        ("node2", ServiceState::Started { confirmed: true }, false),
        ("node2", ServiceState::Relocate { target: node("node3") }, false),
        ("node2", ServiceState::Migrate { target: to() }, true),
        ("node2", ServiceState::Relocate { target: to() }, true),
        ("node2", ServiceState::RequestStartBalance { target: to() }, true),
        ("node1", ServiceState::Error, true),
        ("node1", ServiceState::Stopped, true),
        ("node1", ServiceState::Freeze, true),
    ];
    for (on, entry, keeps) in rows {
        let mut cluster = active();
        cluster.put_entry("vm:101", on, entry.clone(), None);
        // One that lets go, and takes its lock again right after, has let go.
        let stays = (0..70).all(|_| {
            cluster.iterate_times(1, "node1", Daemon::Lrm);
            watchdog_is_open(&mut cluster) && holds_lock(&cluster)
        });
        assert_eq!(stays, keeps, "{entry:?} on {on}");
    }
}

#[test]
fn a_job_that_runs_keeps_the_lock_and_the_watchdog_whatever_became_of_its_service() {
    type Way = (&'static str, fn(&mut Cluster));
    let ways: [Way; 4] = [
        ("maintenance", |cluster| request_maintenance(cluster, true)),
        ("disarming", disarm),
        ("a restart", |cluster| ask_to_stop(cluster, StopRequest::Restart)),
        ("nothing else", |_| {}),
    ];
    for (name, way) in ways {
        let mut cluster = active();
        put(&mut cluster, ServiceState::RequestStop { timeout: None }, "two");
        let _ = cluster.tick(&node("node1"), Daemon::Lrm);
        // It takes long.
        let ends = cluster.time.after(secs(10_000));
        cluster.node("node1").jobs.iter_mut().for_each(|(end, _)| *end = ends);
        cluster.put_entry("vm:101", "node2", ServiceState::Stopped, Some("three"));
        way(&mut cluster);
        for _ in 0..70 {
            cluster.time = iterate(&mut cluster).unwrap();
            assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster), "{name}");
        }
        let now = cluster.time;
        cluster.node("node1").jobs.iter_mut().for_each(|(end, _)| *end = now);
        for _ in 0..70 {
            let Some(instant) = iterate(&mut cluster) else { break };
            cluster.time = instant;
        }
        assert!(!watchdog_is_open(&mut cluster), "{name}: its job has ended");
    }
}

#[test]
fn an_lrm_that_goes_down_leaves_only_when_it_has_said_so_and_has_looked_once_more() {
    let mut before = active();
    ask_to_stop(&mut before, StopRequest::NodeShutdown);
    assert!(exits(&mut before));
    for operation in [HostOperation::WriteLrmStatus, HostOperation::ReadManagerStatus] {
        let mut cluster = active();
        ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
        // The last one is made right before it lets go.
        let number = calls(&before, operation);
        cluster.disturbance = Some(Disturbance { operation, number, fault: Fault::Fails });
        while calls(&cluster, operation) < number {
            let next = iterate(&mut cluster);
            assert!(next.is_some(), "{operation}");
            cluster.time = next.unwrap();
        }
        assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster), "{operation}");
        assert!(exits(&mut cluster), "{operation}");
        assert!(!watchdog_is_open(&mut cluster), "{operation}");
    }
}

#[test]
fn what_comes_while_an_lrm_that_goes_down_says_that_it_leaves_is_not_left_to_run() {
    let mut cluster = active();
    cluster.add_service("vm:102", "node1", RequestedState::Started);
    // A live move to this node ends right before its master can know that nobody looks after this node any more.
    cluster.after_record = Some(|cluster| {
        let leaves = cluster.store.lrm_status[&node("node1")].state == LrmState::WaitForAgentLock;
        if leaves && !cluster.status().services.contains(&sid("vm:102")) {
            cluster.put_entry("vm:102", "node1", STARTED, Some("two"));
            cluster.node("node1").running.insert(sid("vm:102"));
        }
    });
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    assert!(exits(&mut cluster));
    assert!(cluster.status().services.contains(&sid("vm:102")), "it came");
    assert!(cluster.places(&sid("vm:102")).is_empty());
}

#[test]
fn a_service_that_is_on_its_way_here_when_an_lrm_says_that_it_leaves_is_waited_for() {
    let mut cluster = active();
    cluster.add_service("vm:102", "node1", RequestedState::Started);
    cluster.after_record = Some(|cluster| {
        let leaves = cluster.store.lrm_status[&node("node1")].state == LrmState::WaitForAgentLock;
        if leaves && !cluster.status().services.contains(&sid("vm:102")) {
            cluster.put_entry("vm:102", "node2", ServiceState::Migrate { target: node("node1") }, Some("two"));
        }
    });
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    for _ in 0..20 {
        cluster.time = iterate(&mut cluster).unwrap();
        assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster));
    }
    cluster.put_entry("vm:102", "node1", STARTED, Some("three"));
    cluster.node("node1").running.insert(sid("vm:102"));
    assert!(exits(&mut cluster));
    assert!(cluster.places(&sid("vm:102")).is_empty() && !watchdog_is_open(&mut cluster));
}

#[test]
fn a_guest_that_is_elsewhere_by_now_does_not_keep_the_watchdog_of_a_node_that_goes_down() {
    let mut cluster = active();
    cluster.guests.get_mut(&sid("vm:101")).unwrap().node = node("node2");
    cluster.node("node1").running.clear();
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    assert!(exits(&mut cluster));
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
}

#[test]
fn a_service_that_was_started_again_after_its_last_stop_is_stopped_once_more() {
    let mut cluster = maintenance();
    ask_to_stop(&mut cluster, StopRequest::Restart);
    // The node goes down after all: what is here is stopped. Its master, who does not know yet, has it started.
    ask_to_stop(&mut cluster, StopRequest::NodeReboot);
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert!(cluster.places(&sid("vm:101")).is_empty());
    put(&mut cluster, STARTED, "two");
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")], "in maintenance requests are carried out");
    // Nobody moves it, so that it is stopped in the end.
    let ended = (0..40).any(|round| {
        cluster.edit_status(|status| status.timestamp = Some(round));
        let next = iterate(&mut cluster);
        cluster.time = next.unwrap_or(cluster.time);
        next.is_none()
    });
    assert!(ended && cluster.places(&sid("vm:101")).is_empty());
}

#[test]
fn a_service_that_left_and_came_back_while_its_node_goes_down_is_stopped_again() {
    let mut cluster = active();
    // Another one holds the node up.
    cluster.add_service("vm:102", "node1", RequestedState::Started);
    cluster.put_entry("vm:102", "node1", STARTED, Some("two"));
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    cluster.guests.get_mut(&sid("vm:102")).unwrap().locked = true;
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert!(cluster.places(&sid("vm:101")).is_empty(), "it was stopped");
    cluster.put_entry("vm:101", "node2", STARTED, Some("three"));
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    put(&mut cluster, STARTED, "four");
    cluster.node("node1").running.insert(sid("vm:101"));
    cluster.guests.get_mut(&sid("vm:102")).unwrap().locked = false;
    assert!(exits(&mut cluster));
    assert!(cluster.places(&sid("vm:101")).is_empty());
}

#[test]
fn a_request_that_waited_is_not_carried_out_once_the_lock_is_lost() {
    let mut cluster = cluster();
    cluster.datacenter().max_workers = 1;
    cluster.add_service("vm:102", "node1", RequestedState::Started);
    for name in ["vm:101", "vm:102"] {
        cluster.put_entry(name, "node1", STARTED, Some(name));
    }
    let _ = cluster.tick(&node("node1"), Daemon::Lrm);
    let running: Vec<String> = cluster.nodes[&node("node1")].jobs.iter().map(|(_, job)| job.sid.to_string()).collect();
    assert_eq!(running, ["vm:101"]);
    let ends = cluster.time.after(secs(45));
    cluster.node("node1").jobs.iter_mut().for_each(|(end, _)| *end = ends);
    break_call(&mut cluster, HostOperation::TakeLock);
    while state(&mut cluster) != LrmState::LostAgentLock {
        cluster.time = iterate(&mut cluster).unwrap();
    }
    // It is somebody else's by now.
    cluster.put_entry("vm:102", "node2", STARTED, Some("three"));
    cluster.time = iterate(&mut cluster).unwrap();
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    assert!(exits(&mut cluster));
    assert!(cluster.places(&sid("vm:102")).is_empty());
    assert!(!cluster.take_events().contains(&"service_not_here".into()), "it was not even tried");
}

#[test]
fn nothing_is_begun_while_nobody_can_read_what_is_asked_for() {
    let mut cluster = active();
    // What is stopped is stopped again whenever it is looked at.
    put(&mut cluster, ServiceState::Stopped, "two");
    cluster.iterate_times(2, "node1", Daemon::Lrm);
    let before = calls(&cluster, HostOperation::StartJob);
    break_call(&mut cluster, HostOperation::ReadManagerStatus);
    cluster.iterate_times(3, "node1", Daemon::Lrm);
    assert_eq!(calls(&cluster, HostOperation::StartJob), before);
    assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster));
    cluster.broken.clear();
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert!(calls(&cluster, HostOperation::StartJob) > before);
}

#[test]
fn a_last_stop_without_the_lock_ends_before_the_watchdog_does() {
    for (asked, expected) in [(None, 20..60), (Some(1000), 20..60), (Some(3), 3..4)] {
        let mut cluster = active();
        cluster.node("node1").connected = false;
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        cluster.edit_status(|status| {
            let (_, entry) = status.services.iter_mut().next().unwrap();
            entry.state = ServiceState::RequestStop { timeout: asked };
        });
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
        let _ = cluster.tick(&node("node1"), Daemon::Lrm);
        let timeouts: Vec<u32> = cluster.node("node1").jobs.iter().filter_map(|(_, job)| job.timeout).collect();
        assert!(timeouts.len() == 1 && expected.contains(&timeouts[0]), "{asked:?}: {timeouts:?}");
    }
}

/// The lock was somebody else's meanwhile, and the watchdog is still open: what is looked after runs on.
#[test]
fn a_lock_that_was_got_back_too_late_to_be_guarded_is_kept_as_long_as_the_watchdog_is_open() {
    let mut cluster = active();
    cluster.release_lock_of("node1");
    let number = calls(&cluster, HostOperation::TakeLock) + 1;
    cluster.disturbance = Some(Disturbance { operation: HostOperation::TakeLock, number, fault: Fault::Late(48) });
    let releases = calls(&cluster, HostOperation::ReleaseLock);
    cluster.take_events();
    let _ = cluster.tick(&node("node1"), Daemon::Lrm);
    assert!(cluster.take_events().contains(&"watchdog_feed_too_late".into()));
    assert_eq!(calls(&cluster, HostOperation::ReleaseLock), releases);
    assert!(holds_lock(&cluster));
}
