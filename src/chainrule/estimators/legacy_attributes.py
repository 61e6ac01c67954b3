"""Attributes of `LogisticRegressionCV` in the form that scikit-learn had before 1.10."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.estimators.labels import Labels


def legacy_form(found: Mapping[str, Any], keys: Labels, *, one_ratio: bool) -> dict[str, Any]:
    """Return the attributes whose form differs: dictionaries by class, and repeated values.

    Parameters
    ----------
    found : mapping
        The attributes as they are now.
    keys : ndarray
        The classes that have coefficients.
    one_ratio : bool
        Whether no l1_ratios were given, so that arrays have no axis for them.
    """
    paths = np.moveaxis(found["coefs_paths_"], (3, 0, 2, 1), (0, 1, 2, 3))
    scores = np.swapaxes(found["scores_"], 1, 2)
    n_iter = np.swapaxes(found["n_iter_"], 1, 2)[None]
    if one_ratio:
        paths, scores, n_iter = paths[:, :, :, 0], scores[:, :, 0], n_iter[..., 0]
    return {
        "coefs_paths_": dict(zip(keys, paths, strict=True)),
        "scores_": {key: scores.copy() for key in keys},
        "n_iter_": n_iter,
        "C_": np.full(len(keys), found["C_"]),
        "l1_ratio_": np.full(len(keys), found["l1_ratio_"]),
    }
