//! The rules, evaluated again only when something that they depend on has changed.

use alloc::{collections::BTreeMap, string::ToString, sync::Arc, vec::Vec};

use crate::{
    config::{self, GroupsConfig, ResourcesConfig, Rule, RulesConfig},
    event::Event,
    host::{Configuration, EventSink},
    id::NodeName,
    placement::PlacementRules,
    rules::{CompiledRules, Finding, Orders, RuleSet, evaluate},
    status::ServiceTable,
};

/// The evaluated rules, with what they were made from.
#[derive(Debug, Clone, Default)]
pub(crate) struct RulesCache {
    evaluated: Option<Evaluated>,
    placement: Option<Arc<PlacementRules>>,
}

#[derive(Debug, Clone)]
struct Evaluated {
    nodes: Vec<NodeName>,
    resources: Arc<ResourcesConfig>,
    groups: Arc<GroupsConfig>,
    rules: Arc<RulesConfig>,
    has_loose: bool,
    /// Whether loose rules were taken as such.
    loose_known: bool,
    compiled: CompiledRules,
    orders: Arc<Orders>,
    dropped: Vec<Finding>,
}

impl RulesCache {
    /// The rules for the present services. `services_changed` says that some were added or removed since this was last
    /// asked, `loose_known` that all nodes know rules that keep services apart only while there is a place for that.
    pub(crate) fn placement_rules(
        &mut self,
        configuration: &Configuration,
        members: &BTreeMap<NodeName, bool>,
        services: &ServiceTable,
        services_changed: bool,
        loose_known: bool,
        sink: &mut (impl EventSink + ?Sized),
    ) -> Arc<PlacementRules> {
        let evaluated = match self.evaluated.take() {
            Some(evaluated) if evaluated.holds_for(configuration, members, loose_known) => evaluated,
            earlier => {
                let evaluated = Evaluated::new(configuration, members, loose_known);
                evaluated.report(earlier.as_ref(), sink);
                self.placement = None;
                evaluated
            }
        };
        if services_changed {
            self.placement = None;
        }
        let placement =
            self.placement.get_or_insert_with(|| Arc::new(PlacementRules::new(evaluated.compiled.clone(), services)));
        let placement = placement.clone();
        self.evaluated = Some(evaluated);
        placement
    }
}

impl RulesCache {
    /// Whether a rule of the configuration keeps services apart only while there is a place for that.
    pub(crate) fn has_loose(&self, rules: &Arc<RulesConfig>) -> bool {
        match &self.evaluated {
            Some(evaluated) if config::same(&evaluated.rules, rules, |config| config.digest) => evaluated.has_loose,
            Some(_) | None => rules.rules.values().any(Rule::is_loosely_apart),
        }
    }

    /// The order rules, by what was evaluated last.
    pub(crate) fn orders(&self) -> Arc<Orders> {
        self.evaluated.as_ref().map(|evaluated| evaluated.orders.clone()).unwrap_or_default()
    }
}

impl Evaluated {
    fn new(configuration: &Configuration, members: &BTreeMap<NodeName, bool>, loose_known: bool) -> Self {
        let Configuration { resources, groups, rules, .. } = configuration;
        let nodes: Vec<NodeName> = members.keys().cloned().collect();
        let mut set = RuleSet::with_groups(rules, groups, resources);
        if !loose_known {
            set = set.read_without_loose_rules();
        }
        let evaluated = evaluate(&set, &nodes);
        Self {
            nodes,
            resources: resources.clone(),
            groups: groups.clone(),
            rules: rules.clone(),
            has_loose: rules.rules.values().any(Rule::is_loosely_apart),
            loose_known,
            orders: Arc::new(Orders::of(&evaluated.rules)),
            compiled: evaluated.compiled,
            dropped: evaluated.dropped,
        }
    }

    fn holds_for(&self, configuration: &Configuration, members: &BTreeMap<NodeName, bool>, loose_known: bool) -> bool {
        let Configuration { resources, groups, rules, .. } = configuration;
        ResourcesConfig::is_same(&self.resources, resources)
            && config::same(&self.groups, groups, |config| config.digest)
            && config::same(&self.rules, rules, |config| config.digest)
            && (self.loose_known == loose_known || !self.has_loose)
            && self.nodes.iter().eq(members.keys())
    }

    /// Reports the rules that take no part, but for what was reported of an earlier evaluation.
    fn report(&self, earlier: Option<&Self>, sink: &mut (impl EventSink + ?Sized)) {
        let known = earlier.map_or(&[][..], |earlier| &earlier.dropped);
        // Both are ordered by rule.
        let is_known = |finding: &&Finding| {
            let from = known.partition_point(|other| other.rule < finding.rule);
            let of_rule = known.get(from..).unwrap_or_default().iter().take_while(|other| other.rule == finding.rule);
            of_rule.into_iter().any(|other| other == *finding)
        };
        for finding in self.dropped.iter().filter(|finding| !is_known(finding)) {
            sink.event(Event::RuleDropped {
                rule: finding.rule.clone(),
                reason: finding.reason,
                explanation: finding.to_string(),
            });
        }
    }
}
