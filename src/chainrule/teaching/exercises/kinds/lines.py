"""Questions about the lines of a derivation: the next one, its rule, their order."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.calculus.derivation.steps import Phase, Step
from chainrule.calculus.graph.node import Expr, partials
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Content, Equation, Prose
from chainrule.teaching.exercises.distractors import Distractor
from chainrule.teaching.exercises.hints import line_hints, rule_hints
from chainrule.teaching.exercises.kinds.formulas import WRONG_ANSWERS, choice_among
from chainrule.teaching.exercises.questions import (
    LETTERS,
    Question,
    Subject,
    lettered,
    line_of,
    reason,
)
from chainrule.teaching.exercises.sections import GradientSection

MOST_PLACES = 8
FEWEST_LINES = 4
MOST_LINES = 6

_TIDYING = ("positive first", "as before", "an index that nobody carries: repeat")
"""Rules that only tidy a line up: nobody learns from choosing the line that follows."""

_ALGEBRA = ("cancel", "one-hot labels add to one", "δ picks one term")
_COLLAPSES = (
    "sum over two factors: matrix product",
    "two different indices: outer product",
    "sum over one factor: along an axis",
    "a vector meets a matrix: scaling",
    "an index that nobody carries: repeat",
    "times a vector of ones",
)
_SILENT = ("constant rule", "mask", "sign function")
_GENERAL = ("sum rule", "sign rule", "product rule", "quotient rule")
"""Rules that most lines use somewhere; a line with a more special one asks for that."""

_FAMILIES = (
    ("sum rule", "product rule", "quotient rule", "power rule", "sign rule", "root rule"),
    ("product rule for matrices", "transpose rule", "squared-norm rule", "un-broadcast",
     "mean rule", "product rule"),
    ("exp rule", "log rule", "sigmoid rule", "tanh rule", "ReLU rule", "softmax rule",
     "softplus rule"),
)  # fmt: skip
"""The rules that a first course names, by what they are taken for.

They are the options of a question for a rule, those first that are taken for the right one.
"""


def next_line(subject: Subject) -> Question | None:
    """Ask which line follows: the right one among lines with one error."""
    places = [
        (section, k)
        for section in subject.sections
        for k in range(1, len(section.lines))
        if not partials(section.lines[k].after) and _is_worth_asking(section.lines[k])
    ]
    subject.rng.shuffle(places)
    for section, k in places[:MOST_PLACES]:
        step = section.lines[k]
        wrong = subject.distractors.line_answers(step, subject.rng)
        if len(wrong) == WRONG_ANSWERS:
            return _next_question(subject, section, k, wrong)
    return None


def _is_worth_asking(step: Step) -> bool:
    """Whether a line takes more than to copy an answer into the one before it."""
    if step.rule in _TIDYING:
        return False
    turned = step.phase is Phase.SHAPE and step.rule.startswith("transpose")
    return turned or step.phase in (Phase.SIMPLIFY, Phase.COLLAPSE)


def _next_question(
    subject: Subject, section: GradientSection, k: int, wrong: Sequence[Distractor]
) -> Question:
    step, before = section.lines[k], section.lines[max(0, k - 3) : k]
    answers = [line_of(each) for each in section.factors if _is_asked(each, before[-1])]
    options, key = choice_among(step.left, step.after, wrong, subject.rng)
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
        key,
        line_hints(subject, step, [Equation(step.left, each.answer) for each in wrong]),
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
        named = [r for r in used if r not in _SILENT] or used
        right = subject.rng.choice([r for r in named if r not in _GENERAL] or named)
        pool = _other_rules(subject, used, right)
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
        rule_hints(subject, step, right, wrong),
        (Prose(f"The rule: {step.rule}."), reason(step)),
        (right,),
        options,
    )


def _other_rules(subject: Subject, used: Sequence[str], right: str) -> list[str]:
    """Return rules that a line does not use: of its exercise, then those taken for the right one.

    Of these, which the student knows from this exercise or from the same family, three are drawn.
    """
    near = sorted({r.rule for step in subject.derivation.steps for r in step.reasons})
    alike = [rule for family in _FAMILIES if right in family for rule in family]
    far = [rule for family in _FAMILIES for rule in family]
    out = {*used, *_SILENT}
    found = [rule for rule in dict.fromkeys((*near, *alike)) if rule not in out]
    if len(found) < WRONG_ANSWERS:
        subject.rng.shuffle(far)
        found += [rule for rule in dict.fromkeys(far) if rule not in (*found, *out)]
        found = found[:WRONG_ANSWERS]
    return found[: 2 * WRONG_ANSWERS]


def _shown(step: Step) -> Content:
    if step.reasons:
        return (line_of(step),)
    return (Equation(step.left, step.before), Equation(step.left, step.after))


def wrong_rules(step: Step) -> list[str]:
    """Return names of rules that a rewriting did not use; empty where that is unsure."""
    if step.phase is Phase.SIMPLIFY and step.rule in _ALGEBRA:
        return [name for name in _COLLAPSES if name not in _ALGEBRA]
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
        if step.phase not in (Phase.ENTRY, Phase.SHAPE) and step.rule not in _TIDYING:
            seen.setdefault(step.after, step)
    steps = list(seen.values())
    if len(steps) > MOST_LINES:  # both ends tell; of the middle keep what is evenly apart
        middle = steps[1:-1]
        apart = len(middle) / (MOST_LINES - 2)
        steps = [steps[0], *(middle[int(k * apart)] for k in range(MOST_LINES - 2)), steps[-1]]
    return steps
