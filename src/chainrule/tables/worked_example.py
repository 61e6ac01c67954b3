"""A worked example from a fit: one training example through every line of the derivation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.proof.step_values import StepValues, step_values
from chainrule.deriving import derive
from chainrule.language.reading import load_model
from chainrule.lecture import assign_roles, bind
from chainrule.tables.encoding import Matrix
from chainrule.tables.fitting import FittedTable
from chainrule.tables.model import TableModel
from chainrule.tables.specs import Feature


@dataclass(frozen=True)
class Contribution:
    """One example's term in the gradient of one weight.

    Parameters
    ----------
    feature : str
        The feature of the weight.
    x : float
        The example's value, standardised.
    term : float
        What the example adds: the slope of its loss times `x`.
    total : float
        The sum over all examples.
    """

    feature: str
    x: float
    term: float
    total: float


@dataclass(frozen=True)
class WorkedExample:
    """A derivation with the values of one training example.

    Parameters
    ----------
    derivation : Derivation
        The derivation of the trained loss, with every step verified.
    numbers : mapping of int to StepValues
        By the id of the step.
    row : int
        The example's row in the table, from 1.
    feature, label : str
        The feature that is followed, and the class whose score is.
    actual : str
        The example's label.
    score, proba, target, residual : float
        z, a, y and a - y of the example, for the class that is followed.
    contributions : tuple of Contribution
        For every weight, the largest term first.
    penalty : float
        The weight of ``|w|^2 / 2``, which the derivation leaves out.
    """

    derivation: Derivation
    numbers: Mapping[int, StepValues]
    row: int
    feature: str
    label: str
    actual: str
    score: float
    proba: float
    target: float
    residual: float
    contributions: tuple[Contribution, ...]
    penalty: float


def lecture_of(model: TableModel) -> str:
    """Return the name of the shipped forward pass that a model of classes was trained by."""
    return "logistic_batch" if model.is_binary else "softmax_batch"


def work_example(fitted: FittedTable) -> WorkedExample:
    """Return the derivation with the values of the example with the largest gradient.

    Parameters
    ----------
    fitted : FittedTable
        With its training rows.
    """
    model = fitted.model
    classes = len(model.classes)
    binary = classes == 2
    labels = fitted.y.astype(float) if binary else np.eye(classes)[fitted.y]
    weights = {"w" if binary else "W": model.coef, "b": model.intercept.reshape(-1, 1)}
    read = load_model(lecture_of(model))
    derivation = derive(read)
    proba = model.proba_of(fitted.X)
    target = np.eye(classes)[fitted.y]
    residuals = proba - target
    followed = 1 if binary else int(np.unravel_index(np.argmax(np.abs(residuals)), proba.shape)[1])
    pull = residuals[:, followed]
    example = int(np.argmax(np.abs(pull)))
    terms = pull[example] * dense(fitted.X[[example]])[0]
    feature = int(np.argmax(np.abs(terms)))
    # Of a sparse matrix or rows in a file, the example alone: all rows might not fit into memory.
    alone = not isinstance(fitted.X, np.ndarray)
    shown = [example] if alone else slice(None)
    data = {"X": dense(fitted.X[shown]), "Y": labels[shown]}
    (inputs, sizes), *_ = bind(assign_roles(read, ("X", "Y")), data).runs()
    numbers = step_values(
        derivation,
        {**{s.name: x for s, x in inputs.items()}, **weights},
        sizes,
        {"n": feature, "m": 0 if alone else example, "k": followed},
    )
    scores = (fitted.X[[example]] @ model.coef.T + model.intercept)[0]
    return WorkedExample(
        derivation=derivation,
        numbers=numbers,
        row=int(fitted.rows[example]),
        feature=model.features[feature].name,
        label=model.classes[followed],
        actual=model.classes[fitted.y[example]],
        score=float(scores[0 if binary else followed]),
        proba=float(proba[example, followed]),
        target=float(target[example, followed]),
        residual=float(pull[example]),
        contributions=contributions(model.features, fitted.X, pull, example),
        penalty=0.0 if np.isinf(model.training.C) else 1.0 / model.training.C,
    )


def dense(X: Matrix) -> NDArray[np.float64]:
    """Return a matrix as an array."""
    return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)


def contributions(
    features: Sequence[Feature],
    X: Matrix,
    slopes: NDArray[np.float64],
    example: int,
) -> tuple[Contribution, ...]:
    """List the terms of one example; the totals are the derived gradient, slopes times X^T.

    Parameters
    ----------
    features : sequence of Feature
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    slopes : ndarray of shape (n_samples,)
        The derivative of each loss with respect to its score.
    example : int
    """
    totals = slopes @ X
    rows = [
        Contribution(f.name, float(x), float(slopes[example] * x), float(total))
        for f, x, total in zip(features, dense(X[[example]])[0], totals, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: -abs(row.term)))
