//! A virtual cluster with a clock of its own, for tests and other tools.
//!
//! Time jumps to whatever is due next: a daemon that asked to be called, a watchdog that expires, a job that ends, a node
//! that has booted. Everything else is controlled from code, and the same code always leads to the same history. After
//! each step the cluster checks that no service runs on two nodes, by what the virtual hardware does.
//!
//! ```
//! use std::time::Duration;
//! use ha_core::status::StateName;
//! use ha_sim::cluster::{Cluster, Setup};
//!
//! let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n")?.guest("vm:100", "node3")?;
//! let mut cluster = Cluster::new(setup);
//! cluster.run_for(Duration::from_secs(60))?;
//! assert_eq!(cluster.places(&"vm:100".parse()?), ["node3"]);
//!
//! cluster.power_off(&"node3".parse()?)?;
//! cluster.run_for(Duration::from_secs(180))?;
//! assert_eq!(cluster.places(&"vm:100".parse()?), ["node1"]);
//! assert_eq!(cluster.service_state(&"vm:100".parse()?), Some(StateName::Started));
//! assert!(cluster.downtime(&"vm:100".parse()?) < Duration::from_secs(180));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod actions;
mod agenda;
mod belief;
mod daemons;
mod edit;
mod flapping;
mod going_back;
mod host;
mod invariants;
mod observe;
mod planted;
mod precedence;
mod ran_twice;
mod readiness;
mod record;
mod resumed;
mod sequence;
mod setup;
mod storms;
mod track;
mod twin;

pub(crate) use action::Times;
pub use action::{Action, Edit, EditKind, Edited};
pub use actions::ActionError;
pub use edit::RawPlace;
pub use host::{CallsMade, Disturbance, Fault};
pub use invariants::{Breach, ErrorReason, Invariant, Invariants, Transition, aftermath};
pub use planted::PlantedBug;
pub use ran_twice::RanTwice;
pub use resumed::Resumed;
pub(crate) use resumed::service_types;
pub use setup::{Durations, GuestSetup, NodeSetup, Setup, SetupError};
pub use track::ServiceHistory;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ha_core::{
    config::DatacenterFile,
    id::{NodeName, ServiceId, ServiceTypes},
    status::Timestamp,
    time::{Instant, Now},
    timing::Timings,
};

use crate::world::{Clock, DaemonKind, Node, Physics, World};
use daemons::NodeDaemons;
use track::Tracks;

/// The former name of [`RanTwice`].
#[deprecated = "it is called RanTwice"]
pub type Violation = RanTwice;

/// A virtual cluster.
///
/// Its fields are reached by methods: those that stand for what people do and for mishaps change it, the others ask.
#[derive(Debug)]
pub struct Cluster {
    world: World,
    timings: Timings,
    /// The wall clock at the start of the virtual time.
    began: Timestamp,
    /// Of nodes whose daemons have timings of their own.
    own_timings: BTreeMap<NodeName, Timings>,
    durations: Durations,
    types: ServiceTypes,
    datacenter: DatacenterFile,
    /// What somebody wrote over files and records, without any check.
    written: BTreeMap<RawPlace, Arc<str>>,
    daemons: BTreeMap<NodeName, NodeDaemons>,
    /// Guests that run whenever their node is up, unless HA manages them.
    autostart: BTreeSet<ServiceId>,
    tracks: Tracks,
    /// What had changed when the invariant was last checked.
    checked: Option<u64>,
    /// What is due, by time.
    agenda: agenda::Agenda,
    /// Faults of host calls that wait for their call.
    disturbances: Vec<Disturbance>,
    /// Until when a call may stall at most: the call that it stalls in ends then.
    stall_limit: Option<Instant>,
    /// How many calls are on their way, each inside a stall of the one before.
    calls: u32,
    /// Checks more than [`RanTwice`] says, if somebody wants that.
    invariants: Option<Box<Invariants>>,
    planted: Option<PlantedBug>,
    /// What each CRM read first: for a planted bug.
    early_statuses: BTreeMap<NodeName, Arc<ha_core::status::ManagerStatus>>,
    /// Whether somebody gives nodes that were shut down their power back.
    powers_on_again: bool,
    recordings: record::Recordings,
    /// Other machines that have the names of nodes.
    twins: BTreeMap<NodeName, twin::Twin>,
    twins_seen: u64,
    /// Whether records go through their written form, as they do outside a simulation.
    records_as_json: bool,
    /// How often each call was made, if somebody wants to know.
    calls_made: Option<CallsMade>,
}

/// The wall clock at the start of the virtual time of a new cluster: 2026-01-01, midnight UTC.
const WALL_CLOCK_START: Timestamp = 1_767_225_600;

/// What is due next, in the order in which things happen that are due at the same time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Watchdog,
    Multiplexer,
    Boot,
    FenceDevice,
    Job,
    OnAgenda,
    Daemon(NodeName, DaemonKind),
}

