"""Variants of an exercise, by seed: other names, functions, losses, depth, sum, layout.

A variant is made by changing the forward pass, and is used only when it reads back, is derived and
proven, is neither trivial nor as before, and is as hard as was asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.dims import base_names
from chainrule.calculus.graph.model import Asked, Model
from chainrule.calculus.graph.node import Apply, Number, Symbol, symbols, walk
from chainrule.errors import ChainruleError, ExerciseError
from chainrule.language.reading import read_model
from chainrule.language.typeset import model_text
from chainrule.teaching.exercises.changes import CHANGES
from chainrule.teaching.exercises.difficulty import difficulty
from chainrule.teaching.exercises.exercise import Exercise

TRIES = 40
ENOUGH = 8
"""The number of variants, all too hard or too easy, after which the search stops."""

AROUND = 6
"""The default range of difficulty around that of the base."""

ASK = "This is a variant: derive it as it stands, some things have changed."

POSITIVE = ("sigmoid", "softplus", "exp", "relu")
"""Operations with non-negative values: a rectifier after one has no effect."""

LETTERS: Mapping[str, str] = {
    "x": "xur",
    "w": "wvq",
    "b": "bc",
    "z": "zsu",
    "a": "ahp",
    "y": "yt",
    "g": "gq",
}
"""Other letters for the usual letter of a role; capitals alike."""

SIZES: Mapping[str, str] = {"n": "ndp", "h": "hqr", "k": "kcp", "m": "mt"}


def variant(exercise: Exercise, seed: int, hardness: tuple[int, int] | None = None) -> Exercise:
    """Make a variant of an exercise.

    Parameters
    ----------
    exercise : Exercise
        The exercise of the bank.
    seed : int
        Another seed, another variant; the same seed, the same.
    hardness : (int, int), optional
        The least and the largest difficulty; by default about that of the exercise.

    Raises
    ------
    ExerciseError
        When no variant as hard as that was found; the message says how hard those found were.

    Examples
    --------
    >>> from chainrule.teaching.exercises.loading import find
    >>> made = variant(find("logistic-batch"), seed=1)
    >>> made.id, made.derivation.proven
    ('logistic-batch:1', True)
    """
    base = difficulty(exercise.derivation).score
    low, high = hardness or (max(1, base - AROUND), base + AROUND)
    found: list[int] = []
    rng = Random(f"{exercise.id} {seed}")
    asked = tuple(Asked(symbol) for symbol in exercise.model.parameters())
    model = replace(exercise.model, asked=exercise.model.asked or asked)
    title = f"{exercise.title}, a variant"
    for _ in range(TRIES):
        made = _changed(model, rng)
        if made is None or _bare(made) == _bare(model):
            continue
        candidate = replace(
            exercise,
            id=f"{exercise.id}:{seed}",
            title=title,
            model=replace(made, title=title),
            ask=ASK,
            hints=(),
            base=exercise.id,
            seed=seed,
        )
        try:
            derivation = derivation_of(candidate.model)  # proven once it is hard enough
            if not _is_worth_asking(derivation):
                continue
            score = difficulty(derivation).score
            if low <= score <= high and candidate.derivation.proven:
                return candidate
        except ChainruleError:
            continue
        found.append(score)
        far = min(found) > high + AROUND or max(found) < low - AROUND
        if far and len(found) == ENOUGH:
            break
    hard = f"; those found are {min(found)} to {max(found)}" if found else ""
    raise ExerciseError(
        f"{exercise.id} has no variant of difficulty {low} to {high}{hard}; ask for another range"
    )


def _changed(model: Model, rng: Random) -> Model | None:
    """Apply some of the changes, and always rename."""
    for change in CHANGES:
        if rng.random() < 0.5:
            try:
                model = change.apply(model, rng) or model
            except ChainruleError:
                continue
    try:
        return _renamed(model, rng)
    except ChainruleError:
        return None


def _is_worth_asking(derivation: Derivation) -> bool:
    """Whether no answer is a number, a single name or undefined."""
    answers = [gradient.index for gradient in derivation.gradients.values()]
    if all(isinstance(answer, Number) or not symbols(answer) for answer in answers):
        return False
    if any(isinstance(answer, Number) and answer.value == 0 for answer in answers):
        return False
    return not _rectifies_what_is_positive(derivation.model)


def _rectifies_what_is_positive(model: Model) -> bool:
    for node in (node for d in model.definitions for node in walk(d.value)):
        if isinstance(node, Apply) and node.op.name == "relu":
            below = node.args[0]
            value = model.values.get(below, below) if isinstance(below, Symbol) else below
            if isinstance(value, Apply) and value.op.name in POSITIVE:
                return True
    return False


# ---- names -------------------------------------------------------------------------------------

_TOKEN = re.compile(r"(?<![A-Za-z\\^])([A-Za-z])(?![A-Za-z])")


def _renamed(model: Model, rng: Random) -> Model:
    """Replace the usual letters in the text by others, and read it again."""
    text = model_text(model, notes=False)
    used = {token.lower() for token in _TOKEN.findall(text)}
    dims = {name for s in model.symbols for dim in s.shape for name in base_names(dim)}
    named = {s.name[:1].lower() for s in model.symbols}
    chosen: dict[str, str] = {}
    for table, mine, others in ((LETTERS, named, dims), (SIZES, dims, named)):
        for letter, pool in table.items():
            if letter not in mine or letter in others:
                continue
            new = rng.choice(pool)
            if new == letter or new not in used | set(chosen.values()):
                chosen[letter] = new
                used.add(new)

    def put(match: re.Match[str]) -> str:
        token = match.group(1)
        new = chosen.get(token.lower(), token.lower())
        return new.upper() if token.isupper() else new

    return _noted(read_model(_TOKEN.sub(put, text), name=model.title), model)


def _noted(renamed: Model, model: Model) -> Model:
    """Copy the notes to the renamed inputs, which have the same order."""
    pairs = zip(renamed.inputs, model.inputs, strict=True)
    notes = {new.name: model.notes[old.name] for new, old in pairs if old.name in model.notes}
    return replace(renamed, notes=notes, title=model.title)


def _bare(model: Model) -> str:
    return model_text(model, notes=False)


def varied(exercise: Exercise, seeds: Iterator[int]) -> Iterator[Exercise]:
    """Yield the exercise, then its variants, as long as there are any."""
    yield exercise
    for seed in seeds:
        try:
            yield variant(exercise, seed)
        except ExerciseError:
            return
