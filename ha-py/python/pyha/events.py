# Made by `cargo xtask generate` (tools/bindings): change what it is made from.
"""Everything that happens, a class for each kind of event."""

from __future__ import annotations

from dataclasses import dataclass

from pyha import words
from pyha._data import Event

__all__ = [
    "AgentMoveEnded",
    "AgentMoveFailed",
    "AgentMoveStarted",
    "AgentStartBalanceIgnored",
    "AgentStartFailed",
    "AgentStarted",
    "AgentStarting",
    "AgentStopFailed",
    "AgentStopped",
    "AgentStopping",
    "AllNodesTried",
    "ApartRulesNotInForce",
    "AutoRebalance",
    "AutoRebalanceSuspended",
    "ChangeMade",
    "CommandAccepted",
    "CommandBlockedByAffinity",
    "CommandIgnored",
    "CommandRejected",
    "CommandTaken",
    "CommandUnknown",
    "CommandWithoutEffect",
    "ComoveQueued",
    "CrmIdle",
    "CrmShutdownRequested",
    "CrmWatchdogReleased",
    "DaemonState",
    "DisarmDeferred",
    "DisarmFrozeService",
    "DisarmSuspendedService",
    "Disarmed",
    "DisarmedTakeover",
    "DomainSharingBegun",
    "Event",
    "FailbackDelayed",
    "FenceAcknowledged",
    "FenceConfirmed",
    "FenceDeviceFailed",
    "FenceDeviceSucceeded",
    "FenceDevicesExhausted",
    "FenceRequestedLockDropped",
    "FenceWithoutServices",
    "FencedNodeRebooted",
    "FencedNodeReturned",
    "FencingsCleared",
    "FiguresMissing",
    "GroupMigrationAborted",
    "GroupMigrationObstacle",
    "GroupMigrationStarted",
    "GroupMigrationSucceeded",
    "HeldNodeTaken",
    "HistoryIncomplete",
    "HostCallFailed",
    "JobHangs",
    "LiveMigrationUnsupported",
    "LockAcquired",
    "LrmDisarmed",
    "LrmIdle",
    "LrmShutdownMode",
    "LrmStatusUnwritable",
    "MaintenanceClearUnexpectedState",
    "MaintenanceFallbackCleared",
    "MaintenanceFallbackDropped",
    "MaintenanceRequestWithdrawn",
    "MaintenanceRequested",
    "MaintenanceReturn",
    "ManagerLockReleased",
    "ManagerStatusUnreadable",
    "MoveBringsTogether",
    "MoveFailed",
    "MoveFailedWrongNode",
    "MoveHeldBack",
    "MoveIgnored",
    "MoveToHeldNode",
    "MoveWillNotLast",
    "NodeForgotten",
    "NodeHeld",
    "NodeHoldOver",
    "NodeNotFenced",
    "NodeState",
    "NotifyFenceStarted",
    "NotifyFenceSucceeded",
    "OrderRulesNotInForce",
    "Rearmed",
    "RecoveryFailed",
    "RelocationExhausted",
    "RelocationSucceeded",
    "RemovedFromCluster",
    "RoundFailed",
    "RoundNotSettled",
    "RoundSkippedStaleClusterState",
    "RuleDropped",
    "RuleGaveWay",
    "SchedulerFallback",
    "SchedulerMode",
    "SchedulerModeSwitched",
    "ServiceAdded",
    "ServiceInError",
    "ServiceLocationFixed",
    "ServiceLocationUpdated",
    "ServiceLockRemoved",
    "ServiceLocked",
    "ServiceMove",
    "ServiceNotFound",
    "ServiceNotHere",
    "ServiceNotReady",
    "ServiceNotUnderstood",
    "ServiceReady",
    "ServiceRecovered",
    "ServiceRemoved",
    "ServiceState",
    "ServiceStatusUnreadable",
    "ServiceUnrecoverable",
    "ServicesLeftRunning",
    "SharingBegun",
    "SharingEnded",
    "ShutdownGivenUp",
    "ShutdownRequested",
    "ShutdownWhileLockLost",
    "SpreadRulesNotInForce",
    "StartBalanceIgnored",
    "StartBalanceSelected",
    "StartFailedRelocating",
    "StartFailuresExpired",
    "StartHeldBack",
    "StartRetriesExhausted",
    "StartRetry",
    "StartWaitedEnough",
    "StartWaits",
    "StartWaitsLong",
    "StopFailed",
    "StopIgnored",
    "StopRequested",
    "StoppedInsteadOfMoved",
    "StoreSpaceEnough",
    "StoreSpaceLow",
    "TwinSeen",
    "UnplannedRestart",
    "WatchdogFeedTooLate",
]


@dataclass(frozen=True, slots=True)
class DaemonState(Event):
    """A daemon changed its state."""

    _tag = "daemon_state"

    from_: words.DaemonState
    """The old state."""

    to: words.DaemonState
    """The new one."""


