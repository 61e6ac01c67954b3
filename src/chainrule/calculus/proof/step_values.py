"""The value of every line of a derivation at one point of real data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.calculus.derivation.steps import Derivation, Phase, Step
from chainrule.calculus.evaluation.forward import assignments, forward, sample
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import SCALAR, Dim, Index
from chainrule.calculus.graph.node import Entry, Expr, Partial, Positions, Symbol, Total, running
from chainrule.calculus.proof.answer_table import AnswerTable
from chainrule.calculus.proof.gradients import with_layers


@dataclass(frozen=True)
class StepValues:
    """The values of one line.

    Parameters
    ----------
    value : float
        The value of the right side, at the chosen place of its free indices; not a number where
        the plain formula divides rounded zeros.
    term : float or None
        For a sum over examples, what the chosen example adds to it.
    dims : frozenset of Dim
        The dimensions along which a place had to be chosen.
    """

    value: float
    term: float | None = None
    dims: frozenset[Dim] = frozenset()


def step_values(
    derivation: Derivation,
    inputs: Mapping[str, Any],
    sizes: Mapping[str, int],
    chosen: Mapping[str, int],
) -> dict[int, StepValues]:
    """Evaluate every step of a derivation at one point.

    Parameters
    ----------
    derivation : Derivation
        With its layers and answers.
    inputs : mapping of str to array
        The inputs of the model, in the lecture's shapes.
    sizes : mapping of str to int
        The sizes of the dimensions.
    chosen : mapping of str to int
        For each dimension the place to look at, from 0: which example, which feature.

    Returns
    -------
    dict of int to StepValues
        By the id of the step.
    """
    # The plain formula may leave the finite numbers on real data; its values say so.
    with np.errstate(all="ignore"):
        point = evaluator_at(derivation, inputs, sizes)
        # The slope of a function, and a line for every round, hold at no single place.
        return {
            step.id: _numbers(point, derivation, step, chosen)
            for step in derivation.steps
            if step.phase not in (Phase.FUNCTION, Phase.RECURSION)
        }


def evaluator_at(
    derivation: Derivation, inputs: Mapping[str, Any], sizes: Mapping[str, int]
) -> Evaluator:
    """Return an evaluator of anything that stands on a line of a derivation.

    Parameters
    ----------
    derivation : Derivation
        With its layers and answers.
    inputs : mapping of str to array
        The inputs of the model, in the lecture's shapes.
    sizes : mapping of str to int
        The sizes of the dimensions.
    """
    model = derivation.model
    given = {model.symbol(name): np.asarray(x, float) for name, x in inputs.items()}
    meaning = AnswerTable(derivation)
    values = forward(model, given, sizes)
    known = with_layers(derivation, values, sizes, meaning=meaning)
    return Evaluator(known, sizes, FLOATS, meaning)


def sampled_values(
    derivation: Derivation, seed: int = 0
) -> tuple[dict[int, StepValues], Mapping[str, int]]:
    """Evaluate every step at a random point, where there are no data.

    Returns
    -------
    numbers : dict of int to StepValues
        By the id of the step, at the first place along every dimension.
    sizes : mapping of str to int
        The sizes of the dimensions.
    """
    sizes = {**assignments(derivation.model, 1)[0], **derivation.model.lengths}
    values = sample(derivation.model, sizes, np.random.default_rng(seed))
    inputs = {s.name: np.round(values[s], 2) for s in derivation.model.inputs}
    return step_values(derivation, inputs, sizes, dict.fromkeys(sizes, 0)), sizes


def _numbers(
    point: Evaluator, derivation: Derivation, step: Step, chosen: Mapping[str, int]
) -> StepValues:
    after = step.after
    if after.shape != SCALAR:
        places = place_of(derivation, step)
        value = point.spread(point.value(after), *places)
        dims = frozenset(place.dim for place in places if isinstance(place, Index))
        return StepValues(picked(point, value, chosen), dims=dims)
    term = None
    if isinstance(after, Total) and after.index.dim in chosen:
        term = picked(point, point.value(after.body), chosen)
    dims = frozenset(index.dim for index in running(after))
    return StepValues(picked(point, point.value(after), chosen), term, dims)


def place_of(derivation: Derivation, step: Step) -> Positions:
    """Return the entry of a line that is looked at: that of its left side."""
    side: Expr = step.left.wrt if isinstance(step.left, Partial) else step.left
    if isinstance(side, Entry):
        return side.places
    if isinstance(side, Symbol) and side in derivation.places:
        return derivation.places[side]
    return tuple(
        None if dim == 1 else Index(f"axis {axis}", dim) for axis, dim in enumerate(side.shape)
    )


def picked(point: Evaluator, value: Any, chosen: Mapping[str, int]) -> float:  # noqa: ANN401
    """Return the entry of a value at the chosen place along every running axis."""
    where = [0] * value.ndim
    for index, axis in point.axes.items():
        if axis < value.ndim and value.shape[-1 - axis] > 1:
            where[value.ndim - 1 - axis] = chosen.get(str(index.dim), 0)
    return float(value[tuple(where)])
