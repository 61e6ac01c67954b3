r"""Formulas that share a row and letters that share a product, set apart.

``S = QK^T \quad P = \sigma(S)`` is two equations; ``QK^T`` is a product where ``Q`` and ``K`` are
names of their own; ``\left.\frac{\partial L}{\partial h}\right|_{\text{direct}}`` is a derivative.
Every change stays on its row, so line numbers hold.
"""

from __future__ import annotations

import re

_SCRIPT = r"(?:[_^]\s*(?:\{[^{}]*\}|\\?\w))*"
_BETWEEN = re.compile(
    r"(?P<before>=[^=\n]*?[^=\s,;:&\\({])[ \t]*\\q?quad(?![A-Za-z])(?=\s*(?:\\q?quad\s*)?"
    rf"(?:[A-Z]{_SCRIPT}|[a-zA-Z][_^]\s*(?:\{{[^{{}}]*\}}|\w){_SCRIPT})\s*&?=(?!=))"
)
"""The space between two equations; a condition such as ``i = j`` is no equation."""

_PAIR = re.compile(r"(?<![A-Za-z\\{])(?P<one>[A-Z])(?P<other>[A-Z])(?![A-Za-z(])")
_OWN = (
    r"(?:\\partial\s*\{?\s*|(?:^|[$&,;]|\\quad)\s*)(?:\\(?:mathbf|boldsymbol|bm)\s*\{?\s*)?"
    r"NAME(?![A-Za-z])\s*\}?\s*(?:[_^}$=]|&=)"
)
_SLOPE_OF = re.compile(r"(?<![A-Za-z\\])(?P<name>\\(?:var)?(?:phi|psi)|[fgh])\s*'\s*\(")
"""A function with its slope, ``\\phi'(z)``: brackets behind it hold its argument."""

_OF_LAYER = (
    r"(?P<name>\\(?:var)?(?:phi|psi)|[fgh])(?P<prime>')?"
    r"\^\s*(?:\{\s*\[(?P<layer>\d)\]\s*(?P<after>'|\\prime)?\s*\}|\[(?P<bare>\d)\])(?P<behind>')?"
)

_ELL = re.compile(r"(?P<before>\^\s*\{?\s*[\[(]?\s*)\\ell(?![A-Za-z])")
"""A layer that is called ``\\ell``."""

_COLUMN = re.compile(
    r"(?P<name>(?<![A-Za-z\\])(?:\\delta|d?[A-Z]))"
    r"(?:\^\s*\{\s*(?P<layer>\[\w\])\s*\})?\s*_\s*\{\s*\(?\s*:\s*,\s*(?P<at>[a-z])\s*\)?\s*\}"
)
"""A column of a batch, ``A_{:,k}``: the values of one example."""

_OF_PARAMETERS = re.compile(
    r"(?P<name>\\(?:mu|sigma|eta|alpha|beta|lambda))_\s*\{?\s*(?P<low>\\(?:theta|phi|psi|omega)|[wW])\s*\}?"
    r"\s*\(\s*(?P<at>\\?[a-z]+(?:_(?:\w|\{[^{}]*\}))?)\s*\)"
)
"""A value by its parameters and a state: ``\\mu_\\theta(s)``."""

_AT = re.compile(
    r"\\left\s*\.\s*(?P<of>\\frac\s*\{(?:[^{}]|\{[^{}]*\})*\}\s*\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})"
    r"\s*\\right\s*\|\s*_\s*\{\s*(?:\\(?:text|mathrm)\s*\{[^{}]*\}|[^{}=\\]*)\s*\}"
)
"""A derivative with words behind a bar; one at a place, ``x = 0``, is another number."""


def with_rows_apart(text: str) -> str:
    r"""Return a text in LaTeX with commas between its equations and spaces between its letters.

    >>> with_rows_apart(r"$S = QK^T \quad P = f(S)$, $\frac{\partial L}{\partial Q}$, $K = I$")
    '$S = Q K^T, \\quad P = f(S)$, $\\frac{\\partial L}{\\partial Q}$, $K = I$'
    """
    text = _with_layers_below(_ELL.sub(r"\g<before>l", text))
    text = _COLUMN.sub(r"\g<name>^{\g<layer>(\g<at>)}", text)
    text = _BETWEEN.sub(r"\g<before>, \\quad", _AT.sub(r"\g<of>", text))
    text = _with_parameters_as_arguments(text)
    for name in {match["name"] for match in _SLOPE_OF.finditer(text)}:
        text = re.sub(rf"(?<![A-Za-z\\]){re.escape(name)}[ ]+(?=\()", lambda _, n=name: n, text)  # type: ignore[misc]
    return _PAIR.sub(lambda match: _apart(match, text), text)


def _with_layers_below(text: str) -> str:
    r"""Write ``g^{[1]}(z)`` as ``g_{1}(z)``, where the text only ever applies such functions."""
    if re.search(rf"(?<![A-Za-z\\]){_OF_LAYER}(?!\s*(?:\\left\s*)?\()", text):
        return text
    return re.sub(
        rf"(?<![A-Za-z\\]){_OF_LAYER}",
        lambda match: (
            f"{match['name']}_{{{match['layer'] or match['bare']}}}"
            + ("'" if match["prime"] or match["after"] or match["behind"] else "")
        ),
        text,
    )


def _with_parameters_as_arguments(text: str) -> str:
    r"""Write ``\mu_\theta(s)`` as ``\mu(\theta, s)``, where no line defines it."""
    for name in {match["name"] for match in _OF_PARAMETERS.finditer(text)}:
        left = rf"(?:^|[$&,;:]|\\quad)\s*{re.escape(name)}_[^=\n$]{{1,24}}&?=(?!=)"
        bare = rf"{re.escape(name)}(?![A-Za-z])(?!\s*_)"
        if re.search(left, text, re.MULTILINE) or re.search(bare, text):
            continue
        text = _OF_PARAMETERS.sub(
            lambda match, name=name: (  # type: ignore[misc]
                f"{name}({match['low']}, {match['at']})" if match["name"] == name else match[0]
            ),
            text,
        )
    return text


def _apart(match: re.Match[str], text: str) -> str:
    letters = match["one"], match["other"]
    own = (re.search(_OWN.replace("NAME", one), text, re.MULTILINE) for one in letters)
    return " ".join(letters) if all(own) else match[0]


__all__ = ["with_rows_apart"]
