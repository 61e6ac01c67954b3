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
from itertools import permutations
from random import Random

import numpy as np

from chainrule.calculus.derivation.steps import Derivation, Gradient, Step
from chainrule.calculus.graph.node import Entry, Expr, Partial, Position, Symbol, symbols
from chainrule.calculus.proof.evidence import Disagreement
from chainrule.calculus.proof.verifier import Verifier
from chainrule.errors import ChainruleError
from chainrule.language.typeset import plain
from chainrule.teaching.diagnosis.catalogue import rule_errors, slope_errors
from chainrule.teaching.diagnosis.injection import InjectedError, derivation_with, line_with
from chainrule.teaching.diagnosis.line_errors import line_errors, overall_errors
from chainrule.teaching.exercises.answer_forms import opened, shortest
from chainrule.teaching.exercises.answer_readers import TOGETHER
from chainrule.teaching.exercises.likely_mistakes import (
    Mistaken,
    brings_a_logarithm,
    factor_mistakes,
    fits,
    has_minus,
    is_alike,
    line_mistakes,
    replaced_by,
    step_mistakes,
)
from chainrule.teaching.exercises.option_choice import OPTIONS, WrongOption, chosen
from chainrule.teaching.exercises.sections import GradientSection, differentiated

MOST_TRIED = 12
"""The number of mistakes that are tried for a choice."""

MOST_ONES = 4
"""The number of answers with one mistake; those with two have two of these."""

MOST_RULES = 6
"""The number of wrong rules from which a factor is derived again."""


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
        for error in self._rule_mistakes(step, rng):
            derivation = derivation_with(self.derivation, error)
            for other in () if derivation is None else derivation.steps:
                likely = not brings_a_logarithm(other.after, step.after)
                if other.question is step.question and likely:
                    wrong = replaced_by(shortest(other.after))
                    mere = error.name == "sign" and not has_minus(step.after)
                    injected.append(Mistaken(error.name, error.message, wrong, plain=mere))
        own = factor_mistakes(step, self.derivation.model)
        ranked = (_mixed([*injected, *own], rng), _mixed(line_mistakes(step.after), rng))
        return self._options(step.after, [each for part in ranked for each in part], (), rng)

    def _rule_mistakes(self, step: Step, rng: Random) -> list[InjectedError]:
        """Return wrong rules for one factor: those of the registry, and wrong slopes."""
        model = self.derivation.model
        errors = list(rule_errors(model, {reason.rule for reason in step.reasons}))
        of = step.question.of if isinstance(step.question, Partial) else None
        value = of.matrix if isinstance(of, Entry) else of
        if isinstance(value, Symbol) and value in model.values:
            errors += slope_errors(model, value)
        errors = [error for error in errors if not error.name.endswith("derivative doubled")]
        rng.shuffle(errors)
        return errors[:MOST_RULES]

    def line_answers(self, step: Step, rng: Random) -> list[Distractor]:
        """Return three wrong versions of a line without open factors, or fewer."""
        variable = differentiated(step)
        assert variable is not None
        near, others = step_mistakes(step)
        likely = [*_mixed(near, rng), *_mixed(others, rng)]
        place = self.derivation.places.get(variable, (None, None))
        return self._options(step.after, likely, place, rng)

    def _options(
        self, right: Expr, likely: Sequence[Mistaken], place: Sequence[Position], rng: Random
    ) -> list[Distractor]:
        """Return answers with one mistake or two, of which the right one is not the centre."""
        found: dict[str, tuple[Distractor, tuple[str, ...]]] = {}

        def add(form: Expr, mistakes: Sequence[Mistaken]) -> Expr | None:
            answer = mistakes[-1].applied(form)
            if answer is None or answer is right or plain(answer) in {plain(right), *found}:
                return None
            if is_alike(answer, right) and fits(answer) and not self.differ(right, answer, *place):
                return None
            names = tuple(each.name for each in mistakes)
            said = mistakes[0].message if len(mistakes) == 1 else "there are two mistakes"
            found[plain(answer)] = Distractor(answer, TOGETHER.join(names), said), names
            return answer

        for signs in (False, True):
            ones = [each for each in likely[:MOST_TRIED] if signs or not each.plain]
            made: list[tuple[Mistaken, Expr]] = []
            for one in ones:
                answer = add(right, [one]) if len(made) < MOST_ONES else None
                if answer is not None:
                    made.append((one, answer))
            for (one, answer), (other, _) in permutations(made, 2):
                add(answer, [one, other])
            if len(found) >= OPTIONS:
                break
        wrong = [WrongOption(text, names) for text, (_, names) in found.items()]
        every = [distractor for distractor, _ in found.values()]
        return [every[k] for k in chosen(plain(right), wrong, rng)]

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
