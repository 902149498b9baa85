//! What must hold for every rule set.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::collections::{BTreeMap, BTreeSet};

use ha_core::{
    config::{Affinity, Apart, Rule, RuleKind},
    id::{NodeName, RuleId, ServiceId},
    rules::{Evaluated, Reason, RuleSet, evaluate},
};
use proptest::prelude::*;

fn sid(number: u32) -> ServiceId {
    ServiceId::new(format!("vm:{number}")).unwrap()
}

fn node(number: u32) -> NodeName {
    NodeName::new(format!("node{number}")).unwrap()
}

/// Few resources, so that the rules often share some; also rules with one resource or none.
fn rule(index: usize) -> impl Strategy<Value = Rule> {
    let nodes = prop::collection::btree_map((1_u32..8).prop_map(node), -1..3, 1..4);
    let kind = prop_oneof![
        (nodes, any::<Option<bool>>(), any::<bool>()).prop_map(|(nodes, strict, negative)| {
            let affinity = if negative { Affinity::Negative } else { Affinity::Positive };
            RuleKind::NodeAffinity { nodes, strict, affinity }
        }),
        Just(RuleKind::resource_affinity(Affinity::Positive)),
        Just(RuleKind::resource_affinity(Affinity::Negative)),
        Just(RuleKind::ResourceAffinity {
            affinity: Affinity::Negative,
            apart: Apart { strict: Some(false), spread: None }
        }),
    ];
    (prop::collection::btree_set((95_u32..115).prop_map(sid), 0..5), kind, prop::bool::weighted(0.1)).prop_map(
        move |(resources, kind, disable)| Rule {
            id: RuleId::new(format!("rule{index}")).unwrap(),
            resources: resources.into_iter().collect(),
            disable: Some(disable),
            comment: None,
            kind,
        },
    )
}

fn rules() -> impl Strategy<Value = RuleSet> {
    (0..12_usize).prop_flat_map(|count| (0..count).map(rule).collect::<Vec<_>>()).prop_map(RuleSet::from_iter)
}

fn cluster() -> impl Strategy<Value = Vec<NodeName>> {
    (0..6_u32).prop_map(|count| (1..=count).map(node).collect())
}

/// The pairs of services that are together or apart in one rule.
fn pairs(rules: &RuleSet, wanted: Affinity) -> BTreeSet<(ServiceId, ServiceId)> {
    let of_kind = |rule: &&Rule| !rule.is_disabled() && rule.kind == RuleKind::resource_affinity(wanted);
    let mut pairs = BTreeSet::new();
    for rule in rules.iter().filter(of_kind) {
        for a in &rule.resources {
            pairs.extend(rule.resources.iter().filter(|b| *b != a).map(|b| (a.clone(), b.clone())));
        }
    }
    pairs
}

fn compiled_pairs(evaluated: &Evaluated, wanted: Affinity) -> BTreeSet<(ServiceId, ServiceId)> {
    let compiled = &evaluated.compiled;
    let others = |sid: &ServiceId| match wanted {
        Affinity::Positive => compiled.positive(sid),
        Affinity::Negative => compiled.negative(sid),
    };
    compiled.services().flat_map(|a| others(a).iter().map(|b| (a.clone(), b.clone())).collect::<Vec<_>>()).collect()
}

