"""Adaptive weights, groups of levels and refits of a table, against conditions for an optimum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from chainrule.errors import ModelFileError
from chainrule.tables.fitting import FittedTable, fit_table
from chainrule.tables.formula import with_formula
from chainrule.tables.options import FitOptions
from chainrule.tables.predicting import load_model
from chainrule.tables.reading import read_table
from chainrule.tables.table import Table
from chainrule.tables.validation.options import ValidationOptions

C = 0.2


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Table:
    rng = np.random.default_rng(4)
    kind = np.array(list("abcd"))[rng.integers(0, 4, 200)]
    X = rng.normal(size=(200, 3))
    z = X[:, 0] - 0.8 * X[:, 1] + 1.5 * (kind == "b") + rng.logistic(size=200)
    lines = ["p,q,r,kind,y"]
    lines += [
        f"{','.join(map(repr, x.tolist()))},{k},{'yes' if s > 0 else 'no'}"
        for x, k, s in zip(X, kind, z, strict=True)
    ]
    path = tmp_path_factory.mktemp("made") / "t.csv"
    path.write_text("\n".join(lines))
    return read_table(path)


def fit(made: Table, **options: Any) -> FittedTable:
    return fit_table(made, FitOptions("y", **{"holdout": 0.0, "C": C, "l1_ratio": 1.0} | options))


def slopes(fitted: FittedTable) -> np.ndarray:
    """Return the derivatives of the sum of the losses in the coefficients."""
    X, model = np.asarray(fitted.X), fitted.model
    raw = X @ model.coef[0] + model.intercept[0]
    return np.asarray(X.T @ (1 / (1 + np.exp(-raw)) - fitted.y))


def test_adaptive_weights_are_those_of_a_pilot(made: Table) -> None:
    fitted = fit(made, adaptive=True)
    X, coef, slope = np.asarray(fitted.X), fitted.model.coef[0], slopes(fitted)
    pilot = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(X, fitted.y).coef_[0]
    limits = 1 / (C * abs(pilot))
    taken = coef != 0
    assert 0 < taken.sum() < len(coef)
    np.testing.assert_allclose(slope[taken], -np.sign(coef[taken]) * limits[taken], rtol=1e-4)
    assert (abs(slope[~taken]) <= limits[~taken]).all()


@pytest.mark.parametrize("strength", [0.05, 0.2, 1.0])
def test_levels_are_a_group(made: Table, strength: float) -> None:
    fitted = fit(made, groups="levels", C=strength)
    names = [feature.column for feature in fitted.model.features]
    assert names.count("kind") == 3
    for column in dict.fromkeys(names):
        own = np.array([name == column for name in names])
        coef, slope = fitted.model.coef[0, own], slopes(fitted)[own]
        limit = np.sqrt(own.sum()) / strength
        if coef.any():
            expected = -limit * coef / np.linalg.norm(coef)
            np.testing.assert_allclose(slope, expected, rtol=1e-3, atol=1e-4)
        else:
            assert np.linalg.norm(slope) <= limit


def test_all_features_of_a_term_are_a_group(made: Table) -> None:
    choices = FitOptions("y", holdout=0.0, C=0.1, l1_ratio=1.0, groups="levels")
    fitted = fit_table(made, with_formula(choices, "y ~ bs(p, df=4) + q:kind"))
    coef = {
        f.name: value for f, value in zip(fitted.model.features, fitted.model.coef[0], strict=True)
    }
    for part, n_columns in (("bs(p", 4), ("q:kind", 4)):
        own = np.array([value for name, value in coef.items() if name.startswith(part)])
        assert len(own) == n_columns
        assert own.all() or not own.any()


def test_a_relaxed_fit_is_a_refit_of_the_chosen_features(made: Table) -> None:
    penalised, relaxed = fit(made), fit(made, relax=True)
    chosen = penalised.model.coef[0] != 0
    assert 0 < chosen.sum() < len(chosen)
    X = np.asarray(penalised.X)[:, chosen]
    alone = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(X, penalised.y)
    np.testing.assert_allclose(relaxed.model.coef[0, chosen], alone.coef_[0], rtol=1e-4)
    assert not relaxed.model.coef[0, ~chosen].any()
    np.testing.assert_allclose(relaxed.model.intercept, alone.intercept_, rtol=1e-3, atol=1e-5)
    assert relaxed.model.training.gamma == 0
    assert "Refit without penalty: Proven" in relaxed.model.certificate.sentence


def test_folds_choose_the_mixture(made: Table) -> None:
    validation = ValidationOptions(folds=3, grid=(0.1, 1.0))
    fitted = fit(made, relax=True, validation=validation)
    curve = fitted.penalty_curve
    assert curve is not None
    assert curve.gamma is not None
    ends = [fit(made, relax=relax, C=curve.chosen).model.coef for relax in (False, True)]
    mixed = curve.gamma * ends[0] + (1 - curve.gamma) * ends[1]
    np.testing.assert_allclose(fitted.model.coef, mixed, rtol=1e-4, atol=1e-6)
    without = fit(made, validation=validation).penalty_curve
    assert without is not None
    assert min(curve.mean_loss) <= min(without.mean_loss) + 1e-12
    assert fitted.model.training.gamma == curve.gamma


def test_separated_refits_keep_the_penalised_fit(tmp_path: Path) -> None:
    rows = [(x, -abs(x), "yes" if x > 0 else "no") for x in np.linspace(-2, 2.1, 40)]
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n" + "\n".join(f"{a},{b},{y}" for a, b, y in rows))
    table = read_table(path)
    fitted = fit(table, relax=True)
    np.testing.assert_array_equal(fitted.model.coef, fit(table).model.coef)
    assert fitted.model.training.gamma == 1
    assert any("no finite refit exists" in note for note in fitted.notes)
    validation = ValidationOptions(folds=2, grid=(1e-4, 1.0))
    curve = fit(table, relax=True, validation=validation).penalty_curve
    assert curve is not None
    assert curve.gamma == 1


def test_a_model_file_keeps_the_kind_of_penalty(made: Table, tmp_path: Path) -> None:
    fitted = fit(made, adaptive=True, groups="levels", relax=True)
    path = tmp_path / "m.json"
    fitted.model.save(path)
    training = load_model(path).training
    assert (training.adaptive, training.groups, training.gamma) == (True, "levels", 0.0)
    for name, value in (("gamma", 2), ("groups", "pairs"), ("adaptive", 1)):
        damaged = json.loads(path.read_text())
        damaged["training"][name] = value
        (tmp_path / "d.json").write_text(json.dumps(damaged))
        with pytest.raises(ModelFileError, match=f"training: {name}"):
            load_model(tmp_path / "d.json")
    fit(made).model.save(path)
    assert not {"adaptive", "groups", "gamma"} & json.loads(path.read_text())["training"].keys()
