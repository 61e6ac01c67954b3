r"""Names with a mark that tells them apart, such as ``g^y_j`` for one gradient among several.

A letter above a name is a power or a layer elsewhere. It is a mark where a line defines the name by
a derivative, or where a word in the index of an objective is left out further below.
"""

from __future__ import annotations

import re

_MARKED = re.compile(
    r"(?<![A-Za-z\\])(?P<base>[a-z]|\\delta)\^(?:(?P<one>[a-ho-su-z])(?![A-Za-z])"
    r"|\{\s*(?P<mark>[a-ho-su-z]|\\(?:hat|bar|tilde)\s*\{\s*[a-z]\s*\})\s*\})(?=_|\s*&?=)"
)
_BY_DERIVATIVE = re.compile(r"(?:_(?:\w|\{[^{}]*\}))?[\s&]*=[\s&]*\\[dt]?frac\s*\{\s*\\partial")
_FRESH = ("tilde", "bar", "dot")
"""The accents that stand for marks, the first that the text does not use."""

_WORD = r"[A-Za-z]{2,}(?:[- ][A-Za-z]+)*"
_OBJECTIVE = re.compile(
    r"(?P<name>(?<![A-Za-z\\])[A-Z]|\\mathcal\s*\{\s*[A-Z]\s*\})"
    rf"_\{{\s*(?:\\(?:text|mathrm|operatorname)\s*\{{\s*(?P<text>{_WORD})\s*\}}|(?P<word>{_WORD}))\s*\}}"
    r"(?P<of>\s*\((?:[^()=]|\([^()]*\)){0,60}\))?(?=\s*&?=(?!=))"
)


def with_marks_as_names(text: str) -> str:
    r"""Return a text in which names with a mark above are names of their own.

    >>> with_marks_as_names(r"$g^y_j = \frac{\partial L}{\partial y_j}$, $e_j = g^y_j c_j$")
    '$\\tilde{g}_j = \\frac{\\partial L}{\\partial y_j}$, $e_j = \\tilde{g}_j c_j$'
    """
    defined: dict[tuple[str, str], str] = {}
    for match in _MARKED.finditer(text):
        key = (match["base"], _mark(match))
        if key not in defined and _BY_DERIVATIVE.match(text, match.end()):
            used = [fresh for (base, _), fresh in defined.items() if base == key[0]]
            free = [rf"\{accent}{{{key[0]}}}" for accent in _FRESH]
            free = [fresh for fresh in free if fresh not in used and fresh not in text]
            if free:
                defined[key] = free[0]
    if defined:
        text = _MARKED.sub(lambda m: defined.get((m["base"], _mark(m)), m[0]), text)
    return _objective_by_letter(text)


def _mark(match: re.Match[str]) -> str:
    return str(match["one"] or re.sub(r"\s", "", match["mark"]))


def _objective_by_letter(text: str) -> str:
    r"""Write ``J_{neg-sample}(o, c) = ...`` as ``J = ...`` where its derivatives are those of J."""
    found = list(_OBJECTIVE.finditer(text))
    if len({(match["name"], match["text"] or match["word"]) for match in found}) != 1:
        return text
    name = re.escape(found[0]["name"])
    derived = (
        rf"\\partial\s*\{{?\s*{name}(?!\s*_)|\\nabla\s*(?:_(?:\{{[^{{}}]*\}}|\w))?\s*{name}(?!\s*_)"
    )
    defined = rf"(?<![A-Za-z\\]){name}\s*(?:\([^()=]*\))?\s*&?=(?!=)"
    if re.search(derived, text) is None or re.search(defined, text):
        return text
    return _OBJECTIVE.sub(lambda match: match["name"], text)


__all__ = ["with_marks_as_names"]
