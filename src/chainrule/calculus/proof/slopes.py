"""Whether a claimed derivative is one: differences of the forward pass, one layer at a time.

A name is moved along a random direction, and what follows from it is looked at through random
weights, never through ``sum(out)``, whose gradient can vanish identically. Where the claim uses the
gradient of a later name (``dz^[2]``), only the forward pass up to that name is run again, and the
gradient's random value is the weight: by the chain rule

    dJ/ds = the sum over these names t of  (dJ/dt) (dt/ds past no other of them)  +  what is left,

and a claim that holds for whatever dJ/dt stands for holds for what it is, which its own lines
prove. So each claim costs as much as its layer, however deep the pass. One difference of the whole
objective, moving everything at once, then holds all the gradients together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import mpmath
import numpy as np

from chainrule.calculus.derivation.steps import Certificate, Gradient, Rung
from chainrule.calculus.evaluation.differences import along
from chainrule.calculus.evaluation.numeric import FLOATS, Point
from chainrule.calculus.evaluation.precise import DIGITS, PRECISE
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Definition
from chainrule.calculus.graph.node import Entry, Expr, Position, Symbol, entry, running, symbols
from chainrule.calculus.proof.evidence import DIFFERENCE_TOLERANCE, Disagreement, compared
from chainrule.calculus.proof.gradients import gathered, with_layers
from chainrule.calculus.proof.places import FLOAT_POINTS, Places, weights

PRECISE_STEP = 17  # digits: truncation and rounding both come to about 1e-33
PRECISE_TOLERANCE = 1e-20
NOTHING = 1e-12  # times the tolerance: what fifty digits and their step cannot tell from zero


@dataclass(frozen=True, eq=False)
class Probe:
    """What a difference quotient moves, which way, and how it looks at the movement.

    Parameters
    ----------
    source : Symbol
        What is moved.
    direction : array
        Which way.
    route : tuple of Definition
        What follows, in order.
    weights : mapping of Symbol to array
        How the ends of the route are looked at. Nothing is run past them.
    """

    source: Symbol
    direction: Any
    route: tuple[Definition, ...]
    weights: Mapping[Symbol, Any]

    @cached_property
    def used(self) -> frozenset[Symbol]:
        """The names that the route mentions."""
        return frozenset().union(*(symbols(definition.value) for definition in self.route))

    def seen(
        self,
        known: Mapping[Symbol, Any],
        sizes: Mapping[str, int],
        shift: Any,  # noqa: ANN401
        xp: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Move the source by a multiple of the direction, and look at the ends."""
        point = Point({s: known[s] for s in self.used}, sizes, xp)
        point.define(self.source, known[self.source] + shift * self.direction)
        total = 0
        for definition in self.route:
            value = point.value(definition.value)
            if definition.target in self.weights:
                total = total + np.sum(self.weights[definition.target] * value)
            else:
                point.define(definition.target, value)
        return total


