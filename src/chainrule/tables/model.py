"""A fitted table: what was learnt, as plain data, and what it predicts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import ModelFileError
from chainrule.tables.encoding import encode
from chainrule.tables.specs import CategorySpec, Feature, Missing, NumberSpec, Spec, features
from chainrule.tables.table import Table, unknown_column

Floats = NDArray[np.float64]
Fact = float | int | bool | str | None


@dataclass(frozen=True)
class CertificateRecord:
    """The certificate of the fit, as the model file keeps it.

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
    """How the model was fitted.

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


@dataclass(frozen=True)
class CoefficientRow:
    """One line of the coefficient table.

    Parameters
    ----------
    feature : Feature
        What it multiplies.
    label : str
        The class whose odds it changes; empty where the target is a number.
    per_deviation : float
        For a number: the change of the score for one standard deviation, which the penalty acts
        on. For an indicator: the coefficient.
    own_scale : float
        The change of the score for one unit as it stands in the file.
    """

    feature: Feature
    label: str
    per_deviation: float
    own_scale: float

    @property
    def ratio(self) -> float:
        """Factor of the odds, or of a mean with a log link: per deviation, or against the base."""
        try:
            return math.exp(self.per_deviation)
        except OverflowError:
            return math.inf


@dataclass(frozen=True, eq=False, kw_only=True)
class ColumnModel:
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
    """

    target: str
    specs: tuple[Spec, ...]
    coef: Floats
    intercept: Floats
    certificate: CertificateRecord
    training: TrainingRecord

    @property
    def features(self) -> tuple[Feature, ...]:
        """The columns of the encoded matrix."""
        return features(self.specs)

    @property
    def number_columns(self) -> tuple[str, ...]:
        """The columns of a file to read as numbers."""
        return tuple(
            spec.name for spec in self.specs if isinstance(spec, NumberSpec) or spec.from_numbers
        )

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns of a file to read as words."""
        return tuple(
            spec.name
            for spec in self.specs
            if isinstance(spec, CategorySpec) and not spec.from_numbers
        )

    def check_columns(self, names: list[str], source: str) -> None:
        """Raise a `ModelFileError` when a column that the model needs is not there."""
        lacking = [spec.name for spec in self.specs if spec.name not in names]
        if lacking:
            more = f" {len(lacking) - 1} more are missing too." if len(lacking) > 1 else ""
            said = unknown_column(lacking[0], names, source)
            raise ModelFileError(f"{said}{more} The model was fitted on it.")


@dataclass(frozen=True, eq=False, kw_only=True)
class TableModel(ColumnModel):
    """A logistic regression on named columns: one row of coefficients per class, one for two.

    Parameters
    ----------
    classes : tuple of str
        The labels; of two, the second is counted as 1.
    """

    classes: tuple[str, ...]

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes, with one row of coefficients."""
        return len(self.classes) == 2

    def predict_proba(self, table: Table, *, blank: bool = False) -> Floats:
        """Return one probability per class for each row.

        Parameters
        ----------
        table : Table
            Rows with the columns of the model.
        blank : bool
            Give NaN to rows with a missing value or a category never seen; otherwise they raise.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The rows sum to one.
        """
        self.check_columns(list(table.columns), table.source)
        encoded = encode(self.specs, table, blank=blank)
        proba = self.proba_of(encoded.X)
        proba[~encoded.usable] = np.nan
        return proba

    def proba_of(self, X: Floats) -> Floats:
        """Return the probabilities of rows that are encoded already."""
        raw_prediction = X @ self.coef.T + self.intercept
        if self.is_binary:
            z = raw_prediction[:, 0]
            # Each side by its own formula: 1 - p would lose the digits of a small probability.
            return np.exp(-np.logaddexp(0.0, np.column_stack([z, -z])))
        raw_prediction -= raw_prediction.max(axis=1, keepdims=True)
        proba: Floats = np.exp(raw_prediction)
        proba /= proba.sum(axis=1, keepdims=True)
        return proba

    def coefficients(self) -> Iterator[CoefficientRow]:
        """Yield the coefficient table, class by class in the order of the features.

        For more than two classes the coefficients are centred over the classes, which changes no
        probability: each speaks for the odds of its class against the (geometric) mean class.
        """
        rows = self.coef if self.is_binary else self.coef - self.coef.mean(axis=0)
        labels = self.classes[1:] if self.is_binary else self.classes
        for label, row in zip(labels, rows, strict=True):
            for feature, value in zip(self.features, row, strict=True):
                yield CoefficientRow(feature, label, float(value), float(value / feature.scale))

    def own_intercepts(self) -> dict[str, float]:
        """Return the intercept for numbers as they stand in the file, by class."""
        centred = self.coef if self.is_binary else self.coef - self.coef.mean(axis=0)
        intercept = self.intercept if self.is_binary else self.intercept - self.intercept.mean()
        mean = np.array([feature.mean for feature in self.features])
        scale = np.array([feature.scale for feature in self.features])
        labels = self.classes[1:] if self.is_binary else self.classes
        own = intercept - centred @ (mean / scale)
        return {label: float(value) for label, value in zip(labels, own, strict=True)}

    def save(self, path: str | Path) -> None:
        """Write the model as JSON; see `chainrule.tables.model_file`."""
        from chainrule.tables.model_file import save

        save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> TableModel:
        """Read a model of classes that `save` wrote, and check it."""
        from chainrule.tables.model_file import load

        model = load(path)
        if not isinstance(model, cls):
            raise ModelFileError(f"{path}: this is the model of a regression, not of classes.")
        return model
