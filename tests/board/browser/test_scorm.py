"""The SCORM package inside a course system: a frame around the page holds the API."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from chainrule.board.export import scorm_package, site
from chainrule.board.gallery import bank_groups

pytestmark = pytest.mark.slow


COURSE = """<!doctype html><title>course</title><script>
window.calls = [];
window.API = Object.fromEntries(
  ["LMSInitialize", "LMSSetValue", "LMSCommit", "LMSFinish"].map((name) => [
    name,
    (...given) => { window.calls.push([name, ...given]); return "true"; },
  ]),
);
</script><iframe src="package/index.html" width="1000" height="800"></iframe>"""
"""A course system as far as SCORM 1.2 concerns a page: an object named API that notes its calls."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Write no line per request."""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve an unpacked package in the frame of a course; return the course's address."""
    bank = bank_groups()[1]
    folder = tmp_path_factory.mktemp("course")
    packed = scorm_package(site([replace(bank, items=bank.items[:2])], pairs=1))
    zipfile.ZipFile(io.BytesIO(packed)).extractall(folder / "package")
    (folder / "course.html").write_text(COURSE, encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/course.html"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _calls(page: Any) -> list[list[str]]:
    return [list(call) for call in page.evaluate("window.calls")]


def test_marks_reach_the_course(browser: Any, course: str) -> None:
    """The page says that it began, the mark after an answer, and that it ended."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(course)
    board = page.frame_locator("iframe")
    board.get_by_role("navigation", name="Views").get_by_role("button", name="Practise").click()
    expect(board.locator("#question-task")).to_be_visible()
    assert _calls(page) == [
        ["LMSInitialize", ""],
        ["LMSSetValue", "cmi.core.lesson_status", "incomplete"],
        ["LMSCommit", ""],
    ]
    if board.locator(".choice").count():
        board.locator(".choice").first.click()
    else:
        board.locator("#answer").fill("7")
        board.locator("#answer").press("Enter")
    expect(board.locator(".verdict")).to_be_visible()
    right = "right" in (board.locator(".verdict").get_attribute("class") or "")
    sent = _calls(page)[3:]
    assert ["LMSSetValue", "cmi.core.score.raw", "100" if right else "0"] in sent
    assert ["LMSSetValue", "cmi.core.lesson_status", "completed"] in sent
    assert sent[-1] == ["LMSCommit", ""]
    page.evaluate("document.querySelector('iframe').src = 'about:blank'")
    page.wait_for_function("window.calls.at(-1)[0] === 'LMSFinish'")
    context.close()


def test_opens_without_a_course(browser: Any, course: str) -> None:
    """Outside a course system the package is the same board and reports nothing."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(course.replace("course.html", "package/index.html"))
    page.get_by_role("navigation", name="Views").get_by_role("button", name="Practise").click()
    expect(page.locator("#question-task")).to_be_visible()
    assert faults == []
    context.close()
