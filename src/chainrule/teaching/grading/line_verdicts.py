"""The verdict on one line of a derivation, and the reasons for none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import isclose
from typing import Any

from chainrule.errors import ParseError, ScopeError, UndecidedError, UnmetError
from chainrule.teaching.marking.open_objective import uses_gradients
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs
from chainrule.teaching.marking.verdicts import NamedMistake

FOLLOWS = "follows"
UNMOVED = "a differential has a direction on its right, as in dX; for the gradient write ∇"
"""Why a line such as ``df = A^T (A X - B)`` is not judged."""

RESTATED = (
    "says of a part what the forward pass says of the whole; give both sides the same indices"
)
"""Why a definition that stands there once more in other shapes is not judged."""

OPEN = (
    "the objective is not defined in this text, and this does not hold for every objective; write "
    "its definition above"
)
"""Why a line about the gradient of an objective that stands nowhere is not judged."""

GOES_ON = "goes on with a line that was not read"
"""Why a line that begins with an equals sign is not judged."""

_DECLARE = re.compile(
    r"(?:or )?declare it: (\S+) : \(rows, columns\)|write (\S+) : \(rows, columns\) above"
)
_DEFINE = r"if it is a name of your own, say what it stands for on a line above: \1\2 = ..."


@dataclass(frozen=True)
class Verdict:
    """The verdict on one line.

    Parameters
    ----------
    line : int
        The line number, from 1.
    text : str
        The judged text.
    verdict : str
        ``proven``, ``wrong``, ``shape``, ``scope``, ``follows``, ``unproven`` or ``unreadable``.
    why : str
        The evidence or the reason.
    mistakes : tuple of NamedMistake
        The likely mistake; several where they cannot be told apart.
    right : str
        The right line, in short form.
    sign : int
        Which equals sign of the line is the first that does not hold, from 1; 0 when all do.
    alone : bool
        Whether it uses no gradient of another line.
    numbers : tuple of float
        The values of the two sides at one place, where they differ.
    """

    line: int
    text: str
    verdict: str
    why: str
    mistakes: tuple[NamedMistake, ...] = ()
    right: str = ""
    sign: int = 0
    alone: bool = False
    numbers: tuple[float, float] | None = None

    @property
    def mistake(self) -> str:
        """The likely mistake; names that cannot be told apart are joined by "or"."""
        return " or ".join(dict.fromkeys(mistake.name for mistake in self.mistakes))

    def data(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        return {
            "line": self.line,
            "text": self.text,
            "verdict": self.verdict,
            "why": self.why,
            "mistake": self.mistake or None,
            "right": self.right or None,
            "sign": self.sign,
        }

    @property
    def accused(self) -> bool:
        """Whether the line is called wrong."""
        return self.verdict in ("wrong", "shape", "scope")


def refused_line(said: TranscriptStatement, error: ParseError) -> Verdict:
    """Return the verdict on a line that was not read, or whose shapes or indices do not meet."""
    kinds = ((ScopeError, "scope"), (UnmetError, "shape"), (UndecidedError, "unproven"))
    verdict = next((name for kind, name in kinds if isinstance(error, kind)), "unreadable")
    message = _DECLARE.sub(_DEFINE, error.message)
    place = ParseError(message, line=error.line, column=error.column, source=error.source)
    why = message if verdict != "unreadable" else str(place)
    return Verdict(said.line, said.text, verdict, why, sign=int(verdict != "unreadable"))


def in_own_function(
    said: TranscriptStatement, verdict: Verdict, knows: Callable[[str], bool]
) -> Verdict:
    """Return the verdict on a line of code; one about parameters of a function is not judged."""
    own = sorted(name for name in said.parameters if name and not knows(name))
    if verdict.verdict != "unreadable" or not own:
        return verdict
    why = (
        f"in a function whose parameters ({', '.join(own)}) the forward pass does not have; "
        "write the line with values of the forward pass"
    )
    return replace(verdict, verdict="unproven", why=why)


SLIPS = ("sign", "a constant factor", "transpose", "operands swapped", "elementwise where")
"""The beginnings of the names of mistakes that a line has for every objective."""


RATIOS = (-1.0, 2.0, 0.5, -2.0, -0.5)
"""The ratios of a right value to one with another sign, or a factor of two."""

EXACT = 1e-9


def is_slip(
    said: TranscriptStatement, verdict: Verdict, objective: str, of_gradients: Iterable[str]
) -> bool:
    """Whether a line gives a gradient through others, and is right with one sign or one factor.

    Such a line holds for any objective: the chain rule settles it.

    Parameters
    ----------
    said : TranscriptStatement
        The line.
    verdict : Verdict
        The verdict on it.
    objective : str
        The name of the objective.
    of_gradients : iterable of str
        The names that the author gave to gradients.
    """
    right = said.text[equals_signs(said.text)[0] + 1 :]
    names = (rf"(?<![A-Za-z\\]){re.escape(name)}(?![A-Za-z])" for name in of_gradients)
    named = any(re.search(name, right) for name in names)
    if not (named or uses_gradients(right, objective)):
        return False
    if verdict.numbers is not None and verdict.verdict == "wrong":
        left, right_value = verdict.numbers
        if any(isclose(left, ratio * right_value, rel_tol=EXACT) for ratio in RATIOS):
            return True
    return any(mistake.name.startswith(SLIPS) for mistake in verdict.mistakes)
