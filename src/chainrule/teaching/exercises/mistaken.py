"""Wrong answers to choose among: the mistakes of the rows, pushed through the whole derivation.

A mistake of a row takes the place of its rule, and the derivation is made again with it. What
comes out is an answer that somebody really gets. Where too few of these have the right shape,
near misses fill up: a sign, a term or a factor gone. Each is shown to differ before it is used.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random

import numpy as np

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation, Gradient, Step
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import (
    Apply,
    Expr,
    Number,
    Position,
    Symbol,
    symbols,
    transform,
    walk,
)
from chainrule.calculus.graph.op import Layout, Mistake, Op
from chainrule.calculus.ops import add, mul
from chainrule.calculus.ops import replace as put
from chainrule.calculus.proof.evidence import Disagreement
from chainrule.calculus.proof.ladder import Laboratory
from chainrule.errors import ChainruleError, ShapeError
from chainrule.language.typeset import plain
from chainrule.teaching.exercises.story import Stretch, differentiated


@dataclass(frozen=True)
class Wrong:
    """A wrong answer.

    Parameters
    ----------
    answer : Expr
        What it is.
    name, message : str
        The mistake that leads to it.
    """

    answer: Expr
    name: str
    message: str


@dataclass(frozen=True)
class Slip:
    """One mistake, made wherever its rule is used, and the derivation that comes of it."""

    op: Op
    mistake: Mistake
    derivation: Derivation


class Mistakes:
    """What goes wrong in one derivation.

    Parameters
    ----------
    derivation : Derivation
        The right one.
    """

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation

    @cached_property
    def _laboratory(self) -> Laboratory:
        return Laboratory(self.derivation)

    def slips(self, rng: Random, rules: Container[str] | None = None) -> Iterator[Slip]:
        """Make the derivation again with one mistake at a time, in random order.

        Parameters
        ----------
        rng : Random
            Of the order.
        rules : container of str, optional
            The rules in which to make mistakes; by default all that are used.
        """
        model = self.derivation.model
        used = [n.op for d in model.definitions for n in walk(d.value) if isinstance(n, Apply)]
        pairs = [
            (op, mistake)
            for op in dict.fromkeys(used)
            for mistake in op.mistakes
            if rules is None or op.rule in rules
        ]
        rng.shuffle(pairs)
        for op, mistake in pairs:
            derivation = _with_mistake(self.derivation, op, mistake)
            if derivation is not None:
                yield Slip(op, mistake, derivation)

    def answers(self, stretch: Stretch, rng: Random, count: int) -> list[Wrong]:
        """Return wrong answers to a gradient, of the right shape."""
        known = set(self.derivation.model.symbols)
        right = opened(self.derivation, stretch.answer)
        found: dict[str, Wrong] = {}
        for slip in self.slips(rng):
            gradient = slip.derivation.gradients.get(stretch.variable.name)
            if gradient is None:
                continue
            answer = opened(slip.derivation, _form(gradient, stretch.gradient))
            if answer.shape == right.shape and symbols(answer) <= known:
                place = (stretch.gradient.row, stretch.gradient.col)
                if self.differ(right, answer, *place):
                    wrong = Wrong(answer, slip.mistake.name, slip.mistake.message)
                    found.setdefault(plain(answer), wrong)
            if len(found) == count:
                return list(found.values())
        row, col = stretch.gradient.row, stretch.gradient.col
        return self._filled(found, right, row, col, count, rng)

    def factor_answers(self, step: Step, rng: Random, count: int) -> list[Wrong]:
        """Return wrong answers to one factor."""
        found: dict[str, Wrong] = {}
        for slip in self.slips(rng, {reason.rule for reason in step.reasons}):
            for other in slip.derivation.steps:
                if other.question is not step.question:
                    continue
                if self.differ(step.after, other.after):
                    wrong = Wrong(other.after, slip.mistake.name, slip.mistake.message)
                    found.setdefault(plain(other.after), wrong)
            if len(found) == count:
                return list(found.values())
        return self._filled(found, step.after, None, None, count, rng)

    def line_answers(self, step: Step, rng: Random, count: int) -> list[Wrong]:
        """Return wrong versions of a line in which nothing is asked any more."""
        row, col = self.derivation.places.get(_variable(step), (None, None))
        return self._filled({}, step.after, row, col, count, rng)

    def differ(self, right: Expr, wrong: Expr, row: Position = None, col: Position = None) -> bool:
        """Whether two answers are shown to differ by two finite numbers."""
        if right is wrong:
            return False
        try:
            found = self._laboratory.equal(right, wrong, row, col)
        except ChainruleError:
            return False  # what cannot be compared is not used
        return isinstance(found, Disagreement) and bool(np.isfinite(found.left + found.right))

    def _filled(
        self,
        found: dict[str, Wrong],
        right: Expr,
        row: Position,
        col: Position,
        count: int,
        rng: Random,
    ) -> list[Wrong]:
        inside, whole = list(near_misses(right)), list(whole_misses(right))
        rng.shuffle(inside)
        for wrong in (*inside, *whole):
            if len(found) == count:
                break
            if plain(wrong.answer) not in found and self.differ(right, wrong.answer, row, col):
                found[plain(wrong.answer)] = wrong
        return list(found.values())


def opened(derivation: Derivation, form: Expr) -> Expr:
    """Put what layers stand for in the place of their names; an index form keeps them."""
    for name, gradient in reversed(list(derivation.layers.items())):
        if name in symbols(form) and gradient.matrix is not None:
            form = put(form, {name: gradient.matrix})
    return form


def near_misses(form: Expr) -> Iterator[Wrong]:
    """Give forms of the same shape in which one thing is missing, turned, or too much."""
    for node in walk(form):
        for part, name, message in _changed(node):
            if part.shape != node.shape:
                continue
            try:
                changed = put(form, {node: part})
            except ChainruleError:
                continue
            if changed.shape == form.shape:
                yield Wrong(changed, name, message)


def whole_misses(form: Expr) -> Iterator[Wrong]:
    """Give the form with something wrong with the whole of it."""
    yield Wrong(-form, "sign", "the sign of the whole is wrong")
    yield Wrong(2 * form, "a factor too many", "there is a factor 2 too many")


def _changed(node: Expr) -> Iterator[tuple[Expr, str, str]]:
    if not isinstance(node, Apply):
        return
    layout, args = node.op.notation.layout, node.args
    if layout in (Layout.SUM, Layout.PRODUCT) and len(args) > 1:
        build = add if layout is Layout.SUM else mul
        word = "term" if layout is Layout.SUM else "factor"
        for k, arg in enumerate(args):
            rest = args[:k] + args[k + 1 :]
            yield build(*rest), f"a {word} missing", f"the {word} {plain(arg)} is missing"
            if layout is Layout.SUM:
                turned = build(*args[:k], -arg, *args[k + 1 :])
                yield turned, "sign of a term", f"the sign of {plain(arg)} is wrong"
    elif layout in (Layout.POSTFIX, Layout.PREFIX, Layout.POWER) and len(args) == 1:
        yield args[0], "dropped", f"{plain(node)} became {plain(args[0])}"
    elif layout is Layout.FRACTION and not isinstance(args[0], Number):
        yield args[0], "denominator missing", f"the denominator {plain(args[1])} is missing"


def _with_mistake(derivation: Derivation, op: Op, mistake: Mistake) -> Derivation | None:
    if not _keeps_shapes(derivation.model, op, mistake):
        return None  # the mistake shows by its shape: nobody would choose it
    wrong = replace(op, vjp=mistake.vjp, mistakes=())
    model = derivation.model
    definitions = tuple(replace(d, value=_exchanged(d.value, op, wrong)) for d in model.definitions)
    try:
        made = derivation_of(replace(model, definitions=definitions), list(derivation.gradients))
        return _restored(made, model, wrong, op)
    except ChainruleError:
        return None  # no gradient comes of it


def _keeps_shapes(model: Model, op: Op, mistake: Mistake) -> bool:
    for node in (node for d in model.definitions for node in walk(d.value)):
        if isinstance(node, Apply) and node.op is op:
            upstream = Symbol("upstream", node.shape)
            try:
                found = mistake.vjp(upstream, node, node.args, node.attrs)
            except ShapeError:
                return False
            if any(a.shape != b.shape for a, b in zip(found, node.args, strict=True)):
                return False
    return True


def _exchanged(expr: Expr, old: Op, new: Op) -> Expr:
    def change(node: Expr) -> Expr:
        if isinstance(node, Apply) and node.op is old:
            return Apply(new, node.args, node.attrs)
        return node

    return transform(expr, change)


def _restored(made: Derivation, model: Model, wrong: Op, op: Op) -> Derivation:
    """Give the right rows back to a derivation that was made with a wrong one."""

    def back(expr: Expr) -> Expr:
        return _exchanged(expr, wrong, op)

    def gradient(g: Gradient) -> Gradient:
        return replace(g, index=back(g.index), matrix=None if g.matrix is None else back(g.matrix))

    return replace(
        made,
        model=model,
        steps=tuple(replace(s, before=back(s.before), after=back(s.after)) for s in made.steps),
        gradients={name: gradient(g) for name, g in made.gradients.items()},
        layers={name: gradient(g) for name, g in made.layers.items()},
    )


def _form(gradient: Gradient, like: Gradient) -> Expr:
    if like.matrix is None or gradient.matrix is None:
        return gradient.index
    return gradient.matrix


def _variable(step: Step) -> Symbol:
    found = differentiated(step)
    assert found is not None
    return found
