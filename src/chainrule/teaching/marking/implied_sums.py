r"""Einstein's convention: an index that stands twice in a product is summed over.

``z_i = W_{ij} x_j + b_i`` is ``z_i = \sum_j W_{ij} x_j + b_i``. Sums are written out only in a text
that says so, or whose definitions have no other meaning; elsewhere a missing sum is a mistake.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_SAID = re.compile(
    r"einstein|summation\s+convention|repeated\s+(?:\w+\s+)?ind(?:ex|ices)"
    r"|summ(?:ation|ed)\s+over[^.]{0,40}(?:implied|understood|implicit)"
    r"|\$\s*[a-z]\s*\$(?:\s*(?:,|and)\s*\$\s*[a-z]\s*\$)*\s+(?:is|are)\s+summed"
    r"|summed[\s-]over\s+(?:\w+\s+)?ind(?:ex|ices)|impli(?:ed|cit)\s+sum",
    re.IGNORECASE,
)
_UNSAID = re.compile(r"\b(?:no|not|without|n't)\s+(?:\w+\s+){0,3}(?:summed|sum|summation|einstein)")
_LETTERS = "abcdijklmnpqrs"
_BELOW = re.compile(
    rf"_\s*(?:\{{\s*(?:t\s*,\s*)?([{_LETTERS}](?:\s*,?\s*[{_LETTERS}])?)\s*\}}|([{_LETTERS}])(?![A-Za-z0-9]))"
)
_BOUND = re.compile(r"(?:\\sum|∑)\s*_\s*\{?\s*([a-z](?:\s*,\s*[a-z])*)")
_DEFINED = re.compile(r"\s*\\?[A-Za-z]+\s*_\s*(?:\{[^{}]*\}|[a-z])\s*$")
_OPENS, _CLOSES = "([{", ")]}"


def with_implied_sums(said: Sequence[TranscriptStatement], text: str) -> list[TranscriptStatement]:
    """Return statements with their sums written out, where a text follows the convention."""
    if not _follows(said, text):
        return list(said)
    free: frozenset[str] = frozenset()
    found = []
    for statement in said:
        cuts = equals_signs(statement.text)
        if statement.code or not cuts:
            found.append(statement)
            continue
        if not statement.continues:
            free = frozenset(_letters(statement.text[: cuts[0]]))
        head, body = statement.text[: cuts[0]], statement.text[cuts[0] :]
        parts = re.split(r"(=)", body)
        body = "".join(part if part == "=" else _written(part, free)[0] for part in parts)
        found.append(replace(statement, text=head + body))
    return found


def _follows(said: Sequence[TranscriptStatement], text: str) -> bool:
    """Whether a text follows the convention: it says so, or a definition has no other meaning."""
    if _SAID.search(text) is not None:
        return _UNSAID.search(text) is None
    for statement in said:
        cuts = equals_signs(statement.text)
        if len(cuts) == 1 and not statement.code and _DEFINED.match(statement.text[: cuts[0]]):
            left = frozenset(_letters(statement.text[: cuts[0]]))
            right = statement.text[cuts[0] + 1 :]
            pairs = {letter for one, _ in _BELOW.findall(right) if len(one) > 1 for letter in one}
            summed = re.findall(r"\\sum_\{(\w)\}", _written(right, left)[0])
            if left and pairs.intersection(summed):
                return True
    return False


def _letters(text: str) -> list[str]:
    """Return the letters of the indices in a text, as often as they stand there."""
    groups = (one or other for one, other in _BELOW.findall(text))
    return [letter for group in groups for letter in re.sub(r"[\s,]", "", group)]


def _written(text: str, free: frozenset[str]) -> tuple[str, set[str]]:
    """Write the sums of an expression out; return it and the letters that stay open."""
    terms, left = [], set[str]()
    for sign, term in _terms(text):
        counts: Counter[str] = Counter()
        pieces = []
        bound = {letter for group in _BOUND.findall(term) for letter in group}
        for piece, grouped in _pieces(term):
            if grouped:
                inner, inside = _written(piece[1:-1], free | bound)
                pieces.append(f"{piece[0]}{inner}{piece[-1]}")
                counts.update(inside)
            else:
                pieces.append(piece)
                counts.update(_letters(piece))
        summed = [k for k, times in counts.items() if times > 1 and k not in free | bound]
        left |= counts.keys() - set(summed)
        whole = "".join(pieces)
        body = whole.lstrip()
        sums = "".join(rf"\sum_{{{letter}}} " for letter in summed)
        terms.append(f"{sign}{whole[: len(whole) - len(body)]}{sums}{body}")
    return "".join(terms), left


def _terms(text: str) -> list[tuple[str, str]]:
    """Split an expression at its plus and minus signs outside brackets."""
    found, depth, start, sign = [], 0, 0, ""
    for at, character in enumerate(text):
        depth += (character in _OPENS) - (character in _CLOSES)
        if character in "+-" and depth == 0 and text[start:at].strip():
            found.append((sign, text[start:at]))
            sign, start = character, at + 1
    return [*found, (sign, text[start:])]


def _pieces(term: str) -> list[tuple[str, bool]]:
    """Split a term into round brackets and what stands between them."""
    found: list[tuple[str, bool]] = []
    at = start = 0
    while at < len(term):
        if term[at] == "(":
            depth, end = 0, at
            for end in range(at, len(term)):
                depth += (term[end] == "(") - (term[end] == ")")
                if depth == 0:
                    break
            if depth == 0:
                found += [(term[start:at], False), (term[at : end + 1], True)]
                at = start = end + 1
                continue
        at += 1
    return [*found, (term[start:], False)]


__all__ = ["with_implied_sums"]
