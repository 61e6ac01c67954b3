r"""Hypotheses that a text leaves open: ``h_\theta(x^{(i)})``, ``\hat y_i`` and their like.

A post on regression often begins with its cost, and what it predicts with stands on the page
before: a linear function where the cost is of squares, the sigmoid of one where it is of
logarithms. The audit takes it where it makes lines right, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from chainrule.teaching.marking.open_objective import named_in
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_FONT = r"(?:\\(?:mathbf|boldsymbol|bm|vec|mathrm)\s*)?"
_X = rf"{_FONT}\{{?\s*(?:{_FONT}\{{?)?\s*[xX]\s*\}}?\s*\}}?"
_PLACE = r"(?:\^\s*\{?\s*\(?\s*[a-z]\s*\)?\s*\}?|_\s*\{?\s*[a-z]\s*\}?)"
_CALL = re.compile(
    r"(?<![A-Za-z\\])(?P<name>(?:\\hat\s*\{?\s*[yp]\s*\}?|[hfgpyH])"
    r"(?:\s*_\s*(?:\\[a-z]+|[a-zA-Z]|\{[^{}]*\}))?)"
    rf"\s*(?P<argument>\(\s*(?P<at>{_X}\s*{_PLACE}?)\s*\))"
)
"""A hypothesis at an example: ``h_\\theta(x^{(i)})``, ``f_{w,b}(x_i)``."""

_VALUE = re.compile(
    r"(?<![A-Za-z\\])(?P<name>\\hat\s*\{\s*[yp]\s*\}|\\hat\s*[yp]|[apf]|\\pi|\\mu|\\eta)"
    r"\s*(?P<place>\^\s*\{\s*\(\s*[a-z]\s*\)\s*\}|_\s*(?:\{\s*[a-z]\s*\}|[a-z])(?![A-Za-z]))"
)
"""The prediction for an example: ``\\hat y^{(i)}``, ``p_i``."""

_WRT = re.compile(
    r"\\partial\s*(?:\\(?:mathbf|boldsymbol|bm|vec)\s*)?\{?\s*(?P<name>\\theta|\\beta|[wWb])(?![A-Za-z])"
    r"|\\nabla_\s*\{?\s*(?:\\(?:mathbf|boldsymbol|bm|vec)\s*)?\{?\s*(?P<by>\\theta|\\beta|[wW])(?![A-Za-z])"
)
_FEATURE = re.compile(rf"(?<![A-Za-z\\])(?P<name>{_FONT}\{{?\s*[xX]\s*\}}?)\s*(?:_|\^)")
_LAYER = re.compile(r"\^\s*\{?\s*\[")
_LOGARITHM = re.compile(r"\\(?:log|ln)(?![A-Za-z])|(?<![A-Za-z])(?:log|ln)(?![A-Za-z])")
_SCORE = "\\eta"
"""The usual name of a linear function of the features before any link."""

_BELOW_LEFT = re.compile(r"\\frac|\\partial|\\nabla|∂|∇")


def taken_hypotheses(said: Sequence[TranscriptStatement]) -> Iterator[str]:
    """Yield definitions of the one hypothesis that a text uses and nowhere defines.

    Parameters
    ----------
    said : sequence of TranscriptStatement
        The statements of the text.
    """
    formulas = [s.text for s in said if not s.code and equals_signs(s.text)]
    parameters = list(dict.fromkeys(
        match["name"] or match["by"] for row in formulas for match in _WRT.finditer(row)
    ))  # fmt: skip
    weights = next((name for name in parameters if name != "b"), "")
    if not weights or any(s.code for s in said) or any(_LAYER.search(row) for row in formulas):
        return
    lefts = [row[: equals_signs(row)[0]] for row in formulas]
    plain = [left for left in lefts if _BELOW_LEFT.search(left) is None]
    known = {_bare(left) for left in plain}
    objective = named_in(formulas)
    if not any(re.match(rf"[\s&]*{re.escape(objective)}(?![A-Za-z])", left) for left in plain):
        return
    known |= {_bare(match["name"]) for left in plain for match in _VALUE.finditer(left)}
    score = rf"{weights}^T %s" + (" + b" if "b" in parameters else "")
    whole = "\n".join(formulas)
    for left, features in _open_names(whole, known):
        linear = score % features
        squashed = rf"\sigma({linear})"
        logistic = _LOGARITHM.search(whole) is not None and not left.startswith(_SCORE)
        first, second = (squashed, linear) if logistic else (linear, squashed)
        for body in (first, second):
            yield f"{left} = {body}"


def _open_names(whole: str, known: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the left side of each missing definition, and the features in its form."""
    seen: set[str] = set()
    for match in _CALL.finditer(whole):
        name = _bare(match["name"])
        if name in known or name in seen:
            continue
        seen.add(name)
        x = re.sub(rf"\s*{_PLACE}\s*$", "", match["at"])
        yield f"{match['name']}({x})", x
    if seen:
        return
    feature = _FEATURE.search(whole)
    for match in _VALUE.finditer(whole):
        name = _bare(match["name"])
        if name in known or name in seen or feature is None:
            continue
        seen.add(name)
        yield f"{match['name']}{match['place']}", f"{feature['name']}{match['place']}"


def _bare(left: str) -> str:
    """Return a name without its places, its arguments and its spaces."""
    plain = re.sub(r"[\s&$]|\\left|\\right", "", left)
    plain = re.sub(r"\(.*\)$", "", plain)
    plain = re.sub(r"(?:\^\{?\([a-z]\)\}?|_\{?[i-n]\}?)$", "", plain)
    return re.sub(r"\\hat\{(\w)\}", r"\\hat\1", plain)


__all__ = ["taken_hypotheses"]
