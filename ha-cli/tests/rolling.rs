//! Work on node after node over three real nodes: carried out, refused, stopped, and killed at random points and taken up again, while a
//! service writes to a disk that notices a second writer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod common;

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    process::{Child, Output, Stdio},
    thread,
    time::Duration,
};

use common::{Sandbox, signal, stderr, wait_for};

/// How often the runner is killed; `HA_ROLLING_KILLS` says another number.
const KILLS: u32 = 6;
const NODES: [&str; 3] = ["node1", "node2", "node3"];

struct Cluster {
    sandbox: Sandbox,
    nodes: Vec<Child>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            signal(node, "TERM");
            let _ = node.wait();
        }
        for pid in common::processes_below(&self.sandbox.directory) {
            let _ = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
    }
}

impl Cluster {
    fn start() -> Self {
        let sandbox = Sandbox::with_room("rolling");
        sandbox.ok(&["init", "--nodes", "node1,node2,node3", "--timings", "fast"]);
        let nodes = NODES.map(|node| sandbox.machine(node, &[])).into();
        let cluster = Self { sandbox, nodes };
        let all_online = |text: String| text.contains("3 of 3 nodes online");
        wait_for("all nodes are online", 60, || all_online(cluster.sandbox.ok(&["status"])));
        let program = cluster.sandbox.program.to_str().unwrap().to_owned();
        let disk = cluster.disk();
        let script = format!("HA_NODE=here exec {program} demo-disk {}", disk.display());
        cluster.sandbox.guest("proc:disk", "node2", &["/bin/sh", "-c", &script]);
        cluster.sandbox.ok(&["add", "proc:disk", "--wait=120"]);
        cluster.sandbox.ok(&["rules", "add", "node-affinity", "home", "--resources", "proc:disk", "--nodes", "node2"]);
        wait_for("the cluster is whole", 60, || cluster.sandbox.ha(&["health"]).status.success());
        wait_for("all nodes are online", 60, || cluster.dry_run().status.success());
        cluster
    }

