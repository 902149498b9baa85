# Made by `cargo xtask generate` (tools/bindings): change what it is made from.
"""Records: plain values with named fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pyha import words
from pyha._data import BalanceOutcome, Change, Fate


@dataclass(frozen=True, slots=True)
class Figure:
    """How well a node suits a service: one of the two is set."""

    services: int | None = None
    """With the ``basic`` scheduler: the number of services that use the node; the lower, the better."""

    score: float | None = None
    """With the others: its score, from 0 to 1; the higher, the better."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person can do about a service that is stuck, or seems to be."""

    code: str
    """A stable word for programs, such as ``request_disabled``."""

    text: str
    """A sentence or two for people."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """How the cluster resource scheduler places and balances services."""

    mode: words.SchedulerMode
    """By what load is measured."""

    rebalance_on_start: bool
    """Whether a service that is to start is first moved to the best node."""

    auto_rebalance: bool
    """Whether running services are moved to balance the load."""

    threshold: float
    """The imbalance above which balancing begins, as a fraction."""

    method: words.BalanceMethod
    """How candidates are ranked."""

    hold_duration: int
    """Rounds for which the imbalance must stay above the threshold."""

    margin: float
    """The relative improvement that a move must bring, as a fraction."""

    scale: words.ImbalanceScale
    """What ``threshold`` is a fraction of."""


@dataclass(frozen=True, slots=True)
class DatacenterConfig:
    """The settings of the whole cluster that the core reads."""

    shutdown_policy: words.ShutdownPolicy
    """What happens to services when their node goes down on request."""

    scheduler: SchedulerConfig
    """Placement and balancing."""

    max_workers: int
    """Jobs that an LRM runs at once; at least 1."""

    fencing: words.FencingMode
    """By what a node is known to be down."""

    max_starts: int | None = None
    """Services that start at once in the whole cluster, at least 1; without a bound by default."""

    max_moves: int | None = None
    """Services that move at once in the whole cluster, at least 1; without a bound by default."""

    flapping_hold: int | None = None
    """For how many seconds a node that was fenced again and again takes no new services, at least 1; longer each time.
    By default it takes them at once.
    """

    migrate_groups: bool = False
    """Whether the master turns groups into rules once all nodes know rules; else they are kept as they are."""


@dataclass(frozen=True, slots=True)
class NodeUsage:
    """The fractions of a node that are in use. More than 1 is possible: nodes can be overcommitted."""

    cpu: float
    """Of its cores."""

    memory: float
    """Of its memory."""


@dataclass(frozen=True, slots=True)
class NodeExplanation:
    """What became of one node in a decision."""

    _flatten = "fate"

    node: str
    """The node."""

    fate: Fate
    """Whether it was left out, and by what."""

    figure: Figure | None = None
    """How well it suits; for online nodes only, and not if the figures of the node can't be used."""

    usage: NodeUsage | None = None
    """How much of it is in use now; for online nodes only, and not with the ``basic`` scheduler."""

    rank: int | None = None
    """Its place in the order of load among those that are left, from 1."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with its reasons."""

    def of(self, node: str) -> NodeExplanation | None:
        """What became of a node."""
        return next((found for found in self.nodes if found.node == node), None)

    def __str__(self) -> str:
        from pyha import _native

        return _native.describe_explanation(self)

    sid: str
    """The service."""

    preference: words.Preference
    """What was asked for."""

    node: str
    """Where the service is."""

    scheduler: words.SchedulerMode
    """The scheduler that gave the loads."""

    decided_by: words.Decider
    """What decided."""

    nodes: tuple[NodeExplanation, ...]
    """Every node of the cluster, by name."""

    fallback: str | None = None
    """Why it is not the configured one."""

    answer: str | None = None
    """Where the service should be; nothing if there is no node for it."""

    gave_way: str | None = None
    """The node affinity rule that gave way, if services that must be kept apart use every node that it prefers."""

    shares_with: tuple[str, ...] = ()
    """The services from which it should rather be apart, and which use its answer: there is no better place."""

    shares_by: tuple[str, ...] = ()
    """The rules that would keep it apart from the first of them."""

    held: int | None = None
    """For how many seconds its answer, which is new to it, takes no new services: nothing else is left, or what must
    be together with it is there.
    """

    findings: tuple[SituationFinding, ...] = ()
    """What the decision leaves out of account: see ``Situation.findings``. Those that bear on this service."""


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The changes with which a service would go to a node, and the decision as it would be then."""

    node: str
    """The node."""

    changes: tuple[Change, ...]
    """What would have to be different, all of it; nothing if the service goes there as things are."""

    then: Explanation
    """The decision with these changes. Its answer is the node."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Where a service goes when its node fails."""

    sid: str
    """The service."""

    from_: str
    """The node that failed."""

    decided_by: words.Decider
    """What decided."""

    to: str | None = None
    """Where it goes; nothing if there is no node for it."""


