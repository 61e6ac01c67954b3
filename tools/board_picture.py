"""Photograph the board for the README: ``python -m tools.board_picture`` (needs Chromium)."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from chainrule.board.export import site, write
from chainrule.board.gallery import examples

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "board.png"
REVEALED = 21
"""Steps shown: up to the gradient as a matrix."""


def main() -> int:
    """Write the picture."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("install Chromium to photograph the board", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        write(Path(folder), site(examples()[:1], pairs=1))
        # In a container the sandbox of the browser has no privileges; the page is our own.
        started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = started.new_page(
            viewport={"width": 1200, "height": 720}, device_scale_factor=1.25, color_scheme="light"
        )
        page.goto((Path(folder) / "index.html").as_uri())
        page.get_by_text("Derive the gradients", exact=True).first.click()
        for _ in range(REVEALED):
            page.keyboard.press("ArrowRight")
        page.get_by_role("button", name="Why", exact=True).click()
        page.wait_for_timeout(1000)
        page.screenshot(path=PICTURE)
        started.close()
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
