r"""Sums that count from 0: ``\sum_{a=0}^{m-1} w_a x_a`` is ``\sum_{a=1}^{m} w_a x_a``.

Only the names of the places change, so such a sum is written from 1 where its index does nothing
but name a place. Where the index is a number in the formula (``x^a``), is shifted (``x_{a+1}``), or
where the text has the place 0 by itself (``\theta_0``), the sum stays as it is.
"""

from __future__ import annotations

import re

_FROM_ZERO = re.compile(
    r"\\sum\s*(?:\\limits|\\nolimits)?\s*_\s*\{\s*(?P<index>[a-z])\s*=\s*0\s*\}\s*\^\s*"
    r"(?:\{\s*(?P<upper>[^{}]{1,20}?)\s*\}|(?P<one>[A-Za-z]))"
)
_BEFORE_LAST = re.compile(r"(?P<size>[A-Za-z])\s*[-−–]\s*1")
_PLACE_ZERO = re.compile(r"_\s*(?:0(?!\d)|\{\s*0\s*\})")
_END = re.compile(r"\$|\\\]|\\\)|\n|$")
_PLACES = re.compile(
    r"_\s*\{[^{}]*\}\s*\^\s*\{[^{}]*\}(?=\s*\\?[A-Za-z(\[])|_\s*(?:\{[^{}]*\}|\w)"
    r"|\^\s*\{\s*[\[(]\s*\w\s*[\])]\s*\}"
)


def from_one(text: str) -> str:
    r"""Return a text whose sums from 0 are written from 1, or without limits.

    >>> from_one(r"$s = \sum_{a=0}^{m-1} w_a x_a$ and $t = \sum_{j=0}^{k} x_j$")
    '$s = \\sum_{a=1}^{m} w_a x_a$ and $t = \\sum_{j} x_j$'
    """
    if _FROM_ZERO.search(text) is None or _PLACE_ZERO.search(_FROM_ZERO.sub(" ", text)):
        return text
    return _FROM_ZERO.sub(_changed, text)


def _changed(match: re.Match[str]) -> str:
    index, upper = match["index"], match["upper"] or match["one"]
    text = match.string
    if not _names_places(index, text[match.end() : _reach(text, match.end())]):
        return match[0]
    if (last := _BEFORE_LAST.fullmatch(upper)) is not None:
        return rf"\sum_{{{index}=1}}^{{{last['size']}}}"
    if re.search(rf"=\s*1\s*\}}\s*\^\s*\{{?\s*{re.escape(upper)}\s*(?![-+\w])", text):
        return match[0]  # beside a sum from 1 to the same end, which has one term less
    return rf"\sum_{{{index}}}"


def _reach(text: str, start: int) -> int:
    end = _END.search(text, start)
    return len(text) if end is None else end.start()


def _names_places(index: str, formula: str) -> bool:
    """Whether an index stands in a formula only below letters, and without a shift."""
    below = re.findall(r"[_^]\s*\{([^{}]*)\}", _FROM_ZERO.sub(" ", formula))
    shift = re.compile(rf"(?<![A-Za-z]){index}\s*[-+−]|[-+−]\s*{index}(?![A-Za-z])")
    if any(shift.search(group) for group in below):
        return False
    rest = _PLACES.sub(" ", _FROM_ZERO.sub(" ", formula))
    rest = re.sub(r"\\[A-Za-z]+", " ", rest)
    return re.search(rf"(?<![A-Za-z]){index}(?![A-Za-z])", rest) is None


__all__ = ["from_one"]
