"""vLLM's plug-in: `vllm serve MODEL --load-format penstock`.

Slicing, quantisation and post-processing stay vLLM's: its own default loader runs, with another source of tensors. Layers and
experts of other ranks are not read. Options go into --model-loader-extra-config: {"socket": PATH of a running loader, "launcher": PATH
of penstock, "slot_mib": 64, "device": "cpu" or "cuda", "rank": false to be given everything}.
"""

from __future__ import annotations

import copy
import logging
import os
import time
from collections.abc import Iterator
from typing import Any

from ._engines import weights
from .errors import PenstockError

FORMAT = "penstock"
_OPTIONS = ("socket", "launcher", "slot_mib", "device")
# whose own weights, and not those of a drafter in the same files, are what the loader's plans are about
_ARCHITECTURES = frozenset(
    f"{name}ForCausalLM"
    for name in ("Llama", "Mistral", "Qwen2", "Qwen3", "Qwen3Moe", "Mixtral", "DeepseekV2", "DeepseekV3")
)


def register() -> None:
    """Called by vLLM in each of its processes, perhaps more than once."""
    from vllm.model_executor import model_loader

    known = getattr(model_loader, "_LOAD_FORMAT_TO_MODEL_LOADER", {})
    if FORMAT not in known:
        model_loader.register_model_loader(FORMAT)(_loader_class())


def _loader_class() -> type:
    from vllm.model_executor.model_loader.default_loader import DefaultModelLoader

    log = logging.getLogger("vllm.penstock")

    class PenstockModelLoader(DefaultModelLoader):  # type: ignore[misc]
        def __init__(self, load_config: Any) -> None:
            extra = dict(load_config.model_loader_extra_config or {})
            self._options = {k: extra.pop(k) for k in _OPTIONS if k in extra}
            self._ranked = extra.pop("rank", True)
            self._rank: dict[str, Any] | None = None
            own = copy.copy(load_config)
            own.load_format = "safetensors"
            own.model_loader_extra_config = extra
            super().__init__(own)

        def load_model(self, vllm_config: Any, model_config: Any, *more: Any, **named: Any) -> Any:
            self._rank = _rank(vllm_config.parallel_config, model_config) if self._ranked else None
            return super().load_model(vllm_config, model_config, *more, **named)

        def _get_weights_iterator(self, source: Any) -> Iterator[tuple[str, Any]]:
            prepared = self._prepare_weights(
                source.model_or_path,
                *([source.subfolder] if hasattr(source, "subfolder") else []),
                source.revision,
                source.fall_back_to_pt,
                source.allow_patterns_overrides,
            )
            files, use_safetensors = prepared[1], prepared[2]
            if not getattr(self, "counter_before_loading_weights", 1.0):
                self.counter_before_loading_weights = time.perf_counter()  # vLLM's log counts from here
            if not use_safetensors:
                raise PenstockError("the model has no safetensors files", "Use another --load-format.")
            if getattr(self, "_encoder_only_lm_prefixes", None) is not None or getattr(source, "is_unused_weight", None):
                log.warning("Penstock does not know vLLM's filters of shards: more may be read than is used")
            fall_back = super()._get_weights_iterator
            tensors = weights(
                sorted(files, key=_natural),
                lambda: (
                    (name.removeprefix(source.prefix), tensor) for name, tensor in fall_back(source)
                ),
                log,
                wanted=self._wanted(),
                rank=self._rank,
                **self._options,
            )
            return ((source.prefix + name, tensor) for name, tensor in tensors)

        def _wanted(self) -> Any:
            local = getattr(self, "local_expert_ids", None)
            if local is None:
                return None
            from vllm.model_executor.model_loader.ep_weight_filter import should_skip_weight

            return lambda name: not should_skip_weight(name, local)

    return PenstockModelLoader


def _rank(parallel: Any, model_config: Any) -> dict[str, Any] | None:
    """This process's place in vLLM's layout; None where it is alone, or what it loads is not what config.json describes."""
    architectures = getattr(getattr(model_config, "hf_config", None), "architectures", None) or [""]
    if architectures[0] not in _ARCHITECTURES:
        return None
    from vllm.distributed import get_pp_group, get_tensor_model_parallel_rank

    tp, pp, dp = parallel.tensor_parallel_size, parallel.pipeline_parallel_size, parallel.data_parallel_size
    if tp * pp * dp == 1 or getattr(parallel, "prefill_context_parallel_size", 1) > 1 or parallel.enable_elastic_ep:
        return None
    place = (parallel.data_parallel_rank * pp + get_pp_group().rank_in_group) * tp + get_tensor_model_parallel_rank()
    layout: dict[str, Any] = {"tp": tp, "pp": pp, "dp": dp, "rank": place}
    if parallel.enable_expert_parallel:
        layout["ep"] = "on"
        if parallel.enable_eplb:
            layout["redundant"] = parallel.eplb_config.num_redundant_experts
        if parallel.expert_placement_strategy == "round_robin":
            layout["placement"] = "round-robin"
    stages = os.environ.get("VLLM_PP_LAYER_PARTITION")
    if stages:
        layout["stages"] = stages.replace(",", "-")
    return layout


def _natural(path: str) -> list[Any]:
    import re

    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)]
