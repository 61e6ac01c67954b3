"""Questions about the lines of a derivation: the next one, its rule, their order, the wrong one."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.calculus.derivation.steps import Phase, Step
from chainrule.calculus.graph.node import Expr, partials
from chainrule.calculus.ops import TABLE
from chainrule.teaching.diagnosis.injection import InjectedError
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Content, Equation, Prose
from chainrule.teaching.exercises.kinds.formulas import WRONG_ANSWERS
from chainrule.teaching.exercises.questions import (
    LETTERS,
    Question,
    Subject,
    lettered,
    line_of,
    reason,
    step_hints,
)
from chainrule.teaching.exercises.sections import GradientSection, sections

FEWEST_LINES = 4
MOST_LINES = 6

_SPREADING = ("distribute", "expand", "multiply out", "split the sum", "factors leave the sum",
              "common factor", "gather", "collect", "positive first")  # fmt: skip
"""Rules that move factors and sums past each other: none is a distractor for another."""

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
    """Ask which line follows: the right one among lines with one error."""
    places = [
        (section, k)
        for section in subject.sections
        for k in range(1, len(section.lines))
        if not partials(section.lines[k].after)
        and section.lines[k].phase in (Phase.SUBSTITUTE, Phase.SIMPLIFY, Phase.COLLAPSE)
    ]
    subject.rng.shuffle(places)
    for section, k in places[:4]:
        step = section.lines[k]
        wrong = subject.distractors.line_answers(step, subject.rng, WRONG_ANSWERS)
        if len(wrong) == WRONG_ANSWERS:
            return _next_question(
                subject, section, k, [Equation(step.left, w.answer) for w in wrong]
            )
    return None


def _next_question(
    subject: Subject, section: GradientSection, k: int, wrong: Sequence[Equation]
) -> Question:
    step, before = section.lines[k], section.lines[max(0, k - 3) : k]
    answers = [line_of(each) for each in section.factors if _is_asked(each, before[-1])]
    options, letter = lettered(line_of(step), wrong, subject.rng)
    return Question(
        subject.exercise,
        "next",
        subject.derivation.model,
        (
            *subject.naming(each.after for each in before),
            *answers,
            *(Equation(each.left, each.after, note=each.rule) for each in before),
            Prose("Which line is next?"),
        ),
        AnswerKey("choice", letter, choices=("",) * len(options)),
        step_hints(step),
        (Equation(step.left, step.after, note=step.rule), reason(step)),
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
        AnswerKey("choice", letter, choices=tuple(o.text for o in options if isinstance(o, Prose))),
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
    """Return rules that a line does not use, those of the exercise itself first."""
    near = sorted({r.rule for step in subject.derivation.steps for r in step.reasons})
    far = sorted({op.rule for op in TABLE.values()})
    subject.rng.shuffle(far)
    out = {*used, *_SILENT}
    return [rule for rule in dict.fromkeys([*near, *far]) if rule not in out][: 2 * WRONG_ANSWERS]


def _shown(step: Step) -> Content:
    if step.reasons:
        return (line_of(step),)
    return (Equation(step.left, step.before), Equation(step.left, step.after))


def wrong_rules(step: Step) -> list[str]:
    """Return names of rules that a rewriting did not use; empty where that is unsure."""
    if step.phase is Phase.SIMPLIFY and step.rule in (*_ALGEBRA, *_SPREADING):
        algebra = _ALGEBRA if step.rule in _ALGEBRA else ()
        return [name for name in (*_COLLAPSES, *_ALGEBRA) if name not in algebra]
    if step.phase is Phase.COLLAPSE:
        kept = step.rule.split(": ")[-1]
        return [name for name in (*_COLLAPSES, *_ALGEBRA) if not name.endswith(kept)]
    return []


def order(subject: Subject) -> Question | None:
    """Ask for the order of the lines of one gradient, from the chain rule to the result."""
    found = [s for s in subject.sections if len(_chained(s)) >= FEWEST_LINES]
    if not found:
        return None
    section = subject.rng.choice(found)
    steps = _chained(section)
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
        AnswerKey("order", answer),
        (
            (Prose("The chain rule comes first; the line with nothing left to do is last."),),
            (Prose("Every line answers one more factor, or makes the one before it shorter."),),
            (Prose(f"It begins {' '.join(answer.split()[:2])}."),),
        ),
        tuple(Equation(s.left, s.after, letters[s.id], s.rule) for s in steps),
        ("chain rule",),
    )


def _chained(section: GradientSection) -> list[Step]:
    """Return lines of which each has one possible position."""
    seen: dict[Expr, Step] = {}
    for step in section.lines:
        if step.phase not in (Phase.ENTRY, Phase.SHAPE):
            seen.setdefault(step.after, step)
    steps = list(seen.values())
    if len(steps) > MOST_LINES:  # both ends tell; of the middle keep what is evenly apart
        middle = steps[1:-1]
        apart = len(middle) / (MOST_LINES - 2)
        steps = [steps[0], *(middle[int(k * apart)] for k in range(MOST_LINES - 2)), steps[-1]]
    return steps


def wrong_line(subject: Subject) -> Question | None:
    """Show a derivation with a wrong rule at one factor, and ask for the wrong line."""
    for error, derivation in subject.distractors.derivations(subject.rng):
        for section in sections(derivation):
            place = _first_wrong(subject, section)
            if place is None:
                continue
            made = _wrong_question(subject, error, section, place)
            if made is not None:
                return made
    return None


def _first_wrong(subject: Subject, section: GradientSection) -> Step | None:
    """Return the only factor that an error changes; all else must follow from it."""
    right = {s.question: s for s in subject.derivation.steps if s.question is not None}
    wrong = []
    for step in section.factors:
        true = right.get(step.question) if step.question is not None else None
        if true is None:
            return None  # the error changes the chain itself
        if step.after is not true.after:
            if not subject.distractors.differ(true.after, step.after):
                return None
            wrong.append(step)
    return wrong[0] if len(wrong) == 1 else None


def _wrong_question(
    subject: Subject, error: InjectedError, section: GradientSection, wrong: Step
) -> Question | None:
    op = error.operation
    assert op is not None
    chain = [s for s in section.lines if s.phase is Phase.CHAIN]
    put_in = [s for s in section.lines if s.phase is Phase.SUBSTITUTE][-1:]
    shown = [*chain, *section.factors, *put_in, section.lines[-1]]
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
        AnswerKey("line", str(number), choices=tuple(str(k + 1) for k in range(len(steps)))),
        (
            (Prose("The chain rule is right. Check the factors one by one."),),
            (Prose(f"Look for the {op.rule}: {op.because}."),),
            (Equation(true.left, true.after, note=true.rule),),
        ),
        (
            Prose(f"Line {number}: {error.name}; {error.message}."),
            Equation(true.left, true.after, note=true.rule),
        ),
        (op.rule,),
    )
