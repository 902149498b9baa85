//! Events as sentences, for people.

use core::fmt;

use super::{
    Event, IgnoreReason, MoveBackReason, MoveCause, NoEffectReason, NodeRecord, RejectionReason, RemovalReason,
    ShutdownMode,
};
use crate::{
    config::resources::OnFailure,
    id::{NodeName, RuleId},
    status::ExitCode,
};

/// Why a job did not work, by its exit code.
struct Cause(i32);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = match ExitCode(self.0) {
            ExitCode::ERROR => "it failed",
            ExitCode::WRONG_NODE => "its guest is on another node",
            ExitCode::UNKNOWN_SERVICE_TYPE => "this node has no agent for its type",
            ExitCode::UNKNOWN_COMMAND => "the LRM does not know the command",
            ExitCode::INVALID_PARAMETER => "a parameter is missing or makes no sense",
            ExitCode::UNKNOWN_SERVICE => "it is not configured, or its guest does not exist",
            ExitCode::IGNORED => "it was not called for",
            ExitCode::KILLED => "its job died or was killed",
            _ => return write!(f, "exit code {}", self.0),
        };
        f.write_str(known)
    }
}

/// The table of all sentences. One line an event, so that it can be read and kept in step with the events.
impl fmt::Display for Event {
    // tidy: table
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DaemonState { from, to } => write!(f, "changes from {from} to {to}"),
            Self::LockAcquired { lock } => write!(f, "takes {lock}"),
            Self::RoundSkippedStaleClusterState => f.write_str("skips this round: its view of the cluster is stale"),
            Self::RoundFailed { reason: None } => f.write_str("an error ended the round; the next one tries again"),
            Self::RoundFailed { reason: Some(reason) } => {
                write!(f, "an error ended the round; the next one tries again: {reason}")
            }
            Self::CrmShutdownRequested => f.write_str("is asked to stop"),
            Self::ManagerLockReleased => f.write_str("releases ha_manager_lock, so that another node can take over"),
            Self::ManagerStatusUnreadable { reason: None } => f.write_str("can't read the manager status"),
            Self::ManagerStatusUnreadable { reason: Some(reason) } => {
                write!(f, "can't read the manager status: {reason}")
            }
            Self::NodeState { node, from, to } => write!(f, "node {node}: {from} → {to}"),
            Self::NodeForgotten { node } => write!(f, "forgets node {node}, which left the cluster long ago"),
            Self::ServiceAdded { sid, node } => write!(f, "{sid} is managed from now on, on {node}"),
            Self::ServiceRemoved { sid, reason } => write!(f, "{sid} is not managed any more: {}", removal(*reason)),
            Self::ServiceNotFound { sid } => {
                write!(f, "{sid} is configured, but no node has its guest: create it there, or remove {sid} from HA")
            }
            Self::ServiceState { sid, from, to, node, target, timeout } => {
                write!(f, "{sid}: {from} → {to}")?;
                place(f, node.as_ref(), target.as_ref())?;
                within(f, *timeout)
            }
            Self::NotifyFenceStarted { node } => write!(f, "node {node} must be fenced"),
            Self::NotifyFenceSucceeded { node } => write!(f, "node {node} was fenced"),
            Self::FenceAcknowledged { node } => write!(f, "node {node} is known to be down"),
            Self::FenceWithoutServices { node } => {
                write!(f, "node {node} is being fenced, though no service waits for it")
            }
            Self::FenceDeviceSucceeded { node, attempt } => write!(f, "fence device {attempt} turned node {node} off"),
            Self::FenceDeviceFailed { node, attempt } => write!(f, "fence device {attempt} of node {node} failed"),
            Self::NodeNotFenced { node } => {
                write!(
                    f,
                    "node {node} can't be fenced by its lock: its services may run without a watchdog, and wait until it is back, or until somebody confirms that it is down"
                )
            }
            Self::FenceDevicesExhausted { node } => {
                write!(
                    f,
                    "no fence device is left for node {node}: its services wait until the node is back, a device works, or somebody confirms that it is down"
                )
            }
            Self::FencedNodeRebooted { node } => {
                write!(f, "node {node} was booted again: what ran on it before is gone")
            }
            Self::FencedNodeReturned { node } => {
                write!(f, "node {node} is back, and keeps its services: it is not fenced")
            }
            Self::FenceConfirmed { node, by: Some(by) } => write!(f, "{by} confirms that node {node} is down"),
            Self::FenceConfirmed { node, by: None } => write!(f, "somebody confirms that node {node} is down"),
            Self::ServiceRecovered { sid, from, to } => write!(f, "{sid} is recovered from {from} on {to}"),
            Self::RecoveryFailed { sid, node } => {
                write!(f, "no node can take {sid} from {node}: rules and online nodes leave none; it is tried again")
            }
            Self::ServiceLockRemoved { lock, sid } => write!(f, "removes the lock '{lock}' that {sid} was left with"),
            Self::ServiceMove { sid, target, cause, task } => {
                write!(f, "{task} {sid} to {target}, {}", moved_by(*cause))
            }
            Self::MoveIgnored { sid, target, .. } => {
                write!(f, "drops the move of {sid} to {target}: not online, or there already")
            }
            Self::StopIgnored { sid } => write!(f, "drops the stop of {sid}: it is stopped"),
            Self::StopRequested { sid, timeout } => write!(f, "{sid} must be stopped within {timeout} s"),
            Self::RelocationSucceeded { sid, node, failed_nodes } => {
                write!(f, "{sid} started on {node}, after it had failed on {}", List(failed_nodes))
            }
            Self::StartFailedRelocating { sid, node } => {
                write!(f, "{sid} failed to start on {node}; looks for another node")
            }
            Self::RelocationExhausted { sid, failed_nodes } => {
                write!(f, "{sid} failed to start on {}, as often as it may; a person is needed", List(failed_nodes))
            }
            Self::StartFailuresExpired { sid, failed_nodes, tried_again } => {
                let again = if *tried_again { "; it is tried again" } else { "" };
                write!(f, "the failed starts of {sid} on {} count no more{again}", List(failed_nodes))
            }
            Self::StartWaits { sid, waits_for, left } => {
                write!(f, "{sid} is not started yet: ")?;
                match waits_for.is_empty() {
                    true => f.write_str("it comes after others that have to be up for longer")?,
                    false => write!(f, "it waits for {}", List(waits_for))?,
                }
                left.map_or(Ok(()), |left| write!(f, ", at most {left} s"))
            }
            Self::StartWaitedEnough { sid, missing, waited } => {
                write!(f, "{sid} is started though {} come first: it has waited {waited} s", List(missing))
            }
            Self::StartWaitsLong { sid, waits_for, waited } => {
                write!(f, "{sid} still waits for {}, after {waited} s", List(waits_for))
            }
            Self::OrderRulesNotInForce { node, version } => {
                write!(
                    f,
                    "order rules are not in force: node {node} has version {version}, and they need {}",
                    crate::rules::VERSION_WITH_ORDER
                )
            }
            Self::ApartRulesNotInForce { node, version } => {
                write!(
                    f,
                    "rules with strict 0 that keep services apart are taken as strict ones: node {node} has version {version}, and they need {}",
                    crate::rules::VERSION_WITH_LOOSELY_APART
                )
            }
            Self::SharingBegun { rule, node, services } => {
                write!(f, "{} share node {node}, though rule {rule} would have them apart", List(services))
            }
            Self::SpreadRulesNotInForce { node, version } => {
                write!(
                    f,
                    "rules with spread keep services apart by node: node {node} has version {version}, and they need {}",
                    crate::rules::VERSION_WITH_SPREAD
                )
            }
            Self::DomainSharingBegun { rule, domain, services } => {
                let services = List(services);
                write!(
                    f,
                    "{services} are in failure domain {domain} together, though rule {rule} would have them apart"
                )
            }
            Self::SharingEnded { rule, services } => match services.as_slice() {
                [sid] => write!(f, "{sid} is apart again, as rule {rule} would have it"),
                _ => write!(f, "{} are apart again, as rule {rule} would have them", List(services)),
            },
            Self::MoveBringsTogether { sid, node, rule, with } => {
                write!(
                    f,
                    "{sid} goes to {node}, though rule {rule} would have it apart from {}: one of them may go away again",
                    List(with)
                )
            }
            Self::StartHeldBack { sid, max } => {
                write!(f, "{sid} waits to be started: at most {max} at once (max_starts)")
            }
            Self::MoveHeldBack { sid, max } => write!(f, "{sid} waits to be moved: at most {max} at once (max_moves)"),
            Self::FailbackDelayed { sid, node, seconds } => {
                write!(f, "{sid} goes back to {node} in {seconds} s if that stays well (failback-delay)")
            }
            Self::NodeHeld { node, seconds, holds } => {
                write!(
                    f,
                    "node {node} was fenced again and again: it takes no new services for {seconds} s (flapping_hold)"
                )?;
                if *holds > 1 { write!(f, ", {holds} times in a row now") } else { Ok(()) }
            }
            Self::NodeHoldOver { node } => write!(f, "node {node} takes new services again"),
            Self::FencingsCleared { node, by } => {
                write!(f, "node {node} takes new services, however often it was fenced{}", By(by.as_deref()))
            }
            Self::HeldNodeTaken { sid, node, with: None } => {
                write!(f, "{sid} takes node {node}, though that takes no new services: there is no other one for it")
            }
            Self::HeldNodeTaken { sid, node, with: Some(with) } => {
                write!(f, "{sid} takes node {node}, though that takes no new services: {with} is there")
            }
            Self::MoveToHeldNode { sid, node, seconds } => {
                write!(f, "{sid} goes to {node} as asked, though that takes no new services for another {seconds} s")
            }
            Self::AllNodesTried { sid, failed_nodes } => {
                write!(
                    f,
                    "{sid} failed on every node that it may use ({}); tries again where it is",
                    List(failed_nodes)
                )
            }
            Self::ServiceUnrecoverable { sid, exit_code, node, guest_node } => {
                write!(
                    f,
                    "{sid} could not be started{}, which no retry mends ({}){}; a person is needed",
                    Where("on", node.as_ref()),
                    Cause(*exit_code),
                    Elsewhere(node.as_ref(), guest_node.as_ref())
                )
            }
            Self::StopFailed { sid, exit_code, node, guest_node } => {
                let (on, elsewhere) = (Where("on", node.as_ref()), Elsewhere(node.as_ref(), guest_node.as_ref()));
                write!(f, "{sid} could not be stopped{on} ({}){elsewhere}", Cause(*exit_code))
            }
            Self::MoveFailed { sid, exit_code, node, target, guest_node } => {
                let (from, to) = (Where("from", node.as_ref()), Where("to", target.as_ref()));
                let elsewhere = Elsewhere(node.as_ref(), guest_node.as_ref());
                write!(f, "{sid} could not be moved{from}{to} ({}){elsewhere}", Cause(*exit_code))
            }
            Self::MoveFailedWrongNode { sid } => {
                write!(f, "{sid} could not be moved: it is configured on another node")
            }
            Self::ServiceLocationFixed { sid, from, to } => {
                write!(f, "{sid} was found on {to}, not on {from}; recorded")
            }
            Self::MaintenanceReturn { sid, target } => {
                write!(f, "{sid} returns to {target}, which is out of maintenance")
            }
            Self::MaintenanceFallbackDropped { sid, node } => {
                write!(f, "{sid} was moved meanwhile and won't return to {node}")
            }
            Self::MaintenanceFallbackCleared { sid, node } => {
                write!(f, "{sid} is on {node}, so that it needs no return")
            }
            Self::MaintenanceClearUnexpectedState { node, state } => {
                write!(f, "maintenance of node {node} is over, but its state is {state}")
            }
            Self::ServiceLocationUpdated { sid, from, to } => {
                write!(f, "{sid} was found on {to}, not on {from}; it is looked after there")
            }
            Self::StartBalanceSelected { sid, node, .. } => write!(f, "{sid} is to start on {node}"),
            Self::StartBalanceIgnored { sid } => write!(f, "{sid} runs already and stays where it is"),
            Self::SchedulerMode { mode } => write!(f, "places services by the {mode} scheduler"),
            Self::SchedulerModeSwitched { from, to } => {
                write!(f, "places services by the {to} scheduler, no longer by {from}")
            }
            Self::SchedulerFallback { mode, reason } => {
                write!(f, "counts services in this round, since the {mode} scheduler can't work: {reason}")
            }
            Self::FiguresMissing { sid: Some(sid), reason, .. } => {
                write!(f, "places {sid} by the numbers of services, since its figures can't be used: {reason}")
            }
            Self::FiguresMissing { node: Some(node), reason, .. } => {
                write!(f, "takes node {node} only where no other is left, since its figures can't be used: {reason}")
            }
            Self::FiguresMissing { reason, .. } => write!(f, "goes without some figures: {reason}"),
            Self::RuleGaveWay { sid, rule, node } => write!(
                f,
                "{sid} goes to {node}, which rule '{rule}' does not prefer, since what must be kept apart from it uses the \
                 nodes that it prefers"
            ),
            Self::AutoRebalanceSuspended { sid, failures, seconds } => write!(
                f,
                "balancing leaves {sid} and what must be together with it alone for {seconds} s, since {failures} moves of it \
                 have failed"
            ),
            Self::AutoRebalance { task, sid, target, imbalance, expected_imbalance } => write!(
                f,
                "{task} {sid} to {target} for balance: imbalance {imbalance:.2}, expected {expected_imbalance:.2}"
            ),
            Self::CommandTaken { id, command, by } => {
                write!(f, "takes '{command}'{}: it is called {id}", By(by.as_deref()))
            }
            Self::CommandAccepted { command, by } => write!(f, "accepts '{command}'{}", By(by.as_deref())),
            Self::MaintenanceRequested { node, by } => {
                write!(f, "maintenance was asked for {node}{}", By(by.as_deref()))
            }
            Self::MaintenanceRequestWithdrawn { node, by } => {
                write!(f, "the request for maintenance of {node} was taken back{}", By(by.as_deref()))
            }
            Self::ComoveQueued { sid, target, with, .. } => write!(f, "{sid} moves along with {with} to {target}"),
            Self::CommandBlockedByAffinity { command, blocking, target, domain, .. } => match domain {
                None => write!(f, "refuses '{command}': {blocking}, which must be kept apart, uses {target}"),
                Some(domain) => write!(
                    f,
                    "refuses '{command}': {blocking}, which must not fail together with it, is in {domain}, as {target} is"
                ),
            },
            Self::CommandRejected { command, reason } => write!(f, "refuses '{command}': {}", rejection(*reason)),
            Self::CommandIgnored { command, reason, .. } => write!(f, "ignores '{command}': {}", ignored(*reason)),
            Self::ServiceNotUnderstood { sid, field, reason } => {
                let colon = if field.is_empty() { "" } else { ": " };
                write!(
                    f,
                    "the entry of {sid} in the manager status is kept, and the service left alone, since it can't be understood: {field}{colon}{reason}"
                )
            }
            Self::CommandUnknown { command, reason } => write!(f, "drops '{command}': {reason}"),
            Self::CommandWithoutEffect { sid, command, reason } => {
                write!(f, "'{command}' leads nowhere and is dropped: {sid} {}", no_effect(*reason))
            }
            Self::JobHangs { sid, command, seconds } => {
                write!(f, "'{command}' of {sid} hangs: it has gone on for {seconds} s, and is ended")
            }
            Self::UnplannedRestart { sid, restarts, pause: 0 } => {
                write!(f, "{sid} does not run any more: it is started again, unplanned restart {restarts}")
            }
            Self::UnplannedRestart { sid, restarts, pause } => write!(
                f,
                "{sid} does not run any more: it ends again and again, and is started again in {pause} s, unplanned restart {restarts}"
            ),
            Self::ServiceReady { sid } => write!(f, "{sid} is ready"),
            Self::ServiceNotReady { sid, failures, reason, on_failure } => {
                write!(f, "{sid} runs and is not ready: {failures} of its probes failed in a row")?;
                reason.as_ref().map_or(Ok(()), |reason| write!(f, " ({reason})"))?;
                f.write_str(match on_failure {
                    OnFailure::Report => "; it is left as it is",
                    OnFailure::Restart => "; it is stopped and started again",
                    OnFailure::Relocate => "; it is stopped, and started on another node",
                })
            }
            Self::StoppedInsteadOfMoved { services } => {
                write!(
                    f,
                    "stops {} instead of moving them away: they can't move, and the node goes down",
                    List(services)
                )
            }
            Self::ServicesLeftRunning { services } => {
                write!(f, "could not stop {}: the watchdog is left to end what runs", List(services))
            }
            Self::MoveWillNotLast { sid, node, rule, reason } => {
                write!(f, "{sid} will not stay on {node}: ")?;
                moves_back(f, *reason, rule.as_ref())
            }
            Self::DisarmFrozeService { sid, was } => write!(f, "{sid} is left as it is ({was}) while HA is disarmed"),
            Self::DisarmSuspendedService { sid } => write!(f, "{sid} is not looked after while HA is disarmed"),
            Self::DisarmDeferred { sid, state } => write!(f, "disarming waits for {sid} ({state})"),
            Self::Disarmed => f.write_str("HA is disarmed: all LRMs let go of their watchdogs"),
            Self::CrmWatchdogReleased => f.write_str("lets go of its watchdog, since HA is disarmed"),
            Self::DisarmedTakeover => f.write_str("takes over a disarmed cluster, without a watchdog"),
            Self::Rearmed => f.write_str("HA is armed again"),
            Self::CrmIdle { rounds } => write!(f, "had nothing to do for {rounds} rounds"),
            Self::LrmIdle { rounds } => write!(f, "had nothing to do for {rounds} rounds"),
            Self::GroupMigrationStarted => f.write_str("tries to turn the groups into rules"),
            Self::GroupMigrationSucceeded => f.write_str("turned the groups into rules"),
            Self::GroupMigrationAborted => f.write_str("could not turn the groups into rules yet"),
            Self::GroupMigrationObstacle { reason, .. } => write!(f, "the groups stay groups for now: {reason}"),
            Self::RuleDropped { explanation, .. } => f.write_str(explanation),
            Self::AgentStarting { sid } => write!(f, "starts {sid}"),
            Self::AgentStarted { sid } => write!(f, "{sid} runs"),
            Self::AgentStartFailed { sid } => write!(f, "{sid} could not be started"),
            Self::StartRetriesExhausted { sid, tries: 0 } => write!(f, "{sid} is not tried again on this node"),
            Self::StartRetriesExhausted { sid, tries } => {
                write!(f, "{sid} is not tried again on this node, after {tries} {}", retries(*tries))
            }
            Self::StartRetry { sid, r#try } => {
                write!(f, "{sid} is tried again on this node (retry {try})", r#try = r#try)
            }
            Self::AgentStopping { sid, for_relocate, timeout } => {
                write!(f, "stops {sid}{}", if *for_relocate { " to move it" } else { "" })?;
                within(f, *timeout)
            }
            Self::AgentStopped { sid } => write!(f, "{sid} is stopped"),
            Self::AgentStopFailed { sid } => write!(f, "{sid} could not be stopped"),
            Self::ServiceLocked { sid, lock, op } => write!(f, "{sid} is locked ({lock}), so that {op} is refused"),
            Self::LiveMigrationUnsupported { sid } => write!(f, "{sid} can't be moved live; it is stopped and moved"),
            Self::AgentMoveStarted { sid, task, target } => write!(f, "begins to {task} {sid} to {target}"),
            Self::AgentMoveEnded { sid, target, .. } => write!(f, "{sid} was moved to {target}"),
            Self::AgentMoveFailed { sid } => write!(f, "{sid} could not be moved"),
            Self::ServiceInError { sid } => {
                write!(f, "{sid} is in error and is left alone: mend it, then set it to disabled to clear the error")
            }
            Self::ServiceNotHere { sid } => write!(f, "{sid} is configured on another node"),
            Self::AgentStartBalanceIgnored { sid } => write!(f, "{sid} runs already and is not moved"),
            Self::ShutdownRequested { policy } => write!(f, "the node is about to go down; shutdown policy {policy}"),
            Self::LrmShutdownMode { kind, mode, .. } => write!(f, "{kind} is requested: {}", shutdown(*mode)),
            Self::ShutdownWhileLockLost { count } => {
                write!(
                    f,
                    "is asked to stop, but lost its lock with {count} services that may still run; the watchdog decides"
                )
            }
            Self::ShutdownGivenUp => {
                f.write_str("gives up waiting for its lock and stops; the watchdog will reset the node")
            }
            Self::FenceRequestedLockDropped => f.write_str("stops feeding the watchdog: the node must be fenced"),
            Self::LrmDisarmed { during_maintenance: false } => {
                f.write_str("lets go of its lock and watchdog: HA is disarmed")
            }
            Self::LrmDisarmed { during_maintenance: true } => {
                f.write_str("lets go of its lock and watchdog, out of maintenance: HA is disarmed")
            }
            Self::ServiceStatusUnreadable => {
                f.write_str("can't read the manager status, and goes on with the last one")
            }
            Self::LrmStatusUnwritable => f.write_str("can't write its record"),
            Self::HostCallFailed { operation, message } => write!(f, "{operation} failed: {message}"),
            Self::WatchdogFeedTooLate => f.write_str("renewed its lock too late to feed the watchdog for it"),
            Self::RoundNotSettled => f.write_str("the round changed states without end; the next one goes on"),
            Self::TwinSeen { node, record, writer } => write!(
                f,
                "another machine works under the name {node}: {} was written by {writer}; this node does not work until a person has decided",
                written(*record)
            ),
            Self::RemovedFromCluster { node } => write!(
                f,
                "{node} was taken out of the cluster while its daemons run: it has no lock any more, stops its services, and does not work until it is added again"
            ),
            Self::StoreSpaceLow { free_percent } => write!(f, "{free_percent} % of the store is free"),
            Self::StoreSpaceEnough { free_percent } => write!(f, "the store has room again: {free_percent} % is free"),
            Self::ChangeMade { by, through: None, change, .. } => write!(f, "{by}: {change}"),
            Self::ChangeMade { by, through: Some(through), change, .. } => write!(f, "{by}, by {through}: {change}"),
            Self::HistoryIncomplete { events: Some(events), reason } => {
                write!(f, "{events} events are missing: {reason}")
            }
            Self::HistoryIncomplete { events: None, reason } => write!(f, "events may be missing: {reason}"),
        }
    }
}