proptest! {
    #[test]
    fn the_compiled_form_says_what_the_completed_rules_say(rules in rules(), nodes in cluster()) {
        let evaluated = evaluate(&rules, &nodes);
        let completed = evaluated.completed_rules();
        for affinity in [Affinity::Positive, Affinity::Negative] {
            prop_assert_eq!(pairs(&completed, affinity), compiled_pairs(&evaluated, affinity));
        }
        let mut bound = BTreeMap::new();
        for rule in completed.iter().filter(|rule| !rule.is_disabled()) {
            if let RuleKind::NodeAffinity { .. } = rule.kind {
                bound.extend(rule.resources.iter().map(|sid| (sid, &rule.id)));
            }
        }
        for sid in evaluated.compiled.services() {
            let affinity = evaluated.compiled.node_affinity(sid);
            prop_assert_eq!(affinity.map(|affinity| &affinity.rule), bound.get(sid).copied());
        }
    }

    #[test]
    fn together_and_apart_go_both_ways_and_exclude_each_other(rules in rules(), nodes in cluster()) {
        let compiled = evaluate(&rules, &nodes).compiled;
        for a in compiled.services() {
            for b in compiled.positive(a).iter() {
                prop_assert!(compiled.positive(b).contains(a));
                prop_assert!(!compiled.negative(a).contains(b));
                prop_assert_eq!(compiled.node_affinity(a), compiled.node_affinity(b));
            }
            for b in compiled.negative(a).iter() {
                prop_assert!(compiled.negative(b).contains(a));
            }
        }
    }

    /// The definition of what positive rules pass on, taken literally.
    #[test]
    fn negative_rules_are_passed_on_once(rules in rules(), nodes in cluster()) {
        let evaluated = evaluate(&rules, &nodes);
        let left: BTreeSet<RuleId> = evaluated.dropped.iter().map(|finding| finding.rule.clone()).collect();
        let left: RuleSet = rules.iter().filter(|rule| !left.contains(&rule.id)).cloned().collect();
        let named = pairs(&left, Affinity::Negative);
        let mut expected = named.clone();
        for (near, other) in &named {
            for sid in evaluated.compiled.positive(near).iter() {
                expected.insert((sid.clone(), other.clone()));
                expected.insert((other.clone(), sid.clone()));
            }
        }
        prop_assert_eq!(compiled_pairs(&evaluated, Affinity::Negative), expected);
    }

    #[test]
    fn others_are_sorted_and_counted(rules in rules(), nodes in cluster()) {
        let compiled = evaluate(&rules, &nodes).compiled;
        for sid in compiled.services() {
            for others in [compiled.positive(sid), compiled.negative(sid)] {
                let listed: Vec<&ServiceId> = others.iter().collect();
                prop_assert!(listed.is_sorted_by(|a, b| a < b));
                prop_assert_eq!(listed.len(), others.len());
                prop_assert_eq!(listed.is_empty(), others.is_empty());
                prop_assert!(!others.contains(sid));
            }
        }
    }

    /// Only check 7 may find something new in what is left: when a node affinity rule was dropped its nodes no longer count.
    #[test]
    fn what_is_left_stands_the_checks(rules in rules(), nodes in cluster()) {
        let dropped: BTreeSet<RuleId> = rules.check(&nodes).into_iter().map(|finding| finding.rule).collect();
        let left: RuleSet = rules.iter().filter(|rule| !dropped.contains(&rule.id)).cloned().collect();
        let again = left.check(&nodes);
        prop_assert!(again.iter().all(|finding| finding.reason == Reason::NegativeAffinityExceedsNodes), "{again:?}");
    }

    #[test]
    fn findings_are_in_order_and_name_rules_of_the_set(rules in rules(), nodes in cluster()) {
        let findings = rules.check(&nodes);
        prop_assert!(findings.is_sorted_by_key(|finding| (&finding.rule, finding.reason, &finding.sid)));
        for finding in &findings {
            prop_assert!(rules.get(&finding.rule).is_some());
            prop_assert!(finding.with().all(|other| *other != finding.rule && rules.get(other).is_some()));
            prop_assert!(finding.to_string().contains(finding.rule.as_str()));
        }
    }

    #[test]
    fn every_pair_has_rules_that_explain_it(rules in rules(), nodes in cluster()) {
        let compiled = evaluate(&rules, &nodes).compiled;
        for a in compiled.services() {
            for b in compiled.services() {
                let together = compiled.why_together(a, b);
                prop_assert_eq!(!together.is_empty(), compiled.positive(a).contains(b));
                let apart = compiled.why_apart(a, b);
                prop_assert_eq!(!apart.is_empty(), compiled.negative(a).contains(b));
                prop_assert!(together.iter().chain(&apart).all(|id| rules.get(id).is_some()));
            }
        }
    }

    #[test]
    fn a_disabled_rule_changes_nothing(rules in rules(), nodes in cluster()) {
        let enabled: RuleSet = rules.iter().filter(|rule| !rule.is_disabled()).cloned().collect();
        prop_assert_eq!(rules.check(&nodes), enabled.check(&nodes));
    }
}
