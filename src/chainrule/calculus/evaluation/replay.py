"""Values of a forward pass again and again, while one symbol moves.

A difference quotient runs the same definitions at a dozen places that differ in one symbol. Which
operations depend on it, and in which order they come, is found once; the others keep their values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from chainrule.calculus.evaluation.numeric import FLOATS, INDEXED, Evaluator
from chainrule.calculus.graph.model import Definition
from chainrule.calculus.graph.node import Apply, Expr, Symbol, symbols, walk


class Replay:
    """The values of definitions for other values of one symbol, in float64.

    Parameters
    ----------
    route : sequence of Definition
        What is run, in order.
    known : mapping of Symbol to array
        The values of all other symbols that the definitions mention.
    sizes : mapping of str to int
        The sizes of the dimensions.
    source : Symbol
        What moves.
    ends : collection of Symbol, optional
        Targets whose new values are not handed on: what comes later uses those in `known`.
    """

    def __init__(
        self,
        route: Sequence[Definition],
        known: Mapping[Symbol, Any],
        sizes: Mapping[str, int],
        source: Symbol,
        ends: Collection[Symbol] = (),
    ) -> None:
        self.route, self.sizes, self.source, self.ends = route, sizes, source, ends
        used = frozenset[Symbol]().union(*(symbols(one.value) for one in route))
        self._known = {symbol: known[symbol] for symbol in used if symbol in known}
        self._slots: dict[Expr, int] = {source: 0}
        self._values: list[Any] = [None]
        self._program: list[tuple[Callable[..., Any], tuple[int, ...], int]] = []
        self._targets: dict[Symbol, int] = {}
        self._is_recorded = self._record()

    def __call__(self, value: Any) -> dict[Symbol, Any]:  # noqa: ANN401
        """Return the values of all targets where the symbol has this value."""
        if not self._is_recorded:
            return self._evaluated(value)
        values = self._values
        values[0] = value
        for function, slots, out in self._program:
            values[out] = function(*[values[slot] for slot in slots])
        return {target: values[slot] for target, slot in self._targets.items()}

    def _record(self) -> bool:
        """Note the operations that depend on the symbol; False where one is in index form."""
        point = Evaluator(self._known, self.sizes, FLOATS)
        moved: set[Expr] = {self.source}
        for definition in self.route:
            for node in walk(definition.value):
                if node in moved or not any(arg in moved for arg in node.args):
                    continue
                if isinstance(node, INDEXED) or not isinstance(node, Apply):
                    return False
                moved.add(node)
                slots = tuple(self._slot(arg, point) for arg in node.args)
                self._slots[node] = len(self._values)
                self._values.append(None)
                self._program.append((_function(node, point), slots, self._slots[node]))
            self._targets[definition.target] = self._slot(definition.value, point)
            if definition.target not in self.ends:
                moved.add(definition.target)
                self._slots[definition.target] = self._targets[definition.target]
        return True

    def _slot(self, node: Expr, point: Evaluator) -> int:
        """Return where the value of a node is; one that does not depend on the symbol is known."""
        if node not in self._slots:
            self._slots[node] = len(self._values)
            self._values.append(point.value(node))
        return self._slots[node]

    def _evaluated(self, value: Any) -> dict[Symbol, Any]:  # noqa: ANN401
        point = Evaluator(self._known, self.sizes, FLOATS)
        point.define(self.source, value)
        found: dict[Symbol, Any] = {}
        for definition in self.route:
            found[definition.target] = point.value(definition.value)
            if definition.target not in self.ends:
                point.define(definition.target, found[definition.target])
        return found


def _function(node: Apply, point: Evaluator) -> Callable[..., Any]:
    """Return an op with all but its arguments."""
    attrs = point.attributes(node)
    shape = point.shape(node.shape)
    return partial(node.op.value, FLOATS, out_shape=shape, attrs=attrs)
