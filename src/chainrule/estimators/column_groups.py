"""Groups of columns as users describe them: by labels, by names, or the levels of a category."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import IntArray
from chainrule.errors import DataError

LEVELS: Final = "levels"
"""The description of groups that are the levels of each categorical column."""


def group_numbers(
    given: Any,  # noqa: ANN401
    n_coefficients: int,
    names: Sequence[str] | None,
    levels: Mapping[str, Any],
) -> IntArray:
    """Return the number of the group of each coefficient, from 0 on in the order of the columns.

    Parameters
    ----------
    given : 'levels', mapping from a name to a label, or array-like of shape (n_coefficients,)
        With 'levels', and for columns that a mapping does not name, the levels of a categorical
        column are a group, and every other column is one of its own.
    n_coefficients : int
    names : sequence of str or None
        Of the coefficients.
    levels : mapping
        The levels of each categorical column.

    Raises
    ------
    DataError
        When a name or the number of labels does not fit.
    ValueError
        When it describes no groups.
    """
    if (isinstance(given, str) and given != LEVELS) or given is None:
        raise ValueError(
            f"column_groups must be {LEVELS!r}, a dict from names of columns to labels, or one "
            f"label per coefficient, not {given!r}"
        )
    if isinstance(given, str):
        if not levels:
            raise DataError(
                "column_groups='levels' groups the levels of categorical columns, and X has none: "
                "pass a data frame with categorical columns, or one label per coefficient"
            )
        given = {}
    if isinstance(given, Mapping):
        return _numbered(_by_name(given, n_coefficients, names, levels))
    labels = np.asarray(given)
    if labels.shape != (n_coefficients,):
        raise DataError(
            f"column_groups has shape {labels.shape}, expected ({n_coefficients},): one label per "
            "coefficient"
        )
    return _numbered(labels.tolist())


def _by_name(
    given: Mapping[Any, Any],
    n_coefficients: int,
    names: Sequence[str] | None,
    levels: Mapping[str, Any],
) -> list[Hashable]:
    """Return a label for each coefficient from those of columns."""
    if names is None:
        raise DataError(
            f"{next(iter(given), '')!r} names a column, but X has no column names: pass a data "
            "frame, or one label per coefficient"
        )
    column_of = {f"{name}_{level}": str(name) for name, own in levels.items() for level in own}
    columns = [column_of.get(name, name) for name in names[:n_coefficients]]
    unknown = [name for name in given if str(name) not in set(columns)]
    if unknown:
        known = ", ".join(dict.fromkeys(columns))
        raise DataError(f"no column is called {unknown[0]!r}; there are {known}")
    labels = {str(name): ("given", label) for name, label in given.items()}
    return [labels.get(column, ("own", column)) for column in columns]


def _numbered(labels: Sequence[Hashable]) -> IntArray:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.intp)
