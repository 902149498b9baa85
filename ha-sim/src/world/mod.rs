//! The world of a virtual cluster: everything that is not a daemon.
//!
//! A daemon sees it through a [`View`], which stands for one daemon on one node at one time and implements all of
//! `ha-core`'s host traits.

mod agent;
mod clock;
mod fence;
mod figures;
mod guest;
mod happening;
mod jobs;
mod multiplexer;
mod network;
mod physics;
mod store;
mod view;

pub use clock::Clock;
pub use fence::DeviceBehaviour;
pub use guest::{AgentDisturbance, AgentFault, FaultScript, Guest, GuestTimes, Operation};

/// The former name of [`FaultScript`].
#[deprecated = "it is called FaultScript"]
pub type FailureScript = FaultScript;

/// The former name of [`AgentDisturbance`].
#[deprecated = "it is called AgentDisturbance"]
pub type Failure = AgentDisturbance;

/// The former name of [`AgentFault`].
#[deprecated = "it is called AgentFault"]
pub type Outcome = AgentFault;

pub use happening::{ClusterEvent, Happening, Source, What};
pub use multiplexer::NodeMultiplexer;
pub use physics::{Careless, JobTimes, Physics};
pub use store::{Replica, Store};
pub use view::View;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ha_core::{
    event::Why,
    host::{Guests, Lock, LockAnswer},
    id::{NodeName, ServiceId},
    rules::{VERSION_WITH_LOOSELY_APART, VERSION_WITH_SPREAD},
    time::Instant,
    version::compare_versions,
};
use serde::{Deserialize, Serialize};

use fence::FenceRuns;
use jobs::Jobs;

/// The two daemons of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DaemonKind {
    /// The cluster resource manager.
    Crm,
    /// The local resource manager.
    Lrm,
}

impl std::fmt::Display for DaemonKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl DaemonKind {
    /// Both, in the order in which they are started and looked at.
    pub const ALL: [Self; 2] = [Self::Crm, Self::Lrm];

    /// `crm` or `lrm`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crm => "crm",
            Self::Lrm => "lrm",
        }
    }
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
    /// Whether asking for locks fails there.
    pub locks_fail: bool,
    /// Whether the shared store is not mounted there: the node neither reads nor writes, and gives no sign of life.
    pub unmounted: bool,
    /// Its cores, if they are known.
    pub max_cpu: Option<f64>,
    /// Its bytes of memory, if they are known.
    pub max_memory: Option<u64>,
    /// The version of its software.
    pub version: String,
    /// The moment after which the watchdog of each daemon resets the node; a watchdog that is not open has no entry.
    pub watchdogs: BTreeMap<DaemonKind, Instant>,
    /// What is between its daemons and its device, if anything is: then the device alone resets the node, and `watchdogs` says by when it
    /// must have done that.
    pub multiplexer: Option<Box<NodeMultiplexer>>,
    /// When the node is reset whatever is fed, because a daemon went away and left its watchdog open.
    pub abandoned_watchdog: Option<Instant>,
    /// What the node still sees of the store, if it is cut off from it.
    pub replica: Option<Box<Replica>>,
    /// How its clocks differ from the world's time.
    pub clock: Clock,
    /// How much later than told its watchdog resets it: what the multiplexer and the device take.
    pub watchdog_late: Duration,
    /// How much earlier than told its watchdog resets it.
    pub watchdog_early: Duration,
    /// How often it lost its power.
    pub power_losses: u64,
    /// Whether it was taken out of the cluster: it is no member any more.
    pub expelled: bool,
    /// Whether the machine stands still: nothing of it goes on, and nobody reaches it.
    pub suspended: bool,
    /// Whether it reads the store as it was when this began, though it is not cut off from it.
    pub reads_stale: bool,
    /// Nodes that it does not hear, though the store reaches both: the membership counts them as offline there.
    pub unheard: BTreeSet<NodeName>,
}

