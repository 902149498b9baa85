//! Virtual machines on a real QEMU: a boot sector that counts in its memory, and listens to the power button.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use common::{Sandbox, has, skip, wait_for};
use ha_core::id::{NodeName, ServiceId};
use ha_host::{
    agents::{Launcher, MoveReceiver, VmAgent, VmGuest},
    store::{FileStore, GuestDefinition, Store},
};
use serde_json::{Value, json};

const QEMU: &str = "qemu-system-x86_64";

/// Sets its counter to 0 and asks the chipset to note the power button. With every tick of the timer it counts; once the
/// button is noted, it switches itself off.
fn boot_sector() -> Vec<u8> {
    const COUNT_TO_ZERO: &[u8] = &[0x66, 0xC7, 0x06, 0x00, 0x7E, 0, 0, 0, 0]; // mov dword [0x7e00], 0
    const NOTE_BUTTON: &[u8] = &[0xBA, 0x02, 0x06, 0xB8, 0x00, 0x01, 0xEF]; // PM1_EN (0x602) := 0x100
    const TICK: &[u8] = &[0xF4, 0x66, 0xFF, 0x06, 0x00, 0x7E]; // hlt; inc dword [0x7e00]
    const UNTIL_BUTTON: &[u8] = &[0xBA, 0x00, 0x06, 0xED, 0xF6, 0xC4, 0x01, 0x74, 0xF1]; // PM1_STS (0x600) & 0x100?
    const OFF: &[u8] = &[0xBA, 0x04, 0x06, 0xB8, 0x00, 0x20, 0xEF, 0xEB, 0xFE]; // PM1_CNT (0x604) := 0x2000; jmp $
    let mut disk = [
        &[0x31, 0xC0, 0x8E, 0xD8, 0x8E, 0xD0, 0xBC, 0x00, 0x7C][..], // ds := ss := 0; sp := 0x7c00
        COUNT_TO_ZERO,
        NOTE_BUTTON,
        &[0xFB], // sti
        TICK,
        UNTIL_BUTTON,
        OFF,
    ]
    .concat();
    disk.resize(1 << 20, 0);
    disk[510] = 0x55;
    disk[511] = 0xAA;
    disk
}

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

fn sid() -> ServiceId {
    ServiceId::new("vm:100").unwrap()
}

/// A cluster with one guest, on `node1`. Nothing, and a line that says so, where there is no QEMU.
fn cluster(name: &str, nodes: &str) -> Option<Sandbox> {
    if !has(QEMU) {
        skip(&format!("there is no {QEMU} here (Debian: qemu-system-x86)"));
        return None;
    }
    let sandbox = Sandbox::new(name, nodes, "fast");
    let disk = sandbox.directory.join("disk");
    fs::write(&disk, boot_sector()).unwrap();
    let vm = json!({
        "memory_mb": 16, "accelerators": ["tcg"], "disks": [{"file": disk, "format": "raw"}],
        "arguments": ["-qmp", "unix:watch,server=on,wait=off"],
    });
    let file = sandbox.directory.join("guest.json");
    fs::write(&file, json!({"node": "node1", "agent": {"vm": vm}}).to_string()).unwrap();
    sandbox.ok(&["guest", "set", "vm:100", file.to_str().unwrap()]);
    Some(sandbox)
}

/// What the test itself sees of a guest on one node.
struct Watch(PathBuf);

impl Watch {
    fn new(sandbox: &Sandbox, node: &str) -> Self {
        Self(sandbox.directory.join(format!("run-{node}/vm/watch")))
    }

    /// Nothing if there is no QEMU there.
    fn ask(&self, command: &str, arguments: &Value) -> Option<Value> {
        let stream = UnixStream::connect(&self.0).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut answer = |command: &str, arguments: &Value| -> Option<Value> {
            let line = json!({"execute": command, "arguments": arguments});
            writeln!(&stream, "{line}").ok()?;
            loop {
                let message: Value = serde_json::from_str(&lines.next()?.ok()?).unwrap();
                if let Some(answer) = message.get("return") {
                    return Some(answer.clone());
                }
                assert!(message.get("error").is_none(), "{message}");
            }
        };
        answer("qmp_capabilities", &json!({}))?;
        answer(command, arguments)
    }

    fn state(&self) -> String {
        let answer = self.ask("query-status", &json!({}));
        answer.map(|answer| answer["status"].as_str().unwrap().to_owned()).unwrap_or_default()
    }

    fn runs(&self) -> bool {
        self.state() == "running"
    }

    /// How far the guest has counted; 0 where there is none.
    fn count(&self) -> u64 {
        let Some(answer) = self.ask("human-monitor-command", &json!({"command-line": "xp /1wx 0x7e00"})) else {
            return 0;
        };
        let text = answer.as_str().unwrap();
        u64::from_str_radix(text.split("0x").last().unwrap().trim(), 16).unwrap()
    }

