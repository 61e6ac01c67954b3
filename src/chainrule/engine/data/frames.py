"""Data frames with categorical columns, read column by column where they are.

Known by what they offer, pandas' interface or Arrow's, so that no library of frames is imported:
a pandas frame is read by itself, any other (polars, pyarrow) through the Arrow C stream.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.data.cells import is_number_or_missing
from chainrule.engine.data.coded_rows import CodedColumn, CodedRows
from chainrule.errors import DataError

Frame = Any


def is_frame(X: Frame) -> bool:
    """Tell whether this is a data frame: pandas' own, or one that Arrow can read."""
    return hasattr(X, "columns") and (hasattr(X, "iloc") or hasattr(X, "__arrow_c_stream__"))


def _is_pandas(X: Frame) -> bool:
    return hasattr(X, "iloc") and hasattr(X, "columns")


def has_levels(X: Frame) -> bool:
    """Tell whether this is a data frame with categorical columns."""
    if _is_pandas(X):
        return any(_is_categorical(dtype) for dtype in getattr(X, "dtypes", ()))
    if not is_frame(X):
        return False
    from chainrule.engine.data.arrow_frames import has_dictionaries

    return has_dictionaries(X)


def names_of(X: Frame) -> list[Hashable]:
    """Return the names of the columns."""
    if _is_pandas(X):
        return list(X.columns)
    names = getattr(X, "column_names", None)  # pyarrow, whose `columns` are the data
    return list(X.columns if names is None else names)


def refuse_names(X: Frame) -> None:
    """Raise if a data frame has no column, or two of one name."""
    names = names_of(X)
    if not names:
        raise DataError("X has no column; pass at least one")
    if len(set(names)) < len(names):
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        raise DataError(f"X has two columns named {twice!r}: rename one of them, or leave it out")


def refuse_dates(X: Frame) -> None:
    """Raise if a column holds dates or times, which would become numbers in silence."""
    if _is_pandas(X):
        for name, dtype in zip(X.columns, getattr(X, "dtypes", ()), strict=False):
            if getattr(dtype, "kind", "") in ("M", "m") or hasattr(dtype, "freq"):
                raise _no_numbers(str(name), str(dtype))
        return
    if is_frame(X):
        from chainrule.engine.data.arrow_frames import first_temporal

        found = first_temporal(X)
        if found is not None:
            raise _no_numbers(*found)


def refuse_text(X: Frame) -> None:
    """Raise a `DataError` with the place of the first cell of a frame that is not a number."""
    found = _first_text(X) if is_frame(X) else None
    if found is not None:
        name, value, row = found
        raise DataError(
            f"column {name!r} holds {value!r} in row {row}, which is not a number: make the column "
            "categorical (pandas: X.astype({"
            f"{name!r}: 'category'"
            "})), or leave it out"
        )


def _first_text(X: Frame) -> tuple[str, object, int] | None:
    if not hasattr(X, "iloc"):
        from chainrule.engine.data.arrow_frames import first_text

        return first_text(X)
    for place, name in enumerate(X.columns):
        values = X.iloc[:, place]
        if getattr(values.dtype, "kind", "O") in "biufc" or _is_categorical(values.dtype):
            continue
        for row, value in enumerate(values.tolist()):
            if not is_number_or_missing(value):
                return str(name), value, row
    return None


def in_order(X: Frame, names: Sequence[Hashable]) -> Frame:
    """Return a data frame with its columns in the order of some names, which are all there."""
    found = names_of(X)
    if found == list(names):
        return X
    lacking = [name for name in names if name not in found]
    if lacking:
        raise DataError(f"X has no column {lacking[0]!r}, which the fit had; it has {found[:12]}")
    return X[list(names)] if hasattr(X, "iloc") else X.select(list(names))


def coded(
    X: Frame,
    levels: Mapping[str, npt.NDArray[Any]] | None = None,
    *,
    ignore_unknown: bool = False,
) -> CodedRows:
    """Return the rows of a data frame as numbers and codes.

    Parameters
    ----------
    X : data frame
        Its columns are numbers or categorical.
    levels : mapping, optional
        Which columns are read as levels, and the levels they have had; by default all categorical
        ones, with all categories.
    ignore_unknown : bool
        Let a level that the fit has not had be in no column, instead of refusing it.
    """
    if levels is not None and not is_frame(X):
        raise DataError(
            f"column {next(iter(levels))!r} was categorical in the fit: X must be a data frame "
            f"with the same columns, not {type(X).__name__}"
        )
    if not hasattr(X, "iloc"):
        from chainrule.engine.data.arrow_frames import coded_columns

        columns = coded_columns(X, () if levels is None else tuple(levels))
        rows = CodedRows(columns)
        return rows if levels is None else rows.in_terms_of(levels, ignore_unknown=ignore_unknown)
    if levels is None:
        return CodedRows([_column(X.iloc[:, j], str(name)) for j, name in enumerate(X.columns)])
    columns = []
    for j, name in enumerate(map(str, X.columns)):
        values = X.iloc[:, j]
        if name not in levels:
            columns.append(CodedColumn(name, _numbers(values, name)))
        else:
            known = values if _is_categorical(values.dtype) else values.astype("category")
            columns.append(_column(known, name))
    return CodedRows(columns).in_terms_of(levels, ignore_unknown=ignore_unknown)


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
    if found.dtype.kind in "mM":
        raise _no_numbers(name, str(values.dtype))
    try:
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise DataError(
            f"column {name!r} holds neither numbers nor categories ({values.dtype}): make it "
            f"categorical, X[{name!r}].astype('category')"
        ) from error


def _no_numbers(name: str, kind: str) -> DataError:
    return DataError(
        f"column {name!r} holds dates or times ({kind}), which are no numbers: use parts of them, "
        f"such as the year or the days since a start, or leave the column out"
    )
