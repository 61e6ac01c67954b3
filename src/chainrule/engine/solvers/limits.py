"""What solvers ask of a problem: known before one of them is chosen, and imported."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

from chainrule.engine.losses.facts import Facts

ROWS_LIMIT: Final[int] = 4000
"""Rows up to which their Gram matrix is formed."""

ROWS_PER_PARAMETER: Final[int] = 20
"""Rows that the smallest sample has for each parameter, at least."""

FRACTIONS: Final[tuple[int, ...]] = (1024, 256, 64, 16)
"""One row in so many is drawn, sample after sample; the last gives the curvature."""


def needs_bound(facts: Facts) -> bool:
    """Tell whether Newton steps alone may get nowhere: curvatures can vanish, but are bounded."""
    vanishes = not facts.of_classes and facts.curvature[0] <= 0
    return vanishes and isfinite(facts.curvature[1])


def sampling_pays(source: Any, n_parameters: int) -> bool:  # noqa: ANN401
    """Tell whether a problem has rows enough for samples to know its curvature."""
    if not (source.is_dense or source.is_fused):
        return False
    if source.n_classes == 2 and not source.is_fused:
        return False
    n_samples: int = source.n_samples
    return n_samples >= FRACTIONS[-1] * ROWS_PER_PARAMETER * n_parameters
