"""The report of a regression, section by section; its words follow the link of the loss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from chainrule.documents import plots
from chainrule.documents.fit_section import certificate_section, path_section
from chainrule.documents.lesson.building import board_of
from chainrule.documents.lesson.facts import facts_findings
from chainrule.documents.lesson.numbers import numbers_prose
from chainrule.documents.page import Section, render
from chainrule.documents.renderers.html import blocks_html
from chainrule.tables.effects import EFFECTS
from chainrule.tables.loss_facts import fact_lines
from chainrule.tables.worked_regression import WorkedRegression, work_regression

if TYPE_CHECKING:
    from chainrule.calculus.graph.dims import Dim
    from chainrule.tables.fitting_regression import FittedRegression
    from chainrule.tables.regression_metrics import RegressionMetrics

_MOST_DRAWN = 20
_MOST_SHOWN = 10


def regression_lead(fitted: FittedRegression, source: str) -> str:
    """Return the paragraph that stands on top of the page of a regression."""
    model = fitted.model
    lead = (
        f"A regression of {model.target} on {len(model.specs)} columns of {source} with the loss "
        f"{model.loss.title}, fitted to {model.training.rows} rows"
    )
    if fitted.metrics is None:
        return f"{lead}."
    explained = fitted.metrics.deviance_explained
    if explained is None:
        return f"{lead} and measured on {fitted.metrics.n_rows} rows that it never saw."
    if explained <= 0:
        return (
            f"{lead}. On {fitted.metrics.n_rows} rows that it never saw it predicts no better than "
            "a constant."
        )
    return (
        f"{lead}. It explains {explained:.1%} of the deviance of {fitted.metrics.n_rows} rows that "
        "it never saw."
    )


def regression_sections(fitted: FittedRegression) -> list[Section]:
    """Return the sections of a regression.

    Parameters
    ----------
    fitted : FittedRegression

    Returns
    -------
    list of Section
        The fit, its certificate, the loss and its facts, the coefficients, the path of the solver,
        the quality on held-out rows, and the derivation of the gradient.
    """
    sections = [
        _fit(fitted),
        certificate_section(fitted.model.certificate),
        _loss(fitted),
        _coefficients(fitted),
    ]
    if len(fitted.path) > 1:
        sections.append(path_section(fitted.path))
    if fitted.metrics is not None:
        sections.append(_quality(fitted, fitted.metrics))
    if not fitted.is_weighted and not fitted.model.training.l1_ratio:
        # the derivation has neither weights nor absolute values
        sections.append(_gradient(work_regression(fitted)))
    return sections


def _fit(fitted: FittedRegression) -> Section:
    model = fitted.model
    html = render(
        "regression/fit.html",
        model=model,
        training=model.training,
        penalised=math.isfinite(model.training.C),
        mean=float(fitted.y.mean()),
        notes=fitted.notes,
    )
    return Section("fit", "The fit", html)


def _loss(fitted: FittedRegression) -> Section:
    loss = fitted.model.loss
    html = render(
        "regression/loss.html",
        loss=loss,
        link=loss.row.link_name,
        targets=str(loss.row.targets),
        facts=Markup(blocks_html((facts_findings(fact_lines(loss.row)),))),
    )
    return Section("loss", "The loss, and what is proven of it", html)


def _coefficients(fitted: FittedRegression) -> Section:
    model = fitted.model
    effect = EFFECTS[model.loss.row.link_name]
    rows = sorted(model.coefficients(), key=lambda row: -abs(row.per_deviation))
    drawn = rows[:_MOST_DRAWN]
    plot = plots.coefficients(
        "coefficients-plot",
        [row.feature.name for row in drawn],
        [row.per_deviation for row in drawn],
        f"coefficient per step (left lowers the {effect.changes}, right raises it)",
    )
    html = render(
        "regression/coefficients.html",
        model=model,
        effect=effect,
        rows=rows,
        n_drawn=len(drawn),
        plot=Markup(plot),
    )
    return Section("coefficients", "The coefficients", html)


def _quality(fitted: FittedRegression, metrics: RegressionMetrics) -> Section:
    groups = metrics.groups
    assert groups.weight is not None
    html = render(
        "regression/quality.html",
        metrics=metrics,
        seed=fitted.model.training.seed,
        plot=Markup(plots.predicted_observed("quality-groups", groups)),
        groups=list(zip(groups.x.tolist(), groups.y.tolist(), groups.weight.tolist(), strict=True)),
    )
    return Section("quality", "On rows it never saw", html)


def _gradient(explained: WorkedRegression) -> Section:
    row = f"row {explained.row}"
    places: dict[Dim, str] = {"m": row, "n": f"the weight of {explained.feature}"}
    numbers = numbers_prose(explained.numbers, row, places)
    board = board_of(explained.derivation, prefix="gradient", numbers=numbers)
    html = render(
        "regression/example.html",
        it=explained,
        shown=explained.contributions[:_MOST_SHOWN],
        hidden=max(0, len(explained.contributions) - _MOST_SHOWN),
        derivation=Markup(blocks_html((board,), explained.derivation.model)),
    )
    return Section("gradient", "The gradient that trained it", html)
