//! Services that run and are not ready: what is shown of them, and what follows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

use common::{Sandbox, wait_for};

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
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    wait_for("a service that answers", 60, || sandbox.shown("proc:web") == "started");
    assert_eq!(starts(&sandbox), 1, "it had time to be ready");

    drop(listener);
    wait_for("a service that answers no more", 60, || sandbox.shown("proc:web") == "not ready");
    assert_eq!(sandbox.ha(&["status", "--exit-code"]).status.code(), Some(1), "that is not as it should be");
    assert_eq!(starts(&sandbox), 1, "it is only reported");
    sandbox.ok(&["set", "proc:web", "--on-failure", "restart"]);
    wait_for("a restart", 60, || starts(&sandbox) == 2);
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
