"""Evidence in an answer: the skills of its question, and those of its mistake."""

from __future__ import annotations

from chainrule.teaching.exercises.answer_readers import Judgement
from chainrule.teaching.exercises.questions import Question
from chainrule.teaching.exercises.skills import (
    OF_KIND,
    SKILLS,
    blamed,
    skill_of_mistake,
    skills_of_rules,
)
from chainrule.teaching.exercises.templates.template import TemplateExercise

OF_ONE_LINE = ("factor", "next", "rule", "shape", "cache")
"""Kinds of question about one line, so that a wrong answer is a wrong line of that rule."""


def skills_of(question: Question) -> tuple[str, ...]:
    """Return the skills that a question exercises, in the order of the course."""
    found = set(question.skills or skills_of_rules(question.rules))
    found.update(OF_KIND.get(question.kind, ()))
    return tuple(skill.name for skill in SKILLS if skill.name in found)


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
