//! The status, as people and programs see it.

use ha_core::{
    config::{GroupsConfig, Resource},
    status::view::{ClusterView, LrmView, ServiceView},
};
use ha_host::desk::Glance;
use serde_json::{Map, Value, json};

use super::{ids, resources::in_force};
use crate::{
    call::Call,
    wire::{Answer, Fault},
};

pub(super) fn ha_index(_: &Call<'_>) -> Result<Answer, Fault> {
    Ok(Answer::from(json!([{"id": "status"}, {"id": "resources"}, {"id": "groups"}, {"id": "rules"}])))
}

pub(super) fn index(_: &Call<'_>) -> Result<Answer, Fault> {
    Ok(ids(&["current", "manager_status", "disarm-ha", "arm-ha"]))
}

/// An object with what is there.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

pub(super) fn current(call: &Call<'_>) -> Result<Answer, Fault> {
    let present = call.present()?;
    let view = Glance::new(present, &call.local_node()?, None).view;
    let configuration = present.configuration();
    let resource = |service: &ServiceView| configuration.resources.resources.get(&service.sid);
    let mut entries = vec![quorum(&view), master(&view), fencing(&view)];
    entries.extend(view.lrms.iter().map(lrm));
    entries
        .extend(view.services.iter().map(|service| self::service(service, resource(service), &configuration.groups)));
    // The lines are in the same order.
    for (entry, line) in entries.iter_mut().zip(view.lines()) {
        entry.insert("type".into(), json!(line.kind.as_str()));
        entry.insert("status".into(), json!(line.text));
    }
    Ok(Value::Array(entries.into_iter().map(Value::Object).collect()).into())
}

fn quorum(view: &ClusterView) -> Map<String, Value> {
    object([
        ("id", Some(json!("quorum"))),
        ("node", Some(json!(view.quorum.node))),
        ("quorate", Some(super::bit(view.quorum.quorate))),
    ])
}

fn master(view: &ClusterView) -> Map<String, Value> {
    object([
        ("id", Some(json!("master"))),
        ("node", Some(json!(view.master.node.as_ref().map_or("", |node| node.as_str())))),
        ("timestamp", view.master.timestamp.map(|time| json!(time))),
    ])
}

fn fencing(view: &ClusterView) -> Map<String, Value> {
    object([
        ("id", Some(json!("fencing"))),
        ("node", Some(json!(view.master.node.as_ref().map_or("", |node| node.as_str())))),
        ("armed-state", Some(json!(view.fencing.state.as_str()))),
        ("resource_mode", view.fencing.mode.map(|mode| json!(mode.as_str()))),
    ])
}

fn lrm(lrm: &LrmView) -> Map<String, Value> {
    object([
        ("id", Some(json!(format!("lrm:{}", lrm.node)))),
        ("node", Some(json!(lrm.node))),
        ("timestamp", lrm.timestamp.map(|time| json!(time))),
    ])
}

fn service(service: &ServiceView, resource: Option<&Resource>, groups: &GroupsConfig) -> Map<String, Value> {
    let mut object = object([
        ("id", Some(json!(format!("service:{}", service.sid)))),
        ("sid", Some(json!(service.sid))),
        ("node", Some(json!(service.node.as_ref().map_or("", |node| node.as_str())))),
        ("state", Some(json!(service.shown.as_str()))),
        ("crm_state", service.state.map(|state| json!(state.as_str()))),
        ("request_state", service.requested.map(|state| json!(state.as_str()))),
        ("group", resource.and_then(|resource| resource.group.as_ref()).map(|group| json!(group))),
        ("comment", resource.and_then(|resource| resource.comment.as_ref()).map(|comment| json!(comment))),
    ]);
    let in_force = resource.into_iter().flat_map(|resource| in_force(resource, groups));
    object.extend(in_force.map(|(name, value)| (name.to_owned(), value)));
    object
}

pub(super) fn manager_status(call: &Call<'_>) -> Result<Answer, Fault> {
    let present = call.present()?;
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_else(|_| json!({}));
    let mut record = read(present.status.to_json());
    if let Value::Object(record) = &mut record {
        for name in ["node_status", "service_status"] {
            record.entry(name).or_insert_with(|| json!({}));
        }
    }
    let lrms: Map<String, Value> =
        present.lrms.iter().map(|(node, record)| (node.to_string(), read(record.to_json()))).collect();
    let quorum = json!({"node": call.local_node()?, "quorate": "1"});
    Ok(json!({"manager_status": record, "lrm_status": lrms, "quorum": quorum}).into())
}
