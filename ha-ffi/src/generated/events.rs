// Made by `cargo xtask generate` (tools/bindings): change what it is made from.
//! The kinds of events as numbers for C.

use ha_core::event::Event;

/// What happened. With each kind are the fields that its events have; those in brackets may be missing. See ha_event_text(),
/// ha_event_number() and ha_event_item().
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_event_kind {
    /// An event that is newer than this header: read its name and fields.
    HA_EVENT_OTHER = 1,
    /// A daemon changed its state.
    /// Fields: from, to.
    HA_EVENT_DAEMON_STATE = 2,
    /// A free or expired lock was taken. Renewing one is silent.
    /// Fields: lock.
    HA_EVENT_LOCK_ACQUIRED = 3,
    /// A round was skipped, since the view of the cluster could not be brought up to date.
    HA_EVENT_ROUND_SKIPPED_STALE_CLUSTER_STATE = 4,
    /// An error ended a manager round.
    /// Fields: [reason].
    HA_EVENT_ROUND_FAILED = 5,
    /// The CRM was asked to stop.
    HA_EVENT_CRM_SHUTDOWN_REQUESTED = 6,
    /// The CRM let go of the manager lock, so that another can take over at once.
    HA_EVENT_MANAGER_LOCK_RELEASED = 7,
    /// The manager status could not be read.
    /// Fields: [reason].
    HA_EVENT_MANAGER_STATUS_UNREADABLE = 8,
    /// The master sees a node in another state than before.
    /// Fields: node, from, to.
    HA_EVENT_NODE_STATE = 9,
    /// A node that left the cluster long ago was forgotten.
    /// Fields: node.
    HA_EVENT_NODE_FORGOTTEN = 10,
    /// A configured service is managed from now on.
    /// Fields: sid, node.
    HA_EVENT_SERVICE_ADDED = 11,
    /// A service is not managed any more.
    /// Fields: sid, reason.
    HA_EVENT_SERVICE_REMOVED = 12,
    /// A configured service is not managed yet, since its guest is on no node.
    /// Fields: sid.
    HA_EVENT_SERVICE_NOT_FOUND = 13,
    /// A service shall be in another state.
    /// Fields: sid, from, to, [node], [target], [timeout].
    HA_EVENT_SERVICE_STATE = 14,
    /// A node must be fenced: the first notification.
    /// Fields: node.
    HA_EVENT_NOTIFY_FENCE_STARTED = 15,
    /// A node was fenced: the second notification.
    /// Fields: node.
    HA_EVENT_NOTIFY_FENCE_SUCCEEDED = 16,
    /// A node is known to be down, since the master has its lock, or a fence device says so.
    /// Fields: node.
    HA_EVENT_FENCE_ACKNOWLEDGED = 17,
    /// A node is being fenced though no service is waiting for it.
    /// Fields: node.
    HA_EVENT_FENCE_WITHOUT_SERVICES = 18,
    /// A fence device turned a node off.
    /// Fields: node, attempt.
    HA_EVENT_FENCE_DEVICE_SUCCEEDED = 19,
    /// A fence device failed; the next one is tried.
    /// Fields: node, attempt.
    HA_EVENT_FENCE_DEVICE_FAILED = 20,
    /// No fence device is left for a node that needs one: it stays in state `fence`, and its services wait.
    /// Fields: node.
    HA_EVENT_FENCE_DEVICES_EXHAUSTED = 21,
    /// A new node was found for a service whose node was fenced.
    /// Fields: sid, from, to.
    HA_EVENT_SERVICE_RECOVERED = 22,
    /// No node was found for a service whose node was fenced. It is tried again.
    /// Fields: sid, node.
    HA_EVENT_RECOVERY_FAILED = 23,
    /// A guest lock that the fenced node left behind was removed.
    /// Fields: lock, sid.
    HA_EVENT_SERVICE_LOCK_REMOVED = 24,
    /// A started service begins to move.
    /// Fields: sid, target, cause, task.
    HA_EVENT_SERVICE_MOVE = 25,
    /// A move was dropped, since its target is not online or is where the service is.
    /// Fields: sid, target, [task], [reason].
    HA_EVENT_MOVE_IGNORED = 26,
    /// A stop was dropped: the service is stopped.
    /// Fields: sid.
    HA_EVENT_STOP_IGNORED = 27,
    /// A service was told to stop.
    /// Fields: sid, timeout.
    HA_EVENT_STOP_REQUESTED = 28,
    /// A service started after it had failed to.
    /// Fields: sid, node, failed_nodes.
    HA_EVENT_RELOCATION_SUCCEEDED = 29,
    /// A service failed to start; another node is looked for.
    /// Fields: sid, node.
    HA_EVENT_START_FAILED_RELOCATING = 30,
    /// A service failed to start as often as it may.
    /// Fields: sid, failed_nodes.
    HA_EVENT_RELOCATION_EXHAUSTED = 31,
    /// A service failed to start on every node that it may use; it starts again where it is.
    /// Fields: sid, failed_nodes.
    HA_EVENT_ALL_NODES_TRIED = 32,
    /// A start ended in a way that no retry mends.
    /// Fields: sid, exit_code, [node], [guest_node].
    HA_EVENT_SERVICE_UNRECOVERABLE = 33,
    /// A service could not be stopped.
    /// Fields: sid, exit_code, [node], [guest_node].
    HA_EVENT_STOP_FAILED = 34,
    /// A service could not be moved.
    /// Fields: sid, exit_code, [node], [target], [guest_node].
    HA_EVENT_MOVE_FAILED = 35,
    /// A service could not be moved, since it is configured on another node than recorded.
    /// Fields: sid.
    HA_EVENT_MOVE_FAILED_WRONG_NODE = 36,
    /// A service that is stopped or to be recovered was found on another node; the record was corrected.
    /// Fields: sid, from, to.
    HA_EVENT_SERVICE_LOCATION_FIXED = 37,
    /// A service returns to the node that it left for maintenance.
    /// Fields: sid, target.
    HA_EVENT_MAINTENANCE_RETURN = 38,
    /// A service was moved otherwise meanwhile and does not return to the node that it left for maintenance.
    /// Fields: sid, node.
    HA_EVENT_MAINTENANCE_FALLBACK_DROPPED = 39,
    /// A service is where it would have returned to after maintenance.
    /// Fields: sid, node.
    HA_EVENT_MAINTENANCE_FALLBACK_CLEARED = 40,
    /// The end of maintenance was asked for a node that is not in maintenance.
    /// Fields: node, state.
    HA_EVENT_MAINTENANCE_CLEAR_UNEXPECTED_STATE = 41,
    /// A service is recorded on the node where its guest was found: people moved it, while HA was disarmed or behind its back.
    /// Fields: sid, from, to.
    HA_EVENT_SERVICE_LOCATION_UPDATED = 42,
    /// The best node was chosen for a service that is to start.
    /// Fields: sid, node, [present].
    HA_EVENT_START_BALANCE_SELECTED = 43,
    /// A service that was to be moved before its start runs already.
    /// Fields: sid.
    HA_EVENT_START_BALANCE_IGNORED = 44,
    /// The scheduler that a new master begins with, where it is not `basic`.
    /// Fields: mode.
    HA_EVENT_SCHEDULER_MODE = 45,
    /// The scheduler was changed.
    /// Fields: from, to.
    HA_EVENT_SCHEDULER_MODE_SWITCHED = 46,
    /// The figures that the scheduler needs can't be had: this round counts services instead.
    /// Fields: mode, reason.
    HA_EVENT_SCHEDULER_FALLBACK = 47,
    /// Automatic balancing moves a service.
    /// Fields: task, sid, target, imbalance, expected_imbalance.
    HA_EVENT_AUTO_REBALANCE = 48,
    /// A command will be carried out.
    /// Fields: command, [by].
    HA_EVENT_COMMAND_ACCEPTED = 49,
    /// A service moves along with one that it belongs together with.
    /// Fields: command, task, sid, target, with.
    HA_EVENT_COMOVE_QUEUED = 50,
    /// A move was refused, since the target, or what fails together with it, is used by a service that must be kept apart.
    /// Fields: command, blocking, target, sid, [domain].
    HA_EVENT_COMMAND_BLOCKED_BY_AFFINITY = 51,
    /// A command was refused.
    /// Fields: command, reason.
    HA_EVENT_COMMAND_REJECTED = 52,
    /// A command has no effect.
    /// Fields: [state], reason, command.
    HA_EVENT_COMMAND_IGNORED = 53,
    /// A line of the command queue is not a command. It was dropped.
    /// Fields: command, reason.
    HA_EVENT_COMMAND_UNKNOWN = 54,
    /// A service is left as it is while HA is disarmed.
    /// Fields: sid, was.
    HA_EVENT_DISARM_FROZE_SERVICE = 55,
    /// A service is not tracked while HA is disarmed.
    /// Fields: sid.
    HA_EVENT_DISARM_SUSPENDED_SERVICE = 56,
    /// Disarming waits for a service.
    /// Fields: sid, state.
    HA_EVENT_DISARM_DEFERRED = 57,
    /// All LRMs have let go of their locks and watchdogs.
    HA_EVENT_DISARMED = 58,
    /// The CRM closed its watchdog, since HA is disarmed.
    HA_EVENT_CRM_WATCHDOG_RELEASED = 59,
    /// A CRM became master of a cluster that is disarmed; it opens no watchdog.
    HA_EVENT_DISARMED_TAKEOVER = 60,
    /// HA is armed again.
    HA_EVENT_REARMED = 61,
    /// The master had nothing to do for a long time, and lets go of its lock.
    /// Fields: rounds.
    HA_EVENT_CRM_IDLE = 62,
    /// The LRM had nothing to do for a long time, and lets go of its lock.
    /// Fields: rounds.
    HA_EVENT_LRM_IDLE = 63,
    /// The groups are about to be turned into rules for good.
    HA_EVENT_GROUP_MIGRATION_STARTED = 64,
    /// The groups were turned into rules.
    HA_EVENT_GROUP_MIGRATION_SUCCEEDED = 65,
    /// The groups can't be turned into rules yet; it is tried again.
    HA_EVENT_GROUP_MIGRATION_ABORTED = 66,
    /// Why the groups can't be turned into rules yet.
    /// Fields: reason, obstacle, [node], [found].
    HA_EVENT_GROUP_MIGRATION_OBSTACLE = 67,
    /// A rule takes no part in anything.
    /// Fields: rule, reason, explanation.
    HA_EVENT_RULE_DROPPED = 68,
    /// A service is being started.
    /// Fields: sid.
    HA_EVENT_AGENT_STARTING = 69,
    /// A service was started.
    /// Fields: sid.
    HA_EVENT_AGENT_STARTED = 70,
    /// A service could not be started.
    /// Fields: sid.
    HA_EVENT_AGENT_START_FAILED = 71,
    /// A service failed to start as often as it may on this node.
    /// Fields: sid, tries.
    HA_EVENT_START_RETRIES_EXHAUSTED = 72,
    /// A service failed to start and is tried again on this node.
    /// Fields: try, sid.
    HA_EVENT_START_RETRY = 73,
    /// A service is being stopped.
    /// Fields: sid, [for_relocate], [timeout].
    HA_EVENT_AGENT_STOPPING = 74,
    /// A service was stopped.
    /// Fields: sid.
    HA_EVENT_AGENT_STOPPED = 75,
    /// A service could not be stopped.
    /// Fields: sid.
    HA_EVENT_AGENT_STOP_FAILED = 76,
    /// A guest's lock keeps the agent from what it was asked.
    /// Fields: sid, lock, op.
    HA_EVENT_SERVICE_LOCKED = 77,
    /// A service can't be moved live; it is stopped and moved instead.
    /// Fields: sid.
    HA_EVENT_LIVE_MIGRATION_UNSUPPORTED = 78,
    /// A service is being moved.
    /// Fields: sid, task, target.
    HA_EVENT_AGENT_MOVE_STARTED = 79,
    /// A service was moved.
    /// Fields: sid, task, target.
    HA_EVENT_AGENT_MOVE_ENDED = 80,
    /// A service could not be moved.
    /// Fields: sid.
    HA_EVENT_AGENT_MOVE_FAILED = 81,
    /// A service is in state `error`: a person is needed.
    /// Fields: sid.
    HA_EVENT_SERVICE_IN_ERROR = 82,
    /// A command came for a service that is configured on another node.
    /// Fields: sid.
    HA_EVENT_SERVICE_NOT_HERE = 83,
    /// A service that was to be moved before its start runs already, and was left alone.
    /// Fields: sid.
    HA_EVENT_AGENT_START_BALANCE_IGNORED = 84,
    /// The LRM's node is about to go down.
    /// Fields: policy.
    HA_EVENT_SHUTDOWN_REQUESTED = 85,
    /// What the LRM does when it is asked to stop.
    /// Fields: kind, mode, [policy].
    HA_EVENT_LRM_SHUTDOWN_MODE = 86,
    /// The LRM was asked to stop while it had lost its lock and services may still run.
    /// Fields: count.
    HA_EVENT_SHUTDOWN_WHILE_LOCK_LOST = 87,
    /// The LRM was asked to restart, could not get its lock back, and exits without closing its watchdog.
    HA_EVENT_SHUTDOWN_GIVEN_UP = 88,
    /// The LRM stops feeding its watchdog, since its node must be fenced.
    HA_EVENT_FENCE_REQUESTED_LOCK_DROPPED = 89,
    /// The LRM let go of its lock and watchdog, since HA is disarmed.
    /// Fields: [during_maintenance].
    HA_EVENT_LRM_DISARMED = 90,
    /// The LRM could not read the manager status; it goes on with what it read before.
    HA_EVENT_SERVICE_STATUS_UNREADABLE = 91,
    /// The LRM could not write its record.
    HA_EVENT_LRM_STATUS_UNWRITABLE = 92,
    /// A call of the host failed. The core goes on in the way that the call's documentation says.
    /// Fields: operation, message.
    HA_EVENT_HOST_CALL_FAILED = 93,
    /// A lock was renewed, but so late that feeding the watchdog for it would not be safe. It is renewed again.
    HA_EVENT_WATCHDOG_FEED_TOO_LATE = 94,
    /// A round changed states more often than makes sense; it goes on in the next round.
    HA_EVENT_ROUND_NOT_SETTLED = 95,
    /// A node that is gone is not fenced: its services may run without a watchdog, so that its lock proves nothing. They wait
    /// for it to come back, or for a person.
    /// Fields: node.
    HA_EVENT_NODE_NOT_FENCED = 96,
    /// Another machine works under this node's name: what the node had written was changed by another hand. The node does
    /// not work until a person has decided. A host reports it.
    /// Fields: node, record, writer.
    HA_EVENT_TWIN_SEEN = 97,
    /// The store has little room left. What is kept for locks and signs of life is not concerned. A host reports it.
    /// Fields: free_percent.
    HA_EVENT_STORE_SPACE_LOW = 98,
    /// The store has enough room again. A host reports it.
    /// Fields: free_percent.
    HA_EVENT_STORE_SPACE_ENOUGH = 99,
    /// A command was accepted, but leads nowhere; it is dropped.
    /// Fields: sid, command, reason.
    HA_EVENT_COMMAND_WITHOUT_EFFECT = 100,
    /// A move was accepted, but the service will not stay where it is sent.
    /// Fields: sid, node, [rule], reason.
    HA_EVENT_MOVE_WILL_NOT_LAST = 101,
    /// A job takes longer than it may, and must be ended. Until it is known to be gone no other one begins for its service.
    /// Fields: sid, command, seconds.
    HA_EVENT_JOB_HANGS = 102,
    /// The node goes down, and these services can't move away first: they are stopped.
    /// Fields: services.
    HA_EVENT_STOPPED_INSTEAD_OF_MOVED = 103,
    /// The node goes down, and these services could not be stopped: the watchdog ends them.
    /// Fields: services.
    HA_EVENT_SERVICES_LEFT_RUNNING = 104,
    /// A service or a node has no usable figures: the service counts as using nothing and is placed by the numbers of services,
    /// the node is taken only where no other is left. Told when it begins.
    /// Fields: [sid], [node], reason.
    HA_EVENT_FIGURES_MISSING = 105,
    /// A service goes to a node that its node affinity rule does not prefer, since those that must be kept apart from it use
    /// the nodes that the rule prefers.
    /// Fields: sid, rule, node.
    HA_EVENT_RULE_GAVE_WAY = 106,
    /// Moves of a service have failed again and again: automatic balancing leaves it and what must be together with it alone.
    /// Fields: sid, failures, seconds.
    HA_EVENT_AUTO_REBALANCE_SUSPENDED = 107,
    /// A node that must be fenced reports from another boot of the same machine: what ran on it before is gone.
    /// Fields: node.
    HA_EVENT_FENCED_NODE_REBOOTED = 108,
    /// A node that was to be fenced is back: its services stay with it, and it is not fenced.
    /// Fields: node.
    HA_EVENT_FENCED_NODE_RETURNED = 109,
    /// A person has confirmed that a node which must be fenced is down.
    /// Fields: node, [by].
    HA_EVENT_FENCE_CONFIRMED = 110,
    /// What is recorded of a service can't be understood: the entry is kept as it is, and the service is left alone.
    /// Fields: sid, field, reason.
    HA_EVENT_SERVICE_NOT_UNDERSTOOD = 111,
    /// A service whose start was confirmed does not run any more, and nobody asked for that: it is started again.
    /// Fields: sid, restarts, pause.
    HA_EVENT_UNPLANNED_RESTART = 112,
    /// A host found its node taken out of the list of members while its daemons run: the node holds no lock any more, stops its services
    /// as far as its watchdog's time allows, and ends. Hosts report it.
    /// Fields: node.
    HA_EVENT_REMOVED_FROM_CLUSTER = 113,
    /// A node is to give its services away and take none: maintenance was asked for.
    /// Fields: node, [by].
    HA_EVENT_MAINTENANCE_REQUESTED = 114,
    /// The request for a node's maintenance was taken back.
    /// Fields: node, [by].
    HA_EVENT_MAINTENANCE_REQUEST_WITHDRAWN = 115,
    /// A person, or a program in somebody's name, has changed something. Hosts report it.
    /// Fields: by, [through], verb, object, change, [command_id].
    HA_EVENT_CHANGE_MADE = 116,
    /// Events are missing in the history. A host reports it.
    /// Fields: [events], reason.
    HA_EVENT_HISTORY_INCOMPLETE = 117,
    /// The master took a command out of the queue that has an id. What it says to it comes right after this.
    /// Fields: id, command, [by].
    HA_EVENT_COMMAND_TAKEN = 118,
    /// Failed starts of a service count no more: none has failed for the time that is configured.
    /// Fields: sid, failed_nodes, tried_again.
    HA_EVENT_START_FAILURES_EXPIRED = 119,
    /// A service is not started yet, since it comes after others by an order rule.
    /// Fields: sid, waits_for, [left].
    HA_EVENT_START_WAITS = 120,
    /// A service is started though others that come first are not up: they were waited for as long as the order rule says.
    /// Fields: sid, missing, waited.
    HA_EVENT_START_WAITED_ENOUGH = 121,
    /// A service has waited for others that come first for longer than the timeout of a strict order rule, and waits on.
    /// Fields: sid, waits_for, waited.
    HA_EVENT_START_WAITS_LONG = 122,
    /// Order rules are not in force: a node does not know them.
    /// Fields: node, version.
    HA_EVENT_ORDER_RULES_NOT_IN_FORCE = 123,
    /// A service waits to be started: as many start already as may at once in the whole cluster.
    /// Fields: sid, max.
    HA_EVENT_START_HELD_BACK = 124,
    /// A service waits to be moved: as many move already as may at once in the whole cluster.
    /// Fields: sid, max.
    HA_EVENT_MOVE_HELD_BACK = 125,
    /// A service that runs is ready, by its probe: for the first time since its start, or again.
    /// Fields: sid.
    HA_EVENT_SERVICE_READY = 126,
    /// A service that runs was not ready in time after its start, or is no longer, by its probe.
    /// Fields: sid, failures, [reason], on_failure.
    HA_EVENT_SERVICE_NOT_READY = 127,
    /// Services share a node that a loose rule would have apart.
    /// Fields: rule, node, services.
    HA_EVENT_SHARING_BEGUN = 134,
    /// Services do not share a node, or a failure domain, any more that a loose rule would have apart.
    /// Fields: rule, services.
    HA_EVENT_SHARING_ENDED = 135,
    /// A move that was asked for brings a service to others from which it should rather be apart.
    /// Fields: sid, node, rule, with.
    HA_EVENT_MOVE_BRINGS_TOGETHER = 136,
    /// Rules with `strict 0` that keep services apart are taken as strict ones: a node knows no others.
    /// Fields: node, version.
    HA_EVENT_APART_RULES_NOT_IN_FORCE = 137,
    /// A service stays where it is for now: the node of higher priority that it would go back to has not been well for long enough.
    /// Fields: sid, node, seconds.
    HA_EVENT_FAILBACK_DELAYED = 128,
    /// A node was fenced again and again: it takes no new services for a time, as long as there are others for them.
    /// Fields: node, seconds, holds.
    HA_EVENT_NODE_HELD = 129,
    /// A node takes new services again.
    /// Fields: node.
    HA_EVENT_NODE_HOLD_OVER = 130,
    /// It was asked for that a node takes new services, however often it was fenced.
    /// Fields: node, [by].
    HA_EVENT_FENCINGS_CLEARED = 131,
    /// A service goes to a node that takes no new services, or starts there.
    /// Fields: sid, node, [with].
    HA_EVENT_HELD_NODE_TAKEN = 132,
    /// A move that was asked for brings a service to a node that takes no new services.
    /// Fields: sid, node, seconds.
    HA_EVENT_MOVE_TO_HELD_NODE = 133,
    /// Rules with `spread` keep services apart by node: a node knows no failure domains.
    /// Fields: node, version.
    HA_EVENT_SPREAD_RULES_NOT_IN_FORCE = 138,
    /// Services are in one failure domain that a loose rule with `spread` would have apart.
    /// Fields: rule, domain, services.
    HA_EVENT_DOMAIN_SHARING_BEGUN = 139,
}

