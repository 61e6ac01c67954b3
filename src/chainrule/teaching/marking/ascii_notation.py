r"""AsciiMath as posts have it: ``sum_(i=1)^m x^((i))``, ``del/(del theta_j) J(theta)``.

Indices in round brackets, named Greek letters and derivatives with ``del`` become LaTeX. Every
change stays on its row, so line numbers hold.
"""

from __future__ import annotations

import re

from chainrule.language.reading.names import GREEK

_SIGNS = re.compile(r"(?<![A-Za-z\\])(?:sum|prod)_\(|[_^]\(\(|(?<![A-Za-z\\])del(?![A-Za-z])")
"""Signs of AsciiMath: a sum with its range in round brackets, ``x^((i))``, ``del``."""

_INNER = r"\((?P<inner>[^()]*(?:\([^()]*\)[^()]*)*)\)"
_SCRIPT = re.compile(rf"(?P<sign>[_^])\s*{_INNER}")
_OVER = re.compile(r"(?<![A-Za-z\\])(?P<word>sum|prod)(?=_)")
_RATIO = re.compile(
    rf"(?:\(\s*del\s*(?P<of>[^()]*?(?:\([^()]*\))?[^()]*)\)|(?P<bare>del)(?:\s*(?P<one>[A-Za-z]\w*))?)"
    rf"\s*/\s*(?:{_INNER}|del\s*(?P<below>[A-Za-z]\w*))"
)
_LETTERS = "|".join(sorted((name for name in GREEK if len(name) > 1), key=len, reverse=True))
_GREEK = re.compile(rf"(?<![A-Za-z\\])(?P<name>{_LETTERS})(?![A-Za-z])")
_FUNCTIONS = re.compile(r"(?<![A-Za-z\\])(?P<name>log|ln|exp|tanh)(?![A-Za-z])")


def in_latex(text: str) -> str:
    r"""Return a text in AsciiMath with its formulas in LaTeX; other texts stay as they are.

    >>> in_latex("del/(del w_j) J = sum_(i=1)^m e_i x_j^((i))")
    '\\frac{\\partial }{\\partial w_j} J = \\sum_{i=1}^m e_i x_j^{(i)}'
    """
    if "\\" in text or "$" in text or not _SIGNS.search(text):
        return text
    text = _RATIO.sub(_as_derivative, text)
    text = _OVER.sub(r"\\\g<word>", text)
    text = _SCRIPT.sub(lambda match: f"{match['sign']}{{{match['inner']}}}", text)
    return _FUNCTIONS.sub(r"\\\g<name>", _GREEK.sub(r"\\\g<name>", text))


def _as_derivative(match: re.Match[str]) -> str:
    below = match["below"] or re.sub(r"^\s*del\s*", "", match["inner"] or "")
    above = (match["of"] or match["one"] or "").strip()
    return rf"\frac{{\partial {above}}}{{\partial {below.strip()}}}"


__all__ = ["in_latex"]
