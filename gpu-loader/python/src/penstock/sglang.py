"""SGLang's plug-in: `SGLANG_PLUGINS=penstock python -m sglang.launch_server ...`.

It takes the place of the two functions that SGLang's default loader reads safetensors files with, and of nothing else. SGLang
loads every plug-in that is installed unless SGLANG_PLUGINS lists some: this one does nothing unless it is listed there.
PENSTOCK_LOADER_SOCKET names a running loader. SGLang's options for how to read files (mmap, prefetch) have no effect then.

Layers and experts of other ranks are not read, where SGLang's options (as of 0.5.23) leave no doubt which those are.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

from ._engines import weights

TARGETS = ("safetensors_weights_iterator", "buffered_multi_thread_safetensors_weights_iterator")
# with these at anything else, which experts or layers a rank loads hangs on more than the layout, or changes later
_PLAIN: dict[str, tuple[Any, ...]] = {
    "speculative_algorithm": (None,),
    "enable_eplb": (False,),
    "init_expert_location": ("trivial",),
    "elastic_ep_backend": (None, "none"),
    "enable_elastic_expert_backup": (False,),
    "ep_join_rank_offset": (0,),
    "attn_cp_size": (1,),
    "moe_dp_size": (1,),
    "dwdp_size": (1,),
    "model_impl": ("auto", "sglang"),
    "json_model_override_args": ("{}", None, ""),
}
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
    return weights(files, lambda: original(files, *args, **options), _log, rank=_rank())


def _rank() -> dict[str, Any] | None:
    """This process's place in SGLang's layout; None where it is alone, or where it cannot be told."""
    try:
        from sglang.srt.runtime_context import get_parallel, get_server_args

        options = get_server_args().resolved_dict()
        for name, plain in _PLAIN.items():
            if options[name] not in plain:
                _log.info("Penstock gives this rank every tensor: %s is set", name)
                return None
        tp, pp = options["tp_size"], options["pp_size"]
        if tp * pp == 1:
            return None
        parallel = get_parallel()
        layout: dict[str, Any] = {
            "engine": "sglang",
            "tp": tp,
            "pp": pp,
            "dp": options["attn_dp_size"],
            "ep": options["ep_size"],
            "redundant": options["ep_num_redundant_experts"],
            "rank": parallel.pp_rank * tp + parallel.tp_rank,
        }
        if parallel.moe_ep_rank != parallel.tp_rank // (tp // options["ep_size"]):
            _log.info("Penstock gives this rank every tensor: its experts are numbered in a way that is not known")
            return None
    except (ImportError, AttributeError, KeyError, TypeError, ValueError, RuntimeError, ArithmeticError) as e:
        _log.info("Penstock gives this rank every tensor: SGLang does not tell its layout (%s)", e)
        return None
    stages = os.environ.get("SGLANG_PP_LAYER_PARTITION")
    if stages:
        layout["stages"] = stages.replace(" ", "").replace(",", "-")
    return layout
