//! A history: a cluster, and what is done to it when. It is all that a run depends on, and it can be written down.

use std::{collections::BTreeMap, time::Duration};

use ha_core::{
    id::{NodeName, ServiceId},
    timing::TimingSettings,
};
use serde::{Deserialize, Serialize};

use super::{Action, Profile};
use crate::{
    cluster::{Cluster, Durations, GuestSetup, NodeSetup, PlantedBug, Setup, SetupError},
    world::{Clock, Guest, GuestTimes, JobTimes},
};

/// A cluster, and what is done to it when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// What it was made from.
    pub seed: u64,
    /// What may happen in it.
    pub profile: Profile,
    /// A bug that is planted in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planted: Option<PlantedBug>,
    /// What it begins with.
    pub cluster: ClusterPlan,
    /// What is done, by time.
    pub actions: Vec<PlannedAction>,
    /// When the last fault is over, in milliseconds: everything is mended then.
    pub faults_end_ms: u64,
    /// When it ends. By then everything must have settled.
    pub end_ms: u64,
}

/// Something that is done at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedAction {
    /// When, in milliseconds.
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

/// What a cluster begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterPlan {
    /// The nodes.
    pub nodes: BTreeMap<NodeName, NodePlan>,
    /// The guests.
    pub guests: BTreeMap<ServiceId, GuestPlan>,
    /// `resources.cfg`
    pub resources: String,
    /// `groups.cfg`
    pub groups: String,
    /// `rules.cfg`
    pub rules: String,
    /// `datacenter.cfg`
    pub datacenter: String,
    /// `fence.cfg`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<String>,
    /// The timings of all daemons.
    pub timings: TimingSettings,
    /// How much longer than promised locks are held, in milliseconds.
    pub lease_runs_long_ms: u64,
    /// How long nodes boot, in milliseconds.
    pub boot_ms: u64,
    /// The time between the starts of nodes, in milliseconds.
    pub stagger_ms: u64,
    /// Whether records go from daemon to daemon as JSON, as they do outside of a simulation.
    #[serde(default)]
    pub records_as_json: bool,
    /// Whether a multiplexer stands between the daemons of each node and its watchdog device.
    #[serde(default)]
    pub multiplexer: bool,
    /// After how many milliseconds jobs are to be ended, if earlier than usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_patience_ms: Option<u64>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct NodePlan {
    /// By how many parts per million its clock is faster than the world's time; negative if it is slower.
    pub clock_ppm: i32,
    /// How much later than told its watchdog resets it.
    pub watchdog_late_ms: u64,
    /// How much earlier.
    pub watchdog_early_ms: u64,
    /// Its cores.
    pub cores: u32,
    /// The version of its software, if it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The timings of its daemons, if they are others. What keeps services from running twice is the same on all nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timings: Option<TimingSettings>,
}

/// A guest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuestPlan {
    /// Its node.
    pub node: NodeName,
    /// How long a start, a stop, a live migration and another move take, in milliseconds.
    pub times_ms: [u64; 4],
    /// Whether it runs from the beginning, before HA has seen it.
    #[serde(default)]
    pub running: bool,
}

impl History {
    /// When the last fault is over.
    #[must_use]
    pub fn faults_end(&self) -> Duration {
        Duration::from_millis(self.faults_end_ms)
    }

    /// When it ends.
    #[must_use]
    pub fn end(&self) -> Duration {
        Duration::from_millis(self.end_ms)
    }

    /// The cluster at its begin.
    ///
    /// # Errors
    ///
    /// If the configuration has problems or the timings are not safe.
    pub fn cluster(&self) -> Result<Cluster, SetupError> {
        let plan = &self.cluster;
        let mut setup = Setup::default()
            .resources(&plan.resources)?
            .groups(&plan.groups)?
            .rules(&plan.rules)?
            .datacenter(&plan.datacenter)?
            .timings(plan.timings)?;
        if let Some(fence) = &plan.fence {
            setup = setup.fence(fence)?;
        }
        for (name, node) in &plan.nodes {
            let mut usual = NodeSetup { cores: f64::from(node.cores), ..NodeSetup::default() };
            usual.version = node.version.clone().unwrap_or(usual.version);
            setup.nodes.insert(name.clone(), usual);
        }
        for (sid, plan) in &plan.guests {
            let mut guest = Guest::new(plan.node.clone());
            let [start, stop, migrate, relocate] = plan.times_ms.map(|time| Some(Duration::from_millis(time)));
            guest.times = GuestTimes { start, stop, migrate, relocate };
            setup.guests.insert(sid.clone(), GuestSetup { guest, running: plan.running });
        }
        let boot = Duration::from_millis(plan.boot_ms);
        setup.durations = Durations {
            jobs: JobTimes::default(),
            boot,
            boot_after_reset: Some(boot),
            stagger: Some(Duration::from_millis(plan.stagger_ms)),
            ..Durations::default()
        };
        let mut cluster = Cluster::new(setup);
        if plan.records_as_json {
            cluster.write_records_as_json();
        }
        if let Some(patience) = plan.job_patience_ms {
            cluster.limit_jobs(Duration::from_millis(patience));
        }
        cluster.let_leases_run_long(Duration::from_millis(plan.lease_runs_long_ms));
        for (name, node) in &plan.nodes {
            cluster.set_clock(name, Clock { ppm: node.clock_ppm, wall_ahead: 0 });
            let [early, late] = [node.watchdog_early_ms, node.watchdog_late_ms].map(Duration::from_millis);
            cluster.set_watchdog_error(name, early, late);
            if let Some(timings) = node.timings {
                cluster.set_timings(name, timings.validate()?);
            }
        }
        if let Some(bug) = self.planted {
            cluster.plant(bug);
        }
        if plan.multiplexer {
            cluster.install_multiplexers();
        }
        Ok(cluster)
    }
}
