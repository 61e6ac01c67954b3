"""Factors of a formula: what each learns from its column, and the columns that it makes."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from chainrule.errors import DataError
from chainrule.formulas import bases
from chainrule.formulas.columns import Column, Floats, Numbers, Words
from chainrule.formulas.expressions import Expression, literal
from chainrule.formulas.parsing import columns_of, is_name

Kind = Literal["number", "category", "splines", "polynomials", "shifted"]
KINDS: Final[tuple[Kind, ...]] = ("number", "category", "splines", "polynomials", "shifted")
_CONTRASTS: Final = ("treatment", "Treatment")


@dataclass(frozen=True)
class Factor:
    """A factor, fitted.

    Parameters
    ----------
    text : str
        As it is written in the formula.
    kind : str
        One of `KINDS`.
    levels : tuple of str
        Of a category, the reference level first.
    numbers : tuple of float
        Knots; or the recursion of polynomials; or a shift and a scale.
    degree : int
        Of splines.
    """

    text: str
    kind: Kind
    levels: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    degree: int = 3

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is computed from."""
        return columns_of(self.text)

    @property
    def label(self) -> str:
        """The name of its columns: for ``C(race, ...)``, the column."""
        return self.columns[0] if self.kind == "category" or is_name(self.text) else self.text

    def values(
        self, columns: Mapping[str, Column], *, full: bool = False, strict: bool = True
    ) -> dict[str, Floats]:
        """Return its columns by name; NaN where a value is missing or a level is new.

        Parameters
        ----------
        columns : mapping of str to Numbers or Words
        full : bool
            Whether the reference level of a category has a column too.
        strict : bool
            Raise where an expression has no value; otherwise it is NaN there.
        """
        if self.kind == "category":
            return self._indicators(columns[self.columns[0]], full=full)
        x = number_of(self.text, columns, strict=strict)
        if self.kind == "number":
            return {self.label: x}
        if self.kind == "shifted":
            return {self.text: (x - self.numbers[0]) / self.numbers[1]}
        if self.kind == "splines":
            found = bases.splines(x, self.numbers, self.degree)
        else:
            found = bases.polynomials(x, self.numbers)
        return {f"{self.text}[{k + 1}]": column for k, column in enumerate(found.T)}

    def names(self, *, full: bool = False) -> tuple[str, ...]:
        """Return the names of its columns, those of `values`."""
        if self.kind == "category":
            return tuple(f"{self.label}[{word}]" for word in self.levels[0 if full else 1 :])
        if self.kind in ("number", "shifted"):
            return (self.label,)
        is_spline = self.kind == "splines"
        n = len(self.numbers)
        count = n - self.degree - 2 if is_spline else (n - 1) // 2
        return tuple(f"{self.text}[{k + 1}]" for k in range(count))

    def _indicators(self, column: Column, *, full: bool) -> dict[str, Floats]:
        words = words_of(column)
        places = {word: place for place, word in enumerate(self.levels)}
        lookup = np.array([places.get(word, -1) for word in words.words] + [-1])
        level = lookup[words.codes]
        first = 0 if full else 1
        return {
            f"{self.label}[{word}]": np.where(level < 0, np.nan, level == k)
            for k, word in enumerate(self.levels)
            if k >= first
        }


def fit_factor(text: str, columns: Mapping[str, Column]) -> Factor:
    """Return a factor, fitted to columns.

    Raises
    ------
    DataError
        For an option that is not known, or a column that it cannot be computed from.
    """
    names = columns_of(text)
    if is_name(text):
        column = columns[names[0]]
        if isinstance(column, Numbers):
            return Factor(text, "number")
        return Factor(text, "category", _levels(column, None, text))
    call = Expression(text).call
    if call is None:
        number_of(text, columns)
        return Factor(text, "number")
    function, arguments, options = call
    if function == "C":
        if not isinstance(arguments[0], ast.Name):
            raise DataError(f"{text}: C is of one column.")
        base = _base(arguments[1:], options, text)
        return Factor(text, "category", _levels(words_of(columns[names[0]]), base, text))
    x = number_of(text, columns)
    x = x[np.isfinite(x)]
    if not len(x):
        raise DataError(f"{text}: the column has no numbers.")
    if function in ("center", "scale"):
        _refuse(options, (), text)
        spread = float(x.std(ddof=1)) if function == "scale" and len(x) > 1 else 1.0
        return Factor(text, "shifted", numbers=(float(x.mean()), spread or 1.0))
    if function == "poly":
        given = _options(arguments[1:], options, ("degree",), text)
        degree = _whole(given.get("degree", 1), "degree", text)
        return Factor(text, "polynomials", numbers=bases.fit_polynomials(x, degree, text))
    given = _options(arguments[1:], options, ("df", "knots", "degree"), text)
    degree = _whole(given.get("degree", 3), "degree", text)
    df = None if given.get("df") is None else _whole(given["df"], "df", text)
    knots = given.get("knots")
    if knots is not None and not (
        isinstance(knots, list | tuple) and all(isinstance(k, int | float) for k in knots)
    ):
        raise DataError(f"{text}: knots is a list of numbers.")
    chosen = None if knots is None else tuple(float(k) for k in knots)
    found = bases.fit_splines(x, df, degree, chosen, text)
    return Factor(text, "splines", numbers=found, degree=degree)


