//! The world of a virtual cluster: everything that is not a daemon.
//!
//! A daemon sees it through a [`View`], which stands for one daemon on one node at one time and implements all of
//! `ha-core`'s host traits.

mod agent;
mod guest;
mod store;
mod view;

pub use guest::{FailureScript, Guest};
pub use store::Store;
pub use view::View;

use std::collections::{BTreeMap, BTreeSet};

use ha_core::{
    event::Event,
    host::Lock,
    id::{NodeName, ServiceId},
    time::Instant,
};
use serde::Serialize;

/// The two daemons of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DaemonKind {
    /// The cluster resource manager.
    Crm,
    /// The local resource manager.
    Lrm,
}

impl DaemonKind {
    /// `crm` or `lrm`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crm => "crm",
            Self::Lrm => "lrm",
        }
    }
}

/// Something that happened in the virtual cluster, with when and where.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Happening {
    /// Seconds since the start.
    pub t: u64,
    /// Who reports it: `node1/crm`, `hardware`, `cmdlist`, …
    pub src: String,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened: to a daemon, or to the virtual hardware.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum What {
    /// An event of the core.
    Core(Event),
    /// An event of the virtual cluster.
    Cluster(ClusterEvent),
}

/// What happens outside of the daemons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ClusterEvent {
    /// A command is executed.
    Execute {
        /// Its line.
        command: String,
    },
    /// A watchdog expired and reset its node.
    WatchdogReset {
        /// The node.
        node: NodeName,
    },
    /// Daemons of one kind do nothing in this loop.
    RoundSkipped {
        /// Which kind.
        daemon: &'static str,
    },
    /// A daemon was killed by a power failure.
    Killed,
    /// A daemon ended by itself.
    DaemonExited,
}

/// The hardware of a node.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Whether it has power.
    pub power: bool,
    /// Whether it reaches the others.
    pub network: bool,
    /// Whether reading and writing shared records fails there.
    pub store_fails: bool,
    /// Whether bringing the view of the cluster up to date fails there.
    pub refresh_fails: bool,
    /// Its cores, if they are known.
    pub max_cpu: Option<f64>,
    /// Its bytes of memory, if they are known.
    pub max_memory: Option<u64>,
    /// The version of its software.
    pub version: String,
    /// When the watchdog of each daemon was last fed; one that is not open is not there.
    pub watchdogs: BTreeMap<DaemonKind, Instant>,
}

impl Node {
    /// Whether it can be part of a quorate partition.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.power && self.network
    }
}

/// A lock that some node holds, or held until its lease was over.
#[derive(Debug, Clone)]
struct HeldLock {
    node: NodeName,
    renewed: Instant,
}

/// Everything that is not a daemon.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The nodes.
    pub nodes: BTreeMap<NodeName, Node>,
    /// The time of the hardware.
    pub time: Instant,
    /// Configuration and records.
    pub store: Store,
    /// The guests, managed or not.
    pub guests: BTreeMap<ServiceId, Guest>,
    /// What runs on each node.
    pub running: BTreeMap<NodeName, BTreeSet<ServiceId>>,
    /// What happened.
    pub happenings: Vec<Happening>,
    locks: BTreeMap<Lock, HeldLock>,
    random: u64,
}

/// How long a lock is held after it was last renewed.
const LOCK_LIFETIME_S: u64 = 120;

/// How long after its last feed a watchdog resets its node.
const WATCHDOG_TIMEOUT_S: u64 = 60;

impl World {
    /// Whether more than half of the nodes are up.
    #[must_use]
    pub fn is_quorate(&self) -> bool {
        let up = self.nodes.values().filter(|node| node.is_up()).count();
        up.saturating_mul(2) > self.nodes.len()
    }

    /// Whether a node is in the quorate partition.
    #[must_use]
    pub fn is_online(&self, node: &NodeName) -> bool {
        self.is_quorate() && self.nodes.get(node).is_some_and(Node::is_up)
    }

    /// Whether a service runs on a node.
    #[must_use]
    pub fn runs(&self, sid: &ServiceId, node: &NodeName) -> bool {
        self.running.get(node).is_some_and(|running| running.contains(sid))
    }

    /// Sets whether a service runs on a node.
    pub fn set_running(&mut self, sid: &ServiceId, node: &NodeName, runs: bool) {
        let running = self.running.entry(node.clone()).or_default();
        if runs {
            running.insert(sid.clone());
        } else {
            running.remove(sid);
        }
    }

    /// The nodes whose watchdog has expired by now, in order.
    #[must_use]
    pub fn expired_watchdogs(&self) -> Vec<NodeName> {
        let expired =
            |node: &Node| node.watchdogs.values().any(|fed| self.time.since(*fed).as_secs() > WATCHDOG_TIMEOUT_S);
        self.nodes.iter().filter(|(_, node)| expired(node)).map(|(name, _)| name.clone()).collect()
    }

    /// Takes note of something that happened.
    pub fn note(&mut self, at: Instant, source: impl Into<String>, what: What) {
        self.happenings.push(Happening { t: at.since_start().as_secs(), src: source.into(), what });
    }

    /// Takes a lock for a node at a time, as the cluster's locks do.
    fn take_lock(&mut self, lock: &Lock, node: &NodeName, at: Instant) -> ha_core::host::LockAnswer {
        use ha_core::host::LockAnswer;
        if !self.is_online(node) {
            return LockAnswer::Refused;
        }
        let held = HeldLock { node: node.clone(), renewed: at };
        match self.locks.get_mut(lock) {
            Some(holder) if at.since(holder.renewed).as_secs() <= LOCK_LIFETIME_S => {
                if holder.node != *node {
                    return LockAnswer::Refused;
                }
                *holder = held;
                LockAnswer::Renewed
            }
            Some(_) | None => {
                self.locks.insert(lock.clone(), held);
                LockAnswer::Acquired
            }
        }
    }

    /// Releases a lock if the node holds it, or if its lease is over.
    fn release_lock(&mut self, lock: &Lock, node: &NodeName, at: Instant) {
        let releasable = self
            .locks
            .get(lock)
            .is_some_and(|held| held.node == *node || at.since(held.renewed).as_secs() > LOCK_LIFETIME_S);
        if releasable {
            self.locks.remove(lock);
        }
    }

    /// The next of a series of numbers that is the same in every run.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(1);
        self.random
    }
}
