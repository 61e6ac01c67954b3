"""The call `train`: gradient descent and Newton's method on logistic regression of two features.

The cost, its gradient and its Hessian are the NumPy modules that are emitted from the derivation of
`FORWARD`. Every iterate has a bound on its distance to the optimum, by duality (`lower_bound`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.board.coding import RequestError
from chainrule.board.schema import (
    CertifyArgs,
    DataInfo,
    Optimum,
    Points,
    Scale,
    TrainArgs,
    Training,
    TrainingPath,
)
from chainrule.calculus.derivation.program import program
from chainrule.data import BREAST_CANCER
from chainrule.deriving import derive, derive_second
from chainrule.language.codegen import module_text

Array = npt.NDArray[np.float64]

FORWARD = """# logistic regression, two features
X : (n, m)  # features, one example per column
Y : (1, m)  # labels
C : (1, 1)  # inverse regularization strength: a constant
w : (1, n)  # weights
b : (1, 1)  # bias
Z = w X + b
A = sigmoid(Z)
J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A)) + w w^T / (2 C)
objective: J
wrt: w, b
"""

MOST_EXAMPLES = 10_000
MOST_STEPS = 2000
MOST_WORK = 5_000_000
"""The most examples times steps of one call."""

HALVINGS = 40
FIRST, SECOND = "malignant", "benign"
SETTLED = 1e-13
"""Newton's method stops where a step would change the cost by less than this share of it."""


@dataclass(frozen=True)
class Problem:
    """Standardised features, labels, and the names of both.

    Parameters
    ----------
    X : array of shape (2, m)
        The features, one example per column.
    Y : array of shape (1, m)
        The labels, 0 or 1.
    scale : Scale
        What was subtracted and divided.
    features, classes : tuple of str
        The names of the features, and of the classes 0 and 1.
    """

    X: Array
    Y: Array
    scale: Scale
    features: tuple[str, ...]
    classes: tuple[str, ...]


def train(args: TrainArgs) -> Training:
    """Run both methods from zero and bound the distance of every iterate to the optimum."""
    problem = problem_of(args)
    m = problem.X.shape[1]
    _within("rate", args.rate, 0.0, 1e6)
    _within("C", args.C, 1e-6, 1e6)
    _within("steps", args.steps, 0, MOST_STEPS)
    _within("newton_steps", args.newton_steps, 0, 100)
    _within("batch", args.batch, 0, m)
    if args.steps * m > MOST_WORK:
        raise RequestError(
            f"{args.steps} steps over {m} examples are more than the board runs at once; "
            f"choose at most {MOST_WORK // m} steps"
        )
    cost = Cost(problem, args.C)
    newton = _path(problem, args.C, _newton(cost, args.newton_steps))
    descent = _path(problem, args.C, _descent(cost, args))
    return Training(
        m,
        FORWARD,
        problem.features,
        problem.classes,
        problem.scale,
        Points(
            tuple(problem.X[0].tolist()),
            tuple(problem.X[1].tolist()),
            tuple(int(label) for label in problem.Y[0]),
        ),
        descent,
        newton,
        _optimum(cost),
    )


def problem_of(args: TrainArgs | CertifyArgs) -> Problem:
    """Return the chosen columns of the data set that ships, or the features that were sent.

    Raises
    ------
    RequestError
        When they do not make a problem of two features and two classes.
    """
    if args.columns and args.features:
        raise RequestError("send either columns of the data set or features, not both")
    if args.columns:
        data = shipped()
        names = data.names
        if len(args.columns) != 2 or len(set(args.columns)) != 2:
            raise RequestError("columns needs two different column numbers")
        for column in args.columns:
            if not 0 <= column < len(names):
                raise RequestError(
                    f"there is no column {column}; they go from 0 to {len(names) - 1}"
                )
        X = data.X[list(args.columns)]
        labels, features = data.labels, tuple(names[k] for k in args.columns)
        classes = (SECOND, FIRST)
    else:
        X, labels = _sent(args)
        features, classes = ("x1", "x2"), ("0", "1")
    mean, sd = X.mean(axis=1, keepdims=True), X.std(axis=1, keepdims=True)
    if not np.isfinite(sd).all() or (sd <= 1e-12 * (1 + np.abs(mean))).any():
        raise RequestError("a feature has the same value in every row; choose another")
    scale = Scale(tuple(mean[:, 0].tolist()), tuple(sd[:, 0].tolist()))
    return Problem((X - mean) / sd, labels[None, :], scale, features, classes)


