"""Average marginal effects of columns, through formula and encoding, held to predictions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

from chainrule.tables.column_effects import EffectInputs, column_effects
from chainrule.tables.fitting import FitOptions, FittedTable, fit_file
from chainrule.tables.formula import with_formula
from chainrule.tables.inference_options import InferenceOptions
from chainrule.tables.reading import read_table
from chainrule.tables.table import NumberColumn, TextColumn

N = 200
RNG = np.random.default_rng(8)
A, B = RNG.normal(5, 2, N), RNG.normal(size=N)
LEVELS = RNG.choice(["u", "v", "w"], N, p=[0.5, 0.3, 0.2])
FLAG = RNG.integers(0, 2, N)
SCORE = 0.4 * A * (1 + 0.3 * B) - 2 + (LEVELS == "v") + 0.5 * FLAG
TWO = np.where(SCORE + RNG.logistic(size=N) > 0, "yes", "no")
THREE = np.array(["p", "q", "r"])[
    np.argmax(np.outer(SCORE, [0, 0.5, 1]) + RNG.gumbel(size=(N, 3)), axis=1)
]
ASKED = InferenceOptions(effects=True)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("effects") / "table.csv"
    lines = ["a,b,level,flag,two,three"]
    rows = zip(A, B, LEVELS, FLAG, TWO, THREE, strict=True)
    found.write_text("\n".join(lines + [",".join(map(str, row)) for row in rows]) + "\n")
    return found


def fitted(path: Path, formula: str | None = None, target: str = "two") -> FittedTable:
    choices = FitOptions(
        "" if formula else target,
        ignore=tuple({"two", "three"} - {target}) if formula is None else (),
        C=math.inf,
        holdout=0,
        inference=ASKED,
    )
    return fit_file(path, choices if formula is None else with_formula(choices, formula))


def predicted(fit: FittedTable, path: Path, **changed: Any) -> Any:
    """Return the mean probability of each class with columns changed."""
    table = read_table(path)
    columns = dict(table.columns)
    for name, value in changed.items():
        if isinstance(value, str):
            columns[name] = TextColumn(name, np.zeros(N, dtype=np.int64), (value,))
        else:
            columns[name] = NumberColumn(name, np.broadcast_to(value, N), np.zeros(N, dtype=bool))
    proba = fit.model.predict_proba(type(table)(table.source, columns, table.row_numbers))
    return proba.mean(axis=0)


def test_without_transformations_they_are_those_of_the_inference(path: Path) -> None:
    fit = fitted(path)
    assert fit.inference is not None
    inputs = EffectInputs(read_table(path), fit.model.specs, None, None, None)
    for row, right in zip(column_effects(fit.inference, inputs), _by_term(fit), strict=True):
        assert (row.term, row.contrast) == (right.term, right.contrast)
        assert row.estimate == pytest.approx(right.estimate, rel=1e-7)
        assert row.std_error == pytest.approx(right.std_error, rel=1e-6)


def _by_term(fit: FittedTable) -> list[Any]:
    order = [spec.name for spec in fit.model.specs]
    return sorted(fit.effects, key=lambda row: order.index(row.term))


def test_a_column_moves_its_products_and_its_splines(path: Path) -> None:
    fit = fitted(path, "two ~ a*b + bs(b, df=4) + level:flag + level")
    effects = {(row.term, row.contrast): row for row in fit.effects}
    assert list(effects) == [
        ("a", "dY/dX"),
        ("b", "dY/dX"),
        ("level", "v - u"),
        ("level", "w - u"),
        ("flag", "1 - 0"),
    ]
    for name, values in {"a": A, "b": B}.items():
        up, down = (predicted(fit, path, **{name: values + h}) for h in (1e-4, -1e-4))
        right = (up - down)[1] / 2e-4
        assert effects[name, "dY/dX"].estimate == pytest.approx(right, rel=1e-5)
    right = (predicted(fit, path, level="w") - predicted(fit, path, level="u"))[1]
    assert effects["level", "w - u"].estimate == pytest.approx(right, rel=1e-9)
    right = (predicted(fit, path, flag=1.0) - predicted(fit, path, flag=0.0))[1]
    assert effects["flag", "1 - 0"].estimate == pytest.approx(right, rel=1e-9)


def test_the_error_is_that_of_the_delta_method(path: Path) -> None:
    """The slope in a of a score b0 + b1 a + b2 b + b3 a b, differentiated by hand."""
    fit = fitted(path, "two ~ a*b")
    assert fit.inference is not None
    b = fit.inference.coefficients[0]
    design = np.column_stack([np.ones(N), A, B, A * B])
    p = special.expit(design @ b)
    slope, lean = p * (1 - p), b[1] + b[3] * B
    bend = slope * (1 - 2 * p)
    jacobian = (bend * lean) @ design / N
    jacobian[1] += slope.mean()
    jacobian[3] += (slope * B).mean()
    (row,) = (row for row in fit.effects if row.term == "a")
    assert row.estimate == pytest.approx((slope * lean).mean(), rel=1e-7)
    error = np.sqrt(jacobian @ fit.inference.covariance @ jacobian)
    assert row.std_error == pytest.approx(error, rel=1e-6)


def test_several_classes_set_a_level_whole(path: Path) -> None:
    fit = fitted(path, target="three")
    assert fit.inference is not None
    slopes = fit.inference.ame()
    effects = {(row.output, row.term, row.contrast): row for row in fit.effects}
    for _, right in slopes[slopes.term == "a"].iterrows():
        row = effects[right["y.level"], "a", "dY/dX"]
        assert row.estimate == pytest.approx(right["estimate"], rel=1e-6)
        assert row.std_error == pytest.approx(right["std.error"], rel=1e-5)
    change = predicted(fit, path, level="v") - predicted(fit, path, level="u")
    found = [effects[name, "level", "v - u"].estimate for name in fit.model.classes]
    np.testing.assert_allclose(found, change, rtol=1e-8)
