"""Memory of the engine's that the loader fills: a slot is one piece of it.

A slot knows whether anybody still uses a tensor in it. Each tensor lies over a window, a small object that every view of the
tensor keeps alive, whoever made the view; when the windows are gone, so are the views.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import weakref
from typing import Any, Protocol

import numpy

from . import _views
from ._protocol import Message
from ._table import Row
from .errors import PenstockError

_F_ADD_SEALS = 1033
_F_SEAL_SEAL, _F_SEAL_SHRINK, _F_SEAL_GROW = 1, 2, 4


class Slot(Protocol):
    number: int
    size: int

    def announcement(self) -> tuple[Message, int | None]:
        """What the loader is told of it, and the descriptor that goes along."""

    def announced(self) -> None:
        """The loader has it."""

    def tensor(self, row: Row, at: int) -> Any:
        """A tensor over the bytes at `at`, without a copy."""

    def in_use(self) -> bool:
        """Whether a tensor of it is still referred to."""

    def wait_idle(self) -> None:
        """Waits until no work of a device that was begun before reads it."""


class _Windows:
    def __init__(self) -> None:
        self._live: list[weakref.ref[Any]] = []

    def add(self, window: Any) -> Any:
        self._live.append(weakref.ref(window))
        return window

    def any(self) -> bool:
        self._live = [r for r in self._live if r() is not None]
        return bool(self._live)


class HostSlot:
    """Shared memory; sealed, so that neither side can take pages away from under the other."""

    def __init__(self, number: int, size: int, framework: str) -> None:
        self.number = number
        self.size = size
        self._torch = framework == "torch"
        self._windows = _Windows()
        fd = os.memfd_create("penstock-slot", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(fd, size)
            fcntl.fcntl(fd, _F_ADD_SEALS, _F_SEAL_SHRINK | _F_SEAL_GROW | _F_SEAL_SEAL)
            self._map = mmap.mmap(fd, size)
        except BaseException:
            os.close(fd)
            raise
        self._fd: int | None = fd

    def announcement(self) -> tuple[Message, int | None]:
        return {"type": "slot", "slot": self.number, "kind": "memfd", "bytes": self.size}, self._fd

    def announced(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __del__(self) -> None:
        if getattr(self, "_fd", None) is not None:
            self.announced()

    def tensor(self, row: Row, at: int) -> Any:
        if row.length == 0:
            window = numpy.empty(0, numpy.uint8)
        else:
            window = self._windows.add(numpy.frombuffer(self._map, numpy.uint8, row.length, at))
        if not self._torch:
            return _views.of_numpy(window, row.dtype, row.shape)
        import torch

        return _views.of_torch(torch.from_numpy(window), row.dtype, row.shape)

    def in_use(self) -> bool:
        return self._windows.any()

    def wait_idle(self) -> None:
        pass


class _CudaWindow:
    def __init__(self, owner: Any, address: int, length: int) -> None:
        self._owner = owner
        self.__cuda_array_interface__ = {
            "shape": (length,),
            "typestr": "|u1",
            "data": (address, False),
            "version": 3,
        }


def _ipc_handle(address: int) -> tuple[bytes, int]:
    """The handle of the allocation that an address lies in, and the offset there.

    Asked of the driver: what torch exports itself it keeps until another torch says that it is done.
    """
    cuda = ctypes.CDLL("libcuda.so.1")
    base, size, handle = ctypes.c_uint64(), ctypes.c_size_t(), ctypes.create_string_buffer(64)
    failed = cuda.cuMemGetAddressRange_v2(ctypes.byref(base), ctypes.byref(size), ctypes.c_uint64(address))
    failed = failed or cuda.cuIpcGetMemHandle(handle, base)
    if failed:
        raise PenstockError(
            f"the driver does not export this memory to the loader (CUDA error {failed})",
            "Run the engine without expandable_segments:True in PYTORCH_CUDA_ALLOC_CONF.",
        )
    return handle.raw, address - base.value


class CudaSlot:
    """Memory of a GPU, exported as a CUDA IPC handle. Not yet measured on a GPU."""

    def __init__(self, number: int, size: int, device: str) -> None:
        import torch

        self.number = number
        self.size = size
        self._device = torch.device(device)
        self._memory = torch.empty(size, dtype=torch.uint8, device=self._device)
        self._windows = _Windows()

    def announcement(self) -> tuple[Message, int | None]:
        import torch

        handle, offset = _ipc_handle(self._memory.data_ptr())
        message = {
            "type": "slot", "slot": self.number, "kind": "cuda-ipc", "bytes": self.size,
            "handle": handle.hex(), "offset": offset, "gpu": str(torch.cuda.get_device_properties(self._device).uuid),
        }  # fmt: skip
        return message, None

    def announced(self) -> None:
        pass

    def tensor(self, row: Row, at: int) -> Any:
        import torch

        if row.length == 0:
            data = torch.empty(0, dtype=torch.uint8, device=self._device)
        else:
            window = self._windows.add(_CudaWindow(self._memory, self._memory.data_ptr() + at, row.length))
            data = torch.as_tensor(window, device=self._device)
        return _views.of_torch(data, row.dtype, row.shape)

    def in_use(self) -> bool:
        return self._windows.any()

    def wait_idle(self) -> None:
        import torch

        torch.cuda.current_stream(self._device).synchronize()


def make_slot(number: int, size: int, device: str, framework: str) -> Slot:
    if device.startswith("cuda"):
        return CudaSlot(number, size, device)
    return HostSlot(number, size, framework)