    /// The machine of node1 goes without a word.
    fn lose_the_first_node(&self) {
        signal(&self.nodes[0], "KILL");
        for pid in common::processes_with(&self.sandbox.directory.join("run-node1")) {
            let _ = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
    }

    fn dry_run(&self) -> Output {
        self.sandbox.ha(&["rolling", "node1", "--run", "true", "--dry-run"])
    }

    fn disk(&self) -> PathBuf {
        self.sandbox.directory.join("disk")
    }

    /// What the commands wrote, a line each.
    fn ran(&self) -> Vec<String> {
        let text = fs::read_to_string(self.sandbox.directory.join("ran")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// A command that takes its time and notes both its ends, and whether its node is in maintenance then.
    fn command(&self) -> String {
        let ran = self.sandbox.directory.join("ran");
        format!("echo begun $HA_NODE >>{0}; sleep 0.4; echo ended $HA_NODE >>{0}", ran.display())
    }

    fn runner(&self, arguments: &[&str]) -> Child {
        let mut command = self.sandbox.command();
        command.arg("rolling").args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Writes by more than one process, and numbers that are missing: by one line after the other.
    fn judge_disk(&self) -> usize {
        let text = fs::read_to_string(self.disk()).unwrap();
        let mut former: BTreeSet<String> = BTreeSet::new();
        let mut last: Option<(u64, String)> = None;
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let (number, writer): (u64, String) = (words[0].parse().unwrap(), words[2].to_owned());
            if let Some((before, by)) = &last {
                assert_eq!(number, before + 1, "a write was lost, or a second writer wrote: {line}");
                if *by != writer {
                    former.insert(by.clone());
                }
            }
            assert!(!former.contains(&writer), "it was taken over from, and wrote again: {line}");
            last = Some((number, writer));
        }
        former.len()
    }
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn a_runner_that_is_killed_again_and_again_is_taken_up_and_nothing_runs_twice() {
    let cluster = Cluster::start();
    let kills: u32 = std::env::var("HA_ROLLING_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let mut random = Random(7);
    let command = cluster.command();
    let mut arguments = vec!["node1", "node2", "node3", "--timeout", "120", "--run", &command];
    let (mut killed, mut rounds) = (0, 0);
    loop {
        let mut runner = cluster.runner(&arguments);
        if killed < kills {
            // A taken up runner watches for a while first.
            let begins_ms = if arguments[0] == "--resume" { 7_400 } else { 0 };
            thread::sleep(Duration::from_millis(begins_ms + random.below(2_500)));
            if runner.try_wait().unwrap().is_none() {
                signal(&runner, "KILL");
                killed += 1;
            }
        }
        let output = runner.wait_with_output().unwrap();
        match output.status.code() {
            Some(0) => {
                rounds += 1;
                let ended: Vec<String> = cluster.ran().into_iter().filter(|line| line.starts_with("ended")).collect();
                assert_eq!(ended.len(), 3 * rounds, "each node once a round: {ended:?}");
                assert_eq!(ended[ended.len() - 3..], ["ended node1", "ended node2", "ended node3"]);
                if killed == kills {
                    break;
                }
                arguments = vec!["node1", "node2", "node3", "--timeout", "120", "--run", &command];
            }
            None => arguments = vec!["--resume"],
            // A person looks: what was begun ends by itself.
            Some(4) => arguments = vec!["--resume", verdict(&cluster, rounds)],
            code => panic!("{code:?}: {}", stderr(&output)),
        }
    }
    assert!(cluster.judge_disk() >= 2 * rounds, "the service left node2 and came back in each round");
    let status = cluster.sandbox.ok(&["status"]);
    assert!(status.contains("cluster healthy") && !status.contains("rolling work"), "{status}");
    assert!(cluster.sandbox.ok(&["rolling", "--status"]).contains(": finished (by "));
}

/// What a person says of the command of the node whose turn it is, once nothing of it is at work any more.
fn verdict(cluster: &Cluster, rounds: usize) -> &'static str {
    let count = |word: &str| cluster.ran().iter().filter(|line| line.starts_with(word)).count();
    wait_for("the command has ended", 30, || count("begun") == count("ended"));
    let work: serde_json::Value =
        serde_json::from_str(&cluster.sandbox.ok(&["rolling", "--status", "--json"])).unwrap();
    let done = work["done"].as_array().unwrap().len();
    if count("ended") > 3 * rounds + done { "--done" } else { "--again" }
}

#[test]
fn it_stops_at_a_doubt_says_what_to_do_and_never_runs_twice_at_once() {
    let cluster = Cluster::start();
    let sandbox = &cluster.sandbox;

    // A command that fails: the node stays in maintenance, and a person decides.
    let complaint = sandbox.fails(4, &["rolling", "node3", "node1", "--run", "exit 7"]);
    assert!(complaint.contains("the command for node3 has failed: exit status: 7"), "{complaint}");
    assert!(complaint.contains("node3 is in maintenance") && complaint.contains("--resume --again"), "{complaint}");
    let status = sandbox.ok(&["status"]);
    assert!(status.contains("rolling work: node3 of node3,node1: stopped while running the command"), "{status}");
    assert!(sandbox.fails(1, &["rolling", "node2", "--run", "true"]).contains("other rolling work is not over"));
    assert!(sandbox.fails(4, &["rolling", "--resume"]).contains("has failed: exit status: 7"));
    let told = sandbox.ok(&["rolling", "--abort"]);
    assert!(told.contains("aborted: rolling work on node3, node1; done: no node"), "{told}");
    assert!(sandbox.fails(1, &["rolling", "--resume"]).contains("there is no rolling work that is not over"));

    // While a runner lives no other one takes over.
    let mut runner = cluster.runner(&["node1", "--run", "sleep 12"]);
    wait_for("the command runs", 60, || sandbox.ok(&["rolling", "--status"]).contains("running the command"));
    assert!(sandbox.fails(1, &["rolling", "--resume"]).contains("carries the rolling work out at this moment"));
    assert!(sandbox.fails(1, &["rolling", "node2", "--run", "true"]).contains("other rolling work is not over"));
    assert!(runner.wait().unwrap().success());

    // A node that is in maintenance is a doubt before anything is done.
    sandbox.ok(&["maintenance", "enable", "node3", "--wait=60"]);
    let complaint = sandbox.fails(1, &["rolling", "node1", "--run", "true"]);
    assert!(complaint.contains("node3 is not simply online") && complaint.contains("nothing was done to node1"));
    sandbox.ok(&["maintenance", "disable", "node3", "--wait=60"]);
    assert!(sandbox.ok(&["rolling", "--resume"]).contains("finished: rolling work on node1"));

    // A restart that nobody sees is waited for in vain.
    let complaint = sandbox.fails(1, &["rolling", "node3", "--wait-for-reboot", "--timeout", "2"]);
    assert!(complaint.contains("in vain on node3 for it to be restarted"), "{complaint}");
    sandbox.ok(&["rolling", "--abort"]);

    // A node that is lost is a doubt at once, also while services are waited for to come back.
    let go = sandbox.directory.join("go");
    let command = format!("until [ -e {} ]; do sleep 0.1; done", go.display());
    let runner = cluster.runner(&["node3", "--timeout", "100", "--run", &command]);
    wait_for("the command runs", 60, || sandbox.ok(&["rolling", "--status"]).contains("running the command"));
    cluster.lose_the_first_node();
    fs::write(go, "").unwrap();
    let output = runner.wait_with_output().unwrap();
    let complaint = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("node1 is not simply online") && !complaint.contains("in vain"), "{complaint}");
    assert!(complaint.contains("the maintenance of node3 ends"), "{complaint}");
    assert!(cluster.judge_disk() < 10);
}
