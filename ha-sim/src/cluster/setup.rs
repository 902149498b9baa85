//! What a virtual cluster begins with.

use std::{collections::BTreeMap, time::Duration};

use ha_core::{
    config::{
        DatacenterFile, FenceConfig, GroupsConfig, NodesConfig, Problem, ResourcesConfig, RulesConfig,
        fence::FenceErrors,
    },
    id::{IdError, NodeName, ServiceId, ServiceTypes},
    timing::{TimingErrors, TimingSettings, Timings},
};

use super::Resumed;
use crate::world::{Guest, JobTimes};

/// What a virtual cluster begins with.
///
/// ```
/// use ha_sim::cluster::{Cluster, Setup};
///
/// let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n")?.guest("vm:100", "node1")?;
/// let cluster = Cluster::new(setup);
/// assert_eq!(cluster.world().nodes.len(), 3);
/// # Ok::<(), ha_sim::cluster::SetupError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Setup {
    /// The nodes.
    pub nodes: BTreeMap<NodeName, NodeSetup>,
    /// The guests, managed or not.
    pub guests: BTreeMap<ServiceId, GuestSetup>,
    /// `resources.cfg`
    pub resources: ResourcesConfig,
    /// `groups.cfg`
    pub groups: GroupsConfig,
    /// `rules.cfg`
    pub rules: RulesConfig,
    /// `nodes.cfg`
    pub labels: NodesConfig,
    /// `datacenter.cfg`
    pub datacenter: DatacenterFile,
    /// `fence.cfg`
    pub fence: Option<FenceConfig>,
    /// The timings of all daemons. Locks and watchdogs behave according to them.
    pub timings: Timings,
    /// How long things take.
    pub durations: Durations,
    /// How much longer than promised locks are held.
    pub leases_run_long: Duration,
    /// After how long jobs are ended, if earlier than usual.
    pub job_patience: Option<Duration>,
    /// Whether records go from daemon to daemon as JSON, as they do outside a simulation.
    pub records_as_json: bool,
    /// Whether there is a multiplexer between the daemons of each node and its watchdog device.
    pub multiplexers: bool,
    /// Whether whoever reaches the store may act, however few others do. Otherwise more than half of the members have to reach each other.
    pub store_is_enough: bool,
    /// Types of services beside the usual ones, with any names.
    pub service_types: Vec<String>,
    /// The records that it goes on from, if it was another cluster before: see [`from_snapshot`](Self::from_snapshot).
    pub resumed: Option<Resumed>,
}

/// A node of a virtual cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeSetup {
    /// Whether it has power at the beginning.
    pub power: bool,
    /// Whether it is a member of the cluster at the beginning. One that is not has no power either.
    pub member: bool,
    /// Its cores.
    pub cores: f64,
    /// Its bytes of memory.
    pub memory: u64,
    /// The version of its software.
    pub version: String,
    /// By how many parts per million its clock is faster than the world's time; negative if it is slower.
    pub clock_ppm: i32,
    /// How much earlier than told its watchdog resets it.
    pub watchdog_early: Duration,
    /// How much later.
    pub watchdog_late: Duration,
    /// The timings of its daemons, if they differ. What keeps services from running twice is the same on all nodes.
    pub timings: Option<Timings>,
}

impl Default for NodeSetup {
    fn default() -> Self {
        Self {
            power: true,
            member: true,
            cores: 16.0,
            memory: 64 << 30,
            version: "9.3.0".to_owned(),
            clock_ppm: 0,
            watchdog_early: Duration::ZERO,
            watchdog_late: Duration::ZERO,
            timings: None,
        }
    }
}

/// A guest of a virtual cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct GuestSetup {
    /// The guest.
    pub guest: Guest,
    /// Whether it runs at the beginning.
    pub running: bool,
}

/// How long things take in a virtual cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durations {
    /// Jobs of agents.
    pub jobs: JobTimes,
    /// From power to the start of a node's daemons.
    pub boot: Duration,
    /// From a reset by the watchdog to power; without it a node that was reset stays off.
    pub boot_after_reset: Option<Duration>,
    /// From the exit of a daemon that restarts to its start.
    pub restart: Duration,
    /// For a fence device to turn a node off.
    pub fencing: Duration,
    /// For a fence device that does not answer to count as failed.
    pub fencing_timeout: Duration,
    /// From the start of one node's daemons to those of the next one by name, where several start together. A CRM starts
    /// first, its LRM half of this time later. By default a fifth of the round time.
    pub stagger: Option<Duration>,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            jobs: JobTimes::default(),
            boot: Duration::from_secs(20),
            boot_after_reset: None,
            restart: Duration::from_secs(1),
            fencing: Duration::from_secs(5),
            fencing_timeout: Duration::from_secs(60),
            stagger: None,
        }
    }
}

