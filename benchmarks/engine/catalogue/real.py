"""Problems with real data."""

from __future__ import annotations

from typing import Final

from benchmarks.engine import real_data as data
from benchmarks.engine.catalogue import classes, small, sparse, tall
from benchmarks.engine.problems import Problem

COLD: Final = "breast cancer, scaled"
"""The set on which whole processes of all libraries are compared."""

REAL: Final = [
    Problem(COLD, lambda _: data.breast_cancer(True), first=True, **small.FIELDS),
    Problem("breast cancer, raw", lambda _: data.breast_cancer(False), **small.FIELDS),
    Problem("digits", lambda _: data.digits(), **classes.FIELDS),
    Problem(
        "wine", lambda _: data.plants("wine"), member="held-out", **classes.FIELDS | {"weight": 0.4}
    ),
    Problem(
        "iris", lambda _: data.plants("iris"), member="held-out", **classes.FIELDS | {"weight": 0.4}
    ),
    Problem("nycflights13", lambda _: data.flights(False), **tall.FIELDS),
    Problem("nycflights13, one-hot", lambda _: data.flights(True), **sparse.FIELDS),
    Problem("SpamAssassin", lambda _: data.spam(), **sparse.FIELDS),
]
