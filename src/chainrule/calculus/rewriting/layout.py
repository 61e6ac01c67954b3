"""The last look at a matrix form: transposes where they are fewest, terms together, plus first."""

from __future__ import annotations

from collections import Counter
from functools import reduce
from operator import matmul

from chainrule.calculus.graph.node import Expr, Number, transform, walk
from chainrule.calculus.ops import add, broadcast, mul, neg, transpose
from chainrule.calculus.rewriting.rule import is_op


def laid_out(matrix: Expr) -> Expr:
    """Lay a matrix form out as a person would.

    A transpose goes into a product where it meets another one, ``(W X^T)^T`` is ``X W^T``; equal
    terms become one with a number in front; a positive term is written first.
    """
    return transform(matrix, _laid_out)


def _laid_out(node: Expr) -> Expr:
    if is_op(node, "transpose"):
        turned = _turned(node.args[0])
        return turned if _transposes(turned) <= _transposes(node) else node
    if is_op(node, "broadcast") and is_op(node.args[0], "neg"):
        return neg(broadcast(node.args[0].args[0], node.shape))
    if not is_op(node, "add"):
        return node
    counts = Counter(node.args)
    terms = [count * term for term, count in counts.items()]
    return add(*sorted(terms, key=lambda term: is_op(term, "neg")))


def _turned(expr: Expr) -> Expr:
    """Write a transpose as a product of transposes, the numbers and signs in front."""
    if is_op(expr, "neg"):
        return neg(_turned(expr.args[0]))
    if is_op(expr, "mul") and isinstance(expr.args[0], Number) and len(expr.args) == 2:
        return mul(Number(expr.args[0].value), _turned(expr.args[1]))
    if is_op(expr, "matmul"):
        return reduce(matmul, (transpose(factor) for factor in reversed(_chain(expr))))
    return transpose(expr)


def _chain(expr: Expr) -> list[Expr]:
    if is_op(expr, "matmul"):
        return [factor for arg in expr.args for factor in _chain(arg)]
    return [expr]


def _transposes(expr: Expr) -> int:
    """Count the transposes that are written, each as often as it is."""
    count: dict[Expr, int] = {}
    for node in walk(expr):
        count[node] = is_op(node, "transpose") + sum(count[arg] for arg in node.args)
    return count[expr]
