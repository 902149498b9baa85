//! What decisions and rounds cost in Rust, for a comparison with the same through C (`tests/c/bench.c`, run by `tests/bench`).
//!
//! Writes the cluster that it measures into the folder that is its argument, and prints a name and nanoseconds a line.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a benchmark")]

use std::{
    collections::BTreeMap, collections::BTreeSet, fs, hint::black_box, path::Path, sync::Arc, time::Duration,
    time::Instant as Clock,
};

use ha_core::{
    config::{
        GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, datacenter::SchedulerMode, fence::FenceCommand,
    },
    event::Event,
    host::{
        ClusterLock, Configuration, EventSink, FenceAttempt, FenceDevices, FenceProgress, GuestControl, HostError,
        Lock, LockAnswer, ManagerStore, StatusStore,
    },
    id::{NodeName, ServiceId, ServiceTypes, Uid},
    manager::{Manager, RoundInput},
    placement::Preference,
    plan::Situation,
    status::{ExitCode, JobResult, LrmStatus, ManagerStatus, NodeState, ServiceEntry, ServiceState},
    time::{Instant, Now},
    timing::Timings,
};

const SERVICES: usize = 10_000;
const NODES: usize = 32;
/// The more, the less other work on the machine matters to the shortest time.
const REPEATS: usize = 15;
const ROUNDS: usize = 200;
const FAILOVERS: usize = 40;

/// A host that grants everything and keeps nothing.
struct Granting;

impl ClusterLock for Granting {
    fn take(&mut self, _: &Lock) -> Result<LockAnswer, HostError> {
        Ok(LockAnswer::Acquired)
    }
    fn release(&mut self, _: &Lock) -> Result<(), HostError> {
        Ok(())
    }
}

impl StatusStore for Granting {
    fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError> {
        Ok(None)
    }

    fn lrm_status(&mut self, _: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError> {
        Ok(None)
    }
}

impl ManagerStore for Granting {
    fn write_manager_status(&mut self, status: &ManagerStatus) -> Result<(), HostError> {
        black_box(status);
        Ok(())
    }
    fn commands_waiting(&mut self) -> Result<bool, HostError> {
        Ok(false)
    }
    fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
        Ok(Vec::new())
    }
}

impl GuestControl for Granting {
    fn move_configuration(&mut self, _: &ServiceId, _: &NodeName, _: &NodeName) -> Result<(), HostError> {
        Ok(())
    }
    fn remove_leftover_locks(&mut self, _: &ServiceId, _: &NodeName) -> Result<Option<String>, HostError> {
        Ok(None)
    }
    fn set_requested_state(&mut self, _: &ServiceId, _: RequestedState) -> Result<(), HostError> {
        Ok(())
    }
    fn write_group_migration(&mut self, _: &RulesConfig, _: &ResourcesConfig) -> Result<(), HostError> {
        Ok(())
    }
    fn remove_groups(&mut self, _: &GroupsConfig) -> Result<(), HostError> {
        Ok(())
    }
    fn software_version(&mut self, _: &NodeName) -> Result<Option<String>, HostError> {
        Ok(None)
    }
}

impl FenceDevices for Granting {
    fn run(&mut self, _: &FenceAttempt, _: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        Ok(FenceProgress::Succeeded)
    }

    fn forget_fence_attempts(&mut self, _: &BTreeSet<Uid>) -> Result<(), HostError> {
        Ok(())
    }
}

impl EventSink for Granting {
    fn event(&mut self, event: Event) {
        black_box(&event);
    }
}

struct Cluster {
    status: ManagerStatus,
    configuration: Configuration,
    members: BTreeMap<NodeName, bool>,
}

