# Made by `cargo xtask generate` (tools/bindings): change what it is made from.
"""The words that states, events and settings have."""

from __future__ import annotations

import enum


class Word(str, enum.Enum):
    """A word of a small set. It is equal to, and hashes as, the text that stands for it.

    >>> StateName.STARTED == "started", StateName("started") is StateName.STARTED, f"{StateName.STARTED}"
    (True, True, 'started')
    """

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)


class RequestedState(Word):
    """What a person asks for a service."""

    STARTED = "started"
    """Keep it running, recover it when its node fails."""

    STOPPED = "stopped"
    """Keep it stopped, but still move it off a failed node."""

    DISABLED = "disabled"
    """Keep it stopped and leave it where it is. The only way out of the state ``error``."""

    IGNORED = "ignored"
    """Act as if it were not managed at all."""


class Affinity(Word):
    """Whether services belong on one node or on different ones; for nodes, whether services belong on them or off
    them.
    """

    POSITIVE = "positive"
    """On one node; on these nodes."""

    NEGATIVE = "negative"
    """No two of them on one node; on all nodes but these."""


class RuleType(Word):
    """The types of rules."""

    NODE_AFFINITY = "node-affinity"
    """See ``RuleKind.NodeAffinity``."""

    RESOURCE_AFFINITY = "resource-affinity"
    """See ``RuleKind.ResourceAffinity``."""

    ORDER = "order"
    """See ``RuleKind.Order``."""


class Spread(Word):
    """Over what resources are spread that are kept apart: no two of them are in one."""

    FAILURE_DOMAIN = "failure-domain"
    """Nodes that fail together, as ``nodes.cfg`` says; a node of which it says nothing is by itself."""


class OnFailure(Word):
    """What follows when a service that runs fails its probe."""

    REPORT = "report"
    """It is shown and reported."""

    RESTART = "restart"
    """It is stopped and started again on its node, as one that has ended by itself."""

    RELOCATE = "relocate"
    """It is stopped and started on another node, as one whose start has failed."""


class ShutdownPolicy(Word):
    """What an LRM does with its services when its node goes down on request."""

    CONDITIONAL = "conditional"
    """Freeze them on a reboot, give them up on a shutdown."""

    FREEZE = "freeze"
    """Freeze them."""

    FAILOVER = "failover"
    """Give them up, so that they are recovered elsewhere."""

    MIGRATE = "migrate"
    """Move them away first."""


class SchedulerMode(Word):
    """By what a node's load is measured."""

    BASIC = "basic"
    """The number of services."""

    STATIC = "static"
    """Configured sizes."""

    DYNAMIC = "dynamic"
    """Measured use."""


class BalanceMethod(Word):
    """How automatic balancing ranks candidates."""

    BRUTE_FORCE = "bruteforce"
    """The lowest imbalance of all."""

    TOPSIS = "topsis"
    """By TOPSIS."""


class ImbalanceScale(Word):
    """How imbalance is measured and compared."""

    NORMALISED = "normalised"
    """The coefficient of variation divided by its highest possible value: 0 to 1. What ``datacenter.cfg`` means."""

    PLAIN = "plain"
    """The plain coefficient of variation, as in the recorded scenarios."""


class FencingMode(Word):
    """By what a node is known to be down."""

    WATCHDOG = "watchdog"
    """Its lock: the node's watchdog has reset it."""

    HARDWARE = "hardware"
    """A fence device."""

    BOTH = "both"
    """Both."""


