//! Windows: the times at which what one daemon does depends on what another one has not heard of yet.

use std::collections::BTreeSet;

use ha_core::{
    host::HostOperation,
    id::{NodeName, ServiceId},
};

use super::{Action, beginning::node_name};
use crate::{
    cluster::{Disturbance, Fault},
    world::{AgentFault, DaemonKind, DeviceBehaviour, Operation},
};

/// A window of the state machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Window {
    Begin,
    LiveMove,
    StoppedMove,
    Restart,
    Reboot,
    Shutdown,
    ShutdownByMoving,
    MaintenanceIn,
    MaintenanceOut,
    DisarmFreezing,
    DisarmIgnoring,
    ArmAfterFreezing,
    ArmAfterIgnoring,
    MasterLoss,
    MasterRestart,
    NodeLoss,
    NodeReturn,
    Cut,
    FenceDevice,
    AddRunning,
    AddRunningStopped,
    Remove,
    StopFails,
    StopFailsAndShutdown,
    StopFailsAndRestart,
    StopFailsAndMaintenance,
    StopFailsAndCut,
    DisabledAfterError,
    StartFails,
    StartDies,
    StopCommand,
    StopUntold,
    MoveUntold,
    StartUntold,
    StartHangs,
    RestartAndShutdown,
    LateFenceDevice,
    SlowFenceDevice,
    ConfirmedDown,
    DisarmAndLoss,
    FullStore,
    LeftBehind,
    BootedMeanwhile,
}

/// Who takes part in it.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    /// The node that it is about.
    pub(super) subject: NodeName,
    /// The node to which something is moved.
    pub(super) target: NodeName,
    /// A service of the subject.
    pub(super) sid: ServiceId,
    /// A guest that is added.
    pub(super) added: ServiceId,
}

/// Something that is done, and how many rounds after the window opens; before it if the number is negative.
pub(super) type Step = (i32, Action);

impl Window {
    pub(super) const ALL: &[Self] = &[
        Self::Begin,
        Self::LiveMove,
        Self::StoppedMove,
        Self::Restart,
        Self::Reboot,
        Self::Shutdown,
        Self::ShutdownByMoving,
        Self::MaintenanceIn,
        Self::MaintenanceOut,
        Self::DisarmFreezing,
        Self::DisarmIgnoring,
        Self::ArmAfterFreezing,
        Self::ArmAfterIgnoring,
        Self::MasterLoss,
        Self::MasterRestart,
        Self::NodeLoss,
        Self::NodeReturn,
        Self::Cut,
        Self::FenceDevice,
        Self::AddRunning,
        Self::AddRunningStopped,
        Self::Remove,
        Self::StopFails,
        Self::StopFailsAndShutdown,
        Self::StopFailsAndRestart,
        Self::StopFailsAndMaintenance,
        Self::StopFailsAndCut,
        Self::DisabledAfterError,
        Self::StartFails,
        Self::StartDies,
        Self::StopCommand,
        Self::StopUntold,
        Self::MoveUntold,
        Self::StartUntold,
        Self::StartHangs,
        Self::RestartAndShutdown,
        Self::LateFenceDevice,
        Self::SlowFenceDevice,
        Self::ConfirmedDown,
        Self::DisarmAndLoss,
        Self::FullStore,
        Self::LeftBehind,
        Self::BootedMeanwhile,
    ];

    /// Whether it needs no cluster of its own.
    pub(super) fn is_for_any_cluster(self) -> bool {
        self != Self::Begin && !self.needs_fence_device()
    }

    /// Whether nodes are fenced by a device in it.
    pub(super) fn needs_fence_device(self) -> bool {
        matches!(self, Self::FenceDevice | Self::LateFenceDevice | Self::SlowFenceDevice)
    }

