"""The examples of the documentation do what they say."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import EXAMPLES

_SOURCE = os.environ.get("PYHA_SOURCE")
REPOSITORY_PAGE = Path(_SOURCE, "repository.md") if _SOURCE else Path(__file__).resolve().parents[2] / "README.md"

MODULES = [
    "pyha",
    "pyha._data",
    "pyha._native",
    "pyha.asyncio",
    "pyha.changes",
    "pyha.errors",
    "pyha.events",
    "pyha.fates",
    "pyha.host",
    "pyha.outcomes",
    "pyha.records",
    "pyha.sim",
    "pyha.sim.events",
    "pyha.sim.words",
    "pyha.testing",
    "pyha.typing",
    "pyha.values",
    "pyha.words",
]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module)
    assert failed == 0


def test_most_examples_are_found() -> None:
    finder = doctest.DocTestFinder()
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(found) >= 25, [test.name for test in found]


def test_the_example_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Path(__file__).resolve().parents[1]
    page = (
        Path(os.environ["PYHA_SOURCE"]) / "repository.md" if "PYHA_SOURCE" in os.environ else here.parent / "README.md"
    )
    _, _, after = page.read_text(encoding="utf-8").partition("## Embed it in Python")
    example = after.split("```python\n")[1].split("```")[0]
    folder = tmp_path / "clusters/prod"
    folder.mkdir(parents=True)
    (folder / "resources.cfg").write_text("vm: 100\n\nvm: 101\n")
    (folder / "rules.cfg").write_text("node-affinity: home\n\tnodes node1\n\tresources vm:101\n\tstrict 1\n")
    entry = {"state": "started", "node": "node1", "running": 1}
    nodes = {"node1": "online", "node2": "online"}
    status = {"node_status": nodes, "service_status": {"vm:100": entry, "vm:101": entry}}
    (folder / "manager_status.json").write_text(json.dumps(status))
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert capsys.readouterr().out == "vm:100 goes to node2\nvm:101 goes to NO NODE\n"


def documents() -> list[Path]:
    root = Path(os.environ.get("PYHA_SOURCE", Path(__file__).resolve().parents[1]))
    return [root / "README.md", *sorted((root / "docs").glob("*.rst"))]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_pages(path: Path) -> None:
    failed, _ = doctest.testfile(str(path), module_relative=False, encoding="utf-8")
    assert failed == 0


@pytest.mark.parametrize("name", ["host.py", "timeline.py"])
def test_programs(name: str, tmp_path: Path) -> None:
    path = EXAMPLES / "python" / name
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "vm:100" in done.stdout


def test_the_check_of_a_repository(tmp_path: Path) -> None:
    (tmp_path / "nodes").write_text("node1 node2\n")
    (tmp_path / "resources.cfg").write_text("vm: 100\n")
    script = [sys.executable, str(EXAMPLES / "python/check_repository.py"), str(tmp_path)]
    assert subprocess.run(script, check=False).returncode == 0
    (tmp_path / "rules.cfg").write_text("node-affinity: home\n\tnodes node1\n\tresources vm:100\n\tstrict 1\n")
    done = subprocess.run(script, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "vm:100 has no place when node1 fails\n")
