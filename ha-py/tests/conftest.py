"""Where the data of the tests is. The tests run without the source tree: `tests/run` says where things are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("PYHA_VECTORS", _ROOT / "tests/vectors"))
RECORDED = Path(os.environ.get("PYHA_RECORDED", _ROOT / "../shared/conformance"))
EXAMPLES = Path(os.environ.get("PYHA_EXAMPLES", _ROOT / "examples"))


def vectors(folder: str) -> list[Any]:
    """The vectors of a folder, as parameters of a test."""
    files = sorted((VECTORS / folder).glob("*.json"))
    assert files, f"the vectors are missing in {VECTORS / folder}"
    return [pytest.param(json.loads(file.read_text(encoding="utf-8")), id=file.stem) for file in files]


def recorded_scenarios() -> list[Any]:
    """The folders of the recorded scenarios, as parameters of a test that is skipped if there are none."""
    folders = sorted((RECORDED / "scenarios").glob("*/cmdlist"))
    if not folders:
        skip = pytest.mark.skip(reason=f"the recorded data is not in {RECORDED}")
        return [pytest.param(Path(), marks=skip, id="none")]
    return [pytest.param(folder.parent, id=folder.parent.name) for folder in folders]
