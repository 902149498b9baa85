//! A snapshot of a cluster of real nodes, played on as a virtual one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;

use common::{Sandbox, wait_for};
use ha_core::plan::ClusterSnapshot;
use ha_sim::scenario::{Scenario, play};
use serde_json::Value;

/// A word that nobody may see.
const SECRET: &str = "hush";

fn cluster() -> (Sandbox, [std::process::Child; 3]) {
    let sandbox = Sandbox::with_room("snapshot");
    sandbox.ok(&["init", "--nodes", "node1,node2,node3", "--timings", "fast"]);
    for (sid, node) in [("proc:web", "node1"), ("proc:db", "node2")] {
        sandbox.guest(sid, node, &["/bin/sh", "-c", &format!(": {SECRET}-command; exec sleep 1000")]);
        sandbox.ok(&["add", sid]);
    }
    let home = ["rules", "add", "node-affinity", "home", "--resources", "proc:web", "--nodes", "node1:2,node3:1"];
    sandbox.ok(&[&home[..], &["--strict", "1"]].concat());
    let fence = format!(
        "# the password is {SECRET}-comment\ndevice power fence_x ip=192.0.2.1 passwd={SECRET}-value {SECRET}-key\n\
         connect power node=node1 plug=7 token={SECRET}-token\nnonsense {SECRET}-line\n"
    );
    fs::write(sandbox.store().join("config/fence.cfg"), fence).unwrap();
    let resources = sandbox.store().join("config/resources.cfg");
    let unknown = format!("dream: 1\n\tcolour blue\n\tapi-token {SECRET}-property\n\n");
    fs::write(&resources, fs::read_to_string(&resources).unwrap() + &unknown).unwrap();
    let machines = ["node1", "node2", "node3"].map(|node| sandbox.machine(node, &[]));
    (sandbox, machines)
}

#[test]
fn a_power_cut_of_the_virtual_cluster_ends_where_the_plan_for_the_live_one_says() {
    let (sandbox, _machines) = cluster();
    wait_for("both services run under a watchdog", 60, || {
        let run = ["proc:web", "proc:db"].iter().all(|sid| sandbox.shown(sid) == "started");
        run && sandbox.all_are_guarded()
    });
    let plan = sandbox.ha(&["plan", "evacuate", "node1", "--json"]).stdout;
    let plan: Value = serde_json::from_slice(&plan).unwrap();
    let target =
        plan["leaving"].as_array().unwrap().iter().find(|gone| gone["sid"] == "proc:web").unwrap()["node"].clone();
    assert_eq!(target, "node3");

    let text = sandbox.ok(&["snapshot"]);
    assert!(!text.contains(SECRET), "{text}");
    let snapshot = ClusterSnapshot::from_json(&text).unwrap();
    assert!(snapshot.configuration["resources.cfg"].contains("dream: 1\n\tcolour blue\n"), "what is not known is kept");
    assert_eq!(snapshot.configuration["fence.cfg"], "device power:1 fence_x\nconnect power:1 node=node1\n");
    assert!(snapshot.nodes.values().all(|node| node.online && node.figures.is_some() && node.version.is_some()));
    assert_eq!(snapshot.lrm_status.len(), 3);
    assert_eq!(snapshot.left_out, [""; 0]);

    let story = "from 0s until 9s expect proc:web running on node1
        at 10s power off node1
        expect proc:web running on node3
        expect proc:web recovered 1 time
        expect proc:db running on node2
        expect proc:db down at most 0s";
    let outcome = play(Scenario::from_snapshot("live", &snapshot, story).unwrap(), &mut |_| {});
    let failures: Vec<String> = outcome.failures.iter().map(ToString::to_string).collect();
    assert!(outcome.passed(), "{failures:#?}");
}
