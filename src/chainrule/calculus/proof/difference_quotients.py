"""Verification of derivatives: difference quotients of the forward pass, one layer at a time.

A symbol is moved along a random direction, and the change of later values is weighted at random,
never by ``sum(out)``, whose gradient can vanish identically. Where the claim uses the gradient of a
later name (``dz^[2]``), only the forward pass up to that name is run again, and the gradient's
random value is the weight: by the chain rule

    dJ/ds = the sum over these names t of  (dJ/dt) (dt/ds past no other of them)  +  the rest,

and a claim that holds for every value of dJ/dt holds for the true one, which has its own lines. So
each claim costs as much as its layer, however deep the pass. One difference of the whole objective,
with everything moved at once, then verifies all gradients together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import mpmath
import numpy as np

from chainrule.calculus.derivation.steps import Gradient, StepCertificate, VerificationMethod
from chainrule.calculus.evaluation.differences import along
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.evaluation.precise import DIGITS, PRECISE
from chainrule.calculus.evaluation.replay import Replay
from chainrule.calculus.graph.dims import SCALAR, Index
from chainrule.calculus.graph.model import Definition
from chainrule.calculus.graph.node import Entry, Expr, Positions, Symbol, entry, running, symbols
from chainrule.calculus.proof.evidence import DIFFERENCE_TOLERANCE, Disagreement, compared
from chainrule.calculus.proof.gradients import gathered, with_layers
from chainrule.calculus.proof.random_points import FLOAT_POINTS, RandomPoints, weights

PRECISE_STEP = 17  # digits: truncation and rounding both come to about 1e-33
FOURTH_ORDER_STEP = 10  # digits, of the difference over four places: both come to about 1e-40
PRECISE_TOLERANCE = 1e-20
NOTHING = 1e-12  # times the tolerance: what fifty digits and their step cannot tell from zero


@dataclass(frozen=True, eq=False)
class Probe:
    """A difference quotient: the moved symbol, the direction, and the weights.

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
        """Return the weighted values after a move by a multiple of the direction."""
        point = Evaluator({s: known[s] for s in self.used}, sizes, xp)
        point.define(self.source, known[self.source] + shift * self.direction)
        total = 0
        for definition in self.route:
            value = point.value(definition.value)
            if definition.target in self.weights:
                total = total + np.sum(self.weights[definition.target] * value)
            else:
                point.define(definition.target, value)
        return total

    def seen_ahead(
        self, known: Mapping[Symbol, Any], sizes: Mapping[str, int]
    ) -> Callable[[Any], Any]:
        """Return a function from multiples of the direction to weighted values, in float64."""
        run = Replay(self.route, known, sizes, self.source, self.weights)
        start = known[self.source]

        def seen(shift: Any) -> Any:  # noqa: ANN401
            found = run(start + shift * self.direction)
            looked = (weight * found[s] for s, weight in self.weights.items() if s in found)
            return np.asarray(sum(np.sum(one) for one in looked))

        return seen


