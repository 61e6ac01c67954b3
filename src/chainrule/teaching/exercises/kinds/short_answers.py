"""Questions with a short answer: yes or no, a list of names."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from chainrule.calculus.graph.dims import written
from chainrule.language.typeset import plain, unicode
from chainrule.teaching.exercises.answer_forms import opened
from chainrule.teaching.exercises.answer_readers import ALTERNATIVES, AnswerKey
from chainrule.teaching.exercises.content import Content, Equation, Prose
from chainrule.teaching.exercises.hints import gradient_hints
from chainrule.teaching.exercises.kept import sufficient_sets
from chainrule.teaching.exercises.kinds.code import is_window
from chainrule.teaching.exercises.kinds.formulas import solution
from chainrule.teaching.exercises.questions import Question, Subject

CANDIDATES = 4


def verify(subject: Subject) -> Question | None:
    """Show an answer of the right shape, and ask whether it is right."""
    section = subject.variable()
    right = opened(subject.derivation, section.answer)
    if is_window(plain(right)):
        return None
    wrong = subject.distractors.answers(section, subject.rng, CANDIDATES)
    if not wrong:
        return None
    # An answer that is much longer or shorter than the right one would give itself away.
    wrong.sort(key=lambda each: abs(len(plain(each.answer)) - len(plain(right))))
    chosen = None if _is_right(subject) else subject.rng.choice(wrong[:2])
    shown = right if chosen is None else chosen.answer
    said: Content = (Prose("It is right."),)
    if chosen is not None:
        said = (Prose(f"It is wrong: {chosen.name}; {chosen.message}."),)
    hints = gradient_hints(subject, section)
    return Question(
        subject.exercise,
        "verify",
        subject.derivation.model,
        (
            Prose(
                "A student hands in this answer. "
                f"Its shape fits, {written(section.variable.shape)}."
            ),
            replace(subject.gradient(section), right=shown),
            Prose("Is it right? yes or no"),
        ),
        AnswerKey("yes or no", "yes" if chosen is None else "no"),
        hints,
        (*said, *solution(subject, section)),
        subject.rules(section),
    )


def _is_right(subject: Subject) -> bool:
    """Whether to show the right answer: of the seeds 2k and 2k + 1, for exactly one."""
    pair, place = divmod(subject.seed, 2)
    first = Random(f"{subject.exercise.id} verify {pair}").random() < 0.5
    return first == (place == 0)


def cache(subject: Subject) -> Question | None:
    """Ask for the values that the forward pass must keep for the backward pass."""
    derivation = subject.derivation
    names = [symbol.name for symbol in derivation.model.symbols]
    sets = [[name for name in names if name in kept] for kept in sufficient_sets(subject.exercise)]
    if not sets or not sets[0] or len(sets[0]) == len(names):
        return None
    keep = sets[0]
    asked = ", ".join(unicode(subject.whole(s)) for s in subject.sections if s.name is None)
    results = tuple(subject.gradient(section) for section in subject.sections)
    rules = tuple(dict.fromkeys(rule for s in subject.sections for rule in s.rules))
    sizes = " or ".join(str(size) for size in sorted({len(each) for each in sets}))
    others = [Prose(f"Also right: {', '.join(each)}.") for each in sets[1:]]
    return Question(
        subject.exercise,
        "cache",
        derivation.model,
        (
            Prose(
                f"The backward pass computes {asked}. Which inputs and values must the forward "
                "pass keep, so that no matrix product, sum or softmax of it is computed again? "
                "Keep as few as you can: an activation or a difference is computed again."
            ),
            Prose(f"Choose among: {', '.join(names)}"),
        ),
        AnswerKey(
            "names", ALTERNATIVES.join(", ".join(each) for each in sets), choices=tuple(names)
        ),
        (
            (
                Prose(
                    "Derive the gradients first. What stands in their formulas, beside gradients "
                    f"that come from above? The rules on the way: {', '.join(rules)}."
                ),
            ),
            (
                Prose(f"{sizes} of them suffice. Write down what each of these reads:"),
                *(Equation(r.left, None) for r in results),
            ),
            results,
        ),
        (*results, Prose(f"The forward pass must keep: {', '.join(keep)}."), *others),
        ("what to keep",),
    )
