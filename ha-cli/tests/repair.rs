//! A manager status that can't be understood, and its repair.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{fs, path::PathBuf, process::Stdio};

use common::Sandbox;
use ha_core::{host::Lock, id::NodeName, status::ManagerStatus};
use ha_host::store::{FileStore, LeaseRecord, SharedStore};

fn record(sandbox: &Sandbox) -> PathBuf {
    sandbox.store().join("status/manager.json")
}

fn with_record(text: &str) -> Sandbox {
    let sandbox = Sandbox::new("repair", "node1", "fast");
    fs::create_dir_all(sandbox.store().join("status")).unwrap();
    fs::write(record(&sandbox), text).unwrap();
    sandbox
}

#[test]
fn an_empty_record_is_named_with_its_file_and_the_remedy() {
    let sandbox = with_record("");
    let complaint = sandbox.ok(&["status"]);
    assert!(complaint.contains(record(&sandbox).to_str().unwrap()), "{complaint}");
    assert!(complaint.contains("is empty") && complaint.contains("ha repair status"), "{complaint}");
}

#[test]
fn a_broken_record_is_repaired_when_that_is_confirmed_and_a_copy_is_kept() {
    let broken = r#"{"node_status":{"node1":"on"},"service_status":{"vm:1":{"state":"stopped","node":"node1"}}}"#;
    let sandbox = with_record(broken);
    assert!(sandbox.fails(1, &["repair", "status"]).contains("--yes"));
    assert_eq!(fs::read_to_string(record(&sandbox)).unwrap(), broken);
    let said = sandbox.ok(&["repair", "status", "--yes"]);
    assert!(said.contains("node_status.node1"), "{said}");
    let status = ManagerStatus::from_json(&fs::read_to_string(record(&sandbox)).unwrap()).unwrap();
    assert_eq!((status.services.len(), status.nodes.len()), (1, 0));
    let copies = fs::read_dir(sandbox.directory.join("state")).unwrap().map(|entry| entry.unwrap().path());
    let copies: Vec<PathBuf> = copies.filter(|path| path.to_str().unwrap().contains("manager-status")).collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(fs::read_to_string(&copies[0]).unwrap(), broken);
    assert!(sandbox.fails(1, &["repair", "status", "--yes"]).contains("nothing to repair"));
}

#[test]
fn a_daemon_tells_a_broken_record_once_and_works_when_it_is_repaired() {
    let sandbox = with_record("{}");
    sandbox.guest("vm:100", "node1", &["/bin/sleep", "1000"]);
    sandbox.ok(&["add", "100", "--state", "stopped"]);
    fs::write(record(&sandbox), "").unwrap();
    let mut daemon = sandbox.node("node1");
    let log = || fs::read_to_string(sandbox.log("node1")).unwrap_or_default();
    let times = |what: &str| log().matches(what).count();
    common::wait_for("both daemons tell it", 20, || {
        times("manager_status_unreadable") > 0 && times("service_status_unreadable") > 0
    });
    // The LRM writes its record in every iteration, and each iteration reads the manager status.
    let lrm = || fs::read_to_string(sandbox.store().join("status/lrm/node1.json")).unwrap_or_default();
    for _ in 0..3 {
        let before = lrm();
        common::wait_for("an iteration", 20, || lrm() != before);
    }
    assert_eq!((times("manager_status_unreadable"), times("service_status_unreadable")), (1, 1), "{}", log());
    assert!(log().contains("ha repair status"), "{}", log());

    sandbox.ok(&["repair", "status", "--yes"]);
    let known = || ManagerStatus::from_json(&fs::read_to_string(record(&sandbox)).unwrap()).unwrap();
    common::wait_for("the service is taken up", 30, || known().services.len() == 1);
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

/// Writes the manager lock as a master on another node would.
fn hold_manager_lock(store: &FileStore, count: u64, lifetime_ms: u64) {
    let holder = Some(NodeName::new("node2").unwrap());
    let lease = LeaseRecord { holder, count, writer: "master".into(), lifetime_ms, mark: String::new() };
    let lease = serde_json::to_vec(&lease).unwrap();
    store.change_lock(&Lock::Manager, &mut |_| Some(lease.clone())).unwrap();
}

#[test]
fn while_a_master_is_at_work_nothing_is_repaired() {
    let sandbox = with_record("");
    let store = FileStore::open(sandbox.store()).unwrap();
    hold_manager_lock(&store, 1, 60_000);
    let mut repair = sandbox.command().args(["repair", "status", "--yes"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut count = 1;
    common::wait_for("the repair gives up", 20, || {
        count += 1;
        hold_manager_lock(&store, count, 60_000);
        repair.try_wait().unwrap().is_some()
    });
    let output = repair.wait_with_output().unwrap();
    assert!(common::stderr(&output).contains("a master is at work on node2"), "{}", common::stderr(&output));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read(record(&sandbox)).unwrap(), b"");
}

#[test]
fn a_lock_whose_lease_is_over_does_not_stand_in_the_way() {
    let sandbox = with_record("");
    hold_manager_lock(&FileStore::open(sandbox.store()).unwrap(), 1, 300);
    sandbox.ok(&["repair", "status", "--yes"]);
}
