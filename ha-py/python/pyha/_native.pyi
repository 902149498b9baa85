from _typeshed import SupportsLenAndGetItem
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from os import PathLike
from pyha import Change, Event
from pyha.host import Agent, CrmHost, EventSink, LrmHost, RoundHost
from pyha.records import (
    Balance,
    Counterfactual,
    DatacenterConfig,
    Explanation,
    FencingView,
    Job,
    LrmView,
    MasterView,
    QuorumView,
    Recovery,
    RecoveryTimes,
    ServiceView,
    SituationFinding,
    TimingSettings,
    UnmanagedGuest,
)
from pyha.sim import (
    Breach,
    Condition,
    Difference,
    Durations,
    Failure,
    GuestSetup,
    Happening,
    NodeSetup,
    Report,
    ServiceHistory,
)
from pyha.sim.words import DaemonKind, DeviceBehaviour, FailureKind, FaultKind, Operation
from pyha.typing import PropertyMapping, PropertyPairs
from pyha.values import (
    FenceCommand,
    FenceFault,
    Finding,
    HostFigures,
    JobResult,
    JobStep,
    Problem,
    StatusLine,
    Wait,
    Writer,
)
from pyha.words import (
    Affinity,
    DaemonState,
    DisarmMode,
    DisarmState,
    Hand,
    HostOperation,
    LrmMode,
    LrmState,
    Motion,
    NodeState,
    OnFailure,
    Preference,
    RequestedState,
    RuleType,
    SchedulerMode,
    Spread,
    StateName,
    StopRequest,
)
from typing import Any, SupportsFloat, SupportsIndex, final

__all__ = [
    "Cluster",
    "ClusterView",
    "Command",
    "Configuration",
    "Crm",
    "DatacenterFile",
    "Editor",
    "Evaluated",
    "FenceConfig",
    "Group",
    "GroupsConfig",
    "JobRun",
    "Lrm",
    "LrmStatus",
    "Manager",
    "ManagerStatus",
    "NodeLabels",
    "NodesConfig",
    "Outcome",
    "Play",
    "Replay",
    "Resource",
    "ResourcesConfig",
    "RoundInput",
    "Rule",
    "RuleSet",
    "RulesConfig",
    "Scenario",
    "ServiceEntry",
    "Services",
    "Situation",
    "Timings",
    "check_recorded",
    "clock",
    "compare_versions",
    "decide_lock",
    "describe_balance",
    "describe_change",
    "describe_cluster_event",
    "describe_event",
    "describe_explanation",
    "history_counted",
    "history_entry",
    "history_failovers",
    "lock_answer_by_writer",
    "measure_reading",
    "measure_replay",
    "run_job",
]

