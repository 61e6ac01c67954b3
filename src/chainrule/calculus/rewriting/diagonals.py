"""Scaling rows or columns inside a product, written with a diagonal matrix.

``(X .* a) X^T`` scales column i of X by a_i. The literature writes ``X diag(a) X^T``, where the
eye sees that the matrix is symmetric.
"""

from __future__ import annotations

from chainrule.calculus.graph.node import Expr, Number, transform
from chainrule.calculus.ops import diag, eye, matmul, mul, transpose
from chainrule.calculus.rewriting.rule import Rule, is_op


def _scaling(expr: Expr) -> Expr | None:
    """Rewrite an elementwise product of a matrix with repeated vectors as a product."""
    if not is_op(expr, "mul") or 1 in expr.shape:
        return None
    rows, columns = expr.shape
    whole, left, right = list[Expr](), list[Expr](), list[Expr]()
    for factor in expr.args:
        inner = factor.args[0] if is_op(factor, "broadcast") else factor
        if inner.shape == (rows, 1):
            left.append(inner)
        elif inner.shape == (1, columns):
            right.append(inner)
        else:
            whole.append(factor)
    front = [factor for factor in whole if isinstance(factor, Number) or _is_repeated(factor)]
    matrices = [factor for factor in whole if factor not in front]
    if not matrices or not (left or right):
        return None
    product = mul(*matrices)
    if any(factor is eye(rows) for factor in matrices):
        if len(matrices) > 1:
            return None
        product = diag(mul(*left, *(transpose(vector) for vector in right)))
    else:
        product = matmul(diag(mul(*left)), product) if left else product
        product = matmul(product, diag(mul(*right))) if right else product
    return mul(*front, product) if front else product


def _is_repeated(expr: Expr) -> bool:
    return is_op(expr, "broadcast") and expr.args[0].shape == (1, 1)


def _product(expr: Expr) -> Expr | None:
    """Rewrite the scaled factors of a matrix product, transposed or not; and of the identity."""
    if is_op(expr, "mul") and any(is_op(factor, "eye") for factor in expr.args):
        return _scaling(expr)
    if not is_op(expr, "matmul"):
        return None
    factors = [_factor(factor) for factor in expr.args]
    if all(new is old for new, old in zip(factors, expr.args, strict=True)):
        return None
    product = factors[0]
    for factor in factors[1:]:
        product = matmul(product, factor)
    return product


def _factor(expr: Expr) -> Expr:
    if is_op(expr, "transpose"):
        scaled = _scaling(expr.args[0])
        return expr if scaled is None else _turned(scaled)
    return _scaling(expr) or expr


def _turned(expr: Expr) -> Expr:
    """Transpose a product factor by factor; a diagonal matrix stays."""
    if is_op(expr, "matmul"):
        return matmul(_turned(expr.args[1]), _turned(expr.args[0]))
    if is_op(expr, "mul"):
        return mul(*(_turned(factor) for factor in expr.args))
    return expr if is_op(expr, "diag") else transpose(expr)


DIAGONALS = Rule(
    "scaling is a product with a diagonal matrix",
    "a diagonal matrix on the left scales the rows, on the right the columns",
    lambda expr: transform(expr, lambda node: _product(node) or node),
)

__all__ = ["DIAGONALS"]
