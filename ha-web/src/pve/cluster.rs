//! The cluster as a whole: its version, its nodes, what runs on them.

use ha_host::{VERSION, desk::Present};
use serde_json::{Map, Value, json};

use super::{bit, guests::Guest, ids, nodes};
use crate::{
    call::Call,
    wire::{Answer, Fault},
};

/// What clients go by: from 9.0 on they ask for rules.
const COMPATIBLE_VERSION: &str = "9.1.0";
const COMPATIBLE_RELEASE: &str = "9.1";

pub(super) fn version(call: &Call<'_>) -> Result<Answer, Fault> {
    Ok(json!({
        "version": COMPATIBLE_VERSION,
        "release": COMPATIBLE_RELEASE,
        "repoid": call.site.build,
        "ha-version": VERSION,
    })
    .into())
}

pub(super) fn index(_: &Call<'_>) -> Result<Answer, Fault> {
    Ok(ids(&["ha", "options", "resources", "status", "tasks"]))
}

/// The name by which people tell one cluster from another.
pub(crate) fn cluster_name(call: &Call<'_>) -> Result<String, Fault> {
    Ok(name_of(call.desk().store().cluster_id()?.as_deref()))
}

/// The name of a cluster with an id.
pub(crate) fn name_of(id: Option<&str>) -> String {
    id.and_then(|id| id.get(..8)).map_or_else(|| "ha".into(), |id| format!("ha-{id}"))
}

pub(super) fn status(call: &Call<'_>) -> Result<Answer, Fault> {
    let present = call.present()?;
    let local = call.local_node()?;
    let members = &present.settings.nodes;
    let mut list = vec![json!({
        "type": "cluster",
        "id": "cluster",
        "name": cluster_name(call)?,
        "version": members.len(),
        "nodes": members.len(),
        "quorate": bit(true),
    })];
    for (node, id) in members.iter().zip(1_u32..) {
        list.push(json!({
            "type": "node",
            "id": format!("node/{node}"),
            "name": node,
            "nodeid": id,
            // The nodes meet in the store: no address of theirs is known.
            "ip": "",
            "online": bit(nodes::is_online(present, node)),
            "local": bit(*node == local),
            "level": "",
        }));
    }
    Ok(Value::Array(list).into())
}

pub(super) fn resources(call: &Call<'_>) -> Result<Answer, Fault> {
    let present = call.present()?;
    let wanted = |kind: &str| call.parameters.get("type").is_none_or(|wanted| wanted == kind);
    let mut list = Vec::new();
    if wanted("vm") {
        list.extend(Guest::all(present).map(|guest| Value::Object(guest_object(present, &guest))));
    }
    if wanted("node") {
        for node in &present.settings.nodes {
            let mut object = nodes::object(present, node);
            object.insert("level".into(), json!(""));
            let recorded = present.status.nodes.get(node);
            object.extend(recorded.map(|state| ("hastate".to_owned(), json!(state.as_str()))));
            list.push(Value::Object(object));
        }
    }
    Ok(Value::Array(list).into())
}

fn guest_object(present: &Present, guest: &Guest<'_>) -> Map<String, Value> {
    let mut object = guest.object(present);
    object.insert("id".into(), json!(format!("{}/{}", guest.kind, guest.number)));
    object.insert("type".into(), json!(guest.kind));
    object.insert("node".into(), json!(guest.definition.node));
    object.insert("template".into(), bit(false));
    let entry = present.status.services.get(guest.sid);
    object.extend(entry.map(|entry| ("hastate".to_owned(), json!(entry.state.name().as_str()))));
    object
}

pub(super) fn options(call: &Call<'_>) -> Result<Answer, Fault> {
    let stored = call.desk().stored()?;
    let settings = &stored.configuration.datacenter;
    let scheduler = &settings.scheduler;
    Ok(json!({
        "ha": {"shutdown_policy": settings.shutdown_policy.as_str()},
        "crs": {
            "ha": scheduler.mode.as_str(),
            "ha-rebalance-on-start": bit(scheduler.rebalance_on_start),
            "ha-auto-rebalance": bit(scheduler.auto_rebalance),
            "ha-auto-rebalance-threshold": percent(scheduler.threshold),
            "ha-auto-rebalance-method": scheduler.method.as_str(),
            "ha-auto-rebalance-hold-duration": scheduler.hold_duration,
            "ha-auto-rebalance-margin": percent(scheduler.margin),
        },
        "max_workers": settings.max_workers,
        "fencing": settings.fencing.as_str(),
    })
    .into())
}

/// A fraction as a percentage, without a point where it needs none.
fn percent(fraction: f64) -> Value {
    /// More digits than this are an artefact of the fraction.
    const PRECISION: f64 = 1e6;
    let percent = (fraction * 100.0 * PRECISION).round() / PRECISION;
    if percent.fract() == 0.0 { json!(percent as i64) } else { json!(percent) }
}
