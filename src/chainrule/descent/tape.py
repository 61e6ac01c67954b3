"""A forward pass with its gradients as a list of array operations, prepared once and run often.

The lines are those that ``chainrule code`` writes. Preparing them decides, for given sizes, what
need not be done again at every step: shapes, constants, what depends on data alone, and copies
that only repeat a row or a column for arithmetic that repeats it by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from chainrule.calculus.evaluation.numeric import FLOATS
from chainrule.calculus.graph.dims import Size, measured
from chainrule.calculus.graph.model import Definition
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, symbols, walk
from chainrule.calculus.ops import TABLE
from chainrule.lecture import Array

_REPEATING = tuple(TABLE[name] for name in ("add", "mul", "div", "maximum", "minimum"))
_ARRAYS = SimpleNamespace(**{**vars(np), "full": FLOATS.full})


@dataclass(frozen=True, eq=False)
class _Instruction:
    """One operation: its arguments' slots, and the slot of its value."""

    call: Callable[..., Any]
    arguments: tuple[int, ...]
    place: int


class Tape:
    """Array operations for one assignment of sizes.

    Parameters
    ----------
    lines : sequence of Definition
        The values to compute, in order; later ones may use the names of earlier ones.
    wanted : iterable of Symbol
        The names whose values are returned; what they do not need is left out.
    given : iterable of Symbol
        The names whose values are put in.
    sizes : mapping of str to int
        The size of every dimension.
    fixed : mapping of Symbol to array, optional
        Given values that are the same in every run, such as all the data.
    """

    def __init__(
        self,
        lines: Sequence[Definition],
        wanted: Iterable[Symbol],
        given: Iterable[Symbol],
        sizes: Mapping[str, int],
        fixed: Mapping[Symbol, Array] | None = None,
    ) -> None:
        self._sizes = sizes
        self._slots: list[Any] = []
        self._where: dict[Expr, int] = {}
        self._known: set[int] = set()
        self._instructions: list[_Instruction] = []
        for symbol, value in (fixed or {}).items():
            self._known.add(self._new(symbol, value))
        self._given = {s: self._new(s, None) for s in given if s not in self._where}
        wanted = tuple(wanted)
        for line in used_lines(lines, wanted):
            self._where[line.target] = self._place(line.value)
        self._wanted = {symbol: self._where[symbol] for symbol in wanted}
        self._instructions = _needed(self._instructions, self._wanted.values())

    def run(self, inputs: Mapping[Symbol, Array]) -> dict[Symbol, Any]:
        """Return the wanted values.

        Parameters
        ----------
        inputs : mapping of Symbol to array
            The given values.
        """
        slots = self._slots
        for symbol, place in self._given.items():
            slots[place] = inputs[symbol]
        for step in self._instructions:
            slots[step.place] = step.call(*[slots[k] for k in step.arguments])
        return {symbol: slots[place] for symbol, place in self._wanted.items()}

    def _new(self, node: Expr, value: Any) -> int:  # noqa: ANN401
        self._slots.append(value)
        self._where[node] = len(self._slots) - 1
        return len(self._slots) - 1

    def _place(self, root: Expr) -> int:
        for node in walk(root):
            if node not in self._where:
                self._add(node)
        return self._where[root]

    def _add(self, node: Expr) -> None:
        shape = self._shape(node)
        if isinstance(node, Number):
            self._known.add(self._new(node, FLOATS.full(shape, node.value)))
            return
        assert isinstance(node, Apply)
        attrs = tuple(
            measured(a, self._sizes) if isinstance(a, str | int | Size) else a for a in node.attrs
        )
        call = partial(node.op.value, _ARRAYS, out_shape=shape, attrs=attrs)
        arguments = self._arguments(node, shape)
        if all(place in self._known for place in arguments):
            self._known.add(self._new(node, call(*[self._slots[k] for k in arguments])))
            return
        self._instructions.append(_Instruction(call, arguments, self._new(node, None)))

    def _arguments(self, node: Apply, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the slots of the arguments; arithmetic repeats a row or a column by itself."""
        if node.op not in _REPEATING:
            return tuple(self._where[arg] for arg in node.args)
        plain = [_unrepeated(arg) for arg in node.args]
        whole = [arg for arg in plain if self._shape(arg) == shape]
        # With two numbers there is something of the full shape left, or the sum has it.
        if not whole:
            plain[0] = node.args[0]
        return tuple(self._where[arg] for arg in plain)

    def _shape(self, node: Expr) -> tuple[int, ...]:
        return tuple(measured(dim, self._sizes) for dim in node.shape)


def _unrepeated(node: Expr) -> Expr:
    while isinstance(node, Apply) and node.op is TABLE["broadcast"]:
        node = node.args[0]
    return node


def used_lines(lines: Sequence[Definition], wanted: Iterable[Symbol]) -> list[Definition]:
    """Return the lines that the wanted names need, in order."""
    used = set(wanted)
    found: list[Definition] = []
    for line in reversed(lines):
        if line.target in used:
            found.append(line)
            used |= symbols(line.value)
    return found[::-1]


def _needed(instructions: Sequence[_Instruction], wanted: Iterable[int]) -> list[_Instruction]:
    """Return the operations whose values somebody uses, in order."""
    used = set(wanted)
    found: list[_Instruction] = []
    for step in reversed(instructions):
        if step.place in used:
            found.append(step)
            used.update(step.arguments)
    return found[::-1]
