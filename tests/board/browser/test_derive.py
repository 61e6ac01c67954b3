"""The derivation: reveal, forms, why, presenter, print."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from .driving import finish, go, reveal

pytestmark = pytest.mark.slow


MOVING = (
    "document.getAnimations().filter(one => one.effect?.getKeyframes()[0]?.transform"
    "?.startsWith('translate')).length"
)


def test_reveals_line_by_line(page: Any) -> None:
    """Space asks, then answers; old lines stay, dimmed; arrows go back."""
    go(page, "Derive")
    expect(page.locator(".step")).to_have_count(0)
    reveal(page, 2)
    expect(page.locator(".step.old")).to_have_count(1)
    expect(page.locator(".step.now")).to_have_count(1)
    old = page.locator(".step.old .answer").evaluate("node => getComputedStyle(node).color")
    now = page.locator(".step.now .answer").evaluate("node => getComputedStyle(node).color")
    assert old != now
    reveal(page, 1)
    expect(page.locator(".step.now .question")).to_be_visible()
    expect(page.locator(".step.now .answer")).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".step")).to_have_count(2)
    page.keyboard.press("End")
    expect(page.get_by_role("heading", name="Gradients")).to_be_visible()
    expect(page.locator(".gradients li")).to_have_count(2)


def test_terms_move_and_stop(open_page: Any) -> None:
    """Terms that stay travel to their new place, and every animation ends."""
    page = open_page(reduced_motion="no-preference")
    go(page, "Derive")
    moved = 0
    reveal(page, 13)
    for _ in range(3):
        page.keyboard.press("Space")
        moved = max(moved, page.evaluate(MOVING))
        page.wait_for_timeout(700)
    assert moved > 0
    assert page.evaluate(MOVING) == 0


def test_reduced_motion_moves_nothing(page: Any) -> None:
    """Where the reader asks for less motion, lines appear in place."""
    go(page, "Derive")
    reveal(page, 13)
    page.keyboard.press("Space")
    assert page.evaluate(MOVING) == 0


def test_why_by_pointer(page: Any) -> None:
    """A click on a symbol explains the symbol."""
    go(page, "Derive")
    reveal(page, 4)
    page.locator(".step.now [data-side='right'] [data-symbol='A']").first.click()
    card = page.locator(".card")
    expect(card.get_by_role("heading", level=2)).to_have_text(re.compile("a"))
    expect(page.locator(".step.now .picked").first).to_be_visible()
    expect(card.locator(".card-body")).to_contain_text(re.compile(r"1 × m|σ|sigmoid"))


def test_why_by_keyboard(page: Any) -> None:
    """The card opens by a key, lists every part as a button, and gives the focus back."""
    go(page, "Derive")
    reveal(page, 4)
    page.keyboard.press("?")
    card = page.locator(".card")
    expect(card.get_by_role("heading", level=2)).to_be_focused()
    expect(card.locator(".card-body .check")).to_be_visible()
    parts = card.get_by_role("list", name=re.compile("Parts of line")).get_by_role("button")
    assert parts.count() > 3
    parts.nth(3).focus()
    page.keyboard.press("Enter")
    expect(parts.nth(3)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".step.now .picked").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    expect(page.locator(".step.now .why-button")).to_be_focused()


def test_why_leads_to_the_line_before(page: Any) -> None:
    """The card of a part that came from another line shows it there."""
    finish(page)
    step = page.locator(".step", has=page.locator(".rule", has_text="cancel")).first
    step.locator(".answer [data-path]").last.click()
    origin = page.get_by_role("button", name=re.compile("Show it in line"))
    expect(origin).to_be_visible()
    origin.click()
    expect(page.locator(".step .picked").first).to_be_visible()


def test_forms_and_brief(page: Any) -> None:
    """Index form, matrix form and brief show fewer lines, at the same place."""
    go(page, "Derive")
    expect(page.locator(".bar .count")).to_have_text(re.compile(r"^0 / \d+"))

    def stops() -> int:
        return int(page.locator(".bar .count").inner_text().split("/")[1])

    both = stops()
    page.keyboard.press("i")
    expect(page.locator(".bar")).to_contain_text("Matrix form")
    matrix = stops()
    page.keyboard.press("i")
    expect(page.locator(".bar")).to_contain_text("Index form")
    index = stops()
    page.keyboard.press("i")
    page.keyboard.press("d")
    brief = stops()
    assert max(matrix, index) <= both
    assert min(matrix, index) < both
    assert brief < both


def test_single_letter_keys_can_be_switched_off(page: Any) -> None:
    """With the setting off, only space, arrows and Escape act (WCAG 2.1.4)."""
    go(page, "Derive")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Single-letter keys").click()
    page.keyboard.press("Escape")
    page.locator("main").focus()
    page.keyboard.press("b")
    expect(page.locator(".blackout")).to_have_count(0)
    reveal(page, 1)


def test_blackout(page: Any) -> None:
    """A key blacks the board out and brings it back."""
    go(page, "Derive")
    expect(page.locator(".bar")).to_be_visible()
    page.keyboard.press("b")
    expect(page.locator(".blackout")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".blackout")).to_have_count(0)


def test_presenter_follows_and_leads(page: Any) -> None:
    """The second window shows line, next line and notes, and its button reveals on the board."""
    go(page, "Derive")
    reveal(page, 2)
    with page.expect_popup() as opening:
        page.keyboard.press("p")
    presenter = opening.value
    expect(presenter.get_by_text(re.compile(r"^2 / \d+"))).to_be_visible()
    expect(presenter.locator(".now-line math")).to_have_count(1)
    expect(presenter.locator(".next-line math")).to_have_count(1)
    expect(presenter.locator(".notes p").first).to_be_visible()
    presenter.get_by_role("button", name="Next").click()
    expect(page.locator(".bar .count")).to_have_text(re.compile(r"^3 /"))
    expect(presenter.get_by_text(re.compile(r"^3 / \d+"))).to_be_visible()
    expect(presenter.get_by_role("timer")).to_have_text(re.compile(r"^0:0\d"))


@pytest.mark.parametrize("kind", ["filled", "blank", "steps"])
def test_prints(page: Any, kind: str) -> None:
    """The printed page has every line; the blank one hides the answers."""
    finish(page)
    page.evaluate("kind => { document.documentElement.dataset.print = kind }", kind)
    page.emulate_media(media="print")
    answer = page.locator(".step .answer .formula").first
    visibility = answer.evaluate("node => getComputedStyle(node).visibility")
    assert visibility == ("hidden" if kind == "blank" else "visible")
    expect(page.locator(".top")).to_be_hidden()
    assert page.pdf().startswith(b"%PDF")


def test_reveal_is_quick(page: Any) -> None:
    """The work between a key and the new line is a frame or two, on a machine that is shared."""
    go(page, "Derive")
    reveal(page, 1)
    took = page.evaluate(
        """async () => {
          const times = [];
          for (let at = 0; at < 10; at += 1) {
            const begun = performance.now();
            document.body.dispatchEvent(new KeyboardEvent('keydown', {key: ' ', bubbles: true}));
            await Promise.resolve();
            await new Promise(requestAnimationFrame);
            times.push(performance.now() - begun);
          }
          return times.sort((a, b) => a - b)[5];
        }"""
    )
    assert took < 3 * 16.7
