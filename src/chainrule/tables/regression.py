"""A fitted regression with any loss of one score: it predicts a mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chainrule.errors import ModelFileError
from chainrule.tables import model_file
from chainrule.tables.encoding import Matrix
from chainrule.tables.model import CoefficientRow
from chainrule.tables.predictors import designed
from chainrule.tables.records import Floats, RegressionRecord
from chainrule.tables.scores import score_columns
from chainrule.tables.table import Table


@dataclass(frozen=True, eq=False, kw_only=True)
class TableRegression(RegressionRecord):
    """A regression on named columns: one row of coefficients."""

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
        design = designed(self, table, blank=blank)
        scored = score_columns(self.specs, self.coef[:1], self.intercept, design, blank=blank)
        mean = self.mean_of(scored.score[:, 0] + self.offsets.of(table, blank=blank))
        mean[~scored.usable] = np.nan
        return mean

    def score_of(self, X: Matrix, offset: Floats) -> Floats:
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

    def save(self, path: str | Path) -> None:
        """Write the model as JSON; see `chainrule.tables.model_file`."""
        model_file.save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> TableRegression:
        """Read a regression that `save` wrote, and derive its loss again."""
        record = model_file.load(path)
        if not isinstance(record, RegressionRecord):
            raise ModelFileError(f"{path}: this is a model of classes, not a regression.")
        return cls(**vars(record))
