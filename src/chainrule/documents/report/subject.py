"""Subject of a report: a model, and the fit that it came from, where that is at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.tables.effects import EFFECTS, Effect
from chainrule.tables.model import CoefficientRow, TableModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.tables.fitting import FittedTable
    from chainrule.tables.fitting_regression import FittedRegression
    from chainrule.tables.regression import TableRegression


@dataclass(frozen=True)
class Subject:
    """A model, what its coefficients mean, and its fit.

    Parameters
    ----------
    model : TableModel or TableRegression
    fitted : FittedTable or FittedRegression, optional
        The fit, with its rows; None for a model that was read from a file.
    """

    model: TableModel | TableRegression
    fitted: FittedTable | FittedRegression | None = None

    @property
    def effect(self) -> Effect:
        """The quantity that a coefficient changes."""
        if isinstance(self.model, TableModel):
            return EFFECTS["logit"]
        return EFFECTS[self.model.loss.row.link_name]

    @property
    def has_one_score(self) -> bool:
        """Whether there is one row of coefficients."""
        return not isinstance(self.model, TableModel) or self.model.is_binary

    def changes(self, output: str = "") -> str:
        """Return what a coefficient changes, with its subject: ``odds of cured = yes``.

        Parameters
        ----------
        output : str
            The class, of more than two.
        """
        model = self.model
        if not isinstance(model, TableModel):
            return f"{self.effect.changes} of {model.target}"
        return f"odds of {model.target} = {output or model.classes[-1]}"

    def coefficients(self) -> Iterator[CoefficientRow]:
        """Yield the coefficients on both scales."""
        yield from self.model.coefficients()

    @property
    def notes(self) -> tuple[str, ...]:
        """Findings about the data, for the reader."""
        return self.model.reading.notes if self.fitted is None else self.fitted.notes
