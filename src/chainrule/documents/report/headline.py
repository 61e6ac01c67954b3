"""Summary of a model in sentences: the strongest effects, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from chainrule.documents.blocks import Block, Bullets, Prose, Role, Style, Styled, prose
from chainrule.documents.page import signif
from chainrule.documents.report.steps import step_of
from chainrule.formulas.own_effects import own_columns, reasons

if TYPE_CHECKING:
    from chainrule.documents.report.subject import Subject
    from chainrule.tables.inference_record import InferenceRecord, TermRow
    from chainrule.tables.specs import Feature

MOST: Final = 3
"""The number of effects that are told in words."""


def headline_blocks(subject: Subject) -> Iterator[Block]:
    """Yield the sentences on the strongest effects, the first in large type."""
    record = subject.model.inference
    if record is None:
        sentences = list(_without_intervals(subject))
        unpenalised = "-C inf " if math.isfinite(subject.model.training.C) else ""
        closing = Prose(
            (
                "These are coefficients of a fit that is made to predict: they have no intervals. "
                "Fit with ",
                Styled(f"{unpenalised}--inference", Style.CODE),
                " for standard errors, intervals and tests.",
            )
        )
    else:
        sentences = list(_with_intervals(subject, record))
        closing = prose(
            "Each holds the other columns fixed. These are associations in the rows of the fit; "
            "whether they are causes is not for a regression to tell."
        )
    if sentences:
        first, *rest = sentences
        yield Prose((first,), Role.SENTENCE)
        if rest:
            yield Bullets(tuple(rest))
    if left := reasons(subject.model.formula):
        yield prose(
            f"Left out, because no single number describes its effect: {', '.join(left)}. Average "
            "effects on the prediction (--effects) describe these columns too."
        )
    yield closing


def effect_sentence(
    subject: Subject, feature: Feature, row: TermRow, *, level: float, against: str = ""
) -> str:
    """Return one effect in words, with its interval."""
    step = step_of(feature, row.estimate)
    what = subject.changes(row.output) + (f" against {against}" if against else "")
    if not math.isfinite(row.estimate):
        ends = "rise" if row.estimate > 0 else "fall"
        return (
            f"{_capital(step.words)}: the {what} {ends} without end, for this column separates the "
            "rows. It has no finite estimate."
        )
    numbers = [step.size * value for value in (row.estimate, row.low, row.high)]
    percent = f"{100 * level:.4g}\u00a0%"
    if subject.effect.ratio:
        at, low, high = map(_ratio, numbers)
        said = f"{_capital(step.words)} multiplies the {what} by {at}"
    else:
        at, low, high = (signif(value, 3) for value in (abs(numbers[0]), *numbers[1:]))
        verb = "raises" if numbers[0] >= 0 else "lowers"
        said = f"{_capital(step.words)} {verb} the {what} by {at}"
        if numbers[0] < 0:
            low, high = (signif(-value, 3) for value in (numbers[2], numbers[1]))
    if math.isnan(row.std_error):
        return f"{said}."
    doubt = "" if row.low > 0 or row.high < 0 else "; no effect is within the interval"
    return f"{said}, {percent} between {low} and {high}{doubt}."


def _with_intervals(subject: Subject, record: InferenceRecord) -> Iterator[str]:
    features = {feature.name: feature for feature in subject.model.features}
    alone = own_columns(subject.model.formula)
    rows = [
        row
        for row in record.terms
        if row.term in features and (alone is None or features[row.term].column in alone)
    ]
    rows.sort(key=lambda row: -_strength(row))
    for row in rows[:MOST]:
        yield effect_sentence(
            subject, features[row.term], row, level=record.level, against=record.base
        )


def _strength(row: TermRow) -> float:
    if math.isinf(row.estimate):
        return math.inf
    return 0.0 if math.isnan(row.statistic) else abs(row.statistic)


def _without_intervals(subject: Subject) -> Iterator[str]:
    alone = own_columns(subject.model.formula)
    rows = [row for row in subject.coefficients() if alone is None or row.feature.column in alone]
    rows.sort(key=lambda row: -abs(row.per_deviation))
    mean = "" if subject.has_one_score else ", against the mean class"
    for row in rows[:MOST]:
        feature = row.feature
        step = (
            f"one standard deviation more of {feature.name} ({signif(feature.scale, 3)})"
            if feature.base is None
            else step_of(feature, row.own_scale).words
        )
        what = subject.changes(row.label) + mean
        if subject.effect.ratio:
            yield f"{_capital(step)} multiplies the {what} by {_ratio(row.per_deviation)}."
        else:
            verb = "raises" if row.per_deviation >= 0 else "lowers"
            size = signif(abs(row.per_deviation), 3)
            yield f"{_capital(step)} {verb} the {what} by {size}."


def _ratio(score: float) -> str:
    """Return exp(score) with the digits that matter: two behind the point near 1."""
    try:
        value = math.exp(score)
    except OverflowError:
        return "more than 1e308"
    if 0.995 < value < 1.005:
        return f"{value:.4f}"
    return f"{value:.2f}" if 0.1 <= value < 10 else signif(value, 3 if value >= 10 else 2)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith(("each", "one")) else text
