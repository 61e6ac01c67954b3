"""Of several forms of one value, the one that rounding hurts least.

A derivative can be run as it was derived, in simplified form, or rewritten by the rules that keep
digits. No form is best everywhere, so each is measured: float64 against true values, over all
scores and targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from chainrule.calculus.graph.node import Expr, walk
from chainrule.calculus.rewriting.pointwise import DIGITS
from chainrule.calculus.rewriting.rule import Fired
from chainrule.calculus.rewriting.stabilisation import COMPLEMENT, RESIDUAL, stabilise
from chainrule.emission.formula import SCORE, TARGET
from chainrule.emission.tape import Tape
from chainrule.emission.writing import value_lines
from chainrule.engine.arrays import UNIT, FloatArray

INPUTS = {SCORE: "z", TARGET: "y"}

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
    measured = [
        (lost_bits(run(form, z, y, clamped=clamped), known), len(set(walk(form))), k, form, trace)
        for k, (form, trace) in enumerate(candidates(forms))
    ]
    least = min(bits for bits, *_ in measured)
    # a form that is as good to a hundredth of a bit is preferred if it is shorter
    good = [found for found in measured if found[0] <= least + 0.01]
    _, _, _, form, trace = min(good, key=lambda found: found[1:3])
    return form, trace


def lost_bits(found: FloatArray, true: FloatArray) -> float:
    """Return how many bits values lose in the mean, against true values rounded to float64."""
    finite = np.isfinite(true)
    with np.errstate(all="ignore"):
        error = np.abs(found - true) / np.maximum(np.abs(true), np.finfo(float).tiny)
        bits = np.log2(1 + error / UNIT)
    bad = np.isnan(found) | (np.isinf(found) & finite)
    return float(np.mean(np.where(bad, _LOST, np.where(finite, np.minimum(bits, _LOST), 0.0))))


def run(form: Expr, z: FloatArray, y: FloatArray, *, clamped: bool) -> FloatArray:
    """Compute a form by the code that a module would have."""
    tape = Tape(INPUTS, clamped=clamped)
    root = tape.record(form)
    lines, (result,) = value_lines(tape, (root,), "z")
    names: dict[str, Any] = {"np": np, "z": z, "y": y}
    with np.errstate(all="ignore"):
        # the text was written by `chainrule.emission.writing`, from a tape
        exec("\n".join([*lines, f"result = {result}"]), names)
    return np.asarray(names["result"], dtype=np.float64)
