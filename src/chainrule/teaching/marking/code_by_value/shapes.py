"""Shapes of the values of code, inferred by unification; open choices are tried one by one."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from chainrule.teaching.marking.code_by_value import shape_rules
from chainrule.teaching.marking.code_by_value.algebra import (
    Algebra,
    Misfit,
    Place,
    Size,
)
from chainrule.teaching.marking.code_by_value.lengths import (
    Dim,
    Linear,
    equal,
    linear,
    numbers_for,
    product,
)
from chainrule.teaching.marking.code_by_value.naming import is_label
from chainrule.teaching.marking.code_by_value.shaped import Shaped
from chainrule.teaching.marking.code_by_value.words import (
    is_number_name,
    is_scalar_name,
    is_vector_name,
)

_BIASES = ("b", "bias", "c", "beta", "gamma")
_SMALL = (5, 3, 4, 6, 7)
_COMPARED = frozenset({"maximum", "minimum", "greater", "greater_equal", "less", "less_equal"})
"""Operations that activations use on every entry of a value."""
LARGEST = 40
"""The largest length in the code that is kept; others are replaced by small ones."""


@dataclass
class Shapes(Algebra[Shaped]):
    """Shapes under one sequence of choices.

    Parameters
    ----------
    choices : tuple of int
        The choices that are taken, in the order in which they come up; 0 beyond its end.
    """

    infers = True
    choices: tuple[int, ...] = ()
    options: list[int] = field(default_factory=list)
    inputs: dict[str, Shaped] = field(default_factory=dict)
    literals: dict[int, int] = field(default_factory=dict)
    lengths: dict[str, Dim] = field(default_factory=dict)
    picks: bool = False  # whether labels are indices
    deep: int = 2  # the number of axes of the data
    numbers: bool = False  # whether values of which nothing is known are numbers
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
        dims = [
            dim
            for shaped in self.inputs.values()
            for dim in (*(shaped.dims or ()), *([shaped.classes] if shaped.classes else []))
        ]
        return numbers_for(dims, set(self.literals.values()))

    # ---- values ------------------------------------------------------------------------------

    def has(self, name: str) -> bool:
        """Whether a value of a name that the code does not define was used."""
        return name in self.inputs

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
            size = self.literals.setdefault(size, _SMALL[len(self.literals) % len(_SMALL)])
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

    def meet(self, value: Shaped, axis: int, size: Size) -> None:
        """Take an axis, over which a loop runs, to have the length of the loop."""
        if not isinstance(size.dim, Dim):
            return
        if value.dims is None and axis == 0:
            value.first = value.first or size.dim
            equal(value.first, size.dim)
        elif value.dims is not None and axis < len(value.dims):
            equal(value.dims[axis], size.dim)

    def close(self) -> None:
        """Give the values of which only the first length is known a shape."""
        for value in self.inputs.values():
            if value.dims is None and value.first is not None:
                value.dims = (value.first,) if is_label(value.name) else (value.first, Dim())

    def _dim(self, size: object) -> Dim:
        if isinstance(size, Size) and isinstance(size.dim, Dim | Linear):
            return linear(size.dim).dim() if isinstance(size.dim, Linear) else size.dim
        if isinstance(size, int):
            return self.literal(size)
        return Dim()

    def size(self, of: Shaped, axis: int, rank: int = 2) -> Size:
        """Return the length of an axis."""
        if of.dims is None and axis == 0 and rank < 2:
            of.first = of.first or Dim()
            return Size(of.first)
        dims = self.known(of, 1 if self.picks and is_label(of.name) else rank)
        if not -len(dims) <= axis < len(dims):
            raise Misfit("an axis that the value does not have")
        return Size(dims[axis])

    def total(self, of: Shaped) -> Size:
        """Return the number of all entries."""
        return Size(product(self.known(of)))

    def length_of(self, sign: str, one: object, other: object) -> Size:
        """Return the sum, the difference or the product of two lengths."""
        left = linear(one.dim if isinstance(one, Size) else one)
        right = linear(other.dim if isinstance(other, Size) else other)
        if sign in ("add", "subtract"):
            return Size(left.added(right, 1 if sign == "add" else -1))
        for whole, number in ((left, right), (right, left)):
            if sign == "multiply" and not number.terms:
                return Size(Linear().added(whole, number.plus))
        raise Misfit("a length that is not read")

    def known(self, value: Shaped, rank: int = 2) -> tuple[Dim, ...]:
        """Return the shape of a value; one that is open is a matrix from now on."""
        if value.dims is None:
            value.dims = tuple(Dim() for _ in range(rank))
        return value.dims

    # ---- operations --------------------------------------------------------------------------

    def rank(self, value: Shaped, least: int) -> int:
        """Return the number of axes of a value; an open one gets the least number."""
        return len(self.known(value, least))

    def is_column(self, value: Shaped) -> bool:
        """Whether a matrix has one column."""
        dims = self.known(value)
        return len(dims) == 2 and dims[1].is_one() and not dims[0].is_one()

    def is_vector(self, value: Shaped) -> bool:
        """Whether a matrix has one row or one column."""
        return any(dim.is_one() for dim in self.known(value))

    def elementwise(self, name: str, *values: Shaped) -> Shaped:
        """Return a function of the entries."""
        first, *rest = values
        for other in rest:
            for one, beside in ((first, other), (other, first)):
                if one.dims is None and beside.dims == ():
                    self._beside_a_number(one, compared=name in _COMPARED)
            first = self._together(first, other)
        if first.dims is None and is_scalar_name(first.name):
            first.dims = ()
        if first.dims is None and name == "negative":
            return first  # what it stands beside says its shape
        if first.dims is None:
            return Shaped(self.known(first))
        return Shaped(first.dims)

    def _beside_a_number(self, value: Shaped, *, compared: bool) -> None:
        """Choose whether a value beside a number is one, or a matrix."""
        matrix = (Dim(), Dim())
        options = ((), matrix) if not compared else (matrix, ())
        value.dims = options[self._choose(2)]

    def _together(self, one: Shaped, other: Shaped) -> Shaped:
        if one.dims is None and other.dims is None and (one.first or other.first):
            self._settle_listed(*((one, other) if one.first else (other, one)))
        elif one.dims is None and other.dims is None:
            if self._choose(2) != self.numbers:
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

    def _settle_listed(self, one: Shaped, other: Shaped) -> None:
        """Choose the shapes of two open values, of which the first has a length: ``len(x)``."""
        matrix, vector = (Dim(), Dim()), (Dim(),)
        options = [(matrix, matrix), (vector, ()), (vector, vector)]
        one.dims, other.dims = options[self._choose(len(options))]

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
        elif len(beside) > 2:
            options = [beside, (), beside[-1:]]
        if is_number_name(value.name):
            options = [()]
        elif () in options and is_scalar_name(value.name):
            options = [(), *(one for one in options if one)]
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
        if one.dims is None and other.dims is None and self.deep > 2 and sides[1]:
            other.dims = (Dim(), Dim())
        if one.dims is None and other.dims is None:
            chosen = self._choose(2 if any(sides) or one.base or other.base else 3)
            inner, outer = Dim(), Dim()
            one.dims = (Dim(), inner) if chosen < 2 else (inner,)
            other.dims = (inner,) if chosen else (inner, outer)
            if not chosen:
                self.fresh.add(outer)
        if one.dims is None:
            beside = other.dims or (Dim(),)
            inner = beside[-2] if len(beside) > 1 else beside[0]
            deep = self.deep > 2 and not sides[0] and self._choose(2) == 0
            one.dims = (*(Dim() for _ in range(self.deep - 1 if deep else 1)), inner)
        if other.dims is None:
            vector = len(one.dims) == 1 and is_vector_name(other.name)
            lone = self._choose(2) != vector
            other.dims = (one.dims[-1],) if lone else (one.dims[-1], Dim())
            self.fresh.add(other.dims[-1])
        left, right = one.dims, other.dims
        equal(left[-1], right[0] if len(right) == 1 else right[-2])
        many = _broadcast(left[:-2], right[:-2])
        return Shaped((*many, *left[:-1][-1:], *(right[-1:] if len(right) > 1 else ())))

    def outer(self, one: Shaped, other: Shaped) -> Shaped:
        """Return the outer product."""
        first, second = self.known(one, 1), self.known(other, 1)
        return Shaped((_longest(first), _longest(second)))

    def turned(self, value: Shaped) -> Shaped:
        """Return the transpose."""
        return Shaped(self.known(value)[::-1], base=value)

    def permuted(self, value: Shaped, axes: tuple[int, ...]) -> Shaped:
        """Return a value with its axes in another order."""
        dims = self.known(value, len(axes))
        if sorted(axis % len(axes) for axis in axes) != list(range(len(dims))):
            raise Misfit("axes that the value does not have")
        return Shaped(tuple(dims[axis] for axis in axes))

    def reduced(
        self, kind: str, value: Shaped, axes: tuple[int, ...] | None, *, keeps: bool
    ) -> Shaped:
        """Return a sum, a mean or an extremum."""
        del kind
        if axes is None:
            return Shaped(tuple(Dim(1) for _ in value.dims or ()) if keeps else ())
        dims = self.known(value, max(2, *(axis + 1 for axis in axes)))
        if any(not -len(dims) <= axis < len(dims) for axis in axes):
            raise Misfit("an axis that the value does not have")
        gone = {axis % len(dims) for axis in axes}
        return Shaped(tuple(Dim(1) if at in gone else dim for at, dim in enumerate(dims)
                            if keeps or at not in gone))  # fmt: skip

    def einsum(self, signature: str, values: tuple[Shaped, ...]) -> Shaped:
        """Return a sum over the indices that a signature names."""
        return shape_rules.einsum(signature, values)

    def joined(self, values: tuple[Shaped, ...], axis: int, *, new: bool) -> Shaped:
        """Return several values one after another along an axis, or along a new one."""
        return shape_rules.joined(values, axis, new=new)

    def filled(self, number: float, sizes: tuple[object, ...]) -> Shaped:
        """Return an array of one number."""
        del number
        return Shaped(tuple(self._dim(size) for size in sizes))

    def noise(self, like: Shaped, key: str) -> Shaped:
        """Return random numbers in the shape of a value."""
        del key
        return Shaped(self.known(like))

    def identity(self, size: object) -> Shaped:
        """Return the identity matrix."""
        dim = self._dim(size)
        return Shaped((dim, dim))

    def reshaped(self, value: Shaped, sizes: tuple[object, ...]) -> Shaped:
        """Return a value in another shape."""
        if value.dims is None and len(sizes) == 2 and 1 in sizes:
            value.dims = tuple(Dim() if size == -1 else self._dim(size) for size in sizes)
        return shape_rules.reshaped(self.known(value), sizes)

    def reshaped_as(self, value: Shaped, other: Shaped) -> Shaped:
        """Return a value in the shape of another one."""
        if value.dims is None:
            value.dims = other.dims
        return Shaped(other.dims or value.dims)

    def entry(self, value: Shaped, places: tuple[Place[Shaped], ...]) -> Shaped:
        """Return the entries at an index."""
        return shape_rules.indexed(value, places, self.literal, self._choose)

    def entry_changed(
        self, value: Shaped, places: tuple[Place[Shaped], ...], operation: str, amount: Shaped
    ) -> Shaped:
        """Return a value with its entries at an index changed by an operation, or set."""
        del operation
        held = shape_rules.indexed(value, places, self.literal, self._choose)
        if amount.dims is None and held.dims is not None:
            amount.dims = held.dims
        return Shaped(value.dims)

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


__all__ = ["Shapes"]
