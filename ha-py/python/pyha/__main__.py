"""``python -m pyha``: for pipelines.

Exit codes: 0 all is well, 1 something was found, 2 it could not be done.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TextIO

import pyha
from pyha import sim

WELL, FOUND, FAILED = 0, 1, 2

_UNPLACED = "unplaced"


class UsageError(pyha.HaError):
    """Something about the arguments that their syntax does not say."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command, and gives the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options, sys.stdout)
    except (pyha.HaError, OSError, UnicodeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pyha",
        description="High availability as a library: check and plan configuration, play scenarios.",
        epilog="Exit codes: 0 all is well, 1 something was found, 2 it could not be done.",
    )
    commands = parser.add_subparsers(title="commands", required=True)

    check = commands.add_parser("check", help="problems of configuration files, and rules that cannot hold")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a file, or a folder with files")
    check.add_argument(
        "--nodes",
        type=_names,
        default=[],
        metavar="NODE,…",
        help="the nodes of the cluster: checks the rules of folders",
    )
    check.add_argument("--service-types", type=_names, default=[], metavar="TYPE,…", help="types beside vm and ct")
    _add_format(check)
    check.set_defaults(run=_check)

    plan = commands.add_parser("plan", help="where services go when nodes fail")
    plan.add_argument("folder", type=Path, metavar="DIR", help="a folder with configuration files")
    plan.add_argument(
        "--down", action="append", required=True, metavar="NODE", help="a node that fails; may be repeated"
    )
    plan.add_argument(
        "--status",
        type=Path,
        metavar="FILE",
        help="the manager status; by default DIR/manager_status.json, if it is there",
    )
    plan.add_argument(
        "--nodes",
        type=_names,
        default=[],
        metavar="NODE,…",
        help="the nodes of the cluster; without a status, all are online and services are where they would be put",
    )
    _add_format(plan)
    plan.set_defaults(run=_plan)

    simulate = commands.add_parser("simulate", help="plays a scenario, or replays a recorded one")
    simulate.add_argument("folder", type=Path, metavar="FOLDER", help="the folder of the scenario")
    _add_format(simulate)
    simulate.set_defaults(run=_simulate)
    return parser


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how results are printed")


def _names(text: str) -> list[str]:
    return [name for name in text.replace(",", " ").split() if name]


# check


def _check(options: argparse.Namespace, out: TextIO) -> int:
    found: list[dict[str, Any]] = []
    for path in options.files:
        if path.is_dir():
            found += _folder_problems(path, options.service_types, options.nodes)
        else:
            found += _file_problems(path, options.service_types)
    if options.format == "json":
        print(json.dumps(found, indent=2, ensure_ascii=False), file=out)
    else:
        for problem in found:
            line = f":{problem['line']}" if problem["line"] else ""
            print(f"{problem['file']}{line}: {problem['message']}", file=out)
    return FOUND if found else WELL


def _folder_problems(folder: Path, types: list[str], nodes: list[str]) -> list[dict[str, Any]]:
    files = [folder / f"{kind}.cfg" for kind in ("resources", "groups", "rules", "datacenter", "fence")]
    present = [file for file in files if file.exists()]
    if not present:
        raise UsageError(f"{folder} holds no configuration file")
    found = [problem for file in present for problem in _file_problems(file, types)]
    if nodes:
        rules = pyha.Configuration.read(folder, service_types=types).rule_set()
        file = folder / "rules.cfg"
        found += [
            _found(file, None, finding.reason.value, finding.text, finding.rule, None) for finding in rules.check(nodes)
        ]
    return found


def _file_problems(path: Path, types: list[str]) -> list[dict[str, Any]]:
    # By the end of its name, so that `old-rules.cfg` is a rules file.
    name = path.name
    problems: Iterable[pyha.Problem]
    if name.endswith("resources.cfg"):
        problems = pyha.ResourcesConfig.read(path, service_types=types).problems
    elif name.endswith("groups.cfg"):
        problems = pyha.GroupsConfig.read(path).problems
    elif name.endswith("rules.cfg"):
        problems = pyha.RulesConfig.read(path, service_types=types).problems
    elif name.endswith("nodes.cfg"):
        problems = pyha.NodesConfig.read(path).problems
    elif name.endswith("datacenter.cfg"):
        problems = pyha.DatacenterFile.read(path).problems
    elif name.endswith("fence.cfg"):
        faults = pyha.FenceConfig.read(path).faults
        return [_found(path, fault.line, fault.code, fault.text, None, None) for fault in faults]
    else:
        expected = "resources.cfg, groups.cfg, rules.cfg, nodes.cfg, datacenter.cfg or fence.cfg"
        raise UsageError(f"{path}: the name does not say what is in the file: expected one that ends with {expected}")
    return [
        _found(path, problem.line, problem.code, problem.message, problem.section, problem.property)
        for problem in problems
    ]


