#!/usr/bin/env python3
"""From an S3 server on this machine to complete files in a cache: client CPU and throughput, beside s5cmd and rclone.

Client CPU is that of every process of the client by cgroup, kernel work included: for Penstock the launcher, the command,
the daemon and its holder, from the command's start until all of them have ended. Penstock's files carry checksums.
"""

import os

import harness
import servers
from harness import GB, Cgroup, now, run

BUCKET, PREFIX = "models", "checkpoint"
COLUMNS = [
    ("way", "way", ""),
    ("transport", "transport", ""),
    ("seconds", "s", ".2f"),
    ("rate", "MB/s", ".0f"),
    ("cpu", "client CPU s/GB", ".3f"),
    ("cpu_all", "with start and end", ".3f"),
    ("server_cpu", "server CPU s/GB", ".2f"),
]


def s5cmd(endpoint, target, group, env, more):
    args = [harness.tool("s5cmd", "benchmarks/setup.sh"), "--endpoint-url", endpoint]
    run(args + ["cp", *more, f"s3://{BUCKET}/{PREFIX}/*", f"{target}/"], group, env)


def rclone(endpoint, target, group, env, more):
    args = [harness.tool("rclone", "benchmarks/setup.sh"), "copy", f":s3:{BUCKET}/{PREFIX}", target]
    args += ["--s3-provider", "Other", "--s3-env-auth", "--s3-endpoint", endpoint, "--s3-region", "us-east-1"]
    run(args + ["--config", "/dev/null", "--ca-cert", env["AWS_CA_BUNDLE"], *more], group, env)


class Penstock:
    """Starts a daemon; `penstock prefetch` waits until everything is stored and verified. Both are in the figures."""

    def __init__(self, work):
        self.state = work / "state"
        self.log = work / "penstock.log"
        self.daemon = None
        harness.at_end(self.stop)

    def __call__(self, endpoint, target, group, env, more):
        self.group, self.target = group, target
        places = ["--cache-dir", target, "--state-dir", self.state]
        self.daemon = harness.start([harness.PENSTOCK, "daemon", *places], group, env, log=self.log)
        harness.wait_for((self.state / "daemon/control.sock").exists, "penstock daemon", 30, self.daemon)
        run([harness.PENSTOCK, "prefetch", f"s3://{BUCKET}/{PREFIX}", *places, *more], group, env, timeout=300)

    def stop(self):
        """A daemon without mounts ends when it is told to."""
        if self.daemon:
            harness.stop(self.daemon)
            self.daemon = None
            harness.wait_for(lambda: not self.group.pids(), "penstock's processes end", 30)


def main():
    parser = harness.options(__doc__)
    parser.add_argument("--layout", default="llama-3-70b")
    parser.add_argument("--size", default="4GiB")
    parser.add_argument("--tensors", type=int, default=96, help="few tensors make few, large files: 96 are 4 files of 1 GiB")
    parser.add_argument("--ways", nargs="+", default=["penstock", "s5cmd", "s5cmd tuned", "rclone", "rclone tuned"])
    parser.add_argument("--transports", nargs="+", default=["plain", "tls"], choices=["plain", "tls"])
    parser.add_argument("--repeat", type=int, default=3, help="rounds over all ways; the table shows each, the last lines the medians")
    parser.add_argument("--disk", default="loop", help="loop: ext4 on a loop device in --work; else a directory on the disk to use")
    options = parser.parse_args()

    work = harness.work_dir(options.work)
    root = work / "origin"
    directory, _, _ = servers.synthetic(root, BUCKET, PREFIX, options.layout, options.size, options.tensors)
    total = servers.tree_bytes(directory)
    certificate = servers.certificate(work)
    penstock = Penstock(work)
    ways = {
        "penstock": (penstock, []),
        "s5cmd": (s5cmd, []),
        "s5cmd tuned": (s5cmd, ["--concurrency", "8", "--part-size", "16"]),
        "rclone": (rclone, []),
        "rclone tuned": (rclone, ["--transfers", "4", "--multi-thread-streams", "8", "--multi-thread-chunk-size", "64M"]),
    }
    rows = []
    for transport in options.transports:
        server = servers.Server(root, work / "servers.log", certificate if transport == "tls" else None)
        env = servers.credentials(server.endpoint) | {"AWS_CA_BUNDLE": str(certificate[0])}
        for _ in range(options.repeat):
            for name in options.ways:
                action, more = ways[name]
                if name == "penstock" and not os.access(harness.PENSTOCK, os.X_OK):
                    continue
                rows.append(measure(name, transport, action, more, server, env, total, options, work))
                harness.table(rows[-1:], COLUMNS)
        harness.stop(server.process)
    print(f"\nmedians of {options.repeat}")
    middle = medians(rows)
    harness.table(middle, COLUMNS)
    harness.report("fetch", options, rows, medians=middle, bytes=total, tools=servers.tools_versions())


def measure(name, transport, action, more, server, env, total, options, work):
    with servers.fresh_disk(options.disk, work, int(total * 1.15) + (256 << 20)) as disk:
        target = disk.path / "target"
        target.mkdir()
        group = Cgroup(f"client-{now():.6f}")
        server_before = server.cpu_seconds()
        begin = now()
        action(server.endpoint, target, group, env, more)
        seconds = now() - begin
        cpu = group.cpu_seconds()
        if isinstance(action, Penstock):
            action.stop()
        stored = sum(p.stat().st_size for p in target.rglob("*") if p.is_file())
        if stored < total:
            harness.die(f"{name}: {stored} of {total} bytes are there")
    return {
        "way": name,
        "transport": transport,
        "seconds": seconds,
        "rate": total / 1e6 / seconds,
        "cpu": cpu / (total / GB),
        "cpu_all": group.cpu_seconds() / (total / GB),
        "server_cpu": (server.cpu_seconds() - server_before) / (total / GB),
    }


def medians(rows):
    result = []
    for key in dict.fromkeys((r["way"], r["transport"]) for r in rows):
        mine = [r for r in rows if (r["way"], r["transport"]) == key]
        row = {"way": key[0], "transport": key[1]}
        for field in ("seconds", "rate", "cpu", "cpu_all", "server_cpu"):
            values = sorted(r[field] for r in mine)
            row[field] = values[len(values) // 2]
        result.append(row)
    return result


if __name__ == "__main__":
    main()
