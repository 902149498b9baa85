//! Nodes that are lost while nothing guards them: what runs there is started nowhere else before it is proven to be gone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use common::{Sandbox, processes_with, signal, wait_for};
use ha_core::{
    id::NodeName,
    status::{ManagerStatus, NodeState},
};

const NODES: [&str; 3] = ["node1", "node2", "node3"];
const GUEST: &str = "exec:web";

/// Three machines with watchdogs, and a guest of `node2` that was started by somebody else.
struct Cluster {
    machines: Vec<Child>,
    guest: Child,
    sandbox: Sandbox,
}

impl Cluster {
    fn start(name: &str) -> Self {
        let sandbox = Sandbox::new(name, &NODES.join(","), "fast");
        define_guest(&sandbox);
        // Without any service there is no master.
        sandbox.guest("proc:other", "node1", &["tail", "-f", sandbox.directory.join("web").to_str().unwrap()]);
        sandbox.ok(&["add", "proc:other"]);
        let guest = Command::new("sleep").arg("100000").stdin(Stdio::null()).spawn().unwrap();
        fs::write(sandbox.directory.join("runs-on-node2"), guest.id().to_string()).unwrap();
        let machines = NODES.iter().map(|node| sandbox.machine(node, &[])).collect();
        let cluster = Self { machines, guest, sandbox };
        wait_for("all nodes are online", 60, || cluster.all_are_online());
        cluster
    }

    /// The daemon of a node goes without a word; what runs there goes on.
    fn lose(&mut self, node: &str) {
        let number = NODES.iter().position(|name| *name == node).unwrap();
        signal(&self.machines[number], "KILL");
        self.machines[number].wait().unwrap();
        for pid in processes_with(&self.sandbox.directory.join(format!("run-{node}"))) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
        }
    }

    fn boot(&mut self, node: &str) {
        let number = NODES.iter().position(|name| *name == node).unwrap();
        self.machines[number] = self.sandbox.machine(node, &[]);
    }

    /// Whether the master counts all nodes as online.
    fn all_are_online(&self) -> bool {
        let record = fs::read_to_string(self.sandbox.store().join("status/manager.json")).unwrap_or_default();
        let Ok(status) = ManagerStatus::from_json(&record) else { return false };
        NODES.iter().all(|node| status.node_state(&NodeName::new(node).unwrap()) == NodeState::Online)
    }

    /// The changes that the guest's program was asked for, each as a verb and a node.
    fn deeds(&self) -> String {
        fs::read_to_string(self.sandbox.directory.join("deeds")).unwrap_or_default()
    }

    /// Whether some node has said so.
    fn is_told(&self, what: &str) -> bool {
        NODES.iter().any(|node| self.sandbox.log_text(node).contains(what))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.guest.kill();
        let _ = self.guest.wait();
        for machine in &mut self.machines {
            if matches!(machine.try_wait(), Ok(None)) {
                signal(machine, "TERM");
            }
        }
        for machine in &mut self.machines {
            let _ = machine.wait();
        }
    }
}

/// A guest whose program looks at a file for each node: it runs there as long as the process that the file names lives.
fn define_guest(sandbox: &Sandbox) {
    let program = sandbox.directory.join("web");
    let body = r#"#!/bin/sh
cd "$(dirname "$0")"
case "$1" in
status) test -e runs-on-$HA_NODE && kill -0 "$(cat runs-on-$HA_NODE)" 2>/dev/null || exit 3;;
start) echo "start $HA_NODE" >> deeds; touch alive; tail -f "$PWD/alive" > /dev/null 2>&1 & echo $! > runs-on-$HA_NODE;;
stop) echo "stop $HA_NODE" >> deeds; kill "$(cat runs-on-$HA_NODE)"; rm runs-on-$HA_NODE;;
esac"#;
    fs::write(&program, body).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let definition = serde_json::json!({"node": "node2", "agent": {"exec": {"command": [program], "timeout_s": 20}}});
    let file: PathBuf = sandbox.directory.join("guest.json");
    fs::write(&file, definition.to_string()).unwrap();
    sandbox.ok(&["guest", "set", GUEST, file.to_str().unwrap()]);
}

/// A cluster whose `node2` was lost before its LRM took its lock for a guest that ran there already when it was added.
fn with_a_guest_that_waits_for_its_node(name: &str) -> Cluster {
    let mut cluster = Cluster::start(name);
    cluster.lose("node2");
    cluster.sandbox.ok(&["add", GUEST]);
    wait_for("its node is not fenced by a lock that nobody had", 60, || {
        assert_eq!(cluster.deeds(), "", "it was started while it runs on node2");
        cluster.is_told("\"node_not_fenced\"")
    });
    // An event comes before the record of its round.
    wait_for("it waits for its node", 20, || cluster.sandbox.shown(GUEST) == "fence");
    let status = cluster.sandbox.ok(&["status"]);
    assert!(status.contains("\nunguarded node2 (what may run there"), "{status}");
    cluster
}

#[test]
fn a_guest_that_runs_when_it_is_added_is_started_nowhere_else_while_its_node_is_lost() {
    let mut cluster = with_a_guest_that_waits_for_its_node("running-when-added");
    cluster.boot("node2");
    wait_for("it is looked after where it is", 60, || cluster.sandbox.shown(GUEST) == "started");
    assert_eq!(cluster.deeds(), "", "it was never touched");
}

#[test]
fn a_person_who_confirms_that_a_node_is_down_lets_its_services_go_on_elsewhere() {
    let mut cluster = with_a_guest_that_waits_for_its_node("confirm-fenced");
    let told = cluster.sandbox.fails(1, &["confirm-fenced", "node2"]);
    assert!(told.contains("--repeat node2"), "{told}");
    let told = cluster.sandbox.fails(1, &["confirm-fenced", "node2", "--repeat", "node3"]);
    assert!(told.contains("nothing was confirmed"), "{told}");
    assert_eq!(cluster.sandbox.shown(GUEST), "fence");

    // The power of the node is off, and with it the guest.
    cluster.guest.kill().unwrap();
    cluster.guest.wait().unwrap();
    cluster.sandbox.ok(&["confirm-fenced", "node2", "--repeat", "node2"]);
    wait_for("it runs elsewhere", 60, || cluster.sandbox.shown(GUEST) == "started");
    let deeds = cluster.deeds();
    assert!(deeds == "start node1\n" || deeds == "start node3\n", "{deeds}");
    assert!(cluster.is_told("\"fence_confirmed\""), "it is told who has confirmed it");
}
