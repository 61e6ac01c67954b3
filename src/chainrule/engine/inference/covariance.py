"""Covariances of fitted coefficients: of the model, robust, and clustered.

The kinds have the names of R's `sandwich` and `clubSandwich`. With the information H (a weight of k
counts as k rows), slopes g_i = dl/dz and leverages h_i = l''_i x_i^T H^-1 x_i, n rows, p
coefficients and G clusters with score sums u_g:

- ``model``: dispersion H^-1.
- ``HC0``: H^-1 M H^-1, M = sum s_i g_i^2 x_i x_i^T (White 1980); ``HC1``: times n / (n - p);
  ``HC2``, ``HC3``: g_i^2 over (1 - h_i) or its square (MacKinnon and White 1985).
- ``CR0``: M = sum u_g u_g^T; ``CR1``: times G / (G - 1), as clubSandwich; ``CR1S``: times
  G / (G - 1) (n - 1) / (n - p), as Stata and sandwich; ``CR2``, ``CR3``: scores corrected within
  each cluster (Pustejovsky and Tipton 2018).
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
from scipy import linalg

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.design import Piece
from chainrule.engine.inference.moments import Estimate, cluster_sums, grams
from chainrule.engine.runtime.executors import Partial
from chainrule.errors import DataError

Kind = Literal["model", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR1S", "CR2", "CR3"]

KINDS: Final[tuple[str, ...]] = get_args(Kind)

_SINGULAR: Final[float] = 1e-12


def leverages(piece: Piece, curvature: FloatArray, root: FloatArray) -> FloatArray:
    """Return l''_i x_i^T H^-1 x_i of each row of a piece, for H^-1 = root root^T.

    Parameters
    ----------
    piece : Piece
    curvature : ndarray of shape (n_rows,)
    root : ndarray of shape (n_terms, n_kept)
        Upper triangular, where all columns are kept.
    """
    if root.shape[0] == root.shape[1] and not np.tril(root, -1).any():  # half the work
        reach = linalg.blas.dtrmm(1.0, root, piece.design.T, trans_a=1)
        return np.asarray(curvature * np.einsum("ji,ji->i", reach, reach))
    reach = piece.design @ root
    return np.asarray(curvature * np.einsum("ij,ij->i", reach, reach))


def corrected_squares(estimate: Estimate, root: FloatArray, power: int) -> FloatArray:
    """Return sum s_i g_i^2 / (1 - h_i)^power x_i x_i^T: of one score."""
    return estimate.sums_of(_corrected_squares, root, power)[0]


def _corrected_squares(estimate: Estimate, piece: Piece, root: FloatArray, power: int) -> Partial:
    terms = estimate.terms(piece)
    left = 1 - leverages(piece, terms.curvature[:, 0, 0], root)
    with np.errstate(divide="ignore", invalid="ignore"):
        square = terms.slope_square[:, 0, 0] * piece.weight / left**power
    square[terms.slope_square[:, 0, 0] == 0] = 0.0
    return (grams(piece.design, square[:, None, None]),)


def clustered_squares(
    estimate: Estimate, clusters: IntArray, n_clusters: int, inverse: FloatArray, kind: str
) -> FloatArray:
    """Return sum u_g u_g^T of scores by cluster, corrected as `kind` says."""
    if kind in ("CR2", "CR3"):
        sums = _corrected_sums(estimate, clusters, n_clusters, inverse, kind)
    else:
        sums = cluster_sums(estimate, clusters, n_clusters)
    return np.asarray(sums.T @ sums)


def small_sample_factor(kind: str, n_samples: float, n_parameters: int, n_clusters: int) -> float:
    """Return what a covariance is multiplied with."""
    n, p, groups = n_samples, n_parameters, n_clusters
    if kind == "HC1":
        return n / (n - p)
    if kind == "CR1":
        return groups / (groups - 1)
    if kind == "CR1S":
        return groups / (groups - 1) * (n - 1) / (n - p)
    return 1.0


def _corrected_sums(
    estimate: Estimate, clusters: IntArray, n_clusters: int, inverse: FloatArray, kind: str
) -> FloatArray:
    """Return score sums whose residuals are corrected by the leverages within each cluster.

    With rows x_i times the slope of the mean, weights W = 1 / variance, residuals e = mu - y and
    H_g = X_g H^-1 X_g^T, as clubSandwich has it: CR3 takes (I - H_g W)^-1 e; CR2 takes A e with
    A = D B^-1/2 D, D = W^-1/2 and B = D (W^-1 - H_g) D. Losses of no distribution count as if the
    score were the mean.
    """
    rows = [(piece, estimate.terms(piece)) for piece in estimate.pieces()]
    design = np.vstack([piece.design for piece, _ in rows])
    slope = np.concatenate([terms.slope[:, 0] for _, terms in rows])
    bend = np.concatenate([terms.curvature[:, 0, 0] for _, terms in rows])
    family = getattr(estimate.likelihood, "family", None)
    if family is not None:
        mean_slope = family.mean_slope(
            np.concatenate([estimate.scores(piece)[:, 0] for piece, _ in rows])
        )
        design = design * mean_slope[:, None]
        slope, bend = slope / mean_slope, bend / mean_slope**2
    if any((piece.weight != 1).any() for piece, _ in rows):
        raise DataError(f"cov='{kind}' does not take sample_weight: use CR1, or repeat the rows")
    if not (bend > 0).all():
        raise DataError(f"cov='{kind}' needs a positive curvature at every row: use CR1")
    order = np.argsort(clusters, kind="stable")
    edges = np.searchsorted(clusters[order], np.arange(n_clusters + 1))
    sums = np.empty((n_clusters, design.shape[1]))
    for g in range(n_clusters):
        part = order[edges[g] : edges[g + 1]]
        sums[g] = _corrected(design[part], slope[part], bend[part], inverse, kind)
    return sums


def _corrected(
    design: FloatArray, slope: FloatArray, bend: FloatArray, inverse: FloatArray, kind: str
) -> FloatArray:
    """Return the corrected score sum of one cluster."""
    within = design @ inverse @ design.T
    residual = slope / bend
    if kind == "CR3":
        corrected = linalg.lstsq(np.eye(len(bend)) - within * bend, residual)[0]
        return np.asarray(design.T @ (bend * corrected))
    root = 1 / np.sqrt(bend)
    inner = (np.diag(1 / bend) - within) * np.outer(root, root)
    values, vectors = linalg.eigh(inner)
    inverted = np.zeros_like(values)
    positive = values > _SINGULAR * values.max(initial=0.0)
    inverted[positive] = 1 / np.sqrt(values[positive])
    corrected = root * (vectors @ (inverted * (vectors.T @ (root * residual))))
    return np.asarray(design.T @ (bend * corrected))
