//! The node daemon and the multiplexer against a real kernel: a virtual machine with a watchdog device, in which both are killed and
//! frozen. It is reset in time, or it stays up.
//!
//! `cargo test -p ha-cli --test kernel_watchdog` does what `tests/run` does; `-- --include-ignored` does all of it. A case takes up to
//! two minutes, nearly all of it waiting.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::{
    Sandbox,
    machine::{parts, timings},
    wait_for,
};
use serde_json::{Value, json};

/// How long the guest goes on telling the time, at most, after what was done to it.
fn longest_life() -> f64 {
    timings().lock_lifetime().as_secs_f64()
}

/// What becomes of a machine.
#[derive(Debug, PartialEq)]
enum End {
    /// Its watchdog has reset it.
    Reset,
    /// It came to the end of its script, and has switched itself off.
    Off,
}

/// What was seen of a machine.
struct Seen {
    end: End,
    /// How long after the case began the service was last seen to run, by the machine's own clock.
    last_sign_s: f64,
    /// Whether the device says that it caused the reset: softdog has nobody to tell.
    watchdog_event: bool,
    console: String,
}

/// Begins a node with a service that tells the time.
const START: &str = r"
ha watchdog-mux --timings /case/timings.json & MUX=$!
until [ -S /run/ha-watchdog-mux.sock ]; do sleep 0.1; done
ha init --nodes node1 --timings /case/timings.json
ha guest set proc:tick /case/tick.json
ha add proc:tick
ha node run --run-dir /run/ha & NODE=$!
until [ -e /run/ha-watchdog-mux.active ] && [ -e /run/ticks ]; do sleep 0.2; done
sleep 2
";
const HARDWARE: &str = "insmod /modules/i6300esb.ko\n";
const SOFTDOG: &str = "insmod /modules/softdog.ko\n";

const INIT: &str = r#"#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HA_STORE=file:/srv/ha HA_NODE=node1
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs run /run; mount -t tmpfs srv /srv
exec </dev/null >/dev/ttyS0 2>&1
say() { echo "$1 $(cut -d' ' -f1 /proc/uptime)"; }
insmod /modules/watchdog.ko
. /case/script
say end
sync
poweroff -f
"#;
const TICK: &str =
    r#"while :; do echo "tick $(cut -d' ' -f1 /proc/uptime)" >/dev/ttyS0; : >/run/ticks; sleep 0.2; done"#;

