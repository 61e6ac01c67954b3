"""Text columns of numbers that a guess would take for categories, and so hide a typing error."""

from __future__ import annotations

import numpy as np

from chainrule.errors import DataError
from chainrule.tables.cells import find_style, has_a_style, is_number
from chainrule.tables.table import TextColumn, some_of


def refuse_changing_type(column: TextColumn, source: str) -> None:
    """Reject a text column of mostly numbers, for a guess would hide a typing error."""
    numeric = np.array([is_number(word) for word in column.words], dtype=np.bool_)
    if not numeric.any() or numeric.all():
        return
    counts = column.counts()
    n_numeric, n_words = int(counts[numeric].sum()), int(counts[~numeric].sum())
    if n_numeric < n_words:
        return
    odd = [word for word, is_num in zip(column.words, numeric, strict=True) if not is_num]
    is_odd = ~numeric[column.codes] & ~column.missing
    row = int(np.flatnonzero(is_odd)[0])
    raise DataError(
        f"{source}: column {column.name!r} changes type: {n_numeric} of its rows hold numbers, but "
        f"row {row + 1} says {column.words[column.codes[row]]!r} ({n_words} such "
        f"{'row' if n_words == 1 else 'rows'}: {some_of(odd, 3)}). Correct them, leave the cells "
        f"empty if the values are missing (--na names words that mean missing), or take the column "
        f"as words: --category {column.name}."
    )


def refuse_mixed_styles(column: TextColumn, source: str) -> None:
    """Reject a text column of numbers that are not written alike, such as 40% and 0.4."""
    counts = column.counts()
    words = [word for word, n in zip(column.words, counts, strict=True) if n]
    if len(words) < 2 or not all(map(has_a_style, words)):
        return
    first = words[0]
    other = next((word for word in words if find_style([first, word]) is None), words[-1])
    rows = [
        int(np.flatnonzero(column.codes == column.words.index(w))[0]) + 1 for w in (first, other)
    ]
    raise DataError(
        f"{source}: column {column.name!r} holds numbers that are not written alike: {first!r} in "
        f"row {rows[0]}, {other!r} in row {rows[1]}. Write them alike, or take the column as "
        f"words: --category {column.name}."
    )
