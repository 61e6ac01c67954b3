"""Seconds that plans predict against those that fits took: recorded once, on a quiet machine.

Each line of `plan_times.csv` holds the sizes of a problem of the benchmark as a plan is told them,
the method that ran, and the fastest of several fits at lambda = 1 to 1e-10. Rows that repeat are
not among them: what merging them takes is measured by the fit itself. Nor are rare classes.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

from chainrule.engine.runtime.constants import MachineConstants
from chainrule.engine.solvers.plans import choose_plan

RECORDS = Path(__file__).with_name("plan_times.csv")


@dataclass(frozen=True)
class Recorded:
    """A problem's sizes, and what its fit took."""

    name: str
    n_samples: int
    n_classes: int
    n_entries: float
    n_bytes: float
    n_blocks: int
    is_dense: bool
    is_fused: bool
    has_codes: bool
    n_parameters: int
    in_one_call: bool
    method: str
    seconds: float
    is_coded: bool = False
    is_stored: bool = False


def recorded() -> list[Recorded]:
    with RECORDS.open(newline="", encoding="utf-8") as file:
        return [
            Recorded(
                row["name"],
                int(row["n_samples"]),
                int(row["n_classes"]),
                float(row["n_entries"]),
                float(row["n_bytes"]),
                int(row["n_blocks"]),
                row["is_dense"] == "yes",
                row["is_fused"] == "yes",
                row["has_codes"] == "yes",
                int(row["n_parameters"]),
                row["in_one_call"] == "yes",
                row["method"],
                float(row["seconds"]),
            )
            for row in csv.DictReader(file)
        ]


def predicted(one: Recorded) -> float:
    plan = choose_plan(
        "auto",
        one,
        one.n_parameters,
        penalised=True,
        constants=MachineConstants(),
        in_one_call=one.in_one_call,
    )
    return {each.method: each.seconds for each in plan.alternatives}[one.method]


def test_nine_plans_of_ten_predict_seconds_within_a_factor_of_two() -> None:
    problems = recorded()
    assert len(problems) >= 30
    wrong = [one.name for one in problems if not 0.5 <= predicted(one) / one.seconds <= 2.0]
    assert len(wrong) <= 0.1 * len(problems), wrong


@pytest.mark.parametrize("one", recorded(), ids=lambda one: one.name)
def test_no_plan_is_wrong_by_a_factor_of_five(one: Recorded) -> None:
    assert 0.2 <= predicted(one) / one.seconds <= 5.0
