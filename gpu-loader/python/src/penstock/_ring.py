"""Slots that nobody uses any more, kept to be filled again: memory that was never touched costs several times what a read into it does.

Tensors of at most the ring's slot size share slots of that size. A longer one has a slot for itself. Three of those are kept: one is
being filled, one is handed out, and the engine still has the one before. None is much longer than the longest tensor to come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ._memory import Slot

_LONG_ONES = 3
_LARGEST = 2


class Ring:
    """Not thread-safe."""

    def __init__(self, usual: int, count: int, sizes: Sequence[int], drop: Callable[[Slot], None]) -> None:
        """`usual`: bytes of a slot that is shared; `count`: of those; `sizes`: of all that will be asked for, in order."""
        self._usual = usual
        self._count = count
        self._drop = drop
        self._free: list[Slot] = []
        self._out = {True: 0, False: 0}
        self._to_come = list(sizes)
        for i in reversed(range(len(sizes) - 1)):
            self._to_come[i] = max(sizes[i], self._to_come[i + 1])
        self._asked = 0

    def _long(self, size: int) -> bool:
        return size > self._usual

    def take(self, size: int) -> Slot | None:
        """The shortest that holds `size` bytes; without one, a place is made for a new one that is to be given back here."""
        for slot in [s for s in self._free if s.size > self._longest_useful()]:
            self._remove(slot)
        self._asked += 1
        long = self._long(size)
        self._out[long] += 1
        kind = sorted((s for s in self._free if self._long(s.size) == long), key=lambda s: s.size)
        fits = next((s for s in kind if s.size >= size), None)
        if fits is not None:
            self._free.remove(fits)
        elif long and kind:
            self._remove(kind[-1])
        return fits

    def filled(self, slot: Slot) -> None:
        """It is the engine's now."""
        self._out[self._long(slot.size)] -= 1

    def give(self, slot: Slot) -> None:
        """Keeps it, or drops it when there are enough."""
        long = self._long(slot.size)
        alike = self._out[long] + sum(self._long(s.size) == long for s in self._free)
        if alike >= (_LONG_ONES if long else self._count + 1) or slot.size > self._longest_useful():
            self._drop(slot)
            return
        slot.wait_idle()
        self._free.append(slot)

    def _longest_useful(self) -> int:
        longest = self._to_come[self._asked] if self._asked < len(self._to_come) else 0
        return _LARGEST * longest if self._long(longest) else self._usual

    def _remove(self, slot: Slot) -> None:
        self._free.remove(slot)
        self._drop(slot)

    def close(self) -> None:
        """Drops what is kept."""
        for slot in list(self._free):
            self._remove(slot)