@dataclass(frozen=True, slots=True)
class LockAcquired(Event):
    """A free or expired lock was taken. Renewing one is silent."""

    _tag = "lock_acquired"

    lock: str
    """Which."""


@dataclass(frozen=True, slots=True)
class RoundSkippedStaleClusterState(Event):
    """A round was skipped, since the view of the cluster could not be brought up to date."""

    _tag = "round_skipped_stale_cluster_state"


@dataclass(frozen=True, slots=True)
class RoundFailed(Event):
    """An error ended a manager round."""

    _tag = "round_failed"

    reason: str | None = None
    """Which call of the host failed, and how."""


@dataclass(frozen=True, slots=True)
class CrmShutdownRequested(Event):
    """The CRM was asked to stop."""

    _tag = "crm_shutdown_requested"


@dataclass(frozen=True, slots=True)
class ManagerLockReleased(Event):
    """The CRM let go of the manager lock, so that another can take over at once."""

    _tag = "manager_lock_released"


@dataclass(frozen=True, slots=True)
class ManagerStatusUnreadable(Event):
    """The manager status could not be read."""

    _tag = "manager_status_unreadable"

    reason: str | None = None
    """Why not, in the host's words."""


@dataclass(frozen=True, slots=True)
class NodeState(Event):
    """The master sees a node in another state than before."""

    _tag = "node_state"

    node: str
    """The node."""

    from_: words.NodeState
    """The old state."""

    to: words.NodeState
    """The new one."""


@dataclass(frozen=True, slots=True)
class NodeForgotten(Event):
    """A node that left the cluster long ago was forgotten."""

    _tag = "node_forgotten"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class ServiceAdded(Event):
    """A configured service is managed from now on."""

    _tag = "service_added"

    sid: str
    """The service."""

    node: str
    """Where it is."""


@dataclass(frozen=True, slots=True)
class ServiceRemoved(Event):
    """A service is not managed any more."""

    _tag = "service_removed"

    sid: str
    """The service."""

    reason: words.RemovalReason
    """Why."""


@dataclass(frozen=True, slots=True)
class ServiceNotFound(Event):
    """A configured service is not managed yet, since its guest is on no node."""

    _tag = "service_not_found"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class ServiceNotUnderstood(Event):
    """What is recorded of a service can't be understood: the entry is kept as it is, and the service is left alone."""

    _tag = "service_not_understood"

    sid: str
    """The name of the entry; it may be no service id."""

    field: str
    """The field at fault, such as ``node`` or ``failed_nodes.1``; empty for the entry as a whole."""

    reason: str
    """What is wrong with it, and what was expected."""


@dataclass(frozen=True, slots=True)
class ServiceState(Event):
    """A service shall be in another state."""

    _tag = "service_state"

    sid: str
    """The service."""

    from_: words.StateName
    """The old state."""

    to: words.StateName
    """The new one."""

    node: str | None = None
    """The node that is responsible now, where the change says so."""

    target: str | None = None
    """Where it moves to."""

    timeout: int | None = None
    """Seconds that its stop may take."""


@dataclass(frozen=True, slots=True)
class NotifyFenceStarted(Event):
    """A node must be fenced: the first notification."""

    _tag = "notify_fence_started"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class NotifyFenceSucceeded(Event):
    """A node was fenced: the second notification."""

    _tag = "notify_fence_succeeded"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class FenceAcknowledged(Event):
    """A node is known to be down, since the master has its lock, or a fence device says so."""

    _tag = "fence_acknowledged"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class NodeNotFenced(Event):
    """A node that is gone is not fenced: its services may run without a watchdog, so that its lock proves nothing.
    They wait for it to come back, or for a person.
    """

    _tag = "node_not_fenced"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class FenceWithoutServices(Event):
    """A node is being fenced though no service is waiting for it."""

    _tag = "fence_without_services"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class FenceDeviceSucceeded(Event):
    """A fence device turned a node off."""

    _tag = "fence_device_succeeded"

    node: str
    """The node."""

    attempt: int
    """Which of its devices, counted from 0."""


@dataclass(frozen=True, slots=True)
class FenceDeviceFailed(Event):
    """A fence device failed; the next one is tried."""

    _tag = "fence_device_failed"

    node: str
    """The node."""

    attempt: int
    """Which of its devices, counted from 0."""


@dataclass(frozen=True, slots=True)
class FenceDevicesExhausted(Event):
    """No fence device is left for a node that needs one: it stays in state ``fence``, and its services wait."""

    _tag = "fence_devices_exhausted"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class FencedNodeRebooted(Event):
    """A node that must be fenced reports from another boot of the same machine: what ran on it before is gone."""

    _tag = "fenced_node_rebooted"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class FencedNodeReturned(Event):
    """A node that was to be fenced is back: its services stay with it, and it is not fenced."""

    _tag = "fenced_node_returned"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class FenceConfirmed(Event):
    """A person has confirmed that a node which must be fenced is down."""

    _tag = "fence_confirmed"

    node: str
    """The node."""

    by: str | None = None
    """Who says so, if the command names somebody."""


