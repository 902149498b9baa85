//! The node daemon: it is killed, restarted, damaged, and its services go on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    path::PathBuf,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::{Sandbox, processes_with, signal, wait_for};

/// A cluster of one node with services that write to disks, and its daemon.
struct Single {
    sandbox: Sandbox,
    daemon: Option<Child>,
    services: usize,
}

impl Single {
    fn start(name: &str, services: usize) -> Self {
        let sandbox = Sandbox::new(name, "node1", "fast");
        let single = Self { sandbox, daemon: None, services };
        for number in 0..services {
            single.define(number);
        }
        single
    }

    fn define(&self, number: usize) {
        let disk = self.disk(number).display().to_string();
        let sid = format!("proc:disk{number}");
        self.sandbox.guest(&sid, "node1", &[env!("CARGO_BIN_EXE_ha"), "demo-disk", &disk]);
        self.sandbox.ok(&["add", &sid]);
    }

    fn disk(&self, number: usize) -> PathBuf {
        self.sandbox.directory.join(format!("disk{number}"))
    }

    fn run(&mut self) {
        self.daemon = Some(self.sandbox.node("node1"));
    }

    fn kill_daemon(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    fn all_started(&self) -> bool {
        (0..self.services).all(|number| self.sandbox.shown(&format!("proc:disk{number}")) == "started")
    }

    fn writers(&self, number: usize) -> Vec<String> {
        let text = fs::read_to_string(self.disk(number)).unwrap_or_default();
        let mut writers: Vec<String> =
            text.lines().filter_map(|line| Some(line.split(' ').nth(2)?.to_owned())).collect();
        writers.dedup();
        writers
    }

    /// Numbers rise one by one on every disk.
    fn assert_disks_are_clean(&self) {
        for number in 0..self.services {
            let text = fs::read_to_string(self.disk(number)).unwrap();
            let numbers: Vec<usize> =
                text.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
            assert!(numbers.iter().copied().eq(1..=numbers.len()), "two writers of disk {number}");
        }
    }
}

impl Drop for Single {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        for number in 0..self.services.max(10) {
            for pid in processes_with(&self.disk(number)) {
                let _ = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
            }
        }
    }
}

#[test]
fn services_go_on_while_the_daemon_is_restarted() {
    let mut single = Single::start("restart", 2);
    single.run();
    wait_for("services run", 20, || single.all_started());
    let daemon = single.daemon.as_ref().unwrap();
    signal(daemon, "TERM");
    let status = single.daemon.take().unwrap().wait().unwrap();
    assert!(status.success(), "{}", single.sandbox.log_text("node1"));
    assert_eq!(single.sandbox.shown("proc:disk0"), "freeze");
    single.run();
    wait_for("services are taken up again", 20, || single.all_started());
    assert_eq!((single.writers(0).len(), single.writers(1).len()), (1, 1), "they were never stopped");
    single.assert_disks_are_clean();
}

#[test]
fn no_second_daemon_of_a_node_starts() {
    let mut single = Single::start("second", 1);
    single.run();
    wait_for("the service runs", 20, || single.all_started());
    let mut second = single.sandbox.node("node1");
    assert_eq!(second.wait().unwrap().code(), Some(1));
    assert!(single.sandbox.log_text("node1").contains("another daemon of this node"));
}

/// The daemon is killed at random points while people edit and command. With `HA_TEST_LONG`, 200 times.
#[test]
fn a_daemon_that_is_killed_again_and_again_loses_nothing_and_doubles_nothing() {
    let times = if std::env::var_os("HA_TEST_LONG").is_some() { 200 } else { 15 };
    let mut single = Single::start("kill", 3);
    single.run();
    wait_for("services run", 20, || single.all_started());
    let mut seed = 0x2545_f491_4f6c_dd17_u64;
    for time in 0..times {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        // An edit and, every other time, a command that stops and starts a service, on their way when the daemon dies.
        let edit = single
            .sandbox
            .command()
            .args(["add", &format!("vm:{}", 1000 + time), "--state", "ignored"])
            .stderr(Stdio::null())
            .spawn();
        let state = if time % 4 < 2 { "stopped" } else { "started" };
        let toggle = single.sandbox.command().args(["set", "proc:disk2", "--state", state]).spawn();
        thread::sleep(Duration::from_millis(seed % 1200));
        single.kill_daemon();
        for child in [edit, toggle] {
            assert!(child.unwrap().wait().unwrap().success(), "an edit was lost");
        }
        single.sandbox.ok(&["status"]);
        single.run();
    }
    single.sandbox.ok(&["set", "proc:disk2", "--state", "started"]);
    wait_for("services run after all", 30, || single.all_started());
    let configured = single.sandbox.ok(&["config"]);
    assert!((0..times).all(|time| configured.contains(&format!("vm: {}\n", 1000 + time))), "{configured}");
    single.assert_disks_are_clean();
    for number in 0..3 {
        assert_eq!(processes_with(&single.disk(number)).len(), 1, "disk {number} has one writer");
    }
    assert_eq!(single.writers(0).len(), 1, "services that nobody touched went on");
}

