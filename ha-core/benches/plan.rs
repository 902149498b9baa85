//! Questions beforehand: how long it takes to find out what automatic balancing would move.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::field_reassign_with_default,
    reason = "a benchmark"
)]

mod cluster;

use std::{hint::black_box, sync::Arc};

use cluster::Cluster;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use ha_core::{
    config::datacenter::SchedulerMode,
    plan::{BalanceQuestion, RoundsToCome},
    timing::Timings,
};

/// Ten moves, which any imbalance asks for.
fn balance(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("balance_plan");
    group.sample_size(10);
    let question = BalanceQuestion { most_moves: 10, ..BalanceQuestion::default() };
    for mode in [SchedulerMode::Static, SchedulerMode::Dynamic] {
        let cluster = Cluster::new(1_000, 32, "").measured(mode);
        let status = cluster.manager.status().clone();
        let master = status.nodes.keys().nth(1).unwrap().clone();
        let mut input = cluster.input.clone();
        let mut usage = (**input.usage.as_ref().unwrap()).clone();
        usage.nodes.get_mut(&master).unwrap().memory *= 2;
        input.usage = Some(Arc::new(usage));
        let scheduler = &mut Arc::make_mut(&mut input.configuration.datacenter).scheduler;
        (scheduler.threshold, scheduler.margin) = (0.0, 0.0);
        let rounds = RoundsToCome { master, timings: Timings::default(), status, input };
        let found = rounds.clone().balance(&question);
        assert_eq!(found.steps.len(), 10, "there are moves to be found: {:?}", found.then);
        group.bench_function(BenchmarkId::new(format!("{mode}_32_nodes"), 1_000), |bencher| {
            bencher.iter(|| rounds.clone().balance(black_box(&question)));
        });
    }
    group.finish();
}

criterion_group!(benches, balance);
criterion_main!(benches);
