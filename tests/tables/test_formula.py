"""Formulas: formulaic builds the same columns, and nothing in a formula is run as code."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import LogisticRegression, PoissonRegressor
from chainrule.errors import DataError, ModelFileError
from chainrule.formulas.columns import Numbers, Words
from chainrule.formulas.design import fit_formula
from chainrule.formulas.parsing import parse
from chainrule.tables.dates import DateColumn
from chainrule.tables.fitting import FitOptions, FittedTable, fit_file, fit_table
from chainrule.tables.formula import with_formula
from chainrule.tables.inference_options import InferenceOptions
from chainrule.tables.predicting import load_model
from chainrule.tables.reading import read_table
from chainrule.tables.validation.options import ValidationOptions

pd = pytest.importorskip("pandas")
formulaic = pytest.importorskip("formulaic")


@pytest.fixture(scope="module")
def data() -> Any:
    random = np.random.default_rng(5)
    n = 240
    frame = pd.DataFrame(
        {
            "a": random.normal(size=n),
            "b": random.normal(size=n),
            "age (years)": random.uniform(20, 80, n),
            "income": random.uniform(1, 9, n),
            "race": random.choice(["white", "black", "asian"], n),
            "sex": random.choice(["m", "f"], n),
            "times": random.integers(1, 4, n),
        }
    )
    score = frame.a - 0.5 * frame.b + (frame.race == "asian") + np.log(frame.income) - 1
    frame["y"] = np.where(score + random.logistic(size=n) > 0, "yes", "no")
    frame["n"] = random.poisson(np.exp(score / 3))
    return frame


def columns_of(frame: Any) -> dict[str, Numbers | Words]:
    found: dict[str, Numbers | Words] = {}
    for name in frame:
        if frame[name].dtype.kind in "if":
            found[name] = Numbers(frame[name].to_numpy(float))
        else:
            words, codes = np.unique(frame[name].astype(str), return_inverse=True)
            found[name] = Words(codes, tuple(words))
    return found


SAME = [
    "y ~ a*b + log(income)",
    "y ~ a + bs(`age (years)`, df=5)",
    "y ~ bs(income, df=4, degree=2) + poly(b, 3)",
    "y ~ bs(income, knots=[2.5, 6.0])",
    "y ~ scale(a) + center(b) + I(a**2) + np.sqrt(income)",
    "y ~ (a + b + income)**2 - a:b",
    "y ~ C(race, contr.treatment(base='white')) * sex",
    "y ~ race*a + sex:b",
    "y ~ a:race",
    "y ~ sex + race:sex",
    "y ~ a/race",
]


@pytest.mark.parametrize("formula", SAME)
def test_formulaic_spans_the_same_space(data: Any, formula: str) -> None:
    columns = columns_of(data)
    fitted = fit_formula(parse(formula), columns)
    found = [np.ones(len(data))]
    for name, column in fitted.design(columns).items():
        if isinstance(column, Numbers):
            found.append(column.values)
        else:
            (factor,) = (f for f in fitted.factors if f.label == name)
            found += factor.values(columns).values()
    mine = np.column_stack(found)
    theirs = formulaic.model_matrix(formula, data).rhs.to_numpy(float)
    assert mine.shape == theirs.shape
    rank = np.linalg.matrix_rank
    assert rank(mine) == rank(theirs) == rank(np.hstack([mine, theirs])) == mine.shape[1]


def test_splines_are_the_same_columns_beyond_their_range_too(data: Any) -> None:
    columns = columns_of(data)
    fitted = fit_formula(parse("y ~ bs(income, df=5)"), columns)
    theirs = formulaic.model_matrix("bs(income, df=5, extrapolation='extend')", data)
    new = pd.DataFrame({"income": [0.5, 3.0, 9.5]})
    right = theirs.model_spec.get_model_matrix(new).to_numpy(float)[:, 1:]
    made = fitted.design(columns_of(new)).values()
    numbers = [np.asarray(c.values, float) for c in made if isinstance(c, Numbers)]
    np.testing.assert_allclose(np.column_stack(numbers), right, rtol=1e-10)


WRONG = {
    "y ~ open('f')": "not allowed",
    "y ~ a.real + a": "no such column",
    "y ~ log(a, b)": "not allowed",
    "y ~ log(open('x'))": "not allowed",
    "y ~ I(a if b else a)": "not allowed",
    "y ~ I((lambda: a)())": "not allowed",
    "y ~ I(a[0])": "not allowed",
    "y ~ eval('a')": "not allowed",
    "y ~ np.load('f')": "not allowed",
    "y ~ bs(a, dg=3)": "'dg' is not an option here; known are df, knots, degree",
    "y ~ bs(a, df=2)": "degree 3",
    "y ~ bs(a, df=open('f'))": "an option is a number",
    "y ~ bs(a, knots=[99])": "not inside the range",
    "y ~ poly(times, 5)": "3 different values",
    "y ~ C(race, ref='red')": "none of the levels: asian, black, white",
    "y ~ C(race, ref=white)": "in quotes",
    "y ~ C(race, contr.sum)": "in quotes",
    "y ~ C(a + b)": "of one column",
    "y ~ race + C(race, ref='white')": "in two ways",
    "y ~ log(race)": "holds text",
    "y ~ log(a)": "no finite value where a = -",
    "log(n) ~ a": "is not a column",
    "y ~ a - 1": "no intercept",
    "y ~ a + y": "on both sides",
    "~ a": "no target",
    "y ~": "no columns on the right",
    "y ~ a | b": "several parts",
    "y ~ a +": "cannot be read",
    "y ~ a + .": "holds '.', which stands for all columns",
    "y ~ (a + b + income + times)**30": "too many products",
    "y ~ a + (a*b*income)^9": "too many products",
    "y ~ " + "*".join(f"x{k}" for k in range(20)): "1,048,555 of them",
    "y ~ " + "*".join(f"x{k}" for k in range(400)): r"about 2\.6e\+120 of them",
    "y ~ (a*b*income*times)*(a + b)*(x1*x2*x3*x4*x5*x6)": "too many products",
    "y ~ ("
    + " + ".join(f"x{k}" for k in range(70))
    + "):("
    + "+".join(f"y{k}" for k in range(70))
    + ")": ("4,900 of them"),
    "y ~ incme": "Did you mean 'income'",
    "y ~ " + "log(" * 80 + "a" + ")" * 80: "too deeply",
}


@pytest.mark.parametrize("formula", WRONG, ids=lambda text: text[:30])
def test_what_is_refused(data: Any, formula: str) -> None:
    with pytest.raises(DataError, match=WRONG[formula]):
        fit_formula(parse(formula), columns_of(data))


def test_as_many_products_as_a_person_means_are_taken() -> None:
    pairs = parse("y ~ (" + " + ".join(f"x{k}" for k in range(40)) + ")**2")
    assert len(pairs.terms) == 40 + 40 * 39 // 2
    assert len(parse("y ~ " + " + ".join(f"x{k}" for k in range(2100))).terms) == 2100
    assert len(parse("y ~ a*b*c*d*e*f + g/h").terms) == 63 + 2


def test_columns_that_no_memory_holds_are_refused(
    data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_MAX_GB", "1e-5")
    with pytest.raises(DataError, match=r"makes 14 columns .* 12 are of bs\(a, df=4\):race"):
        fit_formula(parse("y ~ a + b + bs(a, df=4):race"), columns_of(data))


FORMULA = "y ~ a*sex + bs(`age (years)`, df=4) + C(race, ref='white') + C(times, ref=2)"


@pytest.fixture(scope="module")
def saved(data: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("formula") / "table.csv"
    data.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def fitted(saved: Path) -> FittedTable:
    asked = InferenceOptions(effects=True)
    choices = with_formula(FitOptions("", C=math.inf, holdout=0, inference=asked), FORMULA)
    return fit_table(read_table(saved, choices.declared(labels=True)), choices)


def test_estimator_and_table_agree(data: Any, fitted: FittedTable) -> None:
    model = LogisticRegression.from_formula(FORMULA, data, C=np.inf)
    of_frame = model.inference(data, data["y"])
    assert fitted.inference is not None
    np.testing.assert_allclose(of_frame.coefficients, fitted.inference.coefficients, rtol=1e-7)
    np.testing.assert_allclose(of_frame.std_errors, fitted.inference.std_errors, rtol=1e-7)
    assert of_frame.tidy["term"].tolist() == fitted.inference.tidy["term"].tolist()
    assert of_frame.tidy["reference"].tolist() == fitted.inference.tidy["reference"].tolist()
    references = dict(zip(of_frame.tidy["term"], of_frame.tidy["reference"], strict=True))
    assert (references["race = black"], references["times = 3"]) == ("white", "2")
    contrasts = of_frame.ame()["contrast"].tolist()
    assert {"m - f", "black - white", "1 - 2"} <= set(contrasts)
    assert of_frame.contrast("race")["contrast"].tolist()[0] == "white - asian"


def test_prediction_uses_what_was_learnt(
    data: Any, saved: Path, fitted: FittedTable, tmp_path: Path
) -> None:
    fitted.model.save(tmp_path / "model.json")
    model = load_model(tmp_path / "model.json")
    assert model.formula == fitted.model.formula
    few = data.sample(20, random_state=1)
    few.to_csv(tmp_path / "few.csv", index=False)
    table = read_table(
        tmp_path / "few.csv", with_formula(FitOptions(""), FORMULA).declared(labels=True)
    )
    proba = model.predict_proba(table)  # type: ignore[union-attr]
    right = LogisticRegression.from_formula(FORMULA, data, C=np.inf).predict_proba(few)
    np.testing.assert_allclose(proba, right, rtol=1e-7)


def test_a_damaged_formula_is_refused(fitted: FittedTable, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    fitted.model.save(path)
    document = json.loads(path.read_text())
    for change in (
        {"text": "__import__('os').system('true')"},
        {"kind": "magic"},
        {"numbers": [1.0]},
        {"levels": "m"},
    ):
        factors = document["formula"]["factors"]
        damaged = {**document["formula"], "factors": [{**factors[0], **change}, *factors[1:]]}
        path.write_text(json.dumps({**document, "formula": damaged}))
        with pytest.raises(ModelFileError, match="formula"):
            load_model(path)


def test_regressors_and_new_levels(data: Any) -> None:
    model = PoissonRegressor.from_formula("n ~ a + race", data, alpha=0)
    right = PoissonRegressor(alpha=0).fit(
        np.column_stack([data.a, data.race == "black", data.race == "white"]), data.n
    )
    np.testing.assert_allclose(model.coef_, right.coef_, rtol=1e-8)
    with pytest.raises(DataError, match="row 0: race = black has no value"):
        model.predict(data.head(2).assign(race="green"))
    with pytest.raises(DataError, match="no such column"):
        PoissonRegressor.from_formula("count ~ a", data)
    model.fit(data[["a", "b"]], data.n)
    assert not hasattr(model, "formula_")


def test_columns_that_the_formula_does_not_name_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "dated.csv"
    rows = [
        f"2024-0{1 + k % 9}-11,{k % 7},{k % 5},{'yes' if (k * k) % 3 else 'no'}" for k in range(60)
    ]
    path.write_text("when,a,b,y\n" + "\n".join(rows) + "\n")
    choices = with_formula(FitOptions("", holdout=0), "y ~ a")
    fit = fit_file(path, choices)
    assert [spec.name for spec in fit.model.specs] == ["a"]
    with pytest.raises(DataError, match=r"no column is named 'c'.*when, a, b, y"):
        fit_file(path, with_formula(FitOptions(""), "y ~ c"))
    dates = (DateColumn.read("when=month"),)
    dated = with_formula(FitOptions("", dates=dates, holdout=0), "y ~ a + `when (month)`")
    assert [spec.name for spec in fit_file(path, dated).model.specs] == ["a", "when (month)"]


def test_measures_by_a_column_beside_the_formula(saved: Path) -> None:
    validation = ValidationOptions(by="race")
    base = FitOptions("", holdout=0.3, validation=validation)
    fit = fit_file(saved, with_formula(base, "y ~ a*sex"))
    assert [spec.name for spec in fit.model.specs] == ["a", "sex", "a:sex[m]"]
    plain = FitOptions("y", holdout=0.3, validation=validation, ignore=("race", "n"))
    assert "race" not in [spec.name for spec in fit_file(saved, plain).model.specs]
