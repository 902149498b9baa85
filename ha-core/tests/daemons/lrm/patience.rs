//! Jobs that wait for a lock, and jobs that do not end.

use ha_core::time::Next;

use super::*;

/// Lets an active LRM go on until something is reported, for an hour at most.
fn iterate_until(cluster: &mut Cluster, event: &str) -> Vec<String> {
    let mut events = Vec::new();
    for _ in 0..360 {
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        events.extend(cluster.take_events());
        if events.iter().any(|reported| reported == event) {
            return events;
        }
    }
    panic!("{event} is not reported, but {events:?}");
}

/// A job for `vm:101` hangs, in the only place that there is.
fn hung(state: ServiceState) -> Cluster {
    let mut cluster = active();
    cluster.datacenter().max_workers = 1;
    cluster.add_service("vm:102", "node1", RequestedState::Started);
    cluster.guests.get_mut(&sid("vm:101")).unwrap().hangs = Some(state.name());
    put(&mut cluster, state, "two");
    iterate_until(&mut cluster, "job_hangs");
    cluster
}

fn results(cluster: &Cluster) -> Vec<(String, i32)> {
    let record = record(cluster);
    record.results.iter().map(|(uid, result)| (uid.to_string(), result.exit_code.0)).collect()
}

#[test]
fn a_job_that_hangs_is_shown_takes_no_place_and_keeps_others_from_its_service() {
    let mut cluster = hung(STARTED);
    cluster.put_entry("vm:102", "node1", STARTED, Some("other"));
    put(&mut cluster, ServiceState::RequestStop { timeout: None }, "three");
    cluster.guests.get_mut(&sid("vm:101")).unwrap().hangs = None;
    cluster.iterate_times(20, "node1", Daemon::Lrm);
    assert_eq!(results(&cluster), [("other".into(), 0)]);
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")], "nothing was begun for it");
    let note = &record(&cluster).services[&sid("vm:101")];
    assert_eq!((note.hangs, note.hangs_since.is_some()), (Some(StateName::Started), true));
    assert_eq!(state(&mut cluster), LrmState::Active);
    assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster));
}

#[test]
fn a_job_that_hangs_does_not_hold_up_a_node_that_goes_down_but_its_watchdog_stays_open() {
    for state in [STARTED, ServiceState::RequestStop { timeout: None }] {
        let mut cluster = hung(state);
        ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
        let asked = cluster.time;
        while let Some(next) = iterate(&mut cluster) {
            cluster.time = next;
            assert!(cluster.time.since(asked) < secs(180));
        }
        assert!(cluster.take_events().contains(&"services_left_running".into()));
        assert!(watchdog_is_open(&mut cluster));
    }
}

#[test]
fn a_start_that_was_ended_is_tried_again_then_cleared_away_and_has_failed_then() {
    let mut cluster = active();
    cluster.ends_jobs = true;
    cluster.resources().get_mut(&sid("vm:101")).unwrap().max_restart = Some(1);
    cluster.node("node1").running.clear();
    cluster.guests.get_mut(&sid("vm:101")).unwrap().hangs = Some(StateName::Started);
    put(&mut cluster, STARTED, "two");
    iterate_until(&mut cluster, "start_retry");
    assert!(results(&cluster).iter().all(|(uid, _)| uid != "two"), "it is tried again");
    cluster.node("node1").running.insert(sid("vm:101"));
    iterate_until(&mut cluster, "start_retries_exhausted");
    cluster.iterate_times(3, "node1", Daemon::Lrm);
    assert!(cluster.places(&sid("vm:101")).is_empty(), "what it left was stopped");
    assert_eq!(results(&cluster), [("two".into(), 1)]);
}

#[test]
fn a_start_that_was_ended_and_can_not_be_cleared_away_has_not_failed_but_died() {
    let mut cluster = active();
    cluster.ends_jobs = true;
    cluster.resources().get_mut(&sid("vm:101")).unwrap().max_restart = Some(0);
    cluster.guests.get_mut(&sid("vm:101")).unwrap().hangs = Some(StateName::Started);
    cluster.guests.get_mut(&sid("vm:101")).unwrap().stop_fails = true;
    put(&mut cluster, STARTED, "two");
    iterate_until(&mut cluster, "start_retries_exhausted");
    cluster.iterate_times(2, "node1", Daemon::Lrm);
    assert_eq!(results(&cluster), [("two".into(), -1)], "it may run");
}

