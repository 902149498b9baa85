//! What the tests of the `ha` command share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "for tests, of which none uses all"
)]

pub(crate) mod etcd;
pub(crate) mod machine;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// A directory with a store in it, which is removed with it.
pub(crate) struct Sandbox {
    pub(crate) directory: PathBuf,
    /// Where the store is.
    pub(crate) address: String,
    /// The `ha` that is run.
    pub(crate) program: PathBuf,
    /// What `ha` is run in, such as `ip netns exec`; if this is empty, on this machine itself.
    pub(crate) inside: Vec<String>,
}

impl Sandbox {
    /// An empty directory.
    pub(crate) fn empty(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("ha-{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let address = format!("file:{}", directory.join("store").display());
        Self { directory, address, program: env!("CARGO_BIN_EXE_ha").into(), inside: Vec::new() }
    }

    /// An empty directory in memory, where there is one: on a disk that is nearly full the status says so.
    pub(crate) fn with_room(name: &str) -> Self {
        let mut sandbox = Self::empty(name);
        let memory = Path::new("/dev/shm");
        if memory.is_dir() {
            fs::remove_dir(&sandbox.directory).unwrap();
            sandbox.directory = memory.join(sandbox.directory.file_name().unwrap());
            fs::create_dir(&sandbox.directory).unwrap();
            sandbox.address = format!("file:{}", sandbox.directory.join("store").display());
        }
        sandbox
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
        let mut words = self.inside.iter().map(String::as_str).chain(self.program.to_str());
        let mut command = self.command_of(words.next().unwrap());
        command.args(words);
        command
    }

    /// Another program, from which `ha` learns what belongs to this sandbox.
    pub(crate) fn command_of(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("HA_STORE", &self.address).env("HA_NODE", "node1");
        command.env("HA_STATE_DIR", self.directory.join("state"));
        command.stdin(Stdio::null());
        command
    }

    /// The commands that wait in the file store, without who gave them: each of them must say that.
    pub(crate) fn queued(&self) -> Vec<String> {
        let queue = fs::read_to_string(self.store().join("commands")).unwrap_or_default();
        let command = |line: &str| line.split_once(" by=").expect("who gave it").0.to_owned();
        queue.lines().map(command).collect()
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
            .args(["--node", node, "node", "run", "--watchdog", "none", "--log", "json"])
            .args(["--address", "127.0.0.1", "--run-dir"])
            .arg(self.directory.join(format!("run-{node}")))
            .arg("--state-dir")
            .arg(self.state(node))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Starts a node as a machine of its own, with a watchdog that kills all of it, inside of what is given, such as `ip netns exec`.
    pub(crate) fn machine(&self, node: &str, inside: &[&str]) -> Child {
        let log = fs::OpenOptions::new().append(true).create(true).open(self.log(node)).unwrap();
        let ha = self.program.to_str().unwrap();
        let socket = self.directory.join(format!("{node}.watchdog"));
        let run = self.directory.join(format!("run-{node}"));
        // A machine that was off has an empty /run.
        let _ = fs::remove_dir_all(&run);
        let mut words: Vec<String> = inside.iter().map(|word| (*word).to_owned()).collect();
        let supervise = [ha, "supervise", "--timings", "fast", "--socket", socket.to_str().unwrap(), "--"];
        words.extend(supervise.map(str::to_owned));
        let daemon = [ha, "node", "run", "--address", "127.0.0.1", "--log", "json", "--run-dir", run.to_str().unwrap()];
        words.extend(daemon.map(str::to_owned));
        words.extend(["--watchdog".to_owned(), format!("mux:{}", socket.display())]);
        Command::new(&words[0])
            .args(&words[1..])
            .env("HA_STORE", &self.address)
            .env("HA_NODE", node)
            .env("HA_STATE_DIR", self.state(node))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Where a node keeps what survives its reboot.
    pub(crate) fn state(&self, node: &str) -> PathBuf {
        self.directory.join(format!("state-{node}"))
    }

    pub(crate) fn log(&self, node: &str) -> PathBuf {
        self.directory.join(format!("{node}.log"))
    }

    pub(crate) fn log_text(&self, node: &str) -> String {
        fs::read_to_string(self.log(node)).unwrap_or_default()
    }

    #[allow(clippy::print_stdout)]
    fn show_logs(&self) {
        const LINES: usize = 60;
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let text = fs::read_to_string(&path).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                println!("\n{}:\n{}", path.display(), lines[lines.len().saturating_sub(LINES)..].join("\n"));
            }
        }
    }

    /// Whether the lock of every node proves that it is down: what was added runs under a watchdog by now.
    pub(crate) fn all_are_guarded(&self) -> bool {
        let status: serde_json::Value = serde_json::from_str(&self.ok(&["status", "--json"])).unwrap();
        status["unguarded"] == serde_json::json!([])
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
    /// A test that failed leaves nothing running either, and shows what its nodes wrote last.
    fn drop(&mut self) {
        if thread::panicking() {
            self.show_logs();
        }
        for pid in processes_below(&self.directory) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
        }
        for line in fs::read_to_string("/proc/mounts").unwrap_or_default().lines() {
            if let Some(path) = line.split(' ').nth(1).filter(|path| Path::new(path).starts_with(&self.directory)) {
                let _ = Command::new("umount").args(["-l", path]).status();
            }
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Says that a test is skipped, and why, so that it is seen although the test counts as passed. Where all tests must run, as
/// the environment variable `CI` says, that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "a test that must not be skipped under CI cannot run: {why}");
    let mut out = std::io::stderr();
    let _ = writeln!(out, "skipped: {why}");
}

/// Whether a program is there.
pub(crate) fn has(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok()
}

/// A small file system in memory, in a sandbox.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Nothing, and a line that says so, without the privilege to mount it.
    pub(crate) fn mount(path: &Path, kilobytes: u32) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"]).arg(path).stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(Self(path.to_owned()));
        }
        skip("a small file system cannot be mounted here");
        None
    }

