r"""Sums over an index in a forward pass: ``-∑_i (y_i log a_i + (1 - y_i) log(1 - a_i))``.

Under the sum stand entries and columns of matrices, and the same formula of the whole matrices has
these entries (`examples`); its sum is what is meant. Where a name has two indices, ``x_ij``, the
formula is one of entries, and is collapsed to matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from chainrule.calculus.graph.dims import SCALAR, Dim, Index, Shape, is_tensor, written
from chainrule.calculus.graph.node import Expr, Position, Symbol, Total, entry, walk
from chainrule.calculus.indexing.collapse import collapse
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import read_entry
from chainrule.calculus.ops import delta, reduce_sum, transpose
from chainrule.errors import DerivationError, ParseError
from chainrule.language.reading.context import Context, Star
from chainrule.language.reading.examples import flipped, letter_of, of_all_examples, whole_sum
from chainrule.language.reading.functions import children, parts_of
from chainrule.language.reading.syntax import MATRIX
from chainrule.language.reading.tree import (
    Bracket,
    Chain,
    Fence,
    Indexed,
    Literal,
    Name,
    Node,
    Summation,
)


def summed(within: Context, node: Summation) -> Expr:
    """Build a sum over an index.

    Raises
    ------
    ParseError
        Where no name has its index, or a matrix has none.
    """
    if any(isinstance(part, Indexed) for part in parts_of(node.body)):
        return _total(within, node)
    letter = node.indices[0]
    if len(node.indices) > 1:
        raise within.error(
            node, "a sum over two indices is written with matrices here, as in sum(A .* B) or w X"
        )
    body, names = whole_sum(node, within.scope)
    if not any(name in within.scope for name in names):
        raise within.error(node, f"nothing under this sum has the index {letter}; write sum(...)")
    inner = _with_columns(within, node, body, names, node.high)
    shared = {(inner.scope[name].shape[0], 1) for name in names if name in inner.scope}
    for part in _alone(body):
        if part.name in within.scope and within.scope[part.name].shape not in (SCALAR, *shared):
            raise within.error(
                part,
                f"{within.text(part)} is {written(within.scope[part.name].shape)} and has no index "
                f"{letter} under this sum; give it one, or write the sum as a product of matrices",
            )
    value = inner.expr(body)
    if 1 not in value.shape:
        raise _no_number(within, node, body)
    return reduce_sum(value)


def _no_number(within: Context, node: Summation, body: Node) -> ParseError:
    """Raise an error for a value under a sum that is not a number for each index."""
    letter = node.indices[0]
    for part in parts_of(body):
        if not isinstance(part, Name) or part.name not in within.scope:
            continue
        shape = within.scope[part.name].shape
        if part.example and (1 not in shape or is_tensor(shape)):
            return within.error(
                node,
                f"{part.name} is {written(shape)}, and {part.name}_{letter} has one index; write "
                "the formula with matrices",
            )
        if not part.example and shape != SCALAR:
            return within.error(
                part,
                f"{within.text(part)} is {written(shape)} and has no index {letter} under this "
                "sum; give it one, or write the sum as a product of matrices",
            )
    return within.error(node, f"what stands under this sum is not one number per {letter}")


def of_examples(
    within: Context, node: Node, letter: str, bases: frozenset[str], bare: frozenset[str]
) -> Expr:
    """Build the definition of one example, ``z^{(i)} = w^T x^{(i)}``, for all of them."""
    body, names = of_all_examples(letter, node, within.scope, bases, bare)
    inner = _with_columns(within, node, body, names, None)
    return inner.expr(body)


def _with_columns(
    within: Context, node: Node, body: Node, names: set[str], high: Node | None
) -> Context:
    """Return the context in which the names with an index stand with one example per column."""
    given = {name: within.scope[name] for name in names if name in within.scope}
    high = _unbracketed(high)
    length: Dim | None = high.name if isinstance(high, Name) else None
    counts = {dim for value in given.values() for dim in value.shape}
    turned = flipped({n: v.shape for n, v in given.items()}, length if length in counts else None)
    columns = {n: transpose(v) if n in turned else v for n, v in given.items()}
    _hold_to_end(within, high, given)
    return replace(within, scope={**within.scope, **columns}, star=Star.ENTRIES)


def _unbracketed(node: Node | None) -> Node | None:
    while isinstance(node, Bracket):
        node = node.inner
    return node


def _alone(node: Node) -> Iterator[Name]:
    """Yield the names without an index that stand in no matrix product."""
    if isinstance(node, Name) and not node.example:
        yield node
    if isinstance(node, Summation | Fence) or (isinstance(node, Chain) and node.level == MATRIX):
        return
    for part in children(node):
        yield from _alone(part)


def _hold_to_end(within: Context, high: Node | None, given: dict[str, Expr]) -> None:
    """Check that a sum runs over all entries of its vectors."""
    if not isinstance(high, Name) or high.name not in within.dims:
        return
    for name, value in given.items():
        if 1 not in value.shape:
            continue
        length = value.shape[0] if value.shape[1] == 1 else value.shape[1]
        if length != high.name:
            raise within.error(
                high, f"this sum runs to {high.name}, and {name} has {length} entries"
            )


# ---- forms of entries ----------------------------------------------------------------------------


def of_entries(within: Context, node: Node, letters: tuple[str, ...], *, lying: bool) -> Expr:
    """Build the definition of an entry, ``S_ij = ∑_k Q_ik K_jk``, and collapse it to matrices.

    Parameters
    ----------
    within : Context
        The context.
    node : Node
        The right side.
    letters : tuple of str
        The indices of the left side; none for a number.
    lying : bool
        Whether a single index counts columns.
    """
    indices: dict[str, Dim] = {}
    inner = replace(within, indices=indices, star=Star.ENTRIES)
    value = inner.expr(node)
    for letter in letters:
        if letter not in indices:
            raise within.error(node, f"nothing here has the index {letter} of the left side")
    places: list[Position] = [Index(letter, indices[letter]) for letter in letters]
    if value.shape != SCALAR:
        raise within.error(
            node, f"this is {written(value.shape)}, and an entry is a number; give it its indices"
        )
    if len(places) < 2:
        places = [None, *places] if lying else [*places, None]
        places += [None] * (2 - len(places))
    row, col = places[:2]
    shape: Shape = (
        row.dim if isinstance(row, Index) else 1,
        col.dim if isinstance(col, Index) else 1,
    )
    if not letters and not any(isinstance(part, Total) for part in walk(value)):
        return value
    try:
        return collapse(value, shape, row, col)[0]
    except DerivationError as error:
        raise within.error(node, f"this index form has no matrix form: {error}") from None


def place(within: Context, node: Indexed) -> Expr:
    """Build the entry of a matrix."""
    whole = within.expr(node.base)
    letters = [letter_of(part) for part in node.places]
    free = [axis for axis in (0, 1) if whole.shape[axis] != 1]
    if len(letters) == 2 and len(free) == 1:
        raise within.error(
            node, f"{within.text(node.base)} is {written(whole.shape)}: two indices are too many"
        )
    if len(letters) < len(free):
        raise within.error(
            node,
            f"{within.text(node.base)} is {written(whole.shape)}, and an entry of it has two "
            "indices; write both, or the formula with matrices",
        )
    at: list[Position] = [None, None]
    for axis, letter in zip(free, letters, strict=False):
        if letter is None:
            raise within.error(node, "an index is one letter")
        dim = within.indices.setdefault(letter, whole.shape[axis])
        if dim != whole.shape[axis]:
            raise within.error(
                node, f"the index {letter} runs over {dim}, and here over {whole.shape[axis]}"
            )
        at[axis] = Index(letter, dim)
    if isinstance(whole, Symbol):
        return entry(whole, *at)
    return read_entry(whole, at[0], at[1], Letters(set(whole.shape), set(within.indices)))


def _total(within: Context, node: Summation) -> Expr:
    """Build a sum of entries."""
    high = _unbracketed(node.high)
    before = {letter: within.indices.pop(letter, None) for letter in node.indices}
    if isinstance(high, Name) and high.name in within.dims:
        within.indices.update(dict.fromkeys(node.indices, high.name))
    elif isinstance(high, Literal) and high.value.denominator == 1:
        within.indices.update(dict.fromkeys(node.indices, int(high.value)))
    form = within.expr(node.body)
    for letter in reversed(node.indices):
        dim = within.indices.pop(letter, None)
        if dim is None:
            raise within.error(node, f"nothing under this sum has the index {letter}")
        index = Index(letter, dim)
        if node.apart:
            within.indices.setdefault(node.apart, dim)
            form = form * (1 - delta(dim, index, Index(node.apart, dim)))
        form = Total(index, form)
    within.indices.update({letter: dim for letter, dim in before.items() if dim is not None})
    return form


__all__ = ["of_entries", "of_examples", "place", "summed"]
