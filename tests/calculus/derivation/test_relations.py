"""Side relations: one-hot labels and probabilities add to one, only where that is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import Derivation, derive, plain
from chainrule.calculus.derivation.steps import VerificationMethod
from chainrule.calculus.evaluation.forward import forward, sample
from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.proof.checking import check_model
from chainrule.language.reading import read_model

REGRESSION = (
    "X : (n, m)\nY : (k, m)\nW : (k, n)\nb : (k, 1)\nZ = W X + b\nP = softmax(Z, axis=0)\n"
    "J = -sum(Y .* log(P))\n"
)


def matrices(derivation: Derivation) -> dict[str, str]:
    found = {}
    for name, gradient in derivation.gradients.items():
        assert gradient.matrix is not None
        found[name] = plain(gradient.matrix)
    return found


def test_softmax_regression_with_one_hot_labels() -> None:
    derivation = derive(REGRESSION + "onehot: Y")
    assert matrices(derivation) == {"W": "(P - Y) X^T", "b": "(P - Y) 1"}
    rules = [step.rule for step in derivation]
    wanted = ["softmax rule", "δ picks one term", "one-hot labels add to one", "positive first"]
    places = [rules.index(rule) for rule in wanted]
    assert places == sorted(places)
    step = next(s for s in derivation if s.rule == "one-hot labels add to one")
    assert step.check is not None
    assert step.check.method is VerificationMethod.EXACT
    assert "declares" in step.why


def test_without_the_declaration_it_stays_honest() -> None:
    derivation = derive(REGRESSION)
    assert matrices(derivation) == {
        "W": "(P .* sum(Y, axis=0) - Y) X^T",
        "b": "(P .* sum(Y, axis=0) - Y) 1",
    }
    assert "one-hot labels add to one" not in [step.rule for step in derivation]


@pytest.mark.parametrize(
    "ending",
    [
        "J = -sum(Y .* log(softmax(Z, axis=0)))",
        "J = -sum(Y .* log_softmax(Z, axis=0))",
        "J = cross_entropy(Y, softmax(Z, axis=0))",
        "J = sum(logsumexp(Z, axis=0)) - sum(Y .* Z)",
        "P = softmax(Z, axis=0)\nL = -Y .* log(P)\nJ = sum(L)",
    ],
)
def test_every_way_of_writing_it_has_the_same_slope(ending: str) -> None:
    text = "Z : (k, m)\nY : (k, m)\n" + ending + "\nonehot: Y\nwrt: Z"
    assert matrices(derive(text))["Z"] in {
        "P - Y",
        "S - Y",
        "softmax(Z, axis=0) - Y",
    }


def test_labels_in_rows() -> None:
    text = (
        "X : (m, n)\nY : (m, k)\nW : (n, k)\nb : (1, k)\nZ = X W + b\nP = softmax(Z, axis=1)\n"
        "J = -sum(Y .* log(P))\nonehot: Y^T"
    )
    assert matrices(derive(text)) == {"W": "X^T (P - Y)", "b": "1^T (P - Y)"}


def test_points_keep_the_relation() -> None:
    model = read_model(REGRESSION + "onehot: Y")
    sizes = {"n": 2, "m": 3, "k": 5}
    values = sample(model, sizes, np.random.default_rng(1))
    np.testing.assert_allclose(values[Symbol("Y", ("k", "m"))].sum(axis=0), 1)


def test_a_false_declaration_is_not_believed_elsewhere() -> None:
    """The relation is about labels; what it gives is wrong where they do not keep it."""
    model = read_model(REGRESSION + "onehot: Y")
    report = check_model(model)
    assert report.passed
    sizes = {"n": 2, "m": 3, "k": 5}
    values: dict[Symbol, Any] = sample(model, sizes, np.random.default_rng(1))
    values = {s: values[s] for s in model.inputs}
    Y = Symbol("Y", ("k", "m"))
    doubled = forward(model, {**values, Y: 2 * values[Y]}, sizes)
    P = doubled[Symbol("P", ("k", "m"))]
    wrong = P - doubled[Y]
    right = P * doubled[Y].sum(axis=0) - doubled[Y]
    assert np.abs(wrong - right).max() > 0.01


def test_attention_comes_out_as_matrix_products() -> None:
    derivation = derive(
        "Q : (n, d)\nK : (m, d)\nV : (m, h)\nT : (n, h)\nO = softmax(Q K^T/sqrt(d), axis=1) V\n"
        "J = norm(O - T)^2/2\nwrt: Q, K, V"
    )
    assert matrices(derivation) == {
        "Q": "dZ K/sqrt(d)",
        "K": "dZ^T Q/sqrt(d)",
        "V": "S^T dO",
    }
    layers = {s.name: plain(g.matrix) for s, g in derivation.layers.items() if g.matrix}
    assert layers == {
        "dO": "O - T",
        "dS": "dO V^T",
        "dZ": "S .* (dS - sum(dS .* S, axis=1))",
    }
