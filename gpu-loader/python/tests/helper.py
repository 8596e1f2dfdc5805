"""What the tests share: models made up, and a loader that serves at a socket."""

import contextlib
import json
import os
import random
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import numpy

LAUNCHER = os.environ.get("LOADER_TEST_LAUNCHER") or "penstock"
SCALE = float(os.environ.get("LOADER_TEST_SCALE", "1"))
LONG = bool(os.environ.get("LOADER_TEST_LONG"))
SEED = int(os.environ.get("LOADER_TEST_SEED", time.time_ns()))

SIZES = {"F32": 4, "F16": 2, "BF16": 2, "U8": 1, "I64": 8, "F8_E4M3": 1, "BOOL": 1, "F64": 8}


def write(path, tensors, metadata=None):
    """Writes a safetensors file; tensors: name -> (dtype, shape, bytes)."""
    header, at = {}, 0
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for _, _, data in tensors.values():
            f.write(data)


def some(rng, count, largest, kinds=("F32", "F16", "U8", "I64", "BOOL")):
    """Tensors of many shapes: scalars, empty ones, odd lengths that leave their successors unaligned."""
    tensors = {}
    for i in range(count):
        dtype = rng.choice(kinds)
        elements = rng.choice([0, 1, rng.randrange(1, 50), rng.randrange(1, max(2, largest // SIZES[dtype]))])
        shape = rng.choice([(elements,), (1, elements), (elements, 1)]) if elements != 1 else ()
        data = rng.randbytes(elements * SIZES[dtype])
        if dtype == "BOOL":
            data = bytes(b & 1 for b in data)
        tensors[f"layer.{i}.weight"] = (dtype, shape, data)
    return tensors


def raw(tensor):
    """The bytes of a tensor of NumPy or torch."""
    if hasattr(tensor, "numpy"):
        import torch

        tensor = tensor.contiguous().view(torch.uint8).numpy() if tensor.dim() else tensor.reshape(1).view(torch.uint8).numpy()
    return numpy.ascontiguousarray(tensor).tobytes()


def seeded():
    print(f"seed {SEED}", flush=True)
    return random.Random(SEED)


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="penstock-python-") as name:
        yield Path(name)


@contextlib.contextmanager
def service(where):
    """A loader that serves at a socket; gives the path and the process."""
    path = where / "loader.sock"
    with open(where / "service.log", "wb") as log:
        process = subprocess.Popen([LAUNCHER, "load", "serve", "--socket", str(path)], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 240
        while not path.exists() or not (where / "service.log").read_text().rstrip().endswith(str(path)):
            if time.monotonic() > deadline or process.poll() is not None:
                raise AssertionError((where / "service.log").read_text())
            time.sleep(0.02)
        yield str(path), process
    finally:
        process.kill()
        process.wait()


def have(module):
    try:
        __import__(module)
    except ImportError:
        return False
    return True
