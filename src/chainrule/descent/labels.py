"""Text labels as numbers."""

from __future__ import annotations

import numpy as np

from chainrule.errors import DataError
from chainrule.lecture import Array
from chainrule.tables.table import TextColumn, some_of

_MOST_LABELS = 50


def label_columns(
    column: TextColumn, single: bool, source: str, positive: str | None
) -> tuple[Array, tuple[str, ...]]:
    """Return labels as 0 and 1, or as one column per label.

    Parameters
    ----------
    column : TextColumn
        Without missing values.
    single : bool
        Whether one column is wanted, of 0 and 1.
    source : str
        The file, for messages.
    positive : str or None
        The label that counts as 1; of several columns, the last.

    Returns
    -------
    columns : array
        One row an example.
    labels : tuple of str
        The labels of 0 and 1, or of each column.

    Raises
    ------
    DataError
        When there are too many labels, or it is not clear which one counts as 1.
    """
    words = sorted(word for word, n in zip(column.words, column.counts(), strict=True) if n)
    where = f"{source}: column {column.name!r}"
    if len(words) > _MOST_LABELS:
        raise DataError(
            f"{where} holds {len(words)} different texts ({some_of(words, 3)}); labels are at "
            f"most {_MOST_LABELS}."
        )
    if positive is not None and positive not in words:
        raise DataError(f"{where} does not hold {positive!r}; it holds {some_of(words)}.")
    if not single:
        if positive is not None:
            words = [*(word for word in words if word != positive), positive]
        code = np.array([column.words.index(word) for word in words])
        return (column.codes[:, None] == code[None, :]).astype(np.float64), tuple(words)
    if len(words) > 2 and positive is None:
        raise DataError(
            f"{where} holds {len(words)} labels ({some_of(words)}) and the input is one row. Say "
            f"which label counts as 1: --positive {words[-1]}; or declare the input with one row "
            "for each label."
        )
    if len(words) == 1 and positive is None:
        raise DataError(f"{where} holds one label only, {words[0]!r}; there is nothing to learn.")
    chosen = positive if positive is not None else words[-1]
    others = [word for word in words if word != chosen]
    is_one = column.codes == column.words.index(chosen)
    rest = others[0] if len(others) == 1 else f"not {chosen}"
    return is_one.astype(np.float64)[:, None], (rest, chosen)
