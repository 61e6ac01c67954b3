"""The part of a fit that an estimator keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chainrule.engine.certificates.certificate import Certificate
    from chainrule.engine.solvers.steps import IterationRecord


class DescribedFit(Protocol):
    """The part of a fit that an estimator keeps for later questions."""

    @property
    def certificate(self) -> Certificate:
        """Its proven bounds."""

    @property
    def history(self) -> list[IterationRecord]:
        """Its iterations."""

    def explain(self) -> str:
        """Say how it was done."""
