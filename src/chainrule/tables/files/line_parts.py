"""Long text files in parts of whole lines, which threads can take apart: files without quotes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LONGEST_LINE: Final = 1 << 20


class NotInParts(Exception):  # noqa: N818 - a finding about a file, not a fault
    """A line feed may not end a row here, or a line is very long: the file is read as a stream."""


def parts_of_lines(path: Path, n_bytes: int) -> Iterator[bytes]:
    """Yield the bytes of a file in parts that end with a line.

    Parameters
    ----------
    path : Path
    n_bytes : int
        Of a part, at least; the last one may be shorter.

    Raises
    ------
    NotInParts
        At the first quotation mark, since a quoted cell may hold a line feed.
    """
    with path.open("rb") as file:
        while part := file.read(n_bytes):
            rest = file.readline(_LONGEST_LINE)
            if len(rest) == _LONGEST_LINE or b'"' in part or b'"' in rest:
                raise NotInParts
            yield part + rest
