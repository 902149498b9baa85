//! Commands that lead nowhere, or whose effect will not last: they are refused with the reason and the remedy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;

use common::{Sandbox, wait_for};
use serde_json::{Value, json};

/// A cluster as its master on node1 has recorded it, with one service on node1.
fn with_service(state: &str) -> Sandbox {
    let sandbox = Sandbox::new("commands", "node1,node2,node3", "fast");
    sandbox.guest("vm:100", "node1", &["/bin/sleep", "1000"]);
    sandbox.ok(&["add", "100"]);
    let status = json!({
        "master_node": "node1",
        "timestamp": 1,
        "node_status": { "node1": "online", "node2": "online", "node3": "online" },
        "service_status": { "vm:100": { "state": state, "node": "node1", "uid": "one", "running": 1 } },
    });
    let directory = sandbox.store().join("status");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("manager.json"), Value::to_string(&status)).unwrap();
    sandbox
}

#[test]
fn a_command_that_leads_nowhere_is_refused_unless_it_is_forced() {
    let sandbox = with_service("error");
    for command in [["migrate", "100", "node2"], ["relocate", "100", "node2"], ["stop", "100", "0"]] {
        let complaint = sandbox.fails(1, &command);
        assert!(complaint.contains("is in error") && complaint.contains("--force"), "{complaint}");
        assert!(sandbox.queued().is_empty(), "{command:?}");
    }
    sandbox.ok(&["migrate", "100", "node2", "--force"]);
    assert_eq!(sandbox.queued(), ["migrate vm:100 node2"]);
    sandbox.ok(&["crm-command", "stop", "100", "0", "--force"]);
    assert_eq!(sandbox.queued().last().map(String::as_str), Some("stop vm:100 0"));
}

#[test]
fn a_move_that_will_not_last_is_refused_with_its_rule_unless_it_is_forced() {
    let sandbox = with_service("started");
    let rule =
        ["rules", "add", "node-affinity", "home", "--resources", "vm:100", "--nodes", "node1,node2", "--strict", "1"];
    sandbox.ok(&rule);
    let complaint = sandbox.fails(1, &["migrate", "100", "node3"]);
    assert!(complaint.contains("home") && complaint.contains("--force"), "{complaint}");
    assert!(sandbox.queued().is_empty());
    sandbox.ok(&["migrate", "100", "node2"]);
    sandbox.ok(&["relocate", "100", "node3", "--force"]);
    assert_eq!(sandbox.queued(), ["migrate vm:100 node2", "relocate vm:100 node3"]);
}

/// Who waits at a terminal sees what for, and how far it is.
#[test]
fn a_long_wait_tells_on_a_terminal_alone_how_far_it_is() {
    let sandbox = Sandbox::new("progress", "node1,node2,node3", "fast");
    // No master takes it.
    let disarm = ["disarm", "freeze", "--wait=2"];
    let complaint = sandbox.fails(1, &disarm);
    assert!(complaint.contains("waited 2 s in vain") && !complaint.contains('\r'), "{complaint}");
    let words = [sandbox.program.to_str().unwrap()].into_iter().chain(disarm).collect::<Vec<_>>().join(" ");
    let mut terminal = sandbox.command_of("script");
    let output = terminal.args(["--quiet", "--return", "--command", &words, "/dev/null"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let seen = String::from_utf8(output.stdout).unwrap();
    let line = "\r\u{1b}[K1 s of 2: 0 of 2 done, waiting for the master to take the command; ";
    assert!(seen.contains(line), "{seen:?}");
    let after = seen.split(line).last().unwrap();
    assert!(after.contains("\r\u{1b}[K\u{1b}"), "it is gone before the end is told: {after:?}");
}

/// A local directory keeps all that a store counts on; nothing is left of the test.
#[test]
fn a_directory_is_tried_out_by_two_processes() {
    let sandbox = Sandbox::empty("trial");
    let directory = sandbox.directory.join("shared");
    fs::create_dir(&directory).unwrap();
    let directory = directory.to_str().unwrap();
    let told = sandbox.ok(&["store", "test", directory]);
    assert_eq!(told.lines().filter(|line| line.starts_with("kept    ")).count(), 7, "{told}");
    assert!(told.contains("keeps what a store needs, between two processes on "), "{told}");
    let mut partner = sandbox.command().args(["store", "test", directory, "--partner"]).spawn().unwrap();
    let told: Value =
        serde_json::from_str(&sandbox.ok(&["store", "test", directory, "--wait-for-partner", "--json"])).unwrap();
    assert!(partner.wait().unwrap().success());
    assert_eq!((&told["is_kept"], &told["is_of_two_machines"]), (&json!(true), &json!(false)), "{told}");
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0, "nothing is left");
    fs::create_dir(format!("{directory}/.ha-store-test")).unwrap();
    assert!(sandbox.fails(1, &["store", "test", directory]).contains("another test is under way"));
}

/// Who follows goes on after a store was taken back from a backup.
#[test]
fn a_history_that_was_set_back_is_followed_from_its_beginning() {
    let sandbox = Sandbox::new("set-back", "node1", "fast");
    sandbox.guest("vm:100", "node1", &["/bin/sleep", "1000"]);
    sandbox.ok(&["add", "100"]);
    let told = sandbox.directory.join("told");
    let mut follower = sandbox.command();
    follower.args(["history", "-f", "--json"]).stdout(fs::File::create(&told).unwrap());
    let mut follower = follower.stderr(std::process::Stdio::null()).spawn().unwrap();
    let tells = |text: &str| fs::read_to_string(&told).unwrap().contains(text);
    wait_for("what was there is told", 60, || tells("added"));
    fs::remove_dir_all(sandbox.store().join("history")).unwrap();
    sandbox.ok(&["set", "100", "--comment", "afterwards"]);
    wait_for("what comes after it is told", 60, || tells("afterwards"));
    follower.kill().unwrap();
    follower.wait().unwrap();
}