    /// As slow as that, a move takes some seconds.
    fn slow_down(&self) {
        self.ask("migrate-set-parameters", &json!({"max-bandwidth": 100_000})).unwrap();
    }
}

/// Looks all the time whether the guest runs on two nodes at once.
struct Sentinel {
    ends: Arc<AtomicBool>,
    looks: Arc<AtomicUsize>,
    thread: Option<thread::JoinHandle<Vec<String>>>,
}

impl Sentinel {
    fn start(sandbox: &Sandbox, nodes: &[&str]) -> Self {
        let watches: Vec<(String, Watch)> =
            nodes.iter().map(|node| ((*node).to_owned(), Watch::new(sandbox, node))).collect();
        let (ends, looks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let thread = thread::spawn({
            let (ends, looks) = (ends.clone(), looks.clone());
            move || {
                let mut found = Vec::new();
                while !ends.load(Ordering::SeqCst) {
                    for (name, watch) in &watches {
                        for (other_name, other) in watches.iter().filter(|(other, _)| other > name) {
                            // A source never runs again once its destination did: twice is not a handover in between.
                            if watch.runs() && other.runs() && watch.runs() && other.runs() {
                                found.push(format!("it runs on {name} and on {other_name}"));
                            }
                        }
                    }
                    looks.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(5));
                }
                found
            }
        });
        Self { ends, looks, thread: Some(thread) }
    }

    fn end(mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let found = self.thread.take().unwrap().join().unwrap();
        assert!(found.is_empty(), "{found:?}");
        assert!(self.looks.load(Ordering::SeqCst) > 10);
    }
}

/// The agents of one node, without a daemon.
struct Node {
    agent: VmAgent,
    store: Arc<dyn Store>,
    watch: Watch,
}

impl Node {
    fn new(sandbox: &Sandbox, name: &str) -> Self {
        let store: Arc<dyn Store> = Arc::new(FileStore::open(sandbox.store()).unwrap());
        let run = sandbox.directory.join(format!("run-{name}"));
        let launcher = Launcher::new(env!("CARGO_BIN_EXE_ha"));
        let agent = VmAgent::new(store.clone(), node(name), "127.0.0.1", &run, launcher);
        Self { agent, store, watch: Watch::new(sandbox, name) }
    }

    fn guest(&self) -> (GuestDefinition, VmGuest) {
        let guest = self.store.guest(&sid()).unwrap().unwrap();
        assert_eq!(guest.agent.kind, "vm");
        let vm = serde_json::from_value(guest.agent.settings.clone()).unwrap();
        (guest, vm)
    }

    fn start(&self) {
        let (guest, vm) = self.guest();
        self.agent.start(&sid(), &vm, guest.resume.as_deref()).unwrap();
        assert!(self.agent.is_running(&sid()).unwrap());
    }

    fn stop(&self, timeout: Option<u32>) {
        self.agent.stop(&sid(), &self.guest().1, timeout).unwrap();
        assert!(!self.agent.is_running(&sid()).unwrap());
        assert!(!self.watch.runs());
    }

    fn wait_for_count(&self, above: u64) -> u64 {
        wait_for("the guest counts", 60, || self.watch.count() > above);
        self.watch.count()
    }

    fn receive(&self) -> MoveReceiver {
        MoveReceiver::start(self.agent.clone(), Duration::from_millis(100), |_| {}).unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.agent.stop(&sid(), &self.guest().1, Some(0));
    }
}

#[test]
fn a_guest_outlives_the_agent_and_hears_the_power_button() {
    let Some(sandbox) = cluster("vm-button", "node1") else { return };
    let first = VmAgentThatIsGone::start(&sandbox);
    let next = Node::new(&sandbox, "node1");
    assert!(next.agent.is_running(&sid()).unwrap(), "the next agent finds it");
    let count = next.wait_for_count(first);
    next.start();
    assert!(next.watch.count() >= count, "it runs already: nothing was started");

    let began = Instant::now();
    next.stop(Some(60));
    assert!(began.elapsed() < Duration::from_secs(30), "it has switched itself off");
    next.stop(Some(60));
}

/// Starts the guest and goes away.
struct VmAgentThatIsGone;

impl VmAgentThatIsGone {
    fn start(sandbox: &Sandbox) -> u64 {
        let node = Node::new(sandbox, "node1");
        node.start();
        let count = node.wait_for_count(3);
        // As after `kill -9`: nothing is stopped.
        std::mem::forget(node);
        count
    }
}

