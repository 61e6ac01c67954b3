"""Questions for a shape: of a gradient, of a product on the way, of a local Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chainrule.calculus.graph.dims import SCALAR, Shape, written
from chainrule.calculus.graph.node import Apply, Expr, Number, Partial, Symbol, symbols, walk
from chainrule.calculus.ops import TABLE
from chainrule.language.typeset import unicode
from chainrule.teaching.exercises.answer_forms import answer_form
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Block, Content, Equation, Prose
from chainrule.teaching.exercises.questions import Question, Subject

RULE = "the shape of a gradient"
OF_A_GRADIENT = (
    "The gradient of a scalar has the shape of its variable. What is added or multiplied entry by "
    "entry has one shape."
)
OF_A_JACOBIAN = "A Jacobian is a table of derivatives: count its rows, then its columns."
PRODUCT = "A product has the rows of its left factor and the columns of its right factor."


def shape(subject: Subject) -> Question | None:
    """Ask for a shape that the forward pass does not show."""
    makers: list[Callable[[Subject], Question | None]] = [_of_a_value, _of_a_part, _of_a_jacobian]
    subject.rng.shuffle(makers)
    for make in (*makers, _of_an_input):
        made = make(subject)
        if made is not None:
            return made
    return None


def _of_a_value(subject: Subject) -> Question | None:
    """Ask for the shape of the gradient with respect to a computed value."""
    model = subject.derivation.model
    values = [s for s in model.values if s.shape != SCALAR and s is not model.objective]
    if not values:
        return None
    symbol = subject.rng.choice(values)
    value = model.values[symbol]
    parts = sorted(symbols(value), key=lambda s: s.name)
    return _question(
        subject,
        (Prose(_words(subject, symbol)),),
        symbol.shape,
        (Equation(symbol, value), Prose(f"The shapes: {_shapes(parts)}.")),
        f"The gradient has the shape of {symbol.name}",
    )


def _of_an_input(subject: Subject) -> Question | None:
    """Ask for the shape of the gradient with respect to an input."""
    inputs = [s.variable for s in subject.sections if s.variable.shape != SCALAR]
    if not inputs:
        return None
    symbol = subject.rng.choice(inputs)
    return _question(
        subject,
        (Prose(_words(subject, symbol)),),
        symbol.shape,
        (Prose(f"Look at the declaration of {symbol.name}."),),
        f"The gradient has the shape of {symbol.name}",
    )


def _of_a_part(subject: Subject) -> Question | None:
    """Ask for the shape of a part of a gradient, such as a product with a transpose."""
    section = subject.variable()
    form = answer_form(subject.exercise, section)
    shown = set(subject.derivation.model.symbols)
    parts = [node for node in walk(form) if _is_telling(node) and symbols(node) <= shown]
    if not parts:
        return None
    part = subject.rng.choice(parts)
    assert isinstance(part, Apply)
    below = dict.fromkeys(part.args)
    lines = tuple(Prose(f"{unicode(arg)} has the shape {written(arg.shape)}.") for arg in below)
    return _question(
        subject,
        (
            Prose("This occurs in a gradient. What is its shape? Rows first."),
            Equation(None, part),
        ),
        part.shape,
        (Prose(PRODUCT), *lines) if part.op is TABLE["matmul"] else lines,
        "Put together",
    )


def _is_telling(node: Expr) -> bool:
    """Whether the shape of a part has to be worked out."""
    if not isinstance(node, Apply) or node.shape == SCALAR:
        return False
    if any(isinstance(part, Number) and part.shape != SCALAR for part in walk(node)):
        return False  # ones have the shape that fits, and do not show it
    return node.op in (TABLE["matmul"], TABLE["sum"], TABLE["mean"]) and len(node.args) < 3


def _of_a_jacobian(subject: Subject) -> Question | None:
    """Ask for the shape of the Jacobian of one column with respect to another."""
    found = list(_columns(subject))
    if not found:
        return None
    target, source = subject.rng.choice(found)
    return _question(
        subject,
        (
            Prose(
                f"The Jacobian of {target.name} with respect to {source.name} has one row per "
                f"entry of {target.name} and one column per entry of {source.name}. "
                "What is its shape?"
            ),
            Equation(Partial(target, source), None),
        ),
        (target.shape[0], source.shape[0]),
        (Equation(target, subject.derivation.model.values[target]),),
        f"{target.name} has {target.shape[0]} entries, {source.name} has {source.shape[0]}",
        OF_A_JACOBIAN,
    )


def _columns(subject: Subject) -> Iterator[tuple[Symbol, Symbol]]:
    for target, value in subject.derivation.model.values.items():
        for source in sorted(symbols(value), key=lambda s: s.name):
            if target.shape[1] == source.shape[1] == 1 and SCALAR not in (
                target.shape,
                source.shape,
            ):
                yield target, source


def _words(subject: Subject, symbol: Symbol) -> str:
    objective = subject.derivation.model.objective.name
    return (
        f"What is the shape of the gradient of {objective} with respect to {symbol.name}? "
        "Rows first."
    )


def _shapes(parts: list[Symbol]) -> str:
    return ", ".join(f"{s.name} {written(s.shape)}" for s in parts)


def _question(
    subject: Subject,
    prompt: Content,
    found: Shape,
    second: Content,
    said: str,
    first: str = OF_A_GRADIENT,
) -> Question:
    rows, columns = found
    place, count = subject.rng.choice((("row", rows), ("column", columns)))
    half: Block = Prose(f"It has {count} {place}{'s' if count != 1 else ''}.")
    return Question(
        subject.exercise,
        "shape",
        subject.derivation.model,
        prompt,
        AnswerKey("shape", written(found)),
        ((Prose(first),), second, (half,)),
        (*second, Prose(f"{said}: {written(found)}.")),
        (RULE,),
    )
