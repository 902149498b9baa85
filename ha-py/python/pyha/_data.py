"""From plain data, as JSON has it, to classes and back."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import json
import types
import typing
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any, ClassVar, TypeVar, cast

_T = TypeVar("_T", bound="Tagged")
_Converter = Callable[[Any], Any]


class Tagged:
    """The base of classes that are told apart by a word in their data."""

    __slots__ = ()

    _tag: ClassVar[str]
    _tag_key: ClassVar[str]
    _variants: ClassVar[dict[str, type[Tagged]]]

    def __init_subclass__(cls) -> None:
        if "_tag_key" in cls.__dict__:
            cls._variants = {}
        elif hasattr(cls, "_tag"):
            cls._variants[cls._tag] = cls

    @property
    def tag(self) -> str:
        """The word that names this kind, as in its data."""
        return self._tag

    def to_dict(self) -> dict[str, Any]:
        """The data, as JSON has it. What is not set is left out."""
        data = plain(self)
        assert isinstance(data, dict)
        return data

    @classmethod
    def from_dict(cls: type[_T], data: Mapping[str, Any]) -> _T:
        """The object that this data is of.

        Raises ``ValueError`` if it is none of this class.
        """
        kind = data.get(cls._tag_key)
        variant = cls._variants.get(kind) if isinstance(kind, str) else None
        if variant is None or not issubclass(variant, cls):
            raise ValueError(f"{kind!r} is not a kind of {cls.__name__}")
        built = build(variant, data)
        assert isinstance(built, cls)
        return built


class Event(Tagged):
    """Something that happened. There is a class for each kind in :mod:`pyha.events`.

    >>> from pyha import Event, events
    >>> event = Event.from_dict({"event": "agent_started", "sid": "vm:100"})
    >>> match event:
    ...     case events.AgentStarted(sid):
    ...         print(sid, "runs")
    vm:100 runs
    >>> str(event), str(event.severity)
    ('vm:100 runs', 'info')
    """

    __slots__ = ()
    _tag_key = "event"

    def __str__(self) -> str:
        return self._describe()[0]

    @property
    def severity(self) -> Severity:
        """How much the event matters to a person."""
        from pyha.words import Severity

        return Severity(self._describe()[1])

    @property
    def is_recorded(self) -> bool:
        """Whether recorded scenarios have events of this kind. The others say more than those do."""
        return self._describe()[2]

    def _describe(self) -> tuple[str, str, bool]:
        from pyha import _native

        return _native.describe_event(json.dumps(plain(self)))


class Fate(Tagged):
    """What becomes of a node when a place is looked for. There is a class for each kind in :mod:`pyha.fates`."""

    __slots__ = ()
    _tag_key = "fate"


class Change(Tagged):
    """What would have to be different. There is a class for each kind in :mod:`pyha.changes`."""

    __slots__ = ()
    _tag_key = "change"

    def __str__(self) -> str:
        from pyha import _native

        return _native.describe_change(json.dumps(plain(self)))


class BalanceOutcome(Tagged):
    """How automatic balancing comes out. There is a class for each kind in :mod:`pyha.outcomes`."""

    __slots__ = ()
    _tag_key = "result"


class ClusterEvent(Tagged):
    """What happens in a virtual cluster outside of the daemons: see :mod:`pyha.sim.events`."""

    __slots__ = ()
    _tag_key = "event"

    def __str__(self) -> str:
        from pyha import _native

        details = [getattr(self, field.name) for field in dataclasses.fields(cast("Any", self))]
        return _native.describe_cluster_event(self._tag, details[0] if details else "")


def name_of(condition: object) -> str:
    """What a condition is called in a message."""
    name = getattr(condition, "__name__", "")
    return "the condition" if name in ("", "<lambda>") else f"the condition '{name}'"


def plain(value: Any) -> Any:
    """The data of an object, as JSON has it."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        data = {value._tag_key: value._tag} if isinstance(value, Tagged) else {}
        flattened = getattr(value, "_flatten", None)
        for name, key, default in _keys(type(value)):
            item = getattr(value, name)
            if name == flattened:
                data.update(plain(item))
            elif item is not None and not (item is False and default is False and isinstance(value, Tagged)):
                data[key] = plain(item)
        return data
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@cache
def _keys(cls: type) -> list[tuple[str, str, object]]:
    """The fields of a class: the name of each, its key in the data, and its default."""
    hints = typing.get_type_hints(cls)
    return [(field.name, _key(field.name, hints[field.name]), field.default) for field in dataclasses.fields(cls)]


