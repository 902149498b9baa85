//! Bugs that can be planted, to show that the hunt finds them.
//!
//! Each makes a daemon behave as if the core had the bug, by changing what it hears or what its calls do.

use std::sync::Arc;

use ha_core::{
    config::OrderedMap,
    event::Event,
    host::{Configuration, FenceAttempt},
    id::{NodeName, Uid},
    status::{LrmMode, LrmStatus, ManagerStatus, NodeState, ServiceState},
};

use crate::world::{Careless, DaemonKind, Physics};

macro_rules! bugs {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A bug that can be planted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PlantedBug {
            $($(#[$doc])* $name,)*
        }

        impl PlantedBug {
            /// All bugs.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

bugs! {
    /// A lock passes on when half of its lifetime is over.
    LockPassesEarly = "lock-passes-early",
    /// A lock is given to whoever asks.
    LockPassesAtOnce = "lock-passes-at-once",
    /// The watchdog runs out later than the timings say.
    WatchdogTooLong = "watchdog-too-long",
    /// The LRM never arms its watchdog.
    WatchdogNeverArmed = "watchdog-never-armed",
    /// A feed is made however late it is.
    LateFeedCounts = "late-feed-counts",
    /// A renewal that gave an error counts as made.
    FailedRenewalCounts = "failed-renewal-counts",
    /// A renewal of the agent lock that was refused counts as made.
    RefusedRenewalCounts = "refused-renewal-counts",
    /// The master recovers without having the lock of the node.
    RecoveryWithoutFencing = "recovery-without-fencing",
    /// The master recovers from a node in maintenance without having its lock.
    FencingSkippedForMaintenance = "fencing-skipped-for-maintenance",
    /// Every CRM that asks for it gets the manager lock.
    ManagerLockForAll = "manager-lock-for-all",
    /// A fence device counts as successful at once.
    FenceDeviceLies = "fence-device-lies",
    /// The master takes a result of an older request for the answer to the present one.
    OldResultCounts = "old-result-counts",
    /// A stop, or any other job, that failed counts as successful.
    FailedStopCountsAsSuccess = "failed-job-counts",
    /// The LRM does not see that it must be fenced.
    FenceRequestIgnored = "fence-request-ignored",
    /// The LRM takes a frozen service for one that it must look after.
    FreezeIgnored = "freeze-ignored",
    /// The LRM takes all its services for frozen.
    AllFrozen = "all-frozen",
    /// The master does not see that a node's LRM is restarting.
    RestartIgnored = "restart-ignored",
    /// A service is left out of what is configured.
    ServiceForgotten = "service-forgotten",
    /// A status that was written is lost now and then.
    StatusWriteForgotten = "status-write-forgotten",
    /// All masters make the same request ids.
    SameEntropy = "same-entropy",
    /// A new master begins with an empty status.
    StatusLostOnTakeover = "status-lost-on-takeover",
    /// The LRM closes its watchdog when it has lost its lock.
    WatchdogClosedWithoutLock = "watchdog-closed-without-lock",
    /// The record of an LRM is written the first time only.
    RecordWrittenOnce = "record-written-once",
    /// Results of requests are lost.
    ResultsLost = "results-lost",
    /// A job is handed to two workers.
    JobBegunTwice = "job-begun-twice",
    /// The master forgets which nodes are unguarded when it writes its status.
    MarksForgotten = "marks-forgotten",
    /// The master forgets which services may run.
    MayRunForgotten = "may-run-forgotten",
    /// A CRM that is no master reads a manager status only once, and begins with it when it becomes master.
    EarlyStatus = "early-status",
    /// The configuration of a guest is not moved when its service is recovered.
    RecoveredInPlace = "recovered-in-place",
    /// What runs already is not seen when it is added.
    RunningUnseen = "running-unseen",
    /// A master writes request ids that it had replaced.
    RequestsComeBack = "requests-come-back",
    /// The name of a node counts for the node itself, whichever machine has it.
    NamesCount = "names-count",
    /// What a fence device does is known by node and device alone, and never forgotten.
    FenceAttemptsByDevice = "fence-attempts-by-device",
    /// What runs for fencing is not ended when its incident is over.
    FenceAttemptsKept = "fence-attempts-kept",
    /// A node that was booted again is fenced without its lock.
    BootProvesEnough = "boot-proves-enough",
    /// A job that had to be ended counts as gone though it goes on.
    EndedJobsGoOn = "ended-jobs-go-on",
    /// Agents do not see what guests left behind.
    LeftoversUnseen = "leftovers-unseen",
    /// A guest counts as stopped where its agent can't tell.
    UntoldCountsAsStopped = "untold-counts-as-stopped",
    /// An LRM that must restart does not hear that its node goes down.
    SecondStopIgnored = "second-stop-ignored",
    /// Locks are not renewed where the store is full.
    FullStoreLosesLocks = "full-store-loses-locks",
    /// A store that is not mounted is taken for an empty one.
    UnmountedIsEmpty = "unmounted-is-empty",
    /// Entries that can't be understood are left out of the status.
    DamagedForgotten = "damaged-forgotten",
    /// A client of a multiplexer is armed however late it comes.
    ArmedLate = "armed-late",
    /// What says that a multiplexer had clients is removed when one vanishes.
    MarkerRemoved = "marker-removed",
    /// A multiplexer feeds its device however old its view of its clients is.
    DeviceFedLate = "device-fed-late",
    /// Nobody compares the times of a multiplexer with those that its clients count on.
    TermsIgnored = "terms-ignored",
    /// The master takes no commands while a node is lost.
    CommandsWaitForNodes = "commands-wait-for-nodes",
    /// LRMs start nothing that has yet to run while a node is lost.
    StartsWaitForNodes = "starts-wait-for-nodes",
    /// Nobody sees that a service matters more than others.
    PrioritiesUnseen = "priorities-unseen",
    /// Nobody sees how many services may start and move at once.
    BoundsUnseen = "bounds-unseen",
    /// Nobody sees that services have probes: what runs counts as ready.
    ProbesUnseen = "probes-unseen",
    /// LRMs do not see that services come after others.
    TurnsUnseen = "turns-unseen",
    /// Nobody sees the rules that keep services apart only while there is a place for that.
    LooseRulesUnseen = "loose-rules-unseen",
    /// Nobody sees what fails together.
    LabelsUnseen = "labels-unseen",
    /// Nobody sees after which delay services go back.
    DelaysUnseen = "delays-unseen",
    /// Nobody sees that nodes which flap take no new services.
    HoldsUnseen = "holds-unseen",
    /// The master does not say why services go to `error`.
    ErrorsUntold = "errors-untold",
}

/// Changes how locks and watchdogs behave.
#[allow(clippy::wildcard_enum_match_arm, reason = "it is about a few of many bugs")]
pub(super) fn change_physics(bug: PlantedBug, physics: &mut Physics) {
    match bug {
        PlantedBug::LockPassesEarly => {
            physics.lock_lifetime = physics.lock_lifetime.checked_div(2).unwrap_or_default();
        }
        PlantedBug::LockPassesAtOnce => physics.lock_lifetime = std::time::Duration::ZERO,
        PlantedBug::WatchdogTooLong => {
            physics.watchdog_timeout = physics.watchdog_timeout.saturating_add(physics.lock_lifetime);
        }
        PlantedBug::NamesCount => physics.names_count = true,
        PlantedBug::LeftoversUnseen => physics.careless = Some(Careless::LeftoversUnseen),
        PlantedBug::UntoldCountsAsStopped => physics.careless = Some(Careless::UntoldIsStopped),
        PlantedBug::ArmedLate => physics.careless = Some(Careless::ArmedLate),
        PlantedBug::MarkerRemoved => physics.careless = Some(Careless::MarkerRemoved),
        PlantedBug::DeviceFedLate => physics.careless = Some(Careless::DeviceFedLate),
        PlantedBug::TermsIgnored => physics.careless = Some(Careless::TermsIgnored),
        _ => {}
    }
}

/// Whether a node is lost.
pub(super) fn misses_node(status: &ManagerStatus) -> bool {
    status.nodes.values().any(|state| matches!(state, NodeState::Unknown | NodeState::Fence))
}

/// Whether an event is the reason for which a service goes to `error`.
pub(super) fn says_why(event: &Event) -> bool {
    matches!(
        event,
        Event::StopFailed { .. }
            | Event::ServiceUnrecoverable { .. }
            | Event::RelocationExhausted { .. }
            | Event::MoveFailedWrongNode { .. }
    )
}

/// Changes what a fence device is asked for.
pub(super) fn change_attempt(bug: PlantedBug, attempt: &FenceAttempt) -> FenceAttempt {
    let mut attempt = attempt.clone();
    if bug == PlantedBug::FenceAttemptsByDevice {
        attempt.incident = Uid::new(attempt.node.as_str()).unwrap_or(attempt.incident);
        attempt.number = 0;
    }
    attempt
}

/// Changes the manager status that a daemon reads.
#[allow(clippy::wildcard_enum_match_arm, reason = "it is about a few of many bugs")]
pub(super) fn change_manager_status(
    bug: PlantedBug,
    node: &NodeName,
    daemon: DaemonKind,
    status: Option<Arc<ManagerStatus>>,
) -> Option<Arc<ManagerStatus>> {
    let mut status = status?;
    match (bug, daemon) {
        (PlantedBug::FenceRequestIgnored, DaemonKind::Lrm) => {
            let status = Arc::make_mut(&mut status);
            if status.node_state(node) == NodeState::Fence {
                status.nodes.insert(node.clone(), NodeState::Online);
            }
            replace_states(status, |state| {
                (*state == ServiceState::Fence).then_some(ServiceState::Started { confirmed: true })
            });
        }
        (PlantedBug::FreezeIgnored, DaemonKind::Lrm) => {
            replace_states(Arc::make_mut(&mut status), |state| {
                (*state == ServiceState::Freeze).then_some(ServiceState::Started { confirmed: true })
            });
        }
        (PlantedBug::AllFrozen, DaemonKind::Lrm) => {
            replace_states(Arc::make_mut(&mut status), |state| {
                (*state == ServiceState::Started { confirmed: true }).then_some(ServiceState::Freeze)
            });
        }
        (PlantedBug::StartsWaitForNodes, DaemonKind::Lrm) if misses_node(&status) => {
            let unconfirmed = ServiceState::Started { confirmed: false };
            for (_, entry) in
                Arc::make_mut(&mut status).services.iter_mut().filter(|(_, entry)| entry.state == unconfirmed)
            {
                entry.uid = None;
            }
        }
        (PlantedBug::TurnsUnseen, DaemonKind::Lrm) if !status.ordered.is_empty() => {
            Arc::make_mut(&mut status).ordered.clear();
        }
        (PlantedBug::StatusLostOnTakeover, DaemonKind::Crm) if status.master_node.as_ref() != Some(node) => {
            Arc::make_mut(&mut status).services = Default::default();
        }
        (PlantedBug::DamagedForgotten, DaemonKind::Crm) if !status.not_understood.is_empty() => {
            Arc::make_mut(&mut status).not_understood.clear();
        }
        _ => {}
    }
    Some(status)
}

fn replace_states(status: &mut ManagerStatus, change: impl Fn(&ServiceState) -> Option<ServiceState>) {
    for (_, entry) in status.services.iter_mut() {
        if let Some(state) = change(&entry.state) {
            entry.state = state;
        }
    }
}

/// Changes the manager status that a master writes; `before` is the one that is recorded.
#[allow(clippy::wildcard_enum_match_arm, reason = "it is about a few of many bugs")]
pub(super) fn change_written(bug: PlantedBug, status: &mut ManagerStatus, before: Option<&ManagerStatus>) {
    match bug {
        PlantedBug::MarksForgotten => status.unguarded.clear(),
        PlantedBug::MayRunForgotten => status.may_run.clear(),
        PlantedBug::RequestsComeBack => {
            for (sid, entry) in status.services.iter_mut() {
                let known = before.and_then(|before| before.services.get(sid));
                entry.uid = known.map_or_else(|| entry.uid.clone(), |known| known.uid.clone());
            }
        }
        _ => {}
    }
}

/// Changes the configuration that a daemon reads.
pub(super) fn change_configuration(bug: PlantedBug, mut configuration: Configuration) -> Configuration {
    if bug == PlantedBug::ServiceForgotten {
        Arc::make_mut(&mut configuration.resources).resources.pop();
    }
    if bug == PlantedBug::BoundsUnseen {
        let datacenter = Arc::make_mut(&mut configuration.datacenter);
        (datacenter.max_starts, datacenter.max_moves) = (None, None);
    }
    if bug == PlantedBug::ProbesUnseen {
        let resources = Arc::make_mut(&mut configuration.resources);
        resources.resources.values_mut().for_each(|resource| resource.probe = None);
    }
    if bug == PlantedBug::LooseRulesUnseen {
        Arc::make_mut(&mut configuration.rules).rules.retain(|_, rule| !rule.is_loosely_apart());
    }
    if bug == PlantedBug::LabelsUnseen {
        configuration.nodes = Arc::default();
    }
    if bug == PlantedBug::DelaysUnseen {
        let resources = Arc::make_mut(&mut configuration.resources);
        resources.resources.values_mut().for_each(|resource| resource.failback_delay = None);
    }
    if bug == PlantedBug::HoldsUnseen {
        Arc::make_mut(&mut configuration.datacenter).flapping_hold = None;
    }
    if bug == PlantedBug::PrioritiesUnseen {
        let resources = Arc::make_mut(&mut configuration.resources);
        resources.resources.values_mut().for_each(|resource| resource.priority = None);
    }
    configuration
}

/// Changes the record of an LRM that the master reads.
#[allow(clippy::wildcard_enum_match_arm, reason = "it is about a few of many bugs")]
pub(super) fn change_lrm_status(
    bug: PlantedBug,
    record: Option<Arc<LrmStatus>>,
    status: Option<&ManagerStatus>,
) -> Option<Arc<LrmStatus>> {
    let mut record = record?;
    match bug {
        PlantedBug::OldResultCounts => {
            let Some(status) = status else { return Some(record) };
            let record = Arc::make_mut(&mut record);
            let mut results = OrderedMap::default();
            for result in record.results.values() {
                let entry = status.services.get(&result.sid);
                if let Some(uid) = entry.and_then(|entry| entry.uid.clone()) {
                    results.insert(uid, result.clone());
                }
            }
            record.results = results;
        }
        PlantedBug::ResultsLost => Arc::make_mut(&mut record).results = OrderedMap::default(),
        PlantedBug::RestartIgnored if record.mode == LrmMode::Restart => {
            Arc::make_mut(&mut record).mode = LrmMode::Active;
        }
        _ => {}
    }
    Some(record)
}
