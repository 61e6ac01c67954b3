"""A tape (Wengert list): expressions as one list of elementary operations, each computed once.

Elementwise expressions of the graph are recorded in terms of the operations of
`chainrule.emission.operations`; equal operations get one place, so loss, slope and curvature share
what they have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import isqrt
from types import MappingProxyType
from typing import Any, Final

import mpmath

from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, walk
from chainrule.emission.operations import OPERATIONS
from chainrule.errors import ModelError

Place = int
"""Where an operation stands on the tape."""


class Tape:
    """Records expressions; every place is an input, a constant or an operation on earlier places.

    Parameters
    ----------
    inputs : mapping of Symbol to str
        The symbols that stay free, with their names in code.
    clamped : bool
        Whether exponents stop at 709, so that 0 times an exponential is 0 and never undefined.
        Beyond it the rounding bound is infinite.

    Attributes
    ----------
    lines : list of tuple
        ``("input", name)``, ``("constant", value)`` or ``(operation, *places)``.
    """

    def __init__(self, inputs: Mapping[Symbol, str], *, clamped: bool = False) -> None:
        self.clamped = clamped
        self.lines: list[tuple[Any, ...]] = []
        self._places: dict[tuple[Any, ...], Place] = {}
        self._recorded: dict[Expr, Place] = {
            symbol: self._place(("input", name)) for symbol, name in inputs.items()
        }

    def record(self, root: Expr) -> Place:
        """Record an expression and return the place of its value.

        Raises
        ------
        ModelError
            When it has a function that has no elementary operations here.
        """
        for node in walk(root):
            if node in self._recorded:
                continue
            if isinstance(node, Number):
                self._recorded[node] = self.constant(node.value)
            elif isinstance(node, Apply) and node.op.name in _RECORDERS:
                recorder = _RECORDERS[node.op.name]
                args = [self._recorded[arg] for arg in node.args]
                self._recorded[node] = recorder(self, args, node.attrs)
            else:
                name = node.op.name if isinstance(node, Apply) else repr(node)
                raise ModelError(
                    f"{name} has no elementary operations for kernels; write the loss with "
                    + ", ".join(sorted(_RECORDERS))
                )
        return self._recorded[root]

    def constant(self, value: Fraction | int) -> Place:
        """Return the place of a rational constant."""
        return self._place(("constant", Fraction(value)))

    def apply(self, name: str, *args: Place) -> Place:
        """Return the place of an operation; units of arithmetic and double signs go at once."""
        lines = [self.lines[place] for place in args]
        values = [line[1] if line[0] == "constant" else None for line in lines]
        rational = name in _RATIONAL and all(isinstance(value, Fraction) for value in values)
        if rational and (name != "div" or values[1]):
            return self.constant(OPERATIONS[name].value(*values))
        match name, lines, values:
            case "neg", [("neg", inner)], _:
                return int(inner)
            case "neg", [("sub", a, b)], _:
                return self.apply("sub", b, a)
            case "abs" | "square", [("sub", a, b)], _ if ("sub", b, a) in self._places:
                return self._place((name, self._places["sub", b, a]))
            case "abs", [("neg", inner)], _:
                return self.apply("abs", inner)
            case "abs", [("abs", _)], _:
                return args[0]
            case "add", [_, ("neg", inner)], _:
                return self.apply("sub", args[0], inner)
            case "add", [("neg", inner), _], _:
                return self.apply("sub", args[1], inner)
            case "sub", [_, ("neg", inner)], _:
                return self.apply("add", args[0], inner)
            case "add" | "sub", _, [_, value] if value == 0:
                return args[0]
            case "add", _, [value, _] if value == 0:
                return args[1]
            case "sub", _, [value, _] if value == 0:
                return self.apply("neg", args[1])
            case "mul", _, [value, _] if value == 1:
                return args[1]
            case "mul", _, [_, value] if value == 1:
                return args[0]
            case "mul", _, [value, _] | [_, value] if value == 0:
                return self.constant(0)
            case "mul", [("neg", inner), _], _:
                return self.apply("neg", self.apply("mul", inner, args[1]))
            case "mul", [_, ("neg", inner)], _:
                return self.apply("neg", self.apply("mul", args[0], inner))
            case "mul", _, _ if args[0] == args[1]:
                return self.apply("square", args[0])
            case "square", [("neg" | "abs", inner)], _:
                return self.apply("square", inner)
            case "sqrt", [("add", _, _)], _ if sides := self._sides(args[0]):
                return self._place(("hypot", *sides))
            case "div", _, _ if (root := self._hypotenuse(args[1])) is not None:
                return self.apply("div", self.apply("div", args[0], root), root)
            case "div", [("square", inner), _], _ if self._grows_with(inner, args[1]):
                return self.apply("mul", inner, self.apply("div", inner, args[1]))
            case "div", [("neg", inner), _], _:
                return self.apply("neg", self.apply("div", inner, args[1]))
            case "div", _, [_, Fraction() as value] if value and _has_exact(1 / value):
                return self.apply("mul", self.constant(1 / value), args[0])
            case "mul", [("constant", value), ("mul", inner, other)], _ if (
                self.lines[inner][0] == "constant"
            ):
                return self.apply("mul", self.constant(value * self.lines[inner][1]), other)
            case "mul", [_, ("constant", _)], _:
                return self.apply("mul", args[1], args[0])
        return self._place((name, *args))

    def _sides(self, total: Place) -> tuple[Place, Place] | None:
        """Return a and b where a place is a^2 + b^2: too large, maybe, where its root is not."""
        kind, *parts = self.lines[total]
        sides = [self._side(part) for part in parts] if kind == "add" else []
        known = [side for side in sides if side is not None]
        is_new = any(self.lines[part][0] == "square" for part in parts)
        return (known[0], known[1]) if is_new and len(known) == 2 else None

    def _side(self, place: Place) -> Place | None:
        kind, *rest = self.lines[place]
        if kind == "square":
            return int(rest[0])
        if kind != "constant" or rest[0] < 0:
            return None
        above, below = isqrt(rest[0].numerator), isqrt(rest[0].denominator)
        root = Fraction(above, below)
        return self.constant(root) if root * root == rest[0] else self.apply("sqrt", place)

    def _hypotenuse(self, total: Place) -> Place | None:
        """Return sqrt(a^2 + b^2) where a place is a^2 + b^2 and the root is recorded already."""
        if self.lines[total][0] != "add":
            return None
        sides = self._sides(total)
        return None if sides is None else self._places.get(("hypot", *sides))

    def _grows_with(self, side: Place, place: Place) -> bool:
        """Whether sqrt(side^2 + ...) is a part of a place: side^2 may be too large, it is not."""
        lines = (self.lines[part] for part in self.needed((place,)))
        return any(line[0] == "hypot" and side in line[1:] for line in lines)

    def values(self, inputs: Mapping[str, Any]) -> list[Any]:
        """Return the values of all places, in the precision of mpmath."""
        found: list[Any] = []
        for kind, *rest in self.lines:
            if kind == "input":
                found.append(inputs[rest[0]])
            elif kind == "constant":
                found.append(mpmath.mpf(rest[0].numerator) / rest[0].denominator)
            else:
                found.append(OPERATIONS[kind].value(*(found[place] for place in rest)))
        return found

    def needed(self, roots: tuple[Place, ...]) -> list[Place]:
        """Return the places that some values need, in order."""
        wanted: set[Place] = set()
        waiting = list(roots)
        while waiting:
            place = waiting.pop()
            if place in wanted:
                continue
            wanted.add(place)
            if self.lines[place][0] not in ("input", "constant"):
                waiting += self.lines[place][1:]
        return sorted(wanted)

    def _place(self, line: tuple[Any, ...]) -> Place:
        if line not in self._places:
            self._places[line] = len(self.lines)
            self.lines.append(line)
        return self._places[line]


_RATIONAL = frozenset({"add", "sub", "mul", "div", "neg", "square"})


def _has_exact(value: Fraction) -> bool:
    return Fraction(float(value)) == value


Recorder = Callable[[Tape, list[Place], tuple[Any, ...]], Place]


def _same(name: str) -> Recorder:
    return lambda tape, args, attrs: tape.apply(name, *args)


def _in_turn(name: str) -> Recorder:
    def recorder(tape: Tape, args: list[Place], attrs: tuple[Any, ...]) -> Place:
        first = args[0]
        for other in args[1:]:
            first = tape.apply(name, first, other)
        return first

    return recorder


def _power(tape: Tape, args: list[Place], attrs: tuple[Any, ...]) -> Place:
    (base,), exponent = args, Fraction(attrs[0])
    if exponent < 0:
        return tape.apply("div", tape.constant(1), _power(tape, [base], (-exponent,)))
    if exponent.denominator == 2:
        root = tape.apply("sqrt", base)
        whole = exponent - Fraction(1, 2)
        return tape.apply("mul", _power(tape, [base], (whole,)), root) if whole else root
    if exponent.denominator != 1:
        scaled = tape.apply("mul", tape.constant(exponent), tape.apply("log", base))
        return tape.apply("exp", scaled)
    if exponent == 0:
        return tape.constant(1)
    half = _power(tape, [base], (exponent // 2,)) if exponent > 1 else base
    if exponent == 1:
        return base
    square = tape.apply("mul", half, half)
    return square if exponent % 2 == 0 else tape.apply("mul", square, base)


def _step(tape: Tape, args: list[Place], attrs: tuple[Any, ...]) -> Place:
    return tape.apply("step", args[0])


def _relu(tape: Tape, args: list[Place], attrs: tuple[Any, ...]) -> Place:
    return tape.apply("max", args[0], tape.constant(0))


def _exp(tape: Tape, args: list[Place], attrs: tuple[Any, ...]) -> Place:
    first, *inner = tape.lines[args[0]]
    falls = first == "neg" and tape.lines[inner[0]][0] in ("abs", "square")
    return tape.apply("exp_clamped" if tape.clamped and not falls else "exp", *args)


def _decay(tape: Tape, x: Place) -> Place:
    """Record e^(-|x|)."""
    return tape.apply("exp", tape.apply("neg", tape.apply("abs", x)))


def _softplus(tape: Tape, args: list[Place], attrs: tuple[Any, ...]) -> Place:
    """Record max(x, 0) + log1p(e^(-|x|)): no exponent is ever positive."""
    small = tape.apply("log1p", _decay(tape, args[0]))
    return tape.apply("add", _relu(tape, args, attrs), small)


def _sigmoid(tape: Tape, args: list[Place], attrs: tuple[Any, ...]) -> Place:
    """Record 1 or e^(-|x|), over 1 + e^(-|x|): no exponent is ever positive."""
    (x,) = args
    decay, below = _decay(tape, x), tape.apply("step", tape.apply("neg", x))
    top = tape.apply("fold", below, decay, x)
    return tape.apply("div", top, tape.apply("add", tape.constant(1), decay))


def _gumbel(name: str) -> Recorder:
    return lambda tape, args, attrs: tape.apply(name, tape.apply("exp_between", *args), *args)


def _hyperbolic(name: str) -> Recorder:
    def recorder(tape: Tape, args: list[Place], attrs: tuple[Any, ...]) -> Place:
        up, down = tape.apply("exp", args[0]), tape.apply("exp", tape.apply("neg", args[0]))
        return tape.apply("div", tape.apply(name, up, down), tape.constant(2))

    return recorder


_RECORDERS: Final[Mapping[str, Recorder]] = MappingProxyType(
    {
        "add": _in_turn("add"),
        "mul": _in_turn("mul"),
        "maximum": _same("max"),
        "minimum": _same("min"),
        "power": _power,
        "exp": _exp,
        "log_gumbel_cdf": _gumbel("log_gumbel_cdf"),
        "gumbel_mills": _gumbel("gumbel_mills"),
        "log_normal_cdf": _same("log_normal_cdf"),
        "inverse_mills": _same("inverse_mills"),
        "step": _step,
        "relu": _relu,
        "softplus": _softplus,
        "sigmoid": _sigmoid,
        "cosh": _hyperbolic("add"),
        "sinh": _hyperbolic("sub"),
        **{
            name: _same(name)
            for name in (
                "neg",
                "div",
                "expm1",
                "log",
                "log1p",
                "sqrt",
                "tanh",
                "abs",
                "sign",
            )
        },
    }
)
"""How each elementwise op of the graph is recorded."""
