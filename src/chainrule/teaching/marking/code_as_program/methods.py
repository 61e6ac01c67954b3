"""The methods of arrays, lists, dictionaries and strings that interpreted programs may call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.teaching.marking.code_as_program.library import NUMPY, applied
from chainrule.teaching.marking.code_as_program.sizes import MOST_ENTRIES
from chainrule.teaching.marking.code_as_program.values import (
    CannotRun,
    Function,
    Method,
    Unknown,
    Value,
)

_OF_ARRAYS = frozenset({
    "dot", "sum", "mean", "max", "min", "std", "var", "prod", "argmax", "argmin", "reshape",
    "transpose", "swapaxes", "ravel", "flatten", "copy", "squeeze", "repeat", "cumsum",
    "round", "trace", "any", "all", "clip", "argsort", "tolist", "item", "take", "diagonal",
    "nonzero", "fill", "astype", "view",
})  # fmt: skip
_OF_LISTS = frozenset({
    "append", "extend", "insert", "pop", "reverse", "index", "copy", "count", "items", "keys",
    "values", "get", "update", "setdefault", "clear",
})  # fmt: skip
_OF_TEXTS = frozenset({
    "lower", "upper", "strip", "startswith", "endswith", "split", "join", "replace", "format",
})  # fmt: skip


def method_of(of: Method, args: list[Value], keys: Mapping[str, Value]) -> Value:
    """Return what a method of an array, a list, a dictionary or a string returns."""
    value, name = of.of, of.name
    if any(isinstance(one, Unknown) for one in args) and name != "append":
        return next(one for one in args if isinstance(one, Unknown))
    if isinstance(value, Function):
        raise CannotRun(f"{name} is not read")
    if isinstance(value, np.ndarray | float | int):
        return _of_array(np.asarray(value), name, args, keys)
    if isinstance(value, str) and name in _OF_TEXTS:
        if name in ("format", "replace"):
            return value  # texts are for people, and formats may be of any width
        return applied(getattr(value, name), name, args, {})
    if isinstance(value, list | dict | tuple | set) and (name in _OF_LISTS or name == "add"):
        found = applied_to_container(value, name, args, keys)
        return list(found) if name in ("items", "keys", "values") else found
    raise CannotRun(f"the method {name} is not read")


def applied_to_container(
    value: Value, name: str, args: Sequence[Value], keys: Mapping[str, Value]
) -> Value:
    """Return what a method of a list or a dictionary returns."""
    method = getattr(value, name, None)
    if method is None:
        raise CannotRun(f"the method {name} is not read")
    if isinstance(value, list) and len(value) + sum(map(_length, args)) > MOST_ENTRIES:
        raise CannotRun("a list of a length that is not read")
    try:
        return method(*args, **keys)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise CannotRun(f"{name} fails here") from error


def _length(value: Value) -> int:
    return len(value) if isinstance(value, list | tuple | range | np.ndarray) else 1


def _of_array(
    value: np.ndarray, name: str, args: Sequence[Value], keys: Mapping[str, Any]
) -> Value:
    if name not in _OF_ARRAYS:
        raise CannotRun(f"the method {name} is not read")
    if name in ("dot", "std", "var", "sum", "mean", "max", "min", "clip", "repeat", "reshape"):
        return applied(NUMPY[name], name, [value, *args], keys)
    if name == "astype":
        kind = args[0] if args else float
        if kind in (int, "int", "int32", "int64"):
            return value.astype(int)
        return value.astype(float) if value.dtype.kind != "f" else value.copy()
    if name in ("round", "view"):
        return value
    return applied(getattr(value, name), name, list(args), keys)


__all__ = ["applied_to_container", "method_of"]
