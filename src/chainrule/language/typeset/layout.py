"""One layout for all media: juxtaposition, order and brackets."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol, Self
from weakref import WeakKeyDictionary

from chainrule.calculus.graph.dims import SCALAR, Index, is_tensor
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Partial,
    RoundSum,
    Symbol,
    Total,
    walk,
)
from chainrule.calculus.graph.op import Layout, Op, axis_option
from chainrule.calculus.graph.paths import Path
from chainrule.language.typeset.comparisons import EXCLUDED, TURNED, is_negated, sign_of
from chainrule.language.typeset.factors import coefficients_first

SUM, SIGNED, TOTAL, ELEMENTWISE, RATIO, JUXTAPOSED, CHAIN, POSTFIX, ATOM = range(9)
"""How tightly a piece holds together, loosest first."""


class Term(NamedTuple):
    """A term of a sum: whether it is subtracted, its text, and the path of what the sign makes."""

    minus: bool
    text: str
    at: Path | None = None


Piece = tuple[int, str]
"""How tightly a piece holds together, and its text."""


class Medium(Protocol):
    """Sets pieces in one medium. Every method returns text in that medium."""

    fractions_hold: bool
    """Whether a fraction needs no brackets inside a product."""

    known: MutableMapping[Expr, Piece]
    """The pieces set so far; a line shares most of its pieces with the line before."""

    @property
    def apart(self) -> Medium:
        """The same medium for a piece that is one place, whatever is inside."""

    def placed(self, text: str, at: Path) -> str:
        """Name the place of a piece inside the expression that is being set."""

    def moved(self, text: str, at: Path) -> str:
        """Return a piece that was set as a whole, now at a place inside another one."""

    def symbol(self, symbol: Symbol) -> str:
        """Set a name."""

    def number(self, value: Fraction) -> str:
        """Set a number that is not negative."""

    def word(self, text: str) -> str:
        """Set the name of a dimension or an index."""

    def ones(self, *, row: bool) -> str:
        """Set the vector of ones, as a row or a column."""

    def brackets(self, body: str) -> str:
        """Put round brackets around."""

    def terms(self, signed: Sequence[Term]) -> str:
        """Join terms."""

    def table(self, signed: Sequence[Term]) -> str:
        """Join rows and columns that are all repeated, to the table of their sums."""

    def product(self, op: Op, factors: list[str]) -> str:
        """Join the factors of an elementwise product by its glyph."""

    def juxtapose(self, factors: list[str]) -> str:
        """Set factors beside each other."""

    def dotted(self, factors: list[str]) -> str:
        """Join the factors of a chain rule by dots."""

    def fraction(self, top: str, bottom: str) -> str:
        """Set one over the other."""

    def power(self, base: str, exponent: str) -> str:
        """Set an exponent."""

    def entry_power(self, base: str, exponent: str) -> str:
        """Set the power of every entry, where a power could be that of a matrix."""

    def entry_fraction(self, top: str, bottom: str) -> str:
        """Set a number over every entry, where it could be an inverse."""

    def postfix(self, op: Op, body: str) -> str:
        """Set a glyph behind."""

    def postfixes(self, ops: list[Op], body: str) -> str:
        """Set two glyphs behind as one, the sign first: ``X^-T``."""

    def function(self, op: Op, body: str, options: str) -> str:
        """Set a function of one argument."""

    def constant(self, op: Op) -> str:
        """Set a constant, such as π."""

    def listed(self, arguments: list[str]) -> str:
        """Set arguments beside each other, with commas."""

    def fence(self, op: Op, body: str) -> str:
        """Set an argument between its fences."""

    def comparison(self, sign: str, left: str, right: str) -> str:
        """Set a mask in brackets; the sign is that of plain text, such as ``<=``."""

    def part(self, base: str, ranges: list[tuple[str, str]]) -> str:
        """Set a part of a matrix: a range of its rows and one of its columns, or everything."""

    def stack(self, blocks: list[str], beside: bool) -> str:
        """Set blocks below each other, or beside each other."""

    def entry(self, base: Symbol | str, places: list[str], lowered: bool) -> str:
        """Set a cell: places as subscripts, the letter lowered for an entry of a vector."""

    def total(self, index: Index, body: str) -> str:
        """Set a sum over an index."""

    def round_sum(self, counter: str, first: str, last: str, body: str) -> str:
        """Set a sum over the rounds of a loop."""

    def partial(self, of: str, wrt: str) -> str:
        """Set a derivative."""


class Unplaced:
    """A medium without paths: the text of a piece is the same wherever it stands."""

    def __init__(self) -> None:
        self.known: MutableMapping[Expr, Piece] = WeakKeyDictionary()

    @property
    def apart(self) -> Self:
        """The medium itself."""
        return self

    def placed(self, text: str, at: Path) -> str:
        """Return the text as it is."""
        return text

    def moved(self, text: str, at: Path) -> str:
        """Return the text as it is."""
        return text


def typeset(expr: Expr, medium: Medium) -> str:
    """Set an expression in a medium.

    Parameters
    ----------
    expr : Expr
        The expression.
    medium : Medium
        Sets its pieces, and keeps them for the next expression.
    """
    return _Setter(medium).at_least(expr, (), SUM)


class _Setter:
    """Sets expressions; a path counts from the piece that is being set."""

    def __init__(self, medium: Medium) -> None:
        self.medium = medium

    def at_least(self, expr: Expr, at: Path, holds: int) -> str:
        """Set an expression, bracketed when it holds together less than `holds`."""
        own, text = self.set(expr, at)
        return text if own >= holds else self.medium.brackets(text)

    def set(self, expr: Expr, at: Path) -> Piece:
        """Return how tightly an expression holds, and its text."""
        shown, at = _shown(expr, at)
        known = self.medium.known.get(shown)
        if known is None:
            holds, text = self._set(shown)
            known = self.medium.known[shown] = holds, self.medium.placed(text, ())
        holds, text = known
        return holds, self.medium.moved(text, at)

    def _set(self, expr: Expr) -> Piece:
        m = self.medium
        if isinstance(expr, Symbol):
            return ATOM, m.symbol(expr)
        if isinstance(expr, Number):
            if expr.value < 0:
                return SIGNED, m.terms([Term(True, m.number(-expr.value))])
            whole = expr.value.denominator == 1 or m.fractions_hold
            return (ATOM if whole else RATIO), m.number(expr.value)
        if isinstance(expr, Entry):
            return ATOM, self._entry(expr)
        if isinstance(expr, Total):
            return TOTAL, m.total(expr.index, self.at_least(expr.body, (0,), TOTAL))
        if isinstance(expr, RoundSum):
            body = self.at_least(expr.body, (0,), TOTAL)
            return TOTAL, m.round_sum(expr.counter, expr.first, expr.last, body)
        if isinstance(expr, Partial):
            apart = _Setter(m.apart)  # a derivative is one place
            return JUXTAPOSED, m.partial(
                apart.at_least(expr.of, (), ATOM), apart.at_least(expr.wrt, (), ATOM)
            )
        assert isinstance(expr, Apply)
        return self._apply(expr)

    def _apply(self, expr: Apply) -> Piece:
        m, op, args = self.medium, expr.op, expr.args
        inside = [(k,) for k in range(len(args))]
        match op.notation.layout:
            case Layout.SUM if (mask := _excluded(expr)) is not None:
                return ATOM, self._comparison(EXCLUDED[sign_of(mask[0])], *mask)
            case Layout.SUM:
                join = m.table if _is_table(expr) else m.terms
                return SUM, join([self._term(*each) for each in zip(args, inside, strict=True)])
            case Layout.PREFIX:
                return SIGNED, m.terms([Term(True, self.at_least(args[0], inside[0], TOTAL))])
            case Layout.PRODUCT:
                return self._product(expr)
            case Layout.CHAIN:
                return CHAIN, m.juxtapose(
                    [self._link(*each) for each in zip(args, inside, strict=True)]
                )
            case Layout.FRACTION if _is_scalar(args[0]) and _is_bare(args[1]):
                return RATIO, m.entry_fraction(
                    self.at_least(args[0], inside[0], JUXTAPOSED),
                    self.at_least(args[1], inside[1], POSTFIX),
                )
            case Layout.FRACTION if m.fractions_hold:
                return CHAIN, m.fraction(
                    self.at_least(args[0], inside[0], SUM), self.at_least(args[1], inside[1], SUM)
                )
            case Layout.FRACTION:
                # A derivative that is asked for has a line of its own: bracket it above a line.
                asks = any(isinstance(node, Partial) for node in walk(args[0]))
                return RATIO, m.fraction(
                    self.at_least(args[0], inside[0], CHAIN if asks else JUXTAPOSED),
                    self.at_least(args[1], inside[1], POSTFIX),
                )
            case Layout.POWER:
                raised = m.entry_power if _is_bare(args[0]) else m.power
                if len(args) > 1:
                    exponent = self.at_least(args[1], inside[1], SUM)
                else:
                    exponent = _Setter(m.apart).at_least(Number(expr.attrs[0]), (), SUM)
                return POSTFIX, raised(self.at_least(args[0], inside[0], ATOM), exponent)
            case Layout.POSTFIX:
                inner = args[0]
                postfix = isinstance(inner, Apply) and inner.op.notation.layout is Layout.POSTFIX
                if isinstance(inner, Apply) and postfix and inner.op is not op:  # not (X^T)^T
                    ops = sorted((inner.op, op), key=lambda each: each.notation.plain)
                    return POSTFIX, m.postfixes(
                        ops, self.at_least(inner.args[0], (*inside[0], 0), ATOM)
                    )
                return POSTFIX, m.postfix(op, self.at_least(inner, inside[0], ATOM))
            case Layout.FENCE if sign_of(expr) and _has_two_sides(_shown(args[0])[0]):
                return ATOM, self._comparison(sign_of(expr), expr, ())
            case Layout.FENCE:
                squared = op.notation.plain[-1].isdigit()  # ``norm(x)^2`` ends in an exponent
                return POSTFIX if squared else ATOM, m.fence(
                    op, self.at_least(args[0], inside[0], SUM)
                )
            case Layout.PART:
                return ATOM, m.part(self.at_least(args[0], inside[0], ATOM), _ranges(expr.attrs))
            case Layout.STACK:
                return ATOM, m.stack(self._all(expr, SUM), expr.attrs[0] == 1)
            case Layout.CONSTANT:
                return ATOM, m.constant(op)
            case Layout.FUNCTION if not args:
                own = op.notation.options is not axis_option
                size = m.word(op.notation.options(expr.attrs) if own else str(expr.attrs[0]))
                return ATOM, m.function(op, size, "") if op.notation.plain else size
            case _:
                body = m.listed(self._all(expr, SUM))
                return ATOM, m.function(op, body, op.notation.options(expr.attrs))

    def _all(self, expr: Expr, holds: int) -> list[str]:
        return [self.at_least(arg, (k,), holds) for k, arg in enumerate(expr.args)]

    def _term(self, expr: Expr, at: Path) -> Term:
        inner, at = _shown(expr, at)
        if isinstance(inner, Apply) and inner.op.notation.layout is Layout.PREFIX:
            return Term(True, self.at_least(inner.args[0], (*at, 0), TOTAL), at)
        if isinstance(inner, Number) and inner.value < 0:
            return Term(True, self.medium.placed(self.medium.number(-inner.value), at))
        return Term(False, self.at_least(inner, at, TOTAL))

    def _comparison(self, sign: str, mask: Apply, at: Path) -> str:
        """Set a mask: the two sides of a difference, or an expression and 0."""
        inner, place = _shown(mask.args[0], (*at, 0))
        if isinstance(inner, Apply) and is_negated(inner):
            sign, inner, place = TURNED[sign], inner.args[0], (*place, 0)  # -r > 0 is r < 0
        if not _is_difference(inner):
            zero = _Setter(self.medium.apart).at_least(Number(0), (), SUM)
            return self.medium.comparison(sign, self.at_least(inner, place, SUM), zero)
        sides = dict[bool, str]()
        for k, arg in enumerate(inner.args):
            shown, there = _shown(arg, (*place, k))
            negative = _is_negative(shown)
            if negative and isinstance(shown, Apply):
                shown, there = shown.args[0], (*there, 0)
            elif negative and isinstance(shown, Number):
                shown = Number(-shown.value)
            sides[negative] = self.at_least(shown, there, SUM)
        return self.medium.comparison(sign, sides[False], sides[True])

    def _product(self, expr: Apply) -> Piece:
        """Set an elementwise product: scalars first, matrices joined by the glyph."""
        args: list[tuple[Expr, Path]] = [(arg, (k,)) for k, arg in enumerate(expr.args)]
        scalars = [each for each in args if _is_scalar(each[0])]
        matrices = [each for each in args if not _is_scalar(each[0])]
        if not matrices and any(isinstance(arg, Partial) for arg, _ in scalars):
            return JUXTAPOSED, self._chain_product(scalars)
        if not matrices:
            scalars = coefficients_first(scalars)
        front = [self.at_least(*each, JUXTAPOSED + 1) for each in scalars]
        if not matrices:
            return JUXTAPOSED, self.medium.juxtapose(front)
        head = [*front, self.at_least(*matrices[0], JUXTAPOSED if not front else CHAIN)]
        first = self.medium.juxtapose(head) if front else head[0]
        if len(matrices) == 1:
            return JUXTAPOSED, first
        rest = [self.at_least(*each, JUXTAPOSED) for each in matrices[1:]]
        return ELEMENTWISE, self.medium.product(expr.op, [first, *rest])

    def _chain_product(self, scalars: list[tuple[Expr, Path]]) -> str:
        """Set a product with open derivatives: a dot before each, answers juxtaposed."""
        groups: list[list[tuple[Expr, Path]]] = []
        for each in scalars:
            asks = isinstance(each[0], Partial)
            if groups and not asks and not isinstance(groups[-1][-1][0], Partial):
                groups[-1].append(each)
            else:
                groups.append([each])
        set_groups = [
            self.medium.juxtapose([self.at_least(*each, JUXTAPOSED + 1) for each in group])
            if not isinstance(group[0][0], Partial)
            else self.at_least(*group[0], JUXTAPOSED)
            for group in groups
        ]
        return self.medium.dotted(set_groups)

    def _link(self, expr: Expr, at: Path) -> str:
        shown, at = _shown(expr, at)
        if isinstance(shown, Number) and shown.value == 1 and shown.shape != SCALAR:
            return self.medium.placed(self.medium.ones(row=shown.shape[0] == 1), at)
        return self.at_least(shown, at, CHAIN)

    def _entry(self, expr: Entry) -> str:
        places = [str(place) for place in expr.places if place is not None]
        matrix = expr.matrix
        if isinstance(matrix, Symbol):
            return self.medium.entry(matrix, places, _is_lowered(matrix))
        if isinstance(matrix, Apply) and matrix.op.notation.cell:
            return self.medium.entry(Symbol(matrix.op.notation.cell, matrix.shape), places, False)
        if isinstance(matrix, Apply) and matrix.op.notation.places is not None:
            (inner,) = matrix.args
            there = matrix.op.notation.places(inner.shape, matrix.attrs, *expr.places)
            if there is not None and isinstance(inner, Symbol):
                return self.medium.entry(inner, [*there], _is_lowered(inner))
        pushed = self._pushed(expr, places)
        if pushed is not None:
            return pushed
        body = self.at_least(matrix, (0,), SUM)
        if not (isinstance(matrix, Apply) and matrix.op.notation.layout is Layout.STACK):
            body = self.medium.brackets(body)
        return self.medium.entry(body, places, False)

    def _pushed(self, expr: Entry, places: list[str]) -> str | None:
        """Write entry p of ``L X^T`` as ``L X_p^T``: the row p of X, transposed."""
        matrix = expr.matrix
        if not (isinstance(matrix, Apply) and matrix.op.notation.layout is Layout.CHAIN):
            return None
        *front, last = matrix.args
        if expr.row is not None or not isinstance(last, Apply):
            return None
        if last.op.notation.layout is not Layout.POSTFIX or not isinstance(last.args[0], Symbol):
            return None
        behind = (0, len(front))
        row = self.medium.placed(self.medium.entry(last.args[0], places, False), (*behind, 0))
        return self.medium.juxtapose(
            [
                *(self._link(arg, (0, k)) for k, arg in enumerate(front)),
                self.medium.placed(self.medium.postfix(last.op, row), behind),
            ]
        )


def _excluded(expr: Apply) -> tuple[Apply, Path] | None:
    """Return the mask of ``1 - [z > 0]``, which is written ``[z <= 0]``, and its path."""
    if len(expr.args) != 2 or not isinstance(expr.args[0], Number) or expr.args[0].value != 1:
        return None
    negative, at = _shown(expr.args[1], (1,))
    if not (isinstance(negative, Apply) and negative.op.notation.layout is Layout.PREFIX):
        return None
    mask, at = _shown(negative.args[0], (*at, 0))
    return (mask, at) if isinstance(mask, Apply) and sign_of(mask) in EXCLUDED else None


def _has_two_sides(expr: Expr) -> bool:
    """Whether a mask compares more than an expression with 0: two terms, or minus one of them."""
    return _is_difference(expr) or (isinstance(expr, Apply) and is_negated(expr))


def _is_difference(expr: Expr) -> bool:
    """Whether an expression is one term less another one."""
    if not (isinstance(expr, Apply) and expr.op.notation.layout is Layout.SUM):
        return False
    signs = [_is_negative(_shown(arg)[0]) for arg in expr.args]
    return sorted(signs) == [False, True] and not _is_table(expr)


def _is_negative(shown: Expr) -> bool:
    if isinstance(shown, Number):
        return shown.value < 0
    return isinstance(shown, Apply) and shown.op.notation.layout is Layout.PREFIX


def _is_hidden(expr: Expr) -> bool:
    return isinstance(expr, Apply) and expr.op.notation.layout is Layout.HIDDEN


def _shown(expr: Expr, at: Path = ()) -> tuple[Expr, Path]:
    """Return what stands on the page for an expression, and its path."""
    while _is_hidden(expr):
        expr, at = expr.args[0], (*at, 0)
    return expr, at


def _is_table(expr: Apply) -> bool:
    """Whether no term of a sum has its shape: a row and a column are both repeated."""
    wide = 1 not in expr.shape
    return (
        wide
        and all(
            not isinstance(shown := _shown(arg)[0], Number) and shown.shape != expr.shape
            for arg in expr.args
        )
        and any(_shown(arg)[0].shape != SCALAR for arg in expr.args)
    )


def _ranges(attrs: tuple[Any, ...]) -> list[tuple[str, str]]:
    """Return the ranges of rows and columns, counted as in NumPy; empty for all."""
    return [
        ("", "") if end is None else (str(first), str(end)) for first, end in (attrs[:2], attrs[2:])
    ]


def _is_scalar(expr: Expr) -> bool:
    shown, _ = _shown(expr)
    return isinstance(shown, Number) or shown.shape == SCALAR


def _is_bare(expr: Expr) -> bool:
    """Whether a part is a square matrix with no sign in it that goes entry by entry.

    Its power and its reciprocal could then be those of a matrix: `reading` asks for the same ones.
    """
    if is_tensor(expr.shape):
        return False
    rows, columns = expr.shape
    if rows != columns or rows == 1 or isinstance(expr, Number | Entry | Total | Partial):
        return False
    if not isinstance(expr, Apply):
        return True
    layout, args = expr.op.notation.layout, expr.args
    match layout:
        case Layout.SUM:
            return all(arg.shape == expr.shape and _is_bare(arg) for arg in args)
        case Layout.PRODUCT:
            matrices = [arg for arg in args if not _is_scalar(arg)]
            return len(matrices) == 1 and _is_bare(matrices[0])
        case Layout.PREFIX:
            return _is_bare(args[0])
        case Layout.FRACTION:
            return _is_scalar(args[1]) and _is_bare(args[0])
        case Layout.POWER | Layout.HIDDEN:
            return False
    return not expr.op.elementwise


def _is_lowered(symbol: Symbol) -> bool:
    """Whether an entry is written in lower case (a_i of A); a weight keeps its W."""
    return 1 in symbol.shape and not symbol.name.startswith(("W", "dW"))
