//! The command that is run for a node, on this machine.

use std::{
    io,
    process::{Child, Command, Stdio},
};

use ha_core::id::NodeName;
use ha_host::{desk::RollingCommand, os::process::stat};

use crate::context::host_name;

/// Begins the command. What it writes goes where this program's notes go, so that it is never taken for an answer.
pub(super) fn begin(text: &str, node: &NodeName, store: Option<&str>) -> io::Result<Child> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", text]).env("HA_NODE", node.as_str()).stdin(Stdio::null()).stdout(io::stderr());
    if let Some(store) = store {
        command.env("HA_STORE", store);
    }
    command.spawn()
}

/// What is known of a command that was begun.
pub(super) fn known(child: &Child) -> RollingCommand {
    RollingCommand {
        host: host_name(),
        pid: child.id(),
        started: start_of(child.id()).unwrap_or_default(),
        failed: None,
        unknown: serde_json::Map::new(),
    }
}

/// Whether it is known to be at work still; of one on another machine nothing is known.
pub(super) fn is_at_work(command: &RollingCommand) -> bool {
    command.host == host_name() && command.started > 0 && start_of(command.pid) == Some(command.started)
}

/// When a process was started, in ticks since the boot. One that has ended has none, though nobody may have asked how.
fn start_of(pid: u32) -> Option<u64> {
    let stat = stat(i32::try_from(pid).ok()?)?;
    (!stat.is_dead()).then_some(stat.started)
}
