"""Whether two expressions are equal: exactly, else in float64, else in fifty digits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath
import numpy as np

from chainrule.calculus.derivation.steps import StepCertificate, VerificationMethod
from chainrule.calculus.evaluation.modular import MODULAR
from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.evaluation.precise import DIGITS, PRECISE
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import Apply, Expr, Number, Partial, Positions, walk
from chainrule.calculus.graph.op import Layout
from chainrule.calculus.proof.evidence import DIGITS_TOLERANCE, FLOAT_TOLERANCE, Disagreement
from chainrule.calculus.proof.random_points import RandomPoints

CANCELLED = 1e-9
UNDECIDED = 1e-3
LARGEST_EXACT = 2**30
SENSIBLE = 1e6

MOST_KEPT = 8
"""The axes of residues up to which the parts of one line are kept for the next."""


class Equality:
    """Judges equalities at the sample points of one derivation.

    Parameters
    ----------
    points : RandomPoints
        The sample points.
    """

    def __init__(self, points: RandomPoints) -> None:
        self.points = points

    def judge(self, left: Expr, right: Expr, places: Positions) -> StepCertificate | Disagreement:
        """Compare two expressions; a matrix stands for its entry at `places`."""
        points, refuted = self.points, False
        try:
            if _told_apart(left, right):
                count = points.exact_count(left, right)
                if all(_same(points.exact(number), left, right, places) for number in range(count)):
                    return StepCertificate(
                        VerificationMethod.EXACT, count, 0.0, points.different_sizes(count)
                    )
                refuted = self._is_rational(left) and self._is_rational(right)
        except ZeroDivisionError:
            pass  # an unlucky residue: the next method decides
        with np.errstate(all="ignore"):
            count = points.float_count(left, right)
            worst = max(
                (_difference(points.floats(k), left, right, places) for k in range(count)),
                key=lambda found: found.error,
            )
        if refuted:
            # Nothing opaque stands between the two sides, so exact arithmetic has the last word.
            return replace(worst, method=VerificationMethod.EXACT)
        if worst.error <= FLOAT_TOLERANCE:
            return StepCertificate(
                VerificationMethod.FLOAT, count, worst.error, points.different_sizes(count)
            )
        if worst.error > UNDECIDED and not worst.cancelled:
            return worst
        return self._precisely(left, right, places)

    def _precisely(
        self, left: Expr, right: Expr, places: Positions
    ) -> StepCertificate | Disagreement:
        points = self.points
        with mpmath.workdps(DIGITS):
            point = Evaluator(points.precise(0), points.sizes(0), PRECISE, points.meaning)
            found = _difference(point, left, right, places)
        if found.error <= DIGITS_TOLERANCE:
            return StepCertificate(
                VerificationMethod.DIGITS, 1, found.error, points.different_sizes(1)
            )
        return Disagreement(VerificationMethod.DIGITS, found.error, found.left, found.right)

    def _is_rational(self, expr: Expr) -> bool:
        """Whether an expression is rational in the inputs, without functions or their names."""
        for node in walk(expr):
            if node in self.points.model.values or node in self.points.derivation.layers:
                return False
            if isinstance(node, Partial):
                return False
            if isinstance(node, Apply):
                layout = node.op.notation.layout
                function = layout in (Layout.FUNCTION, Layout.FENCE) and node.op.elementwise
                power = layout is Layout.POWER
                root = power and (len(node.args) > 1 or node.attrs[0].denominator != 1)
                if function or root:
                    return False
        return True


def _same(point: Evaluator, left: Expr, right: Expr, places: Positions) -> bool:
    a, b = _sides(point, left, right, places)
    return not np.any((a - b).words)


def _difference(point: Evaluator, left: Expr, right: Expr, places: Positions) -> Disagreement:
    a, b = (np.asarray(x) for x in _sides(point, left, right, places))
    gap = np.abs(a - b)
    scale = max(float(np.abs(a).max()), float(np.abs(b).max()), 1e-300)
    error = float(gap.max()) / scale
    # Where large parts cancel, what is left is rounding: more digits must decide.
    parts = _magnitude(point, left, right)
    cancelled = bool(gap.max() <= CANCELLED * parts)
    if point.xp is PRECISE:
        error = float(gap.max() / max(scale, parts))
    place = np.unravel_index(int(np.argmax(gap)), gap.shape)
    a, b = np.broadcast_arrays(a, b)
    return Disagreement(
        VerificationMethod.FLOAT,
        error if np.isfinite(error) else np.inf,
        float(a[place]),
        float(b[place]),
        cancelled,
    )


def _sides(point: Evaluator, left: Expr, right: Expr, places: Positions) -> tuple[Any, Any]:
    if point.xp is not MODULAR or len(point.axes) > MOST_KEPT:
        point.forget_indices()  # rounding depends on the axes; residues do not
    values = []
    for side, other in ((left, right), (right, left)):
        value = point.value(side)
        whole = side.shape != SCALAR
        values.append(point.spread(value, *places) if whole and other.shape == SCALAR else value)
    return values[0], values[1]


def _told_apart(left: Expr, right: Expr) -> bool:
    """Whether every number is small enough not to vanish modulo the prime."""
    numbers = [n.value for side in (left, right) for n in walk(side) if isinstance(n, Number)]
    return all(max(abs(v.numerator), v.denominator) < LARGEST_EXACT for v in numbers)


def _magnitude(point: Evaluator, *sides: Expr) -> Any:  # noqa: ANN401
    """Return the largest finite value of any part of the sides."""
    values = (point.value(node) for side in sides for node in walk(side))
    parts = [np.abs(value).max() for value in values if np.size(value)]
    return max((part for part in parts if part < SENSIBLE), default=0)