#[test]
fn a_stop_that_was_ended_has_died() {
    let mut cluster = hung(ServiceState::RequestStop { timeout: None });
    cluster.ends_jobs = true;
    cluster.iterate_times(10, "node1", Daemon::Lrm);
    assert_eq!(results(&cluster), [("two".into(), -1)]);
    assert!(record(&cluster).services.is_empty());
}

#[test]
fn what_a_lock_does_not_allow_waits_says_so_and_uses_up_no_tries() {
    let commands =
        [STARTED, ServiceState::RequestStop { timeout: None }, ServiceState::Migrate { target: node("node2") }];
    for command in commands {
        let mut cluster = active();
        if command == STARTED {
            cluster.node("node1").running.clear();
        }
        cluster.guests.get_mut(&sid("vm:101")).unwrap().locked = true;
        put(&mut cluster, command.clone(), "two");
        cluster.iterate_times(30, "node1", Daemon::Lrm);
        assert_eq!(results(&cluster), [], "{command:?}");
        let note = &record(&cluster).services[&sid("vm:101")];
        assert_eq!((note.lock.as_deref(), note.locked_since.is_some()), (Some("backup"), true));
        let events = cluster.take_events();
        let failed = ["start_retry", "agent_start_failed", "agent_stop_failed", "agent_move_failed"];
        assert!(!events.iter().any(|event| failed.contains(&event.as_str())), "{events:?}");
        let tries = events.iter().filter(|event| *event == "host_call_failed").count();
        assert!((3..12).contains(&tries), "{tries} tries in five minutes");
        cluster.guests.get_mut(&sid("vm:101")).unwrap().locked = false;
        cluster.iterate_times(7, "node1", Daemon::Lrm);
        assert_eq!(results(&cluster), [("two".into(), 0)], "{command:?}");
        assert!(record(&cluster).services.is_empty());
    }
}

#[test]
fn a_shutdown_waits_some_minutes_for_a_lock_and_leaves_the_watchdog_open_then() {
    let mut cluster = active();
    cluster.guests.get_mut(&sid("vm:101")).unwrap().locked = true;
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    let asked = cluster.time;
    while let Some(next) = iterate(&mut cluster) {
        cluster.time = next;
    }
    assert!((secs(60)..secs(600)).contains(&cluster.time.since(asked)));
    assert!(watchdog_is_open(&mut cluster));
}

#[test]
fn a_shutdown_without_quorum_stops_what_the_lease_still_covers_and_closes_the_watchdog() {
    let mut cluster = active();
    cluster.node("node1").connected = false;
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert_eq!(state(&mut cluster), LrmState::LostAgentLock);
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    assert_eq!(iterate(&mut cluster), None);
    assert!(cluster.places(&sid("vm:101")).is_empty());
    assert!(!watchdog_is_open(&mut cluster));
}

#[test]
fn a_shutdown_after_the_lease_touches_nothing() {
    let mut cluster = active();
    cluster.node("node1").connected = false;
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    cluster.time = cluster.time.after(secs(150));
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    assert!(iterate(&mut cluster).is_some());
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")]);
    assert!(watchdog_is_open(&mut cluster));
}

#[test]
fn a_restart_without_quorum_stops_nothing() {
    let mut cluster = active();
    cluster.node("node1").connected = false;
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    ask_to_stop(&mut cluster, StopRequest::Restart);
    assert!(iterate(&mut cluster).is_some());
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")]);
}

#[test]
fn moves_that_fail_again_and_again_come_after_growing_pauses() {
    let mut cluster = active();
    cluster.node("node2").connected = false;
    let mut failures = Vec::new();
    for number in 0..200 {
        put(&mut cluster, ServiceState::Migrate { target: node("node2") }, &format!("move{}", failures.len()));
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        if cluster.take_events().contains(&"agent_move_failed".into()) {
            failures.push(number);
        }
    }
    let waits: Vec<i32> = failures.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits.iter().position(|wait| *wait > 1), Some(9), "{waits:?}");
    assert!(waits.is_sorted() && waits.last().is_some_and(|wait| (25..=32).contains(wait)), "{waits:?}");
}