def _sent(args: TrainArgs | CertifyArgs) -> tuple[Array, Array]:
    lengths = {len(row) for row in (*args.features, args.labels)}
    if len(args.features) != 2 or len(lengths) != 1:
        raise RequestError("features needs two lists, and labels one, all of one length")
    (m,) = lengths
    if not 2 <= m <= MOST_EXAMPLES:
        raise RequestError(f"{m} examples were sent; the board trains on 2 to {MOST_EXAMPLES}")
    if set(args.labels) != {0, 1}:
        raise RequestError("labels must be 0 and 1, and both must occur")
    X = np.array(args.features, float)
    if np.abs(X).max() > 1e100:
        raise RequestError("a feature is larger than 1e100; rescale it")
    return X, np.array(args.labels, float)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise RequestError(f"{name} is {value:g}; it goes from {low:g} to {high:g}")


# ---- the data set that ships ---------------------------------------------------------------------


@dataclass(frozen=True)
class Shipped:
    """The data set that ships: columns by rows, labels, and the names of the columns."""

    names: tuple[str, ...]
    X: Array
    labels: Array


@cache
def shipped() -> Shipped:
    """Read the data set that ships."""
    with BREAST_CANCER.open(encoding="utf-8", newline="") as stream:
        (_, *names), *rows = csv.reader(stream)
    values = np.array([[float(cell) for cell in cells] for _, *cells in rows])
    labels = np.array([float(kind == FIRST) for kind, *_ in rows])
    return Shipped(tuple(names), values.T.copy(), labels)


def data_info() -> DataInfo:
    """Return the name, the features and the classes of the data set that ships."""
    return DataInfo("Wisconsin Diagnostic Breast Cancer", shipped().names, (SECOND, FIRST))


# ---- the emitted functions -----------------------------------------------------------------------


@lru_cache(2)
def emitted(second: bool) -> Mapping[str, Callable[..., Any]]:
    """Return the functions of the NumPy module of the gradient, or of the Hessian's product."""
    derivation = derive_second(FORWARD, hessian=False) if second else derive(FORWARD)
    space: dict[str, Any] = {"__name__": "emitted"}
    # The text is written by chainrule from a constant: nothing that was sent is ever executed.
    exec(compile(module_text(program(derivation)), "<emitted>", "exec"), space)
    return space


class Cost:
    """The cost of a problem with its derivatives, by the emitted modules.

    Parameters
    ----------
    problem : Problem
        The data.
    C : float
        The inverse regularization strength.
    """

    def __init__(self, problem: Problem, C: float) -> None:
        self.problem = problem
        self.C = C
        self.first, self.second = emitted(False), emitted(True)

    def at(self, point: Array, rows: Array | None = None) -> tuple[float, Array]:
        """Return the cost and its gradient at (w1, w2, b), over some of the examples."""
        cache = self.first["forward"](**self._inputs(point, rows))
        slopes = self.first["backward"](cache)
        gradient = np.concatenate([slopes["w"].ravel(), slopes["b"].ravel()])
        return float(cache["J"].item()), gradient

    def hessian(self, point: Array) -> Array:
        """Return the Hessian at a point, one product with a direction per column."""
        columns = []
        for direction in np.eye(3):
            v_w, v_b = direction[None, :2], direction[None, 2:]
            inputs = self._inputs(point, None) | {"v_w": v_w, "v_b": v_b}
            slopes = self.second["backward"](self.second["forward"](**inputs))
            columns.append(np.concatenate([slopes["w"].ravel(), slopes["b"].ravel()]))
        return np.stack(columns, axis=1)

    def _inputs(self, point: Array, rows: Array | None) -> dict[str, Array]:
        X, Y = self.problem.X, self.problem.Y
        if rows is not None:
            X, Y = X[:, rows], Y[:, rows]
        return {
            "X": X,
            "Y": Y,
            "C": np.array([[self.C]]),
            "w": point[None, :2],
            "b": point[None, 2:],
        }


# ---- the two methods -----------------------------------------------------------------------------


