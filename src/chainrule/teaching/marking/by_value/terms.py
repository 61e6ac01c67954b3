"""Syntax trees of posted mathematics; names keep their indices, and nothing is known of shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial


@dataclass(frozen=True)
class Term:
    """A node of the tree."""

    @cached_property
    def inside(self) -> tuple[Term, ...]:
        """The terms directly below this one."""
        return tuple(part for field in fields(self) for part in _within(getattr(self, field.name)))

    @cached_property
    def free(self) -> frozenset[str]:
        """The texts of the indices that no sum inside the term binds."""
        if isinstance(self, Index):
            return frozenset(self.summands or {self.text})
        found = frozenset[str]().union(*(part.free for part in self.inside))
        return found - set(self.letters) if isinstance(self, Over) else found

    @cached_property
    def _hashed(self) -> int:
        return hash(tuple(getattr(self, field.name) for field in fields(self)))

    def __hash__(self) -> int:
        """Return a number that is computed once; values are looked up by terms very often."""
        return self._hashed


@dataclass(frozen=True)
class Index(Term):
    """One index or label of a name: a letter, a word or a digit, and what is added to it."""

    text: str
    offset: int = 0
    __hash__ = Term.__hash__

    @property
    def summands(self) -> tuple[str, ...]:
        """The two letters of ``i+m`` or ``i-m``; nothing for another index."""
        between = len(self.text) == 3 and self.text[1] in "+-"
        return (self.text[0], self.text[2]) if between and self.text[0].islower() else ()


@dataclass(frozen=True)
class Named(Term):
    r"""A name with the indices above it and below it: ``a^{[l]}_j``."""

    base: str
    above: tuple[Index, ...] = ()
    below: tuple[Index, ...] = ()
    bold: bool = False
    __hash__ = Term.__hash__

    @property
    def places(self) -> tuple[Index, ...]:
        """The indices, those above first."""
        return self.above + self.below


@dataclass(frozen=True)
class Constant(Term):
    """A number."""

    value: float


@dataclass(frozen=True)
class Combined(Term):
    """An operation on terms: ``+``, ``neg``, ``*``, ``cdot``, ``odot``, ``/``, ``^`` and others."""

    operation: str
    parts: tuple[Term, ...]
    __hash__ = Term.__hash__


@dataclass(frozen=True)
class Called(Term):
    """A function applied to arguments, differentiated `order` times."""

    function: str
    arguments: tuple[Term, ...]
    order: int = 0


@dataclass(frozen=True)
class Condition(Term):
    """A comparison of two indices; ``in`` always holds."""

    left: Index
    sign: str
    right: Index


@dataclass(frozen=True)
class Over(Term):
    """A sum or a product over indices."""

    operation: str
    letters: tuple[str, ...]
    body: Term
    conditions: tuple[Condition | Called, ...] = ()
    upper: Index | None = None


@dataclass(frozen=True)
class Slope(Term):
    """The derivative of a term with respect to names, one after another."""

    of: Term
    wrt: tuple[Named, ...]
    bare: bool = False  # ∇f, which does not say of what
    turned: bool = False
    twice: bool = False  # ∇²f
    __hash__ = Term.__hash__


@dataclass(frozen=True)
class Cases(Term):
    """Values, each with its conditions; without one it is the value of all other indices."""

    rows: tuple[tuple[Term, tuple[Condition | Called, ...] | None], ...]


@dataclass(frozen=True)
class EntryOf(Term):
    """An entry of a term that is not a name: ``softmax(z)_i``."""

    of: Term
    places: tuple[Index, ...]


@dataclass(frozen=True)
class Moved(Term):
    """The differential of a term."""

    of: Term


def rebuilt(term: Term, change: Callable[[Term], Term]) -> Term:
    """Return a term with a change applied to every term in it, the innermost first."""
    changes = {
        field.name: tuple(rebuilt(one, change) if isinstance(one, Term) else one for one in value)
        if isinstance(value := getattr(term, field.name), tuple)
        else rebuilt(value, change)
        for field in fields(term)
        if isinstance(getattr(term, field.name), (tuple, Term))
    }
    return change(replace(term, **changes) if changes else term)


def bound_diagonals(sides: Sequence[Term | None]) -> list[Term | None]:
    r"""Let the index in ``diag(p_i (1 - p_i))`` run, where it stands in no place outside."""
    found: list[Term | None] = []
    elsewhere: dict[int, set[str]] = {
        at: set().union(*(
            letters_of(rebuilt(one, _without_diagonals))
            for other, one in enumerate(sides) if one is not None and other != at
        ))
        for at in range(len(sides))
    }  # fmt: skip
    for at, side in enumerate(sides):
        if side is None:
            found.append(None)
            continue
        inside = {
            letter
            for node in every(side)
            if isinstance(node, Called) and node.function == "diag"
            for letter in letters_of(node)
            if len(letter) == 1 and letter.islower()
        }
        outside = letters_of(rebuilt(side, _without_diagonals))
        free = inside - outside - elsewhere[at]
        found.append(rebuilt(side, partial(_stacked, free)) if len(free) == 1 else side)
    return found


def _without_diagonals(term: Term) -> Term:
    if isinstance(term, Called) and term.function == "diag":
        return Called("diag", ())
    return term


def _stacked(free: set[str], term: Term) -> Term:
    if isinstance(term, Called) and term.function == "diag" and letters_of(term) & free:
        return Called("diag", (Over("stack", tuple(free), term.arguments[0]),))
    return term


def parts(term: Term) -> tuple[Term, ...]:
    """Return the terms directly below a term."""
    return term.inside


def _within(value: object) -> Iterator[Term]:
    if isinstance(value, Term):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _within(one)


def every(term: Term) -> Iterator[Term]:
    """Yield a term and all terms below it."""
    yield term
    for part in parts(term):
        yield from every(part)


def letters_of(term: Term) -> frozenset[str]:
    """Return the texts of the indices that no sum inside the term binds."""
    return term.free


def is_vector_product(row: Term, column: Term) -> bool:
    r"""Whether a product is one of vectors: ``x_i^T \\beta``, with lower-case letters."""
    if isinstance(row, Combined) and row.operation == "*":
        row = row.parts[1]  # the x_i^T of y_i x_i^T b
    if not (isinstance(row, Combined) and row.operation == "T" and isinstance(column, Named)):
        return False
    (turned,) = row.parts
    return isinstance(turned, Named) and turned.base[0].islower() and column.base[0].islower()
