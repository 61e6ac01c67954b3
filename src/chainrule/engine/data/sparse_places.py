"""The index arrays of sparse matrices, checked before compiled loops trust them.

SciPy checks them where a matrix is made, but they can be written to afterwards, and neither its
routines nor the passes look again: an index out of range reads or writes memory that is not theirs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import DataError


def refuse_places(X: Any) -> None:  # noqa: ANN401
    """Raise DataError for a sparse matrix whose entries lie outside it.

    Parameters
    ----------
    X : sparse matrix
        CSR, CSC, BSR and COO are checked; the other formats hold no index arrays, or are checked by
        SciPy when they are turned into one of these.
    """
    if X.ndim != 2:
        return
    n_rows, n_columns = X.shape
    if X.format == "coo":
        _refuse_outside(X.row, n_rows, "row")
        _refuse_outside(X.col, n_columns, "column")
        if not len(X.row) == len(X.col) == len(X.data):
            raise _broken("has as many row indices as column indices and numbers")
    elif X.format in ("csr", "csc", "bsr"):
        size = X.blocksize if X.format == "bsr" else (1, 1)
        n_lines = n_columns if X.format == "csc" else n_rows // size[0]
        width = n_rows if X.format == "csc" else n_columns // size[1]
        _refuse_pointers(X, n_lines)
        what = "row" if X.format == "csc" else "column"
        _refuse_outside(X.indices[: int(X.indptr[-1])], width, what)


def _refuse_pointers(X: Any, n_lines: int) -> None:  # noqa: ANN401
    pointers = X.indptr
    if len(pointers) != n_lines + 1 or pointers[0] != 0:
        raise _broken(f"has {n_lines + 1} entries in indptr, the first of them 0")
    if (pointers[1:] < pointers[:-1]).any():
        raise _broken("has an indptr that never falls")
    if pointers[-1] > min(len(X.indices), len(X.data)):
        raise _broken("has an index and a number for each entry that indptr counts")


def _refuse_outside(indices: Any, size: int, what: str) -> None:  # noqa: ANN401
    # as unsigned numbers, negative ones are beyond every size: one look at each index
    if not len(indices) or int(indices.view(indices.dtype.str.replace("i", "u")).max()) < size:
        return
    entry = int(np.flatnonzero((indices < 0) | (indices >= size))[0])
    raise DataError(
        f"X is a sparse matrix with {size} {what}s, but entry {entry} lies in {what} "
        f"{int(indices[entry])}: its index arrays were changed after it was made"
    )


def _broken(rule: str) -> DataError:
    return DataError(
        f"X is a sparse matrix whose index arrays contradict each other: a sound one {rule}. "
        "X.check_format() says more"
    )
