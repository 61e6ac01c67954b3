"""Standard streams that show control characters instead of sending them to the terminal."""

from __future__ import annotations

import io
import os
import re
import sys
from typing import Final, TextIO

from chainrule.visible import visible

_OUR_OWN: Final = re.compile(r"(\x1b\[[0-9;?]*[A-Za-z]|\r)")
"""Colours and cursor movements, which only a terminal gets."""


class VisibleStream(io.TextIOWrapper):
    """A text stream whose control characters are written as escapes.

    Attributes
    ----------
    is_data : bool
        Whether the text is data for another program, which gets every character.
    """

    is_data = False

    def write(self, text: str, /) -> int:
        """Write a text; colours and cursor movements pass where this is a terminal."""
        if not self.is_data:
            if self.isatty():
                pieces = _OUR_OWN.split(text)
                text = "".join(p if k % 2 else visible(p) for k, p in enumerate(pieces))
            else:
                text = visible(text)
        return super().write(text)


def set_up_streams() -> None:
    """Make the standard streams safe, also where the caller has closed them."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - for the whole process
    sys.stdout = _safe(sys.stdout)
    sys.stderr = _safe(sys.stderr)


def _safe(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        return stream
    stream.flush()
    # Unicode output must not fail on a terminal with another encoding.
    return VisibleStream(
        buffer, encoding=stream.encoding, errors="replace", line_buffering=stream.isatty()
    )


def data_output() -> TextIO:
    """Return the standard output for data: byte for byte, unless a person looks at it."""
    if isinstance(sys.stdout, VisibleStream):
        sys.stdout.is_data = not sys.stdout.isatty()
    return sys.stdout
