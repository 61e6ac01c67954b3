r"""Small changes of a side: the slips that a wrong line is one of.

A line that no reading makes right may be wrong, or be written in a notation that is not known. One
small change that makes it right tells the two apart.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial, reduce
from itertools import combinations, islice, permutations

from chainrule.teaching.marking.by_value.terms import (
    Called,
    Combined,
    Constant,
    Index,
    Named,
    Over,
    Slope,
    Term,
    letters_of,
    rebuilt,
)

Changed = tuple[str, Term]
"""What a change is called, and the term with it."""

MOST = 200
"""The most changes that are tried on one side."""

MOST_FACTORS = 4
"""The most factors of a product that are put in other orders."""

_MISTAKEN = ("sigmoid", "tanh", "exp", "log")
"""Functions that one is written for the other."""

_PRODUCTS = ("*", "cdot", "odot")


def small_changes(
    side: Term,
    letters: Sequence[str],
    written: Container[Term],
    names: Sequence[Named] = (),
    size: str = "",
) -> Iterator[Changed]:
    """Yield a side with one small change, those of the whole first.

    Parameters
    ----------
    side : Term
        The side of an equation.
    letters : sequence of str
        The letters of indices in play.
    written : container of Term
        The names of the text as they are written: no other order of indices is tried for ``q_kj``
        where the text has no ``q_jk``.
    names : sequence of Named
        The names that may be missing as factors.
    size : str
        The name of a number of examples; empty for none.
    """
    yield from islice(_changes(side, letters, written, names, size), MOST)


def _changes(
    side: Term,
    letters: Sequence[str],
    written: Container[Term],
    names: Sequence[Named],
    size: str,
) -> Iterator[Changed]:
    yield "the other sign", _negated(side)
    for number, said in ((2.0, "the factor 2 more"), (0.5, "the factor 1/2 more")):
        yield said, Combined("*", (Constant(number), side))
    if size:
        yield f"the factor {size} more", Combined("*", (Named(size), side))
        yield f"the factor 1/{size} more", Combined("/", (side, Named(size)))
    yield "a transpose", Combined("T", (side,))
    yield from _everywhere(side, letters, written)
    for letter in letters:
        yield f"a sum over {letter}", Over("sum", (letter,), side)
    for one, other in combinations(letters, 2):
        swapped = {one: other, other: one}
        yield f"{one} and {other} swapped", rebuilt(side, partial(_renamed, swapped))
    yield from _with_factors(side, names)
    yield from _orders(side)


def _with_factors(side: Term, names: Sequence[Named]) -> Iterator[Changed]:
    """Yield a side with one factor more: a name, one over it, or the slope of an activation."""
    one = Constant(1.0)
    for name in names:
        rest = Combined("+", (one, _negated(name)))
        square = Combined("^", (name, Constant(2.0)))
        yield f"the factor 1/{name.base} more", Combined("/", (side, name))
        for operation in ("*", "odot"):
            yield f"the factor {name.base} more", Combined(operation, (side, name))
        slope = Combined("odot", (name, rest))
        yield f"the slope {name.base} (1 - {name.base})", Combined("odot", (side, slope))
        bent = Combined("+", (one, _negated(square)))
        yield f"the slope 1 - {name.base}^2", Combined("odot", (side, bent))


def _renamed(letters: Mapping[str, str], term: Term) -> Term:
    if isinstance(term, Index) and term.text in letters:
        return replace(term, text=letters[term.text])
    return term


def _orders(side: Term) -> Iterator[Changed]:
    """Yield a product with its factors in another order, and one of them transposed."""
    inner = side.parts[0] if isinstance(side, Combined) and side.operation == "neg" else side
    factors = _factors(inner)
    numbers = [one for one in factors if isinstance(one, Constant)]
    rest = [one for one in factors if not isinstance(one, Constant)]
    if not 2 <= len(rest) <= MOST_FACTORS:
        return
    for turned in range(-1, len(rest)):
        here = [Combined("T", (one,)) if at == turned else one for at, one in enumerate(rest)]
        for order in permutations(here):
            whole = reduce(lambda one, other: Combined("*", (one, other)), (*numbers, *order))
            yield "its factors in another order", whole if inner is side else _negated(whole)


def _factors(term: Term) -> list[Term]:
    if isinstance(term, Combined) and term.operation in ("*", "cdot"):
        left, right = term.parts
        return [*_factors(left), *_factors(right)]
    if isinstance(term, Combined) and term.operation == "neg":
        return [Constant(-1.0), *_factors(term.parts[0])]
    return [term]


def _everywhere(term: Term, letters: Sequence[str], written: Container[Term]) -> Iterator[Changed]:
    """Yield a term with one part of it changed; what is differentiated stays."""
    yield from _here(term, letters, written)
    if isinstance(term, Slope):
        return
    for field in fields(term):
        value = getattr(term, field.name)
        if isinstance(value, Term) and not isinstance(value, Index):
            for said, changed in _everywhere(value, letters, written):
                yield said, replace(term, **{field.name: changed})
        elif isinstance(value, tuple) and field.name in ("parts", "arguments"):
            for at, one in enumerate(value):
                if not isinstance(one, Term) or isinstance(one, Index):
                    continue
                for said, changed in _everywhere(one, letters, written):
                    yield (
                        said,
                        replace(term, **{field.name: (*value[:at], changed, *value[at + 1 :])}),
                    )


def _here(term: Term, letters: Sequence[str], written: Container[Term]) -> Iterator[Changed]:
    match term:
        case Combined("+", (left, right)):
            if left == Constant(1.0) and isinstance(right, Combined) and right.operation == "neg":
                yield "u for 1 - u", right.parts[0]
            yield "the other sign of one term", Combined("+", (left, _negated(right)))
            yield "the other sign of one term", Combined("+", (_negated(left), right))
            yield "one term less", left
            yield "one term less", right
            for number, said in ((2.0, "the factor 2 more"), (0.5, "the factor 1/2 more")):
                scaled = [Combined("*", (Constant(number), part)) for part in (left, right)]
                yield f"{said} in one term", Combined("+", (scaled[0], right))
                yield f"{said} in one term", Combined("+", (left, scaled[1]))
        case Combined("neg", (inner,)):
            yield "the other sign of one term", inner
        case Combined("T", (inner,)) | Combined("^", (inner, Named("T"))):
            yield "a transpose less", inner
        case Combined("^", (inner, Constant(power))):
            yield "another exponent", Combined("^", (inner, Constant(power + 1)))
            yield "another exponent", Combined("^", (inner, Constant(power - 1)))
        case Combined("/", (left, right)):
            yield "a denominator less", left
            if not isinstance(left, Constant):
                yield "a factor for a denominator", Combined("*", (left, right))
            for letter in letters:
                if letter in letters_of(right):
                    below = Over("sum", (letter,), right)
                    yield f"a sum over {letter}", Combined("/", (left, below))
        case Combined(operation, (left, right)) if operation in _PRODUCTS:
            yield "one factor less", right
            yield "one factor less", left
            yield "its factors swapped", Combined(operation, (right, left))
            other = "odot" if operation != "odot" else "*"
            yield "the other kind of product", Combined(other, (left, right))
            for at, factor in enumerate((left, right)):
                if isinstance(factor, Constant):
                    continue
                turned = Combined("T", (factor,))
                parts = (turned, right) if not at else (left, turned)
                yield "a transpose", Combined(operation, parts)
                if isinstance(factor, Named | Called):
                    rest = Combined("+", (Constant(1.0), _negated(factor)))
                    parts = (rest, right) if not at else (left, rest)
                    yield "1 - u for u", Combined(operation, parts)
        case Constant(value) if value not in (0.0, 1.0):
            yield "another number", Constant(value * 2)
            yield "another number", Constant(value / 2)
        case Over("sum", _, body):
            yield "a sum less", body
        case Called(function, arguments, order) if order:
            yield "the slope taken once less", Called(function, arguments, order - 1)
        case Called(function, arguments) if function in _MISTAKEN:
            for other in _MISTAKEN:
                if other != function:
                    yield f"{other} for {function}", Called(other, arguments)
            yield f"the slope of {function}", Called(function, arguments, 1)
        case Named():
            yield from _of_indices(term, letters, written)
            yield "another exponent", Combined("^", (term, Constant(2.0)))


def _of_indices(name: Named, letters: Sequence[str], written: Container[Term]) -> Iterator[Changed]:
    """Yield a name with its two places swapped, or with another letter in one of them."""
    if len(name.below) == 2 and replace(name, below=name.below[::-1]) in written:
        yield "its indices swapped", replace(name, below=name.below[::-1])
    for at, index in enumerate(name.below):
        if index.text not in letters:
            continue
        for letter in letters:
            if letter != index.text:
                other = Index(letter, index.offset)
                below = (*name.below[:at], other, *name.below[at + 1 :])
                yield f"the index {letter} for {index.text}", replace(name, below=below)


def _negated(term: Term) -> Term:
    return (
        term.parts[0]
        if isinstance(term, Combined) and term.operation == "neg"
        else Combined("neg", (term,))
    )


__all__ = ["small_changes"]
