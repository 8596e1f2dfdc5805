#!/usr/bin/env python3
"""Cold reads of a checkpoint through a mount, against the limit of the origin's link, beside other tools.

The clock starts with the mount command and ends with the last tensor. The page cache of the client starts empty: a fresh
cache directory on ext4 for each run.
"""

import json
import subprocess
import sys

import harness
import servers
from harness import GB, Cgroup, now, start
from mounts import WAYS

BUCKET, PREFIX = "models", "checkpoint"
COLUMNS = [
    ("way", "way", ""),
    ("pattern", "pattern", ""),
    ("load", "load", ""),
    ("ready", "mounted s", ".2f"),
    ("first", "first tensor s", ".2f"),
    ("total", "total s", ".2f"),
    ("of_limit", "x limit", ".2f"),
    ("rate", "MB/s", ".0f"),
    ("cpu", "client CPU s/GB", ".2f"),
    ("cpu_reader", "reader CPU s/GB", ".2f"),
    ("copies", "origin copies", ".3f"),
    ("requests", "requests", "d"),
]


class Reader:
    """A reader process that has imported its libraries and waits for the directory to be there."""

    def __init__(self, pattern, point, group, digests):
        verify = ["--verify", digests] if digests else []
        args = [sys.executable, harness.REPO / "benchmarks/reader.py", pattern, point, "--wait", *verify]
        self.process = start(args, group, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None)
        if self.process.stdout.readline().strip() != b"ready":
            raise RuntimeError("the reader did not start")

    def go(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if self.process.wait() != 0 or not line:
            raise RuntimeError(f"the reader failed: exit {self.process.returncode}")
        return json.loads(line)


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = harness.work_dir(options.work)
        self.log = self.work / "servers.log"
        root = self.work / "origin"
        (root / f"{BUCKET}-jfs").mkdir(parents=True)
        made = servers.synthetic(root, BUCKET, PREFIX, options.layout, options.size, options.tensors)
        self.directory, self.facts, self.digests = made
        self.bytes = servers.tree_bytes(self.directory)
        self.server = servers.Server(root, self.log)
        self.origin = servers.Origin(self.server, self.log, servers.Origin.REFERENCE) if options.shaped else None
        self.point = self.work / "mount"
        self.point.mkdir()
        self.rows = []

    def limit(self):
        return self.bytes / 250e6 if self.options.shaped else None

    def disk(self):
        return servers.fresh_disk(self.options.disk, self.work, self.bytes * 2 + harness.GiB)

    def way(self, name, disk, group):
        way = WAYS[name](BUCKET, PREFIX, self.endpoint(), disk.path, self.work, group)
        way.direct, way.directory = self.server.endpoint, self.directory
        return way

    def endpoint(self):
        return (self.origin or self.server).endpoint

    def load(self, name, pattern, label, disk, way_group):
        """One start of `name` and one read of everything."""
        reader_group = Cgroup(f"reader-{now():.6f}")
        way = self.way(name, disk, way_group)
        way.prepare()
        digests = self.digests if self.options.verify else None
        path = self.point
        if name.startswith("juicefs"):
            path = self.point / PREFIX
        elif name in ("s5cmd", "rclone-copy"):
            path = disk.path / {"s5cmd": "s5cmd", "rclone-copy": "rclone-copy"}[name]
        reader = Reader(pattern, path, reader_group, digests)
        if self.origin:
            self.origin.reset()
        before = way_group.cpu_seconds(), reader_group.cpu_seconds()
        begin = now()
        way.make_ready(self.point)
        ready = now()
        seen = reader.go()
        gigabytes = self.bytes / GB
        cpu_way = way_group.cpu_seconds() - before[0]
        cpu_reader = reader_group.cpu_seconds() - before[1]
        counters = self.origin.counters() if self.origin else None
        total = seen["end"] - begin
        row = {
            "way": way.name,
            "pattern": pattern,
            "load": label,
            "ready": ready - begin,
            "first": seen["first"] - begin,
            "first_after_mount": seen["first"] - seen["begin"],
            "total": total,
            "of_limit": total / self.limit() if self.limit() else None,
            "rate": self.bytes / 1e6 / total,
            "cpu": (cpu_way + cpu_reader) / gigabytes,
            "cpu_reader": cpu_reader / gigabytes,
            "copies": counters["bodyBytes"] / self.bytes if counters else None,
            "requests": sum(counters["requests"].values()) if counters else None,
            "tensors": seen["tensors"],
        }
        self.rows.append(row)
        harness.table([row], COLUMNS)
        return way

    def second_reader(self, name, pattern):
        """Another engine on the mount that is still there."""
        group = Cgroup(f"reader-{now():.6f}")
        seen = Reader(pattern, self.point, group, None).go()
        total = seen["end"] - seen["begin"]
        self.add(name, pattern, "second engine", seen, total, group.cpu_seconds())

    def add(self, name, pattern, label, seen, total, cpu):
        row = {"way": name, "pattern": pattern, "load": label, "total": total, "rate": self.bytes / 1e6 / total}
        row |= {"first": seen["first"] - seen["begin"], "cpu_reader": cpu / (self.bytes / GB)}
        self.rows.append(row)
        harness.table([row], COLUMNS)

    def run(self, name, pattern):
        with self.disk() as disk:
            group = Cgroup(f"client-{now():.6f}")
            way = self.load(name, pattern, "cold", disk, group)
            if self.options.second_engine and name.startswith("penstock"):
                self.second_reader(way.name, pattern)
            way.end(self.point)
            if self.options.restart and way.keeps and name not in ("s5cmd", "rclone-copy"):
                disk.restart()
                way = self.load(name, pattern, "after restart", disk, group)
                way.end(self.point)

    def native(self, pattern):
        """The same files as plain ext4 files on the same disk: cold, then warm."""
        with self.disk() as disk:
            target = disk.path / PREFIX
            harness.run(["cp", "-r", self.directory, target])
            disk.restart()
            for label in ("cold", "warm"):
                group = Cgroup(f"reader-{now():.6f}")
                seen = Reader(pattern, target, group, None).go()
                self.add("ext4", pattern, label, seen, seen["end"] - seen["begin"], group.cpu_seconds())


def main():
    parser = harness.options(__doc__)
    parser.add_argument("--layout", default="deepseek-v3")
    parser.add_argument("--size", default="2GiB")
    parser.add_argument("--tensors", type=int, default=7000)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--patterns", nargs="+", default=["vllm"], choices=["vllm", "transformers", "loader", "service", "read", "processes", "ranks"])
    parser.add_argument("--unshaped", dest="shaped", action="store_false", help="no origin model: the server as fast as it is")
    parser.add_argument("--verify", action="store_true", help="check every tensor's digest (costs the reader CPU)")
    parser.add_argument("--restart", action="store_true", help="load a second time after a restart of everything")
    parser.add_argument("--second-engine", action="store_true", help="read again on the live mount")
    parser.add_argument("--native", action="store_true", help="read plain ext4 files too")
    parser.add_argument("--disk", default="loop", help="loop: ext4 on a loop device in --work; else a directory on the disk to use")
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()
    bench = Bench(options)
    limit = f", {bench.limit():.1f} s of the link" if options.shaped else ""
    shape = "20 ms, 60 MB/s per connection, 250 MB/s link" if options.shaped else "none"
    print(f"{bench.bytes / GB:.2f} GB, {len(bench.facts['tensors'])} tensors{limit}; shape: {shape}; disk: {options.disk}\n")
    for pattern in options.patterns:
        for _ in range(options.repeat):
            if options.native:
                bench.native(pattern)
            for name in options.ways:
                if WAYS[name].usable():
                    bench.run(name, pattern)
                else:
                    print(f"{name}: left out, not installed", file=sys.stderr)
    print()
    harness.table(bench.rows, COLUMNS)
    harness.report("coldread", options, bench.rows, bytes=bench.bytes, limit_seconds=bench.limit(), tools=servers.tools_versions())


if __name__ == "__main__":
    main()