const CONFIRMED: ServiceState = ServiceState::Started { confirmed: true };

/// `vm:101`, whose start is confirmed, ends by itself; the LRM looks at it under a new request.
fn ends_by_itself(cluster: &mut Cluster, uid: &str) -> Vec<String> {
    cluster.node("node1").running.clear();
    put(cluster, CONFIRMED, uid);
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    cluster.take_events()
}

fn runs(cluster: &Cluster) -> bool {
    !cluster.places(&sid("vm:101")).is_empty()
}

#[test]
fn a_service_that_ends_by_itself_is_started_at_once_three_times_then_after_growing_pauses() {
    let mut cluster = active();
    for uid in ["r1", "r2", "r3"] {
        assert_eq!(ends_by_itself(&mut cluster, uid), ["unplanned_restart", "agent_starting", "agent_started"]);
    }
    let mut pauses = Vec::new();
    for uid in ["r4", "r5", "r6", "r7", "r8", "r9", "r10"] {
        let began = cluster.time;
        assert_eq!(ends_by_itself(&mut cluster, uid), ["unplanned_restart"]);
        assert!(!runs(&cluster) && results(&cluster).is_empty(), "{uid}: it waits");
        let shown = record(&cluster).services[&sid("vm:101")].next_restart.expect("it is shown when it is tried again");
        assert!(shown > 0);
        while !runs(&cluster) {
            cluster.iterate_times(1, "node1", Daemon::Lrm);
        }
        assert_eq!(cluster.take_events(), ["agent_starting", "agent_started"]);
        assert_eq!(record(&cluster).services[&sid("vm:101")].next_restart, None);
        pauses.push(cluster.time.since(began).as_secs() / 10 * 10);
    }
    assert_eq!(pauses, [30, 40, 60, 100, 180, 320, 320], "10, 20, 40 s and so on, and the rounds before and after");
    let note = &record(&cluster).services[&sid("vm:101")];
    assert_eq!((note.restarts, note.restart_times.len()), (10, 10));
}

#[test]
fn a_service_that_ran_on_for_long_is_started_at_once_again() {
    let mut cluster = active();
    for uid in ["r1", "r2", "r3", "r4"] {
        ends_by_itself(&mut cluster, uid);
    }
    cluster.iterate_times(64, "node1", Daemon::Lrm);
    cluster.take_events();
    assert_eq!(ends_by_itself(&mut cluster, "r5"), ["unplanned_restart", "agent_starting", "agent_started"]);
}

/// A pause is for starting it again, and for nothing else.
#[test]
fn a_service_that_waits_to_be_started_again_can_be_stopped_and_then_counts_anew() {
    let mut cluster = active();
    for uid in ["r1", "r2", "r3", "r4", "r5", "r6", "r7"] {
        ends_by_itself(&mut cluster, uid);
    }
    put(&mut cluster, ServiceState::RequestStop { timeout: None }, "stop");
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert_eq!(results(&cluster), [("stop".into(), 0)]);
    put(&mut cluster, ServiceState::Stopped, "stopped");
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert!(record(&cluster).services.is_empty(), "it was stopped on purpose");
    cluster.take_events();
    put(&mut cluster, STARTED, "again");
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert_eq!(cluster.take_events(), ["agent_starting", "agent_started"]);
}

#[test]
fn rounds_without_a_move_count_anew_after_each_move_that_was_asked_for() {
    let mut cluster = maintenance();
    cluster.datacenter().shutdown_policy = ShutdownPolicy::Migrate;
    cluster.node("node2").connected = false;
    ask_to_stop(&mut cluster, StopRequest::NodeReboot);
    let mut rounds = 0;
    let mut round = |cluster: &mut Cluster, state: ServiceState| {
        rounds += 1;
        put(cluster, state, &format!("round{rounds}"));
        cluster.edit_status(|status| status.timestamp = Some(rounds));
        if let Some(next) = iterate(cluster) {
            cluster.time = next;
        }
        cluster.take_events().contains(&"stopped_instead_of_moved".into())
    };
    for _ in 0..2 {
        let gave_up = (0..11).any(|_| round(&mut cluster, STARTED));
        assert!(!gave_up, "it may still be moved");
        assert!(!round(&mut cluster, ServiceState::Migrate { target: node("node2") }));
    }
    // One more for the last to be seen.
    assert!((0..13).any(|_| round(&mut cluster, STARTED)), "nobody moves it");
}

