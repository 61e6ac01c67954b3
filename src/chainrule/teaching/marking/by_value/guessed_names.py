r"""Names that a chain ends with: the p of ``\sum_i (y_i - \sigma(u_i)) x_i = X^T (y - p)``.

No line defines such a name. It is taken for the one function that the side before it calls for
every example; a guess, which makes no line wrong.
"""

from __future__ import annotations

import itertools

from chainrule.teaching.marking.by_value.passage import Definition
from chainrule.teaching.marking.by_value.readers import Claim, Reader
from chainrule.teaching.marking.by_value.terms import (
    Called,
    Index,
    Named,
    Over,
    Slope,
    Term,
    every,
    letters_of,
)

_ACTIVATIONS = ("sigma", "sigmoid", "exp", "tanh", "softmax")


def guess_names(reader: Reader) -> None:
    """Define the names that chains introduce at their ends, and no line defines."""
    passage = reader.passage
    for claim in reader.claims:
        for before, after in itertools.pairwise(claim.sides):
            if before is None or after is None or isinstance(before, Slope):
                continue
            name = _introduced(reader, claim, before, after)
            body = _called(before) if name is not None else None
            if name is None or body is None:
                continue
            letters = letters_of(body) & passage.letters
            if len(letters) != 1:
                continue
            (letter,) = letters
            places = (*name.below, Index(letter))
            known = Definition(Named(name.base, name.above, places), body, claim.order)
            passage.definitions[name.base] = [known]
            passage.note(known.name)
            passage.unread.add(name.base)
            reader.guessed.add(name.base)


def guessed_in(reader: Reader, claim: Claim) -> str:
    """Return the guessed name that a claim introduces; empty for none."""
    named = (node.base for side in claim.sides if side is not None for node in every(side)
             if isinstance(node, Named))  # fmt: skip
    found = next((base for base in named if base in reader.guessed), "")
    return found.replace(".hat", " hat").replace(".", " ")


def _introduced(reader: Reader, claim: Claim, before: Term, after: Term) -> Named | None:
    """Return the one name of a side that no formula above it has, and no line defines."""
    passage = reader.passage
    earlier = {
        node.base
        for other in reader.claims if other.order < claim.order
        for side in other.sides if side is not None
        for node in every(side) if isinstance(node, Named)
    }  # fmt: skip
    earlier |= {node.base for node in every(before) if isinstance(node, Named)}
    taken = {base.casefold() for base in (*earlier, *passage.definitions, *passage.sizes)}
    fresh = {
        node.base: node for node in every(after)
        if isinstance(node, Named) and node.base.casefold() not in taken
    }  # fmt: skip
    (name, *more) = fresh.values() if fresh else (None,)
    alone = name is not None and not more and not name.places
    return name if alone else None


def _called(side: Term) -> Term | None:
    """Return the one call of a function under the sums of a side; None for several."""
    found = {
        node for total in every(side) if isinstance(total, Over)
        for node in every(total.body)
        if isinstance(node, Called) and node.function in _ACTIVATIONS
    }  # fmt: skip
    return found.pop() if len(found) == 1 else None


__all__ = ["guess_names"]
