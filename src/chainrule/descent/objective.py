"""The objective and its derived gradient as numbers, at given values and examples.

The gradient is the derived formula, layer gradients first, in the lines that ``chainrule code``
writes. There is no second formula, and nothing is differentiated here. The forward pass is run in
its stable form, so that a cost stays a number where the plain one is the logarithm of zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from chainrule.calculus.derivation.program import program
from chainrule.calculus.derivation.steps import Derivation, Gradient
from chainrule.calculus.evaluation.forward import forward
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Apply, Expr, Symbol, running, walk
from chainrule.calculus.proof.gradients import gathered
from chainrule.calculus.rewriting.stable_form import stable_form
from chainrule.descent.tape import Tape
from chainrule.errors import DataError
from chainrule.language.typeset import unicode
from chainrule.lecture import Array, Binding, Rows

Values = dict[Symbol, Array]

_MOST_TAPES = 16
LARGEST_INDEX_FORM = 2 << 26
"""The most cells of an index form that is evaluated at once: 1 GiB."""


@dataclass(frozen=True, eq=False)
class CostAndGradient:
    """The objective and its gradient at one point.

    Parameters
    ----------
    cost : float
        The objective; for a model of one example, the sum over the examples.
    gradient : mapping of Symbol to array
        The gradients of the cost, each in the shape of its variable.
    """

    cost: float
    gradient: Values

    @property
    def finite(self) -> bool:
        """Whether the cost and every entry of the gradient are finite."""
        return bool(np.isfinite(self.cost)) and all(
            np.isfinite(array).all() for array in self.gradient.values()
        )


def objective_values(
    model: Model, inputs: Mapping[Symbol, Array], sizes: Mapping[str, int]
) -> Values:
    """Run the forward pass.

    Parameters
    ----------
    model : Model
        The forward pass, as it is to be computed.
    inputs : mapping of Symbol to array
        All inputs.
    sizes : mapping of str to int
        All dimensions.
    """
    return forward(model, inputs, sizes, FLOATS)


class DescentObjective:
    """A model with data and derived gradients, as a function of the learned values.

    Parameters
    ----------
    derivation : Derivation
        With a gradient for every learned value.
    binding : Binding
        The data.

    Attributes
    ----------
    model : Model
        The forward pass as it is run.
    rewritten : tuple of Definition
        Those of its lines that are run in another form than they were written in.
    """

    def __init__(self, derivation: Derivation, binding: Binding) -> None:
        self.derivation = derivation
        self.model, self.rewritten = stable_form(derivation.model)
        self.binding = binding
        self.learned = binding.roles.learned
        missing = [s.name for s in self.learned if s.name not in derivation.gradients]
        if missing:
            raise DataError(f"the derivation has no gradient with respect to {', '.join(missing)}")
        self._names = {s: Symbol(f"gradient {s.name}", s.shape) for s in self.learned}
        self._forward, self._backward = self._lines()
        self._tapes: dict[tuple[object, ...], Tape] = {}

    def with_data(self, binding: Binding) -> DescentObjective:
        """Return the same objective on other data."""
        return DescentObjective(self.derivation, binding)

    def cost(self, values: Mapping[Symbol, Array], rows: Rows | None = None) -> float:
        """Return the objective on some examples, or on all."""
        cost = 0.0
        with np.errstate(all="ignore"):
            for inputs, sizes in self.binding.runs(rows):
                tape = self._tape(inputs, sizes, rows, (self.model.objective,))
                cost += float(tape.run({**inputs, **values})[self.model.objective][0, 0])
        return cost

    def evaluate(
        self,
        values: Mapping[Symbol, Array],
        rows: Rows | None = None,
        rng: np.random.Generator | None = None,
        *,
        with_cost: bool = True,
    ) -> CostAndGradient:
        """Return the objective and its derived gradient on some examples, or on all.

        Parameters
        ----------
        values : mapping of Symbol to array
            The learned values.
        rows : array of int, optional
            The examples; all by default.
        rng : Generator, optional
            Draws what is drawn at every step; by default its mean stands in.
        with_cost : bool
            Whether the cost is wanted; else it is not computed, and 0.
        """
        objective = self.model.objective
        wanted = (*([objective] if with_cost else []), *self._names.values())
        cost, gradient = 0.0, Values()
        with np.errstate(all="ignore"):
            for inputs, sizes in self.binding.runs(rows, rng):
                if self._backward is None:
                    known = objective_values(self.model, {**inputs, **values}, sizes)
                    found = {objective: known[objective], **self._index_forms(known, sizes)}
                else:
                    tape = self._tape(inputs, sizes, rows, wanted)
                    found = tape.run({**inputs, **values})
                if with_cost:
                    cost += float(found[objective][0, 0])
                for symbol, name in self._names.items():
                    before = gradient.get(symbol)
                    gradient[symbol] = found[name] if before is None else before + found[name]
        return CostAndGradient(cost, gradient)

    def _lines(self) -> tuple[tuple[Definition, ...], tuple[Definition, ...] | None]:
        """Return the forward pass as it is run; and the gradients, if all have a matrix form."""
        gradients = (*self.derivation.layers.values(), *self.derivation.gradients.values())
        if any(gradient.matrix is None for gradient in gradients):
            return self.model.definitions, None
        run = program(self.derivation)
        named = [Definition(self._names[s], run.gradients[s]) for s in self.learned]
        return run.model.definitions, (*run.layers, *named)

    def _tape(
        self,
        inputs: Mapping[Symbol, Array],
        sizes: Mapping[str, int],
        rows: Rows | None,
        wanted: tuple[Symbol, ...],
    ) -> Tape:
        all_rows = rows is None and self.binding.roles.examples is not None
        key = (all_rows, wanted, *sizes.values())
        if key not in self._tapes:
            if len(self._tapes) >= _MOST_TAPES:
                self._tapes.clear()
            same = dict(self.binding.constants)
            if all_rows:
                same |= self.binding.data
            fixed = {s: inputs[s] for s in same}
            lines = (*self._forward, *(self._backward or ()))
            self._tapes[key] = Tape(lines, wanted, self.model.inputs, sizes, fixed)
        return self._tapes[key]

    def _index_forms(self, known: Values, sizes: Mapping[str, int]) -> Values:
        """Return the gradients where some of them have no matrix form."""
        for name, layer in self.derivation.layers.items():
            known[name] = _value(layer, name, known, sizes)
        return {
            name: _value(self.derivation.gradients[symbol.name], symbol, known, sizes)
            for symbol, name in self._names.items()
        }

    def first_non_finite(self, values: Mapping[Symbol, Array], rows: Rows | None = None) -> str:
        """Return which value of the forward pass is not finite first; None if all are finite."""
        with np.errstate(all="ignore"):
            for inputs, sizes in self.binding.runs(rows):
                known = {**inputs, **values}
                for symbol in self.learned:
                    if not np.isfinite(known[symbol]).all():
                        return f"{symbol.name} is not finite"
                for definition in self.model.definitions:
                    point = Evaluator(known, sizes, FLOATS)
                    for node in walk(definition.value):
                        value = point.value(node)
                        if not np.isfinite(value).all():
                            return _complaint(definition.target, node, value, point)
                    known[definition.target] = point.value(definition.value)
        return ""


def _complaint(target: Symbol, node: Expr, value: Array, point: Evaluator) -> str:
    bad = ~np.isfinite(value)
    what = "not a number" if np.isnan(value[bad]).any() else "infinite"
    where = f" in {bad.sum()} of {value.size} places" if value.size > 1 else ""
    sentence = f"in {target.name}, {unicode(node)} is {what}{where}"
    if isinstance(node, Apply) and len(node.args) == 1:
        inner = np.asarray(point.value(node.args[0]))
        if inner.shape == value.shape:
            sentence += f", where {unicode(node.args[0])} is {inner[bad][0]:.4g}"
    return sentence


def _value(
    gradient: Gradient, symbol: Symbol, known: Mapping[Symbol, Array], sizes: Mapping[str, int]
) -> Array:
    point = Evaluator(known, sizes, FLOATS)
    if gradient.matrix is not None:
        return np.asarray(point.value(gradient.matrix), dtype=np.float64)
    for node in walk(gradient.index):
        cells = prod(point.size(index.dim) for index in running(node))
        if cells > LARGEST_INDEX_FORM:
            raise DataError(
                f"the gradient with respect to {symbol.name} has no matrix form "
                f"({gradient.no_matrix_form}), and its index form would lay out {cells:.1e} cells "
                "at once. Take smaller batches, or give the inner sums a line of their own in the "
                "forward pass, such as Z = X w"
            )
    return np.asarray(gathered(point, gradient), dtype=np.float64)
