"""Compute the reference coefficients of small real data sets: ``python tools/reference_fits.py``.

Newton's method in 60 decimal digits with mpmath, from the definitions, until a step no longer
changes the fiftieth digit. The answers are stored as `tests/engine/references.json`, with 20
digits each, and the tests compare the engine with them. The data are those that scikit-learn ships,
and small classical tables typed in below, each with its source.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import mpmath
import numpy as np
import numpy.typing as npt
from sklearn import datasets

TARGET = Path(__file__).parents[1] / "tests/engine/references.json"
DIGITS = 60
STORED = 20

Array = npt.NDArray[Any]


class Case(NamedTuple):
    """A data set and a penalty; `weight` repeats rows."""

    X: Array
    y: Array
    C: float
    weight: Array | None = None
    fit_intercept: bool = True


def breast_cancer(columns: slice, *, scaled: bool) -> tuple[Array, Array]:
    """Return some columns of the Wisconsin breast cancer data."""
    X, y = datasets.load_breast_cancer(return_X_y=True)
    X = X[:, columns]
    return ((X - X.mean(axis=0)) / X.std(axis=0) if scaled else X), y


def finney() -> tuple[Array, Array]:
    """Return vasoconstriction by volume and rate of air: Finney, Biometrika 34 (1947), 320-334."""
    rows = """3.70 .825 1; 3.50 1.09 1; 1.25 2.50 1; .75 1.50 1; .80 3.20 1; .70 3.50 1; .60 .75 0;
    1.10 1.70 0; .90 .75 0; .90 .45 0; .80 .57 0; .55 2.75 0; .60 3.00 0; 1.40 2.33 1; .75 3.75 1;
    2.30 1.64 1; 3.20 1.60 1; .85 1.415 1; 1.70 1.06 0; 1.80 1.80 1; .40 2.00 0; .95 1.36 0;
    1.35 1.35 0; 1.50 1.36 0; 1.60 1.78 1; .60 1.50 0; 1.80 1.50 1; .95 1.90 0; 1.90 .95 1;
    1.60 .40 0; 2.70 .75 1; 2.35 .03 0; 1.10 1.83 0; 1.10 2.20 1; 1.20 2.00 1; .80 3.33 1;
    .95 1.90 0; .75 1.90 0; 1.30 1.625 1"""
    table = np.array([[float(v) for v in row.split()] for row in rows.split(";")])
    return np.log(table[:, :2]), table[:, 2].astype(int)


def challenger() -> tuple[Array, Array]:
    """Return O-ring distress by temperature: Dalal, Fowlkes, Hoadley, JASA 84 (1989), 945-957."""
    hot = "66 70 69 68 67 72 73 70 57 63 70 78 67 53 67 75 70 81 76 79 75 76 58"
    failed = "0 1 0 0 0 0 0 0 1 1 1 0 0 1 0 0 0 0 0 0 1 0 1"
    return np.array(hot.split(), dtype=float)[:, None], np.array(failed.split(), dtype=int)


def beetles() -> tuple[Array, Array, Array]:
    """Return beetles killed by carbon disulphide: Bliss, Ann. Appl. Biol. 22 (1935), 134-167."""
    dose = np.array([1.6907, 1.7242, 1.7552, 1.7842, 1.8113, 1.8369, 1.8610, 1.8839])
    number, killed = [59, 60, 62, 56, 63, 59, 62, 60], [6, 13, 18, 28, 52, 53, 61, 60]
    X, y = np.repeat(dose, 2)[:, None], np.tile([0, 1], 8)
    weight = np.array([[n - k, k] for n, k in zip(number, killed, strict=True)]).ravel()
    return X, y, weight


def linnerud() -> tuple[Array, Array]:
    """Return exercises of twenty men, and whether they weigh more than the median."""
    data = datasets.load_linnerud()
    weight = data.target[:, 0]
    return data.data, (weight > np.median(weight)).astype(int)


def cases() -> dict[str, Case]:
    """Return the data sets by name."""
    iris, kinds = datasets.load_iris(return_X_y=True)
    wine, makers = datasets.load_wine(return_X_y=True)
    digits, number = datasets.load_digits(return_X_y=True)
    diabetes, progress = datasets.load_diabetes(return_X_y=True)
    ill = (progress > 140).astype(int)
    pair = np.flatnonzero(number < 2)[:120]
    dose, dead, count = beetles()
    return {
        "breast cancer, raw": Case(*breast_cancer(slice(10), scaled=False), C=1.0),
        "breast cancer, scaled": Case(*breast_cancer(slice(10), scaled=True), C=1.0),
        "breast cancer, scaled, weak penalty": Case(*breast_cancer(slice(6), scaled=True), C=1e6),
        "iris, versicolor or virginica": Case(iris[50:], (kinds[50:] == 2).astype(int), C=np.inf),
        "iris, three species": Case(iris, kinds, C=1.0),
        "wine, six columns": Case(wine[:, :6], makers, C=10.0),
        "digits, 0 or 1, two rows of pixels": Case(
            digits[pair][:, 16:32].astype(float), number[pair], C=0.1
        ),
        "diabetes above 140": Case(diabetes, ill, C=np.inf),
        "diabetes above 140, no intercept": Case(diabetes, ill, C=100.0, fit_intercept=False),
        "linnerud": Case(*linnerud(), C=1.0),
        "vasoconstriction": Case(*finney(), C=np.inf),
        "challenger": Case(*challenger(), C=np.inf),
        "beetles": Case(dose, dead, C=np.inf, weight=count),
    }


def solve(case: Case) -> tuple[Any, list[list[Any]], list[Any]]:
    """Return f*, coef* by output and intercept* of a case, in `DIGITS` digits."""
    n_classes = int(case.y.max()) + 1
    n_outputs = 1 if n_classes == 2 else n_classes
    size = case.X.shape[1] + int(case.fit_intercept)
    rows = [[mpmath.mpf(float(v)) for v in row] for row in case.X]
    rows = [[*row, mpmath.mpf(1)] if case.fit_intercept else row for row in rows]
    weight = [
        mpmath.mpf(float(w)) for w in (np.ones(len(rows)) if case.weight is None else case.weight)
    ]
    strength = mpmath.mpf(0) if np.isinf(case.C) else 1 / mpmath.mpf(case.C)
    theta = [[mpmath.mpf(0)] * size for _ in range(n_outputs)]

    def shares(row: list[Any], at: list[list[Any]]) -> tuple[list[Any], list[Any]]:
        scores = [mpmath.fdot(part, row) for part in at]
        scores = [mpmath.mpf(0), *scores] if n_outputs == 1 else scores
        powers = [mpmath.exp(s - max(scores)) for s in scores]
        total = mpmath.fsum(powers)
        return scores, [p / total for p in powers]

    def value(at: list[list[Any]]) -> Any:  # noqa: ANN401
        total = mpmath.fsum(w * w for part in at for w in part[: case.X.shape[1]]) * strength / 2
        for row, label, s in zip(rows, case.y, weight, strict=True):
            scores, _ = shares(row, at)
            top = max(scores)
            bulk = mpmath.fsum(mpmath.exp(z - top) for z in scores)
            total += s * (top + mpmath.log(bulk) - scores[int(label)])
        return total

    first = n_classes - n_outputs
    for _ in range(200):
        gradient = mpmath.zeros(size * n_outputs, 1)
        hessian = mpmath.zeros(size * n_outputs)
        for row, label, s in zip(rows, case.y, weight, strict=True):
            _, p = shares(row, theta)
            for k in range(n_outputs):
                slope = s * (p[k + first] - int(int(label) == k + first))
                for a in range(size):
                    gradient[k * size + a] += slope * row[a]
                for other in range(k + 1):
                    bend = s * p[k + first] * (int(k == other) - p[other + first])
                    for a in range(size):
                        scaled = bend * row[a]
                        for b in range(size):
                            hessian[k * size + a, other * size + b] += scaled * row[b]
        for k in range(n_outputs):
            for a in range(size):
                if a < case.X.shape[1]:
                    gradient[k * size + a] += strength * theta[k][a]
                    hessian[k * size + a, k * size + a] += strength
                for other in range(n_outputs if n_outputs > 1 else 0):
                    hessian[k * size + a, other * size + a] += 1  # only differences matter
        for a in range(size * n_outputs):
            for b in range(a):
                if b // size < a // size:
                    hessian[b, a] = hessian[a, b]
        step = mpmath.lu_solve(hessian, -gradient)
        here, length = value(theta), mpmath.mpf(1)
        while True:
            moved = [
                [theta[k][a] + length * step[k * size + a] for a in range(size)]
                for k in range(n_outputs)
            ]
            noise = abs(here) * mpmath.mpf(10) ** (5 - DIGITS)
            if value(moved) <= here + noise or length < mpmath.mpf(2) ** -40:
                break
            length /= 2
        theta = moved
        largest = max(abs(step[a]) for a in range(size * n_outputs))
        if largest < mpmath.mpf(10) ** -50 * max(1, max(abs(w) for part in theta for w in part)):
            break
    else:
        raise ArithmeticError("Newton's method has not converged")
    n_features = case.X.shape[1]
    intercept = [part[-1] if case.fit_intercept else mpmath.mpf(0) for part in theta]
    return value(theta), [part[:n_features] for part in theta], intercept


def computed(told: Callable[[str], None] = print) -> dict[str, Any]:
    """Return all references, ready for JSON."""
    answers = {}
    with mpmath.workdps(DIGITS):
        for name, case in cases().items():
            told(name)
            value, coef, intercept = solve(case)
            answers[name] = {
                "objective": mpmath.nstr(value, STORED),
                "coef": [[mpmath.nstr(w, STORED) for w in part] for part in coef],
                "intercept": [mpmath.nstr(b, STORED) for b in intercept],
            }
    return answers


def main() -> None:
    """Write the file."""
    TARGET.write_text(json.dumps(computed(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
