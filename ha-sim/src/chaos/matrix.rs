//! The matrix: each window of the state machines × each call that is made in it × each way in which that can go wrong.
//!
//! It is walked through, not left to chance: an undisturbed run of each window shows which calls are made in it, and by
//! which daemons; then there is a history for each of them and each fault. After the window something more goes wrong, in
//! turn: the node that it is about is cut off, or the master's CRM is killed.

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use ha_core::{
    host::HostOperation,
    id::{NodeName, ServiceId},
    time::Instant,
    timing::TimingSettings,
};

use super::{
    Action, DueAction, History, Profile,
    beginning::{self, Files, node_name, service_id},
    course::{self, milliseconds},
    prepare,
    windows::{Cast, Window},
};
use crate::{
    cluster::{CallsMade, Disturbance, Fault, GuestSetup, NodeSetup, Setup},
    world::DaemonKind,
};

/// A cell of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    window: Window,
    follow_up: FollowUp,
    call: Disturbance,
}

/// What goes wrong after a window has opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FollowUp {
    Nothing,
    /// The node that the window is about is cut off.
    Cut,
    /// The CRM of the master is killed.
    NewMaster,
}

/// How calls go wrong. A stall of 25 s is within the budget of a feed, one of 65 s is longer than the watchdog's time.
const FAULTS: [Fault; 7] = [
    Fault::Fails,
    Fault::Unknown,
    Fault::Stalls(25_000),
    Fault::Late(65_000),
    Fault::LateUnknown(30_000),
    Fault::Crashes(5_000),
    Fault::CrashesAfter(5_000),
];

/// When the window opens, in rounds: everything has started by then.
const OPENS: i32 = 36;

/// For how many rounds after that calls belong to it.
const LASTS: i32 = 12;

impl Cell {
    /// The name of its window.
    #[must_use]
    pub fn window(&self) -> String {
        format!("{:?}", self.window)
    }

    /// The call that goes wrong.
    #[must_use]
    pub fn operation(&self) -> Option<HostOperation> {
        self.call.operation
    }
}

/// All cells, in the order of the seeds of their histories.
pub fn cells() -> &'static [Cell] {
    static CELLS: OnceLock<Vec<Cell>> = OnceLock::new();
    CELLS.get_or_init(|| Window::ALL.iter().flat_map(|window| cells_of(*window)).collect())
}

/// The cell of a history, if it belongs to the matrix.
pub(super) fn cell(history: &History) -> Option<&'static Cell> {
    (history.profile == Profile::Matrix).then(|| cell_of(history.seed)).flatten()
}

fn cell_of(seed: u64) -> Option<&'static Cell> {
    let number = usize::try_from(seed).unwrap_or(usize::MAX);
    cells().get(number.checked_rem(cells().len())?)
}

/// The history of a cell.
pub(super) fn history(seed: u64) -> History {
    match cell_of(seed) {
        Some(cell) => history_of(seed, cell.window, cell.follow_up, Some(cell.call.clone())),
        None => history_of(seed, Window::Begin, FollowUp::Nothing, None),
    }
}

/// If nothing follows, each call goes wrong in every way; if something follows, in one way, in turn.
fn cells_of(window: Window) -> Vec<Cell> {
    let mut cells = Vec::new();
    for follow_up in [FollowUp::Nothing, FollowUp::Cut, FollowUp::NewMaster] {
        let calls = calls_made(window, follow_up);
        for (number, ((node, daemon, operation), (before, within))) in calls.into_iter().enumerate() {
            let faults = match follow_up {
                FollowUp::Nothing => &FAULTS[..],
                FollowUp::Cut | FollowUp::NewMaster => {
                    let turn = number.checked_rem(FAULTS.len()).unwrap_or(0);
                    FAULTS.get(turn..=turn).unwrap_or_default()
                }
            };
            for (turn, fault) in faults.iter().enumerate() {
                // The first call of its kind, the second, and so on.
                let later =
                    u32::try_from(number.wrapping_add(turn)).unwrap_or(0).checked_rem(within.min(3)).unwrap_or(0);
                let skip = before.saturating_add(later);
                let call = Disturbance { node: node.clone(), daemon, operation: Some(operation), skip, fault: *fault };
                cells.push(Cell { window, follow_up, call });
            }
        }
    }
    cells
}

type Calls = BTreeMap<(NodeName, DaemonKind, HostOperation), (u32, u32)>;

/// The calls that are made in a window if nothing goes wrong, and how often each is made before it and in it.
fn calls_made(window: Window, follow_up: FollowUp) -> Calls {
    let history = history_of(0, window, follow_up, None);
    let mut cluster = prepare(&history);
    cluster.count_calls();
    let count = |cluster: &mut crate::cluster::Cluster, rounds: i32| -> CallsMade {
        // What breaks is found when the history is played.
        let _broken = cluster.run_until(Instant::after_start(at(window, rounds)));
        cluster.calls_made().cloned().unwrap_or_default()
    };
    let before = if window == Window::Begin { CallsMade::new() } else { count(&mut cluster, 0) };
    let after = count(&mut cluster, LASTS);
    let concerned = concerned(window, follow_up);
    let made = after.into_iter().filter_map(|(call, after)| {
        let before = before.get(&call).copied().unwrap_or(0);
        let within = after.saturating_sub(before);
        (within > 0 && concerned.contains(&(call.0.clone(), call.1))).then_some((call, (before, within)))
    });
    made.collect()
}

