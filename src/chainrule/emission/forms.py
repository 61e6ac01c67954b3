"""Choice, among several forms of one value, of the one with the least rounding error.

A derivative can be run as it was derived, in simplified form, or rewritten by the rules that keep
digits. No form is best everywhere, so each is measured over all scores and targets: by what float64
loses against true values, and by the bound that can be derived for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import special

from chainrule.calculus.graph.node import Expr, walk
from chainrule.calculus.rewriting.pointwise import DIGITS
from chainrule.calculus.rewriting.rule import Fired
from chainrule.calculus.rewriting.stabilisation import COMPLEMENT, RESIDUAL, stabilise
from chainrule.emission.formula import SCORE, TARGET
from chainrule.emission.tape import Tape
from chainrule.emission.writing import rounding_lines, value_lines
from chainrule.engine.arrays import UNIT, FloatArray
from chainrule.engine.losses import roundings
from chainrule.errors import ModelError

INPUTS = {SCORE: "z", TARGET: "y"}

_NEGLIGIBLE = 1e-200
_LOST = 60.0  # bits; what a value that is not a number counts


def candidates(forms: Iterable[Expr]) -> list[tuple[Expr, list[Fired]]]:
    """Return forms of one value with the rewritings that led to each, without repetition."""
    found: dict[Expr, list[Fired]] = {}
    for form in forms:
        stable, fired = stabilise(form, DIGITS)
        by_labels, more = stabilise(stable, (RESIDUAL, COMPLEMENT))
        for value, trace in ((by_labels, fired + more), (stable, fired), (form, [])):
            found.setdefault(value, trace)
    return list(found.items())


def best(
    forms: Iterable[Expr], z: FloatArray, y: FloatArray, true: Sequence[Any], *, clamped: bool
) -> tuple[Expr, list[Fired]]:
    """Return the form of least measured error, and how it was reached.

    Parameters
    ----------
    forms : iterable of Expr
        Of one value.
    z, y : ndarray
        Where to measure.
    true : sequence of mpmath numbers
        The true values there.
    clamped : bool
        As in `Tape`.
    """
    known = np.array([float(value) for value in true])
    forms = [form for form in forms if _can_run(form)] or list(forms)
    measured = []
    for k, (form, trace) in enumerate(candidates(forms)):
        found, bound = run(form, z, y, clamped=clamped)
        allowed = known + np.where(np.isfinite(known), bound, 0.0)
        bits = lost_bits(found, known) + lost_bits(allowed, known)
        measured.append((bits, len(set(walk(form))), k, form, trace))
    least = min(bits for bits, *_ in measured)
    # a form that is as good to a hundredth of a bit is preferred if it is shorter
    good = [found for found in measured if found[0] <= least + 0.01]
    _, _, _, form, trace = min(good, key=lambda found: found[1:3])
    return form, trace


def _can_run(form: Expr) -> bool:
    try:
        Tape(INPUTS).record(form)
    except ModelError:
        return False
    return True


def lost_bits(found: FloatArray, true: FloatArray) -> float:
    """Return how many bits values lose against true values rounded to float64.

    The mean of relative errors, and a quarter of the largest error relative to max(1, |value|).
    """
    finite = np.isfinite(true)
    with np.errstate(all="ignore"):
        error = np.abs(found - true) / np.maximum(np.abs(true), _NEGLIGIBLE)
        bits = np.log2(1 + error / UNIT)
        plain = np.log2(1 + np.abs(found - true) / np.maximum(np.abs(true), 1) / UNIT)
    bad = np.isnan(found) | (np.isinf(found) & finite)

    def counted(lost: FloatArray) -> FloatArray:
        return np.where(bad, _LOST, np.where(finite, np.minimum(lost, _LOST), 0.0))

    return float(np.mean(counted(bits)) + np.max(counted(plain)) / 4)


def run(
    form: Expr, z: FloatArray, y: FloatArray, *, clamped: bool
) -> tuple[FloatArray, FloatArray]:
    """Compute a form, and the bound on its rounding error, by the code that a module would have."""
    tape = Tape(INPUTS, clamped=clamped)
    root = tape.record(form)
    lines, (result,) = value_lines(tape, (root,), "z")
    more, (bound,) = rounding_lines(tape, (root,))
    names: dict[str, Any] = {"np": np, "special": special, "roundings": roundings, "z": z, "y": y}
    text = [*lines, f"result = {result}", *more, f"bound = roundings.settled({bound}, z)"]
    with np.errstate(all="ignore"):
        # the text was written by `chainrule.emission.writing`, from a tape
        exec("\n".join(text), names)
    return np.asarray(names["result"], dtype=np.float64), names["bound"]
