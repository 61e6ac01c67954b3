"""Cells of text as numbers: decimal commas, thousands separators, percent signs and currencies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

MISSING_WORDS = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL")
"""Cells that mean "no value" in any column, unless other words are given."""

_CURRENCY = (
    r"[$€£¥₹₽₩₺]|\b(?:USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|CZK|HUF|BRL)\b|kr|zł"
)
_PARTS = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+\-−])?\s*(?P<before>{_CURRENCY})?\s*(?P<sign2>[+\-−])?"
    rf"(?P<body>[\d.,'’\s]*\d[\d.,'’\s]*?(?:[eE][+-]?\d+)?)"
    rf"\s*(?P<percent>%)?\s*(?P<after>{_CURRENCY})?\s*(?P<close>\))?"
)
_MARKS: tuple[tuple[str, str], ...] = (
    (".", ""),
    (".", ","),
    (",", ""),
    (",", "."),
    (".", " "),
    (",", " "),
    (".", "'"),
)
"""Decimal mark and thousands separator, the likelier first."""

_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")


def is_number(word: str) -> bool:
    """Whether a string is a number as programs write it.

    >>> is_number(" 1e3 "), is_number("1,5"), is_number("1_000")
    (True, False, False)
    """
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word


@dataclass(frozen=True)
class NumberStyle:
    """How the numbers of a text column are written.

    Parameters
    ----------
    decimal : str
        The decimal mark.
    thousands : str
        The separator of groups of three digits; empty for none.
    percent : bool
        Whether every number carries a percent sign: ``40%`` is 0.4.
    currency : str
        The currency that every number carries, or nothing.
    """

    decimal: str = "."
    thousands: str = ""
    percent: bool = False
    currency: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as programs write them."""
        return self == NumberStyle()

    def __str__(self) -> str:
        """Describe the style, as in ``decimal comma, thousands '.'``."""
        parts = []
        if self.decimal == ",":
            parts.append("decimal comma")
        if self.thousands:
            parts.append(f"thousands {self.thousands!r}")
        if self.percent:
            parts.append("per cent, 40% is 0.4")
        if self.currency:
            parts.append(f"currency {self.currency}")
        return ", ".join(parts) or "plain numbers"

    def number(self, word: str) -> float | None:
        """Return the number that a cell holds; None where it holds none in this style.

        >>> NumberStyle(thousands=",", currency="$").number("-$1,250.50")
        -1250.5
        >>> NumberStyle(decimal=",", percent=True).number("4,5 %")
        0.045
        """
        read = _split(word)
        if read is None:
            return None
        body, negative, percent, currency = read
        if percent != self.percent or currency != self.currency:
            return None
        if not _pattern(self.decimal, self.thousands).fullmatch(body):
            return None
        plain = body.replace(self.thousands, "") if self.thousands else body
        value = float(plain.replace(self.decimal, "."))
        value = value / 100 if percent else value
        return -value if negative else value

    def numbers(self, words: Sequence[str]) -> NDArray[np.float64]:
        """Return the numbers of cells, NaN where a cell holds none."""
        found = (self.number(word) for word in words)
        return np.array([np.nan if v is None else v for v in found], dtype=np.float64)


@dataclass(frozen=True)
class FoundStyle:
    """A style that all cells of a column follow.

    Parameters
    ----------
    style : NumberStyle
    other : NumberStyle or None
        A second style that they follow too, with other values: ``7,000``.
    """

    style: NumberStyle
    other: NumberStyle | None = None


def find_style(words: Iterable[str], *, decimal: str | None = None) -> FoundStyle | None:
    """Return the style that all cells follow; None where they are not all numbers.

    Parameters
    ----------
    words : iterable of str
        Cells with a value.
    decimal : str, optional
        The decimal mark of the file, which decides where both readings are possible.
    """
    bodies: list[str] = []
    affix: tuple[bool, str] | None = None
    for word in words:
        read = _split(word)
        if read is None:
            return None
        body, _, percent, currency = read
        if affix is not None and affix != (percent, currency):
            return None
        affix = (percent, currency)
        bodies.append(body)
    if affix is None:
        return None
    fits = [
        NumberStyle(mark, thousands, *affix)
        for mark, thousands in _MARKS
        if all(_pattern(mark, thousands).fullmatch(body) for body in bodies)
    ]
    if not fits:
        return None
    preferred = [style for style in fits if style.decimal == decimal] if decimal else []
    best = (preferred or fits)[0]
    for other in fits:
        different = (best.number(w) != other.number(w) for w in _rebuilt(bodies, affix))
        if other.decimal != best.decimal and any(different):
            return FoundStyle(best, other)
    return FoundStyle(best)


def has_a_style(word: str) -> bool:
    """Whether a cell is a number in some style.

    >>> has_a_style("40%"), has_a_style("$5"), has_a_style("1.2.3"), has_a_style("5 kg")
    (True, True, False, False)
    """
    return find_style([word]) is not None


def spelling_key(word: str) -> str:
    """Return what two spellings of one label share: ``2.0`` and ``2``, ``True`` and ``TRUE``.

    A code with leading zeros is not a spelling of a number.

    >>> spelling_key("2.0"), spelling_key("02"), spelling_key("TRUE")
    ('2', '02', 'true')
    """
    if _PLAIN.fullmatch(word):
        whole, _, fraction = word.partition(".")
        fraction = fraction.rstrip("0")
        return f"{whole}.{fraction}" if fraction else whole
    return word.lower() if word.lower() in ("true", "false") else word


def _split(word: str) -> tuple[str, bool, bool, str] | None:
    """Return digits, whether negative, whether in per cent, and the currency of a cell."""
    match = _PARTS.fullmatch(word.strip())
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    if match["before"] and match["after"]:
        return None
    body = re.sub(r"\s", " ", match["body"]).replace("’", "'")
    sign = match["sign"] or match["sign2"] or ""
    if match["sign"] and match["sign2"]:
        return None
    negative = bool(match["open"]) or sign in ("-", "−")
    return body, negative, bool(match["percent"]), match["before"] or match["after"] or ""


def _rebuilt(bodies: list[str], affix: tuple[bool, str]) -> Iterable[str]:
    percent, currency = affix
    return (f"{body}{'%' * percent}{currency and ' ' + currency}" for body in bodies)


@cache
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    point, exponent = re.escape(decimal), r"(?:[eE][+-]?\d+)?"
    plain = rf"(?:\d+(?:{point}\d*)?|{point}\d+){exponent}"
    if not thousands:
        return re.compile(plain)
    group = re.escape(thousands)
    indian = r"|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d*)?" if (thousands, decimal) == (",", ".") else ""
    return re.compile(rf"\d{{1,3}}(?:{group}\d{{3}})+(?:{point}\d*)?|{plain}{indian}")
