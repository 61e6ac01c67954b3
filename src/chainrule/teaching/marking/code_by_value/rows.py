"""The row at fault in a gradient that several rows make together."""

from __future__ import annotations

import ast
from dataclasses import replace

import numpy as np

from chainrule.teaching.marking.code_by_value.algebra import Event, Misfit
from chainrule.teaching.marking.code_by_value.factors import Line
from chainrule.teaching.marking.code_by_value.gradients import Backward, is_close
from chainrule.teaching.marking.code_by_value.numeric import Array

_INVERSE = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*="}


def fault_of(line: Line, backward: Backward, true: Array) -> int | None:
    """Return the number of the row that is wrong; None where the values do not settle it.

    Going up from the last row, the value that the rows below need to end at the true gradient is
    found. A row is at fault where it gets what it needs from the one above and does not give it.

    Parameters
    ----------
    line : Line
        The rows, with the value after each.
    backward : Backward
        The gradients of the code.
    true : ndarray
        The gradient.
    """
    if len(line.states) != len(line.events):
        return None
    last = len(line.events) - 1
    if line.good == last:
        return last
    if line.good > last:
        return None
    needed = true
    for at in range(last, line.good, -1):
        above = _needed_above(line.events[at], needed, backward)
        if above is None:
            break
        needed = above
        held = line.states[at - 1]
        if held.shape != needed.shape:
            break
        if np.allclose(held, needed, rtol=1e-4, atol=1e-7):
            return at
        if at == line.good + 1 and (factor := _factor(held, needed)) is not None and (
            not is_close(factor, 1.0)
        ):  # fmt: skip
            return line.good
    scaling = [at for at in range(line.good, last + 1) if not _keeps_scale(line.events[at])]
    proportional = _factor(line.states[last], true) is not None
    if proportional:
        return scaling[0] if len(scaling) == 1 else None
    open_rows = [at for at in range(line.good, last + 1)
                 if not _is_copy(line.events[at]) and not _divides(line, at)]  # fmt: skip
    return open_rows[0] if len(open_rows) == 1 else None


def _is_copy(event: Event) -> bool:
    """Whether a row only gives a name to a value: ``dscores = probs.copy()``."""
    value = event.value
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and (
        value.func.attr in ("copy", "clone")
    ):  # fmt: skip
        value = value.args[0] if value.args else value.func.value
    return event.operation == "=" and isinstance(value, ast.Name | ast.Attribute)


def _divides(line: Line, at: int) -> bool:
    """Whether a row only brings a factor, which is one number."""
    return at > 0 and _factor(line.states[at], line.states[at - 1]) is not None


def _needed_above(event: Event, needed: Array, backward: Backward) -> Array | None:
    """Return the value before a row that gives this one after it; None where there is none."""
    known = backward.walk.known
    kept = known.get(event.target)
    try:
        inverse = _INVERSE.get(event.operation)
        if inverse is not None:
            known[event.target] = needed
            above = np.asarray(backward.apply(replace(event, operation=inverse)), dtype=float)
            known[event.target] = above
            again = backward.apply(event)
            if np.isfinite(above).all() and _is_same(again, needed):
                return above
        known[event.target] = needed
        return needed if _is_same(backward.apply(event), needed) else None  # a mask
    except (Misfit, ArithmeticError, ValueError, TypeError, IndexError):
        return None
    finally:
        if kept is None:
            known.pop(event.target, None)
        else:
            known[event.target] = kept


def _is_same(one: object, other: Array) -> bool:
    value = np.asarray(one, dtype=float)
    return value.shape == other.shape and np.allclose(value, other, rtol=1e-6, atol=1e-9)


def _factor(value: Array, of: Array) -> float | None:
    """Return by which number a value exceeds another one; None where it is not a multiple."""
    size = float(np.sum(of * of))
    if value.shape != of.shape or size < 1e-12:
        return None
    found = float(np.sum(value * of)) / size
    close = np.allclose(value, found * of, rtol=1e-4, atol=1e-6)
    return found if close and abs(found) > 1e-9 else None


def _keeps_scale(event: Event) -> bool:
    """Whether a row sets or moves entries only, so that it brings no factor."""
    if event.places is None:
        return False
    return event.operation in ("+=", "-=") or isinstance(event.value, ast.Constant)


__all__ = ["fault_of"]