@dataclass(frozen=True, slots=True)
class SituationFinding:
    """Something that the answers of a situation leave out of account, or take another way than it may be meant.
    Displays as a sentence.
    """

    kind: words.FindingKind
    """What it is about."""

    text: str
    """What was found, in words."""

    rule: str | None = None
    """The rule, if it is about one."""

    sid: str | None = None
    """The service, if it is about one."""

    node: str | None = None
    """The node, if it is about one."""


@dataclass(frozen=True, slots=True)
class BalanceMove:
    """A move that would balance the nodes."""

    leader: str
    """The first service by SID of those that move."""

    motion: words.Motion
    """How it moves."""

    services: tuple[str, ...]
    """All services that move, the leader first."""

    from_: str
    """Where they are."""

    target: str
    """Where they go."""

    imbalance: float
    """The imbalance after the move."""

    gain: float
    """The part of the imbalance that it takes away; negative if it makes things worse."""

    score: float | None = None
    """With the method ``topsis``, what moves are ranked by: 0 to 1, the higher, the better."""


@dataclass(frozen=True, slots=True)
class Balance:
    """How balancing came out, and what it looked at."""

    @property
    def chosen(self) -> BalanceMove | None:
        """The move that is made, if one is."""
        return self.candidates[0] if self.outcome.tag == "move" else None

    def __str__(self) -> str:
        from pyha import _native

        return _native.describe_balance(self)

    outcome: BalanceOutcome
    """What is done, or why nothing is."""

    threshold: float
    """The imbalance above which there is something to do."""

    margin: float
    """The part of the imbalance that a move must take away."""

    method: words.BalanceMethod
    """How moves are ranked."""

    candidates: tuple[BalanceMove, ...]
    """The best moves that there are, the best first; as many as were asked for."""

    imbalance: float | None = None
    """The imbalance of the nodes, if it was taken."""


@dataclass(frozen=True, slots=True)
class QuorumView:
    """Whether the node on which a person looks has quorum."""

    node: str
    """The node."""

    quorate: bool
    """Whether it is in the quorate partition."""


@dataclass(frozen=True, slots=True)
class MasterView:
    """The master and its record."""

    liveness: words.Liveness
    """Whether it is alive."""

    scheduler: words.SchedulerMode
    """By what a node's load is measured."""

    node: str | None = None
    """The node whose CRM wrote the manager status last; ``None`` if none has yet."""

    timestamp: int | None = None
    """The time of the record."""

    disarm: DisarmView | None = None
    """That HA is disarmed or on the way there."""


@dataclass(frozen=True, slots=True)
class DisarmView:
    """That HA is disarmed or on the way there."""

    state: words.DisarmState
    """How far it has come."""

    mode: words.DisarmMode
    """What happens to the services meanwhile."""


@dataclass(frozen=True, slots=True)
class FencingView:
    """Whether failed nodes are fenced."""

    state: words.FencingState
    """Whether they are."""

    watchdog: words.WatchdogState
    """The watchdog of the master's CRM."""

    mode: words.DisarmMode | None = None
    """What happens to the services while HA is disarmed or on the way there."""


@dataclass(frozen=True, slots=True)
class LrmView:
    """The LRM of a node and its record."""

    node: str
    """The node."""

    shown: words.ShownLrm
    """What is shown for it."""

    liveness: words.Liveness
    """Whether it is alive."""

    watchdog: words.WatchdogState
    """Its watchdog."""

    state: words.LrmState | None = None
    """Its recorded state."""

    mode: words.LrmMode | None = None
    """Its recorded mode."""

    timestamp: int | None = None
    """The time of its record."""

    hold: NodeHold | None = None
    """That the node takes no new services."""


@dataclass(frozen=True, slots=True)
class NodeHold:
    """A node takes no new services, since it was fenced again and again. Displays as what follows the node's name."""

    left: int
    """For how many seconds more, from when it is there."""

    holds: int
    """How often it has come to that in a row."""

    until: int | None = None
    """When it takes them again; nothing while it is away."""


@dataclass(frozen=True, slots=True)
class StartWait:
    """A service waits for others that come first by an order rule. Displays as what follows the word ``waiting``."""

    waits_for: tuple[str, ...]
    """Those that are not up; none if they only have to be up for longer."""

    since: int | None = None
    """Since when."""

    until: int | None = None
    """When it is started if nothing changes; nothing if it waits without end."""


