#!/usr/bin/env python3
"""Memory under load: many readers of a model many times larger than the memory of the cgroup, and a model of 641 GB by metadata.

The model is generated when it is read, so that it may be larger than the machine. Sampled: the resident memory of every
process of the client.
"""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import harness
import servers
from harness import MiB, Cgroup, now, size, start
from mounts import Penstock

COLUMNS = [
    ("what", "what", ""),
    ("daemon", "daemon RSS MiB", ".0f"),
    ("all", "all processes MiB", ".0f"),
    ("kills", "OOM kills", "d"),
    ("gigabytes", "GB read", ".1f"),
    ("seconds", "s", ".1f"),
]

READER = """
import os, sys, random
directory, number, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
files = sorted(f for f in os.listdir(directory) if f.endswith('.safetensors'))
done = 0
for file in files[number % len(files):] + files[:number % len(files)]:
    fd = os.open(os.path.join(directory, file), os.O_RDONLY)
    while done < limit:
        data = os.read(fd, 1 << 20)
        if not data:
            break
        done += len(data)
    os.close(fd)
print(done)
"""


def resident(pid):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def is_daemon(pid):
    try:
        return b"DaemonMain" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


class Sampler(threading.Thread):
    """The most that the daemon, and all processes of the group together, have had resident."""

    def __init__(self, group):
        super().__init__(daemon=True)
        self.group, self.daemon_most, self.all_most, self.over = group, 0, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.05):
            sizes = {pid: resident(pid) for pid in self.group.pids()}
            self.all_most = max(self.all_most, sum(sizes.values()))
            self.daemon_most = max([self.daemon_most, *(n for pid, n in sizes.items() if is_daemon(pid))])

    def end(self):
        self.over.set()
        self.join()


def sampled(what, server, options, work, memory, use):
    """Mounts under the memory limit, lets `use` read, and returns the row."""
    with servers.fresh_disk("loop", work, int(options.limit * options.times) + 2 * harness.GiB) as disk:
        return sampled_on(disk.path, what, server, options, work, memory, use)


def sampled_on(disk, what, server, options, work, memory, use):
    point = work / f"mount-{what.split()[0]}"
    point.mkdir()
    group = Cgroup(f"memory-{what.split()[0]}", memory)
    way = Penstock("models", "model", server.endpoint, disk, work, group)
    way.flags = [f for s in options.settings for f in ("--set", s)]
    sampler = Sampler(group)
    sampler.start()
    begin = now()
    way.make_ready(point)
    done = use(point)
    seconds = now() - begin
    sampler.end()
    kills = group.kills_for_memory()
    way.end(point)
    row = {"what": what, "daemon": sampler.daemon_most / MiB, "all": sampler.all_most / MiB, "kills": kills}
    if sampler.daemon_most == 0:
        harness.die("no daemon was found in the cgroup: what was measured is not the daemon")
    return row | {"gigabytes": done / harness.GB, "seconds": seconds}


def many_readers(count, each):
    def use(point):
        readers = []
        for number in range(count):
            args = [sys.executable, "-c", READER, point, number, each]
            readers.append(start(args, stdout=subprocess.PIPE, stderr=None))
        done = 0
        for reader in readers:
            done += int(reader.communicate()[0])
            if reader.returncode != 0:
                harness.die("a reader failed")
        return done

    return use


def walk(point):
    """Every name, size and header: what metadata costs; and one MiB at a random place of each file."""
    done = 0
    for path in sorted(point.iterdir()):
        with open(path, "rb") as f:
            length = int.from_bytes(f.read(8), "little") if path.suffix == ".safetensors" else 0
            done += len(f.read(min(length, 1 << 20)))
            f.seek(random.Random(path.name).randrange(max(1, path.stat().st_size - MiB)))
            done += len(f.read(MiB))
    return done


def main():
    parser = harness.options(__doc__)
    parser.add_argument("--limit", type=size, default=512 * MiB, help="memory of the cgroup, page cache of the cache files included")
    parser.add_argument("--times", type=float, default=10, help="the model's size in units of --limit")
    parser.add_argument("--readers", type=int, default=16)
    parser.add_argument("--settings", nargs="*", default=["cache.memory=256MiB"], help="KEY=VALUE for the mount")
    parser.add_argument("--parts", nargs="+", default=["readers", "metadata"], choices=["readers", "metadata"])
    options = parser.parse_args()
    if os.geteuid() != 0:
        harness.die("needs root: memory cgroups")
    work = harness.work_dir(options.work)
    rows = []
    if "readers" in options.parts:
        model = int(options.limit * options.times)
        server = servers.Generated(work / "servers.log", "--size", model, "--tensors", 7000)
        what = f"readers: {options.readers}, model {options.times:g} x limit"
        rows.append(sampled(what, server, options, work, options.limit, many_readers(options.readers, model)))
        harness.stop(server.process)
        time.sleep(1)
    if "metadata" in options.parts:
        server = servers.Generated(work / "servers.log")
        rows.append(sampled("metadata: 641 GiB, 163 shards, 92,000 tensors", server, options, work, options.limit, walk))
        harness.stop(server.process)
    harness.table(rows, COLUMNS)
    harness.report("memory", options, rows)


if __name__ == "__main__":
    main()
