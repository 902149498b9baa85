"""Small values that the other modules give and take."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from pyha.records import NodeFigures, ServiceFigures
from pyha.words import Inequality, Motion, Reason, WaitReason

MANAGER_LOCK = "ha_manager_lock"
"""The lock whose holder is the master."""


def agent_lock(node: str) -> str:
    """The name of the lock whose holder may run, or recover, the services of a node.

    >>> agent_lock("node1")
    'ha_agent_node1_lock'
    """
    return f"ha_agent_{node}_lock"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a configuration file. What it leaves out stays in the file."""

    line: int
    """The line, from 1."""

    section: str | None
    """The section as its header says it, if there is one."""

    property: str | None
    """The property, if it is about one."""

    code: str
    """A stable name for what is wrong."""

    value_code: str | None
    """A stable name for what is wrong with a value."""

    message: str
    """What is wrong, what is expected, and what becomes of it."""

    text: str
    """All of it as a sentence."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class FenceFault:
    """A line of ``fence.cfg`` that is wrong."""

    line: int
    """The line, from 1."""

    code: str
    """A stable name for what is wrong."""

    text: str
    """What is wrong, as a sentence."""

    fatal: bool
    """Whether the whole file is not used for it; otherwise the line alone is skipped."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class FenceCommand:
    """A command of a fence device. Its arguments can be passwords, so they are not shown."""

    device: str
    """The device."""

    part: int
    """The part of the device."""

    program: str
    """The program to run."""

    arguments: tuple[str, ...] = field(repr=False)
    """Its arguments, as they are written in ``fence.cfg``. They may hold secrets: run it as the next two say."""

    command_line: tuple[str, ...] | None = field(repr=False, default=None)
    """What the program gets on its command line, which everybody on a machine can read; ``None`` if it is not to be
    run, since that would show a secret.
    """

    input: str | None = field(repr=False, default=None)
    """What the program gets on its standard input."""


@dataclass(frozen=True, slots=True)
class FenceAttempt:
    """One use of a fence device. It is named by ``incident`` and ``number`` together."""

    node: str
    """The node that must be turned off."""

    incident: str
    """The incident that it belongs to."""

    number: int
    """Counts the attempts of a master in this incident, from 0."""

    device: int
    """Which of the node's devices it is, counted from 0."""


@dataclass(frozen=True, slots=True)
class ProbeAttempt:
    """One question whether a service is ready. It is named by ``sid`` and ``number`` together."""

    sid: str
    """The service. It runs on this node, as far as is known."""

    number: int
    """Counts the attempts of an LRM, from 1."""

    probe: str
    """How to find out, as it is configured: ``agent``, ``tcp:PORT``, ``tcp:HOST:PORT``, ``http://…``, ``exec:NAME``."""

    timeout: int
    """Seconds that it may take, at least 1."""


@dataclass(frozen=True, slots=True)
class PropertyFault:
    """A property that cannot be what it was to become."""

    property: str
    """Its key."""

    code: str
    """A stable name for what is wrong."""

    message: str
    """What is wrong, and what is expected."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a rule takes no part in anything."""

    rule: str
    """The rule."""

    reason: Reason
    """Why."""

    sid: str | None
    """The service that it is about, where there is one."""

    with_: tuple[str, ...]
    """Other rules that it is about."""

    text: str
    """The finding as a sentence."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class TimingViolation:
    """An inequality of timings that does not hold."""

    inequality: Inequality
    """Which one."""

    setting: str
    """The setting whose change mends it."""

    value: timedelta | int
    """What the setting has to be; a number for ``clock_drift_ppm``."""

    present: timedelta | int
    """What the setting is."""

    lesser: timedelta | int
    """The side of the inequality that should be less."""

    greater: timedelta | int
    """The side that should be greater."""

    may_be_equal: bool
    """Whether the two sides may be equal."""

    text: str
    """The inequality with its numbers, and the change, in words."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Wait:
    """When a daemon wants to be called again."""

    until: float
    """The moment, in seconds on the clock of the calls."""

    reason: WaitReason
    """What it waits for."""

    within_iteration: bool
    """Whether the wait is inside an iteration, so that the next call goes on with that iteration."""


@dataclass(frozen=True, slots=True)
class HostFigures:
    """All figures that the static and dynamic schedulers need."""

    nodes: Mapping[str, NodeFigures]
    """By node; every online node must be there."""

    services: Mapping[str, ServiceFigures]
    """By service, managed or not."""


# Its former name, for one release.
UsageStatistics = HostFigures


@dataclass(frozen=True, slots=True)
class JobResult:
    """The result of one job, as the record of an LRM has it."""

    sid: str
    """The service."""

    state: str
    """The command, named like the service state that asked for it."""

    exit_code: int
    """How it ended: one of :class:`ExitCode`, or another number that an agent gave."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes under the name of a node: a machine, since it was booted."""

    machine: str
    """The machine."""

    boot: str
    """The id of its boot."""


@dataclass(frozen=True, slots=True)
class StatusLine:
    """A line of a status view."""

    kind: str
    """What it is about: ``quorum``, ``master``, ``fencing``, ``lrm`` or ``service``."""

    text: str
    """What it says."""

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"


@dataclass(frozen=True, slots=True)
class ScenarioProblem:
    """One thing that is wrong with a scenario."""

    file: str
    """The file's name in its folder."""

    line: int
    """The line, from 1; 0 if it is about the whole file."""

    column: int
    """The column, from 1, in characters; 0 if it is about the whole line."""

    message: str
    """What was found, and what is allowed."""

    def __str__(self) -> str:
        place = "".join(f":{number}" for number in (self.line, self.column) if number)
        return f"{self.file}{place}: {self.message}"


class ExitCode(enum.IntEnum):
    """How a job ended."""

    SUCCESS = 0
    """As it was asked for."""

    ERROR = 1
    """It failed."""

    TRY_AGAIN = 2
    """It failed, and is worth another try."""

    WRONG_NODE = 3
    """The service is configured on another node."""

    UNKNOWN_SERVICE_TYPE = 4
    """There is no agent for this type of service."""

    UNKNOWN_COMMAND = 5
    """There is no such command."""

    INVALID_PARAMETER = 6
    """The command lacks something."""

    UNKNOWN_SERVICE = 7
    """There is no such service."""

    IGNORED = 8
    """Nothing was to be done."""

    UNTOLD = 9
    """It can't be told what came of a start: the service may run."""

    NOT_RUNNING = 10
    """A job that only looked found that the service does not run."""

    KILLED = -1
    """The worker died or was killed."""


@dataclass(frozen=True, slots=True)
class JobStep:
    """What a job wants of the agent next."""

    action: str
    """``knows_type``, ``locate``, ``check_running``, ``start``, ``stop``, ``move``, or ``done``."""

    timeout: int | None = None
    """Seconds that a stop may take; ``None`` leaves it to the agent."""

    target: str | None = None
    """Where to move it."""

    motion: Motion | None = None
    """How to move it."""

    exit_code: int | None = None
    """How the job ended."""
