"""A virtual cluster as a pytest fixture, for those who test what they automate.

Installing the package makes the fixtures known. ``virtual_cluster`` has three nodes and two services; a marker says
otherwise::

    import pytest

    @pytest.mark.virtual_cluster(["a", "b"], guests={"vm:1000": "a"}, resources="vm: 1000")
    def test_takeover(virtual_cluster):
        virtual_cluster.power_off("a")
        virtual_cluster.wait_for(lambda cluster: cluster.places("vm:1000") == ["b"], within=300)

A live cluster goes on from what ``ha snapshot`` wrote::

    @pytest.mark.virtual_cluster(snapshot="cluster.json")
    def test_that_cluster(virtual_cluster): ...

``make_virtual_cluster`` makes any number of clusters. When a test ends, what happened in its clusters is shown if it
failed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeAlias

import pytest

from pyha.sim import Cluster

MakeCluster: TypeAlias = Callable[..., Cluster]
"""Makes a cluster, as :class:`pyha.sim.Cluster` does or of the file ``snapshot``, and lets it come to rest."""

SETTLED_AFTER = 120.0
"""The seconds in which a cluster of the usual timings has started its services."""

_report = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line(
        "markers",
        "virtual_cluster(nodes, **setup): what the fixture of that name begins with, as pyha.sim.Cluster takes it, "
        "or snapshot=FILE",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remembers whether a test failed."""
    report = yield
    if call.when == "call":
        item.stash[_report] = report.failed
    return report


@pytest.fixture
def make_virtual_cluster(request: pytest.FixtureRequest) -> Generator[MakeCluster, None, None]:
    """Makes virtual clusters that have come to rest; their history is shown if the test fails."""
    clusters: list[Cluster] = []

    def make(
        *arguments: object, settle: float = SETTLED_AFTER, snapshot: str | Path | None = None, **setup: object
    ) -> Cluster:
        if snapshot is None:
            cluster = Cluster(*arguments, **setup)  # type: ignore[arg-type]
        elif arguments or setup:
            raise TypeError("a cluster of a snapshot takes nothing else")
        else:
            cluster = Cluster.from_snapshot(Path(snapshot).read_text(encoding="utf-8"))
        clusters.append(cluster)
        cluster.run_for(settle)
        return cluster

    yield make
    if request.node.stash.get(_report, False):
        for cluster in clusters:
            print(f"\nWhat happened in {cluster!r}:")
            for happening in cluster.happenings():
                print(happening)


@pytest.fixture
def virtual_cluster(request: pytest.FixtureRequest, make_virtual_cluster: MakeCluster) -> Cluster:
    """A virtual cluster that has come to rest: that of the marker, or one of three nodes with two services."""
    marker = request.node.get_closest_marker("virtual_cluster")
    if marker is not None:
        return make_virtual_cluster(*marker.args, **marker.kwargs)
    return make_virtual_cluster(
        ["node1", "node2", "node3"],
        guests={"vm:100": "node1", "ct:101": "node2"},
        resources="vm: 100\n\nct: 101\n",
    )
