"""Arguments beside X, parsed: weights, offsets, proportions, threads.

Every refusal names the row, or the shape that was expected.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from numbers import Real
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.number_arrays import as_numbers
from chainrule.engine.data.sources import InMemorySource
from chainrule.errors import DataError
from chainrule.estimators.label_types import as_column, missing_row, of_one_kind

Labels = npt.NDArray[Any]

_SUM_TOLERANCE: Final[float] = 1e-12
_FEW: Final[int] = 2**16
_COMPARED: Final[int] = 8
_CLOSE: Final[int] = 2**16
_LARGEST: Final[float] = 1e150
_SMALLEST: Final[float] = 1e-300
_WIDE: Final[float] = 1e6
"""Entries of dense X from which threads repay the time that they take to begin, in L1 fits."""

_ONE: Final = np.ones(1)


def as_weights(sample_weight: Any, n_samples: int) -> FloatArray:  # noqa: ANN401
    """Return one weight per row; a number stands for all rows, nothing for ones.

    Ones that nobody gave take no memory: they are one number, seen `n_samples` times.
    """
    if sample_weight is None:
        return _ones_nobody_gave(n_samples)
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, float(sample_weight))
    weights = as_numbers(sample_weight, "sample_weight").astype(np.float64, copy=False)
    if weights.shape != (n_samples,):
        raise DataError(
            f"sample_weight has shape {weights.shape}, expected ({n_samples},): one per row of X"
        )
    bad: IntArray = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise DataError(
            f"sample_weight must be finite and >= 0, not {weights[bad[0]]} as in row {bad[0]}"
        )
    if not weights.any():
        raise DataError("sample_weight is zero in every row: there is nothing to fit")
    _check_size(weights, "sample_weight is")
    return weights


def _ones_nobody_gave(n_samples: int) -> FloatArray:
    ones = np.ndarray((n_samples,), np.float64, _ONE, strides=(0,))
    ones.setflags(write=False)
    return ones


def _check_size(weights: FloatArray, what: str) -> None:
    """Raise if the largest weight is so large or small that sums of losses overflow or vanish."""
    row = int(np.argmax(weights))
    if not _SMALLEST <= weights[row] <= _LARGEST:
        raise DataError(
            f"{what} {weights[row]:g} in row {row}, the largest one: sums of losses leave the "
            "range of float64. Divide the weights by their mean"
        )


def are_implied(weights: FloatArray) -> bool:
    """Tell whether these are the ones of `as_weights` that nobody gave."""
    return weights.strides == (0,)


def positive(weights: FloatArray) -> IntArray | None:
    """Return the rows of positive weight; nothing for all."""
    return None if are_implied(weights) or (weights > 0).all() else np.flatnonzero(weights > 0)


def is_plain(values: Any, n_dims: int, kinds: str) -> bool:  # noqa: ANN401
    """Tell whether this is an array of numbers, and nothing more.

    Of such an array scikit-learn's checks have nothing to say, and they take as long as a small
    fit: the first one looks for the kinds of data frames that are installed, in all packages.
    """
    is_array = type(values) is np.ndarray and values.ndim == n_dims
    return is_array and values.dtype.kind in kinds and values.size > 0


def are_counted(labels: Labels) -> bool:
    """Tell whether these are whole numbers, as classes are, and measurements hardly ever."""
    if labels.dtype.kind == "f":
        return float(np.abs(labels).max(initial=0)) < 2**53 and bool((labels % 1 == 0).all())
    return labels.dtype.kind in "biu" and labels.size > 0


def as_labels(y: Any) -> Labels:  # noqa: ANN401
    """Return class labels as one column: whole numbers, booleans or strings.

    Raises
    ------
    DataError
        When y has another shape, holds a missing label, or numbers that are not whole.
    """
    labels = np.asarray(as_column(y))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or not labels.size:
        raise DataError(f"y must hold one label per row of X, but it has shape {labels.shape}")
    refuse_missing(labels)
    labels = of_one_kind(labels)
    if labels.dtype.kind == "c" or (labels.dtype.kind == "f" and not are_counted(labels)):
        bad = int(np.flatnonzero(labels % 1 != 0)[0]) if labels.dtype.kind == "f" else 0
        raise DataError(
            f"y is {labels[bad]} in row {bad}, which is not a class label; pass whole numbers, "
            "booleans or strings"
        )
    return labels


def refuse_missing(labels: Labels) -> None:
    """Raise DataError for a label that is NaN, inf, NaT or None, naming its row."""
    if labels.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(labels))
        if len(bad):
            raise DataError(f"y contains NaN or inf ({labels[bad[0]]}) in row {bad[0]}")
    row = missing_row(labels)
    if row is not None:
        name = "NaT" if labels.dtype.kind in "mM" else "NaN"
        raise DataError(f"y contains a missing label ({name}) in row {row}")


def distinct(labels: Labels) -> Labels:
    """Return the sorted distinct labels, with room for a few rows at a time."""
    known = labels[:0]
    for start in _starts(labels):
        few = labels[start : start + _FEW]
        if 0 < len(known) <= 2 and ((few == known[0]) | (few == known[-1])).all():
            continue  # no third class, as hardly ever where two have been seen
        counted = _counted(few) if few.dtype.kind in "biu" else None
        if counted is not None and not len(known):
            known = counted
            continue
        fresh = few if counted is None else counted
        if len(known) <= _COMPARED:
            for label in known:
                fresh = fresh[fresh != label]
        if len(fresh):
            known = np.unique(np.concatenate([known, fresh]))
    return np.asarray(known)


def codes_of(labels: Labels, classes: Labels) -> Labels:
    """Return the place of each label among the sorted classes, in the smallest integers."""
    if len(classes) == 2:
        return np.asarray(labels == classes[1]).view(np.uint8)
    codes = np.empty(len(labels), dtype=np.min_scalar_type(max(1, len(classes) - 1)))
    place = _places(classes) if classes.dtype.kind in "biu" else None
    for start in _starts(labels):
        part = slice(start, start + _FEW)
        few = labels[part]
        if place is None:
            codes[part] = np.searchsorted(classes, few)
        else:
            codes[part] = place[_above(classes[0], few)]
    return codes


def _starts(labels: Labels) -> range:
    return range(0, len(labels), _FEW)


def _counted(labels: Labels) -> Labels | None:
    """Return the sorted distinct labels of integers that lie close together; None for others."""
    low, high = labels.min(), labels.max()
    if int(high) - int(low) >= _CLOSE:
        return None
    if int(high) - int(low) <= 1:
        return np.array([low, high] if high > low else [low], dtype=labels.dtype)
    steps = np.flatnonzero(np.bincount(_above(low, labels)))
    return np.asarray(steps.astype(labels.dtype) + low)  # where a step wraps, so does the sum


def _places(classes: Labels) -> IntArray | None:
    """Return the place of each integer from the lowest class on, if they lie close together."""
    if int(classes[-1]) - int(classes[0]) >= _CLOSE:
        return None
    found = np.zeros(int(classes[-1]) - int(classes[0]) + 1, dtype=np.intp)
    found[_above(classes[0], classes)] = np.arange(len(classes))
    return found


def _above(low: Any, labels: Labels) -> IntArray:  # noqa: ANN401
    """Return how far integers lie above one of them, which is near enough to be told in 64 bits."""
    wide = np.uint64 if labels.dtype.kind == "u" else np.int64
    return (labels.astype(wide, copy=False) - wide(low)).astype(np.intp, copy=False)


def as_offset(offset: Any, n_samples: int, n_outputs: int) -> FloatArray | None:  # noqa: ANN401
    """Return one offset per row and output, shape (n_samples, n_outputs); nothing for nothing."""
    if offset is None:
        return None
    values = as_numbers(offset, "offset").astype(np.float64, copy=False)
    if values.ndim == 0:
        values = np.full((n_samples,) if n_outputs == 1 else (n_samples, n_outputs), float(values))
    expected = (n_samples,) if n_outputs == 1 else (n_samples, n_outputs)
    if values.shape != expected:
        what = "one per row of X" if n_outputs == 1 else "one per row of X and class"
        raise DataError(f"offset has shape {values.shape}, expected {expected}: {what}")
    table = values.reshape(n_samples, n_outputs)
    bad = np.flatnonzero(~(np.abs(table) <= _LARGEST).all(axis=1))
    if len(bad):
        raise DataError(
            f"offset must be finite, and at most {_LARGEST:g}, not {values[bad[0]]} as in "
            f"row {bad[0]}"
        )
    return table


def as_proportions(y: Any, n_samples: int) -> FloatArray:  # noqa: ANN401
    """Return proportions: (n_samples,) of the second of two classes, or a row for all classes."""
    if y is None:
        raise DataError("fit_proportions requires y: the share of the second class in each row")
    values = as_numbers(y, "y").astype(np.float64, copy=False)
    if values.ndim not in (1, 2) or len(values) != n_samples:
        raise DataError(
            f"proportions have shape {values.shape}, expected ({n_samples},) for two classes or "
            f"({n_samples}, n_classes)"
        )
    table = values.reshape(n_samples, -1)
    bad = np.flatnonzero(~((table >= 0) & (table <= 1)).all(axis=1))
    if len(bad):
        raise DataError(f"proportions lie in [0, 1], but row {bad[0]} holds {values[bad[0]]}")
    if values.ndim == 1:
        return values
    if table.shape[1] < 2:
        raise DataError("proportions of one class only; a classifier needs at least two")
    bad = np.flatnonzero(np.abs(table.sum(axis=1) - 1) > _SUM_TOLERANCE * table.shape[1])
    if len(bad):
        raise DataError(
            f"the proportions of a row add to one, but those of row {bad[0]} add to "
            f"{table[bad[0]].sum():g}"
        )
    return np.ascontiguousarray(table[:, 1]) if table.shape[1] == 2 else table


def _class_factors(
    class_weight: Mapping[Any, float] | str,
    classes: npt.NDArray[Any],
    totals: FloatArray,
) -> FloatArray:
    """Return the factor of each class on the sample weights.

    Parameters
    ----------
    class_weight : dict or 'balanced'
    classes : ndarray of shape (n_classes,)
    totals : ndarray of shape (n_classes,)
        The weight that each class has without it.
    """
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(
                f"class_weight must be a dict, 'balanced' or None, not {class_weight!r}"
            )
        factors = totals.sum() / (len(classes) * totals)
    else:
        factors = np.array([float(class_weight.get(c, 1.0)) for c in classes.tolist()])
    if not (np.isfinite(factors) & (factors >= 0)).all():
        raise ValueError(f"class_weight must be finite and >= 0, not {factors.tolist()}")
    return np.asarray(factors)


def _check_class_weight(class_weight: Any, known: Labels) -> None:  # noqa: ANN401
    """Raise for class weights that would do nothing."""
    if isinstance(class_weight, str):
        return
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            "class_weight must be a dict from class to weight, 'balanced' or None, not "
            f"{class_weight!r}"
        )
    classes = known.tolist()
    foreign = [key for key in class_weight if key not in classes]
    if foreign:
        raise DataError(
            f"class_weight names {foreign[0]!r}, which no label in y is: the classes are "
            f"{classes[:12]}"
        )


def class_weighted(
    class_weight: Mapping[Any, float] | str | None,
    weights: FloatArray,
    labels: Labels,
    known: Labels,
) -> tuple[FloatArray, Labels]:
    """Return weights by row and class, and the labels that occur with a positive one.

    Parameters
    ----------
    class_weight : dict, 'balanced' or None
    weights : ndarray of shape (n_samples,)
    labels : ndarray of shape (n_samples,)
    known : ndarray
        The distinct labels among them, sorted.

    Raises
    ------
    DataError
        Where fewer than two classes are left.
    """
    rows = positive(weights)
    used = labels if rows is None else labels[rows]
    classes = known if rows is None else distinct(used)
    if class_weight is not None:
        _check_class_weight(class_weight, known)
        weights, codes = weights.copy(), codes_of(used, classes)
        counted = slice(None) if rows is None else rows
        totals = np.bincount(codes, weights[counted], minlength=len(classes)).astype(float)
        factors = _class_factors(class_weight, classes, totals)
        weights[counted] *= factors[codes]
        if weights.any():
            _check_size(weights, "class_weight makes the weight")
        classes = classes[factors > 0]
    if len(classes) < 2:
        what = repr(classes[:1].tolist()[0]) if len(classes) else "none with positive weight"
        raise DataError(f"y holds only one class ({what}); a classifier needs at least two")
    return weights, classes


def n_threads(n_jobs: int | None, default: int) -> int:
    """Return how many threads `n_jobs` asks for, in scikit-learn's reading of negative numbers."""
    if n_jobs is None:
        return default
    if n_jobs < 0:
        return max(1, n_cores() + 1 + int(n_jobs))
    return max(1, int(n_jobs))


def threads_of(n_jobs: int | None, source: InMemorySource, *, absolute: bool = False) -> int:
    """Return how many threads share the passes of a fit, with absolute values in its penalty."""
    many = source.is_fused or (absolute and source.is_dense and source.n_entries >= _WIDE)
    return n_threads(n_jobs, default=n_cores() if many else 1)


def n_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