    /// Leaves no room on it.
    pub(crate) fn fill(&self) {
        fs::write(self.0.join("filler"), vec![0; 1 << 24]).unwrap_err();
    }

    pub(crate) fn make_room(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

/// Copies a directory with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Looks until it is so. On a machine that does nothing else it takes no longer than this; on a busy one it may take three times as
/// long.
pub(crate) fn wait_for(what: &str, timeout_s: u64, mut look: impl FnMut() -> bool) {
    let began = Instant::now();
    while !look() {
        let waited = began.elapsed();
        assert!(waited < Duration::from_secs(timeout_s) * 3, "waited {waited:.0?} in vain: {what}");
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
    processes(|line| line.split(|byte| *byte == 0).any(|word| word == argument))
}

/// The processes whose command line names something below this directory.
pub(crate) fn processes_below(directory: &Path) -> Vec<u32> {
    let below = format!("{}/", directory.display());
    processes(|line| String::from_utf8_lossy(line).contains(&below))
}

fn processes(is_meant: impl Fn(&[u8]) -> bool) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| is_meant(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default())).collect()
}

/// Verbs that the program `ha-web` carries out. Its own tests have them.
pub(crate) const OF_ANOTHER_PROGRAM: [&str; 4] = ["web", "token", "user", "notify"];

/// All verbs that `ha --help` and the like list, except `help` itself and those of another program.
pub(crate) fn verbs(sandbox: &Sandbox, above: &[String]) -> Vec<Vec<String>> {
    let mut words: Vec<&str> = above.iter().map(String::as_str).collect();
    words.push("--help");
    let help = sandbox.ok(&words);
    let Some((_, commands)) = help.split_once("\nCommands:\n") else { return vec![above.to_vec()] };
    let names = commands.lines().take_while(|line| !line.is_empty()).filter_map(|line| {
        // A text that goes on in the next line is indented further there.
        let name = line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?;
        name.split(' ').next().filter(|name| *name != "help" && !OF_ANOTHER_PROGRAM.contains(name))
    });
    names.flat_map(|name| verbs(sandbox, &[above, &[name.to_owned()]].concat())).collect()
}