fn place(f: &mut fmt::Formatter<'_>, node: Option<&NodeName>, target: Option<&NodeName>) -> fmt::Result {
    match (node, target) {
        (Some(node), Some(target)) => write!(f, " from {node} to {target}"),
        (Some(node), None) => write!(f, " on {node}"),
        (None, Some(target)) => write!(f, " to {target}"),
        (None, None) => Ok(()),
    }
}

fn within(f: &mut fmt::Formatter<'_>, timeout: Option<u32>) -> fmt::Result {
    timeout.map_or(Ok(()), |timeout| write!(f, " within {timeout} s"))
}

fn retries(count: u32) -> &'static str {
    if count == 1 { "retry" } else { "retries" }
}

/// Names, separated by commas.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, name) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{name}")?;
        }
        Ok(())
    }
}

fn removal(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::NoConfig => "it is not configured",
        RemovalReason::Ignored => "it must be ignored",
    }
}

fn moved_by(cause: MoveCause) -> &'static str {
    match cause {
        MoveCause::Placement => "as placement wants it",
        MoveCause::Command => "as commanded",
    }
}

fn rejection(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::NodeNotOnline => "the node is not online",
        RejectionReason::NotToBeFenced => "the node need not be fenced",
        RejectionReason::NodeIsUp => "the node is in the cluster right now, so it is not down",
        RejectionReason::NoSuchService => "no such service is managed",
    }
}

