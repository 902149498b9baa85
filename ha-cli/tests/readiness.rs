//! Services that run and are not ready: what is shown of them, and what follows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use common::{Sandbox, wait_for};
use ha_core::{
    event::Event,
    host::{HostError, ProbeAttempt, ProbeProgress},
    id::{NodeName, ServiceId},
};
use ha_host::{
    agents::{Kinds, Launcher, NodeAgents, Prober, SharedSink, Workplace},
    store::StoreAddress,
};

/// Nobody listens.
struct Deaf;

impl SharedSink for Deaf {
    fn event(&self, _: Event) {}
}

fn prober(sandbox: &Sandbox) -> Prober {
    let node = NodeName::new("node1").unwrap();
    let place = Workplace {
        store: StoreAddress::File(sandbox.store()).open(Duration::from_secs(2)).unwrap(),
        node: node.clone(),
        address: "127.0.0.1".into(),
        run_directory: sandbox.directory.join("run"),
        launcher: Launcher::new(env!("CARGO_BIN_EXE_ha")),
    };
    Prober::new(node, NodeAgents::new(&Kinds::default(), &place, Arc::new(Deaf)), &sandbox.directory)
}

fn attempt(number: u64, probe: &str) -> ProbeAttempt {
    ProbeAttempt { sid: ServiceId::new("proc:web").unwrap(), number, probe: probe.parse().unwrap(), timeout: 60 }
}

/// The answer to an attempt, once there is one.
fn answer(prober: &mut Prober, attempt: &ProbeAttempt) -> Result<ProbeProgress, HostError> {
    let mut answer = Ok(ProbeProgress::Running);
    wait_for("an answer", 60, || {
        answer = prober.progress(attempt);
        answer != Ok(ProbeProgress::Running)
    });
    answer
}

/// The lock of the node is renewed by the thread that asks: a server that never answers must not hold it up. And what it says at
/// last is of another attempt.
#[test]
fn a_probe_that_hangs_is_waited_for_by_nobody_and_its_late_answer_is_of_its_own_attempt() {
    let sandbox = Sandbox::new("prober", "node1", "fast");
    let mut prober = prober(&sandbox);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let hangs = attempt(1, &format!("http://{}/", server.local_addr().unwrap()));
    assert_eq!(prober.progress(&hangs), Ok(ProbeProgress::Running), "it comes back while nothing is answered");
    let (mut asker, _) = server.accept().unwrap();
    assert_eq!(prober.progress(&hangs), Ok(ProbeProgress::Running));

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let next = attempt(2, &format!("tcp:127.0.0.1:{closed}"));
    let _ = prober.progress(&next);
    let _ = asker.read(&mut [0; 4096]).unwrap();
    asker.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    let refused = answer(&mut prober, &next);
    assert!(refused.is_err(), "nobody listens there: {refused:?}");
}

#[test]
fn the_program_of_a_probe_is_one_of_the_directory_of_probes() {
    let sandbox = Sandbox::new("prober-exec", "node1", "fast");
    let mut prober = prober(&sandbox);
    let program = sandbox.directory.join("says");
    fs::write(&program, "#!/bin/sh\necho \"$HA_SID on $HA_NODE: $1\"; exit $2\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(answer(&mut prober, &attempt(1, "exec:says well 0")), Ok(ProbeProgress::Ready));
    let reason = answer(&mut prober, &attempt(2, "exec:says 'not yet' 3")).unwrap_err().to_string();
    assert_eq!(reason, "proc:web on node1: not yet");
    assert_eq!(answer(&mut prober, &attempt(3, "exec:says never 4")), Ok(ProbeProgress::Failed));
    assert!(answer(&mut prober, &attempt(4, "exec:true")).is_err(), "there is no such program in there");
}

/// How often the guest `proc:web` was started, by what it has written.
fn starts(sandbox: &Sandbox) -> usize {
    let run = sandbox.directory.join("run-node1");
    sandbox.ok(&["logs", "proc:web", "--run-dir", run.to_str().unwrap()]).matches("begun").count()
}

#[test]
fn a_service_is_starting_until_its_port_answers_and_is_restarted_when_that_answers_no_more() {
    let sandbox = Sandbox::new("ready", "node1", "fast");
    let mut node = sandbox.node("node1");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    sandbox.guest("proc:web", "node1", &["/bin/sh", "-c", "echo begun; exec sleep 1000"]);
    let probe = format!("tcp:127.0.0.1:{port}");
    sandbox.ok(&["add", "proc:web", "--probe", &probe, "--probe-interval", "1", "--probe-failures", "2"]);
    wait_for("a service that runs and does not answer", 60, || {
        sandbox.shown("proc:web") == "starting" && sandbox.ok(&["status"]).contains("Connection refused")
    });
    assert_eq!(starts(&sandbox), 1, "it has time to be ready");

    let mut restarting = sandbox.command().args(["restart", "proc:web"]).stdout(Stdio::piped()).spawn().unwrap();
    wait_for("a start", 60, || starts(&sandbox) == 2 && sandbox.shown("proc:web") == "starting");
    assert!(restarting.try_wait().unwrap().is_none(), "it waits until the service is ready");
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    wait_for("a service that answers", 60, || sandbox.shown("proc:web") == "started");
    let restarted = restarting.wait_with_output().unwrap();
    assert!(restarted.status.success());
    let said = String::from_utf8(restarted.stdout).unwrap();
    assert!(said.contains("proc:web to be started on node1, proc:web to be ready, "), "{said}");

    drop(listener);
    wait_for("a service that answers no more", 60, || sandbox.shown("proc:web") == "not ready");
    assert_eq!(sandbox.ha(&["status", "--exit-code"]).status.code(), Some(1), "that is not as it should be");
    assert_eq!(starts(&sandbox), 2, "it is only reported");
    sandbox.ok(&["set", "proc:web", "--on-failure", "restart"]);
    wait_for("a restart", 60, || starts(&sandbox) == 3);
    wait_for("the entry for that", 60, || {
        sandbox.ok(&["history", "proc:web"]).contains("proc:web runs and is not ready")
    });
    node.kill().unwrap();
    node.wait().unwrap();
}

#[test]
fn a_program_of_ones_own_says_why_its_service_is_not_ready() {
    let sandbox = Sandbox::new("ready-exec", "node1", "fast");
    let mut node = sandbox.node("node1");
    let (flag, program) = (sandbox.directory.join("is-ready"), sandbox.directory.join("agent"));
    let body = format!(
        "#!/bin/sh\nrunning={}/running\ncase $1 in status) [ -e $running ] || exit 3;; start) touch $running;; stop) rm -f $running;;\n\
         ready) [ -e {} ] && exit 0; echo 'replays its log' >&2; exit 3;; esac\n",
        sandbox.directory.display(),
        flag.display()
    );
    fs::write(&program, body).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let definition = serde_json::json!({"node": "node1", "agent": {"exec": {"command": [program]}}});
    let file = sandbox.directory.join("guest.json");
    fs::write(&file, definition.to_string()).unwrap();
    sandbox.ok(&["guest", "set", "exec:db", file.to_str().unwrap()]);
    sandbox.ok(&["add", "exec:db", "--probe", "agent", "--probe-interval", "1"]);
    wait_for("the reason", 60, || sandbox.ok(&["status"]).contains("its probe failed: replays its log"));
    fs::write(&flag, "").unwrap();
    wait_for("a service that is ready", 60, || sandbox.shown("exec:db") == "started");
    wait_for("the entry for that", 60, || sandbox.ok(&["history", "exec:db"]).contains("exec:db is ready"));
    node.kill().unwrap();
    node.wait().unwrap();
}
