"""Values: equality, hashing, pickling, copies, texts."""

from __future__ import annotations

import copy
import dataclasses
import importlib.metadata
import pickle
from datetime import timedelta

import pyha
import pytest
from pyha import changes, events, fates
from pyha.sim import Cluster, ClusterEvent, GuestSetup, NodeSetup
from pyha.sim import events as sim_events

VALUES = [
    pyha.Resource("vm:100", state="stopped", max_restart=3, comment="a ü b"),
    pyha.Group("web", {"node1": 2, "node2": 1}, restricted=True),
    pyha.NodeLabels("node1", failure_domain="rack-a", comment="left"),
    pyha.Rule("home", ["vm:100"], nodes={"node1": 1}, strict=True),
    pyha.Rule("apart", ["vm:100", "vm:101"], affinity="negative", disable=True),
    pyha.Rule("apart", ["vm:100", "vm:101"], affinity="negative", strict=False),
    pyha.Rule("apart", ["vm:100", "vm:101"], affinity="negative", spread="failure-domain"),
    pyha.Command("migrate vm:100 node2"),
    pyha.Timings(),
    pyha.TimingSettings(watchdog_timeout=timedelta(seconds=61)),
    pyha.StateName.STARTED,
    events.ServiceState("vm:100", pyha.StateName.STARTED, pyha.StateName.FENCE, node="node1"),
    events.Disarmed(),
    fates.KeptApart(("vm:101",), ("apart",)),
    fates.RatherApart(("vm:101",), ("apart",)),
    fates.KeptApart(("vm:101",), ("apart",), "rack-a"),
    changes.NodeOnline("node1", pyha.NodeState.UNKNOWN),
    sim_events.NodeBooted("node1"),
    pyha.Wait(1.5, pyha.WaitReason.JOBS, True),
    pyha.ServiceEntry("vm:100", {"state": "started", "node": "node1", "running": 1, "uid": "a.1"}),
    pyha.JobResult("vm:100", "started", 0),
    NodeSetup("node1"),
    GuestSetup("vm:100", "node1"),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_can_be_pickled_copied_hashed_and_shown(value: object) -> None:
    for twin in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert twin == value
        assert hash(twin) == hash(value)
    assert type(value).__name__ in repr(value)
    assert value != object()
    assert len({*VALUES}) == len(VALUES)


def test_records_can_be_pickled() -> None:
    status = pyha.ManagerStatus({"node_status": {"node1": "online"}, "service_status": {}})
    assert pickle.loads(pickle.dumps(status)) == status
    lrm = pyha.LrmStatus({"state": "active", "mode": "active", "timestamp": 1, "results": {}})
    assert pickle.loads(pickle.dumps(lrm)) == lrm


def test_errors_can_be_pickled_with_their_attributes() -> None:
    with pytest.raises(pyha.ConfigError) as caught:
        pyha.ResourcesConfig.parse("vm: 100\n\tcolour blue\n").raise_for_problems()
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (twin.line, twin.section, twin.field, twin.code) == (2, "vm: 100", "colour", "unknown_property")
    assert twin.problems == caught.value.problems
    assert str(twin) == str(caught.value)


def test_words_are_equal_to_their_texts() -> None:
    text: str = "started"
    assert text == pyha.StateName.STARTED
    assert {"started": 1}[pyha.StateName.STARTED] == 1
    assert f"{pyha.StateName.STARTED:>8}" == " started"


def test_every_event_has_a_sentence_and_a_severity() -> None:
    from typing import Any, get_type_hints

    def some(hint: Any) -> Any:
        if hint is str:
            return "vm1"
        if hint in (int, float):
            return 1
        if hint is bool:
            return True
        if isinstance(hint, type) and issubclass(hint, pyha.Word):
            return next(iter(hint))
        return None

    tried = 0
    for cls in pyha.Event._variants.values():
        hints = {name: hint for name, hint in get_type_hints(cls).items() if not name.startswith("_")}
        values = {name: some(hint) for name, hint in hints.items()}
        for name, hint in hints.items():
            if name in ("sid", "blocking") or (name == "with_" and hint in (str, str | None)):
                values[name] = "vm:100"
            elif name == "lock" and cls.__name__ == "LockAcquired":
                values[name] = "ha_agent_node1_lock"
            elif name in ("services", "waits_for", "missing", "with_"):
                values[name] = ("vm:100",)
            elif name == "failed_nodes":
                values[name] = ("node1",)
        event = cls(**values)
        assert isinstance(event, pyha.Event)
        assert str(event)
        assert event.severity in pyha.Severity
        assert pyha.Event.from_dict(event.to_dict()) == event
        tried += 1
    assert tried > 80


def test_what_recorded_scenarios_have_is_told_apart() -> None:
    assert events.AgentStarted("vm:100").is_recorded
    assert not events.NodeNotFenced("node1").is_recorded


def test_every_event_of_a_virtual_cluster_has_a_sentence() -> None:
    for cls in ClusterEvent._variants.values():
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]
        event = cls(*["crm" for _ in fields])
        assert str(event)
        assert ClusterEvent.from_dict(event.to_dict()) == event


