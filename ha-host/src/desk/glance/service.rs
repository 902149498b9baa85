//! A service at a glance.

use std::collections::{BTreeMap, BTreeSet};

use ha_core::{
    config::{RequestedState, Rule},
    history::Change,
    id::{NodeName, RuleId, ServiceId},
    status::{
        ClusterView, ServiceEntry, StateName,
        view::{Advice, ServiceView, ShownState},
    },
};

use super::{Health, NodeGlance, span, whole_seconds};
use crate::{agents::JobFailure, desk::Present};

/// A service at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceGlance {
    /// The service as the view has it.
    pub view: ServiceView,
    /// How it does.
    pub health: Health,
    /// Why it is as it is, where there is more to say than its state.
    pub reason: Option<String>,
    /// What a person can do. Where something is on its way that takes its time, nothing as long as that is not over.
    pub advice: Option<Advice>,
    /// Its last change, as far as the history reaches.
    pub last_change: Option<Change>,
    /// Since when it is in its state, in milliseconds since 1970-01-01 UTC, as far as the history reaches.
    pub since_ms: Option<i64>,
}

/// All services, in the order of the view.
pub(super) fn services(
    present: &Present,
    view: &ClusterView,
    nodes: &[NodeGlance],
    is_alive: bool,
) -> Vec<ServiceGlance> {
    let is_broken = present.status_is_broken();
    let lost: Vec<&NodeName> = nodes.iter().filter(|node| node.is_lost()).map(|node| &node.node).collect();
    // What is recorded as started there may be down.
    let is_lost = |view: &ServiceView| {
        asleep(view) == Health::Critical && view.node.as_ref().is_some_and(|node| lost.contains(&node))
    };
    let glance = |view: &ServiceView| {
        let health = if is_alive { service_health(view) } else { service_health(view).max(asleep(view)) };
        let reason = match (is_broken, is_alive) {
            (true, _) => Some("its state is not known: the manager status can't be understood".into()),
            (false, true) => reason(present, view).or_else(|| is_lost(view).then(|| "its node is gone".into())),
            (false, false) => Some("last known; nobody looks after it now".into()),
        };
        ServiceGlance {
            health: if is_broken || is_lost(view) { health.max(Health::Degraded) } else { health },
            reason,
            advice: view.advice.filter(|advice| *advice != Advice::ConfirmFenced || !is_fenced_in_time(present, view)),
            view: view.clone(),
            last_change: None,
            since_ms: None,
        }
    };
    view.services.iter().map(glance).collect()
}

/// A service that is to run, where nobody looks after it.
fn asleep(view: &ServiceView) -> Health {
    match view.requested {
        Some(RequestedState::Started) => Health::Critical,
        Some(RequestedState::Stopped | RequestedState::Disabled | RequestedState::Ignored) | None => Health::Healthy,
    }
}

fn service_health(view: &ServiceView) -> Health {
    match view.shown {
        ShownState::NotUnderstood | ShownState::Recorded(StateName::Error) => Health::Critical,
        ShownState::Recorded(StateName::Recovery) if view.advice == Some(Advice::MakeNodeAvailable) => Health::Critical,
        ShownState::NotFound | ShownState::NotReady | ShownState::Recorded(StateName::Fence | StateName::Recovery) => {
            Health::Degraded
        }
        ShownState::Recorded(StateName::Freeze) if view.advice.is_some() => Health::Degraded,
        _ if view.hangs.is_some() || view.locked_since.is_some() => Health::Degraded,
        ShownState::Ignore
        | ShownState::Deleting
        | ShownState::Ignored
        | ShownState::Queued
        | ShownState::Starting
        | ShownState::Waiting
        | ShownState::Disabled
        | ShownState::Stopping
        | ShownState::ClearingErrorFlag
        | ShownState::Recorded(
            StateName::Stopped
            | StateName::RequestStop
            | StateName::RequestStart
            | StateName::RequestStartBalance
            | StateName::Started
            | StateName::Migrate
            | StateName::Relocate
            | StateName::Freeze,
        ) => Health::Healthy,
    }
}

