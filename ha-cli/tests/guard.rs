//! What guards a node: a node that nothing guards does not work, and everybody can see what does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use common::{Sandbox, signal, skip, wait_for};
use ha_host::watchdog::RESET_EXIT_CODE;

/// Runs a node's daemon with this watchdog until it ends. Gives what it complains of.
fn refused(sandbox: &Sandbox, watchdog: &str) -> String {
    let mut daemon = daemon(sandbox, watchdog);
    wait_for("the daemon ends", 20, || daemon.try_wait().unwrap().is_some());
    assert_eq!(daemon.wait().unwrap().code(), Some(1));
    sandbox.log_text("node1")
}

fn daemon(sandbox: &Sandbox, watchdog: &str) -> Child {
    let log = fs::OpenOptions::new().append(true).create(true).open(sandbox.log("node1")).unwrap();
    let mut command = sandbox.command();
    command.args(["node", "run", "--watchdog", watchdog, "--run-dir"]).arg(sandbox.directory.join("run-node1"));
    command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// A multiplexer with a device for processes of this machine: it kills all that it has started.
struct Multiplexer {
    child: Child,
    watchdog: String,
}

impl Multiplexer {
    fn start(sandbox: &Sandbox, timings: &str, stderr: Stdio, command: &[&str]) -> Self {
        let socket = sandbox.directory.join("mux.sock");
        let mut words = Command::new(&sandbox.program);
        words.args(["supervise", "--timings", timings, "--socket"]).arg(&socket).arg("--").args(command);
        let child = words.stdin(Stdio::null()).stderr(stderr).spawn().unwrap();
        wait_for("it listens", 20, || socket.exists());
        Self { child, watchdog: format!("mux:{}", socket.display()) }
    }
}

impl Drop for Multiplexer {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(&self.child, "TERM");
            let _ = self.child.wait();
        }
    }
}

fn configure(sandbox: &Sandbox, file: &str, text: &str) {
    fs::write(sandbox.store().join("config").join(file), text).unwrap();
}

const DEVICES: &str = "device off /bin/true\nconnect off node=node1\nconnect off node=node2\n";

