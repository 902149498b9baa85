//! Being asked to stop.

use super::*;

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

/// A job may hold up the turn of the workers until long after the status was read by which all is frozen.
#[test]
fn stop_restart_looks_again_whether_all_services_are_frozen_once_its_record_says_that_it_restarts() {
    for mut cluster in [active(), lost()] {
        put(&mut cluster, ServiceState::Freeze, "two");
        ask_to_stop(&mut cluster, StopRequest::Restart);
        cluster.after_record = Some(|cluster| put(cluster, STARTED, "three"));
        assert!(iterate(&mut cluster).is_some(), "a service is active again");
        assert!(watchdog_is_open(&mut cluster));
        assert_eq!(record(&cluster).mode, LrmMode::Restart);
        cluster.after_record = None;
        put(&mut cluster, ServiceState::Freeze, "four");
        while iterate(&mut cluster).is_some() {}
        assert!(!watchdog_is_open(&mut cluster));
    }
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
    // What it has may be somebody else's by now, so it does not even stop it.
    cluster.time = cluster.time.after(secs(150));
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
    assert_eq!(record(&cluster).mode, LrmMode::Restart);
    put(&mut cluster, ServiceState::Freeze, "two");
    cluster.node("node1").connected = false;
    assert_eq!(iterate(&mut cluster), None);
    assert!(!watchdog_is_open(&mut cluster));
}

