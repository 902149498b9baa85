//! The loop that the recorded scenarios were made in.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use ha_core::{
    crm::Crm,
    id::NodeName,
    lrm::{Lrm, StopRequest},
    manager::Manager,
    time::{Instant, Next, Now},
    timing::Timings,
};

use super::{
    Case,
    command::{self, Deed},
};
use crate::{
    snapshot::Snapshot,
    world::{ClusterEvent, DaemonKind, Source, View, What, World},
};

/// A recorded scenario that is being played.
#[derive(Debug)]
pub struct Replay {
    /// The world, with all that has happened so far.
    pub world: World,
    lists: VecDeque<Vec<String>>,
    daemons: BTreeMap<NodeName, Daemons>,
    delayed_until: Instant,
    /// Loops in which daemons of a kind still do nothing.
    skipped: BTreeMap<DaemonKind, u64>,
    /// Passes through the point where commands are taken.
    passes: u64,
    last_list: Instant,
    over: bool,
    /// Commands that could not be executed, and why.
    pub errors: Vec<String>,
}

/// The daemons of one node, each with a clock that belongs to the node and stays when the daemon ends.
#[derive(Debug, Default)]
struct Daemons {
    crm: Option<Crm>,
    lrm: Option<Lrm>,
    clocks: BTreeMap<DaemonKind, Instant>,
    /// Why the LRM was asked to stop, and what follows once it has stopped.
    stopping: Option<StopRequest>,
}

const LOOP_SECONDS: u64 = 20;
const LOOPS_PER_LIST: u64 = 5;
const QUIET_SECONDS: u64 = 500;

impl Replay {
    /// Begins a scenario.
    #[must_use]
    pub fn new(case: Case) -> Self {
        let daemons = case.world.nodes.keys().map(|node| (node.clone(), Daemons::default())).collect();
        Self {
            world: case.world,
            lists: case.commands.into(),
            daemons,
            delayed_until: Instant::START,
            skipped: BTreeMap::new(),
            passes: 0,
            last_list: Instant::START,
            over: false,
            errors: Vec::new(),
        }
    }

    /// Plays it to its end.
    pub fn run(&mut self) {
        while !self.over {
            self.play_loop();
        }
    }

    /// Plays it up to a moment, or to its end if that comes first. Loops are played whole: what is due at the moment itself
    /// has not happened yet.
    pub fn run_until(&mut self, moment: Instant) {
        while !self.over && self.world.time < moment {
            self.play_loop();
        }
    }

