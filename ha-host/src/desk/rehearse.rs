//! Plays rounds to come: a manager of our own begins from what is recorded, and LRMs that do what they are asked answer it.
//! Nothing is written.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ha_core::{
    config::RequestedState,
    event::Event,
    host::{Configuration, Guests, Rehearsal},
    id::{NodeName, ServiceId},
    manager::{Manager, RoundInput},
    status::{
        Command, DisarmState, ExitCode, JobResult, LrmMode, LrmState, LrmStatus, ManagerStatus, NodeState,
        ServiceState, StateName,
    },
};

use super::Present;

/// What came of the rounds that were played.
#[derive(Debug, Clone)]
pub(super) struct Played {
    /// What the master would have recorded then.
    pub(super) status: ManagerStatus,
    /// What the LRMs would have recorded.
    pub(super) lrms: BTreeMap<NodeName, Arc<LrmStatus>>,
    /// What would be configured, guests where they are then.
    pub(super) configuration: Configuration,
    /// The events of the first round, which takes the commands.
    pub(super) first: Vec<Event>,
    /// The events of all rounds.
    pub(super) events: Vec<Event>,
}

/// Rounds that are played at the most. Services settle within a few; moves that go in circles never do.
const MOST_ROUNDS: usize = 60;
/// Rounds without any change after which nothing more is expected.
const QUIET_ROUNDS: usize = 2;
/// The time between two rounds. So little that nobody is taken for overdue only because nobody answers here.
const STEP: Duration = Duration::from_millis(10);

/// Plays rounds from what is present until nothing changes any more. `None` if no node could be the master.
pub(super) fn play(
    present: &Present,
    configuration: &Configuration,
    members: &[NodeName],
    commands: &[Command],
) -> Option<Played> {
    let master = master_of(present)?;
    let mode = configuration.datacenter.scheduler.mode;
    let mut input = RoundInput {
        now: present.now,
        members: members.iter().map(|node| (node.clone(), present.is_there(node))).collect(),
        lrms: present.lrms.clone(),
        configuration: configuration.clone(),
        unmanaged: Vec::new(),
        usage: present.usage.clone(),
    };
    let lines = commands.iter().map(ToString::to_string).collect();
    let mut host = Rehearsal { commands: lines, ..host_for(commands) };
    let (timings, status) = (present.settings.timings, present.status.clone());
    let mut manager = Manager::begin(master, timings, status, mode, &unique(present), &mut host);
    host.events.clear();
    let patience = patience(&input.configuration);
    let mut first = None;
    let mut quiet = 0;
    for _ in 0..MOST_ROUNDS {
        let before = Outline::of(manager.status(), &input.lrms);
        let told = host.events.len();
        manager.round(&input, &mut host);
        if first.is_none() {
            first = Some(host.events.clone());
            commands.iter().for_each(|command| request_stopped(&mut input.configuration, command));
        }
        input.now.instant = input.now.instant.after(STEP);
        let recovered = host.events.iter().skip(told).filter_map(recovered);
        move_guests(&mut input.configuration, &recovered.collect());
        answer(manager.status(), &mut input);
        quiet = if Outline::of(manager.status(), &input.lrms) == before { quiet + 1 } else { 0 };
        if quiet >= patience {
            break;
        }
    }
    Some(Played {
        status: manager.status().clone(),
        lrms: input.lrms,
        configuration: input.configuration,
        first: first.unwrap_or_default(),
        events: host.events,
    })
}

/// No node is fenced only because nobody answers here; but where a person says that one is down, its lock will be had.
fn host_for(commands: &[Command]) -> Rehearsal {
    match commands.iter().any(|command| matches!(command, Command::ConfirmFenced { .. })) {
        true => Rehearsal::granting(),
        false => Rehearsal::refusing(),
    }
}

/// What the ids of requests are made from. Rounds that go on from others that were played must not give the same ones again: their
/// results are known already.
fn unique(present: &Present) -> [u8; 16] {
    let results: usize = present.lrms.values().map(|record| record.results.len()).sum();
    u128::try_from(results).unwrap_or(u128::MAX).to_ne_bytes()
}

/// Who decides: the recorded master, or else any node that is there.
fn master_of(present: &Present) -> Option<NodeName> {
    let recorded = present.status.master_node.iter();
    recorded
        .chain(present.status.nodes.keys())
        .chain(&present.settings.nodes)
        .find(|node| present.is_there(node))
        .cloned()
}

/// Automatic balancing waits for some rounds.
fn patience(configuration: &Configuration) -> usize {
    let scheduler = &configuration.datacenter.scheduler;
    let hold = if scheduler.auto_rebalance { scheduler.hold_duration } else { 0 };
    QUIET_ROUNDS.saturating_add(usize::try_from(hold).unwrap_or(0)).min(MOST_ROUNDS)
}

/// The master requests the state 'stopped' for what it is commanded to stop.
fn request_stopped(configuration: &mut Configuration, command: &Command) {
    if let Command::Stop { sid, .. } = command
        && let Some(resource) = Arc::make_mut(&mut configuration.resources).resources.get_mut(sid)
    {
        resource.state = Some(RequestedState::Stopped);
    }
}

/// What has to be the same for a round to have changed nothing. New ids of requests are no change.
#[derive(PartialEq)]
struct Outline {
    services: Vec<(ServiceId, ServiceState, NodeName, Option<NodeName>)>,
    nodes: BTreeMap<NodeName, NodeState>,
    modes: Vec<(LrmMode, LrmState)>,
    disarm: Option<DisarmState>,
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
        }
    }
}

/// Lets the LRMs of the nodes that are there do what they are asked, with success.
fn answer(status: &ManagerStatus, input: &mut RoundInput) {
    let is_there = |node: &NodeName| matches!(status.node_state(node), NodeState::Online | NodeState::Maintenance);
    for node in status.nodes.keys().filter(|node| is_there(node)) {
        let record = Arc::make_mut(input.lrms.entry(node.clone()).or_default());
        record.mode = mode_of(status, node, record.mode);
        record.timestamp = Some(input.now.wall);
    }
    let mut moved: BTreeMap<ServiceId, NodeName> = BTreeMap::new();
    for (sid, entry) in status.services.iter().filter(|(_, entry)| is_there(&entry.node)) {
        let (Some(uid), Some(record)) = (&entry.uid, input.lrms.get_mut(&entry.node)) else { continue };
        if !is_asked_for(&entry.state) || record.results.contains_key(uid) {
            continue;
        }
        let exit_code = match input.configuration.guests.node_of(sid) {
            None => ExitCode::UNKNOWN_SERVICE,
            Some(node) if *node != entry.node => ExitCode::WRONG_NODE,
            Some(_) => {
                moved.extend(entry.state.target().map(|target| (sid.clone(), target.clone())));
                ExitCode::SUCCESS
            }
        };
        let result = JobResult::new(sid.clone(), entry.state.name().as_str(), exit_code);
        Arc::make_mut(record).results.insert(uid.clone(), result);
    }
    move_guests(&mut input.configuration, &moved);
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
