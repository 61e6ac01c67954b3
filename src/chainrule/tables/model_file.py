"""The model file: JSON with a schema version, validated on loading.

Nothing in it is executed. Numbers are written so that they read back to the same bits.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from chainrule import __version__
from chainrule.errors import ModelFileError
from chainrule.storage import atomic_text, read_small_text
from chainrule.tables.files.errors import unreadable
from chainrule.tables.fit_rows_file import fit_rows_document, read_fit_rows
from chainrule.tables.formula_file import formula_document, read_formula
from chainrule.tables.inference_file import inference_document, read_inference
from chainrule.tables.json_reader import Reader, distinct_keys
from chainrule.tables.loss_file import loss_document, read_loss
from chainrule.tables.offsets import OffsetColumns
from chainrule.tables.reading_record import read_reading, reading_document
from chainrule.tables.records import (
    CertificateRecord,
    ColumnRecord,
    Fact,
    ModelRecord,
    RegressionRecord,
    TrainingRecord,
)
from chainrule.tables.specs import (
    MISSING_CHOICES,
    UNKNOWN_CHOICES,
    CategorySpec,
    Groups,
    NumberSpec,
    Spec,
    features,
)

FORMAT = "chainrule table model"
SCHEMA = 1
"""Of a model of classes."""

REGRESSION_SCHEMA = 2
"""Of a regression, with its loss."""

_KEYS = {"format", "schema", "chainrule", "note", "target", "columns", "features"} | {
    "coefficients",
    "intercepts",
    "certificate",
    "training",
}

_LATER: Final = ("l1_ratio", "adaptive", "groups", "gamma")
"""Entries of the training that files of earlier versions lack."""

_SCALE_NOTE = (
    "coefficients multiply (value - mean) / scale of a number column and the 0/1 indicators of "
    "categories and of missing values, in the order of 'features'"
)


def save(model: ModelRecord | RegressionRecord, path: str | Path) -> None:
    """Write the model, whole or not at all."""
    with atomic_text(path) as file:
        json.dump(to_document(model), file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def to_document(model: ModelRecord | RegressionRecord) -> dict[str, Any]:
    """Return the model as JSON values."""
    if isinstance(model, RegressionRecord):
        return {
            **_head(model, REGRESSION_SCHEMA),
            "loss": loss_document(model.loss),
            "offset": model.offsets.offset,
            "exposure": model.offsets.exposure,
            **_tail(model),
        }
    offset = {} if model.offsets.offset is None else {"offset": model.offsets.offset}
    threshold = {} if model.threshold is None else {"threshold": model.threshold}
    return {
        **_head(model, SCHEMA),
        "classes": list(model.classes),
        **offset,
        **threshold,
        **_tail(model),
    }


def _head(model: ColumnRecord, schema: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "schema": schema,
        "chainrule": __version__,
        "note": _SCALE_NOTE,
        "target": model.target,
    }


def _tail(model: ColumnRecord) -> dict[str, Any]:
    formula = {} if model.formula is None else {"formula": formula_document(model.formula)}
    kept = model.inference
    inference = {} if kept is None else {"inference": inference_document(kept)}
    seen = model.trained_on
    trained_on = {} if seen is None else {"trained_on": fit_rows_document(seen)}
    training = asdict(model.training)
    training["metrics"] = _finite(model.training.metrics)
    for entry in fields(TrainingRecord):  # as earlier versions write it
        if entry.name in _LATER and training[entry.name] == entry.default:
            del training[entry.name]
    training["C"] = model.training.C if math.isfinite(model.training.C) else None
    return {
        "columns": [_spec_document(spec) for spec in model.specs],
        "features": [feature.name for feature in model.features],
        "coefficients": model.coef.tolist(),
        "intercepts": model.intercept.tolist(),
        "certificate": {
            "sentence": model.certificate.sentence,
            "facts": _finite(model.certificate.facts),
        },
        "training": training,
        "reading": reading_document(model.reading),
        **formula,
        **inference,
        **trained_on,
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


def load(path: str | Path) -> ModelRecord | RegressionRecord:
    """Read a model file and check it.

    Parameters
    ----------
    path : str or Path
        A file that `save` wrote.

    Returns
    -------
    ModelRecord or RegressionRecord
        The model.

    Raises
    ------
    ModelFileError
        Naming the file, the place in it, and what to do.
    """
    path = Path(path)
    try:
        text = read_small_text(path)
    except UnicodeDecodeError:
        raise ModelFileError(f"{path}: this is not a model file: it is not text.") from None
    except OSError as error:
        raise ModelFileError(str(unreadable(path, error))) from None
    try:
        document = json.loads(
            text, parse_constant=_no_constant, object_pairs_hook=partial(distinct_keys, str(path))
        )
    except ModelFileError:
        raise
    except (ValueError, RecursionError) as error:
        place = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ModelFileError(
            f"{path}: this is not a model file, or it is cut short: no valid JSON{place}. "
            "Write it again with: chainrule fit DATA --target COLUMN --out MODEL."
        ) from None
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise ModelFileError(
            f"{path}: {half!a} is half of a character. Write the file again."
        ) from None
    return from_document(document, str(path))


def _no_constant(word: str) -> float:
    raise ValueError(word)


def from_document(document: object, source: str) -> ModelRecord | RegressionRecord:
    """Build the model from JSON values; see `load`."""
    read = Reader(source)
    top = read.record(document, "the file")
    if top.get("format") != FORMAT:
        raise ModelFileError(f"{source}: this JSON is not a chainrule model.")
    schema = top.get("schema")
    if isinstance(schema, bool) or schema not in (SCHEMA, REGRESSION_SCHEMA):
        raise ModelFileError(
            f"{source}: the model has schema version {schema!r}, this chainrule reads {SCHEMA} and "
            f"{REGRESSION_SCHEMA}. Fit again, or use the chainrule that wrote it "
            f"({top.get('chainrule')})."
        )
    own = {"classes"} if schema == SCHEMA else {"loss", "offset", "exposure"}
    optional = {"reading", "formula", "inference", "trained_on"}
    optional |= {"offset", "threshold"} if schema == SCHEMA else set()
    read.keys(top, _KEYS | own, "the file", optional)
    if schema == REGRESSION_SCHEMA:
        shared = _read_columns(read, top, ("the mean",))
        return RegressionRecord(loss=read_loss(read, top["loss"]), **shared)
    classes = read.words(top["classes"], "classes", least=2)
    outputs = classes[1:] if len(classes) == 2 else classes
    return ModelRecord(
        classes=classes,
        threshold=_read_threshold(read, top.get("threshold"), classes),
        **_read_columns(read, top, outputs),
    )


def _read_threshold(read: Reader, item: object, classes: tuple[str, ...]) -> float | None:
    if item is None:
        return None
    threshold = read.number(item, "threshold")
    if len(classes) > 2:
        raise read.fault("threshold", f"there are {len(classes)} classes, and it is for two")
    if not 0 < threshold < 1:
        raise read.fault("threshold", f"{threshold!r} is not between 0 and 1")
    return threshold


def _read_columns(read: Reader, top: dict[str, Any], outputs: tuple[str, ...]) -> dict[str, Any]:
    """Read what every model holds: one row of coefficients per output."""
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
    rows = read.items(top["coefficients"], "coefficients", least=len(outputs))
    if len(rows) != len(outputs):
        raise read.fault("coefficients", f"{len(rows)} rows, {len(outputs)} expected")
    coef = [read.numbers(row, named, "coefficients") for row in rows]
    intercept = read.numbers(top["intercepts"], list(outputs), "intercepts")
    return {
        "target": target,
        "specs": specs,
        "coef": np.array(coef, dtype=np.float64),
        "intercept": np.array(intercept, dtype=np.float64),
        "certificate": _read_certificate(read, top["certificate"]),
        "training": _read_training(read, top["training"]),
        "offsets": OffsetColumns(
            *(read.word_or_none(top.get(role), role) for role in ("offset", "exposure"))
        ),
        "reading": read_reading(read, top.get("reading")),
        "formula": read_formula(read, top.get("formula")),
        "inference": read_inference(read, top.get("inference")),
        "trained_on": read_fit_rows(read, top.get("trained_on")),
    }


def _read_spec(read: Reader, item: object, place: str) -> Spec:
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
        optional = {"rare", "unknown"}
        known = {entry.name for entry in fields(CategorySpec)}
        read.keys(record, {"kind", *(known - optional)}, place, optional)
        base = read.word(record["base"], f"{place}: base")
        others = read.words(record["others"], f"{place}: others", least=1)
        read.distinct([base, *others], f"{place}: categories")
        fill = record["fill"]
        if fill is not None and fill not in (base, *others):
            raise read.fault(f"{place}: fill", f"{fill!r} is none of its categories")
        from_numbers = read.truth(record["from_numbers"], f"{place}: from_numbers")
        rare = read.words(record.get("rare", []), f"{place}: rare", least=0)
        unknown = record.get("unknown", "error")
        if unknown not in UNKNOWN_CHOICES:
            raise read.fault(f"{place}: unknown", f"{unknown!r} is none of {UNKNOWN_CHOICES}")
        return CategorySpec(name, base, others, fill, from_numbers, rare, unknown)
    raise read.fault(place, f"kind {kind!r} is neither 'number' nor 'category'")


def _read_certificate(read: Reader, item: object) -> CertificateRecord:
    record = read.record(item, "certificate")
    read.keys(record, {"sentence", "facts"}, "certificate")
    return CertificateRecord(
        read.word(record["sentence"], "certificate: sentence"),
        read.facts(record["facts"], "certificate: facts"),
    )


def _read_training(read: Reader, item: object) -> TrainingRecord:
    record = read.record(item, "training")
    names = {entry.name for entry in fields(TrainingRecord)}
    read.keys(record, names - set(_LATER), "training", _LATER)
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
        l1_ratio=read.number(record.get("l1_ratio", 0.0), "training: l1_ratio"),
        adaptive=read.truth(record.get("adaptive", False), "training: adaptive"),
        groups=_read_groups(read, record.get("groups")),
        gamma=_read_gamma(read, record.get("gamma", 1.0)),
        **whole,
    )


def _read_groups(read: Reader, item: object) -> Groups | None:
    if item is None:
        return None
    if item == "levels":
        return "levels"
    raise read.fault("training: groups", f"{item!r} is not 'levels'")


def _read_gamma(read: Reader, item: object) -> float:
    gamma = read.number(item, "training: gamma")
    if not 0 <= gamma <= 1:
        raise read.fault("training: gamma", f"{gamma:g} is not a share from 0 to 1")
    return gamma
