"""Values: one evaluator for matrix forms and index forms, over any array namespace.

A matrix form has the value of its matrix. An index form has one array axis for each running
index, counted from the right in the order in which an `Evaluator` first meets them, so that
broadcasting lines them up by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np

from chainrule.calculus.graph.dims import Dim, Index, Shape, Size, measured
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Partial,
    Position,
    Symbol,
    Total,
    running,
    walk,
)
from chainrule.calculus.ops.summed_products import summed_product
from chainrule.errors import ChainruleError

INDEXED = (Entry, Total, Partial)

MOST_AXES = 16
"""Letters that have an axis each; with more of them, bound ones share axes. NumPy broadcasts over
32 axes at most."""


class Evaluator:
    """Evaluates expressions at one point; caches the value of every node.

    Parameters
    ----------
    values : mapping of Symbol to array
        Arrays of two dimensions or, for tensors, more.
    sizes : mapping of str to int
        The size of every named dimension. A number that is given here, as text, stands for
        another size: a proof need not lay out 60000 columns.
    xp : namespace, optional
        Where ``exp``, ``sum`` and the like come from; NumPy by default.
    meaning : mapping of Expr to Expr, optional
        What unanswered derivatives stand for.
    """

    def __init__(
        self,
        values: Mapping[Symbol, Any],
        sizes: Mapping[str, int],
        xp: Any = np,  # noqa: ANN401
        meaning: Mapping[Expr, Expr] | None = None,
    ) -> None:
        self.sizes = dict(sizes)
        self.xp = xp
        self.meaning = {} if meaning is None else meaning
        self._values: dict[Expr, Any] = {}
        self._values.update(values.items())
        self._cells: dict[Expr, Any] = {}
        self._axes: dict[Index, int] = {}
        self._sharing = False
        self._shapes: dict[Shape, tuple[int, ...]] = {}

    def value(self, root: Expr) -> Any:  # noqa: ANN401
        """Return the value of an expression.

        Raises
        ------
        ChainruleError
            When a symbol has no value here.
        """
        values, cells, waiting = self._values, self._cells, [root]
        lettered, laid_out = len(self._axes), len(cells)
        while waiting:
            if len(self._axes) > MOST_AXES and not self._sharing:
                for node in list(cells)[laid_out:]:
                    del cells[node]
                for index in list(self._axes)[lettered:]:
                    del self._axes[index]
                return self._value_in_few_axes(root)
            node = waiting[-1]
            if node in values or node in cells:
                waiting.pop()
                continue
            args = _needed(node)
            if open_args := [arg for arg in args if arg not in values and arg not in cells]:
                waiting.extend(reversed(open_args))
                continue
            waiting.pop()
            indexed = isinstance(node, INDEXED) or any(arg in cells for arg in args)
            found = self._compute(node)
            if not hasattr(found, "ndim"):  # arithmetic turns an array of one object into it
                found = np.asarray(found, dtype=object)
            (cells if indexed else values)[node] = found
        return self._found(root)

    def _value_in_few_axes(self, root: Expr) -> Any:  # noqa: ANN401
        """Evaluate a form of many letters: two bound letters share an axis where no part has both.

        What was laid out along shared axes is forgotten at the end; only the free letters of the
        form keep theirs.
        """
        for index in sorted(running(root), key=str):
            self.axis(index)
        laid_out, own = set(self._cells), dict(self._axes)
        meeting = self._meeting(root)
        for index, others in meeting.items():
            if index not in self._axes:
                used = {self._axes[other] for other in others if other in self._axes}
                used |= set(own.values())
                free = (position for position in count() if position not in used)
                self._axes[index] = next(free)
        self._sharing = True
        try:
            found = self.value(root)
        finally:
            self._sharing = False
            self._axes = own
            for node in set(self._cells) - laid_out - {root}:
                del self._cells[node]
        return found

    def _meeting(self, root: Expr) -> dict[Index, set[Index]]:
        """Return, for every letter of a form, the letters that some part of it has beside it."""
        meeting: dict[Index, set[Index]] = {}
        free: dict[Expr, frozenset[Index]] = {}
        waiting = [root]
        while waiting:
            for node in walk(waiting.pop()):
                if node in free:
                    continue
                if isinstance(node, Entry | Partial):
                    together = running(node)
                else:
                    together = frozenset().union(*(free[arg] for arg in node.args))
                bound = {node.index} if isinstance(node, Total) else set()
                free[node] = together - bound
                together |= bound
                for index in together:
                    meeting.setdefault(index, set()).update(together - {index})
                if isinstance(node, Partial) and node in self.meaning:
                    waiting.append(self.meaning[node])
        return meeting

    def define(self, symbol: Symbol, value: Any) -> None:  # noqa: ANN401
        """Give a symbol its value; before anything that mentions it is evaluated here."""
        self._values[symbol] = value

    def forget_indices(self) -> None:
        """Forget the axes of running indices and all that was laid out along them.

        An array has few axes, and a long derivation has many letters.
        """
        self._cells.clear()
        self._axes.clear()

    def _found(self, node: Expr) -> Any:  # noqa: ANN401
        return self._values[node] if node in self._values else self._cells[node]

    def spread(self, matrix: Any, *places: Position) -> Any:  # noqa: ANN401
        """Lay the cells of an array out along the axes of the given indices.

        Where fewer places are given than the array has dimensions, they are those of the last ones.
        """
        places = (None,) * (matrix.ndim - len(places)) + places
        for axis, place in enumerate(places):
            if isinstance(place, int):
                matrix = matrix[(slice(None),) * axis + (slice(place - 1, place),)]
        named = [(self.axis(p), axis) for axis, p in enumerate(places) if isinstance(p, Index)]
        ndim = max((position + 1 for position, _ in named), default=0)
        if len({position for position, _ in named}) < len(named):
            return matrix[tuple(self._along(place) for place in places)]  # a diagonal
        shape = [1] * ndim
        for position, axis in named:
            shape[ndim - 1 - position] = matrix.shape[axis]
        if named != sorted(named, reverse=True):  # the axis furthest from the right comes first
            order = [axis for _, axis in sorted(named, reverse=True)]
            rest = [axis for axis in range(len(places)) if axis not in order]
            matrix = matrix.transpose((*rest, *order))
        return matrix.reshape(tuple(shape))

    def _along(self, place: Position) -> Any:  # noqa: ANN401
        """Return the places of an index along its axis; the first one where there is none."""
        if not isinstance(place, Index):
            return 0
        return np.arange(self.size(place.dim)).reshape((-1,) + (1,) * self.axis(place))

    def axis(self, index: Index) -> int:
        """Return the axis of an index, counted from the right."""
        return self._axes.setdefault(index, len(self._axes))

    @property
    def axes(self) -> Mapping[Index, int]:
        """The axes given so far, counted from the right."""
        return self._axes

    def size(self, dim: Dim) -> int:
        """Return the size of a dimension."""
        return measured(dim, self.sizes)

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """Return a shape in numbers."""
        known = self._shapes.get(shape)
        if known is None:
            known = self._shapes[shape] = tuple(self.size(dim) for dim in shape)
        return known

    def applied(self, node: Apply, arguments: Sequence[Any]) -> Any:  # noqa: ANN401
        """Return what an op gives for other arguments than its own."""
        shape, attrs = self.shape(node.shape), self.attributes(node)
        return node.op.value(self.xp, *arguments, out_shape=shape, attrs=attrs)

    def attributes(self, node: Apply) -> tuple[Any, ...]:
        """Return the attributes of a node, sizes in numbers."""
        return node.attrs and tuple(
            self.size(a) if isinstance(a, str | int | Size) else a for a in node.attrs
        )

    def _compute(self, node: Expr) -> Any:  # noqa: ANN401
        if isinstance(node, Apply):
            return self.applied(node, [self._found(arg) for arg in node.args])
        if isinstance(node, Number):
            return self.xp.full(self.shape(node.shape), _plain(node))
        if isinstance(node, Entry):
            return self.spread(self._found(node.matrix), *node.places)
        if isinstance(node, Total):
            return self._sum(node)
        if isinstance(node, Partial) and node in self.meaning:
            return self.value(self.meaning[node])
        raise ChainruleError(f"{node!r} has no value here")

    def _sum(self, total: Total) -> Any:  # noqa: ANN401
        indices, factors = _sum_of_product(total)
        summed = {self.axis(index): self.size(index.dim) for index in indices}
        return summed_product([self._found(factor) for factor in factors], summed, self.xp)


def _needed(node: Expr) -> tuple[Expr, ...]:
    """Return what must be known before a node: of sums over a product, its factors."""
    return _sum_of_product(node)[1] if isinstance(node, Total) else node.args


def _sum_of_product(total: Total) -> tuple[tuple[Index, ...], tuple[Expr, ...]]:
    """Return the indices of sums over a product and its factors; of another sum, its body."""
    indices, body = [total.index], total.body
    while isinstance(body, Total) and body.index not in indices:
        indices.append(body.index)
        body = body.body
    if isinstance(body, Apply) and body.op.name == "mul":
        return tuple(indices), body.args
    return (total.index,), (total.body,)


def _plain(node: Number) -> Any:  # noqa: ANN401
    """Give whole numbers as int; other numbers stay exact for the namespace to convert."""
    return int(node.value) if node.value.denominator == 1 else node.value


class _Floats:
    """NumPy, with fractions turned into float64."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(np, name)

    @staticmethod
    def full(shape: tuple[int, ...], value: Any) -> Any:  # noqa: ANN401
        return np.full(shape, float(value))


FLOATS = _Floats()
"""The namespace of float64 values."""
