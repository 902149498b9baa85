//! Rules: checked, completed, and compiled into the form that placement asks; and in which order services are started.
//!
//! The way of a rule set: [`RuleSet::with_groups`] collects the rules of the configuration and those that groups stand
//! for, [`RuleSet::check`] finds what cannot hold together, and [`evaluate`] leaves that out, completes what is left and
//! compiles it. The cost is proportional to the size of the rules and of the answer, whatever the rules are.
//!
//! ```
//! use ha_core::{config::{Affinity, Rule, RuleKind}, id::{NodeName, RuleId, ServiceId}, rules::{RuleSet, evaluate}};
//!
//! let rule = Rule {
//!     id: RuleId::new("web-and-cache")?,
//!     resources: vec![ServiceId::new("vm:100")?, ServiceId::new("vm:101")?],
//!     disable: None,
//!     comment: None,
//!     kind: RuleKind::resource_affinity(Affinity::Positive),
//! };
//! let nodes = [NodeName::new("node1")?, NodeName::new("node2")?];
//! let evaluated = evaluate(&RuleSet::from_iter([rule]), &nodes);
//!
//! assert!(evaluated.dropped.is_empty());
//! let together: Vec<&str> = evaluated.compiled.positive(&ServiceId::new("vm:100")?).iter().map(ServiceId::as_str).collect();
//! assert_eq!(together, ["vm:101"]);
//! # Ok::<(), ha_core::id::IdError>(())
//! ```

mod check;
mod compile;
mod complete;
mod domains;
mod explain;
mod groups;
mod index;
mod order;
mod report;

pub use check::{Finding, MAX_REPEATS, Reason};
pub use compile::{CompiledRules, KeptApart, NodeAffinity, Others};
pub(crate) use domains::{Domain, FailureDomains};
pub use groups::{effective_failback, group_rules, shadowed_groups};
/// The first software version that knows rules which keep services apart only while there is a place for that. Until all nodes have it such
/// a rule is strict, as it is to older software: masters that take turns must not disagree.
pub const VERSION_WITH_LOOSELY_APART: &str = "9.2.0";
/// The first software version that knows rules which keep services apart by failure domain. Until all nodes have it such a rule keeps them
/// apart by node, as it does to older software.
pub const VERSION_WITH_SPREAD: &str = "9.3.0";

pub use order::{Orders, VERSION_WITH_ORDER};
pub use report::Report;

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{
    config::{Affinity, Apart, GroupsConfig, NodesConfig, ResourcesConfig, Rule, RuleKind, RulesConfig},
    id::{NodeName, RuleId},
};
use index::Indexed;
pub(crate) use index::Lists;

/// A set of rules, each with its own id, ordered by id. The order of the configuration file has no meaning.
///
/// Disabled rules are kept, but take no part in anything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleSet {
    rules: BTreeMap<RuleId, Rule>,
    domains: FailureDomains,
}

impl RuleSet {
    /// The rules of `rules.cfg`.
    #[must_use]
    pub fn from_config(config: &RulesConfig) -> Self {
        config.rules.values().cloned().collect()
    }

    /// The rules of `rules.cfg`, and a rule `ha-group-<group>` for each group that a service names (see
    /// [`group_rules`]).
    ///
    /// A rule of that name that `rules.cfg` holds already, disabled or not, stands as it is written, and the group adds
    /// none: [`shadowed_groups`] names such groups.
    #[must_use]
    pub fn with_groups(rules: &RulesConfig, groups: &GroupsConfig, resources: &ResourcesConfig) -> Self {
        group_rules(groups, resources).chain(rules.rules.values().cloned()).collect()
    }

    /// The same rules where nodes fail together as `nodes.cfg` says. Else each node is by itself.
    #[must_use]
    pub fn in_domains(self, nodes: &NodesConfig) -> Self {
        Self { domains: FailureDomains::of_config(nodes), ..self }
    }

