"""The tree into an expression, directed by the shapes of its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from chainrule.calculus.graph.dims import SCALAR, is_tensor, written
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, walk
from chainrule.calculus.ops import (
    absolute,
    align,
    exp,
    inverse,
    neg,
    norm,
    power,
    reduce_sum,
    size,
    squared_norm,
    transpose,
)
from chainrule.calculus.ops.elementary import raised, zero_mask
from chainrule.errors import ParseError, ShapeError
from chainrule.language.reading import ambiguity, calls, chains, index_sums, places
from chainrule.language.reading.complaints import quoted, unknown
from chainrule.language.reading.context import Context
from chainrule.language.reading.tree import (
    Blocks,
    Bracket,
    Call,
    Chain,
    Compared,
    Fence,
    Indexed,
    Literal,
    Minus,
    Name,
    Node,
    Ones,
    Part,
    Power,
    Summation,
    Transposed,
)
from chainrule.language.reading.words import CONSTANTS

MAX_EXPONENT = 64
EXAMPLES = ("i", "j", "t")
"""Letters that count examples, as in ``x^{(i)}``."""

MAX_BITS = 2000
MAX_HEIGHT = 150


@dataclass(frozen=True)
class Elaborator(Context):
    """Builds the expressions of one line; the fields are those of its context."""

    def whole(self, node: Node) -> Expr:
        """Build the expression of a whole line and hold it to the limit on its height."""
        expr = self.expr(node)
        height: dict[Expr, int] = {}
        for part in walk(expr):
            height[part] = 1 + max((height[arg] for arg in part.args), default=0)
        if height[expr] > MAX_HEIGHT:
            raise self.error(
                node,
                f"this expression is {height[expr]} operations high, past the limit of "
                f"{MAX_HEIGHT}; give a part of it a name on a line of its own",
            )
        return expr

    def pieces(self, node: Node, count: int) -> list[Expr]:
        """Build the equal parts of a line with several names before its sign."""
        return places.pieces(self, node, count)

    def expr(self, node: Node) -> Expr:
        """Build the expression of a node."""
        match node:
            case Literal():
                return Number(node.value)
            case Name():
                return self.name(node)
            case Bracket():
                return self.expr(node.inner)
            case Minus():
                return neg(self.expr(node.operand))
            case Chain():
                return chains.fold(self, node)
            case Power():
                return self.power(node)
            case Transposed():
                return transpose(self.expr(node.operand))
            case Fence():
                return self.fence(node)
            case Compared():
                return self.mask(node)
            case Call():
                return calls.call(self, node)
            case Part():
                return places.taken(self, node)
            case Blocks():
                return places.blocks(self, node)
            case Summation() if not self.answer:
                return index_sums.summed(self, node)
            case Indexed() if not self.answer:
                return index_sums.place(self, node)
            case Ones():
                raise self.error(
                    node,
                    "cannot infer the length of this vector of ones; write ones(rows, columns)",
                )
            case _:
                return self.beyond(node)

    def beyond(self, node: Node) -> Expr:
        """Refuse what only an answer may hold; the reader of answers does otherwise."""
        raise self.error(node, f"{quoted(self.text(node))} has no meaning in a forward pass")

    def name(self, node: Name) -> Expr:
        """Look a name up: a symbol, the size of a dimension, or a constant."""
        symbol = self.scope.get(node.name)
        if symbol is not None:
            return symbol
        if node.name in self.dims:
            return size(node.name)
        if self.later.get(node.name) == self.line.number:
            raise self.error(
                node, f"{self.text(node)} is defined by itself; give the new value another name"
            )
        if node.name in self.starts:
            shown = self.text(node)
            raise self.error(
                node,
                f"{shown} comes before the first round of the loop on line "
                f"{self.starts[node.name]}; declare it or define it above the loop",
            )
        if node.name in CONSTANTS and node.name not in self.later:
            return Apply(CONSTANTS[node.name], ())
        known = {name: expr for name, expr in self.scope.items() if isinstance(expr, Symbol)}
        said = unknown(self.text(node), node.name, known, self.later, answer=self.answer)
        raise self.error(node, said)

    def power(self, node: Power) -> Expr:
        """Read a power; the square of a norm is one operation."""
        base = node.base
        if isinstance(base, Name) and base.name == "e" and "e" not in self.scope:
            return exp(self.expr(node.exponent))
        free = None if node.sign == "@^" else self.free_exponent(node)
        if free is not None:
            return free
        exponent = self.exponent(node.exponent)
        inner = base
        while isinstance(inner, Bracket):
            inner = inner.inner
        if exponent == 2:
            if isinstance(inner, Fence) and inner.norm and inner.order in ("", "2", "F"):
                return squared_norm(self.expr(inner.inner))
            if isinstance(inner, Call) and inner.function == "norm" and not inner.power:
                return calls.call(self, replace(inner, function="squared_norm"))
        value = self.expr(base)
        if node.sign == "@^":
            return ambiguity.matrix_power(self, node, value, exponent)
        ambiguity.ask_power(self, node, value, exponent)
        if node.sign == ".^" and value.shape != SCALAR:
            return power(value, exponent)
        return self.raised(node, value, exponent)

    def free_exponent(self, node: Power) -> Expr | None:
        """Read a power whose exponent is an expression, ``x^a``; nothing where it is a number."""
        exponent = self.expr(node.exponent)
        if isinstance(exponent, Number) and exponent.shape == SCALAR:
            return None
        letter = self.text(node.exponent).strip("{() }")
        if letter in EXAMPLES and letter != self.text(node.exponent):
            raise self.error(
                node.exponent,
                f"^({letter}) marks the value of one example; write the pass with matrices, "
                f"as X : (n, m), or for one example without ({letter}); an exponent is ^{letter}",
            )
        base = self.expr(node.base)
        if isinstance(base, Number) and base.value <= 0:
            raise self.error(
                node,
                f"the base of a free exponent is positive, since {quoted(self.text(node))} means "
                "e^(exponent log base); write another base",
            )
        try:
            return raised(base, exponent)
        except ShapeError as error:
            raise self.error(node, f"{quoted(self.text(node))}: {error.fact}") from None

    def exponent(self, node: Node) -> Fraction:
        """Read an exponent: a number within the limit."""
        value = self.expr(node)
        if not isinstance(value, Number) or value.shape != SCALAR:
            raise self.error(
                node,
                f"the exponent {quoted(self.text(node))} is not a number; powers are fixed "
                "numbers here, and ^T is the transpose",
            )
        if abs(value.value.numerator) > MAX_EXPONENT or value.value.denominator > MAX_EXPONENT:
            raise self.error(
                node, f"this exponent is past the limit of {MAX_EXPONENT}; write a smaller one"
            )
        return value.value

    def raised(self, node: Node, base: Expr, exponent: Fraction) -> Expr:
        """Raise to a fixed number, within the limits."""
        if isinstance(base, Number):
            if base.value == 0 and exponent < 0:
                raise self.error(node, "this divides by 0; write another base")
            if base.value < 0 and exponent.denominator != 1:
                raise self.error(node, "a root of a negative number; write another base")
            bits = max(base.value.numerator.bit_length(), base.value.denominator.bit_length())
            if bits * abs(exponent) > MAX_BITS:
                raise self._too_long(node)
        if is_tensor(base.shape):
            return power(base, exponent)
        rows, columns = base.shape
        if exponent == -1 and rows == columns and base.shape != SCALAR:
            return inverse(base)
        if exponent == -1 and base.shape != SCALAR and not self.answer:
            shown = quoted(self.text(node)).rpartition("^")[0] or "X"
            raise self.error(
                node,
                f"{quoted(self.text(node))} would be an inverse, and a matrix of shape "
                f"{written(base.shape)} has none; "
                f"write {shown}^T for the transpose or 1/{shown} for one over every entry",
            )
        return power(base, exponent)

    def bounded(self, node: Node, value: Expr) -> Expr:
        """Hold a folded number to the limit on its length."""
        if isinstance(value, Number):
            longest = max(abs(value.value.numerator), value.value.denominator)
            if longest.bit_length() > MAX_BITS:
                raise self._too_long(node)
        return value

    def _too_long(self, node: Node) -> ParseError:
        return self.error(node, "this number is past the limit; round it, or give it a name")

    def fence(self, node: Fence) -> Expr:
        """Read bars."""
        inner = self.expr(node.inner)
        if not node.norm:
            return absolute(inner)
        if node.order == "1":
            return reduce_sum(absolute(inner))
        if node.order not in ("", "2", "F"):
            raise self.error(node, f"a norm of order {node.order}; the orders here are 1 and 2")
        return norm(inner)

    def mask(self, node: Compared) -> Expr:
        """Read a comparison as a mask: where the two sides tie, > gives 0 and >= gives 1."""
        left, right = self.expr(node.left), self.expr(node.right)
        try:
            align((left, right))
        except ShapeError as error:
            raise self.error(node, f"{quoted(self.text(node))}: {error.fact}") from None
        if node.operator in ("<", ">="):
            left, right = right, left
        excess = left if isinstance(right, Number) and right.value == 0 else left - right
        if node.operator in ("==", "!="):
            same = zero_mask(excess)
            return same if node.operator == "==" else 1 - same
        mask = calls.masked(excess)
        return mask if node.operator in ("<", ">") else 1 - mask
