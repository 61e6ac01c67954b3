"""Fits by a formula: test files, gaps, folds and refusals, against fits that are made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_absolute_error

from chainrule.errors import DataError
from chainrule.formulas.columns import Numbers, Words
from chainrule.formulas.design import fit_formula
from chainrule.formulas.own_effects import conditions
from chainrule.formulas.parsing import parse
from chainrule.tables.fit_results import warning_of
from chainrule.tables.fitting_regression import fit_regression_file
from chainrule.tables.formula import with_formula
from chainrule.tables.inference_options import InferenceOptions
from chainrule.tables.losses import choose_loss
from chainrule.tables.options import FitOptions
from chainrule.tables.records import CertificateRecord
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


@pytest.mark.parametrize(
    "formula",
    [
        "n ~ x*z + log(e)",
        "n ~ kind*bs(x, df=4) + poly(z, 2):kind + scale(e)",
        "n ~ x:C(kind, ref='b') + C(kind, ref='b'):town",
        "n ~ kind + town:kind + I(x**2)",
    ],
)
def test_the_names_of_a_design_are_known_without_rows(frame: Any, formula: str) -> None:
    texts = {
        "kind": Words(np.arange(300) % 3, ("a", "b", "c")),
        "town": Words(np.arange(300) // 7 % 2, ("oslo", "rome")),
    }
    numbers = {name: Numbers(frame[name].to_numpy(float)) for name in "xze"}
    columns: dict[str, Numbers | Words] = {**texts, **numbers}
    fitted = fit_formula(parse(formula), columns)
    assert list(fitted.column_terms) == list(fitted.design(columns))


@pytest.mark.parametrize(
    ("formula", "name", "at", "origin"),
    [
        ("n ~ x*kind", "x", {"kind": "a"}, {"x": "kind = a", "kind": "x = 0"}),
        ("n ~ x*z", "x", {"z": 0.0}, {"x": "z = 0", "z": "x = 0"}),
        ("n ~ x*bs(e, df=4)", "x", {"e": "low"}, {"x": "e = 1.02"}),
    ],
)
def test_an_effect_in_a_product_is_that_where_the_others_are_said_to_be(
    frame: Any, formula: str, name: str, at: dict[str, Any], origin: dict[str, str]
) -> None:
    columns: dict[str, Any] = {n: Numbers(frame[n].to_numpy(float)) for n in "xze"}
    columns["kind"] = Words(np.arange(300) % 3, ("a", "b", "c"))
    fitted = fit_formula(parse(formula), columns)
    found = conditions(fitted)
    assert found.keys() == origin.keys()
    for term, words in origin.items():
        assert found[term][:8] == words[:8]
    # At that place one more of the column changes its own column of the design and no other.
    here = dict(columns)
    for other, value in at.items():
        if value == "low":
            value = float(columns[other].values.min())
        here[other] = (
            Words(np.zeros(300, dtype=np.int64), ("a",))
            if isinstance(value, str)
            else Numbers(np.full(300, value))
        )
    moved = {**here, name: Numbers(here[name].values + 1)}
    before, after = fitted.design(here), fitted.design(moved)
    for column, was in before.items():
        if isinstance(was, Numbers):
            step = after[column].values - was.values  # type: ignore[union-attr]
            np.testing.assert_allclose(step, float(column == name), atol=1e-12)


@pytest.mark.parametrize("options", [{"missing": "mean"}, {"unknown": "base"}], ids=str)
def test_gaps_are_not_filled_in_products(options: dict[str, Any]) -> None:
    choices = replace(with_formula(FitOptions(""), "n ~ x*z"), **options)
    with pytest.raises(DataError, match="formula has products"):
        choices.check()
    replace(with_formula(FitOptions(""), "n ~ x + log(e)"), **options).check()


def test_errors_of_a_chosen_penalty_are_refused_before_any_fit() -> None:
    choices = FitOptions(
        "y", C=np.inf, inference=InferenceOptions(), validation=ValidationOptions(folds=3)
    )
    with pytest.raises(DataError, match="Fit without --cv and with -C inf"):
        choices.check()


@pytest.mark.parametrize(("kind", "warns"), [("separation", True), ("gap", False)])
def test_a_model_without_a_finite_optimum_warns_of_its_predictions(kind: str, warns: bool) -> None:
    assert bool(warning_of(CertificateRecord("", {"kind": kind}))) == warns
