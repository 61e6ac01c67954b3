r"""Accusations that something beside one reading speaks for.

A line that is false as it is read may be wrong, or be written in a notation that is not known. It
is called wrong only where something corroborates that: every shape is declared in the text; one
small change makes the line right in the same reading; or another line with the same names is right
in it. Else it is said what was read, and nobody is accused.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from math import isclose

from chainrule.teaching.grading.line_verdicts import EXACT, RATIOS, Verdict
from chainrule.teaching.marking.by_value.claims import Judged
from chainrule.teaching.marking.transcript import equals_signs
from chainrule.teaching.marking.unread_names import names_in

_WEAK = ("wrong letter", "sum missing", "sum kept")
"""Mistakes that a line which was misread seems to have."""

_ZERO = re.compile(r"[=&\s{$]0(?![.\d])")
_WORDS = re.compile(r"\\?(?:partial|frac|sum|log|exp|nabla|left|right|cdot|text\w*|math\w*)\b")
_SHOWN = 60


@dataclass(frozen=True)
class Declared:
    """What a text says of its shapes.

    Parameters
    ----------
    all_of_them : bool
        Whether every input of its forward pass has a declared shape.
    code : container of int
        The lines of code, which are judged by other means.
    """

    all_of_them: bool = False
    code: Container[int] = frozenset()


def guarded(
    lines: Sequence[Verdict], values: Iterable[Judged], declared: Declared
) -> tuple[Verdict, ...]:
    """Return verdicts without the accusations that nothing corroborates.

    Parameters
    ----------
    lines : sequence of Verdict
        The verdicts on the lines of a text.
    values : iterable of Judged
        The judgements of the same lines by values.
    declared : Declared
    """
    changes: dict[int, str] = {}
    for judged in values:
        if judged.change:
            changes.setdefault(judged.line, judged.change)
    confirmed = [_names(line.text) for line in lines if line.verdict == "proven"]
    kept = []
    for line in lines:
        if not line.accused or line.line in declared.code or declared.all_of_them:
            kept.append(line)
        elif _is_corroborated(line, changes.get(line.line, ""), confirmed):
            kept.append(line)
        else:
            kept.append(_held_back(line))
    return tuple(kept)


def _is_corroborated(line: Verdict, change: str, confirmed: Sequence[frozenset[str]]) -> bool:
    if change:
        return True
    if line.numbers is not None:
        left, right = line.numbers
        if any(isclose(left, ratio * right, rel_tol=EXACT) for ratio in RATIOS) and left:
            return True
        if min(abs(left), abs(right)) < EXACT and not _ZERO.search(line.text):
            return False  # an index that meets no other: it is read in another way than meant
    if any(not mistake.name.startswith(_WEAK) for mistake in line.mistakes):
        return True
    if line.verdict != "wrong":
        return False
    here = _names(line.text)
    return any(here <= names for names in confirmed)


def _names(text: str) -> frozenset[str]:
    """Return the names of a line, each with its indices."""
    return frozenset(names_in(_WORDS.sub(" ", text)))


def _held_back(line: Verdict) -> Verdict:
    """Return a verdict that says what a line was read as, in place of an accusation."""
    cuts = equals_signs(line.text)
    sign = cuts[min(line.sign, len(cuts)) - 1] if cuts else 0
    shown = line.text[sign + 1 :].strip() or line.text.strip()
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]} ..."
    found, _, _ = line.why.partition(", under every reading")
    why = (
        f"not equal as it is read here ({found}; read as {shown}), and no small change of it is; "
        "declare the shapes of its names, such as x : (n, 1), to have it judged"
    )
    return replace(line, verdict="unproven", why=why, mistakes=(), right="", sign=0)


__all__ = ["Declared", "guarded"]
