"""The recorded scenarios, where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import recorded_scenarios
from pyha import Event
from pyha.sim import Replay, check_recorded
from typed import mistyped_fields


@pytest.mark.parametrize("folder", recorded_scenarios())
def test_the_replay_is_what_was_recorded(folder: Path) -> None:
    assert check_recorded(folder) is None


@pytest.mark.parametrize("folder", recorded_scenarios())
def test_events_as_objects_say_what_was_recorded(folder: Path) -> None:
    trace = (folder / "trace.jsonl").read_text(encoding="utf-8")
    expected = [json.loads(line) for line in trace.splitlines() if line.strip()]
    replay = Replay(folder)
    assert replay.errors == []
    happenings = replay.happenings()
    recorded = [h for h in happenings if not isinstance(h.event, Event) or h.event.is_recorded]
    assert len(recorded) == len(expected)
    for happening, known in zip(recorded, expected, strict=True):
        # Events carry causes that were not recorded.
        assert {key: value for key, value in happening.to_dict().items() if key in known} == known
    for happening in happenings:
        assert str(happening.event)
        assert mistyped_fields(happening) == []
        if isinstance(happening.event, Event):
            assert Event.from_dict(happening.event.to_dict()) == happening.event


@pytest.mark.parametrize("folder", recorded_scenarios()[:3])
def test_a_replay_up_to_a_moment_can_be_asked(folder: Path) -> None:
    replay = Replay(folder, until=300)
    assert 300 <= replay.now < Replay(folder).now
    status = replay.manager_status
    assert status is not None
    situation = replay.situation()
    assert situation.status == status
    for sid in status.services:
        assert mistyped_fields(situation.explain(sid)) == []
