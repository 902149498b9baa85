"""Types of arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Property: TypeAlias = "str | int | bool | Iterable[str] | Mapping[str, int]"
"""The value of a property: its text, or what the text says."""

PropertyMapping: TypeAlias = Mapping[str, Property]
"""Properties by their keys."""

PropertyPairs: TypeAlias = Iterable[tuple[str, Property]]
"""Properties in an order."""
