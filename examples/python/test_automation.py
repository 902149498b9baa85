"""Tests of the automation on a virtual cluster: hours of a cluster's life in a few milliseconds."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from pyha import NodeState, events
from pyha.sim import Cluster

from automation import StuckError, rolling_reboot


class VirtualOperations:
    """What the automation needs of a cluster, by a virtual one."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def nodes(self) -> Iterable[str]:
        return self.cluster.nodes

    def command(self, line: str) -> None:
        self.cluster.command(line)

    def services_on(self, node: str) -> list[str]:
        return [sid for sid in self.cluster.guests if node in self.cluster.places(sid)]

    def is_ready(self, node: str) -> bool:
        return self.cluster.is_online(node) and self.cluster.node_state(node) == NodeState.ONLINE

    def reboot(self, node: str) -> None:
        self.cluster.reset(node)

    def sleep(self, seconds: float) -> None:
        self.cluster.run_for(seconds)


def test_all_nodes_are_rebooted_and_no_live_service_is_down(virtual_cluster: Cluster) -> None:
    rolling_reboot(VirtualOperations(virtual_cluster))
    booted = [h.event.node for h in virtual_cluster.happenings() if h.event.tag == "node_booted"]  # type: ignore[union-attr]
    assert booted == virtual_cluster.nodes
    assert virtual_cluster.downtime("vm:100") == 0


@pytest.mark.virtual_cluster(["a", "b"], guests={"vm:100": "a"}, resources="vm: 100")
def test_a_service_that_cannot_be_moved_stops_the_automation(virtual_cluster: Cluster) -> None:
    virtual_cluster.fail("vm:100", "move")
    with pytest.raises(StuckError, match="a does not get rid"):
        rolling_reboot(VirtualOperations(virtual_cluster), patience=300)
    assert virtual_cluster.places("vm:100") == ["a"]


def test_a_node_that_dies_meanwhile_is_fenced_and_its_service_recovered(virtual_cluster: Cluster) -> None:
    virtual_cluster.power_off("node2")
    fenced = [h for h in virtual_cluster.play_for(300) if isinstance(h.event, events.NotifyFenceSucceeded)]
    assert len(fenced) == 1
    assert virtual_cluster.places("ct:101") in (["node1"], ["node3"])
