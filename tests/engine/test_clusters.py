"""Passes on a cluster have the bits of passes here, whatever the workers do."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from tests.engine.workers_here import Client

from chainrule import LogisticRegression, PoissonRegressor
from chainrule.engine.inference.tables import Table
from chainrule.engine.objective.clusters import groups_of, subtrees
from chainrule.engine.runtime.executors import TreeSum, tree_reduce
from chainrule.engine.runtime.stored_arrays import ArrayWriter
from chainrule.engine.runtime.workers import Piece, Task, on_cluster
from chainrule.errors import DataError


def bits(model: Any) -> bytes:
    said = f"{model.certificate_} {model.objective_!r} {model.n_iter_} {model.n_passes_}"
    parts = (np.asarray(part).tobytes() for part in (model.coef_, model.intercept_))
    return b"".join(parts) + said.encode()


def problem(n_rows: int = 100_000) -> tuple[Any, Any]:
    rng = np.random.default_rng(6)
    X = rng.normal(size=(n_rows, 10))
    return X, (X[:, 0] + rng.logistic(size=n_rows) > 0).astype(int)


def tabled(n_rows: int = 100_000) -> tuple[Any, Any]:
    """Return rows of numbers and of levels, as sparse rows."""
    rng = np.random.default_rng(7)
    X, y = problem(n_rows)
    levels = sparse.csr_array(
        (np.ones(n_rows), rng.integers(0, 300, n_rows), np.arange(n_rows + 1)),
        shape=(n_rows, 300),
    )
    return sparse.csr_array(sparse.hstack([sparse.csr_array(X[:, :4]), levels])), y


def classes(n_rows: int = 100_000) -> tuple[Any, Any]:
    X, _ = problem(n_rows)
    raw = X[:, :3] + np.random.default_rng(8).gumbel(size=(n_rows, 3))
    return X, raw.argmax(axis=1)


def wide(n_rows: int = 100_000) -> tuple[Any, Any]:
    """Return more rows than the compiled steps of L1 fits take."""
    X, y = problem(n_rows)
    return np.hstack([X, X**2, X**3]), y


FITS: dict[str, tuple[Any, Any]] = {
    "sampled": (problem, LogisticRegression()),
    "full Hessians": (problem, LogisticRegression(solver="newton-cholesky")),
    "Hessian-vector products": (problem, LogisticRegression(solver="newton-cg")),
    "Poisson": (problem, PoissonRegressor()),
    "classes": (classes, LogisticRegression()),
    "L1": (wide, LogisticRegression(l1_ratio=1, C=0.002)),
    "elastic net of classes": (classes, LogisticRegression(l1_ratio=0.5, C=0.002)),
    "sparse rows": (tabled, LogisticRegression()),
    "sparse rows, products": (tabled, LogisticRegression(solver="newton-cg")),
    "sparse rows, L1": (tabled, LogisticRegression(l1_ratio=1, C=0.05)),
}


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("n_threads", [1, 7])
def test_any_number_of_workers_gives_the_same_bits(name: str, n_threads: int) -> None:
    rows, model = FITS[name]
    X, y = rows()
    expected = bits(model.fit(X, y))
    with on_cluster(Client(n_threads, forgets=n_threads == 7)) as cluster:
        assert bits(model.fit(X, y)) == expected
    assert cluster.passes > 0
    if name == "sampled":
        assert 0 < cluster.bytes_sent < cluster.bytes_received < 100_000


def test_what_a_pass_sends_is_predicted(tmp_path: Path) -> None:
    X, y = problem()
    with on_cluster(Client(2)) as cluster:
        model = LogisticRegression().fit(X, y)
    said = re.search(r"(\d+) parts: ([\d.]+) kB out and ([\d.]+) kB back", model.explain())
    assert said is not None
    parts, out, back = (float(number) for number in said.groups())
    assert parts * 11 * 8 == cluster.bytes_sent / cluster.passes
    assert out * 1e3 == pytest.approx(cluster.bytes_sent / cluster.passes, rel=1e-2)
    assert back * 1e3 == pytest.approx(cluster.bytes_received / cluster.passes, rel=1e-2)


LAYOUTS: dict[str, Any] = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "single": lambda X: X.astype(np.float32),
    "strided": lambda X: np.repeat(X, 2, axis=0)[::2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_weights_and_offset_give_the_same_bits(layout: str) -> None:
    X, y = problem()
    rng = np.random.default_rng(1)
    rows = LAYOUTS[layout](X), y, rng.uniform(0.5, 2, len(y)), rng.normal(size=len(y))
    with on_cluster(Client(3)):
        found = LogisticRegression().fit(*rows)
    assert bits(found) == bits(LogisticRegression().fit(*rows))


def test_rows_in_a_file_are_read_by_the_workers(tmp_path: Path) -> None:
    X, y = problem(600_000)
    with ArrayWriter(tmp_path / "X", X.dtype, (10,)) as writer:
        writer.append(X)
    for held_bytes in (0, 2**30):  # samples in a file, or in memory
        rows = writer.array(held_bytes=held_bytes)
        read: list[int] = []
        rows.on_read = read.append
        with on_cluster(Client(3)) as cluster:
            found = LogisticRegression().fit(rows, y)
        assert bits(found) == bits(LogisticRegression().fit(X, y))
        assert sum(read) < 0.25 * X.nbytes  # the driver reads two of nine blocks at most
        assert cluster.bytes_placed < 0.2 * X.nbytes


def test_lost_workers_are_made_up_for_or_named() -> None:
    X, y = problem()
    expected = bits(LogisticRegression().fit(X, y))
    with on_cluster(Client(2, lost=2)):
        assert bits(LogisticRegression().fit(X, y)) == expected
    with (
        on_cluster(Client(2, lost=3)),
        pytest.raises(DataError, match=r"lost its workers in 3 attempts .*give them more memory"),
    ):
        LogisticRegression().fit(X, y)


@pytest.mark.parametrize("n_blocks", [1, 2, 7, 16, 61, 1000])
@pytest.mark.parametrize("n_parts", [1, 2, 3, 7, 14])
def test_parts_are_about_equal_and_consist_of_subtrees(n_blocks: int, n_parts: int) -> None:
    flat: TreeSum[str] = TreeSum(lambda left, right: f"({left}{right})")
    joined: TreeSum[str] = TreeSum(lambda left, right: f"({left}{right})")
    for k in range(n_blocks):
        flat.add(f"{k},")
    groups = groups_of(n_blocks, n_parts)
    assert len(groups) == min(n_parts, n_blocks)
    assert max(map(len, groups)) <= 1.25 * n_blocks / len(groups) + 1
    for group in groups:
        for run in subtrees(group):
            joined.add(tree_reduce([f"{k}," for k in run], lambda a, b: f"({a}{b})"), len(run))
    assert joined.result() == flat.result()


def test_what_is_wrong_on_a_worker_is_said(tmp_path: Path, monkeypatch: Any) -> None:
    with pytest.raises(DataError, match=r"a dict is not a client of a cluster; give a dist"):
        _enter({})
    with pytest.raises(DataError, match=r"Client is a class; give a client that is connected"):
        _enter(Client)
    X, _ = problem(600_000)
    with ArrayWriter(tmp_path / "X", X.dtype, (10,)) as writer:
        writer.append(X)
    rows = writer.array()
    gone = Piece(rows)
    (tmp_path / "X").unlink()
    said = Task(len, ())(gone)
    assert isinstance(said, DataError)
    assert "X: cannot be read (No such file" in str(said)
    assert "on storage that all workers share" in str(said)
    task = Task(len, ())
    task.version = "0.0"
    assert "a worker runs chainrule" in str(task(Piece([1])))
    assert Task(len, ())(Piece([1, 2])) == 2


def test_a_value_that_cannot_be_used_is_named_by_row_and_column(tmp_path: Path) -> None:
    X, y = problem(600_000)
    X[434_343, 3] = np.nan
    with ArrayWriter(tmp_path / "X", X.dtype, (10,)) as writer:
        writer.append(X)
    with on_cluster(Client(2)), pytest.raises(DataError, match=r"NaN .* row 434343, column 3"):
        LogisticRegression().fit(writer.array(), y)


def _enter(client: Any) -> None:
    with on_cluster(client):
        raise AssertionError("this is no client")


class Own:
    """Workers of no scheduler that is known, whose pieces are packed bytes."""

    def n_threads(self) -> int:
        return 2

    def place(self, pieces: Any) -> list[bytes]:
        return [pickle.dumps(piece) for piece in pieces]

    def map(self, placed: list[bytes], function: Any) -> list[Any]:
        return [function(pickle.loads(piece)) for piece in reversed(placed)][::-1]

    def release(self, placed: list[bytes]) -> None:
        placed.clear()

    def is_lost(self, error: Exception) -> bool:
        return False


def test_workers_of_your_own_take_five_methods() -> None:
    X, y = problem()
    with on_cluster(Own()) as cluster:
        found = bits(LogisticRegression().fit(X, y))
    assert found == bits(LogisticRegression().fit(X, y))
    assert cluster.passes > 0


class Growing(Client):
    """A client that gets workers as it goes."""

    def gather(self, futures: Any) -> Any:
        self.n_threads += 2
        return super().gather(futures)


def test_workers_that_join_late_get_parts() -> None:
    X, y = problem()
    client = Growing(1)
    with on_cluster(client):
        found = bits(LogisticRegression().fit(X, y))
    assert found == bits(LogisticRegression().fit(X, y))
    assert client.sets[-1] > client.sets[0]  # the parts were cut and placed again


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Any, Any]:
    """Return rows in memory, the same in a file, labels, and the shop of each row."""
    rng = np.random.default_rng(8)
    n = 220_000
    X = rng.normal(size=(n, 10))
    keys = rng.integers(0, 40, n)
    pull = 0.5 * X[:, 0] - 0.2 * X[:, 1] + 0.3 * rng.normal(size=40)[keys]
    with ArrayWriter(tmp_path_factory.mktemp("shops") / "X", X.dtype, (10,)) as writer:
        writer.append(X)
    return X, writer.array(), (pull + rng.logistic(size=n) > 0).astype(int), keys


INFERENCES: dict[str, Any] = {
    "model": lambda fit, keys: fit("model").tidy,
    "HC1": lambda fit, keys: fit("HC1").tidy,
    "HC3": lambda fit, keys: fit("HC3").tidy,
    "by key": lambda fit, keys: fit("CR1", clusters=keys).tidy,
    "effects": lambda fit, keys: fit("HC1").ame(),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", INFERENCES)
def test_inference_is_the_same_in_memory_in_files_and_on_a_cluster(name: str, shops: Any) -> None:
    X, rows, y, keys = shops

    def numbers(where: Any) -> bytes:
        model = LogisticRegression(C=np.inf).fit(where, y)
        table = INFERENCES[name](
            lambda cov, **options: model.inference(where, y, cov=cov, **options), keys
        )
        columns = table.columns if isinstance(table, Table) else table
        return repr({key: np.asarray(columns[key]).tolist() for key in columns}).encode()

    expected = numbers(X)
    assert numbers(rows) == expected
    with on_cluster(Client(2)) as cluster:
        LogisticRegression(C=np.inf).fit(rows, y)
        n_passes, cluster.passes = cluster.passes, 0
        assert numbers(rows) == expected
    assert cluster.passes > n_passes or name == "by key"  # sums by key are the driver's
