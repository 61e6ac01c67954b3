"""Functions that a forward pass defines for itself, as rows: ``f(z) = z sigmoid(z)``.

Such a row stays closed on the board, so a layer reads ``dA .* f'(Z)``. Its value is that of its
body, and its slope is again such a row, whose body is the derivative of the body.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, walk
from chainrule.calculus.graph.op import Layout, Mistake, Notation, Op
from chainrule.calculus.ops.elementwise import mul
from chainrule.calculus.ops.sign_analysis import meets_corner

MODULE_WORDS = frozenset(
    {"forward", "backward", "check", "draw", "cache", "np", "torch", "jax", "jnp"}
    | {"dtype", "device", "like"}
)
"""What an emitted module is itself made of."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Own(Op):
    """The row of a function that a forward pass defines.

    Parameters
    ----------
    parameter : Symbol
        What its argument is called, a scalar.
    body : Expr
        What it stands for.
    derived : callable
        Returns the derivative of a body with respect to its parameter.
    stable : callable
        Gives the form of a body that is run.
    integral : Own or None
        The row that this one is the slope of.
    """

    parameter: Symbol
    body: Expr
    derived: Callable[[Expr, Symbol], Expr]
    stable: Callable[[Expr], Expr]
    integral: Own | None = None

    @cached_property
    def slope(self) -> Own:
        """The row of the derivative."""
        body = self.derived(self.body, self.parameter)
        return own(f"{self.name}'", self.parameter, body, self.derived, self.stable, self)


def own(
    name: str,
    parameter: Symbol,
    body: Expr,
    derived: Callable[[Expr, Symbol], Expr],
    stable: Callable[[Expr], Expr],
    integral: Own | None = None,
) -> Own:
    """Make the row of a function of one entry."""

    def vjp(g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...]) -> tuple[Expr, ...]:
        return (mul(g, Apply(row.slope, args)),)

    plain = name.rstrip("'")
    word = plain if len(plain) == 1 else rf"\operatorname{{{plain}}}"
    primes = name.removeprefix(plain)
    called = _identifier(name)
    in_pieces = any(isinstance(node, Apply) and node.op.in_pieces for node in walk(body))
    row = Own(
        name=name,
        shape=lambda shapes, attrs: shapes[0],
        value=lambda xp, x, *, out_shape, attrs: _inside(body, parameter, xp, x)[body],
        vjp=vjp,
        notation=Notation(
            Layout.FUNCTION, name, word + primes, name, f"{plain}{' prime' * len(primes)} of"
        ),
        code=lambda x, *, attrs: f"{called}({x})",
        helper=_definition(called, parameter, stable(body)),
        helpers=tuple(
            dict.fromkeys(
                node.op for node in walk(stable(body)) if isinstance(node, Apply) and node.op.helper
            )
        ),
        rule=f"slope of {name}",
        because=f"{name} acts on each entry by itself, with the slope {name}' there",
        elementwise=True,
        activation=integral is None,
        corner=_corner(body),
        margin=(lambda xp, x, *, attrs: _margin(body, parameter, xp, x)) if in_pieces else None,
        mistakes=(
            Mistake(
                "activation derivative dropped",
                f"the factor {name}' is missing",
                lambda g, out, args, attrs: (g,),
            ),
            Mistake(
                "the function for its slope",
                f"{name} stands where its slope {name}' belongs",
                lambda g, out, args, attrs: (mul(g, Apply(row, args)),),
            ),
        ),
        parameter=parameter,
        body=body,
        derived=derived,
        stable=stable,
        integral=integral,
    )
    return row


def _inside(body: Expr, parameter: Symbol, xp: Any, x: Any) -> dict[Expr, Any]:  # noqa: ANN401
    """Return the value of every part of a body where its parameter is `x`."""
    known: dict[Expr, Any] = {parameter: x}
    for node in walk(body):
        if isinstance(node, Number):
            exact = node.value
            plain = int(exact) if exact.denominator == 1 else exact
            known[node] = xp.full(x.shape, plain)
        elif isinstance(node, Apply):
            parts = (known[arg] for arg in node.args)
            known[node] = node.op.value(xp, *parts, out_shape=x.shape, attrs=node.attrs)
    return known


def _corner(body: Expr) -> str:
    """Say where a body has no slope, as its parts say it."""
    found = dict.fromkeys(
        f"where {node.op.name} is not: {node.op.corner}"
        for node in walk(body)
        if isinstance(node, Apply) and meets_corner(node)
    )
    return ", and ".join(found)


def _margin(body: Expr, parameter: Symbol, xp: Any, x: Any) -> Any:  # noqa: ANN401
    """Return how far the parts of a body are from where a slope jumps."""
    known = _inside(body, parameter, _Fractions(xp), x)
    least = xp.full(x.shape, xp.inf)
    for node in walk(body):
        if not isinstance(node, Apply):
            continue
        if node.op.margin is not None:
            parts = [known[arg] for arg in node.args]
            least = xp.minimum(least, node.op.margin(xp, *parts, attrs=node.attrs))
        for arg, domain in zip(node.args, node.op.domain, strict=False):
            if domain.kink is not None:
                least = xp.minimum(least, xp.abs(known[arg] - domain.kink))
    return least


class _Fractions:
    """A namespace whose arrays take fractions as floating-point numbers."""

    def __init__(self, xp: Any) -> None:  # noqa: ANN401
        self._xp = xp

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._xp, name)

    def full(self, shape: tuple[int, ...], value: Any) -> Any:  # noqa: ANN401
        """Fill a shape with one number."""
        return self._xp.full(shape, float(value))


def _definition(called: str, parameter: Symbol, body: Expr) -> str:
    """Write a function in code: every part in brackets, which a formatter takes off."""
    argument = _identifier(parameter.name)

    def text(node: Expr) -> str:
        if isinstance(node, Number):
            exact = node.value
            return str(exact) if exact.denominator == 1 else repr(float(exact))
        if isinstance(node, Apply):
            return node.op.code(*(f"({text(arg)})" for arg in node.args), attrs=node.attrs)
        return argument

    value = text(body)
    if not any(node is parameter for node in walk(body)):
        value = f"np.full({argument}.shape, float({value}))"
    return f"def {called}({argument}):\n    return {value}\n"


def _identifier(name: str) -> str:
    plain = "".join(c if c.isalnum() else "_" for c in name.replace("'", "_prime"))
    taken = keyword.iskeyword(plain) or hasattr(builtins, plain) or plain in MODULE_WORDS
    return f"{plain}_" if taken else plain


__all__ = ["MODULE_WORDS", "Own", "own"]
