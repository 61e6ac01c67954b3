"""Continuity of a derivation: every line starts where an earlier one ended, or at a definition.

A line that is true by itself is not yet a step. Each must start from the end of the last line about
the same quantity, or from a definition of the author's model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from chainrule.calculus.derivation.own import own_rows
from chainrule.calculus.derivation.steps import Claim, Derivation, Phase, Step
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Entry, Expr, Partial, entry
from chainrule.calculus.indexing.scope import scope_complaint

Subject: TypeAlias = tuple[object, ...]


class Continuity:
    """Checks line by line that a derivation is continuous.

    Parameters
    ----------
    derivation : Derivation
        The derivation whose lines are passed to `follows`, in order.
    """

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self._last: dict[Subject, Expr] = {}
        self._ends: dict[Subject, dict[Expr, Expr]] = {}  # by the letters of the left side, too

    def follows(self, step: Step) -> str:
        """Return why a line does not follow from those before it; empty when it does."""
        subject = (_thread(step.phase), *_subject(step.left))
        complaint = scope_complaint(step.after) or self._complaint(step, subject)
        self._last[subject] = step.after
        self._ends.setdefault(subject, {})[step.left] = step.after
        return complaint

    def ends(self) -> str:
        """Return which gradient is not the end of its lines; empty when all are."""
        objective = self.derivation.model.objective
        found = (*self.derivation.layers.values(), *self.derivation.gradients.values())
        for gradient in found:
            ended = self._last.get((None, *_subject(Partial(objective, gradient.variable))))
            final = gradient.index if gradient.matrix is None else gradient.matrix
            own = self._last.get((Phase.OPENED, *_subject(Partial(objective, gradient.variable))))
            if ended is not final or own is not gradient.opened:
                name = gradient.variable.name
                return f"the gradient with respect to {name} is not what its last line says"
        for left, body in self._slopes():
            if self._last.get((None, *_subject(left))) is not body:
                return f"the slope {left.op.name} is not what its last line says"
        for hessian in self.derivation.hessians.values():
            ended = self._last.get((Phase.CURVATURE, *_subject(hessian.symbol)))
            final = hessian.index if hessian.matrix is None else hessian.matrix
            if ended is not final:
                return f"the Hessian {hessian.symbol.name} is not what its last line says"
        return ""

    def _complaint(self, step: Step, subject: Subject) -> str:
        values = self.derivation.model.values
        if step.phase is Phase.STAGE:
            right = values.get(step.left) is step.after  # type: ignore[call-overload]
            return "" if right else "this is not the definition of the name"
        if step.phase is Phase.FACTOR and step.claim is Claim.EQUAL:
            matrix = step.left.matrix if isinstance(step.left, Entry) else step.left
            place = step.left.places if isinstance(step.left, Entry) else (None, None)
            meant = values.get(matrix)  # type: ignore[call-overload]
            right = meant is not None and step.before is entry(meant, *place)
            return "" if right else "this is not an entry of the definition"
        if step.phase is Phase.FACTOR:
            right = self.derivation.answers.get(step.left) is step.after
            return "" if right else "the answer that is used later is another one"
        if step.phase is Phase.CURVATURE and subject not in self._last:
            return self._curvature_complaint(step)
        if step.phase is Phase.OPENED:
            right = self._last.get((None, *subject[1:])) is step.before
            return "" if right else "it does not start from the gradient"
        if step.claim in (Claim.ROUNDS, Claim.ROUND_SUM):
            return ""  # the proof itself holds it to the lines that it is about
        if step.claim is Claim.SLOPE:
            return self._slope_complaint(step)
        if step.claim is Claim.EQUAL or (step.concludes and subject in self._last):
            right = step.before is self._last.get(subject) or self._answered(step, subject)
            return "" if right else "it does not start where the line before it ended"
        return ""

    def _answered(self, step: Step, subject: Subject) -> bool:
        """Whether a conclusion starts at the entry of a factor, answered in other letters since."""
        return step.concludes and step.before in self._ends.get(subject, {}).values()

    def _slope_complaint(self, step: Step) -> str:
        """Compare the first line about a derivative with the functions of the forward pass."""
        lefts = [left for left, _ in self._slopes()]
        return "" if step.left in lefts else "this function is not used"

    def _slopes(self) -> Iterator[tuple[Apply, Expr]]:
        """Yield the derivative of every user function, with its body."""
        for row in own_rows(self.derivation.model.values.values()):
            yield Apply(row.slope, (row.parameter,)), row.slope.body

    def _curvature_complaint(self, step: Step) -> str:
        """Compare the first line about a product or a Hessian with the derived gradients."""
        if step.claim is Claim.EQUAL:
            known = [gradient.matrix for gradient in self.derivation.gradients.values()]
            return "" if step.before in known else "it does not start from the product"
        named = [entry(h.symbol, h.row, h.col) for h in self.derivation.hessians.values()]
        return "" if step.left in named else "this is no entry of a Hessian"


def _thread(phase: Phase) -> Phase | None:
    """Return the phase whose lines are a thread of their own."""
    return phase if phase in (Phase.CURVATURE, Phase.OPENED, Phase.RECURSION) else None


def same_model(derivation: Derivation) -> bool:
    """Whether the model with added names expands to the author's model."""
    source, staged = derivation.source, derivation.model
    if source is None:
        return True
    return source.inputs == staged.inputs and _opened(source) is _opened(staged)


def _opened(model: Model) -> Expr:
    return model.opened(model.objective)


def _subject(side: Expr) -> Subject:
    """Return the subject of a line: an entry and its matrix as a whole are one subject."""
    if isinstance(side, Partial):
        return (_subject(side.of), _subject(side.wrt))
    if isinstance(side, Entry):
        fixed = tuple(place for place in side.places if isinstance(place, int))
        return (side.matrix, *fixed)
    return (side,)
