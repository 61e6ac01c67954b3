"""Dense problems of middle size."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.engine import dense_data as data
from benchmarks.engine.catalogue.pairs import SEED, pair

FIELDS: Final[dict[str, Any]] = {"kind": "dense", "warm": True}
SWEEP: Final = ("1e-6", "1e-4", "1e-2", "1e2", "1e4", "1e6")

MIDDLE: Final = [
    *pair(
        data.table,
        ("30,000 x 32", 30_000, {"columns": 32}),
        ("24,000 x 40", 24_000, {"columns": 40, "factors": 9, "skewed": 0.5}),
        unpenalised=True,
        first=True,
        **FIELDS,
    ),
    *pair(
        data.table,
        ("4,600 x 57", 4_600, {"columns": 57, "skewed": 0.8, "binary": 0.1, "strength": 4.0}),
        ("6,000 x 48", 6_000, {"columns": 48, "skewed": 0.9, "binary": 0.0, "strength": 3.0}),
        **FIELDS,
    ),
    *pair(
        data.table,
        ("250 x 750", 250, {"columns": 750}),
        ("320 x 600", 320, {"columns": 600, "factors": 12}),
        **FIELDS,
    ),
    *pair(
        data.gaussian,
        ("300 x 20000", 300, {"columns": 20_000}),
        ("400 x 13000", 400, {"columns": 13_000}),
        seed=SEED,
        **FIELDS,
    ),
    *pair(
        data.table,
        ("10,000 x 100", 10_000, {"columns": 100}),
        ("7,000 x 130", 7_000, {"columns": 130, "factors": 15}),
        unpenalised=True,
        **FIELDS,
    ),
    *pair(
        data.table,
        ("2,000 x 200", 2_000, {"columns": 200}),
        ("3,000 x 150", 3_000, {"columns": 150, "skewed": 0.6}),
        **FIELDS,
    ),
    *pair(
        data.table,
        ("50,000 x 500", 50_000, {"columns": 500}),
        ("40,000 x 350", 40_000, {"columns": 350, "binary": 0.6}),
        **FIELDS,
    ),
    *pair(
        data.table,
        ("50,000 x 10", 50_000, {"columns": 10}),
        ("36,000 x 14", 36_000, {"columns": 14, "binary": 0.5}),
        unpenalised=True,
        **FIELDS,
    ),
    *pair(
        data.table,
        ("50,000 x 20, rare class", 50_000, {"columns": 20, "share": 0.001}),
        ("40,000 x 30, rare class", 40_000, {"columns": 30, "share": 0.001, "skewed": 0.6}),
        **FIELDS,
    ),
    *pair(
        data.table,
        ("5,000 x 20, nearly separable", 5_000, {"columns": 20, "strength": 60.0}),
        ("8,000 x 25, nearly separable", 8_000, {"columns": 25, "strength": 90.0}),
        lambdas=("1e-4",),
        **FIELDS,
    ),
    *pair(
        data.table,
        ("8,000 x 40, sweep of lambda", 8_000, {"columns": 40}),
        ("11,000 x 28, sweep of lambda", 11_000, {"columns": 28, "factors": 3}),
        lambdas=SWEEP,
        **FIELDS,
    ),
    *pair(
        data.table,
        ("15,000 x 25, raw units", 15_000, {"columns": 25, "raw": True}),
        ("9,000 x 35, raw units", 9_000, {"columns": 35, "raw": True, "skewed": 0.5}),
        **FIELDS,
    ),
    *pair(
        data.table,
        ("20,000 x 64, float32", 20_000, {"columns": 64, "dtype": "float32"}),
        ("28,000 x 50, float32", 28_000, {"columns": 50, "dtype": "float32", "factors": 8}),
        **FIELDS,
    ),
]
