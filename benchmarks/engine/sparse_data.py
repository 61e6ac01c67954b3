"""Seeded sparse data sets: text, hashed n-grams, crossed factors, surveys, awkward columns.

Every generator takes the number of rows, a seed, and keywords for the rest, and returns a matrix in
compressed rows with labels 0, 1, ...
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from benchmarks.engine.dense_data import labels

Array = npt.NDArray[Any]
Weighting = Literal["counts", "tf-idf", "0/1"]

_NESTED: Final = 0.9
"""Share of rows whose small factor is a function of a large one."""


def zipf(rng: np.random.Generator, n: int, size: int, exponent: float = 1.0) -> Array:
    """Return ranks 0, ..., n - 1, with probabilities proportional to (rank + 1)^-exponent.

    Ranks are the whole parts of draws from the continuous density.
    """
    u = rng.random(size)
    if exponent == 1.0:
        draws = (n + 1.0) ** u
    else:
        power = 1.0 - exponent
        draws = (1.0 + u * ((n + 1.0) ** power - 1.0)) ** (1.0 / power)
    return np.minimum(draws.astype(np.int64) - 1, n - 1)


def compressed(indices: Array, lengths: Array, n: int, values: Array | None = None) -> Any:  # noqa: ANN401
    """Return rows of so many entries each; entries of the same column are added."""
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = np.ones(len(indices)) if values is None else values
    X = sparse.csr_matrix((values, indices.astype(np.int32), starts), shape=(len(lengths), n))
    X.sum_duplicates()
    return X


def row_normalised(X: Any) -> Any:  # noqa: ANN401
    """Return rows of Euclidean length 1; empty rows stay empty."""
    norms = np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1 / np.where(norms > 0, norms, 1.0)) @ X)


def _tokens(
    rng: np.random.Generator, rows: int, words: int, length: int, topics: int, exponent: float
) -> tuple[Array, Array, Array]:
    """Return words, lengths of documents, and topics of documents.

    A word is common to all topics, or from the topic's own order of the vocabulary.
    """
    lengths = np.maximum(1, (length * rng.lognormal(-0.1, 0.45, rows)).astype(np.int64))
    topic = rng.integers(0, topics, rows)
    share = np.repeat(rng.beta(2.0, 3.0, rows), lengths)
    drawn = zipf(rng, words, int(lengths.sum()), exponent)
    orders = np.stack([rng.permutation(words) for _ in range(topics)])
    own = orders[np.repeat(topic, lengths), drawn]
    return np.where(rng.random(len(drawn)) < share, own, drawn), lengths, topic


def text(
    rows: int,
    seed: int,
    *,
    words: int,
    length: int = 40,
    weighting: Weighting = "tf-idf",
    topics: int = 3,
    exponent: float = 1.0,
    noise: float = 0.0,
    by_topic: bool = False,
) -> tuple[Any, Array]:
    """Return documents on some topics, with words by Zipf's law.

    Without noise the two classes, the first topic against all others, are nearly separable.

    Parameters
    ----------
    rows, seed, words : int
    length : int
        Mean number of words per document.
    weighting : {'counts', 'tf-idf', '0/1'}
        Entry of a word in a document.
    topics : int
    exponent : float
        Of Zipf's law.
    noise : float
        Share of labels drawn anew.
    by_topic : bool
        One class per topic.
    """
    rng = np.random.default_rng(seed)
    drawn, lengths, topic = _tokens(rng, rows, words, length, topics, exponent)
    X = compressed(drawn, lengths, words)
    if weighting == "0/1":
        X.data[:] = 1.0
    elif weighting == "tf-idf":
        documents = np.bincount(X.indices, minlength=words)
        X.data *= (np.log((1 + rows) / (1 + documents)) + 1)[X.indices]
        X = row_normalised(X)
    y = topic if by_topic else (topic == 0).astype(np.int64)
    anew = rng.random(rows) < noise
    y[anew] = rng.integers(0, topics if by_topic else 2, int(anew.sum()))
    return X, y


def hashed(
    rows: int, seed: int, *, bits: int = 20, words: int = 50_000, length: int = 30
) -> tuple[Any, Array]:
    """Return one- and two-word terms in 2^bits columns with signs, rows of length 1."""
    rng = np.random.default_rng(seed)
    drawn, lengths, topic = _tokens(rng, rows, words, length, 3, 1.0)
    follower = np.append(drawn[1:], 0)
    follower[np.cumsum(lengths) - 1] = words  # the last word has none: a term of its own
    terms = np.column_stack([drawn, (drawn + 1) * (words + 1) + follower]).ravel()
    mixed = terms.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    columns = (mixed >> np.uint64(64 - bits)).astype(np.int64)
    signs = np.where((mixed >> np.uint64(7)) & np.uint64(1), 1.0, -1.0)
    X = row_normalised(compressed(columns, 2 * lengths, 2**bits, signs))
    y = (topic == 0).astype(np.int64)
    anew = rng.random(rows) < 0.03
    y[anew] = rng.integers(0, 2, int(anew.sum()))
    return X, y


def one_hot(codes: Array, levels: tuple[int, ...]) -> Any:  # noqa: ANN401
    """Return one column per level, one entry per row and factor."""
    firsts = np.cumsum([0, *levels])
    lengths = np.full(len(codes), len(levels))
    return compressed((codes + firsts[:-1]).ravel(), lengths, int(firsts[-1]))


def crossed(
    rows: int, seed: int, *, levels: tuple[int, ...], exponent: float = 0.5, effect: float = 0.6
) -> tuple[Any, Array]:
    """Return factors crossed with each other, one-hot: students, teachers, departments.

    Levels occur by Zipf's law. In 90 % of the rows the third factor is a function of the second, as
    a department is of a teacher. Labels are drawn with an effect of every level.
    """
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.permutation(n)[zipf(rng, n, rows, exponent)] for n in levels])
    if len(levels) > 2:
        nested = rng.random(rows) < _NESTED
        codes[nested, 2] = (codes[nested, 1] * 7919) % levels[2]
    X = one_hot(codes, levels)
    return X, labels(X @ (effect * rng.normal(size=X.shape[1])), rng)


def survey(
    rows: int, seed: int, *, levels: tuple[int, ...], groups: int = 8, focus: float = 0.3
) -> tuple[Any, Array]:
    """Return answers to questions, one-hot, from groups of respondents with habits of their own.

    Parameters
    ----------
    rows, seed : int
    levels : tuple of int
        Possible answers to each question.
    groups : int
    focus : float
        Concentration of a group's answers: the smaller, the fewer distinct rows.
    """
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, rows)
    codes = np.empty((rows, len(levels)), dtype=np.int64)
    for question, n in enumerate(levels):
        shares = rng.dirichlet(np.full(n, focus), size=groups).cumsum(axis=1)
        codes[:, question] = np.minimum((rng.random((rows, 1)) > shares[group]).sum(axis=1), n - 1)
    X = one_hot(codes, levels)
    return X, labels(X @ (0.5 * rng.normal(size=X.shape[1])) - 0.7, rng)


def beside(
    rows: int, seed: int, *, dense: int = 8, columns: int = 30_000, per_row: int = 15
) -> tuple[Any, Array]:
    """Return a few columns of numbers beside a sparse block."""
    rng = np.random.default_rng(seed)
    numbers = rng.standard_normal((rows, dense)) * 10.0 ** rng.uniform(-1, 1, dense)
    codes = compressed(zipf(rng, columns, rows * per_row, 0.9), np.full(rows, per_row), columns)
    X = sparse.csr_matrix(sparse.hstack([sparse.csr_matrix(numbers), codes], format="csr"))
    coef = 0.4 * rng.normal(size=X.shape[1])
    coef[:dense] /= numbers.std(axis=0)
    return X, labels(X @ coef, rng)


def single(rows: int, seed: int, *, columns: int, exponent: float = 0.7) -> tuple[Any, Array]:
    """Return one entry per row: a single factor, with an amount as its value."""
    rng = np.random.default_rng(seed)
    amounts = rng.gamma(2.0, 0.5, rows)
    X = compressed(zipf(rng, columns, rows, exponent), np.ones(rows, np.int64), columns, amounts)
    return X, labels(X @ rng.normal(size=columns), rng)


def gappy(
    rows: int, seed: int, *, columns: int, empty_rows: float, empty_columns: float, per_row: int
) -> tuple[Any, Array]:
    """Return a matrix in which so large shares of the rows and columns have no entry."""
    rng = np.random.default_rng(seed)
    used = rng.permutation(columns)[: max(1, round(columns * (1 - empty_columns)))]
    lengths = rng.poisson(per_row, rows)
    lengths[rng.random(rows) < empty_rows] = 0
    size = int(lengths.sum())
    X = compressed(used[zipf(rng, len(used), size, 0.8)], lengths, columns, rng.normal(size=size))
    return X, labels(X @ (0.5 * rng.normal(size=columns)) + 0.3, rng)


def heavy(
    rows: int, seed: int, *, columns: int, per_row: int = 10, share: float = 0.95
) -> tuple[Any, Array]:
    """Return rare columns and one with large entries in nearly all rows."""
    rng = np.random.default_rng(seed)
    rare = compressed(rng.integers(1, columns, rows * per_row), np.full(rows, per_row), columns)
    amounts = 1e3 * rng.lognormal(0.0, 0.7, rows) * (rng.random(rows) < share)
    first = sparse.csr_matrix(amounts[:, None])
    first.resize((rows, columns))
    X = sparse.csr_matrix(rare + first)
    coef = 0.5 * rng.normal(size=columns)
    coef[0] = 1e-3
    return X, labels(X @ coef - 1.0, rng)


def power_law(rows: int, seed: int, *, columns: int, per_row: int = 30) -> tuple[Any, Array]:
    """Return so many entries per row, in columns drawn by a power law."""
    rng = np.random.default_rng(seed)
    indices = (columns * rng.random((rows, per_row)) ** 3).astype(np.int32).ravel()
    values = rng.random(rows * per_row) + 0.5
    X = compressed(indices, np.full(rows, per_row), columns, values)
    return X, labels(X @ rng.normal(size=columns) * 0.3, rng)


def by_columns(data: tuple[Any, Array]) -> tuple[Any, Array]:
    """Return the same matrix in compressed columns."""
    X, y = data
    return sparse.csc_matrix(X), y
