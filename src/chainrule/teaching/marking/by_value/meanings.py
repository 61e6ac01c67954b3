"""The plausible readings of a posted text: ranks of names, layouts, conventions of products."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from chainrule.teaching.marking.by_value.passage import Passage, gradients
from chainrule.teaching.marking.by_value.points import Key, Meaning
from chainrule.teaching.marking.by_value.readers import Reader
from chainrule.teaching.marking.by_value.vector_evidence import columns, rows

MOST_RANKS = 12
_OFTEN_VECTORS = frozenset({"beta", "theta", "omega", "mu", "xi", "epsilon"})
"""Greek letters that are vectors as often as numbers."""


_SOFTLY = re.compile(
    r"\\sigma.{0,60}softmax|softmax.{0,60}\\sigma|\\sigma\s?\([^()]*\)\s?_",
    re.IGNORECASE | re.DOTALL,
)


def meanings(reader: Reader) -> list[Meaning]:
    """Return the plausible readings of a text, the most general first."""
    passage = reader.passage
    text = passage.text
    base = [Meaning(ranks=ranks) for ranks in _ranks(passage)]
    lower = text.lower()
    softly = _SOFTLY.search(text) is not None and "sigmoid" not in lower
    sigma = "softmax" if softly else "sigmoid"
    flat = bool(rows(passage)) and not columns(passage)
    base = [replace(one, sigma=sigma, rows=flat) for one in base]
    symmetric = re.search(r"symmetric|covariance|\\Sigma(?![A-Za-z])(?!_)", text) is not None
    changes: list[dict[str, object]] = [{}]
    if re.search(r"\{\s*\\?[-{]*\s*-\s*1\s*,\s*\+?1|\\pm\s*1", text):
        changes.append({"labels": "signs"})
    if re.search(r"\{\s*0\s*,\s*1\s*\\?\}", text):
        changes.append({"labels": "bits"})
    shares = re.search(
        r"one.?hot|softmax|cross.?entropy|probabilit|distribution|sum(?:s)? to (?:one|1)"
        r"|\\sum_\{?\w\}?\s*[yt]_\{?\w\}?\s*=\s*1|e\^\{?\w_",
        lower,
    )
    if shares:
        changes += [{"labels": "shares"}, {"labels": "class"}]
    if symmetric:
        changes.insert(0, {"symmetric": True})
    if _SQUARED_DIFFERENCE.search(text) is not None:
        changes.append({"lengths": True})
    if passage.alone:
        changes.append({"apart": True})
    changes += [
        {"meet": "entries"},
        {"meet": "inner"},
        {"layout": "gradient"},
        {"layout": "jacobian"},
        {"rows": not flat},
        {"rows": not flat, "labels": "shares"},
        {"direct": True},
        {"columns": True},
        {"meet": "entries", "direct": True},
        {"meet": "inner", "layout": "jacobian"},
        {"sigma": "sigmoid" if sigma == "softmax" else "softmax"},
        {"link": "softmax"},
        {"link": "softmax", "labels": "shares"},
        {"link": "any"},
        {"sigma": "any"},
    ]
    if shares:
        changes += [
            {"labels": "shares", "layout": "gradient"},
            {"labels": "shares", "meet": "entries"},
            {"labels": "shares", "meet": "inner"},
        ]
    return [replace(one, **change) for change in changes for one in base]  # type: ignore[arg-type]


_SQUARED_DIFFERENCE = re.compile(r"-[^()$\n]{1,60}\)\s*\^\s*\{?\s*2")


def _ranks(passage: Passage) -> list[dict[Key, int]]:
    """Return the plausible ranks of the names that are not defined, the highest first."""
    certain: dict[Key, int] = {}
    options: list[tuple[Key, tuple[int, ...]]] = []
    numbers = passage.numbers()
    moved = {name.base for names in gradients(passage.terms).values() for name in names}
    for key, (rank, sure) in passage.evidence().items():
        base = key[0]
        if base in passage.sizes or base in passage.functions:
            continue
        if base in passage.definitions and any(
            passage.key(one.name) == key for one in passage.definitions[base]
        ):
            if passage.recurs(base):  # where the recurrence begins, its value is free
                certain[key] = rank
                if not (sure and rank > 1):
                    options.append((key, (rank, rank + 1)))
            continue
        indexed = base in passage.running
        if sure or rank >= 2 or base in numbers:
            certain[key] = rank
        elif indexed:
            certain[key] = rank
            if not any(letter in base for letter in ("alpha", "lambda", "eta")) and len(base) == 1:
                options.append((key, (rank, rank + 1)))
        elif base[0].isupper() and len(base) == 1:
            options.append((key, (2, 1, 0) if base in moved and len(moved) == 1 else (2, 0)))
        elif (len(base) == 1 and base.isalpha()) or base.partition(".")[0] in _OFTEN_VECTORS:
            options.append((key, (0, 1)))
        else:
            certain[key] = rank
    if len(options) > 5:
        options.sort(key=lambda one: not one[0][0][0].isupper())
        grouped = _grouped(options)
    else:
        grouped = list(itertools.product(*(choice for _, choice in options)))
    keys = [key for key, _ in options]
    found = [{**certain, **dict(zip(keys, chosen, strict=True))} for chosen in grouped]
    vectors = (columns(passage) | rows(passage)) & {key for key, _ in options}
    found = [ranks for ranks in found if not _is_mixed(ranks, options, vectors)] or found
    several = {key for key, choice in options if choice[1] > choice[0] >= 1}
    several -= vectors
    found.sort(
        key=lambda ranks: sum(rank if key in several else -rank for key, rank in ranks.items())
    )
    return found[: MOST_RANKS * 3] if found else [certain]


def _is_mixed(
    ranks: Mapping[Key, int], options: Sequence[tuple[Key, tuple[int, ...]]], vectors: Set[Key]
) -> bool:
    """Whether a reading multiplies matrices with numbers that stand where columns do."""
    has_matrices = any(key[0].isupper() and ranks[key] > 1 for key, _ in options)
    return has_matrices and any(
        key in vectors and ranks[key] < max(choice) for key, choice in options
    )


def _grouped(options: list[tuple[Key, tuple[int, ...]]]) -> list[tuple[int, ...]]:
    """Return choices where names of one kind are chosen together."""
    kinds = [0 if key[0][0].isupper() else (1 if key[0] in "xwvuzh" else 2) for key, _ in options]
    return [
        tuple(choice[-pick[kind]] for kind, (_, choice) in zip(kinds, options, strict=True))
        for pick in itertools.product((0, 1), repeat=3)
    ]
