"""Conventions in which a derivation may be meant: a factor that all its gradients share, rows.

Courses leave the 1/m of a mean out of dZ and write it with the parameters; others differentiate
the sum where the cost is a mean, or half of a squared error. A factor is looked for only where a
line of the derivation has it, and a convention counts only when it makes several lines right and
no line wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, walk
from chainrule.calculus.ops import TABLE, mul, size, transpose
from chainrule.language.answers import spelled
from chainrule.teaching.marking.line_context import Claims
from chainrule.teaching.marking.open_objective import UNNAMED

CLOSE = 1e-9

Ratio = tuple[tuple[float, Mapping[str, int]], ...]
"""A claim over the right gradient at each sample point, with the sizes there."""

_NUMBERS = (Fraction(1), Fraction(2), Fraction(1, 2))
_POWERS = (1, -1)


@dataclass(frozen=True)
class Convention:
    """A convention for the gradients in a derivation.

    Parameters
    ----------
    note : str
        For a line that is right when it is read so.
    scales : mapping of Symbol to Expr
        The factor of each gradient.
    rows : bool
        Whether examples are rows in it, and columns in the forward pass.
    of_examples : bool
        Whether names such as ``dz`` are gradients of the loss of each example, where the objective
        is their mean.
    """

    note: str
    scales: Mapping[Symbol, Expr] = field(default_factory=dict)
    rows: bool = False
    of_examples: bool = False


@dataclass(frozen=True)
class _Factor:
    """A factor between two conventions: a number and a power of a size."""

    number: Fraction
    dim: str = ""
    power: int = 0

    def at(self, sizes: Mapping[str, int]) -> float:
        """Return its value at some sizes."""
        return float(self.number) * (float(sizes[self.dim]) ** self.power if self.dim else 1.0)

    @property
    def inverse(self) -> _Factor:
        """Return one over it."""
        return _Factor(1 / self.number, self.dim, -self.power)

    @property
    def expr(self) -> Expr:
        """The factor as an expression."""
        number = Number(self.number)
        if not self.dim:
            return number
        return mul(number, size(self.dim)) if self.power > 0 else number / size(self.dim)

    def times(self, name: str) -> str:
        """Write the product with a name."""
        above, below = self.number.numerator, self.number.denominator
        if self.dim and self.power < 0:
            bottom = f"{below} {self.dim}" if below != 1 else self.dim
            top = f"{above} {name}" if above != 1 else name
            return f"{top}/({bottom})" if " " in bottom else f"{top}/{bottom}"
        top = " ".join([*([str(above)] if above != 1 else []), *([self.dim] if self.dim else [])])
        whole = f"{top} {name}".strip()
        return whole if below == 1 else f"{whole}/{below}"


def conventions(
    model: Model, ratios: Iterable[Ratio], *, unmet: bool = False
) -> Iterator[Convention]:
    """Yield the conventions that the wrong lines of a derivation suggest.

    Parameters
    ----------
    model : Model
        The forward pass.
    ratios : iterable of Ratio
        The wrong gradients that are a number times the right ones.
    unmet : bool
        Whether shapes do not meet in some line.
    """
    values = [d.target for d in model.definitions if d.target is not model.objective]
    names = [symbol.name for symbol in values]
    value = next((name for name in reversed(names) if name[:1] in "zZ"), names[-1] if names else "")
    objective = "J" if model.objective.name == UNNAMED else model.objective.name
    factors = dict.fromkeys(f for ratio in ratios for f in _factors(model, ratio))
    for factor in dict.fromkeys(f for given in factors for f in (given, given.inverse)):
        # What a value has too much, the parameters that use its name have too little.
        yield Convention(
            f"right with d{value} read as {factor.times(f'd{objective}/d{value}')} "
            "(the course's convention)",
            dict.fromkeys(values, factor.expr),
            of_examples=factor.number == 1 and factor.power == 1,
        )
    for factor in factors:
        yield Convention(
            f"right as the gradient of {factor.times(objective)}{_named(factor)}",
            dict.fromkeys((*values, *model.inputs), factor.expr),
        )
    if unmet:
        yield Convention("right in the other convention, with the examples in rows", rows=True)


def _named(factor: _Factor) -> str:
    """Return the usual name of a convention."""
    if factor.dim:
        return " (the sum, not the mean)" if factor.power > 0 else " (the mean, not the sum)"
    half = factor.number == Fraction(1, 2)
    return " (half the squared error)" if half else " (the squared error without its half)"


def _factors(model: Model, ratio: Ratio) -> Iterator[_Factor]:
    """Yield the factors of conventions that agree with a ratio at every point."""
    dims = sorted({d for s in model.symbols for d in s.shape if isinstance(d, str)})
    numbers = _NUMBERS if _has_squares(model) else _NUMBERS[:1]
    known = [_Factor(number) for number in numbers[1:]]
    known += [_Factor(n, dim, power) for dim in dims for n in numbers for power in _POWERS]
    for factor in known:
        if all(abs(r - factor.at(sizes)) <= CLOSE * abs(r) for r, sizes in ratio):
            yield factor


def _has_squares(model: Model) -> bool:
    nodes = (node for d in model.definitions for node in walk(d.value))
    power = TABLE["power"]
    return any(isinstance(n, Apply) and n.op is power and n.attrs[0] == 2 for n in nodes)


def transposed_names(model: Model, claims: Claims) -> dict[str, Symbol]:
    """Return the transpose of every name, for answers with examples in rows.

    Their meanings are added to the claims.
    """
    transposed: dict[str, Symbol] = {}
    for symbol in model.symbols:
        gradient = Symbol(f"d{symbol.name}", symbol.shape)
        named = spelled(symbol.name)
        for key, one in ((named, symbol), (f"d{named}", gradient)):
            name = Symbol(one.name, one.shape[::-1])
            if name is one and one.shape != SCALAR:
                name = Symbol(f"{one.name} ", one.shape)  # square: told apart by a space
            known = transposed.setdefault(key, name)
            if known is name and name is not one:
                claims.local[name] = transpose(one)
        claims.gradients[gradient] = symbol
    return transposed