#[test]
fn a_start_that_could_not_be_cleared_away_says_nothing_of_the_last_stop_of_its_service() {
    let mut cluster = active();
    cluster.ends_jobs = true;
    cluster.resources().get_mut(&sid("vm:101")).unwrap().max_restart = Some(0);
    let guest = cluster.guests.get_mut(&sid("vm:101")).unwrap();
    (guest.hangs, guest.stop_fails) = (Some(StateName::Started), true);
    put(&mut cluster, STARTED, "two");
    iterate_until(&mut cluster, "start_retries_exhausted");
    cluster.iterate_times(2, "node1", Daemon::Lrm);
    let guest = cluster.guests.get_mut(&sid("vm:101")).unwrap();
    (guest.hangs, guest.stop_fails) = (None, false);
    put(&mut cluster, ServiceState::Error, "three");
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    while let Some(next) = iterate(&mut cluster) {
        cluster.time = next;
    }
    assert!(cluster.places(&sid("vm:101")).is_empty());
    assert!(!watchdog_is_open(&mut cluster), "it was stopped in the end");
}

#[test]
fn as_long_as_one_service_may_still_be_moved_none_is_stopped_instead() {
    let mut cluster = maintenance();
    cluster.datacenter().shutdown_policy = ShutdownPolicy::Migrate;
    cluster.add_service("vm:102", "node1", RequestedState::Started);
    cluster.node("node2").connected = false;
    cluster.put_entry("vm:102", "node1", ServiceState::Migrate { target: node("node2") }, Some("move"));
    ask_to_stop(&mut cluster, StopRequest::NodeReboot);
    for round in 0..20 {
        cluster.edit_status(|status| status.timestamp = Some(round));
        cluster.iterate_times(1, "node1", Daemon::Lrm);
    }
    assert!(!cluster.take_events().contains(&"stopped_instead_of_moved".into()));
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")]);
}

#[test]
fn what_an_ended_start_may_have_left_is_stopped_before_its_service_is_started_again() {
    let mut cluster = active();
    cluster.ends_jobs = true;
    cluster.datacenter().max_workers = 1;
    cluster.resources().get_mut(&sid("vm:101")).unwrap().max_restart = Some(0);
    cluster.guests.get_mut(&sid("vm:101")).unwrap().hangs = Some(StateName::Started);
    put(&mut cluster, STARTED, "two");
    // It gets the place that is free once the other one hangs, and keeps it for a long time.
    cluster.add_service("vm:102", "node1", RequestedState::Started);
    cluster.put_entry("vm:102", "node1", STARTED, Some("other"));
    while cluster.node("node1").jobs.is_empty() {
        let Some(Next::At { instant, .. }) = cluster.tick(&node("node1"), Daemon::Lrm) else { panic!("it ended") };
        cluster.time = instant;
    }
    let ends = cluster.time.after(secs(60));
    cluster.node("node1").jobs.iter_mut().for_each(|(end, _)| *end = ends);
    iterate_until(&mut cluster, "start_retries_exhausted");
    cluster.guests.get_mut(&sid("vm:101")).unwrap().hangs = None;
    put(&mut cluster, STARTED, "three");
    cluster.iterate_times(12, "node1", Daemon::Lrm);
    let told = cluster.reports.iter().map(|report| serde_json::to_value(&report.event).unwrap());
    let of_service: Vec<String> =
        told.filter(|event| event["sid"] == "vm:101").map(|event| event["event"].to_string()).collect();
    assert_eq!(
        of_service,
        ["agent_stopping", "agent_stopped", "agent_starting", "agent_started"].map(|name| format!("\"{name}\""))
    );
}
