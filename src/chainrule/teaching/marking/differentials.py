r"""Differential form: ``dJ = tr(G^T dX)``, ``df = 2 (X w - y)^T X dw``.

Here ``dX`` is a direction and not a gradient: the line claims what the objective changes by, to
first order, when X moves along any direction. Names that depend on others of the line move with
these; with no name on the line, as in ``df = 2 r^T d(X w - y)``, every input moves.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from chainrule.calculus.derivation.sensitivity import entry_by_entry, on_paths, pulled
from chainrule.calculus.graph.dims import SCALAR, Index
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import (
    Expr,
    Number,
    Position,
    Symbol,
    Total,
    entry,
    substitute,
    symbols,
)
from chainrule.calculus.ops import add, mul, reduce_sum
from chainrule.errors import UndecidedError
from chainrule.language.answers import spelled
from chainrule.teaching.marking.line_context import LineContext

DIFFERENTIAL = "differential"
"""The function that ``d(A B)`` is read as."""

_OF_PART = re.compile(r"(?<![\w\\])(?:\\mathrm\s*\{?\s*d\s*\}?|d)\s*(?=(?:\\left\s*)?\()")
_APART = re.compile(r"(?<![\w\\])(?:\\mathrm\s*\{\s*d\s*\}|\\mathrm\s+d|d)\s+(?=[A-Za-z])")
_OF_BRACKET = re.compile(r"(?<![\w\\])(?:\\mathrm\s*\{?\s*d\s*\}?|d)\s*\[")
_DIRECTION = re.compile(r"(?<![A-Za-z\\])(?:\^T\s*)?d(?:\\?[A-Za-z]|\s*[(\[])|\^T\s*d[A-Za-z]")
_INNER = re.compile(r"(?:\\langle|⟨)\s*(.+?)\s*,\s*([^,]+?)\s*(?:\\rangle|⟩)")


def direction(symbol: Symbol) -> Symbol:
    """Return the direction along which a symbol moves."""
    return Symbol(f"∆{symbol.name}", symbol.shape)


def with_directions(model: Model) -> Model:
    """Return a forward pass with a direction for every name."""
    return replace(model, inputs=(*model.inputs, *(direction(s) for s in model.symbols)))


def is_differential(text: str, objective: str) -> bool:
    """Whether the left side of a line is the differential of the objective."""
    left, equals, _ = text.partition("=")
    left = _APART.sub("d", left).strip()
    try:
        return bool(equals) and left[:1] == "d" and spelled(left[1:]) == spelled(objective)
    except ValueError:
        return False


def moves(text: str, knows: Callable[[str], bool]) -> bool:
    """Whether a line gives the differential of a value by others: ``dP = A dX B``."""
    left, equals, right = text.partition("=")
    left = _APART.sub("d", left).strip()
    if not equals or left[:1] != "d" or not _DIRECTION.search(_APART.sub("d", right)):
        return False
    try:
        return knows(spelled(left[1:]))
    except ValueError:
        return False


def in_one_form(text: str) -> str:
    r"""Write ``\mathrm{d} X``, ``d(A B)``, ``⟨G, dX⟩`` and ``G : dX`` in one form each."""
    text = _of_brackets(text)
    text = _APART.sub("d", _OF_PART.sub(DIFFERENTIAL, text))
    return _INNER.sub(r"tr((\1)^T (\2))", text)


def _of_brackets(text: str) -> str:
    """Write ``d[tr(X^T X)]`` as ``d(tr(X^T X))``."""
    while (match := _OF_BRACKET.search(text)) is not None:
        depth, at = 0, match.end() - 1
        for at in range(match.end() - 1, len(text)):
            depth += (text[at] == "[") - (text[at] == "]")
            if depth == 0:
                break
        inner = text[match.end() : at]
        text = f"{text[: match.start()]}d({inner}){text[at + 1 :]}"
    return text


@dataclass
class Differentials:
    """The directions in one line.

    Parameters
    ----------
    context : LineContext
        Of the line.
    named : list of Symbol
        What has a direction on the line.
    carried : list of Symbol
        What has one on the lines that it goes on with.
    """

    context: LineContext
    named: list[Symbol] = field(default_factory=list)
    carried: list[Symbol] = field(default_factory=list)

    def name(self, symbol: Symbol) -> Symbol:
        """Read ``dX``."""
        if symbol not in self.named:
            self.named.append(symbol)
        return direction(symbol)

    def part(self, value: Expr) -> Expr:
        """Read ``d(A B)``."""
        target = Symbol("⟨part⟩", value.shape)
        model = self.context.model
        within = replace(model, definitions=(*model.definitions, Definition(target, value)))
        return self._moved(within, target)

    @property
    def moving(self) -> list[Symbol]:
        """Variables that vary independently."""
        model = self.context.model
        named = [s for s in self.named if s is not model.objective]
        for symbol in named:
            if symbol in model.values and not self._depends(model.objective, symbol):
                raise UndecidedError(
                    f"{model.objective.name} does not depend on {symbol.name} as it is written "
                    "above, so this cannot be judged",
                    line=self.context.line.number,
                    column=1,
                )
        if not named:
            return [s for s in model.inputs if s not in model.numbered]
        return [s for s in named if not any(self._depends(s, o) for o in named if o is not s)]

    def resolved(self, side: Expr) -> Expr:
        """Replace the directions of names that depend on others."""
        model, moving = self.context.model, self.moving
        meaning: dict[Expr, Expr] = {}
        for symbol in dict.fromkeys((*self.named, *self.carried)):
            if symbol in moving or direction(symbol) not in symbols(side):
                continue
            if symbol.shape == SCALAR:
                terms = (
                    _inner(pulled(model, symbol, s, Number(1)), direction(s))
                    for s in moving
                    if self._depends(symbol, s)
                )
                meaning[direction(symbol)] = add(Number(0), *terms)
            else:
                meaning[direction(symbol)] = self._moved(model, symbol)
        return substitute(side, meaning)

    def _moved(self, model: Model, of: Symbol) -> Symbol:
        """Return the differential of a value, entry by entry."""
        return self.context.placeholder(
            f"d{of.name}", of.shape, lambda r, c: self._entry(model, of, (r, c))
        )

    def _depends(self, of: Symbol, wrt: Symbol) -> bool:
        return wrt in on_paths(self.context.model, of, wrt)

    def _entry(self, model: Model, of: Symbol, at: tuple[Position, Position]) -> Expr:
        """Return one entry of the differential of a value."""
        terms = []
        for symbol in self.moving:
            if not on_paths(model, of, symbol):
                continue
            rows, columns = (self.context.letters.bound(dim) for dim in symbol.shape)
            slope = entry_by_entry(model, of, at, symbol, (rows, columns), self.context.letters)
            form = mul(slope, entry(direction(symbol), rows, columns))
            for index in (columns, rows):
                form = Total(index, form) if isinstance(index, Index) else form
            terms.append(form)
        return add(*terms) if terms else Number(0)


def _inner(gradient: Expr, along: Symbol) -> Expr:
    """Return the inner product of two matrices of one shape."""
    return reduce_sum(mul(gradient, along))
