"""Definitions in the order of their use: a post may say first what the loss is, then its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from chainrule.errors import ParseError
from chainrule.language.reading import statements
from chainrule.language.reading.clauses import Clause
from chainrule.language.reading.examples import reference
from chainrule.language.reading.names import target_name
from chainrule.language.reading.statements import Statement
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


def refuse_circle(
    name: str, statement: Statement, clauses: Sequence[Clause], lines: Mapping[str, int]
) -> None:
    """Say so when a definition goes round through later ones to itself."""
    uses: dict[str, set[str]] = {}
    for other in (clause.statement for clause in clauses):
        if other is not None and not other.directive and other.sign != ":" and other.call is None:
            tokens = tokenize(other.line, other.body, other.stop)
            used = {token.text for token in tokens if token.kind == "name"}
            uses |= {statements.name(other.line, *place): used for place in other.names()}
    came: dict[str, str] = {}
    waiting = [name]
    while waiting and name not in came:
        here = waiting.pop(0)
        for found in sorted(uses.get(here, set()) & uses.keys() - came.keys()):
            came[found] = here
            waiting.append(found)
    if name not in came:
        return
    route = [came[name]]
    while route[-1] != name:
        route.append(came[route[-1]])
    if len(route) > 1:
        said = " and ".join(f"{n} (line {lines[n]})" for n in reversed(route))
        raise statement.line.error(
            f"{said} are defined by each other; one of them needs a value of its own", 0
        )


__all__ = ["in_order_of_use", "refuse_circle"]
