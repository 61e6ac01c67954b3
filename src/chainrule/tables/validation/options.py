"""Options of validation: folds and grid, the rows to measure on, the threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal

from chainrule.errors import DataError
from chainrule.tables.validation.thresholds import Costs, check_threshold

GRID: Final[tuple[float, ...]] = tuple(10.0 ** (k / 2) for k in range(-8, 9))
"""Values of C from 1e-4 to 1e4, two per power of ten."""


@dataclass(frozen=True)
class ValidationOptions:
    """How the penalty is chosen, and on what the model is measured.

    Attributes
    ----------
    folds : int or None
        Number of folds; None takes the penalty as given.
    grid : tuple of float
        Values of C to try.
    rule : {'min', '1se'}
        The least mean loss, or the strongest penalty within one standard error of it.
    test : str or None
        A file to measure on, in place of held-out rows.
    by : str or None
        Column whose values are measured one by one.
    threshold : str or None
        'best', 'cost' or a probability.
    costs : Costs
    """

    folds: int | None = None
    grid: tuple[float, ...] = GRID
    rule: Literal["min", "1se"] = "min"
    test: str | None = None
    by: str | None = None
    threshold: str | None = None
    costs: Costs = field(default_factory=Costs)

    def check(self) -> None:
        """Raise a `DataError` for choices without a meaning."""
        if self.folds is not None and self.folds < 2:
            raise DataError(f"--cv is a number of folds, 2 or more, not {self.folds}.")
        for C in self.grid:
            if not C > 0 or math.isnan(C):
                raise DataError(f"--grid holds values of C, above 0, not {C:g}.")
        if not self.grid:
            raise DataError("--grid holds no value of C. Give some, as 0.01,0.1,1.")
        self.costs.check()
        if self.threshold is not None:
            check_threshold(self.threshold)

    def refuse_choices_of_classes(self, loss: str) -> None:
        """Raise a `DataError` for options that a target of numbers does not have."""
        for option, given in (
            ("--threshold", self.threshold is not None),
            ("--cost-fp and --cost-fn", self.costs != Costs()),
            ("--by", self.by is not None),
        ):
            if given:
                raise DataError(
                    f"{option} is for labels, and the loss {loss} takes numbers. Omit it."
                )


AS_GIVEN: Final = ValidationOptions()
"""The penalty as given, and held-out rows."""
