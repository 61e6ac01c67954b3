"""Latencies of the board: ``python -m benchmarks.board`` (needs Chromium, the extra `board`).

Drives the board in a browser and writes the table of docs/board.md. A key, a reveal and a slider
are timed in the page, from the event to the changed page with its layout; a derivation is a call
to the loopback server with a forward pass that it has not seen.
"""

from __future__ import annotations

import gzip
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np

from chainrule.board.export import site, write
from chainrule.board.gallery import bank_groups, examples

PAGE = Path(__file__).parents[1] / "docs" / "board.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TYPED = "(A - Y) X^T + 0 (A - Y) X^T - 0 w"
SLIDES = 120
REVEALS = 60

TIMED = """
const changed = (watched, act) => new Promise(done => {
  const begun = performance.now();
  const observer = new MutationObserver(() => {
    observer.disconnect();
    document.body.offsetHeight;
    done(performance.now() - begun);
  });
  observer.observe(watched, {childList: true, subtree: true, characterData: true});
  act();
});
const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 5)));
"""
KEYS = (
    "async typed => {"
    + TIMED
    + """
  const field = document.querySelector('#answer'), out = document.querySelector('#understood');
  const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set;
  const times = [];
  for (let at = 1; at <= typed.length; at += 1) {
    times.push(await Promise.race([
      changed(out, () => {
        set.call(field, typed.slice(0, at));
        field.dispatchEvent(new Event('input', {bubbles: true}));
      }),
      new Promise(done => setTimeout(() => done(null), 1000)),
    ]));
    await frame();
  }
  return times.filter(one => one !== null);
}"""
)
REVEAL = (
    "async count => {"
    + TIMED
    + """
  const times = [];
  for (let at = 0; at < count; at += 1) {
    times.push(await changed(document.querySelector('.steps'), () =>
      document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}))));
    await frame();
  }
  return times;
}"""
)
SLIDE = (
    "async count => {"
    + TIMED
    + """
  const slider = document.querySelector('input[type=range]');
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  const times = [];
  for (let at = 0; at < count; at += 1) {
    times.push(await changed(document.querySelector('.values-column'), () => {
      set.call(slider, String(-2 + 4 * at / count));
      slider.dispatchEvent(new Event('input', {bubbles: true}));
    }));
    await frame();
  }
  return times;
}"""
)
CALLS = """async ([name, texts]) => {
  const headers = {
    'Content-Type': 'application/json', 'X-Board-Tab': 'measured',
    'X-Board-Token': sessionStorage.getItem('chainrule-token'),
  };
  const times = [];
  for (const text of texts) {
    const body = JSON.stringify({call: name, id: 0, args: {text}});
    const begun = performance.now();
    await (await fetch('call', {method: 'POST', headers, body})).json();
    times.push(performance.now() - begun);
  }
  return times;
}"""
OPENED = """
const seen = new MutationObserver(() => {
  if (!document.querySelector('.lines-of-pass math')) return;
  seen.disconnect();
  window.firstLine = performance.now();
});
seen.observe(document, {childList: true, subtree: true});
"""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    name : str
    median, high : str
        The median and the 95th percentile, with their unit.
    wanted : str
        The bound.
    """

    name: str
    median: str
    high: str
    wanted: str


def timed(name: str, times: Sequence[float], wanted: str) -> Row:
    """Return the row of times in milliseconds."""
    median, high = np.percentile(times, [50, 95])
    return Row(name, f"{median:.1f} ms", f"{high:.1f} ms", wanted)


def loopback(browser: Any) -> Iterator[Row]:  # noqa: ANN401
    """Yield the rows of the board on this machine."""
    bank = [item.text for group in bank_groups() for item in group.items]
    with _served() as address:
        page = browser.new_page()
        page.goto(address)
        page.locator("html[data-ready]").wait_for(state="attached")
        yield timed("derive, each exercise of the bank", _calls(page, "derive", bank), "100 ms")
        largest = [item.text for group in examples() for item in group.items]
        yield timed("graph, each shipped example", _calls(page, "graph", largest), "1 s")
        _view(page, "Derive")
        page.locator(".bar .count").wait_for()
        page.evaluate("document.querySelector('.bar .count').focus?.()")
        count = min(REVEALS, int(page.locator(".bar .count").inner_text().split("/")[1]))
        yield timed("reveal of a line", page.evaluate(REVEAL, count), "16 ms")
        _view(page, "Numbers")
        page.locator(".valued li").first.wait_for()
        yield timed("slider, every line again", page.evaluate(SLIDE, SLIDES), "16.7 ms")
        _view(page, "Practise")
        page.locator("#question-task").wait_for()
        for _ in range(60):
            if page.locator(".palette").count():
                break
            page.get_by_role("button", name="Another question").click()
            page.wait_for_timeout(150)
        yield timed("key to “understood”", page.evaluate(KEYS, TYPED), "50 ms")
        page.close()


def opened(browser: Any) -> Iterator[Row]:  # noqa: ANN401
    """Yield the rows of an exported board, opened as a file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, site(examples(), pairs=1))
        times, loaded = [], set[str]()
        for _ in range(9):
            page = browser.new_page()
            page.add_init_script(OPENED)
            requests: list[Any] = []
            page.on("request", lambda one, into=requests: into.append(one))
            page.goto((folder / "index.html").as_uri())
            page.wait_for_function("window.firstLine !== undefined")
            times.append(page.evaluate("window.firstLine"))
            first = page.evaluate("performance.timeOrigin + window.firstLine")
            # The editor is requested later, when the page is idle.
            loaded |= {one.url for one in requests if one.timing["startTime"] <= first}
            page.close()
        yield timed("exported page, open to first line", times, "300 ms")
        read = [Path(unquote(urlsplit(address).path)) for address in loaded]
        sizes = [path.read_bytes() for path in read if path.is_file()]
        whole, packed = sum(map(len, sizes)), sum(len(gzip.compress(one)) for one in sizes)
        shown = (f"{whole / 1e3:.0f} KB", f"{packed / 1e3:.0f} KB with gzip")
        yield Row("exported page, files to the first line", *shown, "200 KB")


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown."""
    lines = ["| | median | 95th percentile | bound |", "|---|---|---|---|"]
    lines += [f"| {row.name} | {row.median} | {row.high} | {row.wanted} |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the table into the page of the documentation."""
    options = ArgumentParser(description=__doc__)
    options.add_argument("--dry", action="store_true", help="print the table and write nothing")
    dry = options.parse_args().dry
    from playwright.sync_api import sync_playwright

    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        sys.exit("install Chromium to measure the board")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        found = table([*loopback(browser), *opened(browser)])
        version = browser.version
        browser.close()
    python = platform.python_version()
    found += f"\n\nChromium {version}, Python {python}, {os.cpu_count()} cores."
    print(found)
    if not dry:
        text = PAGE.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        after = rest.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n{found}\n{END}{after}", encoding="utf-8")


@contextmanager
def _served() -> Iterator[str]:
    command = [sys.executable, "-m", "chainrule", "board", "examples/logistic_batch"]
    with subprocess.Popen([*command, "--no-browser"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            found = re.search(r"http://\S+", server.stdout.readline())
            assert found is not None
            yield found.group(0)
        finally:
            server.terminate()


def _view(page: Any, name: str) -> None:  # noqa: ANN401
    page.get_by_role("navigation", name="Views").get_by_role("button", name=name).click()


def _calls(page: Any, name: str, texts: Sequence[str]) -> list[float]:  # noqa: ANN401
    found: list[float] = page.evaluate(CALLS, [name, list(texts)])
    return found


if __name__ == "__main__":
    main()
