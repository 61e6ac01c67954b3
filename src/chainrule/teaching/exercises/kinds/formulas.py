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
from chainrule.teaching.exercises.pieces import Line, Pieces, Prose
from chainrule.teaching.exercises.questions import (
    Question,
    Subject,
    lettered,
    line_of,
    reason,
    step_hints,
)
from chainrule.teaching.exercises.readers import Key
from chainrule.teaching.exercises.story import Stretch

WRONG_ANSWERS = 3


def gradient(subject: Subject) -> Question | None:
    """Ask for a gradient, as a formula."""
    stretch = subject.variable()
    exercise, variable = subject.exercise, stretch.variable
    prompt: Pieces = (
        Prose(exercise.ask),
        Line(subject.whole(stretch), None),
        Prose(f"It has the shape of {variable.name}, {written(variable.shape)}."),
    )
    return Question(
        exercise,
        "gradient",
        exercise.model,
        prompt,
        formula_key(exercise.model, stretch),
        gradient_hints(subject, stretch),
        solution(subject, stretch),
        subject.rules(stretch),
    )


def formula_key(model: Model, stretch: Stretch, reader: str = "formula") -> Key:
    """Return the key of a gradient's formula."""
    return Key(reader, plain(stretch.answer), model_text(model), stretch.variable.name)


def gradient_hints(subject: Subject, stretch: Stretch) -> tuple[Pieces, ...]:
    """Return the hints for a whole gradient: its rules, its chain, the factors put in."""
    own = tuple(Prose(hint) for hint in subject.exercise.hints)
    rules = ", ".join(subject.rules(stretch)) or "none: look which entries enter the objective"
    first: Pieces = (*own, Prose(f"The rules on the way: {rules}."))
    chains = [(s, step) for s in subject.needed(stretch) for step in _chain(s)]
    asked = {
        step.question: Line(step.left, None) for s in subject.needed(stretch) for step in s.factors
    }
    second = (*(_chain_line(s, step) for s, step in chains), *asked.values())
    third = tuple(line_of(step) for s in subject.needed(stretch) for step in s.factors)
    return first, second or third, third


def solution(subject: Subject, stretch: Stretch) -> Pieces:
    """Return what is shown afterwards: chain, factors and result, layer by layer."""
    shown: list[Line] = []
    for part in subject.needed(stretch):
        shown += [_chain_line(part, step) for step in _chain(part)]
        shown += [Line(step.left, step.after, note=step.rule) for step in part.factors]
        if part.name is not None:
            shown.append(Line(part.name, part.answer))
    return (*shown, subject.gradient(stretch))


def _chain(stretch: Stretch) -> list[Step]:
    return [step for step in stretch.lines if step.phase is Phase.CHAIN]


def _chain_line(stretch: Stretch, step: Step) -> Line:
    """Write the chain rule; for a layer, its gradient's name stands on the left."""
    note = step.rule if stretch.name is None else f"{step.rule}; call it {unicode(stretch.name)}"
    return Line(step.left, step.after, note=note)


def factor(subject: Subject) -> Question | None:
    """Ask for one factor: typed where it is a gradient by itself, else among wrong ones."""
    found = [step for s in subject.stretches for step in s.factors if step.reasons]
    if not found:
        return None
    step = subject.rng.choice(found)
    rules = tuple(dict.fromkeys(reason.rule for reason in step.reasons))
    model = subject.derivation.model
    small = _as_gradient(model, step)
    prompt: Pieces = (Prose("One factor of the chain rule:"), Line(step.left, None))
    if small is not None:
        key = Key("formula", plain(step.after), model_text(small), small.asked[0].symbol.name)
        return _factor_question(subject, step, prompt, key, rules)
    wrong = subject.distractors.factor_answers(step, subject.rng, WRONG_ANSWERS)
    if len(wrong) < 2:
        return None
    options, letter = lettered(
        Line(None, step.after), [Line(None, each.answer) for each in wrong], subject.rng
    )
    key = Key("choice", letter, choices=("",) * len(options))
    return _factor_question(subject, step, prompt, key, rules, options)


def _factor_question(
    subject: Subject,
    step: Step,
    prompt: Pieces,
    key: Key,
    rules: Sequence[str],
    options: Pieces = (),
) -> Question:
    return Question(
        subject.exercise,
        "factor",
        subject.derivation.model,
        prompt,
        key,
        step_hints(step),
        (Line(step.left, step.after, note=step.rule), reason(step)),
        tuple(rules),
        options,
    )


def _as_gradient(model: Model, step: Step) -> Model | None:
    """Return a forward pass of which a factor is the whole gradient, where all are scalars."""
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