class DatacenterSetting(Word):
    """One setting, by the key of its line and, within a property string, of its item: ``crs.ha-auto-rebalance``."""

    SHUTDOWN_POLICY = "ha.shutdown_policy"
    """``DatacenterConfig.shutdown_policy``"""

    SCHEDULER_MODE = "crs.ha"
    """``SchedulerConfig.mode``"""

    REBALANCE_ON_START = "crs.ha-rebalance-on-start"
    """``SchedulerConfig.rebalance_on_start``"""

    AUTO_REBALANCE = "crs.ha-auto-rebalance"
    """``SchedulerConfig.auto_rebalance``"""

    THRESHOLD = "crs.ha-auto-rebalance-threshold"
    """``SchedulerConfig.threshold``, in percent"""

    METHOD = "crs.ha-auto-rebalance-method"
    """``SchedulerConfig.method``"""

    HOLD_DURATION = "crs.ha-auto-rebalance-hold-duration"
    """``SchedulerConfig.hold_duration``"""

    MARGIN = "crs.ha-auto-rebalance-margin"
    """``SchedulerConfig.margin``, in percent"""

    MAX_WORKERS = "max_workers"
    """``DatacenterConfig.max_workers``"""

    MAX_STARTS = "max_starts"
    """``DatacenterConfig.max_starts``"""

    MAX_MOVES = "max_moves"
    """``DatacenterConfig.max_moves``"""

    FLAPPING_HOLD = "flapping_hold"
    """``DatacenterConfig.flapping_hold``, in seconds"""

    FENCING = "fencing"
    """``DatacenterConfig.fencing``"""

    MIGRATE_GROUPS = "ha.migrate_groups"
    """``DatacenterConfig.migrate_groups``"""


class Reason(Word):
    """What is wrong with a rule, in the order of the checks."""

    RESOURCE_IN_SEVERAL_NODE_AFFINITY_RULES = "resource_in_several_node_affinity_rules"
    """A resource is in more than one node affinity rule."""

    NEGATIVE_NODE_AFFINITY_WITH_PRIORITIES = "negative_node_affinity_with_priorities"
    """A node affinity rule is negative and gives priorities."""

    NEGATIVE_NODE_AFFINITY_LEAVES_NO_NODE = "negative_node_affinity_leaves_no_node"
    """A node affinity rule is negative and names all nodes."""

    FEWER_THAN_TWO_RESOURCES = "fewer_than_two_resources"
    """A resource affinity rule names fewer than two resources."""

    MORE_RESOURCES_THAN_NODES = "more_resources_than_nodes"
    """A negative rule has more resources than the cluster has nodes."""

    MORE_RESOURCES_THAN_DOMAINS = "more_resources_than_domains"
    """A negative rule spreads more resources over failure domains than the cluster has of these."""

    POSITIVE_AND_NEGATIVE_CONFLICT = "positive_and_negative_conflict"
    """Two resources must be together by positive rules and apart by a negative one."""

    SEVERAL_PRIORITIES_WITH_RESOURCE_AFFINITY = "several_priorities_with_resource_affinity"
    """A resource affinity rule shares resources with a node affinity rule of more than one priority."""

    POSITIVE_AFFINITY_IN_SEVERAL_NODE_AFFINITY_RULES = "positive_affinity_in_several_node_affinity_rules"
    """Resources that must be together are in different node affinity rules."""

    NEGATIVE_AFFINITY_EXCEEDS_NODES = "negative_affinity_exceeds_nodes"
    """Resources that must be apart are bound to fewer nodes than they are."""

    NEGATIVE_AFFINITY_EXCEEDS_DOMAINS = "negative_affinity_exceeds_domains"
    """Resources that must be apart by failure domain are bound to nodes of fewer domains than they are."""

    ORDER_AGAINST_ITSELF = "order_against_itself"
    """An order rule names a resource as first and as then."""

    ORDER_CIRCLE = "order_circle"
    """Order rules let resources wait for each other in a circle."""


class Preference(Word):
    """What is asked of placement."""

    NONE = "none"
    """Stay where it is if that is allowed: every round, for a running service."""

    BEST_SCORE = "best_score"
    """The best node: for recovery and start."""

    TRY_NEXT = "try_next"
    """The best node on which its start has not failed yet."""


class Decider(Word):
    """What decided a placement."""

    NO_FAILBACK = "no_failback"
    """It may stay, and does not fail back."""

    MAINTENANCE_NODE = "maintenance_node"
    """It returns to the node that it left for maintenance."""

    STAY = "stay"
    """It may stay where it is."""

    LOWEST_LOAD = "lowest_load"
    """The lowest load, or the only node left."""

    NEXT_IN_ORDER = "next_in_order"
    """The node after the present one in the order of load."""

    NOTHING_ALLOWED = "nothing_allowed"
    """The rules leave no online node."""

    NOTHING_LEFT = "nothing_left"
    """Nothing was left."""


