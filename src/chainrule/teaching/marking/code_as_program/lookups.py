"""Names, attributes and entries of an interpreted program."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from chainrule.teaching.marking.code_as_program.activations import Activation
from chainrule.teaching.marking.code_as_program.library import CONSTANTS, NUMPY, Draws, applied
from chainrule.teaching.marking.code_as_program.opened import Open, Opened
from chainrule.teaching.marking.code_as_program.python_functions import whole_number
from chainrule.teaching.marking.code_as_program.trace import Trace
from chainrule.teaching.marking.code_as_program.translated import TRANSLATED
from chainrule.teaching.marking.code_as_program.values import (
    Builtin,
    CannotRun,
    Class,
    Frame,
    Function,
    Instance,
    Library,
    Method,
    Settings,
    Unknown,
    Value,
)

_BUILTINS = frozenset({
    "range", "len", "sum", "zip", "enumerate", "reversed", "list", "tuple", "dict", "float", "int",
    "abs", "max", "min", "print", "str", "isinstance", "sorted", "round", "pow", "map", "set",
    "bool", "hasattr", "getattr", "super", "xrange", "any", "all", "filter", "type", "next", "iter",
    "callable", "repr", "id",
})  # fmt: skip

_USUAL = {"sigmoid": "expit", "softmax": "softmax", "relu": "relu", "tanh": "tanh",
          "sigmoidgradient": "sigmoid_slope"}  # fmt: skip
"""Functions that files of a course have in another file, by their names without underscores."""


@dataclass
class Lookups(ABC):
    """The values that names, attributes and places stand for.

    Parameters
    ----------
    trace : Trace
        Where values that get a name are noted.
    """

    trace: Trace
    module: dict[str, Value] = field(default_factory=dict)
    draws: Draws = field(default_factory=Draws)
    activation: Activation = field(default_factory=Activation)
    steps: int = 0
    depth: int = 0
    frames: int = 0
    called: set[str] = field(default_factory=set)
    last: dict[str, Frame] = field(default_factory=dict)  # the last call of every function
    results: dict[str, Value] = field(default_factory=dict)  # values that functions return, by name

    opened: Opened | None = None

    @abstractmethod
    def value(self, node: ast.expr, frame: Frame) -> Value:
        """Return the value of an expression."""

    @abstractmethod
    def call(self, of: Value, args: list[Value], keys: Mapping[str, Value], line: int = 0) -> Value:
        """Return what a function returns."""

    @abstractmethod
    def elements(self, parts: Sequence[ast.expr], frame: Frame) -> list[Value]:
        """Return the values of expressions that commas separate."""

    def _of_Name(self, node: ast.Name, frame: Frame) -> Value:
        return self.named(node.id, frame)

    def named(self, name: str, frame: Frame) -> Value:
        """Return the value of a name."""
        for names in (frame.names, frame.around, self.module):
            if name in names:
                return names[name]
        if name in ("np", "numpy", "math", "jnp", "cp", "scipy", "random"):
            return Library("np.random" if name == "random" else "np")
        if name in _BUILTINS or name in TRANSLATED or name == "mtimes":
            return Builtin(name)
        if (usual := _USUAL.get(name.replace("_", "").lower())) is not None:
            return Builtin(f"np.{usual}")
        if (made := self.undefined(name)) is not None:
            self.module[name] = made
            return made
        raise CannotRun(f"{name} has no value here")

    @abstractmethod
    def undefined(self, name: str) -> Value | None:
        """Return a value for a name that nothing defines; None where there is none."""

    def _of_Attribute(self, node: ast.Attribute, frame: Frame) -> Value:
        return self.attribute(self.value(node.value, frame), node.attr)

    def attribute(self, of: Value, name: str) -> Value:
        """Return an attribute of a value."""
        if name.startswith("__") and name not in ("__init__", "__name__"):
            raise CannotRun(f"{name} is not read")
        if isinstance(of, Instance):
            if name in of.fields:
                return of.fields[name]
            if (method := of.of.method(name)) is not None:
                if any(isinstance(one, ast.Name) and one.id == "property"
                       for one in method.decorator_list):  # fmt: skip
                    return self.call(Function(method, of), [], {})
                return Function(method, of)
            if name in of.of.fields:
                return of.of.fields[name]
            if of.of.loose is not None and (made := of.of.loose(name)) is not None:
                of.fields[name] = made
                return made
            raise CannotRun(f"{name} has no value here")
        if isinstance(of, Class):
            if (method := of.method(name)) is not None:
                return Function(method, None)
            if name in of.fields:
                return of.fields[name]
            raise CannotRun(f"{name} has no value here")
        if isinstance(of, Unknown):
            return Unknown(of.why)
        if isinstance(of, Settings):
            return of.entry(name)
        if isinstance(of, Open) and self.opened is not None:
            if name == "T":
                return Open(of.name, of)
            if name == "dot":
                return Method(of, name)
            return self.attribute(self.opened.as_vector(of), name)
        if isinstance(of, Library):
            below = f"{of.name}.{name}".partition(".")[2]
            if below in CONSTANTS:
                return CONSTANTS[below]
            if below in NUMPY or below.startswith("random."):
                return Builtin(f"np.{below}")
            if below.startswith("random"):
                return Library("np.random")
            if below in ("linalg", "special", "add", "subtract"):
                return Library(f"{of.name}.{name}")
            return Unknown(f"{of.name}.{name}")
        if isinstance(of, np.ndarray) and name in ("T", "shape", "size", "ndim"):
            return getattr(of, name)
        if isinstance(of, float | int) and name == "shape":
            return ()
        if isinstance(of, np.ndarray | list | dict | str | tuple | float | int | set | Function):
            return Method(of, name)
        raise CannotRun(f"{name} is not read")

    def _of_Subscript(self, node: ast.Subscript, frame: Frame) -> Value:
        of = self.value(node.value, frame)
        if isinstance(node.value, ast.Attribute) and node.value.attr in ("c_", "r_"):
            parts = self.elements(getattr(node.slice, "elts", [node.slice]), frame)
            name = "column_stack" if node.value.attr == "c_" else "hstack"
            return applied(NUMPY[name], name, [parts], {})
        return self.entry(of, self.place(node.slice, frame))

    def place(self, node: ast.expr, frame: Frame) -> Value:
        """Return what stands in square brackets."""
        if isinstance(node, ast.Slice):
            return slice(*(None if one is None else whole_number(self.value(one, frame))
                           for one in (node.lower, node.upper, node.step)))  # fmt: skip
        if isinstance(node, ast.Tuple):
            return tuple(self.place(one, frame) for one in node.elts)
        found = self.value(node, frame)
        if isinstance(found, np.ndarray) and found.dtype.kind == "f":
            return found.astype(int)
        return list(found) if isinstance(found, range) else found

    def entry(self, of: Value, place: Value) -> Value:
        """Return an entry, or a part, of a container."""
        if isinstance(of, Unknown) or isinstance(place, Unknown):
            return Unknown(of.why if isinstance(of, Unknown) else place.why)
        if isinstance(of, Library):
            return of
        if isinstance(of, Settings):
            return of.entry(str(place))
        if isinstance(of, Open) and self.opened is not None:
            of = self.opened.as_vector(of)
        if isinstance(place, float) and not isinstance(of, dict):
            place = int(place)
        try:
            found = of[place]
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise CannotRun("an index that does not fit") from error
        if isinstance(found, np.floating):
            return float(found)
        return int(found) if isinstance(found, np.integer) else found


__all__ = ["Lookups"]
