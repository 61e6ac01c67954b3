r"""Update rules in formulas: ``w_j := w_j - \alpha \frac{\partial J}{\partial w_j}``.

A rule gives a parameter its next value and claims nothing of a derivative. One that writes its
gradient out behind a second equals sign does: both sides step by the same rate.
"""

from __future__ import annotations

import re
from itertools import pairwise

from chainrule.language.reading.bookkeeping import is_update

_NAME = (
    r"\\?[A-Za-z]+(?:\s*\{\s*\\?[A-Za-z]+\s*\})?"
    r"(?:\s*[_^]\s*(?:\{[^{}=]{1,12}\}|\[[^\[\]=]{1,5}\]|\w))*"
)
_RATE = r"(?:\\(?:alpha|eta|gamma|epsilon|varepsilon|mu|lambda|rho)(?![A-Za-z])|[αηγε]|lr\b)"
_STEP = re.compile(rf"[\s&]*(?P<name>{_NAME})\s*=\s*(?P=name)\s*[-+]\s*{_RATE}")
_SIDE = re.compile(
    rf"\s*(?P<name>{_NAME})\s*-\s*(?P<rate>{_RATE})\s*(?:\\cdot(?![A-Za-z])|\\times|\*|·)?\s*(?P<gradient>.+?)\s*"
)
_SLOPE = re.compile(r"\\partial(?![A-Za-z])|∂|\\nabla(?![A-Za-z])|∇")


def moves_parameter(text: str) -> bool:
    """Whether an equation gives a parameter its next value."""
    return is_update(text) or _STEP.match(text) is not None


def stated_gradient(text: str, cuts: list[int]) -> str:
    r"""Return ``∂J/∂w = ...`` for ``w = w - \alpha ∂J/∂w = w - \alpha (...)``; else nothing.

    Parameters
    ----------
    text : str
        An update rule.
    cuts : list of int
        The places of its equals signs.
    """
    ends = [*cuts[1:], len(text)]
    sides = [_SIDE.fullmatch(text[at + 1 : end]) for at, end in zip(cuts, ends, strict=True)]
    for one, other in pairwise(sides):
        if one is None or other is None or _SLOPE.search(one["gradient"]) is None:
            continue
        if _bare(one) == _bare(other):
            return f"{one['gradient']} = {other['gradient']}"
    return ""


def _bare(side: re.Match[str]) -> tuple[str, str]:
    return re.sub(r"[\s{}]", "", side["name"]), side["rate"]


__all__ = ["moves_parameter", "stated_gradient"]
