//! What something comes from.

use crate::{
    event::{Event, MoveCause, Why},
    placement::{Decider, Explanation, Fate, Preference},
    status::{NodeState, StateName},
    text_enum::text_enum,
};

/// What something comes from. Moves are counted by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A person or program asked for it.
    Request,
    /// A node was lost.
    NodeLoss,
    /// A service is brought back after its node was lost.
    Recovery,
    /// A service returns to a node that its rule prefers.
    Failback,
    /// A node is in maintenance or goes down, or comes back from that.
    Maintenance,
    /// The load of the nodes is balanced.
    Rebalance,
    /// Rules allow it only elsewhere.
    Affinity,
    /// A start failed.
    StartFailure,
    /// HA is disarmed, or armed again.
    Disarm,
}

text_enum! {
    Cause: "what something comes from",
    Request = "request",
    NodeLoss = "node_loss",
    Recovery = "recovery",
    Failback = "failback",
    Maintenance = "maintenance",
    Rebalance = "rebalance",
    Affinity = "affinity",
    StartFailure = "start_failure",
    Disarm = "disarm",
}

impl Cause {
    /// What an event comes from, where that can be told from it and from why it was decided.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "those that say where they come from are named")]
    pub fn of(event: &Event, why: Option<&Why>) -> Option<Self> {
        Some(match event {
            Event::ServiceMove { cause: MoveCause::Command, .. }
            | Event::StopRequested { .. }
            | Event::CommandTaken { .. }
            | Event::CommandAccepted { .. }
            | Event::CommandRejected { .. }
            | Event::CommandIgnored { .. }
            | Event::CommandWithoutEffect { .. }
            | Event::ComoveQueued { .. }
            | Event::FenceConfirmed { .. }
            | Event::FencingsCleared { .. }
            | Event::MoveToHeldNode { .. }
            | Event::ChangeMade { .. } => Self::Request,
            Event::ServiceMove { cause: MoveCause::Placement, .. } => return why.and_then(of_move),
            Event::MaintenanceReturn { .. }
            | Event::MaintenanceRequested { .. }
            | Event::MaintenanceRequestWithdrawn { .. }
            | Event::NodeState { to: NodeState::Maintenance, .. }
            | Event::NodeState { from: NodeState::Maintenance, to: NodeState::Online, .. }
            | Event::ShutdownRequested { .. }
            | Event::LrmShutdownMode { .. }
            | Event::StoppedInsteadOfMoved { .. } => Self::Maintenance,
            Event::NodeState { to: NodeState::Unknown | NodeState::Fence, .. }
            | Event::ServiceState { to: StateName::Fence | StateName::Recovery, .. }
            | Event::NotifyFenceStarted { .. }
            | Event::NotifyFenceSucceeded { .. }
            | Event::FenceAcknowledged { .. }
            | Event::FenceDeviceSucceeded { .. }
            | Event::FenceDeviceFailed { .. }
            | Event::FenceDevicesExhausted { .. }
            | Event::NodeNotFenced { .. }
            | Event::NodeHeld { .. }
            | Event::HeldNodeTaken { .. } => Self::NodeLoss,
            Event::ServiceRecovered { .. } | Event::RecoveryFailed { .. } | Event::ServiceLockRemoved { .. } => {
                Self::Recovery
            }
            Event::AutoRebalance { .. } | Event::AutoRebalanceSuspended { .. } | Event::StartBalanceSelected { .. } => {
                Self::Rebalance
            }
            Event::StartFailedRelocating { .. }
            | Event::RelocationExhausted { .. }
            | Event::AllNodesTried { .. }
            | Event::StartFailuresExpired { .. }
            | Event::ServiceUnrecoverable { .. }
            | Event::StartRetry { .. }
            | Event::StartRetriesExhausted { .. } => Self::StartFailure,
            Event::FailbackDelayed { .. } => Self::Failback,
            Event::DisarmFrozeService { .. }
            | Event::DisarmSuspendedService { .. }
            | Event::DisarmDeferred { .. }
            | Event::Disarmed
            | Event::CrmWatchdogReleased
            | Event::DisarmedTakeover
            | Event::Rearmed
            | Event::LrmDisarmed { .. } => Self::Disarm,
            _ => return None,
        })
    }
}

/// Why placement moved a service: by what kept it from staying where it was.
fn of_move(why: &Why) -> Option<Cause> {
    let explanation: Explanation = serde_json::from_value(why.explanation.clone()).ok()?;
    if explanation.preference == Preference::TryNext {
        return Some(Cause::StartFailure);
    }
    if explanation.decided_by == Decider::MaintenanceNode {
        return Some(Cause::Maintenance);
    }
    let present = &explanation.of(&explanation.node)?.fate;
    Some(match present {
        Fate::NotOnline { .. } => Cause::Maintenance,
        Fate::LowerPriority { .. } | Fate::BackTooShortly { .. } => Cause::Failback,
        Fate::NotAllowed { .. } | Fate::KeptApart { .. } | Fate::RatherApart { .. } | Fate::KeptTogether { .. } => {
            Cause::Affinity
        }
        Fate::FailedBefore => Cause::StartFailure,
        Fate::Held { .. } => Cause::NodeLoss,
        Fate::Candidate => Cause::Rebalance,
    })
}
