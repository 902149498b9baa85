//! What is queued, the turns of the workers, and what a job does.

use std::time::Duration;

use ha_core::{
    event::Event,
    host::{Agent, EventSink, HostError},
    id::{NodeName, ServiceId},
    lrm::run_job,
    status::Motion,
};

use super::*;

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
fn failed_starts_that_are_older_than_the_failure_timeout_count_no_more() {
    for (timeout, last) in
        [(None, "start_retries_exhausted"), (Some(100), "start_retries_exhausted"), (Some(5), "start_retry")]
    {
        let mut cluster = active();
        cluster.resources().get_mut(&sid("vm:101")).unwrap().failure_timeout = timeout;
        cluster.node("node1").running.clear();
        cluster.guests.get_mut(&sid("vm:101")).unwrap().start_fails_on.insert(node("node1"));
        put(&mut cluster, STARTED, "two");
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        assert_eq!(cluster.take_events().last().map(String::as_str), Some("start_retry"), "{timeout:?}");
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        assert_eq!(cluster.take_events().last().map(String::as_str), Some(last), "{timeout:?}");
    }
}

/// How often a start may be tried is in the configuration.
#[test]
fn a_start_that_fails_while_the_configuration_cannot_be_read_is_tried_again_and_not_counted() {
    let mut cluster = active();
    cluster.node("node1").running.clear();
    cluster.guests.get_mut(&sid("vm:101")).unwrap().start_fails_on.insert(node("node1"));
    put(&mut cluster, STARTED, "two");
    break_call(&mut cluster, HostOperation::ReadConfiguration);
    cluster.iterate_times(4, "node1", Daemon::Lrm);
    assert!(record(&cluster).results.is_empty(), "nothing is given up");
    cluster.broken.clear();
    cluster.take_events();
    cluster.iterate_times(2, "node1", Daemon::Lrm);
    let told = cluster.take_events();
    let counted: Vec<&String> = told.iter().filter(|event| event.starts_with("start_retr")).collect();
    assert_eq!(counted, ["start_retry", "start_retries_exhausted"]);
}

/// A node that was reset at once after a start had failed: its LRM begins again, and the service could be started by now. The
/// master may still count the failure, as the record says, and take the service for one that does not run.
fn reset_after_a_failed_start(exit_code: ExitCode) -> Cluster {
    let mut cluster = cluster();
    put(&mut cluster, STARTED, "one");
    let mut before = LrmStatus::default();
    before.results.insert("one".parse().unwrap(), JobResult::new(sid("vm:101"), "started", exit_code));
    cluster.store.lrm_status.insert(node("node1"), Arc::new(before));
    cluster
}

#[test]
fn what_failed_before_an_lrm_began_is_not_done_again_under_the_same_request() {
    for exit_code in [ExitCode::ERROR, ExitCode::WRONG_NODE, ExitCode::KILLED] {
        let mut cluster = reset_after_a_failed_start(exit_code);
        cluster.iterate_times(3, "node1", Daemon::Lrm);
        assert!(cluster.places(&sid("vm:101")).is_empty());
        assert_eq!(record(&cluster).results[&"one".parse::<Uid>().unwrap()].exit_code, exit_code, "it is still told");
        put(&mut cluster, STARTED, "two");
        cluster.iterate_times(1, "node1", Daemon::Lrm);
        assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")], "another request is");
    }
}

#[test]
fn what_succeeded_before_an_lrm_began_is_done_again() {
    let mut cluster = reset_after_a_failed_start(ExitCode::SUCCESS);
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")]);
}

