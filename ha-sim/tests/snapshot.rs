//! A live cluster goes on as a virtual one, from its snapshot.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use ha_core::plan::ClusterSnapshot;
use ha_sim::{
    cluster::Cluster,
    scenario::{Outcome, Scenario, play},
};
use serde_json::{Value, json};

const TIME: i64 = 1_800_000_000;

/// Three nodes that are there, with `vm:100` on node1, `vm:101` on node2, and `proc:web` on node3.
fn live() -> Value {
    let node = json!({"online": true, "version": "9.3.0",
        "figures": {"max_cpu": 8.0, "max_memory": 1_u64 << 34, "cpu": 1.0, "memory": 7}});
    let active = json!({"state": "active", "mode": "active", "timestamp": TIME, "results": {}});
    let figures = json!({"max_cpu": 2.0, "max_memory": 1_u64 << 30, "cpu": 2.0, "memory": 1_u64 << 30});
    let guest = |node: &str, moves_live: bool| json!({"node": node, "moves_live": moves_live, "figures": figures});
    let started = |node: &str| json!({"state": "started", "node": node, "uid": node, "running": 1});
    json!({
        "ha_snapshot": 1, "time": TIME,
        "nodes": {"node1": node, "node2": node, "node3": node},
        "service_types": ["ct", "proc", "vm"],
        "configuration": {"resources.cfg": "vm: 100\n\nvm: 101\n\nproc: web\n"},
        "manager_status": {
            "master_node": "node2", "timestamp": TIME,
            "node_status": {"node1": "online", "node2": "online", "node3": "online"},
            "service_status": {"vm:100": started("node1"), "vm:101": started("node2"), "proc:web": started("node3")},
        },
        "lrm_status": {"node1": active, "node2": active, "node3": active},
        "guests": {"vm:100": guest("node1", true), "vm:101": guest("node2", true), "proc:web": guest("node3", false)},
    })
}

fn read(snapshot: &Value) -> ClusterSnapshot {
    ClusterSnapshot::from_json(&snapshot.to_string()).unwrap()
}

fn played(snapshot: &Value, text: &str) -> Outcome {
    play(Scenario::from_snapshot("test", &read(snapshot), text).unwrap(), &mut |_| {})
}

fn holds(snapshot: &Value, text: &str) {
    let outcome = played(snapshot, text);
    let failures: Vec<String> = outcome.failures.iter().map(ToString::to_string).collect();
    assert!(outcome.passed(), "{failures:#?}\n{}", narrated(&outcome));
}

fn narrated(outcome: &Outcome) -> String {
    let happenings = outcome.cluster.happenings_since(0).iter();
    happenings.map(|happening| format!("{:?} {} {}\n", happening.at, happening.src, happening.what)).collect()
}

/// What is said at the beginning of what is otherwise here.
fn differences(snapshot: &Value) -> Vec<String> {
    let setup = Scenario::from_snapshot("test", &read(snapshot), "").unwrap().setup().clone();
    setup.resumed.unwrap().differences
}

#[test]
fn all_goes_on_where_it_was() {
    let snapshot = live();
    assert_eq!(differences(&snapshot), [""; 0]);
    let outcome = played(&snapshot, "");
    let cluster = &outcome.cluster;
    for (sid, node) in [("vm:100", "node1"), ("vm:101", "node2"), ("proc:web", "node3")] {
        let sid = sid.parse().unwrap();
        assert_eq!(cluster.places(&sid), [node]);
        assert!(cluster.downtime(&sid).is_zero());
    }
    assert_eq!(cluster.now().wall, TIME + 600, "the clock of the live cluster goes on, for sixty rounds");
    let narrated = narrated(&outcome);
    assert!(!narrated.contains("starts "), "what runs is not started: {narrated}");
    let masters: Vec<&str> = narrated.lines().filter(|line| line.ends_with("to master")).collect();
    assert!(masters.len() == 1 && masters[0].contains("node2/crm"), "the master stays: {masters:?}");
}

#[test]
fn the_locks_are_those_of_the_live_cluster() {
    // Nobody knows when node1 renewed its lock: it may have been just now.
    holds(
        &live(),
        "at 0s power off node1
         from 0s until 119s expect not vm:100 running
         expect vm:100 recovered 1 time
         expect vm:100 running
         expect node2 master",
    );
    holds(&live(), "at 0s power off node2\nfrom 0s until 119s expect no master\nexpect vm:101 recovered 1 time");
}

#[test]
fn who_reaches_the_store_may_act_unless_more_than_half_must_be_there() {
    let cut = "at 1m power off node2\nat 1m power off node3\nuntil 10m\n";
    holds(&live(), &format!("{cut}expect vm:101 running on node1\nexpect proc:web running on node1"));
    holds(&live(), "at 1m partition node1 | node2 node3\nuntil 10m\nexpect vm:100 down at most 0s");
    let mut snapshot = live();
    snapshot["needs_majority"] = json!(true);
    holds(&snapshot, &format!("{cut}expect not vm:101 running\nexpect not node1 quorate"));
}

