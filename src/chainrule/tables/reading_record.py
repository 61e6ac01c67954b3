"""How a file was read, as JSON values of the model file."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from chainrule.tables.cells import NumberStyle
from chainrule.tables.dates import PARTS, DateColumn
from chainrule.tables.json_reader import Reader
from chainrule.tables.records import ReadingRecord

_PLACE = "reading"


def reading_document(reading: ReadingRecord) -> dict[str, Any]:
    """Return the record as JSON values."""
    return {
        "na": None if reading.na is None else list(reading.na),
        "dates": [
            {"name": date.name, "parts": list(date.parts), "format": date.format}
            for date in reading.dates
        ],
        "styles": {name: asdict(style) for name, style in reading.styles.items()},
        "roles": dict(reading.roles),
        "notes": list(reading.notes),
    }


def read_reading(read: Reader, item: object) -> ReadingRecord:
    """Return the record; an empty one for files that do not have it."""
    if item is None:
        return ReadingRecord()
    record = read.record(item, _PLACE)
    read.keys(record, {entry.name for entry in fields(ReadingRecord)}, _PLACE)
    na = record["na"]
    styles = read.record(record["styles"], f"{_PLACE}: styles")
    roles = read.record(record["roles"], f"{_PLACE}: roles")
    return ReadingRecord(
        None if na is None else read.words(na, f"{_PLACE}: na", least=0),
        tuple(_date(read, date) for date in read.items(record["dates"], f"{_PLACE}: dates", 0)),
        {name: _style(read, style, name) for name, style in styles.items()},
        {role: read.word(name, f"{_PLACE}: {role}") for role, name in roles.items()},
        read.words(record["notes"], f"{_PLACE}: notes", least=0, distinct=False),
    )


def _date(read: Reader, item: object) -> DateColumn:
    record = read.record(item, f"{_PLACE}: dates")
    read.keys(record, {entry.name for entry in fields(DateColumn)}, f"{_PLACE}: dates")
    name = read.word(record["name"], f"{_PLACE}: dates: name")
    parts = read.words(record["parts"], f"{_PLACE}: parts of {name!r}", least=1)
    for part in parts:
        if part not in PARTS:
            raise read.fault(f"{_PLACE}: parts of {name!r}", f"{part!r} is none of {PARTS}")
    form = read.word_or_none(record["format"], f"{_PLACE}: format of {name!r}")
    return DateColumn(name, parts, form)


def _style(read: Reader, item: object, name: str) -> NumberStyle:
    place = f"{_PLACE}: style of {name!r}"
    record = read.record(item, place)
    read.keys(record, {entry.name for entry in fields(NumberStyle)}, place)
    return NumberStyle(
        read.word(record["decimal"], f"{place}: decimal"),
        read.word(record["thousands"], f"{place}: thousands"),
        read.truth(record["percent"], f"{place}: percent"),
        read.word(record["currency"], f"{place}: currency"),
    )
