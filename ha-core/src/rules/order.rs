//! Which services are started after which.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use super::{
    RuleSet,
    check::{Finding, Reason},
    index::{Lists, number},
};
use crate::{
    config::{Order, Rule},
    id::{RuleId, ServiceId},
};

/// The first software version that knows order rules. They are in force once all nodes know them: an older master would leave what waits
/// waiting for ever.
pub const VERSION_WITH_ORDER: &str = "9.1.0";

/// The order rules that hold, to be asked for single services.
///
/// ```
/// use ha_core::{config::RulesConfig, id::{ServiceId, ServiceTypes}, rules::{Orders, RuleSet, evaluate}};
///
/// let text = b"order: web-after-db\n\tfirst vm:100\n\tthen vm:101,vm:102\n";
/// let rules = RuleSet::from_config(&RulesConfig::read(text, &ServiceTypes::default()).config);
/// let orders = Orders::of(&evaluate(&rules, &[]).rules);
/// let of_web: Vec<&str> = orders.before(&ServiceId::new("vm:101")?).map(|(rule, _)| rule.as_str()).collect();
/// assert_eq!(of_web, ["web-after-db"]);
/// # Ok::<(), ha_core::id::IdError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Orders {
    rules: Vec<(RuleId, Order)>,
    /// For each service that comes after others, the places of the rules that say so.
    of_then: BTreeMap<ServiceId, Vec<usize>>,
}

impl Orders {
    /// Those of `rules`, which are those that are left of a rule set ([`Evaluated::rules`](super::Evaluated)); disabled ones take no
    /// part.
    #[must_use]
    pub fn of(rules: &RuleSet) -> Self {
        let mut orders = Self::default();
        for (rule, order) in rules.enabled_orders() {
            for then in &order.then {
                orders.of_then.entry(then.clone()).or_default().push(orders.rules.len());
            }
            orders.rules.push((rule.id.clone(), order.clone()));
        }
        orders
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The services that come after others, each once.
    pub fn thens(&self) -> impl Iterator<Item = &ServiceId> {
        self.of_then.keys()
    }

    /// The services that come before others; one may occur several times.
    pub fn firsts(&self) -> impl Iterator<Item = &ServiceId> {
        self.rules.iter().flat_map(|(_, order)| &order.first)
    }

    /// Whether a service comes after others.
    #[must_use]
    pub fn comes_after(&self, sid: &ServiceId) -> bool {
        self.of_then.contains_key(sid)
    }

    /// The rules by which a service comes after others, by id.
    pub fn before(&self, sid: &ServiceId) -> impl Iterator<Item = (&RuleId, &Order)> {
        let places = self.of_then.get(sid).into_iter().flatten();
        places.filter_map(|place| self.rules.get(*place)).map(|(id, order)| (id, order))
    }

    /// The rules by which a service comes before others, by id.
    pub fn after<'a>(&'a self, sid: &'a ServiceId) -> impl Iterator<Item = (&'a RuleId, &'a Order)> {
        self.iter().filter(|(_, order)| order.first.binary_search(sid).is_ok())
    }

    /// All rules, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&RuleId, &Order)> {
        self.rules.iter().map(|(id, order)| (id, order))
    }
}

impl RuleSet {
    /// The order rules that are not disabled, by id.
    pub(super) fn enabled_orders(&self) -> impl Iterator<Item = (&Rule, &Order)> {
        self.enabled().filter_map(|rule| Some((rule, rule.order()?)))
    }
}

/// What is wrong with order rules, by rule: one that names a service on both sides, and those on a circle. A rule that is at fault by
/// itself is on no circle.
pub(super) fn check(rules: &RuleSet) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut sound = Vec::new();
    for (rule, order) in rules.enabled_orders() {
        match order.first.iter().find(|first| order.then.contains(first)) {
            Some(sid) => findings.push(Finding::of_rules(rule.id.clone(), Reason::OrderAgainstItself, Some(sid), &[])),
            None => sound.push((rule, order)),
        }
    }
    for circle in circles(&sound) {
        let on_it: Vec<RuleId> =
            circle.iter().filter_map(|rule| sound.get(*rule)).map(|(rule, _)| rule.id.clone()).collect();
        let found = |rule: &RuleId| Finding::of_rules(rule.clone(), Reason::OrderCircle, None, &on_it);
        findings.extend(on_it.iter().map(found));
    }
    findings.sort_unstable_by(|one, other| one.rule.cmp(&other.rule));
    findings
}

