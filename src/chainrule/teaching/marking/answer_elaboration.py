"""Elaboration of syntax trees of answers to expressions, directed by shapes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chainrule.calculus.graph.dims import SCALAR, Dim, Index, Shape, written
from chainrule.calculus.graph.node import Expr, Number, Position, Symbol, Total, entry
from chainrule.calculus.ops import delta, eye, matmul, mul, reduce_sum, size
from chainrule.errors import LimitError, UndecidedError, UnmetError
from chainrule.language.answers import NameMeaning
from chainrule.language.answers.syntax import FROBENIUS
from chainrule.language.reading.complaints import split
from chainrule.language.reading.syntax import MATRIX, PRODUCT
from chainrule.language.reading.tree import (
    Bracket,
    Call,
    Chain,
    Derivative,
    Extent,
    Indexed,
    Joined,
    Literal,
    Name,
    Node,
    Ones,
    Power,
    Summation,
    Transposed,
)
from chainrule.teaching.marking.derivative_elaboration import DerivativeElaborator
from chainrule.teaching.marking.line_context import AskedDerivative

_KRONECKER = re.compile(r"delta_([a-z]),?([a-z])")

LONGEST_NAME = 60


@dataclass(frozen=True, kw_only=True)
class AnswerElaborator(DerivativeElaborator):
    """Builds the expressions of one line of an answer.

    Parameters
    ----------
    context : LineContext
        The indices and placeholders of the line.
    ones : Dim
        The length of a column of ones, where it is ambiguous, as in ``1 g``.
    lone : int
        The axis of a lone index of a matrix, where it is ambiguous.
    example : str
        The example that names without an index are read at; empty for all examples.
    """

    ones: Dim = 1
    lone: int = 0
    example: str = ""

    def expr(self, node: Node) -> Expr:
        """Build the expression of a node."""
        match node:
            case Chain() if self.ones != 1 and node.level == MATRIX and _is_one(node.first):
                behind = replace(node, first=node.rest[0].operand, rest=node.rest[1:])
                rest = self.expr(behind if behind.rest else behind.first)
                if rest.shape[0] != 1:
                    return super().expr(node)
                return matmul(Number(1, (self.ones, 1)), rest)
            case Chain() if node.level == FROBENIUS:
                return self.inner(node)
            case Chain() if node.level in (MATRIX, PRODUCT):
                return self.product(node) or super().expr(node)
            case Call():
                return self.call(node)
            case Power(base=Name() as name) if parts := self.letters(name):
                return self.expr(_joined([*parts[:-1], replace(node, base=parts[-1])]))
            case Transposed(operand=Name() as name) if parts := self.letters(name):
                return self.expr(_joined([*parts[:-1], replace(node, operand=parts[-1])]))
            case _:
                return super().expr(node)

    def inner(self, node: Chain) -> Expr:
        """Read ``A : B``, the sum of the products of entries."""
        value = self.expr(node.first)
        for joined in node.rest:
            right = self.expr(joined.operand)
            if right.shape != value.shape:
                raise self.line.error(
                    f"{self.text(node)}: {written(value.shape)} and {written(right.shape)} have no "
                    "entries in common",
                    joined.at,
                    UndecidedError,
                )
            value = reduce_sum(mul(value, right))
        return value

    def beyond(self, node: Node) -> Expr:
        """Build what only answers contain."""
        match node:
            case Derivative():
                return self.derivative(node)
            case Summation():
                return self.summation(node)
            case Indexed():
                return self.indexed(node)
            case Extent():
                return _count(self.expr(node.base).shape[node.axis])
            case _:
                return super().beyond(node)

    # ---- names -------------------------------------------------------------------------------

    def name(self, node: Name) -> Expr:
        """Look a name up, in the letters of the exercise or in others."""
        if len(node.name) > LONGEST_NAME:
            raise self.line.error("no name here is as long as this", node.start, LimitError)
        if node.name not in self.scope and node.name in self.dims:
            return size(node.name)
        square = self.context.shape
        if node.name == "I" and "I" not in self.scope and square and square[0] == square[1] != 1:
            return eye(square[0])
        letter, _, below = node.name.partition("_")
        if letter == "I" and below in self.dims and node.name not in self.scope:
            return eye(below)
        if (match := _KRONECKER.fullmatch(node.name)) and all(
            map(self.context.known, match.groups())
        ):
            one, other = (Name(part, start=node.start, end=node.end) for part in match.groups())
            return self.kronecker(node, one, other)
        found = self.context.lexicon.find(node.name)
        if found is not None:
            return self.taken(node, found)
        if match := _KRONECKER.fullmatch(node.name):
            one, other = (Name(part, start=node.start, end=node.end) for part in match.groups())
            return self.kronecker(node, one, other)
        parts = self.letters(node)
        return self.expr(_joined(parts)) if parts else super().name(node)

    def letters(self, node: Name) -> list[Node]:
        """Split a run of letters into names, ``wx`` into w and x; empty where it is one name.

        What stands above or behind the run belongs to its last letter: ``wx^2`` is w times x^2.
        """
        if len(node.name) > LONGEST_NAME or node.name in self.dims:
            return []
        if self.context.lexicon.find(node.name) is not None:
            return []
        known = {letter.swapcase(): letter for letter in self.scope if len(letter) == 1}
        known |= {letter: letter for letter in self.scope}
        if self.context.differentials is not None:
            known |= {f"d{letter}": f"d{letter}" for letter in self.scope}
        parts = split(node.name, known)
        return [Name(part, start=node.start, end=node.end) for part in parts or ()]

    def taken(self, node: Node, found: NameMeaning) -> Expr:
        """Build a symbol, or the part of it at its indices."""
        whole = found.symbol
        moving = self.context.differentials
        if found.of is self.context.model.objective and moving is not None:
            whole = moving.name(found.symbol)
        elif found.of is self.context.model.objective:
            whole = self.context.gradient(found.symbol)
            self.context.derived = AskedDerivative(found.of, found.symbol)
        elif found.of is not None:
            return self.partial(node, found.of, None, found.symbol, None)
        if not (found.below or found.example):
            if self.example and self.is_of_examples(whole):
                return self.part(node, whole, (), self.example)
            return whole
        return self.part(node, whole, found.below, found.example)

    def is_of_examples(self, whole: Symbol) -> bool:
        """Whether a matrix has the examples in its columns."""
        counted = self.context.known(self.example)
        if counted is None:
            shapes = {symbol.shape[1] for symbol in self.context.model.symbols}
            counted = "m" if "m" in shapes else None
        return whole.shape[1] != 1 and whole.shape[1] == counted

    def part(self, node: Node, whole: Symbol, below: tuple[str, ...], example: str) -> Expr:
        """Take an entry, a row or a column."""
        places: list[str | None] = [None, None]
        shape = whole.shape
        free = [axis for axis in (0, 1) if shape[axis] != 1]
        if example:
            if 1 not in free:
                raise self.error(
                    node, f"{whole.name} is {written(shape)}: it has no columns to take ({example})"
                )
            places[1] = example
            free = [0] if 0 in free else []
        named = [place for place in below if not (place == "1" and len(below) > len(free))]
        objective = self.context.model.objective
        if named and objective in (whole, self.context.gradients.get(whole)):
            raise UndecidedError(
                f"{self.text(node)} is a part of {objective.name} that the forward pass does not "
                "have; define it on a line of its own",
                line=self.line.number,
                column=node.start + 1,
            )
        if len(named) > len(free):
            raise self.line.error(
                f"{whole.name} is {written(shape)}: {len(below)} indices are too many",
                node.start,
                UnmetError,
            )
        if len(named) == 1 and len(free) == 2:
            places[self.axis(named[0], shape)] = named[0]
        else:
            for axis, place in zip(free, named, strict=False):
                places[axis] = place
            if self.is_swapped(whole, places):
                places.reverse()
        return self.at(node, whole, places)

    def is_swapped(self, whole: Symbol, places: list[str | None]) -> bool:
        """Whether ``x_ij`` has the example first, where x has its examples in columns.

        Only the layout of an undeclared matrix is open.
        """
        if whole not in {assumed.symbol for assumed in self.context.model.assumptions}:
            return False
        dims = [None if place is None else self.context.known(place) for place in places]
        if None in places or not any(dims):
            return False
        rows, columns = whole.shape
        straight = dims[0] in (None, rows) and dims[1] in (None, columns)
        return not straight and dims[0] in (None, columns) and dims[1] in (None, rows)

    def axis(self, letter: str, shape: Shape) -> int:
        """Return the axis of a lone index of a matrix: the one of its size."""
        known = self.context.summed.get(letter) or self.context.indices.get(letter)
        if known is not None and known in shape and shape[0] != shape[1]:
            return shape.index(known)
        return self.lone

    def at(self, node: Node, whole: Expr, places: list[str | None]) -> Expr:
        """Take the part of a matrix at these places; None takes all along an axis."""
        rows, columns = whole.shape
        chosen = [
            None if place is None else self.context.index(place, dim, node.start)
            for place, dim in zip(places, whole.shape, strict=True)
        ]
        row, col = chosen
        whole_row = rows != 1 and row is None
        whole_col = columns != 1 and col is None
        if not whole_row and not whole_col:
            return self.cell(whole, row, col)
        if whole_row and whole_col:
            return whole
        if whole_row:
            return self.context.placeholder(
                "column", (rows, 1), lambda r, c: self.context.opened(whole, r, col)
            )
        return self.context.placeholder(
            "row", (1, columns), lambda r, c: self.context.opened(whole, row, c)
        )

    def cell(self, whole: Expr, row: Position, col: Position) -> Expr:
        """Take one entry."""
        if self.context.has_placeholders(whole):
            return self.context.opened(whole, row, col)
        return entry(whole, row, col)

    def indexed(self, node: Indexed) -> Expr:
        """Read ``X[p, i]``, ``a[i]``, ``X[:, i]``."""
        whole = self.expr(node.base)
        given = [None if place is None else self.place(place) for place in node.places]
        free = [axis for axis in (0, 1) if whole.shape[axis] != 1]
        places: list[str | None] = [None, None]
        if len(given) == 1 and len(free) == 1:
            places[free[0]] = given[0]
        elif len(given) == 1 and given[0] is not None:
            places[self.axis(given[0], whole.shape)] = given[0]
        elif len(given) <= 2:
            places[: len(given)] = given
        else:
            raise self.error(node, "a matrix has two indices")
        return self.at(node, whole, places)

    def place(self, node: Node) -> str:
        """Read one index in square brackets."""
        if isinstance(node, Name) and len(node.name) == 1:
            return node.name
        if isinstance(node, Literal) and node.value.denominator == 1:
            raise UndecidedError(
                "a number in square brackets counts from 0 in code and from 1 on the board; "
                "write the entry with a letter, or below: x_1",
                line=self.line.number,
                column=node.start + 1,
            )
        raise self.error(node, "an index is one letter")

    # ---- sums --------------------------------------------------------------------------------

    def summation(self, node: Summation) -> Expr:
        """Read a sum over running indices."""
        high = self.limit(node.high)
        for letter in node.indices:
            self.context.begin_sum(letter, high, node.start)
        body = self.expr(node.body)
        if node.apart and node.indices[0] in self.context.summed:
            body = self.apart(node, body)
        if body.shape == SCALAR:
            form = self.context.opened(body, None, None)
            for letter in reversed(node.indices):
                form = Total(self.context.end_sum(letter, node.start), form)
            return form
        indices = [self.context.end_sum(letter, node.start) for letter in reversed(node.indices)]

        def recipe(row: Position, col: Position) -> Expr:
            form = self.context.opened(body, row, col)
            for index in indices:
                form = Total(index, form)
            return form

        return self.context.placeholder("sum", body.shape, recipe)

    def apart(self, node: Summation, body: Expr) -> Expr:
        """Leave out one place of a sum: ``∑_{i ≠ k}``."""
        letter = node.indices[0]
        dim = self.context.summed[letter] or self.context.known(node.apart)
        if dim is None:
            raise self.error(node, f"nothing under this sum has the index {letter}")
        self.context.summed[letter] = dim
        other = self.context.index(node.apart, dim, node.start)
        return mul(1 - delta(dim, Index(letter, dim), other), body)

    def limit(self, node: Node | None) -> Dim | None:
        """Return the end of a sum; None when there is none."""
        while isinstance(node, Bracket):
            node = node.inner
        match node:
            case None:
                return None
            case Name() if node.name in self.dims:
                return node.name
            case Literal() if node.value.denominator == 1 and node.value > 0:
                return int(node.value)
        raise self.error(node, "a sum ends at a size, such as m")


def _is_one(node: Node) -> bool:
    return isinstance(node, Ones) or (isinstance(node, Literal) and node.value == 1)


def _count(dim: Dim) -> Expr:
    return size(dim)


def _joined(parts: Sequence[Node]) -> Node:
    """Return the product of juxtaposed nodes."""
    first, *rest = parts
    if not rest:
        return first
    joined = tuple(Joined("", first.start, part) for part in rest)
    return Chain(MATRIX, first, joined, start=first.start, end=first.end)