#[test]
fn a_guest_that_does_not_hear_loses_its_power_when_its_time_is_over() {
    let Some(sandbox) = cluster("vm-deaf", "node1") else { return };
    // Firmware without anything to boot does not listen.
    fs::write(sandbox.directory.join("disk"), vec![0; 1 << 20]).unwrap();
    let node = Node::new(&sandbox, "node1");
    node.start();
    let began = Instant::now();
    node.stop(Some(2));
    assert!(began.elapsed() >= Duration::from_secs(2), "it had its time");
    node.start();
    node.stop(Some(0));
}

#[test]
fn a_qemu_that_does_not_start_is_told_with_its_own_words() {
    let Some(sandbox) = cluster("vm-bad", "node1") else { return };
    let node = Node::new(&sandbox, "node1");
    let mut guest = node.guest().1;
    guest.arguments = vec!["-machine".into(), "no-such-machine".into()];
    let error = node.agent.start(&sid(), &guest, None).unwrap_err();
    assert!(error.message.contains("no-such-machine") || error.message.contains("machine"), "{error}");
    assert!(!node.agent.is_running(&sid()).unwrap());
    guest.program = "/no/such/qemu".into();
    assert!(node.agent.start(&sid(), &guest, None).unwrap_err().message.contains("/no/such/qemu"));
}

#[test]
fn a_live_move_goes_on_counting_and_is_let_run_only_by_the_target() {
    let Some(sandbox) = cluster("vm-move", "node1,node2") else { return };
    let (source, target) = (Node::new(&sandbox, "node1"), Node::new(&sandbox, "node2"));
    source.start();
    let before = source.wait_for_count(20);
    let sentinel = Sentinel::start(&sandbox, &["node1", "node2"]);
    let receiver = target.receive();
    source.agent.migrate(&sid(), &source.guest().1, &node("node2")).unwrap();

    assert_eq!(source.guest().0.node, node("node2"));
    assert!(!source.agent.is_running(&sid()).unwrap() && source.watch.state().is_empty(), "nothing of it is left");
    assert!(!target.agent.is_running(&sid()).unwrap(), "it waits");
    let moved = target.watch.count();
    assert!(moved >= before);
    thread::sleep(Duration::from_millis(500));
    assert_eq!(target.watch.count(), moved, "it stands still");
    target.start();
    target.wait_for_count(moved);
    drop(receiver);
    sentinel.end();
    assert!(target.store.moves().unwrap().is_empty());
    assert_eq!(target.guest().0.resume, None);
    target.stop(Some(30));
}

#[test]
fn a_move_that_fails_leaves_the_guest_where_it_was() {
    let Some(sandbox) = cluster("vm-fails", "node1,node2") else { return };
    let (source, target) = (Node::new(&sandbox, "node1"), Node::new(&sandbox, "node2"));
    source.start();
    source.wait_for_count(3);
    source.watch.slow_down();
    let sentinel = Sentinel::start(&sandbox, &["node1", "node2"]);
    let _receiver = target.receive();
    let guest = source.guest().1;
    let moving = thread::spawn({
        let agent = source.agent.clone();
        let guest = guest.clone();
        move || agent.migrate(&sid(), &guest, &node("node2"))
    });
    wait_for("the guest is on its way", 30, || target.watch.state() == "inmigrate");
    target.watch.ask("quit", &json!({}));
    let error = moving.join().unwrap().unwrap_err();
    assert!(error.message.contains("cannot move vm:100"), "{error}");
    assert_eq!((source.guest().0.node, source.guest().0.resume), (node("node1"), None));
    let count = source.watch.count();
    source.wait_for_count(count);
    wait_for("nothing is left on the target", 10, || target.watch.state().is_empty());

    // Too slow: the move is broken off.
    let error = source.agent.migrate(&sid(), &VmGuest { move_s: 1, ..guest.clone() }, &node("node2")).unwrap_err();
    assert!(error.message.contains("longer than 1 s"), "{error}");
    let count = source.watch.count();
    source.wait_for_count(count);
    wait_for("nothing is left on the target", 10, || target.watch.state().is_empty());
    sentinel.end();
    source.stop(Some(0));
}

/// A destination is complete, but the source's node took the move back: the destination is of no use to anybody.
#[test]
fn a_destination_whose_move_was_taken_back_is_never_let_run() {
    let Some(sandbox) = cluster("vm-back", "node1,node2") else { return };
    let (source, target) = (Node::new(&sandbox, "node1"), Node::new(&sandbox, "node2"));
    source.start();
    let receiver = target.receive();
    source.agent.migrate(&sid(), &source.guest().1, &node("node2")).unwrap();
    drop(receiver);
    let set = |node: &NodeName, resume: Option<&str>| {
        let edit = |guest: &mut Option<GuestDefinition>| {
            let guest = guest.as_mut().unwrap();
            (guest.node, guest.resume) = (node.clone(), resume.map(str::to_owned));
        };
        target.store.edit_guest(&sid(), &mut { edit }).unwrap();
    };
    let moved = target.watch.count();
    set(&node("node2"), Some("another"));
    target.start();
    wait_for("it was started again", 30, || target.watch.runs() && target.watch.count() < moved.max(10));
    target.stop(Some(0));
}

