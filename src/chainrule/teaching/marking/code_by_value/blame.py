"""Names of the author's own that are at fault: with the right gradient there, all is right."""

from __future__ import annotations

import ast

import numpy as np

from chainrule.teaching.marking.code_by_value.algebra import Misfit
from chainrule.teaching.marking.code_by_value.factors import FOLLOWS, Line
from chainrule.teaching.marking.code_by_value.gradients import (
    Backward,
    Slopes,
    is_close,
    places_of,
)
from chainrule.teaching.marking.code_by_value.numeric import Array
from chainrule.teaching.marking.code_by_value.words import word_of

MOST_PLACES = 5
"""How many values are tried, of which the name may be meant to be the gradient."""


def blame_own_names(
    lines: list[Line], slopes: Slopes, backward: Backward, loss: str, counts: list[float]
) -> None:
    """Accuse the names whose right value would make every row right that uses them.

    Parameters
    ----------
    lines : list of Line
        The gradients; those at fault get their verdict.
    slopes : Slopes
        The true derivatives.
    backward : Backward
        The gradients of the code.
    loss : str
        The term that is the loss.
    counts : list of float
        The numbers that may be that of the examples.
    """
    for line in lines:
        if line.verdict != "unproven" or line.exact or not line.states or len(line.events) > 1:
            continue
        target = line.events[0].target
        users = [one for one in lines if one is not line and _uses(one, target)]
        open_users = [one for one in users if one.verdict in ("wrong", "unproven")]
        if not open_users or len(open_users) < len(users) or any(
            len(one.events) > 1 for one in users
        ):  # fmt: skip
            continue
        if _is_at_fault(line, users, slopes, backward, loss, counts):
            line.verdict = "wrong"
            line.why = f"with the right gradient in the place of {target} the rows that use it " \
                       "are right, and with this value they are not"  # fmt: skip
            for one in users:
                one.verdict, one.why, one.numbers = "follows", FOLLOWS, None


def _is_at_fault(
    line: Line, users: list[Line], slopes: Slopes, backward: Backward, loss: str,
    counts: list[float],
) -> bool:  # fmt: skip
    target, value = line.events[0].target, line.states[-1]
    kept = backward.walk.known.get(target)
    shape = np.squeeze(value).shape
    places = [k for k, (_, held) in enumerate(slopes.numbers.seen)
              if np.squeeze(held).shape == shape]  # fmt: skip
    try:
        for place in reversed(places[-MOST_PLACES:]):
            true = slopes.whole(place, loss)
            if not np.abs(true).max(initial=0.0) > 1e-9 or true.size != value.size:
                continue
            backward.walk.known[target] = true.reshape(value.shape)
            if all(_is_right(one, slopes, backward, loss, counts) for one in users):
                return True
    finally:
        if kept is None:
            backward.walk.known.pop(target, None)
        else:
            backward.walk.known[target] = kept
    return False


def _is_right(
    user: Line, slopes: Slopes, backward: Backward, loss: str, counts: list[float]
) -> bool:
    event = user.events[-1]
    try:
        value: Array = np.asarray(backward.walk.lifted(backward.apply(event)), dtype=float)
        places = places_of(slopes, event, slopes.reading.names, slopes.walk)
        ratios = [slopes.ratio(value, place, loss, event) for place in places]
    except Misfit:
        return False
    usual = (1.0, *counts, *(1 / count for count in counts))
    return any(is_close(ratio, one) for ratio in ratios for one in usual)


def _uses(line: Line, target: str) -> bool:
    return any(
        isinstance(node, ast.Name | ast.Attribute) and word_of(node) == target
        for event in line.events
        for node in ast.walk(event.value)
    )


__all__ = ["blame_own_names"]
