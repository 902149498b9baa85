"""Values: equality, hashing, pickling, copies, texts."""

from __future__ import annotations

import copy
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
    pyha.Rule("home", ["vm:100"], nodes={"node1": 1}, strict=True),
    pyha.Rule("apart", ["vm:100", "vm:101"], affinity="negative", disable=True),
    pyha.Command("migrate vm:100 node2"),
    pyha.Timings(),
    pyha.TimingSettings(watchdog_timeout=timedelta(seconds=61)),
    pyha.StateName.STARTED,
    events.ServiceState("vm:100", pyha.StateName.STARTED, pyha.StateName.FENCE, node="node1"),
    events.Disarmed(),
    fates.KeptApart(("vm:101",), ("apart",)),
    changes.NodeOnline("node1", pyha.NodeState.UNKNOWN),
    sim_events.NodeBooted("node1"),
    pyha.Wait(1.5, pyha.WaitReason.JOBS),
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
    assert pyha.StateName.STARTED == "started"
    assert {"started": 1}[pyha.StateName.STARTED] == 1
    assert f"{pyha.StateName.STARTED:>8}" == " started"


def test_every_event_has_a_sentence_and_a_severity() -> None:
    from typing import Any, get_type_hints

    def some(hint: Any) -> Any:
        if hint is str:
            return "ha_manager_lock" if False else "vm1"
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
        for name in hints:
            if name in ("sid", "with_", "blocking"):
                values[name] = "vm:100"
            elif name == "lock" and cls.__name__ == "LockAcquired":
                values[name] = "ha_agent_node1_lock"
            elif name == "failed_nodes":
                values[name] = ("node1",)
        event = cls(**values)
        assert isinstance(event, pyha.Event)
        assert str(event)
        assert event.severity in pyha.Severity
        assert pyha.Event.from_dict(event.to_dict()) == event
        tried += 1
    assert tried > 80


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
    with pytest.raises(TypeError, match="either 'nodes'"):
        pyha.Rule("x1", ["vm:100"])
    with pytest.raises(TypeError, match="not one text"):
        pyha.Rule("x1", "vm:100", affinity="positive")
    with pytest.raises(ValueError, match="not a kind of Event"):
        pyha.Event.from_dict({"event": "party"})
    with pytest.raises(ValueError, match="must not be negative"):
        Cluster(["node1"]).run_for(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="expected seconds"):
        Cluster(["node1"]).run_for(float("nan"))


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
