//! Verbs of the program `ha-web`, which stands beside this one: what serves over the network, and what belongs to that, is no part of
//! the program that the node daemon is.

use std::{
    ffi::OsString,
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use ha_core::id::NodeName;

use super::Failure;

const PROGRAM: &str = "ha-web";

/// Becomes that program, with a verb and its arguments.
pub(super) fn run(
    verb: &str,
    store: &Option<String>,
    node: &Option<NodeName>,
    state_dir: &Option<PathBuf>,
    arguments: &[OsString],
) -> Result<ExitCode, Failure> {
    let own = std::env::current_exe().map_err(Failure::failed)?;
    let beside = own.parent().unwrap_or(Path::new("/")).join(PROGRAM);
    let program = if beside.exists() { beside } else { PROGRAM.into() };
    let mut command = Command::new(&program);
    command.arg(verb).args(arguments);
    command.envs(store.as_ref().map(|store| ("HA_STORE", store)));
    command.envs(node.as_ref().map(|node| ("HA_NODE", node.as_str())));
    command.envs(state_dir.as_ref().map(|directory| ("HA_STATE_DIR", directory)));
    let error = command.exec();
    Err(Failure::Failed(match error.kind() == io::ErrorKind::NotFound {
        true => {
            format!(
                "'ha {verb}' needs the program '{PROGRAM}', which is neither in {} nor on the PATH: install it",
                own.parent().unwrap_or(Path::new("/")).display()
            )
        }
        false => format!("cannot run {}: {error}", program.display()),
    }))
}
