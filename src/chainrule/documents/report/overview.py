"""The first section of a report: what the model says, and what was fitted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chainrule.documents.blocks import (
    Block,
    Bullets,
    Code,
    Fact,
    Facts,
    Heading,
    Section,
    Table,
    prose,
)
from chainrule.documents.page import signif
from chainrule.documents.report.headline import headline_blocks
from chainrule.tables.fitting import FittedTable
from chainrule.tables.fitting_regression import FittedRegression
from chainrule.tables.model import TableModel
from chainrule.tables.predictors import file_columns
from chainrule.tables.records import TrainingRecord
from chainrule.tables.specs import CategorySpec, Spec
from chainrule.tables.validation.measuring import HELD_OUT

if TYPE_CHECKING:
    from chainrule.documents.report.subject import Subject

_MOST_LEVELS = 6


def lead_of(subject: Subject, source: str = "") -> str:
    """Return the paragraph below the title: what was fitted to what, and how good it is."""
    model, fitted = subject.model, subject.fitted
    n_columns = len(file_columns(model))
    columns = f"{n_columns} column{'s' * (n_columns != 1)}" + (f" of {source}" if source else "")
    if isinstance(model, TableModel):
        classes = (
            " or ".join(model.classes)
            if len(model.classes) <= 4
            else f"{len(model.classes)} classes"
        )
        lead = f"A logistic regression that tells {classes} from {columns}"
    else:
        lead = f"A regression of {model.target} on {columns} with the loss {model.loss.title}"
    lead = f"{lead}, fitted to {model.training.rows} rows"
    if isinstance(fitted, FittedTable) and fitted.metrics is not None:
        metrics = fitted.metrics
        right = f"{metrics.accuracy:.1%}"
        assert fitted.validation is not None
        where = rows_in_words(fitted.validation.n_rows, fitted.validation.rows)
        return f"{lead} and right on {right} of {where}."
    if isinstance(fitted, FittedRegression) and fitted.metrics is not None:
        where = rows_in_words(fitted.metrics.n_rows, fitted.measured_on)
        return _explained(lead, where, fitted.metrics.deviance_explained)
    return f"{lead}."


def rows_in_words(n_rows: int, where: str) -> str:
    """Return the rows that were measured on; those of a file may be known to the model.

    >>> rows_in_words(40, "held-out rows"), rows_in_words(40, "rows of new.csv")
    ('40 rows that it never saw', '40 rows of new.csv')
    """
    return f"{n_rows} rows that it never saw" if where == HELD_OUT else f"{n_rows} {where}"


def _explained(lead: str, rows: str, explained: float | None) -> str:
    if explained is None:
        return f"{lead} and measured on {rows}."
    if explained <= 0:
        return f"{lead}. On {rows} it predicts no better than a constant."
    return f"{lead}. It explains {explained:.1%} of the deviance of {rows}."


def overview_section(subject: Subject) -> Section:
    """Return the sentences, and the fit at a glance."""
    return Section("fit", "What the model says", (*headline_blocks(subject), *fit_blocks(subject)))


def fit_blocks(subject: Subject) -> Iterator[Block]:
    """Yield the fit at a glance, and the objective in words."""
    model, training, fitted = subject.model, subject.model.training, subject.fitted
    items = [Fact("target", model.target, _of_target(subject))]
    counts = ""
    if isinstance(fitted, FittedTable):
        counts = ", ".join(f"{label} {n}" for label, n in fitted.class_counts.items())
    items.append(Fact("training rows", str(training.rows), counts))
    n_features = f"as {len(model.features)} features"
    items.append(Fact("columns", str(len(model.specs)), n_features))
    if not isinstance(model, TableModel):
        constants = "".join(f", {k} = {signif(v)}" for k, v in model.loss.constants.items())
        link = f"{model.loss.row.link_name} link{constants}"
        items.append(Fact("loss", model.loss.name or "your own", link))
    steps = f"after {training.iterations} iterations"
    items.append(Fact("objective J", signif(training.objective, 8), steps))
    if model.inference is not None:
        statistics = model.inference.statistics
        shown = (("AIC", "AIC"), ("McFadden's R²", "r2.mcfadden"))
        items += [
            Fact(name, signif(statistics[key]))
            for name, key in shown
            if math.isfinite(statistics.get(key, math.nan))
        ]
    yield Facts(tuple(items))
    penalty = ". There is no penalty. Numbers are standardised first."
    if math.isfinite(training.C):
        penalty = (
            f", plus the {penalty_formula(training)} with λ = 1/C = "
            f"{signif(1 / training.C)}. Numbers "
            "are standardised first, and the penalty acts on that scale; the intercept is not "
            f"penalised.{refit_in_words(training)}"
        )
    yield prose(
        f"The objective is the sum of the losses over the training rows{penalty} Each category is "
        "an indicator, compared with the most frequent category of its column."
    )


def penalty_formula(training: TrainingRecord) -> str:
    """Return the penalty by name and formula."""
    l1_ratio, adaptive = training.l1_ratio, training.adaptive
    if l1_ratio == 0:
        return "ridge penalty ½λ‖w‖²"
    name, size = "adaptive " * adaptive, "‖w‖₁"
    if training.groups is not None:
        name, size = f"{name}group ", "Σ_g √p_g f_g‖w_g‖" if adaptive else "Σ_g √p_g ‖w_g‖"
    elif adaptive:
        size = "Σ_j f_j|w_j|"
    if l1_ratio == 1:
        text = f"{name}lasso penalty λ{size}"
    else:
        ratio = signif(l1_ratio)
        text = f"{name}elastic-net penalty λ(r{size} + ½(1 - r)‖w‖²), r = {ratio},"
    where = []
    if training.groups is not None:
        where.append("g the features of a categorical column or a term, p_g their number")
    if adaptive:
        where.append("f one over the size of the coefficients of a pilot fit with ½‖w‖²")
    return f"{text} ({'; '.join(where)})" if where else text


def refit_in_words(training: TrainingRecord) -> str:
    """Return what a relaxed fit has for coefficients; empty without one."""
    if training.gamma == 1:
        return ""
    if training.gamma == 0:
        return " The coefficients are those of a refit of the chosen features without penalty."
    return (
        f" The coefficients are {signif(training.gamma)} times the penalised ones, and "
        f"{signif(1 - training.gamma)} times those of a refit of the chosen features without "
        "penalty."
    )


def columns_section(subject: Subject) -> Section:
    """Return what was done to the columns: reading, encoding, missing values, roles."""
    model = subject.model
    rows = tuple((spec.name, *_done(spec)) for spec in model.specs)
    blocks: list[Block] = [Table("", ("column", "taken as", "missing or new values"), rows)]
    if model.formula is not None:
        blocks.insert(0, Code(model.formula.text))
    exposure, offset = model.offsets.exposure, model.offsets.offset
    if exposure is not None:
        blocks.append(
            prose(
                f"The logarithm of {exposure} is added to the score of each row, so that the mean "
                f"is proportional to it: the coefficients describe the rate per unit of {exposure}."
            )
        )
    if offset is not None:
        blocks.append(
            prose(f"The column {offset} is added to the score of each row, with no coefficient.")
        )
    roles = [f"{name} as {role}" for role, name in model.reading.roles.items()]
    if roles:
        blocks.append(prose(f"Other columns: {', '.join(roles)}."))
    training = model.training
    if training.dropped:
        blocks.append(
            prose(f"{training.dropped} rows were dropped for a missing value before the fit.")
        )
    if training.held_out:
        blocks.append(
            prose(
                f"{training.held_out} rows were held out by seed {training.seed} before anything "
                "was learnt."
            )
        )
    if subject.notes:
        blocks += [Heading("To be kept in mind"), Bullets(subject.notes)]
    return Section("columns", "What was done to the columns", tuple(blocks))


def _of_target(subject: Subject) -> str:
    model, fitted = subject.model, subject.fitted
    if isinstance(model, TableModel):
        return f"{model.classes[1]} counts as 1" if model.is_binary else ""
    return "" if fitted is None else f"mean {signif(float(fitted.y.mean()))}"


def _done(spec: Spec) -> tuple[str, str]:
    """Return what a column is taken as, and what becomes of gaps and new levels."""
    if isinstance(spec, CategorySpec):
        others = list(spec.others)
        more = f" and {len(others) - _MOST_LEVELS} more" if len(others) > _MOST_LEVELS else ""
        taken = f"category: {', '.join(others[:_MOST_LEVELS])}{more}, against {spec.base}"
        if spec.rare:
            taken += f"; {len(spec.rare)} rare levels are one"
        gaps = "rejected" if spec.fill is None else f"a gap is {spec.fill}"
        new = {"error": "", "base": "; a new level is the base", "rare": "; a new level is rare"}
        return taken, gaps + new[spec.unknown]
    taken = f"number: mean {signif(spec.mean)}, standard deviation {signif(spec.scale)}"
    gaps = "rejected"
    if spec.fills:
        gaps = "a gap is the mean" + (", with an indicator" if spec.indicator else "")
    return taken, gaps
