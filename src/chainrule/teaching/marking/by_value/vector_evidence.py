"""Which names of a text are vectors, by the matrices beside them: ``W_h x_t`` and ``x_t W_h``."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.teaching.marking.by_value.passage import Passage
from chainrule.teaching.marking.by_value.points import Key
from chainrule.teaching.marking.by_value.terms import Combined, Named, every


def columns(passage: Passage) -> set[Key]:
    """Return the names behind a matrix: the x of ``W_h x_t``."""
    return {passage.key(right) for left, right in _products(passage) if _is_matrix(passage, left)
            and right.base[0].islower()}  # fmt: skip


def rows(passage: Passage) -> set[Key]:
    """Return the names before a matrix with a name below it: the x of ``x_t W_h``."""
    return {
        passage.key(left) for left, right in _products(passage)
        if _is_matrix(passage, right) and right.places
        and left.base[0].islower() and passage.runs(left)
    }  # fmt: skip


def _products(passage: Passage) -> Iterator[tuple[Named, Named]]:
    for term in passage.terms:
        for node in every(term):
            if isinstance(node, Combined) and node.operation in ("*", "cdot"):
                left, right = node.parts
                if isinstance(left, Named) and isinstance(right, Named):
                    yield left, right


def _is_matrix(passage: Passage, name: Named) -> bool:
    return name.base.isupper() and not passage.runs(name) and name.base not in passage.sizes


__all__ = ["columns", "rows"]
