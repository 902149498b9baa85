//! What is wrong in the configuration, as far as that can be told before it bites.

use ha_core::{
    config::datacenter::VERSION_WITH_FLAPPING_HOLD,
    event::Event,
    id::NodeName,
    placement::FindingKind,
    rules::{VERSION_WITH_LOOSELY_APART, VERSION_WITH_ORDER, VERSION_WITH_SPREAD, evaluate, shadowed_groups},
    similar::{did_you_mean, similar},
    version::compare_versions,
};

use super::Present;
use crate::node::{BY_DEVICES, BY_NOTHING, fence_devices_alone_guard};

/// All that is wrong in the configuration, a sentence each: what can't be read, rules that have no effect, names that nothing has, and
/// nodes that nothing guards.
#[must_use]
pub fn problems(present: &Present) -> Vec<String> {
    let (configuration, nodes) = (present.configuration(), &present.settings.nodes);
    let mut problems: Vec<String> = present.stored.problems.iter().map(ToString::to_string).collect();

    let rules = configuration.rule_set();
    problems.extend(evaluate(&rules, nodes).dropped.iter().map(ToString::to_string));
    let names = present.findings().into_iter();
    let names = names.filter(|finding| matches!(finding.kind, FindingKind::UnknownNode | FindingKind::UnknownService));
    problems.extend(names.map(|finding| finding.text));
    let shadowed = shadowed_groups(&configuration.rules, &configuration.groups, &configuration.resources);
    problems.extend(shadowed.iter().map(|group| {
        format!("group '{group}' has no effect: there is a rule 'ha-group-{group}', which holds instead")
    }));
    for (sid, resource) in &configuration.resources.resources {
        if configuration.guests.node_of(sid).is_none() {
            problems.push(format!("service '{sid}': there is no such guest"));
        }
        if let Some(group) = resource.group.as_ref().filter(|group| !configuration.groups.groups.contains_key(*group)) {
            problems.push(format!("service '{sid}': its group '{group}' does not exist"));
        }
    }
    for (sid, guest) in present.stored.guests.iter().filter(|(_, guest)| !nodes.contains(&guest.node)) {
        problems.push(format!("guest '{sid}' is on '{}', which is no node of this cluster", guest.node));
    }
    for node in configuration.nodes.nodes.keys().filter(|node| !nodes.contains(node)) {
        let hint = did_you_mean(similar(node.as_str(), nodes.iter().map(NodeName::as_str)));
        problems.push(format!("nodes.cfg says something of node '{node}', which the cluster does not have{hint}"));
    }
    if rules.iter().any(|rule| !rule.is_disabled() && rule.order().is_some()) {
        let told = |node, version| Event::OrderRulesNotInForce { node, version };
        problems.extend(not_known(present, VERSION_WITH_ORDER, told));
    }
    if rules.iter().any(|rule| !rule.is_disabled() && rule.is_loosely_apart()) {
        let told = |node, version| Event::ApartRulesNotInForce { node, version };
        problems.extend(not_known(present, VERSION_WITH_LOOSELY_APART, told));
    }
    if configuration.datacenter.flapping_hold.is_some() {
        let told = |node, version| {
            let needs = VERSION_WITH_FLAPPING_HOLD;
            format!(
                "flapping_hold has no effect while {node} is master: it has version {version}, and that needs {needs}"
            )
        };
        problems.extend(not_known(present, VERSION_WITH_FLAPPING_HOLD, told));
    }
    if rules.iter().any(|rule| !rule.is_disabled() && rule.is_spread()) {
        let told = |node, version| Event::SpreadRulesNotInForce { node, version };
        problems.extend(not_known(present, VERSION_WITH_SPREAD, told));
    }
    problems.extend(unguarded(present));
    problems
}

/// Nodes whose software is older than what knows something that is configured.
fn not_known<T: ToString>(present: &Present, wanted: &str, told: fn(NodeName, String) -> T) -> Vec<String> {
    let members = present.beats.iter().filter(|(node, _)| present.settings.nodes.contains(node));
    let old = members.filter(|(_, beat)| compare_versions(&beat.version, wanted).is_lt());
    old.map(|(node, beat)| told(node.clone(), beat.version.clone()).to_string()).collect()
}

/// Nodes of a cluster of several that nothing resets when they stall.
fn unguarded(present: &Present) -> Vec<String> {
    let nodes = &present.settings.nodes;
    if nodes.len() <= 1 || fence_devices_alone_guard(present.configuration(), nodes) {
        return Vec::new();
    }
    let guards = present.beats.iter().filter_map(|(node, beat)| Some((node, beat.guard.as_deref()?)));
    let nothing = guards.filter(|(_, guard)| guard.starts_with(BY_NOTHING) || *guard == BY_DEVICES);
    let words = nothing.map(|(node, guard)| {
        format!("node '{node}' is guarded by {guard}: it works on nothing new, and is not reset when it stalls")
    });
    words.collect()
}