def _key(name: str, hint: object) -> str:
    """Times are seconds in data, and their keys say so. Names that mean something in Python end with a ``_``."""
    return f"{name}_s" if hint is timedelta else name.rstrip("_")


def dump(value: object) -> str:
    """The data of an object as JSON text."""
    return json.dumps(plain(value))


def build(cls: type, data: Any) -> Any:
    """An object of a class from its data."""
    return _builder(cls)(data)


def load(name: str, text: str) -> Any:
    """An object, or a list of objects, of the class ``module.Class`` from JSON text."""
    builder = _builder(_class(name))
    data = json.loads(text)
    return [builder(item) for item in data] if isinstance(data, list) else builder(data)


@cache
def _class(name: str) -> type:
    module, _, cls = name.rpartition(".")
    found = getattr(importlib.import_module(module), cls)
    assert isinstance(found, type)
    return found


@cache
def _builder(cls: type) -> _Converter:
    if issubclass(cls, enum.Enum):
        members: dict[Any, enum.Enum] = {member.value: member for member in cls}
        return lambda data: members.get(data) or cls(data)
    if issubclass(cls, Tagged) and "_tag_key" in cls.__dict__:
        return _tagged_builder(cls)
    if dataclasses.is_dataclass(cls):
        return _dataclass_builder(cls)
    if cls is timedelta:
        return lambda data: timedelta(seconds=data)
    return lambda data: data


def builders_of(cls: type[Tagged]) -> dict[str, _Converter]:
    """What makes each variant of a class from its data, by its tag."""
    _load_variants(cls)
    return {tag: _builder(cast("Any", variant)) for tag, variant in cls._variants.items()}


def _tagged_builder(cls: type[Tagged]) -> _Converter:
    key = cls._tag_key
    builders = builders_of(cls)
    return lambda data: builders[data[key]](data)


def _load_variants(cls: type[Tagged]) -> None:
    modules = {
        Event: "pyha.events",
        Fate: "pyha.fates",
        Change: "pyha.changes",
        BalanceOutcome: "pyha.outcomes",
        ClusterEvent: "pyha.sim.events",
    }
    importlib.import_module(modules[cls])


def _dataclass_builder(cls: type) -> _Converter:
    hints = typing.get_type_hints(cls)
    flattened = getattr(cls, "_flatten", None)
    steps: list[tuple[str, str, _Converter | None]] = []
    # Lists that are empty may be left out.
    lists: dict[str, object] = {}
    for field in dataclasses.fields(cls):
        key = "" if field.name == flattened else _key(field.name, hints[field.name])
        steps.append((field.name, key, _converter(hints[field.name])))
        if typing.get_origin(hints[field.name]) is tuple and field.default is dataclasses.MISSING:
            lists[field.name] = ()
    if not steps:
        nothing = cls()
        return lambda _: nothing

    def from_data(data: dict[str, Any]) -> Any:
        values = dict(lists)
        for name, key, convert in steps:
            value = data.get(key) if key else data
            if value is not None:
                values[name] = value if convert is None else convert(value)
            elif key in data:
                values[name] = None
        return cls(**values)

    return from_data


_PLAIN = (str, int, bool, object, type(None))


def _converter(hint: Any) -> _Converter | None:
    """What makes a value of a type from its data; nothing if they are the same."""
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        inner = [argument for argument in arguments if argument is not type(None)]
        return _converter(inner[0]) if len(inner) == 1 else None
    if origin is tuple:
        inside = _converter(arguments[0])
        return tuple if inside is None else lambda items: tuple(map(inside, items))
    if origin is dict:
        return None
    if origin is not None and issubclass(origin, Mapping):
        convert = _converter(arguments[1])
        return None if convert is None else lambda items: {key: convert(item) for key, item in items.items()}
    if hint is Any or hint in _PLAIN:
        return None
    if hint is float:
        return float
    assert isinstance(hint, type), hint
    return _builder(hint)


if typing.TYPE_CHECKING:
    from pyha.words import Severity
