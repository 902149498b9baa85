//! Commands to the master. What follows is told before one is queued, and one that would not do what it says is not queued.

use ha_core::{
    config::{Changes, RequestedState},
    id::{NodeName, ServiceId},
    similar::{did_you_mean, similar},
    status::{Command, DisarmMode, Motion},
};
use ha_host::desk::{Change, foresee, judge};
use serde_json::{Value, json};

use super::{config::what_follows, time::rfc3339_ms};
use crate::{
    call::Call,
    wire::{Answer, Fault, insert},
};

pub(super) fn migrate(call: &Call<'_>) -> Result<Answer, Fault> {
    moving(call, Motion::Migrate)
}

pub(super) fn relocate(call: &Call<'_>) -> Result<Answer, Fault> {
    moving(call, Motion::Relocate)
}

fn moving(call: &Call<'_>, motion: Motion) -> Result<Answer, Fault> {
    let sid = configured(call)?;
    let node = member(call, "node", call.parameters.get("node").unwrap_or_default())?;
    queue(call, &Command::Move { motion, sid, node })
}

/// The service that the path names, which must be configured.
fn configured(call: &Call<'_>) -> Result<ServiceId, Fault> {
    let sid = call.sid()?;
    let is_configured = call.present()?.configuration().resources.resources.contains_key(&sid);
    if is_configured { Ok(sid) } else { Err(Fault::not_found("service", sid.as_str())) }
}

fn member(call: &Call<'_>, parameter: &'static str, text: &str) -> Result<NodeName, Fault> {
    let members = &call.present()?.settings.nodes;
    let found = members.iter().find(|node| node.as_str() == text).cloned();
    found.ok_or_else(|| {
        let hint = did_you_mean(similar(text, members.iter().map(NodeName::as_str)));
        Fault::parameter(parameter, "no_such_node", format!("'{text}' is no node of this cluster{hint}"))
    })
}

/// Queues a command, unless the call only asks what would follow.
fn queue(call: &Call<'_>, command: &Command) -> Result<Answer, Fault> {
    let line = command.to_string();
    let present = call.present()?;
    if present.status_is_broken() {
        return Err(Fault::conflict("status_unreadable", "the manager status can't be understood: see 'ha status'"));
    }
    let force = call.parameters.truth("force").unwrap_or(false);
    let foresight = foresee(present, &Change { commands: vec![command.clone()], ..Change::default() });
    let notes = match &foresight {
        Some(foresight) => judge(&foresight.answers, &line, force).map_err(|refusal| Fault::of_refusal(&refusal))?,
        None => vec!["no master is at work: it is done when there is one".into()],
    };
    let mut answer = what_follows(&foresight);
    if let Value::Object(answer) = &mut answer {
        answer.insert("command".into(), json!(line));
        answer.insert("notes".into(), json!(notes));
    }
    if call.parameters.truth("dry_run").unwrap_or(false) {
        return Ok(answer.into());
    }
    let id = call.give(command)?;
    insert(&mut answer, "id", json!(id));
    Ok(Answer::accepted(answer))
}

/// How a command that was given before stands.
pub(super) fn one(call: &Call<'_>) -> Result<Answer, Fault> {
    let fate = call.desk().fate_of_command(call.first())?;
    let fate = fate.ok_or_else(|| Fault::not_found("command", call.first()))?;
    let time = |moment: Option<i64>| moment.map(rfc3339_ms);
    Ok(json!({
        "id": fate.id,
        "command": fate.command,
        "by": fate.by,
        "outcome": fate.outcome,
        "text": fate.text,
        "given": time(fate.given_ms),
        "taken": time(fate.taken_ms),
        "master": fate.master,
        "ended": time(fate.ended_ms),
    })
    .into())
}

pub(super) fn stop(call: &Call<'_>) -> Result<Answer, Fault> {
    let sid = configured(call)?;
    let is_trial = call.parameters.truth("dry_run").unwrap_or(false);
    if let Some(timeout) = call.parameters.get("timeout_s").and_then(|text| text.parse().ok()) {
        return queue(call, &Command::Stop { sid, timeout });
    }
    let edited = super::config::edited(call, "sid", &mut |editor, config| {
        let set = &[("state", RequestedState::Stopped.as_str())];
        editor.set_resource(config, sid.as_str(), Changes { set, unset: &[] })
    })?;
    let answer = edited.or_nothing();
    Ok(if is_trial { answer } else { Answer::accepted(json!({"requested": "stopped", "sid": sid})) })
}

pub(super) fn enter_maintenance(call: &Call<'_>) -> Result<Answer, Fault> {
    queue(call, &Command::EnableNodeMaintenance { node: node_of_path(call)? })
}

pub(super) fn leave_maintenance(call: &Call<'_>) -> Result<Answer, Fault> {
    queue(call, &Command::DisableNodeMaintenance { node: node_of_path(call)? })
}

/// Whoever says so must name the node twice: what still runs there would run twice.
pub(super) fn confirm_fenced(call: &Call<'_>) -> Result<Answer, Fault> {
    let node = node_of_path(call)?;
    if call.parameters.get("repeat") != Some(node.as_str()) {
        return Err(Fault::parameter("repeat", "bad_value", format!("it is not '{node}': nothing was confirmed")));
    }
    queue(call, &Command::ConfirmFenced { node, by: Some(call.caller.name.as_str().into()) })
}

pub(super) fn clear_fencings(call: &Call<'_>) -> Result<Answer, Fault> {
    queue(call, &Command::ClearFencings { node: node_of_path(call)? })
}

pub(super) fn disarm(call: &Call<'_>) -> Result<Answer, Fault> {
    let mode = call.parameters.get("mode").unwrap_or_default().parse::<DisarmMode>();
    let mode = mode.map_err(|error| Fault::parameter("mode", "bad_value", error.to_string()))?;
    queue(call, &Command::DisarmHa { mode })
}

pub(super) fn arm(call: &Call<'_>) -> Result<Answer, Fault> {
    queue(call, &Command::ArmHa)
}

fn node_of_path(call: &Call<'_>) -> Result<NodeName, Fault> {
    let found = call.present()?.settings.nodes.iter().find(|node| node.as_str() == call.first()).cloned();
    found.ok_or_else(|| Fault::not_found("node", call.first()))
}
