"""The built front end: its files, as bytes with their types."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from chainrule.errors import ChainruleError

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"

TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}
"""The type of a file by its ending."""


@cache
def files() -> Mapping[str, bytes]:
    """Return the built files by the names under which the page requests them.

    Raises
    ------
    ChainruleError
        When the front end was not built.
    """
    if not (STATIC / INDEX).is_file():
        raise ChainruleError(
            f"the front end is missing at {STATIC}; in a clone of the repository run `make board`"
        )
    found = {INDEX: (STATIC / INDEX).read_bytes()}
    for path in sorted(STATIC.rglob("*")):
        name = path.relative_to(STATIC).as_posix()
        if path.is_file() and name != INDEX:
            found[f"static/{name}"] = path.read_bytes()
    return found


def type_of(name: str) -> str:
    """Return the type of a file by its name.

    >>> type_of("static/board.js")
    'text/javascript; charset=utf-8'
    """
    return TYPES.get(Path(name).suffix, "application/octet-stream")
