"""Sums of products over named indices: einsum."""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.calculus.graph.dims import (
    MOST_DIMENSIONS,
    SCALAR,
    Dim,
    Index,
    Shape,
    is_tensor,
    written,
)
from chainrule.calculus.graph.node import Applied, Apply, Expr, Number, Position, Positions, Total
from chainrule.calculus.graph.op import Domain, Law, Layout, Mistake, Notation, Op
from chainrule.calculus.ops.dimensions import permute
from chainrule.calculus.ops.linear import matmul, transpose
from chainrule.calculus.ops.reduction import reduce_sum
from chainrule.calculus.ops.summed_products import summed_product
from chainrule.errors import ShapeError

Subscripts = tuple[tuple[str, ...], str]
"""The letters of each operand, and those of the result."""


def einsum(text: str, *operands: Expr) -> Expr:
    """Sum a product of entries over the letters that the result does not have.

    Parameters
    ----------
    text : str
        The subscripts, as NumPy writes them: ``"bhtd,bhsd->bhts"``.
    *operands : Expr
        One for each group of letters before the arrow.

    Raises
    ------
    ShapeError
        When the letters do not fit the operands.

    Examples
    --------
    >>> from chainrule.calculus.graph.node import Symbol
    >>> Q, K = Symbol("Q", ("b", "h", "t", "d")), Symbol("K", ("b", "h", "s", "d"))
    >>> einsum("bhtd,bhsd->bhts", Q, K).shape
    ('b', 'h', 't', 's')
    """
    subscript = subscripts(text)
    _sizes(tuple(x.shape for x in operands), subscript)
    return contracted(subscript, *operands)


def subscripts(text: str) -> Subscripts:
    """Read subscripts.

    Raises
    ------
    ShapeError
        When they have no arrow, or hold anything but letters.
    """
    before, arrow, result = "".join(text.split()).partition("->")
    groups = tuple(before.split(","))
    if not arrow:
        raise ShapeError(
            f'"{text}" has no "->"; write the letters of the result behind one, as in "ij,jk->ik"'
        )
    for group in (*groups, result):
        if group and not group.isalpha():
            raise ShapeError(f'"{group}" in "{text}" is not letters; write one per dimension')
    return groups, result


def contracted(subscript: Subscripts, *operands: Expr) -> Expr:
    """Return the einsum of operands; a single one whose dimensions only move is permuted."""
    groups, result = subscript
    if len(operands) == 1 and len(groups) == 1 and sorted(groups[0]) == sorted(result):
        found = permute(operands[0], [groups[0].index(letter) for letter in result])
        return found if is_tensor(found.shape) or groups[0] == result else transpose(operands[0])
    return Apply(EINSUM, operands, (subscript,))


def written_subscripts(subscript: Subscripts) -> str:
    """Return subscripts as text: ``"bhtd,bhsd->bhts"`` without the quotes."""
    groups, result = subscript
    return f"{','.join(groups)}->{result}"


def _sizes(shapes: tuple[Shape, ...], subscript: Subscripts) -> dict[str, Dim]:
    """Return the size of each letter."""
    groups, result = subscript
    text = written_subscripts(subscript)
    if len(groups) != len(shapes):
        raise ShapeError(f'"{text}" is for {len(groups)} operands, and {len(shapes)} are given')
    sizes: dict[str, Dim] = {}
    for group, shape in zip(groups, shapes, strict=True):
        if len(group) != len(shape):
            raise ShapeError(
                f'"{group}" in "{text}" has {len(group)} letters, and its operand {written(shape)} '
                f"has {len(shape)} dimensions"
            )
        if len(set(group)) < len(group):
            raise ShapeError(
                f'"{group}" in "{text}" repeats a letter, which reads a diagonal; take it with '
                "diag or trace"
            )
        for letter, dim in zip(group, shape, strict=True):
            if sizes.setdefault(letter, dim) != dim:
                raise ShapeError(
                    f'the letter {letter} in "{text}" stands for {sizes[letter]} and for {dim}'
                )
    if set(result) - set(sizes) or len(set(result)) < len(result):
        raise ShapeError(
            f'"{result}" in "{text}" holds letters that no operand has, or one letter twice'
        )
    if len(result) == 1 or len(result) > MOST_DIMENSIONS:
        raise ShapeError(
            f'"{result}" in "{text}" has {len(result)} letters; a result has none, or two to '
            f"{MOST_DIMENSIONS} (give a vector a dimension of size 1)"
        )
    return sizes


def _shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    (subscript,) = attrs
    sizes = _sizes(shapes, subscript)
    return tuple(sizes[letter] for letter in subscript[1]) or SCALAR


