use std::{format, string::ToString, vec::Vec};

use super::*;
use crate::{
    config::{Rule, RuleKind},
    rules::{RuleSet, evaluate},
};

fn rule(id: &str, resources: &[&str], kind: RuleKind) -> Rule {
    let resources = resources.iter().map(|sid| ServiceId::new(sid).unwrap()).collect();
    Rule { id: RuleId::new(id).unwrap(), resources, disable: None, comment: None, kind }
}

fn positive(id: &str, resources: &[&str]) -> Rule {
    rule(id, resources, RuleKind::resource_affinity(Affinity::Positive))
}

fn negative(id: &str, resources: &[&str]) -> Rule {
    rule(id, resources, RuleKind::resource_affinity(Affinity::Negative))
}

fn on(id: &str, resources: &[&str], nodes: &[(&str, i32)]) -> Rule {
    let nodes = nodes.iter().map(|(node, priority)| (NodeName::new(node).unwrap(), *priority)).collect();
    rule(id, resources, RuleKind::NodeAffinity { nodes, strict: None, affinity: Affinity::Positive })
}

fn nodes(count: usize) -> Vec<NodeName> {
    (1..=count).map(|n| NodeName::new(format!("node{n}")).unwrap()).collect()
}

fn sentences(rules: impl IntoIterator<Item = Rule>) -> Vec<std::string::String> {
    RuleSet::from_iter(rules).check(&nodes(3)).iter().map(Finding::to_string).collect()
}

#[test]
fn findings_say_what_to_look_at() {
    assert_eq!(
        sentences([on("home", &["vm:10"], &[("node1", 0)]), on("work", &["vm:10"], &[("node2", 0)])]),
        [
            "rule 'home': vm:10 is also in rule 'work'; a resource can be in one node affinity rule only",
            "rule 'work': vm:10 is also in rule 'home'; a resource can be in one node affinity rule only",
        ]
    );
    assert_eq!(
        sentences([
            positive("p1", &["vm:10", "vm:11"]),
            positive("p2", &["vm:11", "vm:12"]),
            negative("xx", &["vm:10", "vm:12"])
        ]),
        [
            "rule 'p1': two of its resources must be on one node and apart from each other, because of rule 'xx'",
            "rule 'p2': two of its resources must be on one node and apart from each other, because of rule 'xx'",
            "rule 'xx': two of its resources must be on one node and apart from each other, because of rules 'p1', 'p2'",
        ]
    );
    assert_eq!(
        sentences([negative("xx", &["vm:10"])]),
        ["rule 'xx': a resource affinity rule needs at least two resources"]
    );
}

#[test]
fn a_finding_names_ten_others_at_most() {
    let rules = (10..30).map(|n| on(&format!("rule{n}"), &["vm:10"], &[("node1", 0)]));
    let findings = RuleSet::from_iter(rules).check(&nodes(3));
    assert_eq!(findings.len(), 20);
    let (first, last) = (&findings[0], &findings[19]);
    assert_eq!(first.with().count(), 10);
    assert_eq!(first.with().next().unwrap(), "rule11");
    assert_eq!(last.with().next().unwrap(), "rule10");
    assert!(first.with_more() && last.with_more());
    assert!(first.to_string().contains("'rule20' and more;"), "{first}");

    let rules = (10..21).map(|n| on(&format!("rule{n}"), &["vm:10"], &[("node1", 0)]));
    let findings = RuleSet::from_iter(rules).check(&nodes(3));
    assert!(findings.iter().all(|finding| finding.with().count() == 10 && !finding.with_more()));
}

#[test]
fn a_node_that_is_listed_twice_counts_once() {
    let rules = RuleSet::from_iter([negative("xx", &["vm:10", "vm:11"])]);
    let node = NodeName::new("node1").unwrap();
    assert_eq!(rules.check(&[node.clone(), node]).len(), 1);
}

/// A rule set in which everything conflicts with everything has few findings a rule, and every rule is still named.
#[test]
fn findings_are_bounded_and_still_name_every_rule() {
    let positive = (0..300).map(|n| positive(&format!("p{n}"), &["vm:10", "vm:11"]));
    let negative = (0..300).map(|n| negative(&format!("n{n}"), &["vm:10", "vm:11"]));
    let bound = (0..300).map(|n| on(&format!("b{n}"), &["vm:10", "vm:11"], &[("node1", 0), ("node2", 1)]));
    let rules = RuleSet::from_iter(positive.chain(negative).chain(bound));
    let findings = rules.check(&nodes(1));
    assert!(findings.len() <= 900 * Reason::ALL.len() * MAX_REPEATS);
    for reason in Reason::ALL {
        let of_p0 = findings.iter().filter(|f| f.rule == "p0" && f.reason == *reason && f.sid.is_none());
        assert!(of_p0.count() <= MAX_REPEATS);
    }
    assert!(evaluate(&rules, &nodes(1)).rules.is_empty());
}

/// A negative rule may conflict with more groups than it is reported for, and all of them are dropped.
#[test]
fn groups_beyond_the_bound_are_dropped_too() {
    let sids: Vec<_> = (1000..1400).map(|n| format!("vm:{n}")).collect();
    let sids: Vec<&str> = sids.iter().map(|sid| &**sid).collect();
    let groups = sids.chunks(2).enumerate().map(|(n, pair)| positive(&format!("p{n}"), pair));
    let rules = RuleSet::from_iter(groups.chain([negative("all", &sids)]));
    let evaluated = evaluate(&rules, &nodes(400));
    assert_eq!(evaluated.dropped.iter().filter(|finding| finding.rule == "all").count(), MAX_REPEATS);
    assert!(evaluated.rules.is_empty());
}

/// Twenty thousand rules that all conflict with each other: what is told of them grows with their number, not with its square.
#[test]
fn very_many_rules_in_conflict_give_few_findings_each() {
    let rules = (0..20_000).map(|n| {
        let id = format!("rule{n}");
        if n % 2 == 0 { positive(&id, &["vm:10", "vm:11"]) } else { negative(&id, &["vm:10", "vm:11"]) }
    });
    let rules = RuleSet::from_iter(rules);
    let findings = rules.check(&nodes(3));
    assert!((20_000..=20_000 * MAX_REPEATS).contains(&findings.len()), "{}", findings.len());
    assert!(evaluate(&rules, &nodes(3)).rules.is_empty());
}
