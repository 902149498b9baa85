"""A rolling reboot: each node in maintenance, rebooted, and back, one after the other.

It talks to a cluster by a small interface, which a virtual cluster can play: see ``test_automation.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol


class Operations(Protocol):
    """What the automation needs of a cluster."""

    def nodes(self) -> Iterable[str]:
        """The nodes."""

    def command(self, line: str) -> None:
        """Queues a command."""

    def services_on(self, node: str) -> list[str]:
        """The services that run on a node."""

    def is_ready(self, node: str) -> bool:
        """Whether a node is up and takes services."""

    def reboot(self, node: str) -> None:
        """Reboots a node."""

    def sleep(self, seconds: float) -> None:
        """Waits."""


class StuckError(Exception):
    """A node does not get where it should be."""


def rolling_reboot(operations: Operations, patience: float = 900) -> None:
    """Reboots all nodes, one after the other, without stopping a service that can be moved live."""
    for node in operations.nodes():
        _reboot(operations, node, patience)


def _reboot(operations: Operations, node: str, patience: float) -> None:
    operations.command(f"enable-node-maintenance {node}")
    _wait(operations, patience, f"{node} does not get rid of its services", lambda: not operations.services_on(node))
    operations.reboot(node)
    operations.command(f"disable-node-maintenance {node}")
    _wait(operations, patience, f"{node} does not come back", lambda: operations.is_ready(node))


def _wait(operations: Operations, patience: float, problem: str, condition: Callable[[], bool]) -> None:
    waited = 0.0
    while not condition():
        if waited >= patience:
            raise StuckError(problem)
        operations.sleep(10)
        waited += 10
