"""The facts of a loss, each with its proof.

A fact is claimed where exact arithmetic proves it for all scores and all targets; candidates for
its constant come from sampling, the proof does not. What cannot be proven is absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf, lcm

import mpmath
import numpy as np

from chainrule.calculus.graph.node import Apply, Expr, walk
from chainrule.calculus.ops import exp, log, maximum, replace
from chainrule.calculus.ops.elementwise import lift
from chainrule.calculus.rewriting.pointwise import INVERSES
from chainrule.calculus.rewriting.rule import is_op
from chainrule.calculus.rewriting.stabilisation import stabilise
from chainrule.emission.affine import Affine, affine
from chainrule.emission.algebra import Algebra, NotAlgebraicError, Quotient
from chainrule.emission.derivatives import Derivatives, differentiate
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
_SIMPLEST = (1, 2, 3, 4, 5, 6, 8)
_TRIED = 4
_LARGEST = 1e6
_SLACK = 1e-7
_ENDING = 1e-9
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
    loss, slope, curvature, third = derived.forms
    because: list[tuple[str, str]] = []
    if not _is_continuous(loss, targets):
        return Proven(Facts(convex=False, curvature=(-inf, inf)), None)
    prover = Prover((slope, curvature), targets)
    reason = prover.holds(lambda a: a.fraction(curvature)) if prover.rises(slope) else None
    if reason:
        because.append(("convex", f"l'' = {plain(curvature)} >= 0: {reason}."))
    else:
        reason = _by_terms(derived.forms[0], targets)
        because += [("convex", reason)] if reason else []
    bounds, notes = _bounds(prover, slope, curvature, targets, bool(reason))
    because += notes
    constant = None
    if reason:
        constant, note = _self_concordance(curvature, third, targets)
        because += note
    least, missing, notes = _least(derived, run_form, targets, optima, bool(reason))
    because += notes
    down, up, notes = _endless(slope, targets)
    because += notes
    facts = Facts(
        convex=bool(reason),
        self_concordance=constant,
        curvature=bounds,
        has_least=least is not None,
        optimum_may_be_missing=missing,
        falls_down=down,
        falls_up=up,
        because=tuple(because),
    )
    return Proven(facts, least)


def _is_continuous(loss: Expr, targets: Targets) -> bool:
    """Whether l is proven to have no jump: only masks and signs could make one."""
    if not any(is_op(node, name) for node in walk(loss) for name in ("step", "sign")):
        return True
    prover = Prover((loss,), targets)
    return prover.rises(loss) and prover.rises(-loss)


def _by_terms(loss: Expr, targets: Targets) -> str | None:
    """Prove l convex as a sum of convex terms."""
    if not is_op(loss, "add"):
        return None
    said = ["l is a sum of convex terms"]
    for term in loss.args:
        if (form := affine(term)) is not None:
            said.append(f"{plain(term)} is linear in z" if form.z else f"{plain(term)} is constant")
            continue
        _, slope, curvature, _ = differentiate(term).forms
        prover = Prover((slope, curvature), targets)
        if not prover.rises(slope):
            return None
        reason = prover.holds(lambda a, c=curvature: a.fraction(c))  # type: ignore[misc]
        if reason is None:
            return None
        said.append(f"{plain(term)} has the second derivative {plain(curvature)} >= 0: {reason}")
    return "; ".join(said) + "."


def _times(algebra: Algebra, factor: Fraction, value: Quotient) -> Quotient:
    return algebra.times(Quotient(number(factor)), value)


def _self_concordance(
    curvature: Expr, third: Expr, targets: Targets
) -> tuple[float | None, list[tuple[str, str]]]:
    """Prove M l'' - l''' >= 0 and M l'' + l''' >= 0 for the least simple M."""
    prover = Prover((curvature, third), targets)
    try:
        if len(prover.pieces()) > len(prover.cases()):
            return None, []  # l'' may jump where the pieces meet
    except NotAlgebraicError:
        return None, []
    second, beyond = _sampled((curvature, third), prover, targets)
    positive = (second > 0) & np.isfinite(second) & np.isfinite(beyond)
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
    prover: Prover, slope: Expr, curvature: Expr, targets: Targets, convex: bool
) -> tuple[tuple[float, float], list[tuple[str, str]]]:
    """Prove bounds of l''; where l' jumps there is none on that side."""
    (second,) = _sampled((curvature,), prover, targets)
    found: list[float] = []
    because: list[tuple[str, str]] = []
    for sign, most in ((-1, -float(np.min(second))), (1, float(np.max(second)))):
        bound = 0.0 if sign < 0 and convex else inf
        reason: str | None = None
        bounded = prover.rises(-slope if sign > 0 else slope)
        for candidate in _simple(most) if bounded and (bound or most < -_SLACK) else ():

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
        if convex and flat and _holds_at_ends(value, targets):
            sentence = f"l' = 0 at z = {at} and l is convex, so l(z, y) >= l({at}, y)"
            missing = not _finite(optimum, targets)
            notes = [("least", sentence + _limit(missing))]
            if not missing and _rises_from(optimum, curvature, targets):
                said = f"l has its minimum at z = {at} and l'' > 0 there, so l grows both ways."
                notes.append(("optimum", said))
            else:
                missing = True
            return _guarded(value), missing, notes
        if not convex and _holds_at_ends(value, targets):
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


