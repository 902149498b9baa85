"""Properties that hold for all values."""

from __future__ import annotations

import pickle

import pyha
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# How quickly values are made says more of the machine than of the package.
settings.register_profile("here", deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")

sids = st.builds("{}:{}".format, st.sampled_from(["vm", "ct"]), st.integers(10, 99999))
nodes = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
ids = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{1,8}", fullmatch=True)
comments = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Z"]), min_size=1, max_size=20)
resources = st.builds(
    pyha.Resource,
    sids,
    state=st.none() | st.sampled_from(pyha.RequestedState),
    max_restart=st.none() | st.integers(0, 100),
    max_relocate=st.none() | st.integers(0, 100),
    failback=st.none() | st.booleans(),
    failback_delay=st.none() | st.integers(1, 100000),
    auto_rebalance=st.none() | st.booleans(),
    failure_timeout=st.none() | st.integers(1, 100000),
    priority=st.none() | st.integers(0, 1000),
    probe=st.none() | st.sampled_from(["agent", "tcp:22", "tcp:[::1]:80", "http://localhost/up", "exec:see 'a b'"]),
    probe_interval=st.none() | st.integers(1, 100000),
    probe_timeout=st.none() | st.integers(1, 100000),
    probe_failures=st.none() | st.integers(1, 100000),
    ready_timeout=st.none() | st.integers(1, 100000),
    on_failure=st.none() | st.sampled_from(pyha.OnFailure),
    comment=st.none() | comments,
)
affinity_rules = st.builds(
    pyha.Rule,
    ids,
    st.lists(sids, min_size=1, max_size=4),
    nodes=st.dictionaries(nodes, st.integers(0, 9), min_size=1, max_size=4),
    strict=st.none() | st.booleans(),
    affinity=st.none() | st.sampled_from(pyha.Affinity),
    comment=st.none() | comments,
) | st.builds(pyha.Rule, ids, st.lists(sids, min_size=1, max_size=4), affinity=st.sampled_from(pyha.Affinity))
rules = affinity_rules | st.builds(
    pyha.Rule,
    ids,
    first=st.lists(sids, min_size=1, max_size=4),
    then=st.lists(sids, min_size=1, max_size=4),
    delay=st.none() | st.integers(0, 86400),
    timeout=st.none() | st.integers(1, 86400),
    strict=st.none() | st.booleans(),
)


@given(st.lists(resources, max_size=8))
def test_resources_that_are_written_are_read_again(sections: list[pyha.Resource]) -> None:
    config = pyha.ResourcesConfig(sections)
    again = pyha.ResourcesConfig.parse(config.to_bytes())
    assert again.problems == []
    assert again.items() == config.items()
    assert again == config


@given(st.lists(rules, max_size=8))
def test_rules_that_are_written_are_read_again(sections: list[pyha.Rule]) -> None:
    config = pyha.RulesConfig(sections)
    again = pyha.RulesConfig.parse(config.to_bytes())
    assert again.problems == []
    assert again.items() == config.items()


@given(resources | rules)
def test_sections_are_the_same_after_pickling(section: pyha.Resource | pyha.Rule) -> None:
    twin = pickle.loads(pickle.dumps(section))
    assert twin == section
    assert hash(twin) == hash(section)
    assert repr(twin) == repr(section)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_file_is_too_strange(text: bytes | str) -> None:
    for file in (pyha.ResourcesConfig, pyha.GroupsConfig, pyha.RulesConfig, pyha.DatacenterFile):
        read = file.parse(text)
        again = file.parse(read.to_bytes())
        assert again.to_bytes() == read.to_bytes()
        assert all(str(problem) for problem in read.problems)
    pyha.FenceConfig.parse(text).report(["node1"])


@given(
    st.lists(resources, min_size=1, max_size=5, unique_by=lambda resource: resource.sid),
    st.sampled_from(["state", "max_restart", "comment"]),
    comments,
    st.integers(0, 9),
)
def test_an_edit_changes_what_it_says_and_nothing_else(
    sections: list[pyha.Resource], key: str, comment: str, number: int
) -> None:
    configuration = pyha.Configuration(resources=pyha.ResourcesConfig(sections))
    values: dict[str, str | int] = {"state": "disabled", "max_restart": number, "comment": comment}
    value = values[key]
    target = sections[0]
    configuration.editor().set_resource(target.sid, {key: value})
    after = configuration.resources
    assert after.keys() == [section.sid for section in sections]
    assert after[target.sid].properties == target.properties | {key: str(value)}
    assert after.values()[1:] == sections[1:]
    configuration.editor().set_resource(target.sid, unset=[key])
    assert key not in configuration.resources[target.sid].properties


@given(
    st.lists(rules, max_size=6, unique_by=lambda rule: rule.id), st.lists(nodes, min_size=1, max_size=4, unique=True)
)
def test_what_is_dropped_and_what_holds_are_all_rules(rules: list[pyha.Rule], names: list[str]) -> None:
    evaluated = pyha.RuleSet(rules).evaluate(names)
    dropped = {finding.rule for finding in evaluated.dropped}
    held = {rule.id for rule in evaluated.rules}
    assert not dropped & held
    for rule in rules:
        if rule.id not in dropped | held:
            # It was merged with others that keep some of its resources together.
            assert rule.affinity is pyha.Affinity.POSITIVE
            assert all({*rule.resources} - {sid} <= {*evaluated.positive(sid)} for sid in rule.resources)
