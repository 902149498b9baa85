//! Agents with real processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use common::{Sandbox, processes_with, wait_for};
use ha_core::id::{NodeName, ServiceId};
use ha_host::{
    agent::{ExecAgent, Launcher, ProcAgent},
    store::{ExecGuest, ProcGuest},
};

fn node() -> NodeName {
    NodeName::new("node1").unwrap()
}

fn sid() -> ServiceId {
    ServiceId::new("proc:a/b").unwrap()
}

fn proc_agent(sandbox: &Sandbox) -> ProcAgent {
    ProcAgent::new(node(), &sandbox.directory, Launcher::new(env!("CARGO_BIN_EXE_ha")))
}

fn guest(command: &[&str]) -> ProcGuest {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    ProcGuest { command, directory: None, environment: BTreeMap::new(), grace_s: 1 }
}

/// A script that stays, with a name of its own by which it is found.
fn script(sandbox: &Sandbox, name: &str, text: &str) -> PathBuf {
    let path = sandbox.directory.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_process_outlives_the_agent_and_is_found_by_the_next_one() {
    let sandbox = Sandbox::empty("proc");
    let agent = proc_agent(&sandbox);
    assert!(!agent.is_running(&sid()).unwrap());
    agent.start(&sid(), &guest(&["/bin/sleep", "1000"])).unwrap();
    assert!(agent.is_running(&sid()).unwrap());
    drop(agent);

    let next = proc_agent(&sandbox);
    assert!(next.is_running(&sid()).unwrap());
    next.start(&sid(), &guest(&["/no/such/program"])).expect("it runs already: nothing is started");
    next.stop(&sid(), 2).unwrap();
    assert!(!next.is_running(&sid()).unwrap());
    next.stop(&sid(), 2).expect("it is stopped already");
}

#[test]
fn a_stranger_with_the_number_of_a_dead_process_is_left_alone() {
    let sandbox = Sandbox::empty("stranger");
    let mut stranger = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
    fs::create_dir_all(sandbox.directory.join("proc")).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let record = serde_json::json!({"pid": stranger.id(), "started": 1, "boot": boot.trim(), "instance": "old"});
    fs::write(sandbox.directory.join("proc/proc:a%2Fb.json"), record.to_string()).unwrap();
    let agent = proc_agent(&sandbox);
    assert!(!agent.is_running(&sid()).unwrap());
    agent.stop(&sid(), 0).unwrap();
    assert!(stranger.try_wait().unwrap().is_none(), "it was killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_process_that_does_not_listen_is_killed_with_its_children() {
    let sandbox = Sandbox::empty("deaf");
    let child = script(&sandbox, "child", "trap '' TERM; while :; do sleep 0.1; done");
    let main =
        script(&sandbox, "main", &format!("trap '' TERM; setsid {} & while :; do sleep 0.1; done", child.display()));
    let agent = proc_agent(&sandbox);
    agent.start(&sid(), &guest(&[main.to_str().unwrap()])).unwrap();
    wait_for("its child runs", 10, || !processes_with(&child).is_empty());
    let began = Instant::now();
    agent.stop(&sid(), 1).unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "it had its grace");
    assert!(processes_with(&main).is_empty() && processes_with(&child).is_empty());
}

#[test]
fn what_a_dead_service_left_behind_is_gone_before_it_is_started_again() {
    let sandbox = Sandbox::empty("leftover");
    let child = script(&sandbox, "child", "while :; do sleep 0.1; done");
    let main = script(&sandbox, "main", &format!("{} & exit 0", child.display()));
    let agent = proc_agent(&sandbox);
    agent.start(&sid(), &guest(&[main.to_str().unwrap()])).unwrap();
    wait_for("only the child is left", 10, || !agent.is_running(&sid()).unwrap() && processes_with(&child).len() == 1);
    let before = processes_with(&child);
    agent.start(&sid(), &guest(&[main.to_str().unwrap()])).unwrap();
    wait_for("another child runs", 10, || processes_with(&child).len() == 1 && processes_with(&child) != before);
    agent.stop(&sid(), 0).unwrap();
    assert!(processes_with(&child).is_empty());
}

#[test]
fn a_program_that_cannot_be_started_is_told() {
    let sandbox = Sandbox::empty("missing");
    let agent = proc_agent(&sandbox);
    let error = agent.start(&sid(), &guest(&["/no/such/program"])).unwrap_err();
    assert!(error.message.contains("/no/such/program"), "{error}");
    assert!(!agent.is_running(&sid()).unwrap());
    assert!(agent.start(&sid(), &guest(&[])).is_err());
}

fn exec(sandbox: &Sandbox, body: &str) -> (ExecAgent, ExecGuest) {
    let program = script(sandbox, "program", body);
    let agent = ExecAgent::new(node(), &sandbox.directory, Launcher::new(env!("CARGO_BIN_EXE_ha")));
    (agent, ExecGuest { command: vec![program.display().to_string(), "extra".into()], timeout_s: 1 })
}

#[test]
fn a_program_of_ones_own_is_called_with_its_verbs() {
    let sandbox = Sandbox::empty("exec");
    let state = sandbox.directory.join("state");
    let body = format!(
        r#"echo "$@ $HA_SID $HA_NODE" >> {calls}
case "$2" in
status) test -e {state} || exit 3;;
start) touch {state};;
stop) rm -f {state};;
migrate) test "$4" = node2 || exit 3; rm {state};;
esac"#,
        calls = sandbox.directory.join("calls").display(),
        state = state.display()
    );
    let (agent, guest) = exec(&sandbox, &body);
    let sid = ServiceId::new("vm:100").unwrap();
    let target = |name| NodeName::new(name).unwrap();
    assert!(!agent.is_running(&sid, &guest).unwrap());
    agent.start(&sid, &guest).unwrap();
    assert!(agent.is_running(&sid, &guest).unwrap());
    assert!(!agent.migrate(&sid, &guest, &target("node3")).unwrap(), "3 is: not live");
    assert!(agent.migrate(&sid, &guest, &target("node2")).unwrap());
    agent.stop(&sid, &guest, Some(7)).unwrap();
    let calls = fs::read_to_string(sandbox.directory.join("calls")).unwrap();
    assert!(calls.starts_with("extra status vm:100 vm:100 node1\nextra start vm:100 vm:100 node1\n"), "{calls}");
    assert!(calls.ends_with("extra stop vm:100 7 vm:100 node1\n"), "{calls}");
}

#[test]
fn an_exit_code_that_says_nothing_is_an_error_and_what_takes_too_long_is_killed() {
    let sandbox = Sandbox::empty("exec-bad");
    let (agent, guest) = exec(&sandbox, "case $2 in status) exit 7;; start) exec sleep 1000;; esac");
    let sid = ServiceId::new("vm:100").unwrap();
    assert!(agent.is_running(&sid, &guest).unwrap_err().message.contains("exit code 7"));
    let began = Instant::now();
    let error = agent.start(&sid, &guest).unwrap_err();
    assert!(error.message.contains("longer than 1 s"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(4));
}