impl Node {
    /// Whether it can be part of a quorate partition.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.power && self.network && !self.unmounted && !self.suspended
    }

    /// Whether something resets it unless its LRM renews its lock in time.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        let is_left_to_reset = match &self.multiplexer {
            Some(multiplexer) => multiplexer.lets_reset(),
            None => self.abandoned_watchdog.is_some(),
        };
        is_left_to_reset || self.watchdogs.contains_key(&DaemonKind::Lrm)
    }

    /// The moment after which its watchdog resets it, if nothing is fed before.
    fn reset_deadline(&self) -> Option<Instant> {
        if let Some(multiplexer) = &self.multiplexer {
            return multiplexer.resets_at();
        }
        self.watchdogs.values().copied().chain(self.abandoned_watchdog).min()
    }
}

/// A lock that some node holds, or held until its lease was over.
#[derive(Debug, Clone)]
struct HeldLock {
    node: NodeName,
    /// Whether another machine of the node's name took it, and not the node itself.
    by_twin: bool,
    renewed: Instant,
}

/// Everything that is not a daemon.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// How it behaves.
    pub physics: Physics,
    /// The nodes.
    pub nodes: BTreeMap<NodeName, Node>,
    /// Groups of nodes that see one another, where the network is split. A node in none of them sees nobody else; without any groups, all
    /// nodes see one another.
    pub partitions: Vec<BTreeSet<NodeName>>,
    /// The time of the hardware.
    pub time: Instant,
    /// Configuration and records.
    pub store: Store,
    /// The guests, managed or not.
    pub guests: BTreeMap<ServiceId, Guest>,
    /// How fence devices behave, by name; those that are not named work.
    pub devices: BTreeMap<String, DeviceBehaviour>,
    /// What happened.
    pub happenings: Vec<Happening>,
    /// Why placement decided so, by the place in `happenings` of what says the decision; nothing unless somebody keeps reasons.
    pub reasons: Option<BTreeMap<usize, Why>>,
    /// Whether the shared store has no room left: nothing is written except what has its room already, as locks have.
    pub store_full: bool,
    /// Nodes that do nothing any more since another machine works under their name, with where the guests of that machine run.
    pub taken_over: BTreeMap<NodeName, NodeName>,
    /// Types of services that have an agent beside the usual ones.
    pub further_types: BTreeSet<String>,
    running: BTreeMap<NodeName, BTreeSet<ServiceId>>,
    /// What guests that ended left running, with how many attempts to end it will fail.
    leftovers: BTreeMap<(NodeName, ServiceId), u32>,
    /// What is just being started on each node, where that takes time.
    starting: BTreeMap<NodeName, BTreeSet<ServiceId>>,
    /// Counts the changes of what runs or is being started.
    running_changes: u64,
    /// Daemons whose multiplexer lets the device run for longer than they count on, since somebody last looked.
    pub(crate) outlasted: Vec<(NodeName, DaemonKind)>,
    /// Daemons whose feed a multiplexer has counted since somebody last looked.
    pub(crate) counted_feeds: Vec<(NodeName, DaemonKind)>,
    jobs: Jobs,
    fence_runs: FenceRuns,
    locks: BTreeMap<Lock, HeldLock>,
    /// Where each guest was configured when somebody last asked.
    located: Arc<Guests>,
    random: u64,
}

impl World {
    /// Whether a service runs on a node.
    #[must_use]
    pub fn runs(&self, sid: &ServiceId, node: &NodeName) -> bool {
        self.running.get(node).is_some_and(|running| running.contains(sid))
    }

    /// What runs on each node.
    #[must_use]
    pub fn running(&self) -> &BTreeMap<NodeName, BTreeSet<ServiceId>> {
        &self.running
    }

    /// Whether no node has a version to which each rule is strict.
    pub(crate) fn knows_loose_rules(&self) -> bool {
        self.has_no_version_before(VERSION_WITH_LOOSELY_APART)
    }

    /// Whether no node has a version to which each rule keeps services apart by node.
    pub(crate) fn knows_spread(&self) -> bool {
        self.has_no_version_before(VERSION_WITH_SPREAD)
    }

    fn has_no_version_before(&self, wanted: &str) -> bool {
        let mut versions = self.nodes.values().map(|node| node.version.as_str());
        versions.all(|version| !compare_versions(version, wanted).is_lt())
    }

    /// The nodes on which a service runs: at most one, if all is well.
    pub fn places<'a>(&'a self, sid: &'a ServiceId) -> impl Iterator<Item = &'a NodeName> {
        self.running.iter().filter(|(_, running)| running.contains(sid)).map(|(node, _)| node)
    }

