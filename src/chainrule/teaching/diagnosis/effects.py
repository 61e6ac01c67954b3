"""Effects of errors in the reverse sweep at one point, singly and in pairs, by linear algebra.

The reverse sweep is linear in the upstream gradient. At a point it is therefore a chain of small
matrices, one per use of a value. An error replaces a few of them. Its effect on the gradient is the
upstream gradient there, times the difference of the matrices, times the rest of the chain; so the
effect of a pair is a product of known factors, and all pairs are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.graph.node import Apply, Expr, Symbol, walk
from chainrule.calculus.graph.op import VJP
from chainrule.errors import ChainruleError
from chainrule.teaching.diagnosis.injection import InjectedError, Route

Array = npt.NDArray[np.float64]
Linear = Array
"""One number for each entry, or a matrix."""

LARGEST = 400
"""The most entries of one value for which matrices are built."""

LINEAR_ENOUGH = 1e-9
NEAR = 1e-8
"""The relative difference below which a pair is compared again, at every point."""

_SEED = 5


class LinearFormError(ChainruleError):
    """No matrix for a rule: too large, not linear, or not of the shape of its argument."""


@dataclass(frozen=True)
class _Use:
    """One use of a value: the map from a node's upstream gradient to that of one argument."""

    definition: Symbol
    node: Expr
    place: int
    above: int
    below: int
    linear: Linear
    path: tuple[Symbol, Symbol] | None


@dataclass(frozen=True)
class Effect:
    """The effect of one error on the gradient at the point.

    Parameters
    ----------
    error : InjectedError
        The mistake.
    value : Array
        The wrong gradient, as one row of numbers.
    first : int
        The first use of the sweep that it changes.
    uses : frozenset of int
        All uses that it changes.
    differences : tuple of (int, Array)
        Per value: the matrix from its upstream gradient to the change of the result.
    """

    error: InjectedError
    value: Array
    first: int
    uses: frozenset[int]
    differences: tuple[tuple[int, Array], ...]


