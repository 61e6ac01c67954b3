"""What a fit of a table is given beside the table, and the rows that it may use."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chainrule.errors import DataError
from chainrule.tables.encoding_fit import complete_rows, refuse_missing
from chainrule.tables.specs import Missing
from chainrule.tables.table import Table


@dataclass(frozen=True)
class FitOptions:
    """What the user asks for.

    Parameters
    ----------
    target : str
        The column to predict.
    positive : str, optional
        Of two labels, the one counted as 1; by default the last in order.
    missing : {"refuse", "drop", "mean", "indicator"}
        What becomes of missing values.
    categories : tuple of str
        Columns to take as words even where they hold numbers, or many words.
    ignore : tuple of str
        Columns to leave out.
    holdout : float
        The share of rows kept for the metrics; 0 trains on all.
    seed : int
        The seed of the split.
    C : float
        Inverse strength of the ridge penalty on the sum of the losses; ``inf`` for none.
    alpha : float, optional
        Strength of the ridge penalty on the mean of the losses, in place of `C`.
    offset : str, optional
        Column added to the score.
    exposure : str, optional
        Column whose logarithm is added to the score.
    """

    target: str
    positive: str | None = None
    missing: Missing = "refuse"
    categories: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    holdout: float = 0.2
    seed: int = 0
    C: float = 1.0
    alpha: float | None = None
    offset: str | None = None
    exposure: str | None = None

    def inverse_penalty(self, n_rows: int) -> float:
        """Return C for a fit of so many rows.

        >>> FitOptions("n", alpha=0.5).inverse_penalty(10)
        0.2
        """
        if self.alpha is None:
            return self.C
        return math.inf if self.alpha == 0 else 1.0 / (self.alpha * n_rows)

    def check(self) -> None:
        """Raise a `DataError` for choices that no table could satisfy."""
        if not 0 <= self.holdout < 1:
            raise DataError(f"--holdout is a share from 0 to below 1, not {self.holdout:g}.")
        if not self.C > 0:
            raise DataError(f"-C is one over the weight of the penalty, above 0, not {self.C:g}.")
        if self.alpha is not None and not 0 <= self.alpha < math.inf:
            raise DataError(f"--alpha is the weight of the penalty, 0 or more, not {self.alpha:g}.")
        for role, name in (("offset", self.offset), ("exposure", self.exposure)):
            if name is not None and name == self.target:
                raise DataError(f"column {name!r} is the target and the {role}. Choose one.")
            if name is not None and name in self.ignore:
                raise DataError(f"column {name!r} is the {role} and ignored. Choose one.")
        if self.offset is not None and self.offset == self.exposure:
            raise DataError(
                f"column {self.offset!r} is the offset and the exposure: it would count twice. "
                "Choose one."
            )
        if self.target in self.ignore:
            raise DataError(f"column {self.target!r} is the target and ignored. Choose one.")


def without_gaps(table: Table, choices: FitOptions, notes: list[str]) -> tuple[Table, int]:
    """Drop or refuse incomplete rows as chosen; return a table whose target is complete."""
    target = table.column(choices.target)
    if choices.missing == "drop":
        rows = complete_rows(table)
        n_dropped = table.n_rows - len(rows)
        if len(rows) == 0:
            worst = max(table.columns.values(), key=lambda column: int(column.missing.sum()))
            raise DataError(
                f"{table.source}: no row is complete, so --missing drop leaves none. Column "
                f"{worst.name!r} has most gaps ({int(worst.missing.sum())}): leave it out with "
                f"--ignore {worst.name}, or fill in: --missing mean."
            )
        if n_dropped:
            notes.append(f"{n_dropped} of {table.n_rows} rows have a missing value: dropped.")
        return (table.take(rows) if n_dropped else table), n_dropped
    if choices.missing == "refuse":
        refuse_missing(table)
    gaps = int(target.missing.sum())
    if gaps:
        raise DataError(
            f"{table.source}: the target {target.name!r} is missing in {gaps} rows, and a target "
            "cannot be filled in. Remove these rows, or use --missing drop."
        )
    return table, 0
