"""Variants of an exercise, by seed: other names, functions, losses, depth, sum, layout.

A variant is made by changing the forward pass, and is used only when it reads back, is derived and
proven, is neither trivial nor as before, and is as hard as was asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.dims import base_names
from chainrule.calculus.graph.model import Asked, Model
from chainrule.calculus.graph.node import Apply, Number, Symbol, symbols, walk
from chainrule.errors import ChainruleError, ExerciseError
from chainrule.language.reading import read_model
from chainrule.language.typeset import model_text
from chainrule.teaching.exercises.changes import ACTIVATIONS, CHANGES, Change
from chainrule.teaching.exercises.difficulty import difficulty
from chainrule.teaching.exercises.domains import REAL, turned
from chainrule.teaching.exercises.exercise import Exercise

TRIES = 40
ENOUGH = 8
"""The number of variants, all too hard or too easy, after which the search stops."""

OFTEN, SELDOM = 0.4, 0.1
RESERVE = ("penalty", "outside")
"""Changes that every exercise takes; they are for exercises that take no others."""

AROUND = 6
"""The default range of difficulty around that of the base."""

ASK = "Derive the gradient again. Changed:"

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
    for _ in range(TRIES):
        made = _changed(model, rng)
        if made is None:
            continue
        title = f"{exercise.title}; varied: {', '.join(made.words)}"
        candidate = replace(
            exercise,
            id=f"{exercise.id}:{seed}",
            title=title,
            model=replace(made.model, title=title),
            ask=f"{ASK} {', '.join(made.words)}; other letters.",
            hints=(),
            asks={},
            forms={},
            why="",
            because="",
            instead=(),
            base=exercise.id,
            seed=seed,
            domains=_domains(exercise, made),
            changed=made.words,
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


@dataclass(frozen=True)
class Changed:
    """A changed forward pass: before and after it was given other letters, and what changed."""

    unnamed: Model
    model: Model
    words: tuple[str, ...]


def _changed(model: Model, rng: Random) -> Changed | None:
    """Apply some of the changes, at least one of them to the derivation, and always rename."""
    changed = model
    words: list[str] = []
    drawn = [c for c in CHANGES if rng.random() < (SELDOM if c.name in RESERVE else OFTEN)]
    others = rng.sample(CHANGES, len(CHANGES))
    for change in (*drawn, *(c for c in others if c.deep and c not in drawn)):
        if change not in drawn and operations(changed) != operations(model):
            break
        try:
            new = change.apply(changed, rng)
        except ChainruleError:
            continue
        if new is not None and new != changed:
            words.append(_said(change, changed, new))
            changed = new
    if operations(changed) == operations(model):
        return None
    try:
        return Changed(changed, _renamed(changed, rng), tuple(words))
    except ChainruleError:
        return None


def operations(model: Model) -> Counter[str]:
    """Count the operations of a forward pass; letters and sizes do not matter."""
    nodes = (node for d in model.definitions for node in walk(d.value))
    return Counter(node.op.name for node in nodes if isinstance(node, Apply))


def _said(change: Change, before: Model, after: Model) -> str:
    """Return what a change did, in words; of an activation, which one stands for which."""
    gone, come = operations(before) - operations(after), operations(after) - operations(before)
    old = [name for name in ACTIVATIONS if name in gone]
    new = [name for name in ACTIVATIONS if name in come]
    if change.name == "activations" and len(old) == len(new) == 1:
        return f"{new[0]} in place of {old[0]}"
    return change.words


def _domains(exercise: Exercise, made: Changed) -> dict[str, str]:
    """Return the domains of the renamed inputs, which have the same order."""
    rows = any(c.name == "convention" and c.words in made.words for c in CHANGES)
    found = {}
    for new, old in zip(made.model.inputs, made.unnamed.inputs, strict=True):
        name = exercise.domains.get(old.name, REAL)
        found[new.name] = turned(name) if rows else name
    return found


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
