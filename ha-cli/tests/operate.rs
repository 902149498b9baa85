//! A cluster of three nodes as a person operates it: add, rule, restart, maintenance, error, failure, and the way out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    process::Child,
    time::{Duration, Instant},
};

use common::{Sandbox, signal, wait_for};

struct Operated {
    sandbox: Sandbox,
    machines: BTreeMap<&'static str, Child>,
}

impl Operated {
    fn start() -> Self {
        let sandbox = Sandbox::with_room("operate");
        sandbox.ok(&["init", "--nodes", "node1,node2,node3", "--timings", "fast"]);
        let machines = ["node1", "node2", "node3"].map(|node| (node, sandbox.machine(node, &[])));
        Self { sandbox, machines: machines.into() }
    }

    /// The exit code by which the status says how the cluster is doing, and what it says.
    fn health(&self) -> (i32, String) {
        let output = self.sandbox.ha(&["status", "--exit-code"]);
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    fn waits_for(&self, health: i32, says: &str) -> String {
        let mut shown = String::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            let (code, text) = self.health();
            if code == health && text.contains(says) {
                return text;
            }
            shown = format!("exit code {code}:\n{text}");
            std::thread::sleep(Duration::from_millis(100));
        }
        let logs = ["node1", "node2", "node3"].map(|node| self.sandbox.log_text(node));
        panic!("waited in vain for {health} and '{says}': {shown}\n{}", logs.join("\n"));
    }

    /// The power of a machine fails.
    fn cut(&mut self, node: &'static str) {
        let mut machine = self.machines.remove(node).unwrap();
        signal(&machine, "TERM");
        machine.wait().unwrap();
    }

    /// Defines a guest that is a shell script.
    fn script(&self, sid: &str, node: &str, script: &str) {
        let definition =
            serde_json::json!({"node": node, "agent": {"proc": {"command": ["/bin/sh", "-c", script], "grace_s": 2}}});
        let file = self.sandbox.directory.join("guest.json");
        fs::write(&file, definition.to_string()).unwrap();
        self.sandbox.ok(&["guest", "set", sid, file.to_str().unwrap()]);
    }

    fn logs(&self, sid: &str, node: &str) -> String {
        let run = self.sandbox.directory.join(format!("run-{node}"));
        self.sandbox.ok(&["--node", node, "logs", sid, "--run-dir", run.to_str().unwrap()])
    }
}

#[test]
fn a_cluster_is_operated_by_its_verbs_alone() {
    let mut cluster = Operated::start();
    let ok = |cluster: &Operated, arguments: &[&str]| cluster.sandbox.ok(arguments);
    cluster.waits_for(0, "cluster healthy: 3 of 3 nodes online, no service");

    // It is added, and runs when that returns.
    cluster.script("proc:web", "node1", "echo begun; exec sleep 1000");
    let told = ok(&cluster, &["add", "proc:web", "--wait"]);
    assert!(told.contains("proc:web is to run on node1"), "{told}");
    assert!(told.contains("waiting for proc:web to be started on node1, 300 s at most"), "{told}");
    assert!(told.contains("done after"), "{told}");
    assert_eq!(cluster.sandbox.shown("proc:web"), "started");
    assert_eq!(cluster.logs("proc:web", "node1"), "begun\n");
    assert!(ok(&cluster, &["restart", "proc:web"]).ends_with("restarted: proc:web runs on node1\n"));
    assert_eq!(cluster.logs("proc:web", "node1"), "begun\nbegun\n");

    // A rule moves it, and a maintenance moves it away and back.
    let told = ok(
        &cluster,
        &["rules", "add", "node-affinity", "home", "--resources", "proc:web", "--nodes", "node2", "--wait"],
    );
    assert!(told.contains("proc:web is stopped on node1 and started on node2"), "{told}");
    let told = ok(&cluster, &["maintenance", "enable", "node2", "--wait=60"]);
    assert!(told.contains("when that ends:") && told.contains("node2 to be in state maintenance"), "{told}");
    assert!(told.contains("\n  proc:web is stopped on node1 and started on node2\n"), "{told}");
    cluster.waits_for(1, "node node2 (maintenance, asked for by ");
    ok(&cluster, &["maintenance", "disable", "node2", "--wait=60"]);
    cluster.waits_for(0, "service proc:web (node2, started)");

    // One that can't start ends in error, which is told; it is mended and cleaned up.
    cluster.sandbox.guest("proc:bad", "node1", &["/no/such/program"]);
    let complaint =
        cluster.sandbox.fails(1, &["add", "proc:bad", "--max_restart", "0", "--max_relocate", "0", "--wait=60"]);
    assert!(complaint.contains("waited in vain for proc:bad to be started on node1: it is in 'error'"), "{complaint}");
    cluster.waits_for(2, "service proc:bad (node1, error) - start failed on node1: ");
    cluster.waits_for(2, "/no/such/program");
    assert!(cluster.sandbox.fails(1, &["start", "proc:bad"]).contains("ha cleanup proc:bad"));
    cluster.script("proc:bad", "node1", "exec sleep 1000");
    let told = ok(&cluster, &["cleanup", "proc:bad", "--wait=60"]);
    assert!(told.ends_with("cleaned up: proc:bad\n"), "{told}");
    cluster.waits_for(0, "service proc:bad (node1, started)");
    ok(&cluster, &["stop", "proc:bad", "--wait=60"]);
    ok(&cluster, &["remove", "proc:bad", "--wait=60"]);

    // A node fails: it is told at once, its service is recovered, and it is removed for good.
    cluster.cut("node2");
    let shown = cluster.waits_for(1, "node node2 (gone for");
    let mut lost = shown.lines().filter(|line| line.contains("(node2, started)"));
    assert!(lost.all(|line| line.ends_with(" - its node is gone")), "{shown}");
    cluster.waits_for(1, "3 nodes online, 1 of 1 service as it should be");
    let shown = ok(&cluster, &["status", "proc:web"]);
    assert!(!shown.contains("(node2, started)"), "{shown}");
    ok(&cluster, &["rules", "remove", "home"]);
    let told = ok(&cluster, &["node", "remove", "node2"]);
    assert!(told.starts_with("removed: node node2\n"), "{told}");
    assert!(!cluster.sandbox.store().join("status/lrm/node2.json").exists());
    wait_for("the cluster is whole again", 30, || cluster.health().0 == 0);

    // All of them fail: that is never green, and told within two seconds.
    cluster.cut("node1");
    cluster.cut("node3");
    let dead_since = Instant::now();
    cluster.waits_for(2, "no daemon is at work on any node");
    assert!(dead_since.elapsed() < Duration::from_secs(4), "{:?}", dead_since.elapsed());
    let (_, shown) = cluster.health();
    assert!(shown.contains("last known; nobody looks after it now"), "{shown}");
}
