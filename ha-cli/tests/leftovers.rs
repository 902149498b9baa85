//! Services that leave their program, seen from outside: no stop and no move says that it is done while anything of one is left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Child};

use common::{Sandbox, processes_with, skip, wait_for};

/// Two nodes on this machine, with the guest `proc:x` on the first.
struct Pair {
    sandbox: Sandbox,
    machines: Vec<Child>,
    worker: PathBuf,
}

impl Pair {
    /// Runs `text` as the guest, in which WORKER stands for a worker that nobody can end but by killing it. If workers run on two nodes
    /// at once, the second one leaves a trace.
    fn start(name: &str, inside: &[&str], text: &str) -> Self {
        let sandbox = Sandbox::new(name, "node1,node2", "fast");
        let here = sandbox.directory.clone();
        let worker = here.join("worker");
        let script = |path: &PathBuf, text: &str| {
            fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        let held = format!(
            "trap '' TERM HUP INT\nexec 9>{here}/disk\nflock -n 9 || {{ echo \"$1\" >> {here}/double; exit 1; }}\n\
             while :; do sleep 0.1; done",
            here = here.display()
        );
        script(&worker, &held);
        let main = here.join("main");
        script(&main, &text.replace("WORKER", &format!("{} $HA_NODE", worker.display())));
        sandbox.guest("proc:x", "node1", &[main.to_str().unwrap()]);
        sandbox.ok(&["add", "proc:x"]);
        let machines = ["node1", "node2"].map(|node| sandbox.machine(node, inside)).into();
        Self { sandbox, machines, worker }
    }

    fn workers(&self) -> Vec<u32> {
        processes_with(&self.worker)
    }

    /// It is said to be started, and its worker runs.
    fn runs_on(&self, node: &str) {
        wait_for(&format!("it runs on {node}"), 60, || {
            let status = self.sandbox.ok(&["status"]);
            status.contains(&format!("proc:x ({node}, started)")) && self.workers().len() == 1
        });
    }

    fn assert_never_twice(&self) {
        let double = fs::read_to_string(self.sandbox.directory.join("double")).unwrap_or_default();
        assert_eq!(double, "", "{}{}", self.sandbox.log_text("node1"), self.sandbox.log_text("node2"));
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for machine in &mut self.machines {
            let _ = machine.kill();
            let _ = machine.wait();
        }
    }
}

/// It is moved to and fro, and stopped.
fn goes_through_its_life(name: &str, inside: &[&str], text: &str) {
    let pair = Pair::start(name, inside, text);
    pair.runs_on("node1");
    pair.sandbox.ok(&["relocate", "proc:x", "node2"]);
    pair.runs_on("node2");
    pair.assert_never_twice();

    pair.sandbox.ok(&["migrate", "proc:x", "node1"]);
    pair.runs_on("node1");
    pair.assert_never_twice();

    pair.sandbox.ok(&["set", "proc:x", "--state", "stopped"]);
    wait_for("it is said to be stopped", 60, || pair.sandbox.shown("proc:x") == "stopped");
    assert!(pair.workers().is_empty(), "it is said to be stopped, and runs");
}

const FORKS_AWAY: &str = "env -i HA_NODE=$HA_NODE setsid WORKER </dev/null >/dev/null 2>&1 & exit 0";

/// Takes the cgroups away, as on a machine that has none.
const WITHOUT_CGROUPS: [&str; 5] = [
    "unshare",
    "-m",
    "sh",
    "-c",
    "for at in $(awk '/ - cgroup2 / { print $5 }' /proc/self/mountinfo); do umount -l $at; done; exec \"$0\" \"$@\"",
];

#[test]
fn a_service_that_forks_away_never_runs_twice() {
    goes_through_its_life("forks-away", &[], FORKS_AWAY);
}

#[test]
fn a_service_that_forks_away_never_runs_twice_without_cgroups() {
    let can = std::process::Command::new("unshare").args(["-m", "true"]).status();
    if !can.is_ok_and(|status| status.success()) {
        return skip("no mount namespace can be made here");
    }
    goes_through_its_life("forks-away-bare", &WITHOUT_CGROUPS, FORKS_AWAY);
}

#[test]
fn which_way_is_in_force_is_said() {
    let mut sandbox = Sandbox::new("held", "node1", "fast");
    sandbox.inside = WITHOUT_CGROUPS.map(str::to_owned).into();
    let output = sandbox.ha(&["check"]);
    if !output.status.success() {
        return skip("no mount namespace can be made here");
    }
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("held together by a guardian process each, for want of cgroups"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&sandbox.ok(&["check", "--json"])).unwrap();
    assert_eq!(json["services_held_by"], "guardian");
    let mut daemon = sandbox.node("node1");
    wait_for("the daemon says so", 20, || sandbox.log_text("node1").contains("held together by a guardian"));
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

#[test]
fn the_agent_of_a_guest_that_runs_is_not_changed() {
    let sandbox = Sandbox::new("kind", "node1", "fast");
    let worker = sandbox.directory.join("worker");
    fs::write(&worker, "#!/bin/sh\nwhile :; do sleep 0.1; done\n").unwrap();
    let program = sandbox.directory.join("program");
    fs::write(&program, "#!/bin/sh\ncase $1 in status) exit 3;; esac\n").unwrap();
    for script in [&worker, &program] {
        fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
    }
    sandbox.guest("proc:x", "node1", &[worker.to_str().unwrap()]);
    sandbox.ok(&["add", "proc:x"]);
    let mut daemon = sandbox.node("node1");
    wait_for("it runs", 60, || sandbox.shown("proc:x") == "started" && processes_with(&worker).len() == 1);

    let file = sandbox.directory.join("exec.json");
    let definition = serde_json::json!({"node": "node1", "agent": {"exec": {"command": [program]}}});
    fs::write(&file, definition.to_string()).unwrap();
    let set = ["guest", "set", "proc:x", file.to_str().unwrap()];
    let complaint = sandbox.fails(1, &set);
    assert!(complaint.contains("may run by its agent 'proc'"), "{complaint}");

    // Whoever gets around that does not get two of it either.
    sandbox.ok(&["remove", "proc:x"]);
    sandbox.ok(&["guest", "remove", "proc:x"]);
    sandbox.ok(&set);
    sandbox.ok(&["add", "proc:x"]);
    wait_for("it is told", 60, || sandbox.log_text("node1").contains("still runs as it was defined before"));
    assert_eq!(processes_with(&worker).len(), 1);
    sandbox.ok(&["set", "proc:x", "--state", "disabled"]);
    wait_for("it is stopped", 60, || sandbox.shown("proc:x") == "disabled" && processes_with(&worker).is_empty());
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}
