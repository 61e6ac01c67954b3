"""A value of the code beside the derivatives that its name may stand for."""

from __future__ import annotations

import re

import numpy as np

from chainrule.teaching.marking.code_by_value.algebra import Event
from chainrule.teaching.marking.code_by_value.factors import Line
from chainrule.teaching.marking.code_by_value.gradients import Slopes, is_close, places_of
from chainrule.teaching.marking.code_by_value.numeric import Array
from chainrule.teaching.marking.code_by_value.walk import is_start
from chainrule.teaching.marking.code_by_value.words import names_in

INDEPENDENT = "the loss, as it is read, does not depend on this"
FLAT = 1e-9
"""The slope below which a loss does not depend on a value."""


def compare(
    line: Line,
    slopes: Slopes,
    value: Array,
    event: Event,
    terms: dict[str, float],
    loss: str,
    *,
    last: bool,
    counts: list[float],
) -> None:
    """Compare a value with the gradients that its name may stand for.

    Parameters
    ----------
    line : Line
        Gets the verdict, or the factor by which the value exceeds the gradient.
    slopes : Slopes
        The true derivatives.
    value : ndarray
        What the code computes.
    event : Event
        The row.
    terms : mapping
        The terms of the loss.
    loss : str
        The one that is the whole loss.
    last : bool
        Whether the row is the last one that makes this gradient.
    counts : list of float
        The numbers that may be that of the examples.
    """
    names = slopes.reading.names
    places = places_of(slopes, event, names, slopes.walk) or _sole(slopes, event, value, loss)
    exact = bool(places)
    if not np.isfinite(value).all():
        line.why = "a value that is not finite"
        return
    if not last:
        if is_start(event):
            return
        at = line.events.index(event)
        scaled = any(one.operation in ("/=", "*=") or (one.operation == "=" and not one.places)
                     for one in line.events[at + 1 :])  # fmt: skip
        usual = (1.0, *counts) if scaled or slopes.reading.taken else (1.0,)
        for term in terms:
            for ratio in [slopes.ratio(value, place, term, event) for place in places]:
                if any(is_close(ratio, one) for one in usual):
                    line.good = at + 1
                elif at == 0 and not scaled:
                    line.part = line.part or ratio
        return
    name = slopes.numbers.seen[places[0]][0] if exact else ""
    final = {name, names.stem(event.target)} & names.positive  # an output, such as AL in log(AL)
    line.leaf = name in slopes.reading.shapes.inputs and not final
    for place in places:
        ratio = slopes.ratio(value, place, loss, event)
        if ratio is not None:
            line.ratio = ratio
            break
    else:
        inner = [*inside(slopes, places), *_kin(slopes, event, places)]
        others = inner if exact else _alike(slopes, value)
        found = [slopes.ratio(value, place, loss, event) for place in others]
        usable: list[float] = [
            one for one in found if one is not None and (not exact or is_close(one, 1.0))
        ]
        if usable:  # the value that makes it right as it stands, then one of the same sign
            line.ratio = min(usable, key=_distance)
            line.why = "read as the gradient with respect to the argument"
    line.exact = exact
    if line.ratio is None and exact:
        line.verdict = "wrong"
        shape = slopes.numbers.seen[places[0]][1].shape
        if np.squeeze(value).shape != np.squeeze(np.empty(shape)).shape:
            line.why = f"the shape is {value.shape}, and the value that it is the gradient of " \
                       f"has {shape}"  # fmt: skip
            return
        ways, slope = slopes.along(places[0])
        if all(abs(one.get(loss, 0.0)) < FLAT for one in slope):
            line.verdict = "unproven"
            line.why = INDEPENDENT
            return
        claimed = float(np.sum(value.reshape(shape) * ways[0]))
        line.numbers = (claimed, slope[0].get(loss, 0.0))
        line.why = "not the derivative of the loss along a random direction: " \
                   f"{line.numbers[0]:.6g} against {line.numbers[1]:.6g}"  # fmt: skip


_BARE = re.compile(r"(?i)grad(?:ient)?s?|g|gr|gradJ|grad_?(?:J|f|loss|cost)")


def _sole(slopes: Slopes, event: Event, value: Array, loss: str) -> list[int]:
    """Return the one parameter on which the loss depends, for a name such as ``grad``."""
    if not _BARE.fullmatch(event.target) or not value.ndim:
        return []
    labels = slopes.reading.names.labels
    inputs = [
        place
        for name, place in slopes.numbers.places.items()
        if name in slopes.reading.shapes.inputs
        and name not in labels
        and np.squeeze(slopes.numbers.seen[place][1]).shape == np.squeeze(value).shape
    ]
    found = [
        one
        for one in inputs
        if any(abs(slope.get(loss, 0.0)) > FLAT for slope in slopes.along(one)[1])
    ]
    return found if len(found) == 1 else []


def _distance(ratio: float) -> tuple[bool, bool]:
    """Return how far a ratio is from that of a gradient as it stands, for sorting."""
    return not is_close(ratio, 1.0), ratio < 0


def inside(slopes: Slopes, places: list[int]) -> list[int]:
    """Return the arguments without a name directly before these values."""
    found: list[int] = []
    for place in places:
        at = place - 1
        while at >= 0 and not slopes.numbers.seen[at][0]:
            found.append(at)
            at -= 1
    return found


_LATER = re.compile(r"_?(?:L|\d+|l|out(?:put)?|last|final|o|n)")


def _kin(slopes: Slopes, event: Event, places: list[int]) -> list[int]:
    """Return the values whose names go on where the name of the gradient ends: ZL for dZ."""
    stem = slopes.reading.names.stem(event.target) or ""
    return [
        place
        for name, place in slopes.numbers.places.items()
        if place not in places and name.startswith(stem) and _LATER.fullmatch(name[len(stem) :])
    ]


def _alike(slopes: Slopes, value: Array) -> list[int]:
    shape = np.squeeze(value).shape
    labels = slopes.reading.names.labels
    found = [k for k, (n, v) in enumerate(slopes.numbers.seen)
             if np.squeeze(v).shape == shape and n not in labels]  # fmt: skip
    return found[-24:] if shape else []


def spare_foreign(lines: list[Line], slopes: Slopes, loss: str) -> None:
    """Accuse no row of code whose gradients use an array that does not enter the loss.

    Parameters
    ----------
    lines : list of Line
        The gradients.
    slopes : Slopes
        The true derivatives.
    loss : str
        The term that is the loss.
    """
    wrong = [line for line in lines if line.verdict == "wrong"]
    used = {name for line in lines for event in line.events for name in names_in(event.value)}
    for name in sorted(used & slopes.reading.shapes.inputs.keys()) if wrong else ():
        place = slopes.numbers.places.get(name)
        known = slopes.reading.names
        if place is None or name in known.labels or known.is_gradient(name):
            continue
        if not slopes.numbers.seen[place][1].ndim:
            continue
        if all(abs(one.get(loss, 0.0)) < FLAT for one in slopes.along(place)[1]):
            for line in lines:
                if line.verdict in ("wrong", "follows"):
                    line.verdict, line.numbers = "unproven", None
                    line.why = f"{name} does not enter the loss, as far as the code is read; " \
                               "add the row that gives it its value"  # fmt: skip
            return


__all__ = ["INDEPENDENT", "compare", "inside", "spare_foreign"]
