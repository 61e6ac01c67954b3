"""Distractors: wrong answers for multiple choice, from the errors that diagnosis injects.

A wrong rule is injected into the derivation, so the distractor is an answer that people really get.
Where too few of these have the right shape, errors in the final line follow. Each distractor is
verified to differ from the right answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random

import numpy as np

from chainrule.calculus.derivation.steps import Derivation, Gradient, Step
from chainrule.calculus.graph.node import Expr, Position, symbols
from chainrule.calculus.ops import replace as put
from chainrule.calculus.proof.evidence import Disagreement
from chainrule.calculus.proof.verifier import Verifier
from chainrule.errors import ChainruleError
from chainrule.language.typeset import plain
from chainrule.teaching.diagnosis.catalogue import rule_errors
from chainrule.teaching.diagnosis.injection import InjectedError, derivation_with, line_with
from chainrule.teaching.diagnosis.line_errors import line_errors, overall_errors
from chainrule.teaching.exercises.sections import GradientSection, differentiated


@dataclass(frozen=True)
class Distractor:
    """A wrong answer, and the mistake that leads to it.

    Parameters
    ----------
    answer : Expr
        The wrong answer.
    name, message : str
        The mistake.
    """

    answer: Expr
    name: str
    message: str


class Distractors:
    """Wrong answers to questions about one derivation.

    Parameters
    ----------
    derivation : Derivation
        The right derivation.
    """

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation

    @cached_property
    def _verifier(self) -> Verifier:
        return Verifier(self.derivation)

    def derivations(
        self, rng: Random, rules: Container[str] | None = None
    ) -> Iterator[tuple[InjectedError, Derivation]]:
        """Yield the derivation with one wrong rule at a time, in random order.

        Parameters
        ----------
        rng : Random
            Source of the order.
        rules : container of str, optional
            Names of the derivative rules that may be wrong; by default all.
        """
        errors = list(rule_errors(self.derivation.model, rules))
        rng.shuffle(errors)
        for error in errors:
            derivation = derivation_with(self.derivation, error)
            if derivation is not None:
                yield error, derivation

    def answers(self, section: GradientSection, rng: Random, count: int) -> list[Distractor]:
        """Return wrong gradients of the right shape."""
        known = set(self.derivation.model.symbols)
        right = opened(self.derivation, section.answer)
        place = (section.gradient.row, section.gradient.col)
        found: dict[str, Distractor] = {}
        for error, derivation in self.derivations(rng):
            gradient = derivation.gradients.get(section.variable.name)
            if gradient is None:
                continue
            answer = opened(derivation, _form(gradient, section.gradient))
            if answer.shape != right.shape or not symbols(answer) <= known:
                continue
            if self.differ(right, answer, *place):
                found.setdefault(plain(answer), Distractor(answer, error.name, error.message))
            if len(found) == count:
                return list(found.values())
        return self._filled(found, right, *place, count, rng)

    def factor_answers(self, step: Step, rng: Random, count: int) -> list[Distractor]:
        """Return wrong answers to one factor of the chain rule."""
        found: dict[str, Distractor] = {}
        for error, derivation in self.derivations(rng, {reason.rule for reason in step.reasons}):
            for other in derivation.steps:
                if other.question is step.question and self.differ(step.after, other.after):
                    wrong = Distractor(other.after, error.name, error.message)
                    found.setdefault(plain(other.after), wrong)
            if len(found) == count:
                return list(found.values())
        return self._filled(found, step.after, None, None, count, rng)

    def line_answers(self, step: Step, rng: Random, count: int) -> list[Distractor]:
        """Return wrong versions of a line without open factors."""
        variable = differentiated(step)
        assert variable is not None
        row, col = self.derivation.places.get(variable, (None, None))
        return self._filled({}, step.after, row, col, count, rng)

    def differ(self, right: Expr, wrong: Expr, row: Position = None, col: Position = None) -> bool:
        """Whether two answers are verified to differ, by two finite numbers."""
        if right is wrong:
            return False
        try:
            found = self._verifier.equal(right, wrong, row, col)
        except ChainruleError:
            return False  # what cannot be compared is not used
        return isinstance(found, Disagreement) and bool(np.isfinite(found.left + found.right))

    def _filled(
        self,
        found: dict[str, Distractor],
        right: Expr,
        row: Position,
        col: Position,
        count: int,
        rng: Random,
    ) -> list[Distractor]:
        """Add errors in the final line until there are `count` distractors."""
        inside = list(line_errors(right))
        rng.shuffle(inside)
        for error in (*_each_kind_first(inside), *overall_errors()):
            if len(found) == count:
                break
            try:
                answer = line_with(right, (error,))
            except ChainruleError:
                continue
            text = plain(answer)
            if answer.shape != right.shape or text in found:
                continue
            if self.differ(right, answer, row, col):
                found[text] = Distractor(answer, error.name, error.message)
        return list(found.values())


def opened(derivation: Derivation, form: Expr) -> Expr:
    """Replace the names of layer gradients by their matrix forms; those without one stay."""
    for name, gradient in reversed(list(derivation.layers.items())):
        if name in symbols(form) and gradient.matrix is not None:
            form = put(form, {name: gradient.matrix})
    return form


def _each_kind_first(errors: Iterable[InjectedError]) -> list[InjectedError]:
    """Order errors so that one of each name comes before a second of any."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, InjectedError]] = []
    for error in errors:
        ranked.append((seen[error.name], error))
        seen[error.name] += 1
    return [error for _, error in sorted(ranked, key=lambda pair: pair[0])]


def _form(gradient: Gradient, like: Gradient) -> Expr:
    if like.matrix is None or gradient.matrix is None:
        return gradient.index
    return gradient.matrix


__all__ = ["Distractor", "Distractors", "opened"]
