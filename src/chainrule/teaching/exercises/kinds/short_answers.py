"""Questions with a short answer: a shape, yes or no, a number, a list of names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.calculus.evaluation.forward import forward, related, sample
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import SCALAR, base_names, measured, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Symbol, symbols, walk
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.errors import ModelError
from chainrule.language.typeset import plain, unicode
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Code, Content, Equation, Prose
from chainrule.teaching.exercises.distractors import opened
from chainrule.teaching.exercises.kinds.formulas import gradient_hints, solution
from chainrule.teaching.exercises.questions import Question, Subject
from chainrule.teaching.exercises.sections import GradientSection

SMALL = 2
LARGEST = 3
FEW = 6
CANDIDATES = 4
POINTS = 20
DIGITS = 3
ON_THE_KINK = 1e-6


def shape(subject: Subject) -> Question | None:
    """Ask for the shape of a gradient: of a variable or of an intermediate value."""
    model = subject.derivation.model
    known = [s.variable for s in subject.sections if s.variable.shape != SCALAR]
    known += [s for s in model.values if s.shape != SCALAR and s not in known]
    if not known:
        return None
    symbol = subject.rng.choice(known)
    objective = model.objective.name
    rows, columns = symbol.shape
    said = f"The gradient of {objective} has the shape of {symbol.name}, {written(symbol.shape)}."
    return Question(
        subject.exercise,
        "shape",
        model,
        (
            Prose(
                f"What is the shape of the gradient of {objective} with respect to {symbol.name}? "
                "Rows first."
            ),
        ),
        AnswerKey("shape", written(symbol.shape)),
        (
            (Prose("The gradient of a scalar has the shape of its variable."),),
            (Prose(f"So the question is: what is the shape of {symbol.name}?"),),
            (Prose(f"Rows: {rows}. Columns: {columns}."),),
        ),
        (Prose(said),),
        ("the shape of a gradient",),
    )


def verify(subject: Subject) -> Question | None:
    """Show an answer of the right shape, and ask whether it is right."""
    section = subject.variable()
    right = opened(subject.derivation, section.answer)
    wrong = subject.distractors.answers(section, subject.rng, CANDIDATES)
    if not wrong:
        return None
    # An answer that is much longer or shorter than the right one would give itself away.
    wrong.sort(key=lambda each: abs(len(plain(each.answer)) - len(plain(right))))
    chosen = None if subject.rng.random() < 0.5 else subject.rng.choice(wrong[:2])
    shown = right if chosen is None else chosen.answer
    said: Content = (Prose("It is right."),)
    if chosen is not None:
        said = (Prose(f"It is wrong: {chosen.name}; {chosen.message}."),)
    hints = gradient_hints(subject, section)
    return Question(
        subject.exercise,
        "verify",
        subject.derivation.model,
        (
            Prose(f"Somebody hands in this; the shape fits, {written(section.variable.shape)}:"),
            replace(subject.gradient(section), right=shown),
            Prose("Is it right? yes or no"),
        ),
        AnswerKey("yes or no", "yes" if chosen is None else "no"),
        hints,
        (*said, *solution(subject, section)),
        subject.rules(section),
    )


def number(subject: Subject) -> Question | None:
    """Ask for one entry of a gradient at a given point with short numbers."""
    model = subject.derivation.model
    section = subject.variable()
    dims = {dim for symbol in model.symbols for dim in symbol.shape}
    sizes = {name: SMALL for dim in dims for name in base_names(dim)}
    if not all(1 <= measured(dim, sizes) <= LARGEST for dim in dims):
        return None  # too large to look at, or too small to be
    rng = np.random.default_rng(subject.rng.getrandbits(32))
    for _ in range(POINTS):
        values = _place(model, sizes, rng)
        if values is None:
            continue
        found = np.asarray(gradient_values(subject.derivation, values, sizes)[section.variable])
        row, col = (int(rng.integers(size)) for size in found.shape)
        value = float(found[row, col])
        if np.isfinite(value) and 0.01 < abs(value) < 100:
            return _number_question(subject, section, values, (row, col), value)
    return None


def _place(
    model: Model, sizes: Mapping[str, int], rng: np.random.Generator
) -> dict[Symbol, Any] | None:
    """Draw a point with short numbers; labels stay labels."""
    try:
        drawn = sample(model, sizes, rng)
    except ModelError:
        return None
    given = {symbol: np.round(drawn[symbol], 1) for symbol in model.inputs}
    for symbol in model.inputs:
        note = model.notes.get(symbol.name, "")
        if "0 or 1" in note:
            given[symbol] = np.round(rng.uniform(0, 1, given[symbol].shape))
        elif "-1 or 1" in note:
            given[symbol] = np.where(given[symbol] < 0, -1.0, 1.0)
    for labels in model.onehot:
        hot = np.zeros_like(given[labels.symbol])
        places = np.argmax(related(model, given)[labels.symbol], axis=labels.axis)
        np.put_along_axis(hot, np.expand_dims(places, labels.axis), 1.0, labels.axis)
        given[labels.symbol] = hot
    with np.errstate(all="ignore"):
        values = forward(model, given, sizes)
    finite = all(np.isfinite(value).all() for value in values.values())
    return values if finite and not _on_a_kink(model, values, sizes) else None


def _on_a_kink(model: Model, values: Mapping[Symbol, Any], sizes: Mapping[str, int]) -> bool:
    """Whether rounding has moved an argument to a kink."""
    point = Evaluator(values, sizes, FLOATS)
    nodes = [n for d in model.definitions for n in walk(d.value) if isinstance(n, Apply)]
    for node in nodes:
        parts = [np.asarray(point.value(arg)) for arg in node.args]
        margin = node.op.margin
        if margin is not None and np.min(margin(np, *parts, attrs=node.attrs)) < ON_THE_KINK:
            return True
        kinks = [domain.kink for domain in node.op.domain]
        if any(
            kink is not None and np.abs(part - kink).min() < ON_THE_KINK
            for part, kink in zip(parts, kinks, strict=False)
        ):
            return True
    return False


def _number_question(
    subject: Subject,
    section: GradientSection,
    values: Mapping[Symbol, Any],
    place: tuple[int, int],
    value: float,
) -> Question | None:
    model = subject.derivation.model
    needed = symbols(opened(subject.derivation, section.answer))
    given = [
        s
        for s in model.symbols
        if s in needed or (s in model.inputs and len(model.inputs) < LARGEST)
    ]
    if section.gradient.matrix is None and section.variable.shape != SCALAR:
        return None
    variable = section.variable
    at = "" if variable.shape == SCALAR else f", entry in row {place[0] + 1}, column {place[1] + 1}"
    lines = "\n".join(f"{unicode(s)} = {_written(values[s])}" for s in given)
    objective = model.objective.name
    return Question(
        subject.exercise,
        "number",
        model,
        (
            Prose("At this point (rounded):"),
            Code(lines),
            Prose(
                f"What is the gradient of {objective} with respect to {variable.name}{at}? "
                "Two figures will do."
            ),
        ),
        AnswerKey("number", f"{value:.6g}"),
        (
            *gradient_hints(subject, section)[:2],
            (subject.gradient(section),),
        ),
        (
            Equation(subject.whole(section), opened(subject.derivation, section.answer)),
            Prose(f"At this point it is {value:.4g}."),
        ),
        subject.rules(section),
    )


def _written(value: Any) -> str:  # noqa: ANN401
    rounded = np.round(np.asarray(value, float), DIGITS) + 0.0
    if rounded.size == 1:
        return f"{rounded.item():g}"
    rows = (", ".join(f"{x:g}" for x in row) for row in rounded)
    return "[" + ", ".join(f"[{row}]" for row in rows) + "]"


def cache(subject: Subject) -> Question | None:
    """Ask for the values that the forward pass must keep for the backward pass."""
    derivation = subject.derivation
    keep = [symbol.name for symbol in derivation.cache]
    names = [symbol.name for symbol in derivation.model.symbols]
    if not keep or len(keep) == len(names):
        return None
    asked = ", ".join(unicode(subject.whole(s)) for s in subject.sections if s.name is None)
    results = tuple(subject.gradient(section) for section in subject.sections)
    rules = tuple(dict.fromkeys(rule for s in subject.sections for rule in s.rules))
    return Question(
        subject.exercise,
        "cache",
        derivation.model,
        (
            Prose(
                f"To compute {asked} in short form, which inputs and values does the backward pass "
                "read? These the forward pass must keep."
            ),
            Prose(f"Choose among: {', '.join(names)}"),
        ),
        AnswerKey("names", ", ".join(keep), choices=tuple(names)),
        (
            (Prose(f"The rules on the way: {', '.join(rules)}. What does each read?"),),
            (Prose(f"{len(keep)} of them."), *(Equation(r.left, None) for r in results)),
            results,
        ),
        (*results, Prose(f"The forward pass must keep: {', '.join(keep)}.")),
        ("what to keep",),
    )
