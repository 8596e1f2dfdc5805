#!/usr/bin/env python3
"""Draws docs/img/cold-read.svg from what `penstock demo -o json` wrote: bytes that the engine has read and verified, over time."""

import argparse
import json
import os
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "penstock"
matplotlib.rcParams["svg.fonttype"] = "none"
from matplotlib import pyplot  # noqa: E402

REPO = Path(__file__).resolve().parent.parent
MB = 1e6
# run: (colour, label)
RUNS = {
    "today": ("#8a6d33", "today: on demand, one stream"),
    "penstock cold": ("#33658a", "Penstock, nothing cached"),
    "penstock restarted": ("#7b5ea7", "Penstock restarted, cache on disk"),
    "penstock warm": ("#3a7d44", "Penstock, second engine"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path, help="output of: penstock demo -o json")
    parser.add_argument("--out", type=Path, default=REPO / "docs/img/cold-read.svg")
    options = parser.parse_args()
    demo = json.loads(options.demo.read_text())
    runs = {run["name"]: run for run in demo["runs"]}
    figure, axes = pyplot.subplots(figsize=(9.4, 4.2))
    total = demo["bytes"] / MB
    for name, (colour, label) in RUNS.items():
        if name not in runs:
            sys.exit(f"{options.demo} has no run '{name}'")
        points = [(0, 0)] + [(p["at"], p["bytes"] / MB) for p in runs[name]["progress"]]
        axes.plot(*zip(*points), color=colour, linewidth=2, label=f"{label}: {runs[name]['end']:.1f} s")
    link = demo["linkSeconds"]
    axes.plot([0, link], [0, total], color="#52606d", linewidth=1, linestyle=":", label=f"what the link allows: {link:.1f} s")
    axes.set_xlabel("seconds from starting the mount (second engine: from its start)")
    axes.set_ylabel("MB read and verified")
    axes.set_xlim(0, max(run["end"] for name, run in runs.items() if name in RUNS) * 1.02)
    axes.set_ylim(0, total * 1.05)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", frameon=False)
    rate = demo["link"] / MB
    axes.set_title(
        f"{total:.0f} MB, {demo['tensors']} tensors; origin model: {demo['firstByteMillis']} ms to the first byte, "
        f"{demo['perConnection'] / MB:.0f} MB/s per connection, {rate:.0f} MB/s link; {os.cpu_count()} cores",
        fontsize=9,
    )
    figure.tight_layout()
    figure.savefig(options.out, metadata={"Date": None, "Creator": None})
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
