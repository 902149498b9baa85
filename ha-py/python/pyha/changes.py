# Made by `cargo xtask generate` (tools/bindings): change what it is made from.
"""What would have to be different for a service to go elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from pyha import words
from pyha._data import Change
from pyha.records import Figure

__all__ = [
    "AskForBest",
    "BetterFigure",
    "Change",
    "ClearFencings",
    "Failback",
    "ForgetFailure",
    "ForgetMaintenanceNode",
    "Join",
    "Leave",
    "NodeOnline",
    "PreferNode",
    "WellForLonger",
]


@dataclass(frozen=True, slots=True)
class NodeOnline(Change):
    """The node is online."""

    _tag = "node_online"

    node: str
    """The node."""

    state: words.NodeState
    """Its state now."""


@dataclass(frozen=True, slots=True)
class PreferNode(Change):
    """The node affinity rule names the node with a priority that is high enough."""

    _tag = "prefer_node"

    rule: str
    """The rule."""

    node: str
    """The node."""

    priority: int
    """The priority."""


@dataclass(frozen=True, slots=True)
class ForgetFailure(Change):
    """The failed start on the node is forgotten."""

    _tag = "forget_failure"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class Leave(Change):
    """Services that must be kept apart, or should rather be apart, leave the node, or are stopped."""

    _tag = "leave"

    node: str
    """The node."""

    services: tuple[str, ...]
    """These services."""

    domain: str | None = None
    """The failure domain that they leave, if they are elsewhere in that."""


@dataclass(frozen=True, slots=True)
class Join(Change):
    """Services that must be together run on the node."""

    _tag = "join"

    node: str
    """The node."""

    services: tuple[str, ...]
    """These services."""


@dataclass(frozen=True, slots=True)
class WellForLonger(Change):
    """The node, which came back lately, has been well for longer."""

    _tag = "well_for_longer"

    node: str
    """The node."""

    seconds: int
    """For how many seconds more."""


@dataclass(frozen=True, slots=True)
class ClearFencings(Change):
    """The node, which was fenced again and again, takes new services."""

    _tag = "clear_fencings"

    node: str
    """The node."""


@dataclass(frozen=True, slots=True)
class Failback(Change):
    """The service fails back."""

    _tag = "failback"


@dataclass(frozen=True, slots=True)
class ForgetMaintenanceNode(Change):
    """It does not wait for the node that it left for maintenance."""

    _tag = "forget_maintenance_node"

    node: str
    """That node."""


@dataclass(frozen=True, slots=True)
class AskForBest(Change):
    """The best node is asked for, rather than whether it may stay, or the next one after a failure."""

    _tag = "ask_for_best"


@dataclass(frozen=True, slots=True)
class BetterFigure(Change):
    """The node suits better than the one that suits best now."""

    _tag = "better_figure"

    node: str
    """The node."""

    now: Figure
    """How well it suits now."""

    than: Figure
    """What it must be better than."""

    ahead: tuple[str, ...]
    """The nodes that are before it."""