class Effects:
    """The effects of all errors in a reverse sweep, at one point.

    Parameters
    ----------
    of, wrt : Symbol
        The value that is differentiated, and the variable.
    route : Route
        The definitions between them.
    point : Evaluator
        The point of evaluation.

    Raises
    ------
    LinearFormError
        When the sweep is too large to be laid out.
    """

    def __init__(self, of: Symbol, wrt: Symbol, route: Route, point: Evaluator) -> None:
        self.point, self.of, self.wrt = point, of, wrt
        self._slots: dict[tuple[Symbol, Expr] | Symbol, int] = {}
        self._sizes: list[int] = []
        self._uses: list[_Use] = []
        self._arrived: list[list[Array]] = []
        self.effects: list[Effect] = []
        self._slot(of, of)
        for definition, inside in route:
            self._lay_out(definition.target, definition.value, set(inside))
        self._end = self._slot(wrt, wrt)
        self.shape = point.shape(wrt.shape)
        self._onward = self._rest_of_the_way()
        self._right = self._run({})
        self.truth = self._right[self._end].reshape(self.shape)

    # ---- the right sweep ---------------------------------------------------------------------

    def _slot(self, key: tuple[Symbol, Expr] | Symbol, node: Expr) -> int:
        if key not in self._slots:
            rows, columns = self.point.shape(node.shape)
            if rows * columns > LARGEST:
                raise LinearFormError("a value is too large")
            self._slots[key] = len(self._sizes)
            self._sizes.append(rows * columns)
        return self._slots[key]

    def _lay_out(self, target: Symbol, value: Expr, inside: set[Symbol]) -> None:
        if isinstance(value, Symbol):
            above, below = self._slot(target, target), self._slot(value, value)
            ones = np.ones(self._sizes[above])
            use = _Use(target, value, -1, above, below, ones, (target, value))
            self._uses.append(use)
            return
        order = list(walk(value))
        depends: set[Expr] = set(inside)
        for node in order:
            if any(arg in depends for arg in node.args):
                depends.add(node)
        for node in reversed(order):
            if node not in depends or not isinstance(node, Apply):
                continue
            above = self._slot(target if node is value else (target, node), node)
            for place, linear in self._rule(node, node.op.vjp, depends):
                arg = node.args[place]
                key = arg if isinstance(arg, Symbol) else (target, arg)
                path = (target, arg) if isinstance(arg, Symbol) else None
                use = _Use(target, node, place, above, self._slot(key, arg), linear, path)
                self._uses.append(use)

    def _rule(self, node: Apply, rule: VJP, depends: set[Expr]) -> Iterator[tuple[int, Linear]]:
        """Yield the matrix of a rule for every argument on the way."""
        upstream = Symbol("upstream", node.shape)
        for place, expr in enumerate(rule(upstream, node, node.args, node.attrs)):
            arg = node.args[place]
            if arg in depends:
                if expr.shape != arg.shape:
                    raise LinearFormError("this rule does not keep the shape")
                yield place, self._linear(upstream, expr)

    def _linear(self, upstream: Symbol, expr: Expr) -> Linear:
        moved: set[Expr] = {upstream}
        order: list[Apply] = []
        for node in walk(expr):
            if isinstance(node, Apply) and any(arg in moved for arg in node.args):
                moved.add(node)
                order.append(node)
        shape = self.point.shape(upstream.shape)
        size = shape[0] * shape[1]
        if expr not in moved:
            if not np.asarray(self.point.value(expr)).any():
                rows, columns = self.point.shape(expr.shape)
                return np.zeros((rows * columns, size))
            raise LinearFormError("this rule is not linear")

        def value(arrives: Array) -> Array:
            known: dict[Expr, Any] = {upstream: arrives}
            for node in order:
                known[node] = self.point.applied(
                    node, [known[a] if a in known else self.point.value(a) for a in node.args]
                )
            return np.asarray(known[expr], float).ravel()

        by_entry = all(n.op.elementwise and n.shape == upstream.shape for n in order)
        if by_entry:
            linear = value(np.ones(shape))
        else:
            units = [value(row.reshape(shape)) for row in np.eye(size)]
            linear = np.stack(units, axis=1)
        some = np.random.default_rng(_SEED).standard_normal(size)
        found, wanted = value(some.reshape(shape)), _through(linear, some)
        if not np.abs(found - wanted).max() <= LINEAR_ENOUGH * (1 + np.abs(wanted).max()):
            raise LinearFormError("this rule is not linear")
        return linear

    def _rest_of_the_way(self) -> list[Array]:
        """Return, for every value, the matrix from its upstream gradient to the result."""
        onward = [np.zeros((self._sizes[self._end], size)) for size in self._sizes]
        onward[self._end] = np.eye(self._sizes[self._end])
        for use in reversed(self._uses):
            onward[use.above] += _before(onward[use.below], use.linear)
        return onward

    def _run(self, changed: dict[int, Linear]) -> list[Array]:
        """Run the sweep with some matrices replaced."""
        arrived = [np.zeros(size) for size in self._sizes]
        arrived[self._slots[self.of]] = np.ones(self._sizes[self._slots[self.of]])
        for number, use in enumerate(self._uses):
            linear = changed.get(number, use.linear)
            arrived[use.below] += _through(linear, arrived[use.above])
        return arrived

    # ---- with errors --------------------------------------------------------------------------

    def add(self, error: InjectedError) -> Array:
        """Return the gradient with one error, and keep its effect for the pairs.

        Raises
        ------
        ChainruleError
            When its rule has no matrix.
        """
        changed: dict[int, Linear] = {}
        for node, rule in error.rules.items():
            assert isinstance(node, Apply)
            here = [(k, use) for k, use in enumerate(self._uses) if use.node is node]
            found = dict(self._rule(node, rule, {node.args[use.place] for _, use in here}))
            for number, use in here:
                if _differ(found[use.place], use.linear):
                    changed[number] = found[use.place]
        for path, times in error.paths.items():
            for number, use in enumerate(self._uses):
                if use.path == path:
                    changed[number] = float(times) * use.linear
        arrived = self._run(changed)
        rows: dict[int, Array] = {}
        for number, linear in changed.items():
            use = self._uses[number]
            onward = self._onward[use.below]
            difference = _before(onward, linear) - _before(onward, use.linear)
            known = rows.get(use.above)
            rows[use.above] = difference if known is None else known + difference
        effect = Effect(
            error,
            arrived[self._end],
            min(changed, default=0),
            frozenset(changed),
            tuple(rows.items()),
        )
        self.effects.append(effect)
        self._arrived.append(arrived)
        return effect.value.reshape(self.shape)

    def pairs(self, answer: Array) -> Iterator[tuple[InjectedError, InjectedError]]:
        """Yield the pairs that reproduce an answer at the point, in the order of the sweep.

        The first of a pair changes the upstream gradient of the second.
        """
        if answer.shape != self.shape or len(self.effects) < 2:
            return
        wanted = answer.ravel()
        order = sorted(range(len(self.effects)), key=lambda k: self.effects[k].first)
        values = np.stack([self.effects[k].value for k in order])
        stacks: dict[int, Array] = {}
        for count, number in enumerate(order):
            if not count:
                continue
            second = self.effects[number]
            outcome = values[:count].copy()
            for slot, matrix in second.differences:
                if slot not in stacks:
                    stacks[slot] = np.stack([self._arrived[k][slot] for k in order])
                outcome += stacks[slot][:count] @ matrix.T
            for found in near(outcome, wanted, self.truth):
                first = self.effects[order[found]]
                if not first.uses & second.uses:
                    yield first.error, second.error


def near(outcomes: Array, wanted: Array, truth: Array) -> list[int]:
    """Return the rows that agree with the wanted one, relative to the right gradient."""
    size = max(np.abs(wanted).max(), np.abs(truth).max())
    with np.errstate(all="ignore"):
        gaps = np.abs(outcomes - wanted).max(axis=1, initial=0.0)
    return [int(k) for k in np.flatnonzero(gaps <= NEAR * size)]


def _through(linear: Linear, arrives: Array) -> Array:
    return linear * arrives if linear.ndim == 1 else linear @ arrives


def _before(matrix: Array, linear: Linear) -> Array:
    return matrix * linear if linear.ndim == 1 else matrix @ linear


def _differ(one: Linear, other: Linear) -> bool:
    full = [np.diag(m) if m.ndim == 1 and one.ndim != other.ndim else m for m in (one, other)]
    gap = np.abs(full[0] - full[1]).max(initial=0.0)
    return bool(gap > LINEAR_ENOUGH * (1 + np.abs(full[1]).max(initial=0.0)))


__all__ = ["Effect", "Effects", "LinearFormError", "near"]
