"""The errors, intervals and tests that a fit of a table is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chainrule.errors import DataError


@dataclass(frozen=True)
class InferenceOptions:
    """The inference that is asked for.

    Parameters
    ----------
    cov : str, optional
        The covariance, as in `LogisticRegression.inference`; by default that of the model, or
        "CR1" with clusters.
    clusters : str, optional
        Column of the cluster of each row.
    level : float
        Level of confidence intervals.
    penalised : {"bayes", "sandwich"}, optional
        How errors of a penalised fit are meant.
    effects : bool
        Whether average marginal effects are part of the record.
    """

    cov: str | None = None
    clusters: str | None = None
    level: float = 0.95
    penalised: Literal["bayes", "sandwich"] | None = None
    effects: bool = False

    @property
    def kind(self) -> str:
        """The covariance, chosen."""
        return self.cov or ("model" if self.clusters is None else "CR1")

    def check(self, *, is_penalised: bool) -> None:
        """Raise a `DataError` for choices that do not go together."""
        from chainrule.engine.inference.covariance import KINDS

        if self.kind not in KINDS:
            raise DataError(f"--cov is one of {', '.join(KINDS)}, not {self.cov!r}.")
        if self.kind.startswith("CR") and self.clusters is None:
            raise DataError(f"--cov {self.kind} is for clusters. Name their column: --clusters.")
        if self.clusters is not None and not self.kind.startswith("CR"):
            raise DataError(
                f"--clusters goes with --cov CR0 to CR3, not with {self.kind}. Omit --cov for CR1."
            )
        if not 0 < self.level < 1:
            raise DataError(f"--level is between 0 and 1, such as 0.95, not {self.level:g}.")
        if is_penalised and self.penalised is None:
            raise DataError(
                "a penalised fit is biased, so textbook errors do not apply. Fit without a penalty "
                "(-C inf), or choose how errors are meant: --penalised bayes or sandwich."
            )
        if not is_penalised and self.penalised is not None:
            raise DataError("--penalised is for penalised fits. Omit it, or give a finite -C.")
        if self.penalised == "bayes" and self.kind != "model":
            raise DataError(
                f"--penalised bayes has no --cov {self.kind}. Choose --penalised sandwich."
            )
