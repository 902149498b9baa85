use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    thread,
};

use ha_core::config::fence::FenceArgument;

use super::*;

fn command(script: &str) -> FenceCommand {
    let arguments = vec![FenceArgument { key: "c".into(), value: Some(script.into()) }];
    FenceCommand { device: "power".into(), part: 1, program: "/bin/sh".into(), arguments }
}

fn attempt(incident: &str, number: u32) -> FenceAttempt {
    let node = NodeName::new("node1").unwrap();
    FenceAttempt { node, incident: Uid::new(incident).unwrap(), number, device: 0 }
}

fn outcome(
    runner: &mut FenceRunner,
    attempt: &FenceAttempt,
    commands: &[FenceCommand],
) -> Result<FenceProgress, HostError> {
    loop {
        match runner.run(attempt, commands) {
            Ok(FenceProgress::Running) => thread::sleep(Duration::from_millis(5)),
            ended => return ended,
        }
    }
}

fn outcome_of(scripts: &[&str], timeout_ms: u64) -> Option<FenceProgress> {
    let commands: Vec<FenceCommand> = scripts.iter().map(|script| command(script)).collect();
    outcome(&mut FenceRunner::new(Duration::from_millis(timeout_ms)), &attempt("one", 0), &commands).ok()
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        // It is written into shell scripts.
        let thread = format!("{:?}", thread::current().id()).replace(['(', ')'], "");
        let name = format!("ha-fence-{}-{thread}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn wait_for(path: &Path) {
    while !path.exists() {
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn all_parts_must_succeed_in_time() {
    assert_eq!(outcome_of(&["exit 0", "sleep 0.05"], 10_000), Some(FenceProgress::Succeeded));
    assert_eq!(outcome_of(&["exit 0", "exit 1"], 10_000), None);
    assert_eq!(outcome_of(&["exit 0", "sleep 60"], 50), Some(FenceProgress::Failed));
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let missing = FenceCommand { program: "/no/such/program".into(), ..command("") };
    let error = outcome(&mut FenceRunner::new(Duration::from_secs(9)), &attempt("one", 0), &[missing]).unwrap_err();
    assert!(error.message.contains("/no/such/program"), "{error}");
}

#[test]
fn the_answer_for_an_earlier_incident_counts_for_nothing() {
    let folder = Folder::new();
    let go = folder.0.join("go");
    let late = command(&format!("while [ ! -e {} ]; do sleep 0.02; done", go.display()));
    let mut runner = FenceRunner::new(Duration::from_secs(60));
    assert_eq!(runner.run(&attempt("one", 0), std::slice::from_ref(&late)), Ok(FenceProgress::Running));
    // The device answers while nobody asks, and the next question is about another incident.
    fs::write(&go, "").unwrap();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(outcome(&mut runner, &attempt("two", 0), &[command("exit 1")]).ok(), None);
}

#[test]
fn what_runs_for_an_earlier_incident_is_killed_before_the_next_is_begun() {
    let folder = Folder::new();
    let [began, acted] = ["began", "acted"].map(|name| folder.0.join(name));
    let slow = command(&format!("touch {}; sleep 0.5; touch {}", began.display(), acted.display()));
    let mut runner = FenceRunner::new(Duration::from_secs(60));
    assert_eq!(runner.run(&attempt("one", 0), &[slow]), Ok(FenceProgress::Running));
    wait_for(&began);
    runner.forget_fence_attempts(&BTreeSet::from([Uid::new("two").unwrap()])).unwrap();
    assert_eq!(outcome(&mut runner, &attempt("two", 0), &[command("sleep 1")]), Ok(FenceProgress::Succeeded));
    assert!(!acted.exists(), "the program of the earlier incident went on");
}

#[test]
fn secrets_are_on_no_command_line() {
    let folder = Folder::new();
    let agent = folder.0.join("agent");
    let script = "#!/bin/sh\ntr '\\0' ' ' < /proc/$$/cmdline > \"$(dirname \"$0\")/cmdline\"\ncat > \"$(dirname \"$0\")/input\"\n";
    fs::write(&agent, script).unwrap();
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o755)).unwrap();
    let argument = |key: &str, value: &str| FenceArgument { key: key.into(), value: Some(value.into()) };
    let arguments = vec![argument("ip", "192.0.2.1"), argument("password", "hush"), argument("p", "whisper")];
    let command = FenceCommand { device: "power".into(), part: 1, program: agent.display().to_string(), arguments };
    let mut runner = FenceRunner::new(Duration::from_secs(60));
    assert_eq!(outcome(&mut runner, &attempt("one", 0), &[command]), Ok(FenceProgress::Succeeded));
    let read = |name: &str| fs::read_to_string(folder.0.join(name)).unwrap();
    assert!(!read("cmdline").contains("hush") && !read("cmdline").contains("whisper"), "{}", read("cmdline"));
    assert_eq!(read("input"), "ip=192.0.2.1\npassword=hush\npassword=whisper\n");
}

/// Whether a process is there that has ended its life or not: what is dead and not buried does not count.
fn lives(pid: &Path) -> bool {
    let pid = fs::read_to_string(pid).unwrap_or_default();
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// The agent ends at once. What it has started is deaf to SIGTERM and SIGHUP, in a session of its own, and would act later.
fn agent_that_leaves_children(folder: &Folder, exit_code: u8) -> FenceCommand {
    let file = |name: &str| folder.0.join(name).display().to_string();
    let (child, acted) = (file("child"), file("acted"));
    let left = format!("trap \"\" TERM HUP INT; echo $$ > {child}.new; mv {child}.new {child}; sleep 3; touch {acted}");
    let how = format!("setsid sh -c '{left}' & while [ ! -e {child} ]; do sleep 0.02; done; exit {exit_code}");
    command(&format!("trap '' TERM; {how}"))
}

/// With cgroups, where there are any, and without.
fn in_each_way(test: impl Fn(FenceRunner, &Folder)) {
    let timeout = Duration::from_secs(60);
    test(FenceRunner::new(timeout), &Folder::new());
    let without = Containment::Guardian { why: "they are not wanted".to_owned() };
    test(FenceRunner::within(timeout, without), &Folder::new());
}

#[test]
fn nothing_of_an_agent_that_has_ended_lives_on_when_the_next_one_begins() {
    in_each_way(|mut runner, folder| {
        let [child, acted, found] = ["child", "acted", "found"].map(|name| folder.0.join(name));
        let failing = agent_that_leaves_children(folder, 1);
        assert_eq!(outcome(&mut runner, &attempt("one", 0), &[failing]).ok(), None);
        let look = format!(
            "state=$(sed 's/.*) //;s/ .*//' /proc/$(cat {})/stat 2>/dev/null); echo \"$state\" > {}",
            child.display(),
            found.display()
        );
        assert_eq!(outcome(&mut runner, &attempt("one", 1), &[command(&look)]), Ok(FenceProgress::Succeeded));
        let state = fs::read_to_string(&found).unwrap();
        assert!(matches!(state.trim(), "" | "Z" | "X"), "a child of the agent before it lived on: {state}");
        assert!(!lives(&child) && !acted.exists());
    });
}

#[test]
fn an_agent_that_succeeds_leaves_nothing_that_could_act_later() {
    in_each_way(|mut runner, folder| {
        let child = folder.0.join("child");
        let succeeding = agent_that_leaves_children(folder, 0);
        assert_eq!(outcome(&mut runner, &attempt("one", 0), &[succeeding]), Ok(FenceProgress::Succeeded));
        let end = std::time::Instant::now() + Duration::from_secs(2);
        while lives(&child) {
            assert!(std::time::Instant::now() < end, "it lives on");
            thread::sleep(Duration::from_millis(5));
        }
    });
}
