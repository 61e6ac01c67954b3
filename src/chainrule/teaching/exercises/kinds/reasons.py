"""Questions for the reason of something: one right answer among plausible wrong ones."""

from __future__ import annotations

from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Prose
from chainrule.teaching.exercises.hints import gradient_hints
from chainrule.teaching.exercises.questions import Question, Subject, lettered
from chainrule.teaching.exercises.sections import section_of


def why(subject: Subject) -> Question | None:
    """Ask the question why of an exercise, by choice."""
    exercise = subject.exercise
    if not exercise.why:
        return None
    wrong = [Prose(text) for text in exercise.instead]
    options, letter = lettered(Prose(exercise.because), wrong, subject.rng)
    section = section_of(subject.derivation, exercise.variables[0])
    out = subject.rng.choice([o for o in options if isinstance(o, Prose) and o in wrong])
    key = AnswerKey("choice", letter, choices=("",) * len(options))
    return Question(
        exercise,
        "why",
        exercise.model,
        (Prose(exercise.why),),
        key,
        (
            (Prose("Derive the gradient first, then read the answer off the formula."),),
            gradient_hints(subject, section)[1],
            (Prose(f"This one is wrong: {out.text}"),),
        ),
        (Prose(exercise.because), subject.gradient(section)),
        ("reasons",),
        options,
    )
