r"""Shorthand that posts take for granted, written out for the readers of this project.

``grad f(x) = ...`` is a gradient, ``P o Q`` a product entry by entry, ``D_j S_i = \partial S_i /
\partial a_j`` names a derivative twice, ``w^la^{l-1}`` has its layer above, ``diag(\mu_1, \dots,
\mu_n)`` is the diagonal matrix of a vector. Every change stays on its row.
"""

from __future__ import annotations

import re

_LETTER_ABOVE = re.compile(r"\^\s?(?P<letter>[lLt])(?=[A-Za-z])")
"""A letter above a name directly before another letter: in LaTeX it stands alone there."""

_GRAD = re.compile(r"(?<![\w\\])grad\s+(?=\\?[A-Za-z]+\s*(?:\([^()=]*\))?\s*=)")
_GRADIENT_OF = re.compile(r"(?:\\nabla|∇)\s*(?P<of>\\?[A-Za-z]+)\s*(?P<at>\(\s*\\?[A-Za-z]+\s*\))")
_HESSIAN = re.compile(
    r"(?P<word>\bHessian\b(?:\s+(?:matrix|is|reads))*\s*:?\s*(?:\$\$?|\\\(|\\\[)?\s*)H\s*(?==(?!=))"
)
_OPERATOR = re.compile(
    r"D_\{?[a-z]\}?\s*\\?[A-Za-z]+_\{?[a-z]\}?\s*&?=\s*(?=\\[dt]?frac\s*\{\s*\\partial|∂)"
)
_ENTRYWISE = re.compile(r"(?<=[\w)\]])[ ]+o[ ]+(?=[\w(\[])")
_OWN_O = re.compile(r"(?<![\w\\])d?o\s*(?:=|,|_|[*+\-/])")
_DIAGONAL = re.compile(
    r"diag\s*\}?\s*(?:\\left|\\[bB]igl?)?\s*(?P<open>\(|\[|\\\{)\s*(?P<name>\\?[A-Za-z]+|\\hat\s*\{?\s*\\?[A-Za-z]+\s*\}?)"
    r"_\{?1\}?\s*,\s*(?:(?P=name)_\{?2\}?\s*,\s*)?(?:\\[lc]?dots|…|\.{3})\s*,?\s*"
    r"(?P=name)_\{?[A-Za-z]\}?\s*(?:\\right|\\[bB]igr?)?\s*(?:\)|\]|\\\})"
)
_NORMAL_DENSITY = re.compile(
    r"(?<![A-Za-z])\\?phi\b[^.\n]{0,40}\b(?:density|pdf|PDF)|\b(?:density|pdf|PDF)\b[^.\n]{0,20}\\?phi\b"
)
_DENSITY_AT = re.compile(r"\\phi\s*\(\s*(?P<at>\\?[A-Za-z](?:_\w)?)\s*\)(?!\s*&?=)")


def with_shorthand_written_out(text: str) -> str:
    r"""Return a text without the shorthand of posts.

    >>> with_shorthand_written_out("grad f(u) = 2 B^T (Bu - c)")
    '∇ f(u) = 2 B^T (Bu - c)'
    """
    text = _OPERATOR.sub("", _GRAD.sub("∇ ", text))
    if (gradient := _GRADIENT_OF.search(text)) is not None:
        text = _HESSIAN.sub(rf"\g<word>∇^2 {_literal(gradient)} ", text)
    if _OWN_O.search(text) is None:
        text = _ENTRYWISE.sub(" ⊙ ", text)
    if "\\" not in text:
        return text
    text = _LETTER_ABOVE.sub(r"^{\g<letter>}", text)
    text = _DIAGONAL.sub(r"diag}(\g<name>)", text) if "diag}" in text else _DIAGONAL.sub(
        r"diag(\g<name>)", text
    )  # fmt: skip
    if _NORMAL_DENSITY.search(text) is not None and "normal" in text.lower():
        text = _DENSITY_AT.sub(r"(\\frac{1}{\\sqrt{2\\pi}} e^{-\g<at>^2/2})", text)
    return text


def _literal(gradient: re.Match[str]) -> str:
    return f"{gradient['of']}{gradient['at']}".replace("\\", r"\\")


__all__ = ["with_shorthand_written_out"]