    /// What opens it, and what closes it if it does not close by itself.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others are about what runs around the daemons")]
    pub(super) fn steps(self, cast: &Cast) -> Vec<Step> {
        let Cast { subject, target, sid, added } = cast;
        let node = || subject.clone();
        let command = |line: String| Action::Command { line };
        let arm = || command("arm-ha".to_owned());
        let disarm = |mode: &str| command(format!("disarm-ha {mode}"));
        match self {
            Self::Begin => Vec::new(),
            Self::LiveMove => vec![(0, command(format!("migrate {sid} {target}")))],
            Self::StoppedMove => vec![(0, command(format!("relocate {sid} {target}")))],
            Self::Restart => vec![(0, Action::RestartLrm { node: node() })],
            Self::Reboot => vec![(0, Action::Reboot { node: node() })],
            Self::Shutdown => goes_down(subject, 0),
            Self::ShutdownByMoving => {
                let policy = Action::set_datacenter("ha.shutdown_policy", "migrate");
                [(-2, policy)].into_iter().chain(goes_down(subject, 0)).collect()
            }
            Self::MaintenanceIn => vec![(0, enable(subject)), (12, disable(subject))],
            Self::MaintenanceOut => vec![(-6, enable(subject)), (0, disable(subject))],
            Self::DisarmFreezing => vec![(0, disarm("freeze")), (12, arm())],
            Self::DisarmIgnoring => vec![(0, disarm("ignore")), (12, arm())],
            Self::ArmAfterFreezing => vec![(-6, disarm("freeze")), (0, arm())],
            Self::ArmAfterIgnoring => vec![(-6, disarm("ignore")), (0, arm())],
            Self::MasterLoss | Self::NodeLoss => {
                vec![(0, Action::PowerOff { node: node() }), (25, Action::PowerOn { node: node() })]
            }
            Self::MasterRestart => vec![
                (0, Action::StopCrm { node: node() }),
                (8, Action::StartDaemon { node: node(), daemon: DaemonKind::Crm }),
            ],
            // Its lock is still the master's when something comes there live.
            Self::NodeReturn => vec![
                (-30, Action::PowerOff { node: node() }),
                (-8, Action::PowerOn { node: node() }),
                (0, command(format!("migrate {added} {subject}"))),
            ],
            Self::Cut | Self::FenceDevice => vec![
                (0, Action::Network { node: node(), connected: false }),
                (25, Action::Network { node: node(), connected: true }),
            ],
            Self::AddRunning => vec![(0, Action::add(added.clone(), "started"))],
            Self::AddRunningStopped => vec![(0, Action::add(added.clone(), "stopped"))],
            Self::Remove => vec![(0, Action::remove(sid.clone())), (6, Action::add(sid.clone(), "started"))],
            Self::StopFails => failing_stop(sid, 0),
            Self::StopFailsAndShutdown => failing_stop(sid, -5).into_iter().chain(goes_down(subject, 0)).collect(),
            Self::StopFailsAndRestart => {
                failing_stop(sid, -5).into_iter().chain([(0, Action::RestartLrm { node: node() })]).collect()
            }
            Self::StopFailsAndMaintenance => {
                failing_stop(sid, -5).into_iter().chain([(0, enable(subject)), (20, disable(subject))]).collect()
            }
            Self::StopFailsAndCut => failing_stop(sid, -12)
                .into_iter()
                .chain([(-6, enable(subject)), (25, disable(subject))])
                .chain(Self::Cut.steps(cast))
                .collect(),
            Self::DisabledAfterError => {
                failing_stop(sid, -5).into_iter().chain([(0, Action::request(sid.clone(), "disabled"))]).collect()
            }
            Self::StartFails => failing_start(sid, AgentFault::Fails),
            Self::StartDies => failing_start(sid, AgentFault::Dies),
            Self::StopCommand => vec![(0, command(format!("stop {sid} 0")))],
            _ => self.steps_around(cast),
        }
    }