@dataclass(frozen=True, slots=True)
class ServiceRecovered(Event):
    """A new node was found for a service whose node was fenced."""

    _tag = "service_recovered"

    sid: str
    """The service."""

    from_: str
    """The fenced node."""

    to: str
    """The new one; the same where it is recovered in place."""


@dataclass(frozen=True, slots=True)
class RecoveryFailed(Event):
    """No node was found for a service whose node was fenced. It is tried again."""

    _tag = "recovery_failed"

    sid: str
    """The service."""

    node: str
    """The fenced node."""


@dataclass(frozen=True, slots=True)
class ServiceLockRemoved(Event):
    """A guest lock that the fenced node left behind was removed."""

    _tag = "service_lock_removed"

    lock: str
    """The lock's name."""

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class ServiceMove(Event):
    """A started service begins to move."""

    _tag = "service_move"

    sid: str
    """The service."""

    target: str
    """Where to."""

    cause: words.MoveCause
    """What made it move."""

    task: words.Motion
    """How."""


@dataclass(frozen=True, slots=True)
class MoveIgnored(Event):
    """A move was dropped, since its target is not online or is where the service is."""

    _tag = "move_ignored"

    sid: str
    """The service."""

    target: str
    """Where it was to go."""

    task: words.Motion | None = None
    """How."""

    reason: words.MoveIgnoreReason | None = None
    """Why it was dropped."""


@dataclass(frozen=True, slots=True)
class StopIgnored(Event):
    """A stop was dropped: the service is stopped."""

    _tag = "stop_ignored"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class StopRequested(Event):
    """A service was told to stop."""

    _tag = "stop_requested"

    sid: str
    """The service."""

    timeout: int
    """Seconds that it may take."""


@dataclass(frozen=True, slots=True)
class RelocationSucceeded(Event):
    """A service started after it had failed to."""

    _tag = "relocation_succeeded"

    sid: str
    """The service."""

    node: str
    """Where it runs."""

    failed_nodes: tuple[str, ...]
    """Where it had failed, in order."""


@dataclass(frozen=True, slots=True)
class StartFailedRelocating(Event):
    """A service failed to start; another node is looked for."""

    _tag = "start_failed_relocating"

    sid: str
    """The service."""

    node: str
    """Where it failed."""


@dataclass(frozen=True, slots=True)
class RelocationExhausted(Event):
    """A service failed to start as often as it may."""

    _tag = "relocation_exhausted"

    sid: str
    """The service."""

    failed_nodes: tuple[str, ...]
    """Where it failed, in order."""


@dataclass(frozen=True, slots=True)
class StartFailuresExpired(Event):
    """Failed starts of a service count no more: none has failed for the time that is configured."""

    _tag = "start_failures_expired"

    sid: str
    """The service."""

    failed_nodes: tuple[str, ...]
    """Where they failed, in order."""

    tried_again: bool
    """Whether it was in ``error`` for them, and is tried again."""


@dataclass(frozen=True, slots=True)
class StartWaits(Event):
    """A service is not started yet, since it comes after others by an order rule."""

    _tag = "start_waits"

    sid: str
    """The service."""

    waits_for: tuple[str, ...]
    """Those that come first and are not up; none if they only have to be up for longer."""

    left: int | None = None
    """After how many seconds it is started if nothing changes; ``None`` if it waits without end."""


@dataclass(frozen=True, slots=True)
class StartWaitedEnough(Event):
    """A service is started though others that come first are not up: they were waited for as long as the order rule
    says.
    """

    _tag = "start_waited_enough"

    sid: str
    """The service."""

    missing: tuple[str, ...]
    """Those that are not up."""

    waited: int
    """For how many seconds it has waited."""


@dataclass(frozen=True, slots=True)
class StartWaitsLong(Event):
    """A service has waited for others that come first for longer than the timeout of a strict order rule, and waits
    on.
    """

    _tag = "start_waits_long"

    sid: str
    """The service."""

    waits_for: tuple[str, ...]
    """Those that are not up."""

    waited: int
    """For how many seconds it has waited."""


@dataclass(frozen=True, slots=True)
class OrderRulesNotInForce(Event):
    """Order rules are not in force: a node does not know them."""

    _tag = "order_rules_not_in_force"

    node: str
    """The node."""

    version: str
    """The version of its software."""


@dataclass(frozen=True, slots=True)
class ApartRulesNotInForce(Event):
    """Rules with ``strict 0`` that keep services apart are taken as strict ones: a node knows no others."""

    _tag = "apart_rules_not_in_force"

    node: str
    """The node."""

    version: str
    """The version of its software."""


@dataclass(frozen=True, slots=True)
class SharingBegun(Event):
    """Services share a node that a loose rule would have apart."""

    _tag = "sharing_begun"

    rule: str
    """The rule."""

    node: str
    """The node."""

    services: tuple[str, ...]
    """The services."""


@dataclass(frozen=True, slots=True)
class SpreadRulesNotInForce(Event):
    """Rules with ``spread`` keep services apart by node: a node knows no failure domains."""

    _tag = "spread_rules_not_in_force"

    node: str
    """The node."""

    version: str
    """The version of its software."""