def number_of(text: str, columns: Mapping[str, Column], *, strict: bool = True) -> Floats:
    """Return the expression of numbers of a factor; NaN where a column is missing.

    Raises
    ------
    DataError
        When one of its columns holds words, or where the expression has no value.
    """
    names = columns_of(text)
    numbers: dict[str, Floats] = {}
    for name in names:
        column = columns[name]
        if isinstance(column, Words):
            raise DataError(f"{text}: column {name!r} holds text, and a number is needed.")
        numbers[name] = column.values
    if is_name(text):
        return numbers[names[0]]
    expression = Expression(text)
    node = None if expression.call is None else expression.call[1][0]
    length = len(numbers[names[0]])
    found = np.array(np.broadcast_to(expression.value(numbers, node), length), dtype=np.float64)
    absent = np.logical_or.reduce([np.isnan(part) for part in numbers.values()])
    wrong = np.flatnonzero(~np.isfinite(found) & ~absent)
    if len(wrong) and not strict:
        found[wrong] = np.nan
    elif len(wrong):
        row = int(wrong[0])
        said = ", ".join(f"{name} = {numbers[name][row]:g}" for name in names)
        raise DataError(
            f"{text} has no finite value where {said} ({len(wrong)} such rows). Correct the "
            "cells, or choose another function."
        )
    return found


def words_of(column: Column) -> Words:
    """Return a column as words; a number without its decimal point where it is whole."""
    if isinstance(column, Words):
        return column
    distinct, codes = np.unique(column.values[~column.missing], return_inverse=True)
    found = np.full(len(column.values), -1, dtype=np.int64)
    found[~column.missing] = codes
    return Words(found, tuple(_word(value) for value in distinct))


def _word(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, str):
        return value
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


def _levels(column: Words, base: str | None, text: str) -> tuple[str, ...]:
    """Return the levels that occur, sorted, the reference first."""
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.words))
    numbers = [w for w, n in zip(column.words, counts, strict=True) if n]
    try:
        levels = sorted(numbers, key=float)
    except ValueError:
        levels = sorted(numbers)
    if len(levels) < 2:
        raise DataError(f"{text}: the column has one level only; two are needed.")
    if base is None:
        return tuple(levels)
    if base not in levels:
        known = ", ".join(levels[:8]) + (", ..." if len(levels) > 8 else "")
        raise DataError(f"{text}: {base!r} is none of the levels: {known}.")
    return (base, *(level for level in levels if level != base))


def _base(arguments: list[Any], options: Mapping[str, Any], text: str) -> str | None:
    """Return the reference level that C(...) names."""
    _refuse(options, ("ref", "base", "reference", "contrasts"), text)
    given = [*arguments, *options.values()]
    if not given:
        return None
    if len(given) > 1:
        raise DataError(f"{text}: C takes a column and one reference level.")
    node = given[0]
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        inside = [*node.args, *(word.value for word in node.keywords)]
        if name not in _CONTRASTS:
            raise DataError(f"{text}: contrasts are those of treatment: contr.treatment(base=...).")
        if not inside:
            return None
        node = inside[0]
    elif isinstance(node, ast.Attribute | ast.Name):
        raise DataError(f"{text}: write the reference level in quotes: C(column, ref='level').")
    return _word(literal(node, text))


def _options(
    arguments: list[Any], options: Mapping[str, Any], names: tuple[str, ...], text: str
) -> dict[str, Any]:
    """Return the options by name, whether they are given by place or by name."""
    _refuse(options, names, text)
    if len(arguments) > len(names):
        raise DataError(f"{text}: it takes a column, {', '.join(names)}.")
    found = {name: literal(node, text) for name, node in zip(names, arguments, strict=False)}
    return found | {name: literal(node, text) for name, node in options.items()}


def _refuse(options: Mapping[str, Any], known: tuple[str, ...], text: str) -> None:
    for name in options:
        if name not in known:
            listed = f"known are {', '.join(known)}" if known else "it takes none"
            raise DataError(f"{text}: {name!r} is not an option here; {listed}.")


def _whole(value: object, name: str, text: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise DataError(f"{text}: {name} is a whole number from 1 to 100, not {value!r}.")
    return value
