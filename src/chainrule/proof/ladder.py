"""The equality ladder: exact, float64, fifty digits, finite differences.

A claim that two expressions are equal is tried exactly first, with every name as a random atom.
Only when that does not agree are the names opened, in float64 and, where float64 is undecided, in
fifty digits. A claim about a derivative is judged by finite differences of the forward pass, along
a random direction and against a random cotangent, never against ``sum(out)``, whose gradient can
vanish identically. The certificate says which rung decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import mpmath
import numpy as np

from chainrule.derivation.steps import Certificate, Derivation, Rung
from chainrule.graph.dims import SCALAR
from chainrule.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Partial,
    Position,
    Symbol,
    entry,
    running,
    walk,
)
from chainrule.graph.op import Layout
from chainrule.interpreters.differences import along
from chainrule.interpreters.forward import assignments, downstream, forward, related, sample
from chainrule.interpreters.modular import MODULAR, random_residues
from chainrule.interpreters.numeric import FLOATS, Point
from chainrule.interpreters.precise import DIGITS, PRECISE, precise_number
from chainrule.proof.gradients import with_layers
from chainrule.rewriting.relations import adding_to_one

EXACT_POINTS = 3
FLOAT_POINTS = 2
PIECES = 24
"""Points where a mask, a sign or an absolute value is in play: every piece must be met."""

FLOAT_TOLERANCE = 1e-13
CANCELLED = 1e-9
UNDECIDED = 1e-3
LARGEST_EXACT = 2**30
SENSIBLE = 1e6
DIGITS_TOLERANCE = 1e-35
DIFFERENCE_TOLERANCE = 1e-7
PRECISE_STEP = 17  # digits: truncation and rounding both come to about 1e-33
PRECISE_TOLERANCE = 1e-20
NOTHING = 1e-12  # times the tolerance: what fifty digits and their step cannot tell from zero
SEED = 20_260


@dataclass(frozen=True)
class Disagreement:
    """Evidence against a claim: the rung, and how far apart the two sides are.

    `cancelled` says that the difference is no larger than rounding in the parts of the two sides.
    """

    rung: Rung
    error: float
    left: float
    right: float
    cancelled: bool = False

    def __str__(self) -> str:
        if not np.isfinite(self.error) and np.isnan(self.left) and np.isnan(self.right):
            return f"{self.rung.value}: an index is free on one side only, or nothing is finite"
        return f"{self.rung.value}: {self.left:.6g} against {self.right:.6g}"


@dataclass(frozen=True, eq=False)
class Probe:
    """What a difference quotient moves, which way, and how it looks at the movement."""

    target: Symbol
    source: Symbol
    direction: Any
    cotangent: Any
    moved: list[Symbol]


class Laboratory:
    """The points at which one derivation is tried; built once, used for every step.

    Parameters
    ----------
    derivation : Derivation
        Whose names, answers and layers the claims speak of.
    seed : int, optional
        Of the random points.
    """

    def __init__(self, derivation: Derivation, seed: int = SEED) -> None:
        self.derivation = derivation
        self.model = derivation.model
        self.seed = seed
        self.meaning = Meaning(derivation)
        self._residues, self._draws = (np.random.default_rng(seed) for _ in range(2))
        self._exact_points: list[Point] = []
        self._float_points: list[Point] = []
        self._known: list[dict[Symbol, Any]] = []

    # ---- claims ------------------------------------------------------------------------------

    def equal(
        self, left: Expr, right: Expr, row: Position = None, col: Position = None
    ) -> Certificate | Disagreement:
        """Try whether two expressions are equal; a matrix stands for its entry (row, col)."""
        in_pieces = self._in_pieces or _in_pieces(left) or _in_pieces(right)
        count = PIECES if in_pieces else EXACT_POINTS
        refuted = False
        try:
            if _told_apart(left, right):
                if all(
                    self._same(self._exact(number), left, right, row, col)
                    for number in range(count)
                ):
                    return Certificate(Rung.EXACT, count, 0.0, self._sizes(count))
                refuted = self._is_rational(left) and self._is_rational(right)
        except ZeroDivisionError:
            pass  # an unlucky residue: the next rung decides
        count = PIECES if in_pieces else FLOAT_POINTS
        with np.errstate(all="ignore"):
            worst = max(
                (self._difference(self._float(k), left, right, row, col) for k in range(count)),
                key=lambda found: found.error,
            )
        if refuted:
            # Nothing opaque stands between the two sides, so exact arithmetic has the last word.
            return replace(worst, rung=Rung.EXACT)
        if worst.error <= FLOAT_TOLERANCE:
            return Certificate(Rung.FLOAT, count, worst.error, self._sizes(count))
        if worst.error > UNDECIDED and not worst.cancelled:
            return worst
        return self._precisely_equal(left, right, row, col)

    def derivative(self, of: Expr, wrt: Expr, claimed: Expr) -> Certificate | Disagreement:
        """Try whether `claimed` is the derivative of one symbol or entry by another.

        Parameters
        ----------
        of, wrt : Expr
            Symbols or entries. A matrix as a whole is meant entry by entry.
        claimed : Expr
            An index form, or a matrix form of the shape of `wrt`.
        """
        at = entry(wrt, *self._place(wrt)) if isinstance(wrt, Symbol) else wrt
        if not running(claimed) <= running(of) | running(at):
            # An index that nobody binds: a sum is missing, and the entries were added silently.
            return Disagreement(Rung.DIFFERENCES, np.inf, np.nan, np.nan)
        worst = Disagreement(Rung.DIFFERENCES, 0.0, 0.0, 0.0)
        count = PIECES if self._in_pieces or _in_pieces(claimed) else FLOAT_POINTS
        for number in range(count):
            found = self._quotient(number, of, wrt, claimed)
            if not found.error <= DIFFERENCE_TOLERANCE:
                # Differences of float64 are lost near poles and among small numbers: more digits.
                found = self._precise_quotient(number, of, wrt, claimed)
            if not found.error <= worst.error:
                worst = found
        if worst.error <= DIFFERENCE_TOLERANCE:
            return Certificate(Rung.DIFFERENCES, count, worst.error, self._sizes(count))
        return worst

    # ---- the rungs ---------------------------------------------------------------------------

    def _is_rational(self, expr: Expr) -> bool:
        """Whether an expression is rational in the inputs: no function, and no name for one."""
        for node in walk(expr):
            if node in self.model.values or isinstance(node, Partial):
                return False
            if isinstance(node, Apply):
                layout = node.op.notation.layout
                function = layout in (Layout.FUNCTION, Layout.FENCE) and node.op.elementwise
                root = layout is Layout.POWER and node.attrs[0].denominator != 1
                if function or root:
                    return False
        return True

    def _same(self, point: Point, left: Expr, right: Expr, row: Position, col: Position) -> bool:
        a, b = self._sides(point, left, right, row, col)
        return not np.any((a - b).words)

    def _difference(
        self, point: Point, left: Expr, right: Expr, row: Position, col: Position
    ) -> Disagreement:
        a, b = (np.asarray(x) for x in self._sides(point, left, right, row, col))
        gap = np.abs(a - b)
        scale = max(float(np.abs(a).max()), float(np.abs(b).max()), 1e-300)
        error = float(gap.max()) / scale
        # Where large parts cancel, what is left is rounding: more digits must decide.
        parts = _magnitude(point, left, right)
        cancelled = bool(gap.max() <= CANCELLED * parts)
        if point.xp is PRECISE:
            error = float(gap.max() / max(scale, parts))
        place = np.unravel_index(int(np.argmax(gap)), gap.shape)
        a, b = np.broadcast_arrays(a, b)
        return Disagreement(
            Rung.FLOAT,
            error if np.isfinite(error) else np.inf,
            float(a[place]),
            float(b[place]),
            cancelled,
        )

    def _precisely_equal(
        self, left: Expr, right: Expr, row: Position, col: Position
    ) -> Certificate | Disagreement:
        with mpmath.workdps(DIGITS):
            point = Point(self._precise_values(0), self._assignments[0], PRECISE, self.meaning)
            found = self._difference(point, left, right, row, col)
        if found.error <= DIGITS_TOLERANCE:
            return Certificate(Rung.DIGITS, 1, found.error, self._sizes(1))
        return Disagreement(Rung.DIGITS, found.error, found.left, found.right)

    def _sides(
        self, point: Point, left: Expr, right: Expr, row: Position, col: Position
    ) -> tuple[Any, Any]:
        point.forget_indices()
        values = []
        for side, other in ((left, right), (right, left)):
            value = point.value(side)
            whole = side.shape != SCALAR
            values.append(
                point.spread(value, row, col) if whole and other.shape == SCALAR else value
            )
        return values[0], values[1]

    def _quotient(self, number: int, of: Expr, wrt: Expr, claimed: Expr) -> Disagreement:
        """Compare with differences of float64."""
        values, sizes = self._values(number), self._at(number)
        probe = self._probe(number, of, wrt)

        def function(x: Any) -> Any:  # noqa: ANN401
            known = {**values, probe.source: x}
            return np.sum(
                probe.cotangent * forward(self.model, known, sizes, only=probe.moved)[probe.target]
            )

        with np.errstate(all="ignore"):
            measured = float(along(function, values[probe.source], probe.direction))
            stated = float(self._stated(self._float(number), of, wrt, claimed, probe))
        return _compared(stated, measured, 1e-300)

    def _precise_quotient(self, number: int, of: Expr, wrt: Expr, claimed: Expr) -> Disagreement:
        """Compare with differences in fifty digits, whose step is too small to meet a pole."""
        probe, sizes = self._probe(number, of, wrt), self._at(number)
        with mpmath.workdps(DIGITS):
            known = self._precise_values(number)
            size = np.abs(known[probe.source]).max() or 1
            h = size * mpmath.mpf(10) ** -PRECISE_STEP

            def at(shift: Any) -> Any:  # noqa: ANN401
                moved = {**known, probe.source: known[probe.source] + shift * probe.direction}
                found = forward(self.model, moved, sizes, PRECISE, only=probe.moved)
                return np.sum(probe.cotangent * found[probe.target])

            measured = (at(h) - at(-h)) / (2 * h)
            point = Point(known, sizes, PRECISE, self.meaning)
            stated = self._stated(point, of, wrt, claimed, probe)
            found = _compared(stated, measured, NOTHING)
        fine = found.error <= PRECISE_TOLERANCE
        return found if fine else replace(found, error=max(found.error, 1.0))

    def _precise_values(self, number: int) -> dict[Symbol, Any]:
        """Return the value of every name at a point, in fifty digits."""
        sizes = self._at(number)
        values = {
            symbol: np.vectorize(precise_number, otypes=[object])(self._values(number)[symbol])
            for symbol in self.model.inputs
        }
        values = related(self.model, values, PRECISE)  # to the last digit
        return self._with_layers(forward(self.model, values, sizes, PRECISE), sizes, PRECISE)

    def _probe(self, number: int, of: Expr, wrt: Expr) -> Probe:
        """Draw a direction to move along, and a cotangent to look at the movement with."""
        rng = np.random.default_rng((self.seed, number))
        target, source = _symbol(of), _symbol(wrt)
        values = self._values(number)
        shape = values[source].shape
        direction = rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)
        row, col = (wrt.row, wrt.col) if isinstance(wrt, Entry) else (None, None)
        cotangent = np.ones((1, 1))
        if target is not self.model.objective:
            cotangent = rng.uniform(0.5, 1.5, values[target].shape)
        moved = self._moved(target, source)
        return Probe(target, source, _only_at(direction, row, col), cotangent, moved)

    def _stated(self, point: Point, of: Expr, wrt: Expr, claimed: Expr, probe: Probe) -> Any:  # noqa: ANN401
        """Contract the claimed derivative with the cotangent and the direction."""
        point.forget_indices()
        value = point.value(claimed)
        if claimed.shape != SCALAR:
            return np.sum(value * probe.direction)
        at = entry(wrt, *self._place(wrt)) if isinstance(wrt, Symbol) else wrt
        product = value
        for side, weights in ((of, probe.cotangent), (at, probe.direction)):
            row, col = (side.row, side.col) if isinstance(side, Entry) else (None, None)
            product = np.asarray(product * point.spread(weights, row, col))
        present = running(claimed) | running(of) | running(at)
        full = [1] * max([point.axis(i) + 1 for i in present], default=0)
        for index in present:
            full[len(full) - 1 - point.axis(index)] = point.size(index.dim)
        shape = np.broadcast_shapes(tuple(full), product.shape)
        return np.sum(np.broadcast_to(product, shape))

    def _place(self, symbol: Symbol) -> tuple[Position, Position]:
        """Return the running entry that a symbol as a whole stands for."""
        return self.derivation.places.get(symbol, (None, None))

    def _moved(self, target: Symbol, source: Symbol) -> list[Symbol]:
        """Which definitions follow when a symbol is moved: all for the objective, else one."""
        if target is self.model.objective:
            return downstream(self.model, source)
        return [target]

    # ---- the points --------------------------------------------------------------------------

    @cached_property
    def _assignments(self) -> list[dict[str, int]]:
        return assignments(self.model, EXACT_POINTS)

    @cached_property
    def _in_pieces(self) -> bool:
        return any(_in_pieces(definition.value) for definition in self.model.definitions)

    def _sizes(self, count: int) -> tuple[Mapping[str, int], ...]:
        return tuple(self._assignments[:count])

    def _at(self, number: int) -> dict[str, int]:
        """Return the sizes of the dimensions at a point."""
        return self._assignments[number % len(self._assignments)]

    def _exact(self, number: int) -> Point:
        while number >= len(self._exact_points):
            sizes = self._at(len(self._exact_points))
            point = Point({}, sizes, MODULAR, self.meaning)
            names = (*self.model.symbols, *self.derivation.layers)
            values = {s: random_residues(self._residues, point.shape(s.shape)) for s in names}
            values = related(self.model, values, MODULAR)
            for symbol, axis in adding_to_one(self.model).items():
                values[symbol] = values[symbol] / MODULAR.sum(
                    values[symbol], axis=axis, keepdims=True
                )
            self._exact_points.append(Point(values, sizes, MODULAR, self.meaning))
        return self._exact_points[number]

    def _float(self, number: int) -> Point:
        while number >= len(self._float_points):
            sizes = self._at(len(self._float_points))
            drawn = sample(self.model, sizes, self._draws)
            values = self._with_layers(drawn, sizes, FLOATS)
            self._known.append(values)
            self._float_points.append(Point(values, sizes, FLOATS, self.meaning))
        return self._float_points[number]

    def _values(self, number: int) -> dict[Symbol, Any]:
        """Return the value of every name at a point."""
        self._float(number)
        return self._known[number]

    def _with_layers(
        self,
        values: dict[Symbol, Any],
        sizes: Mapping[str, int],
        xp: Any,  # noqa: ANN401
    ) -> dict[Symbol, Any]:
        return with_layers(self.derivation, values, sizes, xp, self.meaning)


class Meaning(Mapping[Expr, Expr]):
    """What a derivative stands for: its answer, found by entry where it is asked as a whole."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation

    def __getitem__(self, partial: Expr) -> Expr:
        answers = self.derivation.answers
        if partial in answers:
            return answers[partial]
        if isinstance(partial, Partial) and isinstance(partial.wrt, Symbol):
            places = self.derivation.places.get(partial.wrt)
            if places is not None:
                return answers[Partial(partial.of, entry(partial.wrt, *places))]
        raise KeyError(partial)

    def __contains__(self, partial: object) -> bool:
        try:
            self[partial]  # type: ignore[index]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Any:  # noqa: ANN401
        return iter(self.derivation.answers)

    def __len__(self) -> int:
        return len(self.derivation.answers)


