"""Fitting a table: the pipeline of scikit-learn, solved tightly, must say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from chainrule.data import BREAST_CANCER
from chainrule.errors import DataError
from chainrule.tables.fitting import FitOptions, FittedTable, fit_file
from chainrule.tables.metrics import measure
from chainrule.tables.reading import read_table
from chainrule.tables.splitting import hold_out

pd = pytest.importorskip("pandas")


def frame(n_rows: int = 240, n_classes: int = 2, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    age = random.normal(50, 12, n_rows)
    dose = random.integers(0, 5, n_rows) * 1000.0
    colour = random.choice(["red", "green", "blue"], n_rows, p=[0.5, 0.3, 0.2])
    score = np.column_stack(
        [(age - 50) / 12 * k + (colour == "blue") * k - dose / 4000 for k in range(n_classes)]
    ) + random.gumbel(size=(n_rows, n_classes))
    labels = np.array(["healthy", "ill", "worse"])[score.argmax(axis=1)]
    return pd.DataFrame({"state": labels, "age": age, "dose": dose, "colour": colour})


def pipeline(C: float) -> Any:
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["age", "dose"]),
            ("texts", OneHotEncoder(drop=["red"]), ["colour"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression(C=C, tol=1e-12, max_iter=10_000))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    frame().to_csv(path, index=False)
    return path


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("C", [0.1, 10.0])
def test_the_pipeline_of_scikit_learn_says_the_same(
    tmp_path: Path, n_classes: int, C: float
) -> None:
    path = tmp_path / "table.csv"
    data = frame(n_classes=n_classes)
    data.to_csv(path, index=False)
    fitted = fit_file(path, FitOptions("state", C=C, seed=3))
    labels = sorted(set(data["state"]))
    actual = np.array([labels.index(label) for label in data["state"]])
    training, held = hold_out(actual, 0.2, 3)
    theirs = pipeline(C).fit(data.iloc[training], data["state"].iloc[training])
    proba = fitted.model.predict_proba(read_table(path))
    np.testing.assert_allclose(proba, theirs.predict_proba(data), rtol=0, atol=2e-6)
    assert fitted.model.classes == tuple(theirs.classes_)
    metrics = measure(actual[held], theirs.predict_proba(data.iloc[held]), tuple(labels))
    assert fitted.metrics is not None
    assert fitted.metrics.log_loss == pytest.approx(metrics.log_loss, abs=1e-5)
    assert fitted.model.training.rows == len(training)
    assert fitted.model.certificate.facts["proven"] is True


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_coefficients_on_their_own_scale_give_the_same_odds(
    tmp_path: Path, n_classes: int
) -> None:
    path = tmp_path / "table.csv"
    data = frame(n_classes=n_classes)
    data.to_csv(path, index=False)
    model = fit_file(path, FitOptions("state", holdout=0)).model
    raw = np.column_stack(
        [data["age"], data["dose"], data["colour"] == "blue", data["colour"] == "green"]
    ).astype(np.float64)
    log_proba = np.log(model.predict_proba(read_table(path)))
    for label, intercept in model.own_intercepts().items():
        own = np.array([row.own_scale for row in model.coefficients() if row.label == label])
        place = model.classes.index(label)
        # The odds against the other class, or against the geometric mean of all.
        against = log_proba[:, 0] if n_classes == 2 else log_proba.mean(axis=1)
        np.testing.assert_allclose(
            raw @ own + intercept, log_proba[:, place] - against, rtol=0, atol=1e-9
        )


def test_positive_turns_the_sign_and_nothing_else(saved: Path) -> None:
    plain = fit_file(saved, FitOptions("state")).model
    turned = fit_file(saved, FitOptions("state", positive="healthy")).model
    assert plain.classes == ("healthy", "ill")
    assert turned.classes == ("ill", "healthy")
    np.testing.assert_allclose(turned.coef, -plain.coef, atol=1e-7)


def test_labels_that_are_numbers_stay_labels(tmp_path: Path) -> None:
    data = frame()
    data["state"] = np.where(data["state"] == "ill", 10, 9)
    data.to_parquet(tmp_path / "table.parquet")
    model = fit_file(tmp_path / "table.parquet", FitOptions("state")).model
    assert model.classes == ("9", "10")


def test_nothing_of_the_held_out_rows_reaches_the_model(tmp_path: Path) -> None:
    data = frame()
    data.to_csv(tmp_path / "plain.csv", index=False)
    plain = fit_file(tmp_path / "plain.csv", FitOptions("state")).model
    actual = (data["state"] == "ill").to_numpy().astype(np.int64)
    _, held = hold_out(actual, 0.2, 0)
    data.loc[held, "age"] = 1e6
    data.loc[held[0], "colour"] = "mauve"
    data.to_csv(tmp_path / "changed.csv", index=False)
    changed = fit_file(tmp_path / "changed.csv", FitOptions("state"))
    assert changed.model.specs == plain.specs
    np.testing.assert_array_equal(changed.model.coef, plain.coef)
    assert changed.notes == (
        "not measured: 1 of 48 held-out rows, which carry a category that no training row has.",
    )


def with_gaps() -> Any:
    data = frame()
    data.loc[[3, 50, 51], "age"] = np.nan
    data.loc[[3, 70], "colour"] = None
    return data


def test_drop_is_the_fit_of_what_is_left(tmp_path: Path) -> None:
    with_gaps().to_csv(tmp_path / "gaps.csv", index=False)
    with_gaps().dropna().to_csv(tmp_path / "whole.csv", index=False)
    dropped = fit_file(tmp_path / "gaps.csv", FitOptions("state", missing="drop"))
    whole = fit_file(tmp_path / "whole.csv", FitOptions("state"))
    np.testing.assert_array_equal(dropped.model.coef, whole.model.coef)
    assert dropped.model.training.dropped == 4
    assert dropped.notes == ("4 of 240 rows have a missing value: dropped.",)


@pytest.mark.parametrize("missing", ["mean", "indicator"])
def test_filling_in_keeps_every_row(tmp_path: Path, missing: Any) -> None:
    with_gaps().to_csv(tmp_path / "gaps.csv", index=False)
    fitted = fit_file(tmp_path / "gaps.csv", FitOptions("state", missing=missing, holdout=0))
    assert fitted.model.training.rows == 240
    assert fitted.metrics is None
    proba = fitted.model.predict_proba(read_table(tmp_path / "gaps.csv"))
    assert np.isfinite(proba).all()


def test_separated_classes_without_penalty_are_said_to_be_so() -> None:
    fitted = fit_file(BREAST_CANCER, FitOptions("diagnosis", C=float("inf")))
    assert "no finite optimum" in fitted.model.certificate.sentence
    assert any("there is no finite optimum" in note for note in fitted.notes)


def fails(path: Path, **choices: Any) -> str:
    with pytest.raises(DataError) as caught:
        fit_file(path, FitOptions(**{"target": "state", **choices}))
    return str(caught.value)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text)
    return path


def test_a_wrong_target(saved: Path) -> None:
    assert "no column is named 'State'. Did you mean 'state'? The columns are: state, age" in fails(
        saved, target="State"
    )


def test_a_wrong_positive_label(saved: Path) -> None:
    assert "has no label 'sick'. --positive takes one of 'healthy', 'ill'." in fails(
        saved, positive="sick"
    )


def test_positive_with_three_labels(tmp_path: Path) -> None:
    frame(n_classes=3).to_csv(tmp_path / "three.csv", index=False)
    assert "--positive applies to two-class targets only" in fails(
        tmp_path / "three.csv", positive="ill"
    )


def test_one_class_only(tmp_path: Path) -> None:
    path = write(tmp_path, "state,x\nill,1\nill,2\n")
    assert "the target 'state' is 'ill' in every row" in fails(path)


def test_a_target_of_measurements(tmp_path: Path) -> None:
    path = write(tmp_path, "state,x\n" + "".join(f"{i / 7},{i % 5}\n" for i in range(90)))
    assert "has 90 distinct numbers. Logistic regression predicts at most 50 classes" in fails(path)


def test_missing_values(tmp_path: Path) -> None:
    with_gaps().to_csv(tmp_path / "gaps.csv", index=False)
    said = fails(tmp_path / "gaps.csv")
    assert "values are missing: 'age' in 3 of 240 rows, 'colour' in 2 of 240 rows." in said


def test_a_missing_label_is_never_filled_in(tmp_path: Path) -> None:
    path = write(tmp_path, "state,x\nill,1\n,2\nwell,3\n")
    assert "'state' in 1 of 3 rows" in fails(path)
    assert "the target 'state' is missing in 1 rows, and a target cannot be filled in" in fails(
        path, missing="mean"
    )


def test_no_complete_row(tmp_path: Path) -> None:
    path = write(tmp_path, "state,x,y\nill,,1\nwell,,2\n")
    said = fails(path, missing="drop")
    assert "no row is complete" in said
    assert "Column 'x' has most gaps (2)" in said


def test_only_a_target(tmp_path: Path) -> None:
    assert "no column is left to learn from" in fails(write(tmp_path, "state\nill\nwell\n"))


def test_the_target_ignored(saved: Path) -> None:
    assert "is the target and ignored" in fails(saved, ignore=("state",))


@pytest.mark.parametrize(
    "text",
    [
        "state,x\nill,1e100\nwell,2e100\nill,-3e100\nwell,1e99\n",
        "state,x\nill,1e-208\nwell,3e-208\nill,-2e-208\nwell,5e-208\n",
        "state,x,y\nill,1e30,1e-30\nwell,2e30,4e-30\nill,5e30,0\nwell,1e29,2e-30\n",
        "state,x\nill,1\nwell,2\n",
    ],
)
def test_extreme_numbers_end_in_finite_ones(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    fitted: FittedTable = fit_file(path, FitOptions("state", holdout=0))
    assert np.isfinite(fitted.model.coef).all()
    assert np.isfinite(fitted.model.predict_proba(read_table(path))).all()
    assert fitted.model.certificate.facts["proven"] is True


def test_what_is_told_while_it_works(saved: Path) -> None:
    told: list[str] = []
    fit_file(saved, FitOptions("state"), told.append)
    assert told[0] == "reading table.csv"
    assert any("step 1, objective" in words for words in told)
    assert told[-1] == "measuring on 48 held-out rows"
