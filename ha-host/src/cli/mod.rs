//! The command line: its verbs, and what they do.

mod arguments;
mod check;
mod commands;
mod confirm;
mod context;
mod daemon;
mod dry_run;
mod edits;
mod repair;
mod show;

pub(crate) use context::Failure;
pub(crate) use daemon::{DemoArguments, DiskArguments, LOOK_INTERVAL, named_timings};

use std::{ffi::OsString, io, process::ExitCode};

use clap::{CommandFactory, Parser};
use ha_host::node::{NodeError, StateDirectory};

use arguments::{Cli, GuestVerb, NodeVerb, RepairVerb, RulesVerb, Verb};
use context::Context;

/// Runs the command line of this process.
pub(crate) fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|verb| verb == "launch") {
        // Between a daemon and its service: no more than needs be.
        let rest = arguments.split_off(2);
        return match ha_host::agent::launched(&rest) {
            Some(_) => ExitCode::from(127),
            None => ExitCode::SUCCESS,
        };
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run(cli) {
        Ok(code) => code,
        Err(Failure::Usage(message)) => {
            context::complain(&message);
            ExitCode::from(2)
        }
        Err(Failure::Failed(message)) => {
            context::complain(&message);
            ExitCode::from(1)
        }
        Err(Failure::Twin(message)) => {
            context::complain(&message);
            ExitCode::from(NodeError::TWIN_EXIT_CODE)
        }
        // The one who read the output has gone, as `head` does.
        Err(Failure::Closed) => ExitCode::SUCCESS,
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let state = || StateDirectory::at(cli.state_dir.clone().unwrap_or_else(|| StateDirectory::USUAL.into()));
    let context = || Context::new(cli.store.as_deref(), cli.node.clone(), state());
    match cli.verb {
        Verb::Init(arguments) => daemon::init(cli.store.as_deref(), &state(), &arguments),
        Verb::Add { sid, options } => edits::add(&context()?, &sid, &options),
        Verb::Set { sid, options, changes } => edits::set(&context()?, &sid, &options, &changes),
        Verb::Remove { sid, purge } => edits::remove(&context()?, &sid, purge.unwrap_or(true)),
        Verb::Config { sid, json } => show::config(&context()?, sid.as_deref(), json),
        Verb::Status { verbose, json, watch } => show::status(&context()?, verbose, json, watch),
        Verb::Migrate { sid, node, force } => commands::migrate(&context()?, &sid, &node, force),
        Verb::ConfirmFenced { node, repeat } => confirm::confirm_fenced(&context()?, node, repeat),
        Verb::Relocate { sid, node, force } => commands::relocate(&context()?, &sid, &node, force),
        Verb::Stop { sid, timeout, force } => commands::stop(&context()?, &sid, timeout, force),
        Verb::Groupadd { group, options } => edits::add_group(&context()?, &group, &options),
        Verb::Groupset { group, options, changes } => edits::set_group(&context()?, &group, &options, &changes),
        Verb::Groupremove { group } => edits::remove_group(&context()?, &group),
        Verb::Groupconfig { group, json } => show::groups(&context()?, group.as_deref(), json),
        Verb::Rules { verb } => match verb {
            RulesVerb::Add { rule_type, rule, options } => edits::add_rule(&context()?, &rule_type, &rule, &options),
            RulesVerb::Set { names, options, changes } => edits::set_rule(&context()?, &names, &options, &changes),
            RulesVerb::Remove { rule } => edits::remove_rule(&context()?, &rule),
            RulesVerb::List { json } => show::rule_list(&context()?, json),
            RulesVerb::Config { rule, json } => show::rule_config(&context()?, rule.as_deref(), json),
        },
        Verb::CrmCommand { verb } => commands::crm_command(&context()?, verb),
        Verb::Repair { verb: RepairVerb::Status { yes } } => repair::status(&context()?, yes),
        Verb::Check { json } => check::check(&context()?, json),
        Verb::Explain { sid, best, json } => check::explain(&context()?, &sid, best, json),
        Verb::Guest { verb } => match verb {
            GuestVerb::Set { sid, file } => edits::set_guest(&context()?, &sid, &file),
            GuestVerb::Remove { sid } => edits::remove_guest(&context()?, &sid),
            GuestVerb::List { json } => show::guests(&context()?, json),
        },
        Verb::Node { verb } => match verb {
            NodeVerb::Run(arguments) => {
                daemon::node_run(cli.store.as_deref(), cli.node.clone(), cli.state_dir.as_deref(), &arguments)
            }
            NodeVerb::ClearTwin => daemon::clear_twin(&context()?),
            NodeVerb::Leave => daemon::leave(&state()),
        },
        Verb::WatchdogMux(arguments) => daemon::watchdog_mux(&arguments),
        Verb::Supervise(arguments) => daemon::supervise(&arguments),
        Verb::Demo(arguments) => crate::demo::run(&arguments, cli.store.as_deref()),
        Verb::DemoDisk(arguments) => crate::demo::write_disk(&arguments),
        Verb::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "ha", &mut io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}
