"""Affine functions of the score and the target, in which the expressions of a loss are written."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from chainrule.calculus.graph.node import Apply, Expr, Number, symbols, walk
from chainrule.emission.formula import SCORE, TARGET

EXPONENTIALS = frozenset({"exp", "expm1", "sigmoid", "tanh", "cosh", "sinh"})
"""The operations that are rational in an exponential of their argument."""


@dataclass(frozen=True)
class Affine:
    """a z + b y + c plus multiples of constants that have no exact value, such as log 3."""

    z: Fraction = Fraction(0)
    y: Fraction = Fraction(0)
    one: Fraction = Fraction(0)
    rest: tuple[tuple[Expr, Fraction], ...] = ()

    def plus(self, other: Affine, factor: Fraction = Fraction(1)) -> Affine:
        """Return this plus a multiple of another."""
        rest = dict(self.rest)
        for node, value in other.rest:
            rest[node] = rest.get(node, Fraction(0)) + factor * value
        return Affine(
            self.z + factor * other.z,
            self.y + factor * other.y,
            self.one + factor * other.one,
            tuple((node, value) for node, value in rest.items() if value),
        )


def affine(expr: Expr) -> Affine | None:
    """Return an expression as an affine function of score and target, where it is one."""
    if isinstance(expr, Number):
        return Affine(one=expr.value)
    if expr is SCORE:
        return Affine(z=Fraction(1))
    if expr is TARGET:
        return Affine(y=Fraction(1))
    found = _combined(expr) if isinstance(expr, Apply) else None
    if found is None and not symbols(expr):
        return Affine(rest=((expr, Fraction(1)),))
    return found


def _combined(expr: Apply) -> Affine | None:
    """Return a sum, a multiple or a logarithm as an affine function, where it is one."""
    name, args = expr.op.name, expr.args
    if name in ("log", "log1p"):
        return Affine(rest=((expr, Fraction(1)),))
    if name in ("add", "neg"):
        parts = [affine(arg) for arg in args]
        total = Affine()
        for part in parts:
            if part is None:
                return None
            total = total.plus(part, Fraction(-1 if name == "neg" else 1))
        return total
    if name == "mul":
        factor, others = Fraction(1), []
        for arg in args:
            if isinstance(arg, Number):
                factor *= arg.value
            else:
                others.append(arg)
        inner = affine(others[0]) if len(others) == 1 else None
        return None if inner is None else Affine().plus(inner, factor)
    if name == "div" and isinstance(args[1], Number) and args[1].value:
        inner = affine(args[0])
        return None if inner is None else Affine().plus(inner, 1 / args[1].value)
    return None


def common_line(exprs: tuple[Expr, ...]) -> tuple[Affine, int]:
    """Return the affine function v of the score in which expressions are written, and k.

    v is the exponent of an exponential where there is one, else what is squared or compared; k is
    the common denominator of the exponents as multiples of v.
    """
    exponents: list[Affine] = []
    others: list[Affine] = []
    for expr in exprs:
        for node in walk(expr):
            if not isinstance(node, Apply):
                continue
            for arg in node.args:
                form = affine(arg)
                if form is None or not form.z:
                    continue
                exponential = node.op.name in EXPONENTIALS
                (exponents if exponential else others).append(form)
    if not exponents:
        # a difference z - y says more than z or y by itself
        chosen = min(others, key=lambda form: (form.y == 0, bool(form.rest)), default=None)
        if chosen is None:
            return Affine(z=Fraction(1)), 1
        line = Affine().plus(chosen, 1 / chosen.z)
        return Affine(line.z, line.y), 1
    first = exponents[0]
    line = Affine().plus(first, Fraction(1 if first.z > 0 else -1))
    return line, lcm(*((form.z / line.z).denominator for form in exponents))