/// Makes the file system of a machine that runs this script.
fn make_archive(sandbox: &Sandbox, parts: &Path, script: &str) -> PathBuf {
    let root = sandbox.directory.join("root");
    for folder in ["bin", "dev", "proc", "sys", "run", "srv", "etc", "tmp", "modules", "case", "var/lib"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    let copy = |from: &Path, to: &str| {
        fs::copy(from, root.join(to)).unwrap();
    };
    copy(&parts.join("bin/busybox"), "bin/busybox");
    for module in fs::read_dir(parts.join("modules")).unwrap() {
        let path = module.unwrap().path();
        copy(&path, &format!("modules/{}", path.file_name().unwrap().to_str().unwrap()));
    }
    let small = root.join("bin/ha");
    let stripped = Command::new("strip").arg("-o").args([&small, &sandbox.program]).stderr(Stdio::null()).status();
    if !stripped.is_ok_and(|status| status.success()) {
        copy(&sandbox.program, "bin/ha");
    }
    // The libraries that it is linked with, where it looks for them.
    let libraries = Command::new("ldd").arg(&sandbox.program).output().unwrap();
    for path in String::from_utf8(libraries.stdout).unwrap().split_whitespace().filter(|word| word.starts_with('/')) {
        let to = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(path, to).unwrap();
    }
    let tick = json!({"node": "node1", "agent": {"proc": {"command": ["/bin/sh", "/case/tick"], "grace_s": 2}}});
    fs::write(root.join("case/timings.json"), serde_json::to_string(timings().settings()).unwrap()).unwrap();
    fs::write(root.join("case/tick.json"), tick.to_string()).unwrap();
    fs::write(root.join("case/tick"), TICK).unwrap();
    fs::write(root.join("case/script"), script).unwrap();
    fs::write(root.join("init"), INIT).unwrap();
    let archive = sandbox.directory.join("initrd");
    let pack =
        format!("chmod +x init && find . | {0}/bin/busybox cpio -o -H newc >'{1}'", parts.display(), archive.display());
    let packed = Command::new("sh").args(["-c", &pack]).current_dir(&root).stderr(Stdio::null()).status().unwrap();
    assert!(packed.success());
    archive
}

/// A machine that is killed with its test.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a script on a machine with an i6300esb until it is off. Nothing where there are no such machines.
///
/// A machine that is too slow, emulated on a busy machine, is reset before its case begins: it is started again.
fn run(name: &str, script: &str) -> Option<Seen> {
    let parts = parts("machine", "virtual machine with a watchdog")?;
    let tries = (0..3).map(|_| run_once(name, &parts, script));
    let seen = tries.into_iter().find_map(|(events, console)| {
        let began = console.lines().any(|line| line.trim().starts_with("case "));
        if !began {
            println!("{name}: the case did not begin:\n{console}");
        }
        began.then(|| judge(&events, console))
    });
    Some(seen.unwrap_or_else(|| panic!("{name}: its case never began")))
}

/// Gives what its hypervisor told, and what it said itself.
fn run_once(name: &str, parts: &Path, script: &str) -> (Vec<Value>, String) {
    /// It is emulated, on a machine that may be busy.
    const PATIENCE: Duration = Duration::from_secs(300);
    let sandbox = Sandbox::empty(&format!("kernel-{name}"));
    let archive = make_archive(&sandbox, parts, script);
    let (console, qmp) = (sandbox.directory.join("console"), sandbox.directory.join("qmp"));
    let path = format!("{}:{}", parts.join("bin").display(), std::env::var("PATH").unwrap());
    let words = "-nodefaults -display none -machine pc -accel tcg -cpu qemu64 -smp 1 -m 384 -no-reboot -device i6300esb -action watchdog=reset";
    let machine = Command::new("sh")
        .args(["-c", "exec qemu-system-x86_64 \"$@\"", "sh"])
        .args(words.split(' '))
        .args(["-append", "console=ttyS0 quiet panic=0", "-kernel"])
        .arg(parts.join("vmlinuz"))
        .arg("-initrd")
        .arg(&archive)
        .args(["-serial", &format!("file:{}", console.display()), "-qmp"])
        .arg(format!("unix:{},server=on,wait=off", qmp.display()))
        .env("PATH", path)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut machine = Machine(machine);
    wait_for("the machine can be asked", 30, || {
        UnixStream::connect(&qmp).is_ok() || machine.0.try_wait().unwrap().is_some()
    });
    let events = thread::spawn({
        let qmp = qmp.clone();
        move || events(&qmp)
    });
    let end = Instant::now() + PATIENCE;
    while machine.0.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&console).unwrap_or_default();
        assert!(Instant::now() < end, "{name} does not come to an end:\n{text}");
        thread::sleep(Duration::from_millis(200));
    }
    let events = events.join().unwrap();
    let console = String::from_utf8_lossy(&fs::read(&console).unwrap()).into_owned();
    (events, console)
}

/// What the machine's hypervisor tells until it ends.
fn events(qmp: &Path) -> Vec<Value> {
    let mut stream = UnixStream::connect(qmp).unwrap();
    writeln!(stream, "{}", json!({"execute": "qmp_capabilities"})).unwrap();
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines
        .filter_map(|line| serde_json::from_str(&line).ok())
        .filter(|message: &Value| message.get("event").is_some())
        .collect()
}

