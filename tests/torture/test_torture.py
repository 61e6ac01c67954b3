"""A few seeded cases of every kind; `make torture` runs them for half an hour."""

from __future__ import annotations

import pytest

from tests.torture.__main__ import KINDS, run

CASES = {"files": 30, "damaged files": 30, "model files": 30, "fits": 15}


@pytest.mark.parametrize("kind", KINDS)
def test_seeded_cases(kind: str) -> None:
    for number in range(CASES.get(kind, 8)):
        ending, fault = run(kind, number, seed=15)
        assert ending != "FAULT", f"{kind} {number}\n{fault}"


@pytest.mark.parametrize(
    ("kind", "seed", "case"), [("derivations", 9111, 7), ("derivations", 9114, 1)]
)
def test_cases_that_failed_once_end_in_words(kind: str, seed: int, case: int) -> None:
    ending, fault = run(kind, case, seed)
    assert ending != "FAULT", fault