/// What is frozen for another reason may be thawed by now, by a master that takes the node for one that is guarded.
#[test]
fn stop_lost_agent_lock_that_nobody_can_know_of_leaves_the_watchdog_open() {
    let mut cluster = lost();
    put(&mut cluster, ServiceState::Freeze, "two");
    cluster.node("node1").connected = false;
    ask_to_stop(&mut cluster, StopRequest::Restart);
    assert!(iterate(&mut cluster).is_some());
    assert!(watchdog_is_open(&mut cluster));
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
fn stop_maintenance_restart_goes_on_as_any_restart_when_maintenance_ends_first() {
    let mut cluster = maintenance();
    ask_to_stop(&mut cluster, StopRequest::Restart);
    cluster.iterate_times(3, "node1", Daemon::Lrm);
    assert_eq!(mode(&mut cluster), LrmMode::Maintenance, "it waits for its services to move");
    cluster.take_events();
    request_maintenance(&mut cluster, false);
    assert!(iterate(&mut cluster).is_some(), "a service is active");
    assert_eq!(record(&cluster).mode, LrmMode::Restart);
    assert_eq!(cluster.take_events(), ["lrm_shutdown_mode"]);
    put(&mut cluster, ServiceState::Freeze, "two");
    assert_eq!(iterate(&mut cluster), None);
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")], "it runs on");
}

#[test]
fn stop_maintenance_node_goes_down_stays_in_maintenance_though_nobody_asks_for_it_any_more() {
    let mut cluster = maintenance();
    ask_to_stop(&mut cluster, StopRequest::NodeReboot);
    request_maintenance(&mut cluster, false);
    cluster.iterate_times(3, "node1", Daemon::Lrm);
    assert_eq!(mode(&mut cluster), LrmMode::Maintenance);
}

#[test]
fn a_second_request_to_stop_changes_nothing_but_a_restart_where_the_node_goes_down() {
    use StopRequest::{NodeReboot, NodeShutdown, Restart};
    for (first, second) in
        [(Restart, Restart), (NodeShutdown, Restart), (NodeShutdown, NodeReboot), (NodeReboot, NodeShutdown)]
    {
        let mut cluster = active();
        ask_to_stop(&mut cluster, first);
        let before = mode(&mut cluster);
        cluster.take_events();
        ask_to_stop(&mut cluster, second);
        assert_eq!(cluster.take_events(), [""; 0], "{first:?}, {second:?}");
        assert_eq!(mode(&mut cluster), before, "{first:?}, {second:?}");
    }
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
fn a_restart_that_is_under_way_stops_its_services_when_the_node_goes_down() {
    for frozen in [false, true] {
        let mut cluster = active();
        ask_to_stop(&mut cluster, StopRequest::Restart);
        if frozen {
            put(&mut cluster, ServiceState::Freeze, "two");
        }
        cluster.take_events();
        ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
        ask_to_stop(&mut cluster, StopRequest::Restart);
        assert_eq!(iterate(&mut cluster), None, "frozen: {frozen}");
        let events = ["shutdown_requested", "lrm_shutdown_mode", "agent_stopping", "agent_stopped"];
        assert_eq!(cluster.take_events(), events, "frozen: {frozen}");
        assert!(cluster.places(&sid("vm:101")).is_empty(), "frozen: {frozen}");
    }
}

#[test]
fn stop_lost_agent_lock_leaves_the_watchdog_open_as_long_as_a_job_runs() {
    let mut cluster = cluster();
    put(&mut cluster, STARTED, "one");
    let _ = cluster.tick(&node("node1"), Daemon::Lrm);
    // The start takes long.
    let ends = cluster.time.after(secs(1000));
    cluster.node("node1").jobs.iter_mut().for_each(|(end, _)| *end = ends);
    ask_to_stop(&mut cluster, StopRequest::Restart);
    put(&mut cluster, ServiceState::Freeze, "two");
    break_call(&mut cluster, HostOperation::TakeLock);
    cluster.iterate_times(4, "node1", Daemon::Lrm);
    assert_eq!(state(&mut cluster), LrmState::LostAgentLock);
    assert!(watchdog_is_open(&mut cluster), "it would run without a watchdog when its start is over");
    cluster.broken.clear();
    let now = cluster.time;
    cluster.node("node1").jobs.iter_mut().for_each(|(end, _)| *end = now);
    while let Some(next) = iterate(&mut cluster) {
        cluster.time = next;
    }
    assert!(!watchdog_is_open(&mut cluster) && !holds_lock(&cluster));
}

#[test]
fn an_lrm_that_restarts_carries_out_moves_alone() {
    let rows = [
        (ServiceState::Relocate { target: node("node2") }, true),
        (ServiceState::Migrate { target: node("node2") }, true),
        (ServiceState::RequestStop { timeout: None }, false),
        (ServiceState::Stopped, false),
        (STARTED, false),
    ];
    for (request, is_carried_out) in rows {
        let mut cluster = active();
        ask_to_stop(&mut cluster, StopRequest::Restart);
        put(&mut cluster, request.clone(), "two");
        let before = cluster.calls[&HostOperation::StartJob];
        iterate(&mut cluster);
        assert_eq!(cluster.calls[&HostOperation::StartJob] > before, is_carried_out, "{request:?}");
    }
}

#[test]
fn a_restart_waits_its_full_time_for_a_lock_that_was_lost_again() {
    let mut cluster = lost();
    // It gets it back, and has it for a long time.
    cluster.iterate_times(40, "node1", Daemon::Lrm);
    assert_eq!(state(&mut cluster), LrmState::Active);
    break_call(&mut cluster, HostOperation::TakeLock);
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert_eq!(state(&mut cluster), LrmState::LostAgentLock);
    ask_to_stop(&mut cluster, StopRequest::Restart);
    cluster.iterate_times(5, "node1", Daemon::Lrm);
    assert!(!cluster.take_events().contains(&"shutdown_given_up".into()));
}

#[test]
fn stop_lost_agent_lock_what_is_frozen_is_stopped_before_its_node_goes_down() {
    for policy in [ShutdownPolicy::Migrate, ShutdownPolicy::Conditional] {
        let mut cluster = active();
        cluster.datacenter().shutdown_policy = policy;
        ask_to_stop(&mut cluster, StopRequest::Restart);
        put(&mut cluster, ServiceState::Freeze, "two");
        ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
        break_call(&mut cluster, HostOperation::TakeLock);
        break_call(&mut cluster, HostOperation::StartJob);
        cluster.iterate_times(2, "node1", Daemon::Lrm);
        assert_eq!(state(&mut cluster), LrmState::LostAgentLock, "{policy:?}");
        assert!(watchdog_is_open(&mut cluster), "it runs on ({policy:?})");
        cluster.broken.retain(|(_, operation)| *operation == HostOperation::TakeLock);
        while let Some(next) = iterate(&mut cluster) {
            cluster.time = next;
        }
        assert!(cluster.places(&sid("vm:101")).is_empty(), "{policy:?}");
        assert!(!watchdog_is_open(&mut cluster), "{policy:?}");
    }
}

/// A start that was asked for meanwhile takes the place of the stop that waits.
#[test]
fn stop_maintenance_what_is_frozen_is_stopped_before_its_node_goes_down() {
    let mut cluster = active();
    cluster.datacenter().shutdown_policy = ShutdownPolicy::Migrate;
    ask_to_stop(&mut cluster, StopRequest::Restart);
    put(&mut cluster, STARTED, "two");
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    put(&mut cluster, ServiceState::Freeze, "three");
    while let Some(next) = iterate(&mut cluster) {
        cluster.time = next;
    }
    assert!(cluster.places(&sid("vm:101")).is_empty());
    assert!(!watchdog_is_open(&mut cluster));
}