    /// The same, where it is about what runs around the daemons.
    #[allow(clippy::wildcard_enum_match_arm, reason = "it is called for a few windows")]
    fn steps_around(self, cast: &Cast) -> Vec<Step> {
        let Cast { subject, target, sid, .. } = cast;
        let node = || subject.clone();
        let command = |line: String| Action::Command { line };
        match self {
            Self::StopUntold => vec![
                (-1, untold(sid, Operation::CheckRunning)),
                (0, Action::request(sid.clone(), "stopped")),
                (12, Action::request(sid.clone(), "started")),
            ],
            Self::MoveUntold => {
                vec![(-1, untold(sid, Operation::Locate)), (0, command(format!("relocate {sid} {target}")))]
            }
            Self::StartUntold => {
                vec![(-1, untold(sid, Operation::CheckRunning)), (0, Action::Crash { sid: sid.clone() })]
            }
            Self::StartHangs => {
                let hangs = failing_start(sid, AgentFault::Slow);
                [(-1, Action::Unendable { sid: sid.clone(), times: 1 })].into_iter().chain(hangs).collect()
            }
            Self::RestartAndShutdown => {
                [(0, Action::RestartLrm { node: node() })].into_iter().chain(goes_down(subject, 0)).collect()
            }
            Self::ConfirmedDown => {
                vec![
                    (0, Action::PowerOff { node: node() }),
                    (7, Action::ConfirmFenced { node: node() }),
                    (25, on(subject)),
                ]
            }
            Self::DisarmAndLoss => {
                vec![
                    (-8, command("disarm-ha freeze".to_owned())),
                    (-3, Action::PowerOff { node: node() }),
                    (0, command("arm-ha".to_owned())),
                    (25, on(subject)),
                ]
            }
            Self::FullStore => vec![
                (0, Action::StoreFull { full: true }),
                (1, Action::Reboot { node: node() }),
                (10, Action::StoreFull { full: false }),
            ],
            Self::BootedMeanwhile => booted_meanwhile(subject),
            Self::LeftBehind => vec![
                (0, Action::LeaveBehind { sid: sid.clone(), times: 3 }),
                (0, command(format!("relocate {sid} {target}"))),
            ],
            _ => self.of_fence_device(cast),
        }
    }

    /// The device's answer comes when the node is already back; later the master does not hear the node, although it works. Or the device
    /// itself would act only once the node is back.
    fn of_fence_device(self, cast: &Cast) -> Vec<Step> {
        let subject = &cast.subject;
        let device = |behaviour| Action::Device { name: "d1".to_owned(), behaviour };
        let connect = |connected| Action::Network { node: subject.clone(), connected };
        let unheard = |others| Action::Unheard { node: node_name(1), others };
        if self == Self::SlowFenceDevice {
            let (slow, works) = (device(DeviceBehaviour::Slow), device(DeviceBehaviour::Works));
            return vec![(-1, slow), (0, connect(false)), (8, connect(true)), (8, on(subject)), (16, works)];
        }
        vec![
            (-23, device(DeviceBehaviour::Late)),
            (-22, connect(false)),
            (-14, connect(true)),
            (-14, on(subject)),
            (-12, device(DeviceBehaviour::Hangs)),
            (-8, Action::Command { line: format!("migrate {} {subject}", cast.added) }),
            (-4, unheard([subject.clone()].into())),
            (16, unheard(BTreeSet::new())),
            (17, device(DeviceBehaviour::Works)),
        ]
    }
}

/// While the master writes that a node must be fenced, the node is up again and works, since it has not read that.
fn booted_meanwhile(node: &NodeName) -> Vec<Step> {
    let stalls = Disturbance {
        node: node_name(1),
        daemon: DaemonKind::Crm,
        operation: Some(HostOperation::WriteManagerStatus),
        skip: 0,
        fault: Fault::Stalls(25_000),
    };
    vec![(0, Action::PowerOff { node: node.clone() }), (4, on(node)), (5, Action::Disturb(stalls))]
}

fn on(node: &NodeName) -> Action {
    Action::PowerOn { node: node.clone() }
}

fn untold(sid: &ServiceId, operation: Operation) -> Action {
    Action::agent_fails(sid.clone(), operation, AgentFault::Fails, 2)
}

fn enable(node: &NodeName) -> Action {
    Action::Command { line: format!("enable-node-maintenance {node}") }
}

fn disable(node: &NodeName) -> Action {
    Action::Command { line: format!("disable-node-maintenance {node}") }
}

fn goes_down(node: &NodeName, at: i32) -> Vec<Step> {
    let up = Action::PowerOn { node: node.clone() };
    vec![(at, Action::Shutdown { node: node.clone() }), (at.saturating_add(25), up)]
}

/// A service must be stopped, and can't be.
fn failing_stop(sid: &ServiceId, at: i32) -> Vec<Step> {
    let fails = Action::agent_fails(sid.clone(), Operation::Stop, AgentFault::Fails, 4);
    vec![(at.saturating_sub(1), fails), (at, Action::request(sid.clone(), "stopped"))]
}

/// A service ends by itself, and its start goes wrong.
fn failing_start(sid: &ServiceId, fault: AgentFault) -> Vec<Step> {
    vec![(-1, Action::agent_fails(sid.clone(), Operation::Start, fault, 3)), (0, Action::Crash { sid: sid.clone() })]
}
