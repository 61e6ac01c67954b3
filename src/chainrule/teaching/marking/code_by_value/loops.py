"""Loops of code, run round by round: over entries of lists, over an axis, or over numbers."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from chainrule.teaching.marking.code_by_value.algebra import Misfit, Size
from chainrule.teaching.marking.code_by_value.evaluation import LAYERS, Evaluation
from chainrule.teaching.marking.code_by_value.numeric import COUNTS
from chainrule.teaching.marking.code_by_value.words import names_in, word_of

V = TypeVar("V")

Item: TypeAlias = "int | str | tuple[Item, ...]"
"""What a loop runs over: a number, the name of an entry, or several."""

TIMES = 3
"""The number of steps of a loop whose variable is an index."""

MOST_ROUNDS = 12
"""The most rounds of a loop over an axis."""


@dataclass
class Loops(Evaluation[V]):
    """An evaluation with loops."""

    over_axis: bool = False  # whether the last loop runs over an axis
    trail: list[tuple[str, V]] = field(default_factory=list)  # values in the order they came
    rounds: list[tuple[int, list[tuple[str, V]]]] = field(default_factory=list)

    def loop(self, loop: ast.For) -> None:
        """Take a loop: over entries of lists, over an axis, or once."""
        rounds = self._rounds(loop)
        if rounds is None:
            for one in loop.body:
                self.statement(one)
            return
        kept = dict(self.aliases)
        over = loop.target.id if isinstance(loop.target, ast.Name) else ""
        outer = not self.scope and not self.local and over in self.counted
        self._note_axis(over, loop.iter)
        for bound in rounds:
            start = len(self.trail)
            for name, value in bound.items():
                if isinstance(value, str):
                    self.aliases[name] = value
                else:
                    self.aliases.pop(name, None)
                    self.scope[name] = value
            self.looping += 1
            for one in loop.body:
                self.statement(one)
            self.looping -= 1
            if outer and isinstance(at := bound[over], int):
                self.rounds.append((at, self.trail[start:]))
        for bound in rounds[:1]:
            for name in bound:
                self.scope.pop(name, None)
                self.counted.discard(name)
                self.axes.pop(name, None)
                if name in kept:
                    self.aliases[name] = kept[name]
                else:
                    self.aliases.pop(name, None)

    def _note_axis(self, name: str, over: ast.expr) -> None:
        """Note along which axis a loop such as ``for i in range(m)`` runs."""
        if name not in self.counted or not isinstance(over, ast.Call) or len(over.args) != 1:
            return
        try:
            size = self.value(over.args[0])
        except Misfit:
            return
        if word_of(over.func) == "range" and isinstance(size, Size):
            self.axes[name] = size

    def _rounds(self, loop: ast.For) -> list[dict[str, int | str]] | None:
        """Return what the variables of a loop stand for, round by round; None for one round."""
        indices = {
            node.id
            for one in loop.body
            for sub in ast.walk(one)
            if isinstance(sub, ast.Subscript)
            for node in ast.walk(sub.slice)
            if isinstance(node, ast.Name)
        }
        used = names_in(loop.target)
        appends = any(
            isinstance(node, ast.Attribute) and node.attr in ("append", "insert")
            for one in loop.body for node in ast.walk(one)
        )  # fmt: skip
        call = loop.iter if isinstance(loop.iter, ast.Call) else None
        word = word_of(call.func) if call is not None else ""
        over_list = word in ("zip", "enumerate") or (
            word != "range" and (self.flat(loop.iter) or "") in self.tables
        )
        if not used & indices and not appends and not over_list:
            return None
        self.over_axis = False
        values = self.items(loop.iter)
        if values is None:
            return None
        if self.over_axis:
            self.counted |= used
        rounds: list[dict[str, int | str]] = []
        for value in values:
            bound: dict[str, int | str] = {}
            if not _bind(loop.target, value, bound):
                return None
            rounds.append(bound)
        return rounds

    def items(self, node: ast.expr) -> list[Item] | None:
        """Return the items that a loop runs over: numbers, names of entries, and tuples of them."""
        if not isinstance(node, ast.Call):
            return self._entries(node)
        word = word_of(node.func)
        if word in ("range", "xrange", "trange", "arange"):
            return self._numbers(node.args)
        if word in ("tqdm", "list") and node.args:
            return self.items(node.args[0])
        if word == "reversed" and node.args:
            inner = self.items(node.args[0])
            return None if inner is None else inner[::-1]
        if word == "enumerate" and node.args:
            inner = self.items(node.args[0])
            return None if inner is None else list(enumerate(inner))
        if word == "zip":
            columns = [self.items(one) for one in node.args]
            if any(column is None for column in columns):
                return None
            return list(zip(*(c for c in columns if c is not None), strict=False))
        return None

    def _entries(self, node: ast.expr) -> list[Item] | None:
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            whole = self._entries(node.value)
            bounds = [node.slice.lower, node.slice.upper, node.slice.step]
            if whole is None:
                return None
            ends = [None if b is None else self.value(b) for b in bounds]
            if any(not isinstance(b, int | None) for b in ends):
                return None
            first, last, step = (b if isinstance(b, int) else None for b in ends)
            return whole[first:last:step]
        name = self.flat(node)
        if name is None or name in self.scope or self._is_local(name):
            return None
        if name in self.known or self.algebra.has(name):
            return self._rows(name)
        length = self.tables.setdefault(name, LAYERS)
        return [f"{name}[{at}]" for at in range(length if length is not None else LAYERS)]

    def _rows(self, name: str) -> list[Item] | None:
        """Return the names of the entries of an array, one after another."""
        try:
            value = self.lifted(self.named(name))
            length = min(self._axis(self.algebra.size(value, 0, 1)), MOST_ROUNDS)
            for at in range(length):
                self.known[f"{name}[{at}]"] = self.algebra.entry(value, (at,))
        except Misfit:
            return None
        return [f"{name}[{at}]" for at in range(length)]

    def _numbers(self, args: list[ast.expr]) -> list[Item] | None:
        bounds = [self.count(one) for one in args]
        if any(bound is None for bound in bounds) or not 1 <= len(bounds) <= 3:
            return None
        whole = [bound for bound in bounds if bound is not None]
        if len(whole) == 3 and whole[2] == 0:
            return None
        found = range(*whole)
        return list(found) if len(found) <= MOST_ROUNDS else list(range(TIMES))

    def count(self, node: ast.expr) -> int | None:
        """Return the number that a bound of a loop stands for."""
        match node:
            case ast.Constant(value=int(number)):
                return number
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.count(operand)
                return None if inner is None else -inner
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.FloorDiv() as op, right=right):
                one, two = self.count(left), self.count(right)
                if one is None or two is None:
                    return None
                if isinstance(op, ast.FloorDiv):
                    return one // two if two else None
                return one + two if isinstance(op, ast.Add) else one - two
            case ast.Call(func=ast.Name(id="len"), args=[of]):
                found = self.length(of) if self._is_listed(of) else TIMES
                return found if isinstance(found, int) else self._axis(found)
        name = self.flat(node)
        held = self.scope.get(name or "", self.known.get(name or ""))
        if isinstance(held, int):
            return held
        if isinstance(held, Size) or isinstance(node, ast.Subscript):
            try:
                return self._axis(self.value(node))
            except Misfit:
                return TIMES
        if name is not None and name in COUNTS and name not in self.known and not (
            self._is_local(name)
        ):  # fmt: skip
            return self._axis(self.algebra.length(name))
        if name is not None and name.lower() in ("num_layers", "n_layers", "nlayers"):
            return LAYERS + bool(self.names.layered)
        if name == "L" and not held:
            self.known[name] = LAYERS
        return TIMES

    def _is_listed(self, node: ast.expr) -> bool:
        name = self.flat(node)
        return name is not None and (name in self.tables or self.names.is_list(name))

    def _axis(self, size: object) -> int:
        """Return how often a loop over an axis is run: by its length, where that is known."""
        whole = size.dim if isinstance(size, Size) else size
        self.over_axis = True
        return whole if isinstance(whole, int) else 2  # so that what a round leaves meets the next


def _bind(target: ast.expr, item: Item, bound: dict[str, int | str]) -> bool:
    """Bind the variables of a loop to an item; False where they do not fit."""
    if isinstance(target, ast.Name) and isinstance(item, int | str):
        bound[target.id] = item
        return True
    if isinstance(target, ast.Tuple) and isinstance(item, tuple):
        return len(target.elts) == len(item) and all(
            _bind(one, part, bound) for one, part in zip(target.elts, item, strict=True)
        )
    return False


__all__ = ["Loops"]
