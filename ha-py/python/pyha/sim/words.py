# Made by `cargo xtask generate` (tools/bindings): change what it is made from.
"""The words of virtual clusters."""

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

    LATE = "late"
    """It turns the node off as fast as one that works, and says so only just before that would count as failed."""

    SLOW = "slow"
    """It turns the node off, and says so, only just before that would count as failed."""


class Operation(Word):
    """What an agent does with a guest."""

    START = "start"
    """Starts it."""

    STOP = "stop"
    """Stops it."""

    MOVE = "move"
    """Moves it, live or not."""

    CHECK_RUNNING = "check_running"
    """Says whether it runs."""

    LOCATE = "locate"
    """Says where it is configured."""

    PROBE = "probe"
    """Says whether it is ready."""


class FailureKind(Word):
    """How an operation goes wrong."""

    FAILS = "fails"
    """It takes its time, and then fails."""

    HANGS = "hangs"
    """It never ends."""

    SLOW = "slow"
    """It takes far longer than it should, and works."""

    PRETENDS = "pretends"
    """It takes its time and says that it worked, but has done nothing."""

    DENIES = "denies"
    """It works, but says that it failed."""

    DIES = "dies"
    """It works, and its worker is killed before it has seen that."""

    DIES_BEFORE = "dies_before"
    """Its worker is killed before it has done anything."""

    UNHEARD = "unheard"
    """It works, and its worker ends with an exit code that nobody knows."""


class FaultKind(Word):
    """How a call that a daemon makes goes wrong."""

    FAILS = "fails"
    """It does nothing and gives an error."""

    UNKNOWN = "unknown"
    """It takes effect and gives an error all the same."""

    STALLS = "stalls"
    """The daemon, or the store, stalls before the call takes effect."""

    LATE = "late"
    """The answer comes late."""

    LATE_UNKNOWN = "late_unknown"
    """It takes effect, then nothing is heard for a while, then it gives an error."""

    CRASHES = "crashes"
    """The daemon dies before the call, and is started again after a while."""

    CRASHES_AFTER = "crashes_after"
    """The daemon dies right after the call, and is started again after a while."""
