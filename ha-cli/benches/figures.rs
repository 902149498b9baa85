//! Prints what `ha status` and an idle node daemon cost: `cargo bench -p ha-cli`.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use common::{Sandbox, wait_for};

fn main() {
    status_of_1000_services();
    for timings in ["customary", "fast"] {
        idle_daemon(timings);
    }
}

/// As a person sees it: from the start of the program to its end.
fn status_of_1000_services() {
    const RUNS: usize = 41;
    let sandbox = Sandbox::new("bench-status", "node1,node2,node3", "fast");
    let mut resources = String::new();
    let mut services = serde_json::Map::new();
    for number in 1000..2000 {
        resources.push_str(&format!("vm: {number}\n\tstate started\n\n"));
        let entry = serde_json::json!({"state": "started", "node": "node1", "uid": format!("u{number}"), "running": 1});
        services.insert(format!("vm:{number}"), entry);
        let guest = r#"{"node": "node1", "agent": {"vm": {"memory_mb": 1024}}}"#;
        fs::write(sandbox.store().join(format!("guests/vm:{number}.json")), guest).unwrap();
    }
    fs::write(sandbox.store().join("config/resources.cfg"), resources).unwrap();
    let status = serde_json::json!({
        "master_node": "node1", "timestamp": 0, "node_status": {"node1": "online"}, "service_status": services
    });
    fs::write(sandbox.store().join("status/manager.json"), status.to_string()).unwrap();
    let cpu_before = cpu_ticks_of_children();
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            let shown = sandbox.ok(&["status"]);
            let took = began.elapsed();
            assert!(shown.contains("service vm:1999 (node1, started)"));
            took
        })
        .collect();
    let cpu = (cpu_ticks_of_children() - cpu_before) as f64 * 10.0 / RUNS as f64;
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "ha status, 1,000 services: {:.1} ms (median of {RUNS}; {:.1} to {:.1} ms), {cpu:.1} ms of a core",
        milliseconds(times[RUNS / 2]),
        milliseconds(times[0]),
        milliseconds(times[RUNS - 1])
    );
}

/// The daemon of a node of three, which runs one service and is the master.
fn idle_daemon(timings: &str) {
    const MEASURED: Duration = Duration::from_secs(60);
    let sandbox = Sandbox::new("bench-idle", "node1,node2,node3", timings);
    sandbox.guest("proc:sleep", "node1", &["/bin/sleep", "600"]);
    sandbox.ok(&["add", "proc:sleep"]);
    let mut daemon = sandbox.node("node1");
    wait_for("the service runs", 120, || sandbox.shown("proc:sleep") == "started");
    let before = cpu_ticks(daemon.id());
    thread::sleep(MEASURED);
    let share = (cpu_ticks(daemon.id()) - before) as f64 / 100.0 / MEASURED.as_secs_f64();
    let memory = resident_kb(daemon.id());
    sandbox.ok(&["stop", "proc:sleep", "0"]);
    wait_for("the service is stopped", 120, || sandbox.shown("proc:sleep") == "stopped");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    println!("node daemon, {timings} timings: {:.2} % of a core, {:.1} MB", share * 100.0, memory as f64 / 1000.0);
}

/// Two figures of a process that belong together, in hundredths of a second.
fn ticks(process: &str, first_field: usize) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().skip(first_field);
    fields.take(2).map(|field| field.parse::<u64>().unwrap()).sum()
}

fn cpu_ticks(pid: u32) -> u64 {
    ticks(&pid.to_string(), 11)
}

fn cpu_ticks_of_children() -> u64 {
    ticks("self", 13)
}

fn resident_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