def _descent(cost: Cost, args: TrainArgs) -> Iterator[Array]:
    """Yield the iterates of gradient descent on the mean cost, from zero."""
    m = cost.problem.X.shape[1]
    rng = np.random.default_rng(abs(args.seed))
    point = np.zeros(3)
    yield point
    order: list[int] = []
    size = args.batch or m
    for _ in range(args.steps):
        rows = None
        if size < m:
            if len(order) < size:
                order = [*order, *rng.permutation(m).tolist()]
            rows, order = np.array(order[:size]), order[size:]
        _, gradient = cost.at(point, rows)
        # A batch sees its share of the penalty alone, so that its gradient is unbiased.
        if rows is not None:
            gradient = gradient - (1 - size / m) * np.append(point[:2], 0.0) / cost.C
        point = point - args.rate * gradient / size
        if not np.isfinite(point).all() or np.abs(point).max() > 1e100:
            return
        yield point


def _newton(cost: Cost, steps: int) -> Iterator[Array]:
    """Yield the iterates of Newton's method from zero, each step halved until it descends."""
    point = np.zeros(3)
    yield point
    value, gradient = cost.at(point)
    for _ in range(steps):
        step = np.linalg.solve(cost.hessian(point), gradient)
        decrement = float(gradient @ step)
        if decrement <= SETTLED * (1 + abs(value)):
            return
        for halving in range(HALVINGS):
            candidate = point - step / 2**halving
            found, slope = cost.at(candidate)
            if found <= value - 1e-4 * decrement / 2**halving:
                break
        else:
            return  # rounding alone is left
        point, value, gradient = candidate, found, slope
        yield point


def _path(problem: Problem, C: float, iterates: Iterator[Array]) -> TrainingPath:
    cost = Cost(problem, C)
    points = list(iterates)
    with np.errstate(all="ignore"):
        found = [(*cost.at(point), lower_bound(problem, C, point)) for point in points]
    values = [value for value, _, _ in found]
    best = max((bound for _, _, bound in found), default=float("nan"))
    last = points[-1]
    return TrainingPath(
        tuple(tuple(point[:2].tolist()) for point in points),
        tuple(float(point[2]) for point in points),
        tuple(values),
        tuple(value - best for value in values),
        tuple(float(np.linalg.norm(slope)) for _, slope, _ in found),
        right_count(problem, last),
        not values[-1] <= 2 * values[0] + 1,
    )


def right_count(problem: Problem, point: Array) -> int:
    """Return how many examples lie on their own side of the boundary."""
    scores = point[:2] @ problem.X + point[2]
    return int(((scores > 0) == (problem.Y[0] > 0.5)).sum())


def lower_bound(problem: Problem, C: float, point: Array) -> float:
    """Return a lower bound of the optimum, by duality.

    For any p in (0, 1)^m with sum(p) = sum(y), weak duality gives
    ``J* >= sum(entropy(p)) - (C / 2) |X (y - p)|^2``. The probabilities at the point are moved
    towards 0 or 1, all by one share, until the sums agree. What rounding can do to the sums is
    subtracted.
    """
    X, y = problem.X, problem.Y[0]
    p = 1 / (1 + np.exp(-(point[:2] @ X + point[2])))
    p = np.clip(p, 1e-300, 1 - 2.0**-53)
    total, wanted = p.sum(), y.sum()
    share = 1 - wanted / total if total > wanted else (wanted - total) / (len(y) - total)
    q = (1 - share) * p + (0.0 if total > wanted else share)
    q = np.clip(q, 1e-300, 1 - 2.0**-53)
    entropy = -(q * np.log(q) + (1 - q) * np.log1p(-q))
    slope = X @ (y - q)
    penalty = C / 2 * float(slope @ slope)
    # The error of a sum of m terms is at most m roundings of the sum of their sizes; the residual
    # of the constraint moves the bound by the intercept times its size.
    unit = len(y) * 2.0**-52
    spread = np.abs(X) @ np.abs(y - q)
    allowance = unit * (
        entropy.sum() + C * float(np.abs(slope) @ spread) + (1 + abs(point[2])) * wanted
    )
    return float(entropy.sum() - penalty - allowance)


def _optimum(cost: Cost) -> Optimum:
    """Return the limit of Newton's method with the bound on its distance."""
    *_, point = _newton(cost, 100)
    value, _ = cost.at(point)
    bound = value - lower_bound(cost.problem, cost.C, point)
    return Optimum(
        tuple(point[:2].tolist()),
        float(point[2]),
        value,
        bound,
        f"J − J* ≤ {bound:.1e}: weak duality, with an allowance for the rounding of its sums",
        "duality gap",
    )
