//! How the cluster is, as a whole: what `ha status --json` gives.

use std::sync::PoisonError;

use ha_core::{
    config::resources::ResourceProperty,
    history::{Failovers, Latest},
};
use ha_host::{
    desk::{Glance, StatusParts},
    history::Reader,
};
use serde_json::{Value, json};

use super::{history::failover, time::rfc3339_ms};
use crate::{
    call::Call,
    wire::{Answer, Fault, insert},
};

/// For how long a failover that is over is still part of how the cluster is.
const RECENT_MS: i64 = 60_000;

pub(crate) fn status(call: &Call<'_>) -> Result<Answer, Fault> {
    let (status, digest) = whole(call)?;
    Ok(Answer::with_digest(status, digest))
}

/// The whole status, and a digest of all in it but its time, which alone makes it no other one.
pub(crate) fn whole(call: &Call<'_>) -> Result<(Value, String), Fault> {
    let present = call.present()?;
    let _held = call.site.whole.lock().unwrap_or_else(PoisonError::into_inner);
    let store = call.desk().store();
    let mut glance = Glance::new(present, &call.local_node()?, None);
    // Without a history the status is as true as with it.
    let kept = Reader::after(&**store, 0).unwrap_or_default();
    let mut latest = Latest::default();
    let mut failovers = Failovers::default();
    for entry in &kept.entries {
        latest.take(entry);
        failovers.take(entry);
    }
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
    let resources = &present.configuration().resources.resources;
    for (service, glance) in services.zip(&glance.services) {
        insert(service, "advice", json!(glance.advice));
        let comment = resources.get(&glance.view.sid).and_then(|resource| resource.text(ResourceProperty::Comment));
        insert(service, "comment", json!(comment));
    }
    let times = present.settings.timings.recovery();
    let now_ms = call.desk().clock().wall_ms();
    let is_recent = |ended_ms: i64| now_ms.saturating_sub(ended_ms) < RECENT_MS;
    let of_late = failovers.all().iter().filter(|failover| failover.ended_ms.is_none_or(is_recent));
    insert(&mut whole, "failovers", of_late.map(|one| failover(one, &times)).collect());
    insert(&mut whole, "loads", json!(present.usage.as_ref().map(|usage| &usage.nodes)));
    insert(&mut whole, "summary", json!(glance.summary));
    insert(&mut whole, "last_event", json!(kept.end));
    if let Some(stage) = &call.site.stage {
        insert(&mut whole, "play", json!({"rate": stage.rate()}));
    }
    let digest = blake3::hash(whole.to_string().as_bytes()).to_hex();
    insert(&mut whole, "time", json!(rfc3339_ms(now_ms)));
    Ok((whole, digest.to_string()))
}
