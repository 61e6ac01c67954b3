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
from itertools import pairwise
from math import isclose

from chainrule.teaching.grading.line_verdicts import EXACT, RATIOS, Verdict
from chainrule.teaching.marking.by_value.claims import Judged
from chainrule.teaching.marking.transcript import equals_signs

_WEAK = ("wrong letter", "sum missing", "sum kept")
"""Mistakes that a line which was misread seems to have."""

_PROSE = re.compile(r"\\(?:text|mbox|operatorname)\w*\s*\{[^{}]*\}")
_COMMANDS = re.compile(
    r"\\(?:partial|[dt]?frac|sum|prod|log|ln|exp|tanh|max|min|nabla|left|right|[cl]dots?|times|odot"
    r"|circ|big\w*|math\w*|bold\w*|bm|vec|quad|qquad|top|begin|end|limits|mid|sqrt|in|tag)(?![A-Za-z])"
    r"|(?<![A-Za-z\\])(?:log|exp|tanh|sum|relu|sigmoid|max|Tr|tr)(?![A-Za-z])"
)
_NAME = re.compile(
    r"(\\(?:hat|bar|tilde|dot)\s*\{?\s*\\?[A-Za-z]+\s*\}?|\\[A-Za-z]+|[^\W\d_]\u0302?)"
    r"((?:\s*[_^]\s*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\w)|[₀-₉])*)"
)
_POWER = re.compile(r"\^\s*(?:\{\s*(?:T|-?\s*\d|-T|\\top)\s*\}|T|\\top|\d)")
_BRACED = re.compile(r"\{\s*(\\?[A-Za-z]+)\s*\}(?=\s*[_^])")
_SIGNS = re.compile(r"\\(?:sum|prod|log|ln|exp|odot|circ|otimes|nabla|det|max|min|int)\b|[|∇·!;]|'")
_OTHERWISE = "; right if "
"""What a verdict says of a line that a property of its matrices makes right."""

_TRANSPOSED = re.compile(r"\^\s*\{?\s*(?:T|-T|\\top|\\intercal)|ᵀ|\.T\b|'")
_KINK = re.compile(
    r"relu|max|\\mathbb\s*\{?\s*1|\\mathbf\s*\{?\s*1|[<>]|\\[lg]e|sign|sgn", re.IGNORECASE
)
"""Signs of a function that is zero on one side."""

LEAST = 3
"""The least number of names in a line that another line with the same names speaks for."""

_OF_FORMULAS = re.compile(r"[∂∇·²ᵀ₀-₉^]|\\[A-Za-z]")
"""Signs of mathematics in a row of a fence."""
_SHOWN = 60


@dataclass(frozen=True)
class Declared:
    """Shapes as a text gives them.

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
    confirmed: set[str] = set()
    for line in lines:
        if line.verdict == "proven":
            confirmed |= {*_names(line.text), *_signs(line.text), _variable(line.text)}
    kept = []
    for line in lines:
        code = line.line in declared.code and not _OF_FORMULAS.search(line.text)
        settled = not line.accused or code or declared.all_of_them
        settled = settled or _is_corroborated(line, changes.get(line.line, ""), confirmed)
        kept.append(line if settled else _held_back(line))
    return tuple(kept)


def _is_corroborated(line: Verdict, change: str, confirmed: Container[str]) -> bool:
    if _OTHERWISE in line.why and not _TRANSPOSED.search(line.text):
        return False
    if change:
        return True
    if any(not mistake.name.startswith(_WEAK) for mistake in line.mistakes):
        return True
    if _has_broken_link(line.text):
        return True
    if line.numbers is not None:
        left, right = line.numbers
        if min(abs(left), abs(right)) < EXACT and not _KINK.search(line.text):
            return False  # places that never meet: the line is read in another way than meant
        if any(isclose(left, ratio * right, rel_tol=EXACT) for ratio in RATIOS):
            return True
    here = _names(line.text)
    if line.verdict == "scope" or len(set(here)) < LEAST:
        return False
    variable, last = _variable(line.text), _last(line.text)
    names = (variable if one == last and one not in confirmed else one for one in here)
    return all(one in confirmed for one in (*names, *_signs(line.text)))


def _has_broken_link(text: str) -> bool:
    r"""Whether a product of derivatives has one factor that does not go on with the one before it.

    ``\partial L/\partial a \cdot \partial a/\partial V`` leads from L to V.
    """
    cuts = [-1, *equals_signs(text), len(text)]
    sides = [text[one + 1 : other] for one, other in pairwise(cuts)]
    ends = _LINKS.findall(sides[0])
    if len(ends) != 1:
        return False
    first, last = map(_joined, ends[0])
    for side in sides[1:]:
        links = [(_joined(of), _joined(by)) for of, by in _LINKS.findall(side)]
        if len(links) < 2 or _BETWEEN_LINKS.fullmatch(_LINKS.sub("", side)) is None:
            continue
        path = [(first, links[0][0]), *((one[1], two[0]) for one, two in pairwise(links))]
        path.append((links[-1][1], last))
        broken = [at for at, (one, other) in enumerate(path) if one != other]
        if 0 < len(broken) <= 2 < len(path) and broken[-1] - broken[0] == len(broken) - 1:
            return True
    return False


_LINKS = re.compile(
    r"\\[dt]?frac\s*\{\s*(?:\\partial|d)\s*((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})+)\}"
    r"\s*\{\s*(?:\\partial|d)\s*((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})+)\}"
)
_BETWEEN_LINKS = re.compile(r"(?:\\(?:cdot|times|,)|[\s$&.,;{}()])*")


def _joined(name: str) -> str:
    return "".join(name.split())


def _names(text: str) -> list[str]:
    """Return the names of a line, each with its indices; powers and transposes are left out."""
    plain = _COMMANDS.sub(" ", _POWER.sub(" ", _PROSE.sub(" ", text)))
    plain = _BRACED.sub(r"\1", plain)
    return ["".join(match[0].split()) for match in _NAME.finditer(plain)]


def _signs(text: str) -> list[str]:
    """Return the signs of a line that stand for functions and operations."""
    return _SIGNS.findall(_PROSE.sub(" ", text))


def _last(text: str) -> str:
    """Return the last name on the left side, such as the variable of a derivative."""
    cuts = equals_signs(text)
    found = _names(text[: cuts[0]]) if cuts else []
    return found[-1] if found else ""


def _variable(text: str) -> str:
    """Return how the variable of a derivative is written: ``*_{ij}`` for ``W_{ij}``."""
    last = _last(text)
    return re.sub(r"\A(?:\\[a-z]+\{\\?\w+\}|\\?[^\W\d_]+)", "*", last) if last else "*"


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
