//! What a person sees of a service.

use alloc::{
    collections::BTreeSet,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{Liveness, MasterView, ViewInput};
use crate::{
    config::{RequestedState, Resource},
    id::{NodeName, ServiceId},
    manager::Traffic,
    status::{
        DisarmMode, FailbackWait, ManagerStatus, NodeState, NotUnderstood, Readiness, ServiceEntry, ServiceNote,
        ServiceState, StateName, Timestamp, UtcTime,
    },
};

/// A service: what is asked for it, what is recorded, and what is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceView {
    /// The service.
    pub sid: ServiceId,
    /// The node whose LRM looks after it; for one without an entry in the manager status, the node where it is.
    pub node: Option<NodeName>,
    /// What is shown for it.
    pub shown: ShownState,
    /// What is asked for; `None` if it is not configured.
    pub requested: Option<RequestedState>,
    /// Its recorded state; `None` if the master has not taken it up.
    pub state: Option<StateName>,
    /// The node that it moves to.
    pub target: Option<NodeName>,
    /// What a person can do, where services get stuck.
    pub advice: Option<Advice>,
    /// Whether automatic balancing must leave it alone, and what must stay together with it.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub balancing_off: bool,
    /// What is wrong with what is recorded of it, where that can't be understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The lock of its guest that its job waits for, where the host can tell which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Since when its job waits for a lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked_since: Option<Timestamp>,
    /// Its job that takes longer than it may and is not known to be gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hangs: Option<StateName>,
    /// When that job was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hangs_since: Option<Timestamp>,
    /// That it waits for others that come first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<StartWait>,
    /// Those that start before it does, while as many start as may at once in the whole cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub starts_after: Vec<ServiceId>,
    /// Those that move before it does, while as many move as may at once in the whole cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves_after: Vec<ServiceId>,
    /// Those with which it shares its node though a rule would have them apart: there is no other place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares_with: Vec<ServiceId>,
    /// When its failed starts count no more, and it is tried again if it is in `error` for them; later if its node is not online then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures_expire: Option<Timestamp>,
    /// That it waits to go back to a node that came back lately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goes_back: Option<GoingBack>,
    /// How often it ended by itself and was started again, since it was last stopped on purpose or came to its node.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u64,
    /// When it was found ended, the last ten times at most, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restart_times: Vec<Timestamp>,
    /// When it will be started again, while that waits because it ended too often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_restart: Option<Timestamp>,
    /// Whether it is ready, if it runs and has a probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Readiness>,
    /// Since when that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness_since: Option<Timestamp>,
    /// Why it was not ready when it was last asked, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_ready: Option<String>,
}

/// The word that is shown for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShownState {
    /// HA is disarmed, or being disarmed, in mode `ignore`: no service is tracked.
    Ignore,
    /// It is no longer configured; the master will drop it.
    Deleting,
    /// It must be treated as if it were not managed.
    Ignored,
    /// It is configured but does not exist.
    NotFound,
    /// The master has not taken it up yet.
    Queued,
    /// To be started, or not yet known to run, or not ready yet by its probe.
    Starting,
    /// To be started once others are up that come first.
    Waiting,
    /// It runs, and was not ready in time after its start, or is no longer, by its probe.
    NotReady,
    /// Stopped, and to be left alone.
    Disabled,
    /// Still started, but to be stopped.
    Stopping,
    /// In state `error`, which is about to be cleared.
    ClearingErrorFlag,
    /// What is recorded of it can't be understood: it is left alone, and may run.
    NotUnderstood,
    /// None of these: its recorded state.
    Recorded(StateName),
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl ShownState {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Deleting => "deleting",
            Self::Ignored => "ignored",
            Self::NotFound => "not found",
            Self::Queued => "queued",
            Self::Starting => "starting",
            Self::Waiting => "waiting",
            Self::NotReady => "not ready",
            Self::Disabled => "disabled",
            Self::Stopping => "stopping",
            Self::ClearingErrorFlag => "clearing error flag",
            Self::NotUnderstood => "not understood",
            Self::Recorded(state) => state.as_str(),
        }
    }
}

