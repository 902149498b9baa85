//! Manager rounds: at rest, and when a node fails.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::field_reassign_with_default,
    reason = "a benchmark"
)]

mod cluster;

use cluster::{Cluster, one_group, rules_of_ten};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use ha_core::config::datacenter::SchedulerMode;

fn steady(c: &mut Criterion) {
    let mut group = c.benchmark_group("steady_round");
    for services in [100, 1_000, 10_000, 100_000] {
        let cluster = Cluster::new(services, 32, "");
        cluster.assert_takes_results();
        group.bench_with_input(BenchmarkId::new("basic_32_nodes", services), &cluster, |b, cluster| {
            b.iter_batched_ref(|| cluster.clone(), Cluster::round, BatchSize::LargeInput);
        });
    }
    for mode in [SchedulerMode::Static, SchedulerMode::Dynamic] {
        let cluster = Cluster::new(10_000, 32, "").measured(mode);
        cluster.assert_takes_results();
        group.bench_function(BenchmarkId::new(format!("{mode}_32_nodes"), 10_000), |b| {
            b.iter_batched_ref(|| cluster.clone(), Cluster::round, BatchSize::LargeInput);
        });
    }
    let cluster = Cluster::new(10_000, 32, &rules_of_ten(10_000));
    cluster.assert_takes_results();
    group.bench_function("basic_32_nodes_1000_rules/10000", |b| {
        b.iter_batched_ref(|| cluster.clone(), Cluster::round, BatchSize::LargeInput);
    });
    for services in [1_250, 10_000] {
        let cluster = Cluster::new(services, 32, &one_group(services));
        cluster.assert_takes_results();
        group.bench_function(BenchmarkId::new("basic_32_nodes_one_group", services), |b| {
            b.iter_batched_ref(|| cluster.clone(), Cluster::round, BatchSize::LargeInput);
        });
    }
    group.finish();
}

fn recovery(c: &mut Criterion) {
    let mut group = c.benchmark_group("recovery_round");
    for (services, nodes, rules) in [(10_000, 32, false), (10_000, 32, true), (100_000, 320, false)] {
        let rules_text = if rules { rules_of_ten(services) } else { String::new() };
        let mut cluster = Cluster::new(services, nodes, &rules_text);
        cluster.fail_last_node();
        cluster.assert_recovers();
        let name = format!("basic_{nodes}_nodes{}", if rules { "_with_rules" } else { "" });
        group.bench_with_input(BenchmarkId::new(name, services), &cluster, |b, cluster| {
            b.iter_batched_ref(|| cluster.clone(), Cluster::round, BatchSize::LargeInput);
        });
    }
    for (services, nodes) in [(10_000, 32), (20_000, 100)] {
        for mode in [SchedulerMode::Static, SchedulerMode::Dynamic] {
            let mut cluster = Cluster::new(services, nodes, "").measured(mode);
            cluster.fail_last_node();
            cluster.assert_recovers();
            group.bench_function(BenchmarkId::new(format!("{mode}_{nodes}_nodes"), services), |b| {
                b.iter_batched_ref(|| cluster.clone(), Cluster::round, BatchSize::LargeInput);
            });
        }
    }
    group.finish();
}

criterion_group!(benches, steady, recovery);
criterion_main!(benches);
