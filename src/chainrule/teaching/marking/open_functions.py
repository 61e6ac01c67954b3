r"""Activations that a text leaves open: the g of ``A = g(Z)``, which no line defines.

What is right for a function that has no property in common with others is right for every function.
A line that is wrong for it may still be right for the function that the author thinks of; so the
usual activations are tried where a line is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chainrule.calculus.graph.model import Function
from chainrule.language.reading.tokens import Line
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

GENERAL = "general"
ACTIVATIONS = (GENERAL, "sigmoid", "tanh", "relu")
"""The function in general, and the usual ones."""

_GENERAL_BODY = "argument / 4 + tanh(argument + 1/3) / 2"
"""A smooth function that is not odd, and of small values: a softmax behind it stays off 0 and 1."""
_NAME = r"(?:\\(?:var)?(?:phi|psi)|[fgh])(?:_\{?\d\}?)?"
_APPLIED = re.compile(
    rf"(?<![A-Za-z\\_^}}])(?P<name>{_NAME})\s*\(\s*\\?(?:[A-Za-z]|(?:mathbf|boldsymbol|bm|vec)\s*\{{)"
)


def open_functions(said: Sequence[TranscriptStatement], activation: str = GENERAL) -> list[Line]:
    """Return a definition for each function that definitions apply and no line defines.

    Parameters
    ----------
    said : sequence of TranscriptStatement
        The statements of a text.
    activation : str
        Which function it is taken for, one of ``ACTIVATIONS``.
    """
    found: dict[str, Line] = {}
    for statement in said:
        cuts = equals_signs(statement.text)
        if statement.code or not cuts or statement.continues:
            continue
        for match in _APPLIED.finditer(statement.text, cuts[0]):
            name = match["name"]
            if name not in found and _is_open(name, said):
                body = _GENERAL_BODY if activation == GENERAL else f"{activation}(argument)"
                found[name] = Line(f"{name}(argument) = {body}", statement.line)
    return list(found.values())


def is_general(function: Function) -> bool:
    """Whether a function of a forward pass stands for an activation that is left open."""
    return function.text.endswith(_GENERAL_BODY)


def _is_open(name: str, said: Sequence[TranscriptStatement]) -> bool:
    """Whether a name is only ever applied, and stands on no left side."""
    alone = re.compile(rf"(?<![A-Za-z\\]){re.escape(name)}(?![A-Za-z])(?!\s*'*\s*\()")
    defined = re.compile(rf"\s*{re.escape(name)}\s*'*\s*\([^()=]*\)\s*&?=")
    return not any(alone.search(one.text) or defined.match(one.text) for one in said)


__all__ = ["ACTIVATIONS", "GENERAL", "is_general", "open_functions"]
