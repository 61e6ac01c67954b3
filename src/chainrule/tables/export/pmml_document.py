"""A model as PMML 4.4: a RegressionModel with its treatment of missing and of new values."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from chainrule import __version__
from chainrule.errors import DataError
from chainrule.tables.export.scoring import CategoryTerm, NumberTerm, ScoringPlan

NAMESPACE: Final = "http://www.dmg.org/PMML-4_4"
_NORMALISATIONS: Final = {
    "logit": "logit",
    "softmax": "softmax",
    "identity": "none",
    "log": "exp",
    "probit": "probit",
    "cloglog": "cloglog",
}


def write_pmml(plan: ScoringPlan) -> str:
    """Return the document of a model.

    Raises
    ------
    DataError
        When a name holds characters that XML cannot.
    """
    for text in (*plan.columns, *plan.outputs, *plan.classes, plan.target, *_words(plan)):
        if not all(c in "\t\n\r" or " " <= c <= "\ud7ff" or c >= "\ue000" for c in text):
            raise DataError(f"XML cannot hold the control characters of {text!r}: rename it")
    root = Element("PMML", {"version": "4.4", "xmlns": NAMESPACE})
    header = SubElement(root, "Header", {"description": plan.certificate})
    SubElement(header, "Application", {"name": "chainrule", "version": __version__})
    _dictionary(root, plan)
    _model(root, plan)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def categories_of(plan: ScoringPlan) -> list[str]:
    """Return the target categories, in the order of the regression tables; none for a number."""
    return list(reversed(plan.classes)) if plan.link == "logit" else list(plan.classes)


def _words(plan: ScoringPlan) -> list[str]:
    return [w for term in plan.terms if isinstance(term, CategoryTerm) for w in term.levels]


def _dictionary(root: Element, plan: ScoringPlan) -> None:
    dictionary = SubElement(root, "DataDictionary")
    levels = {t.column: t.levels for t in plan.terms if isinstance(t, CategoryTerm)}
    categories = categories_of(plan)
    kind = {"optype": "categorical", "dataType": "string"}
    number = {"optype": "continuous", "dataType": "double"}
    target = SubElement(
        dictionary, "DataField", {"name": plan.target, **(kind if categories else number)}
    )
    for category in categories:
        SubElement(target, "Value", {"value": category})
    for name in plan.columns:
        field = SubElement(
            dictionary, "DataField", {"name": name, **(kind if name in levels else number)}
        )
        for word in levels.get(name, ()):
            SubElement(field, "Value", {"value": word})


def _model(root: Element, plan: ScoringPlan) -> None:
    categories = categories_of(plan)
    model = SubElement(
        root,
        "RegressionModel",
        {
            "functionName": "classification" if categories else "regression",
            "targetFieldName": plan.target,
            "normalizationMethod": _NORMALISATIONS[plan.link],
        },
    )
    schema = SubElement(model, "MiningSchema")
    SubElement(schema, "MiningField", {"name": plan.target, "usageType": "target"})
    terms = {term.column: term for term in plan.terms}
    for name in plan.columns:
        SubElement(schema, "MiningField", {"name": name, **_treatment(terms.get(name))})
    output = SubElement(model, "Output")
    for place, name in enumerate(plan.outputs):
        fact = (
            {"feature": "probability", "value": categories[place]}
            if categories
            else {"feature": "predictedValue"}
        )
        shown = {"name": name, "optype": "continuous", "dataType": "double"}
        SubElement(output, "OutputField", {**shown, **fact})
    derived = SubElement(model, "LocalTransformations")
    for place, term in enumerate(plan.terms):
        if isinstance(term, NumberTerm):
            _standardised(derived, place, term)
        elif term.if_missing is not None or term.if_unknown is not None:
            _flags(derived, place, term)
    if plan.exposure is not None:
        apply = SubElement(_field(derived, "chainrule.exposure"), "Apply", {"function": "ln"})
        SubElement(apply, "FieldRef", {"field": plan.exposure})
    for k, intercept in enumerate(plan.intercepts):
        _table(model, plan, k, intercept, categories[k] if categories else None)
    if plan.link == "logit" and categories:
        SubElement(model, "RegressionTable", {"intercept": "0", "targetCategory": categories[1]})


def _treatment(term: NumberTerm | CategoryTerm | None) -> dict[str, str]:
    """Return what becomes of missing and of new values of a column."""
    missing = "returnInvalid" if term is None or term.if_missing is None else "asIs"
    invalid = "asIs" if isinstance(term, CategoryTerm) and term.if_unknown is not None else ""
    return {
        "missingValueTreatment": missing,
        "invalidValueTreatment": invalid or "returnInvalid",
    }


def _field(parent: Element, name: str) -> Element:
    return SubElement(
        parent, "DerivedField", {"name": name, "optype": "continuous", "dataType": "double"}
    )


def _standardised(parent: Element, place: int, term: NumberTerm) -> None:
    """Add (value - mean) / scale, 0 where missing; and whether it is missing."""
    fills = {} if term.if_missing is None else {"mapMissingTo": "0"}
    ratio = SubElement(_field(parent, f"chainrule.{place}"), "Apply", {"function": "/", **fills})
    shifted = SubElement(ratio, "Apply", {"function": "-"})
    SubElement(shifted, "FieldRef", {"field": term.column})
    SubElement(shifted, "Constant", {"dataType": "double"}).text = repr(term.mean)
    SubElement(ratio, "Constant", {"dataType": "double"}).text = repr(term.scale)
    if term.if_missing is not None and any(term.if_missing):
        _choice(_field(parent, f"chainrule.{place}.missing"), "isMissing", term.column, [])


def _flags(parent: Element, place: int, term: CategoryTerm) -> None:
    """Add whether a string is missing, and whether it is none of the levels."""
    if term.if_missing is not None and any(term.if_missing):
        _choice(_field(parent, f"chainrule.{place}.missing"), "isMissing", term.column, [])
    if term.if_unknown is not None and any(term.if_unknown):
        field = _field(parent, f"chainrule.{place}.unknown")
        _choice(field, "isNotIn", term.column, list(term.levels))


def _choice(field: Element, function: str, column: str, words: list[str]) -> None:
    """Add 1 where a test of a column holds, else 0."""
    choice = SubElement(field, "Apply", {"function": "if", "mapMissingTo": "0"})
    test = SubElement(choice, "Apply", {"function": function})
    SubElement(test, "FieldRef", {"field": column})
    for word in words:
        SubElement(test, "Constant", {"dataType": "string"}).text = word
    for value in ("1", "0"):
        SubElement(choice, "Constant", {"dataType": "double"}).text = value


def _table(
    model: Element, plan: ScoringPlan, k: int, intercept: float, category: str | None
) -> None:
    named = {} if category is None else {"targetCategory": category}
    table = SubElement(model, "RegressionTable", {"intercept": repr(intercept), **named})

    def number(name: str, value: float) -> None:
        SubElement(table, "NumericPredictor", {"name": name, "coefficient": repr(value)})

    for place, term in enumerate(plan.terms):
        if isinstance(term, NumberTerm):
            number(f"chainrule.{place}", term.weights[k])
        if term.if_missing is not None and any(term.if_missing):
            number(f"chainrule.{place}.missing", term.if_missing[k])
        if isinstance(term, CategoryTerm) and term.if_unknown and any(term.if_unknown):
            number(f"chainrule.{place}.unknown", term.if_unknown[k])
    if plan.offset is not None:
        number(plan.offset, 1.0)
    if plan.exposure is not None:
        number("chainrule.exposure", 1.0)
    # The schema has categorical predictors after all numeric ones.
    for term in plan.terms:
        if isinstance(term, CategoryTerm):
            for word, values in term.levels.items():
                SubElement(
                    table,
                    "CategoricalPredictor",
                    {"name": term.column, "value": word, "coefficient": repr(values[k])},
                )
