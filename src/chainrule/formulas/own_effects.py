"""Which columns of a formula have an effect of their own, and on what the others' depends.

A column in a product has an effect that other columns change, and a column of a spline or a
polynomial has none: only the whole curve describes what its column does.
"""

from __future__ import annotations

from typing import Final

from chainrule.formulas.design import Formula, Term
from chainrule.formulas.factors import Factor

_CURVES: Final = ("splines", "polynomials")


def own_columns(formula: Formula | None) -> set[str] | None:
    """Return the columns of the design with one effect, whatever the others are.

    None without a formula: then all columns have one.
    """
    if formula is None:
        return None
    known = _factors(formula)
    used = [name for term in formula.terms for name in _sources(term, known)]
    return {
        known[term.factors[0]].label
        for term in formula.terms
        if len(term.factors) == 1
        and known[term.factors[0]].kind not in _CURVES
        and all(used.count(name) == 1 for name in _sources(term, known))
    }


def curve_columns(formula: Formula | None) -> set[str]:
    """Return the columns of the design that are parts of curves."""
    if formula is None:
        return set()
    known = _factors(formula)
    return {
        name
        for name, term in formula.column_terms.items()
        if any(known[text].kind in _CURVES for text in term.factors)
    }


def conditions(formula: Formula | None) -> dict[str, str]:
    """Return for terms that stand in products where the other columns are while they have effect.

    Under ``a*sex`` that of a is the effect where sex has its reference level, and that of sex the
    effect where a is 0. Curves are left out.
    """
    if formula is None:
        return {}
    known = _factors(formula)
    found: dict[str, str] = {}
    for term in formula.terms:
        others = dict.fromkeys(
            text
            for other in formula.terms
            if set(term.factors) < set(other.factors)
            for text in other.factors
            if text not in term.factors
        )
        if others and all(known[text].kind not in _CURVES for text in term.factors):
            label = ":".join(known[text].label for text in term.factors)
            found[label] = " and ".join(_origin(known[text]) for text in others)
    return found


def reasons(formula: Formula | None) -> tuple[str, ...]:
    """Return the columns of the file that no single number describes, each with the reason."""
    own = own_columns(formula)
    if formula is None or own is None:
        return ()
    known = _factors(formula)
    found: list[str] = []
    for name in formula.columns:
        terms = [term for term in formula.terms if name in _sources(term, known)]
        if len(terms) == 1 and known[terms[0].factors[0]].label in own:
            continue
        curves = [
            text
            for term in terms
            for text in term.factors
            if name in known[text].columns and known[text].kind in _CURVES
        ]
        products = [":".join(term.factors) for term in terms if len(term.factors) > 1]
        why = [f"the curve {text}" for text in dict.fromkeys(curves)]
        why += [f"the product {text}" for text in products]
        found.append(f"{name} ({', '.join(why) or 'several terms'})")
    return tuple(found)


def remarks_on_rows(formula: Formula | None) -> tuple[str, ...]:
    """Return the sentences that a table of coefficients or ratios needs, none without need."""
    if formula is None:
        return ()
    found = [f"{name}: its effect at {where}." for name, where in conditions(formula).items()]
    curves = curve_columns(formula)
    if any(len(t.factors) > 1 for name, t in formula.column_terms.items() if name not in curves):
        found.append(
            "The row of a product (a:b) tells by how much the effect of one column changes with "
            "the other."
        )
    texts = [f.text for f in formula.factors if f.kind in _CURVES]
    if texts:
        found.append(
            f"The columns of {', '.join(texts)} have no effect of their own: only all columns of "
            "a curve together describe it."
        )
    return tuple(found)


def _factors(formula: Formula) -> dict[str, Factor]:
    return {factor.text: factor for factor in formula.factors}


def _sources(term: Term, known: dict[str, Factor]) -> list[str]:
    return [name for text in term.factors for name in known[text].columns]


def _origin(factor: Factor) -> str:
    """Return in words where all columns of a factor are 0."""
    if factor.kind == "category":
        return f"{factor.label} = {factor.levels[0]}"
    if factor.kind == "splines":
        return f"{factor.columns[0]} = {factor.numbers[0]:g}"
    return f"{'every column of ' * (factor.kind == 'polynomials')}{factor.label} = 0"


__all__ = ["conditions", "curve_columns", "own_columns", "reasons", "remarks_on_rows"]
