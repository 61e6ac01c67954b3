"""Statements of a posted text as claims and definitions."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from chainrule.teaching.marking.by_value.definitions import (
    assume,
    declared_objective,
    define,
    define_further,
    from_slopes,
    is_given,
    mark_unsolved,
    match_names,
    name_parts,
    named_at_the_end,
    shorten,
)
from chainrule.teaching.marking.by_value.grammar import parsed
from chainrule.teaching.marking.by_value.guessed_names import guess_names
from chainrule.teaching.marking.by_value.notation import WORDS
from chainrule.teaching.marking.by_value.passage import (
    Passage,
)
from chainrule.teaching.marking.by_value.points import Key
from chainrule.teaching.marking.by_value.readers import Claim, Reader
from chainrule.teaching.marking.by_value.scripts import Habits, UnreadError
from chainrule.teaching.marking.by_value.terms import (
    Condition,
    Index,
    Named,
    Term,
    bound_diagonals,
    every,
    letters_of,
    rebuilt,
)
from chainrule.teaching.marking.by_value.text_habits import habits_of
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

MOST_STATEMENTS = 200

_SHAPED = re.compile(r"[^=]{1,40}=\s*\(\s*\w{1,9}\s*,\s*\w{1,9}\s*\).{0,80}")
"""A shape in the form of an equation: ``X = (m, n)``."""


def read(
    said: Sequence[TranscriptStatement], text: str, *, by_letter: bool = False
) -> Reader | None:
    r"""Parse the statements of a text; None where there is nothing to judge.

    With `by_letter`, the letter of an index names a layer: ``z_j = h(\sum_i w_{ji} z_i)``.
    """
    plain = (s if s.continues else s.without_words(_is_symbol) for s in said if not s.code)
    formulas = [s for s in plain if equals_signs(s.text) and not _SHAPED.fullmatch(s.text)]
    formulas = formulas[:MOST_STATEMENTS]
    if not formulas:
        return None
    sides = [[s.text[a:b] for a, b in s.sides()] for s in formulas]
    habits = habits_of([x for row in sides for x in row],
                       [row[0] for row in sides], text)  # fmt: skip
    reader = Reader(Passage(habits, text, by_letter=by_letter))
    before: Term | None = None
    wide: Term | None = None
    for order, (statement, row) in enumerate(zip(formulas, sides, strict=True)):
        claim = _claim(statement, row, habits, order, before)
        claim.led = _led(text, statement.line)
        claim.nearby = claim.led or _nearby(text, statement.line)
        if (objective := declared_objective(claim)) is not None:
            reader.passage.objective = objective
            claim = replace(claim, sides=claim.sides[:1])
            reader.claims.append(claim)
            continue
        reader.claims.append(claim)
        if "\\partial}{" in statement.text or "nabla" in statement.text or "{d}{" in statement.text:
            widely = _claim(statement, row, replace(habits, greedy=True), order, wide)
            if widely.sides != claim.sides:
                widely.nearby, widely.led = claim.nearby, claim.led
                claim.other = widely
        before = claim.sides[-1]
        wide = before if claim.other is None else claim.other.sides[-1]
        for side in claim.sides:
            if side is not None:
                reader.passage.note(side)
    reader.passage.settle()
    head: Claim | None = None
    for claim in reader.claims:
        define(reader.passage, claim)
        head = head if claim.starts else claim
        if head is not claim and head is not None:
            define_further(reader.passage, head, claim)
    mark_unsolved(reader)
    for claim in reader.claims:
        from_slopes(reader.passage, claim)
        named_at_the_end(reader.passage, claim)
    name_parts(reader.passage)
    guess_names(reader)
    seen: set[Key] = set()
    for claim in reader.claims:
        for at, (one, other) in enumerate(itertools.pairwise(claim.sides)):
            named = isinstance(one, Named) or isinstance(other, Named)
            first = at == 0 and not claim.starts
            defines = claim.defines and at == 0
            if one is None or other is None or defines or (named and first):
                continue
            match_names(reader.passage, one, other, claim.order, seen)
        written = [side for side in claim.sides if side is not None]
        nodes = [node for side in written for node in every(side) if isinstance(node, Named)]
        seen |= {reader.passage.key(node) for node in nodes}
    for known in reader.passage.definitions.values():
        for definition in known:
            shown = {index.text for index in definition.name.places}
            inner = letters_of(definition.body) - shown
            inner &= reader.passage.letters
            reader.passage.fixed |= inner
            if inner & reader.passage.summed:
                reader.passage.unread.add(definition.name.base)  # of one example, or of all
    reader.passage.set_apart()
    for claim in reader.claims:
        claim.other = claim.other or _without_hats(reader.passage, claim)
    assume(reader.passage)
    shorten(reader)
    return reader


def _without_hats(passage: Passage, claim: Claim) -> Claim | None:
    r"""Return a claim at an estimate, ``\hat\beta``, with the name that it estimates.

    None where it has no such name, and where the text defines it.
    """
    if any(side is None for side in claim.sides) or claim.defines:
        return None
    known = {passage.key(one.name) for some in passage.definitions.values() for one in some}
    bases = {node.base for term in passage.terms for node in every(term) if isinstance(node, Named)}

    def plain(term: Term) -> Term:
        if not isinstance(term, Named) or passage.key(term) in known:
            return term
        base = term.base.removesuffix(".hat")
        return replace(term, base=base) if base in bases else term

    sides: list[Term | None] = [rebuilt(side, plain) for side in claim.sides if side is not None]
    return None if sides == claim.sides else replace(claim, sides=sides)


def _is_symbol(word: str) -> bool:
    """Whether a word is a letter or a function, and no prose."""
    return len(word) < 2 or word in WORDS


def _claim(
    said: TranscriptStatement, row: list[str], habits: Habits, order: int, before: Term | None
) -> Claim:
    found: list[Term | None] = []
    why = ""
    for text in row:
        if not text.strip() and not found:
            found.append(before)
            continue
        try:
            found.append(parsed(text, habits))
        except (UnreadError, RecursionError, AssertionError) as error:
            found.append(None)
            why = why or str(error)
    starts = 1 if not row[0].strip() else 0
    named = len(found) > 2 and not starts and isinstance(found[1], Named)
    if named and found[0] is not None and is_given(found[0]):
        found, row = found[1:], row[1:]  # p(w_j | w) = y_j = ... defines y_j
    if len(found) > 2:  # log p(y | x) or CE(y, p) in between says which value it is, and no more
        inner = [
            side
            for side, text in zip(found[1:-1], row[1:-1], strict=True)
            if not (_NAMED_CALL.fullmatch(text) if side is None else is_given(side))
        ]
        found = [found[0], *inner, found[-1]]
    found = bound_diagonals(found)
    claim = Claim(said, found, order, why=why, starts=starts)
    claim.conditions = _conditions(said)
    return claim


def _led(text: str, line: int) -> tuple[Condition, ...]:
    """Return the condition with which the row above a line ends: "And if i = j,"."""
    rows = text.split("\n")[: line - 1]
    before = next((row for row in reversed(rows) if row.strip(" $\\[")), "")
    if (led := _LEADS.search(before)) is None:
        return ()
    return (Condition(Index(led[1]), "=" if led[2] == "=" else "!=", Index(led[3])),)


def _nearby(text: str, line: int) -> tuple[Condition, ...]:
    """Return the conditions on indices that stand in the rows around a line."""
    rows = text.split("\n")
    around = "\n".join(rows[max(0, line - 1 - ROWS_BEFORE) : line + ROWS_AFTER])
    found = []
    for match in _IN_PROSE.finditer(around):
        sign = "=" if match[2] == "=" else "!="
        other = re.sub(r"[{}\s]", "", match[3])
        found.append(Condition(Index(match[1]), sign, Index(other)))
    return tuple(dict.fromkeys(found))


_NAMED_CALL = re.compile(
    r"\s*(?:\\(?:text|mathrm|operatorname)\s*\{\s*)?[A-Za-z]{2,20}\s*\}?\s*\([^()=+]{1,40}\)\s*"
)
"""A call of a function in words, such as ``CE(y, p)``."""

_CONDITION = re.compile(r"([a-z])(=|≠)([a-z])")

_IN_PROSE = re.compile(
    r"(?<![A-Za-z_{,])([a-z])\s*(=|≠|!=|\\neq?(?![a-z])|\\not\s*=)\s*"
    r"([a-z](?:_(?:[a-z]|\{\s*[a-z]\s*\}))?)(?![A-Za-z_^({])"
)

_LEADS = re.compile(
    r"(?:^|[\s\]$])(?:if|when|case)\s*:?\s*(?:\$|\\\()?\s*([a-z])\s*(=|≠|!=|\\neq?(?![a-z]))\s*([a-z])"
    r"\s*(?:\$|\\\))?\s*[,:]?\s*$",
    re.IGNORECASE,
)
"""The end of a row that says for which indices the formula below it holds."""

ROWS_BEFORE = 6

ROWS_AFTER = 1


def _conditions(said: TranscriptStatement) -> tuple[Condition, ...]:
    match = _CONDITION.fullmatch(said.condition)
    if match is None:
        return ()
    return (Condition(Index(match[1]), "=" if match[2] == "=" else "!=", Index(match[3])),)


__all__ = ["Claim", "Reader", "read"]
