"""Code in Octave, MATLAB, R and Julia, as rows of Python that stand where its own rows do."""

from __future__ import annotations

import re

from chainrule.teaching.marking.code_by_value.dialects import octave, r

_R = re.compile(r"<-|%\*%|\bfunction\s*\(")
_SURELY_R = re.compile(r"%\*%|<-\s*function\s*\(|^\s*[\w.$\[\], ]+ ?<- ")
_JULIA = re.compile(r"\w\.\(| \.[-+*/^] ?|\bdims ?= ?\d|^\s*using \w")
_OCTAVE = re.compile(r";\s*(?:[%#].*)?$|^\s*(?:function\b|for\b|if\b|while\b|end\w*\b|else|%|#|$)")
_SURELY_OCTAVE = re.compile(r"\.\*|\./|\.\^|\w'|\)'|^\s*function\b|\(:|:end|\bend\b")

_QUOTED = re.compile(r"""'[^']*\\[^']*'|"[^"]*\\[^"]*\"|%.*""")
"""Texts such as the formats of what is printed, and comments."""

LANGUAGES = {"matlab": "octave", "octave": "octave", "r": "r", "julia": "julia", "m": "octave"}
"""The languages by the words that a fence names them with."""


def language_of(rows: list[str]) -> str | None:
    """Return the language of rows of code, by what only it writes; None for another one.

    Parameters
    ----------
    rows : list of str
    """
    full = [row for row in rows if row.strip()]
    if any("\\" in _QUOTED.sub("", row) or "$$" in row for row in full) or not full:
        return None
    if sum(bool(_SURELY_R.search(row)) for row in full) >= 2:
        return "r"
    ends = any(re.match(r"\s*end\w*\s*;?\s*$", row) for row in full)
    broadcasts = any(re.search(r"\w\.\(|\bdims ?= ?\d", row) for row in full)
    if broadcasts and sum(bool(_JULIA.search(row)) for row in full) >= 2:
        return "julia"
    share = sum(bool(_OCTAVE.search(row)) for row in full) / len(full)
    sure = any(_SURELY_OCTAVE.search(row) for row in full)
    closed = sum(bool(re.search(r";\s*(?:[%#].*)?$", row)) for row in full)
    if sure and (share >= 0.7 and (closed >= 2 or ends)):
        return "octave"
    return None


def as_python(rows: list[str], language: str) -> tuple[list[str], set[int]]:
    """Return rows of code as rows of Python, and the numbers of those that are not read.

    Parameters
    ----------
    rows : list of str
    language : str
        ``octave``, ``julia`` or ``r``.
    """
    if language == "r":
        return r.translated(rows)
    return octave.translated(rows, octave.JULIA if language == "julia" else octave.OCTAVE)


__all__ = ["LANGUAGES", "as_python", "language_of"]
