//! Nodes, as far as they are known.

use ha_core::id::NodeName;
use ha_host::desk::Present;
use serde_json::{Map, Value, json};

use crate::{
    call::Call,
    wire::{Answer, Fault},
};

/// Whether a node's LRM has written recently. There is no master before there is a service, but LRMs there are.
pub(super) fn is_online(present: &Present, node: &NodeName) -> bool {
    let written = present.lrms.get(node).and_then(|record| record.timestamp);
    let age = written.map(|time| present.now.wall.saturating_sub(time));
    let old_after = present.settings.timings.settings().record_old_after.as_secs();
    age.is_some_and(|age| age <= i64::try_from(old_after).unwrap_or(i64::MAX))
}

/// What is known of a node.
pub(super) fn object(present: &Present, node: &NodeName) -> Map<String, Value> {
    let is_online = is_online(present, node);
    let mut object = Map::new();
    object.insert("node".into(), json!(node));
    object.insert("id".into(), json!(format!("node/{node}")));
    object.insert("type".into(), json!("node"));
    object.insert("status".into(), json!(if is_online { "online" } else { "offline" }));
    let Some(figures) = present.beats.get(node).map(ha_host::store::Beat::figures).filter(|_| is_online) else {
        return object;
    };
    if figures.max_cpu > 0.0 {
        // Clients expect a whole number.
        object.insert("maxcpu".into(), json!(figures.max_cpu.round() as u64));
        object.insert("cpu".into(), json!(figures.cpu / figures.max_cpu));
    }
    if figures.max_memory > 0 {
        object.insert("maxmem".into(), json!(figures.max_memory));
        object.insert("mem".into(), json!(figures.memory));
    }
    object
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Fault> {
    let present = call.present()?;
    Ok(present.settings.nodes.iter().map(|node| Value::Object(object(present, node))).collect::<Value>().into())
}

/// The node that the path names.
pub(super) fn named(call: &Call<'_>) -> Result<NodeName, Fault> {
    let members = &call.present()?.settings.nodes;
    let found = members.iter().find(|node| node.as_str() == call.first());
    found.cloned().ok_or_else(|| Fault::not_found("cluster node", call.first()))
}

pub(super) fn status(call: &Call<'_>) -> Result<Answer, Fault> {
    let node = named(call)?;
    Ok(Value::Object(object(call.present()?, &node)).into())
}

pub(super) fn subscription(call: &Call<'_>) -> Result<Answer, Fault> {
    named(call)?;
    Ok(json!({"status": "notfound"}).into())
}

pub(super) fn nothing_there(call: &Call<'_>) -> Result<Answer, Fault> {
    named(call)?;
    Ok(json!([]).into())
}

/// A task that a call answered with is over: what was queued is the master's matter.
pub(super) fn task(call: &Call<'_>) -> Result<Answer, Fault> {
    let node = named(call)?;
    let upid = call.second();
    let parts: Vec<&str> = upid.split(':').collect();
    let [_, of_node, _, _, started, kind, id, user, ..] = parts[..] else { return Err(Fault::not_found("task", upid)) };
    if of_node != node.as_str() || !upid.starts_with("UPID:") {
        return Err(Fault::not_found("task", upid));
    }
    let started = i64::from_str_radix(started, 16).map_err(|_| Fault::not_found("task", upid))?;
    Ok(json!({
        "upid": upid,
        "node": node,
        "type": kind,
        "id": id,
        "user": user,
        "starttime": started,
        "status": "stopped",
        "exitstatus": "OK",
    })
    .into())
}
