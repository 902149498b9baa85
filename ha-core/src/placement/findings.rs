//! What answers of placement leave out of account, so that nobody takes silence for consent.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Scene, Shortfall};
use crate::{
    config::{Rule, RuleKind},
    id::{GroupId, NodeName, RuleId, ServiceId},
    rules::shadowed_groups,
    similar::{did_you_mean, similar, similar_service},
    text_enum::text_enum,
};

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// A rule cannot hold with the others, or by itself, and takes no part.
    RuleDropped,
    /// A rule names a node that the cluster does not have.
    UnknownNode,
    /// A rule names a service that is not configured.
    UnknownService,
    /// A service names a group that does not exist.
    UnknownGroup,
    /// A group stands for no rule, since the rules have one of that name.
    GroupShadowed,
    /// A service of the manager status is not configured, so it counts with default settings.
    NotConfigured,
    /// A service or a node has no usable figures.
    FiguresMissing,
    /// The scheduler has no figures at all, so services are only counted.
    SchedulerFallback,
}

text_enum! {
    FindingKind: "a kind of finding",
    RuleDropped = "rule_dropped",
    UnknownNode = "unknown_node",
    UnknownService = "unknown_service",
    UnknownGroup = "unknown_group",
    GroupShadowed = "group_shadowed",
    NotConfigured = "not_configured",
    FiguresMissing = "figures_missing",
    SchedulerFallback = "scheduler_fallback",
}

/// Something that the answers of a situation leave out of account, or take another way than it may be meant. Displays as a
/// sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SituationFinding {
    /// What it is about.
    pub kind: FindingKind,
    /// The rule, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// The service, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<ServiceId>,
    /// The node, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    /// What was found, in words.
    pub text: String,
}

impl SituationFinding {
    fn new(kind: FindingKind, text: String) -> Self {
        Self { kind, rule: None, sid: None, node: None, text }
    }
}

impl fmt::Display for SituationFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is left out of account in a scene: rules that are dropped, names that nothing has, figures that are missing.
pub(crate) fn all_findings(scene: &Scene<'_>) -> Vec<SituationFinding> {
    let (_, shortfall) = scene.placement();
    findings(scene, &shortfall)
}

/// All findings of a scene.
pub(super) fn findings(scene: &Scene<'_>, shortfall: &Shortfall) -> Vec<SituationFinding> {
    let mut found: Vec<SituationFinding> = scene
        .rules
        .check(&scene.members)
        .into_iter()
        .map(|dropped| SituationFinding {
            rule: Some(dropped.rule.clone()),
            sid: dropped.sid.clone(),
            ..SituationFinding::new(FindingKind::RuleDropped, dropped.to_string())
        })
        .collect();
    let rules = || scene.rules.iter().filter(|rule| !rule.is_disabled());
    found.extend(rules().flat_map(|rule| unknown_nodes(rule, scene)));
    found.extend(rules().flat_map(|rule| unknown_services(rule, scene)));
    found.extend(unknown_groups(scene));
    let shadowed =
        shadowed_groups(&scene.configuration.rules, &scene.configuration.groups, &scene.configuration.resources);
    found.extend(shadowed.into_iter().map(|group| {
        let rule = RuleId::of_group(&group);
        let text = format!("group '{group}' stands for no rule, since the rules have one called '{rule}'");
        SituationFinding { rule: Some(rule), ..SituationFinding::new(FindingKind::GroupShadowed, text) }
    }));
    let resources = &scene.configuration.resources.resources;
    found.extend(scene.status.services.iter().filter(|(sid, _)| !resources.contains_key(*sid)).map(|(sid, _)| {
        let text = format!("'{sid}' is not configured, so it counts with default settings");
        SituationFinding { sid: Some(sid.clone()), ..SituationFinding::new(FindingKind::NotConfigured, text) }
    }));
    found.extend(shortfall.lacking.iter().map(|problem| SituationFinding {
        sid: problem.sid().cloned(),
        node: problem.node().cloned(),
        ..SituationFinding::new(FindingKind::FiguresMissing, problem.to_string())
    }));
    found.extend(shortfall.fallback.iter().map(|problem| {
        let text =
            format!("services are only counted, since the {} scheduler can't work: {problem}", scene.scheduler());
        SituationFinding::new(FindingKind::SchedulerFallback, text)
    }));
    found
}

/// Whether a finding bears on the placement of a service.
pub(super) fn bears_on(finding: &SituationFinding, sid: &ServiceId, scene: &Scene<'_>) -> bool {
    match (&finding.sid, &finding.rule) {
        _ if finding.sid.as_ref() == Some(sid) => true,
        (_, Some(rule)) => scene.rules.get(rule).is_some_and(|rule| rule.resources.contains(sid)),
        (Some(_), None) => false,
        (None, None) => true,
    }
}

fn unknown_nodes(rule: &Rule, scene: &Scene<'_>) -> Vec<SituationFinding> {
    let nodes = match &rule.kind {
        RuleKind::NodeAffinity { nodes, .. } => nodes,
        RuleKind::ResourceAffinity { .. } | RuleKind::Order(_) => return Vec::new(),
    };
    let members: BTreeSet<&NodeName> = scene.members.iter().collect();
    let unknown = nodes.keys().filter(|node| !members.contains(node));
    let found = unknown.map(|node| {
        let hint = did_you_mean(similar(node.as_str(), scene.members.iter().map(NodeName::as_str)));
        let text = format!("rule '{}' names node '{node}', which the cluster does not have{hint}", rule.id);
        let finding = SituationFinding::new(FindingKind::UnknownNode, text);
        SituationFinding { rule: Some(rule.id.clone()), node: Some(node.clone()), ..finding }
    });
    found.collect()
}

fn unknown_services(rule: &Rule, scene: &Scene<'_>) -> Vec<SituationFinding> {
    let resources = &scene.configuration.resources.resources;
    let unknown =
        rule.resources.iter().filter(|sid| !resources.contains_key(*sid) && !scene.status.services.contains(sid));
    let found = unknown.map(|sid| {
        let hint = did_you_mean(similar_service(sid.as_str(), resources.keys().map(ServiceId::as_str)));
        let text = format!("rule '{}' names '{sid}', which is not configured{hint}", rule.id);
        let finding = SituationFinding::new(FindingKind::UnknownService, text);
        SituationFinding { rule: Some(rule.id.clone()), sid: Some(sid.clone()), ..finding }
    });
    found.collect()
}

fn unknown_groups(scene: &Scene<'_>) -> Vec<SituationFinding> {
    let groups = &scene.configuration.groups.groups;
    let resources = scene.configuration.resources.resources.values();
    let named: BTreeSet<_> = resources.filter_map(|resource| Some((&resource.sid, resource.group.as_ref()?))).collect();
    let unknown = named.into_iter().filter(|(_, group)| !groups.contains_key(*group));
    let found = unknown.map(|(sid, group)| {
        let hint = did_you_mean(similar(group.as_str(), groups.keys().map(GroupId::as_str)));
        let text = format!("'{sid}' names group '{group}', which does not exist{hint}");
        SituationFinding { sid: Some(sid.clone()), ..SituationFinding::new(FindingKind::UnknownGroup, text) }
    });
    found.collect()
}