#[test]
fn a_damaged_record_and_a_service_that_dies_are_mended() {
    let mut single = Single::start("mend", 1);
    single.run();
    wait_for("the service runs", 20, || single.all_started());
    fs::write(single.sandbox.store().join("status/manager.json"), "{\"master_node\": \"no").unwrap();
    wait_for("the master writes it again", 20, || {
        single.sandbox.ha(&["status"]).status.success() && single.all_started()
    });

    let pid = processes_with(&single.disk(0))[0];
    std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    wait_for("it is started again", 20, || single.writers(0).len() == 2);
    single.assert_disks_are_clean();
}

/// In the place of a store that hangs: whoever opens a pipe to read it waits for a writer. The node's daemon is a machine with
/// a watchdog here.
#[test]
fn a_store_that_hangs_leads_to_a_reset_in_time() {
    let single = Single::start("hang", 1);
    let socket = single.sandbox.directory.join("watchdog");
    let log = fs::File::create(single.sandbox.log("node1")).unwrap();
    let mut machine = single
        .sandbox
        .command()
        .args(["supervise", "--timings", "fast", "--socket"])
        .arg(&socket)
        .args(["--", env!("CARGO_BIN_EXE_ha"), "node", "run", "--watchdog"])
        .arg(format!("mux:{}", socket.display()))
        .arg("--run-dir")
        .arg(single.sandbox.directory.join("run"))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    wait_for("the service runs", 20, || single.all_started());
    let lock = single.sandbox.store().join("locks/ha_agent_node1_lock.json");
    fs::remove_file(&lock).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&lock).status().unwrap().success());
    let hung = Instant::now();
    wait_for("the machine is reset", 20, || machine.try_wait().unwrap().is_some());
    let after = hung.elapsed();
    assert_eq!(machine.wait().unwrap().code(), Some(70), "{}", single.sandbox.log_text("node1"));
    // The lock's lifetime is 6.6 s.
    assert!(after < Duration::from_millis(6500), "{after:?}");
    assert!(processes_with(&single.disk(0)).is_empty(), "its services are down with it");
}

#[test]
fn a_full_disk_stops_no_service() {
    let mut single = Single::start("diskfull", 1);
    single.run();
    wait_for("the service runs", 20, || single.all_started());
    // What the daemon writes next to fails, as on a full disk.
    let status = single.sandbox.store().join("status");
    let aside = single.sandbox.store().join("status-aside");
    fs::rename(&status, &aside).unwrap();
    wait_for("it is reported", 20, || single.sandbox.log_text("node1").contains("write_manager_status"));
    fs::rename(&aside, &status).unwrap();
    wait_for("all is well again", 20, || single.all_started());
    assert_eq!(single.writers(0).len(), 1);
    single.assert_disks_are_clean();
}

/// Less than 1 % of a core and 30 MB, with the customary timings.
#[test]
fn an_idle_daemon_costs_little() {
    let sandbox = Sandbox::new("idle", "node1,node2,node3", "customary");
    let mut daemon = sandbox.node("node1");
    thread::sleep(Duration::from_secs(2));
    let before = cpu_ticks(daemon.id());
    thread::sleep(Duration::from_secs(12));
    let share = (cpu_ticks(daemon.id()) - before) as f64 / 100.0 / 12.0;
    let memory_kb = resident_kb(daemon.id());
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    eprintln!("idle: {:.2} % of a core, {memory_kb} kB", share * 100.0);
    assert!(share < 0.01, "{share}");
    assert!(memory_kb < 30_000, "{memory_kb} kB");
}

fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn resident_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// In at most 50 ms; a build without optimisation, or a loaded machine, may take four times that.
#[test]
fn the_status_of_1000_services_is_quick() {
    let sandbox = Sandbox::new("thousand", "node1,node2,node3", "fast");
    let mut resources = String::new();
    let mut services = serde_json::Map::new();
    for number in 1000..2000 {
        resources.push_str(&format!("vm: {number}\n\tstate started\n\n"));
        let entry = serde_json::json!({"state": "started", "node": "node1", "uid": format!("u{number}"), "running": 1});
        services.insert(format!("vm:{number}"), entry);
        let guest = r#"{"node": "node1", "agent": {"proc": {"command": ["/bin/sleep", "1"]}}}"#;
        fs::write(sandbox.store().join(format!("guests/vm:{number}.json")), guest).unwrap();
    }
    fs::write(sandbox.store().join("config/resources.cfg"), resources).unwrap();
    let status = serde_json::json!({
        "master_node": "node1", "timestamp": 0, "node_status": {"node1": "online"}, "service_status": services
    });
    fs::write(sandbox.store().join("status/manager.json"), status.to_string()).unwrap();
    let took = (0..5)
        .map(|_| {
            let began = Instant::now();
            assert!(sandbox.ok(&["status"]).contains("service vm:1999 (node1, started)"));
            began.elapsed()
        })
        .min()
        .unwrap();
    eprintln!("status of 1000 services: {took:?}");
    let bound = if cfg!(debug_assertions) { 200 } else { 50 };
    assert!(took < Duration::from_millis(bound), "{took:?}");
}
