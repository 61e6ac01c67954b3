"""Balance of a problem set: every letter, and yes and no, are the answer equally often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from chainrule.teaching.exercises.kinds import ask
from chainrule.teaching.exercises.questions import LETTERS, Question


def balanced(found: Sequence[Question], seeds: Sequence[int], rng: Random) -> list[Question]:
    """Return the questions with the answers of choices spread evenly.

    Parameters
    ----------
    found : sequence of Question
        The questions of a set.
    seeds : sequence of int
        The seed that each question was made from.
    rng : Random
        Source of random choices.
    """
    decks: dict[int, Iterator[int]] = {}
    said: Counter[str] = Counter()
    made: list[Question] = []
    for question, seed in zip(found, seeds, strict=True):
        chosen = question
        if question.key.reader == "choice" and question.options:
            count = len(question.options)
            deck = decks.setdefault(count, _deck(count, rng))
            chosen = with_key_at(question, next(deck))
        elif question.key.reader == "yes or no":
            chosen = _the_rarer(question, seed, said)
            said[chosen.key.answer] += 1
        made.append(chosen)
    return made


def with_key_at(question: Question, place: int) -> Question:
    """Return a multiple-choice question with its right option at another place."""
    now = LETTERS.index(question.key.answer)
    if now == place:
        return question
    options = list(question.options)
    choices = list(question.key.choices)
    options[now], options[place] = options[place], options[now]
    choices[now], choices[place] = choices[place], choices[now]
    moved = {LETTERS[place]: LETTERS[now]}
    mistakes = tuple(
        (moved.get(wrong, wrong), name, message) for wrong, name, message in question.key.mistakes
    )
    key = replace(question.key, answer=LETTERS[place], choices=tuple(choices), mistakes=mistakes)
    return replace(question, options=tuple(options), key=key)


def _deck(count: int, rng: Random) -> Iterator[int]:
    """Yield all places in random order, again and again."""
    while True:
        yield from rng.sample(range(count), count)


def _the_rarer(question: Question, seed: int, said: Counter[str]) -> Question:
    """Return the question, or the one of the paired seed where its answer is the commoner one.

    The seeds 2k and 2k + 1 of an exercise have different answers.
    """
    other = "no" if question.key.answer == "yes" else "yes"
    if said[question.key.answer] <= said[other]:
        return question
    return ask(question.exercise, question.kind, seed ^ 1) or question