class FindingKind(Word):
    """What a finding is about."""

    RULE_DROPPED = "rule_dropped"
    """A rule cannot hold with the others, or by itself, and takes no part."""

    UNKNOWN_NODE = "unknown_node"
    """A rule names a node that the cluster does not have."""

    UNKNOWN_SERVICE = "unknown_service"
    """A rule names a service that is not configured."""

    UNKNOWN_GROUP = "unknown_group"
    """A service names a group that does not exist."""

    GROUP_SHADOWED = "group_shadowed"
    """A group stands for no rule, since the rules have one of that name."""

    NOT_CONFIGURED = "not_configured"
    """A service of the manager status is not configured, so it counts with default settings."""

    FIGURES_MISSING = "figures_missing"
    """A service or a node has no usable figures."""

    SCHEDULER_FALLBACK = "scheduler_fallback"
    """The scheduler has no figures at all, so services are only counted."""


class NodeState(Word):
    """What the master knows of a node."""

    ONLINE = "online"
    """In the quorate partition."""

    MAINTENANCE = "maintenance"
    """In the quorate partition, but it takes no services."""

    UNKNOWN = "unknown"
    """Not in the quorate partition; it may still run services."""

    FENCE = "fence"
    """It must be fenced."""

    GONE = "gone"
    """No longer a member of the cluster."""


class DisarmState(Word):
    """How far disarming has come."""

    DISARMING = "disarming"
    """Some LRM still holds its lock."""

    DISARMED = "disarmed"
    """All LRMs and the CRM have let go of their watchdogs."""


class StateName(Word):
    """The state that a service shall be in, without its data (``ServiceState`` has that). It also names the commands
    of jobs.
    """

    STOPPED = "stopped"
    """Not running, as asked."""

    REQUEST_STOP = "request_stop"
    """To be stopped."""

    REQUEST_START = "request_start"
    """To be started, with no node decided yet."""

    REQUEST_START_BALANCE = "request_start_balance"
    """To be moved to a better node, stopped, before its first start."""

    STARTED = "started"
    """To be running."""

    FENCE = "fence"
    """Its node failed and must be fenced."""

    RECOVERY = "recovery"
    """Its node is known to be down; a new one is looked for."""

    MIGRATE = "migrate"
    """Moves live."""

    RELOCATE = "relocate"
    """Is stopped, moved, and started again."""

    FREEZE = "freeze"
    """Left alone while its LRM restarts or HA is disarmed."""

    ERROR = "error"
    """Failed for good: a person is needed."""


class Motion(Word):
    """The two ways to move a service."""

    MIGRATE = "migrate"
    """Live, without a stop where the agent can."""

    RELOCATE = "relocate"
    """Stop, move, start."""


class DisarmMode(Word):
    """What happens to the services while HA is disarmed."""

    FREEZE = "freeze"
    """They are left as they are."""

    IGNORE = "ignore"
    """They are treated as if not managed."""


class LrmState(Word):
    """The state of an LRM."""

    WAIT_FOR_AGENT_LOCK = "wait_for_agent_lock"
    """Nothing to do, or not allowed to."""

    ACTIVE = "active"
    """Holds its lock and looks after its services."""

    MAINTENANCE = "maintenance"
    """Holds its lock and gives its services away."""

    LOST_AGENT_LOCK = "lost_agent_lock"
    """Has lost its lock; the watchdog resets the node."""


class Readiness(Word):
    """Whether a service that runs is ready, by its probe."""

    STARTING = "starting"
    """It was not ready yet since its start, or since its LRM began to look."""

    READY = "ready"
    """It is."""

    NOT_READY = "not_ready"
    """It was not ready in time, or is no longer."""


class LrmMode(Word):
    """What an LRM has been asked to be."""

    ACTIVE = "active"
    """Working."""

    RESTART = "restart"
    """About to restart: its services are frozen meanwhile."""

    SHUTDOWN = "shutdown"
    """About to stop with its node."""

    MAINTENANCE = "maintenance"
    """Giving its services away and taking none."""

    DISARM = "disarm"
    """Letting go of its lock and watchdog."""

    UNKNOWN = "unknown"
    """The node's record is gone."""


