"""The model file: JSON with a schema version, validated on loading.

Nothing in it is executed. Numbers are written so that they read back to the same bits.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import __version__
from chainrule.errors import ModelFileError
from chainrule.tables.file_errors import unreadable
from chainrule.tables.records import CertificateRecord, Fact, ModelRecord, TrainingRecord
from chainrule.tables.specs import MISSING_CHOICES, CategorySpec, NumberSpec, Spec, features
from chainrule.tables.writing import atomic_text

FORMAT = "chainrule table model"
SCHEMA = 1

_SCALE_NOTE = (
    "coefficients multiply (value - mean) / scale of a number column and the 0/1 indicators of "
    "categories and of missing values, in the order of 'features'"
)


def save(model: ModelRecord, path: str | Path) -> None:
    """Write the model atomically."""
    with atomic_text(path) as file:
        json.dump(to_document(model), file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def to_document(model: ModelRecord) -> dict[str, Any]:
    """Return the model as JSON values."""
    training = asdict(model.training)
    training["metrics"] = _finite(model.training.metrics)
    training["C"] = model.training.C if math.isfinite(model.training.C) else None
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "chainrule": __version__,
        "note": _SCALE_NOTE,
        "target": model.target,
        "classes": list(model.classes),
        "columns": [_spec_document(spec) for spec in model.specs],
        "features": [feature.name for feature in model.features],
        "coefficients": model.coef.tolist(),
        "intercepts": model.intercept.tolist(),
        "certificate": {
            "sentence": model.certificate.sentence,
            "facts": _finite(model.certificate.facts),
        },
        "training": training,
    }


def _spec_document(spec: Spec) -> dict[str, Any]:
    kind = "number" if isinstance(spec, NumberSpec) else "category"
    return {"kind": kind, **asdict(spec)}


def _finite(facts: dict[str, Fact]) -> dict[str, Fact]:
    """Return null for a number that is not finite."""
    return {
        name: None if isinstance(fact, float) and not math.isfinite(fact) else fact
        for name, fact in facts.items()
    }


def load(path: str | Path) -> ModelRecord:
    """Return the model of a file, validated.

    Parameters
    ----------
    path : str or Path
        A file that `save` wrote.

    Returns
    -------
    ModelRecord
        The model.

    Raises
    ------
    ModelFileError
        Naming the file, the place in it, and what to do.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ModelFileError(f"{path}: this is not a model file: it is not text.") from None
    except OSError as error:
        raise ModelFileError(str(unreadable(path, error))) from None
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        place = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ModelFileError(
            f"{path}: this is not a model file, or it is cut short: no valid JSON{place}. "
            "Write it again with: chainrule fit DATA --target COLUMN --out MODEL."
        ) from None
    return from_document(document, str(path))


def _no_constant(word: str) -> float:
    raise ValueError(word)


def from_document(document: object, source: str) -> ModelRecord:
    """Return the model from JSON values; see `load`."""
    read = _JsonReader(source)
    top = read.record(document, "the file")
    if top.get("format") != FORMAT:
        raise ModelFileError(f"{source}: this JSON is not a chainrule model.")
    schema = top.get("schema")
    if schema != SCHEMA or isinstance(schema, bool):
        raise ModelFileError(
            f"{source}: the model has schema version {schema!r}, this chainrule reads {SCHEMA}. "
            f"Fit again, or use the chainrule that wrote it ({top.get('chainrule')})."
        )
    keys = {"format", "schema", "chainrule", "note", "target", "classes", "columns", "features"}
    read.keys(top, keys | {"coefficients", "intercepts", "certificate", "training"}, "the file")
    classes = read.words(top["classes"], "classes", least=2)
    specs = tuple(
        _read_spec(read, item, f"columns[{place}]")
        for place, item in enumerate(read.items(top["columns"], "columns", least=1))
    )
    read.distinct([spec.name for spec in specs], "columns")
    target = read.word(top["target"], "target")
    if target in [spec.name for spec in specs]:
        raise read.fault(f"column {target!r}", "it is the target and a column to learn from")
    named = [feature.name for feature in features(specs)]
    if read.words(top["features"], "features", least=1, distinct=False) != tuple(named):
        raise read.fault("features", "they do not follow from the columns")
    n_rows = 1 if len(classes) == 2 else len(classes)
    rows = read.items(top["coefficients"], "coefficients", least=n_rows)
    if len(rows) != n_rows:
        raise read.fault("coefficients", f"{len(rows)} rows, {n_rows} expected")
    coef = [read.numbers(row, named, "coefficients") for row in rows]
    intercept = read.numbers(top["intercepts"], list(classes[-n_rows:]), "intercepts")
    return ModelRecord(
        target=target,
        classes=classes,
        specs=specs,
        coef=np.array(coef, dtype=np.float64),
        intercept=np.array(intercept, dtype=np.float64),
        certificate=_read_certificate(read, top["certificate"]),
        training=_read_training(read, top["training"]),
    )


