r"""The scores of attention that a text does not name: the S of ``dS`` beside ``P = softmax(S)``.

The text has them inside of its softmax, ``softmax(Q K^T / \sqrt{d})``, and names only their
gradient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_MOVED = {
    name: re.compile(
        rf"(?<![A-Za-z\\])d\s?{name}(?![A-Za-z])|\\partial\s*\{{?\s*{name}(?![A-Za-z])"
    )
    for name in "QKS"
}
_SCALE = re.compile(r"\\sqrt\s*\{\s*(?P<size>[A-Za-z](?:_\w|_\{\w+\})?)\s*\}")
_NAMED = re.compile(r"[\s&]*S\s*&?\s*=")


def taken_scores(said: Sequence[TranscriptStatement]) -> Iterator[tuple[str, ...]]:
    """Yield the definition of the scores, where a text has their gradient and those behind it.

    Parameters
    ----------
    said : sequence of TranscriptStatement
        The statements of the text.
    """
    formulas = [s.text for s in said if not s.code and equals_signs(s.text)]
    whole = "\n".join(formulas)
    if any(s.code for s in said) or any(_NAMED.match(row) for row in formulas):
        return
    if not all(moved.search(whole) for moved in _MOVED.values()):
        return
    scale = _SCALE.search(whole)
    products = "Q K^T" if scale is None else rf"\frac{{Q K^T}}{{\sqrt{{{scale['size']}}}}}"
    yield (f"S = {products}",)


__all__ = ["taken_scores"]
