"""Kinds of statements in a derivation: conditions of an optimum, gradients of inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.language.answers import Lexicon, spelled
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_ASKS = re.compile(r"∂|∇|\\partial|\\nabla|\\frac|/\s*d")
_ZERO = re.compile(r"=\s*\$?(?:0|\\mathbf\s*\{?0\}?|\\vec\s*\{?0\}?)\$?\s*")


def is_condition(said: TranscriptStatement, model: Model, local: Mapping[str, Symbol]) -> bool:
    """Whether an equation asks for the optimum, and claims nothing: ``X^T (X w - y) = 0``.

    Parameters
    ----------
    said : TranscriptStatement
        The equation.
    model : Model
        The forward pass.
    local : mapping of str to Symbol
        The names that the text introduced below it.
    """
    cuts = equals_signs(said.text)
    left = said.text[: cuts[0]]
    if _ZERO.fullmatch(said.text, cuts[-1]) is not None and not said.continues:
        return not _ASKS.search(left) and not re.match(r"\s*d\w+\s*$", left)
    try:
        known = Lexicon(model, local).find(spelled(left))
    except ValueError:
        return False
    # w = (X^T X)^-1 X^T y is the solution of an equation
    return known is not None and known.is_whole and known.symbol in model.inputs


def is_gradient(text: str, model: Model) -> bool:
    """Whether a line gives ``dW`` for an input; the differential of an input is arbitrary."""
    left = text[: (equals_signs(text) or [0])[0]].strip()
    return left[:1] == "d" and is_input(model, left[1:])


def is_input(model: Model, name: str) -> bool:
    """Whether a name is one of an input of a forward pass."""
    try:
        found = Lexicon(model).find(spelled(name))
    except ValueError:
        return False
    return found is not None and found.symbol in model.inputs


__all__ = ["is_condition", "is_gradient", "is_input"]
