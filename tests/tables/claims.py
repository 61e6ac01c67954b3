"""A seeded table of counts and amounts, for the tests of regressions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

BASE, OTHERS = "A", ("B", "C")


def claims(n_rows: int = 400, seed: int = 3) -> dict[str, npt.NDArray[np.generic]]:
    """Return age, power, area and years; n (counts), cost (amounts > 0), gain (any number)."""
    random = np.random.default_rng(seed)
    age = random.normal(45, 12, n_rows).round(2)
    power = random.integers(4, 12, n_rows)
    area = random.choice([BASE, *OTHERS], n_rows, p=[0.5, 0.3, 0.2])
    years = random.uniform(0.2, 2.0, n_rows).round(3)
    score = 0.5 + 0.03 * (age - 45) + 0.1 * (power - 7) + 0.5 * (area == "C")
    mean = years * np.exp(score)
    return {
        "age": age,
        "power": power,
        "area": area,
        "years": years,
        "n": random.poisson(mean),
        "cost": (0.01 + random.gamma(2.0, mean)).round(3),
        "gain": (score + random.standard_t(3, n_rows)).round(3),
    }


def written(
    path: Path,
    columns: dict[str, npt.NDArray[np.generic]] | None = None,
    **changes: tuple[int, str],
) -> Path:
    """Write the columns as CSV; a change replaces one cell: ``n=(7, "-1")`` that of row 7."""
    table = {name: [str(cell) for cell in c] for name, c in (columns or claims()).items()}
    for name, change in changes.items():
        row, changed = change
        table[name][row - 1] = changed
    lines = [",".join(table), *(",".join(cells) for cells in zip(*table.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def encoded(columns: dict[str, npt.NDArray[np.generic]]) -> npt.NDArray[np.float64]:
    """Encode age, power and area as a table fit of all rows does."""
    numbers = [np.asarray(columns[name], dtype=np.float64) for name in ("age", "power")]
    scaled = [(x - x.mean()) / x.std() for x in numbers]
    return np.column_stack([*scaled, *(columns["area"] == other for other in OTHERS)])
