"""Values of an interpreted program other than numbers, arrays, lists, tuples and dictionaries."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

Value: TypeAlias = Any
"""A number, a string, an array, a container of values, or one of the classes below."""


class CannotRun(Exception):  # noqa: N818
    """A statement that the interpreter has no rule for, or that fails."""


class Finished(Exception):  # noqa: N818
    """The end of a run: what comes later changes nothing of what is asked."""


class Broken(Exception):  # noqa: N818
    """The end of one round of a loop."""


class Continued(Exception):  # noqa: N818
    """The end of a round, and the start of the next one."""


class Returned(Exception):  # noqa: N818
    """The end of a function.

    Parameters
    ----------
    value : value
        What it returns.
    names : tuple of str
        The names of what it returns.
    """

    def __init__(self, value: Value, names: tuple[str, ...]) -> None:
        super().__init__()
        self.value = value
        self.names = names


RESHAPED = "a new shape that does not fit"


class Misshapen(CannotRun):
    """Lengths that do not meet.

    Parameters
    ----------
    one, other : tuple of int
        The shapes.
    why : str
        The operation and the shapes, in words.
    """

    def __init__(self, one: tuple[int, ...], other: tuple[int, ...], why: str) -> None:
        super().__init__(why)
        self.one, self.other = one, other


@dataclass(frozen=True)
class Unknown:
    """A value that the program takes from a file or a library that is not interpreted.

    Parameters
    ----------
    why : str
        Where it comes from.
    """

    why: str = ""


@dataclass(frozen=True)
class Settings:
    """A dictionary of settings that a program gets as an argument.

    Parameters
    ----------
    entry : callable
        The value of a setting, by its name.
    """

    entry: Callable[[str], Value]


@dataclass(frozen=True)
class Library:
    """A module, or a part of one, by its dotted name: ``np.random``."""

    name: str


@dataclass(frozen=True)
class Builtin:
    """A function of Python or of a library, by its name."""

    name: str


@dataclass(frozen=True)
class Method:
    """A method of an array, a list, a dictionary or a string."""

    of: Value
    name: str


@dataclass(eq=False)
class Class:
    """A class of the program, with its methods."""

    name: str
    methods: dict[str, ast.FunctionDef]
    fields: dict[str, Value] = field(default_factory=dict)
    bases: tuple[Class, ...] = ()
    loose: Callable[[str], Value] | None = None  # values of attributes that nothing sets

    def method(self, name: str) -> ast.FunctionDef | None:
        """Return a method of the class or of what it derives from."""
        if name in self.methods:
            return self.methods[name]
        return next((found for base in self.bases if (found := base.method(name))), None)


@dataclass(eq=False)
class Instance:
    """An object of a class of the program."""

    of: Class
    fields: dict[str, Value] = field(default_factory=dict)


@dataclass(eq=False)
class Function:
    """A function of the program, and the object that it is a method of."""

    node: ast.FunctionDef | ast.Lambda
    owner: Instance | None = None
    around: Mapping[str, Value] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name; empty for a lambda."""
        return self.node.name if isinstance(self.node, ast.FunctionDef) else ""

    def parameters(self) -> list[str]:
        """Return the names of its parameters but for ``self``."""
        given = self.node.args
        names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        return [name for at, name in enumerate(names) if not (at == 0 and name in ("self", "cls"))]


@dataclass
class Frame:
    """The names of one call.

    Parameters
    ----------
    number : int
        The number of the call.
    names : dict
        Its own names.
    around : mapping
        The names of the function that it is defined in.
    owner : Instance or None
        The object of a method.
    """

    number: int
    names: dict[str, Value] = field(default_factory=dict)
    around: Mapping[str, Value] = field(default_factory=dict)
    owner: Instance | None = None
    function: str = ""


def as_numbers(value: Value) -> np.ndarray | None:
    """Return a number or an array as an array of floats; None for another value."""
    if isinstance(value, bool | np.bool_) or not isinstance(
        value, float | np.ndarray | np.floating
    ):
        return None
    if isinstance(value, np.ndarray) and value.dtype.kind != "f":
        return None
    return np.asarray(value, dtype=float)


__all__ = [
    "RESHAPED", "Broken", "Builtin", "CannotRun", "Class", "Continued", "Finished", "Frame",
    "Function", "Instance", "Library", "Method", "Misshapen", "Returned", "Settings", "Unknown",
    "Value", "as_numbers",
]  # fmt: skip
