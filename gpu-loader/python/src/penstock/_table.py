"""What the loader says of a model's tensors, and how they are put into slots."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PAGE = 4096
_RAMP = (4 << 20, 16 << 20)

BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One tensor: `length` bytes at `offset` of the file number `file`."""

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    file: int
    offset: int
    length: int

    @property
    def alignment(self) -> int:
        return max(1, BITS.get(self.dtype, 8) // 8)

    def consistent(self) -> bool:
        return math.prod(self.shape) * BITS.get(self.dtype, 0) == self.length * 8


@dataclass(frozen=True, slots=True)
class Placed:
    """A tensor's place in a slot."""

    row: Row
    at: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors that go into one slot together, and the bytes that this takes."""

    placed: tuple[Placed, ...]
    size: int


def batches(rows: Iterable[Row], slot: int, ramp: bool = True) -> Iterator[Batch]:
    """Puts tensors into batches of at most `slot` bytes, in order; a longer tensor is a batch of its own.

    What lies side by side in a file does so in the slot, and has the same place in a page, so that it is read at once and can be
    read past the page cache. The first batches are small: their tensors arrive soon.
    """
    limits = iter([min(slot, r) for r in _RAMP] if ramp else [])
    limit = next(limits, slot)
    placed: list[Placed] = []
    end = 0
    for row in rows:
        at = _place(placed[-1] if placed else None, end, row)
        if placed and at + row.length > limit:
            yield Batch(tuple(placed), end)
            limit = next(limits, slot)
            placed = []
            at = _place(None, 0, row)
        placed.append(Placed(row, at))
        end = at + row.length
    if placed:
        yield Batch(tuple(placed), end)


def _place(last: Placed | None, end: int, row: Row) -> int:
    if last and last.row.file == row.file and last.row.offset + last.row.length == row.offset and end % row.alignment == 0:
        return end
    if row.offset % row.alignment:
        return (end + 63) & -64
    return end + (row.offset - end) % PAGE