    /// What placement looks at now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let managers = self.daemons.values().filter_map(|daemons| daemons.crm.as_ref()?.manager());
        let hold = managers.map(Manager::balance_hold).next().unwrap_or_default();
        Snapshot::of(&self.world, hold)
    }

    fn play_loop(&mut self) {
        let start = self.world.time;
        let nodes: Vec<NodeName> = self.world.nodes.keys().cloned().collect();
        for daemon in DaemonKind::ALL {
            if self.is_skipped(daemon) {
                let what = ClusterEvent::RoundSkipped { daemon: daemon.as_str() };
                self.world.note(self.world.time, "run-loop", What::Cluster(what));
            }
        }
        for node in &nodes {
            for daemon in DaemonKind::ALL {
                if !self.is_skipped(daemon) {
                    self.iterate(node, daemon);
                }
            }
            self.reset_expired();
        }
        for left in self.skipped.values_mut() {
            *left = left.saturating_sub(1);
        }
        self.end_loop(start, nodes.len());
        if self.world.time >= self.delayed_until {
            self.take_commands();
        }
    }

    fn is_skipped(&self, daemon: DaemonKind) -> bool {
        self.skipped.get(&daemon).is_some_and(|left| *left > 0)
    }

    fn end_loop(&mut self, start: Instant, nodes: usize) {
        let seconds = LOOP_SECONDS.max(2_u64.saturating_mul(nodes as u64));
        self.world.time = self.world.time.max(start.after(Duration::from_secs(seconds)));
        for daemons in self.daemons.values_mut() {
            for daemon in DaemonKind::ALL {
                daemons.clocks.insert(daemon, self.world.time);
            }
        }
    }

    fn take_commands(&mut self) {
        let is_time = self.passes.is_multiple_of(LOOPS_PER_LIST);
        self.passes = self.passes.wrapping_add(1);
        if !is_time {
            return;
        }
        match self.lists.pop_front() {
            Some(list) => {
                self.last_list = self.world.time;
                for line in list {
                    self.execute(&line, "cmdlist");
                }
            }
            None => self.over = self.world.time.since(self.last_list).as_secs() > QUIET_SECONDS,
        }
    }

    /// Executes a command as told by a source.
    fn execute(&mut self, line: &str, source: &'static str) {
        let what = ClusterEvent::Execute { command: line.to_owned() };
        self.world.note(self.world.time, source, What::Cluster(what));
        let done = match command::read_deed(&self.world, line) {
            Ok(Some(deed)) => {
                self.act(deed);
                Ok(())
            }
            Ok(None) => command::change_world(&mut self.world, line),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            self.errors.push(format!("{line}: {error}"));
        }
    }

    fn act(&mut self, deed: Deed) {
        match deed {
            Deed::PowerOn(node) => self.power_on(&node),
            Deed::PowerOff(node) => self.power_off(&node),
            Deed::Delay { seconds } => self.delayed_until = self.world.time.after(Duration::from_secs(seconds)),
            Deed::SkipRounds { daemon, loops } => {
                self.skipped.insert(daemon, loops);
            }
            Deed::StopLrm(node, request) => self.stop_lrm(&node, request),
            Deed::StopCrm(node) => self.stop_crm(&node),
            Deed::StartCrm(node) => self.start_crm(&node),
        }
    }

    /// Lets one daemon run one iteration, and deals with its end.
    fn iterate(&mut self, node: &NodeName, daemon: DaemonKind) {
        let began = self.world.time;
        let Some(daemons) = self.daemons.get_mut(node) else { return };
        let mut at = Now { instant: began, wall: seconds(began) };
        let mut view = View { world: &mut self.world, node: node.clone(), daemon, clock: began };
        let exited = loop {
            let next = match daemon {
                DaemonKind::Crm => daemons.crm.as_mut().map(|crm| crm.tick(&mut view, at)),
                DaemonKind::Lrm => daemons.lrm.as_mut().map(|lrm| lrm.tick(&mut view, at)),
            };
            match next {
                None => return,
                Some(Next::Exit) => break true,
                // No time passes inside an iteration for anybody else, not even while it waits.
                Some(Next::At { instant, reason }) if reason.is_within_iteration() => at.instant = instant,
                Some(Next::At { .. }) => break false,
            }
        };
        let clock = began.after(Duration::from_secs(1));
        daemons.clocks.insert(daemon, clock);
        self.world.time = self.world.time.max(clock);
        if exited {
            self.daemon_exited(node, daemon);
        }
    }

    fn daemon_exited(&mut self, node: &NodeName, daemon: DaemonKind) {
        self.note_of_daemon(node, daemon, ClusterEvent::DaemonExited);
        let Some(daemons) = self.daemons.get_mut(node) else { return };
        match daemon {
            DaemonKind::Lrm => {
                daemons.lrm = None;
                match daemons.stopping {
                    Some(StopRequest::Restart) => {
                        daemons.stopping = None;
                        self.start_lrm(node);
                    }
                    Some(StopRequest::NodeReboot) => self.execute(&format!("crm {node} stop"), "reboot"),
                    Some(StopRequest::NodeShutdown) => self.execute(&format!("crm {node} stop"), "shutdown"),
                    None => {}
                }
            }
            DaemonKind::Crm => {
                daemons.crm = None;
                let lrm_is_gone = daemons.lrm.is_none();
                match daemons.stopping.filter(|_| lrm_is_gone) {
                    Some(StopRequest::NodeReboot) => {
                        self.execute(&format!("power {node} off"), "reboot");
                        self.execute(&format!("power {node} on"), "reboot");
                    }
                    Some(StopRequest::NodeShutdown) => self.execute(&format!("power {node} off"), "shutdown"),
                    Some(StopRequest::Restart) | None => {}
                }
            }
        }
    }

    fn reset_expired(&mut self) {
        for node in self.world.expired_watchdogs() {
            self.execute(&format!("power {node} off"), "watchdog");
            let what = ClusterEvent::WatchdogReset { node };
            self.world.note(self.world.time, "hardware", What::Cluster(what));
        }
    }

    fn clock(&self, node: &NodeName, daemon: DaemonKind) -> Instant {
        self.daemons.get(node).and_then(|daemons| daemons.clocks.get(&daemon)).copied().unwrap_or_default()
    }

    fn note_of_daemon(&mut self, node: &NodeName, daemon: DaemonKind, what: ClusterEvent) {
        let clock = self.clock(node, daemon);
        self.world.note(clock, Source::Daemon(node.clone(), daemon), What::Cluster(what));
    }

    /// Calls `act` with the view of one daemon of a node, outside of its iterations.
    fn with_view<T>(
        &mut self,
        node: &NodeName,
        daemon: DaemonKind,
        act: impl FnOnce(&mut Daemons, &mut View<'_>) -> T,
    ) -> Option<T> {
        let clock = self.clock(node, daemon);
        let daemons = self.daemons.get_mut(node)?;
        Some(act(daemons, &mut View { world: &mut self.world, node: node.clone(), daemon, clock }))
    }

    fn power_on(&mut self, node: &NodeName) {
        if let Some(hardware) = self.world.nodes.get_mut(node) {
            hardware.network = true;
            hardware.store_fails = false;
            hardware.refresh_fails = false;
        }
        self.world.give_power(node);
        self.start_crm(node);
        self.start_lrm(node);
    }

    fn power_off(&mut self, node: &NodeName) {
        let Some(daemons) = self.daemons.get_mut(node) else { return };
        daemons.stopping = None;
        let killed = [(DaemonKind::Crm, daemons.crm.take().is_some()), (DaemonKind::Lrm, daemons.lrm.take().is_some())];
        for (daemon, _) in killed.into_iter().filter(|(_, ran)| *ran) {
            self.note_of_daemon(node, daemon, ClusterEvent::Killed);
        }
        if let Some(hardware) = self.world.nodes.get_mut(node) {
            hardware.network = false;
        }
        self.world.cut_power(node);
    }

    fn start_crm(&mut self, node: &NodeName) {
        self.with_view(node, DaemonKind::Crm, |daemons, view| {
            if daemons.crm.is_none() {
                daemons.crm = Some(Crm::start(view.node.clone(), Timings::default(), view));
            }
        });
    }

    fn start_lrm(&mut self, node: &NodeName) {
        self.with_view(node, DaemonKind::Lrm, |daemons, view| {
            if daemons.lrm.is_none() {
                daemons.lrm = Some(Lrm::start(view.node.clone(), Timings::default(), view));
            }
        });
    }

    fn stop_crm(&mut self, node: &NodeName) {
        self.with_view(node, DaemonKind::Crm, |daemons, view| {
            if let Some(crm) = &mut daemons.crm {
                crm.request_stop(view);
            }
        });
    }

    fn stop_lrm(&mut self, node: &NodeName, request: StopRequest) {
        self.with_view(node, DaemonKind::Lrm, |daemons, view| {
            if let Some(lrm) = &mut daemons.lrm {
                daemons.stopping.get_or_insert(request);
                let now = Now { instant: view.clock, wall: seconds(view.clock) };
                lrm.request_stop(request, view, now);
            }
        });
    }
}

/// The wall clock of the virtual cluster: the seconds since its start.
fn seconds(instant: Instant) -> i64 {
    i64::try_from(instant.since_start().as_secs()).unwrap_or(i64::MAX)
}
