"""Shapes of indexed, joined, reshaped and summed values, by unification."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from chainrule.teaching.marking.code_by_value.algebra import (
    Chosen,
    Label,
    Misfit,
    NewAxis,
    Part,
    Place,
    Rows,
    Size,
)
from chainrule.teaching.marking.code_by_value.lengths import (
    Dim,
    Linear,
    equal,
    linear,
    product,
)
from chainrule.teaching.marking.code_by_value.naming import is_label
from chainrule.teaching.marking.code_by_value.shaped import Shaped
from chainrule.teaching.marking.code_by_value.words import is_vector_name

_ONE_PLACE = re.compile(
    r"(?i).*(?:idx|index|word|id|target|label|center|centre|context|pos|k|o|c|i)"
)
"""Names of a single place, where they stand alone in an index."""

Literal = Callable[[int], Dim]
Choose = Callable[[int], int]


def indexed(
    value: Shaped, places: Sequence[Place[Shaped]], literal: Literal, choose: Choose
) -> Shaped:
    """Return the shape of the entries at an index.

    Parameters
    ----------
    value : Shaped
        The value.
    places : sequence of places
        The index.
    literal : callable
        Makes a length of a number in the code.
    choose : callable
        Chooses one of several.
    """
    dims = _opened(value, places, choose)
    mask = next((p for p in places if isinstance(p, Chosen) and p.mask), None)
    if mask is not None and len(places) == 1:
        return Shaped((Dim(),))
    found: list[Dim] = []
    chosen: list[tuple[Dim, ...]] = []
    where: int | None = None
    axis = 0
    for place in places:
        if isinstance(place, NewAxis):
            found.append(Dim(1))
            continue
        if axis >= len(dims):
            raise Misfit("more indices than the value has")
        dim = dims[axis]
        axis += 1
        match place:
            case Part():
                found.append(_part(dim, place, literal))
            case Rows() | Chosen():
                where = len(found) if where is None else where
                chosen.append((dim,) if isinstance(place, Rows) else
                              _places(place.by, dim, len(dims), choose))  # fmt: skip
            case _:
                pass
    found += dims[axis:]
    if where is not None:
        found[where:where] = _together(chosen)
    return Shaped(tuple(found), base=value)


def _opened(value: Shaped, places: Sequence[Place[Shaped]], choose: Choose) -> tuple[Dim, ...]:
    """Return the shape of a value; one that is open has a row per place."""
    if value.dims is None:
        rank = sum(not isinstance(place, NewAxis) for place in places)
        lone = len(places) == 1 and isinstance(places[0], int | Label | Chosen)
        lone = lone and not is_label(value.name)
        if lone and isinstance(places[0], int) and value.first is not None:
            lone = choose(2) == is_vector_name(value.name)  # x[i] is a number first, X[i] a row
        elif lone and isinstance(places[0], Chosen):
            lone = choose(2) == 0  # rows of a table, or numbers of a list
        value.dims = tuple(Dim() for _ in range(rank + lone))
    return value.dims


def _places(by: Shaped, dim: Dim, rank: int, choose: Choose) -> tuple[Dim, ...]:
    """Return the shape of an array of places, which is a vector or one place."""
    if by.dims is None:
        options: list[tuple[Dim, ...]] = [(Dim(),), (Dim(), Dim()), ()]
        if rank == 1 or _ONE_PLACE.fullmatch(by.name):
            options = [(), *options[:2]]
        by.dims = options[0] if is_label(by.name) and options[0] else options[choose(3)]
    by.classes = by.classes or dim
    if by.base is not None and by.base.name and not by.base.classes:
        by.base.classes = by.base.classes or dim
    return by.dims


def _together(chosen: Sequence[tuple[Dim, ...]]) -> tuple[Dim, ...]:
    longest = max(chosen, key=len)
    for other in chosen:
        for one, two in zip(longest[::-1], other[::-1], strict=False):
            if not one.is_one() and not two.is_one():
                equal(one, two)
    return longest


def _part(dim: Dim, part: Part, literal: Literal) -> Dim:
    """Return the length of a part of an axis."""
    if part.first is None and part.last is None:
        return dim
    first = _bound(part.first, literal) if part.first is not None else Linear()
    if part.last is None:
        root = dim.root()
        if root.size is None and root.made is None and len(first.terms) == 1 and not first.plus:
            ((unit, times),) = first.terms
            root.made = Linear(((unit, times + 1),))  # parts of one length, and this is the last
        return linear(dim).added(first, -1).dim()
    last = _bound(part.last, literal)
    if isinstance(part.last, int) and part.last < 0:
        last = linear(dim).added(Linear((), part.last))
    return last.added(first, -1).dim()


def _bound(value: object, literal: Literal) -> Linear:
    if isinstance(value, Size):
        return linear(value.dim)
    if isinstance(value, int):
        return Linear((), value) if value < 7 else linear(literal(value))
    raise Misfit("a part of an axis that is not read")


def joined(values: Sequence[Shaped], axis: int, *, new: bool) -> Shaped:
    """Return the shape of several values along one axis."""
    rank = next((len(v.dims) for v in values if v.dims is not None), 2)
    for value in values:
        if value.dims is None:
            value.dims = tuple(Dim() for _ in range(rank))
    shapes = [value.dims or () for value in values]
    if len({len(shape) for shape in shapes}) > 1:
        raise Misfit("shapes that do not meet")
    rank = len(shapes[0])
    at = axis % (rank + new) if rank + new else 0
    for other in shapes[1:]:
        for k, (one, two) in enumerate(zip(shapes[0], other, strict=True)):
            if new or k != at:
                equal(one, two)
    if new:
        return Shaped((*shapes[0][:at], Dim(len(shapes)), *shapes[0][at:]))
    total = Linear()
    for shape in shapes:
        total = total.added(linear(shape[at]))
    return Shaped((*shapes[0][:at], total.dim(), *shapes[0][at + 1 :]))


def einsum(signature: str, values: Sequence[Shaped]) -> Shaped:
    """Return the shape of a sum over named indices."""
    inputs, _, output = signature.replace(" ", "").partition("->")
    letters: dict[str, Dim] = {}
    parts = inputs.split(",")
    if len(parts) != len(values) or "." in signature:
        raise Misfit("an einsum that is not read")
    for part, value in zip(parts, values, strict=True):
        if value.dims is None:
            value.dims = tuple(Dim() for _ in part)
        if len(value.dims) != len(part):
            raise Misfit("an einsum over another number of axes")
        for letter, dim in zip(part, value.dims, strict=True):
            if letter in letters:
                equal(letters[letter], dim)
            letters.setdefault(letter, dim)
    if any(letter not in letters for letter in output):
        raise Misfit("an einsum that is not read")
    return Shaped(tuple(letters[letter] for letter in output))


def reshaped(dims: tuple[Dim, ...], sizes: Sequence[object]) -> Shaped:
    """Return the new shape of a value; the axes that become one are found from the sizes."""
    wide = [dim for dim in dims if not dim.is_one()]
    if len(sizes) == 1 and sizes[0] == -1:
        return Shaped((product(dims),))
    if len(wide) <= 1:
        long = wide[0] if wide else Dim(1)
        return Shaped(tuple(Dim(1) if size == 1 else long for size in sizes))
    if len(sizes) == 2:
        if sizes[1] == 1:
            return Shaped((product(dims), Dim(1)))
        if sizes[0] == 1:
            return Shaped((Dim(1), product(dims)))
        if len(dims) == 2:
            return _same(dims, sizes)
        if isinstance(sizes[0], Size):
            equal(linear(sizes[0].dim).dim(), dims[0])
            return Shaped((dims[0], product(dims[1:])))
        if sizes[0] == -1 and isinstance(sizes[1], Size):
            equal(linear(sizes[1].dim).dim(), dims[-1])
            return Shaped((product(dims[:-1]), dims[-1]))
        return Shaped((dims[0], product(dims[1:])))
    if len(sizes) == len(dims):
        return _same(dims, sizes)
    raise Misfit("a new shape of a matrix")


def _same(dims: tuple[Dim, ...], sizes: Sequence[object]) -> Shaped:
    for size, dim in zip(sizes, dims, strict=True):
        if isinstance(size, Size):
            equal(linear(size.dim).dim(), dim)
        elif size == 1 and not dim.is_one():
            raise Misfit("a new shape of a matrix")
    return Shaped(dims)


__all__ = ["einsum", "indexed", "joined", "reshaped"]
