//! Virtual machines and containers, as far as HA knows of them.

use std::sync::Arc;

use ha_core::{
    config::{Changes, RequestedState},
    id::ServiceId,
    status::{Motion, ServiceState},
};
use ha_host::{desk::Present, store::GuestDefinition};
use serde_json::{Map, Value, json};

use super::{
    bit,
    commands::{configured, moving},
    nodes,
};
use crate::{
    call::Call,
    wire::{Answer, Fault},
};

/// A guest that clients know by a number.
pub(super) struct Guest<'a> {
    pub(super) sid: &'a ServiceId,
    /// `qemu` or `lxc`.
    pub(super) kind: &'static str,
    pub(super) number: u32,
    pub(super) definition: &'a GuestDefinition,
}

/// The kinds of guests, with their types of services.
const KINDS: [(&str, &str); 2] = [("qemu", "vm"), ("lxc", "ct")];

impl<'a> Guest<'a> {
    pub(super) fn all(present: &'a Present) -> impl Iterator<Item = Self> {
        present.stored.guests.iter().filter_map(|(sid, definition): (&ServiceId, &Arc<GuestDefinition>)| {
            let (kind, _) = KINDS.into_iter().find(|(_, service_type)| *service_type == sid.service_type())?;
            Some(Self { sid, kind, number: sid.name().parse().ok()?, definition })
        })
    }

    /// What is known of it wherever it is shown.
    pub(super) fn object(&self, present: &Present) -> Map<String, Value> {
        let status = if is_running(present, self.sid) { "running" } else { "stopped" };
        let mut object = Map::new();
        object.insert("vmid".into(), json!(self.number));
        object.insert("name".into(), json!(self.sid));
        object.insert("status".into(), json!(status));
        object
    }
}

/// Whether a service runs, as far as that is recorded.
fn is_running(present: &Present, sid: &ServiceId) -> bool {
    let Some(entry) = present.status.services.get(sid) else { return false };
    let resource = present.configuration().resources.resources.get(sid);
    let is_wanted = || resource.is_none_or(|resource| resource.state() == RequestedState::Started);
    match &entry.state {
        ServiceState::Started { confirmed } => *confirmed,
        // Only what runs is moved in this way; what is frozen was left as it was.
        ServiceState::Migrate { .. } | ServiceState::Relocate { .. } => true,
        ServiceState::Freeze => is_wanted(),
        ServiceState::Stopped
        | ServiceState::RequestStop { .. }
        | ServiceState::RequestStart
        | ServiceState::RequestStartBalance { .. }
        | ServiceState::Fence
        | ServiceState::Recovery
        | ServiceState::Error => false,
    }
}

fn list(call: &Call<'_>, kind: &str) -> Result<Answer, Fault> {
    let node = nodes::named(call)?;
    let present = call.present()?;
    let here = Guest::all(present).filter(|guest| guest.kind == kind && guest.definition.node == node);
    Ok(here.map(|guest| Value::Object(guest.object(present))).collect::<Value>().into())
}

pub(super) fn machines(call: &Call<'_>) -> Result<Answer, Fault> {
    list(call, "qemu")
}

pub(super) fn containers(call: &Call<'_>) -> Result<Answer, Fault> {
    list(call, "lxc")
}

/// The guest that the path names.
fn named<'a>(call: &'a Call<'_>, kind: &str) -> Result<Guest<'a>, Fault> {
    let node = nodes::named(call)?;
    let mut all = Guest::all(call.present()?);
    let found = all.find(|guest| guest.kind == kind && guest.sid.name() == call.second());
    let found = found.filter(|guest| guest.definition.node == node);
    found.ok_or_else(|| Fault::not_found("guest on this node", call.second()))
}

fn config(call: &Call<'_>, kind: &str) -> Result<Answer, Fault> {
    let guest = named(call, kind)?;
    Ok(json!({"name": guest.sid, "onboot": bit(false)}).into())
}

pub(super) fn machine_config(call: &Call<'_>) -> Result<Answer, Fault> {
    config(call, "qemu")
}

pub(super) fn container_config(call: &Call<'_>) -> Result<Answer, Fault> {
    config(call, "lxc")
}

fn now(call: &Call<'_>, kind: &str) -> Result<Answer, Fault> {
    let guest = named(call, kind)?;
    let present = call.present()?;
    let resource = present.configuration().resources.resources.get(guest.sid);
    let mut ha = Map::new();
    ha.insert("managed".into(), bit(resource.is_some()));
    ha.extend(resource.map(|resource| ("state".to_owned(), json!(resource.state().as_str()))));
    let group = resource.and_then(|resource| resource.group.as_ref());
    ha.extend(group.map(|group| ("group".to_owned(), json!(group))));
    let mut object = guest.object(present);
    object.insert("ha".into(), Value::Object(ha));
    Ok(Value::Object(object).into())
}

pub(super) fn machine_now(call: &Call<'_>) -> Result<Answer, Fault> {
    now(call, "qemu")
}

pub(super) fn container_now(call: &Call<'_>) -> Result<Answer, Fault> {
    now(call, "lxc")
}

/// The name of a task that is over by now.
fn task(call: &Call<'_>, kind: &str, guest: &Guest<'_>) -> Result<Answer, Fault> {
    let now = call.present()?.now.wall;
    let user = call.caller.name.replace(':', "-");
    Ok(json!(format!("UPID:{}:00000001:00000000:{now:08X}:{kind}:{}:{user}:", call.first(), guest.number)).into())
}

/// Requests a state for a guest that is looked after.
fn request(call: &Call<'_>, kind: &str, state: RequestedState, task_kind: &str) -> Result<Answer, Fault> {
    let guest = named(call, kind)?;
    configured(call, guest.sid)?;
    call.edit("vmid", &mut |editor, config| {
        editor.set_resource(config, guest.sid.as_str(), Changes { set: &[("state", state.as_str())], unset: &[] })
    })?;
    task(call, task_kind, &guest)
}

pub(super) fn start_machine(call: &Call<'_>) -> Result<Answer, Fault> {
    request(call, "qemu", RequestedState::Started, "hastart")
}

pub(super) fn stop_machine(call: &Call<'_>) -> Result<Answer, Fault> {
    request(call, "qemu", RequestedState::Stopped, "hastop")
}

pub(super) fn start_container(call: &Call<'_>) -> Result<Answer, Fault> {
    request(call, "lxc", RequestedState::Started, "hastart")
}

pub(super) fn stop_container(call: &Call<'_>) -> Result<Answer, Fault> {
    request(call, "lxc", RequestedState::Stopped, "hastop")
}

fn migrate(call: &Call<'_>, kind: &str) -> Result<Answer, Fault> {
    let guest = named(call, kind)?;
    let is_restart = call.parameters.truth("restart").unwrap_or(false);
    let motion = if is_restart { Motion::Relocate } else { Motion::Migrate };
    let answer = moving(call, motion, guest.sid.clone(), "target")?;
    // A task can't tell what a call of HA's own does.
    match answer.get("blocking-resources") {
        Some(blocking) => Err(Fault::conflict("blocked", format!("a rule stands against it: {blocking}"))),
        None => task(call, "hamigrate", &guest),
    }
}

pub(super) fn migrate_machine(call: &Call<'_>) -> Result<Answer, Fault> {
    migrate(call, "qemu")
}

pub(super) fn migrate_container(call: &Call<'_>) -> Result<Answer, Fault> {
    migrate(call, "lxc")
}
