//! The rules that groups stand for.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{
    config::{Group, GroupsConfig, Resource, ResourcesConfig, Rule, RuleKind, RulesConfig},
    id::{GroupId, RuleId, ServiceId},
};

/// The rules that groups stand for, by group: for each group that exists and that a service names, a node affinity rule
/// `ha-group-<group>` over all services that name it, strict if the group is restricted.
pub fn group_rules(groups: &GroupsConfig, resources: &ResourcesConfig) -> impl Iterator<Item = Rule> {
    used_groups(groups, resources).into_values().map(|(group, resources)| Rule {
        id: RuleId::of_group(&group.id),
        resources,
        disable: None,
        comment: group.comment.clone(),
        kind: RuleKind::NodeAffinity { nodes: group.nodes.clone(), strict: Some(group.restricted.unwrap_or(false)) },
    })
}

/// The groups that services name but whose rule `rules.cfg` holds already, by name.
///
/// The written rule stands, and the group adds none. Both are there when a migration of groups to rules was interrupted,
/// and then they say the same; otherwise a person should decide between them.
#[must_use]
pub fn shadowed_groups(rules: &RulesConfig, groups: &GroupsConfig, resources: &ResourcesConfig) -> Vec<GroupId> {
    let used = used_groups(groups, resources).into_keys();
    used.filter(|group| rules.rules.contains_key(&RuleId::of_group(group))).cloned().collect()
}

/// Whether a service moves to a node of higher priority when one comes online: as its group says, if it names one that
/// exists, else as it says itself.
#[must_use]
pub fn effective_failback(resource: &Resource, groups: &GroupsConfig) -> bool {
    match resource.group.as_ref().and_then(|group| groups.groups.get(group)) {
        Some(group) => !group.nofailback.unwrap_or(false),
        None => resource.failback(),
    }
}

/// The groups that exist and that services name, with these services, sorted.
fn used_groups<'a>(
    groups: &'a GroupsConfig,
    resources: &ResourcesConfig,
) -> BTreeMap<&'a GroupId, (&'a Group, Vec<ServiceId>)> {
    let mut used: BTreeMap<&GroupId, (&Group, Vec<ServiceId>)> = BTreeMap::new();
    for resource in resources.resources.values() {
        if let Some(group) = resource.group.as_ref().and_then(|group| groups.groups.get(group)) {
            used.entry(&group.id).or_insert_with(|| (group, Vec::new())).1.push(resource.sid.clone());
        }
    }
    for (_, services) in used.values_mut() {
        services.sort_unstable();
    }
    used
}
