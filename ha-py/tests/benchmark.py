"""What Python costs beside Rust: fails if it costs more than it may.

    python benchmark.py [FOLDER WITH RECORDED DATA]

Rust's own times are taken in the same process, by functions that do the same work and give nothing else to Python.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyha
from pyha import _native
from pyha.sim import Replay

SECTIONS = 10_000


def seconds(work: Callable[[], object], times: int = 9) -> float:
    """The median time of some work."""
    work()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def compare(what: str, python: float, limit: float) -> bool:
    """Prints a time and its limit."""
    well = python <= limit
    print(f"{what}: {python * 1000:.1f} ms, at most {limit * 1000:.1f} ms: {'well' if well else 'TOO SLOW'}")
    return well


def main() -> int:
    """Measures, and gives the exit code."""
    text = "".join(
        f"vm: {100 + number}\n\tstate started\n\tmax_restart 2\n\tcomment service {number}\n\n"
        for number in range(SECTIONS)
    )
    data = text.encode()
    rust = statistics.median(_native.measure_reading(data) for _ in range(9))
    well = compare(f"reading {SECTIONS} sections", seconds(lambda: pyha.ResourcesConfig.parse(data)), 2 * rust)
    config = pyha.ResourcesConfig.parse(data)
    well &= compare(f"{SECTIONS} services as objects", seconds(lambda: list(config.values())), 0.020)
    well &= compare(
        f"{SECTIONS} services as objects, with their states",
        seconds(lambda: [item.state for item in config.values()]),
        0.020,
    )
    folders = [path.parent for path in sorted(Path(sys.argv[1]).glob("scenarios/*/cmdlist"))] if sys.argv[1:] else []
    if folders:
        rust = statistics.median(sum(map(_native.measure_replay, folders)) for _ in range(5))
        replays = seconds(lambda: [Replay(folder) for folder in folders], 5)
        well &= compare(f"replaying {len(folders)} recorded scenarios", replays, 1.5 * rust)
        objects = seconds(lambda: [Replay(folder).happenings() for folder in folders], 5)
        well &= compare("the same, with all events as objects", objects, 1.5 * rust)
    else:
        print("replaying recorded scenarios: SKIPPED, there are none")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
