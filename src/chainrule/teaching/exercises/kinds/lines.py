"""Questions about the lines of a derivation: the next one, its rule, their order, the wrong one."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.calculus.derivation.steps import Phase, Step
from chainrule.calculus.graph.node import Expr, partials
from chainrule.calculus.ops import TABLE
from chainrule.teaching.diagnosis.injection import InjectedError
from chainrule.teaching.exercises.kinds.formulas import WRONG_ANSWERS
from chainrule.teaching.exercises.pieces import Line, Pieces, Prose
from chainrule.teaching.exercises.questions import (
    LETTERS,
    Question,
    Subject,
    lettered,
    line_of,
    reason,
    step_hints,
)
from chainrule.teaching.exercises.readers import Key
from chainrule.teaching.exercises.story import Stretch, stretches

FEWEST_LINES = 4
MOST_LINES = 6

_SPREADING = ("distribute", "expand", "multiply out", "split the sum", "factors leave the sum",
              "common factor", "gather", "collect", "positive first")  # fmt: skip
"""Names for moving factors and sums past each other: one of them is no wrong answer to another."""

_ALGEBRA = ("cancel", "one-hot labels add to one", "δ picks one term")
_COLLAPSES = (
    "sum over two factors: matrix product",
    "two different indices: outer product",
    "same indices: elementwise product",
    "a vector meets a matrix: scaling",
    "an index that nobody carries: repeat",
    "times a vector of ones",
)
_SILENT = ("constant rule", "mask", "sign function")


def next_line(subject: Subject) -> Question | None:
    """Ask which line follows: the true one among lines with one thing wrong."""
    places = [
        (stretch, k)
        for stretch in subject.stretches
        for k in range(1, len(stretch.lines))
        if not partials(stretch.lines[k].after)
        and stretch.lines[k].phase in (Phase.SUBSTITUTE, Phase.SIMPLIFY, Phase.COLLAPSE)
    ]
    subject.rng.shuffle(places)
    for stretch, k in places[:4]:
        step = stretch.lines[k]
        wrong = subject.distractors.line_answers(step, subject.rng, WRONG_ANSWERS)
        if len(wrong) == WRONG_ANSWERS:
            return _next_question(subject, stretch, k, [Line(step.left, w.answer) for w in wrong])
    return None


def _next_question(subject: Subject, stretch: Stretch, k: int, wrong: Sequence[Line]) -> Question:
    step, before = stretch.lines[k], stretch.lines[max(0, k - 3) : k]
    answers = [line_of(each) for each in stretch.factors if _is_asked(each, before[-1])]
    options, letter = lettered(line_of(step), wrong, subject.rng)
    return Question(
        subject.exercise,
        "next",
        subject.derivation.model,
        (
            *subject.naming(each.after for each in before),
            *answers,
            *(Line(each.left, each.after, note=each.rule) for each in before),
            Prose("Which line is next?"),
        ),
        Key("choice", letter, choices=("",) * len(options)),
        step_hints(step),
        (Line(step.left, step.after, note=step.rule), reason(step)),
        (step.rule,),
        options,
    )


def _is_asked(factor: Step, line: Step) -> bool:
    return factor.question in partials(line.after)


def rule(subject: Subject) -> Question | None:
    """Ask for the name of the rule behind a line."""
    steps = [step for step in subject.derivation.steps if step.reasons or wrong_rules(step)]
    if not steps:
        return None
    step = subject.rng.choice(steps)
    if step.reasons:
        used = [reason.rule for reason in step.reasons]
        right = subject.rng.choice([r for r in used if r not in _SILENT] or used)
        pool = _other_rules(subject, used)
        words = "Which of these rules is used here?"
    else:
        right, pool = step.rule, wrong_rules(step)
        words = "By which rule does the second line follow from the first?"
    wrong = subject.rng.sample(pool, WRONG_ANSWERS)
    options, letter = lettered(Prose(right), [Prose(name) for name in wrong], subject.rng)
    return Question(
        subject.exercise,
        "rule",
        subject.derivation.model,
        (*subject.naming([step.before, step.after]), *_shown(step), Prose(words)),
        Key("choice", letter, choices=tuple(o.text for o in options if isinstance(o, Prose))),
        (
            (Prose("Look at what changes from one side to the other."),),
            (reason(step),),
            (Prose(f"It begins with: {right[:3]}..."),),
        ),
        (Prose(f"The rule: {step.rule}."), reason(step)),
        (right,),
        options,
    )


def _other_rules(subject: Subject, used: Sequence[str]) -> list[str]:
    """Return rules that a line does not use: those of the exercise itself come first."""
    near = sorted({r.rule for step in subject.derivation.steps for r in step.reasons})
    far = sorted({op.rule for op in TABLE.values()})
    subject.rng.shuffle(far)
    out = {*used, *_SILENT}
    return [rule for rule in dict.fromkeys([*near, *far]) if rule not in out][: 2 * WRONG_ANSWERS]


def _shown(step: Step) -> Pieces:
    if step.reasons:
        return (line_of(step),)
    return (Line(step.left, step.before), Line(step.left, step.after))


def wrong_rules(step: Step) -> list[str]:
    """Return names of rules that a rewriting certainly did not use; none where that is unsure."""
    if step.phase is Phase.SIMPLIFY and step.rule in (*_ALGEBRA, *_SPREADING):
        algebra = _ALGEBRA if step.rule in _ALGEBRA else ()
        return [name for name in (*_COLLAPSES, *_ALGEBRA) if name not in algebra]
    if step.phase is Phase.COLLAPSE:
        kept = step.rule.split(": ")[-1]
        return [name for name in (*_COLLAPSES, *_ALGEBRA) if not name.endswith(kept)]
    return []


def order(subject: Subject) -> Question | None:
    """Ask for the order of the lines of one gradient, from the chain rule to the result."""
    found = [s for s in subject.stretches if len(_chained(s)) >= FEWEST_LINES]
    if not found:
        return None
    stretch = subject.rng.choice(found)
    steps = _chained(stretch)
    shuffled = list(steps)
    while shuffled == steps:
        subject.rng.shuffle(shuffled)
    letters = {step.id: LETTERS[k] for k, step in enumerate(shuffled)}
    answer = " ".join(letters[step.id] for step in steps)
    return Question(
        subject.exercise,
        "order",
        subject.derivation.model,
        (
            *subject.naming(step.after for step in steps),
            Prose("Put these lines in order, from the chain rule to the result."),
            *(line_of(step, letters[step.id]) for step in shuffled),
        ),
        Key("order", answer),
        (
            (Prose("The chain rule comes first; the line with nothing left to do is last."),),
            (Prose("Every line answers one more factor, or makes the one before it shorter."),),
            (Prose(f"It begins {' '.join(answer.split()[:2])}."),),
        ),
        tuple(Line(s.left, s.after, letters[s.id], s.rule) for s in steps),
        ("chain rule",),
    )


def _chained(stretch: Stretch) -> list[Step]:
    """Choose lines of which each can only stand where it stands."""
    seen: dict[Expr, Step] = {}
    for step in stretch.lines:
        if step.phase not in (Phase.ENTRY, Phase.SHAPE):
            seen.setdefault(step.after, step)
    steps = list(seen.values())
    if len(steps) > MOST_LINES:  # both ends tell; of the middle keep what is evenly apart
        middle = steps[1:-1]
        apart = len(middle) / (MOST_LINES - 2)
        steps = [steps[0], *(middle[int(k * apart)] for k in range(MOST_LINES - 2)), steps[-1]]
    return steps


def wrong_line(subject: Subject) -> Question | None:
    """Show a derivation in which one factor is answered by a mistake that people make."""
    for error, derivation in subject.distractors.derivations(subject.rng):
        for stretch in stretches(derivation):
            place = _first_wrong(subject, stretch)
            if place is None:
                continue
            made = _wrong_question(subject, error, stretch, place)
            if made is not None:
                return made
    return None


def _first_wrong(subject: Subject, stretch: Stretch) -> Step | None:
    """Return the only factor that an error changes; all else must follow from it."""
    right = {s.question: s for s in subject.derivation.steps if s.question is not None}
    wrong = []
    for step in stretch.factors:
        true = right.get(step.question) if step.question is not None else None
        if true is None:
            return None  # the error changes the chain itself
        if step.after is not true.after:
            if not subject.distractors.differ(true.after, step.after):
                return None
            wrong.append(step)
    return wrong[0] if len(wrong) == 1 else None


def _wrong_question(
    subject: Subject, error: InjectedError, stretch: Stretch, wrong: Step
) -> Question | None:
    op = error.operation
    assert op is not None
    chain = [s for s in stretch.lines if s.phase is Phase.CHAIN]
    put_in = [s for s in stretch.lines if s.phase is Phase.SUBSTITUTE][-1:]
    shown = [*chain, *stretch.factors, *put_in, stretch.lines[-1]]
    unique: dict[tuple[Expr, Expr], Step] = {}
    for step in shown:
        unique.setdefault((step.left, step.after), step)
    steps = list(unique.values())
    if len(steps) < FEWEST_LINES:
        return None
    number = steps.index(wrong) + 1
    true = next(s for s in subject.derivation.steps if s.question is wrong.question)
    return Question(
        subject.exercise,
        "wrong-line",
        subject.derivation.model,
        (
            *subject.naming(step.after for step in steps),
            Prose("One line is wrong, and what comes after it follows from it. Which line?"),
            *(line_of(step, str(k)) for k, step in enumerate(steps, start=1)),
        ),
        Key("line", str(number), choices=tuple(str(k + 1) for k in range(len(steps)))),
        (
            (Prose("The chain rule is right. Check the factors one by one."),),
            (Prose(f"Look for the {op.rule}: {op.because}."),),
            (Line(true.left, true.after, note=true.rule),),
        ),
        (
            Prose(f"Line {number}: {error.name}; {error.message}."),
            Line(true.left, true.after, note=true.rule),
        ),
        (op.rule,),
    )
