"""A complete host in Python: nodes with a CRM and an LRM each, a store, locks, watchdogs and agents.

All nodes are in this process and share a store in memory, and time is virtual, so that a failover takes a moment::

    python host.py

For a cluster of your own replace ``Shared`` by a replicated store, ``Hardware`` by a watchdog device and what manages
your services, and ``Node.run`` by a loop that sleeps until a daemon wants to be called (``pyha.clock()``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pyha
from pyha import FeedOutcome, LockAnswer, Motion, RequestedState, events


@dataclass
class Shared:
    """What all nodes see while they have quorum: records, locks, configuration."""

    configuration: pyha.Configuration
    nodes: list[str]
    timings: pyha.Timings
    clock: Callable[[], float]
    online: set[str] = field(default_factory=set)
    manager_status: str | None = None
    lrm_status: dict[str, str] = field(default_factory=dict)
    locks: dict[str, tuple[str, float]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    guests: dict[str, str] = field(default_factory=dict)

    def is_quorate(self) -> bool:
        return len(self.online) * 2 > len(self.nodes)

    def take(self, lock: str, node: str) -> LockAnswer:
        """A lease: it is granted if it is free, expired, or held by the node itself."""
        if not self.is_quorate():
            return LockAnswer.REFUSED
        holder, since = self.locks.get(lock, ("", float("-inf")))
        expired = self.clock() > since + self.timings.settings.lock_lifetime.total_seconds()
        if holder not in ("", node) and not expired:
            return LockAnswer.REFUSED
        self.locks[lock] = (node, self.clock())
        return LockAnswer.RENEWED if holder == node and not expired else LockAnswer.ACQUIRED

    def release(self, lock: str, node: str) -> None:
        if self.locks.get(lock, ("", 0.0))[0] == node:
            del self.locks[lock]

    def configured(self) -> pyha.Configuration:
        self.configuration.set_guests(self.guests)
        return self.configuration


@dataclass
class Hardware:
    """A node's power, its watchdogs, and the services that run on it."""

    power: bool = True
    running: set[str] = field(default_factory=set)
    watchdogs: dict[str, float] = field(default_factory=dict)

    def cut_power(self) -> None:
        self.power = False
        self.running.clear()
        self.watchdogs.clear()


class Daemon(pyha.CrmHost, pyha.LrmHost):
    """The host of one daemon. A CRM and an LRM need much the same; each gets one of these."""

    def __init__(self, name: str, node: Node) -> None:
        self.name, self.node, self.shared = name, node, node.shared

    def _check_store(self) -> Shared:
        if self.node.name not in self.shared.online:
            raise pyha.HostError("no quorum")
        return self.shared

    # Membership

    def is_quorate(self) -> bool:
        return self.node.name in self.shared.online and self.shared.is_quorate()

    def members(self) -> dict[str, bool]:
        quorate = self.is_quorate()
        return {name: quorate and name in self.shared.online for name in self.shared.nodes}

    # Locks and the watchdog

    def take_lock(self, lock: str) -> LockAnswer:
        return self._check_store().take(lock, self.node.name)

    def release_lock(self, lock: str) -> None:
        self._check_store().release(lock, self.node.name)

    def open_watchdog(self, not_after: float) -> FeedOutcome:
        return self.feed_watchdog(not_after)

    def feed_watchdog(self, not_after: float) -> FeedOutcome:
        now = self.shared.clock()
        if now > not_after:
            return FeedOutcome.TOO_LATE
        timeout = self.shared.timings.settings.watchdog_timeout.total_seconds()
        self.node.hardware.watchdogs[self.name] = now + timeout
        return FeedOutcome.FED

    def close_watchdog(self) -> None:
        self.node.hardware.watchdogs.pop(self.name, None)

    # Records and configuration

    def manager_status(self) -> pyha.ManagerStatus | None:
        text = self._check_store().manager_status
        return None if text is None else pyha.ManagerStatus.from_json(text)

    def write_manager_status(self, status: pyha.ManagerStatus) -> None:
        self._check_store().manager_status = status.to_json()

    def lrm_status(self, node: str) -> pyha.LrmStatus | None:
        text = self._check_store().lrm_status.get(node)
        return None if text is None else pyha.LrmStatus.from_json(text)

    def write_lrm_status(self, status: pyha.LrmStatus) -> None:
        self._check_store().lrm_status[self.node.name] = status.to_json()

    def configuration(self) -> pyha.Configuration:
        return self._check_store().configured()

    def commands_waiting(self) -> bool:
        return bool(self._check_store().commands)

    def take_commands(self) -> list[str]:
        shared = self._check_store()
        taken, shared.commands = shared.commands, []
        return taken

    # Guests, for the master

    def move_configuration(self, sid: str, from_node: str, to_node: str) -> None:
        if self.shared.guests[sid] not in (from_node, to_node):
            raise pyha.HostError(f"{sid} is on {self.shared.guests[sid]}")
        self.shared.guests[sid] = to_node

    def set_requested_state(self, sid: str, state: RequestedState) -> None:
        self.shared.configuration.editor(nodes=self.shared.nodes).set_resource(sid, state=state)

    # Jobs, for the LRM: done at once here. A host with jobs that take long hands them to threads.

    def start_job(self, job: pyha.Job) -> int | None:
        return pyha.run_job(job, self.node.name, Guests(self.node))

    def finished_jobs(self) -> list[tuple[int, int]]:
        return []

    def event(self, event: pyha.Event) -> None:
        self.node.report(self.name, event)


