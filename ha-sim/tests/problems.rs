//! What is wrong with a scenario is said with file, line, place and what is allowed.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use ha_sim::scenario::Scenario;

/// The problems of a text, with a cluster before it whose lines are 1 and 2.
fn problems(text: &str) -> Vec<String> {
    let text = format!("nodes host-106 host-107 host-111\nguest vm:104 on host-111\n{text}");
    match Scenario::parse("test", &text, &[("resources.cfg", "vm: 104\n")]) {
        Ok(_) => Vec::new(),
        Err(error) => error.to_string().lines().map(str::to_owned).collect(),
    }
}

#[track_caller]
fn assert_problem(line: &str, problem: &str) {
    assert_eq!(problems(line), [problem]);
}

#[test]
fn names_that_are_not_known() {
    assert_problem("at 1m power off host-11", "scenario:3:17: there is no node 'host-11': did you mean 'host-111'?");
    assert_problem(
        "at 1m crash vm:105",
        "scenario:3:13: there is no service or guest 'vm:105': did you mean 'vm:104'?",
    );
    assert_problem(
        "at 1m power off rack",
        "scenario:3:17: there is no node 'rack': expected 'host-106', 'host-107' or 'host-111'",
    );
    assert_problem(
        "at 1m expect event service_recoverd",
        "scenario:3:20: there is no event 'service_recoverd': did you mean 'service_recovered'?",
    );
}

#[test]
fn words_that_are_not_understood() {
    assert_problem("att 1m heal", "scenario:3:1: 'att' is not understood here: did you mean 'at'?");
    assert_problem("at 1m powr off host-106", "scenario:3:7: there is no action 'powr': did you mean 'power'?");
    assert_problem("at 1m power of host-106", "scenario:3:13: 'of' is not understood here: did you mean 'off'?");
    assert_problem(
        "at 1m expect vm:104 startd",
        "scenario:3:21: 'startd' is not understood here: did you mean 'started'?",
    );
    assert_problem("at 1m heal now", "scenario:3:12: 'now' is too much: the line should end before it");
    assert_problem("at 1m crash", "scenario:3:12: the line ends too early: expected a service such as 'vm:100'");
    assert_problem(
        "at 1m expect event killed often",
        "scenario:3:27: 'often' is not 'key=value', a number of times, 'at least', 'at most', or 'since'",
    );
}

#[test]
fn times() {
    assert_problem(
        "at 60 heal",
        "scenario:3:4: '60' is not a time: expected something like '90s', '2m', '1h30m' or '250ms'",
    );
    assert_problem(
        "at 2m heal\nat 1m heal",
        "scenario:4:4: this is earlier than the line before it, which is at 120 s",
    );
    assert_problem("until 1m\nat 2m heal", "scenario:4:1: only 'expect' lines may follow after 'until'");
    assert_eq!(problems("at 2m heal\nat +30s heal\nby +1m expect vm:104 running"), [""; 0]);
}

#[test]
fn commands_are_checked_unless_they_are_quoted() {
    assert_problem(
        "at 1m command migrate vm:104 host-17",
        "scenario:3:30: there is no node 'host-17': did you mean 'host-107'?",
    );
    assert_eq!(problems("at 1m command migrate vm:104").len(), 1);
    assert_eq!(problems("at 1m command \"migrate vm:1 nowhere\""), [""; 0]);
}

#[test]
fn timings_that_are_not_safe() {
    let found = problems("timings lock_lifetime 70s\nuntil 1m");
    assert!(found[0].starts_with("scenario: these timings are not safe: lock_outlives_watchdog"), "{found:?}");
    assert!(found[0].contains("raise lock_lifetime_s from 70 s to"), "{found:?}");
    assert_problem(
        "timings lock_lifetim 70s",
        "scenario:3:9: there is no setting 'lock_lifetim': did you mean 'lock_lifetime'?",
    );
}

#[test]
fn what_is_missing_on_the_whole() {
    let error = |text: &str| Scenario::parse("test", text, &[("resources.cfg", "vm: 104\n")]).unwrap_err().to_string();
    assert_eq!(error("until 1m"), "scenario: there are no nodes: add a line such as 'nodes node1 node2 node3'");
    assert_eq!(
        error("nodes node1\nuntil 1m"),
        "scenario: resources.cfg has vm:104, but no line says where its guest is: add 'guest vm:104 on NODE', or \
         'guest vm:104 missing' if there shall be none"
    );
    assert_eq!(
        error("nodes node1\nguest vm:104 on node1"),
        "scenario: nothing is to happen: add a line such as 'until 5m'"
    );
}

#[test]
fn all_problems_are_reported_together() {
    assert_eq!(problems("at 1m heel\nat 2m crash\nat 3m expect vm:104").len(), 3);
}

#[test]
fn configuration_files_are_checked_too() {
    let text = "nodes node1 node2\nguest vm:104 on node1\nuntil 1m";
    let error = |configuration: &[(&str, &str)]| Scenario::parse("test", text, configuration).unwrap_err().to_string();
    let found = error(&[("resources.cfg", "vm: 104\n\tstate on\n")]);
    assert!(found.starts_with("resources.cfg:2: in 'vm: 104', property 'state': "), "{found}");
    let found = error(&[("resources.cfg", "vm: 104\n"), ("fence.cfg", "connect power node=node1\n")]);
    assert!(found.starts_with("fence.cfg:1: "), "{found}");
    let found = error(&[("resources.cfg", "vm: 104\n"), ("groups.cfg", "group: mine\n\tnodes nod1\n")]);
    assert_eq!(found, "groups.cfg: 'mine' names node 'nod1', which the scenario does not have: did you mean 'node1'?");
}
