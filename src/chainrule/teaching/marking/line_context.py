"""The context of one line of an answer: its names, its indices and its placeholders.

A column of a matrix, a sum over matrices or a table of derivatives is not a node of the graph. Each
gets a *placeholder*: a symbol of its shape, with a recipe for its entries. `LineContext.opened`
reads an expression entry by entry and inserts the recipes, so that one method judges all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from chainrule.calculus.derivation.sensitivity import entry_by_entry, on_paths, pulled
from chainrule.calculus.derivation.sweep import pullback
from chainrule.calculus.graph.dims import Dim, Index, Shape, written
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Position,
    Symbol,
    replaced,
    substitute,
    symbols,
    walk,
)
from chainrule.calculus.graph.op import closed
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import read_entry
from chainrule.calculus.ops import mul, rebuild
from chainrule.errors import ScopeError, UndecidedError, UnmetError
from chainrule.language.answers import Lexicon
from chainrule.language.reading.tokens import Line

Place = tuple[Position, Position]
"""A row and a column: an index, a number, or nothing along an axis of length one."""

MAX_CLAIMS = 20
"""The most claims that may be nested."""

Recipe = Callable[[Position, Position], Expr]


class Directions(Protocol):
    """The directions ``dX`` in a line in differential form."""

    named: list[Symbol]

    def name(self, symbol: Symbol) -> Symbol:
        """Read ``dX``."""

    def part(self, value: Expr) -> Expr:
        """Read ``d(A B)``."""

    def resolved(self, side: Expr) -> Expr:
        """Replace the directions of names that depend on others."""


class JacobianLayout(Enum):
    """The layout of the derivative of one vector with respect to another, where none is given."""

    ENTRIES = "entry by entry"
    NUMERATOR = "one row for each entry above the line"
    DENOMINATOR = "one row for each entry below the line"


@dataclass(frozen=True)
class AskedDerivative:
    """The derivative that a line is about.

    Parameters
    ----------
    of, wrt : Symbol
        The value and the variable.
    of_at, wrt_at : tuple of Position or None
        The entry of each; None for the whole.
    """

    of: Symbol
    wrt: Symbol
    of_at: Place | None = None
    wrt_at: Place | None = None

    @property
    def row(self) -> Position:
        """The row of the variable's entry."""
        return None if self.wrt_at is None else self.wrt_at[0]

    @property
    def col(self) -> Position:
        """The column of the variable's entry."""
        return None if self.wrt_at is None else self.wrt_at[1]


class HeldFixed(Enum):
    """The values that a partial derivative holds fixed."""

    NOTHING = "nothing: the total derivative"
    STATISTICS = "values with fewer entries than the variable, such as means and variances"
    OTHERS = "all other values in the definition"


@dataclass
class Claims:
    """The names and the claims of the earlier lines of an answer.

    Parameters
    ----------
    recipes : dict of Symbol to callable
        The placeholders, with the entries of each.
    gradients : dict of Symbol to Symbol
        The names of gradients, and the symbol each belongs to.
    local : dict of Symbol to Expr
        Names that the answer gave to values of its own.
    wrong : dict of Symbol to Expr
        Gradients that the answer got wrong, by the variable, as it has them.
    slopes : dict of (Symbol, Symbol) to Expr
        Derivatives of one value by the next that it got wrong.
    truths : dict of Symbol to Expr
        The right gradients that were asked for so far.
    named : set of Symbol
        The variables whose gradients stood on a left side.
    scales : dict of Symbol to Expr
        The factors by which the author's gradients differ from those of the objective, by
        convention.
    """

    recipes: dict[Symbol, Recipe] = field(default_factory=dict)
    gradients: dict[Symbol, Symbol] = field(default_factory=dict)
    local: dict[Symbol, Expr] = field(default_factory=dict)
    wrong: dict[Symbol, Expr] = field(default_factory=dict)
    slopes: dict[tuple[Symbol, Symbol], Expr] = field(default_factory=dict)
    truths: dict[Symbol, Expr] = field(default_factory=dict)
    named: set[Symbol] = field(default_factory=set)
    scales: dict[Symbol, Expr] = field(default_factory=dict)

    def scaled(self, variable: Symbol, gradient: Expr) -> Expr:
        """Return a gradient of the objective in the author's convention."""
        scale = self.scales.get(variable)
        return gradient if scale is None else mul(scale, gradient)

    def unscaled(self, variable: Symbol, gradient: Expr) -> Expr:
        """Return the gradient of the objective for a gradient in the author's convention."""
        scale = self.scales.get(variable)
        return gradient if scale is None else gradient / scale

    @property
    def erred(self) -> bool:
        """Whether an earlier claim is wrong."""
        return bool(self.wrong or self.slopes)

    def pull(self, definition: Definition, wrt: Symbol, cotangent: Expr) -> Expr:
        """Pull back through one definition, with the claims of the answer."""
        slope = self.slopes.get((definition.target, wrt))
        if slope is None:
            return pullback(definition.value, wrt, definition.target, cotangent)[0]
        return cotangent * slope


