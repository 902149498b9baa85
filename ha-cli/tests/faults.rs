//! What goes wrong under a running node: each fault is told, and either the service goes on or the node is reset in time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use common::{Sandbox, SmallDisk, processes_with, signal, skip, wait_for};
use ha_core::timing::TimingSettings;
use ha_host::watchdog::RESET_EXIT_CODE;

/// A node with a watchdog and one service that writes to a disk.
struct Node {
    sandbox: Sandbox,
    machine: Child,
}

impl Node {
    fn start(sandbox: Sandbox) -> Self {
        Self::start_inside(sandbox, &[])
    }

    fn start_inside(sandbox: Sandbox, inside: &[&str]) -> Self {
        let disk = sandbox.directory.join("disk");
        let program = sandbox.program.display().to_string();
        sandbox.guest("proc:disk", "node1", &[&program, "demo-disk", disk.to_str().unwrap()]);
        sandbox.ok(&["add", "proc:disk"]);
        let machine = sandbox.machine("node1", inside);
        let node = Self { sandbox, machine };
        wait_for("the service runs", 30, || node.is_started());
        node
    }

    fn file(&self, name: &str) -> PathBuf {
        self.sandbox.store().join(name)
    }

    fn is_started(&self) -> bool {
        self.sandbox.shown("proc:disk") == "started"
    }

    fn writes(&self) -> usize {
        fs::read_to_string(self.sandbox.directory.join("disk")).unwrap_or_default().lines().count()
    }

    fn is_told(&self, what: &str) -> bool {
        self.sandbox.log_text("node1").contains(what)
    }

    /// The fault began at that moment: the node is reset before its lock could pass on, its service is down with it, and the log
    /// says why.
    fn assert_is_reset(mut self, since: Instant, what: &str) {
        wait_for("the machine is reset", 30, || self.machine.try_wait().unwrap().is_some());
        let after = since.elapsed();
        let log = self.sandbox.log_text("node1");
        assert_eq!(self.machine.wait().unwrap().code(), Some(RESET_EXIT_CODE), "{log}");
        assert!(after < TimingSettings::fast().lock_lifetime, "{after:?}");
        assert!(processes_with(&self.sandbox.directory.join("disk")).is_empty(), "its services are down with it");
        assert!(log.contains(what), "{log}");
    }

    /// The service goes on as if nothing was, for longer than a lock lasts.
    fn assert_goes_on(&mut self) {
        thread::sleep(TimingSettings::fast().lock_lifetime + Duration::from_secs(1));
        assert!(self.machine.try_wait().unwrap().is_none(), "{}", self.sandbox.log_text("node1"));
        let before = self.writes();
        wait_for("it writes", 5, || self.writes() > before);
        let text = fs::read_to_string(self.sandbox.directory.join("disk")).unwrap();
        let mut writers: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(2)).collect();
        writers.dedup();
        assert_eq!(writers.len(), 1, "it was started again");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if matches!(self.machine.try_wait(), Ok(None)) {
            signal(&self.machine, "TERM");
            let _ = self.machine.wait();
        }
    }
}

fn sandbox(name: &str) -> Sandbox {
    Sandbox::new(name, "node1", "fast")
}

/// Puts something else in a file's place, and keeps the file.
fn displace(file: &Path, other: impl FnOnce(&Path)) -> PathBuf {
    let aside = file.with_extension("aside");
    fs::rename(file, &aside).unwrap();
    other(file);
    aside
}

/// Whoever opens a pipe to read it waits for a writer.
fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_store_that_hangs() {
    let node = Node::start(sandbox("fault-hang"));
    displace(&node.file("locks/ha_agent_node1_lock.json"), make_pipe);
    node.assert_is_reset(Instant::now(), "has not answered");
}

#[test]
fn a_store_that_hangs_where_only_the_master_looks() {
    let mut node = Node::start(sandbox("fault-hang-master"));
    displace(&node.file("config/resources.cfg"), make_pipe);
    // The CRM's watchdog is its own: a master that hangs is reset too, and another one takes over.
    let since = Instant::now();
    wait_for("the machine is reset", 30, || node.machine.try_wait().unwrap().is_some());
    assert!(since.elapsed() < TimingSettings::fast().lock_lifetime);
}

