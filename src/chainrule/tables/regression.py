"""A fitted regression with any loss of one score, as plain data: it predicts a mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import ModelFileError
from chainrule.tables.encoding import encode
from chainrule.tables.losses import ChosenLoss
from chainrule.tables.model import CoefficientRow, ColumnModel
from chainrule.tables.offsets import OffsetColumns
from chainrule.tables.table import Table, unknown_column

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class TableRegression(ColumnModel):
    """A regression on named columns: one row of coefficients.

    Parameters
    ----------
    loss : ChosenLoss
        The loss that was minimised; its link gives the mean.
    offsets : OffsetColumns
        The columns added to the score, in the fit and in every prediction.
    """

    loss: ChosenLoss
    offsets: OffsetColumns = field(default_factory=OffsetColumns)

    @property
    def number_columns(self) -> tuple[str, ...]:
        """The columns of a file to read as numbers."""
        return tuple(dict.fromkeys((*super().number_columns, *self.offsets.names)))

    def check_columns(self, names: list[str], source: str) -> None:
        """Raise a `ModelFileError` when a column that the model needs is not there."""
        super().check_columns(names, source)
        for name in self.offsets.names:
            if name not in names:
                said = unknown_column(name, names, source)
                raise ModelFileError(f"{said} The model was fitted with it as offset or exposure.")

    def predict(self, table: Table, *, blank: bool = False) -> Floats:
        """Return the mean of each row: the inverse link of its score.

        Parameters
        ----------
        table : Table
            Rows with the columns of the model, offset and exposure included.
        blank : bool
            Give NaN to rows with a missing value, a category never seen, or an exposure that is
            not positive; otherwise they raise.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        self.check_columns(list(table.columns), table.source)
        encoded = encode(self.specs, table, blank=blank)
        mean = self.mean_of(self.score_of(encoded.X, self.offsets.of(table, blank=blank)))
        mean[~encoded.usable] = np.nan
        return mean

    def score_of(self, X: Floats, offset: Floats) -> Floats:
        """Return the scores of rows that are encoded already."""
        return np.asarray(X @ self.coef[0] + self.intercept[0] + offset)

    def mean_of(self, score: Floats) -> Floats:
        """Return the means of scores."""
        return np.array(self.loss.row.kernels.mean(score), dtype=np.float64)

    def coefficients(self) -> Iterator[CoefficientRow]:
        """Yield the coefficient table in the order of the features."""
        for feature, value in zip(self.features, self.coef[0], strict=True):
            yield CoefficientRow(feature, "", float(value), float(value / feature.scale))

    @property
    def own_intercept(self) -> float:
        """The intercept for numbers as they stand in the file."""
        shift = np.array([feature.mean / feature.scale for feature in self.features])
        return float(self.intercept[0] - self.coef[0] @ shift)