@dataclass
class LineContext:
    """The state of one line.

    Parameters
    ----------
    model : Model
        The forward pass, with names for what was nested.
    lexicon : Lexicon
        The meaning of names.
    line : Line
        For errors that point into it.
    layout : JacobianLayout
        The layout of derivatives of vectors with respect to vectors.
    indices : dict of str to Dim
        The free indices met so far, and what each runs over.
    claims : Claims
        The names and claims of earlier lines.
    holding : HeldFixed
        Which values derivatives of intermediate values hold fixed.
    """

    model: Model
    lexicon: Lexicon
    line: Line
    layout: JacobianLayout = JacobianLayout.ENTRIES
    indices: dict[str, Dim] = field(default_factory=dict)
    claims: Claims = field(default_factory=lambda: Claims())
    holding: HeldFixed = HeldFixed.NOTHING
    held: list[Symbol] = field(default_factory=list)  # the values that were held fixed so far
    summed: dict[str, Dim | None] = field(default_factory=dict)  # open sums, innermost last
    shape: Shape | None = None  # of the left side, once it is read
    differentials: Directions | None = None  # where ``dX`` is a direction
    derived: AskedDerivative | None = None  # the derivative that was read last
    asked: AskedDerivative | None = None  # the one on the left side
    twice: bool = False  # whether a second derivative was read

    def __post_init__(self) -> None:
        self.recipes, self.gradients = self.claims.recipes, self.claims.gradients
        taken = {character for character in self.line.text if character.isalpha()}
        dims = {dim for symbol in self.model.symbols for dim in symbol.shape}
        self.letters = Letters(dims, taken)

    # ---- indices -----------------------------------------------------------------------------

    def index(self, letter: str, dim: Dim, at: int) -> Position:
        """Use a letter or a number as the index along a dimension."""
        if dim == 1:
            return None
        if letter.isdigit():
            place = int(letter)
            if place == 0:
                raise self.line.error(
                    "the place 0 counts from 0, and places count from 1 here; write the entry with "
                    "a letter",
                    at,
                    UndecidedError,
                )
            if isinstance(dim, int) and place > dim:
                raise self.line.error(f"there is no entry {letter} among {dim}", at, UnmetError)
            return place
        known = self.summed.get(letter) if letter in self.summed else self.indices.get(letter)
        if known is not None and known != dim:
            raise self.line.error(
                f"the index {letter} runs over {known}, and here stands where {dim} entries are",
                at,
                UnmetError,
            )
        if letter in self.summed:
            self.summed[letter] = dim
        else:
            self.indices[letter] = dim
        return Index(letter, dim)

    def known(self, letter: str) -> Dim | None:
        """Return the dimension of an index, where it is determined."""
        return self.summed.get(letter) or self.indices.get(letter)

    def begin_sum(self, letter: str, dim: Dim | None, at: int) -> None:
        """Open a sum; its index may not be free or summed already."""
        if letter in self.indices:
            raise self.line.error(
                f"the index {letter} is free here and bound by this sum at once: "
                f"no sum over {letter} belongs here",
                at,
                ScopeError,
            )
        if letter in self.summed:
            raise self.line.error(
                f"{letter} is the index of two sums, one inside the other; give one another letter",
                at,
                ScopeError,
            )
        self.summed[letter] = dim

    def end_sum(self, letter: str, at: int) -> Index:
        """Close the innermost sum over a letter."""
        dim = self.summed.pop(letter)
        if dim is None:
            raise self.line.error(
                f"nothing under this sum has the index {letter}; say where it ends, as in "
                f"∑_{{{letter}=1}}^m",
                at,
                ScopeError,
            )
        return Index(letter, dim)

    # ---- placeholders ---------------------------------------------------------------------------

    def placeholder(self, name: str, shape: Shape, recipe: Recipe) -> Symbol:
        """Return a symbol for a matrix that is given entry by entry."""
        symbol = Symbol(f"⟨{name} {len(self.recipes)}⟩", shape)
        self.recipes[symbol] = recipe
        return symbol

    def gradient(self, symbol: Symbol) -> Symbol:
        """Return the symbol of the objective's gradient with respect to a symbol."""
        name = Symbol(f"d{symbol.name}", symbol.shape)
        self.gradients[name] = symbol
        return name

    def opened(self, expr: Expr, row: Position, col: Position) -> Expr:
        """Return one entry of an expression, with the recipes of its placeholders inserted."""
        return self.filled(read_entry(expr, row, col, self.letters))

    def filled(self, form: Expr) -> Expr:
        """Insert the recipes of placeholders in an index form."""
        mapping: dict[Expr, Expr] = {}
        for node in walk(form):
            if isinstance(node, Entry) and node.matrix in self.recipes:
                assert isinstance(node.matrix, Symbol)
                mapping[node] = self.recipes[node.matrix](node.row, node.col)
            elif isinstance(node, Symbol) and node in self.recipes and node.shape == (1, 1):
                mapping[node] = self.recipes[node](None, None)
        done = replaced(form, mapping, rebuild)
        if any(symbol in self.recipes for symbol in symbols(done)):
            raise self.line.error(
                "a part of a matrix stands inside a function of the whole; "
                "write this with whole matrices, or entry by entry",
                0,
                UndecidedError,
            )
        return done

    def has_placeholders(self, expr: Expr) -> bool:
        """Whether an expression can only be read entry by entry."""
        return any(symbol in self.recipes for symbol in symbols(expr))

    # ---- derivatives -------------------------------------------------------------------------

    def truth(self, variable: Symbol, *, carried: bool = False) -> Expr:
        """Return the objective's gradient with respect to a symbol, by the reverse sweep.

        It is scaled by the author's convention.

        With `carried`, it follows from the earlier wrong claims.
        """
        objective = self.model.objective
        if not carried:
            known = self.claims.truths
            if variable not in known:
                whole = pulled(self.model, objective, variable, Number(1))
                known[variable] = self.claims.scaled(variable, whole)
            return known[variable]
        if variable in self.claims.wrong:
            return self.claims.wrong[variable]
        wrong = {s: self.claims.unscaled(s, claim) for s, claim in self.claims.wrong.items()}
        whole = pulled(
            self.model, objective, variable, Number(1), known=wrong, pull=self.claims.pull
        )
        return self.claims.scaled(variable, whole)

    def meant(self, expr: Expr, *, carried: bool = False) -> Expr:
        """Replace names of gradients, and names that the answer introduces, by their values."""
        local = self.claims.local
        while any(name in local for name in symbols(expr)):
            own: dict[Expr, Expr] = {n: local[n] for n in symbols(expr) if n in local}
            expr = substitute(expr, own)
        for _ in range(MAX_CLAIMS):  # a claim may speak of the gradients of other lines
            used = {s: self.gradients[s] for s in symbols(expr) if s in self.gradients}
            if not used:
                break
            meant: dict[Expr, Expr] = {s: self.truth(of, carried=carried) for s, of in used.items()}
            expr = substitute(expr, meant)
        return expr

    def partial(
        self,
        of: Symbol,
        of_at: tuple[Position, Position],
        wrt: Symbol,
        wrt_at: tuple[Position, Position],
    ) -> Expr:
        """Return the derivative of one entry with respect to another."""
        return entry_by_entry(self.between(of, wrt), of, of_at, wrt, wrt_at, self.letters)

    def between(self, of: Symbol, wrt: Symbol) -> Model:
        """Return the forward pass for a derivative, without the values that are held fixed."""
        if self.holding is HeldFixed.NOTHING:
            return self.model
        inside = on_paths(self.model, of, wrt) - {of, wrt}
        if self.holding is HeldFixed.OTHERS:
            inside &= symbols(self.model.values.get(of, of))
        else:
            inside = {symbol for symbol in inside if _rank(symbol) < _rank(wrt)}
        self.held += [s for s in self.model.values if s in inside and s not in self.held]
        kept = tuple(d for d in self.model.definitions if d.target not in inside)
        return replace(self.model, definitions=kept)

    def table(self, of: Symbol, wrt: Symbol, at: int) -> Expr:
        """Return the derivative of one symbol with respect to another as a whole.

        Raises
        ------
        UndecidedError
            When it takes more than two indices.
        """
        if of.shape == (1, 1):
            return pulled(self.between(of, wrt), of, wrt, Number(1))
        name = f"∂{of.name}/∂{wrt.name}"
        if wrt.shape == (1, 1):
            return self.placeholder(
                name, of.shape, lambda r, c: self.partial(of, (r, c), wrt, (None, None))
            )
        if (
            self.layout is JacobianLayout.ENTRIES
            and of.shape == wrt.shape
            and self.is_entrywise(of, wrt)
        ):
            return self.placeholder(
                name, of.shape, lambda r, c: self.partial(of, (r, c), wrt, (r, c))
            )
        if 1 not in of.shape or 1 not in wrt.shape:
            raise self.line.error(
                f"{name} has four indices: {of.name} is {written(of.shape)} and {wrt.name} is "
                f"{written(wrt.shape)}; write it entry by entry, or the whole product",
                at,
                UndecidedError,
            )
        above, below = (max(s.shape, key=lambda dim: dim != 1) for s in (of, wrt))
        if self.layout is JacobianLayout.DENOMINATOR:
            return self.placeholder(
                name,
                (below, above),
                lambda r, c: self.partial(of, _along(of, c), wrt, _along(wrt, r)),
            )
        return self.placeholder(
            name, (above, below), lambda r, c: self.partial(of, _along(of, r), wrt, _along(wrt, c))
        )

    def is_entrywise(self, of: Symbol, wrt: Symbol) -> bool:
        """Whether every entry of one symbol depends on the same entry of the other alone."""
        if of is wrt:
            return True
        for definition in self.model.definitions:
            uses = wrt in symbols(definition.value) or definition.target is of
            if uses and definition.target is not self.model.objective:
                for node in walk(definition.value):
                    if not isinstance(node, Apply) or node.op.elementwise:
                        continue
                    if node.op.index is closed or wrt in symbols(node):
                        return False
        return True


def _rank(symbol: Symbol) -> int:
    """Return the number of dimensions along which a symbol has several entries."""
    return sum(dim != 1 for dim in symbol.shape)


def _along(symbol: Symbol, place: Position) -> tuple[Position, Position]:
    """Put an index along the only long dimension of a vector."""
    return (place, None) if symbol.shape[1] == 1 else (None, place)
