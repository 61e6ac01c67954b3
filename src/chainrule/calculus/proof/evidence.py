"""Evidence for and against a claim, and the tolerances of comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.calculus.derivation.steps import VerificationMethod

FLOAT_TOLERANCE = 1e-13
DIGITS_TOLERANCE = 1e-35
DIFFERENCE_TOLERANCE = 1e-7
SEED = 20_260


@dataclass(frozen=True)
class Disagreement:
    """Evidence against a claim: the method, and how far apart the two sides are.

    `cancelled` says that the difference is no larger than rounding in the parts of the two sides.
    """

    method: VerificationMethod
    error: float
    left: float
    right: float
    cancelled: bool = False

    def __str__(self) -> str:
        if not np.isfinite(self.error) and np.isnan(self.left) and np.isnan(self.right):
            return f"{self.method.value}: an index is free on one side only, or nothing is finite"
        return f"{self.method.value}: {self.left:.6g} against {self.right:.6g}"


def compared(stated: Any, measured: Any, nothing: float) -> Disagreement:  # noqa: ANN401
    """Compare two numbers relative to the larger, or to `nothing` where both are smaller."""
    scale = max(abs(stated), abs(measured), nothing)
    error = float(abs(stated - measured) / scale)
    return Disagreement(
        VerificationMethod.DIFFERENCES,
        error if np.isfinite(error) else np.inf,
        float(stated),
        float(measured),
    )
