#!/usr/bin/env python3
"""SGLang's own plug-in framework and default loader, from the real package, with Penstock's plug-in: the same tensors, bit by bit?

No engine is started: SGLang needs a GPU for that. Needs what SGLang imports: torch, transformers and more; those of vLLM's environment do, with

    pip install --no-deps sglang==0.5.23 orjson ipython traitlets gguf
    pip install ./gpu-loader/python

Stood in for: the two globals that hold the options of a server that runs (get_model, get_server_args).
"""

import argparse
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

STEPS = []


def step(what):
    STEPS.append(what)
    print(f"ok  {what}", flush=True)


def tensors(loader, model):
    since = time.perf_counter()
    source = loader.DefaultModelLoader.Source(str(model), None)
    found = dict(loader.DefaultModelLoader(loader.LoadConfig())._get_weights_iterator(source))
    return found, time.perf_counter() - since


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a directory with safetensors files")
    parser.add_argument("--launcher", type=Path, default=Path(__file__).resolve().parent.parent / "penstock")
    options = parser.parse_args()
    os.environ["SGLANG_PLUGINS"] = "penstock"
    os.environ["PATH"] = f"{options.launcher.resolve().parent}:{os.environ['PATH']}"

    import sglang
    import torch
    from sglang.srt.model_loader import loader
    from sglang.srt.plugins import load_plugins
    from sglang.srt.plugins.hook_registry import HookRegistry

    step(f"sglang {sglang.__version__} imports, its loader too (torch {torch.__version__}, CUDA: {torch.cuda.is_available()})")
    options_of_server = SimpleNamespace(
        weight_loader_disable_mmap=False, weight_loader_prefetch_checkpoints=False,
        weight_loader_prefetch_num_threads=4, weight_loader_drop_cache_after_load=False,
    )  # fmt: skip
    loader.get_model = lambda: options_of_server
    loader.get_server_args = lambda: None
    own, seconds_own = tensors(loader, options.model)
    step(f"SGLang's default loader with its own reader: {len(own)} tensors in {seconds_own:.2f} s")
    import penstock.sglang

    before = {name: getattr(loader, name) for name in penstock.sglang.TARGETS}
    load_plugins()
    targets = {f"sglang.srt.model_loader.loader.{name}" for name in penstock.sglang.TARGETS}
    if not targets <= HookRegistry._patched:
        sys.exit(f"SGLang did not put the plug-in in place: {HookRegistry._patched}")
    if any(getattr(loader, name) is was for name, was in before.items()):
        sys.exit("SGLang's loader still has its own functions")
    step("load_plugins() found the plug-in by its entry point and put it in place of both functions")
    given, seconds = tensors(loader, options.model)
    step(f"SGLang's default loader with Penstock's reader: {len(given)} tensors in {seconds:.2f} s, the loader's start included")
    if given.keys() != own.keys():
        sys.exit(f"other tensors: {given.keys() ^ own.keys()}")
    wrong = [n for n in own if own[n].dtype != given[n].dtype or own[n].shape != given[n].shape or not torch.equal(
        own[n].contiguous().reshape(-1).view(torch.uint8), given[n].contiguous().reshape(-1).view(torch.uint8))]  # fmt: skip
    if wrong:
        sys.exit(f"{len(wrong)} tensors differ, first {wrong[0]}")
    step("every tensor is bit-equal")


if __name__ == "__main__":
    main()