    /// What runs or is just being started, and where, by node.
    pub fn occupied(&self) -> impl Iterator<Item = (&NodeName, &ServiceId)> {
        let all = self.running.iter().chain(&self.starting);
        all.flat_map(|(node, services)| services.iter().map(move |sid| (node, sid)))
    }

    /// Counts the changes of what runs or is being started: nothing has changed as long as this has not.
    #[must_use]
    pub fn running_changes(&self) -> u64 {
        self.running_changes
    }

    /// Sets whether a service runs on a node. After that it is no longer being started there.
    pub fn set_running(&mut self, sid: &ServiceId, node: &NodeName, runs: bool) {
        let mut changed = set(&mut self.running, sid, node, runs);
        if !self.leftovers.is_empty() {
            self.leftovers.remove(&(node.clone(), sid.clone()));
        }
        changed |= set(&mut self.starting, sid, node, false);
        self.running_changes = self.running_changes.wrapping_add(u64::from(changed));
    }

    /// A guest has ended on each node where it runs, and something of it is left there. This many attempts to end that fail. Until it is
    /// ended it counts as running: it works on the guest's data.
    pub fn leave_behind(&mut self, sid: &ServiceId, times: u32) {
        let places: Vec<NodeName> = self.places(sid).cloned().collect();
        self.leftovers.extend(places.into_iter().map(|node| ((node, sid.clone()), times)));
    }

    /// From now on whatever is left behind can be ended.
    pub fn release_leftovers(&mut self) {
        self.leftovers.values_mut().for_each(|times| *times = 0);
    }

    /// How many more attempts to end what a guest left behind on a node will fail; nothing if nothing is left of it.
    fn left_behind(&mut self, sid: &ServiceId, node: &NodeName) -> Option<&mut u32> {
        if self.leftovers.is_empty() {
            return None;
        }
        self.leftovers.get_mut(&(node.clone(), sid.clone()))
    }

    fn set_starting(&mut self, sid: &ServiceId, node: &NodeName, starts: bool) {
        let changed = set(&mut self.starting, sid, node, starts);
        self.running_changes = self.running_changes.wrapping_add(u64::from(changed));
    }

    /// A node loses its power: nothing runs there any more, no watchdog is open, and no job goes on.
    pub fn cut_power(&mut self, node: &NodeName) {
        if let Some(hardware) = self.nodes.get_mut(node) {
            hardware.power = false;
            hardware.suspended = false;
            hardware.reads_stale = false;
            hardware.power_losses = hardware.power_losses.wrapping_add(1);
            hardware.watchdogs.clear();
            hardware.abandoned_watchdog = None;
            if let Some(multiplexer) = &mut hardware.multiplexer {
                multiplexer.cut_power();
            }
        }
        self.leftovers.retain(|(other, _), _| other != node);
        self.running.remove(node);
        self.starting.remove(node);
        self.running_changes = self.running_changes.wrapping_add(1);
        self.jobs.drop_of(node);
        self.fence_runs.drop_of(node);
    }

    /// A node gets power.
    pub fn give_power(&mut self, node: &NodeName) {
        if let Some(hardware) = self.nodes.get_mut(node) {
            hardware.power = true;
        }
        self.start_multiplexer(node);
    }

    /// The nodes whose watchdog has expired by now, in order.
    #[must_use]
    pub fn expired_watchdogs(&self) -> Vec<NodeName> {
        let expired = |node: &Node| node.reset_deadline().is_some_and(|deadline| self.time > deadline);
        self.nodes.iter().filter(|(_, node)| expired(node)).map(|(name, _)| name.clone()).collect()
    }

    /// When the first watchdog expires, if none is fed before.
    #[must_use]
    pub fn next_watchdog(&self) -> Option<Instant> {
        let deadlines = self.nodes.values().filter_map(Node::reset_deadline);
        deadlines.min().map(|deadline| deadline.after(Duration::from_millis(1)))
    }

    /// Takes note of something that happened.
    pub fn note(&mut self, at: Instant, source: impl Into<Source>, what: What) {
        self.happenings.push(Happening { at, src: source.into(), what });
    }

