"""The benchmark of other losses: its objective, its reference, its data in both forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.engine.peers import NAME
from benchmarks.engine.report import page
from benchmarks.losses.__main__ import SUITE
from benchmarks.losses.families import FAMILIES
from benchmarks.losses.peers import OWN, PEERS, LossPeer
from benchmarks.losses.problems import PROBLEMS, Data, LossProblem, load, store
from benchmarks.losses.reference import newton, objective
from scipy import sparse
from sklearn.linear_model import GammaRegressor, PoissonRegressor
from sklearn.metrics import mean_gamma_deviance, mean_poisson_deviance

import chainrule

DEVIANCES = {"poisson": mean_poisson_deviance, "gamma": mean_gamma_deviance}
PEER_CLASSES = {"poisson": PoissonRegressor, "gamma": GammaRegressor}
every_family = pytest.mark.parametrize("loss", FAMILIES)


def draw(loss: str, *, coded: bool = True) -> Data:
    rng = np.random.default_rng(3)
    m, levels = 400, (3, 5) if coded else ()
    X = rng.normal(size=(m, 2))
    codes = np.column_stack(
        [np.zeros((m, 0), dtype=np.int16), *(rng.integers(0, n, m) for n in levels)]
    ).astype(np.int16)
    y = rng.poisson(2.0, m) + (0.5 if loss == "gamma" else 0.0)
    return Data(X, codes, levels, y, rng.uniform(0.5, 2, m))


@every_family
def test_the_objective_is_half_the_deviance_of_scikit_learn(loss: str) -> None:
    data = draw(loss)
    coef = np.random.default_rng(1).normal(size=data.n_coefficients) * 0.3
    mean = np.exp(data.one_hot() @ coef + 0.2)
    deviance = DEVIANCES[loss](data.y, mean, sample_weight=data.weights) * data.weights.sum()
    expected = deviance / 2 + 1.5 / 2 * (coef**2).sum()
    found = objective(data, FAMILIES[loss], coef, 0.2, 1.5)
    assert found == pytest.approx(expected, rel=1e-12)


@every_family
def test_derivatives_are_differences_of_the_value(loss: str) -> None:
    family = FAMILIES[loss]
    z = np.linspace(-3, 3, 25, dtype=np.longdouble)
    y, step = np.full_like(z, 1.7), np.longdouble(1e-6)
    slope = (family.value(z + step, y) - family.value(z - step, y)) / (2 * step)
    bend = (family.first(z + step, y) - family.first(z - step, y)) / (2 * step)
    np.testing.assert_allclose(family.first(z, y), slope, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(family.second(z, y), bend, rtol=1e-8, atol=1e-9)


@every_family
@pytest.mark.parametrize(("coded", "lam"), [(False, 0.0), (False, 2.0), (True, 2.0)])
def test_the_reference_is_the_optimum_of_scikit_learn(loss: str, coded: bool, lam: float) -> None:
    data = draw(loss, coded=coded)
    peer = PEER_CLASSES[loss](
        alpha=lam / data.weights.sum(), solver="newton-cholesky", tol=1e-12, max_iter=500
    ).fit(data.one_hot(), data.y, data.weights)
    coef, intercept, share = newton(data, FAMILIES[loss], lam)
    assert share <= 1e-15
    ours = objective(data, FAMILIES[loss], coef, intercept, lam)
    theirs = objective(data, FAMILIES[loss], peer.coef_, peer.intercept_, lam)
    assert ours == pytest.approx(theirs, rel=1e-14)
    np.testing.assert_allclose(coef, peer.coef_, rtol=1e-6, atol=1e-8)


def test_all_forms_of_the_data_are_the_same_matrix() -> None:
    pandas = pytest.importorskip("pandas")
    data = draw("poisson")
    one_hot = data.one_hot()
    assert sparse.issparse(one_hot)
    dense = one_hot.toarray()
    blocks = np.vstack([block for _, block in data.blocks()])
    np.testing.assert_array_equal(blocks[:, :-1], dense)
    np.testing.assert_array_equal(pandas.get_dummies(data.frame()).to_numpy(float), dense)
    coef = np.arange(data.n_coefficients, dtype=float)
    np.testing.assert_allclose(data.scores(coef, 0.5), dense @ coef + 0.5, rtol=1e-13)


def test_a_data_set_comes_back_as_it_was_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.engine.problems.STORE", tmp_path / "data")
    data = draw("gamma")
    problem = LossProblem("a name, with signs", lambda _: data, task="gamma, coded")
    store(problem, 1)
    found = load(problem, 1)
    assert found.levels == data.levels
    for field in ("X", "codes", "y", "weights"):
        np.testing.assert_array_equal(getattr(found, field), getattr(data, field))


@pytest.mark.parametrize("name", [name for name in PROBLEMS if "flights" not in name])
def test_a_problem_is_of_its_kind(name: str) -> None:
    problem = PROBLEMS[name]
    data = problem.build(2000)
    assert bool(data.levels) is problem.task.endswith(", coded")
    assert data.y.min() > 0 if problem.loss == "gamma" else data.y.min() >= 0
    assert data.weights.min() > 0
    again = problem.build(2000)
    np.testing.assert_array_equal(again.y, data.y)


def test_the_page_compares_a_formula_with_the_shipped_loss() -> None:
    fit: dict[str, Any] = {
        "job": "fit",
        "set": "poisson 1M x 100",
        "scale": 1,
        "lambda": 1.0,
        "tolerance": 1e-10,
        "round": 0,
        "memory": 1.0,
        "version": "1",
        "objective": 2.0,
        "passes": 5.0,
        "solver": "newton-sampled",
        "proven": 3e-12,
    }
    seconds = {"chainrule": 2.0, OWN: 2.2, "glum irls-ls": 9.0}
    records = [fit | {"peer": peer, "seconds": t} for peer, t in seconds.items()]
    records.append({"job": "first use", "scale": 1, "peer": "chainrule", "seconds": 1.5})
    text = page(SUITE, records, 1)
    assert "2.00 s | 2.20 s | 1.10 |" in text
    assert "## Numeric columns: time to 1e-10" in text
    assert "glum irls-ls 9.00 s (4.5x)" in text
    assert "3e-12" in text
    assert "compilation: 1.50 s" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", [NAME, OWN, "sklearn lbfgs", "sklearn newton-cholesky"])
@every_family
@pytest.mark.parametrize(("coded", "lam"), [(False, 0.0), (True, 2.0)])
def test_a_peer_minimises_the_objective(name: str, loss: str, coded: bool, lam: float) -> None:
    if name in (NAME, OWN) and not {"LinearModel", "PoissonRegressor"} <= set(chainrule.__all__):
        pytest.skip("chainrule does not have LinearModel and PoissonRegressor yet")
    data, peer, family = draw(loss, coded=coded), PEERS[name], FAMILIES[loss]
    X = data.frame() if isinstance(peer, LossPeer) and peer.form == "frame" else data.one_hot()
    coef, intercept, _ = peer.prepare()(X, data, loss, lam, 1e-10)
    best = objective(data, family, *newton(data, family, lam)[:2], lam)
    assert objective(data, family, coef, float(intercept[0]), lam) == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_takes_a_problem(name: str) -> None:
    tasks = {problem.task for problem in PROBLEMS.values()}
    assert set(PEERS[name].tasks) <= tasks
    assert any(PEERS[name].takes(task, 0.0) for task in tasks)