def test_events_can_be_matched_by_their_fields() -> None:
    event: pyha.Event = events.ServiceState("vm:100", pyha.StateName.STARTED, pyha.StateName.FENCE)
    match event:
        case events.ServiceState(sid=sid, to=pyha.StateName.FENCE):
            assert sid == "vm:100"
        case _:
            pytest.fail("no match")


def test_bad_values_say_what_is_expected() -> None:
    with pytest.raises(pyha.InvalidValueError, match="is not a service id"):
        pyha.Resource("nothing")
    with pytest.raises(ValueError, match="'on' is not a requested state: expected 'started'"):
        pyha.Resource("vm:100", state="on")
    with pytest.raises(ValueError, match="priority is from 0 to 1000, not 1001"):
        pyha.Resource("vm:100", priority=1001)
    for name in (
        "failback_delay",
        "failure_timeout",
        "probe_interval",
        "probe_timeout",
        "probe_failures",
        "ready_timeout",
    ):
        with pytest.raises(ValueError, match=f"{name} is at least 1, not 0"):
            pyha.Resource("vm:100", **{name: 0})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected 'agent', 'tcp:PORT'"):
        pyha.Resource("vm:100", probe="udp:53")
    with pytest.raises(TypeError, match="a rule has 'resources' with 'nodes'"):
        pyha.Rule("x1", ["vm:100"])
    with pytest.raises(TypeError, match="not one text"):
        pyha.Rule("x1", "vm:100", affinity="positive")
    with pytest.raises(ValueError, match="not a kind of Event"):
        pyha.Event.from_dict({"event": "party"})
    with pytest.raises(ValueError, match="must not be negative"):
        Cluster(["node1"]).run_for(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="expected seconds"):
        Cluster(["node1"]).run_for(float("nan"))


def test_every_error_can_be_pickled() -> None:
    errors = [cls for cls in vars(pyha).values() if isinstance(cls, type) and issubclass(cls, pyha.HaError)]
    assert len(errors) >= 12
    for cls in errors:
        error = cls("what")
        twin = pickle.loads(pickle.dumps(error))
        assert "what" in str(error)
        assert (type(twin), str(twin), vars(twin)) == (cls, str(error), vars(error))


def test_the_version_is_that_of_the_package() -> None:
    assert pyha.__version__ == importlib.metadata.version("pyha")


def test_every_error_is_an_ha_error() -> None:
    for name in dir(pyha):
        cls = getattr(pyha, name)
        if isinstance(cls, type) and issubclass(cls, Exception):
            assert issubclass(cls, pyha.HaError), name


def test_classes_of_cluster_events_are_known() -> None:
    assert ClusterEvent.from_dict({"event": "node_down", "node": "n1"}) == sim_events.NodeDown("n1")
    assert str(sim_events.RoundSkipped("crm")) == "no crm does its round"


