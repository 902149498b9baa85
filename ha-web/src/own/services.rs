//! Services: what is configured for them, what they do, and the rules that hold for them.

use ha_core::{
    config::{GroupsConfig, Resource, resources::ResourceProperty},
    id::ServiceId,
    placement::Preference,
    plan::Situation,
    rules::{effective_failback, evaluate},
};
use ha_host::desk::{Glance, Present, ServiceGlance};
use serde_json::{Map, Value, json};

use super::config::{Edited, edited, properties};
use crate::{
    access::Privilege,
    call::Call,
    wire::{Answer, Fault},
};

const KEYS: &[&str] = &[
    "state",
    "group",
    "max_restart",
    "max_relocate",
    "failback",
    "failback-delay",
    "auto-rebalance",
    "failure-timeout",
    "priority",
    "probe",
    "probe-interval",
    "probe-timeout",
    "probe-failures",
    "ready-timeout",
    "on-failure",
    "comment",
];

/// A service as everybody sees it.
fn object(resource: Option<&Resource>, groups: &GroupsConfig, glance: &ServiceGlance) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("sid".into(), json!(glance.view.sid));
    object.insert("type".into(), json!(glance.view.sid.service_type()));
    object.insert("node".into(), json!(glance.view.node));
    object.insert("health".into(), json!(glance.health));
    object.insert("status".into(), json!(glance.view));
    object.insert("reason".into(), json!(glance.reason));
    object.insert("advice".into(), json!(glance.advice));
    let set = resource.map(|resource| properties(ResourceProperty::ALL, |property| resource.text(*property)));
    object.insert("set".into(), json!(set));
    let in_force = resource.map(|resource| {
        json!({
            "state": resource.state().as_str(),
            "max_restart": resource.max_restart(),
            "max_relocate": resource.max_relocate(),
            "failback": effective_failback(resource, groups),
            "failback-delay": resource.failback_delay(),
            "auto-rebalance": resource.auto_rebalance(),
            "failure-timeout": resource.failure_timeout(),
            "priority": resource.priority(),
            "probe": resource.probe.as_ref().map(|probe| probe.as_str()),
            "probe-interval": resource.probe_interval(),
            "probe-timeout": resource.probe_timeout(),
            "probe-failures": resource.probe_failures(),
            "ready-timeout": resource.ready_timeout(),
            "on-failure": resource.on_failure().as_str(),
        })
    });
    object.insert("in_force".into(), json!(in_force));
    object
}

fn glance(call: &Call<'_>) -> Result<Glance, Fault> {
    Ok(Glance::new(call.present()?, &call.local_node()?, None))
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Fault> {
    let configuration = call.present()?.configuration();
    let (resources, groups) = (&configuration.resources, &configuration.groups);
    let services = glance(call)?.services;
    let one = |service: &ServiceGlance| object(resources.resources.get(&service.view.sid), groups, service);
    Ok(Answer::with_digest(services.iter().map(|service| Value::Object(one(service))).collect(), resources.digest))
}

pub(super) fn one(call: &Call<'_>) -> Result<Answer, Fault> {
    service(call, &call.sid()?)
}

fn service(call: &Call<'_>, sid: &ServiceId) -> Result<Answer, Fault> {
    let present = call.present()?;
    let resources = &present.configuration().resources;
    let glance = glance(call)?;
    let found = glance.services.iter().find(|service| service.view.sid == *sid);
    let found = found.ok_or_else(|| Fault::not_found("service", sid.as_str()))?;
    let mut object = object(resources.resources.get(sid), &present.configuration().groups, found);
    object.insert("rules".into(), rules_for(present, sid));
    let situation = Situation {
        usage: present.usage.as_deref(),
        ..Situation::new(&present.status, present.configuration(), &present.settings.nodes)
    };
    let why = situation.explain(sid, Preference::None).ok().map(|explanation| explanation.to_string());
    object.insert("why".into(), json!(why));
    Ok(Answer::with_digest(Value::Object(object), resources.digest))
}

/// The rules that name a service, with whether each is in force.
fn rules_for(present: &Present, sid: &ServiceId) -> Value {
    let configuration = present.configuration();
    let rules = configuration.rule_set();
    let dropped = evaluate(&rules, &present.settings.nodes).dropped;
    let naming = rules.iter().filter(|rule| rule.resources.contains(sid)).map(|rule| {
        let problems: Vec<String> =
            dropped.iter().filter(|finding| finding.rule == rule.id).map(ToString::to_string).collect();
        let in_force = !rule.is_disabled() && problems.is_empty();
        json!({"rule": rule.id, "type": rule.rule_type().as_str(), "in_force": in_force, "problems": problems})
    });
    naming.collect()
}

pub(super) fn add(call: &Call<'_>) -> Result<Answer, Fault> {
    let sid = call.named(call.parameters.get("sid").unwrap_or_default())?;
    let changes = call.changes(KEYS)?;
    let edited = edited(call, "sid", &mut |editor, config| {
        changes.with(|changes| editor.add_resource(config, sid.as_str(), changes.set)).map(drop)
    })?;
    match edited {
        Edited::Tried(answer) => Ok(answer),
        Edited::Made => Ok(Answer { status: http::StatusCode::CREATED, ..edited_service(call, &sid)? }),
    }
}

/// A service as it is after the edit.
fn edited_service(call: &Call<'_>, sid: &ServiceId) -> Result<Answer, Fault> {
    service(&call.again(), sid)
}

pub(super) fn set(call: &Call<'_>) -> Result<Answer, Fault> {
    // An operator requests states; all else is for administrators.
    if !call.parameters.iter().all(|(name, _)| matches!(name, "state" | "digest" | "dry_run")) {
        call.needs(Privilege::SysConsole)?;
    }
    let sid = call.sid()?;
    let changes = call.changes(KEYS)?;
    let edited = edited(call, "sid", &mut |editor, config| {
        changes.with(|changes| editor.set_resource(config, sid.as_str(), changes))
    })?;
    match edited {
        Edited::Tried(answer) => Ok(answer),
        Edited::Made => edited_service(call, &sid),
    }
}

pub(super) fn remove(call: &Call<'_>) -> Result<Answer, Fault> {
    let sid = call.sid()?;
    let purge = call.parameters.truth("purge").unwrap_or(true);
    let edited = edited(call, "sid", &mut |editor, config| editor.remove_resource(config, sid.as_str(), purge))?;
    Ok(edited.or_nothing())
}

/// What there is to look after.
pub(super) fn guests(call: &Call<'_>) -> Result<Answer, Fault> {
    let present = call.present()?;
    let managed = &present.configuration().resources.resources;
    let guest = |(sid, node)| json!({"sid": sid, "node": node, "managed": managed.contains_key(&sid)});
    Ok(present.locations().into_iter().map(guest).collect::<Value>().into())
}
