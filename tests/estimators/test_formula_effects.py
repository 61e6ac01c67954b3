"""Effects and comparisons of estimators fitted by a formula, held to predictions and to R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from chainrule import LogisticRegression, PoissonRegressor
from chainrule.errors import DataError

pytest.importorskip("formulaic")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
STORED = json.loads(
    (Path(__file__).parents[1] / "engine" / "inference" / "mended.json").read_text()
)
CROSS = pd.DataFrame(STORED["cross"])
CROSS["flag"] = np.arange(len(CROSS)) % 2
CROSS["three"] = (np.arange(len(CROSS)) * 7 % 11 + 3 * CROSS.y) % 3
BOTH = "~ race*sex + bs(age, df=4) + flag:age"


def fitted(formula: str, **more: Any) -> Any:
    return LogisticRegression.from_formula(formula, CROSS, C=np.inf, tol=1e-12, **more)


def infer(model: Any, target: str, **more: Any) -> Any:
    return model.inference(CROSS, CROSS[target], **more)


@pytest.mark.parametrize("target", ["y", "three"])
def test_columns_are_moved_through_the_formula(target: str) -> None:
    model = fitted(f"{target} {BOTH}")
    table = infer(model, target).ame(discrete=True)
    n_classes = len(model.classes_)
    terms = ["race", "race", "sex", "age", "flag"]
    assert table["term"].tolist() == terms * (n_classes if n_classes > 2 else 1)

    def means(**changed: Any) -> Any:
        return model.predict_proba(CROSS.assign(**changed)).mean(axis=0)

    right = [
        means(race="b") - means(race="a"),
        means(race="c") - means(race="a"),
        means(sex="m") - means(sex="f"),
        (means(age=CROSS.age + 1e-4) - means(age=CROSS.age - 1e-4)) / 2e-4,
        means(flag=1) - means(flag=0),
    ]
    wanted = np.array(right).T if n_classes > 2 else np.array(right)[:, 1]
    np.testing.assert_allclose(table["estimate"], wanted.ravel(), rtol=1e-5, atol=1e-9)
    assert (table["std.error"] > 0).all()


def test_a_plain_formula_has_the_effects_of_its_design() -> None:
    model = fitted("y ~ sex + age")
    plain = pd.DataFrame({"sex": pd.Categorical(CROSS.sex), "age": CROSS.age})
    right = LogisticRegression(C=np.inf, tol=1e-12).fit(plain, CROSS.y)
    found = infer(model, "y").ame().set_index("term").sort_index()
    wanted = right.inference(plain, CROSS.y).ame().set_index("term").sort_index()
    assert found["contrast"].tolist() == wanted["contrast"].tolist()
    for name in ("estimate", "std.error", "p.value"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-6)


@pytest.mark.parametrize("target", ["y", "three"])
@pytest.mark.parametrize("at", [{}, {"age": 31.0, "sex": "m"}, {"flag": 1, "race": "c"}])
def test_effects_at_a_point_move_columns(target: str, at: dict[str, Any]) -> None:
    model = fitted(f"{target} {BOTH}")
    table = infer(model, target).effects(at)
    here = {
        "race": CROSS.race.mode()[0],
        "sex": CROSS.sex.mode()[0],
        "age": CROSS.age.mean(),
        "flag": CROSS.flag.mean(),
    } | at

    def proba(**changed: Any) -> Any:
        return model.predict_proba(pd.DataFrame([here | changed]))[0]

    right = [
        proba(race="b") - proba(race="a"),
        proba(race="c") - proba(race="a"),
        proba(sex="m") - proba(sex="f"),
        (proba(age=here["age"] + 1e-4) - proba(age=here["age"] - 1e-4)) / 2e-4,
        (proba(flag=here["flag"] + 1e-4) - proba(flag=here["flag"] - 1e-4)) / 2e-4,
    ]
    wanted = np.array(right).T if target == "three" else np.array(right)[:, 1]
    np.testing.assert_allclose(table["estimate"], wanted.ravel(), rtol=1e-5, atol=1e-9)


def test_a_plain_formula_takes_columns_and_terms() -> None:
    found = infer(fitted("y ~ sex + age"), "y")
    assert found.effects({"sex = m": 1.0})["term"].tolist() == ["sex = m", "age"]
    assert found.effects({"sex": "m"})["contrast"].tolist() == ["m - f", "dY/dX"]


def test_rows_without_weight_take_no_part_and_offsets_do() -> None:
    weight = (np.arange(len(CROSS)) % 5 > 0).astype(float)
    shift, kept = np.log(CROSS.age.to_numpy()), CROSS[weight > 0]
    model = PoissonRegressor.from_formula(
        "y ~ sex*age", CROSS, alpha=0, tol=1e-12, sample_weight=weight, offset=shift
    )
    found = model.inference(CROSS, CROSS.y, weight, shift).ame()
    ends = [model.predict(kept.assign(sex=s), shift[weight > 0]).mean() for s in ("m", "f")]
    assert found["estimate"][0] == pytest.approx(ends[0] - ends[1], rel=1e-9)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_effects_without_the_columns_of_the_formula_are_refused() -> None:
    model = fitted("y ~ sex*age")
    design = np.column_stack([CROSS.sex == "m", CROSS.age, (CROSS.sex == "m") * CROSS.age])
    with pytest.raises(DataError, match="pass the data frame"):
        model.inference(design.astype(float), CROSS.y).ame()


@pytest.mark.parametrize(
    ("stored", "formula"), [("product", "y ~ sex * race"), ("slopes", "y ~ race * age + sex")]
)
def test_comparisons_are_averaged_over_products_as_in_emmeans(stored: str, formula: str) -> None:
    found, right = infer(fitted(formula), "y").contrast("race"), STORED[stored]
    assert found["contrast"].tolist() == right["contrast"]
    np.testing.assert_allclose(found["estimate"], right["estimate"], rtol=1e-6)
    np.testing.assert_allclose(found["std.error"], right["se"], rtol=1e-5)
    np.testing.assert_allclose(found["p.value"], right["p"], rtol=1e-4)


def test_several_classes_set_a_category_whole() -> None:
    frame = pd.DataFrame({"race": pd.Categorical(CROSS.race), "flag": CROSS.flag, "age": CROSS.age})
    model = LogisticRegression(C=np.inf, tol=1e-12).fit(frame, CROSS.three)
    table = model.inference(frame, CROSS.three).ame(discrete=True)
    assert table["contrast"].tolist() == ["1 - 0", "dY/dX", "b - a", "c - a"] * 3

    def means(**changed: Any) -> Any:
        moved = frame.assign(**changed)
        moved["race"] = pd.Categorical(moved.race, ["a", "b", "c"])
        return model.predict_proba(moved).mean(axis=0)

    table = table.set_index(["contrast", "y.level"])
    for contrast, right in {
        "1 - 0": means(flag=1) - means(flag=0),
        "b - a": means(race="b") - means(race="a"),
        "c - a": means(race="c") - means(race="a"),
    }.items():
        np.testing.assert_allclose(table["estimate"][contrast], right, rtol=1e-8)
    by_formula = fitted("three ~ race + flag + age")
    right = infer(by_formula, "three").ame(discrete=True).set_index(["contrast", "y.level"])
    np.testing.assert_allclose(
        table["std.error"].sort_index(), right["std.error"].sort_index(), rtol=1e-5
    )


def test_cells_without_rows_leave_comparisons_undetermined() -> None:
    """As in emmeans (nonEst): no row has sex m and race c. Collinear columns move together."""
    part = CROSS[~((CROSS.sex == "m") & (CROSS.race == "c"))]
    model = LogisticRegression.from_formula("y ~ sex * race", part, C=np.inf, tol=1e-12)
    found = model.inference(part, part.y)
    pairs = found.contrast("race")
    assert pairs["estimate"].isna().tolist() == [False, True, True]
    np.testing.assert_allclose(pairs["estimate"][0], STORED["product"]["estimate"][0], rtol=1e-6)
    assert found.ame()["estimate"].isna().tolist() == [True, False, True]
    twice = fitted("y ~ age + I(age * 2) + sex")
    right = infer(fitted("y ~ age + sex"), "y").ame()
    for name in ("estimate", "std.error"):
        np.testing.assert_allclose(infer(twice, "y").ame()[name], right[name], rtol=1e-6)


def test_comparisons_of_separated_rows_are_those_of_the_limit() -> None:
    apart = CROSS.assign(y=np.where(CROSS.race == "c", 1, CROSS.y))
    model = LogisticRegression.from_formula("y ~ race + sex", apart, C=np.inf)
    found = model.inference(apart, apart.y).contrast("race")
    assert found["estimate"].tolist()[1:] == [-np.inf, -np.inf]
    rest = CROSS[CROSS.race != "c"]
    right = LogisticRegression.from_formula("y ~ race + sex", rest, C=np.inf, tol=1e-12)
    wanted = right.inference(rest, rest.y).contrast("race")
    for name in ("estimate", "std.error"):
        np.testing.assert_allclose(found[name][0], wanted[name][0], rtol=1e-6)
