"""vLLM's plug-in: `vllm serve MODEL --load-format penstock`.

Slicing, quantisation and post-processing stay vLLM's: its own default loader runs, with another source of tensors. Experts of
other ranks, where vLLM filters them (--enable-ep-weight-filter), are not read. Options go into --model-loader-extra-config:
{"socket": PATH of a running loader, "launcher": PATH of penstock, "slot_mib": 64, "device": "cpu" or "cuda"}.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Iterator
from typing import Any

from ._engines import weights
from .errors import PenstockError

FORMAT = "penstock"
_OPTIONS = ("socket", "launcher", "slot_mib", "device")


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
            own = copy.copy(load_config)
            own.load_format = "safetensors"
            own.model_loader_extra_config = extra
            super().__init__(own)

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


def _natural(path: str) -> list[Any]:
    import re

    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)]
