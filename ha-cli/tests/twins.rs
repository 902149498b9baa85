//! Two machines with one name: only one works, and whoever finds what it wrote changed by another hand stops.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use common::{Sandbox, processes_with, signal, wait_for};
use ha_core::{
    event::NodeRecord,
    host::{Lock, LockAnswer},
    id::NodeName,
    status::{LrmStatus, Writer},
    timing::{TimingSettings, Timings},
};
use ha_host::{
    store::{
        ClusterSettings, FileStore, Identity, RecordName, Session, SharedStore, Store, StoreError, StoreSession,
        StoreWriter,
    },
    watchdog::RESET_EXIT_CODE,
};

const TWIN: Option<i32> = Some(3);
/// What a daemon says if it can't prove whom it comes after.
const WAITS: &str = "another machine may be at work";

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

fn agent_lock() -> Lock {
    Lock::Agent(node("node1"))
}

fn timings() -> Timings {
    TimingSettings::fast().validate().unwrap()
}

/// A machine with the name node1, one of several.
struct Machine<'a> {
    sandbox: &'a Sandbox,
    name: &'a str,
    child: Child,
}

impl<'a> Machine<'a> {
    /// Its daemon alone.
    fn daemon(sandbox: &'a Sandbox, name: &'a str) -> Self {
        Self::start(sandbox, name, &[], "none")
    }

    /// With a watchdog that kills all of it.
    fn guarded(sandbox: &'a Sandbox, name: &'a str) -> Self {
        let socket = sandbox.directory.join(format!("{name}.watchdog")).display().to_string();
        let supervise =
            ["supervise", "--timings", "fast", "--socket", &socket, "--", sandbox.program.to_str().unwrap()];
        Self::start(sandbox, name, &supervise, &format!("mux:{socket}"))
    }

    fn start(sandbox: &'a Sandbox, name: &'a str, before: &[&str], watchdog: &str) -> Self {
        let log = fs::OpenOptions::new().append(true).create(true).open(sandbox.log(name)).unwrap();
        let child = Command::new(&sandbox.program)
            .args(before)
            .args(["node", "run", "--address", "127.0.0.1", "--log", "json", "--watchdog", watchdog, "--run-dir"])
            .arg(sandbox.directory.join(format!("run-{name}")))
            .env("HA_STORE", &sandbox.address)
            .env("HA_NODE", "node1")
            .env("HA_STATE_DIR", sandbox.state(name))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { sandbox, name, child }
    }

    fn log(&self) -> String {
        self.sandbox.log_text(self.name)
    }

    fn assert_works(&mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "{}", self.log());
    }

    /// Stops it where it is, but not in the middle of a write: it would keep all others from that file until it is reset.
    fn freeze(&self) {
        let guard = self.sandbox.store().join(".guards/member-node1");
        wait_for("it is between two writes", 20, || {
            signal(&self.child, "STOP");
            let is_free = Command::new("flock").arg("-n").arg(&guard).arg("true").status().unwrap().success();
            if !is_free {
                signal(&self.child, "CONT");
            }
            is_free
        });
    }

    /// It ends with its own exit code, and has said why.
    fn assert_stops(mut self, timeout_s: u64, record: &str) {
        wait_for("the twin stops", timeout_s, || self.child.try_wait().unwrap().is_some());
        let log = self.log();
        assert_eq!(self.child.wait().unwrap().code(), TWIN, "{log}");
        let told = log.lines().any(|line| line.contains("\"twin_seen\"") && line.contains(&format!("\"{record}\"")));
        assert!(told, "{log}");
        assert!(log.contains("another machine works under the name node1"), "{log}");
    }

    fn end(&mut self) {
        signal(&self.child, "TERM");
        assert!(self.child.wait().unwrap().success(), "{}", self.log());
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A cluster of one node with a service that writes to a disk.
fn sandbox(name: &str) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new(name, "node1", "fast");
    let disk = sandbox.directory.join("disk");
    sandbox.guest("proc:disk", "node1", &[env!("CARGO_BIN_EXE_ha"), "demo-disk", disk.to_str().unwrap()]);
    sandbox.ok(&["add", "proc:disk"]);
    (sandbox, disk)
}