def _letters(subscript: Subscripts) -> list[str]:
    """Return all letters, those of the result first."""
    groups, result = subscript
    return list(dict.fromkeys([*result, *(letter for group in groups for letter in group)]))


def _value(xp: Any, operands: tuple[Any, ...], subscript: Subscripts, out_shape: Any) -> Any:  # noqa: ANN401
    """Lay every operand out along an axis for each letter, multiply, and sum.

    Any array namespace has these operations, so exact residues and fifty digits work as well.
    """
    groups, result = subscript
    letters = _letters(subscript)
    sizes: dict[str, int] = {}
    factors = []
    for group, x in zip(groups, operands, strict=True):
        own = [letter for letter in letters if letter in group]
        sizes |= zip(group, x.shape, strict=True)
        moved = x.transpose(tuple(group.index(letter) for letter in own))
        factors.append(moved.reshape(tuple(sizes[one] if one in group else 1 for one in letters)))
    bound = {at: sizes[letter] for at, letter in enumerate(reversed(letters[len(result) :]))}
    return summed_product(factors, bound, xp).reshape(out_shape)


def _index(read: Any, node: Applied, places: Positions, fresh: Any) -> Expr:  # noqa: ANN401
    (subscript,) = node.attrs
    groups, result = subscript
    sizes = _sizes(tuple(arg.shape for arg in node.args), subscript)
    at: dict[str, Position] = dict(zip(result, places, strict=False))
    for letter in _letters(subscript)[len(result) :]:
        at[letter] = fresh(sizes[letter])
    entries = (read(k, *(at[letter] for letter in group)) for k, group in enumerate(groups))
    total: Expr = prod(entries, start=Number(1))
    for letter in reversed(_letters(subscript)[len(result) :]):
        index = at[letter]
        if isinstance(index, Index):
            total = Total(index, total)
    return total


def _vjp(g: Expr, args: tuple[Expr, ...], subscript: Subscripts) -> tuple[Expr, ...]:
    """Sum the upstream gradient times the other operands, over what the operand does not have."""
    groups, result = subscript
    found = []
    for k, group in enumerate(groups):
        others = [x for j, x in enumerate(args) if j != k]
        letters = [other for j, other in enumerate(groups) if j != k]
        if result:
            others, letters = [g, *others], [result, *letters]
        if set(group) - set("".join(letters)):
            # A letter that only this operand has is summed by itself: its gradient is repeated.
            others, letters = [*others, Number(1, args[k].shape)], [*letters, group]
        back = contracted((tuple(letters), group), *others)
        found.append(back if result else g * back)
    return tuple(found)


def _code(texts: tuple[str, ...], subscript: Subscripts) -> str:
    code = f"np.einsum({', '.join([repr(written_subscripts(subscript)), *texts])})"
    return code if subscript[1] else f"np.reshape({code}, (1, 1))"


EINSUM: Op = Op(
    name="einsum",
    shape=_shape,
    value=lambda xp, *xs, out_shape, attrs: _value(xp, xs, attrs[0], out_shape),
    vjp=lambda g, out, args, attrs: _vjp(g, args, attrs[0]),
    index=_index,
    notation=Notation(
        Layout.FUNCTION,
        "einsum",
        r"\operatorname{einsum}",
        spoken="the sum of products of",
        leading=True,
        options=lambda attrs: f'"{written_subscripts(attrs[0])}"',
    ),
    code=lambda *xs, attrs: _code(xs, attrs[0]),
    rule="einsum rule",
    because=(
        "every entry of the result is a sum of products, linear in each factor: the upstream "
        "gradient takes the place of the factor, and what the factor does not have is summed"
    ),
    tensors=True,
    domain=(Domain(), Domain()),
    laws=(
        Law(
            "a shared letter that the result lacks is a matrix product",
            lambda a, b: einsum("ij,jk->ik", a, b),
            lambda a, b: matmul(a, b),
        ),
        Law(
            "no letters behind the arrow sum everything",
            lambda a, b: einsum("ij,jk->", a, b),
            lambda a, b: reduce_sum(matmul(a, b)),
        ),
    ),
    mistakes=(
        Mistake(
            "letters of the result left in the wrong order",
            "the gradient has the letters of its operand, in the operand's order",
            lambda g, out, args, attrs: tuple(transpose(back) for back in _vjp(g, args, attrs[0])),
        ),
    ),
)

ROWS_HERE = (EINSUM,)
"""The registry entries of this file, for the table."""

__all__ = ["EINSUM", "ROWS_HERE", "contracted", "einsum", "subscripts", "written_subscripts"]
