"""The index of a name as a number that a loop counts: ``A^[l-1]`` in round 3 is ``A^[2]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

_OPEN = r"\^\[|\^\{\s*\[|\^\(|\^\{\s*\(|_\{"
_CLOSE = r"\]\s*\}|\)\s*\}|\]|\)|\}"
_GROUP = re.compile(
    rf"({_OPEN})([^\[\](){{}}^]*)({_CLOSE})|_([^\W\d_])(?![^\W_])",
)
_NUMBERED = re.compile(rf"({_OPEN}|_)([0-9]+)({_CLOSE}|(?![^\W_]))")
_PLACES = re.compile(r"(?<=[^\W_])\[([^\[\]]*)\]")
_TERM = re.compile(r"\s*([+\-−]?)\s*([^\W\d_]+|[0-9]+)\s*")
_STEM = re.compile(r"[^\W\d_][^\W_]*$")
_NAMES = 8192
"""Spellings that are remembered: those of a deep network are compared with each other often."""


def in_round(text: str, counts: Mapping[str, int]) -> str:
    """Replace counters in the indices of a text by numbers.

    >>> in_round("Z^[l] = W^[l] A^[l-1] + b_l", {"l": 3})
    'Z^[3] = W^[3] A^[2] + b_3'
    """

    def put(match: re.Match[str]) -> str:
        inside = match[2] if match[4] is None else match[4]
        number = counted(inside, counts)
        if number is None:
            return match[0]
        alone = not text[match.end() : match.end() + 1].isalnum()
        if match[4] is not None or (match[1] == "_{" and alone):
            return f"_{number}"
        return f"{match[1]}{number}{match[3]}"

    return _GROUP.sub(put, text)


def places_in_round(text: str, counts: Mapping[str, int]) -> str:
    """Replace counters in the places of a part by numbers.

    >>> places_in_round("h_3 = W h_2 + U X[t-1:t+1, :]", {"t": 3})
    'h_3 = W h_2 + U X[2:4, :]'
    """

    def put(match: re.Match[str]) -> str:
        pieces = re.split(r"([,:])", match[1])
        numbers = [counted(piece.strip(), counts) for piece in pieces]
        shown = [
            piece if number is None else piece.replace(piece.strip(), str(number))
            for piece, number in zip(pieces, numbers, strict=True)
        ]
        return f"[{''.join(shown)}]"

    return _PLACES.sub(put, text)


def stems(text: str, counts: Mapping[str, int]) -> Iterator[str]:
    """Yield the text before each index that a loop counts: ``W^[``, ``h_``."""
    for match in _GROUP.finditer(text):
        inside = match[2] if match[4] is None else match[4]
        before = _STEM.search(text[: match.start()])
        if before is not None and counted(inside, counts) is not None:
            yield before[0] + _kind(match[0])


def reach(text: str, names: Iterable[str]) -> int:
    """Return how far an index of a text lies from a counter or an end, at most.

    >>> reach("h_t = f(h_{t-2})", "tT"), reach("y_T", "tT")
    (2, 0)
    """
    zeros = dict.fromkeys(names, 0)
    found = (
        counted(match[2] if match[4] is None else match[4], zeros)
        for match in _GROUP.finditer(text)
    )
    return max((abs(offset) for offset in found if offset is not None), default=0)


def literals(text: str, known: frozenset[str]) -> Iterator[int]:
    """Yield the numbers in the indices that a loop counts.

    >>> list(literals("J = h_2^2 + w_7", frozenset({"h_"})))
    [2]
    """
    for match in _NUMBERED.finditer(text):
        before = _STEM.search(text[: match.start()])
        if before is not None and before[0] + _kind(match[0]) in known:
            yield int(match[2][:9])


def index_of(name: str, known: frozenset[str]) -> int | None:
    """Return the number in the index of a name, if a loop counts it.

    >>> index_of("W^[2]", frozenset({"W^["})), index_of("z_2", frozenset({"W^["}))
    (2, None)
    """
    match = _numbered(name, known)
    return None if match is None else int(match[2])


def with_index(name: str, known: frozenset[str], index: Callable[[int], str]) -> str:
    """Replace the counted index of a name.

    >>> with_index("W^[2]", frozenset({"W^["}), lambda n: f"l+{n}")
    'W^[l+2]'
    """
    match = _numbered(name, known)
    if match is None:
        return name
    text = index(int(match[2]))
    opened, closed = match[1], match[3]
    if opened == "_" and len(text) > 1 and not text.isdecimal():
        opened, closed = "_{", "}"
    return name[: match.start()] + opened + text + closed + name[match.end() :]


def numbered_stem(name: str) -> str | None:
    """Return the text before the number in the index of a name.

    >>> numbered_stem("Z^[2]"), numbered_stem("z_12"), numbered_stem("w")
    ('Z^[', 'z_', None)
    """
    for match in _NUMBERED.finditer(name):
        before = _STEM.search(name[: match.start()])
        if before is not None:
            return before[0] + _kind(match[0])
    return None


@lru_cache(maxsize=_NAMES)
def plain_name(name: str) -> str:
    """Return a name without grouping marks, so that two spellings are equal.

    >>> plain_name("h_{12}") == plain_name("h_12")
    True
    """
    return re.sub(r"[{}\s\\]", "", name)


def _numbered(name: str, known: frozenset[str]) -> re.Match[str] | None:
    for match in _NUMBERED.finditer(name):
        before = _STEM.search(name[: match.start()])
        if before is not None and before[0] + _kind(match[0]) in known:
            return match
    return None


def _kind(group: str) -> str:
    """Return the notation of an index, apart from grouping."""
    return plain_name(group)[:2] if group.startswith("^") else "_"


def counted(inside: str, counts: Mapping[str, int]) -> int | None:
    """Return the value of an index in a round: a counter, plus or minus a number.

    >>> counted("t - 1", {"t": 3}), counted("2", {"t": 3})
    (2, None)
    """
    total, at, counted = 0, 0, False
    while at < len(inside):
        match = _TERM.match(inside, at)
        if match is None or (at and not match[1]):
            return None
        word = match[2]
        if word.isdecimal():
            value = int(word[:9])
        elif word in counts:
            value, counted = counts[word], True
        else:
            return None
        total += -value if match[1] in ("-", "−") else value
        at = match.end()
    return total if counted else None