/// The moment that many rounds after a window opens.
fn at(window: Window, rounds: i32) -> Duration {
    let opens = if window == Window::Begin { 0 } else { OPENS };
    let rounds = u32::try_from(opens.saturating_add(rounds)).unwrap_or(0);
    TimingSettings::customary().round_time.saturating_mul(rounds)
}

/// The daemons whose calls matter to a window: the CRM of the master, or of the one after it, and the LRMs of the nodes that it
/// is about.
fn concerned(window: Window, follow_up: FollowUp) -> Vec<(NodeName, DaemonKind)> {
    let cast = cast(window);
    let mut concerned = vec![(cast.subject.clone(), DaemonKind::Lrm), (cast.target, DaemonKind::Lrm)];
    if follow_up != FollowUp::NewMaster {
        concerned.push((node_name(1), DaemonKind::Crm));
    }
    if follow_up == FollowUp::NewMaster || cast.subject == node_name(1) {
        concerned.push((node_name(2), DaemonKind::Crm));
    }
    concerned
}

fn cast(window: Window) -> Cast {
    let is_of_master = matches!(window, Window::MasterLoss | Window::MasterRestart | Window::Begin);
    let subject = node_name(if is_of_master { 1 } else { 3 });
    let adds = matches!(window, Window::AddRunning | Window::AddRunningStopped);
    // The target of a move has no services: its LRM lets go, or has nothing to hold.
    let added = service_id("vm", if adds { 103 } else { 101 });
    Cast { subject, target: node_name(4), sid: service_id("vm", 102), added }
}

fn history_of(seed: u64, window: Window, follow_up: FollowUp, call: Option<Disturbance>) -> History {
    let due = |rounds: i32, action| DueAction { at_ms: milliseconds(at(window, rounds)), action };
    let cast = cast(window);
    let mut actions: Vec<DueAction> =
        call.into_iter().map(|call| DueAction { at_ms: 0, action: Action::Disturb(call) }).collect();
    actions.extend(window.steps(&cast).into_iter().map(|(rounds, action)| due(rounds, action)));
    match follow_up {
        FollowUp::Nothing => {}
        FollowUp::Cut => {
            actions.push(due(3, Action::Network { node: cast.subject.clone(), connected: false }));
            actions.push(due(30, Action::Network { node: cast.subject, connected: true }));
        }
        FollowUp::NewMaster => {
            actions
                .push(due(2, Action::Kill { node: node_name(1), daemon: DaemonKind::Crm, restart_ms: Some(100_000) }));
        }
    }
    course::history(seed, Profile::Matrix, cluster(window), actions)
}

/// Four nodes: a master, one with services of its own, one that the window is about, and an idle one.
fn cluster(window: Window) -> Setup {
    let guest = |on: u32, running| beginning::guest(node_name(on), [3_000, 4_000, 8_000, 2_000], running);
    let guests: [(ServiceId, GuestSetup); 5] = [
        (service_id("vm", 100), guest(1, false)),
        (service_id("vm", 101), guest(2, false)),
        (service_id("vm", 102), guest(3, false)),
        (service_id("vm", 103), guest(4, true)),
        (service_id("ct", 104), guest(3, false)),
    ];
    let grouped = if window == Window::Begin { "\tgroup group1\n" } else { "" };
    let scheduler = if window == Window::Begin { "crs: ha=dynamic\n" } else { "" };
    let with_devices = window.needs_fence_device();
    let files = Files {
        resources: format!("vm: 100\n{grouped}\nvm: 101\n\nvm: 102\n\tmax_relocate 1\n\nct: 104\n"),
        groups: if grouped.is_empty() { String::new() } else { "group: group1\n\tnodes node1,node2\n".to_owned() },
        datacenter: format!("{scheduler}{}", if with_devices { "fencing: hardware\n" } else { "" }),
        fence: with_devices.then(|| {
            let connections = (1..=4).map(|number| format!("connect d1 node=node{number} plug={number}\n"));
            format!("device d1 fence_one ip=10.0.0.1\n{}", connections.collect::<String>())
        }),
        ..Files::default()
    };
    let setup = Setup {
        nodes: (1..=4).map(|number| (node_name(number), NodeSetup::default())).collect(),
        guests: guests.into(),
        durations: beginning::durations(20_000, 500),
        records_as_json: true,
        job_patience: Some(Duration::from_secs(60)),
        ..Setup::default()
    };
    beginning::made(files.into_setup(setup))
}
