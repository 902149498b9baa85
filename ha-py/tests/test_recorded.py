"""The recorded scenarios, where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import recorded_scenarios
from pyha import Event
from pyha.sim import Replay, check_recorded

# Events that say more than the recorded scenarios do.
BEYOND = {
    "node_forgotten",
    "service_not_found",
    "fence_device_succeeded",
    "fence_device_failed",
    "fence_devices_exhausted",
    "scheduler_fallback",
    "command_unknown",
    "group_migration_obstacle",
    "rule_dropped",
    "host_call_failed",
    "watchdog_feed_too_late",
    "round_not_settled",
}


@pytest.mark.parametrize("folder", recorded_scenarios())
def test_the_replay_is_what_was_recorded(folder: Path) -> None:
    assert check_recorded(folder) is None


@pytest.mark.parametrize("folder", recorded_scenarios())
def test_events_as_objects_say_what_was_recorded(folder: Path) -> None:
    trace = (folder / "trace.jsonl").read_text(encoding="utf-8")
    expected = [json.loads(line) for line in trace.splitlines() if line.strip()]
    replay = Replay(folder)
    assert replay.errors == []
    got = [happening.to_dict() for happening in replay.happenings()]
    assert [data for data in got if data["event"] not in BEYOND] == [rounded(data) for data in expected]
    for happening in replay.happenings():
        assert str(happening.event)
        if isinstance(happening.event, Event):
            assert Event.from_dict(happening.event.to_dict()) == happening.event


def rounded(data: dict[str, object]) -> dict[str, object]:
    return data
