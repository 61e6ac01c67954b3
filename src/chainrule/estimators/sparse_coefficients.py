"""`SparseCoefficients`: coefficients stored as a sparse matrix, as scikit-learn does."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from chainrule.engine.arrays import FloatArray
from chainrule.engine.objective.evaluation import Point


class SparseCoefficients:
    """Mixin of a classifier with `coef_`."""

    coef_: Any
    intercept_: Any

    def sparsify(self) -> Self:
        """Store `coef_` as a sparse matrix: for many features, most of them with coefficient 0.

        Returns
        -------
        LogisticRegression
            Itself.

        Raises
        ------
        NotFittedError
            Before `fit`.

        Examples
        --------
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [3.0, 1.0]], [0, 0, 1, 1]
        >>> model = LogisticRegression(l1_ratio=1, C=2.0).fit(X, y)
        >>> model.sparsify().coef_.nnz
        1
        """
        check_is_fitted(self)
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Store `coef_` as an array again, as `fit` does.

        Returns
        -------
        LogisticRegression
            Itself.

        Raises
        ------
        NotFittedError
            Before `fit`.

        Examples
        --------
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [3.0, 1.0]], [0, 0, 1, 1]
        >>> model = LogisticRegression(l1_ratio=1, C=2.0).fit(X, y)
        >>> model.sparsify().densify().coef_.shape
        (1, 2)
        """
        check_is_fitted(self)
        self.coef_ = self._dense_coef()
        return self

    def _dense_coef(self) -> FloatArray:
        return np.asarray(self.coef_.toarray() if sparse.issparse(self.coef_) else self.coef_)

    def _fitted_point(self) -> Point:
        """Return the fitted coefficients as the engine stores them."""
        coef = np.ascontiguousarray(self._dense_coef().T)
        return Point(coef, np.array(self.intercept_, dtype=np.float64))
