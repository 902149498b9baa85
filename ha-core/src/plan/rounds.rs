//! Plays rounds to come: a manager of our own begins from what is recorded, and LRMs that do what they are asked answer it.
//! Nothing is written.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::ToString,
    sync::Arc,
    vec::Vec,
};
use core::time::Duration;

use super::Rehearsal;
use crate::{
    config::{Digest, RequestedState, datacenter::SchedulerMode},
    event::Event,
    host::{Configuration, Guests, HostFigures},
    id::{NodeName, ServiceId},
    manager::{Manager, RoundInput},
    status::{
        Command, DisarmState, ExitCode, JobResult, LrmMode, LrmState, LrmStatus, ManagerStatus, NodeState,
        ServiceState, StateName,
    },
    timing::Timings,
};

/// The rounds to come of a cluster, from what it is like now.
///
/// They are played by the code that decides. The LRMs of the nodes that are there do what they are asked at once and with success;
/// nodes that are not there stay away, and no node is fenced only because nobody answers here. With the dynamic scheduler, what a service
/// uses is measured on the node that it has moved to.
///
/// ```
/// use ha_core::{
///     id::NodeName, manager::RoundInput, plan::RoundsToCome, status::{Command, ManagerStatus, NodeState}, timing::Timings,
/// };
///
/// let (node1, node2) = (NodeName::new("node1")?, NodeName::new("node2")?);
/// let mut status = ManagerStatus::default();
/// status.nodes.extend([(node1.clone(), NodeState::Online), (node2.clone(), NodeState::Online)]);
/// let input = RoundInput { members: [(node1.clone(), true), (node2.clone(), true)].into(), ..RoundInput::default() };
/// let rounds = RoundsToCome { master: node1, timings: Timings::default(), status, input };
/// let played = rounds.play(&[Command::EnableNodeMaintenance { node: node2.clone() }]);
/// assert_eq!(played.status.node_state(&node2), NodeState::Maintenance);
/// # Ok::<(), ha_core::id::IdError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RoundsToCome {
    /// The node that decides.
    pub master: NodeName,
    /// The cluster's timings.
    pub timings: Timings,
    /// What the master recorded last.
    pub status: ManagerStatus,
    /// What the first round is given: when it is, which nodes are there, what their LRMs recorded, what is configured.
    pub input: RoundInput,
}

/// What came of rounds that were played.
#[derive(Debug, Clone)]
#[must_use]
pub struct RoundsPlayed {
    /// What the master would have recorded then.
    pub status: ManagerStatus,
    /// What the LRMs would have recorded.
    pub lrms: BTreeMap<NodeName, Arc<LrmStatus>>,
    /// What would be configured, guests where they are then.
    pub configuration: Configuration,
    /// The figures then, if there are any.
    pub usage: Option<Arc<HostFigures>>,
    /// The events of the first round, which takes the commands.
    pub first: Vec<Event>,
    /// The events of all rounds.
    pub events: Vec<Event>,
    /// Whether the services have settled. Otherwise rounds were given up after the [most](RoundsToCome::MOST_ROUNDS) that are played.
    pub settled: bool,
}

impl RoundsToCome {
    /// Rounds that are played at the most. Services settle within a few; moves that go in circles never do.
    pub const MOST_ROUNDS: usize = 60;

    /// Plays rounds until nothing changes any more. The first one takes the commands.
    pub fn play(self, commands: &[Command]) -> RoundsPlayed {
        self.play_with(host_for(commands), commands, Pace::default())
    }

    /// Plays what automatic balancing does, up to so many moves of it.
    pub(super) fn play_balancing(self, most_moves: usize) -> RoundsPlayed {
        /// One that moves, one that sees that it has, two for what follows from that, and as many that wait.
        const ROUNDS_OF_A_MOVE: usize = 8;
        let most_rounds = Self::MOST_ROUNDS.saturating_add(most_moves.saturating_mul(ROUNDS_OF_A_MOVE));
        self.play_with(Rehearsal::refusing(), &[], Pace { most_rounds, most_moves, ..Pace::default() })
    }

