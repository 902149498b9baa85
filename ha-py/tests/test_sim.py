"""The virtual cluster, scenarios and placement from Python."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pyha
import pytest
from conftest import EXAMPLES
from pyha import changes, events, fates
from pyha.sim import Cluster, Durations, Failure, GuestSetup, Happening, NodeSetup, Scenario

RESOURCES = "vm: 100\n\nct: 101\n"
GUESTS = {"vm:100": "node1", "ct:101": "node2"}


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster(["node1", "node2", "node3"], guests=GUESTS, resources=RESOURCES)
    cluster.run_for(timedelta(minutes=2))
    return cluster


def test_a_cluster_of_detailed_parts() -> None:
    cluster = Cluster(
        [NodeSetup("a", cores=4, memory=8 << 30), "b", NodeSetup("c", power=False)],
        guests=[GuestSetup("vm:100", "a", max_cpu=2, max_memory=1 << 30, start=timedelta(seconds=30))],
        resources=pyha.ResourcesConfig([pyha.Resource("vm:100")]),
        datacenter="crs: ha=static\n",
        timings=pyha.Timings.fast(),
        durations=Durations(boot=5, stagger=0.1),
    )
    assert cluster.nodes == ["a", "b", "c"]
    assert not cluster.has_power("c")
    started = cluster.wait_for(lambda cluster: cluster.places("vm:100"), within=60)
    assert started > 30
    assert cluster.configuration.datacenter.config.scheduler.mode is pyha.SchedulerMode.STATIC


def test_a_configuration_with_problems_is_refused() -> None:
    with pytest.raises(pyha.ConfigError) as caught:
        Cluster(["node1"], resources="vm: 100\n\tstate on\n")
    assert (caught.value.file, caught.value.line, caught.value.field) == ("resources.cfg", 2, "state")
    with pytest.raises(pyha.InvalidValueError, match="no such node"):
        Cluster(["node1"], guests={"vm:100": "node2"})


def test_it_can_be_broken_and_asked(cluster: Cluster) -> None:
    assert cluster.masters == ["node1"]
    assert cluster.lock_holder(pyha.MANAGER_LOCK) == "node1"
    assert cluster.lock_holder(pyha.agent_lock("node2")) == "node2"
    assert cluster.crm_state("node1") is pyha.DaemonState.MASTER
    assert cluster.lrm_state("node2") is pyha.LrmState.ACTIVE
    assert cluster.is_online("node3")
    status = cluster.manager_status
    assert status is not None
    assert status.services["vm:100"].running
    assert status.services["vm:100"] in status.services.values()
    record = cluster.lrm_status("node1")
    assert record is not None
    assert record.mode is pyha.LrmMode.ACTIVE
    mark = cluster.mark()
    cluster.set_network("node2", False)
    seen = [happening.event for happening in cluster.play_for(300)]
    assert events.NotifyFenceSucceeded("node2") in seen
    assert [h.event for h in cluster.happenings(mark)] == seen
    assert cluster.places("ct:101") in (["node1"], ["node3"])
    history = cluster.history("ct:101")
    assert history is not None
    assert (history.began_on, history.recoveries) == ("node2", 1)
    assert 60 < history.downtime == cluster.downtime("ct:101") < 200
    assert "service ct:101" in str(cluster.view("node1"))


def test_maintenance_by_command(cluster: Cluster) -> None:
    cluster.command(pyha.Command("enable-node-maintenance node1"))
    cluster.wait_for(lambda cluster: cluster.places("vm:100") not in ([], ["node1"]), within=300)
    assert cluster.node_state("node1") is pyha.NodeState.MAINTENANCE
    cluster.command("disable-node-maintenance node1")
    cluster.wait_for(lambda cluster: cluster.places("vm:100") == ["node1"], within=300)
    assert cluster.downtime("vm:100") == 0


def test_edits_of_a_running_cluster(cluster: Cluster) -> None:
    cluster.add_rule("resource-affinity", "together", resources=["vm:100", "ct:101"], affinity="positive")
    cluster.wait_for(lambda cluster: cluster.places("vm:100") == cluster.places("ct:101") != [], within=300)
    cluster.set_resource("vm:100", {"state": "stopped"}, unset=["comment"])
    cluster.wait_for(lambda cluster: not cluster.places("vm:100"), within=300)
    with pytest.raises(pyha.EditError):
        cluster.remove_resource("vm:999")
    cluster.set_datacenter({"crs.ha": "static"})
    assert cluster.configuration.datacenter.to_bytes() == b"crs: ha=static\n"
    cluster.remove_rule("together")
    cluster.remove_resource("vm:100")
    assert list(cluster.configuration.resources) == ["ct:101"]


def test_a_condition_that_never_holds_is_named(cluster: Cluster) -> None:
    def moon_is_blue(_: Cluster) -> bool:
        return False

    with pytest.raises(TimeoutError, match="the condition 'moon_is_blue' does not hold within 30"):
        cluster.wait_for(moon_is_blue, within=30)
    assert cluster.now == 150.0


def test_agents_fail_as_they_are_told(cluster: Cluster) -> None:
    cluster.fail("vm:100", "start", times=1)
    cluster.crash_guest("vm:100")
    mark = cluster.mark()
    cluster.wait_for(lambda cluster: cluster.places("vm:100"), within=300)
    tags = [happening.event.tag for happening in cluster.happenings(mark)]
    assert "agent_start_failed" in tags
    assert "agent_started" in tags


def test_the_same_code_leads_to_the_same_history() -> None:
    def history() -> list[Happening]:
        cluster = Cluster(["node1", "node2", "node3"], guests=GUESTS, resources=RESOURCES)
        cluster.run_for(50)
        cluster.reset("node1")
        cluster.run_for(400)
        return cluster.happenings()

    assert history() == history()


def test_scenarios() -> None:
    scenario = Scenario.read(EXAMPLES / "clusters/failover")
    assert Scenario.is_in(EXAMPLES / "clusters/failover")
    assert scenario.expectations > 0
    told: list[Happening | Failure] = []
    outcome = scenario.play(told.append)
    outcome.raise_for_failures()
    assert outcome.passed
    assert told == outcome.cluster.happenings()
    with pytest.raises(pyha.ScenarioError) as caught:
        Scenario.parse("x", "nodes node1\nat 1m  fly to node1\n")
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == ("scenario", 2)
    failing = Scenario.parse("x", "nodes node1\nat 1m  expect node1 off\n")
    outcome = failing.play()
    assert [failure.line for failure in outcome.failures] == [2]
    with pytest.raises(AssertionError, match="line 2"):
        outcome.raise_for_failures()
    with pytest.raises(OSError, match="No such file") as missing:
        Scenario.read(Path("no/such/folder"))
    assert isinstance(missing.value, FileNotFoundError)

    def fed_up(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        scenario.play(fed_up)


def test_placement_is_explained(cluster: Cluster) -> None:
    status = cluster.manager_status
    assert status is not None
    cluster.add_rule("node-affinity", "home", resources="vm:100", nodes={"node1": 1}, strict=True)
    situation = pyha.Situation(status, cluster.configuration)
    explanation = situation.explain("vm:100")
    assert explanation.answer == "node1"
    by_node = {node.node: node.fate for node in explanation.nodes}
    assert by_node["node2"] == fates.NotAllowed("home")
    assert "vm:100" in str(explanation)
    found = situation.counterfactual("vm:100", "node2")
    assert isinstance(found.changes[0], changes.PreferNode)
    assert str(found.changes[0])
    assert situation.explain_with("vm:100", found.changes).answer == "node2"
    assert found.then.answer == "node2"
    assert [(r.sid, r.to) for r in situation.after_failure(["node1"])] == [("vm:100", None)]
    balance = situation.balance()
    assert balance.outcome.tag == "off"
    assert str(balance)
    with pytest.raises(pyha.PlacementError) as caught:
        situation.explain("vm:999")
    assert (caught.value.code, caught.value.sid) == ("no_such_service", "vm:999")
    with pytest.raises(pyha.PlacementError) as caught:
        situation.after_failure(["node9"])
    assert caught.value.code == "no_such_node"


def test_placement_with_figures() -> None:
    nodes = {name: pyha.NodeStatistics(16.0, 64 << 30, 0.0, 0) for name in ("a", "b")}
    services = {
        "vm:1000": pyha.ServiceStatistics(8.0, 32 << 30, 0.0, 0),
        "vm:1001": pyha.ServiceStatistics(1.0, 1 << 30, 0.0, 0),
        "vm:2000": pyha.ServiceStatistics(1.0, 1 << 30, 0.0, 0),
    }
    status = pyha.ManagerStatus(
        {
            "node_status": {"a": "online", "b": "online"},
            "service_status": {
                "vm:1000": {"state": "started", "node": "a", "running": 1},
                "vm:1001": {"state": "request_start", "node": "a"},
            },
        }
    )
    configuration = pyha.Configuration(resources="vm: 1000\n\nvm: 1001\n", datacenter="crs: ha=static\n")
    usage = pyha.UsageStatistics(nodes, services)
    unmanaged = [pyha.UnmanagedService("vm:2000", "b", True)]
    situation = pyha.Situation(status, configuration, usage=usage, unmanaged=unmanaged)
    explanation = situation.explain("vm:1001", pyha.Preference.BEST_SCORE)
    assert explanation.scheduler is pyha.SchedulerMode.STATIC
    assert explanation.answer == "b"
    assert all(node.figure is not None and node.figure.score is not None for node in explanation.nodes)


def test_threads_may_use_one_cluster(cluster: Cluster) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(50):
                cluster.run_for(1)
                cluster.happenings()
                cluster.view("node1")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert cluster.now == 120 + 200


def test_other_threads_run_while_a_cluster_works() -> None:
    nodes = [f"node{number}" for number in range(1, 16)]
    sids = [f"vm:{number}" for number in range(100, 500)]
    cluster = Cluster(
        nodes,
        guests={sid: nodes[position % len(nodes)] for position, sid in enumerate(sids)},
        resources="\n".join(f"{sid.replace(':', ': ')}\n" for sid in sids),
    )
    done = threading.Event()
    thread = threading.Thread(target=lambda: (cluster.run_for(2000), done.set()))
    thread.start()
    turns = 0
    while not done.is_set():
        turns += 1
    thread.join()
    assert turns > 1000