def _in_pieces(expr: Expr) -> bool:
    """Whether something in an expression is made of pieces, such as a mask."""
    return any(isinstance(node, Apply) and node.op.in_pieces for node in walk(expr))


def _told_apart(left: Expr, right: Expr) -> bool:
    """Whether every number is small enough not to vanish modulo the prime."""
    numbers = [n.value for side in (left, right) for n in walk(side) if isinstance(n, Number)]
    return all(max(abs(v.numerator), v.denominator) < LARGEST_EXACT for v in numbers)


def _magnitude(point: Point, *sides: Expr) -> Any:  # noqa: ANN401
    """Return the largest value of any part of the sides, so far as it is a sensible one."""
    parts = [np.abs(point.value(node)).max() for side in sides for node in walk(side)]
    return max((part for part in parts if part < SENSIBLE), default=0)


def _symbol(side: Expr) -> Symbol:
    matrix = side.matrix if isinstance(side, Entry) else side
    assert isinstance(matrix, Symbol)
    return matrix


def _compared(stated: Any, measured: Any, nothing: float) -> Disagreement:  # noqa: ANN401
    """Compare two numbers relative to the larger, or to `nothing` where both are smaller."""
    scale = max(abs(stated), abs(measured), nothing)
    error = float(abs(stated - measured) / scale)
    return Disagreement(
        Rung.DIFFERENCES,
        error if np.isfinite(error) else np.inf,
        float(stated),
        float(measured),
    )


def _only_at(direction: Any, row: Position, col: Position) -> Any:  # noqa: ANN401
    """Keep a direction at one place only, where a fixed entry is asked for."""
    mask = np.ones_like(direction)
    for axis, place in enumerate((row, col)):
        if isinstance(place, int):
            here = np.zeros(direction.shape[axis])
            here[place - 1] = 1
            mask = mask * (here[:, None] if axis == 0 else here[None, :])
    return direction * mask
