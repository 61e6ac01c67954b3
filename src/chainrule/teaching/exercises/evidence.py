"""Evidence in an answer: the skills of its question, and those of its mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable

from chainrule.teaching.exercises.answer_readers import Judgement
from chainrule.teaching.exercises.questions import Question, Subject
from chainrule.teaching.exercises.sections import section_of
from chainrule.teaching.exercises.skills import (
    IN_CODE,
    OF_KIND,
    SKILLS,
    SUMS,
    TRANSPOSES,
    adds_over_entries,
    blamed,
    skill_of_mistake,
    skills_of_rules,
)
from chainrule.teaching.exercises.templates.template import TemplateExercise

OF_ONE_LINE = ("factor", "next", "shape", "cache")
"""Kinds of question about one line, so that a wrong answer is a wrong line of that rule.

Who cannot name the rule of a line has not broken it, so that the kind `rule` is none of them.
"""

BY_FORMULA = ("formula", "maths", "code")
OF_A_GRADIENT = ("gradient", "code-to-maths", "maths-to-code")


def skills_of(question: Question, rules: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the skills that a question exercises, in the order of the course.

    Parameters
    ----------
    question : Question
        The question.
    rules : iterable of str, optional
        The derivative rules that an answer took; by default those of the question.
    """
    found = set(question.skills or skills_of_rules(question.rules if rules is None else rules))
    if not question.skills and not adds_over_entries(question.exercise.model):
        found.discard(SUMS.name)
    found.intersection_update(IN_CODE.get(question.kind, found))
    found.update(OF_KIND.get(question.kind, ()))
    return tuple(skill.name for skill in SKILLS if skill.name in found)


def skills_shown(question: Question, found: Judgement | None, answer: str) -> tuple[str, ...]:
    """Return the skills that an answer shows.

    A formula such as ``dZ1 X^T`` takes the gradient of a layer as given, and says nothing of the
    rules below it. One that is right in Jacobian layout says nothing of transposes: it is what one
    writes who knows the layout, and what one writes who forgets a transpose.

    Parameters
    ----------
    question : Question
        The question.
    found : Judgement or None
        The judgement of the answer; None where the student asked for the solution.
    answer : str
        The answer as typed.
    """
    key, derivation = question.key, question.exercise.derivation
    if found is None or key.reader not in BY_FORMULA or question.kind not in OF_A_GRADIENT:
        return skills_of(question)
    section = section_of(derivation, key.wrt)
    names = {name.name for name in derivation.layers}
    given = names.intersection(re.findall(r"\w+", answer))
    rules = Subject(question.exercise, question.kind, 0).rules(section, given)
    shown = skills_of(question, rules if given else None)
    shape = section.variable.shape
    if found.shape != shape and found.shape == shape[::-1]:
        return tuple(name for name in shown if name != TRANSPOSES.name)
    return shown


def blamed_by(question: Question, found: Judgement | None) -> tuple[str, ...]:
    """Return the skills that a wrong answer speaks against; none where several could be meant.

    Parameters
    ----------
    question : Question
        The question.
    found : Judgement or None
        The judgement of the answer; None where the student asked for the solution.
    """
    if found is not None and found.right:
        return ()
    skills = skills_of(question)
    if found is not None and found.explanations:
        named = blamed(found.explanations)
        known = any(skill_of_mistake(name) for each in found.explanations for name in each)
        if named or known:
            return named
    alone = isinstance(question.exercise, TemplateExercise) or question.kind in OF_ONE_LINE
    return skills if alone and len(skills) == 1 else ()


def named_by(found: Judgement | None) -> tuple[str, ...]:
    """Return the names of the mistakes, where one explanation was found."""
    if found is None or found.right or len(found.explanations) != 1:
        return ()
    return found.explanations[0]
