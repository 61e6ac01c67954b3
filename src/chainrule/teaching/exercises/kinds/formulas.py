"""Questions whose answer is a formula: the gradient, and one factor of the chain rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from chainrule.calculus.derivation.chain import Paths
from chainrule.calculus.derivation.steps import Step
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Asked, Model
from chainrule.calculus.graph.node import Expr, Partial, Symbol, symbols
from chainrule.language.typeset import model_text, plain
from chainrule.teaching.exercises.answer_forms import answer_form, shortest, with_written_ones
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Content, Equation, Prose
from chainrule.teaching.exercises.distractors import Distractor
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.hints import (
    LONGEST_LINE,
    chain_line,
    chain_steps,
    factor_hints,
    gradient_hints,
)
from chainrule.teaching.exercises.questions import (
    LETTERS,
    Question,
    Subject,
    lettered,
    reason,
)
from chainrule.teaching.exercises.sections import GradientSection

WRONG_ANSWERS = 3


def gradient(subject: Subject) -> Question | None:
    """Ask for a gradient, as a formula."""
    section = subject.variable()
    exercise, variable = subject.exercise, section.variable
    prompt: Content = (
        Prose(exercise.wording(variable.name)),
        Equation(subject.whole(section), None),
    )
    return Question(
        exercise,
        "gradient",
        exercise.model,
        prompt,
        formula_key(exercise, section),
        gradient_hints(subject, section),
        solution(subject, section),
        subject.rules(section),
    )


def formula_key(
    exercise: Exercise, section: GradientSection, reader: str = "formula", answer: str = ""
) -> AnswerKey:
    """Return the key of a gradient's formula; the answer is by default in plain mathematics."""
    text = answer or plain(with_written_ones(answer_form(exercise, section)))
    return AnswerKey(reader, text, model_text(exercise.model), section.variable.name)


def solution(subject: Subject, section: GradientSection) -> Content:
    """Return the solution: chain rule, factors and result, layer by layer."""
    shown: list[Equation] = []
    for part in subject.needed(section):
        shown += [chain_line(part, step) for step in chain_steps(part)]
        shown += [Equation(step.left, step.after, note=step.rule) for step in part.factors]
        if part.name is not None:
            shown.append(Equation(part.name, part.answer))
    exercise = subject.exercise
    said = (Prose(exercise.why), Prose(exercise.because)) if exercise.why else ()
    return (*shown, subject.gradient(section), *said)


def factor(subject: Subject) -> Question | None:
    """Ask for one factor: as a formula where it is a gradient by itself, else by choice."""
    found = [step for s in subject.sections for step in s.factors if step.reasons]
    found = [replace(step, after=shortest(step.after)) for step in found]
    found = [step for step in found if len(plain(step.after)) <= LONGEST_LINE]
    if not found:
        return None
    step = subject.rng.choice(found)
    model = subject.derivation.model
    small = _as_gradient(model, step)
    prompt: Content = (Prose("Find this derivative:"), Equation(step.left, None))
    if small is not None:
        key = AnswerKey("formula", plain(step.after), model_text(small), small.asked[0].symbol.name)
        return _factor_question(subject, step, prompt, key)
    wrong = subject.distractors.factor_answers(step, subject.rng)
    if len(wrong) < 2:
        return None
    options, key = choice_among(None, step.after, wrong, subject.rng)
    return _factor_question(subject, step, prompt, key, options, wrong)


def choice_among(
    left: Expr | None, right: Expr, wrong: Sequence[Distractor], rng: Random
) -> tuple[Content, AnswerKey]:
    """Return lettered options and their key, which names the mistake of each wrong one."""
    others = [Equation(left, each.answer) for each in wrong]
    options, letter = lettered(Equation(left, right), others, rng)
    mistakes = tuple(
        (LETTERS[options.index(other)], each.name, each.message)
        for other, each in zip(others, wrong, strict=True)
    )
    return options, AnswerKey("choice", letter, choices=("",) * len(options), mistakes=mistakes)


def _factor_question(
    subject: Subject,
    step: Step,
    prompt: Content,
    key: AnswerKey,
    options: Content = (),
    wrong: Sequence[Distractor] = (),
) -> Question:
    return Question(
        subject.exercise,
        "factor",
        subject.derivation.model,
        prompt,
        key,
        factor_hints(subject, step, wrong),
        (Equation(step.left, step.after, note=step.rule), reason(step)),
        tuple(dict.fromkeys(reason.rule for reason in step.reasons)),
        options,
    )


def _as_gradient(model: Model, step: Step) -> Model | None:
    """Return a forward pass whose gradient is this factor, where all are scalars."""
    partial = step.question
    if not isinstance(partial, Partial):
        return None
    of, wrt = partial.of, partial.wrt
    if not (isinstance(of, Symbol) and isinstance(wrt, Symbol) and of.shape == SCALAR):
        return None
    upto = list(model.values).index(of) + 1
    short = replace(model, definitions=model.definitions[:upto], objective=of, asked=(Asked(wrt),))
    if Paths(short).consumers(wrt) == [of]:
        return short
    # There are other ways from one to the other: every name but this value's is given.
    inputs = tuple(s for s in model.symbols if s in symbols(model.values[of]))
    labels = tuple(label for label in model.onehot if label.symbol in inputs)
    return replace(short, inputs=inputs, definitions=(model.definitions[upto - 1],), onehot=labels)
