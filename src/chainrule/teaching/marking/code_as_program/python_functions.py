"""The functions of Python itself that interpreted programs may call."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from chainrule.teaching.marking.code_as_program.library import applied
from chainrule.teaching.marking.code_as_program.values import (
    CannotRun,
    Function,
    Instance,
    Unknown,
    Value,
)


class Evaluation(Protocol):
    """The part of an interpreter that these functions use."""

    def call(self, of: Value, args: list[Value], keys: Mapping[str, Value], line: int = 0) -> Value:
        """Return what a function returns."""

    def rounds(self, value: Value) -> Iterator[Value]:
        """Yield what a loop runs over."""

    def binary(self, op: type[ast.AST], one: Value, other: Value) -> Value:
        """Return a sum, a product or another operation of two values."""

    def attribute(self, of: Value, name: str) -> Value:
        """Return an attribute of a value."""


def python_function(
    run: Evaluation, name: str, args: list[Value], keys: Mapping[str, Value]
) -> Value:
    """Return what a function of Python itself returns."""
    if any(isinstance(one, Unknown) for one in args) and name not in ("isinstance", "hasattr"):
        return next(one for one in args if isinstance(one, Unknown))
    match name:
        case "range" | "xrange":
            found = applied(range, "range", [whole_number(one) for one in args], {})
            if len(found) > 1_000_000_000:
                raise CannotRun("a range that is not read")
            return found
        case "len" if isinstance(args[0], Instance) and (
            (method := args[0].of.method("__len__")) is not None
        ):
            return run.call(Function(method, args[0]), [], {})
        case "zip":
            return list(zip(*(list(run.rounds(one)) for one in args), strict=False))
        case "enumerate":
            start = args[1] if len(args) > 1 else keys.get("start", 0)
            return list(enumerate(run.rounds(args[0]), start))
        case "reversed":
            return list(run.rounds(args[0]))[::-1]
        case "list" | "sorted" | "tuple" | "set" | "iter":
            found = list(run.rounds(args[0])) if args else []
            if name == "sorted":
                return applied(sorted, name, [found], {})
            return {"tuple": tuple, "set": set}.get(name, list)(found)
        case "dict":
            return {**(args[0] if args and isinstance(args[0], dict) else {}), **keys}
        case "map":
            return [run.call(args[0], list(one), {}) for one in
                    zip(*(run.rounds(a) for a in args[1:]), strict=False)]  # fmt: skip
        case "sum":
            total = args[1] if len(args) > 1 else 0
            for one in run.rounds(args[0]):
                total = run.binary(ast.Add, total, one)
            return total
        case "isinstance" | "hasattr" | "callable":
            if name == "hasattr":
                return isinstance(args[0], Instance) and args[1] in args[0].fields
            return False
        case "getattr":
            return run.attribute(args[0], str(args[1]))
        case "float" | "int" if args and isinstance(args[0], np.ndarray):
            return (float if name == "float" else int)(np.squeeze(args[0]))
        case "round":
            return args[0]  # so that a difference of the loss is not rounded away
        case "pow":
            return run.binary(ast.Pow, args[0], args[1])
        case "str" | "repr":
            return str(args[0]) if isinstance(args[0], str | int | float) else ""
        case "len" | "float" | "int" | "abs" | "max" | "min" | "bool" | "any" | "all":
            plain: dict[str, Callable[..., Any]] = {
                "len": len, "float": float, "int": int, "abs": abs, "max": max, "min": min,
                "bool": bool, "any": any, "all": all,
            }  # fmt: skip
            return applied(plain[name], name, args, {})
    return Unknown(name)


def whole_number(value: Value) -> Value:
    """Return a length or a place as a whole number."""
    if isinstance(value, float | np.ndarray):
        return int(np.squeeze(value))
    if value is None or isinstance(value, int | np.integer):
        return value
    raise CannotRun("a number that is not read")


__all__ = ["python_function", "whole_number"]
