"""Figures of generated questions: each check counts the questions that fail it.

``python -m tests.teaching.exercises.generated 3000 1`` generates 3,000 questions of all kinds with
the seed 1 and prints the figures; a test holds some of them to the same checks.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from random import Random

import numpy as np

from chainrule.calculus.graph.node import symbols
from chainrule.errors import ChainruleError
from chainrule.language.reading import read_expression
from chainrule.language.typeset import plain
from chainrule.teaching.exercises.answer_readers import judge
from chainrule.teaching.exercises.content import Block, Code, Equation, Prose
from chainrule.teaching.exercises.distractors import Distractors
from chainrule.teaching.exercises.domains import domain
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.kinds import KINDS, ask
from chainrule.teaching.exercises.kinds.numbers import Place, telling_place
from chainrule.teaching.exercises.loading import exercises, find
from chainrule.teaching.exercises.points import points
from chainrule.teaching.exercises.questions import LETTERS, Question, Subject
from chainrule.teaching.exercises.variants import operations, variant

SEEDS = 8
TELLING = 4
FORMULAS = ("formula", "maths", "code")
CENTRAL = ("next", "factor")


@dataclass
class Figures:
    """What was counted: questions per kind, failures per check, and how answers are spread."""

    kinds: Counter[str] = field(default_factory=Counter)
    failures: dict[str, list[str]] = field(default_factory=dict)
    letters: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    central: Counter[bool] = field(default_factory=Counter)

    def fail(self, check: str, question: Question, what: str) -> None:
        """Record that a question fails a check."""
        text = f"{question.exercise.id} {question.kind}: {what}"
        self.failures.setdefault(check, []).append(text)


def generated(
    count: int, seed: int = 0, every: int = 1, first: int = 0
) -> Iterator[tuple[Question, int]]:
    """Yield questions of all kinds, on exercises and on variants, each with its seed.

    Of the exercises those are taken that stand at `first` and at each `every` after it.
    """
    rng = Random(f"generated {seed}")
    bases = list(exercises())
    rng.shuffle(bases)
    pool = [(e, kind.name, s) for e in bases[first::every] for kind in KINDS for s in range(SEEDS)]
    rng.shuffle(pool)
    left = count
    for exercise, kind, number in pool:
        if exercise.kinds and kind not in exercise.kinds:
            continue
        chosen = _varied(exercise.id, number) if number == SEEDS - 1 else exercise
        question = ask(chosen, kind, number)
        if question is not None:
            yield question, number
            left -= 1
        if left == 0:
            return


@cache
def _varied(identifier: str, seed: int) -> Exercise:
    exercise = find(identifier)
    try:
        return variant(exercise, seed)
    except ChainruleError:
        return exercise


def measured(pairs: Iterator[tuple[Question, int]]) -> Figures:
    """Check questions, and count."""
    found = Figures()
    for question, seed in pairs:
        found.kinds[question.kind] += 1
        _key(found, question)
        _hints(found, question)
        _spread(found, question)
        if question.kind == "number":
            _number(found, question, seed)
        if question.exercise.base:
            _variant(found, question)
    return found


def _key(found: Figures, question: Question) -> None:
    key = question.key
    if not judge(key, key.example).right:
        found.fail("the key is read back as right", question, key.example)
    if key.reader == "formula" and not question.exercise.model.functions:  # f' is no name
        model = question.model
        names = {s.name: s for s in (*model.symbols, *question.exercise.derivation.layers)}
        names |= {s.name: s for s in question.exercise.model.symbols}
        try:
            unknown = symbols(read_expression(key.example, names)) - set(names.values())
        except ChainruleError as error:
            unknown = frozenset()
            if "unknown" in str(error):
                found.fail("the key uses shown names", question, str(error))
        if unknown:
            found.fail("the key uses shown names", question, key.example)


def _text(block: Block) -> str:
    if isinstance(block, Prose | Code):
        return block.text
    if isinstance(block, Equation):
        return "" if block.right is None else plain(block.right)
    return ""


def _hints(found: Figures, question: Question) -> None:
    hints = question.hints
    if len(hints) != 3 or len(set(hints)) != 3 or not all(hints):
        found.fail("three different hints", question, str(len(set(hints))))
    blocks = [block for hint in hints for block in hint]
    asked = {b.left for b in question.prompt if isinstance(b, Equation) and b.right is None}
    if any(isinstance(b, Equation) and b.right is None and b.left in asked for b in blocks):
        found.fail("no hint repeats the question", question, "")
    answers = [question.key.example]
    if question.key.reader == "choice":
        right = question.options[LETTERS.index(question.key.answer)]
        answers = [_text(right)]
    if question.key.reader in ("choice", *FORMULAS):
        for answer in answers:
            if len(answer) >= TELLING and any(_is_in(answer, block) for block in blocks):
                found.fail("no hint contains the answer", question, answer)


def _is_in(answer: str, block: Block) -> bool:
    """Whether a hint contains an answer: a line is one, a sentence quotes it."""
    if isinstance(block, Equation):
        return _text(block) == answer
    quoted = re.findall("“(.*?)”", _text(block))
    return answer in quoted or answer in re.sub("“.*?”", "", _text(block))


def _spread(found: Figures, question: Question) -> None:
    key = question.key
    if key.reader == "choice" and len(question.options) == 4:
        found.letters[key.answer] += 1
        if question.kind in CENTRAL:
            texts = [_text(option) for option in question.options]
            likeness = [
                sum(SequenceMatcher(None, a, b).ratio() for b in texts if b is not a) for a in texts
            ]
            found.central[int(np.argmax(likeness)) == LETTERS.index(key.answer)] += 1
    elif key.reader == "yes or no":
        found.said[key.answer] += 1
    elif key.reader == "line":
        last = len(key.choices)
        found.places[{1: "first", last: "last"}.get(int(key.answer), "between")] += 1


def _number(found: Figures, question: Question, seed: int) -> None:
    subject = Subject(question.exercise, "number", seed)
    section = subject.variable()
    place = telling_place(subject, section)
    assert place is not None
    for symbol in question.exercise.derivation.model.inputs:
        name = question.exercise.domain_of(symbol)
        if not domain(name).holds(np.asarray(place.point.values[symbol], float)):
            found.fail("inputs lie in their domains", question, f"{symbol.name}: {name}")
    rng = np.random.default_rng(5)
    others = list(points(question.exercise, place.point.sizes, rng))[:20]
    wrong = Distractors(question.exercise.derivation).answers(section, Random(7), 40)
    for each in wrong:
        values = _asked(place, place.point.value(each.answer, place.value.shape))
        if (
            np.isfinite(values).all()
            and judge(question.key, ", ".join(f"{v:.12g}" for v in values)).right
        ):
            right = subject.gradient(section).right
            assert right is not None
            if any(_differs(point, each.answer, right, section.variable.shape) for point in others):
                found.fail("a mistake gives another number", question, each.name)


def _asked(place: Place, values: np.ndarray) -> np.ndarray:
    return np.ravel(values if place.entry is None else values[place.entry])


def _differs(point: object, wrong: object, right: object, shape: Sequence[object]) -> bool:
    from chainrule.teaching.exercises.points import Point

    assert isinstance(point, Point)
    sizes = tuple(point.sizes.get(str(d), d) for d in shape)
    try:
        a, b = point.value(wrong, sizes), point.value(right, sizes)  # type: ignore[arg-type]
    except (ChainruleError, ValueError, TypeError, KeyError):
        return False
    return bool(np.abs(a - b).max() > 1e-9)


def _variant(found: Figures, question: Question) -> None:
    exercise = question.exercise
    base = next(e for e in exercises() if e.id == exercise.base)
    if operations(exercise.model) == operations(base.model):
        found.fail("a variant has other operations", question, exercise.title)
    if not exercise.changed or any(word not in exercise.title for word in exercise.changed):
        found.fail("a variant says what changed", question, exercise.title)


def main() -> None:
    """Print the figures of some thousand questions."""
    count, seed = ([int(each) for each in sys.argv[1:]] + [0, 0])[:2]
    found = measured(generated(count or 3000, seed))
    print(f"{sum(found.kinds.values())} questions: {dict(found.kinds.most_common())}")
    print(f"letters of choices among four: {dict(sorted(found.letters.items()))}")
    print(f"yes or no: {dict(found.said)}; wrong line: {dict(found.places)}")
    print(f"the answer is the option most like the others: {found.central[True]} of "
          f"{sum(found.central.values())}")  # fmt: skip
    for check, texts in found.failures.items():
        print(f"failed: {check}: {len(texts)}", *texts[:8], sep="\n  ")
    if not found.failures:
        print("no question failed a check")


if __name__ == "__main__":
    main()
