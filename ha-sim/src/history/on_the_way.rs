//! Liveness on the way: while faults go on, what none of them touches stays within its bound, and somebody is told why something does
//! not run.
//!
//! This is checked every few rounds, long before everything is mended. A service is *quiet* as long as nothing happens to it, to its
//! node, to the one that it goes to, or to the master. What is quiet for longer than its bound, in a state that it should leave, is
//! stuck. The bounds follow from the timings and from how long the jobs of its node take.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ha_core::{
    config::{Affinity, RequestedState, RuleKind, datacenter::FencingMode},
    id::{NodeName, ServiceId, Uid},
    placement::Preference,
    status::{LrmMode, LrmState, ManagerStatus, NodeState, ServiceEntry, ServiceState, StateName, view::StartWait},
    time::Instant,
    timing::Timings,
};

use super::History;
use crate::{
    cluster::{Action, Cluster, Edit, Edited, Invariant},
    world::{AgentDisturbance, AgentFault, What},
};

/// What is stuck, or what nobody is told.
pub(super) type Wrong = (Invariant, String);

/// What an action touches.
enum Touch<'a> {
    Nothing,
    Node(&'a NodeName),
    Service(&'a ServiceId),
    /// A service, until everything is mended.
    ForGood(&'a ServiceId),
    Everything,
    /// Everything, until all is mended.
    EverythingForGood,
}

/// A service as it was last seen.
#[derive(Debug, Clone)]
struct Seen {
    uid: Option<Uid>,
    state: StateName,
    since: Instant,
    /// Since when it does not run.
    down_since: Option<Instant>,
}

/// Looks at a cluster now and then.
pub(super) struct OnTheWay<'a> {
    history: &'a History,
    bounds: Bounds,
    /// How many actions were looked at.
    done: usize,
    nodes: BTreeMap<NodeName, Instant>,
    power_losses: BTreeMap<NodeName, u64>,
    touched: BTreeMap<ServiceId, Instant>,
    for_good: BTreeSet<ServiceId>,
    everything: Instant,
    everything_for_good: bool,
    master: Option<NodeName>,
    /// When it last looked.
    looked: Instant,
    /// What is recorded of each node, and since when.
    states: BTreeMap<NodeName, (NodeState, Instant)>,
    services: BTreeMap<ServiceId, Seen>,
    /// Since when each LRM that is at work has been.
    at_work: BTreeMap<NodeName, Instant>,
    /// The queue as it was last seen, and since when its lines have been there.
    commands: Option<(Vec<String>, Instant)>,
}

/// For how long something may stay as it is.
struct Bounds {
    /// A few rounds of a master and of an LRM that is at work.
    rounds: Duration,
    /// Until an LRM has its lock, whoever had it before.
    lock: Duration,
    /// From `fence` until the node was fenced by its lock.
    fencing: Duration,
}

impl Bounds {
    fn of(history: &History, timings: &Timings) -> Self {
        let settings = timings.settings();
        let attempt = settings.longest_lock_attempt();
        let master = settings.round_time.max(attempt.saturating_add(settings.longest_step));
        let work = settings.worker_turn.saturating_add(settings.longest_step);
        let lrm =
            settings.round_time.max(attempt.saturating_add(work)).max(settings.waiting_loop.saturating_add(attempt));
        // Clocks differ by a few percent at most.
        let rounds = master.saturating_add(lrm).saturating_mul(4);
        let lease = settings.lock_lifetime.saturating_add(history.setup.leases_run_long);
        let lock = lease.mul_f64(1.05).saturating_add(rounds);
        Self { rounds, lock, fencing: lock.saturating_add(rounds) }
    }
}

impl<'a> OnTheWay<'a> {
    pub(super) fn new(history: &'a History, cluster: &Cluster) -> Self {
        Self {
            history,
            bounds: Bounds::of(history, cluster.timings()),
            done: 0,
            nodes: BTreeMap::new(),
            power_losses: BTreeMap::new(),
            touched: BTreeMap::new(),
            for_good: BTreeSet::new(),
            everything: Instant::START,
            everything_for_good: false,
            master: None,
            looked: Instant::START,
            states: BTreeMap::new(),
            services: BTreeMap::new(),
            at_work: BTreeMap::new(),
            commands: None,
        }
    }

    /// Looks at what there is now. Gives the first thing that is stuck, or that nobody is told.
    pub(super) fn look(&mut self, cluster: &Cluster) -> Option<Wrong> {
        let now = cluster.now().instant;
        // A call of a daemon has stalled that may have taken the manager lock right before: nobody else was master meanwhile.
        if now.since(self.looked) > self.bounds.rounds {
            self.everything = now;
        }
        self.looked = now;
        self.look_at_actions(now);
        self.look_at_nodes(cluster, now);
        let nothing = ManagerStatus::default();
        let status = cluster.manager_status().unwrap_or(&nothing);
        self.look_at_master(cluster, status, now);
        for (node, state) in &status.nodes {
            let since = self.states.get(node).filter(|(before, _)| before == state).map_or(now, |(_, since)| *since);
            self.states.insert(node.clone(), (*state, since));
        }
        self.look_at_services(cluster, status, now);
        if self.everything_for_good {
            return None;
        }
        self.commands(cluster, now)
            .or_else(|| self.node_states(cluster, now))
            .or_else(|| status.services.iter().find_map(|(sid, entry)| self.service(cluster, status, sid, entry, now)))
    }

    /// What was done since the last look.
    fn look_at_actions(&mut self, now: Instant) {
        let history = self.history;
        let new = history.actions.get(self.done..).unwrap_or_default();
        let past = new.iter().take_while(|due| at(due.at_ms) <= now);
        for due in past {
            self.done = self.done.saturating_add(1);
            match touched_by(&due.action) {
                Touch::Nothing => {}
                Touch::Node(node) => drop(self.nodes.insert(node.clone(), now)),
                Touch::Service(sid) => drop(self.touched.insert(sid.clone(), now)),
                Touch::ForGood(sid) => {
                    self.for_good.insert(sid.clone());
                }
                Touch::Everything => self.everything = now,
                Touch::EverythingForGood => self.everything_for_good = true,
            }
        }
    }

    fn look_at_nodes(&mut self, cluster: &Cluster, now: Instant) {
        for (name, hardware) in &cluster.world().nodes {
            let lost = self.power_losses.insert(name.clone(), hardware.power_losses);
            let is_quiet = lost == Some(hardware.power_losses) && cluster.is_undisturbed(name);
            if !is_quiet {
                self.nodes.insert(name.clone(), now);
            }
            let record = cluster.world().store.lrm_status.get(name);
            if record.is_some_and(|record| matches!(record.state, LrmState::Active | LrmState::Maintenance)) {
                self.at_work.entry(name.clone()).or_insert(now);
            } else {
                self.at_work.remove(name);
            }
        }
    }

    /// Nothing is expected if there is no master, or a different one, or one that was touched, or while HA is disarmed; nor if nothing
    /// is configured, since nobody has to be master then.
    fn look_at_master(&mut self, cluster: &Cluster, status: &ManagerStatus, now: Instant) {
        let master = status.master_node.clone();
        let is_same = master.is_some() && master == self.master;
        let world = cluster.world();
        let touched = master.as_ref().map_or(now, |master| self.node_touched(master));
        let has_work = !world.store.resources.resources.is_empty() && status.disarm.is_none();
        let is_quiet = is_same && has_work && !world.store_full && status.not_understood.is_empty();
        self.everything = if is_quiet { self.everything.max(touched) } else { now };
        self.master = master;
    }

    fn node_touched(&self, node: &NodeName) -> Instant {
        self.nodes.get(node).copied().unwrap_or(Instant::START)
    }

    fn look_at_services(&mut self, cluster: &Cluster, status: &ManagerStatus, now: Instant) {
        self.services.retain(|sid, _| status.services.contains(sid));
        for (sid, entry) in status.services.iter() {
            let state = entry.state.name();
            let runs = cluster.world().occupied().any(|(_, other)| other == sid);
            let seen = self.services.get(sid);
            let is_same = seen.is_some_and(|seen| seen.uid == entry.uid && seen.state == state);
            let since = seen.filter(|_| is_same).map_or(now, |seen| seen.since);
            let was_down = seen.and_then(|seen| seen.down_since).unwrap_or(now);
            let down_since = (!runs).then_some(was_down);
            self.services.insert(sid.clone(), Seen { uid: entry.uid.clone(), state, since, down_since });
        }
    }

    fn commands(&mut self, cluster: &Cluster, now: Instant) -> Option<Wrong> {
        let store = &cluster.world().store;
        if store.commands.is_empty() {
            self.commands = None;
            return None;
        }
        // Lines are only appended; if others are in front, the queue was taken in between.
        let before = self.commands.take().filter(|(lines, _)| store.commands.starts_with(lines));
        let since = before.map_or(now, |(_, since)| since);
        self.commands = Some((store.commands.clone(), since));
        let since = since.max(self.everything);
        let is_late = now.since(since) > self.bounds.rounds;
        is_late.then(|| {
            (Invariant::GoesOn, format!("commands wait though nothing holds up the master: {:?}", store.commands))
        })
    }

    /// A node that is well is not recorded as lost for a long time.
    fn node_states(&self, cluster: &Cluster, now: Instant) -> Option<Wrong> {
        self.states.iter().find_map(|(node, (state, since))| {
            let quiet_since = self.node_touched(node).max(self.everything).max(*since);
            let is_late = now.since(quiet_since) > self.bounds.rounds;
            let is_lost = matches!(state, NodeState::Unknown | NodeState::Gone) && cluster.is_undisturbed(node);
            (is_late && is_lost).then(|| (Invariant::GoesOn, format!("{node} is {state} though it is well")))
        })
    }

    fn service(
        &self,
        cluster: &Cluster,
        status: &ManagerStatus,
        sid: &ServiceId,
        entry: &ServiceEntry,
        now: Instant,
    ) -> Option<Wrong> {
        let resource = cluster.world().store.resources.resources.get(sid)?;
        let guest = cluster.world().guests.get(sid)?;
        let seen = self.services.get(sid)?;
        let requested = resource.state();
        if requested == RequestedState::Ignored {
            return None;
        }
        let one = Service { way: self, cluster, status, sid, entry, seen, requested, now };
        let touched = self.touched.get(sid).copied().unwrap_or(Instant::START);
        let is_judged = !self.for_good.contains(sid) && guest.node == entry.node;
        let quiet_since = seen.since.max(self.everything).max(touched);
        let wrong = if is_judged { one.does_not_go_on(quiet_since) } else { None };
        wrong.or_else(|| one.is_untold(touched.max(self.everything)))
    }

    /// How long all jobs of a node take, one after another.
    fn jobs_of(&self, status: &ManagerStatus, node: &NodeName) -> Duration {
        let here =
            status.services.iter().filter(|(_, entry)| entry.node == *node || entry.state.target() == Some(node));
        let guests = here.filter_map(|(sid, _)| self.history.setup.guests.get(sid));
        guests.map(|guest| guest.guest.times.sum()).fold(Duration::ZERO, Duration::saturating_add)
    }
}

/// A service that is looked at.
struct Service<'a> {
    way: &'a OnTheWay<'a>,
    cluster: &'a Cluster,
    status: &'a ManagerStatus,
    sid: &'a ServiceId,
    entry: &'a ServiceEntry,
    seen: &'a Seen,
    requested: RequestedState,
    now: Instant,
}

