"""Questions with a short answer: a shape, yes or no, a number, a list of names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.calculus.evaluation.forward import forward, related, sample
from chainrule.calculus.evaluation.numeric import FLOATS, Point
from chainrule.calculus.graph.dims import SCALAR, base_names, measured, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Symbol, symbols, walk
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.errors import ModelError
from chainrule.language.typeset import plain, unicode
from chainrule.teaching.exercises.distractors import opened
from chainrule.teaching.exercises.kinds.formulas import gradient_hints, solution
from chainrule.teaching.exercises.pieces import Code, Line, Pieces, Prose
from chainrule.teaching.exercises.questions import Question, Subject
from chainrule.teaching.exercises.readers import Key
from chainrule.teaching.exercises.story import Stretch

SMALL = 2
LARGEST = 3
FEW = 6
CANDIDATES = 4
POINTS = 20
DIGITS = 3
ON_THE_KINK = 1e-6


def shape(subject: Subject) -> Question | None:
    """Ask for the shape of a gradient: of a variable or of a value on the way."""
    model = subject.derivation.model
    known = [s.variable for s in subject.stretches if s.variable.shape != SCALAR]
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
        Key("shape", written(symbol.shape)),
        (
            (Prose("The gradient of a scalar has the shape of what it is taken by."),),
            (Prose(f"So the question is: what is the shape of {symbol.name}?"),),
            (Prose(f"Rows: {rows}. Columns: {columns}."),),
        ),
        (Prose(said),),
        ("the shape of a gradient",),
    )


def verify(subject: Subject) -> Question | None:
    """Show an answer of the right shape, and ask whether it is right."""
    stretch = subject.variable()
    right = opened(subject.derivation, stretch.answer)
    wrong = subject.distractors.answers(stretch, subject.rng, CANDIDATES)
    if not wrong:
        return None
    # An answer that is much longer or shorter than the right one would give itself away.
    wrong.sort(key=lambda each: abs(len(plain(each.answer)) - len(plain(right))))
    chosen = None if subject.rng.random() < 0.5 else subject.rng.choice(wrong[:2])
    shown = right if chosen is None else chosen.answer
    said: Pieces = (Prose("It is right."),)
    if chosen is not None:
        said = (Prose(f"It is wrong: {chosen.name}; {chosen.message}."),)
    hints = gradient_hints(subject, stretch)
    return Question(
        subject.exercise,
        "verify",
        subject.derivation.model,
        (
            Prose(f"Somebody hands in this; the shape fits, {written(stretch.variable.shape)}:"),
            replace(subject.gradient(stretch), right=shown),
            Prose("Is it right? yes or no"),
        ),
        Key("yes or no", "yes" if chosen is None else "no"),
        hints,
        (*said, *solution(subject, stretch)),
        subject.rules(stretch),
    )


def number(subject: Subject) -> Question | None:
    """Ask for one entry of a gradient at a small place, where everything is given in numbers."""
    model = subject.derivation.model
    stretch = subject.variable()
    dims = {dim for symbol in model.symbols for dim in symbol.shape}
    sizes = {name: SMALL for dim in dims for name in base_names(dim)}
    if not all(1 <= measured(dim, sizes) <= LARGEST for dim in dims):
        return None  # too large to look at, or too small to be
    rng = np.random.default_rng(subject.rng.getrandbits(32))
    for _ in range(POINTS):
        values = _place(model, sizes, rng)
        if values is None:
            continue
        found = np.asarray(gradient_values(subject.derivation, values, sizes)[stretch.variable])
        row, col = (int(rng.integers(size)) for size in found.shape)
        value = float(found[row, col])
        if np.isfinite(value) and 0.01 < abs(value) < 100:
            return _number_question(subject, stretch, values, (row, col), value)
    return None


def _place(
    model: Model, sizes: Mapping[str, int], rng: np.random.Generator
) -> dict[Symbol, Any] | None:
    """Draw a place with short numbers; labels are labels."""
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
    """Whether rounding has moved an argument to where the slope jumps."""
    point = Point(values, sizes, FLOATS)
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
    stretch: Stretch,
    values: Mapping[Symbol, Any],
    place: tuple[int, int],
    value: float,
) -> Question | None:
    model = subject.derivation.model
    needed = symbols(opened(subject.derivation, stretch.answer))
    given = [
        s
        for s in model.symbols
        if s in needed or (s in model.inputs and len(model.inputs) < LARGEST)
    ]
    if stretch.gradient.matrix is None and stretch.variable.shape != SCALAR:
        return None
    variable = stretch.variable
    at = "" if variable.shape == SCALAR else f", entry in row {place[0] + 1}, column {place[1] + 1}"
    lines = "\n".join(f"{unicode(s)} = {_written(values[s])}" for s in given)
    objective = model.objective.name
    return Question(
        subject.exercise,
        "number",
        model,
        (
            Prose("At this place (rounded):"),
            Code(lines),
            Prose(
                f"What is the gradient of {objective} with respect to {variable.name}{at}? "
                "Two figures will do."
            ),
        ),
        Key("number", f"{value:.6g}"),
        (
            *gradient_hints(subject, stretch)[:2],
            (subject.gradient(stretch),),
        ),
        (
            Line(subject.whole(stretch), opened(subject.derivation, stretch.answer)),
            Prose(f"At this place it is {value:.4g}."),
        ),
        subject.rules(stretch),
    )


def _written(value: Any) -> str:  # noqa: ANN401
    rounded = np.round(np.asarray(value, float), DIGITS) + 0.0
    if rounded.size == 1:
        return f"{rounded.item():g}"
    rows = (", ".join(f"{x:g}" for x in row) for row in rounded)
    return "[" + ", ".join(f"[{row}]" for row in rows) + "]"


def cache(subject: Subject) -> Question | None:
    """Ask which values the gradients read, so that the forward pass must keep them."""
    derivation = subject.derivation
    keep = [symbol.name for symbol in derivation.cache]
    names = [symbol.name for symbol in derivation.model.symbols]
    if not keep or len(keep) == len(names):
        return None
    asked = ", ".join(unicode(subject.whole(s)) for s in subject.stretches if s.name is None)
    results = tuple(subject.gradient(stretch) for stretch in subject.stretches)
    rules = tuple(dict.fromkeys(rule for s in subject.stretches for rule in s.rules))
    return Question(
        subject.exercise,
        "cache",
        derivation.model,
        (
            Prose(
                f"To compute {asked} in short form, which inputs and values does the way back "
                "read? These the forward pass must keep."
            ),
            Prose(f"Choose among: {', '.join(names)}"),
        ),
        Key("names", ", ".join(keep), choices=tuple(names)),
        (
            (Prose(f"The rules on the way: {', '.join(rules)}. What does each read?"),),
            (Prose(f"{len(keep)} of them."), *(Line(r.left, None) for r in results)),
            results,
        ),
        (*results, Prose(f"The forward pass must keep: {', '.join(keep)}.")),
        ("what to keep",),
    )