class Slopes:
    """Judges derivatives at the places of one derivation.

    Parameters
    ----------
    places : Places
        Where to try.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self.model = places.model
        self.derivation = places.derivation
        self._probes: dict[tuple[object, ...], Probe] = {}
        self._measured: dict[tuple[object, ...], float] = {}

    def judge(
        self, of: Expr, wrt: Expr, claimed: Expr, *, total: bool = False
    ) -> Certificate | Disagreement:
        """Try whether `claimed` is the derivative of one symbol or entry by another.

        The derivative of a definition is the one past nothing else, unless the `total` one is
        meant: then all moves that follows.
        """
        at = entry(wrt, *self._place(wrt)) if isinstance(wrt, Symbol) else wrt
        if not running(claimed) <= running(of) | running(at):
            # An index that nobody binds: a sum is missing, and the entries were added silently.
            return Disagreement(Rung.DIFFERENCES, np.inf, np.nan, np.nan)
        worst = Disagreement(Rung.DIFFERENCES, 0.0, 0.0, 0.0)
        count = self.places.float_count(claimed)
        for number in range(count):
            found = self._quotient(number, of, wrt, claimed, total)
            if not found.error <= DIFFERENCE_TOLERANCE:
                # Differences of float64 are lost near poles and among small numbers: more digits.
                found = self._precise_quotient(number, of, wrt, claimed, total)
            if not found.error <= worst.error:
                worst = found
        return self._verdict(worst, count)

    def together(self) -> Certificate | Disagreement:
        """Try all gradients at once: everything moves, and the objective is run from the start."""
        worst = Disagreement(Rung.DIFFERENCES, 0.0, 0.0, 0.0)
        for number in range(FLOAT_POINTS):
            found = self._all_at_once(number)
            if not found.error <= worst.error:
                worst = found
        return self._verdict(worst, FLOAT_POINTS)

    def _verdict(self, worst: Disagreement, count: int) -> Certificate | Disagreement:
        if worst.error <= DIFFERENCE_TOLERANCE:
            sizes = self.places.different_sizes(count)
            return Certificate(Rung.DIFFERENCES, count, worst.error, sizes)
        return worst

    # ---- one claim ---------------------------------------------------------------------------

    def _quotient(
        self, number: int, of: Expr, wrt: Expr, claimed: Expr, total: bool
    ) -> Disagreement:
        """Compare with differences of float64."""
        values, sizes = self.places.values(number), self.places.sizes(number)
        named = self._named(claimed, _symbol(wrt))
        key = (number, of, wrt, total, *named)
        if key not in self._probes:
            self._probes[key] = self._probe(number, of, wrt, named, values, total)
        probe = self._probes[key]
        with np.errstate(all="ignore"):
            if key not in self._measured:
                self._measured[key] = float(
                    along(
                        lambda t: np.asarray(probe.seen(values, sizes, t, FLOATS)),
                        np.zeros(()),
                        np.ones(()),
                    )
                )
            stated = float(self._stated(self.places.floats(number), of, wrt, claimed, probe))
        return compared(stated, self._measured[key], 1e-300)

    def _precise_quotient(
        self, number: int, of: Expr, wrt: Expr, claimed: Expr, total: bool
    ) -> Disagreement:
        """Compare with differences in fifty digits, whose step is too small to meet a pole."""
        sizes = self.places.sizes(number)
        with mpmath.workdps(DIGITS):
            known = self.places.precise(number)
            named = self._named(claimed, _symbol(wrt))
            probe = self._probe(number, of, wrt, named, known, total)
            size = np.abs(known[probe.source]).max() or 1
            h = size * mpmath.mpf(10) ** -PRECISE_STEP
            ahead, behind = (probe.seen(known, sizes, shift, PRECISE) for shift in (h, -h))
            point = Point(known, sizes, PRECISE, self.places.meaning)
            stated = self._stated(point, of, wrt, claimed, probe)
            found = compared(stated, (ahead - behind) / (2 * h), NOTHING)
        fine = found.error <= PRECISE_TOLERANCE
        return found if fine else replace(found, error=max(found.error, 1.0))

    def _named(self, claimed: Expr, source: Symbol) -> tuple[Symbol, ...]:
        """Return the names of gradients that a claim builds on; its own is none of them."""
        return tuple(
            name
            for name in self.places.meaning.nodes(claimed)
            if isinstance(name, Symbol) and self._layers.get(name, source) is not source
        )

    def _probe(
        self,
        number: int,
        of: Expr,
        wrt: Expr,
        named: Iterable[Symbol],
        values: Mapping[Symbol, Any],
        total: bool,
    ) -> Probe:
        """Draw a direction to move along, and find how to look at the movement."""
        rng = np.random.default_rng((self.places.seed, number))
        target, source = _symbol(of), _symbol(wrt)
        direction = weights(rng, values[source].shape)
        row, col = (wrt.row, wrt.col) if isinstance(wrt, Entry) else (None, None)
        direction = _only_at(direction, row, col)
        if target is not self.model.objective:
            ends = {target: rng.uniform(0.5, 1.5, values[target].shape)}
            route = self._route(source, ends) if total else (self._definitions[target],)
            return Probe(source, direction, route, ends)
        ends = {self._layers[name]: values[name] for name in named}
        ends[target] = np.ones((1, 1))
        return Probe(source, direction, self._route(source, ends), ends)

    def _route(self, source: Symbol, ends: Iterable[Symbol]) -> tuple[Definition, ...]:
        """Return what follows from a symbol, in order, and not past the ends."""
        stop, found, waiting = set(ends), set[Symbol](), [source]
        while waiting:
            for target in self._users.get(waiting.pop(), ()):
                if target not in found:
                    found.add(target)
                    if target not in stop:
                        waiting.append(target)
        order = sorted(found, key=self._order.__getitem__)
        return tuple(self._definitions[target] for target in order)

    def _stated(self, point: Point, of: Expr, wrt: Expr, claimed: Expr, probe: Probe) -> Any:  # noqa: ANN401
        """Contract the claimed derivative with the weights and the direction."""
        point.forget_indices()
        value = point.value(claimed)
        if claimed.shape != SCALAR:
            return np.sum(value * probe.direction)
        at = entry(wrt, *self._place(wrt)) if isinstance(wrt, Symbol) else wrt
        target = _symbol(of)
        looked = np.ones((1, 1)) if target is self.model.objective else probe.weights[target]
        product = value
        for side, vector in ((of, looked), (at, probe.direction)):
            row, col = (side.row, side.col) if isinstance(side, Entry) else (None, None)
            product = np.asarray(product * point.spread(vector, row, col))
        present = running(claimed) | running(of) | running(at)
        full = [1] * max([point.axis(i) + 1 for i in present], default=0)
        for index in present:
            full[len(full) - 1 - point.axis(index)] = point.size(index.dim)
        shape = np.broadcast_shapes(tuple(full), product.shape)
        return np.sum(np.broadcast_to(product, shape))

    def _place(self, symbol: Symbol) -> tuple[Position, Position]:
        """Return the running entry that a symbol as a whole stands for."""
        return self.derivation.places.get(symbol, (None, None))

    # ---- all gradients -----------------------------------------------------------------------

    def _all_at_once(self, number: int) -> Disagreement:
        values, sizes = self.places.values(number), self.places.sizes(number)
        rng = np.random.default_rng((self.places.seed, number))
        moved = {
            gradient.variable: weights(rng, values[gradient.variable].shape)
            for gradient in self._gradients
        }

        def objective(known: Mapping[Symbol, Any], t: Any, xp: Any) -> Any:  # noqa: ANN401
            """Run the forward pass with a multiple of its direction added to each of the names."""
            start = {
                s: known[s] + t * moved[s] if s in moved else known[s] for s in self.model.inputs
            }
            point = Point(start, sizes, xp)
            for target, value in self.model.values.items():
                found = point.value(value)
                point.define(target, found + t * moved[target] if target in moved else found)
            return point.value(self.model.objective)

        def stated(known: Mapping[Symbol, Any], xp: Any) -> Any:  # noqa: ANN401
            drawn = {s: known[s] for s in self.model.symbols}
            full = with_layers(self.derivation, drawn, sizes, xp, self.places.meaning)
            point = Point(full, sizes, xp, self.places.meaning)
            return sum(np.sum(gathered(point, g) * moved[g.variable]) for g in self._gradients)

        with np.errstate(all="ignore"):
            measured = along(
                lambda t: np.asarray(objective(values, t, FLOATS)), np.zeros(()), np.ones(())
            )
            found = compared(float(stated(values, FLOATS)), float(measured.item()), 1e-300)
        if found.error <= DIFFERENCE_TOLERANCE:
            return found
        with mpmath.workdps(DIGITS):
            known, h = self.places.precise(number), mpmath.mpf(10) ** -PRECISE_STEP
            gap = np.sum(objective(known, h, PRECISE) - objective(known, -h, PRECISE))
            found = compared(stated(known, PRECISE), gap / (2 * h), NOTHING)
        return found

    # ---- the forward pass --------------------------------------------------------------------

    @cached_property
    def _gradients(self) -> tuple[Gradient, ...]:
        return (*self.derivation.layers.values(), *self.derivation.gradients.values())

    @cached_property
    def _layers(self) -> dict[Symbol, Symbol]:
        """The names of gradients, with what they are gradients of."""
        return {name: gradient.variable for name, gradient in self.derivation.layers.items()}

    @cached_property
    def _definitions(self) -> dict[Symbol, Definition]:
        return {definition.target: definition for definition in self.model.definitions}

    @cached_property
    def _order(self) -> dict[Symbol, int]:
        return {target: number for number, target in enumerate(self._definitions)}

    @cached_property
    def _users(self) -> dict[Symbol, list[Symbol]]:
        """Which definitions mention a symbol."""
        users: dict[Symbol, list[Symbol]] = {}
        for definition in self.model.definitions:
            for symbol in symbols(definition.value):
                users.setdefault(symbol, []).append(definition.target)
        return users


def _symbol(side: Expr) -> Symbol:
    matrix = side.matrix if isinstance(side, Entry) else side
    assert isinstance(matrix, Symbol)
    return matrix


def _only_at(direction: Any, row: Position, col: Position) -> Any:  # noqa: ANN401
    """Keep a direction at one place only, where a fixed entry is asked for."""
    mask = np.ones_like(direction)
    for axis, place in enumerate((row, col)):
        if isinstance(place, int):
            here = np.zeros(direction.shape[axis])
            here[place - 1] = 1
            mask = mask * (here[:, None] if axis == 0 else here[None, :])
    return direction * mask
