"""axe-core finds nothing, and nothing is cut, in every state, size and colour scheme."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from .driving import finish, go, reveal

pytestmark = pytest.mark.slow


AXE = Path(__file__).parents[3] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
RUN = """async rules => {
  const found = await axe.run(
    document,
    {runOnly: rules, resultTypes: ['violations'], selectors: false, preload: false},
  );
  return found.violations.map(one => `${one.id}: ${one.nodes.map(node => node.html).slice(0, 3)}`);
}"""
SCROLLS = ".scrolls, .drawing-frame, .scroll, .entries, .spoken, pre, dd, .editor-host, textarea"
CUT = f"""() => [...document.querySelectorAll('main *')].filter(one => {{
  const box = one.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !one.closest('{SCROLLS}');
}}).map(one => `${{one.tagName}}.${{one.className}}`).slice(0, 5)"""


def _derived(page: Any) -> None:
    go(page, "Derive")
    page.keyboard.press("Home")
    reveal(page, 14)


def _explained(page: Any) -> None:
    _derived(page)
    page.keyboard.press("?")
    expect(page.locator(".card .check")).to_be_visible()


def _finished(page: Any) -> None:
    finish(page)
    page.get_by_role("button", name="More").click()


def _numbers(page: Any) -> None:
    go(page, "Numbers")
    expect(page.locator(".valued li").first).to_be_visible()


def _graph(page: Any) -> None:
    go(page, "Graph")
    page.get_by_role("button", name="All").click()
    expect(page.locator(".node:not(.unplaced)").first).to_be_attached()


def _practised(page: Any) -> None:
    go(page, "Practise")
    expect(page.locator("#question-task")).to_be_visible()
    page.get_by_role("button", name="Hint").click()
    expect(page.locator(".hint").first).to_be_visible()
    page.get_by_role("button", name="Show the solution").click()
    expect(page.get_by_role("region", name="Solution")).to_be_visible()


def _topic(page: Any, topic: str, shown: str) -> None:
    go(page, "Practise")
    page.get_by_label("Topic").select_option(topic)
    expect(page.locator(shown).first).to_be_attached()


def _in_parts(page: Any) -> None:
    _topic(page, "midterms", ".part")
    page.locator(".part textarea").first.fill("0")
    expect(page.locator(".part math").first).to_be_attached()


def _circuit(page: Any) -> None:
    _topic(page, "circuits", ".circuit-box:not(.unplaced)")


def _audited(page: Any) -> None:
    go(page, "Audit")
    page.get_by_role("button", name="Example").click()
    expect(page.get_by_role("textbox")).not_to_have_value("")
    page.get_by_role("button", name="Judge every line").click()
    expect(page.locator(".verdicts li.accused")).to_be_visible()


def _trained(page: Any) -> None:
    go(page, "Train")
    expect(page.locator(".facts")).to_be_visible()


def _written(page: Any) -> None:
    go(page, "Write")
    expect(page.locator(".lines-of-pass li").first).to_be_visible()


def _mistaken(page: Any) -> None:
    go(page, "Write")
    page.get_by_role("button", name="Plain text field").click()
    page.get_by_role("textbox", name="Forward pass").fill("x : (1, 1)\nL = x +")
    expect(page.locator(".fault")).to_be_visible()


STATES: dict[str, Callable[[Any], None]] = {
    "written": _written,
    "derived": _derived,
    "explained": _explained,
    "finished": _finished,
    "numbers": _numbers,
    "graph": _graph,
    "practised": _practised,
    "in parts": _in_parts,
    "circuit": _circuit,
    "audited": _audited,
    "trained": _trained,
    "mistaken": _mistaken,
}


DESK, PHONE = (1280, 900), (360, 740)
SHOWN = [(DESK, "light"), (PHONE, "dark"), (DESK, "forced")]
"""Layout depends on the size and colours on the scheme: each is here, in three of six pairs."""

if "CHAINRULE_EVERY_PAIR" in os.environ:
    SHOWN = [(size, scheme) for size in (DESK, PHONE) for scheme in ("light", "dark", "forced")]


@pytest.mark.parametrize(("size", "scheme"), SHOWN)
def test_no_findings(open_page: Any, size: tuple[int, int], scheme: str) -> None:
    """Every state passes axe-core and fits its window."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `npm ci` in frontend/")
    page = open_page(
        size=size,
        color_scheme="light" if scheme == "forced" else scheme,
        forced_colors="active" if scheme == "forced" else "none",
    )
    session = page.context.new_cdp_session(page)
    # The policy of the page refuses scripts; the debugger's door is not the page's.
    session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    for name, enter in STATES.items():
        enter(page)
        assert page.evaluate(RUN, list(RULES)) == [], name
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        assert page.evaluate(CUT) == [], name
        if page.locator(".card").count() or page.locator(".panel:visible").count():
            page.keyboard.press("Escape")


def test_all_views_by_keyboard(page: Any) -> None:
    """Tab reaches every view, and the focus is always visible."""
    seen = set()
    page.keyboard.press("Tab")
    for _ in range(12):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.textContent.trim()")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", name
        seen.add(name)
    assert {"Write", "Derive", "Numbers", "Graph", "Practise", "Audit", "Train"} <= seen


def test_formulas_are_spoken(page: Any) -> None:
    """Every formula carries a sentence, and nothing inside one takes the focus."""
    _finished(page)
    spoken = page.locator("math").evaluate_all("all => all.map(one => one.getAttribute('alttext'))")
    broken = page.locator(".formula.broken math").count()
    assert sum(1 for one in spoken if not one) <= broken
    assert page.locator("math [tabindex]").count() == 0
