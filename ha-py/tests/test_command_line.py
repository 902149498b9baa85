"""``python -m pyha``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import EXAMPLES, recorded_scenarios
from pyha.__main__ import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "resources.cfg").write_text("vm: 100\n\nvm: 101\n")
    (tmp_path / "rules.cfg").write_text("node-affinity: home\n\tnodes node1\n\tresources vm:100\n\tstrict 1\n")
    return tmp_path


def test_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder)]) == 0
    assert capsys.readouterr().out == ""
    bad = folder / "old-resources.cfg"
    bad.write_text("vm: 100\n\tstate on\n")
    assert main(["check", str(folder / "rules.cfg"), str(bad)]) == 1
    assert capsys.readouterr().out.startswith(f"{bad}:2: 'on' is not a requested state")
    assert main(["check", str(bad), "--format", "json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["line"], found["section"], found["property"], found["code"]) == (2, "vm: 100", "state", "bad_value")
    (folder / "fence.cfg").write_text("hello\n")
    assert main(["check", str(folder)]) == 1
    assert "no kind of line" in capsys.readouterr().out


def test_check_of_rules_for_nodes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "rules.cfg").write_text("resource-affinity: apart\n\taffinity negative\n\tresources vm:100,vm:101\n")
    assert main(["check", str(folder), "--nodes", "node1,node2"]) == 0
    assert main(["check", str(folder), "--nodes", "node1", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["code"] == "more_resources_than_nodes"


def test_what_cannot_be_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "none.cfg")]) == 2
    assert "the name does not say" in capsys.readouterr().err
    assert main(["check", str(folder / "no-rules.cfg")]) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["plan", str(folder), "--down", "node1"]) == 2
    assert "expected --status, or --nodes" in capsys.readouterr().err
    assert main(["plan", str(folder), "--down", "node9", "--nodes", "node1"]) == 2
    assert "no node 'node9'" in capsys.readouterr().err
    assert main(["simulate", str(folder)]) == 2
    with pytest.raises(SystemExit) as caught:
        main(["fly"])
    assert caught.value.code == 2
    capsys.readouterr()


def test_plan(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nodes = ["--nodes", "node1,node2"]
    assert main(["plan", str(folder), "--down", "node2", *nodes]) == 0
    assert capsys.readouterr().out == "vm:101: node2 → node1 (lowest_load)\n"
    assert main(["plan", str(folder), "--down", "node1", *nodes, "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == [
        {"sid": "vm:100", "from": "node1", "to": None, "decided_by": "nothing_allowed"}
    ]
    status = {
        "node_status": {"node1": "online", "node2": "online"},
        "service_status": {"vm:101": {"state": "started", "running": 1, "node": "node1"}},
    }
    (folder / "manager_status.json").write_text(json.dumps(status))
    assert main(["plan", str(folder), "--down", "node1"]) == 0
    assert capsys.readouterr().out == "vm:101: node1 → node2 (lowest_load)\n"


def test_simulate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(EXAMPLES / "clusters/failover"), "--format", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any(event["event"] == "notify_fence_succeeded" for event in events)
    (tmp_path / "scenario").write_text("nodes node1\nat 1m  expect node1 off\n")
    (tmp_path / "resources.cfg").write_text("")
    assert main(["simulate", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert "✗ line 2" in captured.out
    assert "failed: line 2" in captured.err


@pytest.mark.parametrize("folder", recorded_scenarios()[:1])
def test_simulate_a_recorded_scenario(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(folder)]) == 0
    assert "takes ha_manager_lock" in capsys.readouterr().out


def test_it_is_a_module_that_can_be_run() -> None:
    done = subprocess.run([sys.executable, "-m", "pyha", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "check" in done.stdout
    done = subprocess.run([sys.executable, "-m", "pyha", "check", "x.cfg"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