impl fmt::Display for ShownState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for ShownState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a person can do about a service that is stuck, or seems to be.
///
/// Serialises as an object with the `code`, for programs, and the `text`, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Advice {
    /// `not found`: the guest was deleted before its service.
    RemoveOrRestore,
    /// `deleting`, with a master at work.
    WaitForMaster,
    /// `deleting`, and no master is at work.
    BringUpMaster,
    /// `deleting`, while HA is disarmed or being disarmed.
    Arm,
    /// `error`.
    RequestDisabled,
    /// `error`, with the guest on another node than recorded: a move of it ended but was not reported, or people moved it.
    AcceptLocation,
    /// `recovery`, which is left at once when there is a node.
    MakeNodeAvailable,
    /// `freeze` on a node that is not online: its LRM ends that, or fencing once the node is overdue.
    BringNodeBack,
    /// `not understood`: only a person can tell what it does.
    RepairStatus,
    /// Down, since its node was lost while HA is disarmed, or being disarmed: nothing recovers it.
    ArmToRecover,
    /// `fence`: it waits until its node is known to be down.
    ConfirmFenced,
    /// `stopped` or `disabled`, but nobody has seen it stopped since it was in `error`.
    SeeWhyItRuns,
}

impl Advice {
    /// A stable word for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::RemoveOrRestore => "remove_or_restore",
            Self::WaitForMaster => "wait_for_master",
            Self::BringUpMaster => "bring_up_master",
            Self::Arm => "arm",
            Self::RequestDisabled => "request_disabled",
            Self::AcceptLocation => "accept_location",
            Self::MakeNodeAvailable => "make_node_available",
            Self::BringNodeBack => "bring_node_back",
            Self::RepairStatus => "repair_status",
            Self::ArmToRecover => "arm_to_recover",
            Self::ConfirmFenced => "confirm_fenced",
            Self::SeeWhyItRuns => "see_why_it_runs",
        }
    }

    /// A sentence or two for people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::RemoveOrRestore => {
                "It no longer exists. Remove the service from the HA configuration, which works without it, or restore it."
            }
            Self::WaitForMaster => {
                "It is no longer in the HA configuration. Nothing to do: the master drops it in its next round."
            }
            Self::BringUpMaster => {
                "It is no longer in the HA configuration, but there is no master to drop it. Make sure that the cluster has quorum and that the CRM runs."
            }
            Self::Arm => {
                "It is no longer in the HA configuration, but nothing is dropped while HA is disarmed. Arm HA again."
            }
            Self::RequestDisabled => {
                "Find out why it failed and repair it. Then request the state 'disabled' to clear the error, and after that 'started'."
            }
            Self::AcceptLocation => {
                "Its guest is on another node than recorded: a move ended but was not reported, or somebody moved it. Make sure that it is all right there. Then request the state 'disabled', and after that 'started': it goes on where it is."
            }
            Self::MakeNodeAvailable => {
                "No node can take it. Bring a node online that its rules allow, or change the rules: it is tried again every round. Request the state 'disabled' to give up."
            }
            Self::BringNodeBack => {
                "Its node does not answer. It goes on when the node is back. A node that went down with its services frozen is waited for; any other one is fenced when it is overdue, and the service is recovered elsewhere."
            }
            Self::ArmToRecover => {
                "It is down: its node was lost while HA is disarmed, and nothing is recovered meanwhile. Arm HA again, or bring the node back."
            }
            Self::ConfirmFenced => {
                "It waits until its node is known to be down: by the node's lock, by a fence device, or by its return from another boot. If that does not come about, make sure that the node is off, then confirm it with the command 'confirm-fenced'."
            }
            Self::RepairStatus => {
                "What is recorded of it can't be understood, so it is left alone; it may run. Find out where it runs, and have the manager status repaired while no master is at work."
            }
            Self::SeeWhyItRuns => {
                "It may still run: nobody has seen it stopped since it was in 'error'. The LRM of its node goes on trying to stop it. If that fails, stop it by hand."
            }
        }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

impl Serialize for Advice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut advice = serializer.serialize_struct("Advice", 2)?;
        advice.serialize_field("code", self.code())?;
        advice.serialize_field("text", self.text())?;
        advice.end()
    }
}

/// All services: those of the manager status, then those only configured, each by SID.
pub(super) fn service_views(input: &ViewInput<'_>, master: &MasterView) -> Vec<ServiceView> {
    let (manager, resources) = (&input.manager.services, &input.resources.resources);
    let not_understood: BTreeSet<ServiceId> =
        input.manager.not_understood.iter().filter_map(|entry| entry.sid().parse().ok()).collect();
    let is_recorded = |sid: &ServiceId| manager.contains(sid) || not_understood.contains(sid);
    let mut only_configured: Vec<_> = resources.keys().filter(|sid| !is_recorded(sid)).collect();
    only_configured.sort_unstable();
    let mut recorded: Vec<_> = manager.iter().map(|(sid, _)| sid).chain(&not_understood).collect();
    if !not_understood.is_empty() {
        recorded.sort_unstable();
        recorded.dedup();
    }
    let ahead = Ahead::of(input.manager);
    recorded.into_iter().chain(only_configured).map(|sid| Service::new(sid, input, &ahead).view(master)).collect()
}

