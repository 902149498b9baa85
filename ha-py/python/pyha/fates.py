# Made by `cargo xtask generate` (tools/bindings): change what it is made from.
"""What becomes of a node when a place is looked for."""

from __future__ import annotations

from dataclasses import dataclass

from pyha import words
from pyha._data import Fate

__all__ = [
    "BackTooShortly",
    "Candidate",
    "FailedBefore",
    "Fate",
    "Held",
    "KeptApart",
    "KeptTogether",
    "LowerPriority",
    "NotAllowed",
    "NotOnline",
    "RatherApart",
]


@dataclass(frozen=True, slots=True)
class Candidate(Fate):
    """It was left to the end: the service may go there."""

    _tag = "candidate"


@dataclass(frozen=True, slots=True)
class NotOnline(Fate):
    """It takes no services now."""

    _tag = "not_online"

    state: words.NodeState
    """Its state."""


@dataclass(frozen=True, slots=True)
class NotAllowed(Fate):
    """The node affinity rule of the service does not allow it."""

    _tag = "not_allowed"

    rule: str
    """The rule."""


@dataclass(frozen=True, slots=True)
class LowerPriority(Fate):
    """The node affinity rule of the service prefers other nodes."""

    _tag = "lower_priority"

    rule: str
    """The rule."""

    priority: int
    """The node's priority."""

    preferred: int
    """The priority of those that it prefers."""


@dataclass(frozen=True, slots=True)
class FailedBefore(Fate):
    """The start of the service failed there."""

    _tag = "failed_before"


@dataclass(frozen=True, slots=True)
class BackTooShortly(Fate):
    """It came back lately: the service goes back there when it has been well for long enough (``failback-delay``)."""

    _tag = "back_too_shortly"

    left: int
    """In how many seconds that is."""


@dataclass(frozen=True, slots=True)
class Held(Fate):
    """It takes no new services, since it was fenced again and again (``flapping_hold``)."""

    _tag = "held"

    left: int
    """For how many seconds more."""


@dataclass(frozen=True, slots=True)
class KeptApart(Fate):
    """Services that must be kept apart use it."""

    _tag = "kept_apart"

    from_: tuple[str, ...]
    """These services."""

    rules: tuple[str, ...]
    """The rules that keep the first of them apart."""

    domain: str | None = None
    """The failure domain of the node, if the first of them is elsewhere in that."""


@dataclass(frozen=True, slots=True)
class RatherApart(Fate):
    """Services that should rather be apart use it, more than use another one that is left."""

    _tag = "rather_apart"

    from_: tuple[str, ...]
    """These services."""

    rules: tuple[str, ...]
    """The rules that would keep the first of them apart."""

    domain: str | None = None
    """The failure domain of the node, if the first of them is elsewhere in that."""


@dataclass(frozen=True, slots=True)
class KeptTogether(Fate):
    """Services that must be together are on another node."""

    _tag = "kept_together"

    with_: tuple[str, ...]
    """The services there."""

    on: str
    """That node."""

    rules: tuple[str, ...]
    """The rules that keep the first of them together."""
