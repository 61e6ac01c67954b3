"""Small problems, and loops of many small fits."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.engine import dense_data as data
from benchmarks.engine.catalogue.pairs import pair

FIELDS: Final[dict[str, Any]] = {"kind": "small", "warm": True, "weight": 0.4}

SMALL: Final = [
    *pair(
        data.table,
        ("20 x 2", 20, {"columns": 2, "factors": 1, "binary": 0.0}),
        ("30 x 3", 30, {"columns": 3, "factors": 2, "binary": 0.0}),
        **FIELDS,
    ),
    *pair(
        data.table,
        ("100 x 5", 100, {"columns": 5}),
        ("140 x 6", 140, {"columns": 6}),
        first=True,
        **FIELDS,
    ),
    *pair(
        data.table,
        ("500 x 10", 500, {"columns": 10}),
        ("420 x 13", 420, {"columns": 13}),
        unpenalised=True,
        **FIELDS,
    ),
    *pair(
        data.table,
        ("1,000 x 20", 1_000, {"columns": 20}),
        ("1,300 x 16", 1_300, {"columns": 16, "skewed": 0.7}),
        unpenalised=True,
        **FIELDS,
    ),
    *pair(
        data.table,
        ("2,000 x 50", 2_000, {"columns": 50}),
        ("1,700 x 45", 1_700, {"columns": 45, "factors": 10}),
        **FIELDS,
    ),
    *pair(
        data.table,
        ("600 x 30, raw units", 600, {"columns": 30, "raw": True, "strength": 5.0}),
        ("700 x 24, raw units", 700, {"columns": 24, "raw": True, "strength": 4.0}),
        **FIELDS,
    ),
    *pair(
        data.loop,
        (
            "1,000 simulated fits of 500 x 10",
            500,
            {"columns": 10, "fits": 1_000, "design": "simulation"},
        ),
        (
            "800 simulated fits of 350 x 8",
            350,
            {"columns": 8, "fits": 800, "design": "simulation"},
        ),
        **FIELDS,
    ),
    *pair(
        data.loop,
        (
            "500 bootstrap fits of 200 x 6",
            200,
            {"columns": 6, "fits": 500, "design": "bootstrap"},
        ),
        (
            "400 bootstrap fits of 300 x 12",
            300,
            {"columns": 12, "fits": 400, "design": "bootstrap"},
        ),
        **FIELDS,
    ),
    *pair(
        data.loop,
        (
            "1,000 segments of about 150 x 5",
            150,
            {"columns": 5, "fits": 1_000, "design": "segments"},
        ),
        (
            "1,500 segments of about 80 x 4",
            80,
            {"columns": 4, "fits": 1_500, "design": "segments"},
        ),
        **FIELDS,
    ),
]
