"""Average marginal effects of columns, through formula and encoding, held to predictions."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

from chainrule.engine.inference.effects import average_effects
from chainrule.errors import DataError
from chainrule.tables.column_effects import TableColumns
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
    columns = TableColumns(read_table(path), fit.model.specs, None)
    moved = average_effects(replace(fit.inference, columns=columns), discrete=True)
    for row, right in zip(moved.rows(), _by_term(fit), strict=True):
        assert (row["term"], row["contrast"]) == (right.term, right.contrast)
        assert row["estimate"] == pytest.approx(right.estimate, rel=1e-7)
        assert row["std.error"] == pytest.approx(right.std_error, rel=1e-6)


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


FORMULAS = {
    "product": "two ~ a*b + level",
    "curves": "two ~ bs(a, df=4) + poly(b, 2)*level + flag",
    "expressions": "two ~ log(a + 20)*flag + I(b**2) + b + C(level, ref='w')",
}


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_the_inference_of_a_table_moves_its_columns(path: Path, formula: str) -> None:
    fit = fitted(path, formula)
    assert fit.inference is not None
    table = fit.inference.ame().set_index(["term", "contrast"])["estimate"]
    step = 1e-4
    for name, column in {"a": A, "b": B, "flag": FLAG.astype(float)}.items():
        if name in table.index.get_level_values(0):
            ends = [predicted(fit, path, **{name: column + d}) for d in (step, -step)]
            right = (ends[0] - ends[1])[1] / (2 * step)
            assert table[name, "dY/dX"] == pytest.approx(right, rel=1e-6, abs=1e-9)
    base = "w" if "ref=" in formula else "u"
    right = (predicted(fit, path, level="v") - predicted(fit, path, level=base))[1]
    assert table["level", f"v - {base}"] == pytest.approx(right, rel=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_effects_at_one_point_are_differences_of_predictions(path: Path, formula: str) -> None:
    fit = fitted(path, formula)
    assert fit.inference is not None
    modes = {"a": A.mean(), "b": B.mean(), "flag": FLAG.mean(), "level": "u"}
    for at in ({}, {"a": 6.5, "level": "v"}, {"b": -1.0}):
        table = fit.inference.effects(at).set_index(["term", "contrast"])["estimate"]
        here = {**modes, **at}
        step = 1e-4
        for name in ("a", "b", "flag"):
            if name in table.index.get_level_values(0):
                ends = [
                    predicted(fit, path, **{**here, name: here[name] + d}) for d in (step, -step)
                ]
                right = (ends[0] - ends[1])[1] / (2 * step)
                assert table[name, "dY/dX"] == pytest.approx(right, rel=1e-6, abs=1e-9)
        base = "w" if "ref=" in formula else "u"
        ends = [predicted(fit, path, **{**here, "level": word}) for word in ("v", base)]
        assert table["level", f"v - {base}"] == pytest.approx((ends[0] - ends[1])[1], rel=1e-8)
    means = fit.inference.at_means()
    assert means["estimate"].tolist() == fit.inference.effects({})["estimate"].tolist()
    assert (means["std.error"] > 0).all()


def test_effects_at_a_point_refuse_what_is_not_there(path: Path) -> None:
    fit = fitted(path, "two ~ a*b + level")
    assert fit.inference is not None
    for at, said in (
        ({"c": 1.0}, "no column 'c'; known are a, b, level"),
        ({"level": "z"}, "'z' is none of the levels of 'level': u, v, w"),
        ({"a": "much"}, "'a' is a column of numbers, and 'much' is not one"),
        ({"a": math.inf}, "give a finite number"),
    ):
        with pytest.raises(DataError, match=said):
            fit.inference.effects(at)


def test_terms_and_levels_of_a_formula_are_tested_by_name(path: Path) -> None:
    fit = fitted(path, "two ~ a*level + b")
    assert fit.inference is not None
    assert fit.inference.lr("a:level").df == 2
    assert fit.inference.contrast("level")["contrast"].tolist() == ["u - v", "u - w", "v - w"]
