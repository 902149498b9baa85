//! The node daemon: it is killed, restarted and damaged, and its services go on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod common;

use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::PathBuf,
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ha_core::record::replay;

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

/// What was recorded can be decided again, and comes out the same.
#[test]
fn a_recorded_daemon_decides_the_same_again() {
    let mut single = Single::start("record", 1);
    let records = single.sandbox.directory.join("records");
    let daemon = single
        .sandbox
        .command()
        .args(["node", "run", "--watchdog", "none", "--run-dir"])
        .arg(single.sandbox.directory.join("run-node1"))
        .arg("--record")
        .arg(&records)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    single.daemon = Some(daemon);
    wait_for("the service runs", 20, || single.all_started());
    signal(single.daemon.as_ref().unwrap(), "TERM");
    assert!(single.daemon.take().unwrap().wait().unwrap().success());
    let mut daemons: Vec<String> = Vec::new();
    for entry in fs::read_dir(&records).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "nobody else may read it");
        let text = fs::read_to_string(&path).unwrap();
        let replayed = replay(&text).unwrap();
        assert_eq!(replayed.divergence, None, "{}", path.display());
        assert!(replayed.calls > 3, "{}: {replayed:?}", path.display());
        assert!(text.ends_with("{\"next\":\"exit\"}\n"), "{} ends with the end of the daemon", path.display());
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        daemons.push(name.split('-').nth(1).unwrap().to_owned());
    }
    daemons.sort();
    assert_eq!(daemons, ["crm", "lrm"]);
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

/// Asks for the status all the time, as a person who watches.
struct Onlooker {
    ends: Arc<AtomicBool>,
    thread: thread::JoinHandle<(usize, Vec<String>)>,
}

impl Onlooker {
    fn start(sandbox: &Sandbox) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let mut command = sandbox.command();
        command.arg("status");
        let thread = thread::spawn({
            let ends = ends.clone();
            move || {
                let (mut looks, mut failures) = (0, Vec::new());
                while !ends.load(Ordering::SeqCst) {
                    let output = command.output().unwrap();
                    if !output.status.success() || !output.stdout.starts_with(b"quorum OK") {
                        failures.push(common::stderr(&output));
                    }
                    looks += 1;
                    thread::sleep(Duration::from_millis(10));
                }
                (looks, failures)
            }
        });
        Self { ends, thread }
    }

    /// Says how often it looked. Every look must have shown something.
    fn end(self) -> usize {
        self.ends.store(true, Ordering::SeqCst);
        let (looks, failures) = self.thread.join().unwrap();
        assert!(failures.is_empty(), "the status could not be read: {failures:?}");
        looks
    }
}

