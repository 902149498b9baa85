//! A person's word that a node is down.

use std::{
    io::{self, BufRead, IsTerminal},
    os::unix::fs::MetadataExt,
    process::ExitCode,
};

use ha_core::{id::NodeName, status::Command};

use super::{
    commands::queue,
    context::{Context, Failure, say},
    deed::Manner,
};

/// Queues the confirmation, once the node was named twice.
pub(super) fn confirm_fenced(
    context: &Context,
    node: NodeName,
    repeat: Option<NodeName>,
    manner: &Manner,
) -> Result<ExitCode, Failure> {
    let repeated = match repeat {
        None if manner.dry_run => node.to_string(),
        Some(repeat) => repeat.to_string(),
        None if io::stdin().is_terminal() => ask(&node)?,
        None => return Err(Failure::Failed(format!("repeat the name of the node: --repeat {node}"))),
    };
    if repeated != node.as_str() {
        return Err(Failure::Failed(format!("'{repeated}' is not '{node}': nothing was confirmed")));
    }
    queue(context, &Command::ConfirmFenced { node, by: Some(who().into()) }, manner, false)
}

fn ask(node: &NodeName) -> Result<String, Failure> {
    say(format_args!(
        "If {node} still runs, its services will run twice and destroy their data. Make sure that it is off."
    ))?;
    say("Type the name of the node again:")?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|error| Failure::Failed(format!("cannot read: {error}")))?;
    Ok(line.trim().to_owned())
}

/// Who types, as a word: the login name, and where.
fn who() -> String {
    let from_environment = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let user =
        from_environment("SUDO_USER").or_else(|| from_environment("LOGNAME")).or_else(|| from_environment("USER"));
    let user = user.unwrap_or_else(|| {
        std::fs::metadata("/proc/self").map_or_else(|_| "somebody".to_owned(), |own| format!("uid-{}", own.uid()))
    });
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    let is_plain = |character: char| character.is_ascii_graphic();
    format!("{user}@{host}").chars().map(|character| if is_plain(character) { character } else { '_' }).collect()
}
