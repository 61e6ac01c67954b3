"""Definitions in the order of their use: a post may say first what the loss is, then its parts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from chainrule.errors import ParseError
from chainrule.language.reading.clauses import Clause
from chainrule.language.reading.examples import reference
from chainrule.language.reading.names import target_name
from chainrule.language.reading.tokens import tokenize


def in_order_of_use(clauses: Sequence[Clause]) -> list[Clause]:
    """Return clauses such that a definition stands behind those that it uses.

    Clauses that need no move keep their order; a circle stays as it is.
    """
    defines: dict[str, Clause] = {}
    for clause in clauses:
        for name in _targets(clause):
            defines.setdefault(name, clause)
    found: list[Clause] = []
    begun: set[int] = set()

    def take(clause: Clause) -> None:
        if id(clause) in begun:
            return
        begun.add(id(clause))
        for name in _used(clause):
            if name in defines:
                take(defines[name])
        found.append(clause)

    for clause in clauses:
        take(clause)
    return found


def _targets(clause: Clause) -> list[str]:
    said = clause.statement
    names: list[str] = []
    if said is not None and not said.directive:
        for text, _ in said.names():
            with suppress(ValueError):
                names.append(target_name(text))
    return names


def _used(clause: Clause) -> list[str]:
    """Return the names in a definition, with and without their indices."""
    said = clause.statement
    if said is None or said.directive:
        return []
    names: list[str] = []
    with suppress(ParseError):
        for token in tokenize(said.line, said.body, said.stop):
            if token.kind != "name":
                continue
            names += [token.text, f"{token.text}^2"]
            if (found := reference(token.text)) is not None:
                names += [found.base, f"{found.base}^2"]
    return names


__all__ = ["in_order_of_use"]
