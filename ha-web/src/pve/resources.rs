//! Services: what is configured for them.

use ha_core::{
    config::{Digest, GroupsConfig, Resource},
    id::ServiceId,
    rules::effective_failback,
};
use serde_json::{Map, Value, json};

use super::bit;
use crate::{
    access::Privilege,
    call::{Call, nothing},
    wire::{Answer, Fault},
};

/// The properties that can be set.
const KEYS: &[&str] = &["state", "group", "max_restart", "max_relocate", "failback", "auto-rebalance", "comment"];

/// What is set for a service.
fn set_object(resource: &Resource, digest: Digest) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("sid".into(), json!(resource.sid));
    object.insert("type".into(), json!(resource.sid.service_type()));
    object.insert("state".into(), json!(resource.state().as_str()));
    object.insert("digest".into(), json!(digest.to_string()));
    let set = [
        ("group", resource.group.as_ref().map(|group| json!(group))),
        ("max_restart", resource.max_restart.map(|number| json!(number))),
        ("max_relocate", resource.max_relocate.map(|number| json!(number))),
        ("failback", resource.failback.map(bit)),
        ("auto-rebalance", resource.auto_rebalance.map(bit)),
        ("comment", resource.comment.as_ref().map(|comment| json!(comment))),
    ];
    object.extend(set.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    object
}

/// What is in force for a service.
pub(super) fn in_force(resource: &Resource, groups: &GroupsConfig) -> [(&'static str, Value); 4] {
    [
        ("max_restart", json!(resource.max_restart())),
        ("max_relocate", json!(resource.max_relocate())),
        ("failback", bit(effective_failback(resource, groups))),
        ("auto-rebalance", bit(resource.auto_rebalance())),
    ]
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Fault> {
    let stored = call.desk().stored()?;
    let resources = &stored.configuration.resources;
    let service_type = call.parameters.get("type");
    let wanted = |resource: &&Resource| service_type.is_none_or(|wanted| resource.sid.service_type() == wanted);
    let object = |resource: &Resource| {
        let mut object = set_object(resource, resources.digest);
        object.extend(in_force(resource, &stored.configuration.groups).map(|(name, value)| (name.to_owned(), value)));
        object.entry("comment").or_insert_with(|| json!(""));
        Value::Object(object)
    };
    Ok(Value::Array(resources.resources.values().filter(wanted).map(object).collect()).into())
}

pub(super) fn one(call: &Call<'_>) -> Result<Answer, Fault> {
    let sid = call.sid()?;
    let stored = call.desk().stored()?;
    let resources = &stored.configuration.resources;
    let resource = resources.resources.get(&sid).ok_or_else(|| no_such(&sid))?;
    Ok(Value::Object(set_object(resource, resources.digest)).into())
}

/// There is no such service.
pub(super) fn no_such(sid: &ServiceId) -> Fault {
    Fault::not_found("resource", sid.as_str())
}

pub(super) fn add(call: &Call<'_>) -> Result<Answer, Fault> {
    let sid = call.named(call.parameters.get("sid").unwrap_or_default())?;
    let changes = call.changes(KEYS)?;
    call.edit("sid", &mut |editor, config| {
        changes.with(|changes| editor.add_resource(config, sid.as_str(), changes.set)).map(drop)
    })?;
    Ok(nothing())
}

pub(super) fn set(call: &Call<'_>) -> Result<Answer, Fault> {
    // An operator requests states; all else is for administrators.
    let is_state_alone = |name: &str| matches!(name, "state" | "sid" | "type" | "digest");
    if !call.parameters.iter().all(|(name, _)| is_state_alone(name)) {
        call.needs(Privilege::SysConsole)?;
    }
    let sid = call.sid()?;
    if let Some(text) = call.parameters.get("sid")
        && call.named(text)? != sid
    {
        return Err(Fault::parameter("sid", "bad_value", format!("it is not '{sid}', which the path names")));
    }
    if call.parameters.get("type").is_some_and(|service_type| service_type != sid.service_type()) {
        return Err(Fault::parameter("type", "bad_value", format!("it is not the type of '{sid}'")));
    }
    let changes = call.changes(KEYS)?;
    call.edit("sid", &mut |editor, config| changes.with(|changes| editor.set_resource(config, sid.as_str(), changes)))?;
    Ok(nothing())
}

pub(super) fn remove(call: &Call<'_>) -> Result<Answer, Fault> {
    let sid = call.sid()?;
    let purge = call.parameters.truth("purge").unwrap_or(true);
    call.edit("sid", &mut |editor, config| editor.remove_resource(config, sid.as_str(), purge))?;
    Ok(nothing())
}
