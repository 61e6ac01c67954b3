r"""First-order conditions at the ends of chains: ``\partial J/\partial w = X^T (y - p) = 0``.

The zero asks for the optimum and claims nothing of the derivative; the other sides claim what they
claim without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_ZERO = re.compile(
    r"[\s$&]*(?:\\(?:mathbf|boldsymbol|bm|vec|mathrm|overrightarrow)\s*)?\{?\s*0\s*\}?"
    r"(?:\s*\^\s*\{?\s*(?:T|\\top|\\intercal|\\prime)\s*\}?|_\{?\w\}?)?[\s$&]*[.,;]?[\s$&]*"
)
_OBJECTIVE = (
    r"(?:\\(?:mathcal|mathrm|mathscr|text|operatorname)\s*\{?\s*[A-Z]\w*\s*\}?|\\ell|ℓ|\\log|\\ln|log|ln"
    r"|[A-Z]{1,4}|[a-z](?=\s*\()|[fl])(?![A-Za-z])"
)
_DERIVATIVE = re.compile(
    rf"(?:∂|\\partial|(?<![A-Za-z\\])d)\s*(?:\^\s*\{{?2\}}?\s*)?\{{?\s*{_OBJECTIVE}"
    rf"|(?:∇|\\nabla)\s*(?:_\s*(?:\{{[^{{}}]*(?:\{{[^{{}}]*\}}[^{{}}]*)*\}}|\\?\w+))?\s*{_OBJECTIVE}"
    rf"|\\frac\s*\{{\s*(?:\\partial|d)\s*\}}\s*\{{[^{{}}]*(?:\{{[^{{}}]*\}}[^{{}}]*)*\}}\s*{_OBJECTIVE}"
)
"""The derivative of an objective; that of a mean or a variance may well be zero."""

_SOLVING = re.compile(
    r"\b(?:to|equals?|be)\s+(?:\$|\\\()?\s*(?:zero|0)\b|\bsolv(?:e|ing)\b|\bmaxim|\bminimi[sz]|\bestimat"
    r"|\bupdates?\b",
    re.IGNORECASE,
)
"""Words between two formulas that lead to the optimum."""

_VARIABLE = re.compile(
    r"(?:\}\s*\{|/)\s*(?:\\partial|∂|d)\s*(\\?[A-Za-z]+(?:\s*\{\s*\\?[A-Za-z]+\s*\})?"
    r"(?:\s*_\s*(?:\{[^{}]*\}|\w))?)"
    r"|(?:∇|\\nabla)\s*_\s*(?:\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}|(\\?\w+))"
)
"""What is differentiated by: the variable of a derivative or of a gradient."""


def without_conditions(said: Iterable[TranscriptStatement], text: str) -> list[TranscriptStatement]:
    r"""Return statements in which no zero stands beside a derivative and another formula.

    What solves such a condition, ``\theta_k = n_k / \lambda``, is the optimum and claims nothing.
    """
    said, rows, last = list(said), text.split("\n"), 0
    found: list[TranscriptStatement] = []
    differentiated = solved = follows = False
    variables = variables_of(said)
    for statement in said:
        cuts = [] if statement.code else equals_signs(statement.text)
        if not cuts:
            found.append(statement)
            continue
        asks = _ZERO.fullmatch(statement.text[cuts[-1] + 1 :]) is not None
        solved = solved or asks
        if follows and not asks and _rearranges(statement, variables):
            last = statement.line
            continue
        follows = asks
        if asks and len(cuts) == 1 and _is_derivative(statement.text[: cuts[0]]):
            last = statement.line
            continue
        spoken = " ".join(rows[last : statement.line])
        last = statement.line
        if name_without_marks(statement.text[: cuts[0]]) in variables and (
            solved or _SOLVING.search(spoken)
        ):
            continue
        differentiated = (statement.continues and differentiated) or bool(
            _DERIVATIVE.search(statement.text)
        )
        kept = _without_zero(statement) if differentiated else statement
        if kept is not None:
            found.append(kept)
    return found


def _is_derivative(left: str) -> bool:
    r"""Whether a left side is the derivative of an objective and no more: ``\nabla_w L(w)``.

    ``dZ`` is the name of a gradient, of which a zero is claimed.
    """
    if re.fullmatch(r"[\s$&]*d[A-Za-z]\w*[\s$&]*", left):
        return False
    match = _DERIVATIVE.search(left)
    if match is None or left[: match.start()].strip(" $&({") not in ("", "\\frac", "\\dfrac"):
        return False
    return re.search(r"[-+=]|\\(?:sum|cdot|times)", left[match.end() :]) is None


def _rearranges(statement: TranscriptStatement, variables: set[str]) -> bool:
    """Whether an equation for the optimum stands in another form: ``X^T X w = X^T y``."""
    if statement.code or _ANY_DERIVATIVE.search(statement.text):
        return False
    left = name_without_marks(statement.text[: equals_signs(statement.text)[0]])
    named = any(_within(name, name_without_marks(statement.text)) for name in variables)
    return named and re.fullmatch(r"\\?\w+(?:_\w+)?", left) is None


def _within(name: str, text: str) -> bool:
    return re.search(rf"(?<![A-Za-z\\]){re.escape(name)}(?![A-Za-z])", text) is not None or (
        len(name) == 1 and name in text
    )


_ANY_DERIVATIVE = re.compile(r"∂|\\partial|∇|\\nabla|\bd\w+\s*=|/\s*d|\\frac\s*\{\s*d")


_FONT = re.compile(r"\\(?:mathbf|boldsymbol|bm|vec|(?:wide)?hat)(?![A-Za-z])")
_FONT_OF_NAME = re.compile(rf"{_FONT.pattern}\s*\{{\s*(\\?\w+)\s*\}}")


def variables_of(said: Iterable[TranscriptStatement]) -> set[str]:
    """Return what the derivatives of a text are taken by, without marks."""
    return {
        name_without_marks(match[1] or match[2] or match[3])
        for statement in said if not statement.code
        for match in _VARIABLE.finditer(statement.text)
    }  # fmt: skip


def is_solved_in(rows: Iterable[str]) -> bool:
    """Whether rows say that a gradient is set to zero, or what the optimum is."""
    return _SOLVING.search(" ".join(rows)) is not None


def is_zero(side: str) -> bool:
    """Whether a side of an equation is zero, as a number or a vector."""
    return _ZERO.fullmatch(side) is not None


def name_without_marks(name: str, *, spaced: bool = False) -> str:
    r"""Return a name without fonts and the marks of an estimate: ``\hat\beta``, ``w^*``.

    With `spaced`, spaces and braces stay, as in a whole formula.
    """
    if spaced:
        bare = _FONT.sub(" ", _FONT_OF_NAME.sub(r" \1", name))
        return re.sub(r"\^\s*(?:\{\s*(?:\*|\\ast|\\star)\s*\}|\*|\\ast|\\star)", "", bare)
    return re.sub(
        r"[\s{}$&]|\\(?:mathbf|boldsymbol|bm|vec|(?:wide)?hat)(?![A-Za-z])"
        r"|\^\{?(?:\*|\\ast|\\star)\}?|_\{?(?:\\text|\\mathrm)?\{?(?:MLE?|MAP|OLS)\}*$",
        "", name,
    )  # fmt: skip


def _without_zero(statement: TranscriptStatement) -> TranscriptStatement | None:
    """Return a statement without a zero at its end or its start; None where nothing is left."""
    cuts = equals_signs(statement.text)
    text = statement.text
    if _ZERO.fullmatch(text[cuts[-1] + 1 :]) and (len(cuts) > 1 or statement.continues):
        text = text[: cuts[-1]].rstrip()
    elif len(cuts) > 1 and _ZERO.fullmatch(text[: cuts[0]]):
        text = text[cuts[0] + 1 :].lstrip()
    return replace(statement, text=text) if text.strip() else None


__all__ = ["is_solved_in", "is_zero", "name_without_marks", "variables_of", "without_conditions"]
