"""Seeded dense data sets: tables of numbers, several classes, images, loops of small fits.

Every generator takes the number of rows, a seed, and keywords for the rest, and returns a matrix
with labels 0, 1, ...
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def standardised(X: Array) -> Array:
    """Return columns of mean 0 and standard deviation 1; constant ones of 0."""
    spread = X.std(axis=0)
    return np.asarray((X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def labels(score: Array, rng: np.random.Generator) -> Array:
    """Draw labels 0 and 1 whose log odds are the scores."""
    return np.asarray(score + rng.logistic(size=len(score)) > 0, dtype=np.int64)


def shift(score: Array, share: float) -> float:
    """Return what must be added to scores so that so large a share of the labels is 1."""
    low, high = -60.0 - score.max(), 60.0 - score.min()
    for _ in range(80):
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-np.clip(score + middle, -500, 500)))).mean() < share:
            low = middle
        else:
            high = middle
    return float((low + high) / 2)


def gaussian(rows: int, seed: int, *, columns: int, dtype: str = "float64") -> tuple[Array, Array]:
    """Return independent standard normal columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, columns), dtype=np.dtype(dtype).type)
    return X, labels(X @ rng.normal(size=columns) * 1.5 / np.sqrt(columns), rng)


def ill_conditioned(rows: int, seed: int, *, columns: int) -> tuple[Array, Array]:
    """Return columns with correlations 0.99 and scales over six powers of ten."""
    rng = np.random.default_rng(seed)
    X = np.sqrt(0.01) * rng.standard_normal((rows, columns))
    X += np.sqrt(0.99) * rng.standard_normal((rows, 1))
    score = X @ rng.normal(size=columns) * 0.6
    return X * 10.0 ** np.linspace(-3, 3, columns), labels(score, rng)


def table(
    rows: int,
    seed: int,
    *,
    columns: int,
    factors: int = 5,
    skewed: float = 0.3,
    binary: float = 0.2,
    raw: bool = False,
    share: float = 0.4,
    strength: float = 2.0,
    dtype: str = "float64",
) -> tuple[Array, Array]:
    """Return a table as people have it: correlated, partly skewed, partly yes-or-no columns.

    Parameters
    ----------
    rows, seed, columns : int
    factors : int
        Hidden variables that make the columns correlated.
    skewed, binary : float
        Shares of log-normal columns and of columns of zeros and ones.
    raw : bool
        Columns in units of their own, over five powers of ten, instead of standardised ones.
    share : float
        Share of the labels that are 1.
    strength : float
        Standard deviation of the log odds; from about 15 the classes are nearly separable.
    dtype : str
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, factors)) @ rng.normal(size=(factors, columns))
    X += rng.standard_normal((rows, columns)) * rng.uniform(0.3, 1.5, columns) * np.sqrt(factors)
    X = standardised(X)
    kind = rng.random(columns)
    lognormal, yes_no = kind < skewed, (kind >= skewed) & (kind < skewed + binary)
    X[:, lognormal] = np.exp(0.8 * X[:, lognormal])
    X[:, yes_no] = X[:, yes_no] > rng.uniform(-1, 2, int(yes_no.sum()))
    scaled = standardised(X)
    score = scaled @ rng.normal(size=columns)
    score *= strength / max(score.std(), 1e-9)
    y = labels(score + shift(score, share), rng)
    if y.min() == y.max():
        y[0] = 1 - y[0]
    if raw:
        scaled = X * 10.0 ** rng.uniform(-2, 3, columns) + 10.0 ** rng.uniform(-1, 2, columns)
    return np.ascontiguousarray(scaled, dtype=dtype), y


def classes(
    rows: int,
    seed: int,
    *,
    columns: int,
    n_classes: int,
    strength: float = 1.5,
    decay: float = 0.0,
    dtype: str = "float64",
) -> tuple[Array, Array]:
    """Return correlated columns and classes with probabilities by a softmax.

    Parameters
    ----------
    rows, seed, columns, n_classes : int
    strength : float
        Standard deviation of the scores.
    decay : float
        How much rarer each class is than the one before, in log odds.
    dtype : str
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, 4)) @ rng.normal(size=(4, columns))
    X = standardised(X + 1.5 * rng.standard_normal((rows, columns)))
    scores = X @ rng.normal(size=(columns, n_classes))
    scores *= strength / scores.std()
    scores -= decay * np.arange(n_classes)
    y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    y[:n_classes] = np.arange(n_classes)  # every class occurs
    return X.astype(dtype), y


