"""A formula, fitted: the columns of the design, computed from those of any rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from chainrule.errors import DataError
from chainrule.formulas.columns import Column, Floats, Numbers
from chainrule.formulas.factors import Factor, fit_factor, words_of
from chainrule.formulas.parsing import ParsedFormula
from chainrule.storage import byte_budget


@dataclass(frozen=True)
class Term:
    """A product of factors.

    Parameters
    ----------
    factors : tuple of str
    full : tuple of bool
        Whether each category among them has a column for its reference level too: where the term
        without it is not in the formula, so that the levels need no reference (as in R).
    """

    factors: tuple[str, ...]
    full: tuple[bool, ...]


@dataclass(frozen=True)
class Formula:
    """A formula with what it learnt from the rows of a fit: plain data.

    Parameters
    ----------
    text : str
    target : str
    factors : tuple of Factor
    terms : tuple of Term
    """

    text: str
    target: str
    factors: tuple[Factor, ...]
    terms: tuple[Term, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the design is computed from."""
        return tuple(dict.fromkeys(name for f in self.factors for name in f.columns))

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Those of them that are categories."""
        return tuple(dict.fromkeys(f.columns[0] for f in self.factors if f.kind == "category"))

    @property
    def is_plain(self) -> bool:
        """Whether every column of the design is one of the data, or a level of one."""
        return all(len(term.factors) == 1 for term in self.terms) and all(
            factor.kind == "category" or factor.text.strip("`") == factor.columns[0]
            for factor in self.factors
        )

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """The levels of each column that is a category, the reference first."""
        return {f.columns[0]: f.levels for f in self.factors if f.kind == "category"}

    def beside(self, name: str) -> set[str]:
        """Return the columns of the terms in which a column stands, itself included."""
        of = {factor.text: factor.columns for factor in self.factors}
        terms = [{n for text in term.factors for n in of[text]} for term in self.terms]
        return {other for term in terms if name in term for other in term}

    @property
    def bases(self) -> dict[str, str]:
        """The reference level of each category that stands by itself."""
        alone = {term.factors[0] for term in self.terms if len(term.factors) == 1}
        return {
            f.label: f.levels[0] for f in self.factors if f.kind == "category" and f.text in alone
        }

    @property
    def column_terms(self) -> dict[str, Term]:
        """The columns of the design, each with its term."""
        known = {factor.text: factor for factor in self.factors}
        found: dict[str, Term] = {}
        for term in self.terms:
            factors = [known[text] for text in term.factors]
            if len(factors) == 1 and factors[0].kind == "category":
                found[factors[0].label] = term
                continue
            names = [""]
            for factor, whole in zip(factors, term.full, strict=True):
                names = [
                    f"{name}:{text}" if name else text
                    for text in factor.names(full=whole)
                    for name in names
                ]
            found |= dict.fromkeys(names, term)
        return found

    def design(self, columns: Mapping[str, Column], *, strict: bool = True) -> dict[str, Column]:
        """Return the columns of the design by name.

        A category that stands by itself stays a column of words; products are numbers.

        Parameters
        ----------
        columns : mapping of str to Numbers or Words
            At least `Formula.columns`.
        strict : bool
            Raise a `DataError` where an expression has no value; otherwise it is missing there.
        """
        known = {factor.text: factor for factor in self.factors}
        found: dict[str, Column] = {}
        for term in self.terms:
            factors = [known[text] for text in term.factors]
            if len(factors) == 1 and factors[0].kind == "category":
                found[factors[0].label] = words_of(columns[factors[0].columns[0]])
                continue
            for name, values in _products(factors, term.full, columns, strict=strict):
                found[name] = Numbers(values)
        return found


def fit_formula(parsed: ParsedFormula, columns: Mapping[str, Column]) -> Formula:
    """Fit a formula to the columns of the rows that train.

    Raises
    ------
    DataError
        When a factor cannot be computed, or two terms make the same column.
    """
    for name in parsed.columns:
        if name not in columns:
            near = get_close_matches(name, columns, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise DataError(f"the formula names {name!r}, and there is no such column.{hint}")
    factors = {text: fit_factor(text, columns) for text in parsed.factors}
    margins = {frozenset(term) for term in parsed.terms} | {frozenset[str]()}
    terms = []
    for term in parsed.terms:
        full = tuple(
            factors[text].kind == "category" and frozenset(term) - {text} not in margins
            for text in term
        )
        if len(term) == 1:
            full = (False,)
        terms.append(Term(term, full))
    _refuse_many_columns(parsed.text, terms, factors, columns)
    labels = [f.label for f in factors.values()]
    for label in labels:
        if labels.count(label) > 1:
            raise DataError(
                f"the formula {parsed.text!r} takes column {label!r} as a category in two ways. "
                "Write it in one way."
            )
    return Formula(parsed.text, parsed.target, tuple(factors.values()), tuple(terms))


def _refuse_many_columns(
    text: str, terms: list[Term], factors: Mapping[str, Factor], columns: Mapping[str, Column]
) -> None:
    """Reject a formula whose columns do not fit into memory, before they are computed."""
    n_rows = len(next(iter(columns.values())).missing)
    sizes = {
        ":".join(term.factors): math.prod(
            len(factors[text].names(full=whole))
            for text, whole in zip(term.factors, term.full, strict=True)
        )
        for term in terms
        if len(term.factors) > 1 or factors[term.factors[0]].kind != "category"
    }
    n_columns, budget = sum(sizes.values()), byte_budget()
    needed = 8 * n_columns * n_rows
    if needed > budget:
        worst = max(sizes, key=lambda name: sizes[name])
        raise DataError(
            f"the formula {text!r} makes {n_columns:,} columns of {n_rows:,} rows, which take "
            f"{needed / 1e9:.3g} GB, and {budget / 1e9:.3g} GB are there for them; "
            f"{sizes[worst]:,} are of {worst}. Leave that term out, or merge rare levels first."
        )


def _products(
    factors: list[Factor],
    full: tuple[bool, ...],
    columns: Mapping[str, Column],
    *,
    strict: bool,
) -> Iterator[tuple[str, Floats]]:
    """Yield the products of the columns of all factors, the last varying slowest, as in R."""
    parts: list[tuple[str, Floats]] = [("", np.ones(1))]
    for factor, whole in zip(factors, full, strict=True):
        own = factor.values(columns, full=whole, strict=strict)
        parts = [
            (f"{name}:{text}" if name else text, values * column)
            for text, column in own.items()
            for name, values in parts
        ]
    yield from parts


__all__ = ["Formula", "Term", "fit_formula"]
