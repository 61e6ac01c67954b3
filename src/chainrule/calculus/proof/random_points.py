"""Random points for verification: residues, float64, fifty digits.

At every point the inputs are drawn and the forward pass is run, so that names keep their values.
Named gradients (``dz^[2]``) are drawn, too, and not computed: a line that uses such a name must
hold for every value of it. So each layer is verified by itself, and no gradient is small for being
far from the objective.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.evaluation.forward import (
    assignments,
    forward,
    numbers_of_places,
    related,
    sample,
)
from chainrule.calculus.evaluation.modular import MODULAR, Residues, random_residues
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.evaluation.precise import PRECISE, precise_number
from chainrule.calculus.graph.node import Apply, Expr, Symbol, walk
from chainrule.calculus.proof.answer_table import AnswerTable
from chainrule.calculus.rewriting.relations import adding_to_one

EXACT_POINTS = 3
FLOAT_POINTS = 2
PIECES = 24
"""How many independent entries must pass through a mask, a sign or an absolute value, so that
every piece is met."""


class RandomPoints:
    """The sample points of one derivation; built once, used for every step.

    Parameters
    ----------
    derivation : Derivation
        The derivation whose names, answers and layers occur in the claims.
    seed : int
        Seed for the random points.
    start : RandomPoints, optional
        The points of a shorter forward pass of the same inputs. Their draws are taken where this
        pass is finite, too.
    """

    def __init__(
        self, derivation: Derivation, seed: int, start: RandomPoints | None = None
    ) -> None:
        self.start = start
        self.derivation = derivation
        self.model = derivation.model
        self.seed = seed
        self.meaning = AnswerTable(derivation)
        self._residues, self._draws, self._cotangents = (
            np.random.default_rng(seed) for _ in range(3)
        )
        self._exact: list[Evaluator] = []
        self._floats: list[Evaluator] = []
        self._known: list[dict[Symbol, Any]] = []
        self._precise: dict[int, dict[Symbol, Any]] = {}

    @cached_property
    def _adding_to_one(self) -> Mapping[Symbol, int | None]:
        return adding_to_one(self.model)

    def sizes(self, number: int) -> dict[str, int]:
        """Return the sizes of the dimensions at a point."""
        return self.all_sizes[number % len(self.all_sizes)]

    def different_sizes(self, count: int) -> tuple[Mapping[str, int], ...]:
        """Return the sizes of the first points."""
        return tuple(self.all_sizes[:count])

    def exact(self, number: int) -> Evaluator:
        """Return a point of residues, with every name drawn independently."""
        while number >= len(self._exact):
            sizes = self.sizes(len(self._exact))
            shapes = Evaluator({}, sizes, MODULAR)
            names = (*self.model.symbols, *self.derivation.layers)
            values = {s: random_residues(self._residues, shapes.shape(s.shape)) for s in names}
            values = related(self.model, values, MODULAR)
            for symbol, numbers in numbers_of_places(self.model, sizes, self._residues).items():
                values[symbol] = Residues(numbers.astype(np.int64))
            for symbol, axis in self._adding_to_one.items():
                values[symbol] = values[symbol] / MODULAR.sum(
                    values[symbol], axis=axis, keepdims=True
                )
            self._exact.append(Evaluator(values, sizes, MODULAR, self.meaning))
        return self._exact[number]

    def floats(self, number: int) -> Evaluator:
        """Return a float64 point, after a forward pass."""
        while number >= len(self._floats):
            sizes = self.sizes(len(self._floats))
            values = self._drawn(len(self._floats))
            shapes = Evaluator({}, sizes, FLOATS)
            for name in self.derivation.layers:
                values[name] = weights(self._cotangents, shapes.shape(name.shape))
            self._known.append(values)
            self._floats.append(Evaluator(values, sizes, FLOATS, self.meaning))
        return self._floats[number]

    def _drawn(self, number: int) -> dict[Symbol, Any]:
        """Return the forward pass at a new float64 point."""
        sizes = self.sizes(number)
        if self.start is not None:
            known, names = self.start.values(number), self.start.model.symbols
            with np.errstate(all="ignore"):
                values = forward(self.model, {s: known[s] for s in names}, sizes)
            if all(np.isfinite(value).all() for value in values.values()):
                return values
        return dict(sample(self.model, sizes, self._draws))

    def values(self, number: int) -> dict[Symbol, Any]:
        """Return the value of every name at a float64 point."""
        self.floats(number)
        return self._known[number]

    def precise(self, number: int) -> dict[Symbol, Any]:
        """Return the value of every name at the same point, in fifty digits."""
        if number not in self._precise:
            known = self.values(number)
            given = {
                symbol: np.vectorize(precise_number, otypes=[object])(known[symbol])
                for symbol in (*self.model.inputs, *self.derivation.layers)
            }
            given = related(self.model, given, PRECISE)  # to the last digit
            self._precise[number] = forward(self.model, given, self.sizes(number), PRECISE)
        return self._precise[number]

    def exact_count(self, *sides: Expr) -> int:
        """Return the number of residue points at which a claim must hold."""
        jumps = [node for node in self.meaning.nodes(*sides) if jumps_somewhere(node)]
        return _enough(jumps, self.exact, EXACT_POINTS)

    def float_count(self, *sides: Expr) -> int:
        """Return the number of float64 points at which a claim must hold.

        There a name stands for its definition, so the pieces of the forward pass count as well.
        """
        jumps = [node for node in self.meaning.nodes(*sides) if jumps_somewhere(node)]
        return max(self._pieces_of_the_model, _enough(jumps, self.floats, FLOAT_POINTS))

    @cached_property
    def _pieces_of_the_model(self) -> int:
        nodes = (node for definition in self.model.definitions for node in walk(definition.value))
        return _enough([n for n in nodes if jumps_somewhere(n)], self.floats, FLOAT_POINTS)

    @cached_property
    def all_sizes(self) -> list[dict[str, int]]:
        """The sizes of the dimensions at all points, which repeat."""
        return assignments(self.model, EXACT_POINTS) if self.start is None else self.start.all_sizes


def weights(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:  # noqa: ANN401
    """Draw numbers of either sign, away from zero."""
    return rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)


def jumps_somewhere(node: Expr) -> bool:
    """Whether a node is piecewise, such as a mask."""
    return isinstance(node, Apply) and node.op.in_pieces


def _enough(jumps: list[Expr], place: Callable[[int], Evaluator], least: int) -> int:
    """Return the number of points until enough entries have gone through every piecewise node."""
    met, count = 0, 0
    while jumps and count < PIECES and met < PIECES:
        point = place(count)
        point.forget_indices()
        met += min(max(_different(point.value(arg)) for arg in node.args) for node in jumps)
        count += 1
    return max(count, least)


def _different(values: Any) -> int:  # noqa: ANN401
    return len(np.unique(getattr(values, "words", values)))
