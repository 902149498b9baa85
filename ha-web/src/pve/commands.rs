//! Commands to the master: moves, and the disarming of HA.

use ha_core::{
    config::Resource,
    id::{NodeName, ServiceId},
    status::{Command, DisarmMode, Motion},
};
use ha_host::desk::{BlockedBy, Change, blocking, comoved, foresee, judge};
use serde_json::{Value, json};

use super::resources::no_such;
use crate::{
    call::{Call, nothing},
    wire::{Answer, Fault},
};

pub(super) fn migrate(call: &Call<'_>) -> Result<Answer, Fault> {
    Ok(moving(call, Motion::Migrate, call.sid()?, "node")?.into())
}

pub(super) fn relocate(call: &Call<'_>) -> Result<Answer, Fault> {
    Ok(moving(call, Motion::Relocate, call.sid()?, "node")?.into())
}

/// The node that a parameter names, which must be a member.
fn target(call: &Call<'_>, parameter: &'static str) -> Result<NodeName, Fault> {
    let text = call.parameters.get(parameter).unwrap_or_default();
    let node = NodeName::new(text).map_err(|error| Fault::parameter(parameter, "bad_value", error.to_string()))?;
    let members = &call.present()?.settings.nodes;
    if members.contains(&node) {
        return Ok(node);
    }
    let names: Vec<&str> = members.iter().map(NodeName::as_str).collect();
    let problem = format!("'{node}' is no node of this cluster, which has {}", names.join(", "));
    Err(Fault::parameter(parameter, "no_such_node", problem))
}

/// The service must be configured.
pub(super) fn configured<'a>(call: &'a Call<'_>, sid: &ServiceId) -> Result<&'a Resource, Fault> {
    call.present()?.configuration().resources.resources.get(sid).ok_or_else(|| no_such(sid))
}

/// Queues a move, if nothing speaks against it.
pub(super) fn moving(call: &Call<'_>, motion: Motion, sid: ServiceId, parameter: &'static str) -> Result<Value, Fault> {
    let node = target(call, parameter)?;
    configured(call, &sid)?;
    let present = call.present()?;
    let mut object = json!({"sid": sid, "requested-node": node});
    if present.status.services.get(&sid).is_some_and(|entry| entry.node == node && entry.state.target().is_none()) {
        return Ok(object);
    }
    let command = Command::Move { motion, sid, node };
    let line = command.to_string();
    if present.status_is_broken() {
        return Err(Fault::conflict("status_unreadable", "the manager status can't be understood: see 'ha status'"));
    }
    let foresight = foresee(present, &Change { commands: vec![command.clone()], ..Change::default() });
    if let (Some(foresight), Value::Object(object)) = (&foresight, &mut object) {
        let along: Vec<&ServiceId> = comoved(&foresight.answers).collect();
        if !along.is_empty() {
            object.insert("comigrated-resources".into(), json!(along));
        }
        let blocked: Vec<Value> = blocking(&foresight.answers).map(blocker).collect();
        if !blocked.is_empty() {
            object.insert("blocking-resources".into(), Value::Array(blocked));
            return Ok(Value::Object(std::mem::take(object)));
        }
        judge(&foresight.answers, &line, true).map_err(|refusal| Fault::of_refusal(&refusal))?;
    }
    call.give(&command)?;
    Ok(object)
}

fn blocker((sid, by): (&ServiceId, BlockedBy)) -> Value {
    let cause = match by {
        BlockedBy::ResourceAffinity => "resource-affinity",
        BlockedBy::NodeAffinity => "node-affinity",
    };
    json!({"sid": sid, "cause": cause})
}

/// Queues a command that is about no service.
fn queue(call: &Call<'_>, command: Command) -> Result<Answer, Fault> {
    let line = command.to_string();
    let foresight = foresee(call.present()?, &Change { commands: vec![command.clone()], ..Change::default() });
    if let Some(foresight) = foresight {
        judge(&foresight.answers, &line, true).map_err(|refusal| Fault::of_refusal(&refusal))?;
    }
    call.give(&command)?;
    Ok(nothing())
}

pub(super) fn disarm(call: &Call<'_>) -> Result<Answer, Fault> {
    let mode = call.parameters.get("resource-mode").unwrap_or_default().parse::<DisarmMode>();
    let mode = mode.map_err(|error| Fault::parameter("resource-mode", "bad_value", error.to_string()))?;
    queue(call, Command::DisarmHa { mode })
}

pub(super) fn arm(call: &Call<'_>) -> Result<Answer, Fault> {
    queue(call, Command::ArmHa)
}
