# Made by `cargo xtask generate` (tools/bindings): change what it is made from.
"""What happens in a virtual cluster outside of the daemons."""

from __future__ import annotations

from dataclasses import dataclass

from pyha._data import ClusterEvent

__all__ = [
    "ClusterEvent",
    "DaemonExited",
    "Execute",
    "Killed",
    "NodeBooted",
    "NodeDown",
    "PowerCut",
    "RoundSkipped",
    "Said",
    "WatchdogReset",
]


@dataclass(frozen=True, slots=True)
class Execute(ClusterEvent):
    """A command is executed, or somebody does something."""

    _tag = "execute"

    command: str
    """Its line."""


@dataclass(frozen=True, slots=True)
class Said(ClusterEvent):
    """Somebody says something about what happens."""

    _tag = "said"

    text: str
    """What."""


@dataclass(frozen=True, slots=True)
class WatchdogReset(ClusterEvent):
    """A watchdog expired and reset its node."""

    _tag = "watchdog_reset"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class RoundSkipped(ClusterEvent):
    """Daemons of one kind do nothing in this loop."""

    _tag = "round_skipped"

    daemon: str
    """Which kind."""


@dataclass(frozen=True, slots=True)
class Killed(ClusterEvent):
    """A daemon was killed by a power failure."""

    _tag = "killed"


@dataclass(frozen=True, slots=True)
class DaemonExited(ClusterEvent):
    """A daemon ended by itself."""

    _tag = "daemon_exited"


@dataclass(frozen=True, slots=True)
class NodeBooted(ClusterEvent):
    """A node that was off came up."""

    _tag = "node_booted"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class NodeDown(ClusterEvent):
    """A node went down as it was asked to."""

    _tag = "node_down"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class PowerCut(ClusterEvent):
    """A fence device turned a node off."""

    _tag = "power_cut"

    node: str
    """The node."""
