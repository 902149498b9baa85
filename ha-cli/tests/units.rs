//! The shipped units under a real systemd: a virtual machine boots Debian with them, and its udev finds a watchdog device.
//!
//! `cargo test -p ha-cli --test units -- --include-ignored`. A case takes some minutes, emulated, and the file system is made once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use common::{
    Sandbox,
    machine::{parts, timings},
    wait_for,
};
use serde_json::json;

/// Begins a cluster of this node, with a service that says when it is stopped.
const BEGIN: &str = r#"
exec >/dev/ttyS1 2>&1
export HA_STORE=file:/srv/ha HA_NODE=node1
say() { echo "$1: $2"; }
systemctl is-system-running --wait
say multiplexer "$(systemctl is-active ha-watchdog-mux)"
say device "$(systemctl show -p StatusText --value ha-watchdog-mux)"
ha init --nodes node1 --timings /case/timings.json
ha guest set proc:tick /case/tick.json
ha add proc:tick
systemctl start ha-node
until [ -e /run/tick ]; do sleep 0.5; done
until ha status | grep -q 'proc:tick (node1, started)'; do sleep 0.5; done
own() { cat /proc/$(systemctl show -p MainPID --value ha-node)/oom_score_adj; }
say memory "$(own) $(cat /proc/$(cat /run/tick)/oom_score_adj)"
ha status
"#;
const TICK: &str =
    r#"trap 'echo "tick: stopped" >/dev/ttyS1; exit 0' TERM; echo $$ >/run/tick; while :; do sleep 1 & wait; done"#;
const CASE_UNIT: &str = "[Unit]\nAfter=ha-watchdog-mux.service\n[Service]\nExecStart=/bin/sh /case/script\n";

/// What is added to the Debian: the command, the units as they are shipped, and the case.
fn make_archive(sandbox: &Sandbox, parts: &Path, script: &str) -> PathBuf {
    let root = sandbox.directory.join("root");
    let system = root.join("etc/systemd/system");
    for folder in ["usr/local/bin", "srv/ha", "etc/default", "case", "etc/systemd/system/multi-user.target.wants"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    let small = root.join("usr/local/bin/ha");
    assert!(Command::new("strip").arg("-o").args([&small, &sandbox.program]).status().unwrap().success());
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/deploy");
    for unit in ["ha-watchdog-mux.service", "ha-node.service"] {
        fs::copy(shipped.join(unit), system.join(unit)).unwrap();
    }
    let environment = |name: &str, more: &str| {
        let text = fs::read_to_string(shipped.join(name)).unwrap();
        fs::write(root.join("etc/default").join(name), text + more).unwrap();
    };
    environment("ha-node", "HA_NODE=node1\n");
    environment("ha-watchdog-mux", "HA_TIMINGS=/case/timings.json\nHA_WATCHDOG_REQUIRE=hardware\n");
    fs::write(system.join("ha-case.service"), CASE_UNIT).unwrap();
    for unit in ["ha-case.service", "ha-watchdog-mux.service"] {
        let link = system.join("multi-user.target.wants").join(unit);
        std::os::unix::fs::symlink(format!("../{unit}"), link).unwrap();
    }
    let tick = json!({"node": "node1", "agent": {"proc": {"command": ["/bin/sh", "/case/tick"], "grace_s": 5}}});
    fs::write(root.join("case/timings.json"), serde_json::to_string(timings().settings()).unwrap()).unwrap();
    fs::write(root.join("case/tick.json"), tick.to_string()).unwrap();
    fs::write(root.join("case/tick"), TICK).unwrap();
    fs::write(root.join("case/script"), format!("{BEGIN}{script}")).unwrap();
    let archive = sandbox.directory.join("initrd");
    // A kernel takes one archive after the other.
    let join = "cp \"$1/debian.cpio\" \"$2\" && find . | \"$1/bin/busybox\" cpio -o -H newc >>\"$2\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", join, "sh"]).args([parts, &archive]).current_dir(&root).stderr(Stdio::null());
    assert!(shell.status().unwrap().success());
    archive
}

/// A machine that is killed with its test.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Boots a machine, has it run a script once its cluster works, and gives what the script has said until the machine is off or reset.
fn run(name: &str, script: &str) -> Option<String> {
    /// It is emulated, on a machine that may be busy.
    const PATIENCE_S: u64 = 900;
    let parts = parts("debian", "Debian to boot")?;
    let sandbox = Sandbox::empty(&format!("units-{name}"));
    let archive = make_archive(&sandbox, &parts, script);
    let [console, said] = ["console", "said"].map(|name| sandbox.directory.join(name));
    let path = format!("{}:{}", parts.join("bin").display(), std::env::var("PATH").unwrap());
    let words = "-nodefaults -display none -machine pc -accel tcg -cpu qemu64 -smp 1 -m 1200 -no-reboot -device i6300esb -action watchdog=reset";
    let machine = Command::new("sh")
        .args(["-c", "exec qemu-system-x86_64 \"$@\"", "sh"])
        .args(words.split(' '))
        .args(["-append", "console=ttyS0 panic=0", "-kernel"])
        .arg(parts.join("vmlinuz"))
        .arg("-initrd")
        .arg(&archive)
        .args(["-serial", &format!("file:{}", console.display()), "-serial", &format!("file:{}", said.display())])
        .env("PATH", path)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut machine = Machine(machine);
    wait_for("the machine comes to its end", PATIENCE_S, || machine.0.try_wait().unwrap().is_some());
    let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    assert!(text(&console).contains("Linux version"), "it did not boot: {}", text(&console));
    Some(text(&said))
}

fn assert_says(said: &str, lines: &[&str]) {
    for line in lines {
        assert!(said.lines().any(|found| found.trim_end() == *line), "'{line}' is missing in:\n{said}");
    }
    assert!(said.contains("guarded by 'i6300ESB timer'"), "{said}");
}

const GUARDED: [&str; 3] = [
    "multiplexer: active",
    "device: 'i6300ESB timer'",
    // The daemon's place when memory runs out, and its service's.
    "memory: -1000 0",
];

#[test]
#[ignore = "boots Debian, which takes minutes"]
fn a_daemon_is_restarted_under_its_service_and_a_node_that_goes_down_stops_that() {
    let script = r#"
before=$(cat /run/tick)
systemctl restart ha-node
until ha status | grep -q 'proc:tick (node1, started)'; do sleep 0.5; done
say restarted "$(systemctl is-active ha-node) $([ "$before" = "$(cat /run/tick)" ] && kill -0 "$before" && echo the same)"
journalctl -o cat -p 5 -u ha-node | grep -o 'notice: asked to stop.*' | head -n 1
journalctl -o cat -p 4 -u ha-node | grep -c 'info: '
systemctl --no-block poweroff
"#;
    let Some(said) = run("restart", script) else { return };
    assert_says(&said, &GUARDED);
    assert_says(
        &said,
        &["restarted: active the same", "notice: asked to stop (this daemon alone)", "0", "tick: stopped"],
    );
}

#[test]
#[ignore = "boots Debian, which takes minutes"]
fn a_node_whose_daemon_is_killed_is_reset_though_systemd_restarts_it() {
    let script = "systemctl kill -s KILL ha-node\nsleep 60\nsay outlived it\n";
    let Some(said) = run("killed", script) else { return };
    assert_says(&said, &GUARDED);
    assert!(!said.contains("outlived: it"), "{said}");
}
