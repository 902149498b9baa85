//! A node that is taken out of the list of members while its daemon runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{fs, path::PathBuf, process::Child};

use common::{Sandbox, signal, wait_for};

/// Changes the list of members behind everybody's back, as an editor does.
fn set_members(sandbox: &Sandbox, nodes: &[&str]) {
    let path = sandbox.store().join("cluster.json");
    let mut settings: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    settings["nodes"] = serde_json::json!(nodes);
    let new = sandbox.store().join("cluster.json.new");
    fs::write(&new, settings.to_string()).unwrap();
    fs::rename(new, path).unwrap();
}

struct Cluster {
    sandbox: Sandbox,
    daemons: Vec<(&'static str, Child)>,
    disk: PathBuf,
}

impl Cluster {
    /// Three nodes, the last of which runs a service that writes to a disk.
    fn start(name: &str) -> Self {
        let sandbox = Sandbox::new(name, "node1,node2,node3", "fast");
        let disk = sandbox.directory.join("disk");
        sandbox.guest("proc:disk", "node3", &[env!("CARGO_BIN_EXE_ha"), "demo-disk", disk.to_str().unwrap()]);
        sandbox.ok(&["add", "proc:disk"]);
        let daemons = ["node1", "node2", "node3"].map(|node| (node, sandbox.machine(node, &[]))).into();
        let cluster = Self { sandbox, daemons, disk };
        wait_for("the service runs", 60, || cluster.sandbox.shown("proc:disk") == "started" && cluster.lines() > 0);
        cluster
    }

    fn lines(&self) -> usize {
        fs::read_to_string(&self.disk).unwrap_or_default().lines().count()
    }

    /// Nothing has written to the disk beside another one.
    fn assert_one_writer(&self) {
        let text = fs::read_to_string(&self.disk).unwrap();
        let numbers: Vec<usize> = text.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len()), "two writers at once");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for (_, child) in &mut self.daemons {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_node_that_is_no_member_any_more_says_so_stops_its_services_and_ends() {
    let mut cluster = Cluster::start("removed");
    set_members(&cluster.sandbox, &["node1", "node2"]);
    wait_for("its daemon ends", 60, || cluster.daemons[2].1.try_wait().unwrap().is_some());
    let log = cluster.sandbox.log_text("node3");
    assert!(log.contains("removed_from_cluster"), "{log}");
    assert!(log.contains("agent_stopped"), "its service was stopped, not killed: {log}");
    assert!(log.contains("'node3' is no node of this cluster"), "{log}");
    let before = cluster.lines();
    wait_for("its service goes on elsewhere", 90, || cluster.lines() > before + 2);
    cluster.assert_one_writer();
    let status = cluster.sandbox.ok(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let service = &status["services"][0];
    assert!(service["node"] == "node1" || service["node"] == "node2", "{service}");
    let told = ["node1", "node2"].map(|node| cluster.sandbox.log_text(node)).concat();
    assert!(told.contains("\"gone\""), "the others say that it is gone");

    set_members(&cluster.sandbox, &["node1", "node2", "node3"]);
    let again = cluster.sandbox.machine("node3", &[]);
    cluster.daemons[2].1 = again;
    wait_for("it takes part again", 60, || {
        let log = cluster.sandbox.log_text("node3");
        log.matches("node daemon ").count() >= 3 && cluster.daemons[2].1.try_wait().unwrap().is_none()
    });
    signal(&cluster.daemons[2].1, "TERM");
}
