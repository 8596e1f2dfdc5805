"""What can go wrong, as exceptions."""

from __future__ import annotations


class PenstockError(Exception):
    """A load that cannot go on. The message says what happened to what; `remedy` says what to do next."""

    def __init__(self, message: str, remedy: str = "", code: str = "") -> None:
        super().__init__(message + (f" ({code})" if code else "") + (f"\n  next: {remedy}" if remedy else ""))
        self.message = message
        self.remedy = remedy
        self.code = code


class LoaderUnavailable(PenstockError):
    """No loader could be started or reached: nothing was loaded yet, and another way to load may be tried."""


class LoaderDied(PenstockError):
    """The loader's process ended in the middle of a load."""


class ProtocolError(PenstockError):
    """The other end does not keep to the protocol."""
