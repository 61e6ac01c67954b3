"""From index form to tensor form: batched products, sums along axes, and einsum for the rest.

A matrix form has two dimensions, so its factors are searched for an order of products. With a
third and a fourth index most products have one form: entry by entry where nothing is summed, a
stack of matrix products where one index is summed and the others stand as a stack has them, and
einsum otherwise, which every array library has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from string import ascii_lowercase

from chainrule.calculus.graph.dims import SCALAR, Index, Shape, is_tensor
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Positions,
    Symbol,
    Total,
    running,
    symbols,
    transform,
    walk,
)
from chainrule.calculus.indexing.collapse import CollapseStep, collapse, with_means
from chainrule.calculus.ops import (
    TABLE,
    align,
    broadcast,
    diag,
    expand_dims,
    matmul,
    mul,
    permute,
    rebuild,
    reduce_sum,
    size,
    transpose,
)
from chainrule.calculus.ops.contraction import contracted
from chainrule.calculus.ops.dimensions import trimmed
from chainrule.errors import DerivationError

Places = tuple[Index | None, ...]
"""The index along each dimension of a tensor; None where its size is 1."""


def collapse_entry(
    form: Expr, shape: Shape, places: Positions, behind: frozenset[Symbol] = frozenset()
) -> tuple[Expr, list[CollapseStep]]:
    """Collapse an index form to the matrix or the tensor of which it is the entry at `places`.

    Parameters
    ----------
    form : Expr
        The index form.
    shape : Shape
        The shape of the result.
    places : tuple of Position
        Which entry `form` is.
    behind : frozenset of Symbol, optional
        Scalars that are written behind a transposed matrix, as in ``W^T dz``.

    Returns
    -------
    result : Expr
        The matrix form or the tensor form.
    steps : list of CollapseStep
        The named steps of a matrix form; a tensor form is found at once.

    Raises
    ------
    DerivationError
        When there is neither.
    """
    if not is_tensor(shape) and not has_tensors(form):
        row, col = places
        return collapse(form, shape, row, col, behind)
    at = tuple(place if isinstance(place, Index) else None for place in places)
    return broadcast(transform(_lifted(form, at), with_means), shape), []


def has_tensors(form: Expr) -> bool:
    """Whether entries of tensors stand in an index form, or a tensor in any form."""
    return any(
        is_tensor(node.matrix.shape if isinstance(node, Entry) else node.shape)
        for node in walk(form)
    )


def _lifted(cell: Expr, places: Places) -> Expr:
    """Return a tensor that broadcasts to the one of which `cell` is the entry at `places`."""
    if isinstance(cell, Number):
        return cell
    if isinstance(cell, Entry):
        return _placed(*_laid(cell), places)
    if isinstance(cell, Total):
        return _contraction(cell, places)
    if isinstance(cell, Apply) and not cell.args:
        return cell
    if isinstance(cell, Apply) and cell.op.elementwise:
        return rebuild(cell, align(_lifted(arg, places) for arg in cell.args))
    if not running(cell):
        return cell
    raise DerivationError("no tensor form: an operation that is not entry by entry")


def _laid(cell: Entry) -> tuple[Expr, Places]:
    """Return the tensor of an entry, and the index along each of its dimensions."""
    if any(isinstance(place, int) for place in cell.places):
        raise DerivationError("no tensor form: a fixed entry of a tensor")
    own = tuple(place if isinstance(place, Index) else None for place in cell.places)
    named = [index for index in own if index is not None]
    if len(set(named)) == len(named):
        return cell.matrix, own
    if len(own) > 2:
        raise DerivationError("no tensor form: a diagonal of a tensor")
    return diag(cell.matrix), (own[0], None)


def _placed(x: Expr, own: Places, places: Places) -> Expr:
    """Move the dimensions of a tensor to where `places` has them, counted from the last one."""
    named = [index for index in own if index is not None]
    if not set(named) <= set(places):
        raise DerivationError("no tensor form: an index that the result does not have")
    if not named and x.shape == SCALAR:
        return x
    first = min((places.index(index) for index in named), default=len(places))
    ahead: Places = (None,) * max(0, 2 - len(places))
    wanted = (*ahead, *places)[min(first + len(ahead), len(places) + len(ahead) - 2) :]
    units = [axis for axis, index in enumerate(own) if index is None]
    order: list[int | None] = []
    for index in reversed(wanted):  # units are used from the last one, so that most stay in place
        if index in named:
            order.insert(0, own.index(index))
        else:
            order.insert(0, units.pop() if units else None)
    moved = _reordered(x, [*units, *(axis for axis in order if axis is not None)])
    for place, axis in enumerate(order):
        if axis is None:
            moved = expand_dims(moved, place + len(units))
    return trimmed(moved, len(moved.shape) - len(units))


def _reordered(x: Expr, order: Sequence[int]) -> Expr:
    """Put dimensions in another order; the last two alone are transposed."""
    straight = list(range(len(x.shape)))
    if list(order) == straight:
        return x
    if list(order) == [*straight[:-2], *straight[:-3:-1]]:
        return transpose(x)
    return permute(x, order)


@dataclass(frozen=True)
class _Operand:
    """A tensor in a product, with the index along each of its dimensions."""

    tensor: Expr
    places: Places

    @property
    def indices(self) -> frozenset[Index]:
        return frozenset(index for index in self.places if index is not None)


def _contraction(cell: Total, places: Places) -> Expr:
    """Return a sum of products over bound indices."""
    bound, body = list[Index](), cell
    front: list[Expr] = []
    below: list[Expr] = []
    inner: Expr = body
    while isinstance(inner, Total):
        bound.append(inner.index)
        inner = inner.body
    factors = _factors(inner, front, below)
    summed = frozenset(bound)
    outside = [factor for factor in factors if not running(factor) & summed]
    inside = [factor for factor in factors if running(factor) & summed]
    carried = frozenset().union(*(running(factor) for factor in inside))
    front += [size(index.dim) for index in bound if index not in carried]
    parts = [_lifted(factor, places) for factor in outside]
    if inside:
        parts.append(_summed(_operands(inside, places), summed & carried, places))
    product = mul(*front, *parts) if front or parts else Number(1)
    return product / mul(*below) if below else product


def _factors(body: Expr, front: list[Expr], below: list[Expr]) -> list[Expr]:
    """Return the factors of a product; numbers go in front, and sizes below the whole."""
    if isinstance(body, Number):
        front.append(body)
        return []
    if isinstance(body, Apply) and body.op is TABLE["neg"]:
        front.append(Number(-1))
        return _factors(body.args[0], front, below)
    if isinstance(body, Apply) and body.op is TABLE["div"] and not symbols(body.args[1]):
        below.append(body.args[1])
        return _factors(body.args[0], front, below)
    if isinstance(body, Apply) and body.op is TABLE["mul"]:
        return list(chain.from_iterable(_factors(arg, front, below) for arg in body.args))
    return [body]


def _operands(factors: Iterable[Expr], places: Places) -> list[_Operand]:
    """Return factors as operands; those with the same indices are multiplied entry by entry."""
    grouped: dict[frozenset[Index], list[Expr]] = {}
    for factor in factors:
        grouped.setdefault(running(factor), []).append(factor)
    found = []
    for group in grouped.values():
        if len(group) == 1 and isinstance(group[0], Entry):
            found.append(_Operand(*_laid(group[0])))
            continue
        layout = _layout(group, places)
        found.append(_Operand(mul(*(_lifted(factor, layout) for factor in group)), layout))
    return found


def _layout(factors: Sequence[Expr], places: Places) -> Places:
    """Return the order of indices in which factors are laid out: that of their widest tensor."""
    wanted = frozenset().union(*(running(factor) for factor in factors))
    entries = [node for factor in factors for node in walk(factor) if isinstance(node, Entry)]
    for node in entries:
        own = tuple(place if isinstance(place, Index) else None for place in node.places)
        if len(set(own) - {None}) == len(own) and set(own) == wanted:
            return own
    ordered = [index for index in places if index in wanted]
    rest = sorted(wanted - set(ordered), key=lambda index: (index.name, str(index.dim)))
    layout: Places = (*ordered, *rest)
    return (*layout, *(None,) * (2 - len(layout)))


def _summed(operands: list[_Operand], bound: frozenset[Index], places: Places) -> Expr:
    """Return a product of operands, summed over the bound indices."""
    if len(operands) == 2:
        one, other = operands
        product = _batched(one, other, bound, places) or _batched(other, one, bound, places)
        if product is not None:
            return product
    kept = [index for index in places if index and any(index in x.indices for x in operands)]
    if len(operands) > 1 and len(kept) != 1:
        return _einsum(operands, kept, places)
    (whole,) = operands if len(operands) == 1 else [_multiplied(operands, places)]
    if not kept:
        return reduce_sum(whole.tensor)
    tensor, own = whole.tensor, list(whole.places)
    for axis, index in enumerate(own):
        if index in bound:
            tensor, own[axis] = reduce_sum(tensor, axis), None
    return _placed(tensor, tuple(own), places)


def _multiplied(operands: Sequence[_Operand], places: Places) -> _Operand:
    """Return the product of operands entry by entry, over all their indices."""
    widest = max(operands, key=lambda x: len(x.indices))
    every = frozenset().union(*(x.indices for x in operands))
    rest = sorted(every - widest.indices, key=lambda index: (index.name, str(index.dim)))
    layout = (*rest, *(index for index in widest.places if index is not None or not rest))
    shape = tuple(index.dim if index else 1 for index in layout)
    product = mul(*(_placed(x.tensor, x.places, layout) for x in operands))
    return _Operand(broadcast(product, shape), layout)


def _batched(
    left: _Operand, right: _Operand, bound: frozenset[Index], places: Places
) -> Expr | None:
    """Return a stack of matrix products; None where the dimensions do not stand that way."""
    if len(bound) != 1 or len(places) < 2 or not bound <= left.indices & right.indices:
        return None
    (inner,) = bound
    *batch, row, col = places
    before, behind = (*batch, row, inner), (*batch, inner, col)
    if not (left.indices <= set(before) and right.indices <= set(behind)):
        return None
    if row in right.indices or col in left.indices:
        return None
    first, second = _turned(left, before), _turned(right, behind)
    return matmul(first, second) if first is not None and second is not None else None


def _turned(operand: _Operand, places: Places) -> Expr | None:
    """Return an operand laid out by `places`; None where more than its last two dimensions move."""
    node = placed = _placed(operand.tensor, operand.places, places)
    while node is not operand.tensor and isinstance(node, Apply) and node.op in _CHEAP:
        node = node.args[0]
    return placed if node is operand.tensor or transpose(placed) is operand.tensor else None


_CHEAP = (TABLE["transpose"], TABLE["trim"])
"""Operations on dimensions that a stack of matrix products may hold."""


def _einsum(operands: Sequence[_Operand], kept: Sequence[Index], places: Places) -> Expr:
    """Return a product of operands as an einsum over all their indices."""
    indices = list(dict.fromkeys(i for x in operands for i in x.places if i is not None))
    letters = _letters(indices)
    unused = (letter for letter in ascii_lowercase if letter not in letters.values())
    first = {index: place for place, index in enumerate(kept)}
    groups = []
    operands = sorted(
        operands, key=lambda x: min((first[i] for i in x.indices if i in first), default=len(first))
    )
    for x in operands:
        own = [next(unused) if index is None else letters[index] for index in x.places]
        groups.append("".join(own))
    result = "".join(letters[index] for index in kept)
    found = contracted((tuple(groups), result), *(x.tensor for x in operands))
    return _placed(found, tuple(kept), places) if kept else found


def _letters(indices: Sequence[Index]) -> dict[Index, str]:
    """Return a letter for each index: that of its dimension, else its own, else one that is free.

    The letters do not depend on the names of bound indices where each dimension has a letter.
    """
    found: dict[Index, str] = {}
    for index in indices:
        own = (str(index.dim), index.name, *ascii_lowercase)
        found[index] = next(
            letter
            for letter in own
            if letter in ascii_lowercase and len(letter) == 1 and letter not in found.values()
        )
    return found


__all__ = ["collapse_entry", "has_tensors"]