    /// Plays what follows when these nodes are lost at once and stay away: after the first round so much time passes that nobody waits
    /// for them any longer. Their locks can be had, and fence devices succeed. That proves of a node that it is down what it proves in
    /// the cluster: nothing where no watchdog guards the node.
    ///
    /// The master is one of the nodes that are left; if none is, nothing is played.
    pub fn play_loss(mut self, lost: &BTreeSet<NodeName>) -> RoundsPlayed {
        for node in lost {
            self.input.members.insert(node.clone(), false);
        }
        let is_left = |node: &NodeName| self.input.members.get(node) == Some(&true);
        if !is_left(&self.master) {
            match self.input.members.iter().find(|(_, online)| **online) {
                Some((node, _)) => self.master = node.clone(),
                None => return self.unplayed(),
            }
        }
        let first_step = self.timings.fence_delay().max(STEP);
        self.play_with(Rehearsal::granting(), &[], Pace { first_step, ..Pace::default() })
    }

    fn unplayed(self) -> RoundsPlayed {
        let Self { status, input, .. } = self;
        RoundsPlayed {
            status,
            lrms: input.lrms,
            configuration: input.configuration,
            usage: input.usage,
            first: Vec::new(),
            events: Vec::new(),
            settled: true,
        }
    }

    fn play_with(self, host: Rehearsal, commands: &[Command], pace: Pace) -> RoundsPlayed {
        let Self { master, timings, status, mut input } = self;
        // How many start and move at once does not matter for what follows.
        let datacenter = Arc::make_mut(&mut input.configuration.datacenter);
        (datacenter.max_starts, datacenter.max_moves) = (None, None);
        let mode = input.configuration.datacenter.scheduler.mode;
        let lines = commands.iter().map(ToString::to_string).collect();
        let mut host = Rehearsal { commands: lines, ..host };
        let mut manager = Manager::begin(master, timings, status, mode, &unique(&input), &mut host);
        host.events.clear();
        let patience = patience(&input.configuration);
        let mut first = None;
        let mut quiet = 0_usize;
        let mut moves_left = pace.most_moves;
        for _ in 0..pace.most_rounds {
            let before = Outline::of(manager.status(), &input.lrms);
            let told = host.events.len();
            manager.round(&input, &mut host);
            let step = if first.is_none() { pace.first_step } else { STEP };
            if first.is_none() {
                first = Some(host.events.clone());
                commands.iter().for_each(|command| request_stopped(&mut input.configuration, command));
            }
            input.now.instant = input.now.instant.after(step);
            let new = || host.events.iter().skip(told);
            move_guests(&mut input.configuration, &new().filter_map(recovered).collect());
            let balanced = new().filter(|event| matches!(event, Event::AutoRebalance { .. })).count();
            moves_left = moves_left.saturating_sub(balanced);
            if balanced > 0 && moves_left == 0 {
                Arc::make_mut(&mut input.configuration.datacenter).scheduler.auto_rebalance = false;
            }
            answer(manager.status(), &mut input);
            let is_quiet = Outline::of(manager.status(), &input.lrms) == before;
            quiet = if is_quiet { quiet.saturating_add(1) } else { 0 };
            if quiet >= patience {
                break;
            }
        }
        RoundsPlayed {
            status: manager.status().clone(),
            lrms: input.lrms,
            configuration: input.configuration,
            usage: input.usage,
            first: first.unwrap_or_default(),
            events: host.events,
            settled: quiet >= patience,
        }
    }
}

/// How rounds are played.
#[derive(Clone, Copy)]
struct Pace {
    /// The time between the first two of them.
    first_step: Duration,
    /// How many are played at the most.
    most_rounds: usize,
    /// After so many moves of automatic balancing it is switched off.
    most_moves: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { first_step: STEP, most_rounds: RoundsToCome::MOST_ROUNDS, most_moves: usize::MAX }
    }
}

/// Rounds without any change after which nothing more is expected.
const QUIET_ROUNDS: usize = 2;
/// The time between two rounds. So little that nobody is taken for overdue only because nobody answers here.
const STEP: Duration = Duration::from_millis(10);

/// No node is fenced only because nobody answers here; but where a person says that one is down, its lock will be had.
fn host_for(commands: &[Command]) -> Rehearsal {
    match commands.iter().any(|command| matches!(command, Command::ConfirmFenced { .. })) {
        true => Rehearsal::granting(),
        false => Rehearsal::refusing(),
    }
}

