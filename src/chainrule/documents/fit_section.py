"""The report of a fit, section by section: the model, its quality, its certificate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from chainrule.documents import plots
from chainrule.documents.page import Section, render

if TYPE_CHECKING:
    from chainrule.tables.fit_results import SolverIteration
    from chainrule.tables.fitting import FittedTable
    from chainrule.tables.metrics import Metrics
    from chainrule.tables.model import CoefficientRow
    from chainrule.tables.records import CertificateRecord

_MOST_DRAWN = 20


def fit_lead(fitted: FittedTable, source: str) -> str:
    """Return the lead paragraph of the report."""
    model = fitted.model
    who = " or ".join(model.classes) if len(model.classes) <= 4 else f"{len(model.classes)} classes"
    lead = (
        f"A logistic regression that tells {who} from {len(model.specs)} columns of {source}, "
        f"fitted to {model.training.rows} rows"
    )
    if fitted.metrics is None:
        return f"{lead}."
    right = f"{fitted.metrics.accuracy:.1%}"
    return f"{lead} and right on {right} of {fitted.metrics.n_rows} rows that it never saw."


def fit_sections(fitted: FittedTable) -> list[Section]:
    """Return the sections of the report.

    Parameters
    ----------
    fitted : FittedTable
        A fitted table.

    Returns
    -------
    list of Section
        The fit, its certificate, the coefficients, the path of the solver and, when rows were held
        out, the quality on them.
    """
    sections = [
        _fit(fitted),
        certificate_section(fitted.model.certificate),
        _coefficients(fitted),
    ]
    if len(fitted.path) > 1:
        sections.append(path_section(fitted.path))
    if fitted.metrics is not None:
        sections.append(_quality(fitted, fitted.metrics))
    return sections


def _fit(fitted: FittedTable) -> Section:
    model = fitted.model
    html = render(
        "fit/fit.html",
        model=model,
        training=model.training,
        penalised=math.isfinite(model.training.C),
        counts=fitted.class_counts,
        notes=fitted.notes,
    )
    return Section("fit", "The fit", html)


def certificate_section(certificate: CertificateRecord) -> Section:
    """Show the certificate of a fit, with its numbers."""
    facts = [
        (name.replace("_", " "), _fact(fact))
        for name, fact in certificate.facts.items()
        if fact is not None
    ]
    html = render("fit/certificate.html", sentence=certificate.sentence, facts=facts)
    return Section("certificate", "The certificate", html)


def _fact(fact: float | int | bool | str) -> str:
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return f"{fact:.4g}" if isinstance(fact, float) else str(fact)


def _coefficients(fitted: FittedTable) -> Section:
    model = fitted.model
    tables: list[dict[str, object]] = []
    intercepts = model.own_intercepts()
    for place, label in enumerate(intercepts):
        rows = [row for row in model.coefficients() if row.label == label]
        rows.sort(key=lambda row: -abs(row.per_deviation))
        name = f"coefficients-plot-{place}"
        tables.append(
            {
                "label": label,
                "rows": rows,
                "intercept": intercepts[label],
                "plot": Markup(_drawn(name, rows[:_MOST_DRAWN])),
                "n_drawn": min(len(rows), _MOST_DRAWN),
            }
        )
    html = render("fit/coefficients.html", model=model, tables=tables)
    return Section("coefficients", "The coefficients", html)


def _drawn(name: str, rows: list[CoefficientRow]) -> str:
    return plots.coefficients(
        name, [row.feature.name for row in rows], [row.per_deviation for row in rows]
    )


def path_section(path: Sequence[SolverIteration]) -> Section:
    """Show the iterations of the solver."""
    objective = np.array([step.objective for step in path])
    gradient = np.array([step.gradient_norm for step in path])
    html = render(
        "fit/path.html",
        path=path,
        objective=Markup(plots.objective_path("path-objective", objective)),
        gradient=Markup(plots.gradient_path("path-gradient", gradient)),
    )
    return Section("path", "The path of the solver", html)


def _quality(fitted: FittedTable, metrics: Metrics) -> Section:
    figures: dict[str, Markup] = {}
    if metrics.roc is not None and metrics.auc is not None:
        figures["roc"] = Markup(plots.roc("quality-roc", metrics.roc, metrics.auc))
    if metrics.precision_recall is not None and metrics.average_precision is not None:
        share = float(metrics.confusion[1].sum() / metrics.n_rows)
        figures["precision_recall"] = Markup(
            plots.precision_recall(
                "quality-precision-recall",
                metrics.precision_recall,
                metrics.average_precision,
                share,
            )
        )
    groups: list[tuple[float, float, int]] = []
    curve = metrics.calibration
    if curve is not None and curve.weight is not None:
        figures["calibration"] = Markup(plots.calibration("quality-calibration", curve))
        groups = list(zip(curve.x.tolist(), curve.y.tolist(), curve.weight.tolist(), strict=True))
    html = render(
        "fit/quality.html",
        metrics=metrics,
        confusion=metrics.confusion.tolist(),
        seed=fitted.model.training.seed,
        figures=figures,
        groups=groups,
    )
    return Section("quality", "On rows it never saw", html)
