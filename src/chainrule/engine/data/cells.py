"""Cells of data frames and of arrays of objects: numbers, missing values, and all else."""

from __future__ import annotations

import decimal
import numbers
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

_MISSING: Final = ("NAType", "NaTType")
"""Types of the missing values of pandas, which is not imported."""


def is_missing(value: object) -> bool:
    """Tell whether a cell is None, or a missing value of pandas."""
    return value is None or type(value).__name__ in _MISSING


def is_number(value: object) -> bool:
    """Tell whether a cell is a real number: not text that reads like one, nor a date."""
    return _is_number_type(type(value))


def first_other(values: Iterable[object]) -> tuple[int, object] | None:
    """Return place and value of the first cell that is neither a number nor missing.

    A word is named before text that reads as a number: it tells more of what the column holds.
    """
    found = None
    for place, value in enumerate(values):
        if is_number(value) or is_missing(value):
            continue
        if not reads_as_number(value):
            return place, value
        found = found or (place, value)
    return found


def reads_as_number(value: object) -> bool:
    """Tell whether Python makes a number of a cell."""
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def are_numbers(values: Any) -> bool:  # noqa: ANN401
    """Tell whether all objects of an array are real numbers, by the types that occur."""
    return all(map(_is_number_type, set(map(type, values.ravel()))))


def _is_number_type(kind: type) -> bool:
    if issubclass(kind, np.timedelta64):  # which NumPy takes for an integer
        return False
    return issubclass(kind, numbers.Real | decimal.Decimal | np.bool_)
