//! Repairs of what no daemon can repair.

use std::{
    io::{self, BufRead, IsTerminal},
    process::ExitCode,
};

use ha_core::id::NodeName;
use ha_host::store::{RecordName, Replaced, Salvage, UnheldLock, replace_manager_status};

use super::context::{Context, Failure, say};

/// Shows what is wrong with the manager status, keeps a copy, and writes what can be saved.
pub(super) fn status(context: &Context, yes: bool) -> Result<ExitCode, Failure> {
    let store = &*context.store;
    let Some(content) = store.record(&RecordName::Manager)? else {
        return Err(Failure::Failed("there is no manager status yet: there is nothing to repair".into()));
    };
    let Some(salvage) = Salvage::of(&content, &store.settings()?.nodes) else {
        return Err(Failure::Failed("the manager status can be read: there is nothing to repair".into()));
    };
    show(&store.record_place(&RecordName::Manager), &salvage)?;
    // A master would write over it what it knows.
    let unheld = UnheldLock::wait(store)?.map_err(|node| master_at_work(node.as_ref()))?;
    if !yes {
        confirm()?;
    }
    let copy = context.state.keep_broken("manager-status", &content)?;
    say(format_args!("the record as it was is kept in {}", copy.display()))?;
    match replace_manager_status(store, &unheld, &content, &salvage.status)? {
        Replaced::Done => {
            context.keep_change("repair status", "the cluster", "repaired: the manager status");
            say("the manager status is repaired")?;
        }
        Replaced::MasterAtWork(node) => return Err(master_at_work(node.as_ref())),
        Replaced::Changed => {
            return Err(Failure::Failed(
                "the manager status has changed meanwhile: nothing was written. Look again".into(),
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(place: &str, salvage: &Salvage) -> Result<(), Failure> {
    let Salvage { status, problems, dropped } = salvage;
    say(format_args!("The manager status ({place}) can't be understood:"))?;
    for problem in problems {
        say(format_args!("  {problem}"))?;
    }
    for entry in dropped {
        say(format_args!("  service_status.{}: {entry}", entry.sid()))?;
    }
    say(format_args!("Services saved: {}. States of nodes saved: {}.", status.services.len(), status.nodes.len()))?;
    say(
        "All other services that are configured are taken up again where their guests are: make sure that none of them runs on another node.",
    )?;
    if !status.unguarded.is_empty() {
        let nodes: Vec<&str> = status.unguarded.iter().map(NodeName::as_str).collect();
        say(format_args!(
            "Until they report again, these nodes count as not guarded, so that none is taken for fenced: {}",
            nodes.join(", ")
        ))?;
    }
    Ok(())
}

fn master_at_work(node: Option<&NodeName>) -> Failure {
    let place = node.map_or_else(|| "in the cluster".to_owned(), |node| format!("on {node}"));
    Failure::Failed(format!(
        "a master is at work {place} and would write over what is repaired: stop the daemons of the nodes first; \
         nothing was written"
    ))
}

fn confirm() -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Failed("nothing was written: say --yes if that is right".into()));
    }
    say("Type 'yes' to write it:")?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|error| Failure::Failed(format!("cannot read: {error}")))?;
    if line.trim() == "yes" { Ok(()) } else { Err(Failure::Failed("nothing was written".into())) }
}
