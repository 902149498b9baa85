//! Placement and balancing, next to what the text of the definition would cost.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a benchmark"
)]

use std::{hint::black_box, sync::Arc};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use ha_core::{
    config::{
        Affinity, DatacenterConfig, NodePriorities, Rule, RuleKind, RulesConfig,
        datacenter::{BalanceMethod, SchedulerMode},
    },
    host::{Configuration, HostFigures, NodeFigures, ServiceFigures},
    id::{NodeName, RuleId, ServiceId},
    placement::{BalanceHold, Preference},
    plan::Situation,
    status::{ManagerStatus, NodeState, ServiceEntry, ServiceState},
};

const GIB: u64 = 1 << 30;

struct Cluster {
    status: ManagerStatus,
    configuration: Configuration,
    members: Vec<NodeName>,
    usage: HostFigures,
}

fn node(number: usize) -> NodeName {
    NodeName::new(format!("node{number:04}")).unwrap()
}

fn sid(number: usize) -> ServiceId {
    ServiceId::new(format!("vm:{}", 100_000 + number)).unwrap()
}

impl Cluster {
    /// Services of different sizes on nodes of different sizes, the later nodes with more of them.
    fn new(nodes: usize, services: usize, mode: SchedulerMode) -> Self {
        let mut status = ManagerStatus::default();
        let mut usage = HostFigures::default();
        for number in 0..nodes {
            status.nodes.insert(node(number), NodeState::Online);
            let cores = [512.0, 768.0, 1024.0][number % 3];
            let memory = [2048, 4096][number % 2] * GIB;
            let size = NodeFigures { max_cpu: cores, max_memory: memory, cpu: cores * 0.3, memory: memory / 3 };
            usage.nodes.insert(node(number), size);
        }
        let entries = (0..services).map(|number| {
            let at = if number % 7 == 0 { nodes - 1 } else { number % nodes };
            (sid(number), ServiceEntry::new(ServiceState::Started { confirmed: true }, node(at)))
        });
        status.services.extend(entries);
        usage.services.extend((0..services).map(|number| {
            let figures = ServiceFigures {
                max_cpu: (number % 5) as f64,
                max_memory: (1 + number as u64 % 8) * GIB,
                cpu: 0.1 + (number % 13) as f64 / 10.0,
                memory: (1 + number as u64 % 5) * GIB / 2,
            };
            (sid(number), figures)
        }));
        let mut datacenter = DatacenterConfig::default();
        datacenter.scheduler.mode = mode;
        datacenter.scheduler.auto_rebalance = true;
        datacenter.scheduler.threshold = 0.0;
        datacenter.scheduler.hold_duration = 0;
        let configuration = Configuration { datacenter: Arc::new(datacenter), ..Configuration::default() };
        Self { members: status.nodes.keys().cloned().collect(), status, configuration, usage }
    }

    fn with_rule(mut self, resources: Vec<ServiceId>, kind: RuleKind) -> Self {
        let mut rules = RulesConfig::default();
        let id = RuleId::new("rule").unwrap();
        rules.rules.insert(id.clone(), Rule { id, resources, disable: None, comment: None, kind });
        self.configuration.rules = Arc::new(rules);
        self
    }

    fn situation(&self) -> Situation<'_> {
        Situation { usage: Some(&self.usage), ..Situation::new(&self.status, &self.configuration, &self.members) }
    }
}

/// The scores as rule P10 of `docs/behaviour/placement.md` defines them: all nodes again for every alternative.
fn plain_scores(fractions: &[(f64, f64)], more: (f64, f64)) -> Vec<f64> {
    let alternatives: Vec<[f64; 4]> = (0..fractions.len())
        .map(|chosen| {
            let (mut sums, mut highest) = ((0.0, 0.0), (0.0_f64, 0.0_f64));
            for (at, (cpu, memory)) in fractions.iter().enumerate() {
                let (cpu, memory) = if at == chosen { (cpu + more.0, memory + more.1) } else { (*cpu, *memory) };
                sums = (sums.0 + cpu * cpu, sums.1 + memory * memory);
                highest = (highest.0.max(cpu), highest.1.max(memory));
            }
            let count = fractions.len() as f64;
            let average = |sum: f64| 1.0 + (sum / count).sqrt();
            [average(sums.0), 1.0 + highest.0, average(sums.1), 1.0 + highest.1]
        })
        .collect();
    let weights = [1.0, 2.0, 5.0, 10.0].map(|weight| weight / 18.0);
    let columns = [0, 1, 2, 3].map(|j| alternatives.iter().map(move |figures| figures[j]));
    let norms = columns.clone().map(|column| column.map(|v| v * v).sum::<f64>().sqrt());
    let best = columns.clone().map(|column| column.fold(f64::INFINITY, f64::min));
    let worst = columns.map(|column| column.fold(0.0, f64::max));
    let distance = |figures: &[f64; 4], to: &[f64; 4]| {
        (0..4).map(|j| (weights[j] * (figures[j] - to[j]) / norms[j]).powi(2)).sum::<f64>().sqrt()
    };
    alternatives
        .iter()
        .map(|figures| distance(figures, &worst) / (distance(figures, &best) + distance(figures, &worst)))
        .collect()
}

