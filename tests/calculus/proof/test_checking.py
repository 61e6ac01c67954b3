"""A gradient with one wrong entry fails the comparison with differences, however large it is."""

from __future__ import annotations

from typing import Any

import pytest

from chainrule.calculus.proof import checking
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.language.reading.models import read_model

PASS = """
W : ({rows}, {columns})
x : ({columns}, 1)
y : ({rows}, 1)
L = 1/2 ||tanh(W x) - y||^2
"""


@pytest.mark.parametrize(("rows", "columns"), [(4, 5), (23, 31)])
@pytest.mark.parametrize("place", [0, -1])
def test_one_wrong_entry_is_noticed(
    monkeypatch: pytest.MonkeyPatch, rows: int, columns: int, place: int
) -> None:
    model = read_model(PASS.format(rows=rows, columns=columns))
    assert checking.check_model(model, sizes=1).passed

    def wrong(*given: Any) -> Any:
        found = gradient_values(*given)
        for value in found.values():
            value.flat[place] += 1e-3 * abs(value).max()
        return found

    monkeypatch.setattr("chainrule.calculus.proof.checking.gradient_values", wrong)
    assert not checking.check_model(model, sizes=1).passed
