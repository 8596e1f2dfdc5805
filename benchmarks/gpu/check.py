#!/usr/bin/env python3
"""What a machine with a GPU has to show, as one command: benchmarks/gpu/check.py [--device cuda:0] [--model DIRECTORY].

1. pinned host-to-device peak of plain cuMemcpyAsync; 2. the loader from the page cache, from disk, and through CUDA IPC into this
process: goal 0.95 of the peak; 3. bit-equal to safetensors; 4. ten loads leak nothing; 5. an engine that is killed in mid-load leaves
the loader alive. Needs torch with CUDA. Without a GPU it says so and ends with status 3. Not yet run on a GPU.
"""

import ctypes
import json
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
import reader  # noqa: E402
import servers  # noqa: E402
from harness import GiB, MiB, start, wait_for  # noqa: E402

SOURCES = harness.REPO / "gpu-loader/python/src"
sys.path.insert(0, str(SOURCES))
NO_GPU = 3

ENGINE = """
import sys
sys.path.insert(0, sys.argv[1])
import penstock
for name, tensor in penstock.iterate(sys.argv[2], framework="torch", device=sys.argv[3], socket=sys.argv[4]):
    print(name, flush=True)
"""


def gpu_or_leave(device):
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        print("there is no GPU here: no libcuda.so.1. Nothing was measured.")
        sys.exit(NO_GPU)
    try:
        import torch
    except ImportError:
        print("torch is not installed here. Nothing was measured.")
        sys.exit(NO_GPU)
    if not torch.cuda.is_available():
        print("torch sees no GPU here. Nothing was measured.")
        sys.exit(NO_GPU)
    properties = torch.cuda.get_device_properties(device)
    driver = ctypes.c_int()
    ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(driver))
    return {"device": properties.name, "memory": properties.total_memory, "cuda driver": driver.value, "torch": torch.__version__}


def peak(device):
    """GB/s of cuMemcpyHtoDAsync from pinned memory: 64 copies of 64 MiB, best of 5."""
    import torch

    torch.cuda.set_device(device)
    pinned = torch.empty(64 * MiB, dtype=torch.uint8, pin_memory=True)
    target = torch.empty(64 * MiB, dtype=torch.uint8, device=device)
    cuda, stream = ctypes.CDLL("libcuda.so.1"), torch.cuda.Stream(device)
    best = 0.0
    for _ in range(5):
        torch.cuda.synchronize(device)
        begin = time.perf_counter()
        for _ in range(64):
            failed = cuda.cuMemcpyHtoDAsync_v2(
                ctypes.c_uint64(target.data_ptr()),
                ctypes.c_void_p(pinned.data_ptr()),
                ctypes.c_size_t(64 * MiB),
                ctypes.c_void_p(stream.cuda_stream),
            )
            if failed:
                harness.die(f"cuMemcpyHtoDAsync: {failed}")
        stream.synchronize()
        best = max(best, 4 * GiB / 1e9 / (time.perf_counter() - begin))
    return best


def command(model, device):
    """GB/s of `penstock load`: of the stages after the headers are read."""
    said = json.loads(harness.run([harness.PENSTOCK, "load", model, "--device", device, "-q", "-o", "json"]))
    copied = next(s for s in said["stages"] if s["stage"] == "copy")
    read = next(s for s in said["stages"] if s["stage"] == "read")
    return said["bytes"] / 1e9 / (copied["end"] - read["begin"])


def ipc(model, device, path):
    import penstock

    stats = []
    for _ in penstock.iterate(model, framework="torch", device=device, socket=str(path), report=stats.append):
        pass
    return stats[0].bytes / 1e9 / (stats[0].seconds - stats[0].first_tensor_seconds)


def equal(model, files, device, path):
    import penstock
    import torch
    from safetensors.torch import load_file

    ours = penstock.load_state_dict(model, framework="torch", device=device, socket=str(path))
    theirs = {name: tensor for file in files for name, tensor in load_file(file).items()}
    return ours.keys() == theirs.keys() and all(
        ours[n].dtype == t.dtype and torch.equal(ours[n].cpu().reshape(-1).view(torch.uint8), t.reshape(-1).view(torch.uint8))
        for n, t in theirs.items()
    )


def leak(model, device, path):
    """Bytes of the GPU that ten loads leave taken, after one that warmed up."""
    import torch

    def free():
        torch.cuda.empty_cache()
        torch.cuda.synchronize(device)
        return torch.cuda.mem_get_info(device)[0]

    ipc(model, device, path)
    before = free()
    for _ in range(10):
        ipc(model, device, path)
    return before - free()


def killed(model, device, path, service):
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, SOURCES, model, device, path], stdout=subprocess.PIPE)
    for _ in range(20):
        engine.stdout.readline()
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    ipc(model, device, path)
    return service.poll() is None


def main():
    parser = harness.options(__doc__)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--size", default="8GiB")
    parser.add_argument("--model", type=Path, help="a directory, in place of a synthetic checkpoint below --work")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    facts = gpu_or_leave(options.device)
    work = harness.work_dir(options.work)
    model = options.model or servers.synthetic(work / "origin", "models", "m", "llama-3-70b", options.size, 723)[0]
    files = reader.shards(model)
    path = work / "loader.sock"
    service = start([harness.PENSTOCK, "load", "serve", "--socket", path], log=work / "loader.log")
    wait_for(lambda: path.exists() and "serving" in (work / "loader.log").read_text(), "the loader", 60, service)
    most = peak(options.device)
    rows = [{"what": "pinned peak, plain cuMemcpyHtoDAsync", "rate": most, "ratio": 1.0}]

    def measure(what, action, cold=False):
        values = []
        for _ in range(options.repeat):
            if cold:
                harness.cold(model)
            values.append(action())
        rate = statistics.median(values)
        rows.append({"what": what, "rate": rate, "ratio": rate / most})

    for file in files:
        file.read_bytes()
    measure("penstock load, page cache", lambda: command(model, options.device))
    measure("through IPC to this process, page cache", lambda: ipc(model, options.device, path))
    measure("penstock load, from disk", lambda: command(model, options.device), cold=True)
    harness.table(rows, [("what", "what", ""), ("rate", "GB/s", ".2f"), ("ratio", "of the peak", ".2f")])
    checks = {
        "bit-equal to safetensors": equal(model, files, options.device, path),
        "bytes leaked by ten loads": leak(model, options.device, path),
        "loader alive after an engine was killed": killed(model, options.device, path, service),
    }
    for what, value in checks.items():
        print(f"{what}: {value}")
    harness.report("gpu", options, rows, checks=checks, gpu=facts)
    good = checks["bit-equal to safetensors"] and checks["bytes leaked by ten loads"] <= 0
    sys.exit(0 if good and checks["loader alive after an engine was killed"] else 1)


if __name__ == "__main__":
    main()