class DifferenceQuotients:
    """Judges derivatives at the sample points of one derivation.

    Parameters
    ----------
    points : RandomPoints
        The sample points.
    """

    def __init__(self, points: RandomPoints) -> None:
        self.points = points
        self.model = points.model
        self.derivation = points.derivation
        self._probes: dict[tuple[object, ...], Probe] = {}
        self._measured: dict[tuple[object, ...], float] = {}

    def judge(
        self, of: Expr, wrt: Expr, claimed: Expr, *, total: bool = False
    ) -> StepCertificate | Disagreement:
        """Compare `claimed` with the derivative of one symbol or entry with respect to another.

        The derivative of a definition is the partial one, past nothing else, unless `total` is set.
        """
        at = entry(wrt, *self._place(wrt)) if isinstance(wrt, Symbol) else wrt
        if not running(claimed) <= running(of) | running(at):
            # An index that nobody binds: a sum is missing, and the entries were added silently.
            return Disagreement(VerificationMethod.DIFFERENCES, np.inf, np.nan, np.nan)
        worst = Disagreement(VerificationMethod.DIFFERENCES, 0.0, 0.0, 0.0)
        count = self.points.float_count(claimed)
        for number in range(count):
            found = self._quotient(number, of, wrt, claimed, total)
            if not found.error <= DIFFERENCE_TOLERANCE:
                # Differences of float64 are lost near poles and among small numbers: more digits.
                found = self._precise_quotient(number, of, wrt, claimed, total)
            if not found.error <= worst.error:
                worst = found
        return self._verdict(worst, count)

    def together(self) -> StepCertificate | Disagreement:
        """Compare all gradients at once: every symbol moves, and the whole pass is run."""
        worst = Disagreement(VerificationMethod.DIFFERENCES, 0.0, 0.0, 0.0)
        for number in range(FLOAT_POINTS):
            found = self._all_at_once(number)
            if not found.error <= worst.error:
                worst = found
        return self._verdict(worst, FLOAT_POINTS)

    def _verdict(self, worst: Disagreement, count: int) -> StepCertificate | Disagreement:
        if worst.error <= DIFFERENCE_TOLERANCE:
            sizes = self.points.different_sizes(count)
            return StepCertificate(VerificationMethod.DIFFERENCES, count, worst.error, sizes)
        return worst

    # ---- one claim ---------------------------------------------------------------------------

    def _quotient(
        self, number: int, of: Expr, wrt: Expr, claimed: Expr, total: bool
    ) -> Disagreement:
        """Compare with differences of float64."""
        values, sizes = self.points.values(number), self.points.sizes(number)
        named = self._named(claimed, _symbol(wrt))
        key = (number, of, wrt, total, *named)
        if key not in self._probes:
            self._probes[key] = self._probe(number, of, wrt, named, values, total)
        probe = self._probes[key]
        with np.errstate(all="ignore"):
            if key not in self._measured:
                ahead = probe.seen_ahead(values, sizes)
                self._measured[key] = float(along(ahead, np.zeros(()), np.ones(())))
            stated = float(self._stated(self.points.floats(number), of, wrt, claimed, probe))
        return compared(stated, self._measured[key], 1e-300)

    def _precise_quotient(
        self, number: int, of: Expr, wrt: Expr, claimed: Expr, total: bool
    ) -> Disagreement:
        """Compare with fifty-digit differences, whose step is too small to meet a pole.

        A derivative far below the values around it takes twice as many digits.
        """
        found = self._quotient_of_digits(number, of, wrt, claimed, total, times=1)
        if not found.error <= PRECISE_TOLERANCE:
            found = self._quotient_of_digits(number, of, wrt, claimed, total, times=2)
        fine = found.error <= PRECISE_TOLERANCE
        return found if fine else replace(found, error=max(found.error, 1.0))

    def _quotient_of_digits(
        self, number: int, of: Expr, wrt: Expr, claimed: Expr, total: bool, times: int
    ) -> Disagreement:
        """Compare with differences of some times fifty digits."""
        sizes = self.points.sizes(number)
        with mpmath.workdps(DIGITS):
            known = self.points.precise(number)
        with mpmath.workdps(times * DIGITS):
            named = self._named(claimed, _symbol(wrt))
            probe = self._probe(number, of, wrt, named, known, total)
            size = np.abs(known[probe.source]).max() or 1
            h = size * mpmath.mpf(10) ** (-times * PRECISE_STEP)
            ahead, behind = (probe.seen(known, sizes, shift, PRECISE) for shift in (h, -h))
            point = Evaluator(known, sizes, PRECISE, self.points.meaning)
            stated = self._stated(point, of, wrt, claimed, probe)
            return compared(stated, (ahead - behind) / (2 * h), NOTHING)

    def _named(self, claimed: Expr, source: Symbol) -> tuple[Symbol, ...]:
        """Return the names of gradients that a claim uses, its own apart."""
        return tuple(
            name
            for name in self.points.meaning.nodes(claimed)
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
        """Draw a direction and weights."""
        rng = np.random.default_rng((self.points.seed, number))
        target, source = _symbol(of), _symbol(wrt)
        direction = weights(rng, values[source].shape)
        direction = _only_at(direction, wrt.places if isinstance(wrt, Entry) else ())
        if target is not self.model.objective:
            ends = {target: rng.uniform(0.5, 1.5, values[target].shape)}
            route = self._route(source, ends) if total else (self._definitions[target],)
            return Probe(source, direction, route, ends)
        ends = {self._layers[name]: values[name] for name in named}
        ends[target] = np.ones((1, 1))
        return Probe(source, direction, self._route(source, ends), ends)

    def _route(self, source: Symbol, ends: Iterable[Symbol]) -> tuple[Definition, ...]:
        """Return the definitions that depend on a symbol, in order, up to the ends."""
        stop, found, waiting = set(ends), set[Symbol](), [source]
        while waiting:
            for target in self._users.get(waiting.pop(), ()):
                if target not in found:
                    found.add(target)
                    if target not in stop:
                        waiting.append(target)
        order = sorted(found, key=self._order.__getitem__)
        return tuple(self._definitions[target] for target in order)

    def _stated(self, point: Evaluator, of: Expr, wrt: Expr, claimed: Expr, probe: Probe) -> Any:  # noqa: ANN401
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
            places = side.places if isinstance(side, Entry) else (None, None)
            product = np.asarray(product * point.spread(vector, *places))
        present = running(claimed) | running(of) | running(at)
        full = [1] * max([point.axis(i) + 1 for i in present], default=0)
        for index in present:
            full[len(full) - 1 - point.axis(index)] = point.size(index.dim)
        shape = np.broadcast_shapes(tuple(full), product.shape)
        return np.sum(np.broadcast_to(product, shape))

    def _place(self, symbol: Symbol) -> Positions:
        """Return the running entry of a symbol as a whole."""
        return self.derivation.places.get(symbol, (None,) * len(symbol.shape))

    # ---- all gradients -----------------------------------------------------------------------

    def _all_at_once(self, number: int) -> Disagreement:
        values, sizes = self.points.values(number), self.points.sizes(number)
        rng = np.random.default_rng((self.points.seed, number))
        moved = {
            gradient.variable: weights(rng, values[gradient.variable].shape)
            for gradient in self._gradients
        }

        def objective(known: Mapping[Symbol, Any], t: Any, xp: Any) -> Any:  # noqa: ANN401
            """Run the forward pass with a multiple of its direction added to each of the names."""
            start = {
                s: known[s] + t * moved[s] if s in moved else known[s] for s in self.model.inputs
            }
            point = Evaluator(start, sizes, xp)
            for target, value in self.model.values.items():
                found = point.value(value)
                point.define(target, found + t * moved[target] if target in moved else found)
            return point.value(self.model.objective)

        def stated(known: Mapping[Symbol, Any], xp: Any) -> Any:  # noqa: ANN401
            drawn = {s: known[s] for s in self.model.symbols}
            full = with_layers(self.derivation, drawn, sizes, xp, self.points.meaning)
            point = Evaluator(full, sizes, xp, self.points.meaning)
            return sum(np.sum(gathered(point, g) * moved[g.variable]) for g in self._gradients)

        with np.errstate(all="ignore"):
            measured = along(
                lambda t: np.asarray(objective(values, t, FLOATS)), np.zeros(()), np.ones(())
            )
            found = compared(float(stated(values, FLOATS)), float(measured.item()), 1e-300)
        if found.error <= DIFFERENCE_TOLERANCE:
            return found
        with mpmath.workdps(DIGITS):
            known, h = self.points.precise(number), mpmath.mpf(10) ** -PRECISE_STEP
            gap = np.sum(objective(known, h, PRECISE) - objective(known, -h, PRECISE))
            found = compared(stated(known, PRECISE), gap / (2 * h), NOTHING)
        return found

    # ---- the forward pass --------------------------------------------------------------------

    @cached_property
    def _gradients(self) -> tuple[Gradient, ...]:
        return (*self.derivation.layers.values(), *self.derivation.gradients.values())

    @cached_property
    def _layers(self) -> dict[Symbol, Symbol]:
        """The names of gradients, with their variables."""
        return {name: gradient.variable for name, gradient in self.derivation.layers.items()}

    @cached_property
    def _definitions(self) -> dict[Symbol, Definition]:
        return {definition.target: definition for definition in self.model.definitions}

    @cached_property
    def _order(self) -> dict[Symbol, int]:
        return {target: number for number, target in enumerate(self._definitions)}

    @cached_property
    def _users(self) -> dict[Symbol, list[Symbol]]:
        """The definitions that mention each symbol."""
        users: dict[Symbol, list[Symbol]] = {}
        for definition in self.model.definitions:
            for symbol in symbols(definition.value):
                users.setdefault(symbol, []).append(definition.target)
        return users


def _symbol(side: Expr) -> Symbol:
    matrix = side.matrix if isinstance(side, Entry) else side
    assert isinstance(matrix, Symbol)
    return matrix


def _only_at(direction: Any, places: Positions) -> Any:  # noqa: ANN401
    """Restrict a direction to the entries asked for: a fixed place, or the diagonal."""
    mask = np.ones_like(direction)
    at = np.indices(direction.shape, sparse=True)
    for axis, place in enumerate(places):
        if isinstance(place, int):
            mask = mask * (at[axis] == place - 1)
        elif isinstance(place, Index) and place in places[:axis]:
            mask = mask * (at[axis] == at[places.index(place)])
    return direction * mask
