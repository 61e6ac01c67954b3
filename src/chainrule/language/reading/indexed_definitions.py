r"""Definitions of one example or one entry: ``z^{(i)} = w^T x^{(i)}``, ``S_{ij} = ∑_k Q_ik K_jk``.

The left side loses its index, which the statement keeps. The right side is read for all examples,
or as an entry (`examples`, `index_sums`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace

from chainrule.calculus.graph.dims import Dim
from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.indexing.names import EXAMPLES
from chainrule.errors import ParseError
from chainrule.language.reading.applied_values import Application
from chainrule.language.reading.clauses import Clause
from chainrule.language.reading.examples import (
    indexed_bases,
    needs_entries,
    of_all_examples,
    raised_bases,
    reference,
    square_of_name,
    without_marks,
)
from chainrule.language.reading.functions import changed, parts_of
from chainrule.language.reading.names import canonical, target_name
from chainrule.language.reading.statements import Statement
from chainrule.language.reading.syntax import parse
from chainrule.language.reading.tree import Indexed, Name, Node, Quoted


@dataclass(frozen=True)
class IndexedNames:
    """The names of a forward pass that carry indices.

    Parameters
    ----------
    bases : frozenset of str
        The names, without their indices.
    values : mapping of str to Application
        Values that are written with their arguments.
    raised : frozenset of str
        The names with their index above: ``y^(i)``.
    """

    bases: frozenset[str] = frozenset()
    values: Mapping[str, Application] = field(default_factory=dict)
    raised: frozenset[str] = frozenset()

    def are_entries(self, said: Statement, node: Node) -> bool:
        """Whether a definition is one of entries, and not of examples."""
        targets = _targets(said)
        if said.indices:
            targets = [f"{targets[0]}_{','.join(said.indices)}"]
        return needs_entries(targets, node, self.bases)

    def placed(self, node: Node) -> Node:
        """Return a tree with ``x_ij`` as the entry of x."""
        squared = square_of_name(node)
        if squared is not None and (found := reference(squared)) and found.base in self.bases:
            return self.placed(Name(squared, start=node.start, end=node.end))
        if isinstance(node, Name) and (found := reference(node.name)) is not None:
            if found.base in self.bases:
                start, end = node.start, node.end
                letters = tuple(Quoted(one, start=start, end=end) for one in found.letters)
                whole = Name(found.base, start=start, end=end)
                return Indexed(whole, letters, start=start, end=end, depth=2)
            return node
        return changed(node, self.placed)

    def lying(self, said: Statement, node: Node) -> bool:
        """Whether the single index of a left side counts columns: μ_j beside x_ij."""
        return any(
            (found := reference(part.name)) is not None
            and len(found.letters) == 2
            and found.letters[1:] == said.indices
            for part in parts_of(node)
            if isinstance(part, Name)
        )

    def raised_dim(self, scope: Mapping[str, Symbol]) -> Dim | None:
        """Return the dimension whose indices the author writes above: the m of ``y^(i)``.

        It is empty where all indices stand below, and None where there are none.
        """
        if not self.bases:
            return None
        shapes = [scope[base].shape for base in self.raised if base in scope]
        shared = set.intersection(*(set(shape) - {1} for shape in shapes)) if shapes else set()
        if EXAMPLES in shared:
            return EXAMPLES
        last = {shape[-1] for shape in shapes if shape[-1] in shared}
        return last.pop() if len(last) == 1 else ""

    def of_all(self, said: Statement, node: Node, known: Set[str]) -> Node:
        """Return the right side of a definition of one example as that of all."""
        return of_all_examples(said.indices[0], node, known, self.bases, said.bare)[0]


def with_indices(
    clauses: Sequence[Clause], values: Mapping[str, Application]
) -> tuple[list[Clause], IndexedNames]:
    """Take the indices off the left sides of definitions.

    Parameters
    ----------
    clauses : sequence of Clause
        The forward pass.
    values : mapping of str to Application
        Values that are written with their arguments.
    """
    declared: set[str] = set()
    calls: set[str] = set()
    for clause in clauses:
        with suppress(ValueError):
            if clause.declared is not None:
                declared |= {canonical(text) for text, _ in clause.declared.names}
            elif clause.statement is not None and clause.statement.call is not None:
                calls.add(canonical(clause.statement.call[1]))
    definitions: list[tuple[list[str], Node]] = []
    for clause in clauses:
        said = clause.statement
        if said is None or said.directive or said.call is not None:
            continue
        with suppress(ParseError, ValueError):
            node, _ = parse(said.line, said.body, said.stop, declared, calls)
            definitions.append((_targets(said), node))
    bases = set(indexed_bases(definitions, declared))
    bases |= {name for name, value in values.items() if value.letter}
    bases |= {name for value in values.values() for name in value.bare}
    raised = raised_bases(definitions) - declared
    found = IndexedNames(frozenset(bases), values, raised & frozenset(bases))
    if not bases:
        return list(clauses), found
    return [_without_index(clause, found, declared) for clause in clauses], found


def _targets(said: Statement) -> list[str]:
    names: list[str] = []
    for text, _ in said.names():
        with suppress(ValueError):
            names.append(target_name(text))
    return names


def _without_index(clause: Clause, names: IndexedNames, declared: Set[str]) -> Clause:
    said = clause.statement
    targets = [] if said is None or said.directive or said.call is not None else _targets(said)
    if said is None or len(targets) != 1:
        return clause
    value = names.values.get(targets[0])
    if value is not None and value.letter:
        return replace(clause, statement=replace(said, indices=(value.letter,), bare=value.bare))
    found = reference(targets[0])
    if found is None or targets[0] in declared or found.base not in names.bases:
        return clause
    shown = without_marks(said.target, found.base)
    if shown is None:
        return clause
    text = shown + said.line.text[said.at :]
    line = replace(said.line, text=text, shown=said.line.shown or said.line.text)
    return replace(clause, line=line, statement=replace(said, line=line, indices=found.letters))


_SIGN = re.compile(r"(?<![<>!=:])=(?!=)")


def one_sign_each(clause: Clause) -> list[Clause]:
    r"""Split ``\hat y = a = σ(z)`` into definitions: a = σ(z), then ŷ = a.

    What stands behind a formula is the same value once more, and is passed over.
    """
    said = clause.statement
    if said is None or said.sign == ":" or said.directive:
        return [clause]
    text, cuts = said.line.text, _signs(said)
    if not cuts:
        return [clause]
    parts = [(said.body, cuts[0]), *((at + 1, stop) for at, stop in _pairs(cuts, said.stop))]
    names: list[tuple[int, int]] = []
    for start, stop in parts[:-1]:
        if not _is_one_name(text[start:stop]):
            break
        names.append((start, stop))
    last = parts[len(names)]
    if not re.search(r"[A-Za-z]", text[parts[-1][0] : parts[-1][1]]):
        return [clause]  # a number is no other form of a value
    found: list[Clause] = []
    before, start = clause, last[0]
    for begin, end in reversed(names):
        line = replace(
            said.line, text=" " * begin + text[begin : last[1]], shown=said.line.shown or text
        )
        at = text.index("=", end)
        inner = replace(said, line=line, at=at, sign="=", stop=last[1])
        found.append(replace(clause, line=line, statement=inner, note=""))
        last, start = (begin, end), begin
    line = replace(said.line, text=text[: last[1]], shown=said.line.shown or text)
    outer = replace(said, line=line, stop=last[1])
    found.append(replace(before, line=line, statement=outer))
    return found


def _pairs(cuts: list[int], stop: int) -> list[tuple[int, int]]:
    return list(zip(cuts, [*cuts[1:], stop], strict=True))


def _signs(said: Statement) -> list[int]:
    """Return where more equals signs stand outside brackets."""
    depth, found = 0, []
    text = said.line.text
    for at in range(said.body, said.stop):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth == 0 and _SIGN.match(text, at):
            found.append(at)
    return found


def _is_one_name(text: str) -> bool:
    try:
        canonical(text.strip(" $&"))
    except ValueError:
        return False
    return True


__all__ = ["IndexedNames", "one_sign_each", "with_indices"]
