//! The `ha` command: its verbs, in words. What they ask and do, as data, is in [`ha_host::desk`].

mod agents;
mod arguments;
mod beside;
mod check;
mod commands;
mod completion;
mod confirm;
mod context;
mod daemon;
mod deed;
mod demo;
mod edits;
mod everyday;
mod figures;
mod history;
mod logs;
mod nodes;
mod order_graph;
mod plan;
mod progress;
mod repair;
mod resource_agents;
mod rolling;
mod show;
mod status;
mod trial;
mod watch;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory, Parser};
use ha_core::status::Motion;
use ha_host::node::{NodeError, StateDirectory};

use arguments::{AgentsVerb, Cli, GuestVerb, NodeVerb, RepairVerb, RulesVerb, StoreVerb, Verb};
use context::{Context, Failure};

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|verb| verb == "launch") {
        // Between a daemon and its service: no more than needs be.
        let rest = arguments.split_off(2);
        return match ha_host::agents::launched(&rest) {
            Some(_) => ExitCode::from(127),
            None => ExitCode::SUCCESS,
        };
    }
    if completion::answered(&arguments) {
        return ExitCode::SUCCESS;
    }
    name_the_filter(&mut arguments);
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

/// After `ha status`, `--node` does not name this node but the one that is asked for.
fn name_the_filter(arguments: &mut [OsString]) {
    let Some(verb) = arguments.iter().position(|word| word == "status") else { return };
    let of_another_verb =
        verb.checked_sub(1).and_then(|before| arguments.get(before)).is_some_and(|word| word == "repair");
    for word in arguments.iter_mut().skip(verb).filter(|_| !of_another_verb) {
        match word.to_str() {
            Some("--node") => *word = "--on".into(),
            Some(text) => {
                if let Some(node) = text.strip_prefix("--node=") {
                    *word = format!("--on={node}").into();
                }
            }
            None => {}
        }
    }
}

