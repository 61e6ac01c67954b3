r"""The softmax of word vectors, which posts on word2vec take from their exercise sheet.

Their first line is ``\frac{\partial J}{\partial v_c} = ...``, with the score ``u_w^T v_c`` of every
word w, its share ``\hat y_w`` and the loss ``-\log \hat y_o`` of the word o that stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from chainrule.teaching.marking.open_objective import named_in
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_BOLD = r"(?:\\(?:mathbf|boldsymbol|bm|vec)\s*)?\{?\s*"
_CENTRE = re.compile(
    rf"(?<![A-Za-z\\])(?P<name>{_BOLD}v\s*\}}?\s*_\s*(?:\{{\s*c\s*\}}|c))(?![A-Za-z])"
)
_OUTSIDE = re.compile(rf"(?<![A-Za-z\\]){_BOLD}[uU](?![A-Za-z])")
_SHARE = re.compile(rf"(?P<name>\\hat\s*{_BOLD}y\s*\}}*)")
_BY_VECTOR = re.compile(rf"\\partial\s*\{{?\s*{_BOLD}[vuU](?![A-Za-z])")


def taken_word_vectors(said: Sequence[TranscriptStatement]) -> Iterator[tuple[str, ...]]:
    """Yield the definitions of the shares and of the loss, where a text uses both undefined.

    Parameters
    ----------
    said : sequence of TranscriptStatement
        The statements of the text.
    """
    formulas = [s.text for s in said if not s.code and equals_signs(s.text)]
    whole = "\n".join(formulas)
    share, centre = _SHARE.search(whole), _CENTRE.search(whole)
    if share is None or centre is None or any(s.code for s in said):
        return
    if _BY_VECTOR.search(whole) is None or _OUTSIDE.search(whole) is None:
        return
    objective = named_in(formulas)
    lefts = [row[: equals_signs(row)[0]] for row in formulas]
    if not objective or any(_defines(left, objective) or _SHARE.match(left) for left in lefts):
        return
    y, v = share["name"], centre["name"]
    score = rf"\exp(u_w^T {v})"
    yield f"{y}_w = {score} / \\sum_{{x}} \\exp(u_x^T {v})", rf"{objective} = -\log {y}_o"
    yield rf"{y} = \mathrm{{softmax}}(U^T {v})", rf"{objective} = -\sum_w y_w \log {y}_w"


def _defines(left: str, objective: str) -> bool:
    return re.match(rf"[\s&]*{re.escape(objective)}(?![A-Za-z])", left) is not None


__all__ = ["taken_word_vectors"]
