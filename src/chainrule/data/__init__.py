"""The small real data set that ships with the package; `README.md` names source and licence."""

from __future__ import annotations

from pathlib import Path

BREAST_CANCER = Path(__file__).parent / "breast_cancer.csv"
"""Wisconsin Diagnostic Breast Cancer: 569 rows, 30 measurements, the target `diagnosis`."""

SHIPPED = {"@breast_cancer": BREAST_CANCER}
"""The names under which the command line offers what ships."""
