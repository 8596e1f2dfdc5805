"""Reads a checkpoint the way engines do, and says when the first tensor and the end came. One JSON line on stdout.

usage: reader.py PATTERN DIRECTORY [--verify DIGESTS] [--wait]
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MiB = 1 << 20


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def natural(text):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", str(text))]


class Seen:
    """What has been read; checks each tensor against its digest when there are digests."""

    def __init__(self, digests):
        self.digests = digests
        self.first = None
        self.bytes = 0
        self.tensors = 0

    def tensor(self, name, array):
        if self.first is None:
            self.first = now()
        self.bytes += array.nbytes
        self.tensors += 1
        if self.digests:
            check(name, array, self.digests[name])


def check(name, array, digest):
    import numpy

    data = array.reshape(-1).view(numpy.uint8)
    whole = data.size // 8 * 8
    total = int(data[:whole].view(numpy.uint64).sum(dtype=numpy.uint64))
    total += int.from_bytes(data[whole:].tobytes(), "little")
    if total % 2**64 != int(digest["sum64"], 16):
        raise SystemExit(f"wrong bytes: tensor {name}")


def safetensors():
    """safe_open for numpy, which knows BF16 and F8 only from ml_dtypes."""
    import ml_dtypes
    import numpy
    from safetensors import safe_open

    numpy.float8_e4m3fn = numpy.dtype(ml_dtypes.float8_e4m3fn)
    return safe_open


def shards(directory):
    return sorted(Path(directory).glob("*.safetensors"), key=natural)


def vllm(files, seen):
    """Shards in natural order, one open at a time, tensors by name."""
    safe_open = safetensors()
    for file in files:
        with safe_open(file, "np") as opened:
            for name in opened.keys():
                seen.tensor(name, opened.get_tensor(name))


def transformers(files, seen):
    """All shards open, tensors in natural name order across them, 4 threads."""
    safe_open = safetensors()
    opened = [safe_open(file, "np") for file in files]
    where = {name: handle for handle in opened for name in handle.keys()}
    with ThreadPoolExecutor(4) as threads:
        for name, array in threads.map(lambda n: (n, where[n].get_tensor(n)), sorted(where, key=natural)):
            seen.tensor(name, array)


def package():
    """The Python package and the launcher of this repository."""
    repository = Path(__file__).resolve().parent.parent
    sys.path.insert(0, str(repository / "gpu-loader/python/src"))
    import penstock

    return penstock, os.environ.get("PENSTOCK", str(repository / "penstock"))


def loader(files, seen):
    """Through Penstock's loader, a process of its own whose start is in the time."""
    penstock, launcher = package()
    for name, array in penstock.iterate(files, framework="numpy", launcher=launcher):
        seen.tensor(name, array)


@contextlib.contextmanager
def running_service():
    """A loader that runs, and has loaded nothing yet; as a node has it."""
    _, launcher = package()
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(directory) / "loader.sock"
        process = subprocess.Popen([launcher, "load", "serve", "--socket", socket], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not socket.exists():
                if process.poll() is not None:
                    raise SystemExit("the loader did not start")
                time.sleep(0.05)
            os.environ["PENSTOCK_LOADER_SOCKET"] = str(socket)
            yield
        finally:
            process.terminate()
            process.wait()


def service(files, seen):
    """Through a loader that was running before."""
    penstock, _ = package()
    for name, array in penstock.iterate(files, framework="numpy"):
        seen.tensor(name, array)


def read(files, seen):
    """read(2) of 1 MiB, file after file. The first MiB counts as the first tensor."""
    import numpy

    buffer = bytearray(MiB)
    for file in files:
        fd = os.open(file, os.O_RDONLY)
        content = bytearray() if seen.digests else None
        while n := os.readv(fd, [buffer]):
            seen.first = seen.first or now()
            seen.bytes += n
            if content is not None:
                content += buffer[:n]
        os.close(fd)
        if content is not None:
            check_file(numpy.frombuffer(content, numpy.uint8), file, seen)


def check_file(data, file, seen):
    for name, digest in seen.digests.items():
        if digest["file"] == file.name:
            check(name, data[digest["offset"] : digest["offset"] + digest["length"]].copy(), digest)
            seen.tensors += 1


def one_of_many(number, count, files, digests, every):
    seen = Seen(digests)
    vllm(files if every else files[number::count], seen)
    return seen.first, seen.bytes, seen.tensors


def processes(files, seen, every):
    """8 processes in vLLM's order: each walks every shard (tensor parallel ranks), or they share the shards out."""
    with multiprocessing.Pool(8) as pool:
        parts = pool.starmap(one_of_many, [(i, 8, files, seen.digests, every) for i in range(8)])
    seen.first = min(first for first, _, _ in parts if first)
    seen.bytes = sum(n for _, n, _ in parts)
    seen.tensors = sum(n for _, _, n in parts)


PATTERNS = {
    "vllm": vllm,
    "transformers": transformers,
    "loader": loader,
    "service": service,
    "read": read,
    "processes": lambda files, seen: processes(files, seen, False),
    "ranks": lambda files, seen: processes(files, seen, True),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pattern", choices=PATTERNS)
    parser.add_argument("directory")
    parser.add_argument("--verify")
    parser.add_argument("--wait", action="store_true", help="begin when a line comes on stdin: imports are not the file system's")
    options = parser.parse_args()
    digests = json.loads(Path(options.verify).read_text())["tensors"] if options.verify else None
    safetensors()
    with running_service() if options.pattern == "service" else contextlib.nullcontext():
        if options.wait:
            print("ready", flush=True)
            input()
        begin = now()
        files = shards(options.directory)
        seen = Seen(digests)
        PATTERNS[options.pattern](files, seen)
        end = now()
    print(json.dumps({"begin": begin, "first": seen.first, "end": end, "bytes": seen.bytes, "tensors": seen.tensors, "files": len(files)}))


if __name__ == "__main__":
    main()