/// The processes that have written to the disk, one after the other. None of them may have come between another one's writes.
fn writers(disk: &Path) -> Vec<String> {
    let text = fs::read_to_string(disk).unwrap_or_default();
    let numbers: Vec<usize> = text.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len()), "two writers at once");
    let mut writers: Vec<String> = text.lines().filter_map(|line| Some(line.split(' ').nth(2)?.to_owned())).collect();
    writers.dedup();
    writers
}

fn kill_writers(disk: &Path) {
    for pid in processes_with(disk) {
        let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
    }
}

#[test]
fn a_machine_of_a_name_that_is_at_work_stops_and_says_so() {
    let (sandbox, disk) = sandbox("twin-late");
    let mut first = Machine::daemon(&sandbox, "first");
    wait_for("the service runs", 20, || sandbox.shown("proc:disk") == "started");
    Machine::daemon(&sandbox, "second").assert_stops(20, "sign_of_life");
    thread::sleep(timings().lock_lifetime());
    first.assert_works();
    assert_eq!(writers(&disk).len(), 1);
    assert_eq!(processes_with(&disk).len(), 1);

    let status = sandbox.ok(&["status"]);
    assert!(status.contains("\ntwin node1 (two machines work under this name"), "{status}");
    let json: serde_json::Value = serde_json::from_str(&sandbox.ok(&["status", "--json"])).unwrap();
    assert_eq!(json["twins"]["node1"]["record"], "sign_of_life");
    sandbox.ok(&["node", "clear-twin"]);
    assert!(!sandbox.ok(&["status"]).contains("twin"));
    first.end();
    kill_writers(&disk);
}

/// The first machine freezes; the second one has its name. It begins nothing before the first one is reset.
#[test]
fn a_machine_of_the_same_name_has_its_services_when_the_other_one_was_reset_and_not_before() {
    let (sandbox, disk) = sandbox("twin-frozen");
    let mut first = Machine::guarded(&sandbox, "first");
    wait_for("the service runs", 20, || sandbox.shown("proc:disk") == "started");
    let pid = fs::read_to_string(sandbox.directory.join("run-first/daemon.pid")).unwrap();
    let frozen = Instant::now();
    assert!(Command::new("kill").args(["-s", "STOP", pid.trim()]).status().unwrap().success());
    let mut second = Machine::guarded(&sandbox, "second");
    wait_for("the first machine is reset", 20, || first.child.try_wait().unwrap().is_some());
    assert_eq!(first.child.wait().unwrap().code(), Some(RESET_EXIT_CODE));
    assert_eq!(writers(&disk).len(), 1, "it was reset before the other one began");
    wait_for("the second machine runs the service", 40, || writers(&disk).len() == 2);
    assert!(frozen.elapsed() >= timings().lock_lifetime(), "{:?}", frozen.elapsed());
    second.assert_works();
    second.end();
    kill_writers(&disk);
}

/// What a node wrote is changed by another hand while it stands still: it goes on with nothing, now and later.
#[test]
fn a_node_whose_name_was_taken_over_works_no_more_until_a_person_has_decided() {
    let sandbox = Sandbox::new("twin-taken", "node1", "fast");
    let first = Machine::daemon(&sandbox, "first");
    let beat = || sandbox.store().join("members/node1.json");
    wait_for("it is there", 10, || beat().exists());
    first.freeze();
    let mut second = Machine::daemon(&sandbox, "second");
    let began = Instant::now();
    wait_for("the second one begins", 30, || second.log().contains("node daemon"));
    assert!(began.elapsed() >= timings().lock_lifetime() - Duration::from_millis(500), "{:?}", began.elapsed());
    signal(&first.child, "CONT");
    first.assert_stops(10, "sign_of_life");
    second.assert_works();

    // Started again, it does not even look.
    let mut restarted = Machine::daemon(&sandbox, "first");
    assert_eq!(restarted.child.wait().unwrap().code(), TWIN);
    assert!(!restarted.log().contains(WAITS), "{}", restarted.log());
    // A person decides for the first one.
    second.end();
    let cleared = sandbox.command().env("HA_STATE_DIR", sandbox.state("first")).args(["node", "clear-twin"]).status();
    assert!(cleared.unwrap().success());
    let mut decided = Machine::daemon(&sandbox, "first");
    wait_for("it works again", 30, || decided.log().matches("node daemon").count() == 2);
    decided.end();
}

