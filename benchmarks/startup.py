#!/usr/bin/env python3
"""How long until something can be used: the first `ls` in a mount of 163 and of 20,000 objects, `--version`, `status`."""

import os
import statistics

import harness
import servers
from harness import now, run
from mounts import Penstock

COLUMNS = [("what", "what", ""), ("median", "s", ".2f"), ("worst", "worst s", ".2f"), ("limit", "limit s", ".1f")]


def first_ls(objects, work, repeat):
    """Seconds from starting the mount command to the end of listing every directory of the mount; fresh cache each time."""
    server = servers.Generated(work / "servers.log", "--objects", objects)
    point = work / f"mount-{objects}"
    point.mkdir()
    seconds = []
    for i in range(repeat):
        disk = work / f"cache-{objects}-{i}"
        disk.mkdir()
        way = Penstock("models", "model", server.endpoint, disk, work, harness.Cgroup(f"start-{objects}-{i}"))
        begin = now()
        way.make_ready(point)
        found = sum(len(files) for _, _, files in os.walk(point))
        seconds.append(now() - begin)
        if found != objects:
            harness.die(f"{found} of {objects} objects are listed")
        if i == repeat - 1:
            status(way)
        way.end(point)
    harness.stop(server.process)
    return seconds


rows = []


def add(what, seconds, limit):
    rows.append({"what": what, "median": statistics.median(seconds), "worst": max(seconds), "limit": limit})


def timed(args, repeat, env=None):
    seconds = []
    for _ in range(repeat):
        begin = now()
        run(args, env=env)
        seconds.append(now() - begin)
    return seconds


def status(way):
    add("status", timed([harness.PENSTOCK, "status", *way.places()[2:]], 5, way.env), 1.0)


def main():
    parser = harness.options(__doc__)
    parser.add_argument("--objects", nargs="+", type=int, default=[163, 20000])
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    work = harness.work_dir(options.work)
    run([harness.PENSTOCK, "--version"])
    add("--version", timed([harness.PENSTOCK, "--version"], options.repeat), 0.3)
    for objects in options.objects:
        add(f"first ls, {objects} objects", first_ls(objects, work, options.repeat), 1.0 if objects <= 163 else 3.0)
    harness.table(rows, COLUMNS)
    harness.report("startup", options, rows)


if __name__ == "__main__":
    main()
