r"""A forward pass of one example beside gradients of a batch: ``z = W a``, ``\delta = A - Y``.

The definitions are read with the capital letters of the batch, whose columns are the examples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_LEFT = re.compile(r"\s*&?\s*(?P<letter>[a-z])\s*(?:\^\s*\{\s*\[\d\]\s*\}|_\{?\d\}?)?\s*&?\s*$")
_DATA = "x"


def with_batch_letters(said: Sequence[TranscriptStatement]) -> list[TranscriptStatement]:
    """Return statements whose definitions of one example are those of the batch.

    Every defined letter is changed, where the text uses its capital letter more often than itself
    outside of definitions, and defines no capital one.
    """
    lefts = [match["letter"] for one in said if (match := _defined(one)) is not None]
    letters = set(lefts)
    if not letters:
        return list(said)
    others = " ; ".join(one.text for one in said if _defined(one) is None)
    capital = {one for one in letters if _count(one.upper(), others) > _count(one, others)}
    known = any(_begins(one, letter.upper()) for one in said for letter in letters | {_DATA})
    if not capital or known or any(_count(one, others) for one in letters - capital):
        return list(said)
    if _count(_DATA, others) == 0:
        letters.add(_DATA)
    changed = re.compile(rf"(?<![a-z\\{{])[{''.join(sorted(letters))}](?![A-Za-z])")
    return [
        one if _defined(one) is None
        else replace(one, text=changed.sub(lambda match: match[0].upper(), one.text))
        for one in said
    ]  # fmt: skip


def _defined(statement: TranscriptStatement) -> re.Match[str] | None:
    cuts = equals_signs(statement.text)
    if not cuts or statement.code:
        return None
    return _LEFT.match(statement.text[: cuts[0]])


def _begins(statement: TranscriptStatement, letter: str) -> bool:
    cuts = equals_signs(statement.text)
    left = statement.text[: cuts[0]].strip(" &") if cuts else ""
    return re.match(rf"{letter}(?![A-Za-z])", left) is not None


def _count(letter: str, text: str) -> int:
    return len(re.findall(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])", text))


__all__ = ["with_batch_letters"]
