"""Data frames with categorical columns, read column by column where they are.

Known by what they offer, pandas' interface or Arrow's, so that no library of frames is imported:
a pandas frame is read by itself, any other (polars, pyarrow) through the Arrow C stream.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.data.cells import first_other, reads_as_number
from chainrule.engine.data.coded_rows import CodedColumn, CodedRows
from chainrule.engine.data.number_arrays import as_numbers
from chainrule.errors import DataError

Frame = Any


def is_frame(X: Frame) -> bool:
    """Tell whether this is a data frame: pandas' own, or one that Arrow can read."""
    return (hasattr(X, "iloc") or hasattr(X, "__arrow_c_stream__")) and hasattr(X, "columns")


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


def refuse_text(X: Frame, levels: Collection[str] = ()) -> None:
    """Raise a `DataError` with the place of the first cell of a frame that is not a number.

    Parameters
    ----------
    X : data frame
        Anything else passes.
    levels : collection of str
        Columns that are read as levels, beside categorical ones.
    """
    if not is_frame(X):
        return
    if not _is_pandas(X):
        from chainrule.engine.data.arrow_frames import first_text

        found = first_text(X, levels)
        if found is not None:
            raise _no_number(*found)
        return
    for place, name in enumerate(X.columns):
        values = X.iloc[:, place]
        if not (_is_numeric(values.dtype) or _is_categorical(values.dtype) or name in levels):
            _refuse_cells(values, str(name))


def _refuse_cells(values: Any, name: str) -> None:  # noqa: ANN401
    found = first_other(values.tolist())
    if found is not None:
        raise _no_number(name, *found)


def _no_number(name: str, row: int, value: object) -> DataError:
    cure = f"pandas: X.astype({{{name!r}: 'category'}})"
    as_number = f", or numbers, X.astype({{{name!r}: float}})" if reads_as_number(value) else ""
    return DataError(
        f"column {name!r} holds {value!r} in row {row}, which is not a number: make the column "
        f"categorical ({cure}{as_number}), or leave it out"
    )


def _is_numeric(dtype: Any) -> bool:  # noqa: ANN401
    return getattr(dtype, "kind", "O") in "biuf"


def with_plain_columns(X: Frame, levels: Collection[str] = ()) -> Frame:
    """Return a pandas frame whose columns are numbers or categories, as NumPy reads both.

    Objects become float64, dictionaries of Arrow categories, and sparse columns whose fill value is
    not 0 dense. Columns in `levels`, and other frames, are returned as they are.

    Raises
    ------
    DataError
        For a cell that is not a number; it names column and row.
    """
    if not _is_pandas(X):
        refuse_text(X, levels)
        return X if hasattr(X, "__array__") else _as_table(X)
    found = X
    for place, dtype in enumerate(getattr(X, "dtypes", ())):
        is_plain = _is_numeric(dtype) and not getattr(dtype, "fill_value", 0)
        is_dictionary = str(dtype).startswith("dictionary<")  # as Arrow calls categories
        is_level = X.columns[place] in levels and not is_dictionary
        if is_plain or is_level or _is_categorical(dtype):
            continue
        found = X.copy(deep=False) if found is X else found
        values, name = X.iloc[:, place], str(X.columns[place])
        found.isetitem(place, _categories(values) if is_dictionary else _numbers(values, name))
    return found


def _as_table(X: Frame) -> Frame:
    from chainrule.engine.data.arrow_frames import as_table

    return as_table(X)


def _categories(values: Any) -> Any:  # noqa: ANN401
    """Return a pandas column as categories, one object at a time."""
    return type(values)(list(values), index=values.index, name=values.name, dtype="category")


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
    found = np.asarray(values.to_numpy())
    if found.dtype.kind == "c":
        return as_numbers(found, f"column {name!r}")
    if found.dtype.kind in "SUT":
        _refuse_cells(values, name)
    if found.dtype.kind in "biuf":
        return found
    if found.dtype.kind in "mM":
        raise _no_numbers(name, str(values.dtype))
    if found.dtype.kind == "O":
        _refuse_cells(values, name)
        return as_numbers(np.asarray(values.astype(object)), f"column {name!r}")
    raise DataError(
        f"column {name!r} holds neither numbers nor categories ({values.dtype}): make it "
        f"categorical, X[{name!r}].astype('category')"
    )


def _no_numbers(name: str, kind: str) -> DataError:
    return DataError(
        f"column {name!r} holds dates or times ({kind}), which are no numbers: use parts of them, "
        f"such as the year or the days since a start, or leave the column out"
    )