/// What the ids of requests are made from. Rounds that go on from others that were played must not give the same ones again: their
/// results are known already.
fn unique(input: &RoundInput) -> [u8; 16] {
    let results: usize = input.lrms.values().map(|record| record.results.len()).sum();
    u128::try_from(results).unwrap_or(u128::MAX).to_ne_bytes()
}

/// Automatic balancing waits for some rounds.
fn patience(configuration: &Configuration) -> usize {
    let scheduler = &configuration.datacenter.scheduler;
    let hold = if scheduler.auto_rebalance { scheduler.hold_duration } else { 0 };
    // Nor does it change anything that those that come first answer to requests of this master.
    let orders = if configuration.rules.rules.values().any(|rule| rule.order().is_some()) { QUIET_ROUNDS } else { 0 };
    let hold = usize::try_from(hold).unwrap_or(0);
    QUIET_ROUNDS.saturating_add(orders).saturating_add(hold).min(RoundsToCome::MOST_ROUNDS)
}

/// The master requests the state 'stopped' for what it is commanded to stop.
fn request_stopped(configuration: &mut Configuration, command: &Command) {
    if let Command::Stop { sid, .. } = command
        && let resources = Arc::make_mut(&mut configuration.resources)
        && let Some(resource) = resources.resources.get_mut(sid)
    {
        resource.state = Some(RequestedState::Stopped);
        // They are others than those that were read.
        resources.digest = Digest::default();
    }
}

/// What has to be the same for a round to have changed nothing. New ids of requests are no change.
#[derive(PartialEq)]
struct Outline {
    services: Vec<(ServiceId, ServiceState, NodeName, Option<NodeName>)>,
    nodes: BTreeMap<NodeName, NodeState>,
    modes: Vec<(LrmMode, LrmState)>,
    disarm: Option<DisarmState>,
    unguarded: BTreeSet<NodeName>,
}

impl Outline {
    fn of(status: &ManagerStatus, lrms: &BTreeMap<NodeName, Arc<LrmStatus>>) -> Self {
        let services = status
            .services
            .iter()
            .map(|(sid, entry)| (sid.clone(), entry.state.clone(), entry.node.clone(), entry.maintenance_node.clone()));
        Self {
            services: services.collect(),
            nodes: status.nodes.clone(),
            modes: lrms.values().map(|record| (record.mode, record.state)).collect(),
            disarm: status.disarm.as_ref().map(|disarm| disarm.state),
            unguarded: status.unguarded.clone(),
        }
    }
}

/// Lets the LRMs of the nodes that are there do what they are asked, with success.
fn answer(status: &ManagerStatus, input: &mut RoundInput) {
    let asked = status.services.iter().filter(|(_, entry)| is_asked_for(&entry.state));
    let busy: BTreeSet<&NodeName> = asked.map(|(_, entry)| &entry.node).collect();
    for node in status.nodes.keys().filter(|node| status.is_there(node)) {
        let record = Arc::make_mut(input.lrms.entry(node.clone()).or_default());
        record.mode = mode_of(status, node, record.mode);
        record.state = state_of(record, busy.contains(node));
        // A record counts as new by its time.
        let before = record.timestamp.unwrap_or(input.now.wall).max(input.now.wall);
        record.timestamp = Some(before.saturating_add(1));
    }
    let is_measured = input.configuration.datacenter.scheduler.mode == SchedulerMode::Dynamic;
    let mut moved: BTreeMap<ServiceId, NodeName> = BTreeMap::new();
    for (sid, entry) in status.services.iter().filter(|(_, entry)| status.is_there(&entry.node)) {
        let (Some(uid), Some(record)) = (&entry.uid, input.lrms.get_mut(&entry.node)) else { continue };
        if !is_asked_for(&entry.state) || record.results.contains_key(uid) {
            continue;
        }
        let exit_code = match input.configuration.guests.node_of(sid) {
            None => ExitCode::UNKNOWN_SERVICE,
            Some(node) if *node != entry.node => ExitCode::WRONG_NODE,
            Some(_) => {
                moved.extend(entry.state.target().map(|target| (sid.clone(), target.clone())));
                let goes_to =
                    goes_to(&entry.state).filter(|_| is_measured && is_asked_to_run(&input.configuration, sid));
                if let (Some(usage), Some(target)) = (&mut input.usage, goes_to) {
                    take_along(Arc::make_mut(usage), sid, &entry.node, target);
                }
                ExitCode::SUCCESS
            }
        };
        let result = JobResult::new(sid.clone(), entry.state.name().as_str(), exit_code);
        Arc::make_mut(record).results.insert(uid.clone(), result);
    }
    move_guests(&mut input.configuration, &moved);
}