/// Daemons are killed at random points of moves that go to and fro, more often with `HA_TEST_LONG`.
#[test]
fn daemons_that_are_killed_in_the_middle_of_moves_lose_and_double_nothing() {
    let Some(sandbox) = cluster("vm-kills", "node1,node2") else { return };
    // Daemons without a watchdog, so that what they started outlives them. Nothing is turned off here: they are back at once.
    for (file, text) in [
        ("datacenter.cfg", "fencing: hardware\n"),
        ("fence.cfg", "device off /bin/false\nconnect off node=node1\nconnect off node=node2\n"),
    ] {
        fs::write(sandbox.store().join("config").join(file), text).unwrap();
    }
    let times = if std::env::var_os("HA_TEST_LONG").is_some() { 50 } else { 3 };
    let names = ["node1", "node2"];
    let watches = names.map(|name| Watch::new(&sandbox, name));
    let mut daemons = names.map(|name| sandbox.node(name));
    sandbox.ok(&["add", "vm:100"]);
    let place = || watches.iter().position(Watch::runs);
    wait_for("the guest counts", 60, || watches[0].count() > 3);
    let sentinel = Sentinel::start(&sandbox, &names);
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut count, mut moves) = (0, 0);
    for time in 0..times {
        let from = place().unwrap();
        watches[from].slow_down();
        // Its daemon has just been started, and the master may not have seen it yet.
        wait_for("the other node is there", 60, || {
            sandbox.ha(&["migrate", "vm:100", names[1 - from]]).status.success()
        });
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        thread::sleep(Duration::from_millis(500 + seed % 5000));
        let victim = if time % 3 == 2 { 1 - from } else { from };
        daemons[victim].kill().unwrap();
        daemons[victim].wait().unwrap();
        daemons[victim] = sandbox.node(names[victim]);
        wait_for("it is started, and its command is done", 90, || {
            let idle = !sandbox.store().join("commands").exists();
            idle && sandbox.shown("vm:100") == "started" && place().is_some()
        });
        let now = place().unwrap();
        moves += usize::from(now != from);
        let counted = watches[now].count();
        assert!(counted > count, "it was started again: {counted} after {count}");
        count = counted;
    }
    sentinel.end();
    eprintln!("{moves} of {times} moves were made");
    sandbox.ok(&["stop", "vm:100", "30"]);
    wait_for("it is stopped", 60, || watches.iter().all(|watch| watch.state().is_empty()));
    for mut daemon in daemons {
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }
}

#[test]
fn a_guest_is_moved_by_a_command_and_recovered_when_its_node_dies() {
    let Some(sandbox) = cluster("vm-cluster", "node1,node2,node3") else { return };
    let names = ["node1", "node2", "node3"];
    let mut machines = names.map(|name| sandbox.machine(name, &[]));
    sandbox.ok(&["add", "vm:100"]);
    let watches = names.map(|name| Watch::new(&sandbox, name));
    wait_for("the guest counts", 60, || watches[0].count() > 20);
    let sentinel = Sentinel::start(&sandbox, &names);
    let before = watches[0].count();
    sandbox.ok(&["migrate", "vm:100", "node2"]);
    wait_for("it runs on node2", 60, || watches[1].runs());
    assert!(watches[1].count() >= before, "its uptime goes on");
    wait_for("it is shown so", 20, || sandbox.shown("vm:100") == "started");
    assert!(sandbox.log_text("node1").contains("\"agent_move_ended\""));
    // node2 had nothing to guard before, so its lock proves something only from now on.
    wait_for("its node is guarded", 20, || sandbox.all_are_guarded());

    // The power is cut.
    common::signal(&machines[1], "TERM");
    machines[1].wait().unwrap();
    let died = Instant::now();
    assert!(watches[1].state().is_empty(), "its guests die with a node");
    let elsewhere = || [0, 2].into_iter().any(|place: usize| watches[place].runs());
    wait_for("it is recovered", 60, elsewhere);
    let after = died.elapsed();
    eprintln!("recovered after {:.1} s", after.as_secs_f64());
    let timings = ha_core::timing::TimingSettings::fast().validate().unwrap();
    // What the machine takes to start QEMU comes on top.
    let bound = timings.recovery().longest_with_master + Duration::from_secs(5);
    assert!(after <= bound, "{after:?}, at most {bound:?}");
    assert!(after >= timings.recovery().shortest, "{after:?}: before its node was surely down");
    sentinel.end();
    for number in [0, 2] {
        common::signal(&machines[number], "TERM");
        machines[number].wait().unwrap();
    }
    assert!(watches.iter().all(|watch| watch.state().is_empty()));
}
