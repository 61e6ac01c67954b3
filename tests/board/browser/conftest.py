"""A server, a browser and pages that refuse every other origin."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _browser_path() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on the PATH")
    return found


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Start the board with the lecture's forward pass and return its address."""
    pytest.importorskip("starlette", reason="the extra `board` is not installed")
    pytest.importorskip("uvicorn", reason="the extra `board` is not installed")
    command = [sys.executable, "-m", "chainrule", "board", "examples/logistic_batch"]
    with subprocess.Popen(
        [*command, "--no-browser"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        try:
            printed = ""
            for line in server.stdout:
                printed += line
                if found := re.search(r"http://127\.0\.0\.1:\d+/#\S+", line):
                    yield found.group(0)
                    return
            pytest.fail(f"the board printed no address:\n{printed}")
        finally:
            server.terminate()
            server.stdout.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start a browser of the machine; playwright brings none of its own."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = _browser_path()
    sync_api.expect.set_options(timeout=20_000)  # the machine may be busy
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a function that opens the board; foreign requests and script errors fail the test."""
    origin = address.split("/#")[0]
    contexts: list[Any] = []
    faults: list[str] = []

    def watch(page: Any) -> None:
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on(
            "console",
            lambda one: faults.append(f"console: {one.text}") if one.type == "error" else None,
        )
        page.on(
            "request",
            lambda one: (
                None
                if one.url.startswith((origin, "blob:", "about:", "file:"))
                else faults.append(f"request to another origin: {one.url}")
            ),
        )

    def opened(
        at: str = "",
        size: tuple[int, int] = (1280, 900),
        url: str | None = None,
        **options: Any,
    ) -> Any:
        options.setdefault("reduced_motion", "reduce")
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, accept_downloads=True, **options
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        context.on("page", watch)
        page = context.new_page()
        page.goto((url or address) + at)
        page.locator("html[data-ready]").wait_for(state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
    if log := os.environ.get("CHAINRULE_BROWSER_LOG"):
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{request.node.nodeid}\n")


@pytest.fixture
def page(open_page: Any) -> Any:
    """Open the board at 1280 x 900."""
    return open_page()
