//! How long it takes to find out whether any placement keeps all strict rules and capacities.
//!
//! The target: 95 of 100 random clusters of 1,000 services, 32 nodes and 100 rules are decided, each within 2 s.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a benchmark may panic, and criterion's macros make public items"
)]

#[path = "../tests/feasible/random.rs"]
mod random;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use ha_core::plan::{FeasibleQuestion, Verdict};
use random::{Cluster, Extent, Random};

const LARGE: Extent = Extent {
    nodes: 32..=32,
    offline: 0,
    services: 1000..=1000,
    rules: 100..=100,
    together: 2..=5,
    apart: 3..=24,
    on: 4..=30,
    allowed: 4..=20,
    sizes: &[1, 2, 4, 8, 16, 32],
    fill: 70..=110,
};

fn random_clusters(criterion: &mut Criterion) {
    const MOST: Duration = Duration::from_secs(2);
    let mut random = Random(1);
    let clusters: Vec<Cluster> = (0..100).map(|_| Cluster::new(&mut random, &LARGE)).collect();
    let question = FeasibleQuestion { memory: Some(1.0), ..FeasibleQuestion::default() };
    let mut found = Vec::new();
    for cluster in &clusters {
        let begin = Instant::now();
        let verdict = cluster.situation().feasible(&question).verdict;
        found.push((verdict, begin.elapsed()));
    }
    let count = |is: fn(&Verdict) -> bool| found.iter().filter(|(verdict, took)| is(verdict) && *took <= MOST).count();
    let placed = count(|verdict| matches!(verdict, Verdict::Placement { .. }));
    let refuted = count(|verdict| matches!(verdict, Verdict::Contradiction { .. }));
    let slowest = found.iter().map(|(_, took)| *took).max().unwrap_or_default();
    println!("of 100 random clusters {placed} have a placement and {refuted} have none; the slowest took {slowest:?}");
    assert!(placed + refuted >= 95, "too few are decided within {MOST:?}");

    let mut group = criterion.benchmark_group("feasible");
    group.sample_size(10);
    for (name, is) in [
        ("placement", (|verdict| matches!(verdict, Verdict::Placement { .. })) as fn(&Verdict) -> bool),
        ("contradiction", |verdict| matches!(verdict, Verdict::Contradiction { .. })),
    ] {
        if let Some(first) = found.iter().position(|(verdict, _)| is(verdict)).and_then(|first| clusters.get(first)) {
            group.bench_function(name, |bencher| bencher.iter(|| first.situation().feasible(black_box(&question))));
        }
    }
    group.finish();
}

criterion_group!(benches, random_clusters);
criterion_main!(benches);
