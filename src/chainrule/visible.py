"""Text from outside, shown without running it: control characters as escapes."""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    # Control characters but tab and line ends; what reverses the direction of text or hides it.
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Return a text with its control characters written as escapes.

    A terminal obeys them: a column name could clear the screen or hide a line.

    >>> visible("age\x1b[2J")
    'age\\u001b[2J'
    """
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
