"""One answer: the same bits for any number of threads, for any order of storage, every time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_limits

from chainrule import LogisticRegression


def data(n_samples: int, n_features: int, n_classes: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(n_samples, n_features))
    y = np.argmax(X[:, :n_classes] + 2 * rng.gumbel(size=(n_samples, n_classes)), axis=1)
    return X, y


def bits(X: Any, y: Any, **settings: Any) -> bytes:
    model = LogisticRegression(**settings).fit(X, y)
    said = f"{model.certificate_} {model.objective_!r} {model.n_iter_}"
    return bytes(model.coef_.tobytes() + model.intercept_.tobytes()) + said.encode()


PROBLEMS: dict[str, tuple[int, int, int, str]] = {
    "many blocks": (20_000, 8, 2, "dense"),
    "many blocks, three classes": (12_000, 6, 3, "dense"),
    "Fortran order": (20_000, 8, 2, "fortran"),
    "compiled": (101_000, 20, 2, "dense"),
    "compiled, float32": (101_000, 20, 2, "float32"),
    "compiled, three classes": (101_000, 20, 3, "dense"),
    "sparse": (20_000, 12, 2, "csr"),
    "sparse, three classes": (12_000, 12, 3, "csr"),
}
FORMS: dict[str, Any] = {
    "dense": np.asarray,
    "fortran": np.asfortranarray,
    "float32": lambda X: X.astype(np.float32),
    "csr": lambda X: sparse.csr_array(np.where(np.abs(X) > 1, X, 0.0)),
}


RUNS = [(name, "auto") for name in PROBLEMS]
RUNS += [(name, "newton-cg") for name in ("many blocks, three classes", "sparse")]


@pytest.mark.parametrize(("name", "solver"), RUNS)
def test_any_number_of_threads_gives_the_same_bits(name: str, solver: str) -> None:
    n_samples, n_features, n_classes, form = PROBLEMS[name]
    X, y = data(n_samples, n_features, n_classes)
    X = FORMS[form](X)
    found = {bits(X, y, n_jobs=n_jobs, solver=solver) for n_jobs in (1, 2, 8, None)}
    assert len(found) == 1


@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
@pytest.mark.parametrize("form", ["rows", "columns"])
def test_vectors_that_blas_shares_among_threads_have_the_same_bits(form: str, solver: str) -> None:
    rng = np.random.default_rng(3)
    if form == "rows":  # of integers, which no compiled pass reads
        X: Any = rng.integers(-3, 4, size=(30_500, 4)).astype(np.int8)
    else:
        X = sparse.random_array((276, 14_000), density=0.0005, rng=rng, format="csr")
    n_samples = X.shape[0]
    y, weight = rng.integers(0, 2, n_samples), rng.random(n_samples)
    offset = rng.normal(size=n_samples)
    found = set()
    for n_jobs in (1, 2):
        model = LogisticRegression(n_jobs=n_jobs, solver=solver)
        with threadpool_limits(2, user_api="blas"):  # tests have one thread, users several
            model.fit(X, y, sample_weight=weight, offset=offset)
        found.add(model.coef_.tobytes() + model.intercept_.tobytes())
    assert len(found) == 1


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
def test_sparse_formats_give_the_same_bits(n_classes: int, solver: str) -> None:
    X, y = data(3000, 10, n_classes)
    csr = FORMS["csr"](X)
    other_order = csr.copy()
    for i in range(csr.shape[0]):  # the same numbers, each row the other way round
        row = slice(csr.indptr[i], csr.indptr[i + 1])
        other_order.data[row] = csr.data[row][::-1]
        other_order.indices[row] = csr.indices[row][::-1]
    other_order.has_sorted_indices = False
    wide = csr.copy()
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    forms = [csr, csr.tocsc(), csr.tocoo(), other_order, wide]
    assert len({bits(form, y, solver=solver) for form in forms}) == 1


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8", "i4"])
def test_types_and_strides_give_the_same_bits(dtype: str) -> None:
    X, y = data(3000, 6, 2)
    X = np.round(X * 8).astype(dtype)
    plain = np.ascontiguousarray(X, dtype="f8")
    forms = [X, plain, np.repeat(X, 2, axis=1)[:, ::2], np.ascontiguousarray(X[::-1])[::-1]]
    assert len({bits(form, y) for form in forms}) == 1


def test_the_same_fit_twice_and_beside_others_gives_the_same_bits() -> None:
    X, y = data(101_000, 20, 2)
    alone = bits(X, y)
    with ThreadPoolExecutor(3) as pool:
        beside = set(pool.map(lambda n_jobs: bits(X, y, n_jobs=n_jobs), [1, 2, 3]))
    assert beside == {alone}