def images(
    rows: int, seed: int, *, side: int, n_classes: int, noise: float = 0.6, depth: int = 1
) -> tuple[Array, Array]:
    """Return smooth grey or coloured images, pixels from 0 to 1, dark at the border.

    A class is a smooth pattern; an image is its class's pattern, a smooth variation, and noise.
    """
    rng = np.random.default_rng(seed)
    waves = np.arange(6)
    along = np.cos(np.pi * np.outer(waves, (np.arange(side) + 0.5) / side))

    def smooth(count: int) -> Array:
        falling = 1.0 / (1.0 + waves[:, None] + waves)
        coefficients = rng.normal(size=(count, depth, len(waves), len(waves))) * falling
        return np.asarray(along.T @ coefficients @ along).reshape(count, -1)

    y = rng.integers(0, n_classes, rows)
    y[:n_classes] = np.arange(n_classes)
    grey = smooth(n_classes)[y] + noise * smooth(rows)
    grey += 0.3 * noise * rng.standard_normal(grey.shape)
    ramp = np.sin(np.pi * (np.arange(side) + 0.5) / side)
    frame = np.tile(np.clip(2.5 * np.outer(ramp, ramp) - 0.2, 0, 1).ravel(), depth)
    return np.clip(0.5 + 0.35 * grey, 0, 1) * frame, y


def terrain(rows: int, seed: int, *, numbers: int, codes: tuple[int, ...]) -> tuple[Array, Array]:
    """Return a tall table of numbers and of dense 0/1 columns, one per level of some factors."""
    rng = np.random.default_rng(seed)
    X = np.zeros((rows, numbers + sum(codes)))
    X[:, :numbers], _ = table(rows, seed + 1, columns=numbers, binary=0.0)
    start = numbers
    for levels in codes:
        level = (levels * rng.random(rows) ** 2).astype(np.int64)
        X[np.arange(rows), start + level] = 1.0
        start += levels
    return X, labels(X @ (0.5 * rng.normal(size=X.shape[1])), rng)


def loop(
    rows: int,
    seed: int,
    *,
    columns: int,
    fits: int,
    design: str,
) -> tuple[Array, Array, Array]:
    """Return the data of many fits, one below the other, and the row at which each begins.

    Parameters
    ----------
    rows : int
        Rows per fit; their mean for segments.
    seed, columns, fits : int
    design : {'bootstrap', 'simulation', 'segments'}
        Rows drawn again from one table; the same rows with labels drawn again; groups of rows of
        different sizes and coefficients.
    """
    rng = np.random.default_rng(seed)
    if design == "segments":
        sizes = np.maximum(20, (rows * rng.lognormal(-0.2, 0.6, fits)).astype(np.int64))
        X = rng.standard_normal((int(sizes.sum()), columns))
        coef = rng.normal(size=columns) + 0.5 * rng.normal(size=(fits, columns))
        score = (X * np.repeat(coef, sizes, axis=0)).sum(axis=1) / np.sqrt(columns)
        return X, _mixed(labels(score, rng), sizes), _begins(sizes)
    sizes = np.full(fits, rows)
    table_, y = table(rows, seed + 1, columns=columns, binary=0.1)
    if design == "bootstrap":
        drawn = rng.integers(0, rows, rows * fits)
        return table_[drawn], _mixed(y[drawn], sizes), _begins(sizes)
    score = np.tile(table_ @ rng.normal(size=columns) / np.sqrt(columns), fits)
    return np.tile(table_, (fits, 1)), _mixed(labels(score, rng), sizes), _begins(sizes)


def _begins(sizes: Array) -> Array:
    return np.concatenate([[0], np.cumsum(sizes)])


def _mixed(y: Array, sizes: Array) -> Array:
    """Return labels of which each fit has both."""
    first = _begins(sizes)[:-1]
    y[first], y[first + 1] = 0, 1
    return y
