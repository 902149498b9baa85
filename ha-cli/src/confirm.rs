//! A person's word that a node is down.

use std::{
    io::{self, BufRead, IsTerminal},
    process::ExitCode,
};

use ha_core::{id::NodeName, status::Command};

use super::{
    commands::queue,
    context::{Context, Failure, say, who},
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
