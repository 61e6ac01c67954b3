"""From the formula on the board to the one that runs: equal values, and no overflow."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import norm
from tests.derivations import derived

from chainrule.calculus.evaluation.forward import sample
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import Index, is_tensor
from chainrule.calculus.graph.node import Expr, Number, Symbol, entry, symbols
from chainrule.calculus.ops import exp, log, mul, reduce_mean, reduce_sum, softmax
from chainrule.calculus.proof.gradients import with_layers
from chainrule.calculus.rewriting.stabilisation import SCORES, stabilise
from chainrule.calculus.rewriting.stable_form import stable_form
from chainrule.calculus.rewriting.tidying import tidy
from chainrule.calculus.rewriting.transposition import stored, turned_symbol
from chainrule.errors import DerivationError
from chainrule.language.reading import example_names, load_model, read_model
from chainrule.language.typeset import plain

SIZES = {"n": 3, "m": 4, "k": 2, "h": 4, "r": 2, "d": 6, "t": 7, "v": 9}
Z, Y, D = Symbol("Z", ("k", "m")), Symbol("Y", ("k", "m")), Symbol("D", ("n", "m"))


def value(expr: Expr, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    point = Evaluator({}, SIZES)
    values = {
        s: scale * rng.normal(size=point.shape(s.shape))
        for s in sorted(symbols(expr), key=lambda s: s.name)
    }
    return np.asarray(Evaluator(values, SIZES, FLOATS).value(expr))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (log(reduce_sum(exp(Z), 0)), "logsumexp(Z, axis=0)"),
        (log(reduce_sum(exp(Z))), "logsumexp(Z)"),
        (exp(Z) / reduce_sum(exp(Z), 1), "softmax(Z, axis=1)"),
        (-(2 * Y * exp(Z)) / (3 * reduce_sum(exp(Z), 0)), "-(2 Y .* softmax(Z, axis=0))/3"),
        (Y * exp(Z) / (reduce_sum(exp(Z), 0) * (1 + Y)), "(Y .* softmax(Z, axis=0))/(1 + Y)"),
        (log(exp(Z) / reduce_sum(exp(Z), 0)), "Z - logsumexp(Z, axis=0)"),
        (log(softmax(Z, 1)), "Z - logsumexp(Z, axis=1)"),
        (exp(Z) / reduce_sum(exp(Y), 0), "exp(Z)/sum(exp(Y), axis=0)"),
    ],
)  # fmt: skip
def test_scores(before: Expr, after: str) -> None:
    stable, _ = stabilise(before, SCORES)
    assert plain(stable) == after
    assert stable.shape == before.shape
    np.testing.assert_allclose(value(stable), value(before), rtol=1e-12)


def test_a_probit_cost_is_finite_where_its_probabilities_round_to_zero() -> None:
    model, changed = stable_form(
        read_model("Z : (1, m)\nY : (1, m)\nA = Phi(Z)\nJ = -sum(Y .* log(A) + (1-Y) .* log(1-A))")
    )
    assert [definition.target.name for definition in changed] == ["J"]
    shown = plain(model.definitions[-1].value)
    assert "log_normal_cdf(Z)" in shown
    assert "log_normal_cdf(-Z)" in shown
    scores = np.array([[-60.0, 60.0, -1.0, 2.0]])
    labels = np.array([[1.0, 0.0, 1.0, 0.0]])
    inputs = dict(zip(model.inputs, (scores, labels), strict=True))
    found = Evaluator(inputs, {"m": 4}, FLOATS).value(model.definitions[-1].value)
    wanted = -norm.logcdf(np.where(labels == 1, scores, -scores)).sum()
    np.testing.assert_allclose(found, [[wanted]], rtol=1e-13)


@pytest.mark.parametrize("scale", [1e4, 1e300])
def test_scores_that_overflow_do_not(scale: float) -> None:
    cost, share = log(reduce_sum(exp(Z), 0)), exp(Z) / reduce_sum(exp(Z), 0)
    for before in (cost, share):
        with np.errstate(all="ignore"):
            assert not np.isfinite(value(before, scale=scale)).all()
        assert np.isfinite(value(stabilise(before, SCORES)[0], scale=scale)).all()


def test_a_value_that_is_given_is_not_looked_through() -> None:
    model = load_model("logistic_batch")
    A = model.symbol("A")
    assert plain(stable_form(model)[0].values[model.objective]).count("softplus") == 2
    assert stable_form(model, [A])[1] == ()


def test_a_named_softmax_is_looked_through() -> None:
    model, changed = stable_form(
        read_model("Z : (k, m)\nP = exp(Z)/sum(exp(Z), axis=0)\nJ = -sum(log(P))")
    )
    assert [d.target.name for d in changed] == ["P", "J"]
    assert plain(model.values[model.objective]) == "-sum(Z - logsumexp(Z, axis=0))"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (D @ Number(1, ("m", 1)), "sum(D, axis=1)"),
        (Number(1, (1, "n")) @ D, "sum(D, axis=0)"),
        (2 * (D @ Number(3, ("m", 4))), "2(3 sum(D, axis=1))"),
        (-reduce_sum(-Z - Y), "sum(Z + Y)"),
        (-(reduce_mean(-Z - Y) / 3), "mean(Z + Y)/3"),
        (-(-Z - Y), "Z + Y"),
        (-reduce_sum(Z - Y), "-sum(Z - Y)"),
    ],
)
def test_tidying(before: Expr, after: str) -> None:
    found = tidy(before)
    assert found.shape == before.shape
    np.testing.assert_allclose(value(found), value(before), rtol=1e-12)
    assert plain(found) == after


OVER_MATRICES = [
    name
    for name in example_names()
    if not any(is_tensor(symbol.shape) for symbol in load_model(name).symbols)
]
"""The examples whose matrices can be stored transposed; tensors are stored as declared."""


@pytest.mark.parametrize("name", OVER_MATRICES)
def test_turning_any_matrices_keeps_every_value(name: str) -> None:
    derivation = derived(load_model(name))
    model = derivation.model
    values = [d.value for d in model.definitions]
    values += [g.matrix for g in derivation.gradients.values() if g.matrix is not None]
    point = with_layers(derivation, sample(model, SIZES, np.random.default_rng(2)), SIZES)
    names = [s for s in point if s.shape != (1, 1)]
    for expr in values:
        present = [s for s in names if s in symbols(expr)]
        wanted = np.asarray(Evaluator(point, SIZES, FLOATS).value(expr))
        for chosen in product([False, True], repeat=min(len(present), 5)):
            transposed = {
                s: turned_symbol(s)
                for s, is_turned in zip(present, chosen, strict=False)
                if is_turned
            }
            arrays = {transposed.get(s, s): v.T if s in transposed else v for s, v in point.items()}
            for whole in (False, True):
                found = stored(expr, transposed, whole)
                got = np.asarray(Evaluator(arrays, SIZES, FLOATS).value(found))
                np.testing.assert_allclose(got.T if whole else got, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("expr", "whole", "after"),
    [
        (Y @ D.T, False, "Y^T D"),
        (Y @ D.T, True, "D^T Y"),
        (reduce_sum(Y, 0), True, "sum(Y, axis=1)"),
        (reduce_sum(Y * Y), False, "sum(Y .* Y)"),
        (softmax(Y, 0), True, "softmax(Y, axis=1)"),
        (mul(Y, Y) @ D.T, True, "D^T (Y .* Y)"),
    ],
)
def test_transposes_move_to_where_they_are_fewest(expr: Expr, whole: bool, after: str) -> None:
    transposed = {s: turned_symbol(s) for s in (Y, D)}
    assert plain(stored(expr, transposed, whole)) == after


def test_an_index_form_is_not_turned() -> None:
    with pytest.raises(DerivationError, match="index form"):
        stored(entry(Y, Index("c", "k"), Index("i", "m")), {}, False)
