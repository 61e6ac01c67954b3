"""Train: gradient descent against Newton, on real data and on one's own file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from .driving import go, number

pytestmark = pytest.mark.slow


def _costs(page: Any) -> list[float]:
    cells = page.locator(".facts tbody td:nth-child(2)")
    return [number(text) for text in cells.all_inner_texts()]


def test_newton_arrives_and_descent_follows(page: Any) -> None:
    """Newton's cost is the optimum's; gradient descent comes down step by step."""
    go(page, "Train")
    expect(page.locator(".facts")).to_be_visible()
    start = _costs(page)
    assert start[0] == pytest.approx(569 * np.log(2), rel=1e-4)
    page.get_by_role("slider", name="Step").fill("150")
    later = _costs(page)
    assert later[0] < start[0]
    assert later[1] == pytest.approx(later[2], rel=1e-6)
    assert later[0] >= later[2]
    expect(page.locator(".uplot canvas")).to_be_visible()


def test_optimum_is_that_of_scikit_learn(page: Any) -> None:
    """The optimal cost agrees with an independent fit of the same two columns."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression

    data = load_breast_cancer()
    x = data.data[:, :2]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = 1 - data.target
    fit = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(x, y)
    z = x @ fit.coef_[0] + fit.intercept_[0]
    cost = np.sum(np.logaddexp(0, z) - y * z) + 0.5 * np.sum(fit.coef_**2)
    go(page, "Train")
    expect(page.locator(".facts")).to_be_visible()
    assert _costs(page)[2] == pytest.approx(cost, rel=1e-5)


def test_plays_and_pauses(open_page: Any) -> None:
    """Nothing starts by itself; play moves the steps, pause stops them."""
    page = open_page(reduced_motion="no-preference")
    go(page, "Train")
    slider = page.get_by_role("slider", name="Step")
    expect(slider).to_have_value("0")
    page.get_by_role("button", name="Play").click()
    expect(slider).not_to_have_value("0")
    page.get_by_role("button", name="Pause").click()
    stopped = slider.input_value()
    page.wait_for_timeout(200)
    expect(slider).to_have_value(stopped)
    page.get_by_role("button", name="One step").click()
    expect(slider).to_have_value(str(int(stopped) + 1))


def test_own_csv(page: Any, tmp_path: Path) -> None:
    """A CSV with quotes and semicolons is read in the page."""
    rng = np.random.default_rng(0)
    rows = "\n".join(
        f'{u:.3f};"{v:.3f}";{"yes" if u + v + 0.5 * e > 0 else "no"}'
        for u, v, e in rng.normal(size=(80, 3))
    )
    table = tmp_path / "own.csv"
    table.write_text(f'first;"the second";label\n{rows}\n', encoding="utf-8")
    go(page, "Train")
    page.locator(".own-data input[type=file]").set_input_files(str(table))
    expect(page.locator("figcaption").first).to_contain_text(
        "Horizontal: first; vertical: the second"
    )
    expect(page.locator(".summary")).to_contain_text("of 80 right")
    page.get_by_role("button", name="Back to the built-in data").click()
    expect(page.locator(".summary")).to_contain_text("of 569 right")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "at least three columns"),
        ("a,b,c\n1,2,0\n1,2\n", "Line 3 has 2 fields"),
        ("a,b,c\n1,2,x\n3,4,y\n5,6,z\n", "exactly two values"),
        ("a,b,c\n1,k,0\n3,l,1\n5,m,1\n", "Fewer than two columns hold numbers"),
    ],
)
def test_wrong_csv_is_told(page: Any, tmp_path: Path, content: str, said: str) -> None:
    """A file that cannot be used is refused with the place."""
    table = tmp_path / "wrong.csv"
    table.write_text(content, encoding="utf-8")
    go(page, "Train")
    page.locator(".own-data input[type=file]").set_input_files(str(table))
    expect(page.locator(".own-data .note")).to_have_text(re.compile(said))


def test_a_large_csv_is_thinned_out(page: Any, tmp_path: Path) -> None:
    """Of 100,000 rows evenly spaced ones are used, and the page says so; decimals have commas."""
    rng = np.random.default_rng(0)
    table = tmp_path / "large.csv"
    with table.open("w", encoding="utf-8") as file:
        file.write("u;v;label\n")
        for u, v, e in rng.normal(size=(100_000, 3)).round(2).tolist():
            file.write(f"{u};{v};{'yes' if u + e > 0 else 'no'}\n".replace(".", ","))
    go(page, "Train")
    page.locator(".own-data input[type=file]").set_input_files(str(table))
    expect(page.locator(".own-data")).to_contain_text("4,000 evenly spaced rows of 100,000")
    expect(page.locator(".summary")).to_contain_text("of 4000 right")