def _found(
    path: Path, line: int | None, code: str, message: str, section: str | None, property: str | None
) -> dict[str, Any]:
    return {
        "file": str(path),
        "line": line,
        "section": section,
        "property": property,
        "code": code,
        "message": message,
    }


# plan


def _plan(options: argparse.Namespace, out: TextIO) -> int:
    configuration = pyha.Configuration.read(options.folder)
    for file, problems in configuration.problems.items():
        for problem in problems:
            print(f"{file}: {problem}", file=sys.stderr)
    status = _status(options, configuration)
    members = options.nodes or list(status.nodes)
    recoveries = pyha.Situation(status, configuration, members).after_failure(options.down)
    if options.format == "json":
        data = [
            {"sid": found.sid, "from": found.from_, "to": found.to, "decided_by": found.decided_by.value}
            for found in recoveries
        ]
        print(json.dumps(data, indent=2), file=out)
    else:
        for found in recoveries:
            print(f"{found.sid}: {found.from_} → {found.to or 'nowhere'} ({found.decided_by})", file=out)
    return FOUND if any(found.to is None for found in recoveries) else WELL


def _status(options: argparse.Namespace, configuration: pyha.Configuration) -> pyha.ManagerStatus:
    default = options.folder / "manager_status.json"
    path = options.status or (default if default.exists() else None)
    if path is not None:
        return pyha.ManagerStatus.from_json(path.read_text(encoding="utf-8"))
    if not options.nodes:
        raise UsageError(f"there is no {default}: expected --status, or --nodes")
    return _usual_status(configuration, options.nodes)


def _usual_status(configuration: pyha.Configuration, nodes: list[str]) -> pyha.ManagerStatus:
    """All nodes online, and every service where it would be put, one after the other."""
    services = [
        resource.sid
        for resource in configuration.resources.values()
        if resource.state in (pyha.RequestedState.STARTED, pyha.RequestedState.STOPPED)
    ]
    states = dict.fromkeys(nodes, "online")
    entries = {sid: {"state": "started", "running": 1, "node": _UNPLACED} for sid in services}
    unplaced = pyha.ManagerStatus({"node_status": {**states, _UNPLACED: "unknown"}, "service_status": entries})
    placed = {}
    for found in pyha.Situation(unplaced, configuration, nodes).after_failure([_UNPLACED]):
        if found.to is None:
            print(f"{found.sid} can't be put anywhere, even with all nodes online", file=sys.stderr)
        else:
            placed[found.sid] = {"state": "started", "running": 1, "node": found.to}
    return pyha.ManagerStatus({"node_status": states, "service_status": placed})


# simulate


def _simulate(options: argparse.Namespace, out: TextIO) -> int:
    def show(played: sim.Happening | sim.Failure) -> None:
        if options.format == "json":
            print(json.dumps(_played(played)), file=out)
        elif isinstance(played, sim.Failure):
            print(f"{played.time:10.3f} s  scenario: ✗ line {played.line}: {played.message}", file=out)
        else:
            print(played, file=out)

    if sim.Scenario.is_in(options.folder):
        outcome = sim.Scenario.read(options.folder).play(show)
        try:
            outcome.raise_for_failures()
        except (AssertionError, pyha.RanTwiceError) as error:
            print(f"failed: {error}", file=sys.stderr)
        return WELL if outcome.passed else FOUND
    if not (options.folder / "cmdlist").exists():
        raise UsageError(f"{options.folder} holds neither a scenario nor a recorded one")
    replay = sim.Replay(options.folder)
    for happening in replay.happenings():
        show(happening)
    for message in replay.errors:
        print(f"error: {message}", file=sys.stderr)
    return FOUND if replay.errors else WELL


def _played(played: sim.Happening | sim.Failure) -> dict[str, Any]:
    if isinstance(played, sim.Happening):
        return played.to_dict()
    return {
        "t": played.time,
        "src": "scenario",
        "event": "expectation_failed",
        "line": played.line,
        "message": played.message,
    }


def _exit() -> NoReturn:
    sys.exit(main())


if __name__ == "__main__":
    _exit()