impl Service<'_> {
    /// Whether it stays in a state that it should leave. `quiet_since`: nothing happened to it or to the master since.
    fn does_not_go_on(&self, quiet_since: Instant) -> Option<Wrong> {
        // It waits for others, which have their own bounds.
        if self.status.waiting_starts.contains(self.sid) || self.status.waiting_moves.contains(self.sid) {
            return None;
        }
        let wants_start = self.requested == RequestedState::Started;
        let (should_leave, bound) = match &self.entry.state {
            ServiceState::Fence => return self.is_not_fenced(quiet_since),
            ServiceState::Recovery => return self.is_not_recovered(quiet_since),
            ServiceState::Freeze => (self.has_lrm_in(LrmMode::Active), Duration::ZERO),
            ServiceState::Error => (self.requested == RequestedState::Disabled, Duration::ZERO),
            ServiceState::Stopped => (wants_start && StartWait::of(self.sid, self.status).is_none(), Duration::ZERO),
            ServiceState::Started { confirmed: true } => (!wants_start || self.is_down(), self.jobs()),
            ServiceState::Started { confirmed: false }
            | ServiceState::RequestStop { .. }
            | ServiceState::RequestStart
            | ServiceState::RequestStartBalance { .. }
            | ServiceState::Migrate { .. }
            | ServiceState::Relocate { .. } => (true, self.jobs()),
        };
        let node = &self.entry.node;
        let nodes = [Some(node), self.entry.state.target()].into_iter().flatten();
        let nodes_since = nodes.map(|node| self.way.node_touched(node)).max().unwrap_or(Instant::START);
        let down_since = self.seen.down_since.filter(|_| self.is_confirmed() && wants_start).unwrap_or(Instant::START);
        // Its LRM may have to wait for its lock first.
        let bounds = &self.way.bounds;
        let (work_since, rounds) = match self.way.at_work.get(node) {
            Some(since) => (*since, bounds.rounds),
            None => (Instant::START, bounds.lock.saturating_add(bounds.rounds)),
        };
        let since = quiet_since.max(nodes_since).max(down_since).max(work_since);
        let is_late = self.now.since(since) > rounds.saturating_add(bound);
        (should_leave && is_late && self.status.node_state(node) == NodeState::Online).then(|| self.stuck(since))
    }

    fn is_confirmed(&self) -> bool {
        matches!(self.entry.state, ServiceState::Started { confirmed: true })
    }

    /// Whether it should run where it is started, does not, and is not started again after a pause.
    fn is_down(&self) -> bool {
        let waits = self.lrm_record().and_then(|record| record.services.get(self.sid));
        self.seen.down_since.is_some() && waits.is_none_or(|note| note.next_restart.is_none())
    }

    fn lrm_record(&self) -> Option<&ha_core::status::LrmStatus> {
        self.cluster.world().store.lrm_status.get(&self.entry.node).map(|record| &**record)
    }

    fn has_lrm_in(&self, mode: LrmMode) -> bool {
        self.lrm_record().is_some_and(|record| record.mode == mode)
    }

    fn jobs(&self) -> Duration {
        let there = self.entry.state.target().map(|target| self.way.jobs_of(self.status, target));
        self.way.jobs_of(self.status, &self.entry.node).saturating_add(there.unwrap_or_default())
    }

    /// The lock of a node that is guarded is free within its lifetime, whatever the node does.
    fn is_not_fenced(&self, quiet_since: Instant) -> Option<Wrong> {
        let world = self.cluster.world();
        let node = world.nodes.get(&self.entry.node)?;
        let by_lock = world.store.datacenter.fencing == FencingMode::Watchdog
            && !self.status.unguarded.contains(&self.entry.node);
        // A node that can't read that it must be fenced goes on, as long as it gets its lock.
        let may_go_on = node.store_fails || node.reads_stale || self.cluster.twin_place(&self.entry.node).is_some();
        let is_late = self.now.since(quiet_since) > self.way.bounds.fencing;
        (by_lock && !may_go_on && is_late).then(|| self.stuck(quiet_since))
    }

    fn is_not_recovered(&self, quiet_since: Instant) -> Option<Wrong> {
        if self.now.since(quiet_since) <= self.way.bounds.rounds {
            return None;
        }
        let mut snapshot = self.cluster.snapshot();
        // As masters do where a node does not know such rules.
        let world = self.cluster.world();
        let rules = &mut Arc::make_mut(&mut snapshot.configuration.rules).rules;
        for rule in rules.values_mut() {
            if let RuleKind::ResourceAffinity { affinity: Affinity::Negative, apart } = &mut rule.kind {
                apart.strict = apart.strict.filter(|_| world.knows_loose_rules());
                apart.spread = apart.spread.filter(|_| world.knows_spread());
            }
        }
        let place = snapshot.situation().select(self.sid, Preference::BestScore);
        // Its node may have come up only now.
        let touched = match place {
            Ok(Some(node)) => self.way.node_touched(&node),
            Ok(None) | Err(_) => self.now,
        };
        (self.now.since(touched) > self.way.bounds.rounds).then(|| self.stuck(quiet_since))
    }

    fn stuck(&self, since: Instant) -> Wrong {
        let ServiceEntry { state, node, .. } = self.entry;
        let seconds = self.now.since(since).as_secs_f64();
        let sid = self.sid;
        let details = format!(
            "{sid} does not go on, though nothing touched it for {seconds:.0} s: {} is requested, its state is {state:?} on {node}",
            self.requested
        );
        (Invariant::GoesOn, details)
    }

    /// Whether a service could run and does not, and neither what people see of it nor an event says why.
    fn is_untold(&self, touched: Instant) -> Option<Wrong> {
        let down_since = self.seen.down_since.filter(|_| self.requested == RequestedState::Started)?.max(touched);
        let bounds = &self.way.bounds;
        let silence = bounds.lock.saturating_add(bounds.rounds).saturating_add(self.jobs());
        if self.now.since(down_since) <= silence || self.is_shown() {
            return None;
        }
        let master = self.status.master_node.as_ref()?;
        let view = self.cluster.view(master);
        let shown = view.services.iter().find(|service| service.sid == *self.sid)?;
        let says_why = shown.advice.is_some()
            || shown.problem.is_some()
            || shown.lock.is_some()
            || shown.waits.is_some()
            || shown.hangs.is_some()
            || shown.waits_for_turn().is_some()
            || shown.next_restart.is_some();
        if says_why || self.is_told(self.now.since(down_since)) {
            return None;
        }
        let details = format!("{} does not run, is shown as {}, and nobody is told why", self.sid, shown.shown);
        Some((Invariant::ToldWhy, details))
    }

    /// Whether its node or the cluster shows what keeps it from running: that something is wrong with them.
    fn is_shown(&self) -> bool {
        !self.cluster.is_undisturbed(&self.entry.node) || self.status.node_state(&self.entry.node) != NodeState::Online
    }

    /// Whether anything was said about it lately.
    fn is_told(&self, within: Duration) -> bool {
        let name = format!("\"{}\"", self.sid);
        let recent = self.cluster.happenings_since(0).iter().rev();
        let mut recent = recent.take_while(|happening| self.now.since(happening.at) <= within);
        recent.any(|happening| match &happening.what {
            What::Core(event) => serde_json::to_string(event).is_ok_and(|text| text.contains(&name)),
            What::Cluster(_) => false,
        })
    }
}

