"""What every end-to-end measurement needs: a work directory, processes that end with us, CPU by cgroup, tables, machine facts."""

import argparse
import atexit
import contextlib
import ctypes
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
PENSTOCK = os.environ.get("PENSTOCK", str(REPO / "penstock"))
MiB = 1 << 20
GiB = 1 << 30
GB = 10**9

_undo = []
_libc = ctypes.CDLL(None, use_errno=True)


def at_end(action, *args):
    """Runs action(*args) at the end, latest first, also after Ctrl-C, SIGTERM and failures."""
    _undo.append((action, args))


def _clean_up():
    while _undo:
        action, args = _undo.pop()
        try:
            action(*args)
        except Exception as e:
            print(f"clean-up: {getattr(action, '__qualname__', action)}: {e}", file=sys.stderr)


atexit.register(_clean_up)
for _signal in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_signal, lambda number, frame: sys.exit(128 + number))


def die(message):
    print(message, file=sys.stderr)
    sys.exit(1)


def now():
    """Seconds on the clock that all processes of the machine share."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def work_dir(where=None):
    path = Path(tempfile.mkdtemp(prefix="penstock-bench-", dir=where))
    path.chmod(0o755)  # the daemon is not root
    at_end(shutil.rmtree, path, True)
    return path


def tool(name, hint):
    """Path of a program; benchmarks/setup.sh puts what it installs into benchmarks/.venv/bin."""
    paths = [str(REPO / "benchmarks/.venv/bin"), os.environ.get("PATH", ""), os.path.expanduser("~/go/bin"), "/sbin:/usr/sbin"]
    found = shutil.which(name, path=":".join(paths))
    return found or die(f"{name} is missing: {hint}")


def have(name):
    try:
        return tool(name, "")
    except SystemExit:
        return None


class Cgroup:
    """CPU time (and a memory limit) of a process tree, kernel work on its behalf included. cgroup v1 or v2, as root."""

    def __init__(self, name, memory=None):
        leaf = f"penstock-bench-{os.getpid()}-{name}"
        root = Path("/sys/fs/cgroup")
        self.v2 = (root / "cgroup.controllers").exists()
        bases = [root] if self.v2 else [root / "cpuacct"] + ([root / "memory"] if memory else [])
        self.dirs = [base / leaf for base in bases]
        for d in self.dirs:
            d.mkdir()
            at_end(self._remove, d)
        if memory:
            (self.dirs[-1] / ("memory.max" if self.v2 else "memory.limit_in_bytes")).write_text(str(memory))

    def enter(self):
        for d in self.dirs:
            (d / "cgroup.procs").write_text(str(os.getpid()))

    def cpu_seconds(self):
        if self.v2:
            lines = dict(line.split() for line in (self.dirs[0] / "cpu.stat").read_text().splitlines())
            return int(lines["usage_usec"]) / 1e6
        return int((self.dirs[0] / "cpuacct.usage").read_text()) / 1e9

    def pids(self):
        return [int(p) for p in (self.dirs[0] / "cgroup.procs").read_text().split()]

    def kills_for_memory(self):
        name = "memory.events" if self.v2 else "memory.oom_control"
        return sum(int(line.split()[1]) for line in (self.dirs[-1] / name).read_text().splitlines() if line.startswith("oom_kill "))

    @staticmethod
    def _remove(directory):
        deadline = time.time() + 5
        while directory.exists():
            for pid in (directory / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            try:
                directory.rmdir()
            except OSError:
                if time.time() > deadline:
                    raise
                time.sleep(0.05)


def _child(group):
    _libc.prctl(1, signal.SIGKILL)
    if group:
        group.enter()


def start(args, group=None, env=None, nice=0, log=None, **more):
    """Starts a process that dies with us, in its own session and in cgroup `group`."""
    out = more.pop("stdout", None) or (open(log, "ab") if log else subprocess.DEVNULL)
    err = open(log, "ab") if log else subprocess.DEVNULL
    command = [str(a) for a in args]
    process = subprocess.Popen(
        (["nice", "-n", str(nice)] if nice else []) + command,
        stdin=more.pop("stdin", subprocess.DEVNULL),
        stdout=out,
        stderr=more.pop("stderr", err),
        env={**os.environ, **(env or {})},
        start_new_session=True,
        preexec_fn=lambda: _child(group),
        **more,
    )
    at_end(stop, process)
    return process


def stop(process, grace=10):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(args, group=None, env=None, check=True, timeout=900):
    """Runs to the end and returns stdout; a failure shows what was said."""
    result = subprocess.Popen(
        [str(a) for a in args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
        preexec_fn=lambda: _child(group),
    )
    try:
        out, err = result.communicate(timeout=timeout)
    except BaseException:
        result.kill()
        result.wait()
        raise
    if check and result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, args))}: exit {result.returncode}\n{out[-2000:]}{err[-4000:]}")
    return out


def wait_for(condition, what, timeout=30, process=None):
    deadline = now() + timeout
    while not condition():
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{what}: the process ended with {process.returncode}")
        if now() > deadline:
            raise RuntimeError(f"{what}: not within {timeout} s")
        time.sleep(0.01)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def fetch_json(url, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
        return json.load(answer)


def unmount(path):
    while os.path.ismount(path):
        if subprocess.run(["umount", path], capture_output=True).returncode != 0:
            subprocess.run(["umount", "-l", path], check=True, capture_output=True)


def cold(directory):
    """Writes back and drops the cached pages of all files below `directory` (of nothing else on the machine)."""
    for path in Path(directory).rglob("*"):
        if path.is_file():
            fd = os.open(path, os.O_RDONLY)
            try:
                os.fsync(fd)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(fd)


def disk_bytes(directory):
    return sum(p.stat().st_blocks * 512 for p in Path(directory).rglob("*") if p.is_file())


def machine():
    def first(path, key):
        with contextlib.suppress(OSError):
            for line in Path(path).read_text().splitlines():
                if line.startswith(key):
                    return line.split(":", 1)[1].strip()
        return "unknown"

    git = subprocess.run(["git", "-C", REPO, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {
        "cpu": first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory": first("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "load": os.getloadavg(),
        "commit": git.stdout.strip() or "unknown",
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def table(rows, columns):
    """Prints rows (dicts) as text; columns: [(key, title, format)]."""
    cells = [[title for _, title, _ in columns]]
    for row in rows:
        cells.append(["-" if row.get(key) is None else format(row[key], form) for key, _, form in columns])
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip())


def options(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, help="where the JSON goes; default: target/NAME.json of this directory")
    parser.add_argument("--work", type=Path, default=Path("/dev/shm"), help="directory for the origin's files and the loop device")
    return parser


def report(name, options, rows, **facts):
    path = options.out or REPO / "benchmarks/target" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    chosen = {k: str(v) if isinstance(v, Path) else v for k, v in vars(options).items()}
    path.write_text(json.dumps({"benchmark": name, "machine": machine(), "options": chosen, **facts, "rows": rows}, indent=1))
    print(f"\nwritten: {path}")


def size(text):
    units = {"KiB": 1 << 10, "MiB": MiB, "GiB": GiB, "kB": 1000, "MB": 10**6, "GB": GB}
    for unit, factor in units.items():
        if text.endswith(unit):
            return int(float(text[: -len(unit)]) * factor)
    return int(text)