impl Cluster {
    /// A cluster whose nodes have just come up, at time 0.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let mut cluster = Self {
            world: world(&setup),
            daemons: setup.nodes.keys().map(|node| (node.clone(), NodeDaemons::default())).collect(),
            autostart: setup.guests.iter().filter(|(_, guest)| guest.running).map(|(sid, _)| sid.clone()).collect(),
            timings: setup.timings,
            began: WALL_CLOCK_START,
            own_timings: own_timings(&setup),
            durations: setup.durations,
            types: service_types(&setup.service_types),
            datacenter: setup.datacenter,
            written: BTreeMap::new(),
            tracks: Tracks::default(),
            checked: None,
            agenda: agenda::Agenda::default(),
            disturbances: Vec::new(),
            stall_limit: None,
            calls: 0,
            invariants: None,
            planted: None,
            early_statuses: BTreeMap::new(),
            powers_on_again: false,
            recordings: record::Recordings::default(),
            twins: BTreeMap::new(),
            twins_seen: 0,
            records_as_json: setup.records_as_json,
            calls_made: None,
        };
        let powered: Vec<NodeName> =
            setup.nodes.iter().filter(|(_, node)| node.power && node.member).map(|(node, _)| node.clone()).collect();
        for node in &powered {
            cluster.world.give_power(node);
        }
        for (sid, guest) in setup.guests {
            if guest.running && powered.contains(&guest.guest.node) {
                cluster.world.set_running(&sid, &guest.guest.node, true);
            }
            cluster.world.guests.insert(sid, guest.guest);
        }
        if let Some(resumed) = &setup.resumed {
            cluster.resume(resumed);
        }
        for node in &powered {
            cluster.come_up(node);
        }
        cluster.tracks.update(&cluster.world);
        cluster.err(&setup.nodes);
        cluster.let_leases_run_long(setup.leases_run_long);
        if let Some(patience) = setup.job_patience {
            cluster.limit_jobs(patience);
        }
        if setup.multiplexers {
            cluster.install_multiplexers();
        }
        cluster
    }

    /// Sets clocks and watchdogs as far from right as the nodes begin with.
    fn err(&mut self, nodes: &BTreeMap<NodeName, NodeSetup>) {
        for (name, node) in nodes {
            self.set_clock(name, Clock { ppm: node.clock_ppm, wall_ahead: 0 });
            self.set_watchdog_error(name, node.watchdog_early, node.watchdog_late);
        }
    }

    /// The time of the world, and of all clocks that are right.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now_by(Clock::default())
    }

    /// The time on the clocks of a node.
    #[must_use]
    pub fn now_on(&self, node: &NodeName) -> Now {
        self.now_by(self.world.nodes.get(node).map(|node| node.clock).unwrap_or_default())
    }

    fn now_by(&self, clock: Clock) -> Now {
        let instant = clock.local(self.world.time);
        let seconds = i64::try_from(instant.since_start().as_secs()).unwrap_or(i64::MAX);
        Now { instant, wall: self.began.saturating_add(seconds).saturating_add(clock.wall_ahead) }
    }

    /// When the next thing is due; `None` if nothing is, ever.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.next().map(|(due, _)| due.max(self.world.time))
    }

    fn next(&self) -> Option<(Instant, Due)> {
        let world = &self.world;
        let daemon = self.next_daemon().map(|(due, node, daemon)| (due, Due::Daemon(node, daemon)));
        [
            world.next_watchdog().map(|due| (due, Due::Watchdog)),
            world.next_multiplexer().map(|due| (due, Due::Multiplexer)),
            self.next_boot().map(|due| (due, Due::Boot)),
            world.next_fence_end().map(|due| (due, Due::FenceDevice)),
            world.next_job_end().map(|due| (due, Due::Job)),
            self.agenda.next().map(|due| (due, Due::OnAgenda)),
            daemon,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Lets the next thing happen. Gives its time, or nothing if there is none.
    ///
    /// # Errors
    ///
    /// If a service runs on two nodes afterwards.
    pub fn step(&mut self) -> Result<Option<Instant>, RanTwice> {
        self.step_until(None)
    }

    /// Lets the next thing happen, unless it is due later than `end`.
    fn step_until(&mut self, end: Option<Instant>) -> Result<Option<Instant>, RanTwice> {
        if self.is_broken() {
            return Ok(None);
        }
        let Some((due, what)) = self.next() else { return Ok(None) };
        let due = due.max(self.world.time);
        if end.is_some_and(|end| due > end) {
            return Ok(None);
        }
        self.world.time = due;
        match what {
            Due::Watchdog => self.reset_expired(),
            Due::Multiplexer => {
                self.world.turn_multiplexers();
                self.look_at_multiplexers();
                return Ok(Some(self.world.time));
            }
            Due::Boot => self.boot_due_nodes(),
            Due::FenceDevice => {
                for (asker, attempt) in self.world.end_due_fencing() {
                    if let Some(invariants) = &mut self.invariants {
                        invariants.device_cuts(&asker, &attempt, self.world.time);
                    }
                    self.lose_power(&attempt.node);
                }
            }
            Due::Job => self.world.end_due_jobs(),
            Due::OnAgenda => self.act_on_agenda(),
            Due::Daemon(node, daemon) => self.call(&node, daemon),
        }
        self.settle()?;
        Ok(Some(self.world.time))
    }

    /// Lets everything happen that is due up to and at a moment, which is then the present.
    ///
    /// # Errors
    ///
    /// If a service runs on two nodes; the present is then the moment at which that was found.
    pub fn run_until(&mut self, end: Instant) -> Result<(), RanTwice> {
        while self.step_until(Some(end))?.is_some() {}
        self.world.time = self.world.time.max(end);
        Ok(())
    }

    /// Lets everything happen that is due within a time from now.
    ///
    /// # Errors
    ///
    /// As [`run_until`](Self::run_until).
    pub fn run_for(&mut self, time: Duration) -> Result<(), RanTwice> {
        self.run_until(self.world.time.after(time))
    }

    /// Checks [`Invariants`] from now on. Once one does not hold, nothing happens any more.
    pub fn check_invariants(&mut self) {
        let aftermath = aftermath(self.world.physics.lock_lifetime, &self.timings);
        self.invariants = Some(Box::new(Invariants::new(aftermath)));
    }

    /// What was found and counted since [`check_invariants`](Self::check_invariants).
    #[must_use]
    pub fn invariants(&self) -> Option<&Invariants> {
        self.invariants.as_deref()
    }

    /// The same, so that it can be told of faults.
    pub fn invariants_mut(&mut self) -> Option<&mut Invariants> {
        self.invariants.as_deref_mut()
    }

    fn is_broken(&self) -> bool {
        self.invariants.as_ref().is_some_and(|invariants| invariants.breach().is_some())
    }

    /// Judges what multiplexers did.
    fn look_at_multiplexers(&mut self) {
        let counted = std::mem::take(&mut self.world.counted_feeds);
        let outlasted = std::mem::take(&mut self.world.outlasted);
        let Some(invariants) = &mut self.invariants else { return };
        for (node, daemon) in &counted {
            invariants.counts_feed(node, *daemon, &self.world);
        }
        for (node, daemon) in &outlasted {
            invariants.device_outlasts(node, *daemon, self.world.time);
        }
    }

    /// Keeps the books after something happened, and checks what must always hold.
    fn settle(&mut self) -> Result<(), RanTwice> {
        self.tracks.update(&self.world);
        self.look_at_multiplexers();
        if let Some(invariants) = &mut self.invariants {
            invariants.look(&self.world);
        }
        let changes = self.world.running_changes();
        if self.checked != Some(changes) {
            if let Err(ran_twice) = ran_twice::check(&self.world) {
                if let Some(invariants) = &mut self.invariants {
                    invariants.runs_twice(&ran_twice);
                }
                return Err(ran_twice);
            }
            self.checked = Some(changes);
        }
        Ok(())
    }

    /// How long after the first node's daemons those of a node start.
    fn stagger(&self, node: &NodeName, daemon: DaemonKind) -> Duration {
        let usual = self.timings.round_time().checked_div(5).unwrap_or_default();
        let stagger = self.durations.stagger.unwrap_or(usual);
        let place = self.world.nodes.keys().position(|name| name == node).unwrap_or(0);
        let whole = stagger.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX));
        match daemon {
            DaemonKind::Crm => whole,
            DaemonKind::Lrm => whole.saturating_add(stagger.checked_div(2).unwrap_or_default()),
        }
    }
}

