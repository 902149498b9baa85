"""Nothing is left of what was dropped."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pyha
import pytest
from pyha.sim import Cluster


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def make_and_drop(count: int) -> None:
    for _ in range(count):
        cluster = Cluster(["node1", "node2"], guests={"vm:100": "node1"}, resources="vm: 100\n")
        cluster.step()
        cluster.happenings()
        cluster.view("node1")
        cluster.play_for(1)
    gc.collect()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_is_flat_over_10000_clusters() -> None:
    make_and_drop(2_000)
    before = resident_bytes()
    make_and_drop(10_000)
    grown = resident_bytes() - before
    assert grown < 4 << 20, f"grew by {grown} bytes"


class Host(pyha.EventSink):
    def event(self, event: pyha.Event, /) -> None:
        raise ValueError(str(event))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_is_flat_over_exceptions_and_edits() -> None:
    def work(count: int) -> None:
        for _ in range(count):
            with pytest.raises(ValueError, match="startup"):
                pyha.Crm("node1", sink=Host())
            configuration = pyha.Configuration(resources="vm: 100\n")
            with pytest.raises(pyha.EditError):
                configuration.editor().set_resource("vm:100", state="on")
        gc.collect()

    work(1_000)
    before = resident_bytes()
    work(3_000)
    assert resident_bytes() - before < 4 << 20
