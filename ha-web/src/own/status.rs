//! How the cluster is, in whole: what `ha status --json` gives.

use ha_host::desk::{Glance, StatusParts};
use serde_json::{Value, json};

use super::time::rfc3339;
use crate::{
    call::Call,
    wire::{Answer, Fault, insert},
};

pub(super) fn status(call: &Call<'_>) -> Result<Answer, Fault> {
    let present = call.present()?;
    let store = call.desk().store();
    let glance = Glance::new(present, &call.local_node()?, None);
    let twins = store.twins().unwrap_or_default();
    let parts = StatusParts {
        present,
        glance: &glance,
        twins: &twins,
        space: store.space().unwrap_or_default(),
        store_problems: &store.problems()?,
    };
    let mut whole = parts.to_json();
    let services = whole.get_mut("services").and_then(Value::as_array_mut).into_iter().flatten();
    for (service, glance) in services.zip(&glance.services) {
        insert(service, "advice", json!(glance.advice));
    }
    insert(&mut whole, "summary", json!(glance.summary));
    insert(&mut whole, "time", json!(rfc3339(present.now.wall)));
    Ok(whole.into())
}
