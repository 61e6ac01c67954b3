"""Shapes of the values of code, inferred by unification; open choices are tried one by one."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from chainrule.teaching.marking.code_by_value.algebra import Algebra, Label, Misfit, Size
from chainrule.teaching.marking.code_by_value.naming import is_label

_BIASES = ("b", "bias", "c", "beta", "gamma")
_SMALL = (5, 3, 4, 6, 7, 8, 9, 11)
LARGEST = 6
"""The largest length in the code that is kept; others are replaced by small ones."""


class Dim:
    """A length that is to be found."""

    def __init__(self, size: int | None = None) -> None:
        self.same: Dim | None = None
        self.size = size

    def root(self) -> Dim:
        """Return the length that stands for all that are equal to this one."""
        here = self
        while here.same is not None:
            here = here.same
        return here

    def is_one(self) -> bool:
        """Whether this is the length 1."""
        return self.root().size == 1


def equal(one: Dim, other: Dim) -> None:
    """Make two lengths equal.

    Raises
    ------
    Misfit
        When both are known, and differ.
    """
    left, right = one.root(), other.root()
    if left is right:
        return
    if left.size is not None and right.size is not None:
        if left.size != right.size:
            raise Misfit("shapes that do not meet")
        return
    if left.size is None:
        left.same = right
    else:
        right.same = left


@dataclass(eq=False)
class Shaped:
    """A value of which only the shape is known, or not even that."""

    dims: tuple[Dim, ...] | None = None
    name: str = ""
    classes: Dim | None = None  # of labels that are indices
    base: Shaped | None = None  # the matrix that this is the transpose of


@dataclass
class Shapes(Algebra[Shaped]):
    """Shapes under one sequence of choices.

    Parameters
    ----------
    choices : tuple of int
        The choices that are taken, in the order in which they come up; 0 beyond its end.
    """

    choices: tuple[int, ...] = ()
    options: list[int] = field(default_factory=list)
    inputs: dict[str, Shaped] = field(default_factory=dict)
    literals: dict[int, int] = field(default_factory=dict)
    lengths: dict[str, Dim] = field(default_factory=dict)
    picks: bool = False  # whether labels are indices
    bias_style: str = ""
    weights: set[str] = field(default_factory=set)  # the sides of products where weights stand
    narrow: bool | None = None  # whether open lengths are 1 where they meet one
    fresh: set[Dim] = field(default_factory=set)  # lengths of which nothing is known

    def _choose(self, count: int) -> int:
        at = len(self.options)
        self.options.append(count)
        return self.choices[at] if at < len(self.choices) else 0

    def following(self) -> tuple[int, ...] | None:
        """Return the next sequence of choices; None behind the last."""
        taken = [*self.choices, *itertools.repeat(0, len(self.options))][: len(self.options)]
        for at in reversed(range(len(taken))):
            if taken[at] + 1 < self.options[at]:
                return (*taken[:at], taken[at] + 1)
        return None

    def signature(self) -> object:
        """Return the shapes of all inputs, in a form that can be compared."""
        sizes = self.sizes()
        return tuple(
            (name, None if s.dims is None else tuple(sizes[dim.root()] for dim in s.dims))
            for name, s in sorted(self.inputs.items())
        )

    def sizes(self) -> dict[Dim, int]:
        """Return a length for every open one, all of them different."""
        roots: dict[Dim, int] = {}
        used = set(self.literals.values())
        free = (n for n in itertools.chain(_SMALL, itertools.count(10)) if n not in used)
        for shaped in self.inputs.values():
            for dim in (*(shaped.dims or ()), *([shaped.classes] if shaped.classes else [])):
                root = dim.root()
                if root not in roots:
                    roots[root] = next(free) if root.size is None else root.size
        return roots

    # ---- values ------------------------------------------------------------------------------

    def unknown(self, name: str) -> Shaped:
        """Return the value of a name that the code does not define."""
        return self.inputs.setdefault(name, Shaped(name=name))

    def number(self, value: float) -> Shaped:
        """Return a number."""
        del value
        return Shaped(())

    def literal(self, size: int) -> Dim:
        """Return the length for a number in the code."""
        if size > LARGEST:
            size = self.literals.setdefault(size, _SMALL[len(self.literals) % 5])
        return Dim(max(size, 1))

    def drawn(self, name: str, sizes: tuple[object, ...]) -> Shaped:
        """Return the value of a name that the code initialises with these lengths."""
        dims = tuple(self._dim(size) for size in sizes)
        found = self.inputs.setdefault(name, Shaped(dims, name))
        if found.dims is None:
            found.dims = dims
        return found

    def length(self, name: str) -> Size:
        """Return a length that the code gives by a name only."""
        found = self.lengths.setdefault(name, Dim())
        self.inputs.setdefault(f"{name} as a length", Shaped((found,)))
        return Size(found)

    def _dim(self, size: object) -> Dim:
        if isinstance(size, Size) and isinstance(size.dim, Dim):
            return size.dim
        if isinstance(size, int):
            return self.literal(size)
        return Dim()

    def size(self, of: Shaped, axis: int) -> Size:
        """Return the length of an axis."""
        dims = self.known(of, 1 if self.picks and is_label(of.name) else 2)
        if not -len(dims) <= axis < len(dims):
            raise Misfit("an axis that the value does not have")
        return Size(dims[axis])

    def known(self, value: Shaped, rank: int = 2) -> tuple[Dim, ...]:
        """Return the shape of a value; one that is open is a matrix from now on."""
        if value.dims is None:
            value.dims = tuple(Dim() for _ in range(rank))
        return value.dims

    # ---- operations --------------------------------------------------------------------------

    def elementwise(self, name: str, *values: Shaped) -> Shaped:
        """Return a function of the entries."""
        first, *rest = values
        for other in rest:
            first = self._together(first, other)
        if first.dims is None:
            return Shaped(self.known(first))
        return Shaped(first.dims)

    def _together(self, one: Shaped, other: Shaped) -> Shaped:
        if one.dims is None and other.dims is None:
            if self._choose(2):
                one.dims = other.dims = ()
            else:
                one.dims = (Dim(), Dim())
                other.dims = one.dims
        elif one.dims is None:
            self._settle(one, other.dims or ())
        elif other.dims is None:
            self._settle(other, one.dims)
        assert one.dims is not None
        assert other.dims is not None
        for value, beside in ((one, other), (other, one)):
            self._may_be_one(value, beside)
        return Shaped(_broadcast(one.dims, other.dims))

    def _may_be_one(self, value: Shaped, beside: Shaped) -> None:
        """Let an open length be 1 where the computed value beside it has the length 1."""
        if value.name or beside.name or len(value.dims or ()) != len(beside.dims or ()):
            return
        for open_one, other in zip(value.dims or (), beside.dims or (), strict=True):
            free = open_one.root().size is None and other.is_one()
            if free and open_one.root() in self.fresh:
                if self.narrow is None:
                    self.narrow = bool(self._choose(2))
                if self.narrow:
                    equal(open_one, other)

    def _settle(self, value: Shaped, beside: tuple[Dim, ...]) -> None:
        """Choose the shape of a value that stands beside another one."""
        options: list[tuple[Dim, ...]] = [beside]
        if len(beside) == 2:
            row, column = (Dim(1), beside[1]), (beside[0], Dim(1))
            word = value.name.rstrip("0123456789_").lower()
            bias = word.startswith(("b", "bias")) or word in _BIASES
            if bias:
                styles = {"row": row, "column": column, "vector": (beside[1],), "number": ()}
                value.dims = styles[self._bias_style()]
                return
            options = [beside] if is_label(value.name) else [beside, (), row, column]
        elif len(beside) == 1:
            options = [beside, ()]
        value.dims = options[self._choose(len(options))] if len(options) > 1 else options[0]

    def _bias_style(self) -> str:
        """Return how all biases lie: in rows, in columns, as vectors or as numbers.

        Where weights stand on the left of a product, the examples are columns, and so are biases.
        """
        if not self.bias_style:
            options: tuple[str, ...] = ("row", "column", "vector", "number")
            if self.weights == {"left"}:
                options = ("column", "number")
            elif self.weights == {"right"}:
                options = ("row", "vector", "number")
            self.bias_style = options[self._choose(len(options))]
        return self.bias_style

    def dot(self, one: Shaped, other: Shaped) -> Shaped:
        """Return the matrix product."""
        if one.dims == () or other.dims == ():
            return self.elementwise("multiply", one, other)
        sides = [_is_weight(one), _is_weight(other)]
        if sides[0] != sides[1]:
            self.weights.add("left" if sides[0] else "right")
        if one.dims is None and other.dims is None:
            one.dims = (Dim(), Dim())
            other.dims = (one.dims[1],) if self._choose(2) else (one.dims[1], Dim())
            if len(other.dims) == 2:
                self.fresh.add(other.dims[1])
        if one.dims is None:
            inner = (other.dims or ())[0]
            one.dims = (Dim(), inner)
        if other.dims is None:
            lone = self._choose(2)
            other.dims = (one.dims[-1],) if lone else (one.dims[-1], Dim())
            self.fresh.add(other.dims[-1])
        left, right = one.dims, other.dims
        equal(left[-1], right[0] if len(right) == 1 else right[-2])
        return Shaped((*left[:-1], *(right[:-2] if len(right) > 1 else ()),
                       *(right[-1:] if len(right) > 1 else ())))  # fmt: skip

    def outer(self, one: Shaped, other: Shaped) -> Shaped:
        """Return the outer product."""
        first, second = self.known(one, 1), self.known(other, 1)
        return Shaped((_longest(first), _longest(second)))

    def turned(self, value: Shaped) -> Shaped:
        """Return the transpose."""
        return Shaped(self.known(value)[::-1], base=value)

    def reduced(self, kind: str, value: Shaped, axis: int | None, *, keeps: bool) -> Shaped:
        """Return a sum, a mean or an extremum."""
        if axis is None:
            return Shaped(tuple(Dim(1) for _ in value.dims or ()) if keeps else ())
        dims = self.known(value)
        if not -len(dims) <= axis < len(dims):
            raise Misfit("an axis that the value does not have")
        at = axis % len(dims)
        return Shaped((*dims[:at], *((Dim(1),) if keeps else ()), *dims[at + 1 :]))

    def reshaped(self, value: Shaped, sizes: tuple[object, ...]) -> Shaped:
        """Return a vector in another shape."""
        if value.dims is None and sizes == (-1, 1):
            value.dims = (Dim(), Dim(1))
        dims = self.known(value)
        wide = [dim for dim in dims if not dim.is_one()]
        if len(wide) > 1 or len(sizes) > 2:
            same = len(sizes) == len(dims)
            if same and all(isinstance(size, Size) for size in sizes):
                for size, dim in zip(sizes, dims, strict=True):
                    assert isinstance(size, Size)
                    equal(size.dim, dim)  # type: ignore[arg-type]
                return Shaped(dims)
            raise Misfit("a new shape of a matrix")
        long = wide[0] if wide else Dim(1)
        return Shaped(tuple(Dim(1) if size == 1 else long for size in sizes))

    def picked(self, value: Shaped, labels: Shaped) -> Shaped:
        """Return one entry per row, at the place that its label gives."""
        dims = self.known(value)
        if labels.dims is None:
            labels.dims = (dims[0],)
        labels.classes = dims[1] if len(dims) > 1 else None
        if len(dims) != 2 or len(labels.dims) != 1:
            raise Misfit("labels that are not a vector")
        equal(labels.dims[0], dims[0])
        return Shaped((dims[0],))

    def entry(self, value: Shaped, places: tuple[int | Label | None, ...]) -> Shaped:
        """Return an entry, a row or a column."""
        if value.dims is None:
            raise Misfit("an entry of a value whose shape is open")
        kept = [dim for dim, at in itertools.zip_longest(value.dims, places, fillvalue=None)
                if at is None and dim is not None]  # fmt: skip
        return Shaped(tuple(kept))

    def entry_added(
        self, value: Shaped, places: tuple[int | Label | None, ...], amount: Shaped
    ) -> Shaped:
        """Return a value with an amount added at a place."""
        del places, amount
        return Shaped(self.known(value))

    def picked_added(self, value: Shaped, labels: Shaped, amount: Shaped) -> Shaped:
        """Return a matrix with an amount added at the places of the labels."""
        del amount
        self.picked(value, labels)
        return Shaped(value.dims)

    def masked(self, value: Shaped, mask: Shaped) -> Shaped:
        """Return a value with zeros where the mask holds."""
        return Shaped(self._together(value, mask).dims)

    def widened(self, value: Shaped, axis: int) -> Shaped:
        """Return a value with one more axis of length 1."""
        dims = self.known(value, 1)
        return Shaped((*dims[:axis], Dim(1), *dims[axis:]))

    def kept(self, name: str, value: Shaped) -> Shaped:
        """Note that a name has a value, and return it with what is added to it."""
        if not value.name and value.dims is not None:
            return value
        return value

    def argument(self, value: Shaped) -> Shaped:
        """Note a value without a name, the argument of a function, and return it."""
        return value


def _broadcast(one: tuple[Dim, ...], other: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """Return the shape of two values together; lengths that meet are equal from now on."""
    found: list[Dim] = []
    for left, right in itertools.zip_longest(one[::-1], other[::-1]):
        if left is None or right is None:
            found.append(left if right is None else right)
        elif left.is_one():
            found.append(right)
        elif right.is_one():
            found.append(left)
        else:
            equal(left, right)
            found.append(left)
    return tuple(found[::-1])


def _is_weight(value: Shaped) -> bool:
    """Whether a value, or what it is the transpose of, has a name that weights have."""
    name = value.name or (value.base.name if value.base is not None else "")
    return name.lower().startswith(("w", "theta", "weight"))


def _longest(dims: tuple[Dim, ...]) -> Dim:
    return next((dim for dim in dims if not dim.is_one()), Dim(1))


__all__ = ["Dim", "Shaped", "Shapes"]