class Liveness(Word):
    """Whether the writer of a record is alive, as far as the time of its record says."""

    ACTIVE = "active"
    """The record is at most 30 s old, and at most 2 s ahead."""

    IDLE = "idle"
    """The master has nothing to do and need not write: the cluster is quorate and no service is configured."""

    OLD = "old timestamp - dead?"
    """The record is older than 30 s, or has no time."""

    DRIFT = "detected time drift!"
    """The record is from more than 2 s in the future."""

    NO_RECORD = "no record"
    """There is no record."""


class WatchdogState(Word):
    """What a daemon's watchdog does."""

    ACTIVE = "active"
    """It is fed, and resets the node if that ends."""

    STANDBY = "standby"
    """Nothing holds it at present."""

    RELEASED = "released"
    """It was let go because HA is disarmed."""


class FencingState(Word):
    """Whether failed nodes are fenced."""

    ARMED = "armed"
    """A master is at work."""

    STANDBY = "standby"
    """No master is at work."""

    DISARMING = "disarming"
    """HA is being disarmed."""

    DISARMED = "disarmed"
    """HA is disarmed: no node is fenced, no service recovered."""


class ShownLrm(Word):
    """The one word that is shown for an LRM."""

    OLD = "old timestamp - dead?"
    """See ``Liveness.Old``."""

    DRIFT = "detected time drift!"
    """See ``Liveness.Drift``."""

    NO_RECORD = "no record"
    """See ``Liveness.NoRecord``."""

    RESTART_MODE = "restart mode"
    """See ``LrmMode.Restart``."""

    SHUTDOWN_MODE = "shutdown mode"
    """See ``LrmMode.Shutdown``."""

    MAINTENANCE_MODE = "maintenance mode"
    """See ``LrmMode.Maintenance``."""

    DISARM_MODE = "disarm mode"
    """See ``LrmMode.Disarm``."""

    UNKNOWN_MODE = "unknown mode"
    """See ``LrmMode.Unknown``."""

    IDLE = "idle"
    """It waits for its lock and has no active service."""

    WAIT_FOR_AGENT_LOCK = "wait_for_agent_lock"
    """See ``LrmState.WaitForAgentLock``; it has an active service."""

    ACTIVE = "active"
    """See ``LrmState.Active``."""

    MAINTENANCE = "maintenance"
    """See ``LrmState.Maintenance``."""

    LOST_AGENT_LOCK = "lost_agent_lock"
    """See ``LrmState.LostAgentLock``."""


class LineKind(Word):
    """What a line is about."""

    QUORUM = "quorum"
    """``QuorumView``."""

    MASTER = "master"
    """``MasterView``."""

    FENCING = "fencing"
    """``FencingView``."""

    LRM = "lrm"
    """``LrmView``."""

    SERVICE = "service"
    """``ServiceView``."""


class Inequality(Word):
    """An inequality that timings must keep."""

    SETTING_AT_LEAST = "setting_at_least"
    """A setting is at least its lowest value."""

    SETTING_AT_MOST = "setting_at_most"
    """A setting is at most its highest value."""

    DEVICE_ALLOWS_MISSED_FEED = "device_allows_missed_feed"
    """``2 × multiplexer_interval + device_granularity < device_timeout``, if there is a multiplexer: it may be late
    once without a reset.
    """

    WATCHDOG_ALLOWS_MISSED_RENEWAL = "watchdog_allows_missed_renewal"
    """``2 × renewal interval < watchdog_timeout``: a daemon may miss a renewal once without a reset. Without a
    multiplexer ``2 × renewal interval + device_granularity < watchdog_timeout``, since the device may run out
    early.
    """

    WARNING_WITHIN_WATCHDOG_TIMEOUT = "warning_within_watchdog_timeout"
    """``multiplexer_warning ≤ watchdog_timeout``"""

    LOCK_OUTLIVES_WATCHDOG = "lock_outlives_watchdog"
    """``watchdog_timeout + multiplexer slack + clock drift < lock_lifetime``: a node is down before its lock passes
    on.
    """

    LOCK_ALLOWS_LATE_ANSWER = "lock_allows_late_answer"
    """``longest lock attempt ≤ feed budget``, written out: ``longest lock attempt + watchdog_timeout + multiplexer
    slack + margin + clock drift ≤ lock_lifetime``. A renewal that was answered late, but in time, still leads to a
    feed.
    """

    LOCK_ALLOWS_MISSED_RENEWAL = "lock_allows_missed_renewal"
    """``2 × renewal interval < lock_lifetime``: a daemon may miss a renewal once without losing its lock."""

    FENCE_DELAY_COVERS_DETECTION = "fence_delay_covers_detection"
    """``membership_detection ≤ fence_delay``, unless the delay is 0."""

    RECORDS_STAY_FRESH = "records_stay_fresh"
    """``renewal interval < record_old_after``: a daemon that works does not look dead."""


