"""Chains of operands: sums, products entry by entry, matrix products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chainrule.calculus.graph.dims import SCALAR, Shape, written
from chainrule.calculus.graph.node import Expr, Number, symbols
from chainrule.calculus.ops import add, align, div, matmul, mul, neg
from chainrule.errors import ParseError, ShapeError, UnmetError
from chainrule.language.reading.ambiguity import ask_quotient
from chainrule.language.reading.complaints import quoted, unmet
from chainrule.language.reading.context import Context, Star
from chainrule.language.reading.syntax import MATRIX, SUM
from chainrule.language.reading.tree import Chain, Joined, Node, Ones, Transposed

REPEATING = frozenset({".+", ".-"})
"""Signs that make a table of a row and a column: both are repeated."""

MINUS = frozenset({"-", ".-"})


def fold(within: Context, node: Chain) -> Expr:
    """Build the expression of a chain, from the left."""
    folding = _Folding(within, node)
    if node.level == MATRIX:
        return folding.matrices()
    if node.level == SUM:
        return folding.entries(add, lambda sign, term: neg(term) if sign in MINUS else term)
    return folding.entries(mul, lambda sign, factor: factor)


@dataclass
class _Folding:
    within: Context
    node: Chain
    shape: Shape = SCALAR
    end: int = 0  # where the part that is folded so far ends

    @property
    def left(self) -> str:
        return self.within.line.text[self.node.start : self.end]

    def entries(self, build: Callable[..., Expr], change: Callable[[str, Expr], Expr]) -> Expr:
        """Fold entry by entry.

        Operands that do not widen the result are gathered and handed to the builder at once. The
        result is the same as one by one, and a long sum stays linear in its length.
        """
        run = [self.within.expr(self.node.first)]
        self.shape, self.end = run[0].shape, self.node.first.end
        for joined in self.node.rest:
            right = self.within.expr(joined.operand)
            if joined.operator in ("*", "@", "·", ""):
                if self.is_matrix_product(joined.operator, right):
                    top = build(*run) if len(run) > 1 else run[0]
                    run = [self.within.bounded(joined.operand, matmul(top, right))]
                    self.shape, self.end = run[0].shape, joined.operand.end
                    continue
                if joined.operator == "*":
                    self.settle(joined, right)
                if joined.operator == "@" and SCALAR not in (self.shape, right.shape):
                    fact = f"the inner sizes {self.shape[-1]} and {right.shape[-2]} differ"
                    raise self.unmet(ShapeError(fact), joined, right)
            wide = self.meeting(joined, right)
            constant = len(run) == 1 and isinstance(run[0], Number)
            if joined.operator != "/" and wide == self.shape and not constant:
                run.append(change(joined.operator, right))
            else:
                top = build(*run) if len(run) > 1 else run[0]
                if joined.operator == "/":
                    folded = self.divided(joined, top, right)
                else:
                    folded = build(top, change(joined.operator, right))
                run = [self.within.bounded(joined.operand, folded)]
            self.shape, self.end = wide, joined.operand.end
        return build(*run) if len(run) > 1 else run[0]

    def divided(self, joined: Joined, top: Expr, bottom: Expr) -> Expr:
        if isinstance(bottom, Number) and bottom.value == 0:
            raise self.within.error(joined.operand, "this divides by 0; write another denominator")
        ask_quotient(self.within, self.node, joined, top, bottom)
        return div(top, bottom)

    def meeting(self, joined: Joined, right: Expr) -> Shape:
        """Return the shape of two operands entry by entry, or say why they do not meet."""
        try:
            wide = self.wide(right)
        except ShapeError as error:
            raise self.unmet(error, joined, right) from None
        outer = self.within.star is Star.LOOSE and joined.operator == "*"  # as in code
        if wide in (self.shape, right.shape) or outer or joined.operator in REPEATING:
            return wide
        if self.node.level == SUM and self.has_term(wide):
            return wide
        # A row and a column would make a table: on the board that is mostly a slip.
        fact = f"entry by entry both would have to be repeated to {written(wide)}"
        if joined.operator in ("+", "-"):
            fact += f" (write .{joined.operator} where that table is meant)"
        raise self.unmet(ShapeError(fact), joined, right)

    def has_term(self, shape: Shape) -> bool:
        """Whether some term of a sum has this shape, so that the others are repeated to it."""
        terms = (self.node.first, *(joined.operand for joined in self.node.rest))
        return any(self.within.expr(term).shape == shape for term in terms)

    def wide(self, right: Expr) -> Shape:
        if right.shape in (self.shape, SCALAR):
            return self.shape
        return align((Number(0, self.shape), Number(0, right.shape)))[0].shape

    def is_matrix_product(self, operator: str, right: Expr) -> bool:
        """Whether a sign between products entry by entry is the matrix product all the same."""
        if SCALAR in (self.shape, right.shape) or self.shape[-1] != right.shape[-2]:
            return False
        return operator != "*" or self.within.star is Star.MATRIX

    def settle(self, joined: Joined, right: Expr) -> None:
        """Ask when ``*`` may mean the matrix product."""
        if self.within.star is not Star.ASK:
            return
        if SCALAR in (self.shape, right.shape) or self.shape[-1] != right.shape[-2]:
            return
        try:
            entrywise = self.wide(right) in (self.shape, right.shape)
        except ShapeError:
            entrywise = False
        a, b = quoted(self.left), quoted(self.within.text(joined.operand))
        if entrywise:
            message = (
                f"here `*` could be either product; write `{a} .* {b}` for entry by entry or "
                f"`{a} @ {b}` for the matrix product"
            )
        else:
            message = (
                "`*` is the elementwise product; for the matrix product write "
                f"`{a} {b}` or `{a} @ {b}`"
            )
        raise self.within.line.error(message, joined.at)

    def matrices(self) -> Expr:
        """Fold matrix products; a scalar scales."""
        operands = [self.node.first, *(joined.operand for joined in self.node.rest)]
        result = self.first(operands)
        self.shape, self.end = result.shape, self.node.first.end
        self.clear_fraction(result)
        for place, joined in enumerate(self.node.rest, 1):
            right = self.factor(joined.operand, operands[place + 1 :])
            try:
                product = matmul(result, right)
            except ShapeError as error:
                loose = self.within.star is Star.LOOSE and joined.operator in ("", "·")
                if not loose or self.shape != right.shape:
                    raise self.unmet(error, joined, right) from None
                product = mul(result, right)
            result = self.within.bounded(joined.operand, product)
            self.shape, self.end = result.shape, joined.operand.end
        return result

    def first(self, operands: list[Node]) -> Expr:
        first = operands[0]
        return self.row_of_ones(first, operands[1:]) or self.within.expr(first)

    def factor(self, node: Node, following: list[Node]) -> Expr:
        if isinstance(node, Ones):
            if self.shape == SCALAR and node.digit and following:
                return Number(1)
            if self.shape == SCALAR and node.digit:
                if self.within.star is not Star.ASK:
                    return Number(1)
                raise self.within.error(node, "a 1 after a scalar; leave it out")
            return Number(1, (self.shape[-1], 1))
        return self.row_of_ones(node, following) or self.within.expr(node)

    def row_of_ones(self, node: Node, following: list[Node]) -> Expr | None:
        """Read ``1^T X``: the row is as long as what follows it."""
        if not (isinstance(node, Transposed) and isinstance(node.operand, Ones) and following):
            return None
        return Number(1, (1, self.within.expr(following[0]).shape[-2]))

    def clear_fraction(self, value: Expr) -> None:
        """Ask where a factor after ``a/b`` belongs: above or below the line."""
        if self.within.star is not Star.ASK:
            return  # settled: what follows a fraction multiplies all of it
        first, follower = self.node.first, self.node.rest[0]
        if not isinstance(first, Chain) or follower.operator or not symbols(value):
            return
        line = first.rest[-1]
        if line.operator != "/" or not symbols(self.within.expr(line.operand)):
            return
        if len(first.rest) == 1 and not symbols(self.within.expr(first.first)):
            return
        top = quoted(self.within.line.text[first.start : line.at].strip())
        below, more = self.within.text(line.operand), self.within.text(follower.operand)
        raise self.within.line.error(
            f"this can be read in two ways; write ({top}/{quoted(below)}) {quoted(more)} "
            f"or {top}/({quoted(below)} {quoted(more)})",
            line.at,
        )

    def unmet(self, error: ShapeError, joined: Joined, right: Expr) -> ParseError:
        operator = f" {joined.operator} " if joined.operator else " "
        operands = (
            (self.left, self.shape),
            (self.within.text(joined.operand), right.shape),
        )
        whole = self.within.line.text[self.node.start : joined.operand.end]
        return self.within.line.error(
            unmet(error, whole, operator, operands), self.node.start, UnmetError
        )
