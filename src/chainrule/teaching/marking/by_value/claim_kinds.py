"""Kinds of claims: of all cases, with an index both free and bound, at one time."""

from __future__ import annotations

import itertools
import re

from chainrule.teaching.marking.by_value.readers import Claim, Reader
from chainrule.teaching.marking.by_value.terms import (
    Called,
    Cases,
    Index,
    Named,
    Over,
    Slope,
    every,
    letters_of,
)

ONE_PATH = (
    "not right along all paths from this time to the objective, and it may be meant along one of "
    "them; say which values are held fixed"
)
LABELS = re.compile(
    r"one-?\s?hot|sums? to (?:\$\s*)?(?:1|one)\b|probability (?:vector|distribution)"
    r"|\\sum_\{?([a-z])\}?\s*[ty]_\{?\1\}?\s*=\s*1\b",
    re.IGNORECASE,
)
"""Words and formulas by which labels sum to 1."""

REFUTED = "does not hold as it is read here; what it depends on is not defined in this text"
SIZE_FACTOR = re.compile(r"the factor (?:1/)?[a-zA-Z] more")
MEAN_OR_SUM = (
    "right as the gradient of a sum or of a mean over the examples, by convention; define the "
    "objective to have it judged"
)
_TELLING = ("kronecker", "indicator")


def speaks_of_all(claim: Claim) -> bool:
    """Whether a claim itself says what holds where two indices are the same, and elsewhere."""
    nodes = (node for side in claim.sides if side is not None for node in every(side))
    return any(
        isinstance(node, Cases) or (isinstance(node, Called) and node.function in _TELLING)
        for node in nodes
    )


def bound_and_free(claim: Claim) -> str:
    """Return an index that is free on one side and only bound on the next; empty for none."""
    first = 1 if claim.defines else 0
    for one, other in list(itertools.pairwise(claim.sides))[first:]:
        for side, beside in ((one, other), (other, one)):
            if side is None or beside is None:
                continue
            bound = {x for node in every(beside) if isinstance(node, Over) for x in node.letters}
            found = bound & letters_of(side) - letters_of(beside)
            if found:
                return min(found)
    return ""


def has_open_gradients(reader: Reader) -> bool:
    """Whether names such as ``dW`` are gradients of an objective that the text does not define."""
    objective = reader.passage.objective
    return objective is not None and objective.base not in reader.passage.definitions


def is_of_one_time(reader: Reader, claim: Claim) -> bool:
    """Whether a claim is about one time of a recurrence, and names no time after it."""
    nodes = [node for side in claim.sides if side is not None for node in every(side)]
    times = [n for n in nodes if isinstance(n, Index) and n.text in reader.passage.rounds]
    return bool(times) and all(index.offset <= 0 for index in times)


def is_of_time_before(reader: Reader, claim: Claim) -> bool:
    """Whether a claim gives a gradient one time before: along one path, or all of them."""
    left = claim.sides[0]
    return (
        isinstance(left, Slope)
        and isinstance(left.of, Named)
        and left.of.base in reader.opened
        and any(
            i.offset < 0 and i.text in reader.passage.rounds for n in left.wrt for i in n.places
        )
    )


_BARE_SUM = re.compile(r"\\sum(?![A-Za-z])(?!\s*(?:_|\\limits|\\nolimits|\^))")
_ONE_BY_ONE = re.compile(
    r"stochastic|(?<![A-Za-z])SGD(?![A-Za-z])|one (?:example|sample|rating) at a time"
    r"|随机梯度|확률적",
    re.IGNORECASE,
)
_SUM = re.compile(r"a sum over (?P<letter>[a-z])")


def one_term_of(text: str) -> str:
    """Return why a gradient may be that of one term of the objective; empty where none is meant.

    Parameters
    ----------
    text : str
        The text as posted.
    """
    if _BARE_SUM.search(text) is not None:
        return "right for one term of the sum, whose index this text leaves out"
    if _ONE_BY_ONE.search(text) is not None:
        return "right for one term of the sum, as stochastic gradient descent takes it"
    return ""


def of_one_term(reader: Reader, claim: Claim, change: str) -> str:
    r"""Return that a claim is right for one term of a sum, where that may be meant; else nothing.

    Parameters
    ----------
    reader : Reader
        The text.
    claim : Claim
        A claim about the gradient of its objective.
    change : str
        The change that makes it right.
    """
    summed = _SUM.fullmatch(change)
    left = claim.sides[0]
    if summed is None or not isinstance(left, Slope) or not isinstance(left.of, Named):
        return ""
    letter = summed["letter"]
    if letter in reader.passage.rounds and left.of.base in reader.opened:
        return f"right for what the time {letter} adds; the whole gradient is its sum over {letter}"
    return reader.one_term


__all__ = [
    "LABELS",
    "bound_and_free",
    "has_open_gradients",
    "is_of_one_time",
    "is_of_time_before",
    "of_one_term",
    "one_term_of",
    "speaks_of_all",
]
