//! Expectations that do not hold are found and explained, each kind of them.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use ha_sim::scenario::{Scenario, play};

const CLUSTER: &str = "nodes node1 node2 node3\nguest vm:100 on node2\n";

/// What goes wrong in a cluster with one service, whose lines are 1 and 2.
fn failures(lines: &str) -> Vec<String> {
    let scenario = Scenario::parse("test", &format!("{CLUSTER}{lines}"), &[("resources.cfg", "vm: 100\n")]).unwrap();
    play(scenario, &mut |_| {}).failures.iter().map(ToString::to_string).collect()
}

/// After a minute, with the service running on node2 and node1 being the master, a condition does not hold.
#[track_caller]
fn assert_fails(condition: &str, instead: &str) {
    let found = failures(&format!("at 1m expect {condition}"));
    assert_eq!(found, [format!("line 3: at 60 s expected {condition}, but {instead}")]);
    let negated = condition.strip_prefix("not ").map_or_else(|| format!("not {condition}"), str::to_owned);
    assert_eq!(failures(&format!("at 1m expect {negated}")), [""; 0], "turned round it should hold");
}

#[test]
fn services() {
    let state = "its state is started on node2, its guest is on node2 and runs on node2";
    for condition in [
        "vm:100 running on node1",
        "not vm:100 running",
        "vm:100 stopped",
        "vm:100 started on node1",
        "vm:100 on node3",
    ] {
        assert_fails(condition, state);
    }
    assert_fails("vm:100 unmanaged", state);
    assert_fails("vm:100 locked", "it is not locked");
    assert_fails("vm:100 down at least 1s", "it was down for 0 s");
    assert_fails("vm:100 recovered 1 time", "it was recovered 0 times");
    assert_fails("vm:100 shown queued", "'started' is shown");
    assert_fails("vm:100 requested stopped", "started is requested");
}

#[test]
fn nodes_and_daemons() {
    assert_fails("node2 fence", "its state is online");
    assert_fails("node2 forgotten", "its state is online");
    assert_fails("node2 off", "it is up and quorate");
    assert_fails("not node1 quorate", "it is up and quorate");
    assert_fails("node2 master", "the master is node1");
    assert_fails("no master", "the master is node1");
    assert_fails("node2 lrm maintenance", "it is active");
    assert_fails("node2 crm master", "it is slave");
}

#[test]
fn the_cluster_and_what_happened() {
    assert_fails("disarmed", "HA is armed");
    assert_fails("not armed", "HA is armed");
    assert_fails("event agent_stopped", "it happened 0 times");
    assert_fails("event agent_started 2 times", "it happened 1 times");
    assert_fails("event agent_started sid=vm:101", "it happened 0 times");
    assert_fails("event agent_started since 30s", "it happened 0 times");
    assert_fails("rule together", "it does not exist");
    assert_fails("group mine", "it does not exist");
}

#[test]
fn what_never_comes_is_reported_when_its_time_is_over() {
    let found = failures("by 30s expect vm:100 running on node1\nuntil 1m");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("line 3: at 30 s expected vm:100 running on node1 by 30 s, but its state"),
        "{found:?}"
    );
}

#[test]
fn what_ends_to_hold_is_reported_then_and_once() {
    let found = failures("from 1m until 3m expect vm:100 running\nat 2m crash vm:100\nuntil 4m");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("line 3: at 120 s expected vm:100 running, but"), "{found:?}");
}

#[test]
fn what_cannot_be_done_is_a_failure() {
    let found = failures("at 1m power off node1 node2\nat 1m remove vm:100");
    assert_eq!(found, ["line 4: at 60 s this can't be done: no node has quorum, so that nothing can be written"]);
    let found = failures("at 1m power off node2\nat 1m restart lrm on node2");
    assert_eq!(found, ["line 4: at 60 s this can't be done: no lrm runs on node2"]);
}

#[test]
fn a_service_that_runs_twice_ends_the_scenario() {
    let text = format!("{CLUSTER}at 1m start vm:100 on node3\nuntil 5m");
    let outcome = play(Scenario::parse("test", &text, &[("resources.cfg", "vm: 100\n")]).unwrap(), &mut |_| {});
    let ran_twice = outcome.ran_twice.unwrap();
    assert_eq!(ran_twice.nodes, ["node2", "node3"]);
    assert_eq!(ran_twice.at.since_start().as_secs(), 60);
    assert!(ran_twice.to_string().contains("scenario: start vm:100 on node3"), "{ran_twice}");
}
