"""Labels of types that NumPy or scikit-learn would turn into other ones, in silence or with noise.

NumPy makes text of a list of words and numbers, so that a missing label becomes the word 'nan'.
Here labels keep their types until they are known to be of one kind, and what cannot be a class is
named.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.data.cells import is_missing
from chainrule.engine.data.number_arrays import refuse_masked
from chainrule.errors import DataError

Labels = npt.NDArray[Any]

_LEFT: Final = (bytes, complex, list, tuple, dict, set, np.ndarray)
"""Types for which scikit-learn's own error says what to do."""


def as_column(y: Any) -> Any:  # noqa: ANN401
    """Return labels or targets as scikit-learn reads them, each of the type that it came with.

    Raises
    ------
    DataError
        Where entries are masked.
    """
    refuse_masked(y, "y")
    if isinstance(y, list | tuple):
        kinds = set(map(type, y))
        n_texts = sum(issubclass(kind, str | bytes) for kind in kinds)
        return _objects(y) if 0 < n_texts < len(kinds) else y
    dtype = getattr(y, "dtype", None)
    is_dictionary = hasattr(dtype, "pyarrow_dtype") and str(dtype).startswith("dictionary")
    return _objects(list(y)) if isinstance(dtype, np.dtypes.StringDType) or is_dictionary else y


def of_one_kind(labels: Labels) -> Labels:
    """Return labels, with objects that are all numbers as an array of numbers.

    Raises
    ------
    DataError
        For labels of several kinds, and for one that cannot be a class; it names the row.
    """
    if labels.dtype.kind != "O" or labels.ndim != 1 or not len(labels):
        return labels
    kinds = {kind: _family(kind) for kind in set(map(type, labels))}
    if any(issubclass(kind, _LEFT) for kind in kinds):
        return labels
    families = [kinds[type(label)] for label in labels] if len(kinds) > 1 else [*kinds.values()]
    if "" in families:
        raise _no_class(labels, families.index(""))
    if len(set(families)) > 1:
        row = next(row for row, family in enumerate(families) if family != families[0])
        raise DataError(
            f"y mixes labels of two types, {labels[0]!r} in row 0 and {labels[row]!r} in row "
            f"{row}: pass labels of one type, such as [str(label) for label in y]"
        )
    if families[0] == "text":
        return labels
    numbers = np.array(labels.tolist())
    if numbers.dtype.kind == "O" or (numbers != labels).any():
        raise _no_class(labels, max(range(len(labels)), key=lambda row: abs(labels[row])))
    return numbers


def missing_row(labels: Labels) -> int | None:
    """Return the first row whose label is None, NaN, NaT or pandas' NA; None for none."""
    if labels.dtype.kind in "mM":
        missing = np.flatnonzero(np.isnat(labels))
        return int(missing[0]) if len(missing) else None
    if labels.dtype.kind != "O":
        return None
    return next((row for row, label in enumerate(labels) if _is_missing(label)), None)


def _is_missing(label: Any) -> bool:  # noqa: ANN401
    """Tell whether a label is missing; what pandas calls NA is not to be compared."""
    return is_missing(label) or (isinstance(label, Real) and bool(label != label))


def _family(kind: type) -> str:
    """Return the kind of labels that a type belongs to; '' where it cannot be a class."""
    if issubclass(kind, str):
        return "text"
    if issubclass(kind, bool | np.bool_):
        return "booleans"
    return "numbers" if issubclass(kind, Integral | float | np.floating) else ""


def _no_class(labels: Labels, row: int) -> DataError:
    return DataError(
        f"y is {labels[row]!r} in row {row}, which cannot be a class label; pass whole numbers of "
        "64 bits, booleans or strings, such as [str(label) for label in y]"
    )


def _objects(values: Sequence[Any]) -> Labels:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
