//! Everything that happens, as one enum.
//!
//! Events are data: they serialise for machines (`{"event": "service_state", …}`), display as a sentence for people, and
//! nothing is ever decided from their text. Names and fields are promises.

mod display;
mod operation;
mod severity;
mod why;
mod words;

pub use operation::HostOperation;
pub use severity::Severity;
pub use why::Why;
pub use words::{
    AgentOperation, DaemonState, IgnoreReason, MigrationObstacle, MoveBackReason, MoveCause, MoveIgnoreReason,
    NoEffectReason, NodeRecord, RejectionReason, RemovalReason, ShutdownKind, ShutdownMode,
};

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    config::{
        datacenter::{SchedulerMode, ShutdownPolicy},
        resources::OnFailure,
    },
    id::{FailureDomain, NodeName, RuleId, ServiceId},
    lock::Lock,
    rules::Reason,
    status::{DisarmState, Motion, NodeState, StateName},
};

fn is_false(value: &bool) -> bool {
    !value
}

fn two_decimals<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(libm::round(value * 100.0) / 100.0)
}

/// Something that happened.
///
/// The recorded scenarios know most of these; [`Event::is_recorded`] tells which. The others report what the recorded
/// behaviour leaves unsaid: why a host's call failed, why a rule takes no part, why nothing was moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A daemon changed its state.
    DaemonState {
        /// The old state.
        from: DaemonState,
        /// The new one.
        to: DaemonState,
    },
    /// A free or expired lock was taken. Renewing one is silent.
    LockAcquired {
        /// Which.
        lock: Lock,
    },
    /// A round was skipped, since the view of the cluster could not be brought up to date.
    RoundSkippedStaleClusterState,
    /// An error ended a manager round.
    RoundFailed {
        /// Which call of the host failed, and how.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The CRM was asked to stop.
    CrmShutdownRequested,
    /// The CRM let go of the manager lock, so that another can take over at once.
    ManagerLockReleased,
    /// The manager status could not be read.
    ManagerStatusUnreadable {
        /// Why not, in the host's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The master sees a node in another state than before.
    NodeState {
        /// The node.
        node: NodeName,
        /// The old state.
        from: NodeState,
        /// The new one.
        to: NodeState,
    },
    /// A node that left the cluster long ago was forgotten.
    NodeForgotten {
        /// The node.
        node: NodeName,
    },
    /// A configured service is managed from now on.
    ServiceAdded {
        /// The service.
        sid: ServiceId,
        /// Where it is.
        node: NodeName,
    },
    /// A service is not managed any more.
    ServiceRemoved {
        /// The service.
        sid: ServiceId,
        /// Why.
        reason: RemovalReason,
    },
    /// A configured service is not managed yet, since its guest is on no node.
    ServiceNotFound {
        /// The service.
        sid: ServiceId,
    },
    /// What is recorded of a service can't be understood: the entry is kept as it is, and the service is left alone.
    ServiceNotUnderstood {
        /// The name of the entry; it may be no service id.
        sid: String,
        /// The field at fault, such as `node` or `failed_nodes.1`; empty for the entry as a whole.
        field: String,
        /// What is wrong with it, and what was expected.
        reason: String,
    },
    /// A service shall be in another state.
    ServiceState {
        /// The service.
        sid: ServiceId,
        /// The old state.
        from: StateName,
        /// The new one.
        to: StateName,
        /// The node that is responsible now, where the change says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<NodeName>,
        /// Where it moves to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<NodeName>,
        /// Seconds that its stop may take.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout: Option<u32>,
    },
    /// A node must be fenced: the first notification.
    NotifyFenceStarted {
        /// The node.
        node: NodeName,
    },
    /// A node was fenced: the second notification.
    NotifyFenceSucceeded {
        /// The node.
        node: NodeName,
    },
    /// A node is known to be down, since the master has its lock, or a fence device says so.
    FenceAcknowledged {
        /// The node.
        node: NodeName,
    },
    /// A node that is gone is not fenced: its services may run without a watchdog, so that its lock proves nothing. They wait
    /// for it to come back, or for a person.
    NodeNotFenced {
        /// The node.
        node: NodeName,
    },
    /// A node is being fenced though no service is waiting for it.
    FenceWithoutServices {
        /// The node.
        node: NodeName,
    },
    /// A fence device turned a node off.
    FenceDeviceSucceeded {
        /// The node.
        node: NodeName,
        /// Which of its devices, counted from 0.
        attempt: u32,
    },
    /// A fence device failed; the next one is tried.
    FenceDeviceFailed {
        /// The node.
        node: NodeName,
        /// Which of its devices, counted from 0.
        attempt: u32,
    },
    /// No fence device is left for a node that needs one: it stays in state `fence`, and its services wait.
    FenceDevicesExhausted {
        /// The node.
        node: NodeName,
    },
    /// A node that must be fenced reports from another boot of the same machine: what ran on it before is gone.
    FencedNodeRebooted {
        /// The node.
        node: NodeName,
    },
    /// A node that was to be fenced is back: its services stay with it, and it is not fenced.
    FencedNodeReturned {
        /// The node.
        node: NodeName,
    },
    /// A person has confirmed that a node which must be fenced is down.
    FenceConfirmed {
        /// The node.
        node: NodeName,
        /// Who says so, if the command names somebody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A new node was found for a service whose node was fenced.
    ServiceRecovered {
        /// The service.
        sid: ServiceId,
        /// The fenced node.
        from: NodeName,
        /// The new one; the same where it is recovered in place.
        to: NodeName,
    },
    /// No node was found for a service whose node was fenced. It is tried again.
    RecoveryFailed {
        /// The service.
        sid: ServiceId,
        /// The fenced node.
        node: NodeName,
    },
    /// A guest lock that the fenced node left behind was removed.
    ServiceLockRemoved {
        /// The lock's name.
        lock: String,
        /// The service.
        sid: ServiceId,
    },
    /// A started service begins to move.
    ServiceMove {
        /// The service.
        sid: ServiceId,
        /// Where to.
        target: NodeName,
        /// What made it move.
        cause: MoveCause,
        /// How.
        task: Motion,
    },
    /// A move was dropped, since its target is not online or is where the service is.
    MoveIgnored {
        /// The service.
        sid: ServiceId,
        /// Where it was to go.
        target: NodeName,
        /// How.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<Motion>,
        /// Why it was dropped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<MoveIgnoreReason>,
    },
    /// A stop was dropped: the service is stopped.
    StopIgnored {
        /// The service.
        sid: ServiceId,
    },
    /// A service was told to stop.
    StopRequested {
        /// The service.
        sid: ServiceId,
        /// Seconds that it may take.
        timeout: u32,
    },
    /// A service started after it had failed to.
    RelocationSucceeded {
        /// The service.
        sid: ServiceId,
        /// Where it runs.
        node: NodeName,
        /// Where it had failed, in order.
        failed_nodes: Vec<NodeName>,
    },
    /// A service failed to start; another node is looked for.
    StartFailedRelocating {
        /// The service.
        sid: ServiceId,
        /// Where it failed.
        node: NodeName,
    },
    /// A service failed to start as often as it may.
    RelocationExhausted {
        /// The service.
        sid: ServiceId,
        /// Where it failed, in order.
        failed_nodes: Vec<NodeName>,
    },
    /// Failed starts of a service count no more: none has failed for the time that is configured.
    StartFailuresExpired {
        /// The service.
        sid: ServiceId,
        /// Where they failed, in order.
        failed_nodes: Vec<NodeName>,
        /// Whether it was in `error` for them, and is tried again.
        tried_again: bool,
    },
    /// A service is not started yet, since it comes after others by an order rule.
    StartWaits {
        /// The service.
        sid: ServiceId,
        /// Those that come first and are not up; none if they only have to be up for longer.
        waits_for: Vec<ServiceId>,
        /// After how many seconds it is started if nothing changes; `None` if it waits without end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<u32>,
    },
    /// A service is started though others that come first are not up: they were waited for as long as the order rule says.
    StartWaitedEnough {
        /// The service.
        sid: ServiceId,
        /// Those that are not up.
        missing: Vec<ServiceId>,
        /// For how many seconds it has waited.
        waited: u32,
    },
    /// A service has waited for others that come first for longer than the timeout of a strict order rule, and waits on.
    StartWaitsLong {
        /// The service.
        sid: ServiceId,
        /// Those that are not up.
        waits_for: Vec<ServiceId>,
        /// For how many seconds it has waited.
        waited: u32,
    },
    /// Order rules are not in force: a node does not know them.
    OrderRulesNotInForce {
        /// The node.
        node: NodeName,
        /// The version of its software.
        version: String,
    },
    /// Rules with `strict 0` that keep services apart are taken as strict ones: a node knows no others.
    ApartRulesNotInForce {
        /// The node.
        node: NodeName,
        /// The version of its software.
        version: String,
    },
    /// Services share a node that a loose rule would have apart.
    SharingBegun {
        /// The rule.
        rule: RuleId,
        /// The node.
        node: NodeName,
        /// The services.
        services: Vec<ServiceId>,
    },
    /// Rules with `spread` keep services apart by node: a node knows no failure domains.
    SpreadRulesNotInForce {
        /// The node.
        node: NodeName,
        /// The version of its software.
        version: String,
    },
    /// Services are in one failure domain that a loose rule with `spread` would have apart.
    DomainSharingBegun {
        /// The rule.
        rule: RuleId,
        /// The failure domain.
        domain: FailureDomain,
        /// The services.
        services: Vec<ServiceId>,
    },
    /// Services do not share a node, or a failure domain, any more that a loose rule would have apart.
    SharingEnded {
        /// The rule.
        rule: RuleId,
        /// The services.
        services: Vec<ServiceId>,
    },
    /// A move that was asked for brings a service to others from which it should rather be apart.
    MoveBringsTogether {
        /// The service.
        sid: ServiceId,
        /// Where it goes.
        node: NodeName,
        /// The rule that would have them apart.
        rule: RuleId,
        /// The services there.
        with: Vec<ServiceId>,
    },
    /// A service waits to be started: as many start already as may at once in the whole cluster.
    StartHeldBack {
        /// The service.
        sid: ServiceId,
        /// How many may start at once.
        max: u32,
    },
    /// A service waits to be moved: as many move already as may at once in the whole cluster.
    MoveHeldBack {
        /// The service.
        sid: ServiceId,
        /// How many may move at once.
        max: u32,
    },
    /// A service stays where it is for now: the node of higher priority that it would go back to has not been well for long enough.
    FailbackDelayed {
        /// The service.
        sid: ServiceId,
        /// The node that it waits for.
        node: NodeName,
        /// In how many seconds it goes back, if that node stays well.
        seconds: u32,
    },
    /// A node was fenced again and again: it takes no new services for a time, as long as there are others for them.
    NodeHeld {
        /// The node.
        node: NodeName,
        /// For how many seconds, from when it is there.
        seconds: u32,
        /// How often it has come to that in a row.
        holds: u32,
    },
    /// A node takes new services again.
    NodeHoldOver {
        /// The node.
        node: NodeName,
    },
    /// It was asked for that a node takes new services, however often it was fenced.
    FencingsCleared {
        /// The node.
        node: NodeName,
        /// Who asked for that, if the command named somebody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A service goes to a node that takes no new services, or starts there.
    HeldNodeTaken {
        /// The service.
        sid: ServiceId,
        /// The node.
        node: NodeName,
        /// The service that it must be together with there; without one no other node is left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        with: Option<ServiceId>,
    },
    /// A move that was asked for brings a service to a node that takes no new services.
    MoveToHeldNode {
        /// The service.
        sid: ServiceId,
        /// Where it goes.
        node: NodeName,
        /// For how many seconds more that takes none.
        seconds: u32,
    },
    /// A service failed to start on every node that it may use; it starts again where it is.
    AllNodesTried {
        /// The service.
        sid: ServiceId,
        /// Where it failed, in order.
        failed_nodes: Vec<NodeName>,
    },
    /// A start ended in a way that no retry mends.
    ServiceUnrecoverable {
        /// The service.
        sid: ServiceId,
        /// How the start ended.
        exit_code: i32,
        /// The node on which it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<NodeName>,
        /// The node that holds the guest, if the host can tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guest_node: Option<NodeName>,
    },
    /// A service could not be stopped.
    StopFailed {
        /// The service.
        sid: ServiceId,
        /// How the stop ended.
        exit_code: i32,
        /// The node on which it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<NodeName>,
        /// The node that holds the guest, if the host can tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guest_node: Option<NodeName>,
    },
    /// A service could not be moved.
    MoveFailed {
        /// The service.
        sid: ServiceId,
        /// How the move ended.
        exit_code: i32,
        /// The node on which it failed: the one that was to give the service away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<NodeName>,
        /// Where it was to go.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<NodeName>,
        /// The node that holds the guest, if the host can tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guest_node: Option<NodeName>,
    },
    /// A service could not be moved, since it is configured on another node than recorded.
    MoveFailedWrongNode {
        /// The service.
        sid: ServiceId,
    },
    /// A service that is stopped or to be recovered was found on another node; the record was corrected.
    ServiceLocationFixed {
        /// The service.
        sid: ServiceId,
        /// The node that was recorded.
        from: NodeName,
        /// The node that it is configured on.
        to: NodeName,
    },
    /// A service returns to the node that it left for maintenance.
    MaintenanceReturn {
        /// The service.
        sid: ServiceId,
        /// That node.
        target: NodeName,
    },
    /// A service was moved otherwise meanwhile and does not return to the node that it left for maintenance.
    MaintenanceFallbackDropped {
        /// The service.
        sid: ServiceId,
        /// That node.
        node: NodeName,
    },
    /// A service is where it would have returned to after maintenance.
    MaintenanceFallbackCleared {
        /// The service.
        sid: ServiceId,
        /// That node.
        node: NodeName,
    },
    /// The end of maintenance was asked for a node that is not in maintenance.
    MaintenanceClearUnexpectedState {
        /// The node.
        node: NodeName,
        /// Its state.
        state: NodeState,
    },
    /// A service is recorded on the node where its guest was found: people moved it, while HA was disarmed or behind its back.
    ServiceLocationUpdated {
        /// The service.
        sid: ServiceId,
        /// The node that was recorded.
        from: NodeName,
        /// The node that it is configured on.
        to: NodeName,
    },
    /// The best node was chosen for a service that is to start.
    StartBalanceSelected {
        /// The service.
        sid: ServiceId,
        /// The node; the present one where it stays.
        node: NodeName,
        /// The node on which it is now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        present: Option<NodeName>,
    },
    /// A service that was to be moved before its start runs already.
    StartBalanceIgnored {
        /// The service.
        sid: ServiceId,
    },
    /// The scheduler that a new master begins with, where it is not `basic`.
    SchedulerMode {
        /// The mode.
        mode: SchedulerMode,
    },
    /// The scheduler was changed.
    SchedulerModeSwitched {
        /// The old mode.
        from: SchedulerMode,
        /// The new one.
        to: SchedulerMode,
    },
    /// The figures that the scheduler needs can't be had: this round counts services instead.
    SchedulerFallback {
        /// The mode that is configured.
        mode: SchedulerMode,
        /// What is missing.
        reason: String,
    },
    /// A service or a node has no usable figures: the service counts as using nothing and is placed by the numbers of services,
    /// the node is taken only where no other is left. Told when it begins.
    FiguresMissing {
        /// The service, if it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sid: Option<ServiceId>,
        /// The node, if it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<NodeName>,
        /// What is missing.
        reason: String,
    },
    /// A service goes to a node that its node affinity rule does not prefer, since those that must be kept apart from it use
    /// the nodes that the rule prefers.
    RuleGaveWay {
        /// The service.
        sid: ServiceId,
        /// The rule that gave way.
        rule: RuleId,
        /// Where the service goes.
        node: NodeName,
    },
    /// Moves of a service have failed again and again: automatic balancing leaves it and what must be together with it alone.
    AutoRebalanceSuspended {
        /// The service.
        sid: ServiceId,
        /// How many of its moves have failed in a row.
        failures: u32,
        /// For how long, in seconds.
        seconds: u64,
    },
    /// Automatic balancing moves a service.
    AutoRebalance {
        /// How.
        task: Motion,
        /// The service.
        sid: ServiceId,
        /// Where to.
        target: NodeName,
        /// The imbalance of the nodes now. Written with two decimals.
        #[serde(serialize_with = "two_decimals")]
        imbalance: f64,
        /// The imbalance that is expected after the move. Written with two decimals.
        #[serde(serialize_with = "two_decimals")]
        expected_imbalance: f64,
    },
    /// The master took a command out of the queue that has an id. What it says to it comes right after this.
    CommandTaken {
        /// The id.
        id: String,
        /// The line of the command, without who gave it and its id.
        command: String,
        /// Who gave it, if the command names somebody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A command will be carried out.
    CommandAccepted {
        /// Its line, without who gave it.
        command: String,
        /// Who gave it, if the command names somebody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A node is to give its services away and take none: maintenance was asked for.
    MaintenanceRequested {
        /// The node.
        node: NodeName,
        /// Who asked, if the command names somebody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// The request for a node's maintenance was taken back.
    MaintenanceRequestWithdrawn {
        /// The node.
        node: NodeName,
        /// Who did, if the command names somebody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A service moves along with one that it belongs together with.
    ComoveQueued {
        /// The line of the command.
        command: String,
        /// How.
        task: Motion,
        /// The service that moves along.
        sid: ServiceId,
        /// Where to.
        target: NodeName,
        /// The service that it moves along with.
        with: ServiceId,
    },
    /// A move was refused, since the target, or what fails together with it, is used by a service that must be kept apart.
    CommandBlockedByAffinity {
        /// The line of the command.
        command: String,
        /// The service that uses the target.
        blocking: ServiceId,
        /// The target.
        target: NodeName,
        /// The service that was to move.
        sid: ServiceId,
        /// The failure domain of the target, if the service is elsewhere in that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        domain: Option<FailureDomain>,
    },
    /// A command was refused.
    CommandRejected {
        /// Its line.
        command: String,
        /// Why.
        reason: RejectionReason,
    },
    /// A command has no effect.
    CommandIgnored {
        /// How far disarming has come, where that is the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<DisarmState>,
        /// Why.
        reason: IgnoreReason,
        /// Its line, or its verb alone for the disarm commands.
        command: String,
    },
    /// A line of the command queue is not a command. It was dropped.
    CommandUnknown {
        /// The line.
        command: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A command was accepted, but leads nowhere; it is dropped.
    CommandWithoutEffect {
        /// The service.
        sid: ServiceId,
        /// The command, for this service.
        command: String,
        /// Why.
        reason: NoEffectReason,
    },
    /// A move was accepted, but the service will not stay where it is sent.
    MoveWillNotLast {
        /// The service.
        sid: ServiceId,
        /// Where it is sent.
        node: NodeName,
        /// The rule that sends it away from there, if one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<RuleId>,
        /// Why.
        reason: MoveBackReason,
    },
    /// A service is left as it is while HA is disarmed.
    DisarmFrozeService {
        /// The service.
        sid: ServiceId,
        /// Its state before.
        was: StateName,
    },
    /// A service is not tracked while HA is disarmed.
    DisarmSuspendedService {
        /// The service.
        sid: ServiceId,
    },
    /// Disarming waits for a service.
    DisarmDeferred {
        /// The service.
        sid: ServiceId,
        /// Its state.
        state: StateName,
    },
    /// All LRMs have let go of their locks and watchdogs.
    Disarmed,
    /// The CRM closed its watchdog, since HA is disarmed.
    CrmWatchdogReleased,
    /// A CRM became master of a cluster that is disarmed; it opens no watchdog.
    DisarmedTakeover,
    /// HA is armed again.
    Rearmed,
    /// The master had nothing to do for a long time, and lets go of its lock.
    CrmIdle {
        /// For how many rounds.
        rounds: u32,
    },
    /// The LRM had nothing to do for a long time, and lets go of its lock.
    LrmIdle {
        /// For how many rounds.
        rounds: u32,
    },
    /// The groups are about to be turned into rules for good.
    GroupMigrationStarted,
    /// The groups were turned into rules.
    GroupMigrationSucceeded,
    /// The groups can't be turned into rules yet; it is tried again.
    GroupMigrationAborted,
    /// Why the groups can't be turned into rules yet.
    GroupMigrationObstacle {
        /// What prevents it, in words.
        reason: String,
        /// What it is.
        obstacle: MigrationObstacle,
        /// The node that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<NodeName>,
        /// What was found there: the state or mode of the node or its LRM, or its version.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<String>,
    },
    /// A rule takes no part in anything.
    RuleDropped {
        /// The rule.
        rule: RuleId,
        /// Why.
        reason: Reason,
        /// The reason in words, with the resources and rules that it is about.
        explanation: String,
    },
    /// A service is being started.
    AgentStarting {
        /// The service.
        sid: ServiceId,
    },
    /// A service was started.
    AgentStarted {
        /// The service.
        sid: ServiceId,
    },
    /// A service could not be started.
    AgentStartFailed {
        /// The service.
        sid: ServiceId,
    },
    /// A service failed to start as often as it may on this node.
    StartRetriesExhausted {
        /// The service.
        sid: ServiceId,
        /// How often it was tried again.
        tries: u32,
    },
    /// A service failed to start and is tried again on this node.
    StartRetry {
        /// How often it was tried again, this time included.
        r#try: u32,
        /// The service.
        sid: ServiceId,
    },
    /// A service is being stopped.
    AgentStopping {
        /// The service.
        sid: ServiceId,
        /// Whether it is stopped to be moved.
        #[serde(default, skip_serializing_if = "is_false")]
        for_relocate: bool,
        /// Seconds that it may take.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout: Option<u32>,
    },
    /// A service was stopped.
    AgentStopped {
        /// The service.
        sid: ServiceId,
    },
    /// A service could not be stopped.
    AgentStopFailed {
        /// The service.
        sid: ServiceId,
    },
    /// A guest's lock keeps the agent from what it was asked.
    ServiceLocked {
        /// The service.
        sid: ServiceId,
        /// The lock's name.
        lock: String,
        /// What was asked.
        op: AgentOperation,
    },
    /// A service can't be moved live; it is stopped and moved instead.
    LiveMigrationUnsupported {
        /// The service.
        sid: ServiceId,
    },
    /// A service is being moved.
    AgentMoveStarted {
        /// The service.
        sid: ServiceId,
        /// How.
        task: Motion,
        /// Where to.
        target: NodeName,
    },
    /// A service was moved.
    AgentMoveEnded {
        /// The service.
        sid: ServiceId,
        /// How.
        task: Motion,
        /// Where to.
        target: NodeName,
    },
    /// A service could not be moved.
    AgentMoveFailed {
        /// The service.
        sid: ServiceId,
    },
    /// A service is in state `error`: a person is needed.
    ServiceInError {
        /// The service.
        sid: ServiceId,
    },
    /// A command came for a service that is configured on another node.
    ServiceNotHere {
        /// The service.
        sid: ServiceId,
    },
    /// A service that was to be moved before its start runs already, and was left alone.
    AgentStartBalanceIgnored {
        /// The service.
        sid: ServiceId,
    },
    /// The LRM's node is about to go down.
    ShutdownRequested {
        /// What the policy says of its services.
        policy: ShutdownPolicy,
    },
    /// What the LRM does when it is asked to stop.
    LrmShutdownMode {
        /// What kind of stop it makes of the request.
        kind: ShutdownKind,
        /// What it does.
        mode: ShutdownMode,
        /// The policy that says so; none where it makes no difference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<ShutdownPolicy>,
    },
    /// The LRM was asked to stop while it had lost its lock and services may still run.
    ShutdownWhileLockLost {
        /// How many services.
        count: usize,
    },
    /// A job takes longer than it may, and must be ended. Until it is known to be gone no other one begins for its service.
    JobHangs {
        /// The service.
        sid: ServiceId,
        /// What the job is to do.
        command: StateName,
        /// For how long it has gone on.
        seconds: u64,
    },
    /// A service whose start was confirmed does not run any more, and nobody asked for that: it is started again.
    UnplannedRestart {
        /// The service.
        sid: ServiceId,
        /// How often that was so since it was last stopped on purpose or came to this node, this time included.
        restarts: u64,
        /// Seconds until it is started: 0 unless it ended by itself again and again.
        pause: u64,
    },
    /// A service that runs is ready, by its probe: for the first time since its start, or again.
    ServiceReady {
        /// The service.
        sid: ServiceId,
    },
    /// A service that runs was not ready in time after its start, or is no longer, by its probe.
    ServiceNotReady {
        /// The service.
        sid: ServiceId,
        /// How many probes failed one after another.
        failures: u32,
        /// Why the last one did, where the host says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What follows.
        on_failure: OnFailure,
    },
    /// The node goes down, and these services can't move away first: they are stopped.
    StoppedInsteadOfMoved {
        /// The services.
        services: Vec<ServiceId>,
    },
    /// The node goes down, and these services could not be stopped: the watchdog ends them.
    ServicesLeftRunning {
        /// The services.
        services: Vec<ServiceId>,
    },
    /// The LRM was asked to restart, could not get its lock back, and exits without closing its watchdog.
    ShutdownGivenUp,
    /// The LRM stops feeding its watchdog, since its node must be fenced.
    FenceRequestedLockDropped,
    /// The LRM let go of its lock and watchdog, since HA is disarmed.
    LrmDisarmed {
        /// Whether it was in maintenance.
        #[serde(default, skip_serializing_if = "is_false")]
        during_maintenance: bool,
    },
    /// The LRM could not read the manager status; it goes on with what it read before.
    ServiceStatusUnreadable,
    /// The LRM could not write its record.
    LrmStatusUnwritable,
    /// A call of the host failed. The core goes on in the way that the call's documentation says.
    HostCallFailed {
        /// Which call.
        operation: HostOperation,
        /// What the host says.
        message: String,
    },
    /// A lock was renewed, but so late that feeding the watchdog for it would not be safe. It is renewed again.
    WatchdogFeedTooLate,
    /// A round changed states more often than makes sense; it goes on in the next round.
    RoundNotSettled,
    /// Another machine works under this node's name: what the node had written was changed by another hand. The node does
    /// not work until a person has decided. A host reports it.
    TwinSeen {
        /// The node.
        node: NodeName,
        /// What was changed.
        record: NodeRecord,
        /// Who has written it, as far as it says so.
        writer: String,
    },
    /// A host found its node taken out of the list of members while its daemons run: the node holds no lock any more, stops its services
    /// as far as its watchdog's time allows, and ends. Hosts report it.
    RemovedFromCluster {
        /// The node.
        node: NodeName,
    },
    /// The store has little room left. What is kept for locks and signs of life is not concerned. A host reports it.
    StoreSpaceLow {
        /// How much is free, in whole percent, rounded down.
        free_percent: u32,
    },
    /// The store has enough room again. A host reports it.
    StoreSpaceEnough {
        /// How much is free, in whole percent, rounded down.
        free_percent: u32,
    },
    /// A person, or a program in somebody's name, has changed something. Hosts report it.
    ChangeMade {
        /// Who, as far as it is known: `alice@desk`.
        by: String,
        /// Through what, where it was not the command line: an address, a token's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        through: Option<String>,
        /// What was done, as the command line has it: `rules add`.
        verb: String,
        /// To what: a service, a node, a rule, or `the cluster`.
        object: String,
        /// The change in words.
        change: String,
        /// The id of the command by which the master makes it, if it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command_id: Option<String>,
    },
    /// Events are missing in the history. A host reports it.
    HistoryIncomplete {
        /// How many, if that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        events: Option<u64>,
        /// Where they are missing, and why.
        reason: String,
    },
}

impl Event {
    /// The event with nothing but what the recorded scenarios say of it: without the causes that were added to some.
    #[must_use]
    pub fn without_causes(mut self) -> Self {
        if let Self::RoundFailed { reason } | Self::ManagerStatusUnreadable { reason } = &mut self {
            *reason = None;
        } else if let Self::MoveIgnored { task, reason, .. } = &mut self {
            (*task, *reason) = (None, None);
        } else if let Self::StartBalanceSelected { present, .. } = &mut self {
            *present = None;
        } else if let Self::LrmShutdownMode { policy, .. } = &mut self {
            *policy = None;
        } else if let Self::ServiceUnrecoverable { node, guest_node, .. } | Self::StopFailed { node, guest_node, .. } =
            &mut self
        {
            (*node, *guest_node) = (None, None);
        } else if let Self::MoveFailed { node, target, guest_node, .. } = &mut self {
            (*node, *target, *guest_node) = (None, None, None);
        } else if let Self::CommandAccepted { by, .. } = &mut self {
            *by = None;
        }
        self
    }

    /// Whether the event belongs to the vocabulary of the recorded scenarios. The others say more than those do, and
    /// a comparison with a recorded trace leaves them out.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        !matches!(
            self,
            Self::NodeForgotten { .. }
                | Self::ServiceNotFound { .. }
                | Self::ServiceNotUnderstood { .. }
                | Self::FenceDeviceSucceeded { .. }
                | Self::FenceDeviceFailed { .. }
                | Self::NodeNotFenced { .. }
                | Self::FenceDevicesExhausted { .. }
                | Self::FencedNodeRebooted { .. }
                | Self::FencedNodeReturned { .. }
                | Self::FenceConfirmed { .. }
                | Self::SchedulerFallback { .. }
                | Self::FiguresMissing { .. }
                | Self::RuleGaveWay { .. }
                | Self::AutoRebalanceSuspended { .. }
                | Self::CommandTaken { .. }
                | Self::StartFailuresExpired { .. }
                | Self::StartWaits { .. }
                | Self::StartWaitedEnough { .. }
                | Self::StartWaitsLong { .. }
                | Self::OrderRulesNotInForce { .. }
                | Self::ApartRulesNotInForce { .. }
                | Self::SharingBegun { .. }
                | Self::SpreadRulesNotInForce { .. }
                | Self::DomainSharingBegun { .. }
                | Self::SharingEnded { .. }
                | Self::MoveBringsTogether { .. }
                | Self::StartHeldBack { .. }
                | Self::MoveHeldBack { .. }
                | Self::FailbackDelayed { .. }
                | Self::NodeHeld { .. }
                | Self::NodeHoldOver { .. }
                | Self::FencingsCleared { .. }
                | Self::HeldNodeTaken { .. }
                | Self::MoveToHeldNode { .. }
                | Self::CommandUnknown { .. }
                | Self::CommandWithoutEffect { .. }
                | Self::MoveWillNotLast { .. }
                | Self::JobHangs { .. }
                | Self::UnplannedRestart { .. }
                | Self::ServiceReady { .. }
                | Self::ServiceNotReady { .. }
                | Self::StoppedInsteadOfMoved { .. }
                | Self::ServicesLeftRunning { .. }
                | Self::GroupMigrationObstacle { .. }
                | Self::RuleDropped { .. }
                | Self::HostCallFailed { .. }
                | Self::WatchdogFeedTooLate
                | Self::RoundNotSettled
                | Self::TwinSeen { .. }
                | Self::RemovedFromCluster { .. }
                | Self::StoreSpaceLow { .. }
                | Self::StoreSpaceEnough { .. }
                | Self::MaintenanceRequested { .. }
                | Self::MaintenanceRequestWithdrawn { .. }
                | Self::ChangeMade { .. }
                | Self::HistoryIncomplete { .. }
        )
    }
}