def test_timings_say_what_does_not_hold_and_how_to_mend_it() -> None:
    with pytest.raises(pyha.TimingError) as caught:
        pyha.Timings(pyha.TimingSettings(lock_lifetime=timedelta(seconds=70), clock_drift_ppm=500_000))
    by_setting = {violation.setting: violation for violation in caught.value.violations}
    assert by_setting["clock_drift_ppm"].value == 100_000
    assert by_setting["clock_drift_ppm"].inequality is pyha.Inequality.SETTING_AT_MOST
    hasty = pyha.TimingSettings(lock_lifetime=timedelta(seconds=70))
    with pytest.raises(pyha.TimingError) as caught:
        pyha.Timings.validate(hasty)
    mended = {violation.setting: violation.value for violation in caught.value.violations}
    assert pyha.Timings(pyha.TimingSettings(**mended)).settings.lock_lifetime > timedelta(seconds=70)  # type: ignore[arg-type]
    assert pyha.Timings.fast().recovery().longest < timedelta(seconds=15)
    assert pyha.Timings().feed_deadline(10) > 10


def test_a_violation_has_its_numbers() -> None:
    with pytest.raises(pyha.TimingError) as caught:
        pyha.Timings(pyha.TimingSettings(lock_lifetime=timedelta(seconds=70)))
    violation = caught.value.violations[0]
    assert violation.inequality is pyha.Inequality.LOCK_OUTLIVES_WATCHDOG
    assert (violation.setting, violation.present) == ("lock_lifetime", timedelta(seconds=70))
    assert isinstance(violation.lesser, timedelta)
    assert isinstance(violation.greater, timedelta)
    assert violation.lesser >= violation.greater
    assert not violation.may_be_equal


def test_bounds_of_timings_are_those_that_are_checked() -> None:
    bounds = pyha.Timings.bounds()
    assert bounds.keys() <= {field.name for field in dataclasses.fields(pyha.TimingSettings)}
    assert bounds["clock_drift_ppm"] == (0, 100_000)
    for name, (_, highest) in bounds.items():
        beyond = highest + (timedelta(milliseconds=1) if isinstance(highest, timedelta) else 1)  # type: ignore[operator]
        with pytest.raises(pyha.TimingError) as caught:
            pyha.Timings(pyha.TimingSettings(**{name: beyond}))  # type: ignore[arg-type]
        assert ("setting_at_most", name) in [(v.inequality, v.setting) for v in caught.value.violations]


def test_versions_are_compared_by_their_parts() -> None:
    assert pyha.compare_versions("9.0.0~2", "9.0.0~16") == -1
    assert pyha.compare_versions("9.1.2", "9.0.10") == 1
    assert pyha.compare_versions("9.0", "9.0") == 0


def test_a_record_has_what_its_data_says() -> None:
    data = {
        "state": "active",
        "mode": "active",
        "results": {"u.1": {"sid": "vm:100", "state": "started", "exit_code": 1}},
    }
    assert pyha.LrmStatus(data).results == {"u.1": pyha.JobResult("vm:100", "started", pyha.ExitCode.ERROR)}
    assert pyha.LrmStatus(data).writer is None
    written = pyha.LrmStatus({**data, "writer": {"machine": "m", "boot": "b"}})
    assert written.writer == pyha.Writer("m", "b")
    entry = {"state": "migrate", "node": "node1", "target": "node2", "uid": "a.1"}
    nodes = {"node1": "online"}
    status = pyha.ManagerStatus(
        {"node_status": nodes, "service_status": {"vm:100": entry}, "unguarded": ["node1"], "may_run": ["vm:100"]}
    )
    assert status.unguarded == ["node1"]
    assert status.may_run == ["vm:100"]
    assert status.is_online("node1")
    assert not status.is_online("node9")
    assert not status.is_disarmed
    assert status.services == pickle.loads(pickle.dumps(status)).services
    assert status.services["vm:100"] == pyha.ServiceEntry("vm:100", entry)
    assert pyha.ServiceEntry("vm:100", entry).to_dict() == entry
    with pytest.raises(pyha.StatusError):
        pyha.ServiceEntry("vm:100", {"state": "party"})
