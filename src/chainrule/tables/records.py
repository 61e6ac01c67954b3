"""The fields of a fitted table: plain data, which the model file holds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.specs import Feature, Missing, Spec, features

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


@dataclass(frozen=True, eq=False)
class ModelRecord:
    """A fitted table model as data; `TableModel` adds its predictions.

    Parameters
    ----------
    target : str
        The column it predicts.
    classes : tuple of str
        The labels; of two, the second is counted as 1.
    specs : tuple of Spec
        How columns become numbers.
    coef : ndarray of shape (1, n_features) or (n_classes, n_features)
        On the standardised scale.
    intercept : ndarray of shape (1,) or (n_classes,)
        On the standardised scale.
    certificate : CertificateRecord
        How far from the optimum, proven.
    training : TrainingRecord
        How it was fitted.
    """

    target: str
    classes: tuple[str, ...]
    specs: tuple[Spec, ...]
    coef: Floats
    intercept: Floats
    certificate: CertificateRecord
    training: TrainingRecord

    @property
    def features(self) -> tuple[Feature, ...]:
        """The columns of the encoded matrix."""
        return features(self.specs)
