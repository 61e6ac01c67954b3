"""The exported board, opened as local files: no server, no Python."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from chainrule.board.export import site, write
from chainrule.board.gallery import bank_groups, examples

from .driving import finish, go, number, reveal

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Export the lecture, two exercises and one pair of features; return the page's address."""
    lecture, bank = examples()[0], bank_groups()[1]
    groups = [
        replace(lecture, items=lecture.items[:1]),
        replace(bank, items=bank.items[:2]),
    ]
    folder = tmp_path_factory.mktemp("board")
    write(folder, site(groups, pairs=1))
    return (Path(folder) / "index.html").as_uri()


def test_derives_and_explains(open_page: Any, exported: str) -> None:
    """Reveal, why and share work from local files."""
    page = open_page(url=exported)
    go(page, "Derive")
    reveal(page, 4)
    page.locator(".step.now [data-side='right'] [data-symbol='A']").first.click()
    expect(page.locator(".card .card-body")).to_contain_text(re.compile("sigmoid|σ|1 × m"))
    page.keyboard.press("Escape")
    finish(page)
    expect(page).to_have_url(re.compile(r"at=\d\d"))
    again = open_page(url=page.url)
    expect(again.get_by_role("heading", name="Gradients")).to_be_visible()


def test_numbers_by_emitted_formulas(open_page: Any, exported: str) -> None:
    """A slider changes the cost to what NumPy computes from the same entries."""
    page = open_page(url=exported)
    go(page, "Numbers")
    page.get_by_role("slider", name="b", exact=True).fill("-1.5")

    def entries(name: str) -> Any:
        rows = page.get_by_role("table", name=f"Entries of {name}").locator("tr").all()
        return np.array(
            [[float(one.input_value()) for one in r.locator("input").all()] for r in rows]
        )

    x, y, w, b = (entries(name) for name in "XYwb")
    a = 1 / (1 + np.exp(-(w @ x + b)))
    cost = -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a))
    shown = number(page.locator(".valued li .value").nth(2).inner_text())
    assert shown == pytest.approx(cost, rel=1e-3)
    before = page.locator(".valued li .value").nth(0).inner_text()
    page.get_by_role("button", name="New example").click()
    expect(page.locator(".valued li .value").nth(0)).not_to_have_text(before)


def test_trains_as_the_server_does(open_page: Any, exported: str, page: Any) -> None:
    """Costs of both methods agree with the loopback tier, which runs the NumPy modules."""
    tables = []
    for one in (page, open_page(url=exported)):
        go(one, "Train")
        expect(one.locator(".facts")).to_be_visible()
        one.get_by_role("slider", name="Step").fill("40")
        tables.append([number(t) for t in one.locator(".facts td:nth-child(2)").all_inner_texts()])
    assert tables[1] == pytest.approx(tables[0], rel=1e-5)


def test_practises(open_page: Any, exported: str) -> None:
    """A choice is judged in the page."""
    page = open_page(url=exported)
    go(page, "Practise")
    expect(page.locator("#question-task")).to_be_visible()
    if page.locator(".choice").count():
        page.locator(".choice").first.click()
    else:
        page.locator("#answer").fill("7")
        page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_be_visible()
    expect(page.locator(".history")).to_contain_text("of 1 right")


def test_audits_its_own_lines_and_says_what_needs_python(open_page: Any, exported: str) -> None:
    """A line of the derivation is recognised, a wrong sign found, any other line not judged."""
    page = open_page(url=exported)
    go(page, "Audit")
    expect(page.locator(".note-of-tier")).to_contain_text("chainrule board")
    page.get_by_role("button", name="Example").click()
    field = page.get_by_role("textbox")
    expect(field).not_to_have_value("")
    field.fill(field.input_value() + "\ndJ/dw  =  (A - Y) X^T + 0\nA = sigmoid(Z)")
    page.get_by_role("button", name="Judge every line").click()
    lines = page.locator(".verdicts li")
    expect(page.locator(".verdicts li.accused")).to_have_count(1)
    expect(lines.nth(0)).to_have_class(re.compile("proven"))
    expect(lines.nth(5)).to_contain_text("not decided")
    expect(lines.nth(6)).not_to_contain_text("verified")


def test_other_variables_need_python(open_page: Any, exported: str) -> None:
    """A link to a derivation that was not exported is answered in words."""
    page = open_page(url=exported)
    expect(page).to_have_url(re.compile("cr="))
    other = open_page(url=page.url.replace("view=write", "view=derive") + "&wrt=w")
    expect(other.locator(".fault")).to_contain_text("chainrule board")