fn cluster(folder: &Path) -> Cluster {
    let types = ServiceTypes::default();
    let names: Vec<NodeName> = (0..NODES).map(|n| NodeName::new(format!("node{n:03}")).unwrap()).collect();
    let sids: Vec<ServiceId> = (0..SERVICES).map(|n| ServiceId::new(format!("vm:{}", 100 + n)).unwrap()).collect();
    let resources: String = (0..SERVICES).map(|n| format!("vm: {}\n\n", 100 + n)).collect();
    let rules: String = (0..SERVICES / 10)
        .map(|n| {
            let sids: Vec<&str> = sids[10 * n..10 * n + 10].iter().map(ServiceId::as_str).collect();
            format!("resource-affinity: rule{n}\n\tresources {}\n\taffinity negative\n\n", sids.join(","))
        })
        .collect();
    let mut status = ManagerStatus {
        nodes: names.iter().map(|node| (node.clone(), NodeState::Online)).collect(),
        ..ManagerStatus::default()
    };
    status.services.extend(sids.iter().enumerate().map(|(n, sid)| {
        (sid.clone(), ServiceEntry::new(ServiceState::Started { confirmed: true }, names[n % NODES].clone()))
    }));
    fs::write(folder.join("resources.cfg"), &resources).unwrap();
    fs::write(folder.join("rules.cfg"), &rules).unwrap();
    fs::write(folder.join("manager_status"), status.to_json()).unwrap();
    let configuration = Configuration {
        resources: Arc::new(ResourcesConfig::read(resources.as_bytes(), &types).config),
        rules: Arc::new(RulesConfig::read(rules.as_bytes(), &types).config),
        guests: Arc::new(sids.iter().cloned().enumerate().map(|(n, sid)| (sid, names[n % NODES].clone())).collect()),
        ..Configuration::default()
    };
    Cluster { status, configuration, members: names.into_iter().map(|node| (node, true)).collect() }
}

fn answers(manager: &Manager) -> BTreeMap<NodeName, Arc<LrmStatus>> {
    let mut records: BTreeMap<NodeName, LrmStatus> = BTreeMap::new();
    for (sid, entry) in manager.status().services.iter() {
        let Some(uid) = entry.uid.clone() else { continue };
        let result = JobResult::new(sid.clone(), "started", ExitCode::SUCCESS);
        records.entry(entry.node.clone()).or_default().results.insert(uid, result);
    }
    records.into_iter().map(|(node, record)| (node, Arc::new(record))).collect()
}

/// The shortest of several times.
fn shortest(repeats: usize, mut run: impl FnMut() -> Duration) -> u128 {
    (0..repeats).map(|_| run().as_nanos()).min().unwrap()
}

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let cluster = cluster(Path::new(&folder));
    let nodes: Vec<NodeName> = cluster.members.keys().cloned().collect();
    let mut prepared = Situation::new(&cluster.status, &cluster.configuration, &nodes).prepare();
    let sid: ServiceId = "vm:777".parse().unwrap();
    for (name, preference) in [("select_stay", Preference::None), ("select_best", Preference::BestScore)] {
        let calls = 20_000;
        let time = shortest(REPEATS, || {
            let begin = Clock::now();
            for _ in 0..calls {
                black_box(prepared.select(black_box(&sid), preference).unwrap());
            }
            begin.elapsed()
        });
        println!("{name} {}", time / calls);
    }

    let begin = || {
        let mut manager = Manager::begin(
            nodes[0].clone(),
            Timings::default(),
            cluster.status.clone(),
            SchedulerMode::Basic,
            &[7; 16],
            &mut Granting,
        );
        let mut input = RoundInput {
            now: Now::default(),
            members: cluster.members.clone(),
            lrms: BTreeMap::new(),
            configuration: cluster.configuration.clone(),
            unmanaged: Vec::new(),
            usage: None,
        };
        manager.round(&input, &mut Granting);
        input.lrms = answers(&manager);
        manager.round(&input, &mut Granting);
        (manager, input)
    };
    let (mut manager, input) = begin();
    let time = shortest(ROUNDS, || {
        let begin = Clock::now();
        manager.round(&input, &mut Granting);
        begin.elapsed()
    });
    println!("round_settled {time}");

    let time = shortest(FAILOVERS, || {
        let (mut manager, mut input) = begin();
        input.members.insert(nodes[NODES - 1].clone(), false);
        manager.round(&input, &mut Granting);
        input.now.instant = Instant::from_secs(1000);
        let begin = Clock::now();
        manager.round(&input, &mut Granting);
        begin.elapsed()
    });
    println!("round_failover {time}");
}
