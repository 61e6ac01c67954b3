"""Compiled: Cholesky factors of a Hessian with a handful of parameters, and solutions by them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact
from chainrule.engine.passes.kernels.vectors import leading_dot

Matrix = npt.NDArray[Any]


@exact
def factor(matrix: Matrix) -> bool:
    """Put Cholesky's factor L into the lower half; tell whether the matrix is safely definite."""
    size = matrix.shape[0]
    for j in range(size):
        for i in range(j, size):
            total = matrix[i, j] - leading_dot(matrix[i], matrix[j], j)
            if i == j:
                if not total > 1e-12:  # of a matrix with ones on its diagonal
                    return False
                matrix[j, j] = np.sqrt(total)
            else:
                matrix[i, j] = total / matrix[j, j]
    return True


@exact
def solve(lower: Matrix, scale: Vector, vector: Vector, solution: Vector) -> float:
    """Put the inverse of the factored Hessian times a vector into `solution`; return their product.

    The factor is that of the Hessian divided by `scale` on both sides.
    """
    size = lower.shape[0]
    for i in range(size):
        solution[i] = vector[i] / scale[i]
    for i in range(size):
        solution[i] = (solution[i] - leading_dot(lower[i], solution, i)) / lower[i, i]
    for i in range(size - 1, -1, -1):
        solution[i] /= lower[i, i]
        for k in range(i):
            solution[k] -= lower[i, k] * solution[i]
    total = 0.0
    for i in range(size):
        solution[i] /= scale[i]
        total += solution[i] * vector[i]
    return total
