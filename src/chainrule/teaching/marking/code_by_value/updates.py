"""Steps downhill that carry their gradient: ``w -= lr * X.T @ (p - y) / n``."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Sequence

from chainrule.teaching.marking.code_by_value.words import is_scalar_name, word_of

_RATE = re.compile(
    r"(?i)lr|l_?rate|eta\d?|alpha|a_?lpha|rate|learn\w*|step(?:_?size)?|epsilon|eps|gamma|mu|nu"
)
"""Names of the length of a step."""

_AVERAGES = re.compile(
    r"(?i)v_?\w{0,4}|m_?\w{0,3}|s_?d\w+|\w*_?hat|veloc\w*|moment\w*|cache\w*|\w*accum\w*"
)
"""Names of running averages of gradients, which steps with momentum and Adam use."""


def is_rate(name: str) -> bool:
    """Whether a name is one of those given to the length of a step."""
    return _RATE.fullmatch(name) is not None


def gradient_of_step(op: type[ast.operator], value: ast.expr) -> ast.expr | None:
    """Return the gradient in the amount of a step; None where the amount carries none.

    Parameters
    ----------
    op : type of ast.operator
        ``ast.Sub`` for a step downhill, ``ast.Add`` for what is added.
    value : ast.expr
        The amount: ``lr * X.T @ (p - y) / n``.
    """
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        return gradient_of_step(ast.Add if op is ast.Sub else ast.Sub, value.operand)
    stripped = _Stripped()
    rest = stripped.stripped(copy.deepcopy(value))
    if not stripped.found or not _computes(rest):
        return None
    return rest if op is ast.Sub else ast.copy_location(ast.UnaryOp(ast.USub(), rest), value)


def step_of(target: ast.expr, value: ast.expr) -> tuple[type[ast.operator], ast.expr] | None:
    """Return the sign and the amount of ``w = w - lr * g``; None for another assignment."""
    held = getattr(value, "step_of_", None)  # a walk asks the same of each node again
    if held is None:
        held = (_step_of(target, value),)
        value.step_of_ = held  # type: ignore[attr-defined]
    found: tuple[type[ast.operator], ast.expr] | None = held[0]
    return found


def _step_of(target: ast.expr, value: ast.expr) -> tuple[type[ast.operator], ast.expr] | None:
    """Return the sign and the amount of a step, found anew."""
    if not (isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub)):
        return None
    if ast.unparse(value.left) == ast.unparse(target):
        return type(value.op), value.right
    if isinstance(value.op, ast.Add) and ast.unparse(value.right) == ast.unparse(target):
        return ast.Add, value.left
    inner = _step_of(target, value.left)  # w = w - lr * g - lr * lam * w has two amounts
    if inner is None:
        return None
    sign, amount = inner
    same: type[ast.operator] = ast.Add if isinstance(value.op, sign) else ast.Sub
    return sign, ast.copy_location(ast.BinOp(amount, same(), value.right), value)


def stepped_names(statements: Sequence[ast.stmt]) -> frozenset[str]:
    """Return the names that steps with a gradient in them change.

    Parameters
    ----------
    statements : sequence of ast.stmt
        The code.
    """
    found: set[str] = set()
    for whole in statements:
        for node in ast.walk(whole):
            if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
                if gradient_of_step(type(node.op), node.value) is not None:
                    found.add(word_of(node.target))
            elif isinstance(node, ast.Assign) and len(node.targets) == 1:
                step = step_of(node.targets[0], node.value)
                if step is not None and gradient_of_step(*step) is not None:
                    found.add(word_of(node.targets[0]))
    return frozenset(found)


class _Stripped:
    """Replace the factor that is the length of the step by one."""

    def __init__(self) -> None:
        self.found = False

    def stripped(self, node: ast.expr) -> ast.expr:
        """Return the amount without its length."""
        match node:
            case ast.BinOp(op=ast.Mult() | ast.Div() | ast.MatMult()):
                node.left = self.stripped(node.left)
                if not self.found and isinstance(node.op, ast.Mult | ast.MatMult):
                    node.right = self.stripped(node.right)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                ends = []
                for side in (node.left, node.right):
                    inner = _Stripped()
                    ends.append(inner.stripped(side))
                    self.found = self.found or inner.found
                node.left, node.right = ends
            case ast.UnaryOp():
                node.operand = self.stripped(node.operand)
            case ast.Call(func=ast.Attribute(attr="multiply" | "dot") | ast.Name(id="mtimes")) if (
                node.args
            ):
                node.args = [one if self.found else self.stripped(one) for one in node.args]
            case ast.Name() | ast.Attribute() if _RATE.fullmatch(word_of(node)):
                self.found = True
                return ast.copy_location(ast.Constant(1.0), node)
            case ast.Constant(value=float(number)) if 0 < number < 0.6:
                self.found = True
                return ast.copy_location(ast.Constant(1.0), node)
        return node


def _computes(rest: ast.expr) -> bool:
    """Whether an amount computes a gradient, rather than using one by its name."""
    names = [word_of(node) for node in ast.walk(rest) if isinstance(node, ast.Name | ast.Attribute)]
    if any(word in ("sqrt", "norm", "clip") for word in names):
        return False
    factors = _factors(rest)
    values = [one for one in factors if not (
        isinstance(one, ast.Constant) or is_scalar_name(word_of(one))
    )]  # fmt: skip
    if len(values) == 1 and isinstance(values[0], ast.Name | ast.Attribute | ast.Subscript):
        return False
    if any(_AVERAGES.fullmatch(word_of(one)) for one in values):
        return False
    return not _decays(rest)


def _decays(rest: ast.expr) -> bool:
    """Whether an amount adds named gradients, as in ``dW + decay * W``."""
    if isinstance(rest, ast.UnaryOp):
        return _decays(rest.operand)
    return isinstance(rest, ast.BinOp) and isinstance(rest.op, ast.Add | ast.Sub) and not any(
        isinstance(node, ast.Call | ast.MatMult) for node in ast.walk(rest)
    )  # fmt: skip


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.MatMult):
        return [*_factors(node.left), *_factors(node.right)]
    if isinstance(node, ast.UnaryOp):
        return _factors(node.operand)
    if isinstance(node, ast.Call) and word_of(node.func) == "mtimes":
        return [factor for one in node.args for factor in _factors(one)]
    return [node]


__all__ = ["gradient_of_step", "is_rate", "step_of", "stepped_names"]
