"""Problems of several classes."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.engine import dense_data as dense
from benchmarks.engine import sparse_data as thin
from benchmarks.engine.catalogue.pairs import pair

FIELDS: Final[dict[str, Any]] = {"kind": "classes", "task": "softmax", "warm": True}

CLASSES: Final = [
    *pair(
        dense.classes,
        ("150 x 4, 3 classes", 150, {"columns": 4, "n_classes": 3}),
        ("178 x 13, 3 classes", 178, {"columns": 13, "n_classes": 3}),
        **FIELDS,
    ),
    *pair(
        dense.classes,
        ("400 x 10, 4 classes", 400, {"columns": 10, "n_classes": 4}),
        ("1,100 x 12, 3 classes", 1_100, {"columns": 12, "n_classes": 3}),
        **FIELDS,
    ),
    *pair(
        dense.classes,
        ("54,000 x 22, 5 classes", 54_000, {"columns": 22, "n_classes": 5}),
        ("42,000 x 30, 4 classes", 42_000, {"columns": 30, "n_classes": 4, "strength": 2.5}),
        unpenalised=True,
        **FIELDS,
    ),
    *pair(
        dense.images,
        ("images 1,800 x 64, 10 classes", 1_800, {"side": 8, "n_classes": 10}),
        ("images 2,400 x 81, 12 classes", 2_400, {"side": 9, "n_classes": 12, "noise": 0.9}),
        first=True,
        **FIELDS,
    ),
    *pair(
        dense.images,
        ("images 6,000 x 784, 10 classes", 6_000, {"side": 28, "n_classes": 10}),
        ("images 5,000 x 576, 15 classes", 5_000, {"side": 24, "n_classes": 15, "noise": 0.9}),
        **FIELDS,
    ),
    *pair(
        dense.images,
        (
            "colour images 2,000 x 1,875, 3 classes",
            2_000,
            {"side": 25, "n_classes": 3, "depth": 3, "noise": 1.2},
        ),
        (
            "colour images 1,600 x 1,452, 5 classes",
            1_600,
            {"side": 22, "n_classes": 5, "depth": 3, "noise": 1.0},
        ),
        **FIELDS,
    ),
    *pair(
        dense.classes,
        ("10,000 x 20, 100 classes", 10_000, {"columns": 20, "n_classes": 100, "strength": 3.0}),
        ("12,000 x 32, 70 classes", 12_000, {"columns": 32, "n_classes": 70, "strength": 2.5}),
        **FIELDS,
    ),
    *pair(
        dense.classes,
        ("20,000 x 30, 8 classes, rare ones", 20_000, {"columns": 30, "n_classes": 8, "decay": 1}),
        (
            "26,000 x 24, 6 classes, rare ones",
            26_000,
            {"columns": 24, "n_classes": 6, "decay": 1.3},
        ),
        **FIELDS,
    ),
    *pair(
        dense.classes,
        ("5,000 x 300, 3 classes", 5_000, {"columns": 300, "n_classes": 3}),
        ("4,000 x 400, 4 classes", 4_000, {"columns": 400, "n_classes": 4, "strength": 4.0}),
        lambdas=("1e-3", "1e3"),
        **FIELDS,
    ),
    *pair(
        thin.text,
        (
            "text 10k x 40k, 3 topics",
            10_000,
            {"words": 40_000, "by_topic": True, "noise": 0.03},
        ),
        (
            "text 8k x 30k, 6 topics",
            8_000,
            {"words": 30_000, "length": 55, "topics": 6, "by_topic": True, "noise": 0.08},
        ),
        **FIELDS | {"task": "sparse softmax"},
    ),
    *pair(
        dense.classes,
        ("150 x 4, 3 classes", 150, {"columns": 4, "n_classes": 3, "strength": 3.0}),
        ("240 x 7, 4 classes", 240, {"columns": 7, "n_classes": 4, "strength": 2.0}),
        **FIELDS | {"weight": 0.4},
    ),
]

MANY_ROWS: Final = pair(
    dense.classes,
    ("200k x 50, 10 classes", 200_000, {"columns": 50, "n_classes": 10}),
    ("150k x 70, 7 classes", 150_000, {"columns": 70, "n_classes": 7, "strength": 2.5}),
    **FIELDS | {"warm": False, "unpenalised": True, "weight": 2.0},
)
