r"""An objective written as a function: ``J(w, b)``, ``∇J(w)``, ``J'(w)``; slopes of layers.

The arguments of an objective say what it depends on, which the forward pass says too. They are
removed; a gradient or a prime takes its variable from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from chainrule.language.answers import spelled

_OF_NOTHING = re.compile(r"^(\s*(?:∇|\\nabla)\s*_\s*(?:\{[^{}]*\}|\\?\w))\s*=(?!=)")
"""A gradient of nothing, ``∇_w = ...``, which is that of the objective."""

IsInput = Callable[[str], bool]
"""Whether a text is the name of an input of the forward pass."""

_NAME = r"(?:\\mathcal\s*\{\s*[A-Za-z]\s*\}|\\ell\b|ℓ|[A-Za-z]\w*)"
_ARGUMENTS = r"\s*(?:\\left\s*)?\(\s*([^()=]*?)\s*(?:\\right\s*)?\)"
SCRIPT_L = re.compile(r"\\ell\b|ℓ|\\mathcal\s*\{\s*L\s*\}")
"""The letter for a likelihood or a loss that forward passes write as l or L."""

_NABLA = re.compile(rf"(?:∇|\\nabla\b)\s*({_NAME})(?:{_ARGUMENTS})?(?!\w)")
_PRIME = re.compile(rf"(?<![\w\\^_])({_NAME})\s*(?:'|′|\^\s*\{{?\s*\\prime\s*\}}?){_ARGUMENTS}")
_SECOND = re.compile(rf"(?<![\w\\^_])({_NAME})\s*(?:''|″|′′){_ARGUMENTS}")
_APPLIED = re.compile(rf"(?<![\w\\^_])([d∂]?)({_NAME}){_ARGUMENTS}")
_LAYER_SLOPE = re.compile(
    r"(?<![\w\\])([a-z]|\\sigma)\s*(?:\^\s*\{\s*\[\s*\w[^\]{}]*\]\s*(?:'|′|\\prime)\s*\}"
    r"|\^\s*\{?\s*\[\s*\w[^\]{}]*\]\s*\}?\s*(?:'|′)"
    r"|(?:'|′)\s*\^?\s*\{?\s*\[\s*\w[^\]{}]*\]\s*\}?"
    r"|\^\s*\{\s*(?:'|′|\\prime)\s*\[\s*\w[^\]{}]*\]\s*\})\s*(?=\()"
)
_RAISED_LAYER = re.compile(
    r"([A-Za-z]\w*)\s*\^\s*\{\s*(\[\s*[^\]{}]+\]\s*(?:\(\s*\w\s*\))?)\s*([23])\s*\}"
)


def in_plain_form(
    text: str, objective: str, is_input: IsInput, parameters: Sequence[str] = ()
) -> str:
    r"""Remove the arguments of an objective, and write its gradients with their variable.

    Parameters
    ----------
    text : str
        A line.
    objective : str
        The name of the objective.
    is_input : callable
        Tells the names of inputs.
    parameters : sequence of str
        The parameters; a lone ``∇J`` is with respect to the only one.

    >>> in_plain_form("∇J(w) = 2 w", "J", "w".__eq__)
    '∇_{w} J = 2 w'
    >>> in_plain_form(r"\frac{\partial J(w, b)}{\partial w} = w", "J", "wb".__contains__)
    '\\frac{\\partial J}{\\partial w} = w'
    """

    def is_objective(name: str) -> bool:
        try:
            return spelled(name) == spelled(objective)
        except ValueError:
            return False

    def arguments(given: str | None) -> list[str]:
        names = [part.strip() for part in re.split(r"[,;]", given or "") if part.strip()]
        return names if all(map(is_input, names)) else []

    def gradient(match: re.Match[str]) -> str:
        if not is_objective(match[1]):
            return match[0]
        names = arguments(match[2]) or list(parameters)
        if len(names) > 1 and not match[2]:
            names = [name for name in names if name[:1].islower() or name[:1] == "\\"]
        return f"∇_{{{names[0]}}} {match[1]}" if len(names) == 1 else match[0]

    def prime(match: re.Match[str]) -> str:
        names = arguments(match[2])
        return (
            f"d{match[1]}/d{names[0]}" if is_objective(match[1]) and len(names) == 1 else match[0]
        )

    def applied(match: re.Match[str]) -> str:
        known = is_objective(match[2]) and arguments(match[3])
        return f"{match[1]}{match[2]}" if known else match[0]

    def second(match: re.Match[str]) -> str:
        known = is_objective(match[1])
        return f"d^2{match[1]}/d{match[2]}^2" if known else match[0]

    text = _OF_NOTHING.sub(rf"\1 {objective} =".replace("\\", r"\\").replace(r"\\1", r"\1"), text)
    text = _SECOND.sub(second, text)
    text = _LAYER_SLOPE.sub(r"\1'", text)
    text = _RAISED_LAYER.sub(r"(\1^{\2})^\3", text)
    for pattern, change in ((_NABLA, gradient), (_PRIME, prime), (_APPLIED, applied)):
        text = pattern.sub(change, text)
    return text


def defined_name(target: str, is_input: IsInput) -> str:
    """Return the name in a definition of a function of inputs: J in ``J(w, b) = ...``."""
    match = re.fullmatch(rf"\s*({_NAME}){_ARGUMENTS}\s*", target)
    if match is None:
        return target
    names = [part.strip() for part in re.split(r"[,;]", match[2])]
    return match[1] if names and all(map(is_input, names)) else target
