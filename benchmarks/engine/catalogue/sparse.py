"""Sparse problems: text, crossed factors, surveys, awkward columns."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.engine import sparse_data as data
from benchmarks.engine.catalogue.pairs import SEED, pair

FIELDS: Final[dict[str, Any]] = {"kind": "sparse", "task": "sparse", "warm": True}

TEXT: Final = [
    *pair(
        data.text,
        ("text 20k x 170k, tf-idf", 20_000, {"words": 170_000, "length": 36}),
        ("text 24k x 130k, tf-idf", 24_000, {"words": 130_000, "length": 50, "exponent": 0.9}),
        first=True,
        **FIELDS,
    ),
    *pair(
        data.text,
        ("text 2k x 20k, counts", 2_000, {"words": 20_000, "weighting": "counts"}),
        ("text 2.6k x 15k, counts", 2_600, {"words": 15_000, "length": 70, "weighting": "counts"}),
        **FIELDS,
    ),
    *pair(
        data.text,
        ("text 200k x 200k, 0/1", 200_000, {"words": 200_000, "weighting": "0/1", "noise": 0.05}),
        (
            "text 160k x 250k, 0/1",
            160_000,
            {"words": 250_000, "length": 55, "weighting": "0/1", "noise": 0.1},
        ),
        **FIELDS,
    ),
    *pair(
        data.text,
        (
            "text 20k x 60k, counts, noisy",
            20_000,
            {"words": 60_000, "weighting": "counts", "noise": 0.2},
        ),
        (
            "text 30k x 45k, counts, noisy",
            30_000,
            {"words": 45_000, "length": 28, "weighting": "counts", "noise": 0.3, "topics": 4},
        ),
        **FIELDS,
    ),
    *pair(
        data.hashed,
        ("hashed n-grams 30k x 1M", 30_000, {"length": 25}),
        ("hashed n-grams 45k x 1M", 45_000, {"length": 18, "words": 90_000}),
        **FIELDS,
    ),
]

CROSSED: Final = [
    *pair(
        data.crossed,
        ("crossed 3,000 x 1,100 x 14, 70k rows", 70_000, {"levels": (3000, 1100, 14, 4, 6, 2)}),
        (
            "crossed 2,200 x 1,600 x 25, 55k rows",
            55_000,
            {"levels": (2200, 1600, 25, 5, 3), "exponent": 0.7},
        ),
        lambdas=("1e-2", "1e2"),
        **FIELDS,
    ),
    *pair(
        data.crossed,
        ("crossed 5,000 x 2,000, 200k rows", 200_000, {"levels": (5000, 2000)}),
        (
            "crossed 8,000 x 900, 150k rows",
            150_000,
            {"levels": (8000, 900), "exponent": 0.3, "effect": 0.9},
        ),
        **FIELDS,
    ),
    *pair(
        data.crossed,
        (
            "crossed 100,000 x 10,000 x 100 x 10, 300k rows",
            300_000,
            {"levels": (100_000, 10_000, 100, 10)},
        ),
        (
            "crossed 60,000 x 20,000 x 300 x 12, 250k rows",
            250_000,
            {"levels": (60_000, 20_000, 300, 12), "exponent": 0.8},
        ),
        **FIELDS,
    ),
    *pair(
        data.crossed,
        ("crossed 40 x 25 x 10, 20k rows", 20_000, {"levels": (40, 25, 10)}),
        ("crossed 60 x 12 x 15, 14k rows", 14_000, {"levels": (60, 12, 15), "exponent": 0.8}),
        **FIELDS,
    ),
    *pair(
        data.crossed,
        ("crossed 2,000 x 500 x 20, CSC, 50k rows", 50_000, {"levels": (2000, 500, 20)}),
        (
            "crossed 1,500 x 800 x 10, CSC, 65k rows",
            65_000,
            {"levels": (1500, 800, 10), "exponent": 0.8},
        ),
        after=data.by_columns,
        **FIELDS,
    ),
    *pair(
        data.survey,
        (
            "survey 45k x 104",
            45_000,
            {"levels": (5, 8, 16, 7, 14, 6, 5, 2, 5, 5, 5, 20, 3, 3), "focus": 0.07},
        ),
        (
            "survey 38k x 88",
            38_000,
            {"levels": (6, 9, 12, 5, 16, 4, 3, 2, 8, 7, 10, 6), "groups": 5, "focus": 0.1},
        ),
        lambdas=("1e-4", "1e4"),
        **FIELDS,
    ),
    *pair(
        data.survey,
        (
            "survey 200k x 26, few distinct rows",
            200_000,
            {"levels": (2, 3, 4, 5, 2, 3, 4, 3), "groups": 4},
        ),
        (
            "survey 150k x 30, few distinct rows",
            150_000,
            {"levels": (5, 2, 4, 3, 6, 2, 5, 3), "groups": 6, "focus": 0.15},
        ),
        **FIELDS,
    ),
]

AWKWARD: Final = [
    *pair(
        data.beside,
        ("8 numbers beside 30k columns, 60k rows", 60_000, {}),
        (
            "12 numbers beside 20k columns, 80k rows",
            80_000,
            {"dense": 12, "columns": 20_000, "per_row": 9},
        ),
        **FIELDS,
    ),
    *pair(
        data.single,
        ("one entry per row, 200k x 5k", 200_000, {"columns": 5_000}),
        ("one entry per row, 150k x 12k", 150_000, {"columns": 12_000, "exponent": 1.0}),
        **FIELDS,
    ),
    *pair(
        data.gappy,
        (
            "empty rows and columns, 50k x 40k",
            50_000,
            {"columns": 40_000, "empty_rows": 0.3, "empty_columns": 0.6, "per_row": 20},
        ),
        (
            "empty rows and columns, 70k x 25k",
            70_000,
            {"columns": 25_000, "empty_rows": 0.6, "empty_columns": 0.3, "per_row": 12},
        ),
        **FIELDS,
    ),
    *pair(
        data.heavy,
        ("one heavy column, 60k x 20k", 60_000, {"columns": 20_000}),
        ("one heavy column, 45k x 30k", 45_000, {"columns": 30_000, "per_row": 16, "share": 0.8}),
        **FIELDS,
    ),
    *pair(
        data.power_law,
        ("sparse 500k x 100k", 500_000, {"columns": 100_000}),
        ("sparse 400k x 70k", 400_000, {"columns": 70_000, "per_row": 22}),
        seed=SEED,
        **FIELDS | {"warm": False, "weight": 2.0},
    ),
]
