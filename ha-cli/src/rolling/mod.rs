//! `ha rolling`: work on node after node, one at a time, whose state is in the store.

mod command;
mod tell;
mod work;

use std::{process::ExitCode, time::Duration};

use ha_core::id::NodeName;
use ha_host::{
    desk::{
        Present, RollingCommand, RollingError, RollingLease, RollingPlan, RollingRunner, RollingStep, RollingWork,
        rolling_doubts, rolling_plan,
    },
    os::{clock, signals::StopSignals},
};
use serde_json::{Map, json};

use self::{
    tell::{Teller, planned},
    work::{Runner, Stop, Verdict},
};
use super::{
    arguments::RollingArguments,
    commands::check_node,
    context::{Context, Failure, complain, note, say, say_json, who},
};

/// By this code it is told that a person must decide about a command.
const COMMAND_EXIT_CODE: u8 = 4;

pub(super) fn rolling(
    context: &Context,
    arguments: &RollingArguments,
    store: Option<&str>,
) -> Result<ExitCode, Failure> {
    if arguments.status {
        return show(context, arguments.json);
    }
    if arguments.done && !arguments.resume && !arguments.abort {
        return Err(Failure::Usage("--done goes with --resume or --abort".into()));
    }
    if arguments.resume || arguments.abort {
        return take_up(context, arguments, store);
    }
    let work = asked_for(context, arguments)?;
    if arguments.dry_run {
        return dry_run(context, &work, arguments.json);
    }
    let signals = StopSignals::catch()?;
    let lease = RollingLease::begin(&context.store, &who(), &work).map_err(|error| refused(&error))?;
    context.keep_change("rolling", "the cluster", &format!("begun: rolling work on {}", names(&work.nodes)));
    let verdict = None;
    let teller = Teller { as_json: arguments.json };
    let own_node = context.node()?;
    let mut runner = Runner { context, store, own_node, teller, signals, lease, work, verdict };
    let outcome = runner.go_on();
    end(runner, outcome)
}

fn names(nodes: &[NodeName]) -> String {
    nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ")
}

/// What helps.
fn refused(error: &RollingError) -> Failure {
    let hint = match error {
        RollingError::Unfinished(_) => ". Go on with it by 'ha rolling --resume', or end it by 'ha rolling --abort'",
        RollingError::Held { .. } => ": see 'ha rolling --status'. Nothing was done",
        RollingError::NotUnderstood(_) => ": use the program that wrote it. Nothing was done",
        RollingError::Nothing | RollingError::Store(_) => "",
    };
    Failure::Failed(format!("{error}{hint}"))
}

/// The work by these arguments.
fn asked_for(context: &Context, arguments: &RollingArguments) -> Result<RollingWork, Failure> {
    let RollingArguments { run, wait_for_reboot, timeout, .. } = arguments;
    if run.is_none() && !wait_for_reboot {
        return Err(Failure::Usage(
            "say what is to be done while a node's services are elsewhere: --run COMMAND, --wait-for-reboot, or both"
                .into(),
        ));
    }
    let present = context.present()?;
    let nodes = if arguments.all { all(&present) } else { arguments.nodes.clone() };
    if nodes.is_empty() {
        return Err(Failure::Usage("name the nodes in their order, or say --all".into()));
    }
    for (at, node) in nodes.iter().enumerate() {
        check_node(&present.settings.nodes, node)?;
        if nodes.iter().take(at).any(|before| before == node) {
            return Err(Failure::Usage(format!("{node} is named twice")));
        }
    }
    Ok(RollingWork {
        version: RollingWork::VERSION,
        id: context.new_id()?.to_string(),
        by: who(),
        begun: clock::wall(),
        nodes,
        run: run.clone(),
        wait_for_reboot: *wait_for_reboot,
        timeout_s: *timeout,
        allow_interruption: arguments.allow_interruption,
        without_reserve: arguments.without_reserve,
        done: Vec::new(),
        step: RollingStep::Check,
        since: clock::wall(),
        stays: Vec::new(),
        boot: None,
        command: None,
        returning: None,
        stopped: None,
        runner: None,
        unknown: Map::new(),
    })
}

fn all(present: &Present) -> Vec<NodeName> {
    let mut nodes = present.settings.nodes.clone();
    nodes.sort_by_key(|node| (Some(node) == present.status.master_node.as_ref(), node.clone()));
    nodes
}

