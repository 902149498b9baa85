//! Groups.

use ha_core::config::{Digest, Group, groups::GroupProperty};
use serde_json::{Map, Value, json};

use super::bit;
use crate::{
    call::{Call, nothing},
    wire::{Answer, Fault},
};

/// The properties that can be set.
const KEYS: &[&str] = &["nodes", "restricted", "nofailback", "comment"];

fn object(group: &Group, digest: Digest) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("group".into(), json!(group.id));
    object.insert("type".into(), json!("group"));
    object.insert("nodes".into(), json!(group.text(GroupProperty::Nodes).unwrap_or_default()));
    object.insert("restricted".into(), bit(group.restricted()));
    object.insert("nofailback".into(), bit(group.nofailback()));
    object.insert("digest".into(), json!(digest.to_string()));
    object.extend(group.comment.as_ref().map(|comment| ("comment".to_owned(), json!(comment))));
    object
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Fault> {
    let stored = call.desk().stored()?;
    let groups = &stored.configuration.groups;
    let with_comment = |group: &Group| {
        let mut object = object(group, groups.digest);
        object.entry("comment").or_insert_with(|| json!(""));
        Value::Object(object)
    };
    Ok(Value::Array(groups.groups.values().map(with_comment).collect()).into())
}

pub(super) fn one(call: &Call<'_>) -> Result<Answer, Fault> {
    let stored = call.desk().stored()?;
    let groups = &stored.configuration.groups;
    let group = groups.groups.get(call.first()).ok_or_else(|| Fault::not_found("ha group", call.first()))?;
    Ok(Value::Object(object(group, groups.digest)).into())
}

pub(super) fn add(call: &Call<'_>) -> Result<Answer, Fault> {
    let group = call.parameters.get("group").unwrap_or_default();
    let changes = call.changes(KEYS)?;
    call.edit("group", &mut |editor, config| changes.with(|changes| editor.add_group(config, group, changes.set)))?;
    Ok(nothing())
}

pub(super) fn set(call: &Call<'_>) -> Result<Answer, Fault> {
    let group = call.first();
    if call.parameters.get("group").is_some_and(|named| named != group) {
        return Err(Fault::parameter("group", "bad_value", format!("it is not '{group}', which the path names")));
    }
    let changes = call.changes(KEYS)?;
    call.edit("group", &mut |editor, config| changes.with(|changes| editor.set_group(config, group, changes)))?;
    Ok(nothing())
}

pub(super) fn remove(call: &Call<'_>) -> Result<Answer, Fault> {
    call.edit("group", &mut |editor, config| editor.remove_group(config, call.first()))?;
    Ok(nothing())
}
