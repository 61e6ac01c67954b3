"""Faded worked examples: a solved derivation with its last lines blank, then more of them.

For every blank two things are asked, the name of the rule and the line itself, since naming the
rule is what carries over to the next problem (Atkinson, Renkl and Merrill 2003), and both are
judged at once, step by step (Moreno, Reisslein and Ozogul 2009).
"""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.calculus.derivation.steps import Phase, Step
from chainrule.calculus.graph.node import partials
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Content, Equation, Prose
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.hints import line_hints, rule_hints
from chainrule.teaching.exercises.kinds.formulas import WRONG_ANSWERS
from chainrule.teaching.exercises.kinds.lines import MOST_LINES, wrong_rules
from chainrule.teaching.exercises.questions import (
    Question,
    Subject,
    lettered,
    line_of,
    reason,
)
from chainrule.teaching.exercises.sections import GradientSection, section_of

KIND = "fading"


def faded(exercise: Exercise, blanks: int, seed: int = 0) -> list[Question]:
    """Return the questions of a derivation with its last lines blank.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    blanks : int
        The number of blank lines at the end; at most all but the first.
    seed : int, optional
        Seed for the choices.

    Returns
    -------
    list of Question
        For each blank its rule and its line, in order; none where the derivation is one line.
    """
    subject = Subject(exercise, KIND, seed)
    section = max(
        (section_of(exercise.derivation, name) for name in exercise.variables),
        key=lambda each: len(each.lines),
    )
    steps = _shown(section)
    blank = steps[max(1, len(steps) - blanks) :]
    return [question for step in blank for question in _asked(subject, section, steps, step, blank)]


def _shown(section: GradientSection) -> list[Step]:
    """Choose the lines to show: the answers of factors, then the last lines, each a new one."""
    lines: dict[object, Step] = {}
    for step in (*section.factors, *section.lines):
        if step.reasons or not (partials(step.after) or step.phase is Phase.RESULT):
            lines.setdefault((step.left, step.after), step)
    found = list(lines.values())
    if len(found) > 1 and (found[-2].phase, found[-1].phase) == (Phase.COLLAPSE, Phase.SHAPE):
        found.pop()  # the same line, said of all entries at once
    return found[-MOST_LINES:]


def _asked(
    subject: Subject,
    section: GradientSection,
    steps: Sequence[Step],
    step: Step,
    blank: Sequence[Step],
) -> list[Question]:
    found = []
    if wrong := wrong_rules(step):
        found.append(_rule(subject, _sheet(subject, steps, step, blank), step, wrong))
    wrong_lines = _wrong_lines(subject, step)
    if len(wrong_lines) >= 2:
        options, letter = lettered(line_of(step), wrong_lines, subject.rng)
        asked = Prose("Which line belongs in place of the question mark at >?")
        prompt = (*_sheet(subject, steps, step, blank), asked)
        key = AnswerKey("choice", letter, choices=("",) * len(options))
        hints = line_hints(subject, step, wrong_lines)
        found.append(_question(subject, step, prompt, key, options, hints))
    return found


def _sheet(subject: Subject, steps: Sequence[Step], asked: Step, blank: Sequence[Step]) -> Content:
    """Write the derivation with its blanks; the asked line is marked."""
    lines: list[Equation] = []
    reached = False
    for number, step in enumerate(steps, start=1):
        reached = reached or step is asked
        hidden = step in blank and reached
        mark = ">" if step is asked else ""
        right = None if hidden else step.after
        lines.append(Equation(step.left, right, f"{mark}{number}", "" if hidden else step.rule))
    return (*subject.naming(step.after for step in steps), *lines)


def _rule(subject: Subject, sheet: Content, step: Step, wrong: Sequence[str]) -> Question:
    names = subject.rng.sample(list(wrong), min(WRONG_ANSWERS, len(wrong)))
    options, letter = lettered(Prose(step.rule), [Prose(name) for name in names], subject.rng)
    key = AnswerKey(
        "choice", letter, choices=tuple(o.text for o in options if isinstance(o, Prose))
    )
    prompt = (*sheet, Prose("Which rule leads to the line marked with >?"))
    hints = rule_hints(subject, step, step.rule, names)
    return _question(subject, step, prompt, key, options, hints)


def _wrong_lines(subject: Subject, step: Step) -> list[Equation]:
    if step.reasons:
        found = subject.distractors.factor_answers(step, subject.rng)
    else:
        found = subject.distractors.line_answers(step, subject.rng)
    return [Equation(step.left, wrong.answer) for wrong in found]


def _question(
    subject: Subject,
    step: Step,
    prompt: Content,
    key: AnswerKey,
    options: Content,
    hints: tuple[Content, ...],
) -> Question:
    rules = tuple(r.rule for r in step.reasons) or (step.rule,)
    return Question(
        subject.exercise,
        KIND,
        subject.derivation.model,
        prompt,
        key,
        hints,
        (Equation(step.left, step.after, note=step.rule), reason(step)),
        rules,
        options,
    )
