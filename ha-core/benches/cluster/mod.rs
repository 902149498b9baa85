//! A cluster at rest, for benchmarks of manager rounds.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    config::{Affinity, Resource, ResourcesConfig, RuleKind, RulesConfig, datacenter::SchedulerMode},
    host::{Configuration, HostFigures, NodeFigures, ServiceFigures},
    id::{NodeName, ServiceId, ServiceTypes, Uid},
    manager::{Manager, RoundInput},
    plan::Rehearsal,
    status::{ExitCode, JobResult, LrmStatus, ManagerStatus, NodeState, ServiceEntry, ServiceState},
    time::{Instant, Now},
    timing::Timings,
};

const GIB: u64 = 1 << 30;

/// A cluster whose services all run, spread evenly over its nodes.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) manager: Manager,
    pub(crate) input: RoundInput,
}

impl Cluster {
    /// `rules_text` is a rules file.
    pub(crate) fn new(services: usize, nodes: usize, rules_text: &str) -> Self {
        let names: Vec<NodeName> = (0..nodes).map(|n| NodeName::new(format!("node{n:03}")).unwrap()).collect();
        let sids: Vec<ServiceId> = (0..services).map(|n| ServiceId::new(format!("vm:{}", 100 + n)).unwrap()).collect();
        let mut resources = ResourcesConfig::default();
        resources.resources.extend(sids.iter().map(|sid| (sid.clone(), Resource::new(sid.clone()))));
        // What must be together is together, and the rest spread evenly.
        let together = RulesConfig::read(rules_text.as_bytes(), &ServiceTypes::default()).config;
        let together: std::collections::BTreeSet<&ServiceId> = together
            .rules
            .values()
            .filter(|rule| rule.kind == RuleKind::resource_affinity(Affinity::Positive))
            .flat_map(|rule| &rule.resources)
            .collect();
        let node_of =
            |n: usize| if together.contains(&sids[n]) { names[0].clone() } else { names[1 + n % (nodes - 1)].clone() };
        let configuration = Configuration {
            resources: Arc::new(resources),
            rules: Arc::new(RulesConfig::read(rules_text.as_bytes(), &ServiceTypes::default()).config),
            guests: Arc::new(sids.iter().cloned().enumerate().map(|(n, sid)| (sid, node_of(n))).collect()),
            ..Configuration::default()
        };
        let mut status = ManagerStatus::default();
        status.nodes = names.iter().map(|node| (node.clone(), NodeState::Online)).collect();
        status.services.extend(sids.iter().enumerate().map(|(n, sid)| {
            let mut entry = ServiceEntry::new(ServiceState::Started { confirmed: true }, node_of(n));
            // Without a request there is no result to take.
            entry.uid = Some(Uid::new(format!("begin.{n}")).unwrap());
            (sid.clone(), entry)
        }));
        let manager = Manager::begin(
            names[0].clone(),
            Timings::default(),
            status,
            SchedulerMode::Basic,
            &[7; 16],
            &mut Rehearsal::granting(),
        );
        let input = RoundInput {
            now: Now::default(),
            members: names.iter().map(|node| (node.clone(), true)).collect(),
            lrms: BTreeMap::new(),
            configuration,
            unmanaged: Vec::new(),
            usage: None,
        };
        let mut cluster = Self { manager, input };
        cluster.round();
        cluster.answer_all();
        cluster
    }

