"""A check for the CI of a repository that holds the configuration of clusters, a folder each.

    python check_repository.py clusters/*

It wants files without problems, rules that hold, and a place for every service whichever single node fails. The nodes
are listed in a file ``nodes`` of each folder.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pyha


def complaints(folder: Path) -> Iterator[str]:
    """What is wrong with one cluster's configuration."""
    configuration = pyha.Configuration.read(folder)
    for file, problems in configuration.problems.items():
        for problem in problems:
            yield f"{folder / file}:{problem.line}: {problem.message}"
    nodes = (folder / "nodes").read_text(encoding="utf-8").split()
    for finding in configuration.rule_set().check(nodes):
        yield f"{folder / 'rules.cfg'}: {finding}"
    yield from homeless(configuration, nodes)


def homeless(configuration: pyha.Configuration, nodes: list[str]) -> Iterator[str]:
    """Services that would have no place if one node failed."""
    resources = configuration.resources
    wanted = [sid for sid in resources if resources[sid].state == pyha.RequestedState.STARTED]
    for node in nodes:
        states = {name: "unknown" if name == node else "online" for name in nodes}
        entries = {sid: {"state": "started", "running": 1, "node": node} for sid in wanted}
        status = pyha.ManagerStatus({"node_status": states, "service_status": entries})
        for recovery in pyha.Situation(status, configuration, nodes).after_failure([node]):
            if recovery.to is None:
                yield f"{recovery.sid} has no place when {node} fails"


def main(folders: list[str]) -> int:
    """Checks folders, and gives the exit code."""
    found = [complaint for folder in folders for complaint in complaints(Path(folder))]
    for complaint in found:
        print(complaint)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
