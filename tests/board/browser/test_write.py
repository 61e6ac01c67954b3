"""Write a forward pass: typeset and checked at every key, with repairs one click away."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from .driving import go, reveal, write

pytestmark = pytest.mark.slow


PASS = "x : (n, 1)\nw : (1, n)\nt : (1, 1)\nu = w x - t\nL = u^2"


def test_typesets_at_every_key(page: Any) -> None:
    """The typeset forward pass follows the text."""
    write(page, PASS)
    expect(page.locator(".lines-of-pass li")).to_have_count(2)
    expect(page.get_by_text("Shapes agree. L is the objective.")).to_be_visible()
    page.get_by_role("textbox", name="Forward pass").press_sequentially(" + t^2")
    expect(page.locator(".lines-of-pass li").nth(1).locator("msup")).to_have_count(2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PASS.replace("w x", "x w"), r"Line \d"),
        (PASS.replace("L = u^2", "L = u^2 +"), r"Line 5: "),
        (PASS.replace("u = w x - t", "u = (w x - t"), r"Line 4"),
    ],
)
def test_says_what_is_wrong_and_where(page: Any, text: str, said: str) -> None:
    """An error names its line, and the last good typeset pass stays."""
    write(page, PASS)
    expect(page.locator(".lines-of-pass li")).to_have_count(2)
    write(page, text)
    expect(page.locator(".reading-state .fault")).to_contain_text(re.compile(said))
    expect(page.locator(".lines-of-pass li")).to_have_count(2)


def test_applies_a_repair_by_one_click(page: Any) -> None:
    """A name that is one letter off is repaired by a click."""
    write(page, "score : (1, 1)\ntarget : (1, 1)\nL = (score - targe)^2")
    repair = page.locator(".fault button")
    expect(repair).to_be_visible()
    repair.click()
    expect(page.get_by_text("Shapes agree")).to_be_visible()
    expect(page.get_by_role("textbox", name="Forward pass")).to_have_value(
        re.compile(r"score - target\)")
    )


def test_gallery_fills_the_editor(page: Any) -> None:
    """A forward pass of the gallery is one click away."""
    page.get_by_role("button", name="logistic regression, one example").click()
    expect(page.get_by_role("heading", name="logistic regression, one example")).to_be_visible()
    go(page, "Derive")
    expect(page.locator(".bar .count")).to_have_text(re.compile(r"^0 / \d+"))


def test_rich_editor_marks_the_error(page: Any) -> None:
    """The editor with colours underlines what is wrong, and takes text typed in it."""
    content = page.locator(".editor-host .cm-content")
    content.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nQ = Z + nope")
    expect(page.locator(".editor-host .cm-lintRange-error")).to_be_visible()
    expect(page.locator(".reading-state .fault")).to_contain_text("nope")


def test_link_holds_the_state(page: Any, open_page: Any) -> None:
    """A reload, and the same fragment elsewhere, show the same forward pass at the same line."""
    write(page, "# shared\n" + PASS)
    go(page, "Derive")
    page.get_by_role("button", name="Next line").click()
    expect(page).to_have_url(re.compile("at=1"))
    page.reload()
    expect(page.get_by_role("heading", name="shared", level=1)).to_be_visible()
    expect(page.locator(".step")).to_have_count(1)
    fragment = page.url.split("#")[1]
    other = open_page(at=f"&{fragment}")
    expect(other.get_by_role("heading", name="shared", level=1)).to_be_visible()
    expect(other.locator(".step")).to_have_count(1)
    assert "token" not in page.url


def test_the_cost_is_a_sum_and_vectorised_by_a_key(page: Any) -> None:
    """v turns the cost to the form in which it was written, and the address keeps it."""
    go(page, "Derive")
    cost = page.locator(".given li").last
    expect(cost.locator("munderover")).to_have_count(1)
    page.keyboard.press("v")
    expect(cost.locator("munderover")).to_have_count(0)
    expect(page).to_have_url(re.compile("vectorised=1"))


def test_back_goes_to_the_view_before(page: Any) -> None:
    """A change of the view is a step of the browser's history; typing is none."""
    expect(page).to_have_url(re.compile("view=write&cr="))
    go(page, "Derive")
    expect(page).to_have_url(re.compile("view=derive"))
    reveal(page, 1)
    expect(page).to_have_url(re.compile("at=1"))
    go(page, "Graph")
    expect(page).to_have_url(re.compile("view=graph"))
    page.go_back()
    expect(page.locator("main")).to_have_class(re.compile("view-derive"))
    expect(page.locator(".bar .count")).to_have_text(re.compile("^1 /"))
    page.go_back()
    expect(page.locator("main")).to_have_class(re.compile("view-write"))
