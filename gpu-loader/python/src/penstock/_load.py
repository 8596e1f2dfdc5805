"""Whole models: one tensor after the other, or all at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from . import _views
from ._client import Connection, Stats, select

Path = str | os.PathLike[str]
SLOT = 16 << 20  # small, as fresh pages cost more than the bytes in them: docs/DECISIONS.md
RING = 4


def _files(path: Path | Sequence[Path]) -> str | list[str]:
    if isinstance(path, str | os.PathLike):
        return os.path.abspath(os.fspath(path))
    return [os.path.abspath(os.fspath(p)) for p in path]


def iterate(
    path: Path | Sequence[Path],
    *,
    device: str = "cpu",
    framework: str | None = None,
    rank: dict[str, Any] | None = None,
    wanted: Callable[[str], bool] | None = None,
    slot_bytes: int = SLOT,
    slots: int = RING,
    socket: str | None = None,
    launcher: str | None = None,
    report: Callable[[Stats], None] | None = None,
) -> Iterator[tuple[str, Any]]:
    """Gives (name, tensor) in the order in which the bytes lie in the files.

    The tensors are views of a ring of `slots` pieces of memory; a piece is used again when no tensor over it is referred to
    any more, so a tensor is valid for as long as it is kept. Keeping many takes more memory, and nothing else.

    path: a model's directory, one safetensors file, or a list of files
    device: "cpu", or "cuda:0"
    framework: "torch" or "numpy"; without it torch, where it can be imported
    rank: what an engine's rank needs, in the words of `penstock load plan`: {"tp": 8, "ep": "on", "rank": 3}; without it everything
    wanted: tells by the name which tensors to load; others are not read
    socket: of a loader that runs; without one this process starts its own
    launcher: path of `penstock`; without it the PATH is searched
    report: called with the figures of the load when it is complete
    """
    kind = _views.framework(framework)
    with Connection(_files(path), device=device, framework=kind, rank=rank, service=socket, launcher=launcher) as connection:
        yield from connection.iterate(select(connection.rows, wanted), slot_bytes, slots)
        stats = connection.finish()
    if report:
        report(stats)


def load_state_dict(
    path: Path | Sequence[Path],
    *,
    device: str = "cpu",
    framework: str | None = None,
    rank: dict[str, Any] | None = None,
    wanted: Callable[[str], bool] | None = None,
    slot_bytes: int = 0,
    socket: str | None = None,
    launcher: str | None = None,
    report: Callable[[Stats], None] | None = None,
) -> dict[str, Any]:
    """All tensors of a model by name, as safetensors.torch.load_file gives those of one file.

    On the host they are views of shared memory that the loader has read into, without a copy. The arguments are those of
    `iterate`.
    """
    kind = _views.framework(framework)
    with Connection(_files(path), device=device, framework=kind, rank=rank, service=socket, launcher=launcher) as connection:
        rows = select(connection.rows, wanted)
        size = slot_bytes or max(64 << 20, sum(r.length for r in rows) // 64)
        tensors = connection.load(rows, size)
        stats = connection.finish()
    if report:
        report(stats)
    return tensors
