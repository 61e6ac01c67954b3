r"""Sums over one index in a forward pass: ``-∑_i (y_i log a_i + (1 - y_i) log(1 - a_i))``.

Under the sum stand entries, which are numbers, so the same formula of the whole vectors, entry by
entry, has these entries; its sum is what is meant. ``a_i`` is an entry of a or of A, and so is
``a^{(i)}``, the value of an example.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from chainrule.calculus.graph.dims import SCALAR, is_tensor, written
from chainrule.calculus.graph.node import Expr
from chainrule.calculus.ops import reduce_sum, transpose
from chainrule.language.reading.context import Context, Star
from chainrule.language.reading.functions import parts_of
from chainrule.language.reading.names import canonical
from chainrule.language.reading.tree import Bracket, Name, Node, Power, Summation

_INDEXED = re.compile(r"(?P<base>.+?)(?:_(?P<below>\w+(?:,\w+)*)|\^\((?P<above>\w+)\))$")


@dataclass
class Whole:
    """The body of a sum with vectors in the place of their entries.

    Parameters
    ----------
    known : container of str
        The names of the forward pass.
    letter : str
        The index.
    names : set of str
        The vectors, by canonical name.
    """

    known: Container[str]
    letter: str
    names: set[str] = field(default_factory=set)

    def node(self, node: Any) -> Any:  # noqa: ANN401
        """Return a part, or a tuple of parts, with the index taken off."""
        if isinstance(node, Name):
            return self.name(node, node.name)
        if isinstance(node, Power) and isinstance(node.base, Name):
            inner = node.exponent
            while isinstance(inner, Bracket):
                inner = inner.inner
            if isinstance(inner, Name) and inner.name == self.letter:
                return self.name(
                    replace(node.base, end=node.end), f"{node.base.name}_{self.letter}"
                )
        if isinstance(node, tuple):
            return tuple(self.node(part) for part in node)
        if is_dataclass(node) and not isinstance(node, type):
            changed = {part.name: self.node(getattr(node, part.name)) for part in fields(node)}
            return replace(node, **changed)
        return node

    def name(self, node: Name, name: str) -> Name:
        """Return the vector that a name is an entry of."""
        match = _INDEXED.fullmatch(name)
        if name in self.known or match is None:
            return node
        if (match["below"] or match["above"]) != self.letter:
            return node
        base = match["base"]
        capital = base[:1].upper() + base[1:]
        whole = capital if base not in self.known and capital in self.known else base
        self.names.add(whole)
        return replace(node, name=whole)


def whole_sum(node: Summation, known: Container[str]) -> tuple[Node, set[str]]:
    """Return the body of a sum over whole vectors, and the names of these."""
    whole = Whole(known, canonical(node.indices[0]))
    return whole.node(node.body), whole.names


def summed(within: Context, node: Summation) -> Expr:
    """Build a sum over an index.

    Raises
    ------
    ParseError
        Where the sum has more than one index, or no vector has its index.
    """
    letter = node.indices[0]
    if len(node.indices) > 1 or within.entries:
        raise within.error(
            node, "a sum over two indices is written with matrices here, as in sum(A .* B) or w X"
        )
    body, names = whole_sum(node, within.scope)
    vectors = {name: within.scope[name] for name in names if name in within.scope}
    if not vectors:
        raise within.error(node, f"nothing under this sum has the index {letter}; write sum(...)")
    for name, value in vectors.items():
        if 1 not in value.shape or is_tensor(value.shape):
            raise within.error(
                node,
                f"{name} is {written(value.shape)}, and {name}_{letter} has one index; write the "
                "formula with matrices",
            )
    for part in parts_of(body):
        if isinstance(part, Name) and part.name in within.scope and part.name not in vectors:
            shape = within.scope[part.name].shape
            if shape != SCALAR:
                raise within.error(
                    part,
                    f"{within.text(part)} is {written(shape)} and has no index {letter} under this "
                    "sum; give it one, or write the sum as a product of matrices",
                )
    shapes = {value.shape for value in vectors.values()}
    if len(shapes) > 1:
        vectors = {n: transpose(v) if v.shape[0] == 1 else v for n, v in vectors.items()}
    _hold_to_end(within, node, vectors)
    inner = replace(within, scope={**within.scope, **vectors}, star=Star.ENTRIES, entries=True)
    return reduce_sum(inner.expr(body))


def _hold_to_end(within: Context, node: Summation, vectors: dict[str, Expr]) -> None:
    """Check that a sum runs over all entries of its vectors."""
    high = node.high
    while isinstance(high, Bracket):
        high = high.inner
    if not isinstance(high, Name):
        return
    for name, value in vectors.items():
        length = value.shape[0] if value.shape[1] == 1 else value.shape[1]
        if length != high.name:
            raise within.error(
                high, f"this sum runs to {high.name}, and {name} has {length} entries"
            )


__all__ = ["summed", "whole_sum"]
