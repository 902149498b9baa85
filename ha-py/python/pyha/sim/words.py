"""The words of virtual clusters."""

# Written by tools/generate.py from ha-sim: change it there.

from __future__ import annotations

from pyha.words import Word


class DaemonKind(Word):
    """The two daemons of a node."""

    CRM = "crm"
    """The cluster resource manager."""

    LRM = "lrm"
    """The local resource manager."""


class DeviceBehaviour(Word):
    """What a fence device does when it is asked to turn a node off."""

    WORKS = "works"
    """It does so."""

    FAILS = "fails"
    """It says that it can't."""

    HANGS = "hangs"
    """It does not answer, until that counts as failed."""


class Operation(Word):
    """What an agent does with a guest."""

    START = "start"
    """Starts it."""

    STOP = "stop"
    """Stops it."""

    MOVE = "move"
    """Moves it, live or not."""


class FailureKind(Word):
    """How an operation goes wrong."""

    FAILS = "fails"
    """It takes its time, then it has not worked."""

    HANGS = "hangs"
    """It never ends."""
