"""Whether values are of the types that they say: stubs can't be trusted otherwise."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any


def mistyped(value: Any, hint: Any, path: str = "") -> list[str]:
    """The places in a value that do not have the type that is declared for them."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or hint is object:
        return []
    if origin in (types.UnionType, typing.Union):
        found = [mistyped(value, argument, path) for argument in arguments]
        return [] if any(not faults for faults in found) else min(found, key=len)
    if origin is tuple:
        if not isinstance(value, tuple):
            return [f"{path}: {value!r} is no tuple"]
        return [fault for item in value for fault in mistyped(item, arguments[0], f"{path}[]")]
    if origin is dict or (isinstance(origin, type) and issubclass(origin, Mapping)):
        if not isinstance(value, Mapping):
            return [f"{path}: {value!r} is no mapping"]
        return [fault for item in value.values() for fault in mistyped(item, arguments[1], f"{path}[]")]
    kind = type(None) if hint is None else hint
    if type(value) is bool and kind is not bool:
        return [f"{path}: {value!r} is no {kind}"]
    if not isinstance(value, kind):
        return [f"{path}: {value!r} is no {kind}"]
    return mistyped_fields(value, path)


def mistyped_fields(value: Any, path: str = "") -> list[str]:
    """The same for the fields of a record."""
    if not dataclasses.is_dataclass(value):
        return []
    hints = typing.get_type_hints(type(value))
    names = [field.name for field in dataclasses.fields(value)]
    path = path or type(value).__name__
    return [fault for name in names for fault in mistyped(getattr(value, name), hints[name], f"{path}.{name}")]