@dataclass(frozen=True, slots=True)
class DomainSharingBegun(Event):
    """Services are in one failure domain that a loose rule with ``spread`` would have apart."""

    _tag = "domain_sharing_begun"

    rule: str
    """The rule."""

    domain: str
    """The failure domain."""

    services: tuple[str, ...]
    """The services."""


@dataclass(frozen=True, slots=True)
class SharingEnded(Event):
    """Services do not share a node, or a failure domain, any more that a loose rule would have apart."""

    _tag = "sharing_ended"

    rule: str
    """The rule."""

    services: tuple[str, ...]
    """The services."""


@dataclass(frozen=True, slots=True)
class MoveBringsTogether(Event):
    """A move that was asked for brings a service to others from which it should rather be apart."""

    _tag = "move_brings_together"

    sid: str
    """The service."""

    node: str
    """Where it goes."""

    rule: str
    """The rule that would have them apart."""

    with_: tuple[str, ...]
    """The services there."""


@dataclass(frozen=True, slots=True)
class StartHeldBack(Event):
    """A service waits to be started: as many start already as may at once in the whole cluster."""

    _tag = "start_held_back"

    sid: str
    """The service."""

    max: int
    """How many may start at once."""


@dataclass(frozen=True, slots=True)
class MoveHeldBack(Event):
    """A service waits to be moved: as many move already as may at once in the whole cluster."""

    _tag = "move_held_back"

    sid: str
    """The service."""

    max: int
    """How many may move at once."""


@dataclass(frozen=True, slots=True)
class FailbackDelayed(Event):
    """A service stays where it is for now: the node of higher priority that it would go back to has not been well for
    long enough.
    """

    _tag = "failback_delayed"

    sid: str
    """The service."""

    node: str
    """The node that it waits for."""

    seconds: int
    """In how many seconds it goes back, if that node stays well."""


@dataclass(frozen=True, slots=True)
class NodeHeld(Event):
    """A node was fenced again and again: it takes no new services for a time, as long as there are others for them."""

    _tag = "node_held"

    node: str
    """The node."""

    seconds: int
    """For how many seconds, from when it is there."""

    holds: int
    """How often it has come to that in a row."""


@dataclass(frozen=True, slots=True)
class NodeHoldOver(Event):
    """A node takes new services again."""

    _tag = "node_hold_over"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class FencingsCleared(Event):
    """It was asked for that a node takes new services, however often it was fenced."""

    _tag = "fencings_cleared"

    node: str
    """The node."""

    by: str | None = None
    """Who asked for that, if the command named somebody."""


@dataclass(frozen=True, slots=True)
class HeldNodeTaken(Event):
    """A service goes to a node that takes no new services, or starts there."""

    _tag = "held_node_taken"

    sid: str
    """The service."""

    node: str
    """The node."""

    with_: str | None = None
    """The service that it must be together with there; without one no other node is left."""


@dataclass(frozen=True, slots=True)
class MoveToHeldNode(Event):
    """A move that was asked for brings a service to a node that takes no new services."""

    _tag = "move_to_held_node"

    sid: str
    """The service."""

    node: str
    """Where it goes."""

    seconds: int
    """For how many seconds more that takes none."""


@dataclass(frozen=True, slots=True)
class AllNodesTried(Event):
    """A service failed to start on every node that it may use; it starts again where it is."""

    _tag = "all_nodes_tried"

    sid: str
    """The service."""

    failed_nodes: tuple[str, ...]
    """Where it failed, in order."""


@dataclass(frozen=True, slots=True)
class ServiceUnrecoverable(Event):
    """A start ended in a way that no retry mends."""

    _tag = "service_unrecoverable"

    sid: str
    """The service."""

    exit_code: int
    """How the start ended."""

    node: str | None = None
    """The node on which it failed."""

    guest_node: str | None = None
    """The node that holds the guest, if the host can tell."""


@dataclass(frozen=True, slots=True)
class StopFailed(Event):
    """A service could not be stopped."""

    _tag = "stop_failed"

    sid: str
    """The service."""

    exit_code: int
    """How the stop ended."""

    node: str | None = None
    """The node on which it failed."""

    guest_node: str | None = None
    """The node that holds the guest, if the host can tell."""


@dataclass(frozen=True, slots=True)
class MoveFailed(Event):
    """A service could not be moved."""

    _tag = "move_failed"

    sid: str
    """The service."""

    exit_code: int
    """How the move ended."""

    node: str | None = None
    """The node on which it failed: the one that was to give the service away."""

    target: str | None = None
    """Where it was to go."""

    guest_node: str | None = None
    """The node that holds the guest, if the host can tell."""


@dataclass(frozen=True, slots=True)
class MoveFailedWrongNode(Event):
    """A service could not be moved, since it is configured on another node than recorded."""

    _tag = "move_failed_wrong_node"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class ServiceLocationFixed(Event):
    """A service that is stopped or to be recovered was found on another node; the record was corrected."""

    _tag = "service_location_fixed"

    sid: str
    """The service."""

    from_: str
    """The node that was recorded."""

    to: str
    """The node that it is configured on."""


