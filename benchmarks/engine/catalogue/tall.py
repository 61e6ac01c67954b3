"""Dense problems with very many rows."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.engine import dense_data as data
from benchmarks.engine.catalogue.pairs import SEED, pair

FIELDS: Final[dict[str, Any]] = {"kind": "tall", "unpenalised": True, "weight": 2.0}

TALL: Final = [
    *pair(
        data.gaussian,
        ("1M x 100", 1_000_000, {"columns": 100}),
        ("1.3M x 60", 1_300_000, {"columns": 60}),
        seed=SEED,
        **FIELDS,
    ),
    *pair(
        data.gaussian,
        ("200k x 500", 200_000, {"columns": 500}),
        ("160k x 400", 160_000, {"columns": 400}),
        seed=SEED,
        **FIELDS,
    ),
    *pair(
        data.gaussian,
        ("4M x 28", 4_000_000, {"columns": 28}),
        ("2.5M x 36", 2_500_000, {"columns": 36}),
        seed=SEED,
        **FIELDS,
    ),
    *pair(
        data.ill_conditioned,
        ("300k x 60, ill-conditioned", 300_000, {"columns": 60}),
        ("400k x 45, ill-conditioned", 400_000, {"columns": 45}),
        seed=SEED,
        **FIELDS,
    ),
    *pair(
        data.terrain,
        ("330k x 54, numbers and levels", 330_000, {"numbers": 10, "codes": (4, 40)}),
        ("260k x 47, numbers and levels", 260_000, {"numbers": 14, "codes": (3, 7, 23)}),
        **FIELDS | {"unpenalised": False},
    ),
    *pair(
        data.table,
        ("130k x 100", 130_000, {"columns": 100}),
        ("115k x 110", 115_000, {"columns": 110, "skewed": 0.5}),
        first=True,
        **FIELDS,
    ),
    *pair(
        data.gaussian,
        ("4M x 28, float32", 4_000_000, {"columns": 28, "dtype": "float32"}),
        ("3M x 20, float32", 3_000_000, {"columns": 20, "dtype": "float32"}),
        seed=SEED,
        **FIELDS,
    ),
]
