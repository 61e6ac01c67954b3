"""Signs that mean two things for a square matrix: the error names the token to add.

``X^2`` may be ``X .^ 2``, the square of every entry, or ``X @^ 2``, the product ``X X``; ``1/X``
may be ``1 ./ X`` or ``X^-1``. Where the part that is raised or divided by goes entry by entry
itself, as ``1 + exp(-X)`` does, nothing is asked.
"""

from __future__ import annotations

from fractions import Fraction

from chainrule.calculus.graph.dims import SCALAR, is_tensor
from chainrule.calculus.graph.node import Expr, Number
from chainrule.calculus.ops import inverse, matmul
from chainrule.errors import ShapeError
from chainrule.language.reading.complaints import quoted
from chainrule.language.reading.context import Context, Star
from chainrule.language.reading.syntax import PRODUCT, SUM
from chainrule.language.reading.tree import (
    Bracket,
    Call,
    Chain,
    Compared,
    Fence,
    Joined,
    Minus,
    Node,
    Power,
)
from chainrule.language.reading.words import ENTRYWISE, LARGER

MAX_FACTORS = 16
"""The largest power of a matrix, which is written as a product."""


def matrix_power(within: Context, node: Power, base: Expr, exponent: Fraction) -> Expr:
    """Build ``X @^ 3``, the product of a square matrix with itself."""
    whole, factors = quoted(within.text(node)), abs(exponent.numerator)
    if exponent.denominator != 1 or not 1 <= factors <= MAX_FACTORS:
        raise within.error(
            node, f"{whole}: a matrix is multiplied by itself 1 to {MAX_FACTORS} times"
        )
    if is_tensor(base.shape) or base.shape[0] != base.shape[1]:
        raise within.error(
            node,
            f"{whole}: only a square matrix is multiplied by itself; for the power of every "
            "entry write .^",
        )
    try:
        factor = inverse(base) if exponent < 0 else base
    except ShapeError as error:
        raise within.error(node, f"{whole}: {error.fact}") from None
    found = factor
    for _ in range(factors - 1):
        found = matmul(found, factor)
    return found


def ask_power(within: Context, node: Power, base: Expr, exponent: Fraction) -> None:
    """Ask what the power of a square matrix is."""
    if not _asks(within, base) or node.sign != "^" or exponent in (1, -1):
        return
    if isinstance(base, Number) or _entrywise(within, node.base):
        return
    shown = quoted(within.text(node.base))
    power = str(exponent) if exponent.denominator == 1 else f"({exponent})"
    matrix = f" or {shown} @^ {power} for the matrix power" if exponent.denominator == 1 else ""
    raise within.error(
        node,
        f"{shown} is a square matrix, so {quoted(within.text(node))} can be read in two ways; "
        f"write {shown} .^ {power} for the power of every entry{matrix}",
    )


def ask_quotient(within: Context, node: Chain, joined: Joined, top: Expr, bottom: Expr) -> None:
    """Ask what a number over a square matrix is."""
    if joined.dotted or not _asks(within, bottom) or top.shape != SCALAR:
        return
    if isinstance(bottom, Number) or _entrywise(within, joined.operand):
        return
    over = quoted(within.line.text[node.start : joined.at].strip())
    below = quoted(within.text(joined.operand))
    inverted = f"{below}^-1" if over == "1" else f"{over} {below}^-1"
    raise within.line.error(
        f"{below} is a square matrix, so {over}/{below} can be read in two ways; write "
        f"{over} ./ {below} for one over every entry or {inverted} for the inverse",
        joined.at,
    )


def _asks(within: Context, value: Expr) -> bool:
    if is_tensor(value.shape):
        return False
    rows, columns = value.shape
    return within.star is Star.ASK and rows == columns != 1


def _entrywise(within: Context, node: Node) -> bool:
    """Whether a part can only be meant entry by entry."""
    match node:
        case Bracket():
            return _entrywise(within, node.inner)
        case Minus():
            return _entrywise(within, node.operand)
        case Compared():
            return True
        case Fence():
            return not node.norm
        case Call():
            own = within.functions.known.get(node.function)
            closed = own is not None and own.row is not None
            return closed or node.function in ENTRYWISE or node.function in LARGER
        case Power():
            return node.sign == ".^" or _entrywise(within, node.base)
        case Chain() if node.level == SUM:
            terms = [node.first, *(joined.operand for joined in node.rest)]
            shapes = {within.expr(term).shape for term in terms}
            return len(shapes) > 1 or any(_entrywise(within, term) for term in terms)
        case Chain() if node.level == PRODUCT:
            if any(joined.dotted or joined.operator == ".*" for joined in node.rest):
                return True
            matrices = _matrices(within, node)
            return len(matrices) > 1 or any(_entrywise(within, part) for part in matrices)
        case Chain():
            matrices = _matrices(within, node)
            return len(matrices) == 1 and _entrywise(within, matrices[0])
    return False


def _matrices(within: Context, node: Chain) -> list[Node]:
    """Return the operands of a chain that are not numbers."""
    operands = [node.first, *(joined.operand for joined in node.rest)]
    return [operand for operand in operands if within.expr(operand).shape != SCALAR]


__all__ = ["ask_power", "ask_quotient", "matrix_power"]
