"""A question: its content, its answer key, and its hints."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from chainrule.calculus.derivation.steps import Derivation, Phase, Step
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Partial, Symbol, partials, symbols
from chainrule.teaching.exercises.answer_forms import answer_form
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Block, Content, Equation, Prose
from chainrule.teaching.exercises.distractors import Distractors
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.sections import GradientSection, section_of, sections

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
    prompt : tuple of Block
        The content of the question.
    options : tuple of Block
        The options, lettered.
    key : AnswerKey
        The form of the answer, and the right answer.
    hints : tuple of tuple of Block
        Three: where to look; how to begin; all but the answer.
    solution : tuple of Block
        The solution.
    rules : tuple of str
        The derivative rules that the answer takes.
    skills : tuple of str
        The skills that it exercises, where they are not those of its rules.
    """

    exercise: Exercise
    kind: str
    model: Model
    prompt: Content
    key: AnswerKey
    hints: tuple[Content, ...]
    solution: Content
    rules: tuple[str, ...]
    options: Content = ()
    skills: tuple[str, ...] = ()


class Subject:
    """An exercise while a question is made from it, with a source of random choices.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    kind : str
        The kind of question.
    seed : int
        Seed of the random choices. They depend on the exercise and the kind, too, so that the
        questions of one sitting do not share their letters and numbers.
    """

    def __init__(self, exercise: Exercise, kind: str, seed: int) -> None:
        self.exercise = exercise
        self.kind = kind
        self.seed = seed
        self.rng = Random(f"{exercise.id} {kind} {seed}")

    @property
    def derivation(self) -> Derivation:
        """The derivation of the exercise."""
        return self.exercise.derivation

    @cached_property
    def distractors(self) -> Distractors:
        """Wrong answers to questions about the derivation."""
        return Distractors(self.derivation)

    @cached_property
    def sections(self) -> tuple[GradientSection, ...]:
        """The derivation, one section per gradient, layers first."""
        return tuple(sections(self.derivation))

    def variable(self) -> GradientSection:
        """Choose one of the asked gradients: in turn by seed, at first in the order of the file.

        The file names weights before biases, and as many seeds in a row as there are variables,
        counted from a multiple of their number, ask for each of them once.
        """
        names = list(self.exercise.variables)
        turn, place = divmod(self.seed, len(names))
        if turn:
            Random(f"{self.exercise.id} {self.kind} turn {turn}").shuffle(names)
        return section_of(self.derivation, names[place])

    def whole(self, section: GradientSection) -> Partial:
        """Return the left side of a gradient as a whole."""
        return Partial(self.derivation.model.objective, section.variable)

    def gradient(self, section: GradientSection) -> Equation:
        """Return the result of a gradient as a line, in the form of an answer."""
        left: Expr = self.whole(section)
        if section.gradient.matrix is None and section.lines:
            left = section.lines[-1].left
        return Equation(left, answer_form(self.exercise, section))

    def needed(
        self, section: GradientSection, given: Collection[str] = ()
    ) -> tuple[GradientSection, ...]:
        """Return the sections of the layers that a gradient uses, and its own, in order.

        Parameters
        ----------
        section : GradientSection
            The gradient.
        given : collection of str, optional
            Names of layer gradients that are taken as given: what lies below them is not needed.
        """
        by_name = {
            s.name: s for s in self.sections if s.name is not None and s.name.name not in given
        }
        found: list[GradientSection] = []
        waiting = [section]
        while waiting:
            found.append(waiting.pop())
            for name in mentioned([step.after for step in found[-1].lines]):
                if name in by_name and by_name[name] not in [*found, *waiting]:
                    waiting.append(by_name[name])
        return tuple(s for s in self.sections if s in found)

    def rules(self, section: GradientSection, given: Collection[str] = ()) -> tuple[str, ...]:
        """Return the rules that a gradient takes, those of the layers below it included."""
        needed = self.needed(section, given)
        return tuple(dict.fromkeys(rule for s in needed for rule in s.rules))

    def naming(self, forms: Iterable[Expr]) -> Content:
        """Return the definitions of layer gradients' names, where they are used."""
        used = mentioned(forms)
        objective = self.derivation.model.objective
        return tuple(
            Equation(name, Partial(objective, gradient.variable))
            for name, gradient in self.derivation.layers.items()
            if name in used
        )


@dataclass(frozen=True)
class QuestionKind:
    """One kind of question: its name, title and builder.

    Parameters
    ----------
    name : str
        The name on the command line.
    title : str
        The task of the student.
    build : callable
        Makes a question, or nothing where the exercise has none of this kind.
    """

    name: str
    title: str
    build: Callable[[Subject], Question | None]


def mentioned(forms: Iterable[Expr]) -> set[Symbol]:
    """Return the symbols in some expressions, those in open derivatives included."""
    used: set[Symbol] = set()
    for form in forms:
        used |= symbols(form)
        for partial in partials(form):
            used |= symbols(partial.of) | symbols(partial.wrt)
    return used


def sentence(text: str) -> Prose:
    """Format a reason as a sentence."""
    word = text.split(" ", 1)[0]
    is_word = word == "a" or (text[:2].isascii() and text[1:2].islower())
    first = text[:1].upper() if is_word else text[:1]
    return Prose(f"{first}{text[1:]}.")


def reason(step: Step) -> Prose:
    """Return the reason of a line without references to other lines."""
    if step.phase is Phase.SUBSTITUTE:
        return Prose("The answer takes the place of the factor that was asked for.")
    return sentence(step.why)


def lettered(right: Block, wrong: Sequence[Block], rng: Random) -> tuple[Content, str]:
    """Shuffle the options; return them and the letter of the right one."""
    options = [right, *wrong]
    rng.shuffle(options)
    return tuple(options), LETTERS[options.index(right)]


def line_of(step: Step, label: str = "") -> Equation:
    """Return a step as an equation."""
    return Equation(step.left, step.after, label)
