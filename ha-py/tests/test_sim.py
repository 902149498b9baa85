"""The virtual cluster, scenarios and placement from Python."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pyha
import pytest
from conftest import EXAMPLES
from pyha import changes, events, fates
from pyha.sim import (
    Cluster,
    DaemonKind,
    Durations,
    Failure,
    FaultKind,
    GuestSetup,
    Happening,
    NodeSetup,
    Scenario,
)
from pyha.testing import MakeCluster
from typed import mistyped_fields

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


SNAPSHOT = json.dumps(
    {
        "ha_snapshot": 1,
        "time": 1767225600,
        "nodes": {"node1": {"online": True}, "node2": {"online": True}},
        "configuration": {"resources.cfg": "vm: 100\n"},
        "guests": {"vm:100": {"node": "node2"}},
        "manager_status": {
            "node_status": {"node1": "online", "node2": "online"},
            "service_status": {"vm:100": {"state": "started", "node": "node2", "uid": "a", "running": 1}},
        },
    }
)


def test_a_live_cluster_goes_on_from_its_snapshot() -> None:
    cluster = Cluster.from_snapshot(SNAPSHOT)
    assert cluster.places("vm:100") == ["node2"]
    assert "the cluster goes on from 2026-01-01" in str(cluster.happenings()[0])
    scenario = Scenario.from_snapshot("x", SNAPSHOT, "at 1m power off node2\nexpect vm:100 running on node1")
    scenario.play().raise_for_failures()
    with pytest.raises(pyha.ScenarioError, match="'ha snapshot' writes one"):
        Cluster.from_snapshot("{}")
    with pytest.raises(pyha.ScenarioError, match="there is no node 'node9'"):
        Scenario.from_snapshot("x", SNAPSHOT, "at 1m power off node9")


def test_the_fixture_goes_on_from_a_snapshot(make_virtual_cluster: MakeCluster, tmp_path: Path) -> None:
    file = tmp_path / "cluster.json"
    file.write_text(SNAPSHOT, encoding="utf-8")
    cluster = make_virtual_cluster(snapshot=file)
    cluster.power_off("node2")
    cluster.wait_for(lambda cluster: cluster.places("vm:100") == ["node1"], within=600)
    with pytest.raises(TypeError, match="takes nothing else"):
        make_virtual_cluster(["node1"], snapshot=file)


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
    nodes = {name: pyha.NodeFigures(16.0, 64 << 30, 0.0, 0) for name in ("a", "b")}
    services = {
        "vm:1000": pyha.ServiceFigures(8.0, 32 << 30, 0.0, 0),
        "vm:1001": pyha.ServiceFigures(1.0, 1 << 30, 0.0, 0),
        "vm:2000": pyha.ServiceFigures(1.0, 1 << 30, 0.0, 0),
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
    usage = pyha.HostFigures(nodes, services)
    unmanaged = [pyha.UnmanagedGuest("vm:2000", "b", True)]
    situation = pyha.Situation(status, configuration, usage=usage, unmanaged=unmanaged)
    explanation = situation.explain("vm:1001", pyha.Preference.BEST_SCORE)
    assert explanation.scheduler is pyha.SchedulerMode.STATIC
    assert explanation.answer == "b"
    assert all(node.figure is not None and node.figure.score is not None for node in explanation.nodes)


def test_a_call_that_goes_wrong_is_survived(cluster: Cluster) -> None:
    cluster.check_invariants()
    cluster.disturb("node1", "crm", FaultKind.FAILS, operation=pyha.HostOperation.WRITE_MANAGER_STATUS)
    cluster.disturb("node2", DaemonKind.LRM, "crashes", operation="take_lock", lasting=timedelta(seconds=5))
    mark = cluster.mark()
    cluster.run_for(300)
    failed = [h.event for h in cluster.happenings(mark) if isinstance(h.event, events.HostCallFailed)]
    assert [event.operation for event in failed] == [pyha.HostOperation.WRITE_MANAGER_STATUS]
    assert not cluster.has_power("node2"), "nobody feeds the watchdog of a daemon that crashed"
    assert cluster.places("ct:101") in (["node1"], ["node3"])
    assert cluster.breach is None
    cluster.disturb("node1", "crm", "stalls", operation="members", lasting=60)
    cluster.stop_disturbing()
    with pytest.raises(pyha.SimulationError, match="node9"):
        cluster.disturb("node9", "crm", "fails")


def test_a_service_that_is_started_twice_is_found(cluster: Cluster) -> None:
    cluster.check_invariants()
    with pytest.raises(pyha.RanTwiceError) as caught:
        cluster.start_guest("vm:100", "node3")
    assert (caught.value.sid, caught.value.nodes) == ("vm:100", ("node1", "node3"))
    assert caught.value.last
    assert all(isinstance(happening, Happening) for happening in caught.value.last)
    breach = cluster.breach
    assert breach is not None
    assert mistyped_fields(breach) == []
    assert breach.invariant == "runs-once"
    assert "vm:100 runs on node1 and node3" in str(breach)
    before = cluster.happenings()
    cluster.run_for(100)
    assert cluster.happenings() == before


def test_a_reset_is_a_breach_only_where_none_is_expected(cluster: Cluster) -> None:
    cluster.check_invariants(resets_until=cluster.now + 10)
    cluster.set_network("node2", False)
    cluster.run_for(300)
    assert cluster.breach is not None
    assert cluster.breach.invariant == "no-needless-reset"


def test_clocks_may_be_wrong(cluster: Cluster) -> None:
    cluster.set_clock("node2", drift_ppm=-1000, wall_ahead=3600)
    assert cluster.now_on("node2") == pytest.approx(cluster.now * 0.999)
    assert cluster.wall_on("node2") == pytest.approx(cluster.wall + 3600, abs=1)
    cluster.jump_wall_clock("node2", -7200)
    assert cluster.wall_on("node2") == pytest.approx(cluster.wall - 3600, abs=1)
    cluster.set_watchdog_error("node2", early=1, late=timedelta(seconds=2))
    cluster.let_leases_run_long(5)
    cluster.set_unheard("node3", ["node1"])
    cluster.set_unheard("node3", [])
    cluster.run_for(600)
    assert cluster.places("ct:101") == ["node2"]
    with pytest.raises(pyha.SimulationError, match="no node"):
        cluster.set_clock("node9")


def test_daemons_are_started_where_they_are_missing(cluster: Cluster) -> None:
    cluster.stop_crm("node3")
    cluster.run_for(60)
    assert cluster.crm_state("node3") is None
    cluster.start_daemon_if_missing("node3", "crm")
    cluster.start_daemon_if_missing("node3", "crm")
    cluster.run_for(1)
    assert cluster.crm_state("node3") is not None
    cluster.stop_crm("node3")
    cluster.run_for(60)
    cluster.start_daemon("node3", "crm", after=timedelta(seconds=30))
    cluster.run_for(20)
    assert cluster.crm_state("node3") is None
    cluster.run_for(20)
    assert cluster.crm_state("node3") is not None


def test_people_lose_patience_with_a_shutdown(cluster: Cluster) -> None:
    cluster.fail("vm:100", "stop", "hangs")
    cluster.shutdown("node1")
    cluster.run_for(60)
    cluster.end_shutdowns()
    cluster.end_hung_jobs()
    cluster.wait_for(lambda cluster: cluster.is_online("node1") and cluster.places("vm:100"), within=900)


def test_a_cluster_can_be_asked_for_its_situation(cluster: Cluster) -> None:
    situation = cluster.situation()
    assert situation.status == cluster.manager_status
    assert situation.members == cluster.nodes
    assert situation.select_all(["vm:100", "ct:101"]) == {"vm:100": "node1", "ct:101": "node2"}
    with pytest.raises(pyha.PlacementError):
        situation.select_all(["vm:999"])
    explanation = situation.explain("vm:100")
    found = explanation.of("node1")
    assert found is not None
    assert found.fate == fates.Candidate()
    assert explanation.of("node9") is None
    histories = cluster.histories()
    assert sorted(histories) == ["ct:101", "vm:100"]
    assert histories["vm:100"] == cluster.history("vm:100")
    cluster.set_datacenter({"crs.ha": "static", "crs.ha-auto-rebalance": "1"})
    balance = cluster.situation().balance()
    assert balance.chosen is None or balance.chosen == balance.candidates[0]
    for value in (explanation, balance, *histories.values()):
        assert mistyped_fields(value) == []


def test_a_service_that_is_stuck_comes_with_advice(cluster: Cluster) -> None:
    cluster.destroy_guest("vm:100")
    view = cluster.view("node1")
    (stuck,) = [service for service in view.services if service.advice is not None]
    assert stuck.advice is not None
    assert stuck.advice.code == "remove_or_restore"
    assert str(stuck.advice).startswith("It no longer exists.")
    for part in (view.quorum, view.master, view.fencing, *view.lrms, *view.services, *view.lines()):
        assert mistyped_fields(part) == []


def test_a_scenario_up_to_a_moment() -> None:
    scenario = Scenario.read(EXAMPLES / "clusters/failover").until(timedelta(minutes=2))
    outcome = scenario.play()
    assert outcome.cluster.now == 120
    assert scenario.expectations < Scenario.read(EXAMPLES / "clusters/failover").expectations
