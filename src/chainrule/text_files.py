"""Files that people write: text in any encoding that its first bytes tell, and notebooks.

What is not text is called by its name: a zip archive, a PDF, a folder.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
from pathlib import Path
from typing import Any, Final

from chainrule.errors import DataError
from chainrule.storage import check_regular

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_KINDS: Final = {
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x1f\x8b": "compressed with gzip; unpack it first",
    b"BZh": "compressed with bzip2; unpack it first",
    b"\xfd7zXZ\x00": "compressed with xz; unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it first",
    b"%PDF-": "a PDF; save its source, or its text",
    b"\x89PNG": "an image; type its formulas into a text file",
    b"\xff\xd8\xff": "an image; type its formulas into a text file",
    b"GIF8": "an image; type its formulas into a text file",
    b"\xd0\xcf\x11\xe0": "an Office document; save it as text",
}

_CELLS: Final = ("markdown", "code", "raw")
_MOST_BYTES: Final = 64 << 20
_FRONT_MATTER: Final = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")


class TextError(ValueError):
    """A file that cannot be read as text: a sentence with its path and the next action."""


def read_text(path: str | Path, most_bytes: int = _MOST_BYTES) -> str:
    """Return the text of a regular file, of a notebook that of its cells.

    Parameters
    ----------
    path : str or Path
    most_bytes : int
        Beyond which nothing is read, but of a notebook.

    Raises
    ------
    TextError
        Naming the path and the next action.
    """
    try:
        check_regular(path)
        is_notebook = Path(path).suffix.lower() == ".ipynb"
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES if is_notebook else most_bytes)
    except DataError as error:
        raise TextError(str(error)) from None
    except OSError as error:
        raise TextError(cannot_open(path, error)) from None
    text = _decoded(data, str(path), cut=len(data) == most_bytes)
    return _cells(text, str(path)) if is_notebook else _without_front_matter(text)


def read_standard_input(most_bytes: int = _MOST_BYTES) -> str:
    """Return what comes through the standard input as text, as `read_text` does for a file.

    Raises
    ------
    TextError
        Naming what it is instead.
    """
    data = sys.stdin.buffer.read(most_bytes)
    return _without_front_matter(_decoded(data, "the standard input", cut=len(data) == most_bytes))


def cannot_open(path: str | Path, error: OSError) -> str:
    """Return the sentence for a path that cannot be opened: what is there instead of a file."""
    if os.path.isdir(path):
        return f"{path} is a folder; name a file in it"
    if isinstance(error, FileNotFoundError) and os.path.islink(path):
        return f"{path} is a link to {os.readlink(path)}, which does not exist"
    return f"{path} cannot be opened: {error.strerror or error}"


def _decoded(data: bytes, name: str, *, cut: bool) -> str:
    for start, what in _KINDS.items():
        if data.startswith(start):
            raise TextError(f"{name} is not text in UTF-8 (byte 0): it is {what}")
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", "utf-8"))
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data[len(mark) :], final=not cut)
    except UnicodeDecodeError as error:
        place = len(mark) + error.start
        raise TextError(
            f"{name} is not text in {encoding.upper()[:6].rstrip('-')} (byte {place}); "
            "save it as UTF-8"
        ) from None
    if "\0" in text.rstrip("\0"):
        line = text[: text.index("\0")].count("\n") + 1
        raise TextError(
            f"{name}, line {line}: a NUL character, as in UTF-16 without its mark, or in a file "
            "that is not text; save it as UTF-8"
        )
    return text.rstrip("\0").lstrip("\ufeff")  # of files that were joined


def _cells(text: str, name: str) -> str:
    """Return the cells of a notebook one below the other."""
    try:
        read: Any = json.loads(text)
        cells = [cell for cell in read["cells"] if cell["cell_type"] in _CELLS]
        sources = [cell["source"] for cell in cells]
        found = ["".join(source) for source in sources]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise TextError(
            f"{name} is not a notebook of Jupyter, or is cut short; open it there and save it again"
        ) from None
    return "\n\n".join(found)


def _without_front_matter(text: str) -> str:
    """Return a text whose first lines, between two of ``---``, are blank: facts about a page."""
    found = _FRONT_MATTER.match(text.replace("\r\n", "\n"))
    if found is None:
        return text
    return "\n" * found[0].count("\n") + text.replace("\r\n", "\n")[found.end() :]