fn score_all_nodes(c: &mut Criterion) {
    let mut group = c.benchmark_group("score_all_nodes_for_one_service");
    for nodes in [32, 100, 1000] {
        for mode in [SchedulerMode::Static, SchedulerMode::Dynamic] {
            let cluster = Cluster::new(nodes, 10 * nodes, mode);
            let mut prepared = cluster.situation().prepare();
            let sid = sid(3);
            group.bench_function(BenchmarkId::new(mode.as_str(), nodes), |b| {
                b.iter(|| prepared.select(black_box(&sid), Preference::BestScore).unwrap());
            });
        }
        let fractions: Vec<(f64, f64)> =
            (0..nodes).map(|n| (0.1 + n as f64 / 3000.0, 0.2 + n as f64 / 2000.0)).collect();
        group.bench_function(BenchmarkId::new("plain_definition", nodes), |b| {
            b.iter(|| plain_scores(black_box(&fractions), black_box((0.01, 0.02))));
        });
    }
    group.finish();
}

/// What is asked for every running service, every round.
fn stay(c: &mut Criterion) {
    let mut group = c.benchmark_group("stay_on_the_present_node");
    let cluster = Cluster::new(32, 1000, SchedulerMode::Static);
    let mut prepared = cluster.situation().prepare();
    let one = sid(3);
    group.bench_function("without_rules", |b| b.iter(|| prepared.select(black_box(&one), Preference::None).unwrap()));

    let nodes: NodePriorities = (0..32).map(|number| (node(number), 1)).collect();
    let affinity = RuleKind::NodeAffinity { nodes, strict: Some(false), affinity: Affinity::Positive };
    let bound = Cluster::new(32, 1000, SchedulerMode::Static).with_rule((0..1000).map(sid).collect(), affinity);
    let mut prepared = bound.situation().prepare();
    group.bench_function("with_node_affinity", |b| {
        b.iter(|| prepared.select(black_box(&one), Preference::None).unwrap());
    });

    let apart = RuleKind::resource_affinity(Affinity::Negative);
    let apart = Cluster::new(32, 1000, SchedulerMode::Static).with_rule((0..10).map(sid).collect(), apart);
    let mut prepared = apart.situation().prepare();
    group.bench_function("kept_apart_from_nine", |b| {
        b.iter(|| prepared.select(black_box(&one), Preference::None).unwrap());
    });
    group.finish();
}

fn balance(c: &mut Criterion) {
    let mut group = c.benchmark_group("balance_10000_services_32_nodes");
    group.sample_size(20);
    for mode in [SchedulerMode::Static, SchedulerMode::Dynamic] {
        for method in BalanceMethod::ALL {
            let mut cluster = Cluster::new(32, 10_000, mode);
            Arc::make_mut(&mut cluster.configuration.datacenter).scheduler.method = *method;
            let prepared = cluster.situation().prepare();
            group.bench_function(BenchmarkId::new(mode.as_str(), method), |b| {
                b.iter(|| prepared.balance(BalanceHold::default(), 0));
            });
        }
    }
    group.finish();
}

fn prepare(c: &mut Criterion) {
    let mut group = c.benchmark_group("prepare_10000_services_32_nodes");
    for mode in SchedulerMode::ALL {
        let cluster = Cluster::new(32, 10_000, *mode);
        group.bench_function(mode.as_str(), |b| b.iter(|| cluster.situation().prepare()));
    }
    group.finish();
}

criterion_group!(benches, score_all_nodes, stay, balance, prepare);
criterion_main!(benches);