fn own_timings(setup: &Setup) -> BTreeMap<NodeName, Timings> {
    setup.nodes.iter().filter_map(|(name, node)| Some((name.clone(), node.timings?))).collect()
}

fn world(setup: &Setup) -> World {
    let mut world = World::default();
    world.physics = Physics {
        lock_lifetime: setup.timings.lock_lifetime(),
        watchdog_timeout: setup.timings.watchdog_timeout(),
        job_times: Some(setup.durations.jobs),
        fencing: setup.durations.fencing,
        fencing_timeout: setup.durations.fencing_timeout,
        store_is_enough: setup.store_is_enough,
        ..Physics::default()
    };
    for (name, node) in &setup.nodes {
        let hardware = Node {
            network: true,
            max_cpu: Some(node.cores),
            max_memory: Some(node.memory),
            version: node.version.clone(),
            expelled: !node.member,
            ..Node::default()
        };
        world.nodes.insert(name.clone(), hardware);
    }
    world.further_types = setup.service_types.iter().cloned().collect();
    world.store.resources = Arc::new(setup.resources.clone());
    world.store.groups = Arc::new(setup.groups.clone());
    world.store.nodes = Arc::new(setup.labels.clone());
    world.store.rules = Arc::new(setup.rules.clone());
    world.store.datacenter = Arc::new(setup.datacenter.config().clone());
    world.store.fence = setup.fence.clone().map(Arc::new);
    world
}
