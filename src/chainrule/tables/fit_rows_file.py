"""The rows of a fit in short, as JSON values of the model file."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from chainrule.tables.fingerprint import Fingerprint
from chainrule.tables.fit_rows import FitRows
from chainrule.tables.json_reader import Reader

_PLACE: Final = "trained_on"


def fit_rows_document(rows: FitRows) -> dict[str, Any]:
    """Return the record as JSON values."""
    kept = rows.fingerprint
    return {
        "ranges": {name: list(ends) for name, ends in rows.ranges.items()},
        "fingerprint": {
            "rows": kept.n_rows,
            "halvings": kept.halvings,
            "repeats": kept.repeats,
            "bits": base64.b64encode(kept.bits).decode(),
        },
    }


def read_fit_rows(read: Reader, item: object) -> FitRows | None:
    """Return the record; None for files that do not have it."""
    if item is None:
        return None
    record = read.record(item, _PLACE)
    read.keys(record, {"ranges", "fingerprint"}, _PLACE)
    ranges: dict[str, tuple[float, float]] = {}
    for name, ends in read.record(record["ranges"], f"{_PLACE}: ranges").items():
        place = f"{_PLACE}: range of {name!r}"
        low, high = read.numbers(ends, ["the least value", "the largest value"], place)
        if low > high:
            raise read.fault(place, f"{low!r} is above {high!r}")
        ranges[name] = low, high
    place = f"{_PLACE}: fingerprint"
    kept = read.record(record["fingerprint"], place)
    read.keys(kept, {"rows", "halvings", "repeats", "bits"}, place)
    halvings = read.whole(kept["halvings"], f"{place}: halvings")
    repeats = read.number(kept["repeats"], f"{place}: repeats")
    try:
        bits = base64.b64decode(read.word(kept["bits"], f"{place}: bits"), validate=True)
    except binascii.Error:
        raise read.fault(f"{place}: bits", "this is not base64") from None
    if not bits or len(bits) & (len(bits) - 1):
        raise read.fault(f"{place}: bits", "their number is not a power of two")
    if halvings > 60 or not 0 <= repeats <= 1:
        raise read.fault(place, "a number is out of its range")
    n_rows = read.whole(kept["rows"], f"{place}: rows")
    return FitRows(ranges, Fingerprint(n_rows, halvings, bits, repeats))
