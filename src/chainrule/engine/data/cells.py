"""Cells of data frames, one at a time: for messages, after a frame was refused."""

from __future__ import annotations


def is_number_or_missing(value: object) -> bool:
    """Whether a cell of a data frame can become a number."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True