/// The places of the rules that come before themselves, those of a circle (or of several that meet) together, each in order.
fn circles(rules: &[(&Rule, &Order)]) -> Vec<Vec<usize>> {
    let mut waiting_for: BTreeMap<&ServiceId, Vec<u32>> = BTreeMap::new();
    for (place, (_, order)) in rules.iter().enumerate() {
        for first in &order.first {
            waiting_for.entry(first).or_default().push(number(place));
        }
    }
    let edges = || {
        rules.iter().enumerate().flat_map(|(place, (_, order))| {
            let thens = order.then.iter().filter_map(|then| waiting_for.get(then)).flatten();
            thens.map(move |next| (number(place), *next))
        })
    };
    let following = Lists::from_pairs(rules.len(), edges);
    let preceding = Lists::from_pairs(rules.len(), || edges().map(|(rule, next)| (next, rule)));
    // What can be reached backwards from the rule that is left last belongs to it.
    let mut left: Vec<u32> = Vec::new();
    let mut reached = vec![false; rules.len()];
    for rule in 0..number(rules.len()) {
        left.extend(walk(rule, &following, &mut reached));
    }
    let mut taken = vec![false; rules.len()];
    let parts = left.iter().rev().map(|rule| walk(*rule, &preceding, &mut taken));
    let circles = parts.filter(|part| part.len() > 1);
    circles.map(sorted).collect()
}

/// The rules that are reached from one along lists, without those that were reached before: each when all that follows it was left.
fn walk(from: u32, along: &Lists, reached: &mut [bool]) -> Vec<u32> {
    let mut mark = |rule: u32| reached.get_mut(rule as usize).is_some_and(|reached| !core::mem::replace(reached, true));
    let mut left = Vec::new();
    let mut path = Vec::new();
    if mark(from) {
        path.push((from, 0_usize));
    }
    while let Some((rule, next)) = path.last_mut() {
        match along.get(*rule).get(*next) {
            Some(following) => {
                *next = next.saturating_add(1);
                if mark(*following) {
                    path.push((*following, 0));
                }
            }
            None => {
                left.push(*rule);
                path.pop();
            }
        }
    }
    left
}

fn sorted(part: Vec<u32>) -> Vec<usize> {
    let mut part: Vec<usize> = part.into_iter().map(|rule| rule as usize).collect();
    part.sort_unstable();
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::RulesConfig, id::ServiceTypes, rules::evaluate};
    use alloc::{format, string::String};

    fn rules(orders: &[(&str, &str, &str)]) -> RuleSet {
        let text: String =
            orders.iter().map(|(id, first, then)| format!("order: {id}\n\tfirst {first}\n\tthen {then}\n\n")).collect();
        let parsed = RulesConfig::read(text.as_bytes(), &ServiceTypes::default());
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        RuleSet::from_config(&parsed.config)
    }

    fn dropped(orders: &[(&str, &str, &str)]) -> Vec<String> {
        evaluate(&rules(orders), &[]).dropped.iter().map(|finding| format!("{finding}")).collect()
    }

    #[test]
    fn a_chain_is_no_circle() {
        assert!(
            dropped(&[("one", "vm:101", "vm:102"), ("two", "vm:102", "vm:103"), ("three", "vm:101", "vm:103")])
                .is_empty()
        );
    }

    #[test]
    fn a_service_does_not_come_before_itself() {
        let found = dropped(&[("one", "vm:101,vm:102", "vm:102,vm:103"), ("two", "vm:103", "vm:101")]);
        assert_eq!(found, ["rule 'one': vm:102 would be started after itself; name it in 'first' or in 'then'"]);
    }

    #[test]
    fn all_rules_on_a_circle_are_named_and_none_that_only_lead_to_one() {
        let found = dropped(&[
            ("one", "vm:101", "vm:102"),
            ("two", "vm:102", "vm:103"),
            ("three", "vm:103", "vm:101"),
            ("from", "vm:103", "vm:109"),
            ("to", "vm:108", "vm:101"),
            ("left", "vm:109", "vm:107"),
            ("right", "vm:107", "vm:109"),
        ]);
        let circle = |rule: &str, others: &str| {
            format!("rule '{rule}': its services would wait for each other in a circle, because of {others}")
        };
        assert_eq!(
            found,
            [
                circle("left", "rule 'right'"),
                circle("one", "rules 'three', 'two'"),
                circle("right", "rule 'left'"),
                circle("three", "rules 'one', 'two'"),
                circle("two", "rules 'one', 'three'"),
            ]
        );
    }

    #[test]
    fn a_long_chain_is_gone_along_without_recursion() {
        let names: Vec<[String; 3]> = (0..20_000)
            .map(|at| [format!("rule{at}"), format!("vm:{}", at + 100), format!("vm:{}", at + 101)])
            .collect();
        let orders: Vec<(&str, &str, &str)> =
            names.iter().map(|[id, first, then]| (&**id, &**first, &**then)).collect();
        assert!(check(&rules(&orders)).is_empty());
    }
}
