"""The objective and its derived gradient as numbers, at given values and examples.

The gradient is the derived formula, layer gradients first, evaluated as it
stands. There is no second formula, and nothing is differentiated here. Only the forward pass is run
in its stable form, so that a cost stays a number where the plain one is the logarithm of zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from chainrule.calculus.derivation.steps import Derivation, Gradient
from chainrule.calculus.evaluation.forward import forward
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Expr, Symbol, running, walk
from chainrule.calculus.proof.gradients import gathered
from chainrule.calculus.rewriting.stable_form import stable_form
from chainrule.errors import DataError
from chainrule.language.typeset import unicode
from chainrule.lecture import Array, Binding, Rows

Values = dict[Symbol, Array]

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

    def cost(self, values: Mapping[Symbol, Array], rows: Rows | None = None) -> float:
        """Return the objective on some examples, or on all."""
        with np.errstate(all="ignore"):
            return sum(
                self._cost(objective_values(self.model, {**inputs, **values}, sizes))
                for inputs, sizes in self.binding.runs(rows)
            )

    def evaluate(self, values: Mapping[Symbol, Array], rows: Rows | None = None) -> CostAndGradient:
        """Return the objective and its derived gradient on some examples, or on all."""
        cost = 0.0
        gradient: Values = {s: np.zeros(self.binding.shape(s)) for s in self.learned}
        with np.errstate(all="ignore"):
            for inputs, sizes in self.binding.runs(rows):
                known = objective_values(self.model, {**inputs, **values}, sizes)
                cost += self._cost(known)
                for name, layer in self.derivation.layers.items():
                    known[name] = _value(layer, name, known, sizes)
                for symbol in self.learned:
                    found = self.derivation.gradients[symbol.name]
                    gradient[symbol] = gradient[symbol] + _value(found, symbol, known, sizes)
        return CostAndGradient(cost, gradient)

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

    def _cost(self, known: Mapping[Symbol, Array]) -> float:
        return float(known[self.model.objective][0, 0])


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
