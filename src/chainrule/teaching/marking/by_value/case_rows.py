"""Cases on one row, with words for their rows, columns and equals signs."""

from __future__ import annotations

import re

_CASES = re.compile(r"\\begin\s*\{cases\}(.*?)\\end\s*\{cases\}", re.DOTALL)
_UPRIGHT = re.compile(r"\\(?:text|mbox|textrm|mathrm)\s*\{([^{}]*)\}")


def _without_prose(match: re.Match[str]) -> str:
    r"""Keep what stands in formulas of upright text: ``\text{for $i = j$}``."""
    return " " + re.sub(r"(?<![\\A-Za-z])[A-Za-z]{2,}[.,;]?|[$.,;]", " ", match[1])


def _in_one_row(match: re.Match[str]) -> str:
    """Write cases on one row, with words for their rows, columns and equals signs."""
    inner = _UPRIGHT.sub(_without_prose, match[1].replace("\n", " "))
    for sign, word in (("\\\\", "caserow"), ("&", "casecolumn"), ("=", "caseequals")):
        inner = inner.replace(sign, f" \\{word} ")
    return f" \\casebegin {inner} \\caseend " + "\n" * match[1].count("\n")


def with_cases_in_rows(text: str) -> str:
    """Return a text with every environment of cases on one row; line numbers hold."""
    return _CASES.sub(_in_one_row, text)


__all__ = ["with_cases_in_rows"]
