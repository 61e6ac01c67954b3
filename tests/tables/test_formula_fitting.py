"""Fits by a formula: test files, gaps, folds and refusals, against fits that are made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_absolute_error

from chainrule.tables.fitting_regression import fit_regression_file
from chainrule.tables.formula import with_formula
from chainrule.tables.losses import choose_loss
from chainrule.tables.options import FitOptions
from chainrule.tables.validation.options import ValidationOptions

pd = pytest.importorskip("pandas")
pytest.importorskip("formulaic")


@pytest.fixture(scope="module")
def frame() -> Any:
    random = np.random.default_rng(11)
    n = 300
    made = pd.DataFrame({"x": random.normal(size=n), "z": random.normal(size=n)})
    made["e"] = random.uniform(1, 5, n)
    made["n"] = random.poisson(np.exp(0.4 * made.x - 0.3 * made.x * made.z + 0.5 * np.log(made.e)))
    return made


def test_a_regression_by_a_formula_is_measured_on_a_test_file(frame: Any, tmp_path: Path) -> None:
    train, test = frame.iloc[:200], frame.iloc[200:].copy()
    for name, part in (("train.csv", train), ("test.csv", test)):
        part.to_csv(tmp_path / name, index=False)
    choices = with_formula(FitOptions(target="", C=np.inf), "n ~ x*z + log(e)")
    validation = ValidationOptions(test=str(tmp_path / "test.csv"))
    choices = replace(choices, holdout=0.0, validation=validation)
    fitted = fit_regression_file(tmp_path / "train.csv", choices, choose_loss("poisson"))

    def columns(part: Any) -> Any:
        return np.column_stack([part.x, part.z, part.x * part.z, np.log(part.e)])

    other = PoissonRegressor(alpha=0, tol=1e-10, max_iter=1000).fit(columns(train), train.n)
    assert fitted.metrics is not None
    assert fitted.metrics.n_rows == 100
    expected = mean_absolute_error(test.n, other.predict(columns(test)))
    assert fitted.metrics.mae == pytest.approx(expected, rel=1e-5)
