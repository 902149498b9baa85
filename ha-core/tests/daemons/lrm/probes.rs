//! Probes: whether a service that runs is ready, and what follows if it is not.

use ha_core::{
    config::resources::OnFailure,
    host::{HostError, ProbeProgress},
    status::Readiness,
};

use super::*;

use ha_core::id::ServiceId;

const CONFIRMED: ServiceState = ServiceState::Started { confirmed: true };

/// `vm:101` runs here, its start was just confirmed, and it has a probe.
fn probed(on_failure: OnFailure) -> Cluster {
    let mut cluster = active();
    let resource = cluster.resources().get_mut(&sid("vm:101")).unwrap();
    resource.probe = Some("tcp:5432".parse().unwrap());
    resource.probe_failures = Some(2);
    resource.ready_timeout = Some(60);
    resource.on_failure = Some(on_failure);
    answer(&mut cluster, Err(HostError::new("connection refused")));
    cluster
}

fn answer(cluster: &mut Cluster, answer: Result<ProbeProgress, HostError>) {
    cluster.guests.get_mut(&sid("vm:101")).unwrap().probe = answer;
}

/// An iteration, after a master has taken the result of the one before, if there was one: what is told.
fn round(cluster: &mut Cluster) -> Vec<String> {
    let number = cluster.calls.values().sum::<u32>();
    let entry = cluster.status().services.get(&sid("vm:101")).cloned().unwrap();
    let is_answered = entry.uid.is_some_and(|uid| record(cluster).results.contains_key(&uid));
    if is_answered {
        put(cluster, CONFIRMED, &format!("round{number}"));
    }
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    cluster.take_events()
}

fn rounds(cluster: &mut Cluster, count: usize) -> Vec<String> {
    (0..count).flat_map(|_| round(cluster)).collect()
}

fn readiness(cluster: &Cluster) -> (Option<Readiness>, Option<String>) {
    let note = record(cluster).services.get(&sid("vm:101")).cloned().unwrap_or_default();
    (note.readiness, note.not_ready)
}

#[test]
fn a_service_is_starting_until_its_first_probe_succeeds_and_its_failures_say_nothing_before() {
    let mut cluster = probed(OnFailure::Restart);
    assert_eq!(rounds(&mut cluster, 5), [""; 0]);
    assert_eq!(readiness(&cluster), (Some(Readiness::Starting), Some("connection refused".into())));
    answer(&mut cluster, Ok(ProbeProgress::Ready));
    assert_eq!(round(&mut cluster), ["service_ready"]);
    assert_eq!(readiness(&cluster), (Some(Readiness::Ready), None));
    assert_eq!(rounds(&mut cluster, 3), [""; 0]);
}

#[test]
fn a_service_that_is_not_ready_in_time_is_not_ready() {
    let mut cluster = probed(OnFailure::Report);
    assert_eq!(rounds(&mut cluster, 6), [""; 0]);
    assert_eq!(rounds(&mut cluster, 2), ["service_not_ready"]);
    assert_eq!(readiness(&cluster).0, Some(Readiness::NotReady));
    assert_eq!(rounds(&mut cluster, 20), [""; 0], "it is told once, and left as it is");
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")]);
    answer(&mut cluster, Ok(ProbeProgress::Ready));
    assert_eq!(round(&mut cluster), ["service_ready"]);
}

#[test]
fn a_service_that_was_ready_may_fail_some_probes() {
    let mut cluster = probed(OnFailure::Report);
    answer(&mut cluster, Ok(ProbeProgress::Ready));
    round(&mut cluster);
    for _ in 0..5 {
        answer(&mut cluster, Ok(ProbeProgress::NotReady));
        assert_eq!(round(&mut cluster), [""; 0]);
        answer(&mut cluster, Ok(ProbeProgress::Ready));
        assert_eq!(round(&mut cluster), [""; 0], "only failures in a row count");
    }
    answer(&mut cluster, Ok(ProbeProgress::NotReady));
    assert_eq!(rounds(&mut cluster, 2), ["service_not_ready"]);
}

#[test]
fn what_says_that_it_has_failed_is_not_ready_at_once() {
    let mut cluster = probed(OnFailure::Report);
    answer(&mut cluster, Ok(ProbeProgress::Failed));
    assert_eq!(rounds(&mut cluster, 2), ["service_not_ready"]);
}

#[test]
fn a_probe_that_gives_no_answer_in_time_has_failed_and_is_asked_for_by_one_number_until_then() {
    let mut cluster = probed(OnFailure::Report);
    answer(&mut cluster, Ok(ProbeProgress::Ready));
    round(&mut cluster);
    cluster.resources().get_mut(&sid("vm:101")).unwrap().probe_timeout = Some(15);
    cluster.probed.clear();
    answer(&mut cluster, Ok(ProbeProgress::Running));
    assert_eq!(rounds(&mut cluster, 8).first().map(String::as_str), Some("service_not_ready"));
    assert_eq!(readiness(&cluster).1.as_deref(), Some("no answer within 15 s"));
    let numbers: Vec<u64> = cluster.probed.iter().map(|attempt| attempt.number).collect();
    let first = numbers.first().copied().unwrap_or_default();
    assert!(numbers.is_sorted() && numbers.iter().filter(|number| **number == first).count() > 1, "{numbers:?}");
}

