"""Relaxed fits in cross-validation: mixtures of a penalised fit and a refit of its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from numbers import Real
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.results import Fit

GAMMAS: Final = (1.0, 0.75, 0.5, 0.25, 0.0)
"""Shares of the penalised fit in the mixtures that are tried, as in glmnet."""

Place = Callable[[Any, FloatArray, FloatArray], None]
"""Sets the coefficients and intercepts of a model."""


def as_gammas(relax: Any, l1_ratios: Sequence[float]) -> tuple[float, ...]:  # noqa: ANN401
    """Return the shares of the penalised fit to try, the largest first; (1.0,) for no refits.

    Raises
    ------
    ValueError
        When it is neither True, False, nor numbers from 0 to 1, or no column is chosen.
    """
    if relax is False:
        return (1.0,)
    gammas: tuple[Any, ...] = ()
    if relax is True:
        gammas = GAMMAS
    elif isinstance(relax, Sequence | np.ndarray) and not isinstance(relax, str):
        gammas = tuple(relax)
    if not gammas or not all(
        isinstance(gamma, Real) and not isinstance(gamma, bool) and 0 <= float(gamma) <= 1
        for gamma in gammas
    ):
        raise ValueError(
            f"relax must be True, False, or a sequence of gammas from 0 to 1, not {relax!r}"
        )
    if min(l1_ratios) == 0:
        raise ValueError(
            "relax refits the columns that an L1 penalty chooses, and l1_ratios of 0 choose none; "
            "use l1_ratios above 0, such as (1.0,), or omit relax"
        )
    return tuple(sorted({float(gamma) for gamma in gammas}, reverse=True))


def mixtures(
    model: Any,  # noqa: ANN401
    refit: Fit | None,
    gammas: Sequence[float],
    place: Place,
) -> Iterator[Any]:
    """Yield a model with gamma times its coefficients, and 1 - gamma times those of a refit.

    Where no finite refit exists, the model comes unchanged, marked by `_has_no_refit`.

    Parameters
    ----------
    model : LinearEstimator
        A penalised fit.
    refit : Fit or None
        Of its columns; None where it has none.
    gammas : sequence of float
    place : callable
    """
    from chainrule.engine.refits import is_separated  # with the solvers of elastic nets

    for gamma in gammas:
        if gamma == 1 or refit is None:
            yield model
            continue
        found = copy(model)
        if is_separated(refit):
            found._has_no_refit = True
        else:
            mix(found, refit, gamma, place)
            found._fit = refit
        yield found


def mix(model: Any, refit: Fit, gamma: float, place: Place) -> None:  # noqa: ANN401
    """Set the coefficients of a penalised fit to its mixture with a refit."""
    coef, intercept = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    place(
        model,
        gamma * coef + (1 - gamma) * refit.point.coef.T,
        gamma * intercept + (1 - gamma) * refit.point.intercept,
    )