/// The daemon is killed at random points while people edit and command: `HA_TEST_KILLS` times, or 10 times.
#[test]
fn a_daemon_that_is_killed_again_and_again_loses_nothing_and_doubles_nothing() {
    let times = std::env::var("HA_TEST_KILLS").map_or(10, |times| times.parse().unwrap());
    let mut single = Single::start("kill", 4);
    single.run();
    wait_for("services run", 20, || single.all_started());
    let onlooker = Onlooker::start(&single.sandbox);
    let mut seed = 0x2545_f491_4f6c_dd17_u64;
    for time in 0..times {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        // Edits, one of which stops or starts a service, and a command: all are on their way when the daemon dies.
        let spawn = |arguments: &[&str]| {
            single.sandbox.command().args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let state = if time % 4 < 2 { "stopped" } else { "started" };
        let edits = [
            spawn(&["add", &format!("vm:{}", 1000 + time), "--state", "ignored"]),
            spawn(&["set", "proc:disk2", "--state", state]),
        ];
        let command = match time % 3 {
            // The one before may only be under way now.
            0 => spawn(&["stop", "proc:disk3", "1", "--force"]),
            _ => spawn(&["set", "proc:disk3", "--state", "started"]),
        };
        thread::sleep(Duration::from_millis(seed % 1200));
        single.kill_daemon();
        for child in edits.into_iter().chain([command]) {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "an edit or a command failed: {}", common::stderr(&output));
        }
        let configured = single.sandbox.ok(&["config"]);
        assert!(configured.contains(&format!("vm: {}\n", 1000 + time)), "an edit was lost: {configured}");
        single.run();
    }
    // A command that was queued is carried out before it is looked at for the last time.
    wait_for("no command waits", 30, || !single.sandbox.store().join("commands").exists());
    single.sandbox.ok(&["set", "proc:disk2", "--state", "started"]);
    single.sandbox.ok(&["set", "proc:disk3", "--state", "started"]);
    wait_for("services run after all", 60, || single.all_started());
    let looks = onlooker.end();
    let configured = single.sandbox.ok(&["config"]);
    assert!((0..times).all(|time| configured.contains(&format!("vm: {}\n", 1000 + time))), "{configured}");
    single.assert_disks_are_clean();
    for number in 0..4 {
        assert_eq!(processes_with(&single.disk(number)).len(), 1, "disk {number} has one writer");
    }
    assert_eq!((single.writers(0).len(), single.writers(1).len()), (1, 1), "services that nobody touched went on");
    eprintln!("killed {times} times, the status was read {looks} times");
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

/// What the daemon has for itself, its services must not have: one that the kernel never kills for lack of memory takes the node down.
/// The daemon's unit has -1000 here, which not everybody may set.
#[test]
fn a_service_does_not_inherit_what_the_daemon_has_for_itself() {
    let mut sandbox = Sandbox::new("inherit", "node1", "fast");
    let told = sandbox.directory.join("told");
    let tell = format!(
        "cat /proc/self/oom_score_adj >> {told}.new; nice >> {told}.new; mv {told}.new {told}; exec tail -f {told}",
        told = told.display()
    );
    sandbox.guest("proc:tells", "node1", &["/bin/sh", "-c", &tell]);
    sandbox.ok(&["add", "proc:tells"]);
    let raised = ["/bin/sh", "-c", "echo 300 > /proc/self/oom_score_adj && exec nice -n -7 \"$@\"", "sh"];
    let may = std::process::Command::new(raised[0]).args(&raised[1..]).arg("true").stderr(Stdio::null()).status();
    if !may.unwrap().success() {
        common::skip("the privileges of a daemon cannot be had here");
        return;
    }
    sandbox.inside = raised.map(str::to_owned).to_vec();
    let mut daemon = sandbox.node("node1");
    sandbox.inside.clear();
    wait_for("the service runs", 60, || told.exists());
    assert_eq!(fs::read_to_string(format!("/proc/{}/oom_score_adj", daemon.id())).unwrap().trim(), "300");
    assert_eq!(fs::read_to_string(&told).unwrap(), "0\n0\n");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

/// What systemd is told by a daemon.
struct Told(UnixDatagram);

impl Told {
    /// Starts the daemon of node1 as a unit with `Type=notify`.
    fn by_daemon(sandbox: &mut Sandbox) -> (Self, Child) {
        let socket = sandbox.directory.join("notify");
        let manager = UnixDatagram::bind(&socket).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        sandbox.inside = vec!["env".into(), format!("NOTIFY_SOCKET={}", socket.display())];
        let daemon = sandbox.node("node1");
        sandbox.inside.clear();
        (Self(manager), daemon)
    }

    fn next(&self, sandbox: &Sandbox) -> String {
        let mut bytes = [0; 4096];
        let length = self.0.recv(&mut bytes).unwrap_or_else(|error| panic!("{error}; {}", sandbox.log_text("node1")));
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// Waits until this is told.
    fn until(&self, text: &str, sandbox: &Sandbox) {
        while !self.next(sandbox).contains(text) {}
    }
}

/// `systemctl start` returns when the daemon works, and `systemctl status` says how it is.
#[test]
fn systemd_is_told_when_the_daemon_works_and_how_it_is() {
    let mut sandbox = Sandbox::new("notify", "node1", "fast");
    let inherited = sandbox.directory.join("inherited");
    let tell = format!("echo \"[$NOTIFY_SOCKET]\" > {0}.new; mv {0}.new {0}; exec tail -f {0}", inherited.display());
    sandbox.guest("proc:tells", "node1", &["/bin/sh", "-c", &tell]);
    sandbox.ok(&["add", "proc:tells"]);
    let (told, mut daemon) = Told::by_daemon(&mut sandbox);
    assert!(told.next(&sandbox).contains("READY=1"), "nothing is told before");
    told.until("STATUS=CRM master, LRM active; guarded by nothing", &sandbox);
    wait_for("the service runs", 60, || inherited.exists());
    assert_eq!(fs::read_to_string(&inherited).unwrap(), "[]\n", "what a service says is not what the daemon says");
    signal(&daemon, "TERM");
    told.until("STOPPING=1", &sandbox);
    assert!(daemon.wait().unwrap().success());
}

/// A store that can be opened and not be worked with: 'systemctl start' comes back, and 'systemctl status' says what is waited for.
#[test]
fn systemd_is_told_of_a_store_that_fails_before_the_node_takes_part() {
    let mut sandbox = Sandbox::new("notify-store", "node1", "fast");
    let (members, aside) = (sandbox.store().join("members"), sandbox.directory.join("aside"));
    fs::rename(&members, &aside).unwrap();
    std::os::unix::fs::symlink("members", &members).unwrap();
    let (told, mut daemon) = Told::by_daemon(&mut sandbox);
    let first = told.next(&sandbox);
    assert!(first.contains("READY=1") && first.contains("STATUS=waits for the store: "), "{first}");
    fs::remove_file(&members).unwrap();
    fs::rename(&aside, &members).unwrap();
    told.until("STATUS=CRM ", &sandbox);
    signal(&daemon, "TERM");
    assert!(daemon.wait().unwrap().success());
}

/// As an earlier version or a careless hand left them.
#[test]
fn what_others_could_read_is_closed_to_them_when_the_daemon_begins() {
    let mut single = Single::start("modes", 1);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let open = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let (run, store) = (single.sandbox.directory.join("run-node1"), single.sandbox.store());
    let log = run.join("proc/proc:disk0.log");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    fs::write(&log, "earlier\n").unwrap();
    open(&run, 0o755);
    open(&log, 0o644);
    open(&store, 0o755);
    single.run();
    wait_for("the service runs", 60, || single.all_started());
    assert_eq!((mode(&run), mode(&store), mode(&log)), (0o700, 0o700, 0o600));
    assert!(fs::read_to_string(&log).unwrap().starts_with("earlier\n"), "what was there is kept");
}
