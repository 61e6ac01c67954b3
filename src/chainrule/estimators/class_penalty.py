"""`penalty` of a classifier, as releases of scikit-learn spell it, with its checks."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np

from chainrule.estimators.base import LinearEstimator
from chainrule.estimators.class_inference import FIRTH
from chainrule.estimators.penalties import checked_strength

_PENALTIES: Final = ("l2", "l1", "elasticnet", "none", "deprecated")


class ClassPenalty(LinearEstimator):
    """The kind and the strength of the penalty of a classifier, from its parameters."""

    penalty: str | None
    C: float
    l1_ratio: float | None
    on_separation: str
    handle_unknown: str

    def _l1_ratio(self) -> float:
        """Return the share of absolute values in the penalty."""
        share = super()._l1_ratio()
        if self.penalty == "l1":
            return 1.0
        return 0.0 if self.penalty in (None, "none", *FIRTH) else share

    def _check_parameters(self) -> float:
        """Refuse senseless parameters in words; return C, inf where nothing is penalised."""
        if self.penalty in FIRTH:
            self._check_common_parameters()
            return np.inf
        if self.penalty not in (*_PENALTIES, None):
            raise ValueError(
                f"penalty must be 'l2', 'l1', 'elasticnet', None, or "
                f"{', '.join(map(repr, FIRTH))}, not {self.penalty!r}"
            )
        if self.penalty == "elasticnet" and self.l1_ratio is None:
            raise ValueError("penalty='elasticnet' needs l1_ratio, a number from 0 to 1")
        self._l1_ratio()
        if self.penalty == "l1" and self.l1_ratio not in (0, 1, None):
            warnings.warn(
                "l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty=l1)",
                UserWarning,
                stacklevel=4,
            )
        C = checked_strength(self.C)
        self._check_common_parameters()
        if self.on_separation not in ("warn", "raise"):
            raise ValueError(f"on_separation must be 'warn' or 'raise', not {self.on_separation!r}")
        if self.handle_unknown not in ("error", "ignore"):
            raise ValueError(
                f"handle_unknown must be 'error' or 'ignore', not {self.handle_unknown!r}"
            )
        if self.penalty not in (None, "none"):
            return C
        if self.C not in (1.0, np.inf):
            warnings.warn(f"Setting penalty=None will ignore the C={self.C}", stacklevel=4)
        return np.inf
