"""A problem, and its data set: built once, kept as plain arrays on disk, loaded by every fit."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

Array = npt.NDArray[Any]
Member = Literal["tuned", "held-out"]

STORE: Final = Path(__file__).parent.parent / ".data"
"""Folder of built data sets; git ignores it."""


class UnavailableError(Exception):
    """A data set cannot be had here; the message is the reason."""


@dataclass(frozen=True)
class Problem:
    """A data set and what is asked of it.

    Attributes
    ----------
    name : str
    build : callable
        scale -> (X, y), or (X, y, begins) for a loop of fits, of which fit k has the rows from
        ``begins[k]`` up to ``begins[k + 1]``; `scale` divides the size of the synthetic ones.
    kind : str
        The group that it is reported in: 'sparse', 'dense', 'classes', 'small', 'tall'.
    task : str
        What a solver must be able to fit: 'dense', 'sparse', 'softmax', 'sparse softmax'.
    member : {'tuned', 'held-out'}
        Whether the engine may be tuned on it. Each kind of data has a member of either sort, with
        another seed and another size.
    unpenalised : bool
        Whether an optimum without a penalty exists, so that lambda = 0 is asked too.
    lambdas : tuple of str
        Strengths asked beyond those of all problems.
    weight : float
        Its share of a run's time, relative to others.
    warm : bool
        Whether fits are repeated in one process and their median counts; else each fit has a fresh
        process.
    first : bool
        Whether a whole process, from its start to the answer, is timed too.
    """

    name: str
    build: Callable[[int], Any]
    kind: str = "dense"
    task: str = "dense"
    member: Member = "tuned"
    unpenalised: bool = False
    lambdas: tuple[str, ...] = ()
    weight: float = 1.0
    warm: bool = False
    first: bool = False

    @property
    def slug(self) -> str:
        """The name as a folder's name."""
        return re.sub(r"\W+", "-", self.name)


def folder(problem: Problem, scale: int) -> Path:
    """Return the folder of a data set."""
    return STORE / f"{problem.slug}-{scale}"


def store(problem: Problem, scale: int) -> None:
    """Build a data set and keep it, unless it is there."""
    target = folder(problem, scale)
    if any((target / name).exists() for name in ("X.npy", "matrix.json")):
        return
    shutil.rmtree(target, ignore_errors=True)  # an earlier version kept matrices in another form
    X, y, *begins = problem.build(scale)
    with new_folder(target) as part:
        if sparse.issparse(X):
            for field in ("data", "indices", "indptr"):
                np.save(part / f"{field}.npy", getattr(X, field))
            matrix = {"format": X.format, "shape": X.shape}
            (part / "matrix.json").write_text(json.dumps(matrix), encoding="utf-8")
        else:
            np.save(part / "X.npy", X)
        np.save(part / "y.npy", y)
        if begins:
            np.save(part / "begins.npy", begins[0])


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
    """Return a data set that was stored: X and y."""
    source = folder(problem, scale)
    y = np.load(source / "y.npy")
    if not (source / "matrix.json").exists():
        return np.load(source / "X.npy"), y
    parts = tuple(np.load(source / f"{f}.npy") for f in ("data", "indices", "indptr"))
    matrix = json.loads((source / "matrix.json").read_text(encoding="utf-8"))
    form = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix}[matrix["format"]]
    return form(parts, shape=matrix["shape"]), y


def load_begins(problem: Problem, scale: int) -> Array | None:
    """Return the row at which each fit of a loop begins, and the end; nothing for a single fit."""
    path = folder(problem, scale) / "begins.npy"
    return np.load(path) if path.exists() else None
