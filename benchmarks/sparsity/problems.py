"""Seeded problems of several shapes; the same arrays in every process. NumPy and SciPy alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Array = Any


def _labels(score: Array, rng: Array) -> Array:
    return (score + rng.logistic(size=len(score)) > 0).astype(np.int64)


def correlated(n_samples: int, n_features: int, seed: int = 0) -> tuple[Any, Any]:
    """Return dense columns, each correlated 0.5 with the next, and labels of ten of them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    for j in range(1, n_features):
        X[:, j] = 0.5 * X[:, j - 1] + np.sqrt(0.75) * X[:, j]
    w = np.zeros(n_features)
    w[rng.choice(n_features, min(10, n_features), replace=False)] = rng.normal(
        size=min(10, n_features)
    )
    return X, _labels(X @ w, rng)


def text(n_samples: int, n_features: int, seed: int = 0) -> tuple[Any, Any]:
    """Return sparse counts of words whose frequencies follow Zipf's law, about 40 per row."""
    from scipy import sparse

    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(1, n_features + 1)
    words = rng.choice(n_features, size=40 * n_samples, p=shares / shares.sum())
    rows = np.repeat(np.arange(n_samples), 40)
    X = sparse.csr_matrix((np.ones(len(words)), (rows, words)), shape=(n_samples, n_features))
    X.sum_duplicates()
    X.data = np.log1p(X.data)
    w = rng.normal(size=n_features) * (rng.random(n_features) < 0.02)
    return X, _labels(X @ w, rng)


def survey(n_samples: int, n_questions: int, seed: int = 0) -> tuple[Any, Any]:
    """Return answers to questions with 5 choices each, as 0 and 1: dense one-hot columns."""
    rng = np.random.default_rng(seed)
    answers = rng.integers(0, 5, size=(n_samples, n_questions))
    X = (answers[:, :, None] == np.arange(5)).reshape(n_samples, -1).astype(np.float64)
    w = rng.normal(size=X.shape[1]) * (rng.random(X.shape[1]) < 0.2)
    return X, _labels(X @ w, rng)


def keep(folder: Path, X: Array, y: Array) -> None:
    """Write the rows of a problem, for the processes that solve it."""
    from scipy import sparse

    if sparse.issparse(X):
        sparse.save_npz(folder / "X.npz", X, compressed=False)
    else:
        np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)


def kept(folder: Path) -> tuple[Any, Any]:
    """Return the rows that `keep` wrote."""
    from scipy import sparse

    dense = folder / "X.npy"
    X = np.load(dense) if dense.exists() else sparse.load_npz(folder / "X.npz")
    return X, np.load(folder / "y.npy")


PROBLEMS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "tiny 200x10": lambda: correlated(200, 10),
    "5000x85": lambda: correlated(5_000, 85),
    "200000x100": lambda: correlated(200_000, 100),
    "1000000x100": lambda: correlated(1_000_000, 100),
    "200000x500": lambda: correlated(200_000, 500),
    "500x20000": lambda: correlated(500, 20_000),
    "text 20000x150000": lambda: text(20_000, 150_000),
    "survey 45000x100": lambda: survey(45_000, 20),
}
SMALL = ("tiny 200x10", "5000x85", "500x20000", "text 20000x150000", "survey 45000x100")