    /// Takes note of a decision, and of why it was made so if somebody keeps that.
    pub fn note_decision(&mut self, at: Instant, source: impl Into<Source>, what: What, why: Why) {
        if let Some(reasons) = &mut self.reasons {
            reasons.insert(self.happenings.len(), why);
        }
        self.note(at, source, what);
    }

    /// Who holds a lock under a lease that is not over.
    #[must_use]
    pub fn lock_holder(&self, lock: &Lock) -> Option<&NodeName> {
        let held = self.locks.get(lock)?;
        (self.time.since(held.renewed) <= self.physics.lock_lifetime).then_some(&held.node)
    }

    /// When the lease of a lock is over, if it is not renewed before.
    pub(crate) fn lock_ends(&self, lock: &Lock) -> Option<Instant> {
        Some(self.locks.get(lock)?.renewed.after(self.physics.lock_lifetime))
    }

    /// Has a node hold a lock, as if it had renewed it just now.
    pub(crate) fn hold_lock(&mut self, lock: Lock, node: NodeName) {
        self.locks.insert(lock, HeldLock { node, by_twin: false, renewed: self.time });
    }

    /// Takes a lock for a node at a time, as the cluster's locks do.
    fn take_lock(&mut self, lock: &Lock, node: &NodeName, at: Instant) -> LockAnswer {
        if !self.is_online(node) {
            return LockAnswer::Refused;
        }
        self.take_held(lock, HeldLock { node: node.clone(), by_twin: false, renewed: at })
    }

    /// Takes a lock for another machine of a node's name. A name is no proof: for that machine, what the node holds is somebody else's.
    pub(crate) fn take_lock_as_twin(&mut self, lock: &Lock, node: &NodeName, at: Instant) -> LockAnswer {
        self.take_held(lock, HeldLock { node: node.clone(), by_twin: true, renewed: at })
    }

    fn take_held(&mut self, lock: &Lock, taken: HeldLock) -> LockAnswer {
        match self.locks.get_mut(lock) {
            Some(holder) if taken.renewed.since(holder.renewed) <= self.physics.lock_lifetime => {
                let is_same_hand = holder.by_twin == taken.by_twin || self.physics.names_count;
                if holder.node != taken.node || !is_same_hand {
                    return LockAnswer::Refused;
                }
                *holder = taken;
                LockAnswer::Renewed
            }
            Some(_) | None => {
                self.locks.insert(lock.clone(), taken);
                LockAnswer::Acquired
            }
        }
    }

    /// Releases a lock if the node holds it, or if its lease is over.
    fn release_lock(&mut self, lock: &Lock, node: &NodeName, at: Instant) {
        let releasable = self.locks.get(lock).is_some_and(|held| {
            held.node == *node && !held.by_twin || at.since(held.renewed) > self.physics.lock_lifetime
        });
        if releasable {
            self.locks.remove(lock);
        }
    }

    /// Where each guest is configured.
    #[must_use]
    pub fn guest_nodes(&self) -> Arc<Guests> {
        Arc::new(self.guests.iter().map(|(sid, guest)| (sid.clone(), guest.node.clone())).collect())
    }

    /// The same, made again only if something has changed: daemons ask often.
    fn known_guest_nodes(&mut self) -> Arc<Guests> {
        let known = self.located.iter().map(|(sid, guest)| (sid, &guest.node));
        if !known.eq(self.guests.iter().map(|(sid, guest)| (sid, &guest.node))) {
            self.located = self.guest_nodes();
        }
        self.located.clone()
    }

    /// The next of a series of numbers that is the same in every run.
    pub(crate) fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(1);
        self.random
    }
}

/// Puts a service into the set of a node, or takes it out. Says whether that changed anything.
fn set(places: &mut BTreeMap<NodeName, BTreeSet<ServiceId>>, sid: &ServiceId, node: &NodeName, inside: bool) -> bool {
    match (inside, places.get_mut(node)) {
        (true, Some(services)) => services.insert(sid.clone()),
        (true, None) => places.insert(node.clone(), BTreeSet::from([sid.clone()])).is_none(),
        (false, Some(services)) => services.remove(sid),
        (false, None) => false,
    }
}