@dataclass(frozen=True, slots=True)
class MaintenanceReturn(Event):
    """A service returns to the node that it left for maintenance."""

    _tag = "maintenance_return"

    sid: str
    """The service."""

    target: str
    """That node."""


@dataclass(frozen=True, slots=True)
class MaintenanceFallbackDropped(Event):
    """A service was moved otherwise meanwhile and does not return to the node that it left for maintenance."""

    _tag = "maintenance_fallback_dropped"

    sid: str
    """The service."""

    node: str
    """That node."""


@dataclass(frozen=True, slots=True)
class MaintenanceFallbackCleared(Event):
    """A service is where it would have returned to after maintenance."""

    _tag = "maintenance_fallback_cleared"

    sid: str
    """The service."""

    node: str
    """That node."""


@dataclass(frozen=True, slots=True)
class MaintenanceClearUnexpectedState(Event):
    """The end of maintenance was asked for a node that is not in maintenance."""

    _tag = "maintenance_clear_unexpected_state"

    node: str
    """The node."""

    state: words.NodeState
    """Its state."""


@dataclass(frozen=True, slots=True)
class ServiceLocationUpdated(Event):
    """A service is recorded on the node where its guest was found: people moved it, while HA was disarmed or behind
    its back.
    """

    _tag = "service_location_updated"

    sid: str
    """The service."""

    from_: str
    """The node that was recorded."""

    to: str
    """The node that it is configured on."""


@dataclass(frozen=True, slots=True)
class StartBalanceSelected(Event):
    """The best node was chosen for a service that is to start."""

    _tag = "start_balance_selected"

    sid: str
    """The service."""

    node: str
    """The node; the present one where it stays."""

    present: str | None = None
    """The node on which it is now."""


@dataclass(frozen=True, slots=True)
class StartBalanceIgnored(Event):
    """A service that was to be moved before its start runs already."""

    _tag = "start_balance_ignored"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class SchedulerMode(Event):
    """The scheduler that a new master begins with, where it is not ``basic``."""

    _tag = "scheduler_mode"

    mode: words.SchedulerMode
    """The mode."""


@dataclass(frozen=True, slots=True)
class SchedulerModeSwitched(Event):
    """The scheduler was changed."""

    _tag = "scheduler_mode_switched"

    from_: words.SchedulerMode
    """The old mode."""

    to: words.SchedulerMode
    """The new one."""


@dataclass(frozen=True, slots=True)
class SchedulerFallback(Event):
    """The figures that the scheduler needs can't be had: this round counts services instead."""

    _tag = "scheduler_fallback"

    mode: words.SchedulerMode
    """The mode that is configured."""

    reason: str
    """What is missing."""


@dataclass(frozen=True, slots=True)
class FiguresMissing(Event):
    """A service or a node has no usable figures: the service counts as using nothing and is placed by the numbers of
    services, the node is taken only where no other is left. Told when it begins.
    """

    _tag = "figures_missing"

    reason: str
    """What is missing."""

    sid: str | None = None
    """The service, if it is one."""

    node: str | None = None
    """The node, if it is one."""


@dataclass(frozen=True, slots=True)
class RuleGaveWay(Event):
    """A service goes to a node that its node affinity rule does not prefer, since those that must be kept apart from
    it use the nodes that the rule prefers.
    """

    _tag = "rule_gave_way"

    sid: str
    """The service."""

    rule: str
    """The rule that gave way."""

    node: str
    """Where the service goes."""


@dataclass(frozen=True, slots=True)
class AutoRebalanceSuspended(Event):
    """Moves of a service have failed again and again: automatic balancing leaves it and what must be together with it
    alone.
    """

    _tag = "auto_rebalance_suspended"

    sid: str
    """The service."""

    failures: int
    """How many of its moves have failed in a row."""

    seconds: int
    """For how long, in seconds."""


@dataclass(frozen=True, slots=True)
class AutoRebalance(Event):
    """Automatic balancing moves a service."""

    _tag = "auto_rebalance"

    task: words.Motion
    """How."""

    sid: str
    """The service."""

    target: str
    """Where to."""

    imbalance: float
    """The imbalance of the nodes now. Written with two decimals."""

    expected_imbalance: float
    """The imbalance that is expected after the move. Written with two decimals."""


@dataclass(frozen=True, slots=True)
class CommandTaken(Event):
    """The master took a command out of the queue that has an id. What it says to it comes right after this."""

    _tag = "command_taken"

    id: str
    """The id."""

    command: str
    """The line of the command, without who gave it and its id."""

    by: str | None = None
    """Who gave it, if the command names somebody."""


@dataclass(frozen=True, slots=True)
class CommandAccepted(Event):
    """A command will be carried out."""

    _tag = "command_accepted"

    command: str
    """Its line, without who gave it."""

    by: str | None = None
    """Who gave it, if the command names somebody."""


