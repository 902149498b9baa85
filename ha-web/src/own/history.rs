//! What has happened: entries of the cluster's history, as they are asked for and as they come.

use ha_core::{
    event::Severity,
    history::{Entry, Failover, Failovers},
    id::{NodeName, ServiceId},
    timing::RecoveryTimes,
};
use ha_host::history::{Filter, Reader};
use serde_json::{Value, json};

use super::time::{milliseconds, rfc3339_ms};
use crate::{
    call::Call,
    wire::{Answer, Fault, insert},
};

/// An entry as this interface has it: as `ha history --json` does, with its time by RFC 3339 and a sentence.
pub(crate) fn object(entry: &Entry) -> Value {
    let mut object = serde_json::to_value(entry).unwrap_or_default();
    if let Value::Object(fields) = &mut object {
        fields.remove("time_ms");
    }
    insert(&mut object, "text", json!(entry.what.to_string()));
    insert(&mut object, "time", json!(rfc3339_ms(entry.time_ms)));
    object
}

/// Which entries are wanted, by the parameters of a call.
pub(crate) fn filter(call: &Call<'_>) -> Result<Filter, Fault> {
    let parameters = &call.parameters;
    let bad = |parameter: &'static str, problem: String| Fault::parameter(parameter, "bad_value", problem);
    let sid = |text: &str| call.desk().types().parse(text).map_err(|error| bad("sid", error.to_string()));
    let node = |text: &str| NodeName::new(text).map_err(|error| bad("node", error.to_string()));
    let time = |name: &'static str| {
        let text = parameters.get(name);
        let expected = |text: &str| bad(name, format!("'{text}' is no time such as 2026-11-29T18:00:00Z"));
        text.map(|text| milliseconds(text).ok_or_else(|| expected(text))).transpose()
    };
    let severity = parameters.get("severity").map(|text| text.parse::<Severity>());
    Ok(Filter {
        services: parameters.list("sid").map(sid).collect::<Result<Vec<ServiceId>, Fault>>()?,
        nodes: parameters.list("node").map(node).collect::<Result<Vec<NodeName>, Fault>>()?,
        events: parameters.list("event").map(str::to_owned).collect(),
        from_ms: time("from")?,
        to_ms: time("to")?,
        severity: severity.transpose().map_err(|error| bad("severity", error.to_string()))?,
    })
}

/// The last entries that are wanted, the oldest first.
pub(super) fn history(call: &Call<'_>) -> Result<Answer, Fault> {
    const USUAL: usize = 100;
    const MOST: usize = 1000;
    let filter = filter(call)?;
    let number = |name: &str| call.parameters.get(name).and_then(|text| text.parse::<u64>().ok());
    let limit = number("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(USUAL).clamp(1, MOST);
    let before = number("before");
    let kept = Reader::after(&**call.desk().store(), 0)?;
    let is_before = |entry: &&Entry| before.is_none_or(|before| entry.position.is_some_and(|own| own < before));
    let wanted: Vec<&Entry> = kept.entries.iter().filter(is_before).filter(|entry| filter.takes(entry)).collect();
    let skipped = wanted.len().saturating_sub(limit);
    let entries: Vec<Value> = wanted.iter().skip(skipped).map(|entry| object(entry)).collect();
    Ok(json!({
        "entries": entries,
        "last": kept.end,
        "oldest": kept.entries.first().and_then(|entry| entry.position),
        "is_more": skipped > 0,
        "problems": kept.problems,
    })
    .into())
}

/// A failover, with its steps in seconds from its beginning and how many it may take.
pub(super) fn failover(failover: &Failover, times: &RecoveryTimes) -> Value {
    json!(failover.measured(times))
}

/// The failovers that are kept, the oldest first, as `ha failovers --json` has them.
pub(super) fn failovers(call: &Call<'_>) -> Result<Answer, Fault> {
    let filter = filter(call)?;
    let store = call.desk().store();
    let times = store.settings()?.timings.recovery();
    let failovers = Failovers::of(&Reader::after(&**store, 0)?.entries);
    let is_wanted = |failover: &&Failover| {
        (filter.nodes.is_empty() || filter.nodes.contains(&failover.node))
            && filter.from_ms.is_none_or(|from| failover.noticed_ms >= from)
    };
    Ok(failovers.all().iter().filter(is_wanted).map(|one| failover(one, &times)).collect::<Value>().into())
}