fn judge(events: &[Value], console: String) -> Seen {
    let named = |name: &str| events.iter().find(|event| event["event"] == name);
    let reason = named("SHUTDOWN").unwrap_or_else(|| panic!("{events:?}\n{console}"))["data"]["reason"].clone();
    let end = match reason.as_str().unwrap() {
        "guest-reset" => End::Reset,
        "guest-shutdown" => End::Off,
        other => panic!("{other}:\n{console}"),
    };
    let last = |what: &str| -> Option<f64> {
        let lines = console.lines().filter_map(|line| line.trim().strip_prefix(what)?.strip_prefix(' '));
        lines.filter_map(|time| time.parse().ok()).next_back()
    };
    let began = last("case").unwrap();
    let last_sign_s = last("tick").unwrap_or(began) - began;
    println!("{end:?}, last sign {last_sign_s:.1} s after the case began");
    Seen { end, last_sign_s, watchdog_event: named("WATCHDOG").is_some(), console }
}

/// What is done in `case` leads to a reset before the node's lock could pass on.
fn is_reset(name: &str, before: &str, case: &str) {
    let script = format!("{before}say case\n{case}\nsleep 100\n");
    let Some(seen) = run(name, &script) else { return };
    assert_eq!(seen.end, End::Reset, "{}", seen.console);
    assert!(seen.last_sign_s <= longest_life(), "it ran for {} s more:\n{}", seen.last_sign_s, seen.console);
    assert_eq!(seen.watchdog_event, !before.contains("softdog"), "{}", seen.console);
}

/// What is done in `case` leads to no reset, in more time than any would take.
fn stays_up(name: &str, before: &str, case: &str) -> Option<Seen> {
    let script = format!("{before}say case\n{case}\nsleep 25\n");
    let seen = run(name, &script)?;
    assert_eq!(seen.end, End::Off, "{}", seen.console);
    Some(seen)
}

fn on(device: &str) -> String {
    format!("{device}{START}")
}

#[test]
fn a_frozen_daemon() {
    is_reset("frozen-daemon", &on(HARDWARE), "kill -STOP $NODE");
}

#[test]
fn a_killed_multiplexer() {
    // A successor must not feed on.
    is_reset("killed-mux", &on(HARDWARE), "kill -KILL $MUX\nsleep 1\nha watchdog-mux --timings /case/timings.json");
}

#[test]
fn a_second_multiplexer_a_lost_terminal_and_a_clean_end() {
    let case = r"
ha watchdog-mux --timings /case/timings.json && say second-started
ha watchdog-mux --timings /case/timings.json --socket /run/other.sock --marker /run/other && say third-started
kill -HUP $MUX $NODE; kill -USR1 $MUX $NODE
sleep 20
[ -d /proc/$NODE ] && [ -d /proc/$MUX ] && say both-are-there
ha stop proc:tick 5
until ha status | grep -q 'proc:tick.*stopped'; do sleep 0.5; done
kill -TERM $NODE; wait $NODE; kill -TERM $MUX; wait $MUX
cat /sys/class/watchdog/watchdog0/state";
    let Some(seen) = stays_up("clean", &on(HARDWARE), case) else { return };
    for (wanted, is_there) in
        [("both-are-there", true), ("inactive", true), ("second-started", false), ("third-started", false)]
    {
        assert_eq!(seen.console.contains(wanted), is_there, "{wanted}:\n{}", seen.console);
    }
}

#[test]
#[ignore = "one of those that tests/run leaves out"]
fn a_killed_daemon() {
    is_reset("killed-daemon", &on(HARDWARE), "kill -KILL $NODE");
}

#[test]
#[ignore = "one of those that tests/run leaves out"]
fn a_frozen_multiplexer() {
    is_reset("frozen-mux", &on(HARDWARE), "kill -STOP $MUX");
}

#[test]
#[ignore = "one of those that tests/run leaves out"]
fn a_frozen_daemon_then_a_killed_multiplexer() {
    is_reset("frozen-killed", &on(HARDWARE), "kill -STOP $NODE\nsleep 2\nkill -KILL $MUX");
}

