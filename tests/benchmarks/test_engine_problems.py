"""The problems of the engine's benchmark: what each kind of data is said to be, it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmarks.engine import dense_data, sparse_data
from benchmarks.engine.catalogue import KINDS, PROBLEMS
from scipy import sparse

SCALE = 200
SEEDED = [
    name for name in PROBLEMS if not name.startswith(("nycflights", "Spam", "breast", "digits"))
]


def entries(X: Any) -> Any:
    return X.data if sparse.issparse(X) else X


@pytest.mark.parametrize("name", SEEDED)
def test_a_problem_is_what_its_task_says(name: str) -> None:
    problem = PROBLEMS[name]
    X, y, *begins = problem.build(SCALE)
    assert sparse.issparse(X) is problem.task.startswith("sparse")
    assert np.isfinite(entries(X)).all()
    n_classes = len(np.unique(y))
    np.testing.assert_array_equal(np.unique(y), np.arange(n_classes))
    assert (n_classes > 2) is ("softmax" in problem.task)
    assert bool(begins) is ("fits of" in name or "segments" in name)
    if begins:
        assert begins[0][-1] == len(y)
        for start, stop in zip(begins[0], begins[0][1:], strict=False):
            assert set(y[start:stop]) == {0, 1}


@pytest.mark.parametrize("name", SEEDED)
def test_a_seed_gives_the_same_data_again(name: str) -> None:
    (X, y, *_), (again, labels, *_) = (PROBLEMS[name].build(SCALE) for _ in range(2))
    np.testing.assert_array_equal(entries(X), entries(again))
    np.testing.assert_array_equal(y, labels)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_problems_to_tune_on_and_problems_held_out(kind: str) -> None:
    members = [problem.member for problem in PROBLEMS.values() if problem.kind == kind]
    assert members.count("tuned") >= 7
    assert members.count("held-out") >= 7


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.4])
def test_ranks_follow_zipfs_law(exponent: float) -> None:
    n, size = 2_000, 400_000
    ranks = sparse_data.zipf(np.random.default_rng(1), n, size, exponent)
    counts = np.bincount(ranks, minlength=n)
    assert len(counts) == n
    for first, last in ((20, 40), (200, 400), (1000, 2000)):
        weights = np.arange(1, n + 1) ** -exponent
        # beyond the first ranks, a sum and the integral that is drawn from nearly agree
        expected = weights[first:last].sum() / weights[10:].sum() * counts[10:].sum()
        assert counts[first:last].sum() == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("weighting", ["counts", "tf-idf", "0/1"])
def test_entries_of_text(weighting: sparse_data.Weighting) -> None:
    X, _ = sparse_data.text(500, 1, words=3_000, weighting=weighting)
    if weighting == "counts":
        np.testing.assert_array_equal(X.data, X.data.round())
        assert X.data.max() > 1
    elif weighting == "0/1":
        np.testing.assert_array_equal(X.data, 1.0)
    else:
        np.testing.assert_allclose(sparse.linalg.norm(X, axis=1), 1.0)


def test_shapes_of_the_sparse_kinds() -> None:
    X, _ = sparse_data.crossed(2_000, 1, levels=(300, 50, 7))
    assert X.shape == (2_000, 357)
    np.testing.assert_array_equal(np.diff(X.indptr), 3)
    factors = np.split(X.toarray(), [300, 350], axis=1)
    for factor in factors:
        np.testing.assert_array_equal(factor.sum(axis=1), 1.0)
    X, _ = sparse_data.single(500, 1, columns=40)
    np.testing.assert_array_equal(np.diff(X.indptr), 1)
    X, _ = sparse_data.gappy(4_000, 1, columns=600, empty_rows=0.4, empty_columns=0.5, per_row=12)
    assert np.mean(np.diff(X.indptr) == 0) == pytest.approx(0.4, abs=0.03)
    assert np.mean(np.diff(X.tocsc().indptr) == 0) == pytest.approx(0.5, abs=0.02)
    X, _ = sparse_data.heavy(3_000, 1, columns=500)
    counts = np.diff(X.tocsc().indptr)
    assert counts[0] > 10 * counts[1:].max()
    X, _ = sparse_data.hashed(300, 1)
    assert X.shape[1] == 2**20
    assert {-1.0, 1.0} == set(np.sign(X.data[X.data != 0]))
    X, _ = sparse_data.survey(20_000, 1, levels=(2, 3, 2, 3), groups=3)
    assert len(np.unique(X.indices.reshape(-1, 4), axis=0)) <= 36


@pytest.mark.parametrize("share", [0.4, 0.01])
def test_share_of_a_rare_class(share: float) -> None:
    _, y = dense_data.table(60_000, 1, columns=6, share=share)
    assert y.mean() == pytest.approx(share, rel=0.1)


def test_a_table_in_raw_units_has_the_labels_of_the_standardised_one() -> None:
    X, y = dense_data.table(500, 1, columns=8)
    raw, labels = dense_data.table(500, 1, columns=8, raw=True)
    np.testing.assert_array_equal(y, labels)
    np.testing.assert_allclose(dense_data.standardised(raw), X, atol=1e-9)
    assert raw.std(axis=0).max() > 100 * raw.std(axis=0).min()
