"""The formula of a model file as JSON: what it learnt is numbers and words."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from chainrule.errors import DataError
from chainrule.formulas.design import Formula, Term
from chainrule.formulas.factors import KINDS, Factor
from chainrule.tables.json_reader import Reader

_PLACE: Final = "formula"


def formula_document(formula: Formula) -> dict[str, Any]:
    """Return a formula as JSON values."""
    return {
        "text": formula.text,
        "target": formula.target,
        "factors": [
            {**asdict(f), "levels": list(f.levels), "numbers": list(f.numbers)}
            for f in formula.factors
        ],
        "terms": [{"factors": list(t.factors), "full": list(t.full)} for t in formula.terms],
    }


def read_formula(read: Reader, item: object) -> Formula | None:
    """Return the formula; None for files that do not have one."""
    if item is None:
        return None
    record = read.record(item, _PLACE)
    read.keys(record, {"text", "target", "factors", "terms"}, _PLACE)
    factors = tuple(
        _factor(read, f) for f in read.items(record["factors"], f"{_PLACE}: factors", 1)
    )
    known = [factor.text for factor in factors]
    read.distinct(known, f"{_PLACE}: factors")
    terms = tuple(_term(read, t, known) for t in read.items(record["terms"], f"{_PLACE}: terms", 1))
    return Formula(
        read.word(record["text"], f"{_PLACE}: text"),
        read.word(record["target"], f"{_PLACE}: target"),
        factors,
        terms,
    )


def _factor(read: Reader, item: object) -> Factor:
    record = read.record(item, f"{_PLACE}: factors")
    read.keys(record, {"text", "kind", "levels", "numbers", "degree"}, f"{_PLACE}: factors")
    text = read.word(record["text"], f"{_PLACE}: text of a factor")
    place = f"{_PLACE}: {text!r}"
    kind = read.word(record["kind"], f"{place}: kind")
    if kind not in KINDS:
        raise read.fault(place, f"kind {kind!r} is none of {', '.join(KINDS)}")
    numbers = read.items(record["numbers"], f"{place}: numbers", 0)
    degree = read.whole(record["degree"], f"{place}: degree")
    count = len(numbers)
    fits = {
        "splines": count >= 2 * (degree + 1) and 1 <= degree <= 100,
        "polynomials": count >= 3 and count % 2 == 1,
        "shifted": count == 2,
    }
    if not fits.get(kind, count == 0):
        raise read.fault(place, f"{count} numbers do not make {kind}")
    factor = Factor(
        text,
        kind,
        read.words(record["levels"], f"{place}: levels", least=2 if kind == "category" else 0),
        tuple(read.number(n, f"{place}: numbers") for n in numbers),
        degree,
    )
    if kind == "shifted" and factor.numbers[1] <= 0:
        raise read.fault(place, "the scale is not above zero")
    try:
        assert factor.columns
    except DataError as error:
        raise read.fault(place, str(error).rstrip(".")) from None
    return factor


def _term(read: Reader, item: object, known: list[str]) -> Term:
    record = read.record(item, f"{_PLACE}: terms")
    read.keys(record, {"factors", "full"}, f"{_PLACE}: terms")
    factors = read.words(record["factors"], f"{_PLACE}: factors of a term", least=1)
    full = tuple(read.truth(f, f"{_PLACE}: full") for f in read.items(record["full"], _PLACE, 1))
    if len(full) != len(factors) or not set(factors) <= set(known):
        raise read.fault(
            f"{_PLACE}: terms", f"{':'.join(factors)} does not follow from the factors"
        )
    return Term(factors, full)
