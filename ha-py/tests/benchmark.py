"""What Python costs beside Rust: prints the figures and their ratios; exits with 1 where Python costs more than it may.

    python benchmark.py [FOLDER WITH RECORDED DATA]

Rust's own times are taken in the same process, by functions that do the same work and give nothing else to Python.
The two take turns, and the shortest time of each counts, so that what else the machine does matters little.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyha
from pyha import _native
from pyha.sim import Replay

SECTIONS = 10_000


def seconds(work: Callable[[], object]) -> float:
    """The time that some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(what: str, python: Callable[[], object], rust: Callable[[], float], limit: float, times: int) -> bool:
    """Prints how many times longer Python takes than Rust, and gives whether that is within the limit."""
    pairs = [(seconds(python), rust()) for _ in range(times)]
    fastest, fastest_rust = min(taken for taken, _ in pairs), min(taken for _, taken in pairs)
    well = fastest <= limit * fastest_rust
    figures = f"Python {fastest * 1000:.1f} ms, Rust {fastest_rust * 1000:.1f} ms: {fastest / fastest_rust:.2f} times"
    print(f"{what}: {figures}, at most {limit}: {'well' if well else 'TOO SLOW'}")
    return well


def bound(what: str, python: Callable[[], object], limit: float, times: int = 15) -> bool:
    """Prints a time, and gives whether it is within the limit."""
    fastest = min(seconds(python) for _ in range(times))
    well = fastest <= limit
    print(f"{what}: {fastest * 1000:.1f} ms, at most {limit * 1000:.0f} ms: {'well' if well else 'TOO SLOW'}")
    return well


def main() -> int:
    """Measures, and gives the exit code."""
    text = "".join(
        f"vm: {100 + number}\n\tstate started\n\tmax_restart 2\n\tcomment service {number}\n\n"
        for number in range(SECTIONS)
    )
    data = text.encode()
    read = pyha.ResourcesConfig.parse
    well = compare(f"reading {SECTIONS} sections", lambda: read(data), lambda: _native.measure_reading(data), 2, 25)
    config = read(data)
    well &= bound(f"{SECTIONS} services as objects", lambda: list(config.values()), 0.020)
    well &= bound(f"{SECTIONS} services as objects, with states", lambda: [s.state for s in config.values()], 0.020)
    entries = {f"vm:{100 + number}": {"state": "started", "node": "node1"} for number in range(SECTIONS)}
    services = pyha.ManagerStatus({"node_status": {"node1": "online"}, "service_status": entries}).services
    well &= bound(f"{SECTIONS} entries of the status as objects", lambda: [s.state for s in services.values()], 0.020)
    folders = [path.parent for path in sorted(Path(sys.argv[1]).glob("scenarios/*/cmdlist"))] if sys.argv[1:] else []
    if folders:
        replay = f"replaying {len(folders)} recorded scenarios"

        def rust() -> float:
            return sum(map(_native.measure_replay, folders))

        well &= compare(replay, lambda: [Replay(folder) for folder in folders], rust, 1.5, 7)
        objects = f"{replay}, with all events as objects"
        well &= compare(objects, lambda: [Replay(folder).happenings() for folder in folders], rust, 1.5, 7)
    else:
        print("replaying recorded scenarios: SKIPPED, there are none")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