    /// The rule of this name.
    #[must_use]
    pub fn get(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// All rules by id.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// The number of rules, with the disabled ones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Adds a rule. A rule of the same name is replaced and returned.
    pub fn insert(&mut self, rule: Rule) -> Option<Rule> {
        self.rules.insert(rule.id.clone(), rule)
    }

    /// Takes a rule out.
    pub fn remove(&mut self, id: &RuleId) -> Option<Rule> {
        self.rules.remove(id)
    }

    /// What cannot hold in this set, in a cluster of `nodes` (all known members, online or not).
    ///
    /// A rule that is at fault by itself takes no part in the other checks. Those look at the whole set that is left, so one
    /// rule may be named several times: once a shared resource by
    /// [`Reason::ResourceInSeveralNodeAffinityRules`], and once for each rule or group that it conflicts with by the
    /// others, at most [`MAX_REPEATS`] times each. The findings are ordered by rule, then by reason, then by resource
    /// or by the rule that it conflicts with.
    #[must_use]
    pub fn check(&self, nodes: &[NodeName]) -> Vec<Finding> {
        with_orders(check::check(&Indexed::new(self.enabled_affinities(), nodes), nodes, &self.domains), self)
    }

    /// The same as software reads it that knows no loose rules: those keep their resources strictly apart.
    pub(crate) fn read_without_loose_rules(mut self) -> Self {
        for apart in self.kept_apart_mut() {
            apart.strict = None;
        }
        self
    }

    /// The same as software reads it that knows no failure domains: their rules keep resources apart by node.
    pub(crate) fn read_without_spread(mut self) -> Self {
        for apart in self.kept_apart_mut() {
            apart.spread = None;
        }
        self
    }

    fn kept_apart_mut(&mut self) -> impl Iterator<Item = &mut Apart> {
        self.rules.values_mut().filter_map(|rule| match &mut rule.kind {
            RuleKind::ResourceAffinity { affinity: Affinity::Negative, apart } => Some(apart),
            RuleKind::ResourceAffinity { .. } | RuleKind::NodeAffinity { .. } | RuleKind::Order(_) => None,
        })
    }

    /// The rules that say where services belong. Orders don't.
    fn enabled_affinities(&self) -> impl Iterator<Item = &Rule> {
        self.enabled().filter(|rule| rule.order().is_none())
    }

    fn enabled(&self) -> impl Iterator<Item = &Rule> {
        self.iter().filter(|rule| !rule.is_disabled())
    }
}

impl FromIterator<Rule> for RuleSet {
    /// Of several rules with one name the last one stays. Each node is a failure domain of its own: see [`RuleSet::in_domains`].
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        let rules = rules.into_iter().map(|rule| (rule.id.clone(), rule)).collect();
        Self { rules, domains: FailureDomains::default() }
    }
}

/// A rule set that was checked, completed and compiled.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// Why rules were left out. Every rule that is named here is.
    pub dropped: Vec<Finding>,
    /// The rules that are left, with the connected positive rules merged and the node affinity rules widened.
    ///
    /// The negative rules that follow from positive ones are not among them, since there can be very many:
    /// [`Evaluated::completed_rules`] has them too.
    pub rules: RuleSet,
    /// What placement asks.
    pub compiled: CompiledRules,
}

impl Evaluated {
    /// All rules after completion, each derived rule too.
    ///
    /// For a person to read: a positive rule of *m* resources that *n* others must keep away from gives up to
    /// *m* × *n* derived rules.
    #[must_use]
    pub fn completed_rules(&self) -> RuleSet {
        let mut rules = self.rules.clone();
        for rule in complete::implicit_negatives(&self.compiled) {
            rules.insert(rule);
        }
        rules
    }
}

/// Checks `rules` for a cluster of `nodes` (all known members, online or not), leaves out what is at fault, completes and
/// compiles the rest.
#[must_use]
pub fn evaluate(rules: &RuleSet, nodes: &[NodeName]) -> Evaluated {
    let mut indexed = Indexed::new(rules.enabled_affinities(), nodes);
    let dropped = with_orders(check::check(&indexed, nodes, &rules.domains), rules);
    let mut kept = rules.clone();
    for finding in &dropped {
        kept.remove(&finding.rule);
    }
    indexed.retain(|rule| kept.get(&rule.id).is_some());
    let compiled = compile::compile(indexed, nodes, &rules.domains);
    let rules = complete::complete(kept, &compiled);
    Evaluated { dropped, rules, compiled }
}

/// The findings about where services belong with those about their order, by rule.
fn with_orders(mut findings: Vec<Finding>, rules: &RuleSet) -> Vec<Finding> {
    let of_orders = order::check(rules);
    if !of_orders.is_empty() {
        findings.extend(of_orders);
        findings.sort_by(|one, other| one.rule.cmp(&other.rule));
    }
    findings
}