@dataclass(frozen=True, slots=True)
class GoingBack:
    """A service waits to go back to a node of higher priority that came back lately. Displays as what follows the
    service's name.
    """

    node: str
    """That node."""

    at: int | None = None
    """When it goes back, if that node stays well."""


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service: what is asked for it, what is recorded, and what is shown."""

    sid: str
    """The service."""

    shown: str
    """What is shown for it."""

    node: str | None = None
    """The node whose LRM looks after it; for one without an entry in the manager status, the node where it is."""

    requested: words.RequestedState | None = None
    """What is asked for; ``None`` if it is not configured."""

    state: words.StateName | None = None
    """Its recorded state; ``None`` if the master has not taken it up."""

    target: str | None = None
    """The node that it moves to."""

    advice: Advice | None = None
    """What a person can do, where services get stuck."""

    balancing_off: bool = False
    """Whether automatic balancing must leave it alone, and what must stay together with it."""

    problem: str | None = None
    """What is wrong with what is recorded of it, where that can't be understood."""

    lock: str | None = None
    """The lock of its guest that its job waits for, where the host can tell which."""

    locked_since: int | None = None
    """Since when its job waits for a lock."""

    hangs: words.StateName | None = None
    """Its job that takes longer than it may and is not known to be gone."""

    hangs_since: int | None = None
    """When that job was begun."""

    waits: StartWait | None = None
    """That it waits for others that come first."""

    starts_after: tuple[str, ...] = ()
    """Those that start before it does, while as many start as may at once in the whole cluster."""

    moves_after: tuple[str, ...] = ()
    """Those that move before it does, while as many move as may at once in the whole cluster."""

    shares_with: tuple[str, ...] = ()
    """Those with which it shares its node though a rule would have them apart: there is no other place."""

    failures_expire: int | None = None
    """When its failed starts count no more, and it is tried again if it is in ``error`` for them; later if its node is
    not online then.
    """

    goes_back: GoingBack | None = None
    """That it waits to go back to a node that came back lately."""

    restarts: int = 0
    """How often it ended by itself and was started again, since it was last stopped on purpose or came to its node."""

    restart_times: tuple[int, ...] = ()
    """When it was found ended, the last ten times at most, oldest first."""

    next_restart: int | None = None
    """When it will be started again, while that waits because it ended too often."""

    readiness: words.Readiness | None = None
    """Whether it is ready, if it runs and has a probe."""

    readiness_since: int | None = None
    """Since when that is so."""

    not_ready: str | None = None
    """Why it was not ready when it was last asked, in words."""


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """The size of a node, and how much of it is in use."""

    max_cpu: float
    """Cores that it has."""

    max_memory: int
    """Bytes of memory that it has."""

    cpu: float
    """Cores in use, measured. Only the dynamic scheduler looks at it."""

    memory: int
    """Bytes of memory in use, measured. Only the dynamic scheduler looks at it."""


# Its former name, for one release.
NodeStatistics = NodeFigures


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """The size of a service, and how much it uses."""

    max_cpu: float
    """Cores that it may use; 0 means no limit."""

    max_memory: int
    """Bytes of memory that it may use."""

    cpu: float
    """Cores that it uses, measured. Only the dynamic scheduler looks at it."""

    memory: int
    """Bytes of memory that it uses, measured. Only the dynamic scheduler looks at it."""


# Its former name, for one release.
ServiceStatistics = ServiceFigures


@dataclass(frozen=True, slots=True)
class UnmanagedGuest:
    """A guest that runs but is not managed by HA. Its node is used by it all the same."""

    sid: str
    """The guest."""

    node: str
    """Where it is."""

    running: bool
    """Whether it runs. Of a guest on a node that can't be reached, whether it ran when that was last known. A guest
    that is added to what is managed counts as guarded by nothing if it runs.
    """


