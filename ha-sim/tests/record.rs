//! Daemons of a virtual cluster are recorded through faults and replayed.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests may panic")]

use std::time::Duration;

use ha_core::{
    host::HostOperation,
    id::NodeName,
    record::{ReplayError, replay},
};
use ha_sim::{
    cluster::{Cluster, Disturbance, Fault, Setup},
    world::DaemonKind,
};

fn node(number: usize) -> NodeName {
    NodeName::new(format!("node{number}")).unwrap()
}

/// Three nodes through a failed node, a failed write, a late answer, a move, and a node that comes back.
fn recorded() -> Vec<(NodeName, DaemonKind, String)> {
    let setup = Setup::new(["node1", "node2", "node3"])
        .unwrap()
        .resources("vm: 100\n\tgroup pair\n\nct: 101\n\tcomment a remark\n\nvm: 102\n\tstate stopped\n")
        .unwrap()
        .groups("group: pair\n\tnodes node1:2,node2\n")
        .unwrap()
        .rules("resource-affinity: apart\n\taffinity negative\n\tresources vm:100,ct:101\n")
        .unwrap()
        .datacenter("crs: ha=static,ha-rebalance-on-start=1\n")
        .unwrap()
        .fence("device power fence_apc password=secret\nconnect power node=node3 plug=7\n")
        .unwrap();
    let setup = ["vm:100", "ct:101", "vm:102"].iter().fold(setup, |setup, sid| setup.guest(sid, "node1").unwrap());
    let mut cluster = Cluster::new(setup);
    cluster.record();
    let minute = Duration::from_secs(60);
    cluster.run_for(2 * minute).unwrap();
    let mut disturb = |number, daemon, operation, fault| {
        cluster.disturb(Disturbance { node: node(number), daemon, operation: Some(operation), skip: 0, fault });
    };
    disturb(1, DaemonKind::Crm, HostOperation::WriteManagerStatus, Fault::Fails);
    disturb(2, DaemonKind::Crm, HostOperation::TakeLock, Fault::Late(3_000));
    disturb(2, DaemonKind::Lrm, HostOperation::WriteLrmStatus, Fault::LateUnknown(2_000));
    cluster.queue_command("migrate vm:100 node1").unwrap();
    cluster.run_for(2 * minute).unwrap();
    cluster.power_off(&node(2)).unwrap();
    cluster.run_for(5 * minute).unwrap();
    cluster.power_on(&node(2)).unwrap();
    cluster.run_for(3 * minute).unwrap();
    let all: Vec<_> = cluster.recordings().map(|(node, daemon, text)| (node.clone(), daemon, text)).collect();
    all
}

#[test]
fn the_same_code_decides_the_same_again() {
    let recordings = recorded();
    assert!(recordings.len() > 7, "some daemons started twice");
    for (node, daemon, text) in &recordings {
        let replayed = replay(text).unwrap_or_else(|error| panic!("{node} {daemon:?}: {error}"));
        assert_eq!(replayed.divergence, None, "{node} {daemon:?}");
        assert!(replayed.calls > 1 && replayed.same > replayed.calls, "{node} {daemon:?}: {replayed:?}");
    }
    let everything: String = recordings.iter().map(|(_, _, text)| text.as_str()).collect();
    for seen in ["notify_fence_succeeded", r#""ask":"write_manager_status""#, r#"{"error":""#, r#"{"same":"#, "usage"] {
        assert!(everything.contains(seen), "the recordings hold {seen}");
    }
    assert!(!everything.contains("secret"), "values of fence device arguments are left out");
}

/// The recording of the master that recovered a service.
fn of_the_recovery() -> String {
    let recordings = recorded();
    let (_, _, text) = recordings.into_iter().find(|(_, _, text)| text.contains("notify_fence_succeeded")).unwrap();
    text
}

#[test]
fn a_version_that_decides_otherwise_is_shown_at_the_first_difference() {
    let text = of_the_recovery();
    let written = text.lines().filter(|line| line.contains(r#""ask":"write_manager_status""#)).nth(2).unwrap();
    let line = text.lines().position(|other| other == written).unwrap() + 1;
    // As if the version that was recorded had seen the node differently.
    let other = written.replacen(r#""online""#, r#""unknown""#, 1);
    let replayed = replay(&text.replacen(written, &other, 1)).unwrap();
    let divergence = replayed.divergence.expect("it decides otherwise now");
    assert_eq!((divergence.line, &*divergence.recorded, &*divergence.decided), (line, &*other, written));
    let call = text.lines().nth(divergence.call_line - 1).unwrap();
    assert!(call.starts_with(r#"{"call":"tick""#), "{call}");
}

#[test]
fn another_answer_leads_to_another_decision() {
    let text = of_the_recovery();
    // The question for the lock of the failed node, and its answer.
    let (question, answer) = (r#"{"ask":"take","lock":"ha_agent_node2_lock"}"#, r#"{"ok":"acquired"}"#);
    let granted = format!("{question}\n{answer}");
    let refused = format!("{question}\n{}", r#"{"ok":"refused"}"#);
    assert!(text.contains(&granted));
    let divergence = replay(&text.replacen(&granted, &refused, 1)).unwrap().divergence.unwrap();
    assert!(!divergence.decided.contains("notify_fence_succeeded"), "{divergence}");
}

#[test]
fn a_recording_may_end_anywhere() {
    let text = of_the_recovery();
    let lines: Vec<&str> = text.lines().collect();
    for end in (1..lines.len()).step_by(lines.len() / 100 + 1) {
        assert_eq!(replay(&lines[..end].join("\n")).unwrap().divergence, None, "{end} lines");
    }
}

#[test]
fn what_is_no_recording_is_said_with_its_line() {
    assert_eq!(replay(""), Err(ReplayError::NotARecording));
    assert_eq!(replay("{\"recording\":2}"), Err(ReplayError::OtherVersion(2)));
    assert!(matches!(replay("{\"recording\":1}\n{\"call\":\"dance\"}"), Err(ReplayError::BadCall { line: 2, .. })));
    let start = r#"{"call":"tick","now":{"instant":{"secs":0,"nanos":0},"wall":0}}"#;
    assert_eq!(replay(&format!("{{\"recording\":1}}\n{start}")), Err(ReplayError::NoDaemon { line: 2 }));
    let text = of_the_recovery();
    let broken = text.replacen(r#"{"ok":true}"#, r#"{"ok":7}"#, 1);
    assert!(matches!(replay(&broken), Err(ReplayError::BadAnswer { .. })), "{:?}", replay(&broken));
}