#[test]
fn several_nodes_without_a_watchdog_need_fence_devices_for_each_of_them() {
    let sandbox = Sandbox::new("guard-none", "node1,node2", "fast");
    let told = refused(&sandbox, "none");
    assert!(told.contains("fencing: hardware"), "{told}");
    configure(&sandbox, "fence.cfg", DEVICES);
    refused(&sandbox, "none");
    configure(&sandbox, "datacenter.cfg", "fencing: both\n");
    refused(&sandbox, "none");
    configure(&sandbox, "datacenter.cfg", "fencing: hardware\n");
    configure(&sandbox, "fence.cfg", "device off /bin/true\nconnect off node=node1\n");
    refused(&sandbox, "none");
    configure(&sandbox, "fence.cfg", DEVICES);
    let mut daemon = daemon(&sandbox, "none");
    wait_for("it says so to all", 20, || sandbox.ok(&["status"]).contains("guarded by fence devices alone"));
    assert!(sandbox.ok(&["check"]).contains("node1 is guarded by fence devices alone"));

    // What it counted on is taken away: it begins nothing, and that is told.
    configure(&sandbox, "datacenter.cfg", "fencing: watchdog\n");
    let checked = String::from_utf8(sandbox.ha(&["check"]).stdout).unwrap();
    assert!(checked.contains("it works on nothing new"), "{checked}");
    sandbox.guest("proc:sleep", "node1", &["sleep", "1000"]);
    sandbox.ok(&["add", "proc:sleep"]);
    wait_for("it is told", 20, || sandbox.log_text("node1").contains("open_watchdog"));
    assert_ne!(sandbox.shown("proc:sleep"), "started");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

#[test]
fn a_multiplexer_with_other_timings_than_the_cluster_is_refused_with_both_figures() {
    let sandbox = Sandbox::new("guard-timings", "node1", "fast");
    let multiplexer = Multiplexer::start(&sandbox, "customary", Stdio::null(), &["sleep", "1000"]);
    let told = refused(&sandbox, &multiplexer.watchdog);
    for figure in ["a timeout of 3 s and a slack of 3.1 s", "a timeout of 60 s and a slack of 12 s"] {
        assert!(told.contains(figure), "{told}");
    }
}

/// As in a container with a time namespace of its own: its deadlines would count for much too long.
#[test]
fn a_daemon_by_another_clock_is_refused() {
    let mut sandbox = Sandbox::new("guard-clock", "node1", "fast");
    let multiplexer = Multiplexer::start(&sandbox, "fast", Stdio::null(), &["sleep", "1000"]);
    let inside = ["unshare", "--time", "--boottime", "100000", "--fork"];
    if !Command::new(inside[0]).args(&inside[1..]).arg("true").status().is_ok_and(|status| status.success()) {
        skip("a time namespace cannot be made here");
        return;
    }
    sandbox.inside = inside.map(str::to_owned).to_vec();
    let told = refused(&sandbox, &multiplexer.watchdog);
    assert!(told.contains("the same time namespace"), "{told}");
}

#[test]
fn a_multiplexer_that_comes_late_is_found_and_shown() {
    let sandbox = Sandbox::new("guard-late", "node1", "fast");
    let socket = sandbox.directory.join("mux.sock");
    let mut daemon = daemon(&sandbox, &format!("mux:{}", socket.display()));
    wait_for("it is told", 20, || sandbox.log_text("node1").contains("works on nothing new"));
    let _multiplexer = Multiplexer::start(&sandbox, "fast", Stdio::null(), &["sleep", "1000"]);
    wait_for("it is shown", 30, || sandbox.ok(&["status"]).contains("guarded by a watchdog of processes"));
    assert!(sandbox.ok(&["check", "--json"]).contains("\"node1\": \"a watchdog of processes\""));
    signal(&daemon, "TERM");
    assert!(daemon.wait().unwrap().success());
}

/// The reader of its messages has gone, as when a terminal is closed; then it gets signals that end a program which does not know
/// them.
#[test]
fn a_multiplexer_that_nobody_reads_goes_on() {
    let sandbox = Sandbox::new("guard-stderr", "node1", "fast");
    let (reader, writer) = std::io::pipe().unwrap();
    let mut multiplexer = Multiplexer::start(&sandbox, "fast", writer.into(), &["sleep", "1000"]);
    drop(reader);
    // What it is told of: clients that it can't serve.
    for _ in 0..3 {
        use std::io::Write;
        let path = multiplexer.watchdog.strip_prefix("mux:").unwrap();
        std::os::unix::net::UnixStream::connect(path).unwrap().write_all(b"nonsense").unwrap();
        thread::sleep(Duration::from_millis(200));
    }
    let mut daemon = daemon(&sandbox, &multiplexer.watchdog);
    wait_for("it serves", 20, || sandbox.ok(&["status"]).contains("guarded by a watchdog of processes"));
    assert!(multiplexer.child.try_wait().unwrap().is_none());
    signal(&daemon, "TERM");
    assert!(daemon.wait().unwrap().success());
}

/// Nobody reads the log of a node whose terminal was closed, which sends SIGHUP as well.
#[test]
fn a_node_that_loses_its_terminal_goes_on() {
    let sandbox = Sandbox::new("guard-hangup", "node1", "fast");
    sandbox.guest("proc:sleep", "node1", &["sleep", "1000"]);
    sandbox.ok(&["add", "proc:sleep"]);
    let run = sandbox.directory.join("run");
    let (reader, writer) = std::io::pipe().unwrap();
    let socket = sandbox.directory.join("mux.sock");
    let mux = format!("mux:{}", socket.display());
    let program = sandbox.program.to_str().unwrap().to_owned();
    let words = ["supervise", "--timings", "fast", "--socket", socket.to_str().unwrap(), "--", &program];
    let daemon = ["node", "run", "--run-dir", run.to_str().unwrap(), "--watchdog", &mux];
    let mut command = sandbox.command();
    command.args(words).args(daemon).stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut machine = command.spawn().unwrap();
    wait_for("the service runs", 30, || sandbox.shown("proc:sleep") == "started");
    drop(reader);
    let pid = fs::read_to_string(run.join("daemon.pid")).unwrap();
    for name in ["HUP", "USR1", "USR2", "ALRM"] {
        assert!(Command::new("kill").args(["-s", name, pid.trim()]).status().unwrap().success());
    }
    thread::sleep(Duration::from_secs(4));
    assert_eq!(machine.try_wait().unwrap(), None, "it is reset, or has ended");
    assert_eq!(sandbox.shown("proc:sleep"), "started");
    assert!(Path::new(&format!("/proc/{}", pid.trim())).exists());
    signal(&machine, "TERM");
    machine.wait().unwrap();
}

/// As long as a file is there, makes the clock fail that a daemon's thread of this name waits by, which the daemon takes for a defect.
const DEFECT: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    const char *name = getenv("HA_TEST_DEFECT"), *path = getenv("HA_TEST_DEFECT_WHILE");
    char own[16];
    if (clock == CLOCK_MONOTONIC && name && path && pthread_getname_np(pthread_self(), own, sizeof own) == 0
        && strcmp(own, name) == 0 && unlink(path) == 0) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_clock_gettime, clock, now);
}
"#;

/// Runs a node in which a daemon dies of a defect while a service runs. Gives the exit code of its machine, and its log.
fn with_a_defect_in(daemon: &str) -> (Option<i32>, String) {
    let sandbox = Sandbox::new(&format!("guard-defect-{daemon}"), "node1", "fast");
    sandbox.guest("proc:sleep", "node1", &["sleep", "1000"]);
    sandbox.ok(&["add", "proc:sleep"]);
    let (source, library) = (sandbox.directory.join("defect.c"), sandbox.directory.join("defect.so"));
    fs::write(&source, DEFECT).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
    assert!(built.is_ok_and(|status| status.success()), "cc, which links Rust programs, compiles this too");
    let trigger = sandbox.directory.join("trigger");
    let variables = [
        format!("LD_PRELOAD={}", library.display()),
        format!("HA_TEST_DEFECT={daemon}"),
        format!("HA_TEST_DEFECT_WHILE={}", trigger.display()),
    ];
    let words: Vec<&str> = ["env"].into_iter().chain(variables.iter().map(String::as_str)).collect();
    let mut machine = sandbox.machine("node1", &words);
    wait_for("the service runs", 30, || sandbox.shown("proc:sleep") == "started");
    fs::write(&trigger, "").unwrap();
    wait_for("the machine ends", 40, || machine.try_wait().unwrap().is_some());
    (machine.wait().unwrap().code(), sandbox.log_text("node1"))
}

#[test]
fn a_crm_that_dies_is_told_and_ends_the_daemon_without_a_reset() {
    let (code, log) = with_a_defect_in("crm");
    assert!(log.contains("died of a defect") && log.contains("the CRM has ended unasked"), "{log}");
    assert_eq!(code, Some(1), "{log}");
}

#[test]
fn an_lrm_that_dies_is_told_and_its_node_is_reset() {
    let (code, log) = with_a_defect_in("lrm");
    assert!(log.contains("died of a defect") && log.contains("the LRM has died"), "{log}");
    assert_eq!(code, Some(RESET_EXIT_CODE), "{log}");
}
