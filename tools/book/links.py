"""Check the built site: every link leads somewhere, and nothing comes from another origin."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}
"""Attributes whose target a browser fetches by itself."""

RELATIONS_NOT_FETCHED = {"canonical", "next", "prev", "search", "index", "author"}


class _Page(HTMLParser):
    """The links and the anchors of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and the anchor of an element."""
        given = {name: value or "" for name, value in attrs}
        if given.get("id"):
            self.anchors.add(given["id"])
        if tag == "a" and given.get("name"):
            self.anchors.add(given["name"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") in RELATIONS_NOT_FETCHED:
            return
        if tag in LOADED and given.get(LOADED[tag]):
            self.loaded.append(given[LOADED[tag]])


def broken(site: Path) -> Iterator[str]:
    """Yield a sentence for every link of a site that leads nowhere or to another origin's file."""
    read = cache(_read)
    for path in sorted(site.rglob("*.html")):
        page = read(path)
        name = path.relative_to(site)
        for link in page.loaded:
            if urlsplit(link).netloc:
                yield f"{name}: loads {link} from another origin"
        for link in dict.fromkeys((*page.links, *page.loaded)):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                yield f"{name}: {link} leads nowhere"
            elif parts.fragment and target.suffix == ".html":
                anchors = read(target).anchors
                if anchors and unquote(parts.fragment) not in anchors and not _is_script(target):
                    yield f"{name}: {link} has no such anchor"


def _is_script(page: Path) -> bool:
    """Whether the anchors of a page are made by its script, as on the board."""
    return (page.parent / "start.js").is_file()


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page
