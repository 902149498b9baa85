//! What a round does with the scheduler's settings: falling back, holding, balancing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "tests may panic"
)]

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    config::{
        DatacenterConfig, Resource, ResourcesConfig,
        datacenter::{SchedulerConfig, SchedulerMode},
    },
    event::Event,
    host::{Configuration, HostFigures, NodeFigures, ServiceFigures},
    id::{NodeName, ServiceId},
    manager::{Manager, RoundInput},
    plan::Rehearsal,
    status::{ExitCode, JobResult, LrmStatus, ManagerStatus, NodeState, ServiceEntry, ServiceState},
    time::Now,
    timing::Timings,
};

fn node(number: usize) -> NodeName {
    NodeName::new(format!("node{number}")).unwrap()
}

fn sid(number: usize) -> ServiceId {
    ServiceId::new(format!("vm:{}", 100 + number)).unwrap()
}

/// Three equal nodes, and four equal services that all run on the first.
struct Cluster {
    manager: Manager,
    input: RoundInput,
    host: Rehearsal,
}

impl Cluster {
    fn new(scheduler: SchedulerConfig) -> Self {
        let mut host = Rehearsal::granting();
        let mut status = ManagerStatus {
            nodes: (1..=3).map(|number| (node(number), NodeState::Online)).collect(),
            ..ManagerStatus::default()
        };
        let entry = || ServiceEntry::new(ServiceState::Started { confirmed: true }, node(1));
        status.services.extend((0..4).map(|number| (sid(number), entry())));
        let size = NodeFigures { max_cpu: 16.0, max_memory: 64 << 30, ..NodeFigures::default() };
        let figures = ServiceFigures { max_cpu: 2.0, max_memory: 4 << 30, ..ServiceFigures::default() };
        let usage = HostFigures {
            nodes: (1..=3).map(|number| (node(number), size)).collect(),
            services: (0..4).map(|number| (sid(number), figures)).collect(),
        };
        let mut resources = ResourcesConfig::default();
        resources.resources.extend((0..4).map(|number| (sid(number), Resource::new(sid(number)))));
        let configuration = Configuration {
            resources: Arc::new(resources),
            guests: Arc::new((0..4).map(|number| (sid(number), node(1))).collect()),
            ..Configuration::default()
        };
        let mode = scheduler.mode;
        let input = RoundInput {
            now: Now::default(),
            members: (1..=3).map(|number| (node(number), true)).collect(),
            lrms: BTreeMap::new(),
            configuration,
            unmanaged: Vec::new(),
            usage: Some(Arc::new(usage)),
        };
        let manager = Manager::begin(node(1), Timings::default(), status, mode, &[7; 16], &mut host);
        let mut cluster = Self { manager, input, host };
        cluster.configure(scheduler);
        cluster
    }

    fn configure(&mut self, scheduler: SchedulerConfig) {
        let datacenter = DatacenterConfig { scheduler, ..DatacenterConfig::default() };
        self.input.configuration.datacenter = Arc::new(datacenter);
    }

    /// Plays a round and gives what happened.
    fn round(&mut self) -> Vec<Event> {
        self.host.events.clear();
        self.manager.round(&self.input, &mut self.host);
        std::mem::take(&mut self.host.events)
    }

    /// Lets the LRM of a service report that its request was carried out.
    fn report_success(&mut self, number: usize) {
        let entry = self.manager.status().services.get(&sid(number)).unwrap();
        let mut record = LrmStatus::default();
        record.results.insert(entry.uid.clone().unwrap(), JobResult::new(sid(number), "migrate", ExitCode::SUCCESS));
        self.input.lrms.insert(entry.node.clone(), Arc::new(record));
    }

    /// Whether a round moves something to balance the nodes.
    fn balances(&mut self) -> bool {
        self.round().iter().any(|event| matches!(event, Event::AutoRebalance { .. }))
    }
}

fn balancing(hold_duration: u32) -> SchedulerConfig {
    SchedulerConfig { mode: SchedulerMode::Static, auto_rebalance: true, hold_duration, ..SchedulerConfig::default() }
}

#[test]
fn balancing_waits_for_the_hold_duration() {
    let mut cluster = Cluster::new(balancing(3));
    assert_eq!([cluster.balances(), cluster.balances(), cluster.balances()], [false, false, true]);
}

#[test]
fn a_hold_duration_of_none_balances_at_once_and_waits_while_a_service_moves() {
    let mut cluster = Cluster::new(balancing(0));
    assert_eq!([cluster.balances(), cluster.balances()], [true, false]);
}

#[test]
fn rounds_that_do_not_get_to_balancing_leave_the_count_alone() {
    let mut cluster = Cluster::new(balancing(3));
    cluster.balances();
    cluster.balances();
    cluster.host.commands.push("migrate vm:103 node2".into());
    assert!(!cluster.balances(), "a service is to move");
    assert!(!cluster.balances(), "it moves");
    cluster.report_success(3);
    assert!(!cluster.balances(), "when the round balances it has not noted yet that the move is over");
    assert!(cluster.balances(), "the third round that counts");
}

#[test]
fn the_imbalance_has_to_last_as_long_again_before_the_next_move() {
    let mut cluster = Cluster::new(balancing(3));
    assert_eq!([cluster.balances(), cluster.balances(), cluster.balances()], [false, false, true]);
    cluster.report_success(0);
    assert!(!cluster.balances(), "when the round balances it has not noted yet that the move is over");
    assert_eq!([cluster.balances(), cluster.balances(), cluster.balances()], [false, false, true]);
}

#[test]
fn the_first_service_moves_to_the_first_of_equal_nodes_with_the_imbalance_told() {
    let mut cluster = Cluster::new(balancing(0));
    let events = cluster.round();
    let told = events.iter().find_map(|event| match event {
        Event::AutoRebalance { sid, target, imbalance, expected_imbalance, .. } => {
            Some((sid.clone(), target.clone(), *imbalance, *expected_imbalance))
        }
        _ => None,
    });
    let (moved, target, imbalance, expected) = told.unwrap();
    assert_eq!((moved, target, imbalance), (sid(0), node(2), 1.0));
    assert!((expected - 0.661_437_827_766_147_7).abs() < 1e-12, "{expected}");
    assert!(events.contains(&Event::CommandAccepted { command: "migrate vm:100 node2".into(), by: None }));
}

#[test]
fn missing_figures_are_told_each_round_and_nothing_is_balanced() {
    let mut cluster = Cluster::new(balancing(0));
    cluster.input.usage = None;
    for _ in 0..2 {
        let reason = "the host has no figures".into();
        assert_eq!(cluster.round(), [Event::SchedulerFallback { mode: SchedulerMode::Static, reason }]);
    }
}

#[test]
fn the_scheduler_may_change_between_rounds() {
    let mut cluster = Cluster::new(SchedulerConfig::default());
    assert_eq!(cluster.round(), []);
    cluster.configure(SchedulerConfig { mode: SchedulerMode::Dynamic, ..SchedulerConfig::default() });
    let switched = Event::SchedulerModeSwitched { from: SchedulerMode::Basic, to: SchedulerMode::Dynamic };
    assert_eq!(cluster.round(), [switched]);
}