def _read_spec(read: _JsonReader, item: object, place: str) -> Spec:
    record = read.record(item, place)
    name = read.word(record.get("name"), f"{place}.name")
    place = f"column {name!r}"
    kind = record.get("kind")
    if kind == "number":
        read.keys(record, {"kind", *(entry.name for entry in fields(NumberSpec))}, place)
        scale = read.number(record["scale"], f"{place}: scale")
        if scale <= 0:
            raise read.fault(f"{place}: scale", f"{scale!r} is not above zero")
        return NumberSpec(
            name,
            read.number(record["mean"], f"{place}: mean"),
            scale,
            read.truth(record["fills"], f"{place}: fills"),
            read.truth(record["indicator"], f"{place}: indicator"),
        )
    if kind == "category":
        read.keys(record, {"kind", *(entry.name for entry in fields(CategorySpec))}, place)
        base = read.word(record["base"], f"{place}: base")
        others = read.words(record["others"], f"{place}: others", least=1)
        read.distinct([base, *others], f"{place}: categories")
        fill = record["fill"]
        if fill is not None and fill not in (base, *others):
            raise read.fault(f"{place}: fill", f"{fill!r} is none of its categories")
        from_numbers = read.truth(record["from_numbers"], f"{place}: from_numbers")
        return CategorySpec(name, base, others, fill, from_numbers)
    raise read.fault(place, f"kind {kind!r} is neither 'number' nor 'category'")


def _read_certificate(read: _JsonReader, item: object) -> CertificateRecord:
    record = read.record(item, "certificate")
    read.keys(record, {"sentence", "facts"}, "certificate")
    return CertificateRecord(
        read.word(record["sentence"], "certificate: sentence"),
        read.facts(record["facts"], "certificate: facts"),
    )


def _read_training(read: _JsonReader, item: object) -> TrainingRecord:
    record = read.record(item, "training")
    read.keys(record, {entry.name for entry in fields(TrainingRecord)}, "training")
    missing = record["missing"]
    if missing not in MISSING_CHOICES:
        raise read.fault("training: missing", f"{missing!r} is none of {MISSING_CHOICES}")
    whole = {
        name: read.whole(record[name], f"training: {name}")
        for name in ("rows", "held_out", "dropped", "seed", "iterations")
    }
    return TrainingRecord(
        missing=missing,
        C=math.inf if record["C"] is None else read.number(record["C"], "training: C"),
        objective=read.number(record["objective"], "training: objective"),
        metrics=read.facts(record["metrics"], "training: metrics"),
        **whole,
    )


class _JsonReader:
    """Reads JSON values of expected types; its errors name the path."""

    def __init__(self, source: str) -> None:
        self.source = source

    def fault(self, place: str, why: str) -> ModelFileError:
        return ModelFileError(
            f"{self.source}: the model file is damaged: {place}: {why}. Fit the model again."
        )

    def record(self, value: object, place: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.fault(place, "a record {...} was expected")
        return value

    def keys(self, record: dict[str, Any], expected: set[str], place: str) -> None:
        if lacking := sorted(expected - record.keys()):
            raise self.fault(place, f"{lacking[0]!r} is not there")
        if foreign := sorted(record.keys() - expected):
            raise self.fault(place, f"{foreign[0]!r} does not belong there")

    def items(self, value: object, place: str, least: int) -> list[Any]:
        if not isinstance(value, list) or len(value) < least:
            raise self.fault(place, f"a list of {least} or more was expected")
        return value

    def word(self, value: object, place: str) -> str:
        if not isinstance(value, str):
            raise self.fault(place, f"a text was expected, not {value!r}")
        return value

    def words(
        self, value: object, place: str, least: int, distinct: bool = True
    ) -> tuple[str, ...]:
        found = tuple(self.word(item, place) for item in self.items(value, place, least))
        if distinct:
            self.distinct(found, place)
        return found

    def distinct(self, words: Iterable[str], place: str) -> None:
        seen: set[str] = set()
        for word in words:
            if word in seen:
                raise self.fault(place, f"{word!r} is there twice")
            seen.add(word)

    def truth(self, value: object, place: str) -> bool:
        if not isinstance(value, bool):
            raise self.fault(place, f"true or false was expected, not {value!r}")
        return value

    def number(self, value: object, place: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fault(place, f"a number was expected, not {value!r}")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.fault(place, "the number is too large")
        return number

    def whole(self, value: object, place: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.fault(place, f"a whole number from 0 was expected, not {value!r}")
        return value

    def numbers(self, value: object, names: list[str], place: str) -> list[float]:
        items = self.items(value, place, least=0)
        if len(items) != len(names):
            raise self.fault(place, f"{len(items)} numbers, {len(names)} expected")
        return [
            self.number(item, f"{place} of {name!r}")
            for item, name in zip(items, names, strict=True)
        ]

    def facts(self, value: object, place: str) -> dict[str, Fact]:
        record = self.record(value, place)
        for name, fact in record.items():
            if fact is not None and not isinstance(fact, str | int | float):
                raise self.fault(f"{place}: {name}", "a number, a text or null was expected")
        return dict(record)