@dataclass(frozen=True, slots=True)
class MaintenanceRequested(Event):
    """A node is to give its services away and take none: maintenance was asked for."""

    _tag = "maintenance_requested"

    node: str
    """The node."""

    by: str | None = None
    """Who asked, if the command names somebody."""


@dataclass(frozen=True, slots=True)
class MaintenanceRequestWithdrawn(Event):
    """The request for a node's maintenance was taken back."""

    _tag = "maintenance_request_withdrawn"

    node: str
    """The node."""

    by: str | None = None
    """Who did, if the command names somebody."""


@dataclass(frozen=True, slots=True)
class ComoveQueued(Event):
    """A service moves along with one that it belongs together with."""

    _tag = "comove_queued"

    command: str
    """The line of the command."""

    task: words.Motion
    """How."""

    sid: str
    """The service that moves along."""

    target: str
    """Where to."""

    with_: str
    """The service that it moves along with."""


@dataclass(frozen=True, slots=True)
class CommandBlockedByAffinity(Event):
    """A move was refused, since the target, or what fails together with it, is used by a service that must be kept
    apart.
    """

    _tag = "command_blocked_by_affinity"

    command: str
    """The line of the command."""

    blocking: str
    """The service that uses the target."""

    target: str
    """The target."""

    sid: str
    """The service that was to move."""

    domain: str | None = None
    """The failure domain of the target, if the service is elsewhere in that."""


@dataclass(frozen=True, slots=True)
class CommandRejected(Event):
    """A command was refused."""

    _tag = "command_rejected"

    command: str
    """Its line."""

    reason: words.RejectionReason
    """Why."""


@dataclass(frozen=True, slots=True)
class CommandIgnored(Event):
    """A command has no effect."""

    _tag = "command_ignored"

    reason: words.IgnoreReason
    """Why."""

    command: str
    """Its line, or its verb alone for the disarm commands."""

    state: words.DisarmState | None = None
    """How far disarming has come, where that is the reason."""


@dataclass(frozen=True, slots=True)
class CommandUnknown(Event):
    """A line of the command queue is not a command. It was dropped."""

    _tag = "command_unknown"

    command: str
    """The line."""

    reason: str
    """What is wrong with it."""


@dataclass(frozen=True, slots=True)
class CommandWithoutEffect(Event):
    """A command was accepted, but leads nowhere; it is dropped."""

    _tag = "command_without_effect"

    sid: str
    """The service."""

    command: str
    """The command, for this service."""

    reason: words.NoEffectReason
    """Why."""


@dataclass(frozen=True, slots=True)
class MoveWillNotLast(Event):
    """A move was accepted, but the service will not stay where it is sent."""

    _tag = "move_will_not_last"

    sid: str
    """The service."""

    node: str
    """Where it is sent."""

    reason: words.MoveBackReason
    """Why."""

    rule: str | None = None
    """The rule that sends it away from there, if one does."""


@dataclass(frozen=True, slots=True)
class DisarmFrozeService(Event):
    """A service is left as it is while HA is disarmed."""

    _tag = "disarm_froze_service"

    sid: str
    """The service."""

    was: words.StateName
    """Its state before."""


@dataclass(frozen=True, slots=True)
class DisarmSuspendedService(Event):
    """A service is not tracked while HA is disarmed."""

    _tag = "disarm_suspended_service"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class DisarmDeferred(Event):
    """Disarming waits for a service."""

    _tag = "disarm_deferred"

    sid: str
    """The service."""

    state: words.StateName
    """Its state."""


@dataclass(frozen=True, slots=True)
class Disarmed(Event):
    """All LRMs have let go of their locks and watchdogs."""

    _tag = "disarmed"


@dataclass(frozen=True, slots=True)
class CrmWatchdogReleased(Event):
    """The CRM closed its watchdog, since HA is disarmed."""

    _tag = "crm_watchdog_released"


@dataclass(frozen=True, slots=True)
class DisarmedTakeover(Event):
    """A CRM became master of a cluster that is disarmed; it opens no watchdog."""

    _tag = "disarmed_takeover"


@dataclass(frozen=True, slots=True)
class Rearmed(Event):
    """HA is armed again."""

    _tag = "rearmed"


@dataclass(frozen=True, slots=True)
class CrmIdle(Event):
    """The master had nothing to do for a long time, and lets go of its lock."""

    _tag = "crm_idle"

    rounds: int
    """For how many rounds."""


@dataclass(frozen=True, slots=True)
class LrmIdle(Event):
    """The LRM had nothing to do for a long time, and lets go of its lock."""

    _tag = "lrm_idle"

    rounds: int
    """For how many rounds."""


@dataclass(frozen=True, slots=True)
class GroupMigrationStarted(Event):
    """The groups are about to be turned into rules for good."""

    _tag = "group_migration_started"


@dataclass(frozen=True, slots=True)
class GroupMigrationSucceeded(Event):
    """The groups were turned into rules."""

    _tag = "group_migration_succeeded"