class DaemonState(Word):
    """The states of both daemons, as ``Event.DaemonState`` names them."""

    STARTUP = "startup"
    """Before the first state."""

    WAIT_FOR_QUORUM = "wait_for_quorum"
    """CRM: not healthy, or nothing to do."""

    SLAVE = "slave"
    """CRM: another node is master."""

    MASTER = "master"
    """CRM: this node decides."""

    LOST_MANAGER_LOCK = "lost_manager_lock"
    """CRM: was master, and could not renew its lock."""

    WAIT_FOR_AGENT_LOCK = "wait_for_agent_lock"
    """LRM: nothing to do, or not allowed to."""

    ACTIVE = "active"
    """LRM: looks after its services."""

    MAINTENANCE = "maintenance"
    """LRM: gives its services away."""

    LOST_AGENT_LOCK = "lost_agent_lock"
    """LRM: could not renew its lock, or must be fenced."""


class RemovalReason(Word):
    """Why a service left the manager status."""

    NO_CONFIG = "no_config"
    """It is not configured any more."""

    IGNORED = "ignored"
    """``ignored`` is requested for it now."""


class MoveCause(Word):
    """What made a service move."""

    PLACEMENT = "placement"
    """Rules, load, maintenance or failed starts."""

    COMMAND = "command"
    """A command, by a person or by automatic balancing."""


class NodeRecord(Word):
    """What a node writes as its own in the store."""

    SIGN_OF_LIFE = "sign_of_life"
    """Its sign of life."""

    LRM_STATUS = "lrm_status"
    """The record of its LRM."""

    AGENT_LOCK = "agent_lock"
    """Its agent lock."""

    MANAGER_LOCK = "manager_lock"
    """The manager lock, while it is the master."""


class RejectionReason(Word):
    """Why a command was refused."""

    NODE_NOT_ONLINE = "node_not_online"
    """The node is not recorded as online."""

    NO_SUCH_SERVICE = "no_such_service"
    """The service has no entry in the manager status."""

    NOT_TO_BE_FENCED = "not_to_be_fenced"
    """The node need not be fenced, so there is nothing to confirm."""

    NODE_IS_UP = "node_is_up"
    """The node is a member of the cluster at this moment, so it is not down."""


class IgnoreReason(Word):
    """Why a command had no effect."""

    ALREADY_ON_TARGET = "already_on_target"
    """The service is on that node."""

    ALREADY_DISARMED = "already_disarmed"
    """HA is disarmed or being disarmed."""

    NOT_DISARMED = "not_disarmed"
    """HA is armed."""

    ALREADY_IN_MAINTENANCE = "already_in_maintenance"
    """The node is in maintenance."""

    DISARMED = "disarmed"
    """The command has no meaning while HA is disarmed."""

    NOT_FENCED_LATELY = "not_fenced_lately"
    """The node was not fenced lately, or that is not counted."""


class MoveIgnoreReason(Word):
    """Why a move was dropped."""

    TARGET_NOT_ONLINE = "target_not_online"
    """Its target is not online."""

    ALREADY_ON_TARGET = "already_on_target"
    """The service is on that node."""


class MigrationObstacle(Word):
    """What keeps groups from becoming rules."""

    NOT_QUORATE = "not_quorate"
    """The master's node is not in the quorate partition."""

    NODE_NOT_ONLINE = "node_not_online"
    """A node is not online."""

    NO_LRM_RECORD = "no_lrm_record"
    """The LRM of a node has no record yet."""

    LRM_MODE = "lrm_mode"
    """The LRM of a node is in another mode than ``active``."""

    LRM_STATE = "lrm_state"
    """The LRM of a node is not at rest."""

    VERSION_UNKNOWN = "version_unknown"
    """The version of a node's software is not known."""

    VERSION_TOO_OLD = "version_too_old"
    """The software of a node is too old to know rules."""


