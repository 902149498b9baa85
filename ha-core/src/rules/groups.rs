//! The rules that groups stand for.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{
    config::{Affinity, Group, GroupsConfig, Resource, ResourcesConfig, Rule, RuleKind, RulesConfig},
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
        kind: RuleKind::NodeAffinity {
            nodes: group.nodes.clone(),
            strict: Some(group.restricted()),
            affinity: Affinity::Positive,
        },
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
        Some(group) => !group.nofailback(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::NodeName, rules::RuleSet};
    use std::{string::String, vec};

    fn group(id: &str) -> Group {
        Group {
            id: GroupId::new(id).unwrap(),
            nodes: [(NodeName::new("node1").unwrap(), 2)].into(),
            restricted: None,
            nofailback: None,
            comment: None,
        }
    }

    fn resource(sid: &str, group: &str) -> Resource {
        Resource { group: Some(GroupId::new(group).unwrap()), ..Resource::new(ServiceId::new(sid).unwrap()) }
    }

    fn groups(groups: impl IntoIterator<Item = Group>) -> GroupsConfig {
        let groups = groups.into_iter().map(|group| (group.id.clone(), group)).collect();
        GroupsConfig { groups, ..GroupsConfig::default() }
    }

    fn resources(resources: impl IntoIterator<Item = Resource>) -> ResourcesConfig {
        let resources = resources.into_iter().map(|resource| (resource.sid.clone(), resource)).collect();
        ResourcesConfig { resources, ..ResourcesConfig::default() }
    }

    #[test]
    fn a_group_that_services_name_becomes_a_rule_over_them() {
        let groups = groups([Group { restricted: Some(true), ..group("west") }, group("unused")]);
        let resources = resources([resource("vm:20", "west"), resource("vm:10", "west"), resource("vm:30", "nowhere")]);
        let rules: Vec<Rule> =
            RuleSet::with_groups(&RulesConfig::default(), &groups, &resources).iter().cloned().collect();
        let expected = Rule {
            id: RuleId::new("ha-group-west").unwrap(),
            resources: vec![ServiceId::new("vm:10").unwrap(), ServiceId::new("vm:20").unwrap()],
            disable: None,
            comment: None,
            kind: RuleKind::NodeAffinity {
                nodes: [(NodeName::new("node1").unwrap(), 2)].into(),
                strict: Some(true),
                affinity: Affinity::Positive,
            },
        };
        assert_eq!(rules, [expected]);
    }

    #[test]
    fn a_written_rule_stands_before_a_group() {
        let groups = groups([group("west"), group("east")]);
        let resources = resources([resource("vm:10", "west"), resource("vm:11", "east")]);
        let written =
            Rule { comment: Some(String::from("by hand")), ..group_rules(&groups, &resources).last().unwrap() };
        let mut rules = RulesConfig::default();
        rules.rules.insert(written.id.clone(), written.clone());
        assert_eq!(written.id, "ha-group-west");
        let all = RuleSet::with_groups(&rules, &groups, &resources);
        assert_eq!(all.len(), 2);
        assert_eq!(all.get(&written.id), Some(&written));
        assert_eq!(shadowed_groups(&rules, &groups, &resources), [GroupId::new("west").unwrap()]);
    }

    #[test]
    fn a_group_says_whether_its_services_fail_back() {
        let groups = groups([Group { nofailback: Some(true), ..group("stay") }, group("back")]);
        let with = |group: &str, failback| Resource { failback, ..resource("vm:10", group) };
        assert!(!effective_failback(&with("stay", Some(true)), &groups));
        assert!(effective_failback(&with("back", Some(false)), &groups));
        assert!(!effective_failback(&with("missing", Some(false)), &groups));
        assert!(effective_failback(&with("missing", None), &groups));
    }
}
