"""Enclosures of an expression over intervals of scores and targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.calculus.graph.node import Expr
from chainrule.emission.forms import INPUTS
from chainrule.emission.tape import Tape
from chainrule.emission.writing import interval_lines
from chainrule.engine.losses import intervals


def enclosure(
    form: Expr, scores: tuple[float, float], targets: tuple[float, float]
) -> tuple[float, float]:
    """Return numbers between which an expression stays.

    Parameters
    ----------
    form : Expr
        In score and target.
    scores, targets : tuple of float
        The ends of their intervals, which may be infinite.

    Examples
    --------
    >>> from chainrule.emission.formula import read_formula
    >>> low, high = enclosure(read_formula("exp(-z^2) y").value, (-2.0, 3.0), (0.0, 1.0))
    >>> -1e-300 < low <= 0 and 1 <= high < 1.01
    True
    """
    tape = Tape(INPUTS)
    root = tape.record(form)
    lines, result = interval_lines(tape, root, {"z": "z", "y": "y"})
    names: dict[str, Any] = {"np": np, "intervals": intervals}
    names["z"], names["y"] = (tuple(map(np.float64, ends)) for ends in (scores, targets))
    with np.errstate(all="ignore"):
        # the text was written by `chainrule.emission.writing`, from a tape
        exec("\n".join([*lines, f"result = {result}"]), names)
    low, high = names["result"]
    return float(low), float(high)