class NoEffectReason(Word):
    """Why a command that was accepted leads nowhere: what the service is at decides alone, and forgets it."""

    IN_ERROR = "in_error"
    """It is in ``error``: only requesting ``disabled`` leads out."""

    IN_FENCE = "in_fence"
    """Its node must be fenced."""

    IN_RECOVERY = "in_recovery"
    """A new node is being looked for."""

    MOVING = "moving"
    """It is on its way to another node."""

    FROZEN = "frozen"
    """It is left alone while its LRM restarts or HA is disarmed."""

    STOPPING = "stopping"
    """It is being stopped, or will be."""

    STARTING = "starting"
    """It is about to be started."""


class MoveBackReason(Word):
    """Why a service will not stay where it is sent."""

    NOT_ALLOWED = "not_allowed"
    """A strict rule does not allow it there."""

    FAILBACK = "failback"
    """Its rule prefers other nodes that are online, and failback is on."""

    MAINTENANCE = "maintenance"
    """Maintenance is asked for that node."""


class AgentOperation(Word):
    """What an agent was asked to do with a service that is locked."""

    START = "start"
    """Start it."""

    SHUTDOWN = "shutdown"
    """Stop it."""

    MIGRATE = "migrate"
    """Move it live."""

    RELOCATE = "relocate"
    """Stop it and move it."""


class ShutdownKind(Word):
    """What kind of stop an LRM makes of a request. It is not why it was asked: a reboot for which services are given
    up is carried out as a shutdown.
    """

    REBOOT = "reboot"
    """Its node reboots, with its services frozen or moved away."""

    SHUTDOWN = "shutdown"
    """Its node goes down, or reboots after its services were stopped and given up."""

    RESTART = "restart"
    """The daemon alone restarts."""


class ShutdownMode(Word):
    """What an LRM that was asked to stop does with its services."""

    FREEZE = "freeze"
    """They are frozen."""

    STOP = "stop"
    """They are stopped and given up."""

    MAINTENANCE = "maintenance"
    """They are moved away first."""

    ALREADY_IN_MAINTENANCE = "already_in_maintenance"
    """They are being moved away already."""


class Severity(Word):
    """How much an event matters to a person who watches, in rising order."""

    INFO = "info"
    """All goes as planned."""

    NOTICE = "notice"
    """A change that a person may want to know of."""

    WARNING = "warning"
    """Something failed and is dealt with."""

    ERROR = "error"
    """A service is down, a node is being reset, or a person is needed."""


class Hand(Word):
    """By whose hand a record that names this node was written, as far as the process that asks can *prove* it."""

    OWN = "own"
    """This process has written exactly that."""

    PREDECESSOR = "predecessor"
    """A process before it on the same boot of the same machine has written exactly that, and is proven to be gone:
    this one holds an exclusive lock that the other one held all its life, and has what that one left there about
    its writes.
    """

    ANOTHER = "another"
    """Anybody else, or it is not known."""