/// A node never loses its lock for lack of space alone: what it must write has its place already.
#[test]
fn a_disk_that_is_full() {
    let full = Sandbox::empty("fault-full");
    let Some(disk) = SmallDisk::mount(&full.store(), 512) else { return };
    full.ok(&["init", "--nodes", "node1", "--timings", "fast"]);
    let mut node = Node::start(full);
    assert!(!node.sandbox.ok(&["status"]).contains("% free"), "there is room");
    let record = fs::read(node.file("status/manager.json")).unwrap();
    disk.fill();
    wait_for("it is told", 20, || node.is_told("No space left on device") && node.is_told("store_space_low"));
    node.assert_goes_on();
    assert!(
        node.sandbox.ok(&["status"]).lines().any(|line| line == "store 0 % free"),
        "{}",
        node.sandbox.ok(&["status"])
    );
    let json: serde_json::Value = serde_json::from_str(&node.sandbox.ok(&["status", "--json"])).unwrap();
    assert_eq!(json["store_free_percent"], 0);
    let now = fs::read(node.file("status/manager.json")).unwrap();
    assert!(serde_json::from_slice::<serde_json::Value>(&now).is_ok(), "what fails leaves the old record: {record:?}");
    disk.make_room();
    wait_for("all is well again", 20, || node.is_told("store_space_enough"));
    wait_for("records are written again", 20, || fs::read(node.file("status/manager.json")).unwrap() != now);
    node.assert_goes_on();
}

/// The store of an earlier version has no room reserved: the daemon reserves it, and locks that are held get it when they are renewed.
#[test]
fn a_disk_that_is_full_where_the_store_is_of_an_earlier_version() {
    let old = Sandbox::empty("fault-full-old");
    let Some(disk) = SmallDisk::mount(&old.store(), 512) else { return };
    old.ok(&["init", "--nodes", "node1", "--timings", "fast"]);
    fs::remove_file(old.store().join("cluster-id")).unwrap();
    for directory in ["locks", "members"] {
        fs::remove_dir_all(old.store().join(directory)).unwrap();
        fs::create_dir(old.store().join(directory)).unwrap();
    }
    let held = serde_json::json!({"holder": null, "count": 5, "writer": "1-2", "lifetime_ms": 6600});
    fs::write(old.store().join("locks/ha_agent_node1_lock.json"), held.to_string()).unwrap();
    let mut node = Node::start(old);
    assert_eq!(fs::metadata(node.file("locks/ha_agent_node1_lock.json")).unwrap().len(), 1024);
    assert!(node.file("cluster-id").exists());
    disk.fill();
    wait_for("it is told", 20, || node.is_told("No space left on device"));
    node.assert_goes_on();
}

#[test]
fn a_file_system_that_becomes_read_only() {
    let small = Sandbox::empty("fault-read-only");
    if SmallDisk::mount(&small.store(), 512).is_none() {
        return;
    }
    small.ok(&["init", "--nodes", "node1", "--timings", "fast"]);
    let node = Node::start(small);
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(node.sandbox.store()).status().unwrap();
    assert!(remounted.success());
    node.assert_is_reset(Instant::now(), "Read-only file system");
}

/// Root is denied nothing, so then the node is another user's.
#[test]
fn a_permission_that_is_taken_away() {
    const NOBODY: &str = "65534";
    let mut other = Sandbox::empty("fault-permission");
    if !Command::new("setpriv").args(["--reuid", NOBODY, "true"]).status().is_ok_and(|status| status.success()) {
        skip("another user cannot be taken on here");
        return;
    }
    other.program = other.directory.join("ha");
    fs::copy(env!("CARGO_BIN_EXE_ha"), &other.program).unwrap();
    chown(&other.directory, Some(65_534), Some(65_534)).unwrap();
    other.inside = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"].map(str::to_owned).to_vec();
    other.ok(&["init", "--nodes", "node1", "--timings", "fast"]);
    let inside = other.inside.clone();
    let words: Vec<&str> = inside.iter().map(String::as_str).collect();
    let node = Node::start_inside(other, &words);
    chown(node.file("locks"), Some(0), Some(0)).unwrap();
    node.assert_is_reset(Instant::now(), "Permission denied");
}