/// What starts and moves now, where other services wait for that.
#[derive(Default)]
struct Ahead {
    starting: Vec<ServiceId>,
    moving: Vec<ServiceId>,
}

impl Ahead {
    fn of(manager: &ManagerStatus) -> Self {
        let mut ahead = Self::default();
        if manager.waiting_starts.is_empty() && manager.waiting_moves.is_empty() {
            return ahead;
        }
        for (sid, entry) in manager.services.iter() {
            match Traffic::of(&entry.state) {
                Some(Traffic::Start) => ahead.starting.push(sid.clone()),
                Some(Traffic::Move) => ahead.moving.push(sid.clone()),
                None => {}
            }
        }
        ahead
    }
}

/// With which others a service shares its node though a rule would have them apart.
fn shares_with(sid: &ServiceId, manager: &ManagerStatus) -> Vec<ServiceId> {
    let node_of = |sid: &ServiceId| manager.services.get(sid).map(|entry| &entry.node);
    let rules = manager.sharing.values().filter(|services| services.contains(sid));
    let is_with = |other: &&ServiceId| *other != sid && node_of(other) == node_of(sid);
    let others: BTreeSet<&ServiceId> = rules.flatten().filter(is_with).collect();
    others.into_iter().cloned().collect()
}

/// Where a service is.
#[derive(Clone, Copy)]
enum Location<'a> {
    /// There.
    Known(&'a NodeName),
    /// Nowhere: it does not exist.
    Nowhere,
    /// The host can't tell.
    Untold,
}

impl<'a> Location<'a> {
    fn of(sid: &ServiceId, input: &ViewInput<'a>) -> Self {
        match input.locations.map(|locations| locations.get(sid)) {
            Some(Some(node)) => Self::Known(node),
            Some(None) => Self::Nowhere,
            None => Self::Untold,
        }
    }
}

/// A service waits for others that come first by an order rule. Displays as what follows the word `waiting`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StartWait {
    /// Those that are not up; none if they only have to be up for longer.
    pub waits_for: Vec<ServiceId>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When it is started if nothing changes; nothing if it waits without end.
    pub until: Option<Timestamp>,
}

impl StartWait {
    /// That a service waits, by the manager status.
    ///
    /// What masters count is how long it is: for people it becomes a time, by the clock of the record.
    #[must_use]
    pub fn of(sid: &ServiceId, manager: &ManagerStatus) -> Option<Self> {
        let start = manager.ordered.get(sid)?;
        let waited = start.waited?;
        let is_stopped = manager.services.get(sid).is_some_and(|entry| entry.state == ServiceState::Stopped);
        let written = manager.timestamp;
        is_stopped.then(|| Self {
            waits_for: start.waits_for.clone(),
            since: written.map(|written| written.saturating_sub_unsigned(waited.into())),
            until: start.left.and_then(|left| Some(written?.saturating_add_unsigned(left.into()))),
        })
    }
}

impl fmt::Display for StartWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "for ";
        for sid in &self.waits_for {
            write!(f, "{separator}{sid}")?;
            separator = ", ";
        }
        f.write_str(if self.waits_for.is_empty() { "for its delay" } else { " (ready)" })?;
        self.since.map_or(Ok(()), |since| write!(f, " since {}", UtcTime(since)))?;
        self.until.map_or(Ok(()), |until| write!(f, ", until {} at the latest", UtcTime(until)))
    }
}

/// A service waits to go back to a node of higher priority that came back lately. Displays as what follows the service's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoingBack {
    /// That node.
    pub node: NodeName,
    /// When it goes back, if that node stays well.
    pub at: Option<Timestamp>,
}

impl GoingBack {
    /// That a service waits to go back, by the manager status.
    #[must_use]
    pub fn of(sid: &ServiceId, manager: &ManagerStatus) -> Option<Self> {
        let FailbackWait { node, left, .. } = manager.waiting_failbacks.get(sid)?;
        let at = manager.timestamp.map(|written| written.saturating_add_unsigned((*left).into()));
        Some(Self { node: node.clone(), at })
    }
}

impl fmt::Display for GoingBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "goes back to {}", self.node)?;
        self.at.map_or(Ok(()), |at| write!(f, " at {}", UtcTime(at)))?;
        f.write_str(" if that stays well (failback-delay)")
    }
}