#[test]
fn a_record_of_an_lrm_that_another_hand_has_written_stops_the_node() {
    let sandbox = Sandbox::new("twin-record", "node1", "fast");
    let mut first = Machine::daemon(&sandbox, "first");
    let record = sandbox.store().join("status/lrm/node1.json");
    wait_for("its record is there", 10, || record.exists());
    let other = LrmStatus { timestamp: Some(1), ..LrmStatus::default() };
    wait_for("it stops", 30, || {
        // The node may be in the middle of writing: then its own record stays.
        fs::write(&record, other.to_json()).unwrap();
        thread::sleep(Duration::from_millis(100));
        first.child.try_wait().unwrap().is_some()
    });
    first.assert_stops(0, "lrm_status");
    assert_eq!(LrmStatus::from_json(&fs::read_to_string(&record).unwrap()).unwrap().timestamp, Some(1), "it is left");
}

#[test]
fn a_daemon_that_was_killed_is_followed_at_once_on_the_same_boot() {
    let (sandbox, disk) = sandbox("twin-successor");
    let mut first = Machine::daemon(&sandbox, "first");
    wait_for("the service runs", 20, || sandbox.shown("proc:disk") == "started");
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    let mut next = Machine::daemon(&sandbox, "first");
    let took_lock = |machine: &Machine<'_>| machine.log().matches("\"to\":\"active\"").count();
    wait_for("it has its lock", 20, || took_lock(&next) == 2);
    assert!(!next.log().contains(WAITS), "{}", next.log());
    next.end();
    assert_eq!(writers(&disk).len(), 1, "the service was never stopped");
    kill_writers(&disk);
}

/// Sessions of this process stand for machines.
fn store(name: &str) -> (Sandbox, Arc<FileStore>) {
    let sandbox = Sandbox::empty(name);
    let settings = ClusterSettings { nodes: vec![node("node1"), node("node2")], timings: timings() };
    let store = Arc::new(FileStore::create(sandbox.store(), &settings).unwrap());
    (sandbox, store)
}

fn session(store: &Arc<FileStore>, name: &str, machine: &str, note: Option<PathBuf>) -> StoreSession {
    let identity = Identity {
        writer: StoreWriter::this_process(&Writer::new(machine, "boot")),
        note,
        cluster: None,
        decided_against: None,
    };
    StoreSession::begin_as(store.clone(), node(name), timings(), identity).unwrap()
}

/// The copy of a machine has the copy of all that the other one remembers, with the same machine and the same boot.
#[test]
fn a_copy_of_a_machine_is_no_successor_once_the_other_one_has_written() {
    let (sandbox, store) = store("twin-copy");
    let (note, copied) = (sandbox.directory.join("written.json"), sandbox.directory.join("copied.json"));
    let first = session(&store, "node1", "m", Some(note.clone()));
    assert_eq!(first.take(&agent_lock()).unwrap(), LockAnswer::Acquired);
    fs::copy(&note, &copied).unwrap();
    assert_eq!(first.take(&agent_lock()).unwrap(), LockAnswer::Renewed);
    let written = fs::read(&note).unwrap();
    wait_for("it gives another sign of life", 10, || fs::read(&note).unwrap() != written);
    let copy = session(&store, "node1", "m", Some(copied));
    assert_eq!(copy.take(&agent_lock()).unwrap(), LockAnswer::Refused);
    assert!(copy.write_record(&RecordName::Lrm(node("node1")), b"{}").is_err());
    wait_for("the copy sees that the other one lives", 10, || copy.twin().is_some());
    assert!(matches!(copy.take(&agent_lock()), Err(StoreError::Twin { .. })));
    assert!(!copy.is_quorate() && copy.refresh().is_err());
    assert_eq!(first.take(&agent_lock()).unwrap(), LockAnswer::Renewed);

    // Whoever comes after the first one itself, with the note as it is, goes on at once.
    drop(first);
    let next = session(&store, "node1", "m", Some(note));
    assert_eq!(next.take(&agent_lock()).unwrap(), LockAnswer::Renewed);
}

