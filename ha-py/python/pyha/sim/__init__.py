"""A virtual cluster with a clock of its own, scenarios, and recorded scenarios.

Time jumps to whatever is due next; everything else is controlled from code, and the same code always leads to the same
history. After each step it is checked that no service runs on two nodes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any, TypeAlias

from pyha._data import ClusterEvent, Event, builders_of, plain
from pyha._native import Cluster, Outcome, Play, Replay, Scenario, check_recorded
from pyha.sim import events
from pyha.sim.words import DaemonKind, DeviceBehaviour, FailureKind, FaultKind, Operation


@dataclass(frozen=True, slots=True)
class NodeSetup:
    """A node of a virtual cluster."""

    name: str
    """Its name."""

    power: bool = True
    """Whether it has power at the beginning."""

    cores: float = 16.0
    """Its cores."""

    memory: int = 64 << 30
    """Its bytes of memory."""

    version: str = "9.3.0"
    """The version of its software."""


@dataclass(frozen=True, slots=True)
class GuestSetup:
    """A guest of a virtual cluster. What is not given is as usual."""

    sid: str
    """Its SID."""

    node: str
    """The node on which it is configured."""

    running: bool = False
    """Whether it runs at the beginning, and whenever its node is up unless HA manages it."""

    lock: str | None = None
    """The name of its lock, if it is locked."""

    max_cpu: float | None = None
    """Cores that it may use; 0 means no limit."""

    max_memory: int | None = None
    """Bytes of memory that it may use."""

    cpu: float | None = None
    """Cores that it uses while it runs."""

    memory: int | None = None
    """Bytes of memory that it uses while it runs."""

    start: timedelta | float | None = None
    """How long its start takes, in seconds."""

    stop: timedelta | float | None = None
    """How long its stop takes, in seconds."""

    migrate: timedelta | float | None = None
    """How long it takes to move it live, in seconds."""

    relocate: timedelta | float | None = None
    """How long it takes to move it while it is stopped, in seconds."""


@dataclass(frozen=True, slots=True)
class Durations:
    """How long things take in a virtual cluster, in seconds."""

    start: timedelta | float = 3.0
    """A start of a guest."""

    stop: timedelta | float = 4.0
    """A stop. One with a shorter timeout takes that long."""

    migrate: timedelta | float = 8.0
    """A live migration."""

    relocate: timedelta | float = 1.0
    """Moving a stopped guest."""

    boot: timedelta | float = 20.0
    """From power to the start of a node's daemons."""

    boot_after_reset: timedelta | float | None = None
    """From a reset by the watchdog to power; without it a node that was reset stays off."""

    restart: timedelta | float = 1.0
    """From the exit of a daemon that restarts to its start."""

    fencing: timedelta | float = 5.0
    """For a fence device to turn a node off."""

    fencing_timeout: timedelta | float = 60.0
    """For a fence device that does not answer to count as failed."""

    stagger: timedelta | float | None = None
    """From the start of one node's daemons to those of the next one; by default a fifth of the round time."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened in a virtual cluster, with when and where."""

    time: float
    """When, in seconds since the start."""

    source: str
    """Who reports it: a daemon such as ``node1/crm``, or ``hardware``, ``cmdlist``, …"""

    event: Event | ClusterEvent
    """What."""

    def to_dict(self) -> dict[str, Any]:
        """The data, as the recorded scenarios have it."""
        time = int(self.time) if self.time.is_integer() else self.time
        return {"t": time, "src": self.source, **plain(self.event)}

    def __str__(self) -> str:
        return f"{self.time:10.3f} s  {self.source}: {self.event}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that did not go as a scenario says."""

    line: int
    """The line of the scenario, from 1."""

    time: float
    """When, in seconds since the start."""

    message: str
    """What was expected, and how it is instead."""

    def __str__(self) -> str:
        return f"line {self.line}: at {self.time} s {self.message}"


@dataclass(frozen=True, slots=True)
class Breach:
    """Something that must hold whatever goes wrong, and did not."""

    time: float
    """When that was seen, in seconds since the start."""

    invariant: str
    """Which: a stable word such as ``runs-once`` or ``fed-after-renewal``."""

    details: str
    """What was seen."""

    text: str
    """All of it as a sentence."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class ServiceHistory:
    """What became of a service so far."""

    began_on: str
    """The node that its guest was on first."""

    down_since: float | None
    """Since when it is not running though it should be, in seconds since the start."""

    downtime: float
    """For how many seconds it did not run though it should have."""

    recoveries: int
    """How often it was recovered from a node that was fenced."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a replay differs from what was recorded."""

    event: int
    """The number of the first event that differs, from 1."""

    expected: dict[str, Any] | None
    """What was recorded; ``None`` if the replay gave more events."""

    got: dict[str, Any] | None
    """What the replay gave; ``None`` if it gave fewer events."""


Condition: TypeAlias = Callable[[Cluster], object]
"""Something that can be true of a cluster."""

Report: TypeAlias = Callable[[Happening | Failure], object]
"""Who is told of what happens while a scenario is played."""


def _happening(time: float, source: str, event: str) -> Happening:
    """Makes a happening; its event is given as JSON text."""
    return Happening(time, source, _event(event))


@lru_cache(maxsize=4096)
def _event(text: str) -> Event | ClusterEvent:
    data = json.loads(text)
    event: Event | ClusterEvent = _builders()[data["event"]](data)
    return event


@cache
def _builders() -> dict[str, Callable[[Any], Any]]:
    """What makes each kind of event from its data."""
    return builders_of(Event) | builders_of(ClusterEvent)


__all__ = [
    "Breach",
    "Cluster",
    "ClusterEvent",
    "Condition",
    "DaemonKind",
    "DeviceBehaviour",
    "Difference",
    "Durations",
    "Failure",
    "FailureKind",
    "FaultKind",
    "GuestSetup",
    "Happening",
    "NodeSetup",
    "Operation",
    "Outcome",
    "Play",
    "Replay",
    "Report",
    "Scenario",
    "ServiceHistory",
    "check_recorded",
    "events",
]
