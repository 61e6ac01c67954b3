"""Expressions of code: names, entries, operations and calls, by rules and never by running them."""

from __future__ import annotations

import ast
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chainrule.teaching.marking.code_by_value.algebra import (
    Algebra,
    Label,
    Misfit,
    Size,
)
from chainrule.teaching.marking.code_by_value.functions import known_function
from chainrule.teaching.marking.code_by_value.naming import Names
from chainrule.teaching.marking.code_by_value.reader import Reader
from chainrule.teaching.marking.code_by_value.words import (
    SIGNS,
    is_helper,
    of_numbers,
    of_one_number,
    table_entry,
    word_of,
)

V = TypeVar("V")


MOST_STEPS = 4000


LAYERS = 3
"""The number of entries of a list of weights that the code does not define."""


DEEPEST = 40


_OBJECTS = ("self", "net", "model", "nn", "layer", "cls")
"""Names of objects whose attributes are values: ``self.W`` is W."""


_MODULES = frozenset({"np", "numpy", "torch", "F", "tf", "jnp", "math", "nn", "K", "scipy",
                      "special", "self", "cp", "functional", "xp", "jax", "cupy"})  # fmt: skip


@dataclass
class Evaluation(Reader[V], ABC, Generic[V]):
    """Values of the expressions in code.

    Parameters
    ----------
    algebra : Algebra
        What a value is.
    statements : sequence of ast.stmt
        The code.
    names : Names
        Which names are gradients.
    """

    algebra: Algebra[V]
    statements: Sequence[ast.stmt]
    names: Names
    known: dict[str, object] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    tables: dict[str, int | None] = field(default_factory=dict)  # lengths of lists
    local: list[dict[str, object]] = field(default_factory=list)
    scope: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)  # names that stand for entries of lists
    counted: set[str] = field(default_factory=set)  # loop variables that run over an axis
    axes: dict[str, Size] = field(default_factory=dict)  # the lengths of these axes
    returned: dict[str, ast.expr] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    steps: int = 0
    looping: int = 0  # how deep inside loops with rounds

    @abstractmethod
    def statement(self, statement: ast.stmt) -> None:
        """Take one statement."""

    def flat(self, node: ast.expr) -> str | None:
        """Return the name that a target stands for: ``self.W1``, ``grads["dW1"]``, ``hs[t]``."""
        match node:
            case ast.Name(id=name):
                return self.aliases.get(name, name) if not self._is_local(name) else name
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in _OBJECTS:
                return self.aliases.get(name, name)
            case ast.Attribute(value=inner, attr="grad") if (of := self.flat(inner)) is not None:
                return f"{of}_grad"
            case ast.Attribute(value=inner, attr="data"):
                return self.flat(inner)
            case ast.Subscript(value=table, slice=place):
                if (key := self.key(place)) is not None:
                    if not isinstance(place, ast.Constant):
                        self.names.made.add(key)
                    return table_entry(word_of(table), key, self.names) if key.isidentifier() \
                        else None  # fmt: skip
                name = self.flat(table) or ""
                if name not in self.tables or isinstance(place, ast.Slice | ast.Tuple):
                    return None
                return self._entry_name(name, self.value(place))
        return None

    def _is_local(self, name: str) -> bool:
        return bool(self.local) and name in self.local[-1]

    def _entry_name(self, table: str, at: object) -> str | None:
        """Return the name of an entry of a list; places from its end are counted from 0."""
        if not isinstance(at, int):
            return None
        length = self.tables[table]
        if length is not None and at < 0:
            at += length
            if at < 0:
                raise Misfit("an entry that the list does not have")
        return f"{table}[{at}]"

    def key(self, node: ast.expr) -> str | None:
        """Return the string that a key such as ``"W" + str(l)`` comes to; None for others."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                one, two = self.key(left), self.key(right)
                return None if one is None or two is None else one + two
            case ast.Call(func=ast.Name(id="str" | "repr"), args=[number]):
                return self._shown(number)
            case ast.JoinedStr(values=parts):
                texts = [self.key(p.value if isinstance(p, ast.FormattedValue) else p)
                         if not (isinstance(p, ast.FormattedValue)) else self._shown(p.value)
                         for p in parts]  # fmt: skip
                return None if any(t is None for t in texts) else "".join(map(str, texts))
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
                shown = self._shown(right)
                return None if shown is None else re.sub("%[di]|%s", shown, text)
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format"),
                          args=[right]):  # fmt: skip
                shown = self._shown(right)
                return None if shown is None else text.replace("{}", shown)
        return None

    def _shown(self, node: ast.expr) -> str | None:
        for name in (sub.id for sub in ast.walk(node) if isinstance(sub, ast.Name)):
            if name not in self.scope and name not in self.known and not self._is_local(name):
                self.known[name] = LAYERS  # the number of layers
        found = self.value(node)
        return str(found) if isinstance(found, int | str) else None

    def named(self, name: str) -> object:
        """Return the value of a name."""
        for scope in reversed(self.local):
            if name in scope:
                return scope[name]
        if name in self.scope:
            return self.scope[name]
        if name in self.known:
            return self.known[name]
        if name in self.names.unread:
            raise Misfit(f"{name}, whose definition was not read")
        if name in self.names.incoming:  # a stand-in of the same shape, until it has a value
            held = self.known.get(self.names.incoming[name])
            if held is not None:
                return held
        label = self.names.label(name)
        return self.known.get(label) or self.algebra.unknown(label)

    def lifted(self, value: object) -> V:
        """Return a number as a value."""
        if isinstance(value, bool | int | float):
            return self.algebra.number(float(value))
        if isinstance(value, Size):
            return self.algebra.number(float(value.dim) if isinstance(value.dim, int) else 1.0)
        if isinstance(value, Label):
            return self.lifted(self.named(value.name))
        if value is None or isinstance(value, tuple | str | Slices):
            raise Misfit("a value that is not a number or an array")
        return value  # type: ignore[return-value]

    def array(self, node: ast.expr) -> V:
        """Return the value of an expression as a number or an array."""
        return self.lifted(self.value(node))

    def value(self, node: ast.expr) -> object:
        """Return the value of an expression."""
        self.steps += 1
        if self.steps > MOST_STEPS * 40:
            raise Misfit("more steps than are taken")
        match node:
            case ast.Constant(value=bool() | int() | float() as number):
                if isinstance(number, bool):
                    return int(number)
                return float(number) if abs(number) > 1e6 else number
            case ast.Constant(value=None):
                return None
            case ast.Constant(value=str(text)):
                return text
            case ast.Attribute(value=ast.Name(id="np" | "torch" | "math"), attr="inf" | "pi" as w):
                return math.inf if w == "inf" else math.pi
            case ast.Attribute(attr="shape"):
                return Slices(node)
            case ast.Name():
                name = self.flat(node)
                assert name is not None
                return self.named(name)
            case ast.Attribute(value=ast.Name(id=owner), attr=attr) if (
                owner in _OBJECTS and attr not in ("T", "grad", "data", "size", "ndim")
            ):
                name = self.flat(node)
                assert name is not None
                return self.named(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.value(operand)
                if isinstance(value, int | float):
                    return -value
                return self.algebra.elementwise("negative", self.lifted(value))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand)
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                return self.algebra.dot(self.array(left), self.array(right))
            case ast.BinOp(left=left, op=ast.Mult(), right=right) if self.names.stars:
                one, other = self.value(left), self.value(right)
                if isinstance(one, int | float | Size) or isinstance(other, int | float | Size):
                    return self._binary(ast.Mult, one, other)
                return self.algebra.dot(self.lifted(one), self.lifted(other))
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(type(op), self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._binary(type(op), self.value(left), self.value(right))
            case ast.UnaryOp(op=ast.Invert() | ast.Not(), operand=operand):
                value = self.value(operand)
                if isinstance(value, int | float):
                    return int(not value)
                return self.algebra.elementwise("logical_not", self.lifted(value))
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.value(body if self.holds(test) is not False else other)
            case ast.Attribute(value=inner, attr="T" | "H"):
                return self.algebra.turned(self.array(inner))
            case ast.Attribute(value=inner, attr="mT"):
                return self.algebra.permuted(self.array(inner), (0, 2, 1))
            case ast.Attribute(value=inner, attr="size"):
                return self.algebra.total(self.array(inner))
            case ast.Attribute(attr="ndim", value=inner):
                return self.rank(self.array(inner), 2)
            case ast.Attribute(value=inner, attr="data" | "values" | "flat"):
                return self.value(inner)
            case ast.Attribute(attr="grad") if (name := self.flat(node)) is not None:
                return self.named(name)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call(func=ast.Name(id="tuple" | "list"),
                          args=[ast.Call(func=ast.Name(id="range"), args=bounds)]):  # fmt: skip
                ends = [self.value(bound) for bound in bounds]
                whole = [end for end in ends if isinstance(end, int)]
                if len(whole) != len(ends) or not 1 <= len(ends) <= 2:
                    raise Misfit("a range that is not read")
                return tuple(range(*whole))
            case ast.Call():
                return self._call(node)
            case ast.Starred(value=inner):
                return self.value(inner)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return tuple(self.value(part) for part in parts)
        raise Misfit(f"this is not read: {ast.unparse(node)[:40]}")

    def _binary(self, op: type[ast.AST], one: object, other: object) -> object:
        sign = SIGNS.get(op)
        if sign is None:
            raise Misfit("an operator that is not read")
        if isinstance(one, int | float) and isinstance(other, int | float):
            return of_numbers(sign, one, other)
        if isinstance(one, str) and isinstance(other, str) and "equal" in sign:
            return int((one == other) == (sign == "equal"))
        if isinstance(one, int | Size) and isinstance(other, int | Size):
            try:
                return self.algebra.length_of(sign, one, other)
            except Misfit:
                pass
        return self.algebra.elementwise(sign, self.lifted(one), self.lifted(other))

    def times(self, one: object, other: object) -> object:
        """Return the product of two values, entry by entry."""
        return self._binary(ast.Mult, one, other)

    def holds(self, test: ast.expr) -> bool | None:
        """Return whether a condition holds; None where the code does not say."""
        match test:
            case ast.Constant(value=constant):
                return bool(constant)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                try:
                    one, other = self.value(left), self.value(right)
                except Misfit:
                    return None
                if isinstance(op, ast.Is | ast.IsNot):
                    return (one is other) == isinstance(op, ast.Is) if other is None else None
                exact = (int, float, str)
                if isinstance(one, exact) and isinstance(other, exact):
                    try:
                        return bool(self._binary(type(op), one, other))
                    except Misfit:
                        return None
                sign = SIGNS.get(type(op), "")
                try:
                    return self.algebra.decided(sign, self.lifted(one), self.lifted(other))
                except Misfit:
                    return None
        return None

    def _subscript(self, node: ast.Subscript) -> object:
        joined = node.value.attr if isinstance(node.value, ast.Attribute) else ""
        if joined in ("c_", "r_") and isinstance(node.slice, ast.Tuple):
            word = "bind_columns" if joined == "c_" else "concatenate"
            written = [of_one_number(part) for part in node.slice.elts]
            parts: list[ast.expr] = written
            if joined == "r_":
                parts = [ast.copy_location(ast.Tuple(written, ast.Load()), node)]
            return known_function(self, word, parts, {})
        if (name := self.flat(node)) is not None:
            return self.named(name)
        inner = node.value
        if isinstance(inner, ast.Attribute) and inner.attr == "shape":
            axis = self.value(node.slice)
            if not isinstance(axis, int):
                raise Misfit("an axis that is not a number")
            return self.algebra.size(self.array(inner.value), axis)
        base = self.flat(inner)
        at = node.slice.id if isinstance(node.slice, ast.Name) else ""
        if base is not None and base not in self.known and at in self.scope:
            if self.names.is_list(base):
                self.tables.setdefault(base, LAYERS)
                return self.named(self._entry_name(base, self.scope[at]) or base)
            if at not in self.counted and not self._is_local(base):
                return Label(f"{base}[{self.scope[at]}]")
        whole = self.value(inner)
        if isinstance(whole, tuple):
            place = self.value(node.slice)
            if not isinstance(place, int) or not -len(whole) <= place < len(whole):
                raise Misfit("a part of several values that is not read")
            return whole[place]
        value = self.lifted(whole)
        found = self.algebra.entry(value, self.index(node.slice))
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for axis, part in enumerate(parts):
            if isinstance(part, ast.Name) and part.id in self.axes:
                self.algebra.meet(value, axis, self.axes[part.id])
        return found

    def _call(self, node: ast.Call) -> object:
        word = word_of(node.func)
        arguments = list(node.args)
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if owner is not None and not _is_module(owner):
            arguments = [owner, *arguments]
        keywords = {k.arg: k.value for k in node.keywords if k.arg}
        own = self.functions.get(word)
        if (
            own is None
            and word == "sum"
            and isinstance(node.func, ast.Name)
            and len(arguments) == 1
        ):
            return self._sum_of_rows(arguments[0])
        if own is not None and (is_helper(own) or word not in self.returned or self.inlines(node)):
            return self._own(own, node.args, keywords)
        if own is not None and isinstance(self.returned[word], ast.Name | ast.Attribute):
            return self.value(self.returned[word])
        return known_function(self, word, arguments, keywords)

    def _sum_of_rows(self, node: ast.expr) -> object:
        """Return what the ``sum`` of Python makes of an array: the sum of its rows."""
        value = self.array(node)
        axes = (0,) if self.rank(value, 2) > 1 else None
        return self.algebra.reduced("sum", value, axes, keeps=False)

    def inlines(self, call: ast.Call) -> bool:
        """Whether a function is called with other values than those of its parameters' names."""
        function = self.functions.get(word_of(call.func))
        if function is None or not (call.args or call.keywords):
            return False
        names = [one.arg for one in function.args.args if one.arg != "self"]
        return bool(self.scope or self.local) or any(
            self.flat(one) != name for one, name in zip(call.args, names, strict=False)
        )

    def length(self, node: ast.expr) -> object:
        """Return the length of a list or of the first axis of an array."""
        name = self.flat(node)
        if name is not None and name not in self.known:
            if name not in self.tables and self.names.is_list(name):
                both = name.lower().startswith("param")  # of a weight and a bias per layer
                self.tables[name] = 2 * LAYERS if both else LAYERS
            if (held := self.tables.get(name)) is not None:
                return held
        return self.algebra.size(self.array(node), 0, 1)

    def argued(self, node: ast.expr) -> V:
        """Return the argument of a function; in ``exp(-z)`` it is z that is noted."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.algebra.argument(self.array(node.operand))
            return self.algebra.elementwise("negative", inner)
        return self.algebra.argument(self.array(node))

    def _own(
        self, function: ast.FunctionDef, arguments: list[ast.expr], keywords: dict[str, ast.expr]
    ) -> object:
        """Return the value of a function that the code defines."""
        if len(self.local) > DEEPEST:
            raise Misfit("functions that call one another")
        names = [one.arg for one in function.args.args if one.arg != "self"]
        defaults = dict(zip(names[::-1], function.args.defaults[::-1], strict=False))
        values = {name: self.value(one) for name, one in zip(names, arguments, strict=False)}
        values |= {name: self.value(one) for name, one in keywords.items()}
        for name in names:
            if name not in values:
                if name not in defaults:
                    raise Misfit(f"{function.name} without its argument {name}")
                values[name] = self.value(defaults[name])
        for name in names[:1]:
            if not isinstance(values[name], int | float | Size | Label | tuple | type(None)):
                values[name] = self.algebra.argument(values[name])  # type: ignore[arg-type]
        self.local.append(values)
        try:
            return self._result(function.body)
        finally:
            self.local.pop()

    def _result(self, body: Sequence[ast.stmt]) -> object:
        for statement in body:
            if isinstance(statement, ast.Return) and statement.value is not None:
                return self.value(statement.value)
            if isinstance(statement, ast.If):
                chosen = self._branch(statement)
                found = self._result(chosen)
                if found is not None:
                    return found
            else:
                failed = dict(self.failed)
                self.statement(statement)
                if len(self.failed) > len(failed):
                    raise Misfit("a function that is not read")
        return None

    def _branch(self, statement: ast.If) -> Sequence[ast.stmt]:
        held = self.holds(statement.test)
        if held is None:
            try:
                test = self.value(statement.test)
            except Misfit:
                test = 0
            held = isinstance(test, int | float) and bool(test)
        return statement.body if held else statement.orelse

    def size_of(self, node: ast.expr) -> object:
        """Return the length that an expression stands for."""
        if isinstance(node, ast.Name | ast.Attribute) and (name := self.flat(node)) is not None:
            known = self.known.get(name)
            if self._is_local(name):
                known = self.local[-1][name]
            if isinstance(known, int | Size):
                return known
            if name in self.scope:
                return self.scope[name]
            return self.algebra.length(name)
        return self.value(node)


def _is_module(node: ast.expr) -> bool:
    """Whether an expression is a module, such as ``torch.nn.functional``."""
    if isinstance(node, ast.Attribute):
        return _is_module(node.value) and word_of(node.value) != "self"
    return isinstance(node, ast.Name) and node.id in _MODULES


@dataclass(frozen=True)
class Slices:
    """The shape of an array, where it is passed on."""

    of: ast.expr


__all__ = ["LAYERS", "MOST_STEPS", "Evaluation", "Slices"]
