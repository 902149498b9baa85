//! The whole status, as programs read it.

use std::collections::BTreeMap;

use ha_core::id::NodeName;
use serde_json::{Value, json};

use super::{Glance, Present, ServiceGlance};
use crate::store::{StoreProblem, StoreSpace, TwinNote};

/// What the whole status is made of.
#[derive(Debug, Clone, Copy)]
pub struct StatusParts<'a> {
    /// The cluster now.
    pub present: &'a Present,
    /// The same at a glance.
    pub glance: &'a Glance,
    /// Nodes under whose name two machines work.
    pub twins: &'a BTreeMap<NodeName, TwinNote>,
    /// How much room the store has, where that can be told.
    pub space: Option<StoreSpace>,
    /// What is wrong with the store.
    pub store_problems: &'a [StoreProblem],
}

impl StatusParts<'_> {
    /// As one object: the view, with what is wrong, the nodes, and the store.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Self { present, glance, twins, space, store_problems } = self;
        let mut object = json!(glance.view);
        let guards: BTreeMap<&NodeName, &String> =
            glance.nodes.iter().filter_map(|node| Some((&node.node, node.guard.as_ref()?))).collect();
        let services: Vec<Value> = glance.services.iter().map(service).collect();
        if let Value::Object(object) = &mut object {
            object.insert("services".into(), Value::Array(services));
            object.insert("health".into(), json!(glance.health));
            object.insert("problems".into(), json!(glance.problems));
            object.insert("nodes".into(), json!(glance.nodes));
            object.insert("guards".into(), json!(guards));
            object.extend(glance.disarmed.as_ref().map(|asked| ("disarm_asked".to_owned(), json!(asked))));
            object.insert("broken".into(), json!(present.broken));
            object.insert("unguarded".into(), json!(present.status.unguarded));
            object.insert("store".into(), json!({ "problems": store_problems }));
            object.insert("twins".into(), json!(twins));
            object.extend(space.map(|space| ("store_free_percent".to_owned(), json!(space.free_percent))));
        }
        object
    }
}

fn service(service: &ServiceGlance) -> Value {
    let mut object = json!(service.view);
    if let Value::Object(object) = &mut object {
        object.insert("health".into(), json!(service.health));
        object.extend(service.reason.as_ref().map(|reason| ("reason".to_owned(), json!(reason))));
        object.extend(service.since_ms.map(|since| ("since_ms".to_owned(), json!(since))));
        object.extend(service.last_change.as_ref().map(|change| ("last_change".to_owned(), json!(change))));
    }
    object
}
