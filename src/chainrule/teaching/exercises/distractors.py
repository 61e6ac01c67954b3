"""Distractors: wrong answers for multiple choice, from the errors that diagnosis injects.

A wrong rule is injected into the derivation, so the distractor is an answer that people really get.
Where too few of these have the right shape, errors in the final line follow. Each distractor is
verified to differ from the right answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

import numpy as np

from chainrule.calculus.derivation.steps import Derivation, Gradient, Step
from chainrule.calculus.graph.node import Expr, Position, symbols
from chainrule.calculus.proof.evidence import Disagreement
from chainrule.calculus.proof.verifier import Verifier
from chainrule.errors import ChainruleError
from chainrule.language.typeset import plain
from chainrule.teaching.diagnosis.catalogue import rule_errors
from chainrule.teaching.diagnosis.injection import InjectedError, derivation_with, line_with
from chainrule.teaching.diagnosis.line_errors import line_errors, overall_errors
from chainrule.teaching.exercises.answer_forms import opened
from chainrule.teaching.exercises.answer_readers import TOGETHER
from chainrule.teaching.exercises.likely_mistakes import (
    Mistaken,
    factor_mistakes,
    line_mistakes,
    replaced_by,
)
from chainrule.teaching.exercises.sections import GradientSection, differentiated

MOST_TRIED = 12
"""The number of mistakes that are tried for each of the two places in a choice."""


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

    def factor_answers(self, step: Step, rng: Random) -> list[Distractor]:
        """Return three wrong answers to one factor of the chain rule, or fewer."""
        injected: list[Mistaken] = []
        for error, derivation in self.derivations(rng, {reason.rule for reason in step.reasons}):
            for other in derivation.steps:
                if other.question is step.question and other.after is not step.after:
                    injected.append(Mistaken(error.name, error.message, replaced_by(other.after)))
        edits = [*factor_mistakes(step, self.derivation.model), *line_mistakes(step.after)]
        return self._square(step.after, injected, edits, None, None, rng)

    def line_answers(self, step: Step, rng: Random) -> list[Distractor]:
        """Return three wrong versions of a line without open factors, or fewer."""
        variable = differentiated(step)
        assert variable is not None
        row, col = self.derivation.places.get(variable, (None, None))
        return self._square(step.after, [], line_mistakes(step.after), row, col, rng)

    def _square(
        self,
        right: Expr,
        first: Sequence[Mistaken],
        edits: Sequence[Mistaken],
        row: Position,
        col: Position,
        rng: Random,
    ) -> list[Distractor]:
        """Return an answer with one mistake, one with another, and one with both.

        Every option is then one mistake away from two others, so that the right one does not
        stand out as the one that all the others resemble.
        """
        ones = _mixed(first, rng) + _mixed(edits, rng)
        others = _mixed(edits, rng)
        known: dict[Expr, bool] = {}

        def is_wrong(answer: Expr | None) -> bool:
            if answer is None or answer.shape != right.shape or answer is right:
                return False
            if answer not in known:
                known[answer] = self.differ(right, answer, row, col)
            return known[answer]

        for one in ones[:MOST_TRIED]:
            left = one.applied(right)
            if left is None or not is_wrong(left):
                continue
            for other in others[:MOST_TRIED]:
                below, both = other.applied(right), other.applied(left)
                texts = {plain(each) for each in (right, left, below, both) if each is not None}
                if len(texts) == 4 and is_wrong(below) and is_wrong(both):
                    assert below is not None
                    assert both is not None
                    return [
                        Distractor(left, one.name, one.message),
                        Distractor(below, other.name, other.message),
                        Distractor(
                            both, f"{one.name}{TOGETHER}{other.name}", "there are two mistakes"
                        ),
                    ]
        return []

    def differ(self, right: Expr, wrong: Expr, row: Position = None, col: Position = None) -> bool:
        """Whether two answers are verified to differ, by two finite numbers."""
        if right is wrong:
            return False
        try:
            found = self._verifier.equal(right, wrong, row, col)
        except (ChainruleError, ValueError):
            return False  # what cannot be compared, such as a line with a free index, is not used
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


def _mixed(mistakes: Iterable[Mistaken], rng: Random) -> list[Mistaken]:
    """Order mistakes at random, one of each name first, the plain ones last."""
    drawn = list(mistakes)
    rng.shuffle(drawn)
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int, Mistaken]] = []
    for each in drawn:
        ranked.append((int(each.plain), seen[each.name], each))
        seen[each.name] += 1
    return [each for *_, each in sorted(ranked, key=lambda rank: rank[:2])]
