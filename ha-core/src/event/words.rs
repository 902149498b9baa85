//! The words of events: small enums that their fields have.

use crate::text_enum::text_enum;

/// The states of both daemons, as [`Event::DaemonState`](super::Event::DaemonState) names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DaemonState {
    /// Before the first state.
    Startup,
    /// CRM: not healthy, or nothing to do.
    WaitForQuorum,
    /// CRM: another node is master.
    Slave,
    /// CRM: this node decides.
    Master,
    /// CRM: was master, and could not renew its lock.
    LostManagerLock,
    /// LRM: nothing to do, or not allowed to.
    WaitForAgentLock,
    /// LRM: looks after its services.
    Active,
    /// LRM: gives its services away.
    Maintenance,
    /// LRM: could not renew its lock, or must be fenced.
    LostAgentLock,
}

text_enum! {
    DaemonState: "a daemon state",
    Startup = "startup",
    WaitForQuorum = "wait_for_quorum",
    Slave = "slave",
    Master = "master",
    LostManagerLock = "lost_manager_lock",
    WaitForAgentLock = "wait_for_agent_lock",
    Active = "active",
    Maintenance = "maintenance",
    LostAgentLock = "lost_agent_lock",
}

/// Why a service left the manager status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemovalReason {
    /// It is not configured any more.
    NoConfig,
    /// `ignored` is requested for it now.
    Ignored,
}

text_enum! {
    RemovalReason: "a reason for a removal",
    NoConfig = "no_config",
    Ignored = "ignored",
}

/// What made a service move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MoveCause {
    /// Rules, load, maintenance or failed starts.
    Placement,
    /// A command, by a person or by automatic balancing.
    Command,
}

text_enum! {
    MoveCause: "a cause of a move",
    Placement = "placement",
    Command = "command",
}

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectionReason {
    /// The node is not recorded as online.
    NodeNotOnline,
    /// The service has no entry in the manager status.
    NoSuchService,
    /// The node need not be fenced, so there is nothing to confirm.
    NotToBeFenced,
    /// The node is a member of the cluster at this moment, so it is not down.
    NodeIsUp,
}

text_enum! {
    RejectionReason: "a reason for a rejection",
    NodeNotOnline = "node_not_online",
    NoSuchService = "no_such_service",
    NotToBeFenced = "not_to_be_fenced",
    NodeIsUp = "node_is_up",
}

/// Why a command had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IgnoreReason {
    /// The service is on that node.
    AlreadyOnTarget,
    /// HA is disarmed or being disarmed.
    AlreadyDisarmed,
    /// HA is armed.
    NotDisarmed,
    /// The node is in maintenance.
    AlreadyInMaintenance,
    /// The command has no meaning while HA is disarmed.
    Disarmed,
    /// The node was not fenced lately, or that is not counted.
    NotFencedLately,
}

text_enum! {
    IgnoreReason: "a reason for ignoring a command",
    AlreadyOnTarget = "already_on_target",
    AlreadyDisarmed = "already_disarmed",
    NotDisarmed = "not_disarmed",
    AlreadyInMaintenance = "already_in_maintenance",
    Disarmed = "disarmed",
    NotFencedLately = "not_fenced_lately",
}

/// Why a move was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MoveIgnoreReason {
    /// Its target is not online.
    TargetNotOnline,
    /// The service is on that node.
    AlreadyOnTarget,
}

text_enum! {
    MoveIgnoreReason: "a reason for ignoring a move",
    TargetNotOnline = "target_not_online",
    AlreadyOnTarget = "already_on_target",
}

/// What keeps groups from becoming rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MigrationObstacle {
    /// The master's node is not in the quorate partition.
    NotQuorate,
    /// A node is not online.
    NodeNotOnline,
    /// The LRM of a node has no record yet.
    NoLrmRecord,
    /// The LRM of a node is in another mode than `active`.
    LrmMode,
    /// The LRM of a node is not at rest.
    LrmState,
    /// The version of a node's software is not known.
    VersionUnknown,
    /// The software of a node is too old to know rules.
    VersionTooOld,
}

text_enum! {
    MigrationObstacle: "an obstacle to group migration",
    NotQuorate = "not_quorate",
    NodeNotOnline = "node_not_online",
    NoLrmRecord = "no_lrm_record",
    LrmMode = "lrm_mode",
    LrmState = "lrm_state",
    VersionUnknown = "version_unknown",
    VersionTooOld = "version_too_old",
}

/// Why a command that was accepted leads nowhere: what the service is at decides alone, and forgets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoEffectReason {
    /// It is in `error`: only requesting `disabled` leads out.
    InError,
    /// Its node must be fenced.
    InFence,
    /// A new node is being looked for.
    InRecovery,
    /// It is on its way to another node.
    Moving,
    /// It is left alone while its LRM restarts or HA is disarmed.
    Frozen,
    /// It is being stopped, or will be.
    Stopping,
    /// It is about to be started.
    Starting,
}

text_enum! {
    NoEffectReason: "a reason why a command has no effect",
    InError = "in_error",
    InFence = "in_fence",
    InRecovery = "in_recovery",
    Moving = "moving",
    Frozen = "frozen",
    Stopping = "stopping",
    Starting = "starting",
}

/// Why a service will not stay where it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MoveBackReason {
    /// A strict rule does not allow it there.
    NotAllowed,
    /// Its rule prefers other nodes that are online, and failback is on.
    Failback,
    /// Maintenance is asked for that node.
    Maintenance,
}

text_enum! {
    MoveBackReason: "a reason why a move will not last",
    NotAllowed = "not_allowed",
    Failback = "failback",
    Maintenance = "maintenance",
}

/// What an agent was asked to do with a service that is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentOperation {
    /// Start it.
    Start,
    /// Stop it.
    Shutdown,
    /// Move it live.
    Migrate,
    /// Stop it and move it.
    Relocate,
}

text_enum! {
    AgentOperation: "an operation of an agent",
    Start = "start",
    Shutdown = "shutdown",
    Migrate = "migrate",
    Relocate = "relocate",
}

/// What kind of stop an LRM makes of a request. It is not why it was asked: a reboot for which services are given up is carried out as
/// a shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShutdownKind {
    /// Its node reboots, with its services frozen or moved away.
    Reboot,
    /// Its node goes down, or reboots after its services were stopped and given up.
    Shutdown,
    /// The daemon alone restarts.
    Restart,
}

text_enum! {
    ShutdownKind: "a kind of shutdown",
    Reboot = "reboot",
    Shutdown = "shutdown",
    Restart = "restart",
}

/// What an LRM that was asked to stop does with its services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShutdownMode {
    /// They are frozen.
    Freeze,
    /// They are stopped and given up.
    Stop,
    /// They are moved away first.
    Maintenance,
    /// They are being moved away already.
    AlreadyInMaintenance,
}

text_enum! {
    ShutdownMode: "a shutdown mode",
    Freeze = "freeze",
    Stop = "stop",
    Maintenance = "maintenance",
    AlreadyInMaintenance = "already_in_maintenance",
}

/// What a node writes as its own in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeRecord {
    /// Its sign of life.
    SignOfLife,
    /// The record of its LRM.
    LrmStatus,
    /// Its agent lock.
    AgentLock,
    /// The manager lock, while it is the master.
    ManagerLock,
}

text_enum! {
    NodeRecord: "what a node writes as its own",
    SignOfLife = "sign_of_life",
    LrmStatus = "lrm_status",
    AgentLock = "agent_lock",
    ManagerLock = "manager_lock",
}
