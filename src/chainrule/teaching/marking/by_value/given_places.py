r"""Places of indices that no sum runs over: the c and the w of ``\sigma(v_c^T v_w)``.

Two such letters of one name in one formula are two places. In a sum over i of ``v_{n_i}``, the n_i
are examples drawn for it, apart from all other places; an n alone is any of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from chainrule.teaching.marking.by_value.arrays import FIXED, SIZE
from chainrule.teaching.marking.by_value.scripts import CLASS
from chainrule.teaching.marking.by_value.terms import Named, Over, Term, every

OTHER_PLACES = (FIXED % SIZE + 1, (FIXED + 1) % SIZE + 1)
"""The places of further letters beside a first one."""

SAMPLED = 2 * SIZE
"""The place before the first drawn example."""


def given_places(fixed: Iterable[str], bodies: Iterable[Term]) -> dict[str, int]:
    """Return the place of every letter of one place.

    Parameters
    ----------
    fixed : iterable of str
        The letters.
    bodies : iterable of Term
        The formulas that define the names of the text.
    """
    found = dict.fromkeys(sorted(fixed), FIXED)
    for body in bodies:
        together: dict[str, dict[str, None]] = {}
        for node in every(body):
            if isinstance(node, Named) and len(node.places) == 1 and node.places[0].text in found:
                together.setdefault(node.base, {})[node.places[0].text] = None
        for _, *others in together.values():
            found |= dict(zip(others, OTHER_PLACES, strict=False))
    return found


def drawn(terms: Iterable[Term]) -> frozenset[str]:
    r"""Return the letters of drawn examples: the n of a sum over i of ``v_{n_i}``."""
    sums = (node for term in terms for node in every(term) if isinstance(node, Over))
    return frozenset(
        index.text[0]
        for total in sums
        for node in every(total.body) if isinstance(node, Named)
        for index in node.places
        if CLASS.fullmatch(index.text) and index.text[-1] in total.letters
    )  # fmt: skip


__all__ = ["SAMPLED", "drawn", "given_places"]
