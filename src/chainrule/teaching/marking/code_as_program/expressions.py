"""Values of the expressions of an interpreted program."""

from __future__ import annotations

import ast
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.teaching.marking.code_as_program.library import (
    CONSTANTS,
    MOST_ENTRIES,
    NUMPY,
    Draws,
    applied,
)
from chainrule.teaching.marking.code_as_program.methods import method_of
from chainrule.teaching.marking.code_as_program.opened import PARAMETERS, Open, Opened
from chainrule.teaching.marking.code_as_program.python_functions import (
    python_function,
    whole_number,
)
from chainrule.teaching.marking.code_as_program.trace import Trace
from chainrule.teaching.marking.code_as_program.values import (
    Builtin,
    CannotRun,
    Class,
    Frame,
    Function,
    Instance,
    Library,
    Method,
    Misshapen,
    Returned,
    Settings,
    Unknown,
    Value,
)

MOST_STEPS = 60_000
DEEPEST = 30

_BINARY: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.MatMult: operator.matmul, ast.BitAnd: operator.and_, ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}  # fmt: skip
_COMPARED: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda one, other: one in other, ast.NotIn: lambda one, other: one not in other,
}  # fmt: skip
_BUILTINS = frozenset({
    "range", "len", "sum", "zip", "enumerate", "reversed", "list", "tuple", "dict", "float", "int",
    "abs", "max", "min", "print", "str", "isinstance", "sorted", "round", "pow", "map", "set",
    "bool", "hasattr", "getattr", "super", "xrange", "any", "all", "filter", "type", "next", "iter",
    "callable", "repr", "id",
})  # fmt: skip

_CURVED = frozenset(
    {"np.exp", "np.expit", "np.special.expit", "np.tanh", "np.maximum", "np.softmax"}
)
"""Functions whose arguments may have gradients without having a name."""


