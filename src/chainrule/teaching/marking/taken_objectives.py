r"""Objectives that a text gives without a name, or by a name alone.

``\min_{P,Q} \sum (r_{ui} - p_u^T q_i)^2`` is the L of ``\frac{\partial L}{\partial p_u}``; "softmax
and cross-entropy" are the shares and the loss behind ``\frac{\partial L}{\partial z_i}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from chainrule.teaching.marking.open_objective import named_in
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_MINIMIZED = re.compile(
    r"\\(?:min|max|arg\s*\\?min)(?:\s*\\limits)?\s*_\s*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\w)\s*"
    r"(?P<objective>[^=$\n]*\\sum[^=$\n]*)"
)
_SOFTMAX = re.compile(r"softmax", re.IGNORECASE)
_ENTROPY = re.compile(r"cross[\s-]*entropy|交叉熵|log[\s-]*loss", re.IGNORECASE)
_SHARE = re.compile(
    r"(?<![A-Za-z\\])(?P<name>\\hat\s*\{\s*y\s*\}|\\hat\s+y|[pas])\s*_\s*\{?\s*[i-n]\s*\}?"
)
_BY_LOGIT = re.compile(r"\\partial\s*\{?\s*(?P<name>[zosa])\s*_\s*\{?\s*[i-n]")


def taken_objectives(text: str, said: Sequence[TranscriptStatement]) -> Iterator[tuple[str, ...]]:
    """Yield the definitions of an objective that a text differentiates and never names.

    Parameters
    ----------
    text : str
        The text, without layout.
    said : sequence of TranscriptStatement
        Its statements.
    """
    formulas = [s.text for s in said if not s.code and equals_signs(s.text)]
    lefts = [row[: equals_signs(row)[0]] for row in formulas]
    name = named_in(formulas)
    if not name or any(s.code for s in said):
        return
    if any(re.match(rf"[\s&]*{re.escape(name)}(?![A-Za-z])", left) for left in lefts):
        return
    if (minimized := _MINIMIZED.search(text)) is not None:
        yield (f"{name} = {minimized['objective'].strip(' .,;')}",)
    whole = "\n".join(formulas)
    logit = _BY_LOGIT.search(whole)
    if logit is None or _SOFTMAX.search(text) is None or _ENTROPY.search(text) is None:
        return
    z = logit["name"]
    share = next((m["name"] for m in _SHARE.finditer(whole) if m["name"] != z), "")
    if not share or any(left.strip(" &").startswith(share) for left in lefts):
        return
    yield (rf"{share}_k = \frac{{e^{{{z}_k}}}}{{\sum_j e^{{{z}_j}}}}",
           rf"{name} = -\sum_k y_k \log {share}_k")  # fmt: skip


__all__ = ["taken_objectives"]
