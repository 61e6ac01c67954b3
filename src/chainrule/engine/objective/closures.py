"""Closures of passes: the arrays and numbers that a result depends on."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any

import numpy as np

from chainrule.engine.objective.evaluation import Evaluation, Point


def arrays_of(function: object) -> Iterator[np.ndarray[Any, Any]]:
    """Yield arrays and numbers in the closure of a function, those of inner functions included."""
    yield from _arrays_in(function, set())


def _arrays_in(value: object, seen: set[int]) -> Iterator[np.ndarray[Any, Any]]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biuf":
            yield value
    elif isinstance(value, bool | int | float):
        yield np.asarray(value)
    else:
        for part in _parts(value):
            yield from _arrays_in(part, seen)


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, FunctionType):
        for cell in value.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # of a name that is not bound yet
                continue
    elif isinstance(value, Point):
        yield from (value.coef, value.intercept)
    elif isinstance(value, Evaluation):
        yield value.point
    elif isinstance(value, tuple | list):
        yield from value
