"""What the tests do on the page: go to a view, write, reveal."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

VIEWS = ("Write", "Derive", "Numbers", "Graph", "Practise", "Audit", "Train")


def go(page: Any, view: str) -> None:
    """Open a view by its button."""
    page.get_by_role("navigation", name="Views").get_by_role("button", name=view).click()
    # The view gives the focus to its beginning, so that keys reach it.
    expect(page.locator("main")).to_have_class(re.compile(f"view-{view.lower()}"))


def write(page: Any, text: str) -> None:
    """Replace the forward pass, in the plain text field."""
    go(page, "Write")
    plain = page.get_by_role("button", name="Plain text field")
    if plain.count():
        plain.click()
    page.get_by_role("textbox", name="Forward pass").fill(text)


def reveal(page: Any, stops: int) -> None:
    """Reveal so many stops of the derivation by the space bar."""
    expect(page.locator(".bar .count")).to_be_visible()
    at = int(page.locator(".bar .count").inner_text().split("/")[0])
    for stop in range(at + 1, at + stops + 1):
        page.keyboard.press("Space")
        expect(page.locator(".bar .count")).to_have_text(re.compile(rf"^{stop} /"))


def finish(page: Any) -> None:
    """Reveal the whole derivation."""
    go(page, "Derive")
    expect(page.locator(".bar .count")).to_have_text(re.compile(r"^\d+ / [1-9]"))
    page.keyboard.press("End")
    expect(page.get_by_role("heading", name="Gradients")).to_be_visible()


def number(text: str) -> float:
    """Read a number as the board shows it."""
    return float(text.replace("−", "-").strip())
