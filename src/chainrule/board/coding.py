"""JSON to the dataclasses of `schema` and back, and their types in TypeScript."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

from chainrule.board import schema
from chainrule.errors import ChainruleError

Args = TypeVar("Args")

MOST_TEXT = 100_000
"""The most characters of one string."""

MOST_ITEMS = 50_000
"""The most items of one list or object."""


class RequestError(ChainruleError):
    """Arguments of a call that do not have the types of `schema`."""


def encoded(value: Any) -> Any:  # noqa: ANN401
    """Return a dataclass as plain data, ready for ``json.dumps``; non-finite numbers become None.

    >>> encoded(schema.TwoNumbers(float("nan"), 2.0))
    {'right': None, 'yours': 2.0}
    """
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is tuple or kind is list:
        return [encoded(item) for item in value]
    if kind is dict:
        return {str(key): encoded(item) for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        return {name: encoded(getattr(value, name)) for name in _field_names(kind)}
    if isinstance(value, float):  # NumPy's
        return encoded(float(value))
    return value


_ATOMS = frozenset((str, int, bool, type(None)))


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind))


def decoded(kind: type[Args], data: Any, where: str = "args") -> Args:  # noqa: ANN401
    """Return plain data as a dataclass of `schema`.

    Raises
    ------
    RequestError
        When a field is unknown, missing, too large or of another type; the message names it.

    Examples
    --------
    >>> decoded(schema.ReadArgs, {"text": "L = w^2"})
    ReadArgs(text='L = w^2')
    >>> decoded(schema.ReadArgs, {"txt": ""})
    Traceback (most recent call last):
        ...
    chainrule.board.coding.RequestError: args has no field txt; its fields: text
    """
    if not isinstance(data, dict):
        raise RequestError(f"{where} is {_named(data)}, and an object is expected")
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in data:
        if name not in fields:
            listed = ", ".join(fields) or "none"
            raise RequestError(f"{where} has no field {str(name)[:40]}; its fields: {listed}")
    kinds = _types(cast(type, kind))
    found = {}
    for name, each in fields.items():
        if name in data:
            found[name] = _decoded(kinds[name], data[name], f"{where}.{name}")
        elif each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
            raise RequestError(f"{where} lacks the field {name}")
    return kind(**found)


@cache
def _types(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _decoded(kind: Any, data: Any, where: str) -> Any:  # noqa: ANN401
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if data is None and type(None) in parts:
            return None
        (kind,) = (part for part in parts if part is not type(None))
        return _decoded(kind, data, where)
    if origin is Literal:
        if data in parts and isinstance(data, str):
            return data
        listed = ", ".join(map(str, parts))
        raise RequestError(f"{where} is {_named(data)}; choose one of {listed}")
    if origin is tuple:
        return _tuple(parts, data, where)
    if origin is dict:
        if not isinstance(data, dict) or len(data) > MOST_ITEMS:
            raise RequestError(f"{where} is {_named(data)}, and an object is expected")
        return {
            _decoded(str, key, where): _decoded(parts[1], item, f"{where}.{str(key)[:40]}")
            for key, item in data.items()
        }
    if dataclasses.is_dataclass(kind):
        assert isinstance(kind, type)
        return decoded(kind, data, where)
    return _plain(kind, data, where)


def _tuple(parts: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:  # noqa: ANN401
    if not isinstance(data, list):
        raise RequestError(f"{where} is {_named(data)}, and a list is expected")
    if len(data) > MOST_ITEMS:
        raise RequestError(f"{where} has {len(data)} items; at most {MOST_ITEMS} are read")
    return tuple(_decoded(parts[0], item, f"{where}[{k}]") for k, item in enumerate(data))


def _plain(kind: Any, data: Any, where: str) -> Any:  # noqa: ANN401
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        try:
            number = float(data)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
        raise RequestError(f"{where} is not a finite number")
    if kind is int and isinstance(data, int) and not isinstance(data, bool):
        if abs(data) > 2**53:
            raise RequestError(f"{where} is larger than 2^53")
        return data
    if kind is bool and isinstance(data, bool):
        return data
    if kind is str and isinstance(data, str):
        if len(data) > MOST_TEXT:
            raise RequestError(f"{where} has {len(data)} characters; at most {MOST_TEXT} are read")
        return data
    words = {float: "a number", int: "a whole number", bool: "true or false", str: "a string"}
    raise RequestError(f"{where} is {_named(data)}, and {words[kind]} is expected")


def _named(data: Any) -> str:  # noqa: ANN401
    words = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
    words |= {int: "a whole number", float: "a number", type(None): "null"}
    return words.get(type(data), "something else")


# ---- TypeScript ----------------------------------------------------------------------------------


def typescript(calls: dict[str, tuple[type, type]]) -> str:
    """Return the declarations of every dataclass and of the calls, for the front end.

    Parameters
    ----------
    calls : dict of str to (type, type)
        The dataclasses of the arguments and of the result, by the name of the call.
    """
    return "\n".join(_typescript(calls))


def _typescript(calls: dict[str, tuple[type, type]]) -> Iterator[str]:
    yield "// Emitted from src/chainrule/board/schema by `make board`; do not edit."
    for kind in vars(schema).values():
        if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
            continue
        yield ""
        first, *_ = (kind.__doc__ or "").strip().splitlines()
        yield f"/** {first} */"
        yield f"export interface {_name(kind)} {{"
        optional = kind.__name__.endswith("Args") or kind is schema.AnswerRecord
        for each in dataclasses.fields(kind):
            has_default = (
                each.default is not dataclasses.MISSING
                or each.default_factory is not dataclasses.MISSING
            )
            mark = "?" if optional and has_default else ""
            yield f"  {each.name}{mark}: {_type(_types(kind)[each.name])};"
        yield "}"
    yield ""
    yield "/** The arguments and the result of every call. */"
    yield "export interface Calls {"
    for name, (args, result) in calls.items():
        yield f"  {name}: {{ args: {_name(args)}; result: {_name(result)} }};"
    yield "}"
    yield ""


def _type(kind: Any) -> str:  # noqa: ANN401
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " | ".join("null" if part is type(None) else _type(part) for part in parts)
    if origin is Literal:
        return " | ".join(f'"{part}"' for part in parts)
    if origin is tuple:
        inner = _type(parts[0])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if origin is dict:
        return f"Record<string, {_type(parts[1])}>"
    if dataclasses.is_dataclass(kind):
        assert isinstance(kind, type)
        return _name(kind)
    return {str: "string", int: "number", float: "number", bool: "boolean"}[kind]


def _name(kind: type) -> str:
    """Return the name of a dataclass in TypeScript: without the ending that Python needs."""
    return kind.__name__.removesuffix("Info")
