"""The plan of scoring one row, in the units of the file, that every export writes down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from chainrule.errors import ModelFileError
from chainrule.tables.model import TableModel
from chainrule.tables.regression import TableRegression
from chainrule.tables.specs import NO_VALUE, RARE, CategorySpec, NumberSpec

Model = TableModel | TableRegression
Link = Literal["logit", "softmax", "identity", "log", "probit", "cloglog"]
LINKS: Final[tuple[str, ...]] = ("identity", "log", "logit", "probit", "cloglog")


@dataclass(frozen=True)
class NumberTerm:
    """A number: ``(value - mean) / scale`` times a weight per output.

    Attributes
    ----------
    column : str
    mean, scale : float
    weights : tuple of float
        One per output.
    if_missing : tuple of float or None
        What a missing value adds to each output; None if such a row has no score.
    """

    column: str
    mean: float
    scale: float
    weights: tuple[float, ...]
    if_missing: tuple[float, ...] | None


@dataclass(frozen=True)
class CategoryTerm:
    """A string: what each level adds.

    Attributes
    ----------
    column : str
    levels : mapping of str to tuple of float
        By level, one number per output.
    if_missing, if_unknown : tuple of float or None
        The same for a missing and for an unknown string; None if such a row has no score.
    """

    column: str
    levels: Mapping[str, tuple[float, ...]]
    if_missing: tuple[float, ...] | None
    if_unknown: tuple[float, ...] | None


Term = NumberTerm | CategoryTerm


@dataclass(frozen=True)
class ScoringPlan:
    """A whole model.

    Attributes
    ----------
    target : str
    outputs : tuple of str
        The names of the results: ``probability_yes``, or ``predicted_n``.
    link : Link
        How scores become results.
    intercepts : tuple of float
        One per score: one, or one per class for a softmax.
    terms : tuple of Term
    offset, exposure : str or None
        Columns added to the score as they are, or by their logarithm.
    certificate : str
    classes : tuple of str
        The labels, of two the positive one last; none where the target is a number.
    """

    target: str
    outputs: tuple[str, ...]
    link: Link
    intercepts: tuple[float, ...]
    terms: tuple[Term, ...]
    offset: str | None
    exposure: str | None
    certificate: str
    classes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a row must have, each once."""
        found = [term.column for term in self.terms]
        found += [name for name in (self.offset, self.exposure) if name is not None]
        return tuple(dict.fromkeys(found))

    @property
    def number_columns(self) -> tuple[str, ...]:
        """Those of them that hold numbers."""
        words = {term.column for term in self.terms if isinstance(term, CategoryTerm)}
        return tuple(name for name in self.columns if name not in words)


def scoring_plan(model: Model) -> ScoringPlan:
    """Return the plan of a fitted model.

    Raises
    ------
    ModelFileError
        When a column is a date, whose parts an export does not compute, or the link has no
        closed form here.
    """
    if model.reading.dates:
        names = ", ".join(repr(date.name) for date in model.reading.dates)
        raise ModelFileError(
            f"the model takes the date {names} apart, which an export does not do: fit to columns "
            "that hold year, month or weekday as numbers"
        )
    if model.formula is not None and set(model.formula.columns) != {s.name for s in model.specs}:
        raise ModelFileError(
            f"the formula {model.formula.text!r} transforms columns, which an export does not do: "
            "put the transformed columns into the table, and fit to these"
        )
    link: Link
    if isinstance(model, TableModel):
        link = "logit" if model.is_binary else "softmax"
        shown = model.classes[1:] if model.is_binary else model.classes
        outputs = tuple(f"probability_{label}" for label in shown)
    else:
        name = model.loss.row.link_name
        if name not in LINKS:
            raise ModelFileError(
                f"the link {name!r} is not exported; these are: {', '.join(LINKS)}"
            )
        link = name  # type: ignore[assignment]
        outputs = (f"predicted_{model.target}",)
    return ScoringPlan(
        model.target,
        outputs,
        link,
        tuple(float(b) for b in model.intercept),
        tuple(_terms(model)),
        model.offsets.offset,
        model.offsets.exposure,
        model.certificate.sentence,
        model.classes if isinstance(model, TableModel) else (),
    )


def _terms(model: Model) -> list[Term]:
    found: list[Term] = []
    place = 0

    def column(k: int) -> tuple[float, ...]:
        return tuple(float(row[k]) for row in model.coef)

    nothing = tuple(0.0 for _ in model.intercept)
    for spec in model.specs:
        if isinstance(spec, NumberSpec):
            weights, place = column(place), place + 1
            missing = None
            if spec.fills:
                missing = nothing
            if spec.indicator:
                missing, place = column(place), place + 1
            found.append(NumberTerm(spec.name, spec.mean, spec.scale, weights, missing))
            continue
        levels = {spec.base: nothing}
        for word in spec.others:
            levels[word], place = column(place), place + 1
        found.append(_category(spec, levels, nothing))
    return found


def _category(
    spec: CategorySpec, levels: dict[str, tuple[float, ...]], nothing: tuple[float, ...]
) -> CategoryTerm:
    rare = levels.get(RARE, nothing)
    for word in spec.rare:
        levels.setdefault(word, rare)
    unknown = {"error": None, "base": nothing, "rare": rare}[spec.unknown]
    missing = None
    if spec.fill is not None:
        missing = levels.get(spec.fill, unknown)
    words = {word: value for word, value in levels.items() if word not in (RARE, NO_VALUE)}
    return CategoryTerm(spec.name, words, missing, unknown)
