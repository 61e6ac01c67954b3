"""Penalties as users describe them: by numbers, by arrays, by names of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.penalties.elastic_net import Shape, ends_of
from chainrule.engine.penalties.groups import GroupShape
from chainrule.errors import DataError
from chainrule.estimators.column_groups import group_numbers


def shared_l1_ratio(l1_ratio: Any) -> float:  # noqa: ANN401
    """Return the share of absolute values in a penalty, 0 for None.

    Raises
    ------
    ValueError
        When it is not a number from 0 to 1.
    """
    if l1_ratio is None:
        return 0.0
    if (
        isinstance(l1_ratio, bool)
        or not isinstance(l1_ratio, Real)
        or not 0 <= float(l1_ratio) <= 1
    ):
        raise ValueError(f"l1_ratio must be a number from 0 to 1, or None, not {l1_ratio!r}")
    return float(l1_ratio)


def check_relax(relax: Any, l1_ratios: Sequence[float]) -> None:  # noqa: ANN401
    """Raise ValueError unless `relax` is True or False, and True only where columns are chosen."""
    if not isinstance(relax, bool | np.bool_):
        raise ValueError(f"relax must be True or False, not {relax!r}")
    if relax and min(l1_ratios) == 0:
        raise ValueError(
            "relax=True refits the columns that an L1 penalty chooses, and with l1_ratio=0 it "
            "chooses none; use an l1_ratio above 0, or omit relax"
        )


def adaptive_gamma(adaptive: Any, l1_ratio: float) -> float:  # noqa: ANN401
    """Return the power of the pilot in adaptive weights, 0 for none.

    Raises
    ------
    ValueError
        When it is neither True, False nor a positive number, or there is no L1 penalty to weight.
    """
    is_flag = isinstance(adaptive, bool | np.bool_)
    if not is_flag and not (isinstance(adaptive, Real) and 0 < float(adaptive) < np.inf):
        raise ValueError(f"adaptive must be True, False or a positive number, not {adaptive!r}")
    gamma = float(adaptive)
    if gamma and l1_ratio == 0:
        raise ValueError(
            "adaptive weights the absolute values in a penalty, and with l1_ratio=0 there are "
            "none; use an l1_ratio above 0, or omit adaptive"
        )
    return gamma


def shape_of(
    n_coefficients: int,
    l1_ratio: float,
    penalty_factor: Any,  # noqa: ANN401
    bounds: Any,  # noqa: ANN401
    *,
    positive: bool,
    names: Sequence[str] | None,
    levels: Mapping[str, Any],
    column_groups: Any = None,  # noqa: ANN401
) -> Shape | None:
    """Return a penalty; None where it is the L2 penalty alone, the same for all columns.

    Parameters
    ----------
    n_coefficients : int
    l1_ratio : float
    penalty_factor : array-like, mapping from a name to a number, or None
    bounds : pair or None
        (lower, upper); each a number, array-like, mapping, or None.
    positive : bool
    names : sequence of str or None
        Of the coefficients.
    levels : mapping
        The levels of each categorical column, whose coefficients share what its name is given.
    column_groups : 'levels', mapping from a name to a label, array-like, or None
        Groups of columns, whose norms take the place of absolute values.
    """
    if not isinstance(positive, bool | np.bool_):
        raise ValueError(f"positive must be True or False, not {positive!r}")
    is_plain = penalty_factor is None and bounds is None and column_groups is None
    if l1_ratio == 0 and is_plain and not positive:
        return None
    if bounds is not None:
        low, high = ends_of(bounds)
        bounds = (
            _by_name(low, n_coefficients, names, levels, -np.inf),
            _by_name(high, n_coefficients, names, levels, np.inf),
        )
    factors = _by_name(penalty_factor, n_coefficients, names, levels, 1.0)
    shape = Shape.checked(
        n_coefficients, l1_ratio, factors, bounds, positive=bool(positive), column_names=names
    )
    if column_groups is not None:
        if l1_ratio == 0:
            raise ValueError(
                "column_groups is for a penalty with norms of groups, and with l1_ratio=0 there "
                "are none; use an l1_ratio above 0, or omit column_groups"
            )
        labels = group_numbers(column_groups, n_coefficients, names, levels)
        return GroupShape.grouped(shape, labels)
    return None if shape.is_plain else shape


def _by_name(
    given: Any,  # noqa: ANN401
    n_coefficients: int,
    names: Sequence[str] | None,
    levels: Mapping[str, Any],
    default: float,
) -> Any:  # noqa: ANN401
    """Return one number per coefficient from a mapping by names; other values as they are."""
    if not isinstance(given, Mapping):
        return given
    if names is None:
        raise DataError(
            f"{next(iter(given), '')!r} names a column, but X has no column names: pass a data "
            "frame, or one number per column"
        )
    found: FloatArray = np.full(n_coefficients, default)
    for name, value in given.items():
        members = {f"{name}_{level}" for level in levels.get(str(name), ())} or {str(name)}
        places = [j for j, other in enumerate(names) if other in members]
        if not places:
            raise DataError(f"no column is called {name!r}; there are {', '.join(names[:12])}")
        found[places] = float(value)
    return found


def checked_strength(C: float) -> float:
    """Return the inverse strength of a penalty if it is one: positive, or inf for no penalty."""
    if not isinstance(C, Real) or not float(C) > 0:
        raise ValueError(f"C must be a positive number or np.inf, not {C!r}")
    if np.isinf(1 / float(C)):
        raise ValueError(f"C={C!r} is too small: 1 / C is not in the range of float64")
    return float(C)
