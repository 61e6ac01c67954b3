"""Scores of a classifier on the held-out rows of a fold."""

from __future__ import annotations

import copy
import inspect
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.errors import DataError
from chainrule.estimators.inputs import codes_of
from chainrule.estimators.labels import Labels

_LEAST_LOG: Final = float(np.log(np.finfo(np.float64).eps))
_LARGEST_LOG: Final = float(np.log1p(-np.finfo(np.float64).eps))
"""The range of a log-probability in scikit-learn's log-loss."""


def mean_log_proba(
    log_proba: FloatArray, y: Labels, classes: Labels, weights: FloatArray | None
) -> float:
    """Return the mean log-probability of the labels, minus scikit-learn's log-loss.

    Parameters
    ----------
    log_proba : ndarray of shape (n_samples, n_classes)
    y : ndarray of shape (n_samples,)
    classes : ndarray of shape (n_classes,)
        Sorted.
    weights : ndarray of shape (n_samples,) or None

    Raises
    ------
    DataError
        When a label is none of the classes.
    """
    known = np.isin(y, classes)
    if not known.all():
        raise DataError(
            f"label {y[~known][0].item()!r} has no row of positive weight in the fit, so it has "
            "no probability: leave its rows out"
        )
    happened = log_proba[np.arange(len(y)), codes_of(y, classes)]
    return float(np.average(np.clip(happened, _LEAST_LOG, _LARGEST_LOG), weights=weights))


def with_labels(scorer: Any, classes: Labels) -> Any:  # noqa: ANN401
    """Return a scorer with all classes named, which the held-out rows of a fold may not show."""
    function = getattr(scorer, "_score_func", None)
    names = [] if function is None else inspect.signature(function).parameters
    if "labels" not in names or "labels" in scorer._kwargs:
        return scorer
    named = {"labels": classes}
    if len(classes) == 2 and "pos_label" in names:
        named["pos_label"] = classes[-1]
    found = copy.copy(scorer)
    found._kwargs = {**named, **scorer._kwargs}
    return found
