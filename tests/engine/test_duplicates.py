"""Rows that repeat, merged into weights: the same optimum, and nothing where rows are few."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule import LogisticRegression
from chainrule.engine.data import duplicates
from chainrule.engine.data.coded_rows import CodedColumn, CodedRows
from chainrule.engine.data.duplicates import merged
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.passes import fused_blocks

pytestmark = pytest.mark.usefixtures("_always_compiled")
RNG = np.random.default_rng(8)
LEVELS = np.array(list("abcd"))


@pytest.fixture
def _always_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr(fused_blocks, "FUSED_FROM", 0)


def _codes(X: Any) -> CodedRows:
    places = np.arange(4, dtype=np.int32)
    columns = [CodedColumn(f"c{j}", X[:, j].astype(np.int8), LEVELS, places) for j in (0, 1, 2)]
    return CodedRows([*columns, CodedColumn("number", X[:, 3])])


FORMS: dict[str, Any] = {
    "dense": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "float32": lambda X: X.astype(np.float32),
    "csr": sparse.csr_array,
    "csr, float32": lambda X: sparse.csr_array(X.astype(np.float32)),
    "codes": _codes,
}


def rows(m: int, n_distinct: int, n_classes: int) -> tuple[Any, Any]:
    X = RNG.integers(0, 4, (n_distinct, 5)).astype(float)[RNG.integers(0, n_distinct, m)]
    y = np.argmax(X[:, :n_classes] + 3 * RNG.gumbel(size=(m, n_classes)), axis=1)
    return X, y


def brute(X: Any, y: Any, weight: Any, offset: Any) -> dict[tuple[float, ...], float]:
    total: dict[tuple[float, ...], float] = {}
    for i in range(len(X)):
        key = (*X[i].tolist(), float(y[i]), *([] if offset is None else offset[i].tolist()))
        total[key] = total.get(key, 0.0) + weight[i]
    return total


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("with_offset", [False, True])
def test_each_row_label_and_offset_is_left_once_with_all_its_weight(
    form: str, with_offset: bool
) -> None:
    X, y = rows(6000, 40, 3)
    weight = RNG.integers(1, 4, 6000).astype(float)
    offset = RNG.integers(0, 2, (6000, 3)).astype(float) if with_offset else None
    source = InMemorySource(FORMS[form](X), y, weight, n_classes=3, offset=offset)
    found = merged(source, n_threads=2)
    assert found is not None
    kept = [found.block(index) for index in range(found.n_blocks)]
    numbers = np.vstack([np.vstack(list(block.X.dense_rows())) for block in kept])
    labels = np.concatenate([block.y.argmax(axis=1) for block in kept])
    weights = np.concatenate([block.sample_weight for block in kept])
    wide = np.vstack(
        [np.vstack(list(source.block(index).X.dense_rows())) for index in range(source.n_blocks)]
    )
    expected = brute(wide, y, weight, offset)
    assert len(labels) == len(expected)
    assert brute(numbers, labels, weights, found.offset) == expected


@pytest.mark.parametrize("form", ["dense", "csr", "codes"])
@pytest.mark.parametrize("proportions", [False, True])
def test_the_optimum_is_that_of_all_rows(
    form: str, proportions: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = rows(5000, 60, 3)
    X = X[:, :4] if form == "codes" else FORMS[form](X)
    if form == "codes":
        pd = pytest.importorskip("pandas")
        names = [f"c{j}" for j in range(3)]
        X = pd.DataFrame(X, columns=[*names, "number"]).astype(dict.fromkeys(names, "category"))
    share: Any = np.round(np.eye(3)[y] * 0.5 + 0.5 / 3, 12)
    share /= share.sum(axis=1, keepdims=True)
    models = []
    for merging in (True, False):
        if not merging:
            monkeypatch.setattr(duplicates, "_seems_repetitive", lambda _: False)
        # small dense tables take one compiled call, whatever repeats
        solver = "newton-classes" if form == "dense" else "auto"
        model = LogisticRegression(tol=1e-12, solver=solver)
        models.append(model.fit_proportions(X, share) if proportions else model.fit(X, y))
    one, other = models
    assert "5000 rows are" in one.explain()
    assert "rows are" not in other.explain()
    np.testing.assert_allclose(one.coef_, other.coef_, atol=1e-6)
    assert one.objective_ == pytest.approx(other.objective_, rel=1e-11)
    assert one.certificate_.proven


@pytest.mark.parametrize("n_distinct", [5000, 3000])
def test_rows_that_hardly_repeat_stay(n_distinct: int) -> None:
    X = RNG.normal(size=(n_distinct, 5))[RNG.permutation(5000) % n_distinct]
    y = RNG.integers(0, 2, 5000)
    assert merged(InMemorySource(sparse.csr_array(X), y)) is None


def test_one_row_that_is_everywhere_is_not_worth_it() -> None:
    X = RNG.normal(size=(5000, 5))
    X[::3] = 0.0
    assert merged(InMemorySource(sparse.csr_array(X), np.arange(5000) % 2)) is None


def test_rows_are_compared_not_only_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = rows(4000, 30, 2)
    source = InMemorySource(sparse.csr_array(X), y)
    assert merged(source) is not None
    keys = duplicates._keys
    monkeypatch.setattr(duplicates, "_keys", lambda *given: keys(*given) % np.uint64(10))
    assert merged(source) is None


@pytest.mark.parametrize("n_jobs", [1, 2, 8])
def test_any_number_of_threads_gives_the_same_bits(n_jobs: int) -> None:
    X, y = np.random.default_rng(1).integers(0, 3, (4000, 4)), np.arange(4000) % 2
    fits = [LogisticRegression(n_jobs=n).fit(sparse.csr_array(X * 1.0), y) for n in (1, n_jobs)]
    np.testing.assert_array_equal(fits[0].coef_, fits[1].coef_)


@pytest.mark.parametrize("repeated", [1, 6])
def test_sparse_rows_with_many_patterns_are_told_from_rows_that_repeat(repeated: int) -> None:
    rng = np.random.default_rng(3)
    X = sparse.random_array((6000 // repeated, 300), density=0.05, rng=rng, format="csr")
    X = sparse.csr_array(sparse.vstack([X] * repeated))
    source = InMemorySource(X, np.arange(X.shape[0]) % (6000 // repeated) % 2)
    found = merged(source)
    assert (found is None) == (repeated == 1)
    assert found is None or found.n_samples == 1000
