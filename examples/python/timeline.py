"""A failover's timeline, as in a notebook: run the cells one after the other, or all of it.

With matplotlib it writes ``timeline.svg``; without it prints the timeline.

``timeline.py cluster.json node2`` tells what would become of a live cluster that loses this node, from what
``ha snapshot >cluster.json`` wrote.
"""

from __future__ import annotations

# %% A cluster with three nodes and a few services, or a live one that goes on
import sys
from pathlib import Path

from pyha.sim import Cluster

if len(sys.argv) == 3:
    cluster = Cluster.from_snapshot(Path(sys.argv[1]).read_text(encoding="utf-8"))
    lost = sys.argv[2]
else:
    cluster = Cluster(
        ["node1", "node2", "node3"],
        guests=dict.fromkeys(["vm:100", "vm:101", "ct:102"], "node3"),
        resources="vm: 100\n\nvm: 101\n\nct: 102\n",
    )
    lost = "node3"
SERVICES = cluster.guests
cluster.run_for(60)

# %% A node loses its power. Every second we look where services run
cluster.power_off(lost)
Span = tuple[float, float, str]
spans: dict[str, list[Span]] = {sid: [] for sid in SERVICES}
while cluster.now < 300:
    began = cluster.now
    cluster.run_for(1)
    for sid in SERVICES:
        where = ", ".join(cluster.places(sid)) or str(cluster.service_state(sid))
        earlier = spans[sid]
        if earlier and earlier[-1][2] == where:
            earlier[-1] = (earlier[-1][0], cluster.now, where)
        else:
            earlier.append((began, cluster.now, where))

# %% What happened, in words
for happening in cluster.happenings():
    if happening.time >= 60:
        print(happening)

# %% The timeline
for sid in SERVICES:
    print(
        f"{sid}: down for {cluster.downtime(sid):.0f} s;", *(f"{a:.0f}-{b:.0f} {where}" for a, b, where in spans[sid])
    )

# %% The same as a picture
try:
    import matplotlib.pyplot as plt  # type: ignore[import-not-found]
except ImportError:
    print("no picture: matplotlib is not installed")
else:
    words = sorted({where for timeline in spans.values() for _, _, where in timeline})
    colours = {word: f"C{position}" for position, word in enumerate(words)}
    figure, axes = plt.subplots(figsize=(9, 3))
    for row, sid in enumerate(SERVICES):
        for start, end, where in spans[sid]:
            axes.barh(row, end - start, left=start, color=colours[where], label=where)
    axes.set_yticks(range(len(SERVICES)), SERVICES)
    axes.set_xlabel("seconds")
    unique = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(unique.values(), unique.keys())
    figure.tight_layout()
    figure.savefig("timeline.svg")