#[test]
fn a_lock_of_the_same_name_passes_on_like_any_other_and_its_former_holder_stops() {
    let (_sandbox, store) = store("twin-lock");
    let first = session(&store, "node1", "m1", None);
    assert_eq!(first.take(&Lock::Manager).unwrap(), LockAnswer::Acquired);
    first.write_record(&RecordName::Manager, b"{}").unwrap();
    let asked = Instant::now();
    // Another hand under the same name, such as one that overwrote the sign of life while the first one stood still.
    let other = session(&store, "node2", "m2", None);
    let taken = serde_json::json!({"holder": "node1", "count": 9, "writer": "m2/b/p", "lifetime_ms": 1, "mark": "x"});
    store.change_lock(&Lock::Manager, &mut |_| Some(taken.to_string().into_bytes())).unwrap();
    assert!(matches!(first.write_record(&RecordName::Manager, b"[]"), Err(StoreError::NotMaster(_))));
    let Err(StoreError::Twin { writer, .. }) = first.take(&Lock::Manager) else { panic!("it goes on") };
    assert_eq!(writer, "m2/b/p");
    assert_eq!(first.twin().unwrap().record, NodeRecord::ManagerLock);
    first.release(&Lock::Manager).unwrap();
    assert_eq!(other.take(&Lock::Manager).unwrap(), LockAnswer::Refused, "it was not the first one's to release");
    wait_for("it passes on", 20, || other.take(&Lock::Manager).unwrap() == LockAnswer::Acquired);
    assert!(asked.elapsed() >= timings().lock_lifetime());
    assert_eq!(&*store.record(&RecordName::Manager).unwrap().unwrap(), b"{}");
}

#[test]
fn who_leaves_keeps_nobody_waiting() {
    let (_sandbox, store) = store("twin-leaves");
    let first = session(&store, "node1", "m1", None);
    assert_eq!(first.take(&agent_lock()).unwrap(), LockAnswer::Acquired);
    first.release(&agent_lock()).unwrap();
    first.leave().unwrap();
    let next = session(&store, "node1", "m2", None);
    assert!(next.is_present());
    assert_eq!(next.take(&agent_lock()).unwrap(), LockAnswer::Acquired);
}

/// A write that was cut by a power loss is somebody's, for a lifetime.
#[test]
fn a_lock_whose_write_was_cut_is_not_free() {
    let (sandbox, store) = store("twin-torn");
    let path = sandbox.store().join("locks/ha_agent_node1_lock.json");
    let first = session(&store, "node1", "m", None);
    assert_eq!(first.take(&agent_lock()).unwrap(), LockAnswer::Acquired);
    first.release(&agent_lock()).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(first.take(&agent_lock()).unwrap(), LockAnswer::Acquired);
    let after = fs::read(&path).unwrap();
    let second = session(&store, "node2", "m", None);
    let cut = after.iter().zip(&before).take_while(|(new, old)| new == old).count() + 40;
    fs::write(&path, [&after[..cut], &before[cut..]].concat()).unwrap();
    let since = Instant::now();
    assert_eq!(second.take(&agent_lock()).unwrap(), LockAnswer::Refused);
    assert_eq!(first.take(&agent_lock()).unwrap(), LockAnswer::Refused, "nor is it proven to be its own");
    wait_for("it passes on", 20, || second.take(&agent_lock()).unwrap() == LockAnswer::Acquired);
    assert!(since.elapsed() >= timings().lock_lifetime());
}

