"""Questions for the wrong line of a derivation: in the chain rule, at a factor, or at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from chainrule.calculus.derivation.steps import Phase, Step
from chainrule.calculus.graph.node import Expr, Total, partials, substitute, walk
from chainrule.errors import ChainruleError
from chainrule.language.typeset import plain
from chainrule.teaching.diagnosis.injection import InjectedError
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Content, Equation, Prose
from chainrule.teaching.exercises.hints import LONGEST_LINE
from chainrule.teaching.exercises.kinds.lines import FEWEST_LINES
from chainrule.teaching.exercises.likely_mistakes import (
    Mistaken,
    brings_a_logarithm,
    line_mistakes,
)
from chainrule.teaching.exercises.questions import Question, Subject, line_of
from chainrule.teaching.exercises.sections import GradientSection, sections

LONGER = 8
"""How much longer than the right one a wrong factor may be, in characters."""

IN_A_CHAIN = ("an additive term dropped", "a factor dropped", "a sum forgotten", "sign of one term")
"""The mistakes that people make when they write the chain rule down."""

CHAIN_WORDS: Mapping[str, str] = {
    "an additive term dropped": "one of the paths is missing, and paths add",
    "a factor dropped": "one link of the chain is missing",
    "a sum forgotten": "the sum over the paths is missing",
    "sign of one term": "paths add, none is subtracted",
}


def wrong_line(subject: Subject) -> Question | None:
    """Show a derivation with one wrong line, and ask which it is."""
    makers: list[Callable[[Subject], Question | None]] = [_in_the_chain, _at_a_factor, _at_the_end]
    subject.rng.shuffle(makers)
    for make in makers:
        made = make(subject)
        if made is not None:
            return made
    return None


# ---- in the chain rule -------------------------------------------------------------------------


def _in_the_chain(subject: Subject) -> Question | None:
    """Write the chain rule wrongly; what is put into it follows."""
    for section in _drawn(subject):
        chain = [s for s in section.lines if s.phase is Phase.CHAIN]
        put_in = [s for s in section.lines if s.phase is Phase.SUBSTITUTE][-1:]
        if len(chain) != 1 or not put_in or partials(put_in[0].after):
            continue
        answers: dict[Expr, Expr] = {
            s.question: s.after for s in section.factors if s.question is not None
        }
        for mistake in _chain_mistakes(subject, chain[0]):
            wrong = mistake.applied(chain[0].after)
            if wrong is None or not partials(wrong):
                continue
            filled = _filled(wrong, answers)
            right = _filled(chain[0].after, answers)
            if filled is None or right is None or not _differ(subject, section, right, filled):
                continue
            used = [s for s in section.factors if s.question in partials(wrong)]
            lines = [replace(chain[0], after=wrong), *used, replace(put_in[0], after=filled)]
            said = CHAIN_WORDS[mistake.name]
            made = _question(subject, lines, 0, chain[0], (said, chain[0].rule))
            if made is not None:
                return made
    return None


def _chain_mistakes(subject: Subject, chain: Step) -> list[Mistaken]:
    found = [each for each in line_mistakes(chain.after) if each.name in IN_A_CHAIN]
    subject.rng.shuffle(found)
    return found


def _filled(chain: Expr, answers: Mapping[Expr, Expr]) -> Expr | None:
    """Put the answers into a chain rule; nothing where they do not fit together."""
    asked = partials(chain)
    if any(each not in answers for each in asked):
        return None
    try:
        return substitute(chain, {each: answers[each] for each in asked})
    except ChainruleError:
        return None


# ---- at a factor -------------------------------------------------------------------------------


def _at_a_factor(subject: Subject) -> Question | None:
    """Use a wrong derivative rule at one factor; all that comes after follows."""
    for error, derivation in subject.distractors.derivations(subject.rng):
        for section in sections(derivation):
            wrong = _first_wrong(subject, section)
            if wrong is None:
                continue
            made = _factor_question(subject, error, section, wrong)
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
            if len(plain(step.after)) > len(plain(true.after)) + LONGER:
                return None
            if brings_a_logarithm(step.after, true.after):
                return None
            wrong.append(step)
    return wrong[0] if len(wrong) == 1 else None


def _factor_question(
    subject: Subject, error: InjectedError, section: GradientSection, wrong: Step
) -> Question | None:
    op = error.operation
    assert op is not None
    chain = [s for s in section.lines if s.phase is Phase.CHAIN]
    put_in = [s for s in section.lines if s.phase is Phase.SUBSTITUTE][-1:]
    lines = [*chain, *section.factors, *put_in, section.lines[-1]]
    true = next(s for s in subject.derivation.steps if s.question is wrong.question)
    return _question(subject, lines, lines.index(wrong), true, (error.message, op.rule))


# ---- at the end --------------------------------------------------------------------------------


def _at_the_end(subject: Subject) -> Question | None:
    """Make a mistake in the last line: a sign, a transpose, a sum, the order of a product."""
    for section in _drawn(subject):
        last = section.lines[-1]
        if partials(last.after) or any(isinstance(node, Total) for node in walk(last.after)):
            continue
        found = subject.distractors.line_answers(last, subject.rng)
        if not found:
            continue
        chain = [s for s in section.lines if s.phase is Phase.CHAIN]
        put_in = [s for s in section.lines if s.phase is Phase.SUBSTITUTE][-1:]
        wrong = replace(last, after=found[0].answer)
        lines = [*chain, *section.factors, *put_in, wrong]
        made = _question(subject, lines, len(lines) - 1, last, (found[0].message, last.rule))
        if made is not None:
            return made
    return None


# ---- all ---------------------------------------------------------------------------------------


def _drawn(subject: Subject) -> Sequence[GradientSection]:
    """Return the gradients that have lines, in random order."""
    found = [section for section in subject.sections if section.lines]
    subject.rng.shuffle(found)
    return found


def _differ(subject: Subject, section: GradientSection, right: Expr, wrong: Expr) -> bool:
    places = (section.gradient.row, section.gradient.col)
    return subject.distractors.differ(right, wrong, *places)


def _question(
    subject: Subject, steps: Sequence[Step], place: int, true: Step, said: tuple[str, str]
) -> Question | None:
    """Ask about some lines, of which one is wrong; None where they are too few.

    Parameters
    ----------
    subject : Subject
        The exercise.
    steps : sequence of Step
        The lines.
    place : int
        The place of the wrong one.
    true : Step
        The right line.
    said : (str, str)
        The mistake in a sentence, and the rule.
    """
    wrong = steps[place]
    unique: dict[tuple[Expr, Expr], Step] = {}
    for step in steps:
        unique.setdefault((step.left, step.after), step)
    lines = list(unique.values())
    longest = max(len(plain(step.after)) for step in lines)
    if len(lines) < FEWEST_LINES or wrong not in lines or longest > LONGEST_LINE:
        return None
    number = lines.index(wrong) + 1
    others = [k for k in range(1, len(lines) + 1) if k != number]
    passed = sorted(subject.rng.sample(others, len(others) // 2))
    pair = sorted([number, subject.rng.choice([k for k in others if k not in passed])])
    message, rule = said
    prompt: Content = (
        *subject.naming(step.after for step in lines),
        Prose("One line is wrong, and what comes after it follows from it. Which line?"),
        *(line_of(step, str(k)) for k, step in enumerate(lines, start=1)),
    )
    return Question(
        subject.exercise,
        "wrong-line",
        subject.derivation.model,
        prompt,
        AnswerKey("line", str(number), choices=tuple(str(k + 1) for k in range(len(lines)))),
        (
            (
                Prose(
                    "Check each line by itself: paths and sums, then factors, then signs and order."
                ),
            ),
            # Lines after the mistake follow from it, and may be false themselves.
            (Prose(f"Not the first mistake: line {', '.join(map(str, passed))}."),),
            (Prose(f"It is line {pair[0]} or line {pair[1]}."),),
        ),
        (
            Prose(f"Line {number}: {message}. The right line:"),
            Equation(true.left, true.after, note=true.rule),
        ),
        (rule,),
    )