/// Why a setup can't be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A name that is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A guest on a node that does not exist.
    #[error("there is no node {0}")]
    NoSuchNode(NodeName),
    /// A configuration file with problems.
    #[error("{file}: {problem}")]
    Configuration {
        /// The file.
        file: &'static str,
        /// The first problem.
        problem: Box<Problem>,
    },
    /// A `fence.cfg` that is not used.
    #[error("fence.cfg: {0}")]
    Fence(#[from] FenceErrors),
    /// Timings that are not safe.
    #[error(transparent)]
    Timings(#[from] TimingErrors),
}

impl Setup {
    /// Nodes of the usual size, and nothing else.
    ///
    /// # Errors
    ///
    /// If a name is not valid.
    pub fn new<'a>(nodes: impl IntoIterator<Item = &'a str>) -> Result<Self, SetupError> {
        let nodes = nodes.into_iter().map(|name| Ok((NodeName::new(name)?, NodeSetup::default())));
        Ok(Self { nodes: nodes.collect::<Result<_, IdError>>()?, ..Self::default() })
    }

    /// Puts a guest on a node, whether a service is configured for it or not.
    ///
    /// # Errors
    ///
    /// If a name is not valid, or there is no such node.
    pub fn guest(mut self, sid: &str, node: &str) -> Result<Self, SetupError> {
        let (sid, node) = (ServiceTypes::default().parse(sid)?, NodeName::new(node)?);
        if !self.nodes.contains_key(&node) {
            return Err(SetupError::NoSuchNode(node));
        }
        self.guests.insert(sid, GuestSetup { guest: Guest::new(node), running: false });
        Ok(self)
    }

    /// Takes `resources.cfg`.
    ///
    /// # Errors
    ///
    /// If it has problems.
    pub fn resources(mut self, text: &str) -> Result<Self, SetupError> {
        let parsed = ResourcesConfig::read(text.as_bytes(), &ServiceTypes::default());
        self.resources = without_problems("resources.cfg", parsed)?;
        Ok(self)
    }

    /// Takes `groups.cfg`.
    ///
    /// # Errors
    ///
    /// If it has problems.
    pub fn groups(mut self, text: &str) -> Result<Self, SetupError> {
        self.groups = without_problems("groups.cfg", GroupsConfig::read(text.as_bytes()))?;
        Ok(self)
    }

    /// Takes `rules.cfg`.
    ///
    /// # Errors
    ///
    /// If it has problems.
    pub fn rules(mut self, text: &str) -> Result<Self, SetupError> {
        self.rules = without_problems("rules.cfg", RulesConfig::read(text.as_bytes(), &ServiceTypes::default()))?;
        Ok(self)
    }

    /// Takes `nodes.cfg`.
    ///
    /// # Errors
    ///
    /// If it has problems.
    pub fn labels(mut self, text: &str) -> Result<Self, SetupError> {
        self.labels = without_problems("nodes.cfg", NodesConfig::read(text.as_bytes()))?;
        Ok(self)
    }

    /// Takes `datacenter.cfg`.
    ///
    /// # Errors
    ///
    /// If it has problems.
    pub fn datacenter(mut self, text: &str) -> Result<Self, SetupError> {
        self.datacenter = without_problems("datacenter.cfg", DatacenterFile::read(text.as_bytes()))?;
        Ok(self)
    }

    /// Takes `fence.cfg`.
    ///
    /// # Errors
    ///
    /// If the file would not be used.
    pub fn fence(mut self, text: &str) -> Result<Self, SetupError> {
        self.fence = Some(FenceConfig::read(text.as_bytes()).config?);
        Ok(self)
    }

    /// Takes timings.
    ///
    /// # Errors
    ///
    /// If they are not safe.
    pub fn timings(mut self, settings: TimingSettings) -> Result<Self, SetupError> {
        self.timings = settings.validate()?;
        Ok(self)
    }
}

impl Setup {
    /// Leaves out a section of `resources.cfg`.
    pub fn remove_resource(&mut self, sid: &ServiceId) {
        if self.resources.resources.shift_remove(sid).is_some() {
            let rest = self.resources.write();
            self.resources = ResourcesConfig::read(&rest, &ServiceTypes::default()).config;
        }
    }
}

fn without_problems<T>(file: &'static str, parsed: ha_core::config::Parsed<T>) -> Result<T, SetupError> {
    match parsed.problems.into_iter().next() {
        Some(problem) => Err(SetupError::Configuration { file, problem: Box::new(problem) }),
        None => Ok(parsed.config),
    }
}
