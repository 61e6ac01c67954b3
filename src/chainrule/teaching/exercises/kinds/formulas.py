"""Questions whose answer is a formula: the gradient, and one factor of the chain rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chainrule.calculus.derivation.chain import Paths
from chainrule.calculus.derivation.steps import Phase, Step
from chainrule.calculus.graph.dims import SCALAR, written
from chainrule.calculus.graph.model import Asked, Model
from chainrule.calculus.graph.node import Partial, Symbol, symbols
from chainrule.language.typeset import model_text, plain, unicode
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Content, Equation, Prose
from chainrule.teaching.exercises.questions import (
    Question,
    Subject,
    lettered,
    line_of,
    reason,
    step_hints,
)
from chainrule.teaching.exercises.sections import GradientSection

WRONG_ANSWERS = 3


def gradient(subject: Subject) -> Question | None:
    """Ask for a gradient, as a formula."""
    section = subject.variable()
    exercise, variable = subject.exercise, section.variable
    prompt: Content = (
        Prose(exercise.ask),
        Equation(subject.whole(section), None),
        Prose(f"It has the shape of {variable.name}, {written(variable.shape)}."),
    )
    return Question(
        exercise,
        "gradient",
        exercise.model,
        prompt,
        formula_key(exercise.model, section),
        gradient_hints(subject, section),
        solution(subject, section),
        subject.rules(section),
    )


def formula_key(model: Model, section: GradientSection, reader: str = "formula") -> AnswerKey:
    """Return the key of a gradient's formula."""
    return AnswerKey(reader, plain(section.answer), model_text(model), section.variable.name)


def gradient_hints(subject: Subject, section: GradientSection) -> tuple[Content, ...]:
    """Return the hints for a gradient: its rules, its chain rule, the factors substituted."""
    own = tuple(Prose(hint) for hint in subject.exercise.hints)
    rules = ", ".join(subject.rules(section)) or "none: look which entries enter the objective"
    first: Content = (*own, Prose(f"The rules on the way: {rules}."))
    chains = [(s, step) for s in subject.needed(section) for step in _chain(s)]
    asked = {
        step.question: Equation(step.left, None)
        for s in subject.needed(section)
        for step in s.factors
    }
    second = (*(_chain_line(s, step) for s, step in chains), *asked.values())
    third = tuple(line_of(step) for s in subject.needed(section) for step in s.factors)
    return first, second or third, third


def solution(subject: Subject, section: GradientSection) -> Content:
    """Return the solution: chain rule, factors and result, layer by layer."""
    shown: list[Equation] = []
    for part in subject.needed(section):
        shown += [_chain_line(part, step) for step in _chain(part)]
        shown += [Equation(step.left, step.after, note=step.rule) for step in part.factors]
        if part.name is not None:
            shown.append(Equation(part.name, part.answer))
    return (*shown, subject.gradient(section))


def _chain(section: GradientSection) -> list[Step]:
    return [step for step in section.lines if step.phase is Phase.CHAIN]


def _chain_line(section: GradientSection, step: Step) -> Equation:
    """Return the chain rule as a line; a layer's gradient has its name on the left."""
    note = step.rule if section.name is None else f"{step.rule}; call it {unicode(section.name)}"
    return Equation(step.left, step.after, note=note)


def factor(subject: Subject) -> Question | None:
    """Ask for one factor: as a formula where it is a gradient by itself, else by choice."""
    found = [step for s in subject.sections for step in s.factors if step.reasons]
    if not found:
        return None
    step = subject.rng.choice(found)
    rules = tuple(dict.fromkeys(reason.rule for reason in step.reasons))
    model = subject.derivation.model
    small = _as_gradient(model, step)
    prompt: Content = (Prose("One factor of the chain rule:"), Equation(step.left, None))
    if small is not None:
        key = AnswerKey("formula", plain(step.after), model_text(small), small.asked[0].symbol.name)
        return _factor_question(subject, step, prompt, key, rules)
    wrong = subject.distractors.factor_answers(step, subject.rng, WRONG_ANSWERS)
    if len(wrong) < 2:
        return None
    options, letter = lettered(
        Equation(None, step.after), [Equation(None, each.answer) for each in wrong], subject.rng
    )
    key = AnswerKey("choice", letter, choices=("",) * len(options))
    return _factor_question(subject, step, prompt, key, rules, options)


def _factor_question(
    subject: Subject,
    step: Step,
    prompt: Content,
    key: AnswerKey,
    rules: Sequence[str],
    options: Content = (),
) -> Question:
    return Question(
        subject.exercise,
        "factor",
        subject.derivation.model,
        prompt,
        key,
        step_hints(step),
        (Equation(step.left, step.after, note=step.rule), reason(step)),
        tuple(rules),
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