/// Where a service goes to, unless it is on its way before its start.
fn goes_to(state: &ServiceState) -> Option<&NodeName> {
    state.target().filter(|_| !matches!(state, ServiceState::RequestStartBalance { .. }))
}

/// Whether it is requested that a service runs.
pub(super) fn is_asked_to_run(configuration: &Configuration, sid: &ServiceId) -> bool {
    let resource = configuration.resources.resources.get(sid);
    resource.is_some_and(|resource| resource.state() == RequestedState::Started)
}

/// What a service uses is measured on another node from now on. Figures that can't be used stay such.
fn take_along(usage: &mut HostFigures, sid: &ServiceId, from: &NodeName, to: &NodeName) {
    let Some(share) = usage.services.get(sid).copied().filter(|share| share.cpu >= 0.0) else { return };
    if let Some(node) = usage.nodes.get_mut(from).filter(|node| node.cpu >= 0.0) {
        node.cpu = (node.cpu - share.cpu).max(0.0);
        node.memory = node.memory.saturating_sub(share.memory);
    }
    if let Some(node) = usage.nodes.get_mut(to) {
        node.cpu += share.cpu;
        node.memory = node.memory.saturating_add(share.memory);
    }
}

/// A service that was recovered, and where its guest is since.
fn recovered(event: &Event) -> Option<(ServiceId, NodeName)> {
    if let Event::ServiceState { sid, from: StateName::Recovery, node: Some(node), .. } = event {
        return Some((sid.clone(), node.clone()));
    }
    None
}

fn move_guests(configuration: &mut Configuration, moved: &BTreeMap<ServiceId, NodeName>) {
    if moved.is_empty() {
        return;
    }
    let guests = configuration.guests.iter();
    let places = guests.map(|(sid, guest)| (sid.clone(), moved.get(sid).unwrap_or(&guest.node).clone()));
    let places: Guests = places.collect();
    configuration.guests = Arc::new(places);
}

fn is_asked_for(state: &ServiceState) -> bool {
    match state {
        ServiceState::RequestStop { .. }
        | ServiceState::RequestStartBalance { .. }
        | ServiceState::Started { .. }
        | ServiceState::Migrate { .. }
        | ServiceState::Relocate { .. } => true,
        ServiceState::Stopped
        | ServiceState::RequestStart
        | ServiceState::Fence
        | ServiceState::Recovery
        | ServiceState::Freeze
        | ServiceState::Error => false,
    }
}

/// The state of an LRM that gets its lock as soon as it has something to look after, and gives it back in maintenance once all has left.
fn state_of(record: &LrmStatus, has_services: bool) -> LrmState {
    match record.mode {
        LrmMode::Disarm => record.state,
        LrmMode::Active | LrmMode::Restart | LrmMode::Shutdown | LrmMode::Maintenance | LrmMode::Unknown
            if has_services =>
        {
            LrmState::Active
        }
        LrmMode::Maintenance => LrmState::Maintenance,
        LrmMode::Active | LrmMode::Restart | LrmMode::Shutdown | LrmMode::Unknown => record.state,
    }
}

/// The mode that an LRM takes by what is asked of its node. One that restarts or shuts down goes on with it.
fn mode_of(status: &ManagerStatus, node: &NodeName, mode: LrmMode) -> LrmMode {
    match mode {
        LrmMode::Restart | LrmMode::Shutdown => mode,
        LrmMode::Active | LrmMode::Maintenance | LrmMode::Disarm | LrmMode::Unknown => {
            if status.disarm.is_some() {
                LrmMode::Disarm
            } else if status.maintenance_requested(node) {
                LrmMode::Maintenance
            } else {
                LrmMode::Active
            }
        }
    }
}
