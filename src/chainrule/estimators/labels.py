"""Labels of classes, as users hand them over."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from chainrule.estimators.inputs import (
    are_counted,
    distinct,
    is_plain,
    refuse_missing,
)
from chainrule.estimators.label_types import as_column, of_one_kind

Matrix = Any
Labels = npt.NDArray[Any]

_MANY_LABELS: Final[int] = 100_000
_FEW_CLASSES: Final[int] = 20


def class_labels(y: Matrix) -> tuple[Labels, Labels]:
    """Return labels that can be classes, and the distinct ones among them."""
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    labels = y if is_plain(y, 1, "biuf") else np.asarray(column_or_1d(as_column(y), warn=True))
    refuse_missing(labels)
    labels = of_one_kind(labels)
    are_plain = labels.dtype.kind in "biufUS" or len(labels) > _MANY_LABELS
    few = distinct(labels) if are_plain else labels
    if len(few) > _FEW_CLASSES or not are_counted(few):
        check_classification_targets(few if len(few) <= _FEW_CLASSES else labels)
    return labels, few if are_plain else distinct(labels)
