"""Arrays of numbers from whatever was handed over, or an error that names what is not a number.

NumPy turns text, dates, complex numbers and masked entries into numbers in silence. Here each of
them is refused with its place.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.data.cells import are_numbers, is_missing, is_number
from chainrule.errors import DataError

Array = npt.NDArray[Any]

_AXES: Final = ("row", "column")
_SHOWN: Final[int] = 60


def as_numbers(values: Any, name: str) -> Array:  # noqa: ANN401
    """Return an array of real numbers of any dtype and shape.

    Parameters
    ----------
    values : array_like
    name : str
        What errors call it.

    Raises
    ------
    DataError
        For text, dates, complex numbers, masked entries and objects that are not numbers.
    """
    refuse_masked(values, name)
    found = as_array(values, name)
    kind = found.dtype.kind
    if kind in "biuf":
        return found
    if kind in "mM":
        raise _refused(found, name, "use parts of dates, such as the days since a start")
    if kind in "SUT":
        raise _refused(found, name, f"convert text to numbers, {name}.astype(float)")
    if kind == "c":
        raise _refused(found, name, "Complex data not supported")
    if kind == "V":
        fields = ", ".join(found.dtype.names or ())
        raise DataError(
            f"{name} is an array of records ({fields}): pass a data frame of it, "
            f"pandas.DataFrame({name}), or one of its fields"
        )
    if found.ndim == 0 and not is_number(found[()]):
        raise DataError(
            f"{name} is {_a_kind(values)}, not an array of numbers{_cure(values, name)}"
        )
    return _of_objects(found, name)


def plain_table(X: Any) -> Array:  # noqa: ANN401
    """Return an array of real numbers, or of what scikit-learn refuses in words of its own.

    Its estimators share the errors for complex numbers, wrong shapes, and objects such as dicts.
    """
    if getattr(getattr(X, "dtype", None), "kind", "O") in "cSU":
        return np.asarray(X)
    found = as_array(X, "X")
    if found.dtype.kind == "O" and found.ndim and set(map(type, found.ravel())) & {dict, set}:
        return found
    return found if found.dtype.kind == "c" else as_numbers(X, "X")


def as_array(values: Any, name: str) -> Array:  # noqa: ANN401
    """Return an array of any dtype.

    Raises
    ------
    DataError
        Where its parts have different lengths.
    """
    try:
        return np.asarray(values)
    except ValueError as error:
        if "inhomogeneous" not in str(error) and "sequence" not in str(error):
            raise
        raise DataError(f"{name} holds rows of different lengths, or lists within rows") from error


def refuse_masked(values: Any, name: str) -> None:  # noqa: ANN401
    """Raise DataError for an entry that a NumPy array masks: NumPy would read what lies under."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        masked = np.argwhere(np.ma.getmaskarray(values))[0]
        raise DataError(
            f"{name} is masked in {place(masked)}: drop such rows, or fill them, {name}.filled(...)"
        )


def place(index: Any) -> str:  # noqa: ANN401
    """Return the place of an entry in words: 'row 3, column 2'."""
    places = [int(number) for number in index]
    if len(places) > len(_AXES):
        return f"entry {places}"
    return ", ".join(f"{axis} {number}" for axis, number in zip(_AXES, places, strict=False))


def _cure(values: object, name: str) -> str:
    """Return what makes an array or a frame of an object that stands for rows not yet there."""
    for method in ("collect", "compute", "read_all", "to_arrow_table", "df"):
        if callable(getattr(values, method, None)):
            return f": pass {name}.{method}()"
    return f": pass pyarrow.table({name})" if hasattr(values, "__arrow_c_stream__") else ""


def _a_kind(value: object) -> str:
    """Return the name of a type with its article: 'a LazyFrame'."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _of_objects(found: Array, name: str) -> Array:
    """Return objects as float64; None and the missing values of pandas are NaN."""
    if not are_numbers(found):
        for index in np.ndindex(found.shape):
            if not (is_number(found[index]) or is_missing(found[index])):
                raise _unlike(name, index, found[index])
    numbers = np.empty(found.shape)
    for index in np.ndindex(found.shape):
        value = found[index]
        try:
            numbers[index] = np.nan if is_missing(value) else float(value)
        except OverflowError as error:
            raise DataError(
                f"{name} holds a number beyond the range of float64 in {place(index)}"
            ) from error
    return numbers


def _refused(found: Array, name: str, cure: str) -> DataError:
    if not found.size:
        return DataError(f"{name} must hold numbers, not {found.dtype}: {cure}")
    index = (0,) * found.ndim
    return _unlike(name, index, found[index], cure)


def _unlike(name: str, index: tuple[int, ...], value: object, cure: str = "") -> DataError:
    value = value.item() if isinstance(value, np.generic) else value
    said = repr(value)
    said = said if len(said) <= _SHOWN else f"{said[:_SHOWN]}..."
    where = f"{place(index)} holds {said}" if index else f"it is {said}"
    return DataError(f"{name} must hold numbers, but {where}{cure and ': '}{cure}")
