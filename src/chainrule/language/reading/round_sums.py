r"""Sums over the rounds of a loop, written out: ``sum_{t=1}^{T} e_t^2`` is ``e_1^2 + e_2^2 + ...``.

The summand ends where a sum over an index ends in the grammar: at a plus or minus outside of
brackets, at a comma, at a closing bracket.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chainrule.calculus.graph.loop_indices import counted, in_round, stems
from chainrule.language.reading.statements import MAX_STATEMENTS
from chainrule.language.reading.tokens import Line

_BOUND = r"[^\W_]+(?:\s*[+\-−]\s*[^\W_]+)?"
_RANGE = rf"=\s*(?P<low>{_BOUND})(?:\s*(?:\.\.\.?|…|:|to|\\dots|\\ldots)\s*(?P<to>{_BOUND}))?"
_BELOW = rf"(?P<letter>[^\W\d_]+)\s*(?:{_RANGE})?"
_SUM = re.compile(
    r"(?:\\sum(?:\\limits|\\nolimits)?(?![A-Za-z])|(?<![\w\\])sum(?![A-Za-z])|[∑Σ])\s*"
    r"(?:\^\s*(?:\{\s*(?P<first>" + _BOUND + r")\s*\}|(?P<single>[^\W_]))\s*)?"
    r"_\s*(?:(?P<open>[{(])\s*" + _BELOW + r"\s*[)}]|(?P<alone>[^\W\d_])(?![^\W_]))"
    r"(?:\s*\^\s*(?:[{(]\s*(?P<high>" + _BOUND + r")\s*[)}]|(?P<top>[^\W_]+)))?"
)
_FENCE = re.compile(r"\|\||\\\||‖|\||\\[lr]?Vert(?![A-Za-z])|\\[lr]?vert(?![A-Za-z])")
_TOKEN = re.compile(
    r"\\(?:left|right|bigl?|bigr?|Bigl?|Bigr?)(?![A-Za-z])\s*|" + _FENCE.pattern + r"|\\[{}]"
    r"|\\\\|\\[A-Za-z]+|\\.|[0-9.]+[eE][+-]?[0-9]+|\s+where\b|\s+|."
)
_HIGH = ("to", "high", "top", "first", "single")
_UNARY = frozenset("^_*/·⊙×=(<>")


@dataclass(frozen=True)
class Rounds:
    """A loop as a sum over its rounds sees it.

    Attributes
    ----------
    counter : str
        The loop counter.
    first, last : int or None
        The first and the last round; nothing where they depend on a loop around it.
    stems : frozenset of str
        The text before the indices that it counts.
    """

    counter: str
    first: int | None
    last: int | None
    stems: frozenset[str]


def written_out(line: Line, loops: Sequence[Rounds], counts: Mapping[str, int]) -> str:
    """Write the sums over rounds in a line out.

    Parameters
    ----------
    line : Line
        A line of a forward pass.
    loops : sequence of Rounds
        The loops of the forward pass.
    counts : mapping of str to int
        The numbers that have names here: lengths of loops, and the counters of loops around.

    Raises
    ------
    ParseError
        When the end of such a sum is not a number, or the sum is past the limit.
    """
    text, at = line.text, 0
    comment = text.find("#")
    while match := _SUM.search(text, at):
        if 0 <= comment < match.start():
            break
        stop = _end(text, match.end())
        body = text[match.end() : stop]
        letter = match["letter"] or match["alone"]
        loop = _loop(letter, body, match, loops)
        if loop is None:
            at = match.end()
            continue
        low = _bound(line, match, ("low",), loop.first, counts)
        high = _bound(line, match, _HIGH, loop.last, counts)
        if high - low + 1 > MAX_STATEMENTS:
            raise line.error(f"this sum has more than {MAX_STATEMENTS} terms; sum fewer", 0)
        terms = []
        for number in range(low, high + 1):
            there = {**counts, letter: number}
            term = written_out(Line(in_round(body, there), line.number), loops, there)
            terms.append(f"({term.strip()})")
        before = text[: match.start()]
        joined = " + ".join(terms) if terms else "0"
        apart = "" if before[-1:].isspace() else " "
        text = f"{before}{apart}({joined}){text[stop:]}"
        comment = text.find("#")
        at = len(before) + len(apart) + len(joined) + 2
    return text


def without_sums(text: str) -> str:
    """Leave the signs of sums and their ends out of a line."""
    return _SUM.sub(" ", text)


def _loop(letter: str, body: str, match: re.Match[str], loops: Sequence[Rounds]) -> Rounds | None:
    """Return the loop whose rounds a sum adds up, if it is one over rounds.

    The letter is that of the loop; with both ends written it may be any.
    """
    inner = {one["letter"] or one["alone"]: 1 for one in _SUM.finditer(body)}
    found = set(stems(body, {letter: 1}))
    if any(one[name] == letter for one in _SUM.finditer(body) for name in _HIGH):
        found |= set(stems(body, inner))  # a sum inside runs as far as this one counts
    bounded = any(match[name] for name in _HIGH)
    for loop in loops:
        if found & loop.stems and (loop.counter == letter or (match["low"] and bounded)):
            return loop
    return None


def _bound(
    line: Line,
    match: re.Match[str],
    groups: Sequence[str],
    usual: int | None,
    counts: Mapping[str, int],
) -> int:
    """Return an end of a sum: as it is written, or that of the loop."""
    name = next((name for name in groups if match[name]), "")
    if not name:
        if usual is not None:
            return usual
        raise line.error(
            "this loop has other rounds every time; write both ends, as in sum_{t=1}^{T}", 0
        )
    text = match[name].strip()
    if text.isdecimal():
        return int(text[:9])
    value = counted(text, counts)
    if value is None:
        raise line.error(
            f"{text} is not a number here; write one, or define it above: {text} = 3",
            match.start(name),
        )
    return value


def _end(text: str, start: int) -> int:
    """Return where the summand that begins at a place ends."""
    open_at: list[str] = []
    at, last = start, ""
    while at < len(text):
        token = _TOKEN.match(text, at)
        assert token is not None
        word = token[0]
        if word.strip() == "where" and not open_at:
            return at
        if word.isspace():
            at = token.end()
            continue
        if word in ("(", "[", "{", r"\{"):
            open_at.append(word)
        elif word in (")", "]", "}", r"\}"):
            if not open_at:
                return at - len(_sizing(text, at))
            open_at.pop()
        elif _FENCE.fullmatch(word):
            if open_at and open_at[-1] == word.replace("\\r", "\\l"):
                open_at.pop()
            elif last and _closes(text, at, word, open_at):
                return at - len(_sizing(text, at))
            else:
                open_at.append(word)
        elif not open_at:
            signed = word in "+-−" and last != "" and last[-1] not in _UNARY
            point = word == "." and not text[token.end() :].strip()
            if signed or point or word in (",", ";", "#", "$", "&", "=", r"\\"):
                return at
        last = word
        at = token.end()
    return at


def _closes(text: str, at: int, fence: str, open_at: Sequence[str]) -> bool:
    """Whether a bar outside of brackets closes one that was opened before the sum."""
    return not open_at and text.count(fence, 0, at) % 2 == 1


def _sizing(text: str, at: int) -> str:
    r"""Return the command before a bracket that gives it its size: ``\right)``."""
    found = re.search(r"\\(?:right|bigr?|Bigr?)\s*$", text[:at])
    return found[0] if found else ""


__all__ = ["Rounds", "without_sums", "written_out"]
