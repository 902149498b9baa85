"""The vectors that every language face of the library runs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pyha
import pytest
from conftest import vectors

FILES: dict[str, Any] = {
    "resources.cfg": pyha.ResourcesConfig,
    "groups.cfg": pyha.GroupsConfig,
    "rules.cfg": pyha.RulesConfig,
    "nodes.cfg": pyha.NodesConfig,
    "datacenter.cfg": pyha.DatacenterFile,
}


def contents(case: dict[str, Any], key: str) -> bytes:
    if key in case:
        text: str = case[key]
        return text.encode()
    return bytes.fromhex(case[f"{key}_hex"])


def sections_of(file: str, config: Any) -> list[dict[str, Any]]:
    def header(item: Any) -> tuple[str, str]:
        if file == "resources.cfg":
            kind, _, name = item.sid.partition(":")
            return kind, name
        if file == "nodes.cfg":
            return "node", item.node
        return ("group" if file == "groups.cfg" else item.type.value), item.id

    return [{"type": header(item)[0], "id": header(item)[1], "properties": item.properties} for item in config.values()]


def settings_of(config: pyha.DatacenterConfig) -> dict[str, Any]:
    from pyha._data import plain

    data = plain(config)
    assert isinstance(data, dict)
    return data


def with_defaults(settings: dict[str, Any]) -> dict[str, Any]:
    expected = settings_of(pyha.DatacenterFile.parse("").config)
    for key, value in settings.items():
        if isinstance(value, dict):
            expected[key].update(value)
        else:
            expected[key] = value
    return expected


def problem_of(problem: pyha.Problem) -> dict[str, Any]:
    found = {
        "line": problem.line,
        "section": problem.section,
        "property": problem.property,
        "code": problem.code,
        "value_code": problem.value_code,
    }
    return found if problem.value_code else {key: value for key, value in found.items() if key != "value_code"}


def parse(case: dict[str, Any], bytes_: bytes) -> Any:
    options = {"service_types": case["service_types"]} if case.get("service_types") else {}
    return FILES[case["file"]].parse(bytes_, **options)


@pytest.mark.parametrize("case", vectors("config"))
def test_config(case: dict[str, Any]) -> None:
    file = case["file"]
    if file == "datacenter.json":
        if "error" in case:
            with pytest.raises(pyha.ConfigError) as caught:
                pyha.DatacenterFile.settings_from_json(case["input"])
            assert caught.value.code == case["error"]
        else:
            found = pyha.DatacenterFile.settings_from_json(case["input"])
            assert settings_of(found) == with_defaults(case["settings"])
        return
    config = parse(case, contents(case, "input"))
    if file == "datacenter.cfg":
        assert settings_of(config.config) == with_defaults(case["settings"])
    else:
        assert sections_of(file, config) == case["sections"]
    assert [problem_of(problem) for problem in config.problems] == case["problems"]
    if "digest" in case:
        assert config.digest == case["digest"]
    output = contents(case, "output")
    assert config.to_bytes() == output
    again = parse(case, output)
    assert again.to_bytes() == output
    if case["problems"]:
        with pytest.raises(pyha.ConfigError) as caught:
            config.raise_for_problems()
        first = case["problems"][0]
        assert (caught.value.line, caught.value.section, caught.value.field, caught.value.code) == (
            first["line"],
            first["section"],
            first["property"],
            first["code"],
        )
    else:
        config.raise_for_problems()


@pytest.mark.parametrize("case", vectors("config/edit"))
def test_edit(case: dict[str, Any]) -> None:
    before = {name: case["before"].get(name, "") for name in ("resources.cfg", "groups.cfg", "rules.cfg", "nodes.cfg")}
    configuration = pyha.Configuration(
        resources=before["resources.cfg"],
        groups=before["groups.cfg"],
        rules=before["rules.cfg"],
        nodes=before["nodes.cfg"],
    )
    unchanged = {name: FILES[name].parse(text).to_bytes() for name, text in before.items()}
    edit = case["edit"]
    editor: Any = configuration.editor(
        nodes=case.get("nodes", []),
        in_error=case.get("in_error", []),
        guest_types=case.get("guests", {}),
        seen=edit.get("seen"),
    )
    call = edit["call"]
    changes = [tuple(pair) for pair in edit.get("set", [])]

    def run() -> object:
        if call == "remove_resource":
            return editor.remove_resource(edit["id"], purge=edit.get("purge", True))
        if call.startswith("remove_"):
            return getattr(editor, call)(edit["id"])
        if call == "add_rule":
            return editor.add_rule(edit["rule_type"], edit["id"], changes)
        if call.startswith("add_"):
            return getattr(editor, call)(edit["id"], changes)
        return getattr(editor, call)(edit["id"], changes, unset=edit.get("unset", []))

    if "error" in case:
        with pytest.raises(pyha.EditError) as caught:
            run()
        assert caught.value.code == case["error"]
        faults = [{"property": fault.property, "code": fault.code} for fault in caught.value.faults]
        assert faults == case.get("faults", [])
        expected = unchanged
    else:
        run()
        expected = unchanged | {name: text.encode() for name, text in case["after"].items()}
    found = {
        "resources.cfg": configuration.resources.to_bytes(),
        "groups.cfg": configuration.groups.to_bytes(),
        "rules.cfg": configuration.rules.to_bytes(),
        "nodes.cfg": configuration.nodes.to_bytes(),
    }
    assert found == expected


@pytest.mark.parametrize("case", vectors("rules"))
def test_rules(case: dict[str, Any]) -> None:
    lines = "\n".join(case["rules_cfg"])
    sections = lines.split("\n\n")
    reports = []
    for text in (lines, "\n\n".join(reversed(sections))):
        configuration = pyha.Configuration(rules=text, nodes="\n".join(case.get("nodes_cfg", [])))
        configuration.raise_for_problems()
        report = configuration.rule_set().evaluate(case["nodes"]).report()
        assert report.pop("nodes") == case["nodes"]
        reports.append(report)
    assert reports == [case["expect"], case["expect"]]


@pytest.mark.parametrize("case", vectors("fence"))
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_fence(case: dict[str, Any], end: str) -> None:
    fence = pyha.FenceConfig.parse(end.join(case["fence_cfg"]))
    assert fence.report(case["nodes"]) == case["expect"]
    warnings = [{"line": fault.line, "warning": fault.code} for fault in fence.faults if not fault.fatal]
    assert warnings == case["warnings"]


@pytest.mark.parametrize("case", vectors("history"))
def test_history(case: dict[str, Any]) -> None:
    entries = case["entries"]
    if "error" in case:
        line, says = case["error"]["line"], case["error"]["says"]
        for refuse in (pyha.history_failovers, lambda kept: pyha.history_counted(None, kept)):
            with pytest.raises(pyha.InvalidValueError, match=f"entry {line}: ") as caught:
                refuse(entries)
            assert all(part in str(caught.value) for part in says)
        with pytest.raises(pyha.InvalidValueError) as alone:
            pyha.history_entry(entries[line - 1])
        assert all(part in str(alone.value) for part in says)
        return
    assert [pyha.history_entry(begun) for begun in case["begun"]] == entries
    counted = pyha.history_counted(pyha.history_counted(None, entries[: case["first"]]), entries)
    assert counted == case["counted"]
    assert pyha.history_counted(counted, entries) is None
    changed: dict[str, Any] = {
        name.removesuffix("_s"): timedelta(seconds=value) for name, value in case["timings"].items()
    }
    timings = pyha.Timings(pyha.TimingSettings(**changed))
    assert pyha.history_failovers(entries, timings) == case["failovers"]


RECORDS: dict[str, Any] = {"manager_status": pyha.ManagerStatus, "lrm_status": pyha.LrmStatus}


@pytest.mark.parametrize("case", vectors("status"))
def test_status(case: dict[str, Any]) -> None:
    expect = case["expect"]
    if case["kind"] in RECORDS:
        text = case["text"] if "text" in case else json.dumps(case["record"])
        record = RECORDS[case["kind"]]
        if "error" not in expect:
            found = record.from_json(text)
            if "text" in expect:
                assert found.to_json() == expect["text"]
            else:
                assert json.loads(found.to_json()) == found.to_dict() == expect["record"]
            assert record.from_json(found.to_json()) == found
            if "text" not in expect:
                assert record(found.to_dict()) == found
            return
        with pytest.raises(pyha.StatusError) as caught:
            record.from_json(text)
        error = expect["error"]
        assert all(part in str(caught.value) for part in error["says"])
        if "path" in error:
            assert caught.value.path == error["path"]
        else:
            assert (caught.value.line, caught.value.column) == (error.get("line"), error.get("column"))
    elif case["kind"] == "command":
        if "error" in expect:
            with pytest.raises(pyha.InvalidValueError) as refused:
                pyha.Command(case["line"])
            assert all(part in str(refused.value) for part in expect["error"]["says"])
        else:
            assert str(pyha.Command(case["line"])) == expect["line"]
    else:
        view = view_of(case["input"])
        assert [str(line) for line in view.lines()] == expect["lines"]
        if "view" in expect:
            assert view.to_dict() == expect["view"]


def view_of(given: dict[str, Any]) -> pyha.ClusterView:
    return pyha.ClusterView(
        given["own_node"],
        quorate=given["quorate"],
        now=given["now"],
        manager=pyha.ManagerStatus(given["manager"]),
        lrms={node: None if record is None else pyha.LrmStatus(record) for node, record in given["lrms"].items()},
        resources=pyha.ResourcesConfig([pyha.Resource(sid, state=state) for sid, state in given["resources"].items()]),
        locations=given.get("locations"),
        scheduler=given["scheduler"],
    )
