"""Arguments of compiled kernels: arrays and numbers as the flat list that C takes.

A small fit spends as long here as in its kernel, so each argument is looked at once.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Kind = tuple[Any, ...]
"""The type of an argument, as its compiled code depends on it."""

_NUMBERS: Final[dict[type, tuple[int, Kind]]] = {
    int: (-1, ("int",)),
    float: (-2, ("float",)),
    bool: (-3, ("bool",)),
}
_OPEN, _CLOSE = -4, -5
"""In a key: where a tuple begins and ends."""

_C, _F, _STRIDED = 0, 1, 2
_ORDERS: Final = "CFA"
_DIMENSIONS: Final[int] = 8
"""More than the dimensions of any array."""


class Pinned:
    """An array whose place in memory is looked up once, for a kernel that is called many times."""

    __slots__ = ("array", "flat", "key")

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.array = array
        self.key: list[int] = []
        self.flat: list[Any] = []
        _take(array, self.key, self.flat)


def flattened(arguments: Sequence[Any]) -> tuple[tuple[int, ...], list[Any]]:
    """Return a key of the types of the arguments, and what C takes for them."""
    key: list[int] = []
    flat: list[Any] = []
    for argument in arguments:
        _take(argument, key, flat)
    return tuple(key), flat


def _address_told(array: npt.NDArray[Any]) -> int:
    """Return where the numbers of an array lie, as NumPy tells it: in two microseconds."""
    told: int = array.__array_interface__["data"][0]
    return told


_FIRST: Final = object.__basicsize__
_read: Final = ctypes.c_void_p.from_address


def _address_read(array: npt.NDArray[Any]) -> int:
    """Return the same from the array object, whose first member it is (NumPy's C interface)."""
    return _read(id(array) + _FIRST).value or 0


_TRIED: Final = np.arange(6.0)[2:]
_address: Final = (
    _address_read
    if sys.implementation.name == "cpython" and _address_read(_TRIED) == _address_told(_TRIED)
    else _address_told
)


def _take(argument: Any, key: list[int], flat: list[Any]) -> None:  # noqa: ANN401
    """Append what the code depends on, and what C takes."""
    kind = type(argument)
    if kind is np.ndarray:
        flags = argument.flags
        flat.append(_address(argument))
        flat += argument.shape
        if flags.c_contiguous:
            order = _C
        elif flags.f_contiguous:
            order = _F
        else:
            order = _STRIDED
            flat.append(_stride(argument))
        key.append((argument.dtype.num * _DIMENSIONS + argument.ndim) * len(_ORDERS) + order)
    elif kind in _NUMBERS:
        key.append(_NUMBERS[kind][0])
        flat.append(argument)
    elif kind is Pinned:
        key += argument.key
        flat += argument.flat
    elif kind is tuple:
        key.append(_OPEN)
        for part in argument:
            _take(part, key, flat)
        key.append(_CLOSE)
    else:
        _take(_plain(argument), key, flat)


def _plain(argument: Any) -> Any:  # noqa: ANN401
    """Return a number of NumPy, or what is of a derived type, as one of the plain type."""
    if isinstance(argument, np.ndarray):
        return argument.view(np.ndarray)
    if isinstance(argument, np.generic):
        return argument.item()
    if isinstance(argument, tuple):
        return tuple(argument)
    return int(argument) if isinstance(argument, int) else float(argument)


def _stride(array: npt.NDArray[Any]) -> int:
    """Return how many numbers apart those are that lie in no single piece."""
    stride = array.strides[-1] // array.itemsize
    whole = array.strides[0] % array.itemsize == 0 and array.strides[0] > 0
    if array.ndim == 1 and whole:  # every so many numbers
        return stride
    if array.ndim == 2 and array.strides[0] == array.itemsize:
        return stride  # some rows of an array in Fortran order
    raise TypeError("a kernel takes rows or columns in one piece")


def kinds_of(arguments: Sequence[Any]) -> tuple[Kind, ...]:
    """Return the types of the arguments, in words that are the same in every process."""
    return tuple(_kind(argument) for argument in arguments)


def _kind(argument: Any) -> Kind:  # noqa: ANN401
    if isinstance(argument, Pinned):
        return _kind(argument.array)
    if isinstance(argument, np.ndarray):
        flags = argument.flags
        order = _C if flags.c_contiguous else _F if flags.f_contiguous else _STRIDED
        return argument.dtype.char, argument.ndim, _ORDERS[order]
    if isinstance(argument, tuple):
        return "tuple", *[_kind(part) for part in argument]
    kind = type(argument)
    return _NUMBERS[kind if kind in _NUMBERS else type(_plain(argument))][1]


def places(kind: Kind) -> list[Any]:
    """Return the types of C that an argument takes."""
    if kind[0] == "tuple":
        return [place for part in kind[1:] for place in places(part)]
    if kind[0] in ("bool", "int"):
        return [ctypes.c_ssize_t]
    if kind[0] == "float":
        return [ctypes.c_double]
    return [ctypes.c_void_p, *[ctypes.c_ssize_t] * (kind[1] + (kind[2] == "A"))]
