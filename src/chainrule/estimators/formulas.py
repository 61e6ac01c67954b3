"""`from_formula`: estimators fitted to a data frame by a formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.inference.tables import Table
from chainrule.errors import DataError
from chainrule.formulas.columns import Column, Numbers, Words
from chainrule.formulas.design import Formula, fit_formula
from chainrule.formulas.parsing import parse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class FromFormula:
    """Gives an estimator `from_formula`; its other methods then take frames with the columns."""

    formula_: Formula

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,  # noqa: ANN401
        *,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        **parameters: Any,  # noqa: ANN401
    ) -> Self:
        """Fit an estimator by a formula.

        Parameters
        ----------
        formula : str
            Such as ``"y ~ a*b + bs(age, df=4) + C(race, ref='white') + log(income)"``. It is read
            by formulaic; nothing in it is run as code. Text columns are categories, whose first
            level is the reference unless ``C(column, ref=...)`` names another.
        data : data frame
            With the columns of the formula, the target included.
        sample_weight, offset : array-like of shape (n_samples,), optional
        **parameters
            Parameters of the estimator, such as ``C=np.inf``.

        Returns
        -------
        estimator
            Fitted; `formula_` holds the formula and what it learnt. `predict`, `inference` and the
            others take data frames with the columns of the formula.

        Raises
        ------
        DataError
            When the formula cannot be read, a column is not there, or a value is missing.

        Examples
        --------
        >>> import pandas as pd
        >>> from chainrule import LogisticRegression
        >>> data = pd.DataFrame({"y": [0, 0, 1, 0, 1, 1], "x": [1.0, 2, 3, 4, 5, 6]})
        >>> LogisticRegression.from_formula("y ~ log(x)", data).coef_names_.tolist()
        ['log(x)']
        """
        parsed = parse(formula)
        columns = columns_of(data, parsed.columns)
        if parsed.target not in list(data.columns):
            raise DataError(f"the formula is of {parsed.target!r}, and data has no such column")
        fitted = fit_formula(parsed, columns)
        estimator = cls(**parameters)
        given = {"sample_weight": sample_weight, "offset": offset}
        more = {name: value for name, value in given.items() if value is not None}
        estimator.fit(design_frame(fitted, data), data[parsed.target], **more)  # type: ignore[attr-defined]
        estimator.formula_ = fitted
        return estimator


def design_frame(formula: Formula, data: Any) -> Any:  # noqa: ANN401
    """Return the design of a data frame, a pandas frame of numbers.

    Raises
    ------
    DataError
        When a value is missing, or a level is new.
    """
    made = design_columns(formula, columns_of(data, formula.columns))
    for name, values in made.items():
        if np.isnan(values).any():
            row = int(np.flatnonzero(np.isnan(values))[0])
            raise DataError(
                f"row {row}: {name} has no value, since a cell is missing or has a level that no "
                "row of the fit has; drop such rows"
            )
    return Table(made).to_pandas()


def design_columns(
    formula: Formula, columns: Mapping[str, Column], *, strict: bool = True
) -> dict[str, FloatArray]:
    """Return the columns of the design by name; NaN where one has no value.

    Parameters
    ----------
    formula : Formula
    columns : mapping of str to Numbers or Words
    strict : bool
        Raise a `DataError` where an expression has no value, as log(0).
    """
    made: dict[str, FloatArray] = {}
    by_label = {factor.label: factor for factor in formula.factors}
    for name, column in formula.design(columns, strict=strict).items():
        if isinstance(column, Numbers):
            made[name] = column.values
            continue
        factor = by_label[name]
        indicators = factor.values(columns).values()
        made.update(
            (f"{name} = {level}", values)
            for level, values in zip(factor.levels[1:], indicators, strict=True)
        )
    return made


def indicators_of(formula: Formula, names: list[str]) -> dict[str, tuple[int, ...]]:
    """Return the columns of each category of a design, by their names."""
    return {
        factor.label: tuple(names.index(f"{factor.label} = {w}") for w in factor.levels[1:])
        for factor in formula.factors
        if factor.label in formula.bases
    }


def columns_of(data: Any, names: tuple[str, ...]) -> dict[str, Column]:  # noqa: ANN401
    """Return columns of a data frame as formulas take them.

    Raises
    ------
    DataError
        When this is not a data frame, or a column is not there.
    """
    if not hasattr(data, "columns"):
        raise DataError("a formula needs a data frame, whose columns have names")
    known = list(data.columns)
    found: dict[str, Column] = {}
    for name in names:
        if name not in known:
            listed = ", ".join(map(str, known[:12]))
            raise DataError(f"the formula names {name!r}; the columns are {listed}")
        values = np.asarray(data[name])
        if values.dtype.kind in "biuf":
            found[name] = Numbers(values.astype(np.float64))
        else:
            found[name] = _words(values)
    return found


def _words(values: np.ndarray[Any, np.dtype[Any]]) -> Words:
    """Return strings, or other objects by their text, as codes; None and NaN are missing."""
    missing = np.array([value is None or value != value for value in values.tolist()])
    texts = np.array([str(value) for value in values[~missing].tolist()], dtype=object)
    words, codes = np.unique(texts.astype(str), return_inverse=True)
    found = np.full(len(values), -1, dtype=np.int64)
    found[~missing] = codes
    return Words(found, tuple(words.tolist()))