class HostOperation(Word):
    """The calls of a host that can fail, as ``Event.HostCallFailed`` names them."""

    REFRESH = "refresh"
    """``Membership.refresh``."""

    MEMBERS = "members"
    """``Membership.members``."""

    TAKE_LOCK = "take_lock"
    """``ClusterLock.take``."""

    RELEASE_LOCK = "release_lock"
    """``ClusterLock.release``."""

    OPEN_WATCHDOG = "open_watchdog"
    """``Watchdog.open``."""

    FEED_WATCHDOG = "feed_watchdog"
    """``Watchdog.feed``."""

    CLOSE_WATCHDOG = "close_watchdog"
    """``Watchdog.close``."""

    READ_MANAGER_STATUS = "read_manager_status"
    """``StatusStore.manager_status``."""

    WRITE_MANAGER_STATUS = "write_manager_status"
    """``ManagerStore.write_manager_status``."""

    READ_LRM_STATUS = "read_lrm_status"
    """``StatusStore.lrm_status``."""

    WRITE_LRM_STATUS = "write_lrm_status"
    """``LrmStore.write_lrm_status``."""

    READ_CONFIGURATION = "read_configuration"
    """``ConfigurationStore.configuration``."""

    COMMANDS = "commands"
    """``ManagerStore.commands_waiting`` and ``ManagerStore.take_commands``."""

    MOVE_CONFIGURATION = "move_configuration"
    """``GuestControl.move_configuration``."""

    REMOVE_LEFTOVER_LOCKS = "remove_leftover_locks"
    """``GuestControl.remove_leftover_locks``."""

    SET_REQUESTED_STATE = "set_requested_state"
    """``GuestControl.set_requested_state``."""

    MIGRATE_GROUPS = "migrate_groups"
    """``GuestControl.write_group_migration`` and ``GuestControl.remove_groups``."""

    SOFTWARE_VERSION = "software_version"
    """``GuestControl.software_version``."""

    RUN_FENCE_DEVICE = "run_fence_device"
    """``FenceDevices.run``."""

    FORGET_FENCE_ATTEMPTS = "forget_fence_attempts"
    """``FenceDevices.forget_fence_attempts``."""

    STATISTICS = "statistics"
    """``Statistics.unmanaged_services`` and ``Statistics.usage``."""

    RANDOM_BYTES = "random_bytes"
    """``Entropy.random_bytes``."""

    START_JOB = "start_job"
    """``Workers.start``."""

    FINISHED_JOBS = "finished_jobs"
    """``Workers.finished``."""

    JOB_TIME_LIMIT = "job_time_limit"
    """``Workers.time_limit``."""

    END_JOB = "end_job"
    """``Workers.end``."""

    GUEST_LOCK = "guest_lock"
    """``Workers.guest_lock``."""

    PROBE = "probe"
    """``Workers.probe``."""

    LOCATE_GUEST = "locate_guest"
    """``Agent.guest_node``."""

    CHECK_RUNNING = "check_running"
    """``Agent.is_running``."""

    START_SERVICE = "start_service"
    """``Agent.start``."""

    STOP_SERVICE = "stop_service"
    """``Agent.stop``."""

    MOVE_SERVICE = "move_service"
    """``Agent.move_to``."""


class LockAnswer(Word):
    """The answer to asking for a lock."""

    ACQUIRED = "acquired"
    """It was free or expired, and is held by this node now."""

    RENEWED = "renewed"
    """It was held by this node, and its lease begins again."""

    HELD = "held"
    """This node has it now, and the host can't tell whether it had it before: for hosts whose locks say only whether
    they were taken. It counts as renewed as long as the last lease proves that nobody else can have had it
    meanwhile, else as acquired.
    """

    REFUSED = "refused"
    """It is held by another node, or there is no quorum."""


class FeedOutcome(Word):
    """Whether a feed was made."""

    FED = "fed"
    """It was."""

    TOO_LATE = "too_late"
    """It came too late and was not made."""


class FenceProgress(Word):
    """How far a fence device has come with a node."""

    RUNNING = "running"
    """Its commands still run."""

    SUCCEEDED = "succeeded"
    """All of its commands succeeded: the node is off."""

    FAILED = "failed"
    """One of its commands failed or timed out."""


class ProbeProgress(Word):
    """How far a probe has come."""

    RUNNING = "running"
    """It is not answered yet."""

    READY = "ready"
    """The service is ready."""

    NOT_READY = "not_ready"
    """It is not, or not yet."""

    FAILED = "failed"
    """It is not, and will not be: it counts at once as if it had not been ready for as often and as long as is
    configured.
    """


class WaitReason(Word):
    """What a daemon waits for between two calls."""

    NEXT_ITERATION = "next_iteration"
    """The next iteration."""

    LOCK_RETRY = "lock_retry"
    """To ask again for a lock that was refused. The iteration is not over."""

    JOBS = "jobs"
    """For jobs that run. The iteration is not over."""


class StopRequest(Word):
    """Why an LRM is asked to stop."""

    RESTART = "restart"
    """The daemon alone is restarted, for an upgrade say."""

    NODE_REBOOT = "node_reboot"
    """The node is about to reboot."""

    NODE_SHUTDOWN = "node_shutdown"
    """The node is about to shut down."""


LEFTOVER_GUEST_LOCKS = (
    "backup",
    "mounted",
    "migrate",
    "clone",
    "rollback",
    "snapshot",
    "snapshot-delete",
    "suspending",
    "suspended",
)
"""Names of guest locks that are safe to remove after the guest's node was reset."""