@dataclass(frozen=True, slots=True)
class GroupMigrationAborted(Event):
    """The groups can't be turned into rules yet; it is tried again."""

    _tag = "group_migration_aborted"


@dataclass(frozen=True, slots=True)
class GroupMigrationObstacle(Event):
    """Why the groups can't be turned into rules yet."""

    _tag = "group_migration_obstacle"

    reason: str
    """What prevents it, in words."""

    obstacle: words.MigrationObstacle
    """What it is."""

    node: str | None = None
    """The node that it is about."""

    found: str | None = None
    """What was found there: the state or mode of the node or its LRM, or its version."""


@dataclass(frozen=True, slots=True)
class RuleDropped(Event):
    """A rule takes no part in anything."""

    _tag = "rule_dropped"

    rule: str
    """The rule."""

    reason: words.Reason
    """Why."""

    explanation: str
    """The reason in words, with the resources and rules that it is about."""


@dataclass(frozen=True, slots=True)
class AgentStarting(Event):
    """A service is being started."""

    _tag = "agent_starting"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class AgentStarted(Event):
    """A service was started."""

    _tag = "agent_started"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class AgentStartFailed(Event):
    """A service could not be started."""

    _tag = "agent_start_failed"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class StartRetriesExhausted(Event):
    """A service failed to start as often as it may on this node."""

    _tag = "start_retries_exhausted"

    sid: str
    """The service."""

    tries: int
    """How often it was tried again."""


@dataclass(frozen=True, slots=True)
class StartRetry(Event):
    """A service failed to start and is tried again on this node."""

    _tag = "start_retry"

    try_: int
    """How often it was tried again, this time included."""

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class AgentStopping(Event):
    """A service is being stopped."""

    _tag = "agent_stopping"

    sid: str
    """The service."""

    for_relocate: bool = False
    """Whether it is stopped to be moved."""

    timeout: int | None = None
    """Seconds that it may take."""


@dataclass(frozen=True, slots=True)
class AgentStopped(Event):
    """A service was stopped."""

    _tag = "agent_stopped"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class AgentStopFailed(Event):
    """A service could not be stopped."""

    _tag = "agent_stop_failed"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class ServiceLocked(Event):
    """A guest's lock keeps the agent from what it was asked."""

    _tag = "service_locked"

    sid: str
    """The service."""

    lock: str
    """The lock's name."""

    op: words.AgentOperation
    """What was asked."""


@dataclass(frozen=True, slots=True)
class LiveMigrationUnsupported(Event):
    """A service can't be moved live; it is stopped and moved instead."""

    _tag = "live_migration_unsupported"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class AgentMoveStarted(Event):
    """A service is being moved."""

    _tag = "agent_move_started"

    sid: str
    """The service."""

    task: words.Motion
    """How."""

    target: str
    """Where to."""


@dataclass(frozen=True, slots=True)
class AgentMoveEnded(Event):
    """A service was moved."""

    _tag = "agent_move_ended"

    sid: str
    """The service."""

    task: words.Motion
    """How."""

    target: str
    """Where to."""


@dataclass(frozen=True, slots=True)
class AgentMoveFailed(Event):
    """A service could not be moved."""

    _tag = "agent_move_failed"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class ServiceInError(Event):
    """A service is in state ``error``: a person is needed."""

    _tag = "service_in_error"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class ServiceNotHere(Event):
    """A command came for a service that is configured on another node."""

    _tag = "service_not_here"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class AgentStartBalanceIgnored(Event):
    """A service that was to be moved before its start runs already, and was left alone."""

    _tag = "agent_start_balance_ignored"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class ShutdownRequested(Event):
    """The LRM's node is about to go down."""

    _tag = "shutdown_requested"

    policy: words.ShutdownPolicy
    """What the policy says of its services."""


@dataclass(frozen=True, slots=True)
class LrmShutdownMode(Event):
    """What the LRM does when it is asked to stop."""

    _tag = "lrm_shutdown_mode"

    kind: words.ShutdownKind
    """What kind of stop it makes of the request."""

    mode: words.ShutdownMode
    """What it does."""

    policy: words.ShutdownPolicy | None = None
    """The policy that says so; none where it makes no difference."""


@dataclass(frozen=True, slots=True)
class ShutdownWhileLockLost(Event):
    """The LRM was asked to stop while it had lost its lock and services may still run."""

    _tag = "shutdown_while_lock_lost"

    count: int
    """How many services."""


@dataclass(frozen=True, slots=True)
class JobHangs(Event):
    """A job takes longer than it may, and must be ended. Until it is known to be gone no other one begins for its
    service.
    """

    _tag = "job_hangs"

    sid: str
    """The service."""

    command: words.StateName
    """What the job is to do."""

    seconds: int
    """For how long it has gone on."""


@dataclass(frozen=True, slots=True)
class UnplannedRestart(Event):
    """A service whose start was confirmed does not run any more, and nobody asked for that: it is started again."""

    _tag = "unplanned_restart"

    sid: str
    """The service."""

    restarts: int
    """How often that was so since it was last stopped on purpose or came to this node, this time included."""

    pause: int
    """Seconds until it is started: 0 unless it ended by itself again and again."""