fn ignored(reason: IgnoreReason) -> &'static str {
    match reason {
        IgnoreReason::AlreadyOnTarget => "the service is there already",
        IgnoreReason::AlreadyDisarmed => "HA is disarmed already, or on the way there",
        IgnoreReason::NotDisarmed => "HA is not disarmed",
        IgnoreReason::AlreadyInMaintenance => "the node is in maintenance already",
        IgnoreReason::Disarmed => "HA is disarmed",
        IgnoreReason::NotFencedLately => "the node takes new services already",
    }
}

fn written(record: NodeRecord) -> &'static str {
    match record {
        NodeRecord::SignOfLife => "its sign of life",
        NodeRecord::LrmStatus => "its LRM's record",
        NodeRecord::AgentLock => "its agent lock",
        NodeRecord::ManagerLock => "the manager lock, which it held,",
    }
}

fn no_effect(reason: NoEffectReason) -> &'static str {
    match reason {
        NoEffectReason::InError => "is in error; find out why, then request 'disabled' and after that 'started'",
        NoEffectReason::InFence => "waits until its node is known to be down, and is placed again then",
        NoEffectReason::InRecovery => "is recovered on any node that may have it",
        NoEffectReason::Moving => "is on its way to another node; give the command again when it is there",
        NoEffectReason::Frozen => "is left alone while its LRM restarts or HA is disarmed",
        NoEffectReason::Stopping => "is being stopped; give the command again when it is stopped",
        NoEffectReason::Starting => "is about to be started; give the command again when it runs",
    }
}

