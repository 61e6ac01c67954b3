r"""Layers that have the letters of their indices: ``w_{ji}`` leads from layer i to layer j.

A sum may run over the units of a layer by another letter: ``\sum_k w_{kj} o_k`` beside ``w_{ij}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import combinations

from chainrule.teaching.marking.by_value.terms import Named, Term, every


def layer_letters(terms: Iterable[Term], letters: Set[str], summed: Set[str]) -> dict[str, str]:
    """Return the letter of the layer of every index that some sum runs over by another letter.

    Parameters
    ----------
    terms : iterable of Term
    letters : set of str
        The letters that are indices.
    summed : set of str
        Those that some sum runs over.
    """
    pairs: dict[str, set[tuple[str, str]]] = {}
    for term in terms:
        for node in every(term):
            places = [i.text for i in node.places] if isinstance(node, Named) else []
            if isinstance(node, Named) and len(places) == 2 and set(places) <= letters:
                pairs.setdefault(node.base, set()).add((places[0], places[1]))
    found: dict[str, str] = {}
    for known in pairs.values():
        for one, other in combinations(sorted(known), 2):
            for at in (0, 1):
                first, second = one[at], other[at]
                if one[1 - at] != other[1 - at] or first == second:
                    continue
                dummy, layer = (first, second) if first in summed else (second, first)
                if dummy in summed and found.get(layer) != dummy:
                    found.setdefault(dummy, layer)
    return found


__all__ = ["layer_letters"]
