"""An evaluator of the part of PMML that exports use, from the document alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from scipy import special

from chainrule.tables.export.pmml_document import NAMESPACE

_SPACE: Final = {"p": NAMESPACE}
Value = float | str | None


def run_pmml(
    text: str, outputs: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> list[list[float] | None]:
    """Return the output fields of a document for each row; None where a value is refused."""
    root = ElementTree.fromstring(text)
    model = root.find("p:RegressionModel", _SPACE)
    assert model is not None
    valid = {
        str(field.get("name")): {str(v.get("value")) for v in field.findall("p:Value", _SPACE)}
        for field in root.findall("p:DataDictionary/p:DataField", _SPACE)
    }
    return [_row(model, valid, outputs, row) for row in rows]


def _row(
    model: Element, valid: Mapping[str, set[str]], outputs: Sequence[str], row: Mapping[str, Any]
) -> list[float] | None:
    values: dict[str, Value] = {}
    for field in model.findall("p:MiningSchema/p:MiningField", _SPACE):
        name = str(field.get("name"))
        if field.get("usageType") == "target":
            continue
        value = row[name]
        if value is None and field.get("missingValueTreatment") == "returnInvalid":
            return None
        wrong = value is not None and valid[name] and value not in valid[name]
        if wrong and field.get("invalidValueTreatment") == "returnInvalid":
            return None
        values[name] = value
    for field in model.findall("p:LocalTransformations/p:DerivedField", _SPACE):
        values[str(field.get("name"))] = _value(field[0], values)
    tables = model.findall("p:RegressionTable", _SPACE)
    scores = [_score(table, values) for table in tables]
    if any(score is None for score in scores):
        return None
    results = _normalised(
        [s for s in scores if s is not None], str(model.get("normalizationMethod"))
    )
    shares = {str(t.get("targetCategory")): r for t, r in zip(tables, results, strict=True)}
    found = {
        str(field.get("name")): shares[str(field.get("value"))]
        if field.get("feature") == "probability"
        else results[0]
        for field in model.findall("p:Output/p:OutputField", _SPACE)
    }
    return [found[name] for name in outputs]


def _value(node: Element, values: Mapping[str, Value]) -> Value:
    """Return the value of an expression."""
    kind = node.tag.rpartition("}")[2]
    if kind == "FieldRef":
        return values[str(node.get("field"))]
    if kind == "Constant":
        text = node.text or ""
        return text if node.get("dataType") == "string" else float(text)
    function = node.get("function")
    given = [_value(inner, values) for inner in node]
    if function == "isMissing":
        return float(given[0] is None)
    if any(value is None for value in given):
        missing = node.get("mapMissingTo")
        return None if missing is None else float(missing)
    if function == "isNotIn":
        return float(given[0] not in given[1:])
    if function == "if":
        return given[1] if given[0] else given[2]
    numbers = [float(value) for value in given if value is not None]
    if function == "ln":
        return math.log(numbers[0])
    return numbers[0] - numbers[1] if function == "-" else numbers[0] / numbers[1]


def _score(table: Element, values: Mapping[str, Value]) -> float | None:
    """Return the sum of a regression table; a categorical predictor counts where it is met."""
    total = float(str(table.get("intercept")))
    for part in table.findall("p:NumericPredictor", _SPACE):
        value = values[str(part.get("name"))]
        if value is None:
            return None
        total += float(value) * float(str(part.get("coefficient")))
    for part in table.findall("p:CategoricalPredictor", _SPACE):
        if values[str(part.get("name"))] == part.get("value"):
            total += float(str(part.get("coefficient")))
    return total


def _normalised(scores: list[float], method: str) -> list[float]:
    if method == "softmax":
        return [float(v) for v in special.softmax(scores)]
    z = scores[0]
    if method == "logit":
        return [float(special.expit(z)), float(special.expit(-z))]
    one = {
        "none": lambda: z,
        "exp": lambda: math.exp(z),
        "probit": lambda: float(special.ndtr(z)),
        "cloglog": lambda: -math.expm1(-math.exp(z)),
    }[method]()
    return [one, *scores[1:]]
