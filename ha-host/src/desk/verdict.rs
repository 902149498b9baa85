//! What the master would answer to a command, told from the events of the round that takes it.

use ha_core::{
    event::{Event, IgnoreReason, MoveBackReason, RejectionReason},
    id::{FailureDomain, NodeName, ServiceId},
};

/// Why a command would not do what it says.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The target is used by a service that must be kept apart.
    #[error("{sid} must be kept apart from {blocking}, which uses node {target}: move that first, or change the rule")]
    KeptApart {
        /// The service that was to move.
        sid: ServiceId,
        /// The service that uses the target.
        blocking: ServiceId,
        /// The target.
        target: NodeName,
    },
    /// A service that must not fail together with it is in the failure domain of the target.
    #[error(
        "{sid} must not be in one failure domain with {blocking}, which is in {domain}, as node {target} is: move that first, or change the rule"
    )]
    Spread {
        /// The service that was to move.
        sid: ServiceId,
        /// The service that uses the failure domain.
        blocking: ServiceId,
        /// The target.
        target: NodeName,
        /// The failure domain.
        domain: FailureDomain,
    },
    /// The master refuses it.
    #[error("{}", of_rejection(*.0))]
    Rejected(RejectionReason),
    /// It would have no effect.
    #[error("{}", of_ignored(*.0))]
    Ignored(IgnoreReason),
    /// It is no command.
    #[error("{0}")]
    Unknown(String),
    /// It leads nowhere now, or what it does will not last: a person may want it all the same.
    #[error("{0}")]
    Pointless(Box<Event>),
}

const fn of_rejection(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::NoSuchService => "the master does not know the service (yet)",
        RejectionReason::NodeNotOnline => "the node is not online",
        RejectionReason::NotToBeFenced => "the node need not be fenced: there is nothing to confirm",
        RejectionReason::NodeIsUp => "the node is in the cluster right now, so it is not down",
    }
}

const fn of_ignored(reason: IgnoreReason) -> &'static str {
    match reason {
        IgnoreReason::AlreadyOnTarget => "the service is on that node already",
        IgnoreReason::AlreadyDisarmed => "HA is disarmed, or being disarmed, already",
        IgnoreReason::NotDisarmed => "HA is not disarmed",
        IgnoreReason::AlreadyInMaintenance => "the node is in maintenance already",
        IgnoreReason::Disarmed => "HA is disarmed: arm it first",
        IgnoreReason::NotFencedLately => "the node takes new services already",
    }
}

/// Judges a command by the events of the round that would take it, `line` being its line in the queue. Gives what there is to tell of
/// it. What only [leads nowhere](Refusal::Pointless) is let through if it is forced.
///
/// # Errors
///
/// Why it would not do what it says.
pub fn judge(answers: &[Event], line: &str, force: bool) -> Result<Vec<String>, Refusal> {
    let mut told = Vec::new();
    for event in answers.iter().filter(|event| answers_to(event, line)) {
        told.extend(judge_event(event, force)?);
    }
    Ok(told)
}

/// Whether an event of the trial answers the command.
#[expect(clippy::wildcard_enum_match_arm, reason = "those that answer commands are named")]
fn answers_to(event: &Event, line: &str) -> bool {
    match event {
        // Another service's command may wait since before.
        Event::CommandWithoutEffect { command, .. } => command == line,
        Event::CommandAccepted { .. }
        | Event::CommandBlockedByAffinity { .. }
        | Event::CommandRejected { .. }
        | Event::CommandIgnored { .. }
        | Event::CommandUnknown { .. }
        | Event::MoveWillNotLast { .. }
        | Event::MoveToHeldNode { .. }
        | Event::MaintenanceClearUnexpectedState { .. } => true,
        _ => false,
    }
}

/// What an event of the trial means for the one who gives the command.
#[expect(clippy::wildcard_enum_match_arm, reason = "the trial gives no other events than those that are named")]
fn judge_event(event: &Event, force: bool) -> Result<Option<String>, Refusal> {
    match event {
        Event::CommandAccepted { .. } => Ok(None),
        Event::CommandWithoutEffect { .. } | Event::MoveWillNotLast { .. } if !force => {
            Err(Refusal::Pointless(Box::new(event.clone())))
        }
        Event::CommandBlockedByAffinity { blocking, target, sid, domain, .. } => {
            let (sid, blocking, target) = (sid.clone(), blocking.clone(), target.clone());
            Err(match domain.clone() {
                None => Refusal::KeptApart { sid, blocking, target },
                Some(domain) => Refusal::Spread { sid, blocking, target, domain },
            })
        }
        Event::CommandRejected { reason, .. } => Err(Refusal::Rejected(*reason)),
        Event::CommandIgnored { reason, .. } => Err(Refusal::Ignored(*reason)),
        Event::CommandUnknown { reason, .. } => Err(Refusal::Unknown(reason.clone())),
        Event::MaintenanceClearUnexpectedState { node, state } => {
            Ok(Some(format!("node {node} is not in maintenance now (it is {state}); a request for it is taken back")))
        }
        other => Ok(Some(other.to_string())),
    }
}

/// Which kind of rule prevents a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockedBy {
    /// A service that must be kept apart uses the target.
    ResourceAffinity,
    /// A strict rule does not allow the service on the target.
    NodeAffinity,
}

/// The services that move along with one that is to move.
pub fn comoved(answers: &[Event]) -> impl Iterator<Item = &ServiceId> {
    answers.iter().filter_map(|event| if let Event::ComoveQueued { sid, .. } = event { Some(sid) } else { None })
}

/// The services because of which a move would not be made, or would not last, each with the kind of the rule.
#[expect(clippy::wildcard_enum_match_arm, reason = "two events name what stands against a move")]
pub fn blocking(answers: &[Event]) -> impl Iterator<Item = (&ServiceId, BlockedBy)> {
    answers.iter().filter_map(|event| match event {
        Event::CommandBlockedByAffinity { blocking, .. } => Some((blocking, BlockedBy::ResourceAffinity)),
        Event::MoveWillNotLast { sid, reason: MoveBackReason::NotAllowed, .. } => Some((sid, BlockedBy::NodeAffinity)),
        _ => None,
    })
}