/// Why a service is as it is, where its state alone does not say it.
fn reason(present: &Present, view: &ServiceView) -> Option<String> {
    let entry = present.status.services.get(&view.sid)?;
    let has_failed = matches!(view.shown, ShownState::Recorded(StateName::Error) | ShownState::Starting);
    if view.shown == ShownState::Recorded(StateName::Fence) {
        return Some(wait_for_lock(present, &entry.node));
    }
    if let Some(wait) = &view.waits {
        return Some(format!("waiting {wait}"));
    }
    if let Some(wait) = view.waits_for_turn() {
        return Some(wait);
    }
    if let Some(target) = entry.state.target() {
        return Some(format!("on its way to {target}"));
    }
    if let Some(failure) = last_failure(present, view, entry) {
        return Some(failure);
    }
    if let Some(reason) = &view.not_ready {
        return Some(format!("its probe failed: {reason}"));
    }
    if has_failed && !entry.failed_nodes.is_empty() {
        return Some(failed_on(&entry.failed_nodes));
    }
    if let Some(going) = &view.goes_back {
        return Some(going.to_string());
    }
    if let Some(home) = entry.maintenance_node.as_ref().filter(|home| **home != entry.node) {
        return Some(format!("goes back to {home} when its maintenance ends"));
    }
    view.shares_node().or_else(|| shares_domain(present, &view.sid))
}

/// With whom a service shares the failure domain of its node, though a rule would have them apart by that: there is no other place.
fn shares_domain(present: &Present, sid: &ServiceId) -> Option<String> {
    let configuration = present.configuration();
    let rules = present.status.sharing.iter().filter(|(_, services)| services.contains(sid));
    let is_spread = |rule: &RuleId| configuration.rules.rules.get(rule).is_some_and(Rule::is_spread);
    let domain_of = |sid: &ServiceId| {
        let node = &present.status.services.get(sid)?.node;
        configuration.nodes.failure_domain(node)
    };
    let domain = domain_of(sid)?;
    let sharing = rules.filter(|(rule, _)| is_spread(rule)).flat_map(|(_, services)| services);
    let others: BTreeSet<&str> =
        sharing.filter(|other| *other != sid && domain_of(other) == Some(domain)).map(ServiceId::as_str).collect();
    let others: Vec<&str> = others.into_iter().collect();
    (!others.is_empty()).then(|| format!("shares failure domain {domain} with {}", others.join(", ")))
}

/// What last went wrong with a service that is not as it should be, as the agent of its node, or of the node before, said it.
fn last_failure(present: &Present, view: &ServiceView, entry: &ServiceEntry) -> Option<String> {
    let is_well = match view.shown {
        ShownState::Recorded(StateName::Started | StateName::Stopped | StateName::Freeze)
        | ShownState::NotReady
        | ShownState::Disabled => true,
        ShownState::Ignore
        | ShownState::Deleting
        | ShownState::Ignored
        | ShownState::NotFound
        | ShownState::Queued
        | ShownState::Starting
        | ShownState::Waiting
        | ShownState::Stopping
        | ShownState::ClearingErrorFlag
        | ShownState::NotUnderstood
        | ShownState::Recorded(_) => false,
    };
    let nodes = std::iter::once(&entry.node).chain(entry.failed_nodes.iter().rev()).filter(|_| !is_well);
    let mut failures = nodes.filter_map(|node| Some((node, JobFailure::of(present.lrms.get(node)?, &view.sid)?)));
    let (node, JobFailure { what, message, .. }) = failures.next()?;
    let count = entry.failed_nodes.len();
    let times = if count > 1 { format!(" (failed {count} times)") } else { String::new() };
    Some(format!("{what} failed on {node}: {message}{times}"))
}

fn failed_on(nodes: &[NodeName]) -> String {
    let mut counts: BTreeMap<&NodeName, usize> = BTreeMap::new();
    for node in nodes {
        let count = counts.entry(node).or_default();
        *count = count.saturating_add(1);
    }
    let list: Vec<String> = counts
        .into_iter()
        .map(|(node, count)| if count > 1 { format!("{node} ({count} times)") } else { node.to_string() })
        .collect();
    format!("its start failed on {}", list.join(", "))
}

/// Whether the node of a service has not been waited for longer than its fencing takes at most.
fn is_fenced_in_time(present: &Present, view: &ServiceView) -> bool {
    let record = view.node.as_ref().and_then(|node| present.lrms.get(node));
    let waited = record.and_then(|record| record.timestamp).map(|time| present.now.wall.saturating_sub(time));
    waited.is_some_and(|waited| waited <= whole_seconds(present.settings.timings.recovery().longest))
}

/// For how long the master has waited for a node's lock, and how long it takes at most.
fn wait_for_lock(present: &Present, node: &NodeName) -> String {
    let longest = whole_seconds(present.settings.timings.recovery().longest);
    let record = present.lrms.get(node).and_then(|record| record.timestamp);
    match record.map(|time| present.now.wall.saturating_sub(time)) {
        Some(waited) if waited <= longest => {
            format!("waiting for lock of {node}, {} of at most {}", span(waited), span(longest))
        }
        Some(waited) => format!(
            "waiting for lock of {node} for {}, longer than the {} that it takes at most: see the log of the master",
            span(waited),
            span(longest)
        ),
        None => format!("waiting for lock of {node}"),
    }
}