/// When the failed starts of a service count no more, if they ever do.
fn failures_expire(sid: &ServiceId, input: &ViewInput<'_>) -> Option<Timestamp> {
    let age = input.manager.start_failures.get(sid)?;
    let timeout = input.resources.resources.get(sid)?.failure_timeout()?;
    let written = input.manager.timestamp?;
    Some(written.saturating_add(timeout.saturating_sub(*age).into()))
}

/// What is known of a service.
struct Service<'a> {
    sid: &'a ServiceId,
    entry: Option<&'a ServiceEntry>,
    resource: Option<&'a Resource>,
    location: Location<'a>,
    /// The recorded state of the node that is responsible for it.
    node_state: Option<NodeState>,
    /// Whether it may run though it is in `error` or `stopped`.
    may_run: bool,
    /// That it waits for others that come first.
    wait: Option<StartWait>,
    /// When its failed starts count no more.
    failures_expire: Option<Timestamp>,
    /// That it waits to go back.
    goes_back: Option<GoingBack>,
    /// Those that start, if it waits for that, and those that move.
    starts_after: &'a [ServiceId],
    moves_after: &'a [ServiceId],
    shares_with: Vec<ServiceId>,
    /// What is wrong with its entry, where that can't be understood.
    problem: Option<&'a NotUnderstood>,
    /// What the LRM of its node says of it now.
    note: Option<&'a ServiceNote>,
}

impl<'a> Service<'a> {
    fn new(sid: &'a ServiceId, input: &ViewInput<'a>, ahead: &'a Ahead) -> Self {
        let ManagerStatus { waiting_starts, waiting_moves, .. } = input.manager;
        let entry = input.manager.services.get(sid);
        let record = entry.and_then(|entry| input.lrms.get(&entry.node).copied().flatten());
        let record = record.filter(|record| Liveness::of_record(record.timestamp, input.now).is_fresh());
        Self {
            sid,
            entry,
            resource: input.resources.resources.get(sid),
            location: Location::of(sid, input),
            node_state: entry.and_then(|entry| input.manager.nodes.get(&entry.node)).copied(),
            may_run: input.manager.may_run.contains(sid),
            wait: StartWait::of(sid, input.manager),
            failures_expire: failures_expire(sid, input),
            goes_back: GoingBack::of(sid, input.manager),
            starts_after: if waiting_starts.contains(sid) { &ahead.starting } else { &[] },
            moves_after: if waiting_moves.contains(sid) { &ahead.moving } else { &[] },
            shares_with: shares_with(sid, input.manager),
            problem: input.manager.problem_of(sid),
            note: record.and_then(|record| record.services.get(sid)),
        }
    }

    fn view(&self, master: &MasterView) -> ServiceView {
        let shown = match master.disarm.map(|disarm| disarm.mode) {
            Some(DisarmMode::Ignore) => ShownState::Ignore,
            Some(DisarmMode::Freeze) | None => self.shown(),
        };
        ServiceView {
            sid: self.sid.clone(),
            node: self.node().cloned(),
            shown,
            requested: self.resource.map(Resource::state),
            state: self.entry.map(|entry| entry.state.name()),
            target: self.entry.and_then(|entry| entry.state.target()).cloned(),
            advice: self.advice(shown, master),
            balancing_off: self.resource.is_some_and(|resource| !resource.auto_rebalance()),
            problem: self.problem.map(ToString::to_string),
            lock: self.note.and_then(|note| note.lock.clone()),
            locked_since: self.note.and_then(|note| note.locked_since),
            hangs: self.note.and_then(|note| note.hangs),
            hangs_since: self.note.and_then(|note| note.hangs_since),
            waits: self.wait.clone(),
            starts_after: self.starts_after.to_vec(),
            moves_after: self.moves_after.to_vec(),
            shares_with: self.shares_with.clone(),
            failures_expire: self.failures_expire,
            goes_back: self.goes_back.clone(),
            restarts: self.note.map_or(0, |note| note.restarts),
            restart_times: self.note.map(|note| note.restart_times.clone()).unwrap_or_default(),
            next_restart: self.note.and_then(|note| note.next_restart),
            readiness: self.readiness(),
            readiness_since: self.note.and_then(|note| note.readiness_since),
            not_ready: self.note.and_then(|note| note.not_ready.clone()),
        }
    }

    fn node(&self) -> Option<&NodeName> {
        match (self.entry, self.location) {
            (Some(entry), _) => Some(&entry.node),
            (None, Location::Known(node)) => Some(node),
            (None, Location::Nowhere | Location::Untold) => None,
        }
    }