def _endless(
    slope: Expr, targets: Targets
) -> tuple[tuple[float, ...], tuple[float, ...], list[tuple[str, str]]]:
    """Prove at which ends of the targets l falls as z decreases, or increases, however far."""
    down: list[float] = []
    up: list[float] = []
    because: list[tuple[str, str]] = []
    ends = ((targets.low, targets.has_low), (targets.high, targets.has_high))
    for end in dict.fromkeys(float(end) for end, included in ends if included):
        prover = Prover((slope,), Targets.of(end))
        for found, sign, claim, moves in (
            (down, 1, "l' > 0", "decreases"),
            (up, -1, "-l' > 0", "increases"),
        ):
            reason = prover.holds(
                lambda a, s=sign: _times(a, Fraction(s), a.fraction(slope)),  # type: ignore[misc]
                strictly=True,
            )
            if reason:
                found.append(end)
                said = f"{claim} at y = {end:g}: {reason}; so l falls as z {moves}, without end."
                because.append(("no minimum", said))
    return tuple(down), tuple(up), because


def _limit(missing: bool) -> str:
    return "; at the end of the range of y by continuity." if missing else "."


def _above(loss: Expr, value: Expr, targets: Targets) -> str | None:
    prover = Prover((loss,), targets)

    def gap(a: Algebra) -> Quotient:
        return a.plus(a.fraction(loss), _times(a, Fraction(-1), a.fraction(value)))

    return prover.holds(gap)


def _is_zero(value: Expr, targets: Targets) -> bool:
    """Whether an expression in the target is identically 0, for the targets inside the range."""
    for root in (1, _common_denominator(value)):
        algebra = Algebra(_NO_LINE, 1, targets, None, Fraction(0), root)
        try:
            return not algebra.fraction(value).top
        except NotAlgebraicError:
            continue
    return False


def _holds_at_ends(value: Expr, targets: Targets) -> bool:
    """Whether a lower bound reaches the ends of the targets without a jump."""
    ends = [(targets.low, 1.0, targets.has_low), (targets.high, -1.0, targets.has_high)]
    for end, inward, included in ends:
        if included:
            (at,), _ = run(_guarded(value), *2 * (np.array([end]),), clamped=False)
            beside = _beside(value, end, inward)
            if not (np.isfinite(at) and abs(at - beside) <= _ENDING * (1 + abs(at))):
                return False
    return True


def _beside(value: Expr, end: float, inward: float) -> float:
    """Return a value so near an end of the targets that even y^0.01 is next to 0 there."""
    tape = Tape({TARGET: "y"})
    root = tape.record(value)
    with mpmath.workdps(50):
        gap = mpmath.mpf(10) ** (-30 if end else -1_000_000) * (abs(end) or 1)
        return float(tape.values({"y": mpmath.mpf(end) + inward * gap})[root])


def _common_denominator(value: Expr) -> int:
    """Return k such that all powers of the target are whole powers of its k-th root."""
    forms = [
        affine(arg)
        for node in walk(value)
        if isinstance(node, Apply) and is_op(node, "exp")
        for arg in node.args
    ]
    return lcm(*(share.denominator for form in forms if form for _, share in form.rest))


def _finite(optimum: Expr, targets: Targets) -> bool:
    return _finite_at(optimum, sample_targets(targets))


def _finite_at(optimum: Expr, y: FloatArray) -> bool:
    return bool(np.isfinite(run(optimum, y, y, clamped=False)[0]).all())


def _rises_from(optimum: Expr, curvature: Expr, targets: Targets) -> bool:
    """Whether l'' > 0 at the score of least loss, at every target sampled."""
    tape = Tape({TARGET: "y"})
    root = tape.record(replace(curvature, {SCORE: optimum}))
    with mpmath.workdps(50):
        return all(
            tape.values({"y": mpmath.mpf(y)})[root] > 0 for y in sample_targets(targets).tolist()
        )


def _guarded(value: Expr) -> Expr:
    """Return a lower bound in the target that is right at y = 0 too.

    Logarithms are taken of the target or the least normal number; y log y is 0 at y = 0, and so is
    y^c = y exp((c - 1) log y), which without the factor would be far from 0 for a small c.
    """
    value, _ = stabilise(value, INVERSES)
    value = replace(value, dict(_powers_of_target(value)))
    return replace(value, {log(TARGET): log(maximum(TARGET, lift(Fraction(TINY))))})


def _powers_of_target(value: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Yield every exp(c log y) with c > 0, and y exp((c - 1) log y)."""
    for node in walk(value):
        form = affine(node.args[0]) if isinstance(node, Apply) and is_op(node, "exp") else None
        if form is None or len(form.rest) != 1:
            continue
        ((base, share),) = form.rest
        if base is log(TARGET) and share > 0 and form == Affine(rest=form.rest):
            yield node, TARGET * exp(lift(share - 1) * log(TARGET))


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
        several = len(prover.cases()) > 1
        for y in sample_targets(targets)[:: 1 if several else 2].tolist():
            line, _ = prover.line(Fraction(y) if several else None)
            rest = sum((_constant(node) * _mpf(c) for node, c in line.rest), mpmath.mpf(0))
            for v in steps:
                offset = _mpf(line.y) * mpmath.mpf(y) + _mpf(line.one) + rest
                z = (_mpf(Fraction(v)) - offset) / _mpf(line.z)
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
    near = {Fraction(value).limit_denominator(d) for d in _DENOMINATORS}
    least = value - _SLACK * max(abs(value), _SLACK)
    closest = sorted(simple for simple in near if simple >= least)[:_TRIED]
    # samples may have missed the maximum by a little: simpler numbers above it come last
    return sorted({*closest, *(Fraction(ceil(least * d), d) for d in _SIMPLEST)})