#[test]
fn a_node_that_was_lost_is_lost_here_too() {
    let mut snapshot = live();
    let status = &mut snapshot["manager_status"];
    status["node_status"]["node3"] = json!("fence");
    status["service_status"]["proc:web"] = json!({"state": "fence", "node": "node3", "uid": "x"});
    snapshot["nodes"]["node3"]["online"] = json!(false);
    assert_eq!(differences(&snapshot), ["node3 was not there: here it has no power"]);
    holds(&snapshot, "from 0s until 119s expect proc:web fence\nby 4m expect proc:web running\nuntil 5m");
    holds(&snapshot, "at 10s power on node3\nby 3m expect node3 online\nby 5m expect proc:web running");
}

#[test]
fn maintenance_and_disarming_go_on() {
    let mut snapshot = live();
    snapshot["manager_status"]["node_status"]["node3"] = json!("maintenance");
    snapshot["manager_status"]["node_request"] = json!({"node3": {"maintenance": 1}});
    snapshot["lrm_status"]["node3"]["mode"] = json!("maintenance");
    holds(&snapshot, "expect node3 maintenance\nexpect not proc:web on node3\nexpect proc:web running");

    let mut snapshot = live();
    let status = &mut snapshot["manager_status"];
    status["disarm"] = json!({"mode": "freeze", "state": "disarmed"});
    for (sid, entry) in status["service_status"].as_object_mut().unwrap() {
        *entry = json!({"state": "freeze", "node": entry["node"], "uid": sid});
    }
    for record in snapshot["lrm_status"].as_object_mut().unwrap().values_mut() {
        *record = json!({"state": "wait_for_agent_lock", "mode": "disarm", "timestamp": TIME, "results": {}});
    }
    holds(
        &snapshot,
        "at 1m power off node3\nuntil 9m\nexpect disarmed\nexpect vm:100 running on node1\nexpect not proc:web running",
    );
    holds(
        &snapshot,
        "at 1m command arm-ha\nat 3m power off node3\nuntil 9m\nexpect armed\nexpect proc:web recovered 1 time",
    );
}

#[test]
fn a_guest_is_moved_live_only_if_its_agent_can() {
    let moved = "at 1m command migrate proc:web node1\nat 1m command migrate vm:101 node1\nuntil 4m
        expect proc:web running on node1\nexpect vm:101 running on node1
        expect event live_migration_unsupported sid=proc:web 1 time
        expect not event live_migration_unsupported sid=vm:101";
    holds(&live(), moved);
}

#[test]
fn what_can_not_be_as_it_was_is_said() {
    let mut snapshot = live();
    let status = &mut snapshot["manager_status"];
    status["service_status"]["vm:100"] = json!({"state": "error", "node": "node1", "uid": "e"});
    status["service_status"]["vm:101"] = json!({"state": "migrate", "node": "node2", "target": "node1", "uid": "m"});
    status["service_status"]["vm:109"] = json!({"state": "dreaming", "node": "node2"});
    snapshot["guests"]["vm:200"] = json!({"node": "node1"});
    snapshot["nodes"]["node3"] = json!({"online": true});
    snapshot["left_out"] = json!(["the LRM status of node3: it is empty"]);
    snapshot["configuration"] = json!({
        "resources.cfg": "vm: 100\n\tcolour blue\n\nvm: 101\n\tprobe agent\n\nproc: web\n\nvm: 300\n",
        "fence.cfg": "device power fence_x\nconnect power node=node1\n",
        "datacenter.cfg": "crs: ha=dynamic\n",
    });
    let said: Vec<String> = differences(&snapshot)
        .into_iter()
        .map(|line| line.split("there is no such").next().unwrap().to_owned())
        .collect();
    assert_eq!(
        said,
        [
            "the snapshot has not: the LRM status of node3: it is empty",
            "resources.cfg: line 2, in 'vm: 100', property 'colour': ",
            "how large node3 is is not known: here it has 16 cores and 64 GB",
            "vm:100 is in 'error': here it does not run",
            "vm:101 was on its way to node1: here it goes again from the beginning",
            "what is recorded of vm:109 is not understood: it is left alone",
            "vm:300 has no guest",
            "vm:200 is no service: it does not run here, and uses nothing",
            "no fence device is asked: here each of them works",
            "no probe is asked: here what runs is ready",
            "what nodes use was measured: here it is what their guests use",
        ]
    );
    holds(&snapshot, "until 5m\nexpect vm:100 error\nexpect not vm:100 running\nexpect vm:101 running on node1");
    let cluster = Cluster::new(Scenario::from_snapshot("test", &read(&snapshot), "").unwrap().setup().clone());
    let begun: Vec<String> = cluster.happenings_since(0).iter().map(|happening| happening.what.to_string()).collect();
    assert!(begun[0].contains("goes on from 2027-01-15 08:00:00 UTC"), "{begun:?}");
    assert!(begun.iter().any(|line| line.contains("vm:300 has no guest")), "{begun:?}");
}

#[test]
fn a_text_that_makes_no_sense_says_where() {
    let problems = |text: &str| Scenario::from_snapshot("test", &read(&live()), text).unwrap_err().to_string();
    assert_eq!(problems("at 1m power off node9"), "scenario:1:17: there is no node 'node9': did you mean 'node1'?");
    assert!(problems("nodes node1").contains("there is a node node1 already"));
    assert!(problems("guest vm:100 on node2").contains("there is a line for guest vm:100 already"));
    holds(
        &live(),
        "node node4\nguest proc:x on node4\ntakes migrate 1m\nat 1m command migrate vm:100 node4\nuntil 4m\nexpect vm:100 on node4",
    );
}
