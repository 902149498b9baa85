//! The file store: locks between nodes, whole edits whatever happens, and files that are not as they should be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use common::{Sandbox, SmallDisk, skip, stderr, wait_for};
use ha_core::{
    host::{Lock, LockAnswer},
    id::NodeName,
    timing::{TimingSettings, Timings},
};
use ha_host::store::{ClusterSettings, ConfigFile, FileStore, Session, Store, StoreSession};

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

fn cluster(sandbox: &Sandbox) -> (Arc<FileStore>, Timings) {
    cluster_of(sandbox, &["node1", "node2"])
}

fn cluster_of(sandbox: &Sandbox, nodes: &[&str]) -> (Arc<FileStore>, Timings) {
    let timings = TimingSettings::fast().validate().unwrap();
    let settings = ClusterSettings { nodes: nodes.iter().map(|name| node(name)).collect(), timings };
    (Arc::new(FileStore::create(sandbox.store(), &settings).unwrap()), timings)
}

fn session(store: &Arc<FileStore>, name: &str, timings: Timings) -> StoreSession {
    StoreSession::begin(store.clone(), node(name), timings).unwrap()
}

#[test]
fn a_lock_passes_on_after_its_lifetime_and_not_before() {
    let sandbox = Sandbox::empty("locks");
    let (store, timings) = cluster(&sandbox);
    let (one, two) = (session(&store, "node1", timings), session(&store, "node2", timings));
    assert_eq!(one.take(&Lock::Manager).unwrap(), LockAnswer::Acquired);
    assert_eq!(two.take(&Lock::Manager).unwrap(), LockAnswer::Refused);
    two.release(&Lock::Manager).unwrap();
    let asked = Instant::now();
    assert_eq!(one.take(&Lock::Manager).unwrap(), LockAnswer::Renewed, "a stranger can't release it");
    // Nobody asks for the lock meanwhile: that the node looks at it is enough.
    thread::sleep(timings.lock_lifetime() - Duration::from_secs(1));
    let taken_after = loop {
        match two.take(&Lock::Manager).unwrap() {
            LockAnswer::Acquired => break asked.elapsed(),
            LockAnswer::Refused => thread::sleep(Duration::from_millis(5)),
            LockAnswer::Renewed | LockAnswer::Held => panic!("it is node1's"),
        }
    };
    assert!(taken_after >= timings.lock_lifetime(), "{taken_after:?}");
    assert!(taken_after < timings.lock_lifetime() + Duration::from_secs(1), "{taken_after:?}");
    assert_eq!(one.take(&Lock::Manager).unwrap(), LockAnswer::Refused);
    two.release(&Lock::Manager).unwrap();
    assert_eq!(one.take(&Lock::Manager).unwrap(), LockAnswer::Acquired, "released, it is free at once");
}

#[test]
fn two_nodes_that_ask_at_once_never_both_get_the_lock() {
    let sandbox = Sandbox::empty("race");
    let (store, timings) = cluster_of(&sandbox, &["n0", "n1", "n2", "n3"]);
    for round in 0..50 {
        let lock = Lock::Agent(node(&format!("x{round}")));
        let contenders: Vec<_> = (0..4)
            .map(|number| {
                let session = session(&store, &format!("n{number}"), timings);
                let lock = lock.clone();
                thread::spawn(move || session.take(&lock).unwrap())
            })
            .collect();
        let answers: Vec<LockAnswer> = contenders.into_iter().map(|thread| thread.join().unwrap()).collect();
        let holders = answers.iter().filter(|answer| **answer == LockAnswer::Acquired).count();
        assert_eq!(holders, 1, "round {round}: {answers:?}");
    }
}

