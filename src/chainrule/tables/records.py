"""The fields of a fitted table: plain data, which the model file holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import ModelFileError
from chainrule.formulas.design import Formula
from chainrule.tables.cells import NumberStyle
from chainrule.tables.chosen_loss import ChosenLoss
from chainrule.tables.dates import DateColumn, expanded
from chainrule.tables.fit_rows import FitRows
from chainrule.tables.inference_record import InferenceRecord
from chainrule.tables.offsets import OffsetColumns
from chainrule.tables.specs import (
    CategorySpec,
    Feature,
    Groups,
    Missing,
    NumberSpec,
    Spec,
    features,
)
from chainrule.tables.table import some_of, unknown_column

Floats = NDArray[np.float64]
Fact = float | int | bool | str | None


@dataclass(frozen=True)
class CertificateRecord:
    """The certificate of the fit, as stored in the model file.

    Parameters
    ----------
    sentence : str
        What it says to the user.
    facts : dict
        Its fields that are numbers, truth values or words.
    """

    sentence: str
    facts: dict[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingRecord:
    """The settings and results of the training.

    Parameters
    ----------
    rows, held_out, dropped : int
        Rows that trained, rows kept for the metrics, rows left out for missing values.
    seed : int
        The seed of the split.
    missing : str
        What became of missing values.
    C : float
        One over the weight of the penalty.
    objective : float
        The sum of the losses plus the penalty, at the end.
    iterations : int
        How many iterations it took.
    metrics : dict
        The held-out measures by name; empty when nothing was held out.
    l1_ratio : float
        The share of absolute values in the penalty; the rest are squares.
    adaptive : bool
        Whether absolute values are weighted by one over the coefficients of a pilot fit.
    groups : {"levels"} or None
        Features whose coefficients are 0 together: the levels of each categorical column.
    gamma : float
        Share of the penalised fit in the coefficients; the rest is a refit of the chosen features
        without penalty.
    """

    rows: int
    held_out: int
    dropped: int
    seed: int
    missing: Missing
    C: float
    objective: float
    iterations: int
    metrics: dict[str, Fact] = field(default_factory=dict)
    l1_ratio: float = 0.0
    adaptive: bool = False
    groups: Groups | None = None
    gamma: float = 1.0

    @property
    def penalty(self) -> str:
        """The penalty in words: ``C = 0.5, l1_ratio = 1``."""
        if math.isinf(self.C):
            return "no penalty"
        mixed = f", l1_ratio = {self.l1_ratio:g}" if self.l1_ratio else ""
        weights = ", adaptive weights" if self.adaptive else ""
        together = "" if self.groups is None else ", levels of a category together"
        refit = f", relaxed with gamma = {self.gamma:g}" if self.gamma < 1 else ""
        return f"C = {self.C:g}{mixed}{weights}{together}{refit}"


@dataclass(frozen=True)
class ReadingRecord:
    """How the file of a fit was read, so that other files are read in the same way.

    Parameters
    ----------
    na : tuple of str or None
        The words that mean "no value"; None for the usual ones.
    dates : tuple of DateColumn
        Columns of dates, and the parts used.
    styles : dict of str to NumberStyle
        Numeric columns that were not written as programs write numbers.
    roles : dict of str to str
        Columns with another role: weights, trials, group, time.
    notes : tuple of str
        What was found out about the file.
    """

    na: tuple[str, ...] | None = None
    dates: tuple[DateColumn, ...] = ()
    styles: dict[str, NumberStyle] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def date_columns(self) -> dict[str, str]:
        """The column of the file that each part of a date comes from."""
        return {part: date.name for date in self.dates for part in date.names}


@dataclass(frozen=True, eq=False, kw_only=True)
class ColumnRecord:
    """A linear model on named columns, whatever it predicts.

    Parameters
    ----------
    target : str
        The column it predicts.
    specs : tuple of Spec
        How columns become numbers.
    coef : ndarray of shape (n_outputs, n_features)
        On the standardised scale.
    intercept : ndarray of shape (n_outputs,)
        On the standardised scale.
    certificate : CertificateRecord
        Its bound on the distance from the optimum.
    training : TrainingRecord
        How it was fitted.
    offsets : OffsetColumns
        The columns added to the score, in the fit and in every prediction.
    reading : ReadingRecord
        How the file was read.
    formula : Formula or None
        How the columns of the file become those that are encoded.
    inference : InferenceRecord or None
        Errors, intervals and tests, where the fit was asked for them.
    trained_on : FitRows or None
        Ranges of numbers, and a fingerprint of the training rows; None in files of versions before.
    """

    target: str
    specs: tuple[Spec, ...]
    coef: Floats
    intercept: Floats
    certificate: CertificateRecord
    training: TrainingRecord
    offsets: OffsetColumns = field(default_factory=OffsetColumns)
    reading: ReadingRecord = field(default_factory=ReadingRecord)
    formula: Formula | None = None
    inference: InferenceRecord | None = None
    trained_on: FitRows | None = None

    @property
    def features(self) -> tuple[Feature, ...]:
        """The columns of the encoded matrix."""
        return features(self.specs)

    @property
    def number_columns(self) -> tuple[str, ...]:
        """The columns of a file to read as numbers."""
        columns = self.reading.date_columns
        if self.formula is not None:
            texts = self.formula.text_columns
            found = [name for name in self.formula.columns if name not in texts]
        else:
            found = [spec.name for spec in self.specs if isinstance(spec, NumberSpec)]
        own = (name for name in found if name not in columns)
        return tuple(dict.fromkeys((*own, *self.offsets.names)))

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns of a file to read as text."""
        columns = self.reading.date_columns
        if self.formula is not None:
            found = list(self.formula.text_columns)
        else:
            found = [spec.name for spec in self.specs if isinstance(spec, CategorySpec)]
        return tuple(name for name in found if name not in columns)

    @property
    def input_columns(self) -> tuple[str, ...]:
        """The columns that a prediction is computed from, but for offset and exposure."""
        if self.formula is not None:
            return self.formula.columns
        return tuple(spec.name for spec in self.specs)

    def check_columns(self, names: list[str], source: str) -> None:
        """Raise a `ModelFileError` when a column that the model needs is not there.

        Parameters
        ----------
        names : list of str
            The columns of a file, or of a table whose dates have become their parts.
        source : str
        """
        known = set(expanded(names, {date.name: date for date in self.reading.dates}))
        known.update(names)
        lacking = [name for name in self.input_columns if name not in known]
        lacking = list(dict.fromkeys(self.reading.date_columns.get(n, n) for n in lacking))
        if lacking:
            more, them = "", "it"
            if len(lacking) > 1:
                more, them = f" Missing too: {some_of(lacking[1:])}.", "them"
            said = unknown_column(lacking[0], names, source)
            raise ModelFileError(f"{said}{more} The model was fitted on {them}.")
        for name in self.offsets.names:
            if name not in known:
                said = unknown_column(name, names, source)
                raise ModelFileError(f"{said} The model was fitted with it as offset or exposure.")


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelRecord(ColumnRecord):
    """A fitted model of classes as data; `TableModel` adds its predictions.

    Parameters
    ----------
    classes : tuple of str
        The labels; of two, the second is counted as 1.
    threshold : float or None
        The least probability of the second of two classes that predicts it; None for 1/2.
    """

    classes: tuple[str, ...]
    threshold: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class RegressionRecord(ColumnRecord):
    """A fitted regression as data; `TableRegression` adds its predictions.

    Parameters
    ----------
    loss : ChosenLoss
        The loss that was minimised; its link gives the mean.
    """

    loss: ChosenLoss