#[test]
fn a_service_that_is_to_be_restarted_is_stopped_and_counts_as_one_that_ended_by_itself() {
    let mut cluster = probed(OnFailure::Restart);
    answer(&mut cluster, Ok(ProbeProgress::Ready));
    round(&mut cluster);
    answer(&mut cluster, Ok(ProbeProgress::NotReady));
    let told = rounds(&mut cluster, 4);
    assert_eq!(
        told,
        [
            "service_not_ready",
            "agent_stopping",
            "agent_stopped",
            "unplanned_restart",
            "agent_starting",
            "agent_started"
        ]
    );
    assert_eq!(record(&cluster).services[&sid("vm:101")].restarts, 1);
    assert_eq!(readiness(&cluster).0, Some(Readiness::Starting), "it has time to be ready again");
    assert_eq!(rounds(&mut cluster, 4), [""; 0]);
}

#[test]
fn a_service_that_is_to_be_relocated_is_stopped_and_its_request_answered_as_a_start_that_failed() {
    let mut cluster = probed(OnFailure::Relocate);
    answer(&mut cluster, Ok(ProbeProgress::Failed));
    assert_eq!(rounds(&mut cluster, 2), ["service_not_ready", "agent_stopping", "agent_stopped"]);
    let failed = |result: &JobResult| (result.state.as_str(), result.exit_code) == ("started", ExitCode::ERROR);
    assert!(record(&cluster).results.values().any(failed), "{:?}", record(&cluster).results);
    assert!(cluster.places(&sid("vm:101")).is_empty());
}

/// Nobody knows whether it runs: the master must not start it elsewhere.
#[test]
fn a_relocation_whose_stop_fails_is_not_answered_as_a_start_that_failed() {
    let mut cluster = probed(OnFailure::Relocate);
    cluster.guests.get_mut(&sid("vm:101")).unwrap().stop_fails = true;
    answer(&mut cluster, Ok(ProbeProgress::Failed));
    rounds(&mut cluster, 2);
    let of_start = |result: &&JobResult| result.state.as_str() == "started" && result.exit_code != ExitCode::SUCCESS;
    let codes: Vec<ExitCode> =
        record(&cluster).results.values().filter(of_start).map(|result| result.exit_code).collect();
    assert_eq!(codes, [ExitCode::KILLED]);
    assert_eq!(cluster.places(&sid("vm:101")), [&node("node1")]);
}

#[test]
fn only_what_is_confirmed_to_run_here_is_probed() {
    let others = [
        STARTED,
        ServiceState::Stopped,
        ServiceState::RequestStop { timeout: None },
        ServiceState::Freeze,
        ServiceState::Error,
        ServiceState::Recovery,
        ServiceState::Migrate { target: node("node2") },
    ];
    for state in others {
        let mut cluster = probed(OnFailure::Restart);
        round(&mut cluster);
        cluster.probed.clear();
        put(&mut cluster, state.clone(), "other");
        cluster.iterate_times(2, "node1", Daemon::Lrm);
        assert_eq!(cluster.probed, [], "{state:?}");
    }
}

#[test]
fn what_a_service_was_before_it_was_stopped_says_nothing_of_it_after() {
    let mut cluster = probed(OnFailure::Restart);
    answer(&mut cluster, Ok(ProbeProgress::Ready));
    round(&mut cluster);
    put(&mut cluster, ServiceState::Stopped, "stopped");
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert_eq!(readiness(&cluster), (None, None));
    put(&mut cluster, STARTED, "started");
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    answer(&mut cluster, Ok(ProbeProgress::NotReady));
    cluster.take_events();
    assert_eq!(rounds(&mut cluster, 4), [""; 0], "it has time to be ready");
}

#[test]
fn what_stays_in_maintenance_is_probed_until_it_is_left_alone() {
    let mut cluster = probed(OnFailure::Report);
    request_maintenance(&mut cluster, true);
    assert_eq!(rounds(&mut cluster, 2), ["daemon_state"]);
    answer(&mut cluster, Ok(ProbeProgress::Ready));
    assert_eq!(rounds(&mut cluster, 2), ["service_ready"]);
    request_maintenance(&mut cluster, false);
    disarm(&mut cluster);
    put(&mut cluster, ServiceState::Freeze, "frozen");
    cluster.iterate_times(1, "node1", Daemon::Lrm);
    assert!(!watchdog_is_open(&mut cluster));
    assert_eq!(readiness(&cluster), (None, None), "who looks after nothing knows nothing");
}

#[test]
fn no_more_services_are_probed_at_once_than_there_are_workers() {
    let mut cluster = probed(OnFailure::Report);
    cluster.datacenter().max_workers = 2;
    answer(&mut cluster, Ok(ProbeProgress::Running));
    for number in 102..110 {
        let name = format!("vm:{number}");
        cluster.add_service(&name, "node1", RequestedState::Started);
        cluster.node("node1").running.insert(sid(&name));
        cluster.put_entry(&name, "node1", CONFIRMED, Some(&name));
        cluster.resources().get_mut(&sid(&name)).unwrap().probe = Some("agent".parse().unwrap());
        cluster.guests.get_mut(&sid(&name)).unwrap().probe = Ok(ProbeProgress::Running);
    }
    round(&mut cluster);
    let asked: BTreeSet<&ServiceId> = cluster.probed.iter().map(|attempt| &attempt.sid).collect();
    assert_eq!(asked.len(), 2);
    for guest in cluster.guests.values_mut() {
        guest.probe = Ok(ProbeProgress::Ready);
    }
    rounds(&mut cluster, 4);
    let ready = record(&cluster).services.values().filter(|note| note.readiness == Some(Readiness::Ready)).count();
    assert_eq!(ready, 9, "each has its turn");
}
