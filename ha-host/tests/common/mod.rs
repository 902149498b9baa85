//! What the tests of the `ha` command share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "for tests, of which none uses all"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// A directory with a store in it, which is removed with it.
pub(crate) struct Sandbox {
    pub(crate) directory: PathBuf,
}

impl Sandbox {
    /// An empty directory.
    pub(crate) fn empty(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("ha-{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        Self { directory }
    }

    /// With a cluster of these nodes.
    pub(crate) fn new(name: &str, nodes: &str, timings: &str) -> Self {
        let sandbox = Self::empty(name);
        sandbox.ok(&["init", "--nodes", nodes, "--timings", timings]);
        sandbox
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.directory.join("store")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ha"));
        command.env("HA_STORE", format!("file:{}", self.store().display())).env("HA_NODE", "node1");
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn ha(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs `ha` and expects success. Gives what it wrote.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.ha(arguments);
        assert!(output.status.success(), "ha {}: {}", arguments.join(" "), stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `ha` and expects this exit code. Gives the complaint.
    pub(crate) fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.ha(arguments);
        let complaint = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "ha {}: {complaint}", arguments.join(" "));
        assert!(!complaint.trim().is_empty(), "ha {} says nothing", arguments.join(" "));
        complaint
    }

    /// Defines a guest that is a process.
    pub(crate) fn guest(&self, sid: &str, node: &str, command: &[&str]) {
        let definition = serde_json::json!({"node": node, "agent": {"proc": {"command": command, "grace_s": 2}}});
        let file = self.directory.join("guest.json");
        fs::write(&file, definition.to_string()).unwrap();
        self.ok(&["guest", "set", sid, file.to_str().unwrap()]);
    }

    /// Starts the daemon of a node without a watchdog, with its log in a file.
    pub(crate) fn node(&self, node: &str) -> Child {
        let log = fs::OpenOptions::new().append(true).create(true).open(self.log(node)).unwrap();
        self.command()
            .args(["--node", node, "node", "run", "--watchdog", "none", "--log", "json", "--run-dir"])
            .arg(self.directory.join(format!("run-{node}")))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    pub(crate) fn log(&self, node: &str) -> PathBuf {
        self.directory.join(format!("{node}.log"))
    }

    pub(crate) fn log_text(&self, node: &str) -> String {
        fs::read_to_string(self.log(node)).unwrap_or_default()
    }

    /// What is shown for a service.
    pub(crate) fn shown(&self, sid: &str) -> String {
        let status: serde_json::Value = serde_json::from_str(&self.ok(&["status", "--json"])).unwrap();
        let services = status["services"].as_array().unwrap();
        let service = services.iter().find(|service| service["sid"] == sid);
        service.map(|service| service["shown"].as_str().unwrap().to_owned()).unwrap_or_default()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Looks until it is so.
pub(crate) fn wait_for(what: &str, timeout_s: u64, mut look: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(timeout_s);
    while !look() {
        assert!(Instant::now() < end, "waited {timeout_s} s in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// The processes that have this argument.
pub(crate) fn processes_with(argument: &Path) -> Vec<u32> {
    let argument = argument.to_str().unwrap().as_bytes();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.split(|byte| *byte == 0).any(|word| word == argument)
    })
    .collect()
}
