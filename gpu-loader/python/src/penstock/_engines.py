"""What the plug-ins of the engines share: the loader's tensors, or, when there is no loader, the engine's own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from ._load import SLOT, iterate
from .errors import LoaderUnavailable, PenstockError

_NOT_THAT_RANK = ("PEN-0101", "PEN-0713")  # said before anything is given: the layout cannot be, or the loader knows none
Weights = Iterator[tuple[str, Any]]


def weights(
    files: Sequence[str],
    fall_back: Callable[[], Weights],
    log: logging.Logger,
    *,
    wanted: Callable[[str], bool] | None = None,
    rank: dict[str, Any] | None = None,
    device: str = "cpu",
    socket: str | None = None,
    launcher: str | None = None,
    slot_mib: int | None = None,
) -> Weights:
    """Tensors of these files through the loader.

    A layout that the model cannot have is no reason to fail: everything is loaded then. Falls back to the engine's own loader only where
    none could be started or reached: nothing was given to the engine by then. A load that fails later fails, since the engine
    cannot take the same tensors twice.
    """
    load = partial(
        iterate,
        files,
        framework="torch",
        device=device,
        wanted=wanted,
        socket=socket,
        launcher=launcher,
        slot_bytes=slot_mib << 20 if slot_mib else SLOT,
        report=lambda s: log.info(
            "Penstock loaded %d tensors, %.2f GB in %.2f s (%.2f GB/s, first tensor after %.2f s); loader's device: %s",
            s.tensors, s.bytes / 1e9, s.seconds, s.bytes / 1e9 / max(s.seconds, 1e-9), s.first_tensor_seconds, s.device,
        ),
    )  # fmt: skip
    tensors = load(rank=rank)
    try:
        try:
            first = next(tensors, None)
        except PenstockError as e:
            if rank is None or e.code not in _NOT_THAT_RANK:
                raise
            log.warning("Penstock gives this rank every tensor: the loader has no plan for its layout: %s", e.message)
            tensors = load(rank=None)
            first = next(tensors, None)
    except LoaderUnavailable as e:
        log.warning("Penstock's loader is not there, the engine's own loads instead: %s", e)
        yield from fall_back()
        return
    if first is not None:
        yield first
        del first
    yield from tensors
