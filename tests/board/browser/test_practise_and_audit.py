"""Practise with a live reading, a verdict and hints; audit a transcript line by line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from .driving import go

pytestmark = pytest.mark.slow


def _formula_question(page: Any) -> None:
    """Ask until the question wants a formula."""
    go(page, "Practise")
    expect(page.locator("#question-task")).to_be_visible()
    for _ in range(30):
        if page.locator(".palette").count():
            return
        ticket = page.locator(".question-card").inner_text()
        page.get_by_role("button", name="Another question").click()
        expect(page.locator(".question-card")).not_to_have_text(ticket)
    pytest.fail("30 questions in a row wanted no formula")


def test_says_what_it_understood(page: Any) -> None:
    """Each key is read: a formula is typeset, anything else is explained; neither is judged."""
    _formula_question(page)
    field = page.locator("#answer")
    field.fill("1 + 2 (")
    expect(page.locator("#understood")).to_contain_text("Not readable yet")
    field.fill("1 + 2")
    expect(page.locator("#understood math")).to_have_count(1)
    expect(page.locator(".verdict")).to_have_count(0)


def test_answers_are_not_held_back(page: Any) -> None:
    """The body of an answer follows its head at once, also after a pause between two keys."""
    waited = page.evaluate(
        """async () => {
          const headers = {
            'Content-Type': 'application/json', 'X-Board-Tab': 'timing',
            'X-Board-Token': sessionStorage.getItem('chainrule-token'),
          };
          const times = [];
          for (let at = 0; at < 9; at += 1) {
            const body = JSON.stringify({call: 'gallery', id: at, args: {}});
            const answer = await fetch('call', {method: 'POST', headers, body});
            const begun = performance.now();
            await answer.json();
            times.push(performance.now() - begun);
            await new Promise(done => setTimeout(done, 60));
          }
          return times.sort((a, b) => a - b)[4];
        }"""
    )
    assert waited < 30


def test_palette_types(page: Any) -> None:
    """A button of the palette types at the caret and leaves it inside the brackets."""
    _formula_question(page)
    button = page.get_by_role("group", name="Insert").get_by_role("button", name="logarithm")
    # At once, not a frame later: a key pressed straight after the click was lost.
    assert button.evaluate(
        """key => {
          key.click();
          const box = document.activeElement;
          return [box.id, box.value, box.selectionStart];
        }"""
    ) == ["answer", "log()", 4]
    page.keyboard.type("1")
    expect(page.locator("#answer")).to_have_value("log(1)")


def test_hints_solution_history(page: Any) -> None:
    """A wrong answer is told, three hints come one by one, and the history is kept and deleted."""
    _formula_question(page)
    page.locator("#answer").fill("123456789")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict.wrong")).to_be_visible()
    for at in (1, 2, 3):
        page.get_by_role("button", name=re.compile(r"^Hint")).click()
        expect(page.get_by_role("complementary", name=f"Hint {at}")).to_be_visible()
    page.get_by_role("button", name="Show the solution").click()
    expect(page.get_by_role("region", name="Solution")).to_be_visible()
    history = page.locator(".history")
    expect(history).to_contain_text("0 of 1 right")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Export").click()
    saved = Path(saving.value.path())
    records = json.loads(saved.read_text(encoding="utf-8"))
    assert [one["right"] for one in records] == [False]
    page.reload()
    expect(history).to_contain_text("0 of 1 right")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete 1 answers for good").click()
    expect(history).to_contain_text("None yet")
    page.locator(".history input[type=file]").set_input_files(str(saved))
    expect(history).to_contain_text("0 of 1 right")


def test_import_refuses_other_files(page: Any, tmp_path: Path) -> None:
    """A file that is no history is refused in words."""
    go(page, "Practise")
    other = tmp_path / "other.json"
    other.write_text('{"a": 1}', encoding="utf-8")
    page.locator(".history input[type=file]").set_input_files(str(other))
    expect(page.locator(".history")).to_contain_text("not a practice history")


def test_answers_part_by_part(page: Any) -> None:
    """Each part has a field that says what it understood, and gets a mark of its own."""
    go(page, "Practise")
    page.get_by_label("Topic").select_option("midterms")
    parts = page.locator(".part")
    expect(parts.first).to_be_visible()
    parts.nth(0).get_by_role("textbox").fill("1 + 2 (")
    expect(parts.nth(0)).to_contain_text("Not readable yet")
    parts.nth(0).get_by_role("textbox").fill("0")
    expect(parts.nth(0).locator("math")).to_have_count(1)
    page.get_by_role("button", name="Check").click()
    expect(parts.nth(0).locator(".part-mark.wrong")).to_be_visible()
    expect(parts.nth(1).locator(".part-mark")).to_have_count(0)


def test_a_circuit_is_drawn_and_answered_value_by_value(page: Any) -> None:
    """Every value has a box in the drawing and a field; no box stands outside its frame."""
    go(page, "Practise")
    page.get_by_label("Topic").select_option("circuits")
    boxes = page.locator(".circuit-box:not(.unplaced)")
    expect(boxes.first).to_be_attached()
    frame = page.locator(".circuit").bounding_box()
    for box in boxes.all():
        inside = box.bounding_box()
        assert frame["x"] - 1 <= inside["x"]
        assert inside["x"] + inside["width"] <= frame["x"] + frame["width"] + 1
    fields = page.locator(".value-fields input")
    for field in fields.all():
        field.fill("0")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("are right")


TRANSCRIPT = "dJ/da_i = -y_i/a_i + (1 - y_i)/(1 - a_i)\ndJ/dz_i = y_i - a_i\ndJ/dw = (A - Y) X^T\n"


def test_audit_finds_the_wrong_line(page: Any) -> None:
    """The wrong line is named with its mistake and the two numbers that differ."""
    go(page, "Audit")
    page.get_by_role("textbox", name="Derivation to audit").fill(TRANSCRIPT)
    page.get_by_role("button", name="Judge every line").click()
    lines = page.locator(".verdicts li")
    expect(lines).to_have_count(3)
    expect(lines.nth(0)).to_have_class(re.compile("proven"))
    expect(lines.nth(1)).to_have_class(re.compile("accused"))
    expect(lines.nth(2)).to_have_class(re.compile("proven"))
    expect(lines.nth(1).locator(".two-numbers .number")).to_have_count(2)
    first, second = lines.nth(1).locator(".two-numbers .number").all_inner_texts()
    assert first.lstrip("−") == second.lstrip("−")
    assert first != second


def test_audit_takes_a_file(page: Any, tmp_path: Path) -> None:
    """A transcript is opened as a file."""
    homework = tmp_path / "homework.txt"
    homework.write_text(TRANSCRIPT, encoding="utf-8")
    go(page, "Audit")
    page.locator(".audit input[type=file]").set_input_files(str(homework))
    expect(page.locator(".verdicts li.accused")).to_have_count(1)


def test_audit_example_has_one_error(page: Any) -> None:
    """The example is this board's derivation with one wrong sign."""
    go(page, "Audit")
    page.get_by_role("button", name="Example").click()
    expect(page.get_by_role("textbox", name="Derivation to audit")).not_to_have_value("")
    page.get_by_role("button", name="Judge every line").click()
    expect(page.locator(".verdicts li.accused")).to_have_count(1)
