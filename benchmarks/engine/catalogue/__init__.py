"""The table of problems: every kind of data in two members, one tuned on and one held out.

The two members of a pair have different seeds, sizes and skews. The engine and its cost model may
be tuned on the members marked 'tuned'; figures of the members marked 'held-out' are only reported.
"""

from __future__ import annotations

from typing import Final

from benchmarks.engine.catalogue import classes, dense, real, small, sparse, tall
from benchmarks.engine.problems import Problem

KINDS: Final = ("sparse", "dense", "classes", "small", "tall")

PROBLEMS: Final[dict[str, Problem]] = {
    problem.name: problem
    for problem in (
        *sparse.TEXT,
        *sparse.CROSSED,
        *dense.MIDDLE,
        *classes.CLASSES,
        *small.SMALL,
        *real.REAL,
        *sparse.AWKWARD,
        *tall.TALL,
        *classes.MANY_ROWS,
    )
}
"""In the order of what a run short of time should do first."""