// tidy: table
fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let state = || StateDirectory::at(cli.state_dir.clone().unwrap_or_else(|| StateDirectory::USUAL.into()));
    let context = || Context::new(cli.store.as_deref(), cli.node.clone(), state());
    match cli.verb {
        Verb::Init(arguments) => daemon::init(cli.store.as_deref(), cli.node.clone(), &state(), &arguments),
        Verb::Add { sid, options, manner } => edits::add(&context()?, &sid, &options, &manner),
        Verb::Set { sid, options, changes, manner } => edits::set(&context()?, &sid, &options, &changes, &manner),
        Verb::Remove { sid, purge, manner } => edits::remove(&context()?, &sid, purge.unwrap_or(true), &manner),
        Verb::Config { sid, json } => show::config(&context()?, sid.as_deref(), json),
        Verb::Status(options) => status::status(context, &options),
        Verb::Migrate { sid, node, manner } => commands::moving(&context()?, Motion::Migrate, &sid, node, &manner),
        Verb::Relocate { sid, node, manner } => commands::moving(&context()?, Motion::Relocate, &sid, node, &manner),
        Verb::Start { sid, manner } => everyday::start(&context()?, &sid, &manner),
        Verb::Stop { sid, timeout, manner } => everyday::stop(&context()?, &sid, timeout, &manner),
        Verb::Restart { sid, manner } => everyday::restart(&context()?, &sid, &manner),
        Verb::Cleanup { sid, manner } => everyday::cleanup(&context()?, &sid, &manner),
        Verb::Logs { sid, follow, lines, run_dir } => logs::logs(&context()?, &sid, follow, lines, &run_dir),
        Verb::Maintenance { verb } => commands::maintenance(&context()?, verb),
        Verb::Disarm { mode, manner } => commands::disarm(&context()?, mode, &manner),
        Verb::Arm { manner } => commands::arm(&context()?, &manner),
        Verb::History(arguments) => history::history(&context()?, &arguments),
        Verb::Failovers { lost, since, json } => history::failovers(&context()?, lost.as_ref(), &since, json),
        Verb::Watch { sid, json } => watch::watch(&context()?, sid.as_deref(), json),
        Verb::ConfirmFenced { node, repeat, manner } => confirm::confirm_fenced(&context()?, node, repeat, &manner),
        Verb::ClearFencings { node, manner } => commands::clear_fencings(&context()?, node, &manner),
        Verb::Web(arguments) => beside::run("web", &cli.store, &cli.node, &cli.state_dir, &arguments.rest),
        Verb::Token(arguments) => beside::run("token", &cli.store, &cli.node, &cli.state_dir, &arguments.rest),
        Verb::Notify(arguments) => beside::run("notify", &cli.store, &cli.node, &cli.state_dir, &arguments.rest),
        Verb::User(arguments) => beside::run("user", &cli.store, &cli.node, &cli.state_dir, &arguments.rest),
        Verb::Groupadd { group, options, manner } => edits::add_group(&context()?, &group, &options, &manner),
        Verb::Groupset { group, options, changes, manner } => {
            edits::set_group(&context()?, &group, &options, &changes, &manner)
        }
        Verb::Groupremove { group, manner } => edits::remove_group(&context()?, &group, &manner),
        Verb::Groupconfig { group, json } => show::groups(&context()?, group.as_deref(), json),
        Verb::Rules { verb } => rules(&context()?, verb),
        Verb::CrmCommand { verb } => commands::crm_command(&context()?, verb),
        Verb::Repair { verb: RepairVerb::Status { yes } } => repair::status(&context()?, yes),
        Verb::Metrics => figures::metrics(&context()?),
        Verb::Health => figures::health(context),
        Verb::Check { json } => check::check(&context()?, json),
        Verb::Explain { sid, best, json } => check::explain(&context()?, &sid, best, json),
        Verb::Agents { verb } => match verb {
            AgentsVerb::Test(arguments) => agents::test(cli.node, &arguments),
            AgentsVerb::List { json } => resource_agents::list(json),
            AgentsVerb::Describe { agent, json } => resource_agents::describe(&agent, json),
            AgentsVerb::New { agent, parameters, on } => resource_agents::define(&agent, &parameters, &on),
        },
        Verb::Store { verb: StoreVerb::Test(arguments) } => trial::test(&arguments),
        Verb::Plan { verb } => plan::plan(&context()?, verb),
        Verb::Rolling(arguments) => rolling::rolling(&context()?, &arguments, cli.store.as_deref()),
        Verb::Snapshot => plan::snapshot(&context()?),
        Verb::Guest { verb } => match verb {
            GuestVerb::Set { sid, file } => edits::set_guest(&context()?, &sid, &file),
            GuestVerb::Remove { sid } => edits::remove_guest(&context()?, &sid),
            GuestVerb::List { json } => show::guests(&context()?, json),
        },
        Verb::Node { verb } => match verb {
            NodeVerb::List { json } => nodes::list(&context()?, json),
            NodeVerb::Set { name, options, changes, manner } => {
                edits::set_node(&context()?, &name, &options, &changes, &manner)
            }
            NodeVerb::Config { name, json } => show::node_config(&context()?, name.as_ref(), json),
            NodeVerb::Add { node, manner } => nodes::add(&context()?, &node, &manner),
            NodeVerb::Remove { node, force, manner } => nodes::remove(&context()?, &node, force, &manner),
            NodeVerb::Run(arguments) => {
                daemon::node_run(cli.store.as_deref(), cli.node.clone(), cli.state_dir.as_deref(), &arguments)
            }
            NodeVerb::ClearTwin => daemon::clear_twin(&context()?),
            NodeVerb::Leave => daemon::leave(&state()),
        },
        Verb::WatchdogMux(arguments) => daemon::watchdog_mux(&arguments),
        Verb::Supervise(arguments) => daemon::supervise(&arguments),
        Verb::Demo(arguments) => demo::run(&arguments, cli.store.as_deref()),
        Verb::DemoDisk(arguments) => demo::write_disk(&arguments),
        Verb::Completions { shell } => {
            completion::write_script(shell)?;
            Ok(ExitCode::SUCCESS)
        }
        Verb::ManPages { directory } => {
            clap_mangen::generate_to(Cli::command(), &directory).map_err(|error| {
                Failure::failed(format!("cannot write man pages to {}: {error}", directory.display()))
            })?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn rules(context: &Context, verb: RulesVerb) -> Result<ExitCode, Failure> {
    match verb {
        RulesVerb::Add { rule_type, rule, options, manner } => {
            edits::add_rule(context, &rule_type, &rule, &options, &manner)
        }
        RulesVerb::Set { names, options, members, changes, manner } => {
            edits::set_rule(context, &names, (&options, &members, &changes), &manner)
        }
        RulesVerb::Remove { rule, manner } => edits::remove_rule(context, &rule, &manner),
        RulesVerb::List { json } => show::rule_list(context, json),
        RulesVerb::Config { rule, json } => show::rule_config(context, rule.as_deref(), json),
        RulesVerb::Graph(options) => order_graph::graph(context, &options),
    }
}
