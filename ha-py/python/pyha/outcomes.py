# Made by `cargo xtask generate` (tools/bindings): change what it is made from.
"""How automatic balancing comes out."""

from __future__ import annotations

from dataclasses import dataclass

from pyha._data import BalanceOutcome

__all__ = [
    "BalanceOutcome",
    "Balanced",
    "BelowMargin",
    "Disarmed",
    "Holding",
    "Move",
    "Moving",
    "NoCandidate",
    "NotMeasured",
    "Off",
]


@dataclass(frozen=True, slots=True)
class Off(BalanceOutcome):
    """Automatic balancing is not switched on."""

    _tag = "off"


@dataclass(frozen=True, slots=True)
class Disarmed(BalanceOutcome):
    """HA is disarmed, or being disarmed."""

    _tag = "disarmed"


@dataclass(frozen=True, slots=True)
class NotMeasured(BalanceOutcome):
    """Services are only counted: the scheduler is ``basic``, or has to do without figures."""

    _tag = "not_measured"


@dataclass(frozen=True, slots=True)
class Moving(BalanceOutcome):
    """A service is moving, or waits to be moved."""

    _tag = "moving"

    sid: str
    """The first such service."""


@dataclass(frozen=True, slots=True)
class Balanced(BalanceOutcome):
    """The imbalance is not above the threshold."""

    _tag = "balanced"


@dataclass(frozen=True, slots=True)
class Holding(BalanceOutcome):
    """The imbalance has not been above the threshold for long enough yet."""

    _tag = "holding"

    rounds: int
    """For how many rounds it has."""

    hold_duration: int
    """For how many it must have."""


@dataclass(frozen=True, slots=True)
class NoCandidate(BalanceOutcome):
    """There is no service that can be moved."""

    _tag = "no_candidate"


@dataclass(frozen=True, slots=True)
class BelowMargin(BalanceOutcome):
    """The best move takes away too little of the imbalance."""

    _tag = "below_margin"


@dataclass(frozen=True, slots=True)
class Move(BalanceOutcome):
    """The first of the candidates is carried out."""

    _tag = "move"
