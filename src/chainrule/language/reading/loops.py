"""Layers by repetition: ``for l = 1..3`` and the lines below it, read once for every round."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chainrule.calculus.graph.loop_indices import (
    counted,
    in_round,
    literals,
    places_in_round,
    reach,
    stems,
)
from chainrule.calculus.graph.model import Loop
from chainrule.language.reading.clauses import clauses
from chainrule.language.reading.names import canonical
from chainrule.language.reading.round_sums import Rounds, without_sums, written_out
from chainrule.language.reading.statements import MAX_STATEMENTS
from chainrule.language.reading.tokens import Line

MORE_ROUNDS = 1
"""How many rounds more the second reading of a loop of any length has."""

_HEADER = re.compile(
    r"(\s*)for\s+([^\W\d_]+)\s*=\s*(\w+)\s*(?:\.\.\.?|…|:|to|\\dots|\\ldots)\s*"
    r"(\w+(?:\s*[+\-−]\s*[0-9]+)?)\s*(:?)\s*(.*)"
)
_FOR = re.compile(r"\s*for\b")
_CONSTANT = re.compile(r"\s*([^\W\d]\w*)\s*:?=\s*([0-9]{1,6})\s*(?:#.*)?")


@dataclass
class Unrolled:
    """The lines of a forward pass with every loop written out.

    Attributes
    ----------
    lines : list of Line
        In order; those of a round carry the number of the line they come from.
    loops : list of Loop
        What was repeated.
    starts : dict of str to int
        Names that come before the first round, with the line of the loop.
    lengths : dict of str to int
        The numbers of rounds that no line gives, each with the one that is written out.
    """

    lines: list[Line] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    starts: dict[str, int] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)


def unrolled(lines: Sequence[Line], more: int = 0) -> Unrolled:
    """Write every loop out.

    Parameters
    ----------
    lines : sequence of Line
        The forward pass.
    more : int, optional
        How many rounds more than needed a loop gets whose number of rounds no line gives.

    Raises
    ------
    ParseError
        When a loop has no lines, counts nowhere, or is past the limits.
    """
    found = Unrolled()
    if not any(_FOR.match(line.text) for line in lines):
        found.lines = list(lines)
        return found
    constants = _constants(lines)
    found.lengths = {name: value + more for name, value in _lengths(lines, constants).items()}
    known = {**constants, **found.lengths}
    counters = {header[2] for line in lines if (header := _HEADER.fullmatch(_code(line.text)))}
    names = {*counters, *found.lengths}
    unroller = _Unroller(found, known, _rounds(lines, known), lines, names, more)
    unroller.take([line for line in lines if not _only_counts(line, lines, constants)], {})
    return found


def _only_counts(line: Line, lines: Sequence[Line], constants: Mapping[str, int]) -> bool:
    """Whether a line gives a name to a number that loops and indices alone speak of."""
    match = _CONSTANT.fullmatch(line.text)
    if match is None or match[1] not in constants:
        return False
    word = re.compile(rf"(?<![^\W_]){re.escape(match[1])}(?![^\W_])")
    others = (
        in_round(without_sums(_code(other.text)), constants)
        for other in lines
        if other is not line and not _FOR.match(other.text)
    )
    return not any(word.search(text.replace("^T", "")) for text in others)


def _constants(lines: Sequence[Line]) -> dict[str, int]:
    """Return the numbers with names that some loop counts to: ``L = 3``."""
    ends = {
        word
        for line in lines
        if (header := _HEADER.fullmatch(_code(line.text)))
        for word in (header[3], _name_of(header[4]))
    }
    known = {}
    for line in lines:
        match = _CONSTANT.fullmatch(line.text)
        if match and match[1] in ends:
            known[match[1]] = int(match[2])
    return known


def _name_of(end: str) -> str:
    """Return the name in the last round of a loop: T in ``T-1``."""
    return re.split(r"[\s+\-−]", end, maxsplit=1)[0]


def _value(end: str, known: Mapping[str, int]) -> int | None:
    """Return an end of a count as a number, where it is one."""
    return int(end[:9]) if end.isdecimal() else counted(end, known)


def _lengths(lines: Sequence[Line], constants: Mapping[str, int]) -> dict[str, int]:
    """Return the names that loops count to and that nothing gives a value.

    Each has the least number at which two rounds in the middle lie apart from the rounds at the
    end, of which the last but one is often like no other, and from those named by number.
    """
    code = [_code(line.text) for line in lines]
    headers = [header for text in code if (header := _HEADER.fullmatch(text))]
    counters = {header[2] for header in headers}
    open_ends = {
        name: header
        for header in headers
        if (name := _name_of(header[4])).isidentifier()
        and name not in constants
        and name not in counters
        and not any(re.match(rf"\s*{re.escape(name)}\s*:?[=:∈]", text) for text in code)
    }
    names = {*counters, *open_ends}
    far = _reach(code, names)
    known = frozenset(stem for text in code for stem in stems(text, dict.fromkeys(counters, 1)))
    told = max((n for text in code for n in literals(text, known)), default=0)
    found: dict[str, int] = {}
    for name, header in open_ends.items():
        first = _value(header[3], constants) or 0
        last = max(first + 2 * far + 1, told + 3 * far + 1)
        found[name] = last - (counted(header[4], {name: 0}) or 0)
    return found


def _reach(code: Sequence[str], names: Collection[str]) -> int:
    """Return how far an index lies from a counter or an end, at least 1."""
    return max((1, *(reach(text, names) for text in code)))


def _rounds(lines: Sequence[Line], constants: Mapping[str, int]) -> list[Rounds]:
    """Return every loop as sums over its rounds see it, the innermost first."""
    found = []
    for at, line in enumerate(lines):
        header = _HEADER.fullmatch(_code(line.text))
        if header is None:
            continue
        body = [header[6]]
        for inner in lines[at + 1 :]:
            if header[6] or not _inside(inner, len(header[1])):
                break
            body.append(_code(inner.text))
        known = frozenset(stem for text in body for stem in stems(text, {header[2]: 1}))
        first, last = (
            int(word[:9]) if word.isdecimal() else constants.get(word)
            for word in header.group(3, 4)
        )
        found.append(Rounds(header[2], first, last, known))
    return found[::-1]


def _code(text: str) -> str:
    return text.partition("#")[0].rstrip()


@dataclass
class _Unroller:
    found: Unrolled
    constants: Mapping[str, int]
    rounds: Sequence[Rounds]
    every: Sequence[Line]
    counters: Collection[str]
    more: int

    def take(self, lines: Sequence[Line], counts: Mapping[str, int]) -> None:
        """Take lines over, each loop once for every round."""
        at = 0
        while at < len(lines):
            line = lines[at]
            at += 1
            if not _FOR.match(_code(line.text)):
                known = {**self.constants, **counts}
                text = in_round(written_out(line, self.rounds, known), known)
                text = places_in_round(text, counts)
                self.found.lines.append(Line(text, line.number))
                if len(self.found.lines) > 2 * MAX_STATEMENTS:
                    raise line.error(
                        f"this forward pass is past the limit of {MAX_STATEMENTS} lines; "
                        "repeat fewer",
                        0,
                    )
                continue
            header = _HEADER.fullmatch(_code(line.text))
            if header is None:
                raise line.error("a loop reads for l = 1..3, with indented lines below it", 0)
            if header[6]:
                body = [Line(" " * header.start(6) + header[6], line.number)]
            else:
                stop = at
                while stop < len(lines) and _inside(lines[stop], len(header[1])):
                    stop += 1
                body, at = list(lines[at:stop]), stop
            self.loop(line, header, body, counts)

    def loop(
        self, line: Line, header: re.Match[str], body: Sequence[Line], counts: Mapping[str, int]
    ) -> None:
        """Write one loop out."""
        counter = header[2]
        first, last = (self.bound(line, header, group, counts) for group in (3, 4))
        if last < first:
            raise line.error(
                f"{first}..{last} counts nowhere; a loop counts upwards", header.start(3)
            )
        if not any(_code(inner.text).strip() for inner in body):
            raise line.error(
                "this loop has no lines; indent the lines below it that are repeated", 0
            )
        if (last - first + 1) * len(body) > MAX_STATEMENTS:
            raise line.error(
                f"this loop is past the limit of {MAX_STATEMENTS} lines; repeat fewer", 0
            )
        for number in range(first, last + 1):
            self.take(body, {**counts, counter: number})
        if not counts:
            self.note(line, counter, first, last, body, _name_of(header[4]))

    def bound(
        self, line: Line, header: re.Match[str], group: int, counts: Mapping[str, int]
    ) -> int:
        """Return an end of the count: a number, or the name of one."""
        word = header[group]
        value = _value(word, {**self.constants, **counts})
        if value is not None:
            return value
        word = _name_of(word)
        raise line.error(
            f"{word} is not a number here; write one, or define it above: {word} = 3",
            header.start(group),
        )

    def note(
        self,
        line: Line,
        counter: str,
        first: int,
        last: int,
        body: Sequence[Line],
        length: str,
    ) -> None:
        """Remember what a loop counts, and hold its lines to names that change."""
        counts = {counter: first}
        found = dict.fromkeys(stem for inner in body for stem in stems(_code(inner.text), counts))
        value = self.found.lengths.get(length)
        loop = Loop(counter, first, last, tuple(found), line.number)
        if value is not None:
            far = _reach([_code(one.text) for one in self.every], self.counters)
            loop = replace(loop, length=length, value=value, reach=far, spans=self.spans(length))
        self.found.loops.append(loop)
        for inner in body:
            said = () if _FOR.match(inner.text) else clauses(inner).found
            for text, at in (place for clause in said for place in clause.names()):
                if in_round(text, {counter: 1}) == in_round(text, {counter: 2}):
                    raise inner.error(
                        f"{text.strip()} is the same in every round; move this line above the "
                        f"loop, or count it: {text.strip()}^[{counter}]",
                        at + len(text) - len(text.lstrip()),
                    )
                for before in range(max(first - 3, 0), first):
                    known = _canonical(in_round(text, {counter: before}))
                    if known:
                        self.found.starts.setdefault(known, line.number)

    def spans(self, length: str) -> str:
        """Say for which numbers of rounds a loop of any length is derived."""
        least = self.found.lengths[length] - self.more
        return f"{length} = {least} and {length} = {least + MORE_ROUNDS}"


def _inside(line: Line, indent: int) -> bool:
    """Whether a line belongs to a loop that is indented so far."""
    text = line.text
    return not text.strip() or len(text) - len(text.lstrip()) > indent


def _canonical(text: str) -> str:
    try:
        return canonical(text)
    except ValueError:
        return ""


__all__ = ["MORE_ROUNDS", "Unrolled", "unrolled"]
