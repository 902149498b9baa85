//! Reading and writing the configuration of a large cluster, the digest included.
//!
//! Targets: `resources.cfg` of 10,000 sections (850 kB) is read in 5 ms, `rules.cfg` of 1,000 rules of 10 resources
//! in 1 ms.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "not the library"
)]
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::{fmt::Write, hint::black_box};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ha_core::{
    config::{ResourcesConfig, RulesConfig},
    id::ServiceTypes,
};

fn resources_text() -> String {
    let mut text = String::new();
    for number in 0..10_000_u32 {
        let number = number + 10_000;
        writeln!(
            text,
            "vm: {number}\n\tcomment web\n\tgroup group-{}\n\tmax_relocate 2\n\tmax_restart 3\n\tstate started\n",
            number % 50
        )
        .expect("writing to memory");
    }
    text
}

fn rules_text() -> String {
    let mut text = String::new();
    for rule in 0..1_000_u32 {
        let sids: Vec<_> = (0..10).map(|index| format!("vm:{}", 10_000 + rule * 10 + index)).collect();
        let sids = sids.join(",");
        if rule % 2 == 0 {
            writeln!(
                text,
                "node-affinity: rule-{rule}\n\tnodes node1:2,node2:1,node3\n\tresources {sids}\n\tstrict 1\n"
            )
        } else {
            writeln!(text, "resource-affinity: rule-{rule}\n\taffinity negative\n\tresources {sids}\n")
        }
        .expect("writing to memory");
    }
    text
}

fn bench(criterion: &mut Criterion) {
    let types = ServiceTypes::default();

    let text = resources_text();
    let parsed = ResourcesConfig::read(text.as_bytes(), &types);
    assert_eq!((parsed.config.resources.len(), parsed.problems.len()), (10_000, 0), "the input is what it should be");
    assert!((840_000..860_000).contains(&text.len()), "{}", text.len());
    let mut group = criterion.benchmark_group("resources.cfg, 10,000 sections");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("read", |bencher| bencher.iter(|| ResourcesConfig::read(black_box(text.as_bytes()), &types)));
    group.bench_function("write", |bencher| bencher.iter(|| black_box(&parsed.config).write()));
    group.finish();

    let text = rules_text();
    let parsed = RulesConfig::read(text.as_bytes(), &types);
    assert_eq!((parsed.config.rules.len(), parsed.problems.len()), (1_000, 0), "the input is what it should be");
    let mut group = criterion.benchmark_group("rules.cfg, 1,000 rules of 10 resources");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("read", |bencher| bencher.iter(|| RulesConfig::read(black_box(text.as_bytes()), &types)));
    group.bench_function("write", |bencher| bencher.iter(|| black_box(&parsed.config).write()));
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