/// The kind of an event.
// tidy: table
pub(crate) fn kind(event: &Event) -> ha_event_kind {
    use ha_event_kind as Kind;
    match event {
        Event::DaemonState { .. } => Kind::HA_EVENT_DAEMON_STATE,
        Event::LockAcquired { .. } => Kind::HA_EVENT_LOCK_ACQUIRED,
        Event::RoundSkippedStaleClusterState => Kind::HA_EVENT_ROUND_SKIPPED_STALE_CLUSTER_STATE,
        Event::RoundFailed { .. } => Kind::HA_EVENT_ROUND_FAILED,
        Event::CrmShutdownRequested => Kind::HA_EVENT_CRM_SHUTDOWN_REQUESTED,
        Event::ManagerLockReleased => Kind::HA_EVENT_MANAGER_LOCK_RELEASED,
        Event::ManagerStatusUnreadable { .. } => Kind::HA_EVENT_MANAGER_STATUS_UNREADABLE,
        Event::NodeState { .. } => Kind::HA_EVENT_NODE_STATE,
        Event::NodeForgotten { .. } => Kind::HA_EVENT_NODE_FORGOTTEN,
        Event::ServiceAdded { .. } => Kind::HA_EVENT_SERVICE_ADDED,
        Event::ServiceRemoved { .. } => Kind::HA_EVENT_SERVICE_REMOVED,
        Event::ServiceNotFound { .. } => Kind::HA_EVENT_SERVICE_NOT_FOUND,
        Event::ServiceState { .. } => Kind::HA_EVENT_SERVICE_STATE,
        Event::NotifyFenceStarted { .. } => Kind::HA_EVENT_NOTIFY_FENCE_STARTED,
        Event::NotifyFenceSucceeded { .. } => Kind::HA_EVENT_NOTIFY_FENCE_SUCCEEDED,
        Event::FenceAcknowledged { .. } => Kind::HA_EVENT_FENCE_ACKNOWLEDGED,
        Event::FenceWithoutServices { .. } => Kind::HA_EVENT_FENCE_WITHOUT_SERVICES,
        Event::FenceDeviceSucceeded { .. } => Kind::HA_EVENT_FENCE_DEVICE_SUCCEEDED,
        Event::FenceDeviceFailed { .. } => Kind::HA_EVENT_FENCE_DEVICE_FAILED,
        Event::FenceDevicesExhausted { .. } => Kind::HA_EVENT_FENCE_DEVICES_EXHAUSTED,
        Event::ServiceRecovered { .. } => Kind::HA_EVENT_SERVICE_RECOVERED,
        Event::RecoveryFailed { .. } => Kind::HA_EVENT_RECOVERY_FAILED,
        Event::ServiceLockRemoved { .. } => Kind::HA_EVENT_SERVICE_LOCK_REMOVED,
        Event::ServiceMove { .. } => Kind::HA_EVENT_SERVICE_MOVE,
        Event::MoveIgnored { .. } => Kind::HA_EVENT_MOVE_IGNORED,
        Event::StopIgnored { .. } => Kind::HA_EVENT_STOP_IGNORED,
        Event::StopRequested { .. } => Kind::HA_EVENT_STOP_REQUESTED,
        Event::RelocationSucceeded { .. } => Kind::HA_EVENT_RELOCATION_SUCCEEDED,
        Event::StartFailedRelocating { .. } => Kind::HA_EVENT_START_FAILED_RELOCATING,
        Event::RelocationExhausted { .. } => Kind::HA_EVENT_RELOCATION_EXHAUSTED,
        Event::AllNodesTried { .. } => Kind::HA_EVENT_ALL_NODES_TRIED,
        Event::ServiceUnrecoverable { .. } => Kind::HA_EVENT_SERVICE_UNRECOVERABLE,
        Event::StopFailed { .. } => Kind::HA_EVENT_STOP_FAILED,
        Event::MoveFailed { .. } => Kind::HA_EVENT_MOVE_FAILED,
        Event::MoveFailedWrongNode { .. } => Kind::HA_EVENT_MOVE_FAILED_WRONG_NODE,
        Event::ServiceLocationFixed { .. } => Kind::HA_EVENT_SERVICE_LOCATION_FIXED,
        Event::MaintenanceReturn { .. } => Kind::HA_EVENT_MAINTENANCE_RETURN,
        Event::MaintenanceFallbackDropped { .. } => Kind::HA_EVENT_MAINTENANCE_FALLBACK_DROPPED,
        Event::MaintenanceFallbackCleared { .. } => Kind::HA_EVENT_MAINTENANCE_FALLBACK_CLEARED,
        Event::MaintenanceClearUnexpectedState { .. } => Kind::HA_EVENT_MAINTENANCE_CLEAR_UNEXPECTED_STATE,
        Event::ServiceLocationUpdated { .. } => Kind::HA_EVENT_SERVICE_LOCATION_UPDATED,
        Event::StartBalanceSelected { .. } => Kind::HA_EVENT_START_BALANCE_SELECTED,
        Event::StartBalanceIgnored { .. } => Kind::HA_EVENT_START_BALANCE_IGNORED,
        Event::SchedulerMode { .. } => Kind::HA_EVENT_SCHEDULER_MODE,
        Event::SchedulerModeSwitched { .. } => Kind::HA_EVENT_SCHEDULER_MODE_SWITCHED,
        Event::SchedulerFallback { .. } => Kind::HA_EVENT_SCHEDULER_FALLBACK,
        Event::AutoRebalance { .. } => Kind::HA_EVENT_AUTO_REBALANCE,
        Event::CommandAccepted { .. } => Kind::HA_EVENT_COMMAND_ACCEPTED,
        Event::ComoveQueued { .. } => Kind::HA_EVENT_COMOVE_QUEUED,
        Event::CommandBlockedByAffinity { .. } => Kind::HA_EVENT_COMMAND_BLOCKED_BY_AFFINITY,
        Event::CommandRejected { .. } => Kind::HA_EVENT_COMMAND_REJECTED,
        Event::CommandIgnored { .. } => Kind::HA_EVENT_COMMAND_IGNORED,
        Event::CommandUnknown { .. } => Kind::HA_EVENT_COMMAND_UNKNOWN,
        Event::DisarmFrozeService { .. } => Kind::HA_EVENT_DISARM_FROZE_SERVICE,
        Event::DisarmSuspendedService { .. } => Kind::HA_EVENT_DISARM_SUSPENDED_SERVICE,
        Event::DisarmDeferred { .. } => Kind::HA_EVENT_DISARM_DEFERRED,
        Event::Disarmed => Kind::HA_EVENT_DISARMED,
        Event::CrmWatchdogReleased => Kind::HA_EVENT_CRM_WATCHDOG_RELEASED,
        Event::DisarmedTakeover => Kind::HA_EVENT_DISARMED_TAKEOVER,
        Event::Rearmed => Kind::HA_EVENT_REARMED,
        Event::CrmIdle { .. } => Kind::HA_EVENT_CRM_IDLE,
        Event::LrmIdle { .. } => Kind::HA_EVENT_LRM_IDLE,
        Event::GroupMigrationStarted => Kind::HA_EVENT_GROUP_MIGRATION_STARTED,
        Event::GroupMigrationSucceeded => Kind::HA_EVENT_GROUP_MIGRATION_SUCCEEDED,
        Event::GroupMigrationAborted => Kind::HA_EVENT_GROUP_MIGRATION_ABORTED,
        Event::GroupMigrationObstacle { .. } => Kind::HA_EVENT_GROUP_MIGRATION_OBSTACLE,
        Event::RuleDropped { .. } => Kind::HA_EVENT_RULE_DROPPED,
        Event::AgentStarting { .. } => Kind::HA_EVENT_AGENT_STARTING,
        Event::AgentStarted { .. } => Kind::HA_EVENT_AGENT_STARTED,
        Event::AgentStartFailed { .. } => Kind::HA_EVENT_AGENT_START_FAILED,
        Event::StartRetriesExhausted { .. } => Kind::HA_EVENT_START_RETRIES_EXHAUSTED,
        Event::StartRetry { .. } => Kind::HA_EVENT_START_RETRY,
        Event::AgentStopping { .. } => Kind::HA_EVENT_AGENT_STOPPING,
        Event::AgentStopped { .. } => Kind::HA_EVENT_AGENT_STOPPED,
        Event::AgentStopFailed { .. } => Kind::HA_EVENT_AGENT_STOP_FAILED,
        Event::ServiceLocked { .. } => Kind::HA_EVENT_SERVICE_LOCKED,
        Event::LiveMigrationUnsupported { .. } => Kind::HA_EVENT_LIVE_MIGRATION_UNSUPPORTED,
        Event::AgentMoveStarted { .. } => Kind::HA_EVENT_AGENT_MOVE_STARTED,
        Event::AgentMoveEnded { .. } => Kind::HA_EVENT_AGENT_MOVE_ENDED,
        Event::AgentMoveFailed { .. } => Kind::HA_EVENT_AGENT_MOVE_FAILED,
        Event::ServiceInError { .. } => Kind::HA_EVENT_SERVICE_IN_ERROR,
        Event::ServiceNotHere { .. } => Kind::HA_EVENT_SERVICE_NOT_HERE,
        Event::AgentStartBalanceIgnored { .. } => Kind::HA_EVENT_AGENT_START_BALANCE_IGNORED,
        Event::ShutdownRequested { .. } => Kind::HA_EVENT_SHUTDOWN_REQUESTED,
        Event::LrmShutdownMode { .. } => Kind::HA_EVENT_LRM_SHUTDOWN_MODE,
        Event::ShutdownWhileLockLost { .. } => Kind::HA_EVENT_SHUTDOWN_WHILE_LOCK_LOST,
        Event::ShutdownGivenUp => Kind::HA_EVENT_SHUTDOWN_GIVEN_UP,
        Event::FenceRequestedLockDropped => Kind::HA_EVENT_FENCE_REQUESTED_LOCK_DROPPED,
        Event::LrmDisarmed { .. } => Kind::HA_EVENT_LRM_DISARMED,
        Event::ServiceStatusUnreadable => Kind::HA_EVENT_SERVICE_STATUS_UNREADABLE,
        Event::LrmStatusUnwritable => Kind::HA_EVENT_LRM_STATUS_UNWRITABLE,
        Event::HostCallFailed { .. } => Kind::HA_EVENT_HOST_CALL_FAILED,
        Event::WatchdogFeedTooLate => Kind::HA_EVENT_WATCHDOG_FEED_TOO_LATE,
        Event::RoundNotSettled => Kind::HA_EVENT_ROUND_NOT_SETTLED,
        Event::NodeNotFenced { .. } => Kind::HA_EVENT_NODE_NOT_FENCED,
        Event::TwinSeen { .. } => Kind::HA_EVENT_TWIN_SEEN,
        Event::StoreSpaceLow { .. } => Kind::HA_EVENT_STORE_SPACE_LOW,
        Event::StoreSpaceEnough { .. } => Kind::HA_EVENT_STORE_SPACE_ENOUGH,
        Event::CommandWithoutEffect { .. } => Kind::HA_EVENT_COMMAND_WITHOUT_EFFECT,
        Event::MoveWillNotLast { .. } => Kind::HA_EVENT_MOVE_WILL_NOT_LAST,
        Event::JobHangs { .. } => Kind::HA_EVENT_JOB_HANGS,
        Event::StoppedInsteadOfMoved { .. } => Kind::HA_EVENT_STOPPED_INSTEAD_OF_MOVED,
        Event::ServicesLeftRunning { .. } => Kind::HA_EVENT_SERVICES_LEFT_RUNNING,
        Event::FiguresMissing { .. } => Kind::HA_EVENT_FIGURES_MISSING,
        Event::RuleGaveWay { .. } => Kind::HA_EVENT_RULE_GAVE_WAY,
        Event::AutoRebalanceSuspended { .. } => Kind::HA_EVENT_AUTO_REBALANCE_SUSPENDED,
        Event::FencedNodeRebooted { .. } => Kind::HA_EVENT_FENCED_NODE_REBOOTED,
        Event::FencedNodeReturned { .. } => Kind::HA_EVENT_FENCED_NODE_RETURNED,
        Event::FenceConfirmed { .. } => Kind::HA_EVENT_FENCE_CONFIRMED,
        Event::ServiceNotUnderstood { .. } => Kind::HA_EVENT_SERVICE_NOT_UNDERSTOOD,
        Event::UnplannedRestart { .. } => Kind::HA_EVENT_UNPLANNED_RESTART,
        Event::RemovedFromCluster { .. } => Kind::HA_EVENT_REMOVED_FROM_CLUSTER,
        Event::MaintenanceRequested { .. } => Kind::HA_EVENT_MAINTENANCE_REQUESTED,
        Event::MaintenanceRequestWithdrawn { .. } => Kind::HA_EVENT_MAINTENANCE_REQUEST_WITHDRAWN,
        Event::ChangeMade { .. } => Kind::HA_EVENT_CHANGE_MADE,
        Event::HistoryIncomplete { .. } => Kind::HA_EVENT_HISTORY_INCOMPLETE,
        Event::CommandTaken { .. } => Kind::HA_EVENT_COMMAND_TAKEN,
        Event::StartFailuresExpired { .. } => Kind::HA_EVENT_START_FAILURES_EXPIRED,
        Event::StartWaits { .. } => Kind::HA_EVENT_START_WAITS,
        Event::StartWaitedEnough { .. } => Kind::HA_EVENT_START_WAITED_ENOUGH,
        Event::StartWaitsLong { .. } => Kind::HA_EVENT_START_WAITS_LONG,
        Event::OrderRulesNotInForce { .. } => Kind::HA_EVENT_ORDER_RULES_NOT_IN_FORCE,
        Event::StartHeldBack { .. } => Kind::HA_EVENT_START_HELD_BACK,
        Event::MoveHeldBack { .. } => Kind::HA_EVENT_MOVE_HELD_BACK,
        Event::ServiceReady { .. } => Kind::HA_EVENT_SERVICE_READY,
        Event::ServiceNotReady { .. } => Kind::HA_EVENT_SERVICE_NOT_READY,
        Event::SharingBegun { .. } => Kind::HA_EVENT_SHARING_BEGUN,
        Event::SharingEnded { .. } => Kind::HA_EVENT_SHARING_ENDED,
        Event::MoveBringsTogether { .. } => Kind::HA_EVENT_MOVE_BRINGS_TOGETHER,
        Event::ApartRulesNotInForce { .. } => Kind::HA_EVENT_APART_RULES_NOT_IN_FORCE,
        Event::FailbackDelayed { .. } => Kind::HA_EVENT_FAILBACK_DELAYED,
        Event::NodeHeld { .. } => Kind::HA_EVENT_NODE_HELD,
        Event::NodeHoldOver { .. } => Kind::HA_EVENT_NODE_HOLD_OVER,
        Event::FencingsCleared { .. } => Kind::HA_EVENT_FENCINGS_CLEARED,
        Event::HeldNodeTaken { .. } => Kind::HA_EVENT_HELD_NODE_TAKEN,
        Event::MoveToHeldNode { .. } => Kind::HA_EVENT_MOVE_TO_HELD_NODE,
        Event::SpreadRulesNotInForce { .. } => Kind::HA_EVENT_SPREAD_RULES_NOT_IN_FORCE,
        Event::DomainSharingBegun { .. } => Kind::HA_EVENT_DOMAIN_SHARING_BEGUN,
        // The core's enum may grow; then 'cargo xtask generate' asks for a number.
        _ => Kind::HA_EVENT_OTHER,
    }
}