fn dry_run(context: &Context, work: &RollingWork, as_json: bool) -> Result<ExitCode, Failure> {
    let present = context.present()?;
    let mut doubts = rolling_doubts(&present, &context.node()?);
    match RollingWork::read(&*context.store) {
        Ok(Some(other)) if !other.step.is_over() => {
            doubts.push(RollingError::Unfinished(Box::new(other)).to_string());
        }
        Ok(_) => {}
        Err(error) => doubts.push(error.to_string()),
    }
    let plans = rolling_plan(&present, work, &work.nodes);
    let is_good = doubts.is_empty() && plans.iter().all(|plan| plan.doubts.is_empty());
    if as_json {
        say_json(&json!({"doubts": doubts, "nodes": plans}))?;
    } else {
        say("nothing is changed; it would be, in this order:")?;
        plans.iter().try_for_each(|plan| tell_plan(work, plan))?;
        doubts.iter().try_for_each(|doubt| say(format_args!("it would not begin: {doubt}")))?;
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell_plan(work: &RollingWork, plan: &RollingPlan) -> Result<(), Failure> {
    say(format_args!("{}:", plan.node))?;
    planned(plan).iter().try_for_each(|line| say(format_args!("  {line}")))?;
    plan.doubts.iter().try_for_each(|doubt| say(format_args!("  it would stop: {doubt}")))?;
    if let Some(command) = &work.run {
        say(format_args!("  run here with HA_NODE={}, {} s at most: {command}", plan.node, work.timeout_s))?;
    }
    if work.wait_for_reboot {
        say(format_args!("  wait for its restart, {} s at most", work.timeout_s))?;
    }
    Ok(())
}

/// How far the work is, by the record alone.
fn show(context: &Context, as_json: bool) -> Result<ExitCode, Failure> {
    let work = RollingWork::read(&*context.store).map_err(|error| refused(&error))?;
    if as_json {
        say_json(&work)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(work) = work else {
        say("there was no rolling work")?;
        return Ok(ExitCode::SUCCESS);
    };
    say(&work)?;
    if !work.done.is_empty() {
        say(format_args!("done: {}", names(&work.done)))?;
    }
    match (&work.runner, work.step.is_over()) {
        (_, true) => {}
        (Some(RollingRunner { by, .. }), false) => {
            say(format_args!("{by} carries it out, unless that has died: then 'ha rolling --resume'"))?;
        }
        (None, false) => say("nobody carries it out: 'ha rolling --resume' or 'ha rolling --abort'")?,
    }
    Ok(ExitCode::SUCCESS)
}

fn take_up(context: &Context, arguments: &RollingArguments, store: Option<&str>) -> Result<ExitCode, Failure> {
    let signals = StopSignals::catch()?;
    let mut is_told = false;
    let mut watching = |runner: &RollingRunner, patience: Duration| {
        if !is_told {
            is_told = true;
            let RollingRunner { by, .. } = runner;
            note(format_args!("watching whether the runner of {by} has died, {} s at most", patience.as_secs() + 1));
        }
        !signals.wait(Duration::ZERO)
    };
    let (lease, work) =
        RollingLease::take_up(&context.store, &who(), &mut watching).map_err(|error| refused(&error))?;
    let verdict = match (arguments.again, arguments.done) {
        (true, _) => Some(Verdict::Again),
        (_, true) => Some(Verdict::Done),
        (false, false) => None,
    };
    let teller = Teller { as_json: arguments.json };
    let own_node = context.node()?;
    let mut runner = Runner { context, store, own_node, teller, signals, lease, work, verdict };
    if arguments.abort {
        let outcome = abort(&mut runner);
        return match outcome {
            Ok(()) => aborted(runner),
            Err(stop) => end(runner, Err(stop)),
        };
    }
    let outcome = runner.go_on();
    end(runner, outcome)
}

/// Brings the node back that the work has taken into maintenance.
fn abort(runner: &mut Runner<'_>) -> Result<(), Stop> {
    let Some(node) = runner.work.current().cloned().filter(|_| runner.work.step.holds_the_node()) else {
        return Ok(());
    };
    let known = runner.work.command.as_ref();
    let at_work = known.is_some_and(command::is_at_work);
    let failed = known.is_some_and(|command: &RollingCommand| command.failed.is_some());
    if runner.work.step == RollingStep::Run && (at_work || !failed && runner.verdict.is_none()) {
        return Err(Stop::Command(format!("the command for {node} may run still: it is not brought back")));
    }
    // What was queued before the runner died would take it into maintenance afterwards.
    let context = runner.context;
    runner.wait(&node, "the master to take what was queued", false, |_| {
        let waits = context.store.commands_waiting().map_err(|error| error.to_string())?;
        if waits { Err("commands wait".to_owned()) } else { Ok(()) }
    })?;
    runner.end_maintenance(&node)?;
    runner.wait(&node, "its maintenance to end", false, |present| {
        let is_over = !present.status.maintenance_requested(&node) && present.status.is_online(&node);
        if is_over { Ok(()) } else { Err(format!("it is in state {}", present.status.node_state(&node))) }
    })
}

fn aborted(runner: Runner<'_>) -> Result<ExitCode, Failure> {
    let Runner { lease, teller, context, .. } = runner;
    let work = lease.release(|work| work.goes_to(RollingStep::Aborted, clock::wall()));
    let work = work.map_err(|error| refused(&error))?;
    let text = format!("aborted: rolling work on {}; done: {}", names(&work.nodes), or_none(&work.done));
    context.keep_change("rolling", "the cluster", &text);
    teller.whole("aborted", &text)?;
    Ok(ExitCode::SUCCESS)
}

fn or_none(nodes: &[NodeName]) -> String {
    if nodes.is_empty() { "no node".to_owned() } else { names(nodes) }
}

/// Gives the lease back, and says how it has ended, in what state things are, and what to do.
fn end(runner: Runner<'_>, outcome: Result<(), Stop>) -> Result<ExitCode, Failure> {
    let Runner { lease, teller, context, work, .. } = runner;
    let (reason, code) = match outcome {
        Ok(()) => {
            let work = lease.release(|_| {}).map_err(|error| refused(&error))?;
            let text = format!("finished: rolling work on {}", names(&work.nodes));
            context.keep_change("rolling", "the cluster", &text);
            teller.whole("finished", &text)?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(Stop::Lost(reason)) => return Err(Failure::Failed(format!("{reason}: this one does nothing any more"))),
        Err(Stop::Closed) => ("nobody reads what is told".to_owned(), 1),
        Err(Stop::Doubt(reason)) => (reason, 1),
        Err(Stop::Command(reason)) => (reason, COMMAND_EXIT_CODE),
    };
    let released = lease.release(|work| work.stopped = Some(reason.clone()));
    let work = released.unwrap_or(work);
    let (state, next) = (state_of(&work), next_of(&work, code));
    context.keep_change("rolling", "the cluster", &format!("stopped: rolling work: {reason}"));
    if teller.as_json {
        let time_ms = clock::wall_ms();
        teller.object(
            &json!({"time_ms": time_ms, "step": "stopped", "text": reason, "state": state, "next": next, "done": work.done}),
        )?;
    }
    complain(&format!("stopped: {reason}. {state}. {next}"));
    Ok(ExitCode::from(code))
}

fn state_of(work: &RollingWork) -> String {
    let done = format!("Done: {}", or_none(&work.done));
    match (work.current(), work.step) {
        (Some(node), RollingStep::Check) => format!("{done}; nothing was done to {node}"),
        (Some(node), RollingStep::Evacuate | RollingStep::Run | RollingStep::Reboot) => {
            format!("{done}; {node} is in maintenance or about to be, and stays so")
        }
        (Some(node), RollingStep::Return) => format!("{done}; the maintenance of {node} ends or is about to"),
        (Some(_) | None, _) => done,
    }
}

fn next_of(work: &RollingWork, code: u8) -> &'static str {
    match (code == COMMAND_EXIT_CODE, work.step) {
        (true, _) => {
            "Look at the node; then: 'ha rolling --resume --done' if all is well with it, 'ha rolling --resume --again' to run \
             the command again, 'ha rolling --abort --done' to bring it back and end the work"
        }
        (false, _) => "When that is mended: 'ha rolling --resume', or 'ha rolling --abort' to end the work",
    }
}
