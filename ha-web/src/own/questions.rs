//! Questions before anything happens, and what there is to know about the configuration.

use std::collections::{BTreeMap, BTreeSet};

use ha_core::{
    id::{NodeName, ServiceId},
    placement::{Counterfactual, Preference},
    plan::Situation,
    status::Command,
};
use ha_host::{
    desk::{Change, explain as explained, foresee, precedence, problems, tolerance},
    os::clock,
};
use serde_json::{Value, json};

use super::{config::what_follows, time::rfc3339};
use crate::{
    access::{Access, Token, TokenName},
    call::Call,
    wire::{Answer, Fault},
};

pub(super) fn explain(call: &Call<'_>) -> Result<Answer, Fault> {
    let sid = call.sid()?;
    let is_best = call.parameters.truth("best").unwrap_or(false);
    let preference = if is_best { Preference::BestScore } else { Preference::None };
    let explained = explained(call.present()?, &sid, preference);
    let (explanation, otherwise) =
        explained.map_err(|error| Fault::conflict("not_placed", format!("{sid}: {error}")))?;
    let fates: BTreeMap<&NodeName, String> =
        explanation.nodes.iter().map(|node| (&node.node, node.fate.to_string())).collect();
    let changes = |counterfactual: &Counterfactual| {
        let texts: Vec<String> = counterfactual.changes.iter().map(ToString::to_string).collect();
        (counterfactual.node.clone(), texts)
    };
    let changes: BTreeMap<NodeName, Vec<String>> = otherwise.iter().map(changes).collect();
    Ok(json!({
        "text": explanation.to_string(),
        "texts": {"nodes": fates, "otherwise": changes},
        "explanation": explanation,
        "otherwise": otherwise,
        "precedence": precedence(call.present()?, &sid),
    })
    .into())
}

/// The nodes that a parameter names, which must be members.
fn members(call: &Call<'_>, parameter: &'static str) -> Result<Vec<NodeName>, Fault> {
    let members = &call.present()?.settings.nodes;
    let member = |text: &str| {
        let found = members.iter().find(|node| node.as_str() == text).cloned();
        found.ok_or_else(|| Fault::parameter(parameter, "no_such_node", format!("'{text}' is no node of this cluster")))
    };
    call.parameters.list(parameter).map(member).collect()
}

pub(super) fn what_if(call: &Call<'_>) -> Result<Answer, Fault> {
    let (fail, maintenance) = (members(call, "fail")?, members(call, "maintenance")?);
    let present = call.present()?;
    let commands: Vec<Command> = maintenance.into_iter().map(|node| Command::EnableNodeMaintenance { node }).collect();
    let foresight = foresee(present, &Change { commands, ..Change::default() });
    let then = foresight.as_ref().map_or(present, |foresight| &foresight.afterwards);
    let situation = Situation {
        usage: then.usage.as_deref(),
        ..Situation::new(&then.status, then.configuration(), &then.settings.nodes)
    };
    let recoveries =
        situation.after_failure(&fail).map_err(|error| Fault::conflict("not_placed", error.to_string()))?;
    let times = present.settings.timings.recovery();
    let with_master = present.status.master_node.as_ref().is_some_and(|master| fail.contains(master));
    let longest = if with_master { times.longest_with_master } else { times.longest };
    let recoveries: Value = recoveries
        .iter()
        .map(|recovery| {
            json!({
                "sid": recovery.sid,
                "from": recovery.from,
                "to": recovery.to,
                "decided_by": recovery.decided_by,
                "shortest_s": recovery.to.as_ref().map(|_| times.shortest.as_secs_f64()),
                "longest_s": recovery.to.as_ref().map(|_| longest.as_secs_f64()),
            })
        })
        .collect();
    Ok(json!({"maintenance": what_follows(&foresight), "recoveries": recoveries}).into())
}

/// How many nodes may fail, the first set that is too much by itself, and all that was found.
pub(super) fn capacity(call: &Call<'_>) -> Result<Answer, Fault> {
    let found = tolerance(call.present()?, usize::MAX);
    let too_much = found.levels.iter().find_map(|level| level.too_much.as_ref());
    let too_much = too_much.map(|too_much| {
        let services: Vec<&ServiceId> = too_much.down.iter().map(|down| &down.sid).collect();
        json!({"nodes": too_much.nodes, "services": services})
    });
    let mut answer = json!({
        "nodes": found.survives,
        "is_whole": found.is_whole,
        "levels": found.levels,
        "down_already": found.down_already,
    });
    if let (Some(too_much), Some(fields)) = (too_much, answer.as_object_mut()) {
        fields.insert("too_much".to_owned(), too_much);
    }
    Ok(answer.into())
}

pub(super) fn check(call: &Call<'_>) -> Result<Answer, Fault> {
    let problems = problems(call.present()?);
    Ok(json!({"is_without_fault": problems.is_empty(), "problems": problems}).into())
}

pub(super) fn fencing(call: &Call<'_>) -> Result<Answer, Fault> {
    let present = call.present()?;
    let configuration = present.configuration();
    let devices = configuration.fence.iter().flat_map(|fence| fence.devices.iter());
    let devices: Vec<Value> = devices
        .map(|(name, parts)| {
            let agents: Vec<&str> = parts.values().map(|part| part.agent.as_str()).collect();
            let nodes: BTreeSet<&NodeName> = parts.values().flat_map(|part| part.connections.keys()).collect();
            json!({"device": name, "agents": agents, "nodes": nodes})
        })
        .collect();
    let is_connected = |node: &NodeName| {
        let mut parts = configuration.fence.iter().flat_map(|fence| fence.devices.values()).flat_map(BTreeMap::values);
        parts.any(|part| part.connections.contains_key(node))
    };
    let without: Vec<&NodeName> = present.settings.nodes.iter().filter(|node| !is_connected(node)).collect();
    Ok(json!({"mode": configuration.datacenter.fencing.as_str(), "devices": devices, "without_device": without}).into())
}

pub(super) fn timings(call: &Call<'_>) -> Result<Answer, Fault> {
    let timings = call.present()?.settings.timings;
    let recovery = timings.recovery();
    Ok(json!({
        "timings": timings,
        "reset_latest_s": timings.watchdog_timeout().saturating_add(timings.settings().multiplexer_slack()).as_secs_f64(),
        "lock_passes_earliest_s": timings.lock_lifetime().as_secs_f64(),
        "recovery": {
            "shortest_s": recovery.shortest.as_secs_f64(),
            "longest_s": recovery.longest.as_secs_f64(),
            "longest_with_master_s": recovery.longest_with_master.as_secs_f64(),
        },
    })
    .into())
}

pub(super) fn tokens(call: &Call<'_>) -> Result<Answer, Fault> {
    let access = Access::read(&**call.desk().store())?;
    let now = clock::wall();
    let time = |time: Option<i64>| time.map(rfc3339);
    let object = |(name, token): (&TokenName, &Token)| {
        json!({
            "token": name,
            "role": token.role,
            "comment": token.comment,
            "made": time(token.made),
            "expires": time(token.expires),
            "expired": token.has_expired(now),
        })
    };
    Ok(access.tokens.iter().map(object).collect::<Value>().into())
}
