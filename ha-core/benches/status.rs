//! Reading, writing and showing the status of a large cluster: 10,000 services on 32 nodes.
#![allow(missing_docs, clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a benchmark")]

use std::{collections::BTreeMap, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use ha_core::{
    config::{Resource, ResourcesConfig, datacenter::SchedulerMode},
    id::{NodeName, ServiceId, Uid},
    status::{
        ClusterView, ExitCode, JobResult, LrmStatus, ManagerStatus, NodeState, ServiceEntry, ServiceState, ViewInput,
    },
};

const SERVICES: usize = 10_000;
const NODES: usize = 32;

fn node(index: usize) -> NodeName {
    NodeName::new(format!("node{:02}", index % NODES)).unwrap()
}

fn sid(index: usize) -> ServiceId {
    ServiceId::new(format!("vm:{}", 100_000 + index)).unwrap()
}

fn uid(index: usize) -> Uid {
    Uid::new(format!("{index:022x}")).unwrap()
}

fn state(index: usize) -> ServiceState {
    match index % 10 {
        0 => ServiceState::Migrate { target: node(index + 1) },
        1 => ServiceState::Stopped,
        _ => ServiceState::Started { confirmed: true },
    }
}

fn manager_status() -> ManagerStatus {
    ManagerStatus {
        master_node: Some(node(0)),
        timestamp: Some(1_700_000_000),
        nodes: (0..NODES).map(|index| (node(index), NodeState::Online)).collect(),
        services: (0..SERVICES)
            .map(|index| {
                let entry = ServiceEntry { uid: Some(uid(index)), ..ServiceEntry::new(state(index), node(index)) };
                (sid(index), entry)
            })
            .collect(),
        ..ManagerStatus::default()
    }
}

fn lrm_status() -> LrmStatus {
    let mut status = LrmStatus::default();
    status
        .results
        .extend((0..SERVICES).map(|index| (uid(index), JobResult::new(sid(index), "started", ExitCode::SUCCESS))));
    status
}

fn json(criterion: &mut Criterion) {
    let manager = manager_status();
    let text = manager.to_json();
    criterion.bench_function("manager status, 10,000 services: read", |bencher| {
        bencher.iter(|| ManagerStatus::from_json(black_box(&text)).unwrap());
    });
    criterion.bench_function("manager status, 10,000 services: write", |bencher| {
        bencher.iter(|| black_box(&manager).to_json());
    });

    let lrm = lrm_status();
    let text = lrm.to_json();
    criterion.bench_function("LRM status, 10,000 results: read", |bencher| {
        bencher.iter(|| LrmStatus::from_json(black_box(&text)).unwrap());
    });
    criterion.bench_function("LRM status, 10,000 results: write", |bencher| {
        bencher.iter(|| black_box(&lrm).to_json());
    });
}

fn view(criterion: &mut Criterion) {
    let manager = manager_status();
    let lrm = LrmStatus::default();
    let lrms = (0..NODES).map(|index| (node(index), Some(&lrm))).collect::<BTreeMap<_, _>>();
    let locations = (0..SERVICES).map(|index| (sid(index), node(index))).collect::<BTreeMap<_, _>>();
    let mut resources = ResourcesConfig::default();
    resources.resources.extend((0..SERVICES).map(|index| (sid(index), Resource::new(sid(index)))));
    let own_node = node(0);
    let input = ViewInput {
        own_node: &own_node,
        quorate: true,
        now: 1_700_000_003,
        manager: &manager,
        lrms: &lrms,
        resources: &resources,
        locations: Some(&locations),
        scheduler: SchedulerMode::Basic,
    };
    criterion.bench_function("view of 10,000 services", |bencher| {
        bencher.iter(|| ClusterView::new(black_box(&input)));
    });
    let view = ClusterView::new(&input);
    criterion.bench_function("view of 10,000 services as text", |bencher| {
        bencher.iter(|| black_box(&view).to_string());
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = json, view
}
criterion_main!(benches);
