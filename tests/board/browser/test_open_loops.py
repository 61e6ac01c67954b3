"""A loop of any number of rounds: its gradients are sums over the rounds, its numbers have four."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from .driving import finish, go, number, write

pytestmark = pytest.mark.slow


RECURRENT = """h_0 : (1, 1)
w : (1, 1)
u : (1, 1)
for t = 1..T
  x_t : (1, 1)
  y_t : (1, 1)
  h_t = tanh(w h_{t-1} + u x_t)
  e_t = h_t - y_t
J = 1/2 sum_{t=1}^{T} e_t^2
wrt: w, u
"""


def _cost(page: Any) -> float:
    """Compute the cost in NumPy from the entries on the page."""

    def at(name: str) -> float:
        box = page.get_by_role("spinbutton", name=f"{name}, row 1, column 1", exact=True)
        return float(box.input_value())

    h, cost = at("h_0"), 0.0
    for t in range(1, 5):
        h = np.tanh(at("w") * h + at("u") * at(f"x_{t}"))
        cost += (h - at(f"y_{t}")) ** 2 / 2
    return cost


def test_gradients_are_sums_over_the_rounds(page: Any) -> None:
    write(page, RECURRENT)
    expect(page.get_by_text("T is any number of rounds")).to_be_visible()
    finish(page)
    gradients = page.get_by_role("region", name="Gradients")
    expect(gradients.locator("munderover").first).to_be_visible()
    assert gradients.locator("munderover").count() == 2


def test_a_slider_moves_the_numbers_of_four_rounds(page: Any) -> None:
    write(page, RECURRENT)
    go(page, "Numbers")
    shown = page.locator(".valued").first.locator("li .value").last
    expect(shown).to_be_visible()
    assert number(shown.inner_text()) == pytest.approx(_cost(page), rel=1e-3)
    before = shown.inner_text()
    page.get_by_role("slider", name="w", exact=True).fill("-1.5")
    expect(shown).not_to_have_text(before)
    assert number(shown.inner_text()) == pytest.approx(_cost(page), rel=1e-3)
    # No entry has an index along T.
    assert not page.get_by_role("group", name="Entry that index forms show").count()
