"""What a host implements: a protocol for each role.

A host is the program that embeds the core. It owns the store, the locks, the watchdog and the guests; the core decides.
Any class with these methods will do. One that inherits from a protocol gets its optional methods: those that have a
body.

**Errors.** A method that can't do what it is asked raises :class:`pyha.HostError`. The core reports that as an event,
leaves what it knows as it was, and tries again later; it never leads to a feed of the watchdog. If it is not known
whether a call took effect, raise it too. Any other exception ends the call of the daemon, and comes out there
unchanged.

**Promises.** That nothing runs twice counts on what is said with a method as its promise, in the words that C and Perl
have too.

**Answers.** What has another type than it should is a :class:`pyha.AnswerError`, which the core is told like a
``HostError`` and which comes out of the call too: a ``bool`` is no exit code, no id and no word, a text is no list,
nothing is no answer where one is due. Once a daemon has seen a manager status, ``None`` for it is such an error. A
method with nothing to answer returns ``None``; what is false, such as ``False`` or 0, is no success. No method may be
``async``, nor a generator (but those that give several things): such a host is refused when it is made, or first used.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from pyha._data import Event
from pyha._native import Configuration, GroupsConfig, LrmStatus, ManagerStatus, ResourcesConfig, RulesConfig
from pyha.errors import HostError
from pyha.records import Job, UnmanagedGuest
from pyha.values import FenceAttempt, FenceCommand, HostFigures, ProbeAttempt
from pyha.words import FeedOutcome, FenceProgress, LockAnswer, Motion, ProbeProgress, RequestedState, SchedulerMode


class EventSink(Protocol):
    """Receives what happens."""

    @abstractmethod
    def event(self, event: Event, /) -> None:
        """Takes note of an event.

        Promise: It does not fail, and it does not block: a daemon that waits for it feeds no watchdog.
        """


class ClusterLock(Protocol):
    """Locks of the cluster, held by nodes under a lease."""

    @abstractmethod
    def take_lock(self, lock: str, /) -> LockAnswer:
        """Takes the lock, or renews it if this node has it.

        Promise: From the moment that this is called, for at least the lock lifetime, no other node gets the lock,
        unless this one releases it; and no lock is given without quorum. The answer is the answer to this very call;
        what is not known is a failure. A node is one machine on one boot, not a name.
        """

    @abstractmethod
    def release_lock(self, lock: str, /) -> None:
        """Gives the lock up, so that another node can take it at once.

        Promise: A lock that this node does not have stays as it is.
        """


class Watchdog(Protocol):
    """A watchdog that resets this node unless it is fed.

    ``not_after`` is a time of the clock of the calls, :func:`pyha.clock` if none is given to them: a feed that would
    come later is not made, and :attr:`pyha.FeedOutcome.TOO_LATE` is returned.
    """

    @abstractmethod
    def open_watchdog(self, not_after: float, /) -> FeedOutcome:
        """Arms it.

        Promise: As for feed_watchdog. A process that goes away without closing it never calls off the reset.
        """

    @abstractmethod
    def feed_watchdog(self, not_after: float, /) -> FeedOutcome:
        """Feeds it.

        Promise: The monotonic clock is read as the last step before the device is touched; past not_after the device is
        left alone.
        """

    @abstractmethod
    def close_watchdog(self) -> None:
        """Disarms it without a reset.

        Promise: Nothing but this calls off the reset.
        """


class Membership(Protocol):
    """The view of the cluster's members."""

    def refresh(self) -> None:
        """Brings the view up to date. Called once at the beginning of each iteration."""
        return

    @abstractmethod
    def is_quorate(self) -> bool:
        """Whether this node is in the quorate partition.

        Promise: Yes only where it is known; what can't be told is no.
        """

    @abstractmethod
    def members(self) -> Mapping[str, bool]:
        """All members of the cluster, each with whether it is online: in this node's quorate partition.

        Promise: Where this node is not quorate none is online. A node that is no member, or no member any more, is not
        quorate and gets no lock.
        """


class StatusStore(Protocol):
    """Where the manager status is read from."""

    @abstractmethod
    def manager_status(self) -> ManagerStatus | None:
        """The record as it was last written; ``None`` if none was ever written.

        Promise: Never something older than what this node has read before. None only if none was ever written; a record
        that can't be read is a failure.
        """

    @abstractmethod
    def lrm_status(self, node: str, /) -> LrmStatus | None:
        """The record of a node's LRM as it was last written; ``None`` if there is none.

        A CRM asks for each node's in every round, an LRM for its own node's once, before it writes its first one.

        Promise: Never something older than what this node has read before. None only if there is none; a record that
        can't be read is a failure.
        """


