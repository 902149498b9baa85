//! How the cluster is, in whole: what `ha status --json` gives.

use ha_core::history::Latest;
use ha_host::{
    desk::{Glance, StatusParts},
    history::Reader,
};
use serde_json::{Value, json};

use super::time::rfc3339;
use crate::{
    call::Call,
    wire::{Answer, Fault, insert},
};

pub(crate) fn status(call: &Call<'_>) -> Result<Answer, Fault> {
    let present = call.present()?;
    let store = call.desk().store();
    let mut glance = Glance::new(present, &call.local_node()?, None);
    // Without a history the status is as true as with it.
    let kept = Reader::after(&**store, 0).unwrap_or_default();
    let mut latest = Latest::default();
    kept.entries.iter().for_each(|entry| latest.take(entry));
    glance.tell_since(&latest, present);
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
    insert(&mut whole, "last_event", json!(kept.end));
    insert(&mut whole, "time", json!(rfc3339(present.now.wall)));
    Ok(whole.into())
}
