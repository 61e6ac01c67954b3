"""Requirements of solvers on a problem, checked before one of them is chosen and imported."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

from chainrule.engine.data.rows import LARGEST_SAMPLE
from chainrule.engine.losses.facts import Facts

ROWS_LIMIT: Final[int] = 4000
"""Rows up to which their Gram matrix is formed."""

ROWS_PER_PARAMETER: Final[int] = 20
"""Rows that the smallest sample has for each parameter, at least."""

FRACTIONS: Final[tuple[int, ...]] = (1024, 256, 64, LARGEST_SAMPLE)
"""One row in so many is drawn, sample after sample; the last gives the curvature."""

LARGER_SAMPLES: Final[tuple[int, ...]] = (8, 4)
"""One row in so many is in the largest sample where a sixteenth would be too few."""

ROWS_IN_LARGER: Final[int] = 12
"""Rows that those have for each parameter, at least."""

ROWS_PER_BLOCK_PARAMETER: Final[int] = 4
"""Rows that the block of one class is formed from, for each of its parameters."""

LEAST_BLOCK_ROWS: Final[int] = 2048
"""Rows up to which all are taken."""

FULL_VECTORS: Final[int] = 5
"""Vectors over all rows, per output, of methods whose steps keep scores, slopes and bends."""

_BLOCK_NUMBERS: Final[int] = 2**26
"""Numbers of the blocks of all classes, at most."""


def n_drawn(n_samples: int, size: int) -> int:
    """Return how many rows the block of one class is formed from: all, where most would be."""
    enough = max(LEAST_BLOCK_ROWS, ROWS_PER_BLOCK_PARAMETER * size)
    return n_samples if 2 * n_samples <= 3 * enough else enough


def blocks_fit(n_classes: int, size: int) -> bool:
    """Tell whether the blocks of all classes fit in the memory that they may take."""
    return n_classes * size**2 <= _BLOCK_NUMBERS


def needs_bound(facts: Facts) -> bool:
    """Tell whether Newton steps alone may get nowhere: curvatures can vanish, but are bounded."""
    vanishes = not facts.of_classes and facts.curvature[0] <= 0
    return vanishes and isfinite(facts.curvature[1])


def sample_fraction(source: Any, n_parameters: int) -> int:  # noqa: ANN401
    """Return in how many rows one is in the largest sample; 0 where rows are too few for samples.

    Of sparse rows, of several classes, and of rows that are drawn while they are read, a sample is
    a sixteenth or none.
    """
    if not (source.is_dense or source.is_fused):
        return 0
    if source.n_classes == 2 and not source.is_fused:
        return 0
    n_samples: int = source.n_samples
    if n_samples >= FRACTIONS[-1] * ROWS_PER_PARAMETER * n_parameters:
        return FRACTIONS[-1]
    if source.n_classes > 2 or not source.is_dense or source.is_stored:
        return 0
    least = ROWS_IN_LARGER * n_parameters
    return next((one for one in LARGER_SAMPLES if n_samples >= one * least), 0)


def sampling_pays(source: Any, n_parameters: int) -> bool:  # noqa: ANN401
    """Tell whether a problem has rows enough for samples to know its curvature."""
    return sample_fraction(source, n_parameters) > 0