fn at(milliseconds: u64) -> Instant {
    Instant::after_start(Duration::from_millis(milliseconds))
}

/// What an action touches. Whatever may last for longer than can be seen touches for good.
// tidy: table
fn touched_by(action: &Action) -> Touch<'_> {
    match action {
        Action::PowerOff { node }
        | Action::PowerOn { node }
        | Action::Reset { node }
        | Action::Network { node, .. }
        | Action::Unheard { node, .. }
        | Action::StoreWorks { node, .. }
        | Action::ViewWorks { node, .. }
        | Action::LocksWork { node, .. }
        | Action::Kill { node, .. }
        | Action::Pause { node, .. }
        | Action::Resume { node, .. }
        | Action::WallClock { node, .. }
        | Action::Shutdown { node }
        | Action::Reboot { node }
        | Action::RestartLrm { node }
        | Action::StopCrm { node }
        | Action::StartDaemon { node, .. }
        | Action::Expel { node }
        | Action::Retire { node }
        | Action::StaleReads { node, .. }
        | Action::Suspended { node, .. }
        | Action::Version { node, .. }
        | Action::Admit { node }
        | Action::TwinAppears { node }
        | Action::TwinGoes { node }
        | Action::Mounted { node, .. }
        | Action::DelayFrames { node, .. }
        | Action::StallDeviceFeed { node, .. }
        | Action::ConfirmFenced { node } => Touch::Node(node),
        Action::Edit(Edit { what: Edited::Resource(sid), .. }) | Action::Crash { sid } => Touch::Service(sid),
        // It holds a worker, or a multiplexer, for nobody can tell how long.
        Action::AgentFails {
            disturbance: AgentDisturbance { fault: AgentFault::Hangs | AgentFault::Slow, .. },
            ..
        }
        | Action::LeaveBehind { .. }
        | Action::RestartMultiplexer { .. }
        | Action::PauseMultiplexer { .. }
        | Action::Unendable { .. } => Touch::EverythingForGood,
        Action::AgentFails { sid, .. }
        | Action::DestroyGuest { sid }
        | Action::CreateGuest { sid, .. }
        | Action::LockGuest { sid, .. }
        | Action::AgentWorks { sid, .. }
        | Action::StartGuest { sid, .. }
        | Action::CarryGuest { sid, .. }
        | Action::GuestTimes { sid, .. }
        | Action::UnlockGuest { sid } => Touch::ForGood(sid),
        Action::Partition { .. }
        | Action::Heal
        | Action::Device { .. }
        | Action::Edit(_)
        | Action::Write { .. }
        | Action::NodeSize { .. }
        | Action::GuestSize { .. }
        | Action::GuestLoad { .. }
        | Action::StoreFull { .. }
        | Action::DamageEntry { .. }
        | Action::RepairStatus
        | Action::MendAll => Touch::Everything,
        // Commands change states, and with a new state the wait begins again; the cluster tells which calls go wrong.
        Action::Command { .. } | Action::Disturb(_) | Action::Say(_) => Touch::Nothing,
    }
}
