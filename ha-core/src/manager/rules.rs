//! The rules, evaluated again only when something that they depend on has changed.

use alloc::{collections::BTreeMap, string::ToString, sync::Arc, vec::Vec};

use crate::{
    config::{self, GroupsConfig, NodesConfig, ResourcesConfig, Rule, RulesConfig},
    event::Event,
    host::{Configuration, EventSink},
    id::NodeName,
    placement::PlacementRules,
    rules::{CompiledRules, Finding, Orders, evaluate},
    status::ServiceTable,
};

/// What rules ask that keep services apart, and older software does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeptApart {
    /// To be apart only while there is a place for that.
    pub(crate) loosely: bool,
    /// To be apart by failure domain.
    pub(crate) spread: bool,
}

impl KeptApart {
    /// What these rules ask.
    fn of(rules: &RulesConfig) -> Self {
        let rules = || rules.rules.values();
        Self { loosely: rules().any(Rule::is_loosely_apart), spread: rules().any(Rule::is_spread) }
    }

    /// Of it what is known too.
    const fn and(self, known: Self) -> Self {
        Self { loosely: self.loosely && known.loosely, spread: self.spread && known.spread }
    }
}

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
    labels: Arc<NodesConfig>,
    has: KeptApart,
    /// Which of them were taken as such.
    known: KeptApart,
    compiled: CompiledRules,
    orders: Arc<Orders>,
    dropped: Vec<Finding>,
}

impl RulesCache {
    /// The rules for the present services. `services_changed` says that some were added or removed since this was last
    /// asked, `known` what all nodes know of rules that keep services apart.
    pub(crate) fn placement_rules(
        &mut self,
        configuration: &Configuration,
        members: &BTreeMap<NodeName, bool>,
        services: &ServiceTable,
        services_changed: bool,
        known: KeptApart,
        sink: &mut (impl EventSink + ?Sized),
    ) -> Arc<PlacementRules> {
        let evaluated = match self.evaluated.take() {
            Some(evaluated) if evaluated.holds_for(configuration, members, known) => evaluated,
            earlier => {
                let evaluated = Evaluated::new(configuration, members, known);
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
    /// What the rules of the configuration ask that keep services apart.
    pub(crate) fn kept_apart(&self, rules: &Arc<RulesConfig>) -> KeptApart {
        match &self.evaluated {
            Some(evaluated) if config::same(&evaluated.rules, rules, |config| config.digest) => evaluated.has,
            Some(_) | None => KeptApart::of(rules),
        }
    }

    /// The order rules, by what was evaluated last.
    pub(crate) fn orders(&self) -> Arc<Orders> {
        self.evaluated.as_ref().map(|evaluated| evaluated.orders.clone()).unwrap_or_default()
    }
}

impl Evaluated {
    fn new(configuration: &Configuration, members: &BTreeMap<NodeName, bool>, known: KeptApart) -> Self {
        let Configuration { resources, groups, rules, nodes: labels, .. } = configuration;
        let nodes: Vec<NodeName> = members.keys().cloned().collect();
        let mut set = configuration.rule_set();
        if !known.loosely {
            set = set.read_without_loose_rules();
        }
        if !known.spread {
            set = set.read_without_spread();
        }
        let evaluated = evaluate(&set, &nodes);
        Self {
            nodes,
            resources: resources.clone(),
            groups: groups.clone(),
            rules: rules.clone(),
            labels: labels.clone(),
            has: KeptApart::of(rules),
            known,
            orders: Arc::new(Orders::of(&evaluated.rules)),
            compiled: evaluated.compiled,
            dropped: evaluated.dropped,
        }
    }

    fn holds_for(&self, configuration: &Configuration, members: &BTreeMap<NodeName, bool>, known: KeptApart) -> bool {
        let Configuration { resources, groups, rules, nodes: labels, .. } = configuration;
        ResourcesConfig::is_same(&self.resources, resources)
            && config::same(&self.groups, groups, |config| config.digest)
            && config::same(&self.rules, rules, |config| config.digest)
            && self.has.and(self.known) == self.has.and(known)
            && (!self.has.spread || config::same(&self.labels, labels, |config| config.digest))
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