@final
class Cluster:
    """
    A virtual cluster, with a clock of its own. Nothing happens in it but in the calls that let time pass.

    Each call may be made from any thread; one waits for the other.

    >>> from pyha.sim import Cluster
    >>> cluster = Cluster(["node1", "node2", "node3"], guests={"vm:100": "node3"}, resources="vm: 100\\n")
    >>> cluster.run_for(60)
    >>> cluster.places("vm:100")
    ['node3']
    >>> cluster.power_off("node3")
    >>> cluster.run_for(180)
    >>> cluster.places("vm:100"), str(cluster.service_state("vm:100"))
    (['node1'], 'started')
    """
    def __new__(
        cls,
        /,
        nodes: Iterable[str | NodeSetup],
        *,
        guests: Mapping[str, str] | Iterable[GuestSetup] = ...,
        resources: ResourcesConfig | str | bytes | None = None,
        groups: GroupsConfig | str | bytes | None = None,
        rules: RulesConfig | str | bytes | None = None,
        labels: NodesConfig | str | bytes | None = None,
        datacenter: DatacenterFile | str | bytes | None = None,
        fence: FenceConfig | str | bytes | None = None,
        timings: Timings | None = None,
        durations: Durations | None = None,
    ) -> Cluster:
        """
        A cluster whose nodes have just come up, at time 0.

        Nodes are names, or :class:`NodeSetup`; guests are a mapping from SIDs to nodes, or :class:`GuestSetup`. Configuration
        files are given as text or as what was read from them, and must not have problems; ``labels`` is ``nodes.cfg``.
        """
    def __repr__(self, /) -> str: ...
    def add_group(
        self,
        /,
        id: str,
        changes: PropertyMapping | PropertyPairs = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Adds a group.
        """
    def add_resource(
        self,
        /,
        sid: str,
        changes: PropertyMapping | PropertyPairs = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> str:
        """
        Adds a resource, and gives its SID. Edits raise ``EditError`` if they are refused, as those of an ``Editor``.
        """
    def add_rule(
        self,
        /,
        rule_type: str,
        id: str,
        changes: PropertyMapping | PropertyPairs = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Adds a rule: ``node-affinity``, ``resource-affinity`` or ``order``.
        """
    @property
    def breach(self, /) -> Breach | None:
        """
        What did not hold since :meth:`check_invariants`.
        """
    def check_invariants(self, /, *, resets_until: float | timedelta | None = None) -> None:
        """
        Checks more from now on than that no service runs twice: what must hold whatever goes wrong, such as that a watchdog
        is fed only after a renewal. Once one of these does not hold nothing happens any more, and :attr:`breach` says what.

        With ``resets_until`` also that no watchdog resets a node after that moment, as is so when nothing goes wrong.
        """
    def command(self, /, line: str | Command) -> None:
        """
        Appends a line to the command queue, such as ``migrate vm:100 node2``. It is not checked, as on a real cluster.
        """
    @property
    def configuration(self, /) -> Configuration:
        """
        What is configured now, as a configuration of its own.
        """
    def crash_guest(self, /, sid: str) -> None:
        """
        A guest ends by itself.
        """
    def create_guest(self, /, sid: str, node: str) -> None:
        """
        Adds a guest that HA knows nothing of.
        """
    def crm_state(self, /, node: str) -> DaemonState | None:
        """
        The state of a node's CRM, if it runs.
        """
    def destroy_guest(self, /, sid: str) -> None:
        """
        Stops a guest and removes it, behind HA's back.
        """
    def disturb(
        self,
        /,
        node: str,
        daemon: DaemonKind | str,
        kind: FaultKind | str,
        *,
        operation: HostOperation | str | None = None,
        skip: SupportsIndex = 0,
        lasting: float | timedelta = ...,
    ) -> None:
        """
        Lets a call go wrong that a daemon makes: the next one, of that operation if one is given, after so many that go well.

        ``lasting`` is for how long a call stalls or is late, or after what time a daemon that crashes is started again.

        >>> from pyha.sim import Cluster, DaemonKind, FaultKind
        >>> cluster = Cluster(["node1", "node2", "node3"], guests={"vm:100": "node1"}, resources="vm: 100\\n")
        >>> cluster.run_for(60)
        >>> cluster.disturb("node1", DaemonKind.CRM, FaultKind.FAILS, operation="write_manager_status")
        >>> cluster.run_for(60)
        >>> [h.source for h in cluster.happenings() if h.event.tag == "host_call_failed"]
        ['node1/crm']
        """
    def downtime(self, /, sid: str) -> float:
        """
        For how many seconds a service did not run though it should have: from its first start on.
        """
    def end_hung_jobs(self, /) -> None:
        """
        Ends what agents hang in: it fails.
        """
    def end_shutdowns(self, /) -> None:
        """
        Somebody loses patience with nodes that were asked to go down and have not yet, and resets them; nodes that go down
        from now on get their power again.
        """
    def fail(
        self,
        /,
        sid: str,
        operation: Operation | str,
        kind: FailureKind | str = ...,
        *,
        node: str | None = None,
        times: SupportsIndex | None = None,
    ) -> None:
        """
        Lets an operation of an agent go wrong from now on: on one node, or everywhere; so often, or without end.
        """
    @staticmethod
    def from_snapshot(snapshot: str) -> Cluster:
        """
        A live cluster that goes on as a virtual one, from what ``ha snapshot`` wrote. What is otherwise than it was is said at the
        beginning of what happens.
        """
    def guest_node(self, /, sid: str) -> str | None:
        """
        The node on which the guest of a service is configured, if it exists.
        """
    @property
    def guests(self, /) -> list[str]:
        """
        The guests, managed or not.
        """
    def happenings(self, /, since: SupportsIndex = 0) -> list[Happening]:
        """
        What happened since a mark; all of it without one.
        """
    def has_power(self, /, node: str) -> bool:
        """
        Whether a node has power.
        """
    def heal(self, /) -> None:
        """
        Ends what :meth:`partition` did.
        """
    def histories(self, /) -> dict[str, ServiceHistory]:
        """
        What became of each service that ever had a guest and a configuration at once.
        """
    def history(self, /, sid: str) -> ServiceHistory | None:
        """
        What became of a service; ``None`` if it never had a guest and a configuration at once.
        """
    def is_online(self, /, node: str) -> bool:
        """
        Whether a node is in the quorate partition.
        """
    def jump_wall_clock(self, /, node: str, seconds: SupportsIndex) -> None:
        """
        Lets the wall clock of a node jump, forward or back.
        """
    def kill_daemon(self, /, node: str, daemon: DaemonKind | str) -> None:
        """
        Kills a daemon. If its watchdog was open nothing can call off the reset any more.
        """
    def let_leases_run_long(self, /, by: float | timedelta) -> None:
        """
        Locks are held longer than promised.
        """
    def lock_guest(self, /, sid: str, lock: str | None) -> None:
        """
        Locks a guest; ``None`` unlocks it.
        """
    def lock_holder(self, /, lock: str) -> str | None:
        """
        The node that holds a lock, such as ``ha_manager_lock``.
        """
    def lrm_state(self, /, node: str) -> LrmState | None:
        """
        The state of a node's LRM, if it runs.
        """
    def lrm_status(self, /, node: str) -> LrmStatus | None:
        """
        The record of a node's LRM as it was last written.
        """
    @property
    def manager_status(self, /) -> ManagerStatus | None:
        """
        The manager status as it was last written.
        """
    def mark(self, /) -> int:
        """
        A mark of the present, for :meth:`happenings`.
        """
    @property
    def masters(self, /) -> list[str]:
        """
        The nodes whose CRM takes itself for the master.
        """
    def mend(self, /, sid: str, operation: Operation | str) -> None:
        """
        Lets an operation of an agent work again.
        """
    def move_guest(self, /, sid: str, node: str) -> None:
        """
        Moves a guest behind HA's back. It goes on running if it did.
        """
    @property
    def next_due(self, /) -> float | None:
        """
        When the next thing is due, in seconds since the start; ``None`` if nothing is, ever.
        """
    def node_state(self, /, node: str) -> NodeState | None:
        """
        The state of a node in the manager status; ``None`` if the manager does not know it.
        """
    @property
    def nodes(self, /) -> list[str]:
        """
        The names of the nodes.
        """
    @property
    def now(self, /) -> float:
        """
        The time, in seconds since the start.
        """
    def now_on(self, /, node: str) -> float:
        """
        The time on the monotonic clock of a node, in seconds.
        """
    def partition(self, /, groups: Iterable[Iterable[str]]) -> None:
        """
        Parts the network: only nodes within one group see one another. A node in no group sees nobody else.
        """
    def pause_daemon(self, /, node: str, daemon: DaemonKind | str) -> None:
        """
        Keeps a daemon from going on, as the signal STOP does.
        """
    def places(self, /, sid: str) -> list[str]:
        """
        The nodes on which a service runs: at most one, if all is well.
        """
    def play_for(self, /, time: float | timedelta) -> Play:
        """
        Lets everything happen within a time from now, and gives what happens as it happens.

        >>> from pyha import events
        >>> from pyha.sim import Cluster
        >>> cluster = Cluster(["node1", "node2"], guests={"vm:100": "node1"}, resources="vm: 100\\n")
        >>> for happening in cluster.play_for(60):
        ...     match happening.event:
        ...         case events.AgentStarted(sid):
        ...             print(happening.time, happening.source, sid)
        4.0 node1/lrm vm:100
        """
    def power_off(self, /, node: str) -> None:
        """
        Takes a node's power away.
        """
    def power_on(self, /, node: str) -> None:
        """
        Gives a node power; its daemons start after the time that it boots.
        """
    def reboot(self, /, node: str) -> None:
        """
        Asks a node to reboot.
        """
    def remove_group(self, /, id: str) -> None:
        """
        Removes a group that no resource names.
        """
    def remove_resource(self, /, sid: str, *, purge: bool = True) -> None:
        """
        Removes a resource; with ``purge`` also from every rule.
        """
    def remove_rule(self, /, id: str) -> None:
        """
        Removes a rule.
        """
    def reset(self, /, node: str) -> None:
        """
        Takes a node's power away and gives it back at once, so that it boots.
        """
    def restart_lrm(self, /, node: str) -> None:
        """
        Asks an LRM to stop, after which it is started again: as on an upgrade.
        """
    def resume_daemon(self, /, node: str, daemon: DaemonKind | str) -> None:
        """
        Lets a daemon go on that was paused.
        """
    def run_for(self, /, time: float | timedelta) -> None:
        """
        Lets everything happen that is due within a time from now.
        """
    def run_until(self, /, end: float | timedelta) -> None:
        """
        Lets everything happen that is due up to and at a moment, which is the present then.
        """
    def service_state(self, /, sid: str) -> StateName | None:
        """
        The state of a service in the manager status; ``None`` if the manager does not have it.
        """
    def set_clock(self, /, node: str, *, drift_ppm: SupportsIndex = 0, wall_ahead: SupportsIndex = 0) -> None:
        """
        Changes the clocks of a node: by how many parts per million its monotonic clock is faster than the world's time
        (slower if negative), and by how many seconds its wall clock is ahead.
        """
    def set_datacenter(self, /, changes: PropertyMapping | PropertyPairs = ..., *, unset: Iterable[str] = ...) -> None:
        """
        Sets and unsets settings of ``datacenter.cfg``, by their names such as ``crs.ha``.
        """
    def set_device(self, /, name: str, behaviour: DeviceBehaviour | str) -> None:
        """
        Says how a fence device behaves, or a part of one (``name:number``).
        """
    def set_group(
        self,
        /,
        id: str,
        changes: PropertyMapping | PropertyPairs = ...,
        *,
        unset: Iterable[str] = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Sets and unsets properties of a group.
        """
    def set_guest_load(self, /, sid: str, cores: SupportsFloat | SupportsIndex, memory: SupportsIndex) -> None:
        """
        Changes what a guest uses while it runs: cores and bytes of memory.
        """
    def set_guest_size(self, /, sid: str, cores: SupportsFloat | SupportsIndex, memory: SupportsIndex) -> None:
        """
        Changes what a guest may use: cores (0: no limit) and bytes of memory.
        """
    def set_locks_work(self, /, node: str, work: bool) -> None:
        """
        Says whether the locks answer to a node.
        """
    def set_network(self, /, node: str, connected: bool) -> None:
        """
        Connects a node to the network, or cuts it off.
        """
    def set_node(
        self,
        /,
        node: str,
        changes: PropertyMapping | PropertyPairs = ...,
        *,
        unset: Iterable[str] = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Sets and unsets what is said of a node.
        """
    def set_node_size(self, /, node: str, cores: SupportsFloat | SupportsIndex, memory: SupportsIndex) -> None:
        """
        Changes the size of a node: cores, and bytes of memory.
        """
    def set_resource(
        self,
        /,
        sid: str,
        changes: PropertyMapping | PropertyPairs = ...,
        *,
        unset: Iterable[str] = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Sets and unsets properties of a resource.
        """
    def set_rule(
        self,
        /,
        id: str,
        changes: PropertyMapping | PropertyPairs = ...,
        *,
        unset: Iterable[str] = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Sets and unsets properties of a rule.
        """
    def set_store_works(self, /, node: str, works: bool) -> None:
        """
        Says whether shared records can be read and written on a node.
        """
    def set_unheard(self, /, node: str, unheard: Iterable[str]) -> None:
        """
        Says which other nodes a node does not hear, though the store reaches all of them.
        """
    def set_version(self, /, node: str, version: str) -> None:
        """
        Changes the version of a node's software.
        """
    def set_view_works(self, /, node: str, works: bool) -> None:
        """
        Says whether a node can bring its view of the cluster up to date.
        """
    def set_watchdog_error(
        self, /, node: str, *, early: float | timedelta = ..., late: float | timedelta = ...
    ) -> None:
        """
        By how much the watchdog of a node resets it earlier and later than told.
        """
    def shutdown(self, /, node: str) -> None:
        """
        Asks a node to shut down, as a person does at its console.
        """
    def situation(self, /) -> Situation:
        """
        What placement looks at now: to explain decisions, and to ask "what if".

        >>> from pyha.sim import Cluster
        >>> cluster = Cluster(["node1", "node2"], guests={"vm:100": "node1"}, resources="vm: 100\\n")
        >>> cluster.run_for(60)
        >>> cluster.situation().explain("vm:100").answer
        'node1'
        """
    def start_daemon(self, /, node: str, daemon: DaemonKind | str, *, after: float | timedelta = ...) -> None:
        """
        Starts a daemon that does not run, at once or after a while.
        """
    def start_daemon_if_missing(self, /, node: str, daemon: DaemonKind | str) -> None:
        """
        Starts a daemon that neither runs nor is about to start.
        """
    def start_guest(self, /, sid: str, node: str) -> None:
        """
        Starts a guest by hand on a node, whatever else is true: also where it runs on another one.

        >>> from pyha import RanTwiceError
        >>> from pyha.sim import Cluster
        >>> cluster = Cluster(["node1", "node2"], guests={"vm:100": "node1"})
        >>> cluster.start_guest("vm:100", "node1")
        >>> try:
        ...     cluster.start_guest("vm:100", "node2")
        ... except RanTwiceError as error:
        ...     print(error.sid, error.nodes)
        vm:100 ('node1', 'node2')
        """
    def step(self, /) -> float | None:
        """
        Lets the next thing happen. Gives its time, or ``None`` if there is nothing.

        Raises ``RanTwiceError`` if a service runs on two nodes after it, as all calls do that let something happen.
        """
    def stop_crm(self, /, node: str) -> None:
        """
        Asks a CRM to stop. It stays stopped until it is started.
        """
    def stop_disturbing(self, /) -> None:
        """
        Takes back all that :meth:`disturb` said and that still waits for its call.
        """
    @property
    def timings(self, /) -> Timings:
        """
        The timings of all daemons.
        """
    def view(self, /, node: str) -> ClusterView:
        """
        What ``status`` shows to a person who looks on a node.
        """
    def wait_for(self, /, condition: Condition, *, within: float | timedelta) -> float:
        """
        Lets things happen until a condition holds, which is looked at after each of them, and gives the time.

        Raises ``TimeoutError`` if it does not hold within the given time; the present is then.

        >>> from pyha.sim import Cluster
        >>> cluster = Cluster(["node1", "node2"], guests={"vm:100": "node1"}, resources="vm: 100\\n")
        >>> cluster.wait_for(lambda cluster: cluster.places("vm:100") == ["node1"], within=60)
        4.0
        """
    @property
    def wall(self, /) -> int:
        """
        The time on all wall clocks that are right, in seconds since 1970.
        """
    def wall_on(self, /, node: str) -> int:
        """
        The time on the wall clock of a node, in seconds since 1970.
        """

@final
class ClusterView:
    """
    The cluster as a person sees it, at one time and from one node.
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(
        cls,
        /,
        own_node: str,
        *,
        quorate: bool,
        now: SupportsIndex,
        manager: ManagerStatus,
        lrms: dict[str, LrmStatus | None],
        resources: ResourcesConfig,
        locations: dict[str, str] | None = None,
        scheduler: str = ...,
    ) -> ClusterView:
        """
        ``lrms`` are the nodes to show, each with the record of its LRM if it has one. ``now`` is in seconds since 1970.
        ``locations`` says where every guest is that exists, if that is known.
        """
    def __repr__(self, /) -> str: ...
    def __str__(self, /) -> str: ...
    @property
    def fencing(self, /) -> FencingView:
        """
        Whether failed nodes are fenced.
        """
    def lines(self, /) -> list[StatusLine]:
        """
        The view as text, a line an item.
        """
    @property
    def lrms(self, /) -> list[LrmView]:
        """
        The LRMs, by node.
        """
    @property
    def master(self, /) -> MasterView:
        """
        The master.
        """
    @property
    def quorum(self, /) -> QuorumView:
        """
        Whether the cluster can act at all.
        """
    @property
    def services(self, /) -> list[ServiceView]:
        """
        The services.
        """
    def to_dict(self, /) -> "dict[str, object]":
        """
        All of it as plain data.
        """

@final
class Command:
    """
    A line of the command queue.

    >>> from pyha import Command
    >>> command = Command("migrate vm:100 node2")
    >>> command.verb, command.sid, command.node, str(command)
    ('migrate', 'vm:100', 'node2', 'migrate vm:100 node2')
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[str]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, line: str) -> Command: ...
    def __repr__(self, /) -> str: ...
    def __str__(self, /) -> str: ...
    @property
    def mode(self, /) -> DisarmMode | None:
        """
        What happens to services while HA is disarmed.
        """
    @property
    def motion(self, /) -> Motion | None:
        """
        How it moves a service.
        """
    @property
    def node(self, /) -> str | None:
        """
        The node that it is about, or to which it moves.
        """
    @property
    def sid(self, /) -> str | None:
        """
        The service that it is about.
        """
    @property
    def timeout(self, /) -> int | None:
        """
        Seconds that a stop may take.
        """
    @property
    def verb(self, /) -> str:
        """
        The first word of its line.
        """

@final
class Configuration:
    """
    All of the configuration that the daemons read. Edits change it; the files that it hands out never change.

    >>> from pyha import Configuration
    >>> configuration = Configuration(resources="vm: 100\\n", guests={"vm:100": "node1"})
    >>> editor = configuration.editor(nodes=["node1", "node2"])
    >>> editor.set_resource("vm:100", state="stopped")
    >>> configuration.resources.to_bytes()
    b'vm: 100\\n\\tstate stopped\\n\\n'
    """
    def __copy__(self, /) -> Configuration: ...
    def __deepcopy__(self, /, _memo: Any) -> Configuration: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __new__(
        cls,
        /,
        *,
        resources: ResourcesConfig | str | bytes | None = None,
        groups: GroupsConfig | str | bytes | None = None,
        rules: RulesConfig | str | bytes | None = None,
        nodes: NodesConfig | str | bytes | None = None,
        datacenter: DatacenterFile | str | bytes | None = None,
        fence: FenceConfig | str | bytes | None = None,
        guests: dict[str, str] = ...,
        service_types: Iterable[str] = ...,
    ) -> Configuration: ...
    def __repr__(self, /) -> str: ...
    def copy(self, /) -> Configuration:
        """
        A configuration of its own, with the same content.
        """
    @property
    def datacenter(self, /) -> DatacenterFile:
        """
        Settings of the whole cluster.
        """
    def editor(
        self,
        /,
        *,
        nodes: Iterable[str] = ...,
        in_error: Iterable[str] = ...,
        guest_types: dict[str, str] = ...,
        seen: str | None = None,
    ) -> Editor:
        """
        Makes edits, with all their checks.

        ``nodes`` are all known members of the cluster. ``in_error`` are the services in state ``error``, for which only
        ``disabled`` can be asked. ``guest_types`` tells the service type of bare guest numbers. With ``seen``, the file
        that is edited must have this digest.
        """
    def effective_failback(self, /, sid: str) -> bool | None:
        """
        Whether a service moves to a node of higher priority, by its own setting or that of its group; ``None`` if it is
        not configured.
        """
    @property
    def fence(self, /) -> FenceConfig | None:
        """
        The fence devices, if there is such a file.
        """
    def files(self, /) -> dict[str, bytes]:
        """
        The bytes of the files that are not empty, by name. ``fence.cfg``, which is only read, is not among them.
        """
    @property
    def groups(self, /) -> GroupsConfig:
        """
        The groups.
        """
    @property
    def guests(self, /) -> dict[str, str]:
        """
        Where each guest is configured, by SID.
        """
    @property
    def nodes(self, /) -> NodesConfig:
        """
        What is said of nodes.
        """
    @property
    def problems(self, /) -> dict[str, list[Problem]]:
        """
        What is wrong in the files, by file; without those that have no problem. See ``fence.faults`` for ``fence.cfg``.
        """
    def raise_for_problems(self, /) -> None:
        """
        Raises a ``ConfigError`` for the first file with problems.
        """
    @staticmethod
    def read(folder: str | PathLike[str], *, service_types: Iterable[str] = ...) -> Configuration:
        """
        Reads ``resources.cfg``, ``groups.cfg``, ``rules.cfg``, ``nodes.cfg``, ``datacenter.cfg`` and ``fence.cfg`` of a
        folder, as far as they are there.
        """
    @property
    def resources(self, /) -> ResourcesConfig:
        """
        The services that are managed.
        """
    def rule_set(self, /) -> RuleSet:
        """
        The rules, with those that groups stand for, where nodes fail together as ``nodes.cfg`` says.
        """
    @property
    def rules(self, /) -> RulesConfig:
        """
        The rules.
        """
    def set_guests(self, /, guests: dict[str, str]) -> None:
        """
        Says where guests are configured, instead of what was said before.
        """
    def shadowed_groups(self, /) -> list[str]:
        """
        The groups that services name but whose rule ``rules.cfg`` holds already: the written rule stands, the group adds none.
        """
    def write(self, /, folder: str | PathLike[str]) -> None:
        """
        Writes the files into a folder; those that are empty and not there stay away. Each is written whole or not at all.
        """

@final
class Crm:
    """
    The cluster resource manager of a node: it runs everywhere, and on one node it is the master.

    It does nothing between calls of :meth:`tick`, which never waits and says when to call again. Times are seconds on
    one monotonic clock; without any, :func:`pyha.clock` and this process's clock of the day are read.
    """
    def __new__(cls, /, node: str, *, timings: Timings | None = None, sink: EventSink | None = None) -> Crm:
        """
        Starts the CRM of a node. ``sink`` is told of the start.
        """
    def __repr__(self, /) -> str: ...
    @property
    def manager_status(self, /) -> ManagerStatus | None:
        """
        The manager status as this CRM knows it, while it is the master.
        """
    @property
    def node(self, /) -> str:
        """
        The node.
        """
    def request_stop(self, /, sink: EventSink | None = None) -> None:
        """
        Asks it to stop: it exits at the end of an iteration. A second request changes nothing.

        It may be asked for at any time, also by a signal handler, a host that is called, and another thread: during :meth:`tick` it takes
        effect when that ends, or with the next one.
        """
    @property
    def state(self, /) -> DaemonState:
        """
        The state that it is in.
        """
    def tick(
        self,
        /,
        host: CrmHost,
        now: float | timedelta | None = None,
        *,
        wall: SupportsFloat | SupportsIndex | None = None,
    ) -> Wait | None:
        """
        Does what must be done now, and says when to call again; ``None`` after it has exited.

        ``HostError`` of the host is an answer to the core. Any other exception comes out unchanged: what the host has not
        been asked by then is left for the next call.
        """

@final
class DatacenterFile:
    """
    The content of ``datacenter.cfg``: the settings, and the lines that they are in.

    >>> from pyha import DatacenterFile
    >>> DatacenterFile.parse("crs: ha=static\\n").config.scheduler.mode
    <SchedulerMode.STATIC: 'static'>
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __repr__(self, /) -> str: ...
    @property
    def config(self, /) -> DatacenterConfig:
        """
        The settings.
        """
    @property
    def digest(self, /) -> str:
        """
        The SHA-1 of the file that this was read from, as 40 hexadecimal digits.
        """
    @staticmethod
    def parse(text: str | bytes) -> DatacenterFile:
        """
        Reads the text or the bytes of a file. What is wrong in it is in ``problems`` and never loses the rest.
        """
    @property
    def problems(self, /) -> list[Problem]:
        """
        What is wrong in the file, in the order of the lines.
        """
    def raise_for_problems(self, /) -> None:
        """
        Raises a ``ConfigError`` if the file has problems.
        """
    @staticmethod
    def read(path: str | PathLike[str]) -> DatacenterFile:
        """
        Reads a file.
        """
    @staticmethod
    def settings_from_json(text: str) -> DatacenterConfig:
        """
        Reads the settings from the JSON form that recorded scenarios have: fractions instead of percentages.
        """
    def to_bytes(self, /) -> bytes:
        """
        The file's bytes.
        """
    def write(self, /, path: str | PathLike[str]) -> None:
        """
        Writes a file, whole or not at all.
        """

@final
class Editor:
    """
    Makes edits of a configuration. One that is refused raises an ``EditError`` and changes nothing.

    Properties are given by keyword, or as ``changes``: a mapping, or pairs. A value is the text that a file has, or what
    the text says: a number, a boolean, a list of names, nodes with their priorities.

    >>> from pyha import Configuration, EditError
    >>> editor = Configuration().editor(nodes=["node1", "node2"])
    >>> editor.add_resource("vm:100", max_restart=3)
    'vm:100'
    >>> editor.add_rule("node-affinity", "home", resources=["vm:100"], nodes={"node1": 2, "node2": 1}, strict=True)
    >>> try:
    ...     editor.set_resource("vm:100", state="on")
    ... except EditError as error:
    ...     print(error.field, error.faults[0].code)
    state bad_value
    """
    def add_group(
        self,
        /,
        id: str,
        changes: PropertyMapping | PropertyPairs = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Adds a group.
        """
    def add_resource(
        self,
        /,
        sid: str,
        changes: PropertyMapping | PropertyPairs = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> str:
        """
        Adds a resource, and gives its SID.
        """
    def add_rule(
        self,
        /,
        rule_type: str,
        id: str,
        changes: PropertyMapping | PropertyPairs = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Adds a rule: ``node-affinity``, ``resource-affinity`` or ``order``.
        """
    @property
    def configuration(self, /) -> Configuration:
        """
        The configuration that is edited.
        """
    def remove_group(self, /, id: str) -> None:
        """
        Removes a group that no resource names.
        """
    def remove_resource(self, /, sid: str, *, purge: bool = True) -> None:
        """
        Removes a resource; with ``purge`` also from every rule, and each rule that is left with no resource.
        """
    def remove_rule(self, /, id: str) -> None:
        """
        Removes a rule.
        """
    def set_datacenter(self, /, changes: PropertyMapping | PropertyPairs = ..., *, unset: Iterable[str] = ...) -> None:
        """
        Sets and unsets settings of ``datacenter.cfg``, by their names such as ``crs.ha``.
        """
    def set_group(
        self,
        /,
        id: str,
        changes: PropertyMapping | PropertyPairs = ...,
        *,
        unset: Iterable[str] = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Sets and unsets properties of a group.
        """
    def set_node(
        self,
        /,
        node: str,
        changes: PropertyMapping | PropertyPairs = ...,
        *,
        unset: Iterable[str] = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Sets and unsets what is said of a node.
        """
    def set_resource(
        self,
        /,
        sid: str,
        changes: PropertyMapping | PropertyPairs = ...,
        *,
        unset: Iterable[str] = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Sets and unsets properties of a resource.
        """
    def set_rule(
        self,
        /,
        id: str,
        changes: PropertyMapping | PropertyPairs = ...,
        *,
        unset: Iterable[str] = ...,
        **properties: "str | int | bool | list[str] | dict[str, int]",
    ) -> None:
        """
        Sets and unsets properties of a rule.
        """

@final
class Evaluated:
    """
    What became of a rule set.
    """
    def __repr__(self, /) -> str: ...
    @property
    def dropped(self, /) -> list[Finding]:
        """
        Why rules were left out.
        """
    def negative(self, /, sid: str) -> list[str]:
        """
        The services that must not run where this one does.
        """
    def node_affinity(self, /, sid: str) -> dict[str, int] | None:
        """
        The priorities of the nodes that a service may or should use, if a rule says so.
        """
    def positive(self, /, sid: str) -> list[str]:
        """
        The services that must run where this one does.
        """
    def rather_apart(self, /, sid: str) -> list[str]:
        """
        The services from which this one should rather be apart: loose rules keep them apart while there is a place for that.
        """
    def report(self, /) -> "dict[str, object]":
        """
        All of it as plain data.
        """
    @property
    def rules(self, /) -> RuleSet:
        """
        The rules that hold, with those that follow from them.
        """
    def services(self, /) -> list[str]:
        """
        The services that rules are about.
        """
    def why_apart(self, /, one: str, other: str) -> list[str]:
        """
        The rules by which two services must be apart.
        """
    def why_rather_apart(self, /, one: str, other: str) -> list[str]:
        """
        The loose rules by which two services should rather be apart.
        """
    def why_together(self, /, one: str, other: str) -> list[str]:
        """
        The rules by which two services must be together.
        """

@final
class FenceConfig:
    """
    The content of ``fence.cfg``: devices that can switch a node off.

    A file with a fatal fault is not used at all: it has no devices then. Arguments can be passwords and are never shown.

    >>> from pyha import FenceConfig
    >>> fence = FenceConfig.parse("device power fence_apc ip=192.0.2.1\\nconnect power node=node1 plug=7\\n")
    >>> [command.program for command in fence.commands("node1", attempt=0)]
    ['fence_apc']
    """
    def __repr__(self, /) -> str: ...
    def commands(self, /, node: str, attempt: SupportsIndex) -> list[FenceCommand]:
        """
        The commands that an attempt, counted from 0, runs to switch a node off: all at once.
        """
    @property
    def devices(self, /) -> list[str]:
        """
        The names of the devices, in the order in which they are tried.
        """
    @property
    def faults(self, /) -> list[FenceFault]:
        """
        What is wrong in the file, in the order of the lines.
        """
    def is_connected(self, /, node: str) -> bool:
        """
        Whether a device is connected to the node.
        """
    @staticmethod
    def parse(text: str | bytes) -> FenceConfig:
        """
        Reads the text or the bytes of a file.
        """
    def raise_for_problems(self, /) -> None:
        """
        Raises a ``ConfigError`` if the file has faults.
        """
    @staticmethod
    def read(path: str | PathLike[str]) -> FenceConfig:
        """
        Reads a file.
        """
    def report(self, /, nodes: Iterable[str]) -> "dict[str, object] | list[dict[str, object]]":
        """
        Errors, or the commands by attempt and node: as plain data.
        """

@final
class Group:
    """
    A group of nodes, from before groups became rules.

    >>> from pyha import Group
    >>> Group("web", {"node1": 2, "node2": 1}).nodes
    {'node1': 2, 'node2': 1}
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs_ex__(self, /) -> tuple[tuple[str], dict[str, object]]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(
        cls,
        /,
        id: str,
        nodes: Mapping[str, int] | Iterable[str],
        *,
        restricted: bool | None = None,
        nofailback: bool | None = None,
        comment: str | None = None,
    ) -> Group: ...
    def __repr__(self, /) -> str: ...
    @property
    def comment(self, /) -> str | None:
        """
        A person's remark.
        """
    @property
    def id(self, /) -> str:
        """
        Its name.
        """
    @property
    def nodes(self, /) -> dict[str, int]:
        """
        The nodes with their priorities; the higher number is preferred.
        """
    @property
    def nofailback(self, /) -> bool:
        """
        Whether its services stay where they are when a node of higher priority comes online; by default not.
        """
    @property
    def properties(self, /) -> dict[str, str]:
        """
        The properties that are set, as the text that an edit takes.
        """
    @property
    def restricted(self, /) -> bool:
        """
        Whether its services run on these nodes or not at all; by default not.
        """

@final
class GroupsConfig:
    """
    The content of ``groups.cfg``: a mapping from the names to the groups.

    >>> from pyha import GroupsConfig
    >>> list(GroupsConfig.parse("group: web\\n\\tnodes node1\\n"))
    ['web']
    """
    def __contains__(self, key: Any, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __getitem__(self, key: str, /) -> Group: ...
    def __iter__(self, /) -> Iterator[str]: ...
    def __len__(self, /) -> int: ...
    def __new__(cls, /, sections: Iterable[Group] = ...) -> GroupsConfig:
        """
        From its sections; of two with one name the later one.
        """
    def __repr__(self, /) -> str: ...
    @property
    def digest(self, /) -> str:
        """
        The SHA-1 of the file that this was read from, as 40 hexadecimal digits.
        """
    def get(self, /, key: str, default: Any | None = None) -> Group | None:
        """
        The section of this name, or ``default``.
        """
    def items(self, /) -> list[tuple[str, Group]]:
        """
        Names and sections, in the order of the file.
        """
    def keys(self, /) -> list[str]:
        """
        The names, in the order of the file.
        """
    @staticmethod
    def parse(text: str | bytes, *, service_types: Iterable[str] = ...) -> GroupsConfig:
        """
        Reads the text or the bytes of a file. What is wrong in it is in ``problems`` and never loses the rest.
        """
    @property
    def problems(self, /) -> list[Problem]:
        """
        What is wrong in the file, in the order of the lines.
        """
    def raise_for_problems(self, /) -> None:
        """
        Raises a ``ConfigError`` if the file has problems.
        """
    @staticmethod
    def read(path: str | PathLike[str], *, service_types: Iterable[str] = ...) -> GroupsConfig:
        """
        Reads a file.
        """
    def to_bytes(self, /) -> bytes:
        """
        The file's bytes. Whatever could not be read is still there.
        """
    def values(self, /) -> list[Group]:
        """
        The sections, in the order of the file.
        """
    def write(self, /, path: str | PathLike[str]) -> None:
        """
        Writes a file, whole or not at all.
        """

@final
class JobRun:
    """
    A job on its way, for workers that do not block: it says what to ask of the agent next, and takes the answer.

    >>> from pyha import Job, JobRun, StateName
    >>> run = JobRun(Job(id=1, sid="vm:100", uid=None, command=StateName.STARTED, target=None, timeout=None), "node1")
    >>> run.step.action
    'knows_type'
    >>> run.answer(False)
    []
    >>> run.step.action, run.step.exit_code
    ('done', 4)
    """
    def __new__(cls, /, job: Job, node: str) -> JobRun: ...
    def answer(self, /, answer: "bool | str | Exception | None") -> list[Event]:
        """
        Takes the answer to the present step, and gives the events that follow from it: whether the type is known, or the
        service runs, as a boolean; where the guest is, or ``None``; ``None`` for what has ended. A ``HostError`` is given where
        the agent failed.
        """
    @property
    def job(self, /) -> Job:
        """
        The job.
        """
    @property
    def step(self, /) -> JobStep:
        """
        What to ask of the agent now.
        """

@final
class Lrm:
    """
    The local resource manager of a node: it looks after the services there.

    See :class:`Crm` for how it is driven.
    """
    def __new__(cls, /, node: str, *, timings: Timings | None = None, sink: EventSink | None = None) -> Lrm:
        """
        Starts the LRM of a node. ``sink`` is told of the start.
        """
    def __repr__(self, /) -> str: ...
    @property
    def mode(self, /) -> LrmMode:
        """
        What it has been asked to be.
        """
    @property
    def node(self, /) -> str:
        """
        The node.
        """
    def request_stop(
        self,
        /,
        request: StopRequest | str,
        host: LrmHost,
        now: float | timedelta | None = None,
        *,
        wall: SupportsFloat | SupportsIndex | None = None,
    ) -> None:
        """
        Asks it to stop: it exits from a later :meth:`tick`, when its services are safe. A second request changes
        nothing, but that of a node that goes down while the daemon alone was to be restarted. It may be asked for at any
        time: see :meth:`Crm.request_stop`.
        """
    def set_writer(self, /, machine: str, boot: str) -> None:
        """
        Says who it writes its record as: a machine, and its boot. To be called right after it was made.

        No two machines that can run at the same time may have the same ``machine``: what is copied with a disk or a backup will not
        do. ``boot`` is the same for all that runs on the machine between two boots, also for a daemon that was restarted, and was
        never used before. Where you can't promise that, name no writer.
        """
    @property
    def state(self, /) -> LrmState:
        """
        The state that it is in.
        """
    def tick(
        self,
        /,
        host: LrmHost,
        now: float | timedelta | None = None,
        *,
        wall: SupportsFloat | SupportsIndex | None = None,
    ) -> Wait | None:
        """
        Does what must be done now, and says when to call again; ``None`` after it has exited. See :meth:`Crm.tick`.

        Call it as soon as a job has ended, too: the next one that waits takes its place at the workers then.
        """

@final
class LrmStatus:
    """
    The record that an LRM writes.

    >>> from pyha import LrmStatus
    >>> LrmStatus({"state": "active", "mode": "active", "timestamp": 1767225600, "results": {}}).state
    <LrmState.ACTIVE: 'active'>
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[Any]: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, data: Mapping[str, object] | None = None) -> LrmStatus:
        """
        From its data, as JSON has it; without any, the status of an LRM that has just started.
        """
    def __repr__(self, /) -> str: ...
    @staticmethod
    def from_json(text: str) -> LrmStatus:
        """
        Reads the JSON text of the record.
        """
    @property
    def mode(self, /) -> LrmMode:
        """
        What it has been asked to be.
        """
    @property
    def results(self, /) -> dict[str, JobResult]:
        """
        The results of jobs, by the UID of their request.
        """
    @property
    def state(self, /) -> LrmState:
        """
        The state that the LRM is in.
        """
    @property
    def timestamp(self, /) -> int | None:
        """
        When it was written, in seconds since 1970.
        """
    def to_dict(self, /) -> "dict[str, object]":
        """
        The data of the record, as JSON has it.
        """
    def to_json(self, /) -> str:
        """
        The JSON text of the record.
        """
    @property
    def writer(self, /) -> Writer | None:
        """
        Who wrote it: the machine and its boot, where the host has told the LRM.
        """

@final
class Manager:
    """
    The master's mind: what is decided, round by round, without the daemon around it.
    """
    def __new__(
        cls,
        /,
        node: str,
        *,
        status: ManagerStatus | None = None,
        timings: Timings | None = None,
        scheduler: SchedulerMode | str = ...,
        unique: SupportsLenAndGetItem[SupportsIndex] | None = None,
        sink: EventSink | None = None,
    ) -> Manager:
        """
        Begins from the recorded status, on the node that is master now. ``unique`` are 16 bytes that nobody had before; by
        default random ones.
        """
    def __repr__(self, /) -> str: ...
    @property
    def imbalance_rounds(self, /) -> int:
        """
        For how many rounds the imbalance of the nodes has been too high: for :meth:`Situation.balance`.
        """
    def resume(self, /, status: ManagerStatus) -> None:
        """
        Goes on from what is recorded, instead of what this manager knew.
        """
    def round(self, /, input: RoundInput, host: RoundHost) -> None:
        """
        One round: decides from what was read, and does the few things whose outcome matters by the host.
        """
    @property
    def status(self, /) -> ManagerStatus:
        """
        The status as this manager knows it: what it wrote last, or would write next.
        """

@final
class ManagerStatus:
    """
    The one record that the master writes and everybody reads.

    >>> from pyha import ManagerStatus
    >>> status = ManagerStatus({"node_status": {"node1": "online"}, "service_status": {
    ...     "vm:100": {"state": "started", "node": "node1"}}})
    >>> status.services["vm:100"].state, status.node_state("node1")
    (<StateName.STARTED: 'started'>, <NodeState.ONLINE: 'online'>)
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[Any]: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, data: Mapping[str, object] | None = None) -> ManagerStatus:
        """
        From its data, as JSON has it; without any, the status before the first round.
        """
    def __repr__(self, /) -> str: ...
    def active_services(self, /, node: str) -> list[str]:
        """
        The services of a node that its LRM has to look after.
        """
    @property
    def disarm_mode(self, /) -> DisarmMode | None:
        """
        What happens to services while HA is disarmed, or on the way there.
        """
    @property
    def disarm_state(self, /) -> DisarmState | None:
        """
        How far disarming has come.
        """
    def fence_requested(self, /, node: str) -> bool:
        """
        Whether somebody has to fence the node.
        """
    @staticmethod
    def from_json(text: str) -> ManagerStatus:
        """
        Reads the JSON text of the record.
        """
    @property
    def held_nodes(self, /) -> dict[str, int]:
        """
        For nodes that take no new services since they were fenced again and again, for how many seconds more, from when they are there.
        """
    @property
    def is_disarmed(self, /) -> bool:
        """
        Whether HA is disarmed: nothing is done to services any more.
        """
    def is_online(self, /, node: str) -> bool:
        """
        Whether a node is in state ``online``.
        """
    def maintenance_requested(self, /, node: str) -> bool:
        """
        Whether maintenance is asked for a node.
        """
    @property
    def master_node(self, /) -> str | None:
        """
        The node whose CRM wrote it.
        """
    @property
    def may_run(self, /) -> list[str]:
        """
        Services in ``error`` or ``stopped`` that may run though: nobody has seen them stopped since.
        """
    def node_state(self, /, node: str) -> NodeState:
        """
        The state of a node; one that is not known counts as ``unknown``.
        """
    @property
    def nodes(self, /) -> dict[str, NodeState]:
        """
        The state of every known node.
        """
    @property
    def returned_nodes(self, /) -> dict[str, int]:
        """
        For nodes that came back lately, for how many seconds they have been well, as far as masters have counted them: as long as services
        go back to them only after a delay.
        """
    @property
    def services(self, /) -> Services:
        """
        The services, by SID.
        """
    @property
    def sharing(self, /) -> dict[str, list[str]]:
        """
        For each rule that keeps services apart only while there is a place for that: those that share a node though.
        """
    @property
    def start_failures(self, /) -> dict[str, int]:
        """
        For services whose failed starts expire, how many seconds ago the last one was, as far as masters have counted them.
        """
    @property
    def timestamp(self, /) -> int | None:
        """
        When it was written, in seconds since 1970.
        """
    def to_dict(self, /) -> "dict[str, object]":
        """
        The data of the record, as JSON has it.
        """
    def to_json(self, /) -> str:
        """
        The JSON text of the record. Fields that this version does not know are still there.
        """
    @property
    def unguarded(self, /) -> list[str]:
        """
        Nodes on which services may run without a watchdog: they are not fenced by their lock.
        """
    @property
    def waiting_failbacks(self, /) -> dict[str, tuple[str, int]]:
        """
        For services that wait to go back to a node of higher priority, that node, and in how many seconds they go if it stays well.
        """
    @property
    def waiting_moves(self, /) -> list[str]:
        """
        Services whose move waits, since as many move already as may at once in the whole cluster.
        """
    @property
    def waiting_starts(self, /) -> list[str]:
        """
        Services whose start waits, since as many start already as may at once in the whole cluster.
        """
    @property
    def waits(self, /) -> dict[str, int]:
        """
        For services that wait for others that come first by an order rule, for how many seconds, as far as masters have counted them.
        """

@final
class NodeLabels:
    """
    What is said of a node.

    >>> from pyha import NodeLabels
    >>> NodeLabels("node1", failure_domain="rack-a").failure_domain
    'rack-a'
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs_ex__(self, /) -> tuple[tuple[str], dict[str, object]]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, node: str, *, failure_domain: str | None = None, comment: str | None = None) -> NodeLabels: ...
    def __repr__(self, /) -> str: ...
    @property
    def comment(self, /) -> str | None:
        """
        A person's remark.
        """
    @property
    def failure_domain(self, /) -> str | None:
        """
        What it fails together with: all nodes of one domain. A node without one is a domain of its own.
        """
    @property
    def node(self, /) -> str:
        """
        The node.
        """
    @property
    def properties(self, /) -> dict[str, str]:
        """
        The properties that are set, as the text that an edit takes.
        """

@final
class NodesConfig:
    """
    The content of ``nodes.cfg``: a mapping from the nodes to what is said of them.

    >>> from pyha import NodesConfig
    >>> NodesConfig.parse("node: node1\\n\\tfailure-domain rack-a\\n")["node1"].failure_domain
    'rack-a'
    """
    def __contains__(self, key: Any, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __getitem__(self, key: str, /) -> NodeLabels: ...
    def __iter__(self, /) -> Iterator[str]: ...
    def __len__(self, /) -> int: ...
    def __new__(cls, /, sections: Iterable[NodeLabels] = ...) -> NodesConfig:
        """
        From its sections; of two with one name the later one.
        """
    def __repr__(self, /) -> str: ...
    @property
    def digest(self, /) -> str:
        """
        The SHA-1 of the file that this was read from, as 40 hexadecimal digits.
        """
    def get(self, /, key: str, default: Any | None = None) -> NodeLabels | None:
        """
        The section of this name, or ``default``.
        """
    def items(self, /) -> list[tuple[str, NodeLabels]]:
        """
        Names and sections, in the order of the file.
        """
    def keys(self, /) -> list[str]:
        """
        The names, in the order of the file.
        """
    @staticmethod
    def parse(text: str | bytes, *, service_types: Iterable[str] = ...) -> NodesConfig:
        """
        Reads the text or the bytes of a file. What is wrong in it is in ``problems`` and never loses the rest.
        """
    @property
    def problems(self, /) -> list[Problem]:
        """
        What is wrong in the file, in the order of the lines.
        """
    def raise_for_problems(self, /) -> None:
        """
        Raises a ``ConfigError`` if the file has problems.
        """
    @staticmethod
    def read(path: str | PathLike[str], *, service_types: Iterable[str] = ...) -> NodesConfig:
        """
        Reads a file.
        """
    def to_bytes(self, /) -> bytes:
        """
        The file's bytes. Whatever could not be read is still there.
        """
    def values(self, /) -> list[NodeLabels]:
        """
        The sections, in the order of the file.
        """
    def write(self, /, path: str | PathLike[str]) -> None:
        """
        Writes a file, whole or not at all.
        """

@final
class Outcome:
    """
    How a scenario ended.
    """
    def __repr__(self, /) -> str: ...
    @property
    def cluster(self, /) -> Cluster:
        """
        The cluster at the end.
        """
    @property
    def failures(self, /) -> list[Failure]:
        """
        All that did not go as the scenario says.
        """
    @property
    def passed(self, /) -> bool:
        """
        Whether all went as the scenario says, and no service ran on two nodes.
        """
    def raise_for_failures(self, /) -> None:
        """
        Raises what is wrong: ``RanTwiceError``, or ``AssertionError`` with all failures.
        """

@final
class Play:
    """
    What happens in a cluster, as it happens. Time passes while it is iterated.
    """
    def __iter__(self, /) -> Play: ...
    def __next__(self, /) -> Happening: ...

@final
class Replay:
    """
    A recorded scenario that was replayed.
    """
    def __new__(cls, /, folder: str | PathLike[str], *, until: float | timedelta | None = None) -> Replay:
        """
        Reads the folder of a recorded scenario and replays it: to its end, or up to a moment. What is due at the moment
        itself has not happened then.
        """
    def __repr__(self, /) -> str: ...
    @property
    def errors(self, /) -> list[str]:
        """
        Commands that could not be executed, and why.
        """
    def happenings(self, /) -> list[Happening]:
        """
        All that happened.
        """
    @property
    def manager_status(self, /) -> ManagerStatus | None:
        """
        The manager status at the end.
        """
    @property
    def now(self, /) -> float:
        """
        The time at the end, in seconds since the start.
        """
    def situation(self, /) -> Situation:
        """
        What placement looks at, at the end: to explain decisions.
        """

@final
class Resource:
    """
    One managed service, as it is configured.

    >>> from pyha import Resource
    >>> Resource("vm:100", state="stopped", max_restart=3)
    Resource('vm:100', max_restart='3', state='stopped')
    >>> Resource("vm:100").max_restart  # the default
    1
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs_ex__(self, /) -> tuple[tuple[str], dict[str, object]]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(
        cls,
        /,
        sid: str,
        *,
        state: RequestedState | str | None = None,
        group: str | None = None,
        max_restart: SupportsIndex | None = None,
        max_relocate: SupportsIndex | None = None,
        failback: bool | None = None,
        failback_delay: SupportsIndex | None = None,
        auto_rebalance: bool | None = None,
        failure_timeout: SupportsIndex | None = None,
        priority: SupportsIndex | None = None,
        probe: str | None = None,
        probe_interval: SupportsIndex | None = None,
        probe_timeout: SupportsIndex | None = None,
        probe_failures: SupportsIndex | None = None,
        ready_timeout: SupportsIndex | None = None,
        on_failure: OnFailure | str | None = None,
        comment: str | None = None,
    ) -> Resource: ...
    def __repr__(self, /) -> str: ...
    @property
    def auto_rebalance(self, /) -> bool:
        """
        Whether automatic balancing may move it, and what must stay together with it; by default it may.
        """
    @property
    def comment(self, /) -> str | None:
        """
        A person's remark.
        """
    @property
    def failback(self, /) -> bool:
        """
        Whether it moves to a node of higher priority when one comes online; by default it does.
        """
    @property
    def failback_delay(self, /) -> int | None:
        """
        For how many seconds a node of higher priority must have been back before it moves there; by default none.
        """
    @property
    def failure_timeout(self, /) -> int | None:
        """
        After how many seconds without another one failed starts count no more, and a service in ``error`` for them is tried again; by
        default never.
        """
    @property
    def group(self, /) -> str | None:
        """
        The HA group, from before groups became rules.
        """
    @property
    def max_relocate(self, /) -> int:
        """
        Other nodes that are tried after that; by default 1.
        """
    @property
    def max_restart(self, /) -> int:
        """
        Failed starts that are retried on the same node; by default 1.
        """
    @property
    def on_failure(self, /) -> OnFailure:
        """
        What follows when it is not ready in time, or no longer; by default ``report``.
        """
    @property
    def priority(self, /) -> int:
        """
        How much it matters beside others, from 0 to 1000; by default 0. What has more of it is placed, started and moved before the
        rest, and stopped after it.
        """
    @property
    def probe(self, /) -> str | None:
        """
        How it is seen whether it is ready once it runs, such as ``tcp:5432``; by default it is as soon as it runs.
        """
    @property
    def probe_failures(self, /) -> int:
        """
        How many probes must fail one after another before it is no longer ready; by default 3.
        """
    @property
    def probe_interval(self, /) -> int:
        """
        Seconds from one probe to the next; by default 10.
        """
    @property
    def probe_timeout(self, /) -> int:
        """
        Seconds that one probe may take; by default 5.
        """
    @property
    def properties(self, /) -> dict[str, str]:
        """
        The properties that are set, as the text that an edit takes.
        """
    @property
    def ready_timeout(self, /) -> int:
        """
        Seconds that it may take to be ready after its start; by default 300.
        """
    @property
    def sid(self, /) -> str:
        """
        The service.
        """
    @property
    def state(self, /) -> RequestedState:
        """
        What is asked for; by default ``started``.
        """

@final
class ResourcesConfig:
    """
    The content of ``resources.cfg``: a mapping from the SIDs to the resources.

    >>> from pyha import ResourcesConfig
    >>> config = ResourcesConfig.parse("vm: 100\\n\\tstate stopped\\n\\tcolour blue\\n")
    >>> config["vm:100"].state
    <RequestedState.STOPPED: 'stopped'>
    >>> [problem.code for problem in config.problems]
    ['unknown_property']
    """
    def __contains__(self, key: Any, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __getitem__(self, key: str, /) -> Resource: ...
    def __iter__(self, /) -> Iterator[str]: ...
    def __len__(self, /) -> int: ...
    def __new__(cls, /, sections: Iterable[Resource] = ...) -> ResourcesConfig:
        """
        From its sections; of two with one name the later one.
        """
    def __repr__(self, /) -> str: ...
    @property
    def digest(self, /) -> str:
        """
        The SHA-1 of the file that this was read from, as 40 hexadecimal digits.
        """
    def get(self, /, key: str, default: Any | None = None) -> Resource | None:
        """
        The section of this name, or ``default``.
        """
    def items(self, /) -> list[tuple[str, Resource]]:
        """
        Names and sections, in the order of the file.
        """
    def keys(self, /) -> list[str]:
        """
        The names, in the order of the file.
        """
    @staticmethod
    def parse(text: str | bytes, *, service_types: Iterable[str] = ...) -> ResourcesConfig:
        """
        Reads the text or the bytes of a file. What is wrong in it is in ``problems`` and never loses the rest.
        """
    @property
    def problems(self, /) -> list[Problem]:
        """
        What is wrong in the file, in the order of the lines.
        """
    def raise_for_problems(self, /) -> None:
        """
        Raises a ``ConfigError`` if the file has problems.
        """
    @staticmethod
    def read(path: str | PathLike[str], *, service_types: Iterable[str] = ...) -> ResourcesConfig:
        """
        Reads a file.
        """
    def to_bytes(self, /) -> bytes:
        """
        The file's bytes. Whatever could not be read is still there.
        """
    def values(self, /) -> list[Resource]:
        """
        The sections, in the order of the file.
        """
    def write(self, /, path: str | PathLike[str]) -> None:
        """
        Writes a file, whole or not at all.
        """

@final
class RoundInput:
    """
    All that one manager round looks at, read at its start.
    """
    def __new__(
        cls,
        /,
        *,
        members: dict[str, bool],
        configuration: Configuration,
        lrms: dict[str, LrmStatus] = ...,
        unmanaged: Iterable[UnmanagedGuest] = ...,
        usage: HostFigures | None = None,
        now: float | timedelta | None = None,
        wall: SupportsFloat | SupportsIndex | None = None,
    ) -> RoundInput: ...
    def __repr__(self, /) -> str: ...
    @property
    def lrms(self, /) -> dict[str, LrmStatus]:
        """
        The records of LRMs, as far as there are any.
        """
    @property
    def members(self, /) -> dict[str, bool]:
        """
        The members of the cluster, each with whether it is online.
        """
    @property
    def now(self, /) -> float:
        """
        The moment of the round, in seconds on the monotonic clock.
        """
    @staticmethod
    def read(
        host: CrmHost,
        status: ManagerStatus,
        now: float | timedelta | None = None,
        *,
        wall: SupportsFloat | SupportsIndex | None = None,
        previous: RoundInput | None = None,
    ) -> RoundInput | None:
        """
        Reads it all from a host. ``None`` if something that a round can't do without could not be read; the host was told.

        ``previous`` is what the round before it was given: where the record of a node's LRM can't be read, the one that is
        there holds, so that one node's broken record does not keep the master from all others.
        """
    @property
    def wall(self, /) -> int:
        """
        The time of the round on the wall clock, in seconds since 1970.
        """

@final
class Rule:
    """
    One rule: an order if it has ``first`` and ``then``, node affinity if it has ``nodes``, else resource affinity. ``affinity`` is required
    for resource affinity; for node affinity it is positive by default, and negative means all nodes but these.

    >>> from pyha import Rule
    >>> Rule("apart", ["vm:100", "vm:101"], affinity="negative").type
    <RuleType.RESOURCE_AFFINITY: 'resource-affinity'>
    >>> Rule("home", ["vm:100"], nodes={"node1": 1}, strict=True).nodes
    {'node1': 1}
    >>> Rule("web-after-db", first=["vm:100"], then=["vm:101"], delay=30).timeout
    300
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs_ex__(self, /) -> tuple[tuple[str], dict[str, object]]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(
        cls,
        /,
        id: str,
        resources: Iterable[str] | None = None,
        *,
        nodes: Mapping[str, int] | Iterable[str] | None = None,
        strict: bool | None = None,
        affinity: Affinity | str | None = None,
        spread: Spread | str | None = None,
        first: Iterable[str] | None = None,
        then: Iterable[str] | None = None,
        delay: SupportsIndex | None = None,
        timeout: SupportsIndex | None = None,
        disable: bool | None = None,
        comment: str | None = None,
    ) -> Rule: ...
    def __repr__(self, /) -> str: ...
    @property
    def affinity(self, /) -> Affinity | None:
        """
        Together or apart, for resource affinity; on the nodes or off them, for node affinity.
        """
    @property
    def comment(self, /) -> str | None:
        """
        A person's remark.
        """
    @property
    def delay(self, /) -> int | None:
        """
        For how many seconds those that come first must be up before, for an order; by default 0.
        """
    @property
    def disabled(self, /) -> bool:
        """
        Whether it takes no part in anything.
        """
    @property
    def first(self, /) -> list[str] | None:
        """
        The services that come first, for an order.
        """
    @property
    def id(self, /) -> str:
        """
        Its name.
        """
    @property
    def nodes(self, /) -> dict[str, int] | None:
        """
        The nodes with their priorities, for node affinity.
        """
    @property
    def properties(self, /) -> dict[str, str]:
        """
        The properties that are set, as the text that an edit takes.
        """
    @property
    def resources(self, /) -> list[str]:
        """
        The resources that it is about: sorted, each once.
        """
    @property
    def spread(self, /) -> Spread | None:
        """
        By what they are apart, for negative resource affinity; by default by node.
        """
    @property
    def strict(self, /) -> bool | None:
        """
        Whether the resources run on these nodes or not at all, for node affinity; whether those that come first are waited for without
        end, for an order. By default not. Whether they are apart or do not run at all, for negative resource affinity; by default so.
        """
    @property
    def then(self, /) -> list[str] | None:
        """
        The services that are started once those that come first are up, for an order.
        """
    @property
    def timeout(self, /) -> int | None:
        """
        For how many seconds they are waited for, for an order; by default 300.
        """
    @property
    def type(self, /) -> RuleType:
        """
        Its type.
        """

@final
class RuleSet:
    """
    Rules that are looked at together.

    >>> from pyha import Rule, RuleSet
    >>> rules = RuleSet([Rule("apart", ["vm:100", "vm:101"], affinity="negative")])
    >>> [(finding.rule, str(finding.reason)) for finding in rules.check(nodes=["node1"])]
    [('apart', 'more_resources_than_nodes')]
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __iter__(self, /) -> Iterator[Rule]: ...
    def __len__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, rules: Iterable[Rule] = ...) -> RuleSet: ...
    def __repr__(self, /) -> str: ...
    def check(self, /, nodes: Iterable[str]) -> list[Finding]:
        """
        What cannot hold in a cluster of ``nodes``: all known members, online or not.
        """
    def evaluate(self, /, nodes: Iterable[str]) -> Evaluated:
        """
        Leaves out what is at fault, completes and compiles the rest.
        """
    @staticmethod
    def from_config(config: RulesConfig) -> RuleSet:
        """
        The rules of a file.
        """
    def get(self, /, id: str) -> Rule | None:
        """
        The rule of this name, or ``None``.
        """
    def rules(self, /) -> list[Rule]:
        """
        All rules, by name.
        """

@final
class RulesConfig:
    """
    The content of ``rules.cfg``: a mapping from the names to the rules.

    >>> from pyha import RulesConfig
    >>> rules = RulesConfig.parse("resource-affinity: apart\\n\\taffinity negative\\n\\tresources vm:100,vm:101\\n")
    >>> rules["apart"].resources
    ['vm:100', 'vm:101']
    """
    def __contains__(self, key: Any, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __getitem__(self, key: str, /) -> Rule: ...
    def __iter__(self, /) -> Iterator[str]: ...
    def __len__(self, /) -> int: ...
    def __new__(cls, /, sections: Iterable[Rule] = ...) -> RulesConfig:
        """
        From its sections; of two with one name the later one.
        """
    def __repr__(self, /) -> str: ...
    @property
    def digest(self, /) -> str:
        """
        The SHA-1 of the file that this was read from, as 40 hexadecimal digits.
        """
    def get(self, /, key: str, default: Any | None = None) -> Rule | None:
        """
        The section of this name, or ``default``.
        """
    def items(self, /) -> list[tuple[str, Rule]]:
        """
        Names and sections, in the order of the file.
        """
    def keys(self, /) -> list[str]:
        """
        The names, in the order of the file.
        """
    @staticmethod
    def parse(text: str | bytes, *, service_types: Iterable[str] = ...) -> RulesConfig:
        """
        Reads the text or the bytes of a file. What is wrong in it is in ``problems`` and never loses the rest.
        """
    @property
    def problems(self, /) -> list[Problem]:
        """
        What is wrong in the file, in the order of the lines.
        """
    def raise_for_problems(self, /) -> None:
        """
        Raises a ``ConfigError`` if the file has problems.
        """
    @staticmethod
    def read(path: str | PathLike[str], *, service_types: Iterable[str] = ...) -> RulesConfig:
        """
        Reads a file.
        """
    def to_bytes(self, /) -> bytes:
        """
        The file's bytes. Whatever could not be read is still there.
        """
    def values(self, /) -> list[Rule]:
        """
        The sections, in the order of the file.
        """
    def write(self, /, path: str | PathLike[str]) -> None:
        """
        Writes a file, whole or not at all.
        """

@final
class Scenario:
    """
    A scenario: a cluster, what happens to it, and what is expected of it.

    >>> from pyha.sim import Scenario
    >>> scenario = Scenario.parse("example", '''# A node dies, and its service starts elsewhere.
    ... nodes node1 node2 node3
    ... guest vm:100 on node3
    ...
    ... at 1m  power off node3
    ... by 4m  expect vm:100 running on node1
    ... ''', {"resources.cfg": "vm: 100"})
    >>> scenario.play().passed
    True
    """
    def __repr__(self, /) -> str: ...
    def cluster(self, /) -> Cluster:
        """
        The cluster that it begins with.
        """
    @property
    def expectations(self, /) -> int:
        """
        How many expectations it has.
        """
    @staticmethod
    def from_snapshot(name: str, snapshot: str, text: str = "") -> Scenario:
        """
        What happens to a live cluster from a moment on: ``snapshot`` is what ``ha snapshot`` wrote, and ``text`` has the lines of a
        scenario, without those for the nodes and guests that there are.
        """
    @staticmethod
    def is_in(folder: str | PathLike[str]) -> bool:
        """
        Whether a folder holds a scenario of this form.
        """
    @property
    def name(self, /) -> str:
        """
        The name of its folder.
        """
    @staticmethod
    def parse(name: str, text: str, files: dict[str, str] = ...) -> Scenario:
        """
        Reads a scenario from its text, and its configuration files by name.
        """
    def play(self, /, report: Report | None = None) -> Outcome:
        """
        Plays it to its end. ``report`` is told of everything as it happens; an exception that it raises comes out when the
        scenario has ended.
        """
    @staticmethod
    def read(folder: str | PathLike[str]) -> Scenario:
        """
        Reads the folder of a scenario.
        """
    @property
    def title(self, /) -> str:
        """
        The comment at its top.
        """
    def until(self, /, moment: float | timedelta) -> Scenario:
        """
        The same up to a moment, without what happens later.
        """

@final
class ServiceEntry:
    """
    One service in the manager status.
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[str, Any]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, sid: str, data: Mapping[str, object]) -> ServiceEntry:
        """
        From its data, as JSON has it.

        >>> from pyha import ServiceEntry
        >>> ServiceEntry("vm:100", {"state": "started", "node": "node1", "running": 1}).running
        True
        """
    def __repr__(self, /) -> str: ...
    @property
    def command(self, /) -> str | None:
        """
        The command that waits for its next step, such as ``migrate vm:100 node2``.
        """
    @property
    def failed_nodes(self, /) -> list[str]:
        """
        Nodes on which its start failed, in order; a node may repeat.
        """
    @property
    def maintenance_node(self, /) -> str | None:
        """
        The node that it left for maintenance, to return there.
        """
    @property
    def node(self, /) -> str:
        """
        The node whose LRM is responsible for it.
        """
    @property
    def running(self, /) -> bool:
        """
        Whether the LRM has reported a successful start.
        """
    @property
    def sid(self, /) -> str:
        """
        The service.
        """
    @property
    def state(self, /) -> StateName:
        """
        The state that it shall be in.
        """
    @property
    def target(self, /) -> str | None:
        """
        Where it moves to, in the states that move.
        """
    @property
    def timeout(self, /) -> int | None:
        """
        Seconds that its stop may take, if that was asked for.
        """
    def to_dict(self, /) -> "dict[str, object]":
        """
        Its data, as JSON has it.
        """
    @property
    def uid(self, /) -> str | None:
        """
        Names the present request to the LRM.
        """

@final
class Services:
    """
    The services of a manager status: a mapping from SIDs to entries.
    """
    def __contains__(self, sid: Any, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __getitem__(self, sid: str, /) -> ServiceEntry: ...
    def __iter__(self, /) -> Iterator[str]: ...
    def __len__(self, /) -> int: ...
    def __repr__(self, /) -> str: ...
    def get(self, /, sid: str, default: Any | None = None) -> ServiceEntry | None:
        """
        The entry of a service, or ``default``.
        """
    def items(self, /) -> list[tuple[str, ServiceEntry]]:
        """
        SIDs and entries.
        """
    def keys(self, /) -> list[str]:
        """
        The SIDs, sorted.
        """
    def values(self, /) -> list[ServiceEntry]:
        """
        The entries, by SID.
        """

@final
class Situation:
    """
    All that placement looks at, at one time.

    >>> from pyha import Configuration, ManagerStatus, Situation
    >>> status = ManagerStatus({
    ...     "node_status": {"node1": "online", "node2": "online"},
    ...     "service_status": {"vm:100": {"state": "started", "node": "node1", "running": 1}}})
    >>> situation = Situation(status, Configuration(resources="vm: 100\\n"))
    >>> situation.explain("vm:100").decided_by
    <Decider.STAY: 'stay'>
    >>> situation.select("vm:100", "best_score")
    'node2'
    >>> [(recovery.sid, recovery.to) for recovery in situation.after_failure(["node1"])]
    [('vm:100', 'node2')]
    """
    def __new__(
        cls,
        /,
        status: ManagerStatus,
        configuration: Configuration,
        members: Iterable[str] | None = None,
        *,
        usage: HostFigures | None = None,
        unmanaged: Iterable[UnmanagedGuest] = ...,
    ) -> Situation:
        """
        ``members`` are all nodes of the cluster, online or not: by default those of the status.
        """
    def __repr__(self, /) -> str: ...
    def after_failure(self, /, nodes: Iterable[str]) -> list[Recovery]:
        """
        Where the services of these nodes would go if the nodes failed now and were fenced, in the order in which they would
        be recovered. Services that would be left where they are, are not named.
        """
    def balance(self, /, *, rounds: SupportsIndex | None = None, count: SupportsIndex = 5) -> Balance:
        """
        What automatic balancing would do, with the best ``count`` moves that there are. ``rounds`` is for how long the
        imbalance has been too high already: by default as the master knows it, or not at all.
        """
    def counterfactual(self, /, sid: str, node: str, preference: Preference | str = ...) -> Counterfactual:
        """
        What would have to be different for a service to go to a node.
        """
    def explain(self, /, sid: str, preference: Preference | str = ...) -> Explanation:
        """
        Where a service should be, and why.
        """
    def explain_with(self, /, sid: str, changes: Iterable[Change], preference: Preference | str = ...) -> Explanation:
        """
        Where a service would be with changes, and why.
        """
    def findings(self, /) -> list[SituationFinding]:
        """
        What the answers leave out of account: rules that are dropped, names that nothing has, figures that are missing.
        """
    @property
    def members(self, /) -> list[str]:
        """
        All nodes of the cluster, online or not.
        """
    def select(self, /, sid: str, preference: Preference | str = ...) -> str | None:
        """
        The node where a service should be, or ``None`` if there is none for it.
        """
    def select_all(self, /, sids: Iterable[str], preference: Preference | str = ...) -> dict[str, str | None]:
        """
        The nodes where services should be, each by itself, as :meth:`select` gives them: the rules are evaluated, and the
        loads added up, only once.

        >>> from pyha import Configuration, ManagerStatus, Situation
        >>> status = ManagerStatus({
        ...     "node_status": {"node1": "online", "node2": "online"},
        ...     "service_status": {"vm:100": {"state": "started", "node": "node1", "running": 1}}})
        >>> Situation(status, Configuration(resources="vm: 100\\n")).select_all(["vm:100"])
        {'vm:100': 'node1'}
        """
    @property
    def status(self, /) -> ManagerStatus:
        """
        The states of nodes and services.
        """

@final
class Timings:
    """
    Settings that keep a service from ever running twice. Making it checks them; a ``TimingError`` says what does not hold.

    >>> from datetime import timedelta
    >>> from pyha import Timings, TimingSettings, TimingError
    >>> Timings().renewal_interval
    datetime.timedelta(seconds=27)
    >>> try:
    ...     Timings(TimingSettings(lock_lifetime=timedelta(seconds=70)))
    ... except TimingError as error:
    ...     print(error.violations[0].inequality, error.violations[0].setting)
    lock_outlives_watchdog lock_lifetime
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[TimingSettings]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, settings: TimingSettings | None = None) -> Timings: ...
    def __repr__(self, /) -> str: ...
    @staticmethod
    def bounds() -> dict[str, tuple[timedelta | int, timedelta | int]]:
        """
        The lowest and the highest value of each setting that has bounds, by its name.

        >>> from pyha import Timings
        >>> low, high = Timings.bounds()["watchdog_timeout"]
        >>> low < Timings().settings.watchdog_timeout < high
        True
        """
    @property
    def clock_drift(self, /) -> timedelta:
        """
        What the two clocks that a lock's lifetime is measured by may differ by over that time.
        """
    @staticmethod
    def fast() -> Timings:
        """
        Timings for locks, networks and watchdogs that are quick and reliable: a start elsewhere after less than ten seconds.
        """
    @property
    def feed_budget(self, /) -> timedelta:
        """
        The time from asking for a lock's renewal within which the watchdog may still be fed for it.
        """
    def feed_deadline(self, /, asked_at: float | timedelta) -> float:
        """
        Until when the watchdog may be fed for a renewal that was asked for at this moment.
        """
    @property
    def longest_lock_attempt(self, /) -> timedelta:
        """
        The longest time that an attempt to take a lock takes.
        """
    @property
    def longest_safe_renewal_interval(self, /) -> timedelta:
        """
        The longest renewal interval that the watchdog's timeout would bear.
        """
    def recovery(self, /) -> RecoveryTimes:
        """
        How long it takes from the failure of a node to the start of its services elsewhere.
        """
    @property
    def renewal_interval(self, /) -> timedelta:
        """
        The longest time from one renewal of a lock to the next.
        """
    @property
    def settings(self, /) -> TimingSettings:
        """
        The settings.
        """
    @property
    def shortest_safe_watchdog_timeout(self, /) -> timedelta:
        """
        The shortest timeout of the watchdog that the renewal interval would bear.
        """
    @staticmethod
    def validate(settings: TimingSettings) -> Timings:
        """
        Raises a ``TimingError`` if these settings are not safe.
        """
    def watchdog_timeout_left(self, /, since_asked: float | timedelta) -> timedelta | None:
        """
        What a watchdog's timeout may be, this long after the renewal was asked for; ``None`` if it is too late to feed.
        """

def check_recorded(folder: str | PathLike[str]) -> Difference | None:
    """
    Replays a folder and compares with its ``trace.jsonl``: ``None`` if all events are the same.
    """

def clock() -> float:
    """
    Seconds on the clock that daemons read where a call gives no time: to wait until a :class:`Wait`, and for a host to compare with
    ``not_after``.

    It goes on while the machine is suspended, where there is such a clock (``CLOCK_BOOTTIME``): a lease passes meanwhile too.

    >>> from pyha import clock
    >>> clock() <= clock()
    True
    """

def compare_versions(one: str, other: str) -> int:
    """
    Compares two versions of software part by part: -1 if the first one is older, 1 if it is newer, else 0. Parts are
    numbers; what comes after a ``~`` is older than nothing.

    >>> from pyha import compare_versions
    >>> compare_versions("9.0.0~16", "9.0.0"), compare_versions("9.1.2", "9.0.10")
    (-1, 1)
    """

def decide_lock(
    node: str,
    *,
    holder: str | None,
    hand: Hand | str | None,
    holds: bool,
    lifetime: float | timedelta,
    unchanged_for: float | timedelta,
    holder_lifetime: float | timedelta | None = None,
) -> str:
    """
    What to do about a lock that this process wants for its node, for hosts that keep locks as records in a store:
    ``"acquired"`` or ``"renewed"`` (write a record of one's own in one step with having looked; then that is the answer),
    ``"refused"``, or ``"twin"``: another machine works under this node's name and has written what this process had. The
    node's daemons must not be called any more then, nor its watchdog fed or closed, until a person has decided.

    ``holder`` is the node that the record names, ``None`` if nobody holds the lock. ``hand`` says by whose hand the record was
    written, as far as this process can prove it; ``None`` if it can't be read at all. ``holds``: whether this process has the
    lock as far as it knows. ``unchanged_for``: for how long this process has seen the very same record.

    >>> from datetime import timedelta
    >>> from pyha import Hand, decide_lock
    >>> two_minutes = timedelta(minutes=2)
    >>> decide_lock("node1", holder="node1", hand=Hand.OWN, holds=True, lifetime=two_minutes, unchanged_for=timedelta(0))
    'renewed'
    >>> decide_lock("node1", holder="node1", hand=Hand.ANOTHER, holds=True, lifetime=two_minutes, unchanged_for=timedelta(0))
    'twin'
    """

def describe_balance(balance: "object") -> str:
    """
    What balancing would do, in words.
    """

def describe_change(text: str) -> str:
    """
    A change in words.
    """

def describe_cluster_event(tag: str, detail: str) -> str:
    """
    An event of a virtual cluster in words. It has one field at most, which is given as text.
    """

def describe_event(text: str) -> tuple[str, str, bool]:
    """
    An event in words, how much it matters, and whether recorded scenarios have it.
    """

def describe_explanation(explanation: "object") -> str:
    """
    An explanation in words.
    """

def history_counted(
    counted: Mapping[str, object] | None, entries: Iterable[Mapping[str, object]]
) -> "dict[str, object] | None":
    """
    Counts what has happened: fencings, moves by cause, restarts, and how long failovers and each part of them took.

    ``counted`` is what this gave the last time, ``None`` at first. ``entries`` are all that is kept, in the order in which they were
    kept; each has its position, and counts once however often it is given. ``None`` if there is nothing new. A host keeps what this
    gives, as it is: counters go on from there when old entries are gone.
    """

def history_entry(begun: Mapping[str, object]) -> "dict[str, object]":
    """
    A whole entry of the history from one that a host has begun: ``severity`` and ``cause`` are added where it does not have them.

    In ``id`` are the node, when its daemon was started (in hexadecimal digits), and a number that grows: no two entries have the
    same. ``source`` is crm, lrm, node or person. ``position`` is the entry's place in the history of the cluster, which grows from entry to
    entry. ``silent_ms`` says for how long a node that is noticed as lost had given no sign of life.

    >>> from pyha import events, history_entry
    >>> what = events.FenceAcknowledged(node="node2").to_dict()
    >>> begun = {"id": "node1.19ad0c33f41.17", "time_ms": 1764424983120, "node": "node1", "source": "crm", "what": what}
    >>> entry = history_entry(begun)
    >>> entry["severity"], entry["cause"]
    ('notice', 'node_loss')
    """

def history_failovers(
    entries: Iterable[Mapping[str, object]], timings: Timings | None = None
) -> "list[dict[str, object]]":
    """
    The failovers that these entries tell of, in the order in which they were kept: which node was lost, what proved it, what became of each
    service, the ``seconds`` of each step, and ``bound_s``, how long it may take by the timings; the customary ones for ``None``.
    """

def lock_answer_by_writer(taken: bool, *, before: str | None, own: str) -> str:
    """
    What ``take_lock`` is to answer where a lock says only whether it was ``taken``: renewed if its record was written by this very
    process before it was asked for, else acquired. ``before``: who had written the record last before that, ``None`` if nobody
    had or the lock was released. A writer is a text that no other process ever has; a node's name does not do. A host that can't
    tell answers ``LockAnswer.HELD``; ``LockAnswer.ACQUIRED`` each time would not do: no node would ever be fenced.

    >>> from pyha import lock_answer_by_writer
    >>> lock_answer_by_writer(True, before="node1 boot-7 4f1a", own="node1 boot-7 4f1a")
    'renewed'
    >>> lock_answer_by_writer(True, before=None, own="node1 boot-7 4f1a")
    'acquired'
    """

def measure_reading(text: str | bytes) -> float:
    """
    The seconds that it takes to read ``resources.cfg``, in Rust alone.
    """

def measure_replay(folder: str | PathLike[str]) -> float:
    """
    The seconds that it takes to read and replay a recorded scenario, in Rust alone.
    """

def run_job(job: Job, node: str, agent: Agent) -> int:
    """
    Carries out a job and gives its exit code. It takes as long as the agent does: call it on a worker of its own.

    ``node`` is the node of the worker.
    """
