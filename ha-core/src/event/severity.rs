//! How much an event matters to a person.

use super::{Event, StateName};
use crate::text_enum::text_enum;

/// How much an event matters to a person who watches, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// All goes as planned.
    Info,
    /// A change that a person may want to know of.
    Notice,
    /// Something failed and is dealt with.
    Warning,
    /// A service is down, a node is being reset, or a person is needed.
    Error,
}

text_enum! {
    Severity: "a severity",
    Info = "info",
    Notice = "notice",
    Warning = "warning",
    Error = "error",
}

impl Event {
    /// How much the event matters to a person.
    #[must_use]
    // tidy: table
    pub fn severity(&self) -> Severity {
        match self {
            Self::ServiceState { to: StateName::Fence | StateName::Error, .. }
            | Self::NotifyFenceStarted { .. }
            | Self::FenceDevicesExhausted { .. }
            | Self::NodeNotFenced { .. }
            | Self::RecoveryFailed { .. }
            | Self::RelocationExhausted { .. }
            | Self::ServiceUnrecoverable { .. }
            | Self::StopFailed { .. }
            | Self::MoveFailedWrongNode { .. }
            | Self::ServiceInError { .. }
            | Self::ServiceNotFound { .. }
            | Self::ServiceNotUnderstood { .. }
            | Self::JobHangs { .. }
            | Self::ServicesLeftRunning { .. }
            | Self::FenceRequestedLockDropped
            | Self::ShutdownWhileLockLost { .. }
            | Self::ShutdownGivenUp
            | Self::TwinSeen { .. }
            | Self::RemovedFromCluster { .. }
            | Self::StoreSpaceLow { free_percent: 0..=1 } => Severity::Error,

            Self::RoundSkippedStaleClusterState
            | Self::RoundFailed { .. }
            | Self::ManagerStatusUnreadable { .. }
            | Self::FenceWithoutServices { .. }
            | Self::FenceDeviceFailed { .. }
            | Self::StartFailedRelocating { .. }
            | Self::AllNodesTried { .. }
            | Self::MoveFailed { .. }
            | Self::MoveIgnored { .. }
            | Self::MaintenanceClearUnexpectedState { .. }
            | Self::SchedulerFallback { .. }
            | Self::FiguresMissing { .. }
            | Self::RuleGaveWay { .. }
            | Self::AutoRebalanceSuspended { .. }
            | Self::CommandBlockedByAffinity { .. }
            | Self::CommandRejected { .. }
            | Self::CommandIgnored { .. }
            | Self::CommandUnknown { .. }
            | Self::CommandWithoutEffect { .. }
            | Self::MoveWillNotLast { .. }
            | Self::UnplannedRestart { .. }
            | Self::ServiceNotReady { .. }
            | Self::StoppedInsteadOfMoved { .. }
            | Self::GroupMigrationAborted
            | Self::GroupMigrationObstacle { .. }
            | Self::RuleDropped { .. }
            | Self::StartWaitedEnough { .. }
            | Self::StartWaitsLong { .. }
            | Self::OrderRulesNotInForce { .. }
            | Self::ApartRulesNotInForce { .. }
            | Self::SharingBegun { .. }
            | Self::SpreadRulesNotInForce { .. }
            | Self::DomainSharingBegun { .. }
            | Self::MoveBringsTogether { .. }
            | Self::NodeHeld { .. }
            | Self::HeldNodeTaken { .. }
            | Self::MoveToHeldNode { .. }
            | Self::AgentStartFailed { .. }
            | Self::StartRetriesExhausted { .. }
            | Self::StartRetry { .. }
            | Self::AgentStopFailed { .. }
            | Self::ServiceLocked { .. }
            | Self::LiveMigrationUnsupported { .. }
            | Self::AgentMoveFailed { .. }
            | Self::ServiceNotHere { .. }
            | Self::ServiceStatusUnreadable
            | Self::LrmStatusUnwritable
            | Self::HostCallFailed { .. }
            | Self::WatchdogFeedTooLate
            | Self::RoundNotSettled
            | Self::HistoryIncomplete { .. }
            | Self::StoreSpaceLow { .. } => Severity::Warning,

            Self::NodeState { .. }
            | Self::FencedNodeRebooted { .. }
            | Self::FencedNodeReturned { .. }
            | Self::FenceConfirmed { .. }
            | Self::NodeForgotten { .. }
            | Self::NotifyFenceSucceeded { .. }
            | Self::FenceAcknowledged { .. }
            | Self::FenceDeviceSucceeded { .. }
            | Self::ServiceRecovered { .. }
            | Self::ServiceLockRemoved { .. }
            | Self::RelocationSucceeded { .. }
            | Self::ServiceLocationFixed { .. }
            | Self::MaintenanceReturn { .. }
            | Self::ServiceLocationUpdated { .. }
            | Self::SchedulerModeSwitched { .. }
            | Self::AutoRebalance { .. }
            | Self::DisarmDeferred { .. }
            | Self::Disarmed
            | Self::CrmWatchdogReleased
            | Self::DisarmedTakeover
            | Self::Rearmed
            | Self::GroupMigrationSucceeded
            | Self::ShutdownRequested { .. }
            | Self::LrmShutdownMode { .. }
            | Self::LrmDisarmed { .. }
            | Self::MaintenanceRequested { .. }
            | Self::MaintenanceRequestWithdrawn { .. }
            | Self::ChangeMade { .. }
            | Self::StartFailuresExpired { .. }
            | Self::SharingEnded { .. }
            | Self::NodeHoldOver { .. }
            | Self::FencingsCleared { .. }
            | Self::StartWaits { .. }
            | Self::ServiceReady { .. }
            | Self::StoreSpaceEnough { .. } => Severity::Notice,

            Self::DaemonState { .. }
            | Self::LockAcquired { .. }
            | Self::CrmShutdownRequested
            | Self::ManagerLockReleased
            | Self::ServiceAdded { .. }
            | Self::ServiceRemoved { .. }
            | Self::ServiceState { .. }
            | Self::ServiceMove { .. }
            | Self::StopIgnored { .. }
            | Self::StopRequested { .. }
            | Self::MaintenanceFallbackDropped { .. }
            | Self::MaintenanceFallbackCleared { .. }
            | Self::StartBalanceSelected { .. }
            | Self::StartBalanceIgnored { .. }
            | Self::SchedulerMode { .. }
            | Self::CommandTaken { .. }
            | Self::CommandAccepted { .. }
            | Self::StartHeldBack { .. }
            | Self::MoveHeldBack { .. }
            | Self::FailbackDelayed { .. }
            | Self::ComoveQueued { .. }
            | Self::DisarmFrozeService { .. }
            | Self::DisarmSuspendedService { .. }
            | Self::CrmIdle { .. }
            | Self::LrmIdle { .. }
            | Self::GroupMigrationStarted
            | Self::AgentStarting { .. }
            | Self::AgentStarted { .. }
            | Self::AgentStopping { .. }
            | Self::AgentStopped { .. }
            | Self::AgentMoveStarted { .. }
            | Self::AgentMoveEnded { .. }
            | Self::AgentStartBalanceIgnored { .. } => Severity::Info,
        }
    }
}
