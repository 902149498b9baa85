//! `ha agents test`: whether a program of one's own keeps what HA counts on.

use std::{fs, io, path::PathBuf, process::ExitCode};

use clap::Args;
use ha_core::id::{NodeName, ServiceId};
use ha_host::agents::{ExecAgent, ExecFinding, ExecGuest, ExecPromise, Launcher, try_out_exec};
use serde_json::json;

use super::context::{Failure, say, say_json};

/// What `ha agents test` takes.
#[derive(Debug, Args)]
pub(super) struct TestArguments {
    /// The program and its first arguments, as in the definition of a guest of the kind 'exec'. The verb and the service come after them.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// The name that the program is given for the service. It is started, stopped and killed, unless it runs already: then nothing is tried.
    #[arg(long, value_name = "SID", default_value = "exec:trial")]
    sid: ServiceId,
    /// Seconds that a verb may take.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn test(node: Option<NodeName>, arguments: &TestArguments) -> Result<ExitCode, Failure> {
    let TestArguments { command, sid, timeout, json } = arguments;
    // It is told in whose name it works, which a test need not have.
    let node = node.map_or_else(|| NodeName::new("trial"), Ok).map_err(Failure::failed)?;
    let place = Place::new()?;
    let guest = ExecGuest { command: command.clone(), timeout_s: *timeout };
    let agent = |name: &str| ExecAgent::new(node.clone(), &place.0.join(name), Launcher::default());
    let (own, stranger) = (agent("own"), agent("stranger"));
    let mut found = Vec::new();
    let mut written = Ok(());
    try_out_exec((&own, &stranger), sid, &guest, &mut |promise, finding| {
        if !json && written.is_ok() {
            written = tell(promise, finding);
        }
        found.push((promise, finding.clone()));
    });
    written?;
    let broken = found.iter().filter(|(_, finding)| matches!(finding, ExecFinding::Broken(_))).count();
    if *json {
        let findings: Vec<_> =
            found.iter().map(|(promise, finding)| json!({"promise": promise, "finding": finding})).collect();
        say_json(&json!({"command": command, "is_kept": broken == 0, "findings": findings}))?;
    } else if broken == 0 {
        say("it keeps what HA counts on, as far as that can be tried here")?;
    }
    if broken == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let count = found.len();
    Err(Failure::Failed(format!("{broken} of {count} is not as HA counts on: a service could be lost, or run twice")))
}

fn tell(promise: ExecPromise, finding: &ExecFinding) -> Result<(), Failure> {
    match finding {
        ExecFinding::Kept => say(format_args!("kept    {}", promise.words())),
        ExecFinding::Broken(seen) => say(format_args!("BROKEN  {}: {seen}", promise.words())),
        ExecFinding::NotTried(why) => say(format_args!("?       {}: not tried, {why}", promise.words())),
    }
}

/// A run directory for the time of the test.
struct Place(PathBuf);

impl Place {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("ha-agents-test-{}", std::process::id()));
        fs::create_dir(&path)
            .map_err(|error: io::Error| Failure::Failed(format!("cannot make {}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
