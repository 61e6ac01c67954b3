"""Passes on a cluster have the bits of passes here, whatever the workers do."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import LogisticRegression, PoissonRegressor
from chainrule.engine.inference.tables import Table
from chainrule.engine.objective.clusters import groups_of
from chainrule.engine.runtime.executors import TreeSum
from chainrule.engine.runtime.stored_arrays import ArrayWriter
from chainrule.engine.runtime.workers import Piece, Task, on_cluster
from chainrule.errors import DataError


class LostError(Exception):
    """What a scheduler raises when a worker is lost."""


LostError.__module__ = "distributed.scheduler"


class Client:
    """A client whose workers are in this process, see pickles only, and may be lost."""

    def __init__(self, n_threads: int, lost: int = 0) -> None:
        self.n_threads, self.lost, self.placed = n_threads, lost, 0

    def scheduler_info(self, n_workers: int = 5) -> Any:
        return {"workers": {f"tcp://{k}": {"nthreads": 1} for k in range(self.n_threads)}}

    def scatter(self, data: Any, *, hash: bool) -> bytes:
        self.placed += 1
        return pickle.dumps(data)

    def submit(self, function: Any, piece: bytes, *, pure: bool) -> Any:
        sent = pickle.dumps(function)
        return lambda: pickle.loads(pickle.dumps(pickle.loads(sent)(pickle.loads(piece))))

    def gather(self, futures: Any) -> Any:
        if self.lost:
            self.lost -= 1
            raise LostError("a worker died")
        order = np.random.default_rng(0).permutation(len(futures))
        done = {int(k): futures[k]() for k in order}
        return [done[k] for k in range(len(futures))]


Client.__module__ = "distributed.client"


def bits(model: Any) -> bytes:
    said = f"{model.certificate_} {model.objective_!r} {model.n_iter_} {model.n_passes_}"
    parts = (np.asarray(part).tobytes() for part in (model.coef_, model.intercept_))
    return b"".join(parts) + said.encode()


def problem(n_rows: int = 100_000) -> tuple[Any, Any]:
    rng = np.random.default_rng(6)
    X = rng.normal(size=(n_rows, 10))
    return X, (X[:, 0] + rng.logistic(size=n_rows) > 0).astype(int)


MODELS: dict[str, Any] = {
    "sampled": LogisticRegression(),
    "full Hessians": LogisticRegression(solver="newton-cholesky"),
    "Poisson": PoissonRegressor(),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_any_number_of_workers_gives_the_same_bits(name: str, n_threads: int) -> None:
    X, y = problem()
    model = MODELS[name]
    expected = bits(model.fit(X, y))
    with on_cluster(Client(n_threads)) as cluster:
        assert bits(model.fit(X, y)) == expected
    if name == "sampled":
        assert cluster.passes > 0
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
        assert sum(read) < 0.2 * X.nbytes  # the driver reads one block
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
@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_groups_are_subtrees(n_blocks: int, n_threads: int) -> None:
    flat: TreeSum[str] = TreeSum(lambda left, right: f"({left}{right})")
    joined: TreeSum[str] = TreeSum(lambda left, right: f"({left}{right})")
    for k in range(n_blocks):
        flat.add(f"{k},")
    for group in groups_of(n_blocks, n_threads):
        part: TreeSum[str] = TreeSum(lambda left, right: f"({left}{right})")
        for k in group:
            part.add(f"{k},")
        for size, item in part.stack:
            joined.add(item, size)
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
    assert client.placed > 16  # the parts were cut and placed again


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
        assert numbers(rows) == expected
    assert cluster.passes > 0
