"""Reaches a loader that runs, or starts one for this process."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from typing import IO

from .errors import LoaderUnavailable

_LAST_WORDS = 2000


class Peer:
    """The loader's process, and the socket to it."""

    def __init__(
        self, sock: socket.socket, pid: int, process: subprocess.Popen[bytes] | None = None, log: IO[bytes] | None = None
    ) -> None:
        self.sock = sock
        self.pid = pid
        self._process = process
        self._log = log

    def last_words(self) -> str:
        """The end of what a loader of our own wrote to its standard error."""
        if self._log is None:
            return ""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - _LAST_WORDS))
        return " ".join(self._log.read().decode(errors="replace").split())

    def close(self) -> None:
        """A loader of our own ends when the connection does."""
        self.sock.close()
        if self._process is not None:
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._log is not None:
            self._log.close()


def connect(service: str | None, launcher: str | None, timeout: float) -> Peer:
    """A loader at the socket `service`, or PENSTOCK_LOADER_SOCKET; without one, a process of our own, that ends with this one."""
    service = service or os.environ.get("PENSTOCK_LOADER_SOCKET") or None
    if service is None:
        return _start(launcher)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect(service)
        credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    except OSError as e:
        sock.close()
        raise LoaderUnavailable(
            f"no loader answers at {service}: {e.strerror}", f"Start one: penstock load serve --socket {service}"
        ) from e
    return Peer(sock, struct.unpack("3i", credentials)[0])


def command(launcher: str | None) -> Sequence[str]:
    found = launcher or shutil.which("penstock")
    if not found or not (os.path.isfile(found) and os.access(found, os.X_OK)):
        raise LoaderUnavailable(
            f"{launcher} cannot be run" if launcher else "there is no program 'penstock' on the PATH",
            "Put Penstock's launcher on the PATH, or name it (launcher=), or name a running loader's socket (socket=).",
        )
    return [found]


def _start(launcher: str | None) -> Peer:
    program = command(launcher)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    log = tempfile.TemporaryFile()
    try:
        process = subprocess.Popen([*program, "load", "serve", "--stdin"], stdin=theirs.fileno(), stdout=log, stderr=log)
    except OSError as e:
        ours.close()
        log.close()
        raise LoaderUnavailable(f"{program[0]} cannot be started: {e.strerror}", "Look at the file.") from e
    finally:
        theirs.close()
    return Peer(ours, process.pid, process, log)
