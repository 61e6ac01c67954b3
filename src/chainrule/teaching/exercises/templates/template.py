"""An exercise whose question is made by a template instead of a derivation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeAlias

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.teaching.exercises.answer_readers import AnswerKey, judge
from chainrule.teaching.exercises.content import Block, Content, Prose
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.questions import LETTERS, Question, Subject, lettered

DRAWS = 4
"""How often numbers are drawn again."""

NO_FORWARD_PASS = Model((), (), Symbol("J", SCALAR), ())
"""The forward pass of an exercise that has none."""


@dataclass(frozen=True)
class Draft:
    """A question before its exercise is known.

    Parameters
    ----------
    prompt : tuple of Block
        The content of the question.
    key : AnswerKey
        The form of the answer, the right answer, and the wrong ones that have a name.
    hints : tuple of str or Block
        Three hints, each more definite than the one before; none contains the answer.
    solution : tuple of Block
        The answer with its reason.
    options : tuple of Block
        The options, lettered.
    model : Model
        The forward pass to show; by default none.
    """

    prompt: Content
    key: AnswerKey
    hints: tuple[str | Block, ...]
    solution: Content
    options: Content = ()
    model: Model = NO_FORWARD_PASS


Template: TypeAlias = Callable[[Random], Draft]


@dataclass(frozen=True)
class TemplateExercise(Exercise):
    """An exercise whose question a template makes, with other numbers for each seed.

    Parameters
    ----------
    template : callable
        Makes the question from a source of random numbers.
    skills : tuple of str
        The skills that it exercises.
    """

    template: Template | None = None
    skills: tuple[str, ...] = ()

    @property
    def derivation(self) -> Derivation:
        """A derivation without steps: no gradient is asked for."""
        return Derivation(NO_FORWARD_PASS, (), {}, {})

    def question(self, rng: Random) -> Question:
        """Return the question for a source of random numbers.

        Numbers at which a mistake would give the right answer are drawn again.
        """
        assert self.template is not None
        rng = Random(f"{self.id} {rng.random()}")  # letters and numbers of its own
        draft = self.template(rng)
        for _ in range(DRAWS):
            again = draft if not hidden(draft.key) else self.template(rng)
            if len(hidden(again.key)) <= len(hidden(draft.key)):
                draft = again
        unseen = hidden(draft.key)
        kept = tuple(mistake for mistake in draft.key.mistakes if mistake not in unseen)
        key = replace(draft.key, mistakes=kept)
        return Question(
            self,
            self.kinds[0],
            draft.model,
            draft.prompt,
            key,
            tuple((Prose(h) if isinstance(h, str) else h,) for h in draft.hints),
            draft.solution,
            (),
            draft.options,
            self.skills,
        )


def hidden(key: AnswerKey) -> list[tuple[str, str, str]]:
    """Return the mistakes of a key that its reader cannot tell from the right answer."""
    alone = replace(key, mistakes=())
    return [mistake for mistake in key.mistakes if judge(alone, mistake[0]).right]


def made_by_template(kind: str) -> Callable[[Subject], Question | None]:
    """Return the builder of a kind of question whose exercises have templates."""

    def build(subject: Subject) -> Question | None:
        exercise = subject.exercise
        if not isinstance(exercise, TemplateExercise) or exercise.kinds != (kind,):
            return None
        return exercise.question(subject.rng)

    return build


@dataclass(frozen=True)
class Option:
    """A wrong option: its text, the misconception behind it, and the answer to it."""

    text: str
    name: str
    message: str


def choice(
    ask: Sequence[Block],
    right: str,
    wrong: Sequence[Option],
    because: str,
    hints: tuple[str, ...],
    rng: Random,
) -> Draft:
    """Return a multiple-choice question; every wrong option names its misconception."""
    options, letter = lettered(Prose(right), [Prose(option.text) for option in wrong], rng)
    texts = [option.text for option in options if isinstance(option, Prose)]
    mistakes = tuple((LETTERS[texts.index(o.text)], o.name, o.message) for o in wrong)
    key = AnswerKey("choice", letter, choices=tuple(texts), mistakes=mistakes)
    return Draft(tuple(ask), key, hints, (Prose(f"{letter}) {right}"), Prose(because)), options)
