"""The derivation of the loss of a regression, with the numbers of one training example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.model import Model
from chainrule.calculus.proof.step_values import StepValues, step_values
from chainrule.deriving import derive
from chainrule.emission.formula import is_forward_pass
from chainrule.language.reading import read_model
from chainrule.lecture import assign_roles, bind
from chainrule.tables.chosen_loss import ChosenLoss
from chainrule.tables.fitting_regression import FittedRegression
from chainrule.tables.worked_example import Contribution, contributions, dense

_DATA = ("X", "Y")
_WEIGHTS = ("w", "b")


@dataclass(frozen=True)
class WorkedRegression:
    """A derivation with the numbers of one training example.

    Parameters
    ----------
    derivation : Derivation
        Of the loss that was trained.
    numbers : mapping of int to StepValues
        By the id of the step; empty where the forward pass has other inputs than the fit.
    row : int
        The example's row in the table, from 1.
    feature : str
        The feature that is followed.
    score, mean, target, slope : float
        z, the predicted mean, y and dl/dz of the example.
    contributions : tuple of Contribution
        For every weight, the largest term first.
    penalty : float
        The weight of ``|w|^2 / 2``, which the derivation leaves out.
    """

    derivation: Derivation
    row: int
    feature: str
    score: float
    mean: float
    target: float
    slope: float
    contributions: tuple[Contribution, ...]
    penalty: float
    numbers: Mapping[int, StepValues] = field(default_factory=dict)


def loss_lecture(loss: ChosenLoss) -> Derivation:
    """Derive the gradients of a loss with respect to the weights, as in a lecture."""
    model = read_model(forward_pass(loss))
    return derive(model, weights_of(model) or None)


def weights_of(model: Model) -> list[str]:
    """Return the names of the weights in the forward pass of a loss."""
    inputs = {symbol.name for symbol in model.inputs}
    return [name for name in _WEIGHTS if name in inputs]


def forward_pass(loss: ChosenLoss) -> str:
    """Return the forward pass of a loss; around a formula, that of one example.

    Examples
    --------
    >>> from chainrule.tables.losses import choose_loss
    >>> print(forward_pass(choose_loss("exp(z) - y z")))
    x : (n, 1)
    y : (1, 1)
    w : (1, n)
    b : (1, 1)
    <BLANKLINE>
    z = w x + b
    L = exp(z) - y z
    """
    if is_forward_pass(loss.text):
        return loss.text
    formula = " ".join(loss.text.split())
    constants = "".join(f"{name} : (1, 1)\n" for name in loss.constants)
    head = "x : (n, 1)\ny : (1, 1)\nw : (1, n)\nb : (1, 1)\n"
    return f"{head}{constants}\nz = w x + b\nL = {formula}"


def work_regression(fitted: FittedRegression) -> WorkedRegression:
    """Follow the example with the largest gradient through the derivation.

    Parameters
    ----------
    fitted : FittedRegression
        With its training rows.
    """
    model = fitted.model
    scores = model.score_of(fitted.X, fitted.offset)
    slopes = model.loss.row.kernels.terms(scores, fitted.y)[1]
    example = int(np.argmax(np.abs(slopes)))
    terms = slopes[example] * dense(fitted.X[[example]])[0]
    feature = int(np.argmax(np.abs(terms)))
    derivation = loss_lecture(model.loss)
    return WorkedRegression(
        derivation=derivation,
        row=int(fitted.rows[example]),
        feature=model.features[feature].name,
        score=float(scores[example]),
        mean=float(model.mean_of(scores[example : example + 1])[0]),
        target=float(fitted.y[example]),
        slope=float(slopes[example]),
        contributions=contributions(model.features, fitted.X, slopes, example),
        penalty=0.0 if np.isinf(model.training.C) else 1.0 / model.training.C,
        numbers=_numbers(fitted, derivation, {"n": feature, "m": example}),
    )


def _numbers(
    fitted: FittedRegression, derivation: Derivation, chosen: Mapping[str, int]
) -> Mapping[int, StepValues]:
    """Evaluate every step, where the inputs of the forward pass are those of the fit."""
    read = derivation.model
    constants = dict(fitted.model.loss.constants)
    if (
        fitted.offset.any()
        or not isinstance(fitted.X, np.ndarray)
        or not _has_inputs_of_fit(read, constants)
    ):
        return {}
    layout = assign_roles(read, _DATA, constants=tuple(constants), wrt=_WEIGHTS)
    data = {"X": fitted.X, "Y": fitted.y}
    (inputs, sizes), *_ = bind(layout, data, constants=constants).runs()
    weights = {"w": fitted.model.coef, "b": fitted.model.intercept.reshape(1, 1)}
    values = {**{s.name: x for s, x in inputs.items()}, **weights}
    return step_values(derivation, values, sizes, chosen)


def _has_inputs_of_fit(model: Model, constants: Mapping[str, float]) -> bool:
    return {symbol.name for symbol in model.inputs} == {*_DATA, *_WEIGHTS, *constants}
