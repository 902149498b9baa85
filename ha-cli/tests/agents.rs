//! Agents with real processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use common::{Sandbox, SmallDisk, processes_with, skip, wait_for};
use ha_core::id::{NodeName, ServiceId};
use ha_host::agents::{Containment, ExecAgent, ExecGuest, Launcher, ProcAgent, ProcGuest};

fn node() -> NodeName {
    NodeName::new("node1").unwrap()
}

fn sid() -> ServiceId {
    ServiceId::new("proc:a/b").unwrap()
}

fn launcher() -> Launcher {
    Launcher::new(env!("CARGO_BIN_EXE_ha"))
}

fn proc_agent(sandbox: &Sandbox) -> ProcAgent {
    ProcAgent::new(node(), &sandbox.directory, launcher())
}

/// How services are held together on this machine, and how where there are no cgroups.
fn ways() -> Vec<(&'static str, Launcher)> {
    let guardian = ("guardian", launcher().without_cgroups());
    match launcher().containment() {
        Containment::Cgroup(_) => vec![("cgroup", launcher()), guardian],
        Containment::Guardian { why } => {
            skip(&format!("no cgroups here: {why}"));
            vec![guardian]
        }
    }
}

/// Runs a test once for each way to keep a service's processes together, in a directory of its own.
fn in_each_way(name: &str, test: impl Fn(&Sandbox, ProcAgent)) {
    for (way, launcher) in ways() {
        eprintln!("{name}: {way}");
        let sandbox = Sandbox::empty(&format!("{name}-{way}"));
        test(&sandbox, ProcAgent::new(node(), &sandbox.directory, launcher));
    }
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

/// A worker that does not listen to signals; its script has this name.
fn worker(sandbox: &Sandbox) -> PathBuf {
    script(sandbox, "worker", "trap '' TERM HUP INT; while :; do sleep 0.1; done")
}

#[test]
fn what_a_service_that_failed_left_behind_is_gone_before_it_is_started_again() {
    in_each_way("leftover", |sandbox, agent| {
        let worker = worker(sandbox);
        let main = script(sandbox, "main", &format!("env -i setsid {} & exec sleep 1000", worker.display()));
        agent.start(&sid(), &guest(&[main.to_str().unwrap()])).unwrap();
        wait_for("its child runs", 20, || processes_with(&worker).len() == 1);
        let before = processes_with(&worker);
        let parent = |pid: u32| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let main_pid: u32 = parent(before[0]).rsplit(')').next().unwrap().split(' ').nth(2).unwrap().parse().unwrap();
        assert!(Command::new("kill").args(["-9", &main_pid.to_string()]).status().unwrap().success());
        wait_for("what is left is ended", 20, || !agent.is_running(&sid()).unwrap());
        assert!(processes_with(&worker).is_empty(), "nothing is left when it says so");
        agent.start(&sid(), &guest(&[main.to_str().unwrap()])).unwrap();
        wait_for("another child runs", 20, || processes_with(&worker).len() == 1);
        agent.stop(&sid(), 0).unwrap();
        assert!(processes_with(&worker).is_empty());
    });
}

/// Ways in which a script's worker leaves it. What runs afterwards is the service.
const WAYS_TO_LEAVE: [(&str, &str); 5] = [
    ("a child", "WORKER & exit 0"),
    ("without environment", "env -i WORKER & exit 0"),
    ("in a session of its own", "setsid WORKER & exit 0"),
    ("as a daemon", "(setsid env -i /bin/sh -c '(exec WORKER >/dev/null 2>&1 </dev/null) & exit 0' &) ; exit 0"),
    ("from a child that was killed", "sh -c 'env -i setsid WORKER & sleep 0.3; kill -9 $$'; exit 0"),
];

#[test]
fn a_service_whose_program_has_ended_runs_as_long_as_anything_of_it_does() {
    in_each_way("forks", |sandbox, agent| {
        let worker = worker(sandbox);
        for (how, text) in WAYS_TO_LEAVE {
            let main = script(sandbox, "main", &text.replace("WORKER", worker.to_str().unwrap()));
            agent.start(&sid(), &guest(&[main.to_str().unwrap()])).unwrap();
            wait_for("only the worker is left", 20, || {
                processes_with(&main).is_empty() && processes_with(&worker).len() == 1
            });
            assert!(agent.is_running(&sid()).unwrap(), "{how}");
            agent.start(&sid(), &guest(&["/no/such/program"])).expect("it runs already");
            agent.stop(&sid(), 1).unwrap();
            assert!(processes_with(&worker).is_empty(), "{how}: a stop that says done leaves nothing");
            assert!(!agent.is_running(&sid()).unwrap(), "{how}");
        }
    });
}

#[test]
fn the_next_agent_finds_what_has_left_its_program() {
    in_each_way("next", |sandbox, agent| {
        let worker = worker(sandbox);
        let main = script(sandbox, "main", &format!("env -i setsid {} & exit 0", worker.display()));
        agent.start(&sid(), &guest(&[main.to_str().unwrap()])).unwrap();
        drop(agent);
        wait_for("only the worker is left", 20, || {
            processes_with(&main).is_empty() && processes_with(&worker).len() == 1
        });
        // It goes by what is in the record, not by whether there are cgroups now.
        for (_, launcher) in ways() {
            assert!(ProcAgent::new(node(), &sandbox.directory, launcher).is_running(&sid()).unwrap());
        }
        proc_agent(sandbox).stop(&sid(), 0).unwrap();
        assert!(processes_with(&worker).is_empty());
    });
}

/// A guest that ends all that it can reach ends neither its guardian nor us.
#[test]
fn a_program_that_kills_its_group_is_still_looked_after() {
    let sandbox = Sandbox::empty("group");
    let worker = worker(&sandbox);
    let main = script(&sandbox, "main", &format!("env -i setsid {} & sleep 0.3; kill -9 0", worker.display()));
    let agent = ProcAgent::new(node(), &sandbox.directory, launcher().without_cgroups());
    agent.start(&sid(), &guest(&[main.to_str().unwrap()])).unwrap();
    wait_for("it is gone with all that it left", 20, || {
        !agent.is_running(&sid()).unwrap() && processes_with(&worker).is_empty()
    });
}

/// A guardian that is killed has nobody to tell what is left; with a cgroup the kernel does.
#[test]
fn without_its_guardian_nobody_says_that_a_service_does_not_run() {
    in_each_way("unguarded", |sandbox, agent| {
        let worker = worker(sandbox);
        let main = script(sandbox, "main", &format!("env -i setsid {} & exit 0", worker.display()));
        agent.start(&sid(), &guest(&[main.to_str().unwrap()])).unwrap();
        wait_for("only the worker is left", 20, || {
            processes_with(&main).is_empty() && processes_with(&worker).len() == 1
        });
        let file = sandbox.directory.join("proc/proc:a%2Fb.json");
        let record: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert!(Command::new("kill").args(["-9", &record["pid"].to_string()]).status().unwrap().success());
        if record["cgroup"].is_string() {
            agent.stop(&sid(), 0).unwrap();
            assert!(processes_with(&worker).is_empty() && !agent.is_running(&sid()).unwrap());
            return;
        }
        wait_for("it is known that the guardian is gone", 20, || agent.is_running(&sid()).is_err());
        let error = agent.stop(&sid(), 0).unwrap_err();
        assert!(error.message.contains("guardian") && error.message.contains(file.to_str().unwrap()), "{error}");
        assert!(agent.start(&sid(), &guest(&["/bin/sleep", "1000"])).is_err(), "nothing is started beside it");
    });
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
    (agent, ExecGuest { command: vec![program.display().to_string(), "extra".into()], timeout_s: 5 })
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
    assert!(error.message.contains("longer than 5 s"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

/// As its documentation says: where there are cgroups, all that came from `start`.
#[test]
fn what_a_program_of_ones_own_left_behind_is_ended_when_it_says_no() {
    let Containment::Cgroup(_) = launcher().containment() else { return skip("no cgroups here") };
    let sandbox = Sandbox::empty("exec-left");
    let worker = worker(&sandbox);
    let state = sandbox.directory.join("state");
    let body = format!(
        "case $2 in status) test -e {state} || exit 3;; start) touch {state}; env -i setsid {worker} & ;; stop) rm {state};; esac",
        state = state.display(),
        worker = worker.display()
    );
    let (agent, guest) = exec(&sandbox, &body);
    let sid = ServiceId::new("exec:x").unwrap();
    agent.start(&sid, &guest).unwrap();
    wait_for("its worker runs", 20, || processes_with(&worker).len() == 1);
    assert!(agent.is_running(&sid, &guest).unwrap());
    agent.stop(&sid, &guest, Some(5)).unwrap();
    assert!(!agent.is_running(&sid, &guest).unwrap());
    assert!(processes_with(&worker).is_empty(), "it was said not to run, and something was left");
}

/// Two of a service, one of them out of reach, would both have its data.
#[test]
fn what_a_start_of_ones_own_program_left_behind_is_ended_before_the_next_one() {
    let Containment::Cgroup(_) = launcher().containment() else { return skip("no cgroups here") };
    let sandbox = Sandbox::empty("exec-again");
    let worker = worker(&sandbox);
    let body = format!("case $2 in start) env -i setsid {} & exit 1;; esac", worker.display());
    let (agent, guest) = exec(&sandbox, &body);
    let sid = ServiceId::new("exec:x").unwrap();
    assert!(agent.start(&sid, &guest).is_err());
    wait_for("its worker runs", 20, || processes_with(&worker).len() == 1);
    let left = processes_with(&worker);
    assert!(agent.start(&sid, &guest).is_err());
    wait_for("the next worker runs", 20, || !processes_with(&worker).is_empty());
    assert!(processes_with(&worker).iter().all(|process| !left.contains(process)), "the first one is still there");
    agent.stop(&sid, &guest, Some(5)).unwrap();
}

/// The daemon before this one has begun a verb, and ended; what it began goes on. That daemon is this test in a process of its own.
#[test]
fn a_verb_waits_for_the_one_that_a_former_daemon_has_begun() {
    const FORMER: &str = "HA_TEST_FORMER";
    let guest = |program: String| ExecGuest { command: vec![program, "extra".into()], timeout_s: 5 };
    let sid = ServiceId::new("exec:x").unwrap();
    if let Ok(directory) = std::env::var(FORMER) {
        let agent = ExecAgent::new(node(), Path::new(&directory), launcher());
        let _ = agent.start(&sid, &guest(format!("{directory}/program")));
        return;
    }
    let sandbox = Sandbox::empty("exec-former");
    let calls = sandbox.directory.join("calls");
    let body = "echo $2 >> CALLS; [ $2 != start ] || sleep 1; echo $2 ended >> CALLS";
    let (agent, guest) = exec(&sandbox, &body.replace("CALLS", calls.to_str().unwrap()));
    let said = || fs::read_to_string(&calls).unwrap_or_default();
    let mut former = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_verb_waits_for_the_one_that_a_former_daemon_has_begun"])
        .env(FORMER, &sandbox.directory)
        .spawn()
        .unwrap();
    wait_for("the start has begun", 20, || said() == "start\n");
    former.kill().unwrap();
    former.wait().unwrap();
    agent.stop(&sid, &guest, Some(5)).unwrap();
    assert_eq!(said(), "start\nstart ended\nstop\nstop ended\n");
}

#[test]
fn on_a_full_disk_nothing_is_started_that_could_not_be_written_down() {
    let sandbox = Sandbox::empty("agent-full");
    let run = sandbox.directory.join("run");
    let Some(disk) = SmallDisk::mount(&run, 64) else { return };
    let main = script(&sandbox, "main", "while :; do sleep 0.1; done");
    let agent = ProcAgent::new(node(), &run, Launcher::new(env!("CARGO_BIN_EXE_ha")));
    disk.fill();
    let error = agent.start(&sid(), &guest(&[main.to_str().unwrap()])).unwrap_err();
    assert!(error.message.contains("No space left"), "{error}");
    assert!(processes_with(&main).is_empty() && !agent.is_running(&sid()).unwrap());
    disk.make_room();
    agent.start(&sid(), &guest(&[main.to_str().unwrap()])).unwrap();
    assert!(agent.is_running(&sid()).unwrap());
    agent.stop(&sid(), 0).unwrap();
}

/// What the record said is lost, so it is not known whether something runs: nothing is started beside it.
#[test]
fn with_a_damaged_record_nothing_is_started() {
    let sandbox = Sandbox::empty("agent-record");
    let agent = proc_agent(&sandbox);
    agent.start(&sid(), &guest(&["/bin/sleep", "1000"])).unwrap();
    let file = sandbox.directory.join("proc/proc:a%2Fb.json");
    let good = fs::read(&file).unwrap();
    fs::write(&file, &good[..good.len() / 2]).unwrap();
    assert!(agent.is_running(&sid()).unwrap_err().message.contains("cannot read"));
    assert!(agent.start(&sid(), &guest(&["/bin/sleep", "1000"])).is_err());
    fs::write(&file, good).unwrap();
    agent.stop(&sid(), 0).unwrap();
}

/// A start may be given an hour; whoever asked for it may not want to wait so long.
#[test]
fn a_verb_that_is_at_work_can_be_interrupted_with_all_that_it_has_started() {
    let sandbox = Sandbox::empty("exec-interrupt");
    let body = "case $2 in status) exit 3;; start) sleep 1000 & wait;; esac";
    let (agent, guest) = exec(&sandbox, body);
    let guest = ExecGuest { timeout_s: 3600, ..guest };
    let sid = ServiceId::new("exec:x").unwrap();
    assert!(!agent.interrupt(&sid).unwrap(), "nothing is at work");
    let starter = std::thread::spawn({
        let (agent, sid) = (agent.clone(), sid.clone());
        move || agent.start(&sid, &guest).unwrap_err().to_string()
    });
    wait_for("the verb is at work", 20, || agent.interrupt(&sid).unwrap());
    let told = starter.join().unwrap();
    assert!(told.contains("failed to start"), "{told}");
    assert!(!agent.interrupt(&sid).unwrap(), "it is gone");
}

/// A program of one's own, tried out; gives for each promise how it begins: `kept`, `BROKEN`, `?`.
fn tried(sandbox: &Sandbox, status: &str, start: &str, stop: &str) -> (i32, Vec<String>) {
    // What the one before has left behind is not this one's.
    let _ = fs::remove_file(sandbox.directory.join("pid"));
    let body = format!("case $1 in status) {status};; start) {start};; stop) {stop};; esac");
    let program = script(sandbox, "tried", &body);
    let output = sandbox.ha(&["agents", "test", "--timeout", "5", program.to_str().unwrap()]);
    let told = String::from_utf8(output.stdout).unwrap();
    let words = told.lines().take(7).map(|line| line.split(' ').next().unwrap().to_owned());
    (output.status.code().unwrap(), words.collect())
}

#[test]
fn a_program_is_tried_out_in_each_state_and_each_fault_of_it_is_named() {
    let sandbox = Sandbox::empty("exec-trial");
    let watched = sandbox.directory.join("watched");
    fs::write(&watched, "").unwrap();
    let (pid, worker) = (sandbox.directory.join("pid").display().to_string(), format!("tail -f {}", watched.display()));
    // One that is dead and that nobody has waited for yet does not run.
    let is_alive = format!("grep -qs 'State:.[^ZX]' /proc/$(cat {pid} 2>/dev/null || echo x)/status");
    let runs = format!("{is_alive} || exit 3");
    let begin = format!("{worker} >/dev/null 2>&1 & echo $! >{pid}");
    let end = format!("kill -9 $(cat {pid}); while {is_alive}; do sleep 0.01; done; rm {pid}");
    let (if_not, if_so) = (format!("( {runs} ) || {{ {begin}; }}"), format!("( {runs} ) || exit 0; {end}"));
    assert_eq!(tried(&sandbox, &runs, &if_not, &if_so), (0, vec!["kept".to_owned(); 7]), "a good one");
    // Without a look whether it runs already.
    assert_eq!(tried(&sandbox, &runs, &begin, &if_so).1[3], "BROKEN", "a second one is started");
    assert_eq!(tried(&sandbox, &runs, &if_not, &end).1[1], "BROKEN", "a stop of what does not run fails");
    // One that says what it was told last, and not what is.
    let believed = format!("test -e {pid} || exit 3");
    assert_eq!(tried(&sandbox, &believed, &if_not, &if_so).1[6], "BROKEN", "it is killed, and said to run");
    let (code, found) = tried(&sandbox, &believed, &if_not, &format!("rm -f {pid}"));
    assert_eq!((code, found[4].as_str(), found[5].as_str()), (1, "BROKEN", "BROKEN"), "what it leaves behind goes on");
    let (_, found) = tried(&sandbox, "exit 3", "exit 1", "exit 0");
    assert_eq!(found, ["kept", "kept", "BROKEN", "?", "?", "?", "?"], "one that can't be started");
    let stopped = sandbox.directory.join("stopped");
    for status in ["exit 0", "exit 7"] {
        let (_, found) = tried(&sandbox, status, "exit 0", &format!("touch {}", stopped.display()));
        assert_eq!(found, ["BROKEN", "?", "?", "?", "?", "?", "?"], "one that runs already, or can't tell");
        assert!(!stopped.exists(), "what may be at work is not touched");
    }
    assert!(processes_with(&watched).is_empty(), "nothing of them goes on");
}
