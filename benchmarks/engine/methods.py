"""Record what each method takes on problems of every kind: ``python -m benchmarks.engine.methods``.

The figures and this machine's constants are written to `methods.json`, to be compared with the
predictions of the plan; run it on an idle machine. Names of held-out problems end in an asterisk.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
from scipy import sparse

from chainrule.engine.calibration import calibrate
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.small import suits
from chainrule.engine.solvers.plans import choose_plan

FILE: Final = Path(__file__).with_name("methods.json")
_THREADS: Final[int] = 2
SIZES: Final = (
    "n_samples",
    "n_features",
    "n_classes",
    "n_entries",
    "n_bytes",
    "n_blocks",
    "is_dense",
    "is_fused",
)
"""What a prediction depends on."""


def dense(m: int, n: int, classes: int = 2) -> Callable[[np.random.Generator], Any]:
    """Return what draws correlated columns and labels."""

    def draw(rng: np.random.Generator) -> Any:  # noqa: ANN401
        X = rng.normal(size=(m, n)) + 0.7 * rng.normal(size=(m, 1))
        score = X @ rng.normal(size=(n, classes)) / np.sqrt(n) + rng.gumbel(size=(m, classes))
        return X, score.argmax(axis=1)

    return draw


def scattered(m: int, n: int, per_row: int) -> Callable[[np.random.Generator], Any]:
    """Return what draws sparse rows with columns of unequal frequency, and labels."""

    def draw(rng: np.random.Generator) -> Any:  # noqa: ANN401
        columns = (n * rng.random(m * per_row) ** 2.5).astype(np.int32)
        places = np.repeat(np.arange(m), per_row)
        X = sparse.csr_array((np.ones(m * per_row), (places, columns)), shape=(m, n))
        return X, (X @ rng.normal(size=n) * 0.7 + rng.logistic(size=m) > 0).astype(int)

    return draw


PROBLEMS: Final[Mapping[str, Callable[[np.random.Generator], Any]]] = {
    "20 x 2": dense(20, 2),
    "60 x 4 *": dense(60, 4),
    "500 x 10": dense(500, 10),
    "420 x 13 *": dense(420, 13),
    "1,500 x 40": dense(1_500, 40),
    "1,200 x 60 *": dense(1_200, 60),
    "2,000 x 100": dense(2_000, 100),
    "2,500 x 80 *": dense(2_500, 80),
    "10,000 x 30": dense(10_000, 30),
    "8,000 x 50 *": dense(8_000, 50),
    "5,000 x 300": dense(5_000, 300),
    "4,000 x 400 *": dense(4_000, 400),
    "60,000 x 30": dense(60_000, 30),
    "90,000 x 20 *": dense(90_000, 20),
    "300,000 x 25": dense(300_000, 25),
    "250,000 x 40 *": dense(250_000, 40),
    "200 x 1,500": dense(200, 1_500),
    "250 x 900 *": dense(250, 900),
    "sparse 20,000 x 500": scattered(20_000, 500, 12),
    "sparse 15,000 x 800 *": scattered(15_000, 800, 15),
    "sparse 20,000 x 20,000": scattered(20_000, 20_000, 25),
    "sparse 30,000 x 9,000 *": scattered(30_000, 9_000, 20),
    "sparse 2,000 x 3,000": scattered(2_000, 3_000, 15),
    "sparse 1,500 x 5,000 *": scattered(1_500, 5_000, 20),
}


def record() -> list[dict[str, Any]]:
    """Return the sizes of every problem, and the seconds and reads of the methods it admits."""
    rows = []
    for index, (name, draw) in enumerate(PROBLEMS.items()):
        X, y = draw(np.random.default_rng(index))
        y = y.astype(np.uint8)
        source = InMemorySource(X, y, n_threads=_THREADS)
        n_parameters = source.n_features + 1
        small = suits(source)
        plan = choose_plan("auto", source, n_parameters, penalised=True)
        figures = {}
        for one in plan.alternatives:
            times: list[float] = []
            while not times or (len(times) < 9 and sum(times) < 0.5):
                clock = perf_counter()
                fit = fit_linear_model(source, method=one.method, n_threads=_THREADS)  # type: ignore[arg-type]
                times.append(perf_counter() - clock)
            figures[one.method] = {"seconds": min(times), "passes": fit.passes}
        sizes = {field: getattr(source, field) for field in SIZES}
        rows.append(
            {"name": name, "sizes": sizes, "small": small, "chosen": plan.method, "took": figures}
        )
    return rows


def main() -> None:
    """Record everything."""
    constants = calibrate(_THREADS)
    found = {"constants": asdict(constants), "problems": record()}
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
