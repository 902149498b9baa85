"""Objects that several threads use at once."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyha
import pytest
from conftest import EXAMPLES
from pyha import events
from pyha.sim import Cluster, Scenario

sys.path.insert(0, str(EXAMPLES / "python"))
import host

THREADS = 8


@pytest.fixture(autouse=True)
def threads_take_turns_quickly() -> Generator[None, None, None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[int], object], threads: int = THREADS) -> list[object]:
    """What work gives in several threads that begin at the same time; raises what it raises in one."""
    barrier = threading.Barrier(threads)

    def run(number: int) -> object:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def test_one_cluster_is_used_by_one_call_after_the_other() -> None:
    cluster = Cluster(["node1", "node2"], guests={"vm:100": "node1"}, resources="vm: 100\n")

    def work(number: int) -> None:
        for _ in range(25):
            cluster.run_for(1)
            cluster.happenings()
            cluster.view("node1")
            cluster.situation().explain("vm:100") if cluster.service_state("vm:100") else None
            cluster.set_resource("vm:100", comment=f"by {number}")

    at_once(work)
    assert cluster.now == THREADS * 25
    assert cluster.places("vm:100") == ["node1"]


def test_edits_of_one_configuration_are_all_there() -> None:
    configuration = pyha.Configuration()

    def work(number: int) -> None:
        editor = configuration.editor(nodes=["node1", "node2"])
        for position in range(25):
            sid = f"vm:{1000 + number * 100 + position}"
            editor.add_resource(sid)
            editor.set_resource(sid, max_restart=number)
            assert configuration.resources[sid].max_restart == number
            configuration.rule_set()
            assert len(configuration.copy().files()["resources.cfg"]) > 0

    at_once(work)
    assert len(configuration.resources) == THREADS * 25
    again = pyha.ResourcesConfig.parse(configuration.resources.to_bytes())
    assert again.keys() == configuration.resources.keys()


def test_a_file_that_several_write_is_that_of_one_of_them(tmp_path: Path) -> None:
    path = tmp_path / "resources.cfg"
    path.touch(0o640)
    texts = [f"vm: {100 + number}\n\tcomment {'x' * 4000}\n\n" for number in range(THREADS)]

    def work(number: int) -> None:
        for _ in range(10):
            pyha.ResourcesConfig.parse(texts[number]).write(path)
            assert path.read_text() in texts

    at_once(work)
    assert [entry.name for entry in tmp_path.iterdir()] == ["resources.cfg"]
    assert path.stat().st_mode & 0o777 == 0o640


def test_values_are_read_by_all() -> None:
    config = pyha.ResourcesConfig.parse("".join(f"vm: {100 + number}\n\n" for number in range(200)))
    scenario = Scenario.read(EXAMPLES / "clusters/failover")

    def work(_: int) -> object:
        found = [(sid, resource.state, hash(resource)) for sid, resource in config.items()]
        event = pyha.Event.from_dict({"event": "agent_started", "sid": "vm:100"})
        assert event == events.AgentStarted("vm:100")
        history = scenario.play().cluster.happenings()
        return found, str(event), [str(happening) for happening in history]

    first, *others = at_once(work)
    assert all(other == first for other in others)


def test_one_daemon_is_used_by_one_call_and_refuses_another_one() -> None:
    shared = host.Cluster(["node1"], pyha.Configuration(), {}).shared
    inside, done = threading.Event(), threading.Event()

    class Slow(host.Daemon):
        def refresh(self) -> None:
            inside.set()
            assert done.wait(30)

    slow = Slow("crm", host.Node("node1", shared, lambda *_: None))
    crm = pyha.Crm("node1")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(crm.tick, slow, 0.0, wall=0)
        assert inside.wait(30)
        with pytest.raises(pyha.InUseError, match="another thread"):
            crm.tick(slow, 0.0, wall=0)
        assert repr(crm) == "<Crm of node1, at work>"
        done.set()
        assert first.result() is not None
    assert crm.tick(slow, 10.0, wall=10) is not None


def test_clusters_with_hosts_in_python_run_side_by_side() -> None:
    def work(_: int) -> object:
        configuration = pyha.Configuration(resources="vm: 100\n")
        cluster = host.Cluster(["node1", "node2", "node3"], configuration, {"vm:100": "node3"})
        cluster.run_for(60)
        cluster.nodes["node3"].cut_power()
        cluster.run_for(240)
        return cluster.places("vm:100"), [(time, source, str(event)) for time, source, event in cluster.history]

    first, *others = at_once(work, 4)
    assert first[0] == ["node1"]  # type: ignore[index]
    assert all(other == first for other in others)


def test_other_threads_run_while_a_cluster_works() -> None:
    nodes = [f"node{number}" for number in range(1, 16)]
    sids = [f"vm:{number}" for number in range(100, 500)]
    cluster = Cluster(
        nodes,
        guests={sid: nodes[position % len(nodes)] for position, sid in enumerate(sids)},
        resources="\n".join(f"{sid.replace(':', ': ')}\n" for sid in sids),
    )
    began, done = threading.Event(), threading.Event()

    def run() -> None:
        began.set()
        cluster.run_for(2000)
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert began.wait(30)
    turns = 0
    while not done.is_set():
        turns += 1
        time.sleep(0.001)
    thread.join()
    assert turns > 20, "the call kept the interpreter to itself"
