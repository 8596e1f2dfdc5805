"""Bytes as tensors of NumPy or torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from .errors import PenstockError

_NUMPY = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "U16": "uint16", "F16": "float16", "I32": "int32",
    "U32": "uint32", "F32": "float32", "I64": "int64", "U64": "uint64", "F64": "float64", "C64": "complex64",
}  # fmt: skip
_ML_DTYPES = {
    "BF16": "bfloat16", "F8_E5M2": "float8_e5m2", "F8_E4M3": "float8_e4m3fn", "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz",
}  # fmt: skip
_TORCH = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "U16": "uint16", "F16": "float16", "BF16": "bfloat16",
    "I32": "int32", "U32": "uint32", "F32": "float32", "I64": "int64", "U64": "uint64", "F64": "float64", "C64": "complex64",
    "F8_E5M2": "float8_e5m2", "F8_E4M3": "float8_e4m3fn", "F8_E8M0": "float8_e8m0fnu", "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz", "F4": "float4_e2m1fn_x2",
}  # fmt: skip
_NAMES = {"pt": "torch", "torch": "torch", "pytorch": "torch", "np": "numpy", "numpy": "numpy"}


def framework(name: str | None) -> str:
    """`torch` or `numpy`; None: torch where it can be imported."""
    if name is None:
        try:
            import torch  # noqa: F401
        except ImportError:
            return "numpy"
        return "torch"
    if name not in _NAMES:
        raise PenstockError(f"tensors of '{name}' are not known", "Use 'torch' ('pt') or 'numpy' ('np').")
    return _NAMES[name]


def numpy_dtype(dtype: str) -> Any:
    if dtype in _NUMPY:
        return numpy.dtype(_NUMPY[dtype])
    if dtype in _ML_DTYPES:
        try:
            import ml_dtypes
        except ImportError as e:
            raise PenstockError(f"NumPy has no {dtype}", "pip install ml_dtypes, or load with framework='torch'.") from e
        return numpy.dtype(getattr(ml_dtypes, _ML_DTYPES[dtype]))
    raise PenstockError(f"NumPy has no {dtype}", "Load with framework='torch'.")


def torch_dtype(dtype: str) -> Any:
    import torch

    found = getattr(torch, _TORCH.get(dtype, ""), None)
    if found is None:
        raise PenstockError(f"torch {torch.__version__} has no {dtype}", "Use a newer torch.")
    return found


def of_numpy(data: Any, dtype: str, shape: Sequence[int]) -> Any:
    """A NumPy array over an array of bytes, without a copy."""
    return data.view(numpy_dtype(dtype)).reshape(shape)


def of_torch(data: Any, dtype: str, shape: Sequence[int]) -> Any:
    """A torch tensor over a torch tensor of bytes, without a copy. Two values of F4 are one element, as torch has it."""
    kind = torch_dtype(dtype)
    if dtype == "F4":
        shape = [*shape[:-1], shape[-1] // 2]
    if data.numel() == 0:
        return data.new_empty(shape, dtype=kind)
    return data.view(kind).reshape(shape)
