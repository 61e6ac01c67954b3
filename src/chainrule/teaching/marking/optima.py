r"""Solutions of first-order conditions, put into the condition that they solve.

``w = (X^T X)^{-1} X^T y`` below ``X^T (X w - y) = 0`` is right where the condition holds with it:
``X^T (X ((X^T X)^{-1} X^T y) - y) = 0``. Only what stands in names of the condition is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chainrule.teaching.marking.first_order import (
    is_solved_in,
    is_zero,
    name_without_marks,
    variables_of,
)
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_NAMES = re.compile(r"\\?[A-Za-z]+")
_COMMANDS = (
    r"frac|dfrac|tfrac|sum|limits|top|cdot|left|right|hat|sqrt|mathbf|boldsymbol|bm|vec|odot|text"
)
_NO_NAMES = frozenset(f"\\{word}" for word in _COMMANDS.split("|")) | frozenset("ijklmnrtTI")
"""What stands for no value: layout, the identity, letters of indices."""

_SLOPES = re.compile(r"∂|\\partial|∇|\\nabla|\\prod|\\int|\\lambda\s*=")


@dataclass(frozen=True)
class Solution:
    """A solution in the condition that it solves.

    Parameters
    ----------
    line : int
        The line of the solution.
    text : str
        The solution as it stands.
    condition : int
        The line of the condition.
    equation : str
        The condition with the solution in place of the variable.
    """

    line: int
    text: str
    condition: int
    equation: str


def solutions(said: Iterable[TranscriptStatement], text: str) -> Iterator[Solution]:
    """Yield the solutions of a transcript that can be put into a condition above them.

    A gradient is a condition, too, where the text says that it is set to zero.
    """
    said, rows = [one for one in said if not one.code], text.split("\n")
    variables = variables_of(said)
    conditions: list[tuple[int, str]] = []
    gradients: dict[str, tuple[int, str]] = {}
    last = by = ""
    for statement in said:
        cuts = equals_signs(statement.text)
        sides = [statement.text[a:b].strip(" $&.,;") for a, b in statement.sides()]
        if not cuts:
            continue
        by = next(iter(variables_of([statement])), "") if not statement.continues else by
        if is_zero(sides[-1]):
            side = sides[-2] or last
            if by and _SLOPES.search(side) is None:
                gradients[by] = (statement.line, side)
            if _SLOPES.search(side) is None:
                conditions.append((statement.line, side))
            last = ""
            continue
        last = sides[-1]
        if by and _SLOPES.search(last) is None:
            gradients[by] = (statement.line, last)
        name = name_without_marks(sides[0])
        if len(sides) != 2 or name not in variables:
            continue
        known = list(conditions)
        if name in gradients and is_solved_in(rows[gradients[name][0] - 1 : statement.line]):
            known.append(gradients[name])
        for line, condition in reversed(known):
            equation = _with(condition, name, sides[1])
            if equation:
                yield Solution(statement.line, statement.text, line, equation)
                break


def _with(condition: str, name: str, value: str) -> str:
    """Return a condition with a value in place of a variable; empty where that is not clear."""
    plain = name_without_marks(condition, spaced=True)
    value = name_without_marks(value, spaced=True)
    base = re.match(r"\\?[A-Za-z]+", name)
    if base is None or _SLOPES.search(value) or "=" in re.sub(r"_\{[^{}]*\}", "", value):
        return ""
    index = "".join(
        rf"\s*{re.escape(one)}" if one not in "{}" else r"\s*\{?\}?\s*"
        for one in re.sub(r"[{}]", "", name[base.end() :])
    )
    word = r"(?P<command>\\[A-Za-z]+)|" if "\\" in plain else r"(?<![A-Za-z])"
    after = r"(?![A-Za-z])" if base[0].startswith("\\") or "\\" not in plain else ""
    letters = re.escape(base[0])
    variable = re.compile(
        rf"{letters}(?![A-Za-z]){index}\}}?"
        if base[0].startswith("\\")
        else rf"{word}(?P<own>{letters}{after}{index}\}}?)"
    )
    put = variable.sub(lambda match: _in_place(match, value), plain)
    if put == plain:
        return ""
    rest = put.replace(f"({value})", " ")
    if base[0] in _letters(rest):
        return ""  # a power of the variable, or another of its entries
    own = {base[0], *_NO_NAMES}
    if re.search(rf"(?<![A-Za-z\\]){re.escape(base[0])}(?![A-Za-z])", rest):
        return ""  # a power of the variable, or another of its entries
    if not _letters(value) - own <= _letters(plain):
        return ""
    if not _indexed(value) <= _indexed(plain):
        return ""  # n_{i+} is no entry of the n_{ij}
    return f"{put} = 0"


def _in_place(match: re.Match[str], value: str) -> str:
    if match.groupdict().get("command"):
        return match[0]
    opened, closed = match[0].count("{"), match[0].count("}")
    return f"({value})" + "}" * (closed - opened)


def _letters(text: str) -> set[str]:
    """Return the names of a formula; letters that stand together are a product."""
    found: set[str] = set()
    for word in _NAMES.findall(text):
        found |= {word} if word.startswith("\\") else set(word)
    return found - _NO_NAMES


def _indexed(text: str) -> set[str]:
    """Return the names of a formula with what stands below them, where letters are all alike."""
    below = re.finditer(r"(\\?[A-Za-z]+)\s*_\s*(?:\{([^{}]*)\}|(\w))", text)
    found = {f"{m[1]}_{re.sub(r'[a-z]', '*', m[2] or m[3])}" for m in below}
    return {one for one in found if not one.startswith(("\\sum", "\\prod"))}


__all__ = ["Solution", "solutions"]
