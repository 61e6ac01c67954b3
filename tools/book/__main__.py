"""Build the documentation site: ``make site``."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.book import api, commands, files, gallery, links, navigation, notebooks, tables
from tools.book.written import ROOT, written

SOURCE = ROOT / "build" / "book"
SITE = ROOT / "site"


def sources() -> dict[str, bytes]:
    """Return every page and picture of the site, by its path."""
    found = written() | notebooks.pages()
    for module in (commands, api, tables, files):
        found |= {name: text.encode() for name, text in module.pages().items()}
    found["gallery/index.md"] = gallery.page().encode()
    pages = [n.rpartition(".")[0] for n in found if n.endswith((".md", ".rst"))]
    inner = [p for p in pages if p.startswith(("reference/cli/", "reference/api/"))]
    top = [p for p in pages if p not in inner or p.endswith("/index")]
    found["index.md"] += f"\n\n{navigation.toctrees(top)}".encode()
    return found


def build(site: Path, *, whole_board: bool) -> int:
    """Build the site and return the exit status."""
    began = time.perf_counter()
    for folder in (SOURCE, site):
        shutil.rmtree(folder, ignore_errors=True)
    board = gallery.start_board(site / "board", whole=whole_board)
    try:
        for name, content in sources().items():
            path = SOURCE / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-b", "html"),
                *("-d", str(SOURCE.parent / "book-state"), "-c", str(Path(__file__).parent)),
                *(str(SOURCE), str(site)),
            ],
            cwd=ROOT,
        )
        if done.returncode != 0:
            print("the site has warnings, and they count as errors", file=sys.stderr)
            return 1
        gallery.write(site / "gallery")
        if board.wait() != 0:
            print("the board could not be written", file=sys.stderr)
            return 1
    finally:
        board.kill()
        board.wait()
    complaints = list(links.broken(site))
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if complaints:
        return 1
    count = sum(1 for _ in site.rglob("*.html"))
    print(f"{count} pages in {time.perf_counter() - began:.0f} s: open {site / 'index.html'}")
    return 0


def main() -> int:
    """Read the options and build."""
    parser = argparse.ArgumentParser(prog="python -m tools.book", description=__doc__)
    parser.add_argument("--out", type=Path, default=SITE, help="folder of the site")
    parser.add_argument(
        "--whole-board", action="store_true", help="put the whole bank of exercises on the board"
    )
    options = parser.parse_args()
    return build(options.out, whole_board=options.whole_board)


if __name__ == "__main__":
    sys.exit(main())
