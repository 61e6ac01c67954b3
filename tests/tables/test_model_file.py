"""The model file: back to the same bits, or refused with the place that is wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import DataError, ModelFileError
from chainrule.storage import atomic_text, check_writable
from chainrule.tables.model import TableModel
from chainrule.tables.model_file import from_document, to_document
from chainrule.tables.records import CertificateRecord, ModelRecord, TrainingRecord
from chainrule.tables.specs import CategorySpec, NumberSpec, Spec, features

finite = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(st.characters(codec="utf-8"), max_size=6)


@st.composite
def models(draw: st.DrawFn) -> TableModel:
    names = draw(st.lists(words, min_size=2, max_size=5, unique=True))
    specs: list[Spec] = []
    for name in names[1:]:
        if draw(st.booleans()):
            scale = draw(st.floats(1e-300, 1e300))
            specs.append(
                NumberSpec(name, draw(finite), scale, draw(st.booleans()), draw(st.booleans()))
            )
        else:
            base, *others = draw(st.lists(words, min_size=2, max_size=4, unique=True))
            fill = draw(st.sampled_from([None, base, *others]))
            specs.append(CategorySpec(name, base, tuple(others), fill, draw(st.booleans())))
    classes = draw(st.lists(words, min_size=2, max_size=4, unique=True))
    n_rows = 1 if len(classes) == 2 else len(classes)
    n_features = len(features(tuple(specs)))
    row = st.lists(finite, min_size=n_features, max_size=n_features)
    coef = draw(st.lists(row, min_size=n_rows, max_size=n_rows))
    intercept = draw(st.lists(finite, min_size=n_rows, max_size=n_rows))
    facts = draw(st.dictionaries(words, finite | st.booleans() | words | st.none(), max_size=3))
    return TableModel(
        target=names[0],
        classes=tuple(classes),
        specs=tuple(specs),
        coef=np.array(coef),
        intercept=np.array(intercept),
        certificate=CertificateRecord(draw(words), facts),
        training=TrainingRecord(
            rows=draw(st.integers(0, 10**12)),
            held_out=draw(st.integers(0, 100)),
            dropped=0,
            seed=draw(st.integers(0, 2**40)),
            missing=draw(st.sampled_from(["refuse", "drop", "mean", "indicator"])),
            C=draw(st.floats(1e-300) | st.just(float("inf"))),
            objective=draw(finite),
            iterations=draw(st.integers(0, 100)),
            metrics={"auc": draw(finite | st.none())},
        ),
    )


@given(model=models())
def test_it_reads_back_to_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory, model: TableModel
) -> None:
    path = tmp_path_factory.mktemp("models") / "model.json"
    model.save(path)
    back = TableModel.load(path)
    assert to_document(back) == to_document(model)
    assert back.specs == model.specs
    assert back.training == model.training
    assert back.coef.tobytes() == model.coef.tobytes()
    assert back.intercept.tobytes() == model.intercept.tobytes()


@pytest.mark.parametrize("place", ["target", "note"])
def test_half_a_character_is_refused(tmp_path: Path, place: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(document() | {place: "a\ud800"}))
    with pytest.raises(ModelFileError, match="half of a character"):
        TableModel.load(path)


def document() -> dict[str, Any]:
    model = TableModel(
        target="ill",
        classes=("no", "yes"),
        specs=(NumberSpec("age", 50.0, 10.0), CategorySpec("colour", "red", ("blue",))),
        coef=np.array([[0.5, -1.0]]),
        intercept=np.array([0.25]),
        certificate=CertificateRecord("Proven.", {"proven": True}),
        training=TrainingRecord(80, 20, 0, 0, "refuse", 1.0, 12.5, 7),
    )
    found: dict[str, Any] = json.loads(json.dumps(to_document(model)))
    return found


Change = Callable[[dict[str, Any]], object]

DAMAGE: dict[str, tuple[Change, str]] = {
    "foreign": (lambda d: d.update(format="x"), "this JSON is not a chainrule model"),
    "newer": (lambda d: d.update(schema=3), "schema version 3, this chainrule reads 1 and 2"),
    "lacking": (lambda d: d.pop("intercepts"), "the file: 'intercepts' is not there"),
    "more": (lambda d: d.update(extra=1), "the file: 'extra' does not belong there"),
    "one class": (lambda d: d.update(classes=["no"]), "classes: a list of 2 or more"),
    "a class twice": (lambda d: d.update(classes=["a", "a"]), "classes: 'a' is there twice"),
    "a class as number": (lambda d: d.update(classes=["a", 1]), "a text was expected, not 1"),
    "no columns": (lambda d: d.update(columns=[]), "columns: a list of 1 or more"),
    "a column twice": (
        lambda d: d["columns"].append(d["columns"][0]),
        "columns: 'age' is there twice",
    ),
    "zero scale": (
        lambda d: d["columns"][0].update(scale=0),
        "column 'age': scale: 0.0 is not above zero",
    ),
    "mean as text": (
        lambda d: d["columns"][0].update(mean="50"),
        "column 'age': mean: a number was expected, not '50'",
    ),
    "truth as scale": (lambda d: d["columns"][0].update(scale=True), "a number was expected"),
    "a kind": (
        lambda d: d["columns"][1].update(kind="picture"),
        "column 'colour': kind 'picture' is neither 'number' nor 'category'",
    ),
    "base among others": (
        lambda d: d["columns"][1].update(base="blue"),
        "column 'colour': categories: 'blue' is there twice",
    ),
    "a foreign fill": (
        lambda d: d["columns"][1].update(fill="mauve"),
        "column 'colour': fill: 'mauve' is none of its categories",
    ),
    "features": (
        lambda d: d["features"].reverse(),
        "features: they do not follow from the columns",
    ),
    "few coefficients": (
        lambda d: d.update(coefficients=[[1.0]]),
        "coefficients: 1 numbers, 2 expected",
    ),
    "many rows": (
        lambda d: d.update(coefficients=[[1.0, 2.0], [1.0, 2.0]]),
        "coefficients: 2 rows, 1 expected",
    ),
    "null coefficient": (
        lambda d: d["coefficients"][0].__setitem__(1, None),
        "coefficients of 'colour = blue': a number was expected, not None",
    ),
    "huge coefficient": (
        lambda d: d["coefficients"][0].__setitem__(0, 10**400),
        "coefficients of 'age': the number is too large",
    ),
    "intercepts": (lambda d: d.update(intercepts=[]), "intercepts: 0 numbers, 1 expected"),
    "target in columns": (
        lambda d: d.update(target="age"),
        "column 'age': it is the target and a column to learn from",
    ),
    "training": (lambda d: d["training"].update(rows=-1), "training: rows: a whole number from 0"),
    "missing": (lambda d: d["training"].update(missing="guess"), "'guess' is none of"),
    "certificate": (lambda d: d.update(certificate=[]), "certificate: a record {...} was expected"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_named(case: str) -> None:
    change, said = DAMAGE[case]
    damaged = document()
    change(damaged)
    with pytest.raises(ModelFileError) as caught:
        from_document(damaged, "model.json")
    assert str(caught.value).startswith("model.json: ")
    assert said in str(caught.value)


def test_the_sound_document_loads() -> None:
    record = from_document(document(), "model.json")
    assert isinstance(record, ModelRecord)
    assert record.classes == ("no", "yes")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "this is not a model file, or it is cut short"),
        (b"\x00\xff\xfe", "this is not a model file: it is not text"),
        (b"{", "cut short: no valid JSON at line 1"),
        (b"[1, 2]", "the file: a record {...} was expected"),
        (b'{"format": NaN}', "no valid JSON"),
        (b"[" * 100_000, "no valid JSON"),
    ],
)
def test_no_model_at_all(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        TableModel.load(path)
    assert said in str(caught.value)


@given(cut=st.integers(1, 900))
def test_a_model_cut_short_never_loads(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("models") / "model.json"
    path.write_text(json.dumps(document())[:-cut])
    with pytest.raises(ModelFileError):
        TableModel.load(path)


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="there is no such file"):
        TableModel.load(tmp_path / "model.json")


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text("before")

    def interrupted() -> None:
        with atomic_text(path) as file:
            file.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["model.json"]


def test_a_write_follows_a_link_and_keeps_the_permissions(tmp_path: Path) -> None:
    path, link = tmp_path / "model.json", tmp_path / "link.json"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    with atomic_text(link) as file:
        file.write("after")
    assert link.is_symlink()
    assert path.read_text() == "after"
    assert path.stat().st_mode & 0o777 == 0o640


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="its folder does not exist"):
        check_writable(tmp_path / "nowhere" / "model.json")
    with pytest.raises(DataError, match="this is a folder"):
        check_writable(tmp_path)
    with (
        pytest.raises(DataError, match="its folder does not exist"),
        atomic_text(tmp_path / "nowhere" / "model.json"),
    ):
        pytest.fail("the block must not run")
