"""Pages that people write, copied from the repository with their links made those of the site."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from tools.book.on_board import linked

ROOT = Path(__file__).parents[2]

OUTSIDE = {
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "CODE_OF_CONDUCT.md": "conduct",
    "SECURITY.md": "security",
}
"""Pages of the repository's root and their names on the site."""

_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def written(root: Path = ROOT) -> dict[str, bytes]:
    """Return the pages and pictures that people write, by their paths on the site."""
    found: dict[str, bytes] = {}
    docs = root / "docs"
    for path in sorted(docs.rglob("*")):
        name = path.relative_to(docs).as_posix()
        if path.suffix == ".md":
            page = _page(path.read_text(encoding="utf-8"), f"docs/{name}", root)
            found[name] = linked(page, f"{'../' * name.count('/')}board/index.html").encode()
        elif path.suffix in (".png", ".svg", ".csv"):
            found[name] = path.read_bytes()
    for name, page in OUTSIDE.items():
        if (root / name).is_file():
            text = (root / name).read_text(encoding="utf-8")
            found[f"{page}.md"] = _page(text, name, root).encode()
    return found


def _page(text: str, path: str, root: Path) -> str:
    """Return a page of the repository with links as the site has them."""

    def linked(match: re.Match[str]) -> str:
        words, target, anchor = match.groups()
        there = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        page = OUTSIDE.get(there)
        if page is not None:
            there = f"docs/{page}.md"
        if there.startswith("docs/"):
            here = posixpath.dirname(path.removeprefix("docs/")) if path.startswith("docs/") else ""
            relative = posixpath.relpath(there.removeprefix("docs/"), here or ".")
            return f"[{words}]({relative}{anchor or ''})"
        if not (root / there).exists():
            raise ValueError(f"{path}: the link {target} leads nowhere")
        # The repository's other files are not on the site: their path is what a reader needs.
        shown = words.strip("`")
        return f"`{there}`" if shown == there else f"{words} (`{there}`)"

    return _LINK.sub(linked, text)
