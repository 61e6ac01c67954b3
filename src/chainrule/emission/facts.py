"""The facts of a loss, each with its proof.

A fact is claimed where exact arithmetic proves it for all scores and all targets; candidates for
its constant come from sampling, the proof does not. What cannot be proven is absent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf

import mpmath
import numpy as np

from chainrule.calculus.graph.node import Expr
from chainrule.calculus.ops import log, maximum, replace
from chainrule.calculus.ops.elementwise import lift
from chainrule.calculus.rewriting.pointwise import INVERSES
from chainrule.calculus.rewriting.stabilisation import stabilise
from chainrule.emission.algebra import Affine, Algebra, NotAlgebraicError, Quotient
from chainrule.emission.derivatives import Derivatives
from chainrule.emission.enclosing import enclosure
from chainrule.emission.forms import INPUTS, run
from chainrule.emission.formula import SCORE, TARGET
from chainrule.emission.polynomial import number
from chainrule.emission.proving import Prover
from chainrule.emission.samples import sample_targets
from chainrule.emission.tape import Tape
from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.facts import Facts, Targets
from chainrule.engine.losses.roundings import TINY
from chainrule.language.typeset import plain

_DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 20, 50, 100, 1000, 10_000)
_TRIED = 4
_LARGEST = 1e6
_SLACK = 1e-7
_NO_LINE = Affine()


@dataclass(frozen=True)
class Proven:
    """The facts of a loss, and its lower bound.

    Attributes
    ----------
    facts : Facts
    least : Expr or None
        A lower bound of l in `TARGET`.
    """

    facts: Facts
    least: Expr | None


def prove(derived: Derivatives, run_form: Expr, targets: Targets, optima: Iterable[Expr]) -> Proven:
    """Prove what can be proven of a loss.

    Parameters
    ----------
    derived : Derivatives
    run_form : Expr
        l in the form to run.
    targets : Targets
    optima : iterable of Expr
        Candidates for the score of least loss, in `TARGET`.
    """
    _, slope, curvature, third = derived.forms
    because: list[tuple[str, str]] = []
    prover = Prover((slope, curvature), targets)
    reason = prover.holds(lambda a: a.fraction(curvature)) if prover.rises(slope) else None
    if reason:
        because.append(("convex", f"l'' = {plain(curvature)} >= 0: {reason}."))
    bounds, notes = _bounds(prover, curvature, targets, bool(reason))
    because += notes
    constant = None
    if reason:
        constant, note = _self_concordance(curvature, third, targets)
        because += note
    least, missing, notes = _least(derived, run_form, targets, optima, bool(reason))
    because += notes
    facts = Facts(
        convex=bool(reason),
        self_concordance=constant,
        curvature=bounds,
        has_least=least is not None,
        optimum_may_be_missing=missing,
        because=tuple(because),
    )
    return Proven(facts, least)


def _times(algebra: Algebra, factor: Fraction, value: Quotient) -> Quotient:
    return algebra.times(Quotient(number(factor)), value)


def _self_concordance(
    curvature: Expr, third: Expr, targets: Targets
) -> tuple[float | None, list[tuple[str, str]]]:
    """Prove M l'' - l''' >= 0 and M l'' + l''' >= 0 for the least simple M."""
    prover = Prover((curvature, third), targets)
    try:
        if any(prover.algebra(piece).at is None for piece in prover.pieces()):
            return None, []
        if len(prover.pieces()) > len(prover.cases()):
            return None, []  # l'' may jump where the pieces meet
    except NotAlgebraicError:
        return None, []
    second, beyond = _sampled((curvature, third), prover, targets)
    positive = second > 0
    if not positive.any():
        return None, []
    largest = float(np.max(np.abs(beyond[positive] / second[positive])))
    for candidate in _simple(largest):
        reasons = [
            prover.holds(
                lambda a, c=candidate, s=sign: a.plus(  # type: ignore[misc]
                    _times(a, c, a.fraction(curvature)), _times(a, Fraction(s), a.fraction(third))
                )
            )
            for sign in (-1, 1)
        ]
        if all(reasons):
            times = "" if candidate == 1 else f"{candidate} "
            sentence = (
                f"l''' = {plain(third)}. {times}l'' - l''' >= 0: {reasons[0]}. "
                f"{times}l'' + l''' >= 0: {reasons[1]}."
            )
            return float(candidate), [("self_concordance", sentence)]
    return None, []


def _bounds(
    prover: Prover, curvature: Expr, targets: Targets, convex: bool
) -> tuple[tuple[float, float], list[tuple[str, str]]]:
    """Prove bounds of l''."""
    (second,) = _sampled((curvature,), prover, targets)
    found: list[float] = []
    because: list[tuple[str, str]] = []
    for sign, most in ((-1, -float(np.min(second))), (1, float(np.max(second)))):
        bound = 0.0 if sign < 0 and convex else inf
        reason: str | None = None
        for candidate in _simple(most) if bound or most < -_SLACK else ():

            def gap(a: Algebra, c: Fraction = candidate, s: int = sign) -> Quotient:
                return a.plus(Quotient(number(c)), _times(a, Fraction(-s), a.fraction(curvature)))

            reason = prover.holds(gap)
            if reason:
                bound = float(candidate)
                claim = f"l'' <= {candidate}" if sign > 0 else f"l'' >= {-candidate}"
                because.append(("curvature", f"{claim}, for the difference is {reason}."))
                break
        found.append(sign * bound)
    return (found[0] + 0.0, found[1]), because


def _least(
    derived: Derivatives,
    run_form: Expr,
    targets: Targets,
    optima: Iterable[Expr],
    convex: bool,
) -> tuple[Expr | None, bool, list[tuple[str, str]]]:
    """Prove a lower bound of l, and whether every target has a score of least loss."""
    loss, slope, curvature, _ = derived.forms
    for optimum in dict.fromkeys(optima):
        value = replace(loss, {SCORE: optimum})
        at = plain(optimum)
        flat = _is_zero(replace(slope, {SCORE: optimum}), targets)
        if convex and flat and not _leaves_ends(optimum, targets):
            sentence = f"l' = 0 at z = {at} and l is convex, so l(z, y) >= l({at}, y)"
            missing = not _finite(optimum, targets)
            notes = [("least", sentence + _limit(missing))]
            if not missing and _rises_from(optimum, curvature, targets):
                said = f"l has its minimum at z = {at} and l'' > 0 there, so l grows both ways."
                notes.append(("optimum", said))
            else:
                missing = True
            return _guarded(value), missing, notes
        if not convex and not _leaves_ends(optimum, targets):
            reason = _above(loss, value, targets)
            if reason:
                return _guarded(value), True, [("least", f"l(z, y) - l({at}, y) = {reason}.")]
    reason = Prover((loss,), targets).holds(lambda a: a.fraction(loss))
    if reason:
        return lift(0), True, [("least", f"l >= 0: {reason}.")]
    bound = _enclosed(run_form, targets)
    if bound is not None:
        said = "by interval arithmetic over all scores and targets (0 less one rounding)"
        return lift(bound), True, [("least", f"l >= {float(bound):.3g}, {said}.")]
    return None, True, []


def _limit(missing: bool) -> str:
    return "; at the end of the range of y by continuity." if missing else "."


def _above(loss: Expr, value: Expr, targets: Targets) -> str | None:
    prover = Prover((loss,), targets)

    def gap(a: Algebra) -> Quotient:
        return a.plus(a.fraction(loss), _times(a, Fraction(-1), a.fraction(value)))

    return prover.holds(gap)


def _is_zero(value: Expr, targets: Targets) -> bool:
    """Whether an expression in the target is identically 0, for the targets inside the range."""
    for root in (1, 2, 3, 4, 5, 10, 20, 100):
        algebra = Algebra(_NO_LINE, 1, targets, None, Fraction(0), root)
        try:
            return not algebra.fraction(value).top
        except NotAlgebraicError:
            continue
    return False


def _leaves_ends(optimum: Expr, targets: Targets) -> bool:
    """Whether a score becomes infinite where `_guarded` does not help: at a finite upper end."""
    return targets.has_high and not _finite_at(optimum, np.array([targets.high]))


def _finite(optimum: Expr, targets: Targets) -> bool:
    return _finite_at(optimum, sample_targets(targets))


def _finite_at(optimum: Expr, y: FloatArray) -> bool:
    return bool(np.isfinite(run(optimum, y, y, clamped=False)).all())


def _rises_from(optimum: Expr, curvature: Expr, targets: Targets) -> bool:
    """Whether l'' > 0 at the score of least loss, at every target sampled."""
    tape = Tape({TARGET: "y"})
    root = tape.record(replace(curvature, {SCORE: optimum}))
    with mpmath.workdps(50):
        return all(
            tape.values({"y": mpmath.mpf(y)})[root] > 0 for y in sample_targets(targets).tolist()
        )


def _guarded(value: Expr) -> Expr:
    """Take logarithms of the target above the least normal number, where y log y is 0 at y = 0."""
    value, _ = stabilise(value, INVERSES)
    return replace(value, {log(TARGET): log(maximum(TARGET, lift(Fraction(TINY))))})


def _enclosed(loss: Expr, targets: Targets) -> Fraction | None:
    """Return a lower bound of l by interval arithmetic."""
    low, _ = enclosure(loss, (-inf, inf), (targets.low, targets.high))
    return Fraction(low) if np.isfinite(low) else None


def _sampled(exprs: tuple[Expr, ...], prover: Prover, targets: Targets) -> list[FloatArray]:
    """Return values over v from -35 to 35 and over all targets, from 50 digits."""
    tape = Tape(INPUTS)
    roots = [tape.record(expr) for expr in exprs]
    rows: list[list[float]] = []
    steps = [*range(-35, 36, 5), *(Fraction(k, 7) for k in range(-21, 22))]
    with mpmath.workdps(50):
        rest = sum((_constant(node) * _mpf(c) for node, c in prover.line.rest), mpmath.mpf(0))
        for y in sample_targets(targets)[::2].tolist():
            for v in steps:
                offset = _mpf(prover.line.y) * mpmath.mpf(y) + _mpf(prover.line.one) + rest
                z = (_mpf(Fraction(v)) - offset) / _mpf(prover.line.z)
                values = tape.values({"z": z, "y": mpmath.mpf(y)})
                rows.append([float(values[root]) for root in roots])
    return list(np.array(rows).T)


def _mpf(value: Fraction) -> mpmath.mpf:
    return mpmath.mpf(value.numerator) / value.denominator


def _constant(expr: Expr) -> mpmath.mpf:
    tape = Tape({})
    root = tape.record(expr)
    return tape.values({})[root]


def _simple(value: float) -> list[Fraction]:
    """Return simple numbers that are not below a sampled maximum, the least ones first."""
    if not np.isfinite(value) or abs(value) > _LARGEST:
        return []
    near = {Fraction(value).limit_denominator(d) for d in _DENOMINATORS} | {Fraction(ceil(value))}
    least = value - _SLACK * max(abs(value), _SLACK)
    return sorted(simple for simple in near if simple >= least)[:_TRIED]
