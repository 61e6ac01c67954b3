"""Hints in three grades: where to look, how to begin, and all but the answer.

No hint contains the right answer, and none repeats the question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random

import numpy as np

from chainrule.calculus.derivation.steps import Phase, Step
from chainrule.calculus.graph.dims import SCALAR, written
from chainrule.calculus.graph.node import Apply, Entry, Expr, Symbol, symbols, walk
from chainrule.language.typeset import plain, unicode
from chainrule.teaching.exercises.answer_forms import answer_form, opened, with_sums
from chainrule.teaching.exercises.content import Block, Code, Content, Equation, Prose
from chainrule.teaching.exercises.distractors import Distractor
from chainrule.teaching.exercises.points import points, small_sizes, written_value
from chainrule.teaching.exercises.questions import Subject, reason
from chainrule.teaching.exercises.sections import GradientSection

LONGEST_LINE = 120
"""The longest line of a hint; a longer one confuses more than it helps."""

CHECK_SIZE = 4
TELLING = 4
"""The length from which a formula is recognised inside a sentence."""

LAST_WORDS = (
    "Try the smallest sizes, and write the definitions out.",
    "Change the variable a little, and follow what changes.",
)
RULED_OUT = "This one is wrong: "


def gradient_hints(subject: Subject, section: GradientSection) -> tuple[Content, ...]:
    """Return the hints for a gradient: its rules, its chain rule, the factors substituted."""
    own = tuple(Prose(hint) for hint in subject.exercise.hints)
    keys = _forms_of(subject, section)
    rules = ", ".join(subject.rules(section))
    first: Content = (*own[:1], Prose(f"The rules on the way: {rules}.")) if rules else own[:1]
    needed = subject.needed(section)
    blanks = {
        step.question: Equation(step.left, None)
        for part in needed
        for step in part.factors
        if step.left is not subject.whole(section)
    }
    chains = [chain_line(part, step) for part in needed for step in chain_steps(part)]
    second = _kept((*own[1:2], *chains, *blanks.values()), keys)
    filled = [Equation(step.left, step.after) for part in needed for step in part.factors]
    third = _kept((*own[2:], *filled), keys)
    return _graded(first, second, third, _last_resorts(subject, section.variable, keys))


def factor_hints(subject: Subject, step: Step, wrong: Sequence[Distractor]) -> tuple[Content, ...]:
    """Return the hints for one factor: its rules, their reason, a check or what it is not."""
    rules = ", ".join(dict.fromkeys(each.rule for each in step.reasons)) or step.rule
    first: Content = (Prose(f"The rule: {rules}."),)
    second = _kept((reason(step),), [step.after])
    out = ruled_out([Equation(None, each.answer) for each in wrong[:1]])
    return _graded(first, second, out, _last_resorts(subject, None, [step.after]))


def line_hints(subject: Subject, step: Step, wrong: Sequence[Equation]) -> tuple[Content, ...]:
    """Return the hints for a line: its rule, the reason, what it is not."""
    first: Content = (Prose(f"The rule: {step.rule}."),)
    second = _kept((reason(step),), [step.after])
    return _graded(
        first,
        second,
        ruled_out(wrong[:1]),
        (
            lambda: _names([step.after]),
            lambda: (Prose("Compare signs, order and transposes."),),
        ),
    )


def rule_hints(
    subject: Subject, step: Step, right: str, wrong: Sequence[str]
) -> tuple[Content, ...]:
    """Return the hints for the name of a rule: where to look, what it does, what it is not."""
    first: Content = (Prose("Look at what changes from one side to the other."),)
    out = subject.rng.sample(list(wrong), min(2, len(wrong)))
    said = reason(step)
    # The sentence of the rule may say its name; then the options are ruled out one by one.
    second: Content = (Prose(f"It is not “{out[0]}”."),) if _speaks(said.text, right) else (said,)
    third: Content = (Prose(f"It is not “{'”, nor “'.join(out)}”."),)
    return _graded(first, second, third, ())


def ruled_out(options: Sequence[Block]) -> Content:
    """Return a hint that rules out the first of some wrong options."""
    return (Prose(RULED_OUT), options[0]) if options else ()


def at_a_point(subject: Subject, form: Expr, variable: Symbol | None = None) -> Content:
    """Return the value of an answer at a point with short numbers, if there is one."""
    model = subject.derivation.model
    sizes = small_sizes(model, CHECK_SIZE)
    entries = any(isinstance(node, Entry) for node in walk(form))
    if sizes is None or entries or (variable is None and form.shape != SCALAR):
        return ()
    rng = np.random.default_rng(
        Random(f"{subject.exercise.id} check {subject.seed}").getrandbits(32)
    )
    for point in points(subject.exercise, sizes, rng):
        found = point.value(form, (1, 1) if variable is None else point.values[variable].shape)
        if np.isfinite(found).all() and np.abs(found).max() > 0:
            given = [s for s in model.symbols if s in symbols(form)]
            lines = "\n".join(f"{unicode(s)} = {written_value(point.values[s])}" for s in given)
            return (
                Prose("Check your answer with numbers. At this point (rounded):"),
                Code(lines),
                Prose(f"it is {written_value(found)}."),
            )
    return ()


def chain_steps(section: GradientSection) -> list[Step]:
    """Return the lines of a section that state the chain rule."""
    return [step for step in section.lines if step.phase is Phase.CHAIN]


def chain_line(section: GradientSection, step: Step) -> Equation:
    """Return the chain rule as a line; a layer's gradient has its name on the left."""
    note = step.rule if section.name is None else f"{step.rule}; call it {unicode(section.name)}"
    return Equation(step.left, step.after, note=note)