#[test]
fn a_lock_that_is_half_written() {
    let node = Node::start(sandbox("fault-lock"));
    let file = node.file("locks/ha_agent_node1_lock.json");
    let text = fs::read(&file).unwrap();
    fs::write(&file, &text[..text.len() / 2]).unwrap();
    node.assert_is_reset(Instant::now(), "lock");
}

#[test]
fn records_that_are_half_written_or_cannot_be_read() {
    let mut node = Node::start(sandbox("fault-records"));
    let file = node.file("status/manager.json");
    fs::write(&file, "{\"master_node\": \"no").unwrap();
    wait_for("it is told", 10, || node.is_told("the manager status"));
    wait_for("the master writes it again", 20, || node.sandbox.ha(&["status"]).status.success() && node.is_started());

    fs::write(node.file("status/lrm/node1.json"), "{\"state\": \"act").unwrap();
    wait_for("the LRM writes it again", 20, || node.is_started());

    // A definition that is half written: the last good one holds.
    let guest = node.file("guests/proc:disk.json");
    let good = fs::read(&guest).unwrap();
    fs::write(&guest, &good[..good.len() / 2]).unwrap();
    wait_for("it is told", 10, || node.is_told("the definition of guest 'proc:disk'"));
    fs::write(&guest, good).unwrap();

    let aside = displace(&node.file("config/resources.cfg"), |path| fs::create_dir(path).unwrap());
    wait_for("it is told", 10, || node.is_told("config/resources.cfg: Is a directory"));
    node.assert_goes_on();
    fs::remove_dir(node.file("config/resources.cfg")).unwrap();
    fs::rename(aside, node.file("config/resources.cfg")).unwrap();
    wait_for("all is well again", 20, || node.is_started());
}

#[test]
fn settings_that_cannot_be_read() {
    let mut node = Node::start(sandbox("fault-settings"));
    let file = node.file("cluster.json");
    let good = fs::read(&file).unwrap();
    fs::write(&file, &good[..good.len() / 2]).unwrap();
    // Its own lock does not depend on who else is a member.
    wait_for("it is told", 10, || node.is_told("cluster.json cannot be read"));
    node.assert_goes_on();
    fs::write(&file, good).unwrap();
    wait_for("all is well again", 20, || node.is_started());
}

/// Answers for the wall clock, and for no other: it is late or early by what a file says.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int answer = (int)syscall(SYS_clock_gettime, clock, now);
    const char *path = getenv("HA_TEST_CLOCK");
    FILE *file = clock == CLOCK_REALTIME && path ? fopen(path, "r") : NULL;
    long offset = 0;
    if (file) {
        if (fscanf(file, "%ld", &offset) == 1) now->tv_sec += offset;
        fclose(file);
    }
    return answer;
}
"#;

#[test]
fn a_clock_that_is_set() {
    let sandbox = sandbox("fault-clock");
    let (source, library) = (sandbox.directory.join("clock.c"), sandbox.directory.join("clock.so"));
    fs::write(&source, CLOCK).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
    assert!(built.is_ok_and(|status| status.success()), "cc, which links Rust programs, compiles this too");
    let offset = sandbox.directory.join("offset");
    fs::write(&offset, "0").unwrap();
    let preload = format!("LD_PRELOAD={}", library.display());
    let clock = format!("HA_TEST_CLOCK={}", offset.display());
    let mut node = Node::start_inside(sandbox, &["env", &preload, &clock]);
    for (seconds, told) in [(3600, "set forward by 3600 s"), (0, "set back by 3600 s"), (-3600, "set back by 3600 s")] {
        let before = node.sandbox.log_text("node1").matches(told).count();
        fs::write(&offset, format!("{seconds}")).unwrap();
        wait_for(told, 10, || node.sandbox.log_text("node1").matches(told).count() > before);
        node.assert_goes_on();
    }
}
