"""Configuration: mappings, edits, files."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyha
import pytest

TEXT = "# mine\nvm: 100\n\tstate stopped\n\tcolour blue\n\nct: 101\n\n"


def test_files_are_mappings() -> None:
    config = pyha.ResourcesConfig.parse(TEXT)
    mapping: object = config
    assert isinstance(mapping, Mapping)
    assert len(config) == 2
    assert list(config) == config.keys() == ["vm:100", "ct:101"]
    assert "vm:100" in config
    assert "vm:999" not in config
    assert 5 not in config
    assert config.get("vm:999") is None
    with pytest.raises(KeyError, match="vm:999"):
        config["vm:999"]
    assert dict(config.items()) == {item.sid: item for item in config.values()}
    assert repr(config) == "<ResourcesConfig: 2 resources, 1 problem>"
    match mapping:
        case {"vm:100": pyha.Resource(state=state)}:
            assert state == "stopped"
        case _:
            pytest.fail("no match")


def test_nothing_is_lost_by_an_edit() -> None:
    configuration = pyha.Configuration(resources=TEXT)
    before = configuration.resources
    configuration.editor().set_resource("vm:100", max_restart=5)
    assert configuration.resources.to_bytes() == TEXT.replace("\tstate", "\tmax_restart 5\n\tstate").encode()
    assert "max_restart" not in before["vm:100"].properties, "what was handed out stays"
    assert before.digest != configuration.resources.digest


def test_values_of_properties_as_python_has_them() -> None:
    configuration = pyha.Configuration(resources="vm: 100\n\nvm: 101\n")
    editor = configuration.editor(nodes=["node1", "node2"])
    editor.add_group("web", nodes={"node1": 2, "node2": 1}, restricted=True)
    home: dict[str, bool | list[str]] = {"resources": ["vm:100", "vm:101"], "strict": False}
    editor.add_rule("node-affinity", "home", home, nodes=["node1"])
    assert configuration.groups["web"].nodes == {"node1": 2, "node2": 1}
    assert configuration.rules["home"].resources == ["vm:100", "vm:101"]
    editor.set_resource("vm:100", state=pyha.RequestedState.DISABLED, group="web")
    assert configuration.effective_failback("vm:100")
    assert configuration.shadowed_groups() == []
    editor.add_rule("node-affinity", "ha-group-web", resources=["vm:100"], nodes=["node1"], disable=True)
    assert configuration.shadowed_groups() == ["web"]
    with pytest.raises(TypeError, match="not a float"):
        editor.set_resource("vm:100", [("max_restart", 1.5)])  # type: ignore[list-item]


def test_a_folder_is_read_and_written(tmp_path: Path) -> None:
    (tmp_path / "resources.cfg").write_text(TEXT)
    (tmp_path / "fence.cfg").write_text("device d fence_d\nconnect d node=n1\nhello\n")
    configuration = pyha.Configuration.read(tmp_path)
    assert list(configuration.problems) == ["resources.cfg"]
    assert configuration.fence is not None
    assert configuration.fence.is_connected("n1")
    assert [fault.code for fault in configuration.fence.faults] == ["unknown_line"]
    with pytest.raises(pyha.ConfigError) as caught:
        configuration.raise_for_problems()
    assert caught.value.file == "resources.cfg"
    configuration.editor(nodes=["n1"]).set_datacenter({"max_workers": 8})
    configuration.write(str(tmp_path))
    assert (tmp_path / "datacenter.cfg").read_text() == "max_workers: 8\n"
    assert not (tmp_path / "rules.cfg").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["datacenter.cfg", "fence.cfg", "resources.cfg"]
    again = pyha.Configuration.read(tmp_path)
    assert again == configuration
    with pytest.raises(FileNotFoundError):
        pyha.Configuration.read(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        pyha.ResourcesConfig.read(tmp_path / "nowhere")


def test_copies_are_independent() -> None:
    configuration = pyha.Configuration(resources=TEXT, guests={"vm:100": "node1"})
    twin = copy.deepcopy(configuration)
    assert twin == configuration
    assert twin.guests == {"vm:100": "node1"}
    twin.editor().remove_resource("vm:100")
    assert twin != configuration
    assert list(configuration.resources) == ["vm:100", "ct:101"]


def test_rules_are_evaluated() -> None:
    rules = pyha.RuleSet(
        [
            pyha.Rule("apart", ["vm:100", "vm:101"], affinity="negative"),
            pyha.Rule("home", ["vm:100"], nodes={"node1": 2, "node2": 2}),
            pyha.Rule("crowd", ["vm:200", "vm:201", "vm:202"], affinity="negative"),
        ]
    )
    evaluated = rules.evaluate(["node1", "node2"])
    assert [(finding.rule, finding.reason) for finding in evaluated.dropped] == [
        ("crowd", pyha.Reason.MORE_RESOURCES_THAN_NODES)
    ]
    assert evaluated.node_affinity("vm:100") == {"node1": 2, "node2": 2}
    assert evaluated.negative("vm:100") == ["vm:101"]
    assert evaluated.positive("vm:100") == []
    assert evaluated.why_apart("vm:100", "vm:101") == ["apart"]
    assert evaluated.why_together("vm:100", "vm:101") == []
    assert len(evaluated.rules) == 2
    assert rules.get("home") == rules.rules()[2]
    assert rules.check(["node1", "node2"]) == evaluated.dropped


def test_service_types_can_be_added() -> None:
    assert "fa:120001" in pyha.ResourcesConfig.parse("fa: 120001\n", service_types=["fa"])
    assert pyha.ResourcesConfig.parse("fa: 120001\n").problems[0].code == "unknown_section_type"


def test_a_configuration_from_dicts_is_that_of_the_files() -> None:
    configuration = pyha.configuration_from_dicts(
        resources={"vm:100": {"state": "started", "max_restart": 2}, "vm:101": {}},
        groups={"front": {"nodes": {"node1": 2, "node2": 0}, "restricted": True}},
        rules={
            "home": {"type": "node-affinity", "resources": ["vm:100"], "nodes": {"node1": 1}, "comment": "50%: \u00e4"},
            "apart": {"type": "resource-affinity", "resources": ("vm:100", "vm:101"), "affinity": "negative"},
        },
        datacenter={"crs": {"ha": "static", "ha-auto-rebalance": True}, "max_workers": 8},
        guests={"vm:100": "node1"},
    )
    files = pyha.Configuration(
        resources="vm: 100\n\tmax_restart 2\n\tstate started\n\nvm: 101\n",
        groups="group: front\n\tnodes node1:2,node2\n\trestricted 1\n",
        rules="node-affinity: home\n\tcomment 50%25%3A %C3%A4\n\tnodes node1:1\n\tresources vm:100\n\n"
        "resource-affinity: apart\n\taffinity negative\n\tresources vm:100,vm:101\n",
        datacenter="crs: ha=static,ha-auto-rebalance=1\nmax_workers: 8\n",
        guests={"vm:100": "node1"},
    )
    assert configuration.files() == files.files()
    assert configuration.guests == {"vm:100": "node1"}


@pytest.mark.parametrize(
    "given",
    [
        {"resources": {"vm:100": {"comment": "one\n\tstate stopped"}}},
        {"resources": {"vm:100\n\nvm: 101": {}}},
        {"resources": {"vm:100": {"stat": "started"}}},
        {"resources": {"vm:1": {}}},
        {"rules": {"home": {"resources": ["vm:100"]}}},
        {"datacenter": {"crs": {"ha": "best"}}},
    ],
)
def test_dicts_that_make_no_configuration_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises((pyha.ConfigError, pyha.InvalidValueError)):
        pyha.configuration_from_dicts(**given)