    /// The same cluster with figures, and a scheduler that looks at them.
    pub(crate) fn measured(mut self, mode: SchedulerMode) -> Self {
        let mut usage = HostFigures::default();
        for (n, node) in self.input.members.keys().enumerate() {
            let (max_cpu, max_memory) = ([512.0, 768.0][n % 2], [2048, 4096][n % 2] * GIB);
            let size = NodeFigures { max_cpu, max_memory, cpu: max_cpu * 0.4, memory: max_memory / 3 };
            usage.nodes.insert(node.clone(), size);
        }
        usage.services.extend(self.manager.status().services.iter().enumerate().map(|(n, (sid, _))| {
            let (max_cpu, max_memory) = ([1.0, 2.0, 4.0][n % 3], [1, 2, 4][n % 3] * GIB);
            (sid.clone(), ServiceFigures { max_cpu, max_memory, cpu: max_cpu / 3.0, memory: max_memory / 2 })
        }));
        self.input.usage = Some(Arc::new(usage));
        let mut datacenter = (*self.input.configuration.datacenter).clone();
        datacenter.scheduler.mode = mode;
        self.input.configuration.datacenter = Arc::new(datacenter);
        self.round();
        self.answer_all();
        self
    }

    /// Makes sure that a round takes a result for every service, and asks for a new one.
    pub(crate) fn assert_takes_results(&self) {
        let mut after = self.clone();
        after.round();
        for ((sid, before), (_, after)) in
            self.manager.status().services.iter().zip(after.manager.status().services.iter())
        {
            assert_ne!(before.uid, after.uid, "{sid}");
            assert_eq!(before.state, after.state, "{sid}");
        }
    }

    /// Makes sure that a round recovers all services of the nodes that failed.
    pub(crate) fn assert_recovers(&self) {
        let failed = |node: &NodeName| self.input.members.get(node) == Some(&false);
        let lost =
            |cluster: &Self| cluster.manager.status().services.iter().filter(|(_, entry)| failed(&entry.node)).count();
        assert!(lost(self) > 0, "services are on nodes that failed");
        let mut after = self.clone();
        after.round();
        assert_eq!(lost(&after), 0);
    }

    pub(crate) fn round(&mut self) {
        self.manager.round(&self.input, &mut Rehearsal::granting());
    }

    /// Lets every LRM report success for every service.
    pub(crate) fn answer_all(&mut self) {
        let mut records: BTreeMap<NodeName, LrmStatus> = BTreeMap::new();
        for (sid, entry) in self.manager.status().services.iter() {
            let Some(uid) = entry.uid.clone() else { continue };
            let result = JobResult::new(sid.clone(), "started", ExitCode::SUCCESS);
            records.entry(entry.node.clone()).or_default().results.insert(uid, result);
        }
        self.input.lrms = records.into_iter().map(|(node, record)| (node, Arc::new(record))).collect();
    }

    /// Lets a node fail, up to the moment before the round that fences it and recovers its services.
    pub(crate) fn fail_last_node(&mut self) {
        self.fail_nodes(1);
    }

    /// Lets the last nodes fail, so many.
    pub(crate) fn fail_nodes(&mut self, count: usize) {
        for (_, online) in self.input.members.iter_mut().rev().take(count) {
            *online = false;
        }
        self.round();
        self.input.now.instant = Instant::from_secs(1000);
        self.answer_all();
    }
}

/// A rule that keeps the first half of the services together, and for each of the others one that keeps it apart from one of
/// these, and so from all.
pub(crate) fn one_group(services: usize) -> String {
    let half = services / 2;
    let sids: Vec<String> = (0..half).map(|n| format!("vm:{}", 100 + n)).collect();
    let mut text = format!("resource-affinity: group\n\tresources {}\n\taffinity positive\n\n", sids.join(","));
    for n in half..services {
        let (near, far) = (100 + n - half, 100 + n);
        text.push_str(&format!("resource-affinity: off{n}\n\tresources vm:{near},vm:{far}\n\taffinity negative\n\n"));
    }
    text
}

/// Rules of ten services each that must be kept apart or together, and node affinity for some.
pub(crate) fn rules_of_ten(services: usize) -> String {
    let mut text = String::new();
    for (n, first) in (0..services).step_by(10).enumerate() {
        let sids: Vec<String> = (first..services.min(first + 10)).map(|n| format!("vm:{}", 100 + n)).collect();
        text.push_str(&format!("resource-affinity: rule{n}\n\tresources {}\n\taffinity negative\n\n", sids.join(",")));
    }
    text
}
