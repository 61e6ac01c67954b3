"""Gradients by finite differences, entry by entry."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.calculus.evaluation.differences import Array, along


def gradient(function: Callable[[Array], float], at: Array) -> Array:
    """Differentiate a scalar by every entry of a matrix."""
    result = np.zeros_like(at)
    for place in np.ndindex(*at.shape):
        direction = np.zeros_like(at)
        direction[place] = 1.0
        result[place] = float(along(lambda x: np.asarray(function(x)), at, direction))
    return result
