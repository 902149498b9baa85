//! Guests: what the services are about.

use std::time::Duration;

use ha_core::id::{NodeName, ServiceId};

use crate::words::words;

/// A guest of the virtual cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Guest {
    /// The node on which it is configured.
    pub node: NodeName,
    /// The name of its lock, if it is locked.
    pub lock: Option<String>,
    /// Whether it can be moved while it runs. A container never can.
    pub moves_live: bool,
    /// Cores that it may use; 0 means no limit.
    pub max_cpu: f64,
    /// Bytes of memory that it may use.
    pub max_memory: u64,
    /// Cores that it uses while it runs.
    pub cpu: f64,
    /// Bytes of memory that it uses while it runs.
    pub memory: u64,
    /// Starts that failed in a row, by its [`FaultScript`].
    pub failed_starts: u32,
    /// Moves that failed in a row, by its [`FaultScript`].
    pub failed_moves: u32,
    /// How often a job for it goes on though it should have been ended.
    pub unendable: u32,
    /// What goes wrong with it.
    pub disturbances: Vec<AgentDisturbance>,
    /// Times that differ from those of other guests.
    pub times: GuestTimes,
}

/// How long an agent takes with a guest, where it differs from [`JobTimes`](super::JobTimes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GuestTimes {
    /// A start.
    pub start: Option<Duration>,
    /// A stop.
    pub stop: Option<Duration>,
    /// A live migration.
    pub migrate: Option<Duration>,
    /// A move while it is stopped.
    pub relocate: Option<Duration>,
}

/// Something that goes wrong when an agent handles a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentDisturbance {
    /// What is asked of the agent.
    pub operation: Operation,
    /// How it goes wrong.
    pub fault: AgentFault,
    /// The only node on which it goes wrong; all nodes if there is none.
    pub node: Option<NodeName>,
    /// How often it still goes wrong; for ever if there is no number.
    pub times: Option<u32>,
}

/// What an agent does with a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operation {
    /// Starts it.
    #[default]
    Start,
    /// Stops it.
    Stop,
    /// Moves it, live or not.
    Move,
    /// Says whether it runs.
    CheckRunning,
    /// Says where it is configured.
    Locate,
    /// Says whether it is ready.
    Probe,
}

/// How an operation goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AgentFault {
    /// It takes its time, and then fails.
    #[default]
    Fails,
    /// It never ends.
    Hangs,
    /// It takes far longer than it should, and works.
    Slow,
    /// It takes its time and says that it worked, but has done nothing.
    Pretends,
    /// It works, but says that it failed.
    Denies,
    /// It works, and its worker is killed before it has seen that.
    Dies,
    /// Its worker is killed before it has done anything.
    DiesBefore,
    /// It works, and its worker ends with an exit code that nobody knows.
    Unheard,
}

words! {
    Operation:
    Start = "start",
    Stop = "stop",
    Move = "move",
    CheckRunning = "check_running",
    Locate = "locate",
    Probe = "probe",
}

words! {
    AgentFault:
    Fails = "fails",
    Hangs = "hangs",
    Slow = "slow",
    Pretends = "pretends",
    Denies = "denies",
    Dies = "dies",
    DiesBefore = "dies_before",
    Unheard = "unheard",
}

impl GuestTimes {
    /// All that is given, one after the other.
    #[must_use]
    pub fn sum(&self) -> Duration {
        let times = [self.start, self.stop, self.migrate, self.relocate];
        times.into_iter().flatten().fold(Duration::ZERO, Duration::saturating_add)
    }
}

impl Guest {
    /// A guest on a node, of a usual size.
    #[must_use]
    pub fn new(node: NodeName) -> Self {
        Self {
            node,
            lock: None,
            moves_live: true,
            max_cpu: 4.0,
            max_memory: 4096 << 20,
            cpu: 2.0,
            memory: 2048 << 20,
            failed_starts: 0,
            failed_moves: 0,
            unendable: 0,
            disturbances: Vec::new(),
            times: GuestTimes::default(),
        }
    }

    /// How an operation on a node goes wrong, if it does. Counts it.
    pub(super) fn fault(&mut self, operation: Operation, node: &NodeName) -> Option<AgentFault> {
        let hits = |disturbance: &AgentDisturbance| {
            disturbance.operation == operation
                && disturbance.times != Some(0)
                && disturbance.node.as_ref().is_none_or(|only| only == node)
        };
        let disturbance = self.disturbances.iter_mut().find(|disturbance| hits(disturbance))?;
        if let Some(times) = &mut disturbance.times {
            *times = times.saturating_sub(1);
        }
        Some(disturbance.fault)
    }
}

/// How a service of type `fa` fails on purpose, by the digits of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultScript {
    /// Starts that fail before one works.
    pub starts: u32,
    /// Moves that fail before one works.
    pub moves: u32,
    /// Whether stopping fails.
    pub stop: bool,
    /// The number of the only node (`node<n>`) on which starts and moves fail; 0 for all.
    pub node: u32,
}

impl FaultScript {
    /// The script of a service; other types do not fail.
    #[must_use]
    pub fn of(sid: &ServiceId) -> Option<Self> {
        if sid.service_type() != "fa" {
            return None;
        }
        let digits: Vec<u32> = sid.name().chars().map(|digit| digit.to_digit(10).unwrap_or(0)).collect();
        let digit = |place: usize| digits.get(place).copied().unwrap_or(0);
        Some(Self { starts: digit(1), moves: digit(2), stop: digit(3) != 0, node: digit(5) })
    }

    /// Whether starts and moves fail on a node at all.
    #[must_use]
    pub fn applies_to(&self, node: &NodeName) -> bool {
        self.node == 0 || node.as_str() == format!("node{}", self.node)
    }
}
