#!/usr/bin/env python3
"""Warm loads of a checkpoint into host memory: through the loader, by plain reads of the same files, by the safetensors library.

The files are in the page cache. The loader runs as a service; its first load, which warms up its JVM, is not counted. Plain reads
bring the same bytes into memory of the same kind: `dd` into one buffer again and again, as a ring is; `read into new memory` into as
much memory as the model has, as a state dict is. Ways take turns; medians of --repeat. --model: a directory of one's own, such as a
mount; cold loads through a mount are coldread.py --patterns loader.
"""

import ctypes
import mmap
import statistics
import subprocess
import sys
import time
from pathlib import Path

import harness
import reader
import servers
from harness import MiB, start, wait_for

sys.path.insert(0, str(harness.REPO / "gpu-loader/python/src"))
COLUMNS = [("way", "into host memory (no GPU)", ""), ("rate", "MB/s", ".0f"), ("worst", "worst", ".0f"), ("best", "best", ".0f"),
           ("ratio", "to its plain read", ".2f"), ("first", "first tensor s", ".3f")]  # fmt: skip


def dd(files, bench):
    for file in files:
        subprocess.run(["dd", f"if={file}", "of=/dev/null", "bs=16M", "status=none"], check=True)


def plain_c(files, bench):
    """read(2) of 16 MiB into one buffer, without a process for each file."""
    libc, buffer = ctypes.CDLL(None), bench["buffer"]
    for file in files:
        with open(file, "rb", buffering=0) as f:
            while libc.read(f.fileno(), ctypes.c_void_p(bench["address"]), len(buffer)) > 0:
                pass


def new_memory(files, bench):
    """read(2) into memory that was never touched before."""
    with mmap.mmap(-1, bench["bytes"] + MiB) as memory:
        with memoryview(memory) as view:
            at = 0
            for file in files:
                with open(file, "rb", buffering=0) as f:
                    while n := f.readinto(view[at : at + 16 * MiB]):
                        at += n


def ring(files, bench):
    import penstock

    for _ in penstock.iterate(files, framework="numpy", socket=bench["socket"], report=bench["stats"].append):
        pass


def state_dict(files, bench):
    import penstock

    penstock.load_state_dict(files, framework="numpy", socket=bench["socket"], report=bench["stats"].append)


def safetensors(files, bench):
    """Copies of all tensors, as an engine makes them out of a mapped file."""
    safe_open = reader.safetensors()
    kept = []
    for file in files:
        with safe_open(file, "np") as opened:
            kept += [opened.get_tensor(name) for name in opened.keys()]


WAYS = {
    "dd": (dd, None),
    "plain read": (plain_c, None),
    "loader, ring": (ring, "plain read"),
    "read into new memory": (new_memory, None),
    "loader, state dict": (state_dict, "read into new memory"),
    "safetensors library": (safetensors, "read into new memory"),
}


def main():
    parser = harness.options(__doc__)
    parser.add_argument("--layout", default="llama-3-70b")
    parser.add_argument("--size", default="2GiB")
    parser.add_argument("--tensors", type=int, default=723)
    parser.add_argument("--model", type=Path, help="a directory with safetensors files, in place of a synthetic checkpoint")
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    work = harness.work_dir(options.work)
    directory = options.model or servers.synthetic(work / "origin", "models", "m", options.layout, options.size, options.tensors)[0]
    files = reader.shards(directory)
    path = work / "loader.sock"
    service = start([harness.PENSTOCK, "load", "serve", "--socket", path], log=work / "loader.log")
    wait_for(lambda: path.exists() and "serving" in (work / "loader.log").read_text(), "the loader", 60, service)
    buffer = mmap.mmap(-1, 16 * MiB)
    bench = {"socket": str(path), "bytes": sum(f.stat().st_size for f in files), "stats": [], "buffer": buffer}
    bench["address"] = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    values = {way: [] for way in WAYS}
    first = {way: [] for way in WAYS}
    for turn in range(options.repeat + 1):
        for way, (action, _) in WAYS.items():
            bench["stats"].clear()
            begin = time.perf_counter()
            action(files, bench)
            seconds = time.perf_counter() - begin
            if turn:
                values[way].append(bench["bytes"] / 1e6 / seconds)
                first[way] += [s.first_tensor_seconds for s in bench["stats"]]
    rows = []
    for way, (_, against) in WAYS.items():
        rate = statistics.median(values[way])
        rows.append(
            {
                "way": way,
                "rate": rate,
                "worst": min(values[way]),
                "best": max(values[way]),
                "ratio": rate / statistics.median(values[against]) if against else None,
                "first": statistics.median(first[way]) if first[way] else None,
            }
        )
    harness.table(rows, COLUMNS)
    harness.report("load", options, rows, bytes=bench["bytes"], files=len(files), device="host memory (no GPU)")


if __name__ == "__main__":
    main()
