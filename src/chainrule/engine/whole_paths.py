"""A whole path of strengths.

On small dense tables a proof in Python takes longer than the steps to a point, and where columns
are many, X as a whole is read for each proof. There all points of a stretch are solved for, where
steps are compiled in one call, and proven together; what is left is solved and proven one by one.
"""

from __future__ import annotations

from time import perf_counter
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.certificates.stacked_gap import Candidate, Stack
from chainrule.engine.paths import PathSolver
from chainrule.engine.results import PathPoint, Sketch
from chainrule.engine.runtime.machine import quiet_algebra

AMPLE: Final[float] = 0.1
"""What is ample on a path: see `PathSolver.solve`."""

_TIGHTER: Final[float] = 0.03
_LEAST_AMPLE: Final[float] = 1e-4
"""What is ample where second order proves too little, and how often that is tried."""

_STRETCH: Final[int] = 50
_WIDE_STRETCH: Final[int] = 6
_SCORES: Final[float] = 2e6
"""Points that are proven together, fewer where columns are many, for each stretch has its own
working set; and the numbers that their raw predictions are up to then."""


def geometric(largest: float, n_strengths: int, ratio: float) -> FloatArray:
    """Return strengths from the largest down to `ratio` times it, in equal ratios."""
    return np.asarray(largest * ratio ** np.linspace(0.0, 1.0, n_strengths))


@quiet_algebra()  # once: to limit threads takes longer than some steps
def path_of(
    solver: PathSolver,
    strengths: FloatArray,
    *,
    tol: float,
    max_iter: int,
    ample: float = AMPLE,
) -> tuple[list[PathPoint], float]:
    """Return the fits of all strengths, strongest first, and the seconds that they took.

    The tolerances are those of `PathSolver.solve`.
    """
    clock, alone = perf_counter(), ample
    found: list[PathPoint] = []
    together = len(strengths) > 1 and solver.can_walk
    most = _WIDE_STRETCH if solver.is_wide else _STRETCH
    room = max(2, min(most, int(_SCORES / max(1, solver.source.n_samples))))
    if together:
        solver.approach(float(strengths[0]), max_iter)
    while len(found) < len(strengths):
        if together:
            stretch = strengths[len(found) : len(found) + room]
            points, n_missed = _stretch_of(
                solver, stretch, tol=tol, max_iter=max_iter, ample=ample, alone=alone
            )
            found += points
            if n_missed and solver.is_wide:
                room = max(2, room - 1)
            if not points:
                together = False
            elif 2 * n_missed > len(points):  # then more exactly, without a Hessian, one by one
                together = ample > _LEAST_AMPLE or (ample > 0 and solver.is_light)
                ample = _TIGHTER * ample if ample > _LEAST_AMPLE else 0.0
            continue
        strength = float(strengths[len(found)])
        if not found:
            solver.approach(strength, max_iter)
        found.append(solver.solve(strength, tol=tol, max_iter=max_iter, ample=alone))
        if found[-1].stop == "interrupted":
            break
    return found, perf_counter() - clock


def _stretch_of(
    solver: PathSolver,
    strengths: FloatArray,
    *,
    tol: float,
    max_iter: int,
    ample: float,
    alone: float,
) -> tuple[list[PathPoint], int]:
    """Return the fits of some strengths, and how many were not proven together with the others.

    `ample` is for points that are proven together, and `alone` for those that are not.
    Where a point is hard to reach, those after it are left for later.
    """
    penalties, solutions = solver.walk(strengths, tol=tol, max_iter=max_iter, ample=ample)
    if not solutions:
        return [], 0
    sketches = list[Sketch]()
    for t, solution in enumerate(solutions):
        known = None if solution.model is None else solution.model.snapshot
        there = Candidate.of(penalties.at(t), solution.evaluation, known)
        records = tuple(solution.history)
        sketches.append(Sketch(float(strengths[t]), there, solution.stop, records))
    stack = Stack(solver.objective, [sketch.candidate for sketch in sketches])
    claims = stack.certificates(*stack.bounds(tol))
    found, n_missed = list[PathPoint](), 0
    for sketch, claim in zip(sketches, claims, strict=True):
        point = solver.proven(sketch, claim, tol=tol)
        if not point.met:
            n_missed += 1
            point = solver.resumed(sketch, tol=tol, max_iter=max_iter, ample=alone)
        found.append(point)
    return found, n_missed