class ConfigurationStore(Protocol):
    """The configuration, as a whole."""

    @abstractmethod
    def configuration(self) -> Configuration:
        """What is configured now. Parts that did not change should be the same objects or have the same digests.

        Promise: What can't be read is a failure, not an empty configuration.
        """


class ManagerStore(Protocol):
    """The records that the master reads and writes."""

    @abstractmethod
    def write_manager_status(self, status: ManagerStatus, /) -> None:
        """Writes the record.

        Promise: Whole or not at all. A host that can refuses it to a node that does not hold the manager lock: while HA
        is disarmed no watchdog ends a master that was stopped for longer than its lock lasts.
        """

    def commands_waiting(self) -> bool:
        """Whether a command waits in the queue."""
        return False

    def take_commands(self) -> Sequence[str]:
        """Takes all lines of the command queue, which is empty afterwards.

        Promise: A line is given once.
        """
        return []


class LrmStore(Protocol):
    """The record that an LRM writes."""

    @abstractmethod
    def write_lrm_status(self, status: LrmStatus, /) -> None:
        """Writes this node's record.

        Promise: Whole or not at all.
        """


class GuestControl(Protocol):
    """The few things that the master does to guests and their configuration itself."""

    @abstractmethod
    def move_configuration(self, sid: str, from_node: str, to_node: str, /) -> None:
        """Moves the configuration of a guest from a node that was fenced to another one.

        Succeeds if it is there already.

        Promise: It does not touch the guest.
        """

    def remove_leftover_locks(self, sid: str, node: str, /) -> str | None:
        """Removes the locks that a guest on a fenced node may have left, as far as they are among
        :data:`pyha.LEFTOVER_GUEST_LOCKS`; gives the name of one that was removed.

        Promise: Only locks that a guest on a fenced node leaves behind are removed; any other one protects what is
        under way.
        """
        return None

    @abstractmethod
    def set_requested_state(self, sid: str, state: RequestedState, /) -> None:
        """Changes the requested state of a service in the configuration."""

    def write_group_migration(self, rules: RulesConfig, resources: ResourcesConfig, /) -> None:
        """Writes the rules that the groups were turned into, then the resources.

        Promise: Only if both files are still the same: the rules are written first, and each file whole or not at all.
        """
        raise HostError("this host does not turn groups into rules")

    def remove_groups(self, groups: GroupsConfig, /) -> None:
        """Removes the groups file.

        Promise: Only if the file is still the same.
        """
        raise HostError("this host does not turn groups into rules")

    def software_version(self, node: str, /) -> str | None:
        """The version of the software on a node, such as ``9.0.0~16``; ``None`` if it is not known."""
        return None


class FenceDevices(Protocol):
    """Runs the commands of fence devices."""

    def run_fence_device(self, attempt: FenceAttempt, commands: Sequence[FenceCommand], /) -> FenceProgress:
        """Starts the commands of a node's device, all at once, if they were not started yet for this attempt, and says
        how far they are.

        Promise: A success is the answer of commands that were started for this very attempt, never for another one: the
        node may have been up again meanwhile. What still runs for another attempt for the node has ended before
        commands are started. It returns at once, also where a program hangs.
        """
        raise HostError("this host has no fence devices")

    def forget_fence_attempts(self, incidents: Sequence[str], /) -> None:
        """Forgets every attempt but those of these incidents, which go on, and ends what runs for it, without waiting.

        It is called when a CRM becomes master and when it no longer is, and when an incident is over.
        """
        return


class Statistics(Protocol):
    """Figures for placement."""

    def unmanaged_services(self) -> Iterable[UnmanagedGuest]:
        """The guests that HA does not manage. Managed ones may be among them."""
        return []

    def usage(self, mode: SchedulerMode, /) -> HostFigures:
        """The figures of nodes and services; asked only where the configured scheduler needs them.

        ``mode`` says what is looked at: with ``static`` the sizes alone, with ``dynamic`` the measured use as well.
        """
        raise HostError("this host has no figures")


class Entropy(Protocol):
    """Randomness, so that the unique ids of two masters never meet."""

    def random_bytes(self) -> bytes:
        """Sixteen random bytes.

        Promise: Nobody can have had them before.
        """
        return os.urandom(16)


