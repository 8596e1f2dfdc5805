"""SGLang's plug-in: `SGLANG_PLUGINS=penstock python -m sglang.launch_server ...`.

It takes the place of the two functions that SGLang's default loader reads safetensors files with, and of nothing else. SGLang
loads every plug-in that is installed unless SGLANG_PLUGINS lists some: this one does nothing unless it is listed there.
PENSTOCK_LOADER_SOCKET names a running loader. SGLang's options for how to read files (mmap, prefetch) have no effect then.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

from ._engines import weights

TARGETS = ("safetensors_weights_iterator", "buffered_multi_thread_safetensors_weights_iterator")
_MODULE = "sglang.srt.model_loader.loader"
_log = logging.getLogger("sglang.penstock")


def register() -> None:
    """Called by SGLang in each of its processes."""
    chosen = [name.strip() for name in os.environ.get("SGLANG_PLUGINS", "").split(",")]
    if "penstock" not in chosen:
        _log.info("Penstock is installed but not chosen: SGLANG_PLUGINS=penstock has it load weights")
        return
    from sglang.srt.plugins.hook_registry import HookRegistry, HookType

    for name in TARGETS:
        HookRegistry.register(f"{_MODULE}.{name}", around, HookType.AROUND)


def around(
    original: Callable[..., Iterator[tuple[str, Any]]], files: list[str], *args: Any, **options: Any
) -> Iterator[tuple[str, Any]]:
    """In place of an iterator of SGLang's: the same tensors, through the loader."""
    return weights(files, lambda: original(files, *args, **options), _log)
