"""The coefficients: a forest plot with intervals where there are any, and the table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.documents import plots
from chainrule.documents.blocks import (
    Block,
    Bullets,
    Data,
    Figure,
    Fold,
    Heading,
    Section,
    Table,
    prose,
)
from chainrule.documents.page import signif
from chainrule.documents.report.figures import data_of
from chainrule.engine.inference.hypotheses import shown_p
from chainrule.formulas.own_effects import curve_columns, remarks_on_rows
from chainrule.tables.model import TableModel

if TYPE_CHECKING:
    from chainrule.documents.report.subject import Subject
    from chainrule.tables.inference_record import EffectRow, Estimated, InferenceRecord, TermRow
    from chainrule.tables.model import CoefficientRow
    from chainrule.tables.records import Floats

MOST_DRAWN: Final = 20
_MOST_OPEN: Final = 60


def coefficients_section(subject: Subject) -> Section:
    """Return the coefficients of a model."""
    record = subject.model.inference
    blocks = _without_intervals(subject) if record is None else _with_intervals(subject, record)
    return Section("coefficients", "The coefficients", tuple(blocks))


def effects_section(subject: Subject, rows: tuple[EffectRow, ...], level: float) -> Section:
    """Return average marginal effects: what a column changes, on the scale of the prediction."""
    model = subject.model
    what = (
        f"the probability of {model.target} = {model.classes[-1]}"
        if isinstance(model, TableModel) and model.is_binary
        else f"the probability of each class of {model.target}"
        if isinstance(model, TableModel)
        else f"the mean of {model.target}"
    )
    blocks: list[Block] = [
        prose(
            f"By how much {what} changes on average over the rows: per unit of a number (dY/dX), "
            "from 0 to 1, or from the reference level to another, all else as it is. Errors are by "
            "the delta method."
        )
    ]
    finite = [row for row in rows if math.isfinite(row.std_error)]
    if finite and subject.has_one_score:
        scale = {feature.column: feature.scale for feature in model.features}
        drawn = sorted(finite, key=lambda row: -abs(row.statistic))[:MOST_DRAWN]
        slopes = {row.term for row in drawn if row.contrast == "dY/dX"}
        is_scaled = slopes <= scale.keys()  # not where a formula makes features of columns
        unit = "standard deviation" if is_scaled else "unit"
        steps = [scale[r.term] if is_scaled and r.term in slopes else 1.0 for r in drawn]
        plot = plots.forest(
            "effects-plot",
            [_effect_label(row) for row in drawn],
            _numbers(drawn, steps),
            f"change per {unit}, or level",
            is_ratio=False,
            title="Average marginal effects",
        )
        caption = (
            f"Average marginal effects with {100 * level:.4g} % intervals; diamonds: no effect is "
            "within the interval."
        )
        blocks.append(Figure(plot, caption, _effects_data(rows)))
    head = ("", "contrast", "effect", "std. error", "p", *_ends(level))
    several = not subject.has_one_score
    cells = tuple(
        (
            f"{row.output}: {row.term}" if several else row.term,
            row.contrast,
            *_cells(row.estimate, row.std_error, row.p_value, row.low, row.high),
        )
        for row in rows
    )
    blocks.append(_folded(Table("Average marginal effects", head, cells, frozenset(range(2, 7)))))
    return Section("effects", "What it changes in the prediction", tuple(blocks))


def _with_intervals(subject: Subject, record: InferenceRecord) -> Iterator[Block]:
    effect, percent = subject.effect, f"{100 * record.level:.4g}\u00a0%"
    yield prose(
        f"In the units of the file, with {percent} intervals. {effect.sentence} "
        f"Standard errors: {covariance_words(record)}."
        + (f" Each class is compared with {record.base}." if record.base else "")
    )
    if record.note:
        yield prose(record.note)
    features = {feature.name: feature for feature in subject.model.features}
    curves = curve_columns(subject.model.formula)
    if remarks := remarks_on_rows(subject.model.formula):
        yield Bullets(remarks)
    outputs = dict.fromkeys(row.output for row in record.terms)
    for place, output in enumerate(outputs):
        rows = [row for row in record.terms if row.output == output]
        if output:
            yield Heading(output)
        drawn = [
            row
            for row in rows
            if row.term in features
            and math.isfinite(row.std_error)
            and features[row.term].column not in curves
        ]
        drawn.sort(key=lambda row: -abs(row.statistic))
        drawn = drawn[:MOST_DRAWN]
        if drawn:
            numbers = _numbers(drawn, [features[row.term].scale for row in drawn])
            if effect.ratio:
                with np.errstate(over="ignore"):
                    numbers = (np.exp(numbers[0]), np.exp(numbers[1]), np.exp(numbers[2]))
            plot = plots.forest(
                f"coefficients-plot-{place}",
                [row.term for row in drawn],
                numbers,
                f"{effect.ratio or 'coefficient'} per standard deviation, or per level",
                is_ratio=bool(effect.ratio),
            )
            of_all = f"The {len(drawn)} of {len(rows) - 1} with the largest statistic. "
            caption = (
                f"{of_all if len(drawn) < len(rows) - 1 else ''}Estimates with {percent} "
                "intervals; diamonds: no effect is within the interval. Numbers are drawn per "
                "standard deviation, so that they can be compared; the table is per unit."
            )
            yield Figure(plot, caption, _terms_data(record, rows, f"coefficients-{place}.csv"))
        title = f"Effects on the {subject.changes(output)}, per unit"
        if record.ratio:
            yield _folded(_ratios_table(record, rows, title, curves))
        table = _terms_table(record, rows, title)
        is_open = not record.ratio and len(rows) <= _MOST_OPEN
        yield Fold("Coefficients and standard errors", (table,), is_open=is_open)


def covariance_words(record: InferenceRecord) -> str:
    """Return the covariance in words."""
    if record.cov == "model":
        return "of the model (inverse information)"
    if record.clusters is None:
        return f"robust to heteroscedasticity ({record.cov})"
    return f"robust, clustered by {record.clusters} ({record.cov}, {record.n_clusters} clusters)"


def _ratios_table(
    record: InferenceRecord, rows: list[TermRow], title: str, curves: set[str]
) -> Table:
    """Return ratios with intervals, without the intercept and blank for columns of curves."""
    cells = tuple(
        (row.term, row.reference, "", "", "", _p(row.p_value))
        if row.term in curves
        else (row.term, row.reference, *(_number(value) for value in row.ratios), _p(row.p_value))
        for row in rows
        if row.term != "(Intercept)"
    )
    head = ("", "against", record.ratio, *_ends(record.level), "p")
    return Table(title, head, cells, frozenset(range(2, 6)))


def _terms_table(record: InferenceRecord, rows: list[TermRow], title: str) -> Table:
    """Return estimates on the scale of the score, the intercept included."""
    cells = tuple(
        (
            row.term,
            row.reference,
            *_cells(row.estimate, row.std_error, row.p_value, row.low, row.high),
        )
        for row in rows
    )
    head = ("", "against", "coefficient", "std. error", "p", *_ends(record.level))
    return Table(title, head, cells, frozenset(range(2, 7)))


def _cells(
    estimate: float, error: float, p: float, low: float, high: float
) -> tuple[str, str, str, str, str]:
    return _number(estimate), _number(error), _p(p), _number(low), _number(high)


def _p(value: float) -> str:
    return "–" if math.isnan(value) else shown_p(value)


def _number(value: float) -> str:
    if math.isnan(value):
        return "–"
    return ("+∞" if value > 0 else "−∞") if math.isinf(value) else signif(value)


def _ends(level: float) -> tuple[str, str]:
    outside = 50 * (1 - level)
    return f"{outside:.4g}\u00a0%", f"{100 - outside:.4g}\u00a0%"


def _numbers(
    rows: list[TermRow] | list[EffectRow], steps: list[float]
) -> tuple[Floats, Floats, Floats]:
    size = np.array(steps)
    parts = np.array([[row.estimate, row.low, row.high] for row in rows])
    return parts[:, 0] * size, parts[:, 1] * size, parts[:, 2] * size


def _effect_label(row: EffectRow) -> str:
    return row.term if row.contrast == "dY/dX" else f"{row.term}: {row.contrast}"


def _terms_data(record: InferenceRecord, rows: list[TermRow], name: str) -> Data:
    head = ["term", "reference", "estimate", "std.error", "p.value", "conf.low", "conf.high"]
    ratio = [record.ratio_key] if record.ratio else []
    lines = (
        [row.term, row.reference, *_plain(row), *(row.ratios[:1] if ratio else ())] for row in rows
    )
    return data_of(name, [*head, *ratio], lines)


def _effects_data(rows: tuple[EffectRow, ...]) -> Data:
    head = ["term", "contrast", "estimate", "std.error", "p.value", "conf.low", "conf.high"]
    return data_of("effects.csv", head, ([row.term, row.contrast, *_plain(row)] for row in rows))


def _plain(row: Estimated) -> tuple[float, ...]:
    return row.estimate, row.std_error, row.p_value, row.low, row.high


def _without_intervals(subject: Subject) -> Iterator[Block]:
    model, effect = subject.model, subject.effect
    mean = (
        ""
        if not isinstance(model, TableModel) or model.is_binary
        else f" With {len(model.classes)} classes, the odds are those of a class against the "
        "geometric mean of all."
    )
    yield prose(
        "One step is one standard deviation for a number, and the category instead of its base "
        f"for a text. {effect.sentence} The penalty acts on the coefficient per step; the last "
        f"column is the same coefficient on the scale of the file.{mean}"
    )
    if remarks := remarks_on_rows(model.formula):
        yield Bullets(remarks)
    if isinstance(model, TableModel):
        intercepts = model.own_intercepts()
    else:
        intercepts = {"": model.own_intercept}
    for place, (label, intercept) in enumerate(intercepts.items()):
        rows = [row for row in subject.coefficients() if row.label == label]
        rows.sort(key=lambda row: -abs(row.per_deviation))
        taking_part = [row for row in rows if row.per_deviation != 0]
        drawn = taking_part[:MOST_DRAWN]
        if mean:
            yield Heading(label)
        if len(taking_part) < len(rows):
            why = ", left out by the penalty" if model.training.l1_ratio else ""
            n_out = len(rows) - len(taking_part)
            yield prose(f"Exactly 0{why}: {n_out} of {len(rows)} coefficients.")
        data = data_of(
            f"coefficients-{place}.csv",
            ["feature", "base", "per_step", "per_unit"],
            ((r.feature.name, r.feature.base, r.per_deviation, r.own_scale) for r in rows),
        )
        if drawn:
            svg = plots.coefficients(
                f"coefficients-plot-{place}",
                [row.feature.name for row in drawn],
                [row.per_deviation for row in drawn],
                f"coefficient per step (left lowers the {effect.changes}, right raises it)",
            )
            of_all = len(drawn) == len(taking_part)
            which = "The" if of_all else f"The {len(drawn)} largest of {len(taking_part)}"
            caption = (
                f"{which} coefficients for the {subject.changes(label)}: dots raise it, diamonds "
                "lower it."
            )
            yield Figure(svg, caption, data)
        yield _folded(_steps_table(subject, rows, label, intercept))


def _steps_table(
    subject: Subject, rows: list[CoefficientRow], label: str, intercept: float
) -> Table:
    ratio, curves = subject.effect.ratio, curve_columns(subject.model.formula)
    head = ("feature", "one step", *([ratio] if ratio else []), "coefficient per step", "per unit")
    cells = [
        (
            row.feature.name,
            f"sd = {signif(row.feature.scale)}"
            if row.feature.base is None
            else f"against {row.feature.base}",
            *([_ratio(row, curves)] if ratio else []),
            signif(row.per_deviation),
            signif(row.own_scale, 5),
        )
        for row in rows
    ]
    last = ("intercept", "", *([""] if ratio else []), "", signif(intercept, 5))
    title = f"Effects on the {subject.changes(label)}, the largest first"
    return Table(title, head, (*cells, last), frozenset(range(2, len(head))))


def _ratio(row: CoefficientRow, curves: set[str]) -> str:
    return "" if row.feature.column in curves else signif(row.ratio)


def _folded(table: Table) -> Fold:
    return Fold("The table", (table,), is_open=len(table.rows) <= _MOST_OPEN)
