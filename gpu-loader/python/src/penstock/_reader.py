"""One file, read tensor by tensor: the interface of safetensors.safe_open."""

from __future__ import annotations

import math
import os
from typing import Any

from . import _views
from ._client import Connection
from ._table import BITS, Batch, Placed, Row
from .errors import PenstockError


class safe_open:  # noqa: N801 - the name of what it stands in for
    """Takes the place of safetensors.safe_open: `with safe_open(path, framework="pt") as f: f.get_tensor(name)`.

    Unlike safetensors' own it opens a model's directory too. Not thread-safe.
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        framework: str = "pt",
        device: str = "cpu",
        *,
        socket: str | None = None,
        launcher: str | None = None,
    ) -> None:
        kind = _views.framework(framework)
        path = os.path.abspath(os.fspath(filename))
        self._connection = Connection(path, device=str(device), framework=kind, service=socket, launcher=launcher)
        self._rows = {r.name: r for r in self._connection.rows}

    def __enter__(self) -> safe_open:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def keys(self) -> list[str]:
        return sorted(self._rows)

    def offset_keys(self) -> list[str]:
        """Names in the order of the bytes."""
        return [r.name for r in sorted(self._rows.values(), key=lambda r: (r.file, r.offset))]

    def metadata(self) -> dict[str, str] | None:
        return dict(self._connection.metadata) or None

    def _row(self, name: str) -> Row:
        if name not in self._rows:
            raise PenstockError(f"there is no tensor {name}", "keys() lists those that there are.")
        return self._rows[name]

    def get_tensor(self, name: str) -> Any:
        row = self._row(name)
        return self._read(row, 0, row.length, row.shape)

    def get_slice(self, name: str) -> Slice:
        return Slice(self, self._row(name))

    def _read(self, row: Row, start: int, length: int, shape: tuple[int, ...]) -> Any:
        at = (row.offset + start) % 64
        part = Row(row.index, row.name, row.dtype, shape, row.file, row.offset + start, length)
        slot = self._connection._make(at + max(1, length))
        number = self._connection._fetch(slot, Batch((Placed(part, at),), at + length), start)
        self._connection._wait(number)
        self._connection._drop(slot)
        return slot.tensor(part, at)


class Slice:
    """A tensor that is read as far as it is indexed: `slice[a:b]` reads these rows only, everything else the whole."""

    def __init__(self, reader: safe_open, row: Row) -> None:
        self._reader = reader
        self._row = row

    def get_shape(self) -> list[int]:
        return list(self._row.shape)

    def get_dtype(self) -> str:
        return self._row.dtype

    def __getitem__(self, index: Any) -> Any:
        row = self._row
        first, rest = (index[0], index[1:]) if isinstance(index, tuple) and index else (index, ())
        if isinstance(first, slice) and row.shape and first.step in (None, 1):
            start, stop, _ = first.indices(row.shape[0])
            count = max(0, stop - start)
            bits = math.prod(row.shape[1:]) * BITS[row.dtype]
            if bits % 8 == 0:
                part = self._reader._read(row, start * bits // 8, count * bits // 8, (count, *row.shape[1:]))
                return part[(slice(None), *rest)] if rest else part
        return self._reader.get_tensor(row.name)[index]
