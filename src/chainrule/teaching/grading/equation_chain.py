"""An equation in one reading, with the judgement of its equals signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

from chainrule.calculus.graph.dims import SCALAR, Index
from chainrule.calculus.graph.node import Expr, Number, replaced, running, symbols
from chainrule.calculus.ops import delta, mul, rebuild, transpose
from chainrule.teaching.marking.judging import EqualityJudge, Finding
from chainrule.teaching.marking.line_context import LineContext
from chainrule.teaching.marking.reading import Reading


@dataclass
class EquationChain:
    """An equation in one reading, with the judgement of its equals signs."""

    sides: list[Expr]
    context: LineContext
    reading: Reading
    goes_on: bool = False  # with the equation of the line before
    findings: list[Finding] = field(default_factory=list)
    unresolved: list[Expr] = field(default_factory=list)  # with the directions as written
    partial: EquationChain | None = None  # the same in partial derivatives, where it holds

    @property
    def held(self) -> str:
        """The values that the partial derivatives in it hold fixed."""
        *others, last = [symbol.name for symbol in self.context.held]
        return f"{', '.join(others)} and {last}" if others else last

    @property
    def moves(self) -> bool:
        """Whether it is in differential form."""
        return self.context.differentials is not None

    @property
    def unmoved(self) -> bool:
        """Whether it is in differential form, and no side has a direction."""
        moving = self.context.differentials
        return moving is not None and all(
            symbol is self.context.model.objective for symbol in moving.named
        )

    @property
    def alone(self) -> bool:
        """Whether its right sides use no name of a gradient."""
        return not any(
            name in self.context.gradients for side in self.sides[1:] for name in symbols(side)
        )

    @property
    def failed(self) -> int:
        """The first equals sign that does not hold, from 1; 0 when all hold."""
        return next((k for k, f in enumerate(self.findings, 1) if not f.holds), 0)


def guard_of(
    context: LineContext, condition: str, reading: Reading, *, diagonal: bool
) -> Expr | None:
    """Return an indicator of where an equation is claimed: ``if i ≠ j``."""
    if condition and not reading.apart:
        one, sign, other = tuple(condition)
        if (dim := context.indices.get(one)) is None or context.indices.get(other) != dim:
            return None
        same = delta(dim, Index(one, dim), Index(other, dim))
        return same if sign == "=" else 1 - same
    off_diagonal = context.twice and diagonal
    first = context.asked is not None and context.asked.of is not context.model.objective
    if not reading.apart or not (first or off_diagonal):
        return None
    pairs = [(o, t) for o, t in combinations(context.indices.items(), 2) if o[1] == t[1]]
    guards = [1 - delta(d, Index(one, d), Index(other, d)) for (one, d), (other, _) in pairs]
    return mul(*guards) if guards else None


def right_if_symmetric(judge: EqualityJudge, chain: EquationChain, failed: int) -> str:
    """Return the square inputs with which an equation holds if they are symmetric."""
    square = [s for s in judge.model.inputs if s.shape[0] == s.shape[1] and s.shape != SCALAR]
    place = failed - 1 + chain.goes_on
    context = chain.context
    sides = [context.meant(side) for side in chain.sides[place : place + 2]]
    if not square or any(context.has_placeholders(side) or running(side) for side in sides):
        return ""
    for symbol in square:
        twice = symbol + transpose(symbol)
        left, right = (replaced(judge.model.opened(s), {symbol: twice}, rebuild) for s in sides)
        if left is not sides[0] or right is not sides[1]:
            found = judge.equal(context, left, right)
            if found.holds and not found.note:
                return symbol.name
    return ""


def says_nothing(judge: EqualityJudge, chain: EquationChain, guard: Expr | None) -> bool:
    """Whether an equation of two different places holds since both sides are zero there."""
    first, last = chain.sides[0], chain.sides[-1]
    if not chain.reading.apart or guard is None or chain.failed or last == Number(0):
        return False
    zero = Number(0, first.shape)
    return judge.equal(chain.context, first, zero, guard=guard).holds


__all__ = ["EquationChain", "guard_of", "right_if_symmetric", "says_nothing"]
