"""The card of a model: what it is, what it was fitted to, how good it is, where it ends."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chainrule import __version__
from chainrule.documents.blocks import (
    Block,
    Bullets,
    Code,
    Document,
    Fact,
    Facts,
    Section,
    Table,
    prose,
)
from chainrule.documents.page import signif
from chainrule.documents.report.coefficients import (
    coefficients_section,
    covariance_words,
    effects_section,
)
from chainrule.documents.report.headline import headline_blocks
from chainrule.documents.report.overview import columns_section, lead_of
from chainrule.documents.report.proof import certificate_section
from chainrule.documents.report.subject import Subject
from chainrule.tables.model import TableModel
from chainrule.tables.predictors import file_columns
from chainrule.tables.specs import CategorySpec
from chainrule.tables.validation.thresholds import threshold_source

if TYPE_CHECKING:
    from chainrule.formulas.design import Formula
    from chainrule.tables.regression import TableRegression

_METRICS = {
    "log_loss": "log loss",
    "accuracy": "accuracy",
    "auc": "area under the ROC curve",
    "brier": "Brier score",
    "average_precision": "average precision",
    "deviance_explained": "deviance explained (D²)",
    "mean_loss": "mean loss",
    "mean_loss_of_null": "mean loss of the null model",
    "rmse": "root mean square error",
    "mae": "mean absolute error",
    "mean_actual": "mean observed",
    "mean_predicted": "mean predicted",
}


def model_card(model: TableModel | TableRegression, source: str = "") -> Document:
    """Return the card of a model.

    Parameters
    ----------
    model : TableModel or TableRegression
    source : str, optional
        The data that it was fitted to, where that is known.
    """
    subject = Subject(model)
    sections = [
        Section("model", "Model", tuple(_model(subject))),
        Section("use", "Use", tuple(_use(subject))),
        Section("says", "What it says", tuple(headline_blocks(subject))),
        coefficients_section(subject),
    ]
    record = model.inference
    if record is not None and record.effects:
        sections.append(effects_section(subject, record.effects, record.level))
    sections += [
        Section("quality", "Quality", tuple(_quality(subject))),
        columns_section(subject),
        certificate_section(model.certificate),
        Section("limits", "Limits", (Bullets(tuple(_limits(subject))),)),
    ]
    return Document(f"Model card: {model.target}", lead_of(subject, source), tuple(sections))


def _model(subject: Subject) -> Iterator[Block]:
    model, training = subject.model, subject.model.training
    kind = "logistic regression"
    if not isinstance(model, TableModel):
        kind = f"linear model with the loss {model.loss.title}, {model.loss.row.link_name} link"
    elif not model.is_binary:
        kind = "multinomial logistic regression"
    items = [Fact("kind", kind), Fact("target", model.target)]
    if isinstance(model, TableModel):
        items.append(Fact("classes", ", ".join(model.classes)))
    name = {0.0: "ridge", 1.0: "lasso"}.get(training.l1_ratio, "elastic net")
    name = "adaptive " * training.adaptive + "group " * (training.groups is not None) + name
    penalty = "none" if math.isinf(training.C) else f"{name}, C = {signif(training.C)}"
    if training.gamma < 1:
        penalty += f", relaxed with gamma = {signif(training.gamma)}"
    items += [
        Fact("penalty", penalty),
        Fact("rows of the fit", str(training.rows), f"{training.dropped} dropped"),
        Fact("rows held out", str(training.held_out), f"seed {training.seed}"),
        Fact("treatment of missing values", training.missing),
        Fact("written by", f"chainrule {__version__}"),
    ]
    if model.inference is not None:
        items.append(Fact("standard errors", covariance_words(model.inference)))
    yield Facts(tuple(items))


def _use(subject: Subject) -> Iterator[Block]:
    yield prose("To predict with the model file, or to carry it elsewhere:")
    yield Code(
        "chainrule predict model.json new.csv --out predictions.csv\n"
        "chainrule export model.json model.sql"
    )
    names = [*file_columns(subject.model), *subject.model.offsets.names]
    yield prose(f"It needs the columns {', '.join(dict.fromkeys(names))}.")
    yield prose(
        "Intended use, and uses that are out of scope: not stated. Whoever publishes this card "
        "writes them here."
    )


def _quality(subject: Subject) -> Iterator[Block]:
    training = subject.model.training
    found = [
        (_METRICS.get(name, name.replace("_", " ")), signif(float(value)))
        for name, value in training.metrics.items()
        if isinstance(value, int | float)
    ]
    if not found:
        yield prose("Nothing was held out, so nothing is measured on rows that it never saw.")
        return
    where = training.metrics.get("measured_on", f"{training.held_out} held-out rows")
    split = f", chosen by seed {training.seed}" if str(where).endswith("held-out rows") else ""
    yield prose(f"On {where}{split}:")
    yield Table("", ("measure", "value"), tuple(found), frozenset({1}))
    model = subject.model
    if isinstance(model, TableModel) and model.threshold is not None:
        chosen = threshold_source(str(training.metrics.get("threshold_chosen_on", "")), str(where))
        yield prose(
            "The accuracy, like each predicted label, is at the threshold "
            f"{signif(model.threshold)} of the probability of {model.classes[-1]}, {chosen}."
        )


def _limits(subject: Subject) -> Iterator[str]:
    model = subject.model
    yield "The effects are associations in the rows of the fit, not causes."
    refusing = [s.name for s in model.specs if isinstance(s, CategorySpec) and s.unknown == "error"]
    if refusing:
        yield f"A level that no training row has is rejected in: {', '.join(refusing)}."
    if model.training.metrics == {}:
        yield "Its quality on new rows is not known."
    if model.inference is None:
        yield "It has no standard errors: it was fitted to predict, not to explain."
    elif any(math.isinf(row.estimate) for row in model.inference.terms):
        yield "The rows are separated by a column: some coefficients have no finite estimate."
    if math.isfinite(model.training.C):
        yield "The penalty draws coefficients towards zero: they understate effects."
    yield from _beyond(model.formula)


def _beyond(formula: Formula | None) -> Iterator[str]:
    """Yield what the predictions do for rows unlike those of the fit."""
    if formula is None:
        yield "Predictions for rows unlike those of the fit continue a straight line of scores."
        return
    bends = any(len(term.factors) > 1 for term in formula.terms)
    for factor in formula.factors:
        at = f"{factor.text}, outside the range of the fit"
        if factor.kind == "splines":
            at += f" (below {signif(factor.numbers[0])}, above {signif(factor.numbers[-1])})"
            yield (
                f"{at}, continues the polynomials of its ends (degree {factor.degree}): "
                "predictions there can be far off."
            )
        elif factor.kind == "polynomials":
            degree = (len(factor.numbers) - 1) // 2
            yield (
                f"{at}, is a polynomial of degree {degree} still: predictions there can be far off."
            )
        bends |= factor.kind == "number" and factor.text.strip("`") not in factor.columns
    how = "the expressions and products of the formula" if bends else "a straight line of scores"
    if bends or any(factor.kind in ("number", "shifted") for factor in formula.factors):
        yield f"Predictions for rows unlike those of the fit continue {how}."
