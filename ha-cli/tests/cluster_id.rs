//! A node that knows its cluster works in no other, and nobody makes a new cluster because a file system is not mounted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Child, Output},
};

use common::{Sandbox, SmallDisk, signal, stderr, wait_for};
use ha_core::{id::NodeName, timing::Timings};
use ha_host::store::{ClusterSettings, FileStore, RecordName, Session, Store, StoreError, StoreSession};

/// The verbs of a sandbox and its node share what the node keeps.
fn daemon(sandbox: &Sandbox) -> Child {
    let log = fs::OpenOptions::new().append(true).create(true).open(sandbox.log("node1")).unwrap();
    let mut command = sandbox.command();
    command.args(["node", "run", "--watchdog", "none", "--run-dir"]).arg(sandbox.directory.join("run"));
    command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// It has joined the cluster, and stopped.
fn joined(name: &str) -> Sandbox {
    let sandbox = Sandbox::new(name, "node1", "fast");
    let mut node = daemon(&sandbox);
    wait_for("it begins", 20, || sandbox.log_text("node1").contains("node daemon"));
    signal(&node, "TERM");
    assert!(node.wait().unwrap().success());
    sandbox
}

fn run(sandbox: &Sandbox) -> Output {
    sandbox.ha(&["node", "run", "--watchdog", "none", "--run-dir", sandbox.directory.join("run").to_str().unwrap()])
}

/// Every verb says to mount, and none says to make a new cluster.
fn assert_refused(sandbox: &Sandbox) {
    let daemon = run(sandbox);
    assert_eq!(daemon.status.code(), Some(1));
    let told = [stderr(&daemon), sandbox.fails(1, &["status"]), sandbox.fails(1, &["add", "proc:x"])];
    for told in told {
        assert!(told.contains("this node belongs to the cluster ") && told.contains("mount"), "{told}");
        assert!(told.contains("do not use 'ha init'"), "{told}");
    }
}

#[test]
fn a_store_that_is_not_mounted_is_no_reason_for_a_new_cluster() {
    let sandbox = joined("id-unmounted");
    let aside = sandbox.directory.join("aside");
    fs::rename(sandbox.store(), &aside).unwrap();
    assert_refused(&sandbox);
    fs::create_dir(sandbox.store()).unwrap();
    assert_refused(&sandbox);
    let told = sandbox.fails(1, &["init", "--nodes", "node1", "--timings", "fast"]);
    assert!(told.contains("mount") && told.contains("ha node leave"), "{told}");
    assert_eq!(fs::read_dir(sandbox.store()).unwrap().count(), 0, "nothing was written");

    // Somebody makes one all the same, from elsewhere.
    let elsewhere = |arguments: &[&str]| {
        sandbox.command().env("HA_STATE_DIR", sandbox.directory.join("elsewhere")).args(arguments).status().unwrap()
    };
    assert!(elsewhere(&["init", "--nodes", "node1", "--timings", "fast"]).success());
    assert_refused(&sandbox);
    fs::remove_file(sandbox.store().join("cluster-id")).unwrap();
    assert_refused(&sandbox);

    fs::remove_dir_all(sandbox.store()).unwrap();
    fs::rename(&aside, sandbox.store()).unwrap();
    sandbox.ok(&["status"]);
}

#[test]
fn a_node_goes_to_another_cluster_when_it_has_left_its_own() {
    let sandbox = joined("id-leave");
    fs::remove_dir_all(sandbox.store()).unwrap();
    sandbox.ok(&["node", "leave"]);
    let told = sandbox.fails(1, &["status"]);
    assert!(told.contains("ha init"), "{told}");
    sandbox.ok(&["init", "--nodes", "node1", "--timings", "fast"]);
    let mut node = daemon(&sandbox);
    wait_for("it begins again", 30, || sandbox.log_text("node1").matches("node daemon").count() >= 3);
    signal(&node, "TERM");
    assert!(node.wait().unwrap().success());
}

#[test]
fn a_store_that_is_exchanged_under_a_running_node_is_not_used() {
    let sandbox = Sandbox::new("id-exchanged", "node1", "fast");
    let mut node = daemon(&sandbox);
    wait_for("it begins", 20, || sandbox.log_text("node1").contains("node daemon"));
    let aside = sandbox.directory.join("aside");
    fs::rename(sandbox.store(), &aside).unwrap();
    let elsewhere = sandbox.directory.join("elsewhere");
    let made = sandbox.command().env("HA_STATE_DIR", elsewhere).args(["init", "--nodes", "node1"]).status().unwrap();
    assert!(made.success());
    wait_for("it is told", 20, || sandbox.log_text("node1").contains("this node belongs to the cluster"));
    assert!(!sandbox.store().join("members/node1.json").exists(), "nothing was written");
    assert!(!sandbox.store().join("status/lrm/node1.json").exists());
    node.kill().unwrap();
    node.wait().unwrap();
}

#[test]
fn a_store_is_closed_to_others_whoever_made_its_directory() {
    let sandbox = Sandbox::empty("id-mode");
    let mode = || fs::metadata(sandbox.store()).unwrap().permissions().mode() & 0o777;
    let open_up = || fs::set_permissions(sandbox.store(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(sandbox.store()).unwrap();
    open_up();
    sandbox.ok(&["init", "--nodes", "node1", "--timings", "fast"]);
    assert_eq!(mode(), 0o700);
    open_up();
    sandbox.ok(&["status"]);
    assert_eq!(mode(), 0o700, "one of an earlier version is closed when it is opened");
}

#[test]
fn the_manager_status_is_written_only_under_the_manager_lock() {
    let sandbox = Sandbox::empty("id-manager");
    let (one, two) = (NodeName::new("node1").unwrap(), NodeName::new("node2").unwrap());
    let settings = ClusterSettings { nodes: vec![one.clone(), two.clone()], timings: Timings::default() };
    let store = std::sync::Arc::new(FileStore::create(sandbox.store(), &settings).unwrap());
    let write = |node: &NodeName, content: &[u8]| store.write_record(&RecordName::Manager, content, node);
    assert!(matches!(write(&one, b"{}"), Err(StoreError::NotMaster(_))), "nobody has it");
    let session = StoreSession::begin(store.clone(), one.clone(), Timings::default()).unwrap();
    session.take(&ha_core::host::Lock::Manager).unwrap();
    write(&one, b"{}").unwrap();
    session.write_record(&RecordName::Manager, b"{ }").unwrap();
    assert!(matches!(write(&two, b"[]"), Err(StoreError::NotMaster(_))));
    session.release(&ha_core::host::Lock::Manager).unwrap();
    assert!(matches!(write(&one, b"[]"), Err(StoreError::NotMaster(_))));
    assert!(session.write_record(&RecordName::Manager, b"[]").is_err());
    assert_eq!(&*store.record(&RecordName::Manager).unwrap().unwrap(), b"{ }");
}

#[test]
fn a_store_that_is_full_is_made_whole_or_not_at_all() {
    let sandbox = Sandbox::empty("id-small");
    let Some(_disk) = SmallDisk::mount(&sandbox.store(), 16) else { return };
    let told = sandbox.fails(1, &["init", "--nodes", "node1,node2,node3,node4,node5", "--timings", "fast"]);
    assert!(told.contains("No space left"), "{told}");
    assert!(!sandbox.store().join("cluster.json").exists());
}

#[test]
fn a_name_that_is_too_long_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::empty("id-names");
    let long = "n".repeat(64);
    assert!(sandbox.fails(2, &["init", "--nodes", &long]).contains("at most 63"));
    assert!(!sandbox.store().exists());
    sandbox.ok(&["init", "--nodes", "node1"]);
    let sid = format!("proc:{}", "s".repeat(124));
    assert!(sandbox.fails(2, &["add", &sid]).contains("at most 128"));
    let definition = sandbox.directory.join("guest.json");
    fs::write(&definition, r#"{"node": "node1", "agent": {"proc": {"command": ["/bin/true"]}}}"#).unwrap();
    assert!(sandbox.fails(2, &["guest", "set", &sid, definition.to_str().unwrap()]).contains("at most 128"));
    assert_eq!(sandbox.ok(&["config"]), "");
    assert_eq!(fs::read_dir(sandbox.store().join("guests")).unwrap().count(), 0);
}
