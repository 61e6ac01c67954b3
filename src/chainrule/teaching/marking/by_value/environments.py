"""The values of free indices at which a claim is compared."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from chainrule.teaching.marking.by_value.arrays import FIXED, SIZE
from chainrule.teaching.marking.by_value.given_places import SAMPLED
from chainrule.teaching.marking.by_value.readers import Claim, Reader
from chainrule.teaching.marking.by_value.scripts import CLASS
from chainrule.teaching.marking.by_value.terms import Condition, Index, every, letters_of

MOST_FREE = 4


def environments(reader: Reader, claim: Claim) -> list[dict[str, int]]:
    """Return the values of the free indices at which a claim is compared."""
    letters: set[str] = set()
    for side in claim.sides:
        if side is not None:
            letters |= letters_of(side) & reader.passage.letters - reader.passage.alone
    if len(letters) > MOST_FREE:
        return []
    shifted = {
        node.text
        for side in claim.sides
        if side is not None
        for node in every(side)
        if isinstance(node, Index) and node.offset
    }
    order = sorted(letters)
    held = shifted | reader.passage.rounds | reader.passage.fixed | _one_sided(claim) & letters
    given = reader.passage.given_places
    spans = [
        (given.get(letter, FIXED),) if letter in held else tuple(range(1, SIZE + 1))
        for letter in order
    ]
    drawn = reader.passage.samples - reader.passage.summed
    spans = [
        (SAMPLED + FIXED,) if letter in drawn else span
        for letter, span in zip(order, spans, strict=True)
    ]
    if claim.last:
        timed = reader.passage.rounds
        spans = [
            (SIZE,) if letter in timed else span for letter, span in zip(order, spans, strict=True)
        ]
    every_one = [dict(zip(order, values, strict=True)) for values in itertools.product(*spans)]
    every_one = [env for env in every_one if _fits(claim.conditions, {**given, **env})]
    every_one.sort(key=lambda env: len(set(env.values())) != len(env))
    return every_one if len(every_one) <= 9 else every_one[:6] + every_one[6::6]


def _one_sided(claim: Claim) -> set[str]:
    """Return the letters that are free on some sides only: such a place can only be a given one."""
    sides = [letters_of(side) for side in claim.sides if side is not None]
    return set().union(*sides).difference(frozenset.intersection(*sides)) if sides else set()


def _fits(conditions: Sequence[Condition], env: dict[str, int]) -> bool:
    """Whether indices meet the conditions on them; a condition on other letters is met."""
    for condition in conditions:
        left, right = (
            FIXED if CLASS.fullmatch(index.text) else env.get(index.text)
            for index in (condition.left, condition.right)
        )
        if left is not None and right is not None and (left == right) != (condition.sign == "="):
            return False
    return True
