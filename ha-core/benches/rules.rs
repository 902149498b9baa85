//! How long it takes to check, complete and compile rules.
//!
//! The target is 10 ms for a thousand rules of ten resources each. The other sets are made to be as hard as can be; their
//! times only have to stay within reason.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a benchmark may panic, and criterion's macros make public items"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ha_core::{
    config::{Affinity, NodePriorities, Rule, RuleKind},
    id::{NodeName, RuleId, ServiceId},
    rules::{RuleSet, evaluate},
};

#[derive(Clone, Copy)]
enum Kind {
    Together,
    Apart,
    On,
}

fn rule(index: usize, kind: Kind, resources: impl Iterator<Item = usize>) -> Rule {
    let mut resources: Vec<ServiceId> =
        resources.map(|number| ServiceId::new(format!("vm:{}", 100 + number)).unwrap()).collect();
    resources.sort();
    let kind = match kind {
        Kind::Together => RuleKind::resource_affinity(Affinity::Positive),
        Kind::Apart => RuleKind::resource_affinity(Affinity::Negative),
        Kind::On => RuleKind::NodeAffinity { nodes: some_nodes(index), strict: None, affinity: Affinity::Positive },
    };
    Rule { id: RuleId::new(format!("rule{index}")).unwrap(), resources, disable: None, comment: None, kind }
}

fn some_nodes(index: usize) -> NodePriorities {
    nodes(32).into_iter().skip(index % 20).take(10).map(|node| (node, 0)).collect()
}

fn nodes(count: usize) -> Vec<NodeName> {
    (0..count).map(|number| NodeName::new(format!("node{number}")).unwrap()).collect()
}

/// Each rule has ten resources of its own, the kinds in turn.
fn separate(rules: usize) -> RuleSet {
    let kinds = [Kind::Together, Kind::Apart, Kind::On];
    (0..rules).map(|index| rule(index, kinds[index % 3], index * 10..index * 10 + 10)).collect()
}

/// All rules have one resource in common.
fn one_in_common(rules: usize, kinds: &[Kind]) -> RuleSet {
    let of = |index: usize| (index * 10 + 1..index * 10 + 10).chain([0]);
    (0..rules).map(|index| rule(index, kinds[index % kinds.len()], of(index))).collect()
}

/// Each rule shares a resource with the one before it.
fn chain(rules: usize, kind: Kind) -> RuleSet {
    (0..rules).map(|index| rule(index, kind, index * 9..index * 9 + 10)).collect()
}

/// A group of many that many others have to keep away from.
fn crowd_apart(size: usize) -> RuleSet {
    let together = rule(0, Kind::Together, 0..size);
    let apart = (1..=size).map(|index| rule(index, Kind::Apart, [index - 1, size + index].into_iter()));
    [together].into_iter().chain(apart).collect()
}

fn benchmarks(criterion: &mut Criterion) {
    let nodes = nodes(32);
    let mut group = criterion.benchmark_group("rules");
    group.sample_size(10);
    let sets = [
        ("thousand_rules_of_ten", separate(1_000)),
        ("ten_thousand_rules_of_ten", separate(10_000)),
        ("hostile/one_in_common_together", one_in_common(10_000, &[Kind::Together])),
        ("hostile/one_in_common_apart", one_in_common(10_000, &[Kind::Apart])),
        ("hostile/one_in_common_on", one_in_common(10_000, &[Kind::On])),
        ("hostile/one_in_common_mixed", one_in_common(10_000, &[Kind::Together, Kind::Apart, Kind::On])),
        ("hostile/chain_together", chain(10_000, Kind::Together)),
        ("hostile/chain_apart", chain(10_000, Kind::Apart)),
        ("hostile/crowd_apart", crowd_apart(5_000)),
    ];
    for (name, rules) in sets {
        group.bench_function(name, |bencher| bencher.iter(|| evaluate(black_box(&rules), &nodes)));
    }
    group.finish();
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);
