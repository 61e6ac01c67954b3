"""Readings of a text of code: the shapes of its inputs, its labels, its loss."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.teaching.marking.code_by_value.algebra import Event, Misfit
from chainrule.teaching.marking.code_by_value.naming import Names
from chainrule.teaching.marking.code_by_value.numeric import COUNTS, Array, Numbers
from chainrule.teaching.marking.code_by_value.shaped import Shaped
from chainrule.teaching.marking.code_by_value.shapes import Shapes
from chainrule.teaching.marking.code_by_value.source import Source
from chainrule.teaching.marking.code_by_value.usual_losses import (
    HALF_SQUARES,
    Penalty,
    penalty_of,
    usual_loss,
)
from chainrule.teaching.marking.code_by_value.walk import Walk
from chainrule.teaching.marking.code_by_value.words import word_of

MOST_SHAPES = 48


MOST_WALKS = 1000
"""The most walks over the code of one text."""


MOST_STEPS = 150_000
"""The most expressions that are evaluated in all these walks."""

FAULTS = (Misfit, RecursionError, ArithmeticError, ValueError, TypeError, IndexError)
"""What a walk over code of any kind may end in."""


@dataclass
class Budget:
    """The number of walks, and of steps in them, that are left."""

    left: int = MOST_WALKS
    steps: int = MOST_STEPS

    def take(self) -> None:
        """Count one walk."""
        self.left -= 1
        if self.left < 0 or self.steps < 0:
            raise Misfit("this code takes more evaluations than are made")


@dataclass
class Reading:
    """One reading of the shapes and labels of a text.

    Parameters
    ----------
    code : Source
        The code.
    names : Names
        Its names.
    shapes : Shapes
        The shapes of its inputs.
    labels : str
        How labels are drawn.
    """

    code: Source
    names: Names
    shapes: Shapes
    labels: str
    counted: int | None  # the axis of the labels along which the examples are counted
    budget: Budget
    taken: str = ""  # the loss that is taken where the code has none
    of_outputs: bool = False  # whether slopes are written by the outputs of their functions
    divisor: float = 1.0  # what it is divided by
    penalties: tuple[Penalty, ...] = ()  # that stand in the gradients
    upstream: dict[str, Array] = field(default_factory=dict)
    upstream_of: dict[str, str] = field(default_factory=dict)
    open_output: bool = False  # whether what a step returns goes on to a loss that is not given

    def walk(self, seed: int, moved: int = -1, way: Array | None = None) -> Walk[Array]:
        """Return a walk with numbers."""
        self.budget.take()
        sizes = self.__dict__.get("_sizes")
        if sizes is None:
            sizes = self.__dict__["_sizes"] = self.shapes.sizes()
        numbers = Numbers(
            self.shapes.inputs,
            sizes,
            seed,
            self.labels,
            self.counts(),
            self.names.labels,
            moved,
            way,
            positive=self.names.positive,
        )
        names = replace(self.names, unread=set(), derived=set(self.names.derived),
                        of_outputs=self.of_outputs)  # fmt: skip
        found: Walk[Array] = Walk(numbers, self.code.statements, names)
        found.claims_nothing = moved >= 0
        found.run()
        self.budget.steps -= found.steps
        return found

    def counts(self) -> dict[str, int]:
        """Return the number of examples by its names; empty where it is free."""
        axis = self.counted
        if axis is None:
            return {}
        sizes = self.shapes.sizes()
        for name in self.names.labels:
            shaped = self.shapes.inputs.get(name)
            if shaped is not None and shaped.dims and len(shaped.dims) > axis:
                root = shaped.dims[axis].root()
                return {
                    name: sizes.get(root, root.size or 1)
                    for name in COUNTS & self.shapes.inputs.keys()
                    if self.shapes.inputs[name].dims == ()
                }
        return {}

    def terms(self, walk: Walk[Array]) -> dict[str, float]:
        """Return the values that the loss may be."""
        found: dict[str, float] = {}
        last = {name: at for at, (name, _) in enumerate(walk.losses)}
        for at, (name, value) in enumerate(walk.losses):
            if np.size(value) == 1:  # J = ..., J = J + penalty: its parts are terms too
                key = name if last[name] == at else f"{name} in row {at}"
                found[key] = float(np.ravel(value)[0])
        if self.taken:
            loss = usual_loss(self.taken, walk, self.names) / self.divisor
            found = {"the loss": loss + penalty_of(self.penalties, walk)}
        if self.upstream:
            own = found["the loss"] if self.taken else 0.0
            found = {"the objective": own + sum(
                float(np.sum(grad * np.asarray(walk.known[self.upstream_of[name]])))
                for name, grad in self.upstream.items()
            )}  # fmt: skip
        return found


def shapes_of(code: Source, names: Names) -> Iterator[Shapes]:
    """Yield the shapes that the forward pass allows; one that is not whole where none is."""
    choices: tuple[int, ...] | None = ()
    spare: Shapes | None = None
    some = False
    for _ in range(MOST_SHAPES):
        if choices is None:
            break
        shapes = Shapes(choices, picks=names.picks, deep=names.deep, numbers=names.numbers)
        own = replace(names, unread=set(), derived=set(names.derived))
        walk: Walk[Shaped] = Walk(shapes, code.statements, own)
        try:
            walk.run()
            whole = not walk.failed
            _meet_open_names(walk)
            shapes.close()
        except Misfit:
            whole = False
        choices = shapes.following()
        if whole and _is_plausible(shapes) and _has_one_loss(walk):
            some = True
            if names.numbers:  # every value is a number
                choices = None
            yield shapes
        elif spare is None or not whole:
            spare = spare or shapes
    names.truncated = choices is not None
    if not some and spare is not None:
        yield spare


def _meet_open_names(walk: Walk[Shaped]) -> None:
    """Infer the shapes of names, such as labels, that stand only in the gradients."""
    assert isinstance(walk.algebra, Shapes)
    given = {name: one for name, one in walk.algebra.inputs.items() if one.dims is not None}
    for event in walk.events:
        used = {n.id for n in ast.walk(event.value) if isinstance(n, ast.Name)}
        used |= {n.attr for n in ast.walk(event.value) if isinstance(n, ast.Attribute)
                 and n.attr in walk.names.labels}  # fmt: skip
        fresh = {
            name for name in used if name not in walk.known and not walk.names.is_gradient(name)
        }
        fresh -= given.keys()
        fresh |= used & set(walk.names.labels)
        if event.places is not None and (labels := _labels_of(event.places)) is not None:
            label = walk.flat(labels)
            if label is not None and label not in walk.known:
                _meet_picked(walk, label)
        for name in fresh & COUNTS:
            walk.algebra.unknown(name).dims = ()
        if any(walk.names.is_gradient(name) for name in used):
            continue
        if not fresh - {"np", "torch", "range", "len"} - walk.functions.keys() - walk.scope.keys():
            continue
        walk.scope = dict(event.scope)
        held = _Held(walk, fresh)
        try:
            walk.value(event.value)
        except Misfit:
            continue
        finally:
            held.restore()


class _Held:
    """The lengths that the forward pass leaves different; a gradient never makes them equal."""

    def __init__(self, walk: Walk[Shaped], fresh: set[str]) -> None:
        assert isinstance(walk.algebra, Shapes)
        self.inputs = walk.algebra.inputs
        self.before = set(self.inputs)
        self.open = [one for name, one in self.inputs.items() if one.dims is None or name in fresh]
        self.dims = [one.dims for one in self.open]
        fixed = [one for name, one in self.inputs.items() if name not in fresh]
        self.roots = {dim.root() for one in fixed for dim in one.dims or ()}

    def restore(self) -> None:
        """Take back what makes two of the lengths equal, or one of them a number."""
        ends = {dim.root() for dim in self.roots}
        numbers = sum(dim.size is not None for dim in self.roots)
        if len(ends) == len(self.roots) and numbers == sum(d.size is not None for d in ends):
            return
        for dim in self.roots:
            dim.same = None
        for one, dims in zip(self.open, self.dims, strict=True):
            one.dims = dims
        for name in self.inputs.keys() - self.before:
            del self.inputs[name]


def _labels_of(node: ast.expr) -> ast.expr | None:
    """Return the labels in an index such as ``[range(n), y]``; None for another index."""
    if not isinstance(node, ast.Tuple) or len(node.elts) != 2:
        return None
    rows, labels = node.elts
    if isinstance(rows, ast.Call) and word_of(rows.func) in ("range", "arange"):
        return labels
    return None


def _meet_picked(walk: Walk[Shaped], label: str) -> None:
    """Give labels that are only taken as indices one entry per row of the output."""
    last = next((n for n in reversed(walk.forward) if isinstance(walk.known.get(n), Shaped)), None)
    output = walk.known.get(last or "")
    if isinstance(output, Shaped) and len(output.dims or ()) == 2:
        walk.algebra.entry(output, walk.rows_and(walk.algebra.unknown(label)))


def _is_plausible(shapes: Shapes) -> bool:
    """Whether all biases lie in one direction."""
    ways: set[str] = set()
    for name, shaped in shapes.inputs.items():
        if not name.lower().startswith("b") or shaped.dims is None or name in COUNTS:
            continue
        ones = [dim.is_one() for dim in shaped.dims]
        if len(ones) < 2:
            ways.add("row" if ones else "number")
        elif ones[0] != ones[1]:
            ways.add("row" if ones[0] else "column")
        elif not ones[0]:
            return False
    return len(ways) < 2


def _has_one_loss(walk: Walk[Shaped]) -> bool:
    """Whether what the code calls its loss is one number."""
    if not walk.losses or walk.names.incoming:
        return True
    dims = walk.losses[-1][1].dims
    return dims is None or all(dim.is_one() for dim in dims)


def find_upstream(reading: Reading, walk: Walk[Array], events: list[Event]) -> None:
    """Take a gradient that is used and never given for that of what comes after the code."""
    given = {event.target for event in events}
    for name, output in reading.names.incoming.items():
        stems = (reading.names.stem(name), reading.names.carried(name))
        own = [v for stem in stems if stem for v in reading.names.values_of(stem)
               if v in walk.known]  # fmt: skip
        _take(reading, walk, name, own[0] if own else output)
    outputs = set(reading.names.incoming.values())
    reading.open_output = bool(reading.upstream) and not outputs & set(
        reading.upstream_of.values())  # fmt: skip
    if any(np.size(value) == 1 for _, value in walk.losses) or reading.names.incoming:
        return
    for event in events:
        for node in ast.walk(event.value):
            used = walk.flat(node) if isinstance(node, ast.Name | ast.Attribute) else None
            if used is None or used in given or used in walk.known:
                continue
            stem = reading.names.stem(used) or reading.names.carried(used)
            held = reading.names.values_of(stem) if stem else []
            value = next((one for one in held if one in walk.known), None)
            if value is not None:
                _take(reading, walk, used, value)


def _take(reading: Reading, walk: Walk[Array], name: str, value: str) -> None:
    """Take random numbers for the gradient of a value that comes from outside."""
    held = walk.known.get(value)
    if isinstance(held, np.ndarray):
        random = np.random.default_rng(len(name))
        reading.upstream[name] = np.asarray(random.normal(size=held.shape))
        reading.upstream_of[name] = value


__all__ = [
    "COUNTS",
    "FAULTS",
    "HALF_SQUARES",
    "Budget",
    "Reading",
    "find_upstream",
    "shapes_of",
]
