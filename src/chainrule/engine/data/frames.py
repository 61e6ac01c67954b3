"""Data frames with categorical columns, read column by column where they are.

Known by what they offer, pandas' interface, so that pandas itself is never imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.data.coded_rows import CodedColumn, CodedRows
from chainrule.errors import DataError

Frame = Any


def has_levels(X: Frame) -> bool:
    """Tell whether this is a data frame with categorical columns."""
    return hasattr(X, "iloc") and any(_is_categorical(dtype) for dtype in getattr(X, "dtypes", ()))


def coded(X: Frame, levels: Mapping[str, npt.NDArray[Any]] | None = None) -> CodedRows:
    """Return the rows of a data frame as numbers and codes.

    Parameters
    ----------
    X : data frame
        Its columns are numbers or categorical.
    levels : mapping, optional
        Which columns are read as levels, and the levels they have had; by default all categorical
        ones, with all categories.
    """
    if levels is None:
        return CodedRows([_column(X.iloc[:, j], str(name)) for j, name in enumerate(X.columns)])
    if not hasattr(X, "iloc"):
        raise DataError(
            f"column {next(iter(levels))!r} was categorical in the fit: X must be a data frame "
            f"with the same columns, not {type(X).__name__}"
        )
    columns = []
    for j, name in enumerate(map(str, X.columns)):
        values = X.iloc[:, j]
        if name not in levels:
            columns.append(CodedColumn(name, _numbers(values, name)))
        else:
            known = values if _is_categorical(values.dtype) else values.astype("category")
            columns.append(_column(known, name))
    return CodedRows(columns).in_terms_of(levels)


def _is_categorical(dtype: Any) -> bool:  # noqa: ANN401
    return getattr(dtype, "categories", None) is not None and hasattr(dtype, "ordered")


def _column(values: Any, name: str) -> CodedColumn:  # noqa: ANN401
    if not _is_categorical(values.dtype):
        return CodedColumn(name, _numbers(values, name))
    levels = np.asarray(values.dtype.categories)
    every = np.arange(len(levels), dtype=np.int32)
    return CodedColumn(name, np.asarray(values.array.codes), levels, every)


def _numbers(values: Any, name: str) -> npt.NDArray[Any]:  # noqa: ANN401
    found = values.to_numpy()
    if found.dtype.kind in "biuf":
        return np.asarray(found)
    try:
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise DataError(
            f"column {name!r} holds neither numbers nor categories ({values.dtype}): make it "
            f"categorical, X[{name!r}].astype('category')"
        ) from error
