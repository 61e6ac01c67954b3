"""A question: what is shown, what is asked, how the answer is read, and the hints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from chainrule.calculus.derivation.steps import Derivation, Phase, Step
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Partial, Symbol, partials, symbols
from chainrule.teaching.exercises.distractors import Distractors
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.pieces import Line, Piece, Pieces, Prose
from chainrule.teaching.exercises.readers import Key
from chainrule.teaching.exercises.story import Stretch, stretch_of, stretches

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Question:
    """One question about an exercise.

    Parameters
    ----------
    exercise : Exercise
        About which exercise.
    kind : str
        The name of its row in the table of kinds.
    model : Model
        The forward pass to show: as written, or with names for what was nested.
    prompt : tuple of Piece
        What is shown and asked.
    options : tuple of Piece
        What to choose among, lettered.
    key : Key
        How the answer is read, and what it must be.
    hints : tuple of tuple of Piece
        Three: which rule; the rule applied here, with a blank; the step.
    solution : tuple of Piece
        What is shown afterwards.
    rules : tuple of str
        The rules that the answer takes, by which progress is kept.
    """

    exercise: Exercise
    kind: str
    model: Model
    prompt: Pieces
    key: Key
    hints: tuple[Pieces, ...]
    solution: Pieces
    rules: tuple[str, ...]
    options: Pieces = ()


class Subject:
    """An exercise while a question about it is being made.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    rng : Random
        Where choices come from.
    """

    def __init__(self, exercise: Exercise, rng: Random) -> None:
        self.exercise = exercise
        self.rng = rng

    @property
    def derivation(self) -> Derivation:
        """The derivation of the exercise."""
        return self.exercise.derivation

    @cached_property
    def distractors(self) -> Distractors:
        """Wrong answers to questions about it."""
        return Distractors(self.derivation)

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """The gradients it derives, layers first."""
        return tuple(stretches(self.derivation))

    def variable(self) -> Stretch:
        """Choose one of the asked gradients."""
        return stretch_of(self.derivation, self.rng.choice(self.exercise.variables))

    def whole(self, stretch: Stretch) -> Partial:
        """Return the left side of a gradient as a whole."""
        return Partial(self.derivation.model.objective, stretch.variable)

    def gradient(self, stretch: Stretch) -> Line:
        """Write a gradient's result as a line."""
        left: Expr = self.whole(stretch)
        if stretch.gradient.matrix is None and stretch.lines:
            left = stretch.lines[-1].left
        return Line(left, stretch.answer)

    def needed(self, stretch: Stretch) -> tuple[Stretch, ...]:
        """Return the layers' gradients on which a gradient rests, and it, in order."""
        by_name = {s.name: s for s in self.stretches if s.name is not None}
        found: list[Stretch] = []
        waiting = [stretch]
        while waiting:
            found.append(waiting.pop())
            for name in mentioned([step.after for step in found[-1].lines]):
                if name in by_name and by_name[name] not in [*found, *waiting]:
                    waiting.append(by_name[name])
        return tuple(s for s in self.stretches if s in found)

    def rules(self, stretch: Stretch) -> tuple[str, ...]:
        """Return the rules that a gradient takes, those of the layers below it included."""
        return tuple(dict.fromkeys(rule for s in self.needed(stretch) for rule in s.rules))

    def naming(self, forms: Iterable[Expr]) -> Pieces:
        """Say what the names of layers' gradients stand for, where they are used."""
        used = mentioned(forms)
        objective = self.derivation.model.objective
        return tuple(
            Line(name, Partial(objective, gradient.variable))
            for name, gradient in self.derivation.layers.items()
            if name in used
        )


@dataclass(frozen=True)
class Kind:
    """One way of asking.

    Parameters
    ----------
    name : str
        What it is called on the command line.
    title : str
        What the student does.
    build : callable
        Makes a question, or nothing where the exercise has none of this kind.
    """

    name: str
    title: str
    build: Callable[[Subject], Question | None]


def mentioned(forms: Iterable[Expr]) -> set[Symbol]:
    """Return the symbols in some forms, those inside of unanswered derivatives included."""
    used: set[Symbol] = set()
    for form in forms:
        used |= symbols(form)
        for partial in partials(form):
            used |= symbols(partial.of) | symbols(partial.wrt)
    return used


def sentence(text: str) -> Prose:
    """Write a reason as a sentence."""
    first = text[:1].upper() if text[:2].isascii() and text[1:2].islower() else text[:1]
    return Prose(f"{first}{text[1:]}.")


def reason(step: Step) -> Prose:
    """Say why a line holds, without speaking of other lines by their number."""
    if step.phase is Phase.SUBSTITUTE:
        return Prose("The answer takes the place of the factor that was asked for.")
    return sentence(step.why)


def step_hints(step: Step) -> tuple[Pieces, ...]:
    """Return the three hints that a step holds."""
    return (
        (Prose(f"The rule: {step.rule}."),),
        (reason(step), Line(step.left, None)),
        (Line(step.left, step.after, note=step.rule),),
    )


def lettered(right: Piece, wrong: Sequence[Piece], rng: Random) -> tuple[Pieces, str]:
    """Shuffle the right option among the wrong ones; return them and the right letter."""
    options = [right, *wrong]
    rng.shuffle(options)
    return tuple(options), LETTERS[options.index(right)]


def line_of(step: Step, label: str = "") -> Line:
    """Write a step as a line."""
    return Line(step.left, step.after, label)