@dataclass(frozen=True, slots=True)
class ServiceReady(Event):
    """A service that runs is ready, by its probe: for the first time since its start, or again."""

    _tag = "service_ready"

    sid: str
    """The service."""


@dataclass(frozen=True, slots=True)
class ServiceNotReady(Event):
    """A service that runs was not ready in time after its start, or is no longer, by its probe."""

    _tag = "service_not_ready"

    sid: str
    """The service."""

    failures: int
    """How many probes failed one after another."""

    on_failure: words.OnFailure
    """What follows."""

    reason: str | None = None
    """Why the last one did, where the host says so."""


@dataclass(frozen=True, slots=True)
class StoppedInsteadOfMoved(Event):
    """The node goes down, and these services can't move away first: they are stopped."""

    _tag = "stopped_instead_of_moved"

    services: tuple[str, ...]
    """The services."""


@dataclass(frozen=True, slots=True)
class ServicesLeftRunning(Event):
    """The node goes down, and these services could not be stopped: the watchdog ends them."""

    _tag = "services_left_running"

    services: tuple[str, ...]
    """The services."""


@dataclass(frozen=True, slots=True)
class ShutdownGivenUp(Event):
    """The LRM was asked to restart, could not get its lock back, and exits without closing its watchdog."""

    _tag = "shutdown_given_up"


@dataclass(frozen=True, slots=True)
class FenceRequestedLockDropped(Event):
    """The LRM stops feeding its watchdog, since its node must be fenced."""

    _tag = "fence_requested_lock_dropped"


@dataclass(frozen=True, slots=True)
class LrmDisarmed(Event):
    """The LRM let go of its lock and watchdog, since HA is disarmed."""

    _tag = "lrm_disarmed"

    during_maintenance: bool = False
    """Whether it was in maintenance."""


@dataclass(frozen=True, slots=True)
class ServiceStatusUnreadable(Event):
    """The LRM could not read the manager status; it goes on with what it read before."""

    _tag = "service_status_unreadable"


@dataclass(frozen=True, slots=True)
class LrmStatusUnwritable(Event):
    """The LRM could not write its record."""

    _tag = "lrm_status_unwritable"


@dataclass(frozen=True, slots=True)
class HostCallFailed(Event):
    """A call of the host failed. The core goes on in the way that the call's documentation says."""

    _tag = "host_call_failed"

    operation: words.HostOperation
    """Which call."""

    message: str
    """What the host says."""


@dataclass(frozen=True, slots=True)
class WatchdogFeedTooLate(Event):
    """A lock was renewed, but so late that feeding the watchdog for it would not be safe. It is renewed again."""

    _tag = "watchdog_feed_too_late"


@dataclass(frozen=True, slots=True)
class RoundNotSettled(Event):
    """A round changed states more often than makes sense; it goes on in the next round."""

    _tag = "round_not_settled"


@dataclass(frozen=True, slots=True)
class TwinSeen(Event):
    """Another machine works under this node's name: what the node had written was changed by another hand. The node
    does not work until a person has decided. A host reports it.
    """

    _tag = "twin_seen"

    node: str
    """The node."""

    record: words.NodeRecord
    """What was changed."""

    writer: str
    """Who has written it, as far as it says so."""


@dataclass(frozen=True, slots=True)
class RemovedFromCluster(Event):
    """A host found its node taken out of the list of members while its daemons run: the node holds no lock any more,
    stops its services as far as its watchdog's time allows, and ends. Hosts report it.
    """

    _tag = "removed_from_cluster"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class StoreSpaceLow(Event):
    """The store has little room left. What is kept for locks and signs of life is not concerned. A host reports it."""

    _tag = "store_space_low"

    free_percent: int
    """How much is free, in whole percent, rounded down."""


@dataclass(frozen=True, slots=True)
class StoreSpaceEnough(Event):
    """The store has enough room again. A host reports it."""

    _tag = "store_space_enough"

    free_percent: int
    """How much is free, in whole percent, rounded down."""


@dataclass(frozen=True, slots=True)
class ChangeMade(Event):
    """A person, or a program in somebody's name, has changed something. Hosts report it."""

    _tag = "change_made"

    by: str
    """Who, as far as it is known: ``alice@desk``."""

    verb: str
    """What was done, as the command line has it: ``rules add``."""

    object: str
    """To what: a service, a node, a rule, or ``the cluster``."""

    change: str
    """The change in words."""

    through: str | None = None
    """Through what, where it was not the command line: an address, a token's name."""

    command_id: str | None = None
    """The id of the command by which the master makes it, if it is one."""


@dataclass(frozen=True, slots=True)
class HistoryIncomplete(Event):
    """Events are missing in the history. A host reports it."""

    _tag = "history_incomplete"

    reason: str
    """Where they are missing, and why."""

    events: int | None = None
    """How many, if that is known."""
