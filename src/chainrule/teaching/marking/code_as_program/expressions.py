"""Values of the expressions of an interpreted program."""

from __future__ import annotations

import ast
import operator
from abc import ABC
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.teaching.marking.code_as_program.calls import Calls
from chainrule.teaching.marking.code_as_program.library import MOST_ENTRIES, applied
from chainrule.teaching.marking.code_as_program.opened import PARAMETERS, Open
from chainrule.teaching.marking.code_as_program.values import (
    CannotRun,
    Frame,
    Function,
    Unknown,
    Value,
)
from chainrule.teaching.marking.code_by_value.naming import is_label
from chainrule.teaching.marking.code_by_value.words import word_of

MOST_STEPS = 60_000

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


@dataclass
class Expressions(Calls, ABC):
    """An evaluator of expressions; what functions of the program return is left to statements."""

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
        one, other = self.value(node.left, frame), self.value(node.right, frame)
        if isinstance(node.op, ast.Sub):  # X @ theta - y, which no row gives a name
            if is_label(word_of(node.right)) and isinstance(node.left, ast.BinOp | ast.Call):
                one = self.trace.note(node.lineno, "", one, "assigned", frame.number)
            elif is_label(word_of(node.left)) and isinstance(node.right, ast.BinOp | ast.Call):
                other = self.trace.note(node.lineno, "", other, "assigned", frame.number)
        return self.binary(type(node.op), one, other)

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
        return tuple(self.elements(node.elts, frame))

    def _of_List(self, node: ast.List, frame: Frame) -> Value:
        return self.elements(node.elts, frame)

    def _of_Set(self, node: ast.Set, frame: Frame) -> Value:
        return set(self.elements(node.elts, frame))

    def elements(self, parts: Sequence[ast.expr], frame: Frame) -> list[Value]:
        """Return the values of expressions that commas separate."""
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


def _real(value: Value) -> Value:
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) > 1 else value
    return value


__all__ = ["Expressions"]
