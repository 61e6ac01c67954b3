"""The options of inference: checked, read, and what a reader of the errors is told of them."""

from __future__ import annotations

from numbers import Real
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.covariance import KINDS
from chainrule.errors import DataError

_CLUSTERS: Final = 40
"""Clusters below which their number is remarked on (Angrist and Pischke 2009, chapter 8)."""

TRIALS: Final = (
    "Robust errors of shares take every trial for an independent unit. For rows as units, as R's "
    "sandwich has it, take cov='CR0' with one cluster per row."
)

OF_ONE_SCORE: Final = {"HC2": "HC1", "HC3": "HC1", "CR2": "CR1", "CR3": "CR1"}

Penalised = Literal["bayes", "sandwich"]

NOTES: Final = {
    "jeffreys": (
        "The likelihood is penalised by Jeffreys' prior (Firth). profile() and lr() are those of "
        "the penalised likelihood, and are to be preferred to the errors above."
    ),
    "bayes": (
        "Errors are those of the posterior whose prior is the penalty (penalised='bayes'): H^-1 "
        "with the penalty in H."
    ),
    "sandwich": (
        "Errors are the spread of the penalised estimate around its own, biased, centre "
        "(penalised='sandwich'), not around the truth."
    ),
}


def check_options(cov: str, level: float, penalised: str | None, C: float) -> None:
    """Raise `DataError` where options are unknown, or say nothing of a fit with this penalty."""
    if cov not in KINDS:
        raise DataError(f"cov must be one of {', '.join(KINDS)}, not {cov!r}")
    if not isinstance(level, Real) or not 0 < float(level) < 1:
        raise DataError(f"level must be between 0 and 1, as 0.95, not {level!r}")
    if penalised not in (None, "bayes", "sandwich"):
        raise DataError(f"penalised must be 'bayes' or 'sandwich', not {penalised!r}")
    if np.isfinite(C) and penalised is None:
        raise DataError(
            f"the fit is penalised (C = {C:g}), so its coefficients are biased and textbook errors "
            "do not apply. Fit with C=np.inf (from a table: without -C, --alpha and --cv), or "
            "say how errors are meant: penalised='bayes' or 'sandwich' (--penalised)"
        )
    if np.isinf(C) and penalised is not None:
        raise DataError(f"penalised={penalised!r} is for penalised fits, and this one is not")
    if penalised == "bayes" and cov != "model":
        raise DataError(f"penalised='bayes' has no cov={cov!r}: use penalised='sandwich'")


def cluster_codes(clusters: Any, cov: str, n_samples: int) -> IntArray | None:  # noqa: ANN401
    """Return the number of each row's cluster; None without clusters."""
    if cov.startswith("CR") != (clusters is not None):
        if clusters is None:
            raise DataError(f"cov={cov!r} needs clusters: one label per row")
        raise DataError(f"clusters are for cov='CR0' ... 'CR3', not for cov={cov!r}")
    if clusters is None:
        return None
    labels = np.asarray(clusters)
    if labels.shape != (n_samples,):
        raise DataError(f"clusters has shape {labels.shape}, expected ({n_samples},)")
    found, codes = np.unique(labels, return_inverse=True)
    if len(found) < 2:
        raise DataError("clusters holds one cluster only; at least two are needed")
    return np.asarray(codes, dtype=np.intp)


def few_clusters(count: int) -> str:
    """Return the remark on a small number of clusters; empty where there are enough."""
    if count >= _CLUSTERS:
        return ""
    return (
        f"There are {count} clusters. With fewer than about {_CLUSTERS}, clustered errors are too "
        "small on average, and these z and p-values overstate the evidence; CR2 and CR3 correct "
        "a part of it."
    )


def base_place(base: Any, classes: npt.NDArray[Any]) -> int:  # noqa: ANN401
    """Return the number of the class that the others are compared with; of the first for None."""
    if base is None:
        return 0
    found = np.flatnonzero(classes == base)
    if not len(found):
        raise DataError(f"base={base!r} is none of the classes: {', '.join(map(str, classes))}")
    return int(found[0])


def offset_against(
    offset: FloatArray | None,
    n_classes: int,
    classes: npt.NDArray[Any] | None,
    base: Any,  # noqa: ANN401
) -> FloatArray | None:
    """Return offsets against those of the base class."""
    if offset is None or n_classes == 2 or classes is None:
        return offset
    place = base_place(base, classes)
    return np.delete(offset - offset[:, [place]], place, axis=1)
