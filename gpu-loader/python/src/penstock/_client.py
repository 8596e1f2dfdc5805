"""The engine's end of a load: gives the loader slots to fill, waits for what is filled.

Why it cannot lock up: the loader never waits for this side. It is only ever told to fill memory that it has, and needs
nothing more for that. This side waits for one thing, a fill that it has asked for, and before it waits there always is one: when
every slot is held by the engine it makes another.
"""

from __future__ import annotations

import itertools
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import _protocol, _service
from ._memory import Slot, make_slot
from ._protocol import Message
from ._ring import Ring
from ._table import Batch, Row, batches
from .errors import LoaderDied, LoaderUnavailable, PenstockError, ProtocolError


@dataclass
class Stats:
    """What a load did; `loader` has the loader's own stages."""

    device: str = ""
    bytes: int = 0
    tensors: int = 0
    seconds: float = 0.0
    first_tensor_seconds: float = 0.0
    waited_seconds: float = 0.0
    slots: int = 0
    slot_bytes: int = 0
    loader: Message = field(default_factory=dict)


class Connection:
    """One model, opened by one loader. Not thread-safe; ends with `close`, and when it is collected."""

    def __init__(
        self,
        files: str | Sequence[str],
        *,
        device: str = "cpu",
        framework: str = "numpy",
        rank: Message | None = None,
        service: str | None = None,
        launcher: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.begun = time.monotonic()
        self.device = "cpu" if device == "host" else device
        self.framework = framework
        if self.device != "cpu" and not self.device.startswith("cuda"):
            raise PenstockError(f"there is no device '{device}'", "Use 'cpu', or 'cuda:0'.")
        if self.device != "cpu" and framework != "torch":
            raise PenstockError("NumPy has no tensors on a GPU", "Load with framework='torch'.")
        self._numbers = itertools.count()
        self._fetches = itertools.count(1)
        self._done: set[int] = set()
        self._open: set[int] = set()
        self._filled = 0
        self._peer = _service.connect(service, launcher, timeout)
        self._sock: socket.socket | None = self._peer.sock
        self.stats = Stats()
        try:
            self._greet(timeout)
            self._read_table(files, rank)
        except BaseException:
            self.close()
            raise

    def _greet(self, timeout: float) -> None:
        assert self._sock
        self._sock.settimeout(timeout)
        try:
            self._send({"type": "hello", "version": _protocol.VERSION, "client": "penstock-python"})
            hello = self._receive("hello")
        except LoaderDied as e:
            raise LoaderUnavailable(e.message, "Run the launcher by hand: penstock load serve --help") from e
        if hello.get("version") != _protocol.VERSION:
            raise ProtocolError(
                f"the loader speaks version {hello.get('version')} of the protocol, this package {_protocol.VERSION}",
                "Use the package and the loader of one release.",
            )
        self.stats.device = str(hello.get("device", ""))
        if self.device.startswith("cuda") and "cuda-ipc" not in hello.get("kinds", []):
            raise PenstockError(
                f"the loader cannot fill {self.device}: its device is {self.stats.device}",
                "Load to the host (device='cpu'), or run the loader where it sees the GPU.",
            )
        self._sock.settimeout(None)

    def _read_table(self, files: str | Sequence[str], rank: Message | None) -> None:
        request: Message = {"type": "open"}
        if isinstance(files, str):
            request["path"] = files
        else:
            request["files"] = list(files)
        if rank:
            request["rank"] = rank
        self._send(request)
        rows: list[Row] = []
        self.metadata: dict[str, str] = {}
        self.notes: list[str] = []
        last = False
        while not last:
            page = self._receive("table")
            try:
                for name, dtype, shape, file, offset, length in page["tensors"]:
                    if not (isinstance(name, str) and all(_whole(n) for n in (file, offset, length, *shape))):
                        raise ValueError(f"tensor {name}")
                    rows.append(Row(len(rows), name, str(dtype), tuple(shape), file, offset, length))
                self.metadata.update(page.get("metadata", {}))
                self.notes.extend(page.get("notes", []))
                last = bool(page["last"])
            except (KeyError, TypeError, ValueError) as e:
                raise ProtocolError(f"the loader's table of tensors cannot be read: {e}") from e
        for row in rows:
            if not row.consistent():
                raise ProtocolError(f"tensor {row.name}: {row.length} bytes are no {row.dtype} of shape {row.shape}")
        self.rows = rows

    def _send(self, message: Message, descriptor: int | None = None) -> None:
        if self._sock is None:
            raise PenstockError("this load is closed", "Open the model again.")
        try:
            _protocol.send(self._sock, message, descriptor)
        except TimeoutError as e:
            raise self._silent() from e
        except OSError as e:
            if message["type"] != "hello":
                self._receive("")  # what the loader said before it closed the connection
            raise self._died(e) from e

    def _receive(self, kind: str) -> Message:
        """The next message of this kind; fills that are done are noted on the way."""
        assert self._sock
        while True:
            try:
                message = _protocol.receive(self._sock)
            except TimeoutError as e:
                raise self._silent() from e
            except (LoaderDied, OSError) as e:
                raise self._died(e) from e
            if message["type"] == "done":
                number = message.get("fetch")
                if number not in self._open:
                    raise ProtocolError(f"the loader says that it has done {number}, which it was not asked for")
                self._open.discard(number)
                self._done.add(number)
                self._filled += 1
            elif message["type"] == "error":
                raise PenstockError(
                    str(message.get("message", "the loader failed")),
                    str(message.get("remedy", "")),
                    str(message.get("code", "")),
                )
            elif message["type"] != kind:
                raise ProtocolError(f"the loader sent {message['type']}, not {kind}")
            if message["type"] == kind:
                return message

    def _died(self, cause: BaseException) -> LoaderDied:
        asked = self._filled + len(self._open)
        where = f"after {self._filled} of {asked} fills" if asked else "before it had filled anything"
        words = self._peer.last_words()
        return LoaderDied(
            f"the loader (process {self._peer.pid}) ended {where}: {cause}" + (f"; it said: {words}" if words else ""),
            "Load again; if it happens again, look at the loader's log or the kernel's for the reason.",
        )

    def _silent(self) -> PenstockError:
        return PenstockError("the loader did not answer in time", "Look whether its machine is overloaded.")

    def close(self) -> None:
        """Ends the connection; tensors that were handed out stay valid."""
        if self._sock is not None:
            self._sock = None
            self._peer.close()

    def __del__(self) -> None:
        if getattr(self, "_peer", None) is not None:
            self.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Slots and fills

    def _make(self, size: int) -> Slot:
        try:
            slot = make_slot(next(self._numbers), size, self.device, self.framework)
        except (OSError, OverflowError, ValueError, RuntimeError) as e:
            raise PenstockError(f"there is no memory for {size} bytes on {self.device}: {e}") from e
        message, descriptor = slot.announcement()
        self._send(message, descriptor)
        slot.announced()
        self.stats.slots += 1
        self.stats.slot_bytes += size
        return slot

    def _drop(self, slot: Slot) -> None:
        self._send({"type": "drop", "slot": slot.number})

    def _fetch(self, slot: Slot, batch: Batch, start: int = 0) -> int:
        """Asks for a batch; `start`: where in its tensors to begin."""
        number = next(self._fetches)
        items = [[p.row.index, start, p.row.length, p.at] for p in batch.placed if p.row.length]
        self._open.add(number)
        step = 20_000  # keeps a message below its limit
        for i in range(0, max(1, len(items)), step):
            rest = i + step < len(items)
            self._send({"type": "fetch", "fetch": number, "slot": slot.number, "items": items[i : i + step], "more": rest})
        return number

    def _wait(self, number: int) -> None:
        begun = time.monotonic()
        while number not in self._done:
            self._receive("done")
        self._done.discard(number)
        self.stats.waited_seconds += time.monotonic() - begun

    def _count(self, row: Row) -> None:
        if not self.stats.tensors:
            self.stats.first_tensor_seconds = time.monotonic() - self.begun
        self.stats.tensors += 1
        self.stats.bytes += row.length

    def iterate(self, rows: Iterable[Row], slot_size: int, ring: int) -> Iterator[tuple[str, Any]]:
        """The tensors, in order.

        Slots for `ring - 1` times `slot_size` bytes are being filled, or one, where that is longer; the engine has the tensors of
        one more, and of those that it keeps tensors of beyond that.
        """
        todo = deque((max(slot_size, b.size), b) for b in batches(rows, slot_size))
        free = Ring(slot_size, ring, [size for size, _ in todo], self._drop)
        held: list[Slot] = []
        filling: deque[tuple[int, Slot, Batch]] = deque()

        def reclaim() -> None:
            for slot in [s for s in held if not s.in_use()]:
                held.remove(slot)
                free.give(slot)

        def top_up() -> None:
            while todo:
                size, batch = todo[0]
                if filling and sum(s.size for _, s, _ in filling) + size > (ring - 1) * slot_size:
                    break
                todo.popleft()
                slot = free.take(size) or self._make(size)
                filling.append((self._fetch(slot, batch), slot, batch))

        top_up()
        while filling:
            self._wait(filling[0][0])
            _, slot, batch = filling.popleft()
            free.filled(slot)
            reclaim()
            top_up()
            for placed in batch.placed:
                self._count(placed.row)
                yield placed.row.name, slot.tensor(placed.row, placed.at)
            held.append(slot)
            reclaim()
            top_up()
            del slot, batch
        free.close()
        for slot in held:
            self._drop(slot)

    def load(self, rows: Sequence[Row], slot_size: int, ahead: int = 8) -> dict[str, Any]:
        """All tensors at once, each slot filled once: the tensors are the memory that was read into."""
        tensors: dict[str, Any] = {}
        filling: deque[tuple[int, Slot, Batch]] = deque()

        def finish() -> None:
            number, slot, batch = filling.popleft()
            self._wait(number)
            for placed in batch.placed:
                self._count(placed.row)
                tensors[placed.row.name] = slot.tensor(placed.row, placed.at)
            self._drop(slot)

        for batch in batches(rows, slot_size, ramp=False):
            slot = self._make(max(1, batch.size))
            filling.append((self._fetch(slot, batch), slot, batch))
            if len(filling) >= ahead:
                finish()
        while filling:
            finish()
        return tensors

    def finish(self) -> Stats:
        """Asks the loader what it did."""
        self._send({"type": "end"})
        self.stats.loader = self._receive("end")
        self.stats.seconds = time.monotonic() - self.begun
        return self.stats


def _whole(number: object) -> bool:
    return isinstance(number, int) and number >= 0


def select(rows: Sequence[Row], wanted: Callable[[str], bool] | None) -> list[Row]:
    return [r for r in rows if wanted is None or wanted(r.name)]

