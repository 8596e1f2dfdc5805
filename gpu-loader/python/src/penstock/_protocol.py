"""Frames between an engine and the loader; docs/LOADER.md describes them."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

from .errors import LoaderDied, ProtocolError

VERSION = 1
MAGIC = b"PNL1"
LARGEST = 1 << 20
_HEADER = struct.Struct(">4sI")

Message = dict[str, Any]


def send(sock: socket.socket, message: Message, descriptor: int | None = None) -> None:
    """Sends one frame, and a descriptor with its first byte."""
    body = json.dumps(message, separators=(",", ":")).encode()
    if len(body) > LARGEST:
        raise ProtocolError(f"a {message['type']} message of {len(body)} bytes is longer than {LARGEST}")
    frame = _HEADER.pack(MAGIC, len(body)) + body
    sent = 0
    if descriptor is not None:
        sent = socket.send_fds(sock, [frame], [descriptor])
    sock.sendall(frame[sent:])


def receive(sock: socket.socket) -> Message:
    """Waits for the next frame.

    Raises LoaderDied at the end of the stream, ProtocolError for what is no frame.
    """
    magic, length = _HEADER.unpack(_exactly(sock, _HEADER.size))
    if magic != MAGIC or not 0 < length <= LARGEST:
        raise ProtocolError("what came is no message of the loader")
    try:
        message = json.loads(_exactly(sock, length))
    except (ValueError, RecursionError) as e:
        raise ProtocolError("what came is no message of the loader") from e
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ProtocolError("what came is no message of the loader")
    return message


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view = memoryview(data)
    done = 0
    while done < size:
        n = sock.recv_into(view[done:])
        if n == 0:
            raise LoaderDied("the connection to the loader ended")
        done += n
    return bytes(data)