class Guests(pyha.Agent):
    """What starts, stops and moves the services of a node."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def guest_node(self, sid: str) -> str | None:
        return self.node.shared.guests.get(sid)

    def is_running(self, sid: str) -> bool:
        return sid in self.node.hardware.running

    def start(self, sid: str) -> None:
        self.node.hardware.running.add(sid)

    def stop(self, sid: str, timeout: int | None) -> None:
        self.node.hardware.running.discard(sid)

    def move_to(self, sid: str, target: str, motion: Motion) -> None:
        self.event(events.AgentMoveStarted(sid=sid, task=motion, target=target))
        self.node.hardware.running.discard(sid)
        self.node.shared.guests[sid] = target
        self.event(events.AgentMoveEnded(sid=sid, task=motion, target=target))

    def event(self, event: pyha.Event) -> None:
        self.node.report("lrm", event)


class Node:
    """A node with its daemons."""

    def __init__(self, name: str, shared: Shared, report: Callable[[str, pyha.Event], object]) -> None:
        self.name, self.shared, self._report = name, shared, report
        self.hardware = Hardware()
        hosts = {daemon: Daemon(daemon, self) for daemon in ("crm", "lrm")}
        self._daemons: list[tuple[pyha.Crm | pyha.Lrm, Daemon]] = [
            (pyha.Crm(name, timings=shared.timings, sink=hosts["crm"]), hosts["crm"]),
            (pyha.Lrm(name, timings=shared.timings, sink=hosts["lrm"]), hosts["lrm"]),
        ]
        self._due = [0.0, 0.0]

    def report(self, daemon: str, event: pyha.Event) -> None:
        self._report(f"{self.name}/{daemon}", event)

    @property
    def next_due(self) -> float:
        return min([*self._due, *self.hardware.watchdogs.values()]) if self.hardware.power else float("inf")

    def run(self, now: float) -> None:
        """Does what is due, as a loop would that has just woken up."""
        if any(now > expires for expires in self.hardware.watchdogs.values()):
            self.cut_power()
            return
        for position, (daemon, host) in enumerate(self._daemons):
            if self._due[position] <= now:
                wait = daemon.tick(host, now, wall=1_767_225_600 + now)
                self._due[position] = float("inf") if wait is None else wait.until

    def cut_power(self) -> None:
        self.hardware.cut_power()
        self.shared.online.discard(self.name)


class Cluster:
    """Nodes, and a virtual clock."""

    def __init__(self, nodes: list[str], configuration: pyha.Configuration, guests: dict[str, str]) -> None:
        self.now = 0.0
        self.history: list[tuple[float, str, pyha.Event]] = []
        self.shared = Shared(configuration, nodes, pyha.Timings(), lambda: self.now, set(nodes), guests=dict(guests))
        self.nodes = {name: Node(name, self.shared, self._report) for name in nodes}

    def _report(self, source: str, event: pyha.Event) -> None:
        self.history.append((self.now, source, event))

    def run_for(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := min(node.next_due for node in self.nodes.values())) <= end:
            self.now = max(self.now, due)
            for node in self.nodes.values():
                if node.next_due <= self.now:
                    node.run(self.now)
            # A watchdog that is due is one that runs out a moment later.
            self.now += 0.001
        self.now = end

    def places(self, sid: str) -> list[str]:
        return [name for name, node in self.nodes.items() if sid in node.hardware.running]


def main() -> None:
    """A node fails, and its service starts elsewhere."""
    configuration = pyha.Configuration(resources="vm: 100\n\nvm: 101\n")
    cluster = Cluster(["node1", "node2", "node3"], configuration, {"vm:100": "node3", "vm:101": "node2"})
    cluster.run_for(60)
    assert cluster.places("vm:100") == ["node3"]
    cluster.nodes["node3"].cut_power()
    cluster.run_for(240)
    for time, source, event in cluster.history:
        print(f"{time:8.3f} s  {source}: {event}")
    print("vm:100 runs on", *cluster.places("vm:100"))


if __name__ == "__main__":
    main()