#[test]
#[ignore = "one of those that tests/run leaves out"]
fn a_frozen_multiplexer_then_a_killed_daemon() {
    is_reset("frozen-mux-killed", &on(HARDWARE), "kill -STOP $MUX\nsleep 2\nkill -KILL $NODE");
}

#[test]
#[ignore = "one of those that tests/run leaves out"]
fn a_panic_of_the_kernel() {
    is_reset("panic", &on(HARDWARE), "echo c >/proc/sysrq-trigger");
}

#[test]
#[ignore = "one of those that tests/run leaves out"]
fn a_frozen_daemon_with_the_kernels_own_device() {
    is_reset("softdog", &on(SOFTDOG), "kill -STOP $NODE");
}

#[test]
#[ignore = "one of those that tests/run leaves out"]
fn a_killed_multiplexer_with_the_kernels_own_device() {
    is_reset("softdog-mux", &on(SOFTDOG), "kill -KILL $MUX");
}

/// While it sleeps its lock passes on; when it wakes its services run on, until it is reset.
#[test]
#[ignore = "one of those that tests/run leaves out"]
fn a_machine_that_sleeps_for_longer_than_its_lock_lasts() {
    let case = "echo +60 >/sys/class/rtc/rtc0/wakealarm; echo mem >/sys/power/state\nsay awake";
    let script = format!("{}say case\n{case}\nsleep 100\n", on(HARDWARE));
    let Some(seen) = run("sleep", &script) else { return };
    assert_eq!(seen.end, End::Reset, "{}", seen.console);
    let awake = seen.console.lines().find_map(|line| line.trim().strip_prefix("awake ")?.parse::<f64>().ok());
    let awake = awake.unwrap_or_else(|| panic!("it did not sleep:\n{}", seen.console));
    let began = seen.console.lines().find_map(|line| line.trim().strip_prefix("case ")?.parse::<f64>().ok()).unwrap();
    let lived = seen.last_sign_s - (awake - began);
    assert!(lived < timings().device_timeout().as_secs_f64() / 2.0, "{lived} s after it woke:\n{}", seen.console);
}

#[test]
#[ignore = "one of those that tests/run leaves out"]
fn a_multiplexer_that_dies_without_clients_has_a_successor() {
    let case = r"
ha watchdog-mux --timings /case/timings.json & FIRST=$!
until [ -S /run/ha-watchdog-mux.sock ]; do sleep 0.1; done
kill -KILL $FIRST
ha watchdog-mux --timings /case/timings.json & MUX=$!
sleep 20
[ -d /proc/$MUX ] && say it-feeds
kill -TERM $MUX; wait $MUX
cat /sys/class/watchdog/watchdog0/state";
    let Some(seen) = stays_up("successor", HARDWARE, case) else { return };
    assert!(seen.console.contains("it-feeds") && seen.console.contains("inactive"), "{}", seen.console);
}

#[test]
#[ignore = "one of those that tests/run leaves out"]
fn a_device_that_is_not_the_required_one_is_left_alone() {
    let case = r"
ha watchdog-mux --timings /case/timings.json --require hardware && say started
cat /sys/class/watchdog/watchdog0/state";
    let Some(seen) = stays_up("required", SOFTDOG, case) else { return };
    assert!(seen.console.contains("'hardware' is required") && seen.console.contains("inactive"), "{}", seen.console);
    assert!(!seen.console.contains("started"), "{}", seen.console);
}

#[test]
#[ignore = "one of those that tests/run leaves out"]
fn a_device_with_nowayout_resets_a_node_whose_multiplexer_is_stopped() {
    let case = "ha stop proc:tick 5\nuntil ha status | grep -q 'proc:tick.*stopped'; do sleep 0.5; done\n\
        kill -TERM $NODE; wait $NODE; kill -TERM $MUX; wait $MUX";
    is_reset("nowayout", &on("insmod /modules/softdog.ko nowayout=1\n"), case);
}