def reveals(block: Block, keys: Iterable[Expr]) -> bool:
    """Whether a block of a hint contains one of the forms of the answer."""
    for key in keys:
        texts = {plain(key), unicode(key)}
        if isinstance(block, Equation) and block.right is not None:
            if block.right is key or plain(block.right) in texts:
                return True
        elif isinstance(block, Prose | Code) and any(
            len(text) >= TELLING and text in block.text for text in texts
        ):
            return True
    return False


def _forms_of(subject: Subject, section: GradientSection) -> list[Expr]:
    """Return the forms in which the answer may be written."""
    shown = answer_form(subject.exercise, section)
    forms = [shown, section.answer, opened(subject.derivation, section.answer)]
    forms += [with_sums(form) for form in forms]
    return list(dict.fromkeys([*forms, section.gradient.index]))


def _kept(blocks: Iterable[Block], keys: Sequence[Expr]) -> Content:
    return tuple(
        block for block in dict.fromkeys(blocks) if not reveals(block, keys) and not _is_long(block)
    )


def _is_long(block: Block) -> bool:
    right = block.right if isinstance(block, Equation) else None
    return right is not None and len(plain(right)) > LONGEST_LINE


def _last_resorts(
    subject: Subject, variable: Symbol | None, keys: Sequence[Expr]
) -> Sequence[Callable[[], Content]]:
    """Return hints that every formula has: the names that occur in it, a value, the shape."""

    def value() -> Content:
        return at_a_point(subject, opened(subject.derivation, keys[0]), variable)

    def shape() -> Content:
        if variable is None or variable.shape == SCALAR:
            return ()
        return (Prose(f"The answer has the shape of {variable.name}, {written(variable.shape)}."),)

    return lambda: _names(keys[:1]), value, shape


def _names(keys: Sequence[Expr]) -> Content:
    names = sorted({unicode(symbol) for key in keys for symbol in symbols(key)})
    if not names:
        return (Prose("The answer is a constant."),)
    if any(_is_one_name(key) for key in keys):
        return ()  # the name is the answer, or all of it but a sign
    return (Prose(f"Only these stand in the answer: {', '.join(names)}."),)


def _is_one_name(form: Expr) -> bool:
    """Whether a form is a single name but for its sign, its places and its transpose."""
    nodes = [node for node in walk(form) if isinstance(node, Apply)]
    return all(node.op.name in ("neg", "transpose", "broadcast") for node in nodes)


def _graded(
    first: Content, second: Content, third: Content, others: Sequence[Callable[[], Content]]
) -> tuple[Content, ...]:
    """Return three hints, all different; the others take the place of what is missing."""
    found = list(dict.fromkeys(each for each in (first, second, third) if each))
    for other in others:
        if len(found) == 3:
            break
        more = other()
        if more and more not in found:
            found.append(more)
    while len(found) < 3:
        found.append((Prose(LAST_WORDS[len(found) - 1]),))
    return tuple(found)


def _speaks(text: str, name: str) -> bool:
    """Whether a sentence contains the telling word of a rule's name."""
    words = [w for w in name.lower().replace(":", " ").split() if w not in ("rule", "the", "of")]
    return any(word in text.lower() for word in words)
