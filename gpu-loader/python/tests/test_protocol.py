"""Loaders that do not keep to the protocol."""

import contextlib
import json
import socket
import struct
import threading
import unittest

import helper
import penstock

HELLO = {"type": "hello", "version": 1, "device": "fake", "kinds": ["memfd"]}
TABLE = {"type": "table", "tensors": [["t", "U8", [3], 0, 0, 3]], "last": True}


def frame(message):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"PNL1" + struct.pack(">I", len(body)) + body


class FakeLoader:
    """Says what it is told to, whatever is asked of it, and hangs up."""

    def __init__(self, path, said):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, args=(said,), daemon=True)
        self._thread.start()

    def _serve(self, said):
        connection, _ = self._listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass

    def close(self):
        self._listener.close()
        self._thread.join(10)


class Broken(unittest.TestCase):
    def ask(self, said):
        with helper.directory() as place:
            path = str(place / "fake.sock")
            loader = FakeLoader(path, said)
            try:
                return penstock.load_state_dict("/model", framework="numpy", socket=path)
            finally:
                loader.close()

    def test_each_is_an_error(self):
        hello, table = frame(HELLO), frame(TABLE)
        for error, said in [
            (penstock.ProtocolError, b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            (penstock.ProtocolError, b"PNL1" + struct.pack(">I", 1 << 30)),
            (penstock.ProtocolError, frame(b"{")),
            (penstock.ProtocolError, frame(b"[" * 100_000)),
            (penstock.ProtocolError, frame([])),
            (penstock.ProtocolError, frame({"type": 3})),
            (penstock.ProtocolError, frame(HELLO | {"version": 2})),
            (penstock.LoaderUnavailable, b""),
            (penstock.LoaderUnavailable, hello[:5]),
            (penstock.LoaderDied, hello),
            (penstock.ProtocolError, hello + frame({"type": "end"})),
            (penstock.ProtocolError, hello + frame({"type": "table", "tensors": [["t"]], "last": True})),
            (penstock.ProtocolError, hello + frame({"type": "table", "tensors": [["t", "U8", [4], 0, 0, 3]], "last": True})),
            (penstock.ProtocolError, hello + frame({"type": "table", "tensors": []})),
            (penstock.LoaderDied, hello + table),
            (penstock.ProtocolError, hello + table + frame({"type": "done", "fetch": 77})),
            (penstock.PenstockError, hello + table + frame({"type": "error", "message": "the disk is gone", "code": "PEN-0711"})),
        ]:
            with self.subTest(said=said[:200]), self.assertRaises(error):
                self.ask(said)

    def test_random_answers(self):
        rng = helper.seeded()
        good = frame(HELLO) + frame(TABLE) + frame({"type": "done", "fetch": 1}) + frame({"type": "end", "stages": []})
        for _ in range(200):
            said = bytearray(good)
            for _ in range(rng.randrange(1, 4)):
                said[rng.randrange(len(said))] = rng.randrange(256)
            try:
                self.ask(bytes(said))
            except penstock.PenstockError:
                pass


if __name__ == "__main__":
    unittest.main()
