r"""Claims of a text judged by values, under every plausible reading of its names.

A claim is right where a reading makes its two sides agree at random points. It is wrong where
every reading that gives both sides a value refutes it, at several points and by a clear margin.
Everything else is not judged.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Container
from dataclasses import replace

import numpy as np

from chainrule.teaching.marking.by_value.arrays import SIZE
from chainrule.teaching.marking.by_value.case_rows import with_cases_in_rows
from chainrule.teaching.marking.by_value.chain_rule import by_form
from chainrule.teaching.marking.by_value.claim_kinds import (
    LABELS,
    MEAN_OR_SUM,
    ONE_PATH,
    REFUTED,
    SIZE_FACTOR,
    bound_and_free,
    has_open_gradients,
    is_of_one_time,
    is_of_time_before,
    of_one_term,
    one_term_of,
    speaks_of_all,
)
from chainrule.teaching.marking.by_value.comparison import difference, is_nothing, said_of, slip_of
from chainrule.teaching.marking.by_value.environments import environments
from chainrule.teaching.marking.by_value.functions import NoValueError
from chainrule.teaching.marking.by_value.guessed_names import guessed_in
from chainrule.teaching.marking.by_value.judgements import Judged, Outcome
from chainrule.teaching.marking.by_value.meanings import MOST_RANKS, meanings
from chainrule.teaching.marking.by_value.notation import GREEK
from chainrule.teaching.marking.by_value.openness import (
    introduced,
    is_about_definition,
    is_identity,
    is_of_slopes,
    is_tainted,
    layers_by_letters,
    moving_names,
    opened_names,
    other_places,
)
from chainrule.teaching.marking.by_value.points import SPENT, Budget, Key, Meaning
from chainrule.teaching.marking.by_value.readers import Claim, Reader
from chainrule.teaching.marking.by_value.small_changes import small_changes
from chainrule.teaching.marking.by_value.statements import read
from chainrule.teaching.marking.by_value.terms import (
    Constant,
    Named,
    Term,
    every,
    letters_of,
)
from chainrule.teaching.marking.by_value.values import World
from chainrule.teaching.marking.first_order import without_conditions
from chainrule.teaching.marking.implied_sums import with_implied_sums
from chainrule.teaching.marking.posted_notation import in_plain_notation
from chainrule.teaching.marking.transcript import statements

FOR_NUMBERS = "right for numbers and not for matrices; say which of them the names are"
NOT_FOR_MATRICES = "right for numbers, and not for the matrices of this text"
POINTS = 3
POINTS_OF_KINKS = 12
"""The number of points where a function is zero on one side: each side has to be met."""

MOST_CHANGED = 3
"""The most readings in which changes of a claim are tried, those that prove others first."""

MOST_NAMES = 6
"""The most names of a claim that are tried as missing factors."""

_SURE = re.compile(r"\bsign\b|\bfactor (?:2|1/2) more|another number")
"""Changes of a sign or of a number."""

APART = 2e-3
"""The relative difference above which two values differ."""


def judged(reader: Reader, lines: Container[int] | None = None) -> list[Judged]:
    """Judge every claim of a text, or those of some lines."""
    reader.opened, reader.moving = opened_names(reader), moving_names(reader)
    everything = meanings(reader)
    ranks = _best_ranks(reader, everything)
    usable = [one for one in everything if any(one.ranks == rank for rank in ranks)]
    worlds: dict[tuple[int, int], World] = {}
    found: list[Judged] = []
    head: Term | None = None
    broken = False  # whether a sign of this chain of rows does not hold
    for claim in reader.claims:
        if not claim.starts:
            head, broken = claim.sides[0] if claim.sides else None, False
        first = 1 if claim.defines else 0
        pairs = len(claim.sides) - 1
        if pairs <= first or not (lines is None or claim.said.line in lines):
            continue
        verdict = _judge(reader, claim, usable, worlds)
        if verdict.verdict != "proven" and claim.other is not None:
            again = _judge(reader, claim.other, usable, worlds)
            nearer = bool(again.change) and not verdict.change
            verdict = verdict if again.verdict == "unproven" and not nearer else again
            if again.verdict == "unproven" and verdict.verdict == "wrong":
                verdict = again
        if verdict.verdict == "unproven":
            verdict = _pair_by_pair(reader, claim, verdict, usable, worlds)
        apart = broken or bool(claim.led)  # the row above it is wrong, or of another case
        if verdict.verdict == "wrong" and claim.starts and apart and head is not None:
            whole = replace(claim, sides=[head, *claim.sides[1:]])
            again = _judge(reader, whole, usable, worlds)
            verdict = again if again.verdict == "proven" else verdict
        if verdict.verdict == "proven" and (guessed := guessed_in(reader, claim)):
            why = f"{verdict.why}; with {guessed} for the function of each example on its left"
            verdict = replace(verdict, why=why)
        broken = broken or verdict.verdict == "wrong"
        if verdict.verdict == "unproven":
            reader.passage.unread |= introduced(reader, claim)
        if claim.defines and verdict.verdict != "proven" and isinstance(claim.sides[0], Named):
            reader.passage.unread.add(claim.sides[0].base)  # its two formulas do not agree
        found.append(verdict)
    return found


def _pair_by_pair(
    reader: Reader,
    claim: Claim,
    whole: Judged,
    usable: list[Meaning],
    worlds: dict[tuple[int, int], World],
) -> Judged:
    """Judge the equals signs of a claim one by one, and products of derivatives as chains."""
    start = 1 if claim.defines else 0
    pairs = list(enumerate(itertools.pairwise(claim.sides)))[start:]
    reason, usual = "", True
    for at, (left, right) in pairs:
        ratio = None
        if left is not None and right is not None:
            ratio = by_form(reader.passage, left, right)
        if ratio is None:
            if len(pairs) == 1:
                return whole
            part = replace(claim, sides=[left, right], defines=False)
            verdict = _judge(reader, part, usable, worlds)
            if verdict.verdict != "proven":
                return replace(verdict, sign=verdict.sign + at) if verdict.sign else verdict
            reason, usual = verdict.why, usual and verdict.usual
        elif ratio != 1.0:
            why = f"not equal: by the chain rule, the factor {ratio:g} does not belong here"
            return replace(whole, verdict="wrong", why=why, sign=at + 1, numbers=(1.0, ratio))
        else:
            reason = reason or "the chain rule, where each value depends on the next"
    return replace(whole, verdict="proven", why=reason, usual=usual) if reason else whole


def _world(
    reader: Reader, meaning: Meaning, number: int, seed: int, worlds: dict[tuple[int, int], World]
) -> World:
    place = (number, seed)
    if place not in worlds:
        world = World(reader.passage, meaning, seed, reader.budget)
        world.open, world.moving = reader.opened, reader.moving
        worlds[place] = world
    return worlds[place]


def _best_ranks(reader: Reader, everything: list[Meaning]) -> list[object]:
    """Return the ranks under which most of the text has values."""
    scores: list[tuple[int, int, object]] = []
    seen: list[object] = []
    counted: list[tuple[World, int]] = []
    share = reader.budget.left // 3
    budget = Budget(share)
    for meaning in everything:
        if meaning.ranks in seen or len(seen) >= MOST_RANKS * 3:
            continue
        seen.append(meaning.ranks)
        counts = []
        for change in ({}, {"rows": True}, {"lengths": True}, {"meet": "entries"}):
            changed = replace(meaning, **change)
            same = (count for world, count in counted if world.agrees(changed))
            count = next(same, None)
            if count is None:
                world = World(reader.passage, changed, 0, budget)
                world.open, world.moving, world.only_shapes = reader.opened, reader.moving, True
                count = _values(reader, world)
                counted.append((world, count))
            counts.append(count)
        if budget.is_spent:
            reader.hurried = True
            break
        strict, loose = max(counts[:3]), max(counts[2:])
        scores.append((strict * 2 + loose, sum(meaning.ranks.values()), meaning.ranks))
    reader.budget.left -= share - budget.left
    if not scores:
        return [everything[0].ranks]
    best = max(score for score, _, _ in scores)
    kept = [ranks for score, _, ranks in scores if score >= best]
    numbers = [ranks for ranks in kept[4:] if not any(ranks.values())]  # type: ignore[attr-defined]
    return kept[:4] + (numbers if not _OF_MATRICES.search(reader.passage.text) else [])


def _values(reader: Reader, world: World) -> int:
    """Return the number of sides of claims that have values."""
    count = 0
    for claim in reader.claims:
        world.order = claim.order
        for env in environments(reader, claim)[:1]:
            count += sum(side is not None and _has_value(world, side, env) for side in claim.sides)
    return count


def _has_value(world: World, side: Term, env: dict[str, int]) -> bool:
    try:
        world.value(side, env)
    except (NoValueError, ArithmeticError, ValueError, RecursionError, np.linalg.LinAlgError):
        return False
    return True


def _matrices(meaning: Meaning) -> dict[Key, int]:
    """Return the ranks of the names with capital letters."""
    return {key: rank for key, rank in meaning.ranks.items() if key[0][0].isupper()}


def _judge(
    reader: Reader, claim: Claim, usable: list[Meaning], worlds: dict[tuple[int, int], World]
) -> Judged:
    said = claim.said
    if any(side is None for side in claim.sides):
        return Judged(said.line, said.text, "unproven", f"not read: {claim.why}")
    if letter := bound_and_free(claim):
        why = f"the index {letter} is free on one side, and a sum runs over it on the other"
        return Judged(said.line, said.text, "unproven", why)
    outcomes: list[Outcome] = []
    slip: Outcome | None = None
    tried: list[World] = []
    general: object = None
    for number, meaning in enumerate(usable):
        if any(world.agrees(meaning) for world in tried):
            continue
        outcome = _under(reader, claim, meaning, number, worlds)
        outcome.number = number
        loosely = meaning.direct or "any" in (meaning.sigma, meaning.link)
        if not (outcome.loose and loosely):
            outcomes.append(outcome)
        tried.append(worlds[number, 1])
        if reader.budget.is_spent:
            return Judged(said.line, said.text, "unproven", SPENT)
        if outcome.refuted:
            here = [worlds[number, k] for k in range(1, POINTS + 1) if (number, k) in worlds]
            outcome.ratio = slip_of(reader, claim, outcome.sign, here)
            slip = slip or (outcome if outcome.ratio is not None else None)
        if outcome.refuted and not outcome.loose and not number:
            general = _matrices(meaning)
        if outcome.holds:
            reader.held.add(number)
            if general is not None and _matrices(meaning) != general:
                has_matrices = _OF_MATRICES.search(reader.passage.text) is not None
                why = NOT_FOR_MATRICES if has_matrices else FOR_NUMBERS
                return Judged(said.line, said.text, "unproven", why)
            why = (
                f"both sides agree at {_points(reader)} random points (float64, every size {SIZE})"
            )
            if meaning.note:
                why += f"; read with {meaning.note}"
            said_above = replace(meaning, symmetric=False, rows=meaning.rows != usable[0].rows)
            if meaning.labels in ("shares", "class") and LABELS.search(reader.passage.text):
                said_above = replace(said_above, labels="free")
            usual = said_above.note == "" and meaning.ranks == usable[0].ranks
            return Judged(said.line, said.text, "proven", why, usual=usual)
    if not claim.conditions and not speaks_of_all(claim):
        for condition in dict.fromkeys((*claim.nearby, *other_places(reader, claim))):
            again = _judge(reader, replace(claim, conditions=(condition,)), usable, worlds)
            if again.verdict == "proven":
                shown = f"{condition.left.text} {condition.sign} {condition.right.text}"
                return replace(again, why=f"{again.why}; for {shown}")
    if not claim.last and is_of_one_time(reader, claim):
        again = _judge(reader, replace(claim, last=True), usable, worlds)
        if again.verdict == "proven":
            return replace(again, why=f"{again.why}; at the last time")
    refuting = [one for one in outcomes if one.refuted]
    whole = bool(refuting) and not any(one.loose for one in outcomes)
    if refuting and is_of_time_before(reader, claim):
        return Judged(said.line, said.text, "unproven", ONE_PATH)
    change = said_of(slip.ratio) if slip is not None else ""
    change = change or _change(reader, claim, refuting, usable, worlds)
    if change and (one_term := of_one_term(reader, claim, change)):
        return Judged(said.line, said.text, "proven", one_term, usual=False)
    if SIZE_FACTOR.fullmatch(change) and has_open_gradients(reader):
        return Judged(said.line, said.text, "unproven", MEAN_OR_SUM)
    if _SURE.search(change) is not None:  # no property of an open function changes a sign
        whole = bool(refuting) and not any(one.loose and not one.opaque for one in outcomes)
    slopes = is_of_slopes(reader, claim)
    slopes = slopes and not (is_about_definition(reader, claim) or is_tainted(reader, claim))
    whole = whole and not (reader.hurried and not change)
    if whole and (slopes or is_identity(reader, claim, refuting[0].sign)):
        first = refuting[0]
        assert first.numbers is not None
        shown = f"not equal: {first.numbers[0]:.6g} against {first.numbers[1]:.6g}"
        shown += f"; right with {change}" if change else ", under every reading that was tried"
        return Judged(said.line, said.text, "wrong", shown,
                      first.sign, first.numbers, change=change)  # fmt: skip
    if slip is not None and not reader.hurried and not is_about_definition(reader, claim):
        assert slip.numbers is not None
        shown = f"not equal: {slip.numbers[0]:.6g} against {slip.numbers[1]:.6g}"
        why = f"{shown}; right with {said_of(slip.ratio)}"
        return Judged(said.line, said.text, "wrong", why, slip.sign, slip.numbers, change=change)
    why = next((one.why for one in outcomes if one.why), "")
    if refuting:
        why = REFUTED
    return Judged(said.line, said.text, "unproven", why or "this has no value here", change=change)


def _change(
    reader: Reader,
    claim: Claim,
    refuting: list[Outcome],
    usable: list[Meaning],
    worlds: dict[tuple[int, int], World],
) -> str:
    """Return the small change that makes a refuted claim right in a reading; empty for none."""
    held = reader.budget.left
    written = {node for term in reader.passage.terms for node in every(term)}
    first = sorted(refuting, key=lambda one: one.number not in reader.held)
    for outcome in first[:MOST_CHANGED]:
        left, right = claim.sides[outcome.sign - 1 : outcome.sign + 1]
        assert left is not None
        assert right is not None
        letters = sorted((letters_of(left) | letters_of(right)) & reader.passage.letters)
        both = (*every(left), *every(right))
        names = list(dict.fromkeys(node for node in both if isinstance(node, Named)))[:MOST_NAMES]
        sizes = sorted(reader.passage.sizes)[:1]
        if Constant(float(SIZE)) in every(right):
            sizes = []  # a 3 is not the number of examples, which is 3 here
        for said, changed in small_changes(right, letters, written, names, *sizes):
            reader.budget.left = min(reader.for_changes, held)
            again = replace(claim, sides=[left, changed], defines=False)
            right_now = _under(reader, again, usable[outcome.number], outcome.number, worlds).holds
            reader.for_changes -= min(reader.for_changes, held) - reader.budget.left
            reader.budget.left = held
            if right_now:
                return said
            if reader.for_changes <= 0:
                return ""
    return ""


def _points(reader: Reader) -> int:
    return POINTS_OF_KINKS if reader.passage.has_kinks else POINTS


def _under(
    reader: Reader,
    claim: Claim,
    meaning: Meaning,
    number: int,
    worlds: dict[tuple[int, int], World],
) -> Outcome:
    """Judge a claim under one reading."""
    outcome = Outcome()
    start = 1 if claim.defines else 0
    pairs = list(itertools.pairwise(claim.sides))[start:]
    places = environments(reader, claim)
    if not places:
        return Outcome(why="more free indices than are tried")
    differing = 0
    points = _points(reader)
    for seed in range(1, points + 1):
        world = _world(reader, meaning, number, seed, worlds)
        world.order, world.loose, world.spent = claim.order, False, 0
        try:
            found = _at_point(world, claim, pairs, places if seed == 1 else places[:4])
        except (NoValueError, ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
            return Outcome(why=str(error), loose=False)
        except RecursionError:
            return Outcome(why="a formula that is nested too deeply")
        outcome.loose = outcome.loose or world.loose
        outcome.opaque = outcome.opaque or world.opaque
        if found is None:
            if differing:
                return Outcome(loose=True)
            continue
        sign, left, right = found
        if abs(left - right) <= APART * max(abs(left), abs(right), 1e-3):
            return Outcome(loose=True)
        differing += 1
        outcome.sign, outcome.numbers = sign + start, (left, right)
        if differing >= 2:
            outcome.refuted = True
            return outcome
    outcome.holds = not differing and (not outcome.loose or world.opaque)
    vain = meaning.direct or outcome.loose or is_of_slopes(reader, claim)
    if outcome.holds and vain and is_nothing(world, pairs, places):
        return Outcome(loose=True)  # nothing that moves is reached, which proves nothing
    return outcome


def _at_point(
    world: World,
    claim: Claim,
    pairs: list[tuple[Term | None, Term | None]],
    environments: list[dict[str, int]],
) -> tuple[int, float, float] | None:
    """Return the first sign that does not hold at a point, with two numbers; None if all hold."""
    tried = 0
    for env in environments:
        for sign, (left, right) in enumerate(pairs, 1):
            assert left is not None
            assert right is not None
            one, other = world.value(left, env), world.value(right, env)
            tried += 1
            apart = difference(one, other)
            if apart is not None:
                return sign, *apart
    if not tried:
        raise NoValueError("no values of its indices are tried")
    return None


_OF_MATRICES = re.compile(
    r"\^\s*\{?\s*(?:T(?![a-z])|\\top|\\intercal)|[ᵀ⊤′]|\.T\b|\\math(?:bf|bb)|\\boldsymbol|\\vec|ℝ|\\odot|⊙"
    r"|\b(?:matri(?:x|ces)|vectors?|columns?|rows?|batch)\b|\\sum|∑|Σ",
    re.IGNORECASE,
)
"""Signs that the names of a text are no plain numbers."""

_LAYERS = re.compile(r"\^\s*\{?\s*[(\[]?\s*l(?![A-Za-z])")
_LAST_ABOVE = re.compile(r"\^\s*(?:L(?![A-Za-z])|\{\s*[(\[]?\s*L\s*[)\]]?\s*\})")
_GREEK_SHORT = re.compile(rf"(?<![A-Za-z\\])d({'|'.join(sorted(GREEK))})(?![A-Za-z])")
_ACCENT_SHORT = re.compile(r"(?<![A-Za-z\\])d([A-Za-z])(hat|bar|tilde)(?![A-Za-z])")
_LAST = re.compile(r"\[L(?=\s*[-+]\s*\d\s*\]|\])")


def by_value(text: str, lines: Container[int] | None = None) -> list[Judged]:
    """Judge the formulas of a text by values; empty where nothing is read.

    Parameters
    ----------
    text : str
    lines : container of int, optional
        The lines to be judged, by default all.
    """
    found, layered = _by_value(text, lines)
    if layered:  # z_j = h(\sum_i w_{ji} z_i): the letters i and j name two layers
        found = _either(found, _by_value(text, lines, by_letter=True)[0])
    if _LAYERS.search(text) is None or _LAST_ABOVE.search(text) is None:
        return found
    return _either(found, _by_value(text, lines, apart=True)[0])  # a layer l beside the last one, L


def _either(found: list[Judged], again: list[Judged]) -> list[Judged]:
    """Return judgements by the reading that proves more lines, and by the other where that does."""
    proven = [sum(one.verdict == "proven" for one in some) for some in (found, again)]
    first, second = (again, found) if proven[1] > proven[0] else (found, again)
    known = {(one.line, one.text): one for one in second if one.verdict == "proven"}
    return [
        known.get((one.line, one.text), one) if one.verdict == "unproven" or first is found else one
        for one in first
    ]


def _by_value(
    text: str, lines: Container[int] | None, *, apart: bool = False, by_letter: bool = False
) -> tuple[list[Judged], bool]:
    """Judge the formulas of a text; return whether letters of indices may name layers."""
    one_term = one_term_of(text)
    plain = in_plain_notation(text, layers_apart=apart)
    if _LAYERS.search(text) and not apart:
        plain = _LAST.sub("[l", plain)  # layer l of all, and no last one
    plain = _GREEK_SHORT.sub(r"d\\\1", _ACCENT_SHORT.sub(r"d\\\2{\1}", plain))
    text = with_cases_in_rows(plain)
    try:
        with np.errstate(all="ignore"):
            said = with_implied_sums(without_conditions(statements(text), text), text)
            reader = read(said, text, by_letter=by_letter)
            if reader is None:
                return [], False
            reader.one_term = one_term
            found = judged(reader, lines)
            again = not by_letter and not reader.budget.is_spent
            return found, again and layers_by_letters(reader)
    except RecursionError:  # definitions that lead to one another, or very deep formulas
        return [], False


__all__ = ["REFUTED", "Judged", "by_value"]