# Its former name, for one release.
UnmanagedService = UnmanagedGuest


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do for a service, on the node of the LRM that hands it out."""

    id: int
    """Names the job."""

    sid: str
    """The service."""

    command: words.StateName
    """What to do, named like the service state that asks for it."""

    uid: str | None = None
    """The request that it answers; none where the LRM itself wants it."""

    target: str | None = None
    """Where to move it."""

    timeout: int | None = None
    """Seconds that a stop may take; ``None`` leaves it to the agent."""

    only_look: bool = False
    """Of ``started``: it is only seen whether the service runs. If it does not, nothing is started, and the job ends
    with ``ExitCode.NOT_RUNNING``: the LRM counts that, and decides when to start it again.
    """


@dataclass(frozen=True, slots=True)
class RecoveryTimes:
    """How long it takes from the failure of a node to the moment at which another node starts its services."""

    shortest: timedelta
    """Never earlier than that. With ``fence_delay`` 0 and a short lock lifetime it may be 0."""

    longest: timedelta
    """Never later than that, as long as the master stays."""

    longest_with_master: timedelta
    """Never later than that, where the master fails with the node."""


@dataclass(frozen=True, slots=True)
class TimingSettings:
    """What can be set. Nothing is checked before ``Timings`` is made from it; a time that is not given
    has its customary value.

    >>> from datetime import timedelta
    >>> from pyha import Timings
    >>> Timings(TimingSettings(watchdog_timeout=timedelta(seconds=61))).settings.watchdog_timeout.seconds
    61
    """

    watchdog_timeout: timedelta = timedelta(milliseconds=60000)
    """How long after its last feed a daemon's watchdog runs out: the client timeout of the multiplexer."""

    multiplexer_interval: timedelta = timedelta(milliseconds=1000)
    """How often the multiplexer looks at its clients and feeds the device. 0 if there is no multiplexer and a daemon
    has a device of its own; ``watchdog_timeout`` is then the device's.
    """

    device_timeout: timedelta = timedelta(milliseconds=10000)
    """The timeout with which the multiplexer opens the device."""

    device_granularity: timedelta = timedelta(milliseconds=1000)
    """By how much a device may run out earlier or later than it was told. Many count in whole seconds."""

    multiplexer_warning: timedelta = timedelta(milliseconds=10000)
    """How long before a client's timeout the multiplexer warns."""

    lock_lifetime: timedelta = timedelta(milliseconds=120000)
    """For how long a lock cannot pass to another holder after it was renewed."""

    lock_retry_window: timedelta = timedelta(milliseconds=5000)
    """For how long taking or renewing a lock is tried in one iteration. 0 for a single try."""

    lock_retry_interval: timedelta = timedelta(milliseconds=1000)
    """The time from one such try to the next one."""

    lock_answer: timedelta = timedelta(milliseconds=1000)
    """How long the store may take to answer one question about a lock. A slower answer is not dangerous, but may cost
    the node its watchdog.
    """

    round_time: timedelta = timedelta(milliseconds=10000)
    """The time from the start of one round, of the manager or of an active LRM, to the start of the next one."""

    waiting_loop: timedelta = timedelta(milliseconds=5000)
    """The time after which a daemon that waits looks again."""

    worker_turn: timedelta = timedelta(milliseconds=8000)
    """For how long an LRM looks after its workers in one iteration."""

    worker_look_interval: timedelta = timedelta(milliseconds=1000)
    """The time from one such look to the next one."""

    longest_step: timedelta = timedelta(milliseconds=2000)
    """What everything else in one iteration of a daemon takes at most: reading, deciding, writing, and those steps of
    jobs that run in the daemon's own thread.
    """

    membership_detection: timedelta = timedelta(milliseconds=5000)
    """How long the membership layer takes at most to see that a node has failed."""

    fence_delay: timedelta = timedelta(milliseconds=60000)
    """How long a node must have been gone before it is fenced. 0 is safe, since the lock alone protects; the delay
    only avoids needless fencing.
    """

    gone_forgotten_after: timedelta = timedelta(milliseconds=3600000)
    """How long a node that is no member any more is remembered."""

    restart_give_up: timedelta = timedelta(milliseconds=90000)
    """For how long an LRM that is to restart stays without its lock, with services left, before it gives up and exits.
    """

    record_old_after: timedelta = timedelta(milliseconds=30000)
    """The age from which a daemon's record makes it look dead to a person."""

    record_ahead_tolerance: timedelta = timedelta(milliseconds=2000)
    """By how much a record may be in the future before the clocks look wrong to a person."""

    clock_drift_ppm: int = 1_000
    """By how much a clock of the cluster may be faster than another one, in parts per million. At most 100,000."""

    master_idle_rounds: int = 90
    """Rounds after which a master that has nothing to do gives up the manager lock."""

    lrm_idle_rounds: int = 60
    """Rounds after which an LRM without services gives up its lock."""

    group_migration_first_round: int = 3
    """The round of a master, with groups still configured, in which it first tries to turn groups into rules. From 1.
    """

    group_migration_interval_rounds: int = 6
    """The rounds from one such try to the next one."""