#[test]
fn a_node_is_a_member_as_long_as_it_gives_signs_of_life() {
    let sandbox = Sandbox::empty("members");
    let (store, timings) = cluster(&sandbox);
    let one = session(&store, "node1", timings);
    one.refresh().unwrap();
    assert!(one.is_quorate());
    let sees_two = || one.members().unwrap()[&node("node2")];
    assert!(!sees_two());
    let two = session(&store, "node2", timings);
    wait_for("node2 is seen", 5, sees_two);
    drop(two);
    let gone = Instant::now();
    wait_for("node2 is missed", 5, || !sees_two());
    let after = gone.elapsed();
    assert!(after <= timings.membership_detection() + Duration::from_millis(300), "{after:?}");
}

/// A pipe stands for a store that hangs: whoever opens a pipe to read it waits for a writer.
#[test]
fn a_store_that_hangs_is_noticed() {
    let sandbox = Sandbox::empty("hangs");
    let (store, timings) = cluster(&sandbox);
    let one = session(&store, "node1", timings);
    one.refresh().unwrap();
    let pipe = sandbox.store().join("members/node2.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    wait_for("the view is out of date", 5, || one.refresh().is_err());
    wait_for("the node takes no part", 5, || !one.is_quorate());
    assert!(one.members().unwrap().values().all(|online| !online));
    // Lets the thread go.
    fs::write(&pipe, "{}").unwrap();
    fs::remove_file(&pipe).unwrap();
    wait_for("all is well again", 5, || one.refresh().is_ok() && one.is_quorate());
}

#[test]
fn no_edit_is_lost_where_many_edit_at_once() {
    let sandbox = Sandbox::new("many", "node1", "fast");
    let children: Vec<_> = (100..140)
        .map(|number| sandbox.command().args(["add", &format!("vm:{number}")]).stderr(Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(sandbox.ok(&["config"]).matches("vm: ").count(), 40);
}

/// Each edit changes two files: the service goes, and so does its rule.
#[test]
fn an_edit_that_is_killed_is_made_or_not_made() {
    let sandbox = Sandbox::new("killed", "node1,node2", "fast");
    let points = if std::env::var_os("HA_TEST_LONG").is_some() { 400 } else { 60 };
    for point in 0..points {
        sandbox.ok(&["add", "vm:100"]);
        sandbox.ok(&["rules", "add", "node-affinity", "home", "--resources", "vm:100", "--nodes", "node1"]);
        let mut child = sandbox.command().args(["remove", "vm:100"]).stderr(Stdio::null()).spawn().unwrap();
        // An edit takes a few milliseconds: the points are spread over it.
        thread::sleep(Duration::from_micros(point * 200 % 12_000));
        let _ = child.kill();
        child.wait().unwrap();
        let resources = sandbox.ok(&["config"]);
        let rules = sandbox.ok(&["rules", "config"]);
        assert_eq!(resources.contains("100"), rules.contains("home"), "half of it: {resources}{rules}");
        if resources.contains("100") {
            sandbox.ok(&["remove", "vm:100"]);
        }
    }
}

#[test]
fn a_change_of_two_files_that_was_interrupted_is_completed_by_who_reads_next() {
    let sandbox = Sandbox::new("journal", "node1,node2", "fast");
    sandbox.ok(&["add", "vm:100"]);
    let rules = b"node-affinity: home\n\tnodes node1\n\tresources vm:100\n\n";
    let journal = [format!("rules.cfg {}\n", rules.len()).as_bytes(), rules, b"\ngroups.cfg -\n\n"].concat();
    fs::write(sandbox.store().join("config/groups.cfg"), "group: old\n\tnodes node1\n\n").unwrap();
    fs::write(sandbox.store().join("config/.journal"), journal).unwrap();
    let store = FileStore::open(sandbox.store()).unwrap();
    let texts = store.config_texts().unwrap();
    assert_eq!(&*texts[&ConfigFile::Rules], rules);
    assert!(!texts.contains_key(&ConfigFile::Groups) && texts.contains_key(&ConfigFile::Resources));
    assert!(!sandbox.store().join("config/.journal").exists());
}

#[test]
fn a_full_disk_is_an_error_and_leaves_what_there_was() {
    let sandbox = Sandbox::empty("full");
    let Some(disk) = SmallDisk::mount(&sandbox.store(), 256) else { return };
    sandbox.ok(&["init", "--nodes", "node1", "--timings", "fast"]);
    sandbox.ok(&["add", "vm:100"]);
    disk.fill();
    let before = fs::read(sandbox.store().join("config/resources.cfg")).unwrap();
    for arguments in [&["set", "vm:100", "--state", "stopped"][..], &["migrate", "vm:100", "node1"], &["add", "vm:101"]]
    {
        let complaint = sandbox.fails(1, arguments);
        assert!(complaint.contains("No space left"), "{complaint}");
    }
    assert_eq!(fs::read(sandbox.store().join("config/resources.cfg")).unwrap(), before);
    assert!(!sandbox.store().join("commands").exists());
    disk.make_room();
    sandbox.ok(&["set", "vm:100", "--state", "stopped"]);
}

/// A limit of the size of files fails a write in the middle, as a full disk does, and needs no privilege.
#[test]
fn a_write_that_fails_in_the_middle_leaves_what_there_was() {
    let sandbox = Sandbox::new("limit", "node1", "fast");
    sandbox.ok(&["add", "vm:100"]);
    let before = sandbox.ok(&["config"]);
    let script = format!("trap '' XFSZ; ulimit -f 0; exec {} set vm:100 --comment x", env!("CARGO_BIN_EXE_ha"));
    let store = format!("file:{}", sandbox.store().display());
    let output = Command::new("sh").args(["-c", &script]).env("HA_STORE", store).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot write"), "{}", stderr(&output));
    assert_eq!(sandbox.ok(&["config"]), before);
}

#[test]
fn who_may_not_write_is_told_so() {
    let sandbox = Sandbox::new("permission", "node1", "fast");
    let binary = sandbox.directory.join("ha");
    fs::copy(env!("CARGO_BIN_EXE_ha"), &binary).unwrap();
    let store = format!("file:{}", sandbox.store().display());
    let mut command = Command::new(&binary);
    command.args(["add", "vm:100"]).env("HA_STORE", store).uid(65_534).gid(65_534);
    let Ok(output) = command.output() else {
        skip("another user cannot be taken on here");
        return;
    };
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("Permission denied"), "{}", stderr(&output));
}

#[test]
fn damaged_files_are_told_and_the_rest_is_shown() {
    let sandbox = Sandbox::new("damaged", "node1,node2", "fast");
    sandbox.guest("vm:100", "node1", &["/bin/sleep", "1"]);
    sandbox.guest("vm:101", "node1", &["/bin/sleep", "1"]);
    sandbox.ok(&["add", "vm:100"]);
    sandbox.ok(&["add", "vm:101"]);
    let damage = |name: &str, text: &str| fs::write(sandbox.store().join(name), text).unwrap();

    damage("status/lrm/node1.json", "{\"state\": \"act");
    damage("guests/vm:101.json", "{\"node\": \"no");
    let output = sandbox.ha(&["status"]);
    assert!(output.status.success());
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("the LRM status of node1"), "{shown}");
    assert!(shown.contains("the definition of guest 'vm:101'"), "{shown}");
    assert!(shown.contains("vm:100 (node1, queued)"), "{shown}");

    damage("status/manager.json", "");
    let shown = sandbox.ok(&["status"]);
    assert!(shown.contains("problem the manager status") && shown.contains("vm:100 (node1, "), "{shown}");
    assert_eq!(sandbox.ha(&["status", "--exit-code"]).status.code(), Some(2));
    fs::remove_file(sandbox.store().join("status/manager.json")).unwrap();
    damage("cluster.json", "{\"nodes\": [\"node1\"]");
    let shown = sandbox.ok(&["status"]);
    assert!(shown.contains("cluster.json") && shown.contains("vm:100 (node1, queued)"), "{shown}");
}
