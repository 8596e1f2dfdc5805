"""Model weights from a mount or directory into the memory of an inference engine.

    for name, tensor in penstock.iterate("/mnt/model"): ...
    state = penstock.load_state_dict("/mnt/model", device="cpu")
    with penstock.safe_open("/mnt/model/model.safetensors", framework="pt") as f: ...
"""

from ._client import Connection, Stats
from ._load import iterate, load_state_dict
from ._reader import Slice, safe_open
from .errors import LoaderDied, LoaderUnavailable, PenstockError, ProtocolError

__version__ = "0.1.0"
__all__ = [
    "Connection",
    "LoaderDied",
    "LoaderUnavailable",
    "PenstockError",
    "ProtocolError",
    "Slice",
    "Stats",
    "iterate",
    "load_state_dict",
    "safe_open",
]
