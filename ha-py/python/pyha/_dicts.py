"""A configuration from dicts, where there are no files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from pyha._native import Configuration
from pyha.errors import InvalidValueError

Value: TypeAlias = str | int | bool | Iterable[str] | Mapping[str, int]
Section: TypeAlias = Mapping[str, Value | None]


def configuration_from_dicts(
    *,
    resources: Mapping[str, Section] | None = None,
    groups: Mapping[str, Section] | None = None,
    rules: Mapping[str, Section] | None = None,
    nodes: Mapping[str, Section] | None = None,
    datacenter: Mapping[str, Value] | None = None,
    guests: Mapping[str, str] | None = None,
    service_types: Iterable[str] = (),
) -> Configuration:
    r"""Makes a configuration from dicts: SID, group, rule or node to its properties; what is wrong with it is an error.

    A list may be any iterable of texts, nodes a mapping to their priorities. A rule has its ``type`` among its
    properties. ``datacenter`` has the keys of ``datacenter.cfg``; shares are percents, as there.

    >>> from pyha import configuration_from_dicts
    >>> rule = {"type": "node-affinity", "resources": ["vm:100"], "nodes": {"node1": 2, "node2": 1}, "strict": True}
    >>> configuration = configuration_from_dicts(
    ...     resources={"vm:100": {"state": "started"}}, rules={"home": rule}, guests={"vm:100": "node1"}
    ... )
    >>> configuration.rules.to_bytes()
    b'node-affinity: home\\n\\tnodes node1:2,node2:1\\n\\tresources vm:100\\n\\tstrict 1\\n\\n'
    """
    types = list(service_types)
    settings = "".join(f"{_plain(key)}: {_value(key, value, '=')}\n" for key, value in (datacenter or {}).items())
    configuration = Configuration(
        resources=_sections("resources.cfg", resources or {}),
        groups=_sections("groups.cfg", groups or {}),
        rules=_sections("rules.cfg", rules or {}),
        nodes=_sections("nodes.cfg", nodes or {}),
        datacenter=settings,
        guests=dict(guests or {}),
        service_types=types,
    )
    configuration.raise_for_problems()
    return configuration


def _sections(file: str, sections: Mapping[str, Section]) -> str:
    return "".join(_section(file, name, properties) for name, properties in sections.items())


def _section(file: str, name: str, properties: Section) -> str:
    rest = dict(properties)
    kind = rest.pop("type", {"groups.cfg": "group", "nodes.cfg": "node"}.get(file))
    header = name.replace(":", ": ", 1) if file == "resources.cfg" else f"{kind}: {name}"
    if kind is None and file == "rules.cfg":
        raise InvalidValueError(f"{file}: '{name}' has no type")
    lines = [_plain(header)]
    for key, value in rest.items():
        if value is not None:
            text = _value(f"{file}: {name}: {key}", value, ":")
            lines.append(f"\t{_plain(key)} {_encoded(text) if (file, key) == ('rules.cfg', 'comment') else text}")
    return "".join(f"{line}\n" for line in lines) + "\n"


def _value(what: str, value: Value, between: str) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (str, int)):
        return _plain(str(value), what)
    if isinstance(value, Mapping):
        pairs = (_plain(str(key), what) + _priority(what, rest, between) for key, rest in value.items())
        return ",".join(pairs)
    return ",".join(_plain(item, what) for item in value)


def _priority(what: str, value: object, between: str) -> str:
    if between == ":" and value == 0:
        return ""
    return between + (str(int(value)) if isinstance(value, bool) else _plain(str(value), what))


def _plain(text: str, what: str = "") -> str:
    """A text that stays on its line."""
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in text):
        raise InvalidValueError(f"{what or 'a name'}: {text!r} can't stand in a file")
    return text


def _encoded(comment: str) -> str:
    def is_plain(byte: int) -> bool:
        return 0x20 <= byte < 0x7F and byte not in b":%"

    return "".join(chr(byte) if is_plain(byte) else f"%{byte:02X}" for byte in comment.encode())