/// Silence does not prove that nothing runs: the node was lost unguarded, or only a device could turn it off.
#[test]
fn nobody_takes_the_name_of_an_unguarded_node_that_is_silent_before_a_person_has_decided() {
    let sandbox = Sandbox::new("twin-unguarded", "node1", "fast");
    waits_for_a_person(&sandbox, |store| {
        fs::write(store.join("status/manager.json"), r#"{"unguarded": ["node1"]}"#).unwrap();
    });
}

#[test]
fn nobody_takes_the_name_of_a_node_that_devices_alone_turn_off_before_a_person_has_decided() {
    let sandbox = Sandbox::new("twin-devices", "node1", "fast");
    waits_for_a_person(&sandbox, |store| {
        fs::write(store.join("config/datacenter.cfg"), "fencing: hardware\n").unwrap()
    });
}

/// A machine has the name of another one that is not heard of any more: it waits for a person, and works once one has decided.
fn waits_for_a_person(sandbox: &Sandbox, after_the_loss: impl FnOnce(&Path)) {
    let mut first = Machine::daemon(sandbox, "first");
    let record = sandbox.store().join("status/lrm/node1.json");
    wait_for("its record is there", 20, || record.exists());
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    // The processes of a test are all on one machine: now the record says that it was another one.
    let mut status = LrmStatus::from_json(&fs::read_to_string(&record).unwrap()).unwrap();
    status.writer = Some(Writer::new("another-machine", "its-boot"));
    fs::write(&record, status.to_json()).unwrap();
    after_the_loss(&sandbox.store());

    let second = Machine::daemon(sandbox, "second");
    second.assert_stops(60, "lrm_status");
    assert!(sandbox.log_text("second").contains("another-machine/its-boot"), "{}", sandbox.log_text("second"));
    let began = |name: &str| sandbox.log_text(name).matches("node daemon").count();
    assert_eq!(began("second"), 0, "it has not begun");

    // A person sees to it that the other one is off, and the devices are connected with this one.
    let cleared = sandbox.command().env("HA_STATE_DIR", sandbox.state("second")).args(["node", "clear-twin"]).status();
    assert!(cleared.unwrap().success());
    let mut decided = Machine::daemon(sandbox, "second");
    wait_for("it works", 60, || began("second") == 1);
    decided.end();
}

/// As after a restore from a backup: what is there was written by this very process, but long ago.
#[test]
fn a_lock_that_somebody_else_has_had_meanwhile_is_not_renewed_because_an_old_record_is_back() {
    let (sandbox, store) = store("twin-restored");
    let path = sandbox.store().join("locks/ha_agent_node1_lock.json");
    let first = session(&store, "node1", "m1", None);
    assert_eq!(first.take(&agent_lock()).unwrap(), LockAnswer::Acquired);
    let backup = fs::read(&path).unwrap();
    let other = serde_json::json!({"holder": "node2", "count": 9, "writer": "m2/b/p", "lifetime_ms": 1, "mark": "x"});
    store.change_lock(&agent_lock(), &mut |_| Some(other.to_string().into_bytes())).unwrap();
    assert_eq!(first.take(&agent_lock()).unwrap(), LockAnswer::Refused);
    fs::write(&path, backup).unwrap();
    let restored = Instant::now();
    assert_eq!(first.take(&agent_lock()).unwrap(), LockAnswer::Refused, "node2 may count on it");
    wait_for("it passes on", 60, || first.take(&agent_lock()).unwrap() != LockAnswer::Refused);
    assert!(restored.elapsed() >= timings().lock_lifetime(), "{:?}", restored.elapsed());
}

#[test]
fn what_a_predecessor_has_written_over_itself_proves_nothing_when_it_is_back() {
    let (sandbox, store) = store("twin-predecessor");
    let path = sandbox.store().join("locks/ha_agent_node1_lock.json");
    let note = sandbox.directory.join("written.json");
    let first = session(&store, "node1", "m", Some(note.clone()));
    assert_eq!(first.take(&agent_lock()).unwrap(), LockAnswer::Acquired);
    let backup = fs::read(&path).unwrap();
    // It lets go: anybody may have the lock from here on.
    first.release(&agent_lock()).unwrap();
    drop(first);
    fs::write(&path, backup).unwrap();
    let next = session(&store, "node1", "m", Some(note));
    wait_for("it is there", 20, || next.is_present());
    assert_eq!(next.take(&agent_lock()).unwrap(), LockAnswer::Refused);
}

/// A store that is slow between the question and what it gives: the time counts from what was given.
#[test]
fn a_lock_is_unchanged_only_since_it_was_read_however_long_that_took() {
    let (sandbox, store) = store("twin-slow");
    let path = sandbox.store().join("locks/ha_agent_node1_lock.json");
    let asks = Arc::new(session(&store, "node2", "m2", None));
    let guard =
        fs::OpenOptions::new().append(true).create(true).open(sandbox.store().join(".guards/ha_agent_node1_lock"));
    let guard = guard.unwrap();
    guard.lock().unwrap();
    let question = thread::spawn({
        let asks = asks.clone();
        move || asks.take(&agent_lock()).unwrap()
    });
    thread::sleep(Duration::from_secs(3));
    // Renewed while the question waits.
    let renewed = serde_json::json!({"holder": "node1", "count": 9, "writer": "m1/b/p", "lifetime_ms": 1, "mark": "x"});
    let since = Instant::now();
    fs::write(&path, renewed.to_string()).unwrap();
    drop(guard);
    assert_eq!(question.join().unwrap(), LockAnswer::Refused);
    wait_for("it passes on", 60, || asks.take(&agent_lock()).unwrap() == LockAnswer::Acquired);
    assert!(since.elapsed() >= timings().lock_lifetime(), "{:?}", since.elapsed());
}
