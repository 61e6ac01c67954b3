"""Encoded rows in the units of the file."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from chainrule.tables.encoding import Matrix
from chainrule.tables.specs import Spec, features


def in_units(X: Matrix, specs: tuple[Spec, ...]) -> Matrix:
    """Return encoded rows whose numbers are no longer standardised."""
    named = features(specs)
    mean = np.array([feature.mean for feature in named])
    scale = np.array([feature.scale for feature in named])
    if not sparse.issparse(X):
        return X * scale + mean
    # Every row holds an entry for each number, so that means can be added entry by entry.
    places = X.indices
    return sparse.csr_matrix(
        (X.data * scale[places] + mean[places], places, X.indptr), shape=X.shape
    )