#[test]
fn an_lrm_that_cannot_read_what_was_done_before_it_does_nothing() {
    let mut cluster = reset_after_a_failed_start(ExitCode::ERROR);
    break_call(&mut cluster, HostOperation::ReadLrmStatus);
    let next = iterate(&mut cluster);
    assert_eq!(wait_after(&cluster, next), 5);
    assert_eq!(cluster.take_events(), ["host_call_failed"]);
    assert_eq!(cluster.calls.get(&HostOperation::WriteLrmStatus), None, "or what it could not read would be lost");
    cluster.broken.clear();
    cluster.iterate_times(3, "node1", Daemon::Lrm);
    assert_eq!(state(&mut cluster), LrmState::Active);
    assert!(cluster.places(&sid("vm:101")).is_empty());
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
fn what_waits_is_not_passed_over_for_what_is_asked_for_again_and_again() {
    let mut cluster = cluster();
    cluster.datacenter().max_workers = 1;
    let names = ["vm:201", "vm:202", "vm:203", "vm:204", "vm:205", "vm:206", "vm:207"];
    for name in names {
        // What is stopped is stopped again in every iteration.
        cluster.add_service(name, "node1", RequestedState::Stopped);
        cluster.put_entry(name, "node1", ServiceState::Stopped, Some(name));
        cluster.node("node1").running.insert(sid(name));
    }
    cluster.put_entry("vm:101", "node1", STARTED, Some("one"));
    cluster.iterate_times(5, "node1", Daemon::Lrm);
    let left: Vec<&str> = names.into_iter().filter(|name| !cluster.places(&sid(name)).is_empty()).collect();
    assert_eq!(left, [""; 0]);
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

/// Asks for the start of so many services, with four workers.
fn ask_for_starts(cluster: &mut Cluster, services: usize) {
    cluster.datacenter().max_workers = 4;
    for number in 0..services {
        let name = format!("vm:{}", 1000 + number);
        cluster.add_service(&name, "node1", RequestedState::Started);
        cluster.put_entry(&name, "node1", STARTED, Some(&name));
    }
}

#[test]
fn where_the_end_of_a_job_is_told_workers_are_never_idle_while_jobs_wait() {
    const SERVICES: u32 = 400;
    for job_time in [Duration::from_millis(300), Duration::from_secs(1)] {
        let mut cluster = active();
        cluster.tells_of_ended_jobs = true;
        cluster.job_time = Some(job_time);
        ask_for_starts(&mut cluster, SERVICES as usize);
        let ideal = job_time * SERVICES / 4;
        // Not sooner than the iteration that is due has begun, and a second for the look that finds nothing left.
        cluster.run_until(cluster.time.after(secs(11) + ideal + ideal * 15 / 100));
        assert_eq!(cluster.node("node1").running.len(), 401, "jobs of {job_time:?}");
    }
}

/// Lets the turn of four workers end while all of them are at work, and others wait. Gives when the next iteration is due.
fn between_iterations(cluster: &mut Cluster) -> Instant {
    cluster.tells_of_ended_jobs = true;
    cluster.job_time = Some(Duration::from_millis(8_500));
    ask_for_starts(cluster, 20);
    let due = iterate(cluster).unwrap();
    assert_eq!(due.since(cluster.time), secs(2), "the turn is over");
    due
}

fn jobs(cluster: &Cluster) -> Vec<String> {
    cluster.nodes[&node("node1")].jobs.iter().map(|(_, job)| job.sid.to_string()).collect()
}

#[test]
fn between_iterations_a_place_is_filled_as_soon_as_a_job_has_ended() {
    let mut cluster = active();
    let due = between_iterations(&mut cluster);
    let (before, locks) = (jobs(&cluster), cluster.calls[&HostOperation::TakeLock]);
    assert_eq!(before, ["vm:1000", "vm:1001", "vm:1002", "vm:1003"]);
    cluster.run_until(cluster.time.after(secs(1)));
    assert_eq!(jobs(&cluster), ["vm:1004", "vm:1005", "vm:1006", "vm:1007"]);
    assert_eq!(cluster.calls[&HostOperation::TakeLock], locks, "no iteration has begun");
    cluster.run_until(due);
    assert!(cluster.calls[&HostOperation::TakeLock] > locks, "it begins when it would have");
}

#[test]
fn between_iterations_nothing_is_started_that_is_not_asked_for_any_more() {
    let mut cluster = active();
    between_iterations(&mut cluster);
    cluster.put_entry("vm:1004", "node1", ServiceState::Freeze, Some("frozen"));
    cluster.run_until(cluster.time.after(secs(1)));
    assert_eq!(jobs(&cluster), ["vm:1005", "vm:1006", "vm:1007", "vm:1008"]);
}

#[test]
fn a_stop_that_is_asked_for_between_iterations_is_looked_at_with_the_next_call() {
    let mut cluster = active();
    between_iterations(&mut cluster);
    ask_to_stop(&mut cluster, StopRequest::NodeShutdown);
    let locks = cluster.calls[&HostOperation::TakeLock];
    let _ = cluster.tick(&node("node1"), Daemon::Lrm);
    assert!(cluster.calls[&HostOperation::TakeLock] > locks, "an iteration has begun");
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
    Job { id: JobId(1), sid: sid(name), uid: None, command, target: target.map(node), timeout: None, only_look: false }
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

fn names(events: &[&str]) -> Vec<String> {
    events.iter().map(|&event| event.to_owned()).collect()
}

/// An agent that gives these answers to [`Agent::is_running`], one after the other, and takes note of what it is asked to do.
struct Scripted {
    /// Where the guest is, one answer after the other; the last one stays.
    located: Vec<Result<Option<NodeName>, HostError>>,
    running: Vec<Result<bool, HostError>>,
    asked: Vec<&'static str>,
    /// A lock keeps it from the guest.
    locked: bool,
    events: Vec<Event>,
}

impl Scripted {
    fn new(running: &[Option<bool>]) -> Self {
        let answer = |running: &Option<bool>| running.ok_or_else(|| HostError::new("that can't be told"));
        let located = vec![Ok(Some(node("node1")))];
        Self {
            located,
            running: running.iter().rev().map(answer).collect(),
            asked: Vec::new(),
            locked: false,
            events: Vec::new(),
        }
    }

    fn act(&mut self, what: &'static str) -> Result<(), HostError> {
        self.asked.push(what);
        if self.locked { Err(HostError::locked("backup")) } else { Ok(()) }
    }

    fn run(mut self, command: StateName) -> (ExitCode, Vec<&'static str>, Vec<String>) {
        let exit_code = run_job(job("vm:101", command, Some("node2")), node("node1"), &mut self);
        assert!(self.running.is_empty(), "it was not asked {} times", self.running.len());
        (exit_code, self.asked, self.events.into_iter().map(name_of).collect())
    }
}

impl EventSink for Scripted {
    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

impl Agent for Scripted {
    fn knows_type(&mut self, _: &str) -> bool {
        true
    }

    fn guest_node(&mut self, _: &ServiceId) -> Result<Option<NodeName>, HostError> {
        if self.located.len() > 1 { self.located.remove(0) } else { self.located[0].clone() }
    }

    fn is_running(&mut self, _: &ServiceId) -> Result<bool, HostError> {
        self.running.pop().unwrap()
    }

    fn start(&mut self, _: &ServiceId) -> Result<(), HostError> {
        self.act("start")
    }

    fn stop(&mut self, _: &ServiceId, _: Option<u32>) -> Result<(), HostError> {
        self.act("stop")
    }

    fn move_to(&mut self, _: &ServiceId, _: &NodeName, _: Motion) -> Result<(), HostError> {
        self.act("move")
    }
}

#[test]
fn a_stop_asks_the_agent_whatever_it_sees_and_has_worked_only_when_nothing_is_left() {
    let (no, yes, unknown) = (Some(false), Some(true), None);
    let (stopping, stopped, failed) = ("agent_stopping", "agent_stopped", "agent_stop_failed");
    let cannot_tell = "host_call_failed";
    let table = [
        (no, no, ExitCode::SUCCESS, &[][..]),
        (no, yes, ExitCode::ERROR, &[failed]),
        (no, unknown, ExitCode::ERROR, &[cannot_tell, failed]),
        (yes, no, ExitCode::SUCCESS, &[stopping, stopped]),
        (yes, yes, ExitCode::ERROR, &[stopping, failed]),
        (yes, unknown, ExitCode::ERROR, &[stopping, cannot_tell, failed]),
        (unknown, no, ExitCode::SUCCESS, &[cannot_tell, stopping, stopped]),
        (unknown, yes, ExitCode::ERROR, &[cannot_tell, stopping, failed]),
        (unknown, unknown, ExitCode::ERROR, &[cannot_tell, stopping, cannot_tell, failed]),
    ];
    for command in [StateName::Stopped, StateName::RequestStop] {
        for (before, after, exit_code, events) in table {
            let expected = (exit_code, vec!["stop"], names(events));
            assert_eq!(Scripted::new(&[before, after]).run(command), expected, "{command}: {before:?}, {after:?}");
        }
    }
}

#[test]
fn what_may_run_is_neither_started_nor_moved_as_if_it_were_stopped() {
    let untouched = |exit_code| (exit_code, Vec::new(), names(&["host_call_failed"]));
    assert_eq!(Scripted::new(&[None]).run(StateName::Started), untouched(ExitCode::UNTOLD));
    assert_eq!(Scripted::new(&[None]).run(StateName::RequestStartBalance), untouched(ExitCode::ERROR));
    let events = names(&["agent_starting", "host_call_failed", "agent_start_failed"]);
    let unknown = (ExitCode::UNTOLD, vec!["start"], events);
    assert_eq!(Scripted::new(&[Some(false), None]).run(StateName::Started), unknown);
}

#[test]
fn a_start_of_which_the_agent_can_not_tell_what_came_is_ended_before_it_counts_as_failed() {
    for look in [HostOperation::CheckRunning, HostOperation::LocateGuest] {
        let mut cluster = active();
        put(&mut cluster, STARTED, "two");
        break_call(&mut cluster, look);
        cluster.iterate_times(4, "node1", Daemon::Lrm);
        let told = |cluster: &Cluster| {
            record(cluster).results.get(&"two".parse::<Uid>().unwrap()).map(|result| result.exit_code)
        };
        assert_ne!(told(&cluster), Some(ExitCode::ERROR), "{look}: it may run");
        assert_ne!(told(&cluster), Some(ExitCode::UNTOLD), "{look}: it never leaves the LRM");
        assert!(watchdog_is_open(&mut cluster) && holds_lock(&cluster), "{look}");
    }
}

#[test]
fn nothing_is_touched_where_the_guest_is_not_here_or_nobody_can_say_where_it_is() {
    let unknown = || Err(HostError::new("that can't be told"));
    for command in
        [StateName::Started, StateName::Stopped, StateName::RequestStop, StateName::Migrate, StateName::Relocate]
    {
        let untold = if command == StateName::Started { ExitCode::UNTOLD } else { ExitCode::ERROR };
        let rows = [
            (Ok(Some(node("node2"))), ExitCode::WRONG_NODE),
            (Ok(None), ExitCode::UNKNOWN_SERVICE),
            (unknown(), untold),
        ];
        for (located, expected) in rows {
            let agent = Scripted { located: vec![located.clone()], ..Scripted::new(&[]) };
            let (exit_code, asked, _) = agent.run(command);
            assert_eq!((exit_code, asked), (expected, Vec::new()), "{command}: {located:?}");
        }
    }
}

#[test]
fn a_move_has_worked_only_when_the_guest_is_seen_elsewhere() {
    for command in [StateName::Migrate, StateName::Relocate] {
        let rows = [
            (Ok(Some(node("node2"))), ExitCode::SUCCESS),
            (Ok(Some(node("node1"))), ExitCode::ERROR),
            (Err(HostError::new("that can't be told")), ExitCode::ERROR),
        ];
        for (located, expected) in rows {
            let agent = Scripted { located: vec![Ok(Some(node("node1"))), located.clone()], ..Scripted::new(&[]) };
            let (exit_code, asked, _) = agent.run(command);
            assert_eq!((exit_code, asked), (expected, vec!["move"]), "{command}: {located:?}");
        }
    }
}

#[test]
fn what_met_a_lock_is_tried_again_only_where_it_has_not_worked_all_the_same() {
    use StateName::{Relocate, RequestStop, Started, Stopped};
    let (no, yes, unknown) = (Some(false), Some(true), None);
    let (worked, again) = (ExitCode::SUCCESS, ExitCode::TRY_AGAIN);
    let rows = [
        (Started, no, [(yes, worked), (no, again), (unknown, again)]),
        (Stopped, yes, [(no, worked), (yes, again), (unknown, again)]),
        (RequestStop, yes, [(no, worked), (yes, again), (unknown, again)]),
    ];
    for (command, before, ends) in rows {
        for (after, expected) in ends {
            let agent = Scripted { locked: true, ..Scripted::new(&[before, after]) };
            assert_eq!(agent.run(command).0, expected, "{command}: {after:?}");
        }
    }
    for (at, expected) in [("node2", worked), ("node1", again)] {
        let located = vec![Ok(Some(node("node1"))), Ok(Some(node(at)))];
        let agent = Scripted { locked: true, located, ..Scripted::new(&[]) };
        assert_eq!(agent.run(Relocate).0, expected, "at {at}");
    }
}