@dataclass
class Expressions(ABC):
    """An evaluator of expressions.

    Parameters
    ----------
    trace : Trace
        Where values that get a name are noted.
    """

    trace: Trace
    module: dict[str, Value] = field(default_factory=dict)
    draws: Draws = field(default_factory=Draws)
    steps: int = 0
    depth: int = 0
    frames: int = 0
    called: set[str] = field(default_factory=set)
    last: dict[str, Frame] = field(default_factory=dict)  # the last call of every function
    results: dict[str, Value] = field(default_factory=dict)  # values that functions return, by name

    opened: Opened | None = None

    def value(self, node: ast.expr, frame: Frame) -> Value:
        """Return the value of an expression."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise CannotRun("more steps than are taken")
        rule = getattr(self, f"_of_{type(node).__name__}", None)
        if rule is None:
            raise CannotRun(f"{type(node).__name__} is not read")
        found = rule(node, frame)
        return found.held if isinstance(found, Open) else found

    def _of_Constant(self, node: ast.Constant, _: Frame) -> Value:
        return float(node.value) if isinstance(node.value, float) else node.value

    def _of_Name(self, node: ast.Name, frame: Frame) -> Value:
        return self.named(node.id, frame)

    def named(self, name: str, frame: Frame) -> Value:
        """Return the value of a name."""
        for names in (frame.names, frame.around, self.module):
            if name in names:
                return names[name]
        if name in ("np", "numpy", "math", "jnp", "cp", "scipy", "random"):
            return Library("np.random" if name == "random" else "np")
        if name in _BUILTINS:
            return Builtin(name)
        raise CannotRun(f"{name} has no value here")

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
            parts = self._elements(getattr(node.slice, "elts", [node.slice]), frame)
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

    def _of_UnaryOp(self, node: ast.UnaryOp, frame: Frame) -> Value:
        of = self.value(node.operand, frame)
        if isinstance(of, Unknown):
            return of
        if isinstance(node.op, ast.Not):
            return not self.truth(of)
        try:
            if isinstance(node.op, ast.USub):
                return -of
            return operator.invert(of) if isinstance(node.op, ast.Invert) else of
        except (TypeError, ValueError) as error:
            raise CannotRun("a sign before this") from error

    def _of_BinOp(self, node: ast.BinOp, frame: Frame) -> Value:
        return self.binary(
            type(node.op), self.value(node.left, frame), self.value(node.right, frame)
        )

    def binary(self, op: type[ast.AST], one: Value, other: Value) -> Value:
        """Return a sum, a product or another operation of two values."""
        if isinstance(one, Unknown) or isinstance(other, Unknown):
            return one if isinstance(one, Unknown) else other
        if self.opened is not None:
            one, other = self.opened.met(op, one, other)
        numbers = (int, float, np.ndarray, np.bool_)
        if op is ast.Pow:
            if isinstance(one, numbers) and isinstance(other, numbers):
                return applied(np.power, "**", [_real(one), other], {})
        elif isinstance(one, list | str | tuple) and isinstance(other, int) and op is ast.Mult:
            if len(one) * other <= MOST_ENTRIES:
                return one * other
        elif isinstance(one, str) and op is ast.Mod:
            return one
        elif op in _BINARY:
            if isinstance(one, list) and isinstance(other, np.ndarray | float):
                one = np.array(one, dtype=float)
            if isinstance(other, list) and isinstance(one, np.ndarray | float):
                other = np.array(other, dtype=float)
            found = applied(_BINARY[op], op.__name__.lower(), [one, other], {})
            if not isinstance(found, str | list | tuple) or len(found) <= MOST_ENTRIES:
                return found
        raise CannotRun("an operation that is not read")

    def _of_Compare(self, node: ast.Compare, frame: Frame) -> Value:
        left = self.value(node.left, frame)
        found: Value = True
        for op, right in zip(node.ops, node.comparators, strict=True):
            other = self.value(right, frame)
            if isinstance(op, ast.Is | ast.IsNot):
                nothing = left is None or other is None
                one: Value = left is other if nothing else left == other
                one = one if isinstance(op, ast.Is) else not one
            elif isinstance(left, Unknown) or isinstance(other, Unknown):
                return left if isinstance(left, Unknown) else other
            else:
                one = applied(_COMPARED[type(op)], "a comparison", [left, other], {})
            if isinstance(one, np.ndarray) or len(node.ops) == 1:
                return one
            found = found and self.truth(one)
            left = other
        return found

    def truth(self, value: Value) -> bool:
        """Return whether a condition holds; one that is not known does not."""
        if isinstance(value, Unknown):
            return False
        try:
            return bool(value)
        except ValueError as error:
            raise CannotRun("the truth of an array") from error

    def _of_BoolOp(self, node: ast.BoolOp, frame: Frame) -> Value:
        found: Value = None
        for one in node.values:
            found = self.value(one, frame)
            if self.truth(found) != isinstance(node.op, ast.And):
                return found
        return found

    def _of_IfExp(self, node: ast.IfExp, frame: Frame) -> Value:
        return self.value(
            node.body if self.truth(self.value(node.test, frame)) else node.orelse, frame
        )

    def _of_Tuple(self, node: ast.Tuple, frame: Frame) -> Value:
        return tuple(self._elements(node.elts, frame))

    def _of_List(self, node: ast.List, frame: Frame) -> Value:
        return self._elements(node.elts, frame)

    def _of_Set(self, node: ast.Set, frame: Frame) -> Value:
        return set(self._elements(node.elts, frame))

    def _elements(self, parts: Sequence[ast.expr], frame: Frame) -> list[Value]:
        found: list[Value] = []
        for part in parts:
            if isinstance(part, ast.Starred):
                found.extend(self.rounds(self.value(part.value, frame)))
            else:
                found.append(self.value(part, frame))
        return found

    def _of_Dict(self, node: ast.Dict, frame: Frame) -> Value:
        found: dict[Value, Value] = {}
        for key, one in zip(node.keys, node.values, strict=True):
            value = self.value(one, frame)
            if key is None:
                found |= value if isinstance(value, dict) else {}
                continue
            word = self.value(key, frame)
            if isinstance(word, str):
                value = self.trace.note(node.lineno, word, value, "assigned", frame.number)
            found[word] = value
        return found

    def _of_JoinedStr(self, node: ast.JoinedStr, frame: Frame) -> Value:
        parts = []
        for one in node.values:
            if isinstance(one, ast.FormattedValue):
                value = self.value(one.value, frame)
                parts.append(str(value) if isinstance(value, str | int) else "")
            elif isinstance(one, ast.Constant):
                parts.append(str(one.value))
        return "".join(parts)[:200]

    def _of_Lambda(self, node: ast.Lambda, frame: Frame) -> Value:
        return Function(node, frame.owner, {**frame.around, **frame.names})

    def _of_ListComp(self, node: ast.ListComp, frame: Frame) -> Value:
        return list(self._made(node.elt, node.generators, frame))

    _of_GeneratorExp = _of_ListComp  # noqa: N815

    def _of_SetComp(self, node: ast.SetComp, frame: Frame) -> Value:
        return set(self._made(node.elt, node.generators, frame))

    def _of_DictComp(self, node: ast.DictComp, frame: Frame) -> Value:
        pair = ast.copy_location(ast.Tuple([node.key, node.value], ast.Load()), node)
        return dict(self._made(pair, node.generators, frame))

    def _made(
        self, part: ast.expr, loops: Sequence[ast.comprehension], frame: Frame
    ) -> Iterator[Value]:
        inner = Frame(frame.number, dict(frame.names), frame.around, frame.owner, frame.function)
        if not loops:
            yield self.value(part, inner)
            return
        first, *rest = loops
        for one in self.rounds(self.value(first.iter, inner)):
            self.put(first.target, one, inner)
            if all(self.truth(self.value(test, inner)) for test in first.ifs):
                yield from self._made(part, rest, inner)

    def put(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Give the variables of a loop their values."""
        if isinstance(target, ast.Name):
            if PARAMETERS.fullmatch(target.id):
                value = self.trace.note(target.lineno, target.id, value, "given", frame.number)
            frame.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = list(self.rounds(value))
            if len(parts) != len(target.elts):
                raise CannotRun("as many names as values")
            for one, part in zip(target.elts, parts, strict=True):
                self.put(one, part, frame)

    def rounds(self, value: Value) -> Iterator[Value]:
        """Yield what a loop runs over."""
        if isinstance(value, np.ndarray) and value.ndim:
            for row in value:
                yield float(row) if isinstance(row, np.floating) else (
                    int(row) if isinstance(row, np.integer) else row)  # fmt: skip
        elif isinstance(value, list | tuple | dict | range | set | str):
            for count, one in enumerate(value):
                if count == MOST_ENTRIES:
                    raise CannotRun("a loop of more rounds than are read")
                yield one
        else:
            raise CannotRun("a loop over this")

    def _of_Call(self, node: ast.Call, frame: Frame) -> Value:
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            return None
        of = self.value(node.func, frame)
        if isinstance(of, Unknown):
            return of
        args = self._elements(node.args, frame)
        keys: dict[str, Value] = {}
        for word in node.keywords:
            one = self.value(word.value, frame)
            keys |= {word.arg: one} if word.arg else one if isinstance(one, dict) else {}
        if isinstance(of, Builtin) and of.name == "super":
            return self._parent(frame)
        if isinstance(of, Builtin) and of.name in _CURVED and isinstance(node.args[0], ast.BinOp):
            args[0] = self.trace.note(node.lineno, "", args[0], "assigned", frame.number)
        return self.call(of, args, keys, node.lineno)

    def _parent(self, frame: Frame) -> Value:
        owner = frame.owner
        if owner is None or not owner.of.bases:
            return Unknown("super()")
        return Instance(owner.of.bases[0], owner.fields)

    def call(self, of: Value, args: list[Value], keys: Mapping[str, Value], line: int = 0) -> Value:
        """Return what a function returns."""
        if isinstance(of, Unknown):
            return of
        if isinstance(of, Builtin):
            return self._built_in(of.name, args, keys)
        if isinstance(of, Method):
            if (isinstance(of.of, Open) or any(isinstance(one, Open) for one in args)) and (
                of.name == "dot"
            ):  # fmt: skip
                return self.binary(ast.MatMult, of.of, args[0])
            return method_of(of, args, keys)
        if isinstance(of, Class):
            made = Instance(of)
            if (start := of.method("__init__")) is not None:
                self.call(Function(start, made), args, keys, line)
            return made
        if isinstance(of, Instance):
            method = of.of.method("__call__") or of.of.method("forward")
            if method is not None:
                return self.call(Function(method, of), args, keys, line)
        if isinstance(of, Function):
            return self.own(of, args, keys, line)
        if of in (int, float):
            return applied(of, "a number", args, {})
        raise CannotRun("a call of this")

    def _built_in(self, name: str, args: list[Value], keys: Mapping[str, Value]) -> Value:
        if name.startswith("np.random."):
            return self.draws.drawn(name.rpartition(".")[2], args, keys)
        if name.startswith("np."):
            args = [self._listed(one) for one in args]
            if any(isinstance(one, Open) for one in args) and self.opened is not None:
                if name in ("np.dot", "np.matmul") and len(args) == 2:
                    return self.binary(ast.MatMult, *args)
                args = [self.opened.as_vector(one) if isinstance(one, Open) else one
                        for one in args]  # fmt: skip
            return applied(NUMPY[name[3:]], name, args, keys)
        if self.opened is not None:
            args = [self.opened.as_vector(one) if isinstance(one, Open) else one for one in args]
        return python_function(self, name, args, keys)

    def _listed(self, value: Value) -> Value:
        if isinstance(value, range | map | zip):
            return list(value)
        return value

    @abstractmethod
    def own(
        self, of: Function, args: list[Value], keys: Mapping[str, Value], line: int = 0
    ) -> Value:
        """Return what a function of the program returns."""


def _real(value: Value) -> Value:
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) > 1 else value
    return value


__all__ = ["DEEPEST", "Expressions", "Frame", "Misshapen", "Returned"]