    /// Whether the guest is on another node than recorded.
    fn is_elsewhere(&self) -> bool {
        matches!((self.entry, self.location), (Some(entry), Location::Known(node)) if entry.node != *node)
    }

    fn shown(&self) -> ShownState {
        if self.problem.is_some() {
            return ShownState::NotUnderstood;
        }
        let Some(resource) = self.resource else { return ShownState::Deleting };
        match (resource.state(), self.location, self.entry) {
            (RequestedState::Ignored, ..) => ShownState::Ignored,
            (_, Location::Nowhere, _) => ShownState::NotFound,
            (_, _, None) => ShownState::Queued,
            (requested, _, Some(entry)) => match (shown_state(&entry.state, requested), self.readiness()) {
                (ShownState::Starting, _) if self.wait.is_some() => ShownState::Waiting,
                (ShownState::Recorded(StateName::Started), Some(Readiness::Starting)) => ShownState::Starting,
                (ShownState::Recorded(StateName::Started), Some(Readiness::NotReady)) => ShownState::NotReady,
                (shown, _) => shown,
            },
        }
    }

    fn readiness(&self) -> Option<Readiness> {
        self.note.and_then(|note| note.readiness)
    }

    fn advice(&self, shown: ShownState, master: &MasterView) -> Option<Advice> {
        if self.may_run && matches!(shown, ShownState::Disabled | ShownState::Recorded(StateName::Stopped)) {
            return Some(Advice::SeeWhyItRuns);
        }
        if self.is_elsewhere() && shown == ShownState::Recorded(StateName::Error) {
            return Some(Advice::AcceptLocation);
        }
        // It waits for others, whatever nodes there are.
        if !self.starts_after.is_empty() && shown == ShownState::Recorded(StateName::Recovery) {
            return None;
        }
        advice(shown, master, self.node_state)
    }
}

fn shown_state(state: &ServiceState, requested: RequestedState) -> ShownState {
    match (state, requested) {
        (ServiceState::Stopped, RequestedState::Started) => ShownState::Starting,
        (ServiceState::Stopped, RequestedState::Disabled) => ShownState::Disabled,
        (ServiceState::Started { .. }, RequestedState::Stopped | RequestedState::Disabled) => ShownState::Stopping,
        (ServiceState::Started { confirmed: false }, _) => ShownState::Starting,
        (ServiceState::Error, RequestedState::Disabled) => ShownState::ClearingErrorFlag,
        (state, _) => ShownState::Recorded(state.name()),
    }
}

/// Whether the node that is responsible is known to the master, and does not answer.
fn is_lost(node: Option<NodeState>) -> bool {
    match node {
        Some(NodeState::Unknown | NodeState::Fence | NodeState::Gone) => true,
        Some(NodeState::Online | NodeState::Maintenance) | None => false,
    }
}

fn advice(shown: ShownState, master: &MasterView, node_state: Option<NodeState>) -> Option<Advice> {
    match shown {
        ShownState::NotFound => Some(Advice::RemoveOrRestore),
        ShownState::Deleting if master.disarm.is_some() => Some(Advice::Arm),
        ShownState::Deleting if master.liveness.is_fresh() => Some(Advice::WaitForMaster),
        ShownState::Deleting => Some(Advice::BringUpMaster),
        ShownState::Recorded(StateName::Error) => Some(Advice::RequestDisabled),
        ShownState::Recorded(StateName::Recovery) => Some(Advice::MakeNodeAvailable),
        ShownState::Recorded(StateName::Fence) => Some(Advice::ConfirmFenced),
        ShownState::Recorded(StateName::Freeze) | ShownState::Ignore
            if master.disarm.is_some() && is_lost(node_state) =>
        {
            Some(Advice::ArmToRecover)
        }
        ShownState::Recorded(StateName::Freeze) if is_lost(node_state) => Some(Advice::BringNodeBack),
        ShownState::Recorded(
            StateName::Stopped
            | StateName::RequestStop
            | StateName::RequestStart
            | StateName::RequestStartBalance
            | StateName::Started
            | StateName::Migrate
            | StateName::Relocate
            | StateName::Freeze,
        )
        | ShownState::Ignore
        | ShownState::Ignored
        | ShownState::Queued
        | ShownState::Starting
        | ShownState::Waiting
        | ShownState::NotReady
        | ShownState::Disabled
        | ShownState::Stopping
        | ShownState::ClearingErrorFlag => None,
        ShownState::NotUnderstood => Some(Advice::RepairStatus),
    }
}
