//! What is done to a service day by day.

use std::{process::ExitCode, time::Duration};

use ha_core::{
    config::RequestedState,
    id::{NodeName, ServiceId},
    status::{ServiceEntry, ServiceState, StateName},
};
use serde_json::json;

use super::{
    arguments::StepsManner,
    commands::{self, CommandManner},
    context::{Context, Failure, note, say, say_json},
    deed::{Goal, Manner, wait_for},
    edits,
};

pub(super) fn start(context: &Context, sid: &str, manner: &Manner) -> Result<ExitCode, Failure> {
    let sid = context.sid(sid)?;
    refuse_error(context, &sid)?;
    edits::request(context, &sid, RequestedState::Started, "start", manner)
}

/// With a time it is a command to the master, which requests the state itself; without, the state is requested.
pub(super) fn stop(
    context: &Context,
    sid: &str,
    timeout: Option<u32>,
    manner: &CommandManner,
) -> Result<ExitCode, Failure> {
    let Some(timeout) = timeout else {
        let sid = context.sid(sid)?;
        refuse_error(context, &sid)?;
        return edits::request(context, &sid, RequestedState::Stopped, "stop", &manner.manner);
    };
    commands::stop(context, sid, timeout, manner)
}

/// Another state leads nowhere for a service in 'error'.
fn refuse_error(context: &Context, sid: &ServiceId) -> Result<(), Failure> {
    match entry(context, sid)?.map(|entry| entry.state) {
        Some(ServiceState::Error) => Err(Failure::Failed(format!(
            "{sid} is in 'error': find out why ('ha status {sid}', 'ha logs {sid}'), repair that, then 'ha cleanup {sid}'"
        ))),
        _ => Ok(()),
    }
}

fn entry(context: &Context, sid: &ServiceId) -> Result<Option<ServiceEntry>, Failure> {
    Ok(context.manager_status()?.services.get(sid).cloned())
}

/// Stops it, waits, and starts it again. Whatever happens in between, its requested state is what it was in the end.
pub(super) fn restart(context: &Context, sid: &str, manner: &StepsManner) -> Result<ExitCode, Failure> {
    let sid = context.sid(sid)?;
    refuse_error(context, &sid)?;
    let requested = requested(context, &sid)?;
    if requested != RequestedState::Started {
        return Err(Failure::Failed(format!(
            "{sid} is not to run (requested: {requested}): start it with 'ha start {sid}'"
        )));
    }
    let node = is_known(context, &sid)?;
    let plan = format!("{sid} is stopped on {node} and started again");
    if manner.dry_run {
        return tell(manner, "restart", &sid, &format!("nothing is changed; it would be: {plan}"));
    }
    say_unless_json(manner, &plan)?;
    let steps = Steps { context, sid: &sid, node: &node, manner };
    steps.request(RequestedState::Stopped)?;
    context.keep_change("restart", sid.as_str(), &plan);
    let stopped = steps.wait(StateName::Stopped);
    steps.request(RequestedState::Started)?;
    stopped?;
    steps.wait(StateName::Started)?;
    tell(manner, "restart", &sid, &format!("restarted: {sid} runs on {node}"))
}

/// Clears the error, and requests again what was requested before.
pub(super) fn cleanup(context: &Context, sid: &str, manner: &StepsManner) -> Result<ExitCode, Failure> {
    let sid = context.sid(sid)?;
    let requested = requested(context, &sid)?;
    let node = is_known(context, &sid)?;
    let state = entry(context, &sid)?.map(|entry| entry.state.name());
    if state != Some(StateName::Error) {
        let state = state.map_or("unknown", StateName::as_str);
        return Err(Failure::Failed(format!("{sid} is not in 'error' but in '{state}': there is nothing to clean up")));
    }
    let then = match requested {
        RequestedState::Started => "then it is started again",
        RequestedState::Stopped | RequestedState::Disabled | RequestedState::Ignored => "then it stays stopped",
    };
    let plan = format!("the error of {sid} on {node} is cleared, {then}");
    if manner.dry_run {
        return tell(manner, "cleanup", &sid, &format!("nothing is changed; it would be: {plan}"));
    }
    say_unless_json(manner, &plan)?;
    if context.manager_status()?.may_run.contains(&sid) {
        note(format_args!("nobody has seen {sid} stopped since it was in 'error': see that it does not run elsewhere"));
    }
    let steps = Steps { context, sid: &sid, node: &node, manner };
    steps.request(RequestedState::Disabled)?;
    context.keep_change("cleanup", sid.as_str(), &plan);
    let cleared = steps.wait(StateName::Stopped);
    steps.request(requested)?;
    cleared?;
    if requested == RequestedState::Started {
        steps.wait_anywhere()?;
    }
    tell(manner, "cleanup", &sid, &format!("cleaned up: {sid}"))
}

/// What is requested of a service that is configured.
fn requested(context: &Context, sid: &ServiceId) -> Result<RequestedState, Failure> {
    let stored = context.stored()?;
    let resource = stored.configuration.resources.resources.get(sid);
    let missing = || {
        let hint = context.did_you_mean(sid.as_str());
        Failure::Failed(format!("{sid} is no service of this cluster: make it one with 'ha add {sid}'{hint}"))
    };
    resource.map(ha_core::config::Resource::state).ok_or_else(missing)
}

/// The node of a service that the master knows.
fn is_known(context: &Context, sid: &ServiceId) -> Result<NodeName, Failure> {
    entry(context, sid)?
        .map(|entry| entry.node)
        .ok_or_else(|| Failure::Failed(format!("the master does not know {sid} (yet): see 'ha status {sid}'")))
}

fn say_unless_json(manner: &StepsManner, line: &str) -> Result<(), Failure> {
    if manner.json { Ok(()) } else { say(line) }
}

fn tell(manner: &StepsManner, verb: &str, sid: &ServiceId, text: &str) -> Result<ExitCode, Failure> {
    match manner.json {
        true => say_json(&json!({"verb": verb, "object": sid, "done": !manner.dry_run, "text": text}))?,
        false => say(text)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The steps of what takes several.
struct Steps<'a> {
    context: &'a Context,
    sid: &'a ServiceId,
    node: &'a NodeName,
    manner: &'a StepsManner,
}

impl Steps<'_> {
    fn request(&self, state: RequestedState) -> Result<(), Failure> {
        edits::write_request(self.context, self.sid, state)
    }

    fn wait(&self, state: StateName) -> Result<(), Failure> {
        let goal = Goal::Service { sid: self.sid.clone(), node: Some(self.node.clone()), state: Some(state) };
        let bound = Duration::from_secs(self.manner.wait);
        // From 'error' it goes to 'stopped', so that an error at the beginning is no failure.
        wait_for(self.context, &[goal], bound, self.manner.json).map(drop)
    }

    /// Until it runs: it may be started on another node.
    fn wait_anywhere(&self) -> Result<(), Failure> {
        let goal = Goal::Runs { sid: self.sid.clone() };
        wait_for(self.context, &[goal], Duration::from_secs(self.manner.wait), self.manner.json).map(drop)
    }
}