fn moves_back(f: &mut fmt::Formatter<'_>, reason: MoveBackReason, rule: Option<&RuleId>) -> fmt::Result {
    let rule = Named(rule);
    match reason {
        MoveBackReason::NotAllowed => write!(f, "{rule} does not allow it there; change the rule to keep it there"),
        MoveBackReason::Failback => {
            write!(
                f,
                "{rule} prefers other nodes; change the rule, or turn the service's failback off, to keep it there"
            )
        }
        MoveBackReason::Maintenance => f.write_str("maintenance is asked for that node"),
    }
}

/// A rule in a sentence.
struct Named<'a>(Option<&'a RuleId>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(rule) => write!(f, "rule '{rule}'"),
            None => f.write_str("its rule"),
        }
    }
}

fn shutdown(mode: ShutdownMode) -> &'static str {
    match mode {
        ShutdownMode::Freeze => "services are frozen",
        ShutdownMode::Stop => "services are stopped and given up",
        ShutdownMode::Maintenance => "services are moved away first",
        ShutdownMode::AlreadyInMaintenance => "services are being moved away already",
    }
}

/// A node in a sentence, if it is known.
struct Where<'a>(&'static str, Option<&'a NodeName>);

impl fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(preposition, node) = self;
        node.map_or(Ok(()), |node| write!(f, " {preposition} {node}"))
    }
}

/// Which node holds the guest, where that is not the one on which something failed.
struct Elsewhere<'a>(Option<&'a NodeName>, Option<&'a NodeName>);

impl fmt::Display for Elsewhere<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(failed), Some(holder)) if failed != holder => write!(f, "; its guest is on {holder}"),
            _ => Ok(()),
        }
    }
}

/// Who did something, if that is known.
struct By<'a>(Option<&'a str>);

impl fmt::Display for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |by| write!(f, ", by {by}"))
    }
}