class Workers(Protocol):
    """Carries jobs out, several at once if the host can."""

    @abstractmethod
    def start_job(self, job: Job, /) -> int | None:
        """Starts a job: ``None`` if it runs, its exit code if it is done already.

        The worker that carries it out calls :func:`pyha.run_job`, or steps a :class:`pyha.JobRun`.

        Promise: If it fails the job does not run, and never will. The workers of a node end with its power.
        """

    @abstractmethod
    def finished_jobs(self) -> Iterable[tuple[int, int]]:
        """Takes the jobs that ended since this was last called: their ids and exit codes.

        Promise: Each job is named once, and only when nothing of it is left. If it fails nothing counts as told.
        """


class JobControl(Protocol):
    """What workers may do beyond :class:`Workers`. Each method is optional: a host that has it is asked."""

    @abstractmethod
    def job_time_limit(self, job: Job, /) -> float | timedelta | None:
        """How long a job may take since it was started; ``None`` if as long as it needs.

        Past that time it is asked again, so that a job that gets on can have more. Without this method: ten minutes
        beyond the job's timeout for a start or stop, and no limit for a move.
        """

    @abstractmethod
    def end_job(self, job_id: int, /) -> None:
        """Ends a job that takes too long.

        Until :meth:`Workers.finished_jobs` names it, with ``ExitCode.KILLED``, this is asked again from time to time.
        Without this method a job that hangs is only shown.

        Promise: The job may go on for a while: finished_jobs names it when nothing of it is left, not before.
        """

    @abstractmethod
    def guest_lock(self, sid: str, /) -> str | None:
        """The lock that a guest has now, to say what a job waits for that ended with ``ExitCode.TRY_AGAIN``."""

    @abstractmethod
    def probe(self, attempt: ProbeAttempt, /) -> ProbeProgress:
        """Begins to find out whether a service is ready, unless that was begun for this attempt; says how far it is.

        It is called once a round while it runs. What is raised is the reason why the service is not ready. Without this
        method a service that has a probe is not ready.

        Promise: An answer belongs to its attempt: what was found out for an earlier one is never given. It returns at
        once, and changes nothing.
        """


class Agent(EventSink, Protocol):
    """Handles the guests of this node. Whether a call succeeded is judged by looking again."""

    def knows_type(self, service_type: str, /) -> bool:
        """Whether there is an agent for this type of service."""
        return True

    @abstractmethod
    def guest_node(self, sid: str, /) -> str | None:
        """The node on which the guest is configured now, or ``None``.

        Promise: It names the target of a move only when nothing of the service is left here that may run.
        """

    @abstractmethod
    def is_running(self, sid: str, /) -> bool:
        """Whether anything of the service runs here.

        Promise: No only if nothing of the service is left, no child, no helper, no mount; what can't be told is a
        failure: then nothing is started, and no stop has worked.
        """

    @abstractmethod
    def start(self, sid: str, /) -> None:
        """Starts it.

        Promise: It returns when the service runs or can't be started.
        """

    @abstractmethod
    def stop(self, sid: str, timeout: int | None, /) -> None:
        """Stops it. ``timeout`` is in seconds, 0 stops it hard at once, ``None`` leaves it to the agent.

        Promise: It returns when nothing of the service is left or it can't be stopped. It is asked for also where
        is_running said no or failed, time and again: then it does nothing and succeeds.
        """

    @abstractmethod
    def move_to(self, sid: str, target: str, motion: Motion, /) -> None:
        """Moves it. It reports :class:`pyha.events.AgentMoveStarted` and :class:`pyha.events.AgentMoveEnded`.

        Promise: It returns when the service is there or can't be moved. Of a guest that is moved live the copy runs
        only after guest_node names the target, whatever it looks like there: until then the original may go on by
        itself at any moment.
        """


class RoundHost(ClusterLock, ManagerStore, GuestControl, FenceDevices, EventSink, Protocol):
    """All that a manager round needs."""


class CrmHost(
    Membership,
    Watchdog,
    StatusStore,
    ConfigurationStore,
    Statistics,
    Entropy,
    RoundHost,
    Protocol,
):
    """All that a CRM needs."""


class LrmHost(
    Membership, Watchdog, StatusStore, ConfigurationStore, ClusterLock, LrmStore, Workers, EventSink, Protocol
):
    """All that an LRM needs."""
