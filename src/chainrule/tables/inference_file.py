"""The inference of a model file as JSON, with the names of R's broom."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from chainrule.tables.inference_record import EffectRow, Estimated, InferenceRecord, TermRow
from chainrule.tables.json_reader import Reader

_PLACE: Final = "inference"
_NUMBERS: Final = {
    "estimate": "estimate",
    "std.error": "std_error",
    "statistic": "statistic",
    "p.value": "p_value",
    "conf.low": "low",
    "conf.high": "high",
}
_WORDS: Final = ("inf", "-inf", "nan")


def inference_document(record: InferenceRecord) -> dict[str, Any]:
    """Return the record as JSON values; infinities are words."""
    return {
        "cov": record.cov,
        "level": record.level,
        "clusters": record.clusters,
        "n_clusters": record.n_clusters,
        "statistic": record.statistic,
        "base": record.base,
        "ratio": record.ratio,
        "facts": list(record.facts),
        "note": record.note,
        "statistics": {name: number_or_word(v) for name, v in record.statistics.items()},
        "terms": [dict(_row(row, {"reference": row.reference})) for row in record.terms],
        "effects": [dict(_row(row, {"contrast": row.contrast})) for row in record.effects],
    }


def _row(row: Estimated, more: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if row.output:
        yield "y.level", row.output
    yield "term", row.term
    yield from more.items()
    for name, attribute in _NUMBERS.items():
        yield name, number_or_word(getattr(row, attribute))


def number_or_word(value: float) -> float | str:
    """Return a number, or "inf", "-inf", "nan" for what JSON has no number for."""
    return value if math.isfinite(value) else str(value)


def read_inference(read: Reader, item: object) -> InferenceRecord | None:
    """Return the record; None for files that do not have it."""
    if item is None:
        return None
    record = read.record(item, _PLACE)
    texts = {"cov", "statistic", "base", "ratio", "note"}
    others = {"level", "clusters", "n_clusters", "facts", "statistics", "terms", "effects"}
    read.keys(record, texts | others, _PLACE)
    statistics = read.record(record["statistics"], f"{_PLACE}: statistics")
    return InferenceRecord(
        **{name: read.word(record[name], f"{_PLACE}: {name}") for name in texts},
        level=read.number(record["level"], f"{_PLACE}: level"),
        clusters=read.word_or_none(record["clusters"], f"{_PLACE}: clusters"),
        n_clusters=read.whole(record["n_clusters"], f"{_PLACE}: n_clusters"),
        facts=read.words(record["facts"], f"{_PLACE}: facts", least=0, distinct=False),
        statistics={
            name: _number(read, value, f"{_PLACE}: {name}") for name, value in statistics.items()
        },
        terms=tuple(
            TermRow(**_read_row(read, row, "reference"))
            for row in read.items(record["terms"], f"{_PLACE}: terms", 0)
        ),
        effects=tuple(
            EffectRow(**_read_row(read, row, "contrast"))
            for row in read.items(record["effects"], f"{_PLACE}: effects", 0)
        ),
    )


def _read_row(read: Reader, item: object, word: str) -> dict[str, Any]:
    record = read.record(item, _PLACE)
    read.keys(record, {"term", word, *_NUMBERS}, _PLACE, {"y.level"})
    term = read.word(record["term"], f"{_PLACE}: term")
    place = f"{_PLACE}: {term!r}"
    return {
        "output": read.word(record.get("y.level", ""), place),
        "term": term,
        word: read.word(record[word], f"{place}: {word}"),
        **{
            attribute: _number(read, record[name], f"{place}: {name}")
            for name, attribute in _NUMBERS.items()
        },
    }


def _number(read: Reader, value: object, place: str) -> float:
    return float(value) if isinstance(value, str) and value in _WORDS else read.number(value, place)
