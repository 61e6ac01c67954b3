"""Folds of cross-validation: by classes, by whole groups, or forward in time."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, check_cv

from chainrule.engine.arrays import IntArray
from chainrule.errors import DataError
from chainrule.estimators.time_folds import Folds, time_folds

_FOLDS = 5


def folds_of(
    cv: Any,  # noqa: ANN401
    X: Any,  # noqa: ANN401
    y: npt.NDArray[Any],
    *,
    classifier: bool,
    groups: Any = None,  # noqa: ANN401
    time: Any = None,  # noqa: ANN401
    params: Mapping[str, Any] | None = None,
) -> Folds:
    """Return training rows and held-out rows of each fold.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        As in scikit-learn; None is 5 folds, stratified by the classes of a classifier.
    X, y : array-like
    classifier : bool
    groups : array-like of shape (n_samples,), optional
        Rows of one group are held out together.
    time : array-like of shape (n_samples,), optional
        Each fold holds out later rows than it trains on; rows of one moment stay together.
    params : mapping, optional
        Metadata for the splitter.

    Raises
    ------
    DataError
        When there are fewer groups or moments than folds, a time is missing, a fold is empty, or
        a row number is out of range.
    """
    n_rows = len(y)
    if groups is not None and time is not None:
        raise DataError("groups and time both make the folds; pass one of them")
    if time is not None:
        return time_folds(_one_per_row(time, "time", n_rows), _count(cv, "time"))
    if groups is not None:
        groups = _one_per_row(groups, "groups", n_rows)
        if cv is None or isinstance(cv, Integral):
            n_folds = _count(cv, "groups")
            n_groups = len(_distinct(groups))
            if n_groups < n_folds:
                raise DataError(
                    f"groups has {n_groups} distinct values, fewer than the {n_folds} folds: use "
                    f"cv={n_groups} or fewer"
                    if n_groups > 1
                    else "groups has one value only, so no fold can hold out a group; omit groups"
                )
            cv = (StratifiedGroupKFold if classifier else GroupKFold)(n_folds)
        params = {**(params or {}), "groups": groups}
    splitter = check_cv(_FOLDS if cv is None else cv, y, classifier=classifier)
    found = list(splitter.split(X, y, **(params or {})))
    if not found:
        raise DataError(f"cv={cv!r} makes no fold: pass a number of folds, 2 or more")
    return [_checked(k, train, test, n_rows) for k, (train, test) in enumerate(found)]


def _count(cv: Any, name: str) -> int:  # noqa: ANN401
    if cv is None:
        return _FOLDS
    if not isinstance(cv, Integral) or isinstance(cv, bool) or cv < 2:
        raise DataError(f"with {name}, cv is the number of folds, 2 or more, not {cv!r}")
    return int(cv)


def _one_per_row(values: Any, name: str, n_rows: int) -> npt.NDArray[Any]:  # noqa: ANN401
    found = np.asarray(values)
    if found.shape != (n_rows,):
        raise DataError(f"{name} has shape {found.shape}, expected ({n_rows},): one per row of X")
    return found


def _distinct(groups: npt.NDArray[Any]) -> npt.NDArray[Any]:
    try:
        missing = np.flatnonzero([group is None or group != group for group in groups.tolist()])
        if len(missing):
            raise DataError(f"groups is missing in row {missing[0]}: give every row a group")
        return np.unique(groups)
    except TypeError as error:
        raise DataError("groups mixes numbers and strings; make all of them strings") from error


def _checked(k: int, train: Any, test: Any, n_rows: int) -> tuple[IntArray, IntArray]:  # noqa: ANN401
    rows = []
    for name, part in (("training", train), ("held-out", test)):
        places = np.asarray(part)
        if places.dtype == np.bool_:
            places = np.flatnonzero(places)
        if not places.size:
            raise DataError(f"fold {k} has no {name} rows: use fewer folds, or other splits")
        if places.dtype.kind not in "iu" and not (places == np.floor(places)).all():
            raise DataError(f"fold {k} names {name} rows by numbers that are not whole")
        if places.min() < -n_rows or places.max() >= n_rows:
            raise DataError(f"fold {k} names a row that X, of {n_rows} rows, does not have")
        rows.append(places.astype(np.intp, copy=False))
    return rows[0], rows[1]
