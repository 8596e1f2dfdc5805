#!/usr/bin/env python3
"""Warm reads of a complete file: through the mount with passthrough, in plain mode, and through a libfuse server in C.

Native reads take the very file of the cache that passthrough reads, in turn with it: the same pages of the page cache. The
pages that a plain mount caches itself are dropped before each of its reads. Medians of --repeat.
"""

import json
import os
import statistics
import subprocess
from pathlib import Path

import harness
import servers
from harness import MiB, run, start, wait_for
from mounts import Penstock

BUCKET, PREFIX = "models", "warm"
WAYS = ["passthrough", "plain", "libfuse"]
COLUMNS = [("way", "MB/s", ""), *[(m, m, ".0f") for m in ("dd", "fio x1", "fio x4", "mmap x1", "mmap x4")]]


def dd(path):
    said = subprocess.run(["dd", f"if={path}", "of=/dev/null", "bs=16M"], capture_output=True, text=True, check=True).stderr
    words = said.splitlines()[-1].split()
    return int(words[0]) / float(words[words.index("s,") - 1]) / 1e6


def fio(path, engine, jobs):
    args = [harness.tool("fio", "apt install fio"), "--name=read", f"--filename={path}", "--rw=read", "--bs=1M"]
    args += [f"--ioengine={engine}", f"--numjobs={jobs}", "--readonly", "--output-format=json", "--group_reporting"]
    args += ["--invalidate=0", "--allow_file_create=0"]
    return json.loads(run(args))["jobs"][0]["read"]["bw_bytes"] / 1e6


MEASURES = {
    "dd": dd,
    "fio x1": lambda p: fio(p, "psync", 1),
    "fio x4": lambda p: fio(p, "psync", 4),
    "mmap x1": lambda p: fio(p, "mmap", 1),
    "mmap x4": lambda p: fio(p, "mmap", 4),
}


def drop(path):
    """Drops the pages that the mount itself caches of the file."""
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def read_ahead(point, kib):
    device = os.stat(point).st_dev
    Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb").write_text(str(kib))


def fill(path):
    with open(path, "rb", buffering=0) as f:
        while f.read(16 * MiB):
            pass


def measure(paths, plain, repeat):
    """Rows of medians, one for each path, read in turn."""
    rows = {name: {} for name in paths}
    for measure, action in MEASURES.items():
        values = {name: [] for name in paths}
        for _ in range(repeat):
            for name, path in paths.items():
                if plain:
                    drop(path)
                values[name].append(action(path))
        for name in paths:
            rows[name][measure] = statistics.median(values[name])
    return [{"way": name, **row} for name, row in rows.items()]


def stored(directory, size):
    """The cache's own file of an object of this size."""
    return next(p for p in Path(directory).rglob("*") if p.is_file() and p.stat().st_size == size)


def penstock(name, settings, bench):
    """A mount of the model whose bytes are complete in the cache before anything is measured."""
    way = Penstock(BUCKET, PREFIX, bench["server"].endpoint, bench["disk"].path, bench["work"], None)
    way.flags = settings
    way.make_ready(bench["point"])
    file = bench["point"] / bench["file"]
    fill(file)
    way.end(bench["point"])
    way.make_ready(bench["point"])
    return way, file


def main():
    parser = harness.options(__doc__)
    parser.add_argument("--size", default="2GiB")
    parser.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--read-ahead", type=int, default=1024, help="KiB, for the libfuse server; Penstock sets its own")
    parser.add_argument("--plain-setting", default="mount.passthrough=false", help="the setting that makes Penstock's mount plain")
    options = parser.parse_args()
    work = harness.work_dir(options.work)
    root = work / "origin"
    directory, _, _ = servers.synthetic(root, BUCKET, PREFIX, "llama-3-70b", options.size, 48)
    file = max(directory.iterdir(), key=lambda p: p.stat().st_size).name
    point = work / "mount"
    point.mkdir()
    server = servers.Server(root, work / "servers.log")
    rows = []
    with servers.fresh_disk("loop", work, servers.tree_bytes(directory) * 3 + harness.GiB) as disk:
        bench = {"server": server, "disk": disk, "work": work, "point": point, "file": file}
        for way in options.ways:
            if way == "libfuse":
                native = disk.path / "native"
                native.mkdir()
                run(["cp", directory / file, native / file])
                fill(native / file)
                program = work / "libfuse-server"
                flags = run(["pkg-config", "--cflags", "--libs", "fuse3"]).split()
                run(["cc", "-O2", harness.REPO / "benchmarks/libfuse-server.c", "-o", program, *flags])
                process = start([program, native, point], log=work / "libfuse.log")
                wait_for(lambda: os.path.ismount(point), "libfuse-server", process=process)
                harness.at_end(harness.unmount, point)
                read_ahead(point, options.read_ahead)
                measured = measure({way: point / file}, True, options.repeat)
                harness.unmount(point)
                harness.stop(process)
            else:
                flags = ["--set", options.plain_setting] if way == "plain" else []
                mounted, path = penstock(way, flags, bench)
                paths = {way: path}
                if way == "passthrough":
                    paths = {"native": stored(disk.path / "penstock", path.stat().st_size), **paths}
                measured = measure(paths, way == "plain", options.repeat)
                mounted.end(point)
            rows += measured
            harness.table(measured, COLUMNS)
    print()
    harness.table(rows, COLUMNS)
    by = {row["way"]: row for row in rows}
    ratios = {}
    for over, under in (("passthrough", "native"), ("plain", "libfuse")):
        if over in by and under in by:
            ratios[f"{over}/{under}"] = {m: by[over][m] / by[under][m] for m in MEASURES}
            print(f"{over}/{under}: " + "  ".join(f"{m} {r:.2f}" for m, r in ratios[f"{over}/{under}"].items()))
    harness.report("warm", options, rows, ratios=ratios)


if __name__ == "__main__":
    main()
