"""The model file of a regression: back to the same model, or refused with the damaged place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.engine.losses.facts import Targets
from chainrule.errors import ModelFileError
from chainrule.tables.chosen_loss import ChosenLoss
from chainrule.tables.losses import choose_loss
from chainrule.tables.model import TableModel
from chainrule.tables.model_file import from_document, to_document
from chainrule.tables.offsets import OffsetColumns
from chainrule.tables.records import CertificateRecord, RegressionRecord, TrainingRecord
from chainrule.tables.regression import TableRegression
from chainrule.tables.specs import CategorySpec, NumberSpec
from chainrule.tables.table import NumberColumn, Table, TextColumn


def model(loss: ChosenLoss) -> TableRegression:
    return TableRegression(
        target="n",
        specs=(NumberSpec("age", 50.0, 10.0), CategorySpec("colour", "red", ("blue",))),
        coef=np.array([[0.5, -1.0]]),
        intercept=np.array([0.25]),
        certificate=CertificateRecord("Proven.", {"proven": True}),
        training=TrainingRecord(80, 20, 0, 0, "refuse", float("inf"), 12.5, 7, {"rmse": 1.5}),
        loss=loss,
        offsets=OffsetColumns(exposure="years"),
    )


def document(loss: ChosenLoss) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(to_document(model(loss)), allow_nan=False))
    return found


SHIPPED = document(choose_loss("tweedie", {"p": 1.25}))
OWN = document(choose_loss("exp(q z) - y z", {"q": 1.0}, "log"))
SIGNS = document(choose_loss("max(0, 1 - y z)^2", targets=Targets.of(-1, 1)))


@pytest.mark.parametrize("saved", [SHIPPED, OWN, SIGNS], ids=["shipped", "own", "signs"])
def test_it_reads_back_to_the_same_document(saved: dict[str, Any]) -> None:
    back = from_document(json.loads(json.dumps(saved)), "model.json")
    assert json.loads(json.dumps(to_document(back))) == saved
    assert saved["schema"] == 2


def test_targets_that_are_a_few_values_are_read_back() -> None:
    assert SIGNS["loss"]["targets"]["values"] == [-1.0, 1.0]
    assert "values" not in OWN["loss"]["targets"]
    back = from_document(json.loads(json.dumps(SIGNS)), "model.json")
    assert isinstance(back, RegressionRecord)
    assert str(back.loss.row.targets) == "-1 or 1"


Change = Callable[[dict[str, Any]], object]

DAMAGE: dict[str, tuple[Change, str]] = {
    "newer": (lambda d: d.update(schema=3), "schema version 3, this chainrule reads 1 and 2"),
    "older with a loss": (lambda d: d.update(schema=1), "the file: 'classes' is not there"),
    "no loss": (lambda d: d.pop("loss"), "the file: 'loss' is not there"),
    "classes": (lambda d: d.update(classes=["a", "b"]), "'classes' does not belong there"),
    "more": (lambda d: d["loss"].update(extra=1), "loss: 'extra' does not belong there"),
    "an unknown loss": (lambda d: d["loss"].update(name="novel"), "no loss 'novel' ships"),
    "a formula": (
        lambda d: d["loss"].update(name="", formula="__import__('os').system('x')"),
        "the model file is damaged: loss: ",
    ),
    "a constant": (lambda d: d["loss"].update(constants={"p": "1"}), "a number was expected"),
    "a foreign constant": (lambda d: d["loss"].update(constants={"k": 1.0}), "no constant k"),
    "a link": (lambda d: d["loss"].update(link="identity"), "has the link log, not 'identity'"),
    "targets": (lambda d: d["loss"]["targets"].pop("low"), "loss: targets: 'low' is not there"),
    "a target": (
        lambda d: d["loss"]["targets"].update(whole=1),
        "loss: targets: whole: true or false was expected",
    ),
    "a value": (
        lambda d: d["loss"]["targets"].update(values=["-1", 1]),
        "loss: targets: values: a number was expected",
    ),
    "facts": (lambda d: d["loss"].update(facts={"convex": []}), "loss: facts: convex: "),
    "proofs": (lambda d: d["loss"].update(proofs={"convex": 1}), "loss: proofs: convex: a text"),
    "exposure": (lambda d: d.update(exposure=1), "exposure: a text was expected"),
    "two rows": (
        lambda d: d.update(coefficients=[[1.0, 2.0], [1.0, 2.0]]),
        "coefficients: 2 rows, 1 expected",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_named(case: str) -> None:
    change, said = DAMAGE[case]
    damaged = json.loads(json.dumps(SHIPPED))
    change(damaged)
    with pytest.raises(ModelFileError) as caught:
        from_document(damaged, "model.json")
    assert str(caught.value).startswith("model.json: ")
    assert said in str(caught.value)


def test_each_kind_of_model_is_read_as_itself(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    model(choose_loss("poisson")).save(path)
    assert TableRegression.load(path).loss.name == "poisson"
    with pytest.raises(ModelFileError, match="this is the model of a regression"):
        TableModel.load(path)


def rows(**changes: object) -> Table:
    present = np.zeros(2, dtype=np.bool_)
    columns: dict[str, Any] = {
        "age": NumberColumn("age", np.array([50.0, 60.0]), present),
        "colour": TextColumn("colour", np.array([0, 1]), ("red", "blue")),
        "years": NumberColumn("years", np.array([1.0, 2.0]), present),
        **changes,
    }
    kept = {name: column for name, column in columns.items() if column is not None}
    return Table("new.csv", kept, np.array([1, 2]))


def test_predictions_are_the_inverse_link_of_the_score() -> None:
    found = model(choose_loss("poisson")).predict(rows())
    np.testing.assert_allclose(found, [np.exp(0.25), 2.0 * np.exp(0.25 + 0.5 - 1.0)])


def test_an_exposure_is_wanted_in_predictions() -> None:
    fitted = model(choose_loss("poisson"))
    with pytest.raises(ModelFileError, match="The model was fitted with it as offset or exposure"):
        fitted.predict(rows(years=None))
    gap = NumberColumn("years", np.array([0.0, np.nan]), np.array([False, True]))
    with pytest.raises(Exception, match="row 2: the value is missing"):
        fitted.predict(rows(years=gap))
    assert np.isnan(fitted.predict(rows(years=gap), blank=True)).all()


def test_the_intercept_of_the_file_gives_the_same_score() -> None:
    fitted = model(choose_loss("squared"))
    own = [row.own_scale for row in fitted.coefficients()]
    score = fitted.own_intercept + 60.0 * own[0] + own[1]
    np.testing.assert_allclose(score, fitted.predict(rows())[1] - np.log(2.0))
