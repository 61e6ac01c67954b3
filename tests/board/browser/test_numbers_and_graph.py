"""Numbers move with the sliders; the graph steps forward and backward."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from .driving import go, number

pytestmark = pytest.mark.slow


def _entries(page: Any, name: str) -> NDArray[np.float64]:
    rows = page.get_by_role("table", name=f"Entries of {name}").locator("tr")
    return np.array(
        [
            [float(box.input_value()) for box in rows.nth(at).locator("input").all()]
            for at in range(rows.count())
        ]
    )


def _cost(page: Any) -> float:
    """Compute the lecture's cost in NumPy from the entries on the page."""
    x, y, w, b = (_entries(page, name) for name in "XYwb")
    a = 1 / (1 + np.exp(-(w @ x + b)))
    return float(-np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)))


def _shown(page: Any) -> float:
    return number(page.locator(".valued li .value").nth(2).inner_text())


def test_values_are_those_of_numpy(page: Any) -> None:
    """The cost on the page is NumPy's, before and after a slider moves."""
    go(page, "Numbers")
    expect(page.locator(".valued li").first).to_be_visible()
    assert _shown(page) == pytest.approx(_cost(page), rel=1e-3)
    before = _shown(page)
    slider = page.get_by_role("slider", name="b", exact=True)
    slider.fill("-1.5")
    expect(page.get_by_role("spinbutton", name="b, row 1, column 1")).to_have_value("-1.5")
    expect(page.locator(".valued li .value").nth(2)).not_to_have_text(str(before))
    assert _shown(page) == pytest.approx(_cost(page), rel=1e-3)


def test_gradient_is_the_slope(page: Any) -> None:
    """The gradient shown agrees with a difference quotient of the cost in NumPy."""
    go(page, "Numbers")
    expect(page.locator(".valued li").first).to_be_visible()
    x, y, w, b = (_entries(page, name) for name in "XYwb")

    def cost(bias: float) -> float:
        a = 1 / (1 + np.exp(-(w @ x + bias)))
        return float(-np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)))

    h = 1e-5
    slope = (cost(float(b[0, 0]) + h) - cost(float(b[0, 0]) - h)) / (2 * h)
    row = page.locator(".valued").nth(1).locator("li").nth(1)
    assert number(row.locator(".value").inner_text()) == pytest.approx(slope, rel=1e-3)


def test_symbol_is_marked_everywhere(page: Any) -> None:
    """Pointing at a symbol marks it in every formula."""
    go(page, "Numbers")
    page.locator(".valued [data-symbol='A']").first.hover()
    assert page.locator(".same").count() > 3
    assert set(page.locator(".same").evaluate_all("all => all.map(one => one.dataset.symbol)")) == {
        "A"
    }


def test_graph_steps_forward_and_back(page: Any) -> None:
    """Values appear first, gradients after, with the factor on the edge."""
    go(page, "Graph")
    expect(page.locator(".node-list li").first).to_be_visible()
    rows = page.locator(".node-list li")
    assert rows.filter(has_text="not computed yet").count() == 3
    for _ in range(3):
        page.keyboard.press("Space")
    expect(rows.filter(has_text="not computed yet")).to_have_count(0)
    expect(page.locator(".told")).to_contain_text("Forward: J")
    page.keyboard.press("Space")
    expect(page.locator(".told")).to_contain_text("Backward: the gradient of J reaches A")
    expect(page.locator(".edge-label.active")).to_be_visible()
    page.get_by_role("button", name="All").click()
    expect(rows.filter(has_text="not reached yet")).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".controls .count")).to_have_text(re.compile(r"^\d+ / \d+"))


def test_graph_by_keyboard(page: Any) -> None:
    """Arrow keys in the list follow the edges."""
    go(page, "Graph")
    page.locator("#node-w").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#node-Z")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#node-A")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#node-Z")).to_be_focused()


def test_graph_boxes_do_not_overlap(page: Any) -> None:
    """No box of the drawing covers another one."""
    go(page, "Graph")
    page.get_by_role("button", name="All").click()
    expect(page.locator(".node:not(.unplaced)").first).to_be_visible()
    boxes = page.locator(".node, .edge-label:not(.unplaced)").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().toJSON())"
    )
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            apart = (
                one["right"] <= other["left"] + 1
                or other["right"] <= one["left"] + 1
                or one["bottom"] <= other["top"] + 1
                or other["bottom"] <= one["top"] + 1
            )
            assert apart, (one, other)
