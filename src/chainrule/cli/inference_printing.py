"""Inference as text, in the layout of statistics packages: the certificate comes first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from chainrule.engine.inference.hypotheses import shown_p
from chainrule.formulas.own_effects import curve_columns, remarks_on_rows
from chainrule.tables.inference_file import inference_document, number_or_word
from chainrule.visible import visible

if TYPE_CHECKING:
    from chainrule.tables.inference_record import Estimated, InferenceRecord
    from chainrule.tables.model import TableModel
    from chainrule.tables.regression import TableRegression

_MOST_LINES = 200


def summary_lines(
    model: TableModel | TableRegression, record: InferenceRecord, *, odds: bool
) -> Iterator[str]:
    """Yield the lines of the summary of a fitted model.

    Parameters
    ----------
    model : TableModel or TableRegression
    record : InferenceRecord
        Its inference.
    odds : bool
        Whether to show the exponentials of the coefficients too.
    """
    training = model.training
    yield model.certificate.sentence
    penalty = "without a penalty" if math.isinf(training.C) else f"with C = {training.C:g}"
    held = f", {training.held_out} held out" if training.held_out else ""
    yield f"{model.target}: fitted to {training.rows} rows{held}, {penalty}."
    if model.formula is not None:
        yield f"Formula: {model.formula.text}"
    yield from record.facts
    if record.clusters is not None:
        yield f"Clusters: {record.n_clusters} values of {record.clusters}."
    yield ""
    yield from _columns(_coefficients(record))
    yield from remarks_on_rows(model.formula)
    if odds and record.ratio:
        yield ""
        yield from _columns(_ratios(record, curve_columns(model.formula)))
    elif odds:
        yield ""
        yield "The exponential of a coefficient has no meaning with this link: no ratios."
    if record.effects:
        yield ""
        yield "Average marginal effects on the predicted mean"
        yield from _columns(_effects(record))
    if record.note:
        yield ""
        yield record.note


def inference_json(record: InferenceRecord, *, odds: bool) -> dict[str, Any]:
    """Return the inference as JSON values, with ratios where they are asked for."""
    document = inference_document(record)
    if odds and record.ratio:
        for row, terms in zip(document["terms"], record.terms, strict=True):
            names = (record.ratio_key, *(f"{record.ratio_key}.{end}" for end in ("low", "high")))
            row.update(zip(names, map(number_or_word, terms.ratios), strict=True))
    return document


def _coefficients(record: InferenceRecord) -> Iterator[list[str]]:
    letter = record.statistic
    references = any(row.reference for row in record.terms)
    yield [
        *("", "coef", "std err", letter, f"P>|{letter}|", *_percents(record)),
        *(["against"] if references else []),
    ]
    for row in record.terms:
        yield [_name(row), *_estimate(row), *([row.reference] if references else [])]


def _ratios(record: InferenceRecord, curves: set[str]) -> Iterator[list[str]]:
    yield ["", record.ratio, *_percents(record)]
    for row in record.terms:
        if row.term != "(Intercept)":
            is_own = row.term not in curves
            yield [_name(row), *(map(_number, row.ratios) if is_own else ("", "", ""))]


def _effects(record: InferenceRecord) -> Iterator[list[str]]:
    letter = record.statistic
    yield ["", "contrast", "effect", "std err", letter, f"P>|{letter}|", *_percents(record)]
    for row in record.effects:
        yield [_name(row), row.contrast, *_estimate(row)]


def _estimate(row: Estimated) -> list[str]:
    return [
        _number(row.estimate),
        _number(row.std_error),
        "-" if math.isnan(row.statistic) else f"{row.statistic:.3f}",
        "-" if math.isnan(row.p_value) else shown_p(row.p_value),
        _number(row.low),
        _number(row.high),
    ]


def _percents(record: InferenceRecord) -> tuple[str, str]:
    outside = 50 * (1 - record.level)
    return f"[{outside:.4g}%", f"{100 - outside:.4g}%]"


def _name(row: Estimated) -> str:
    return f"{row.output}: {row.term}" if row.output else row.term


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "-" if math.isnan(value) else f"{value:+}"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.4g}"


def _columns(rows: Iterator[list[str]]) -> Iterator[str]:
    """Yield rows with their cells in columns: names to the left, numbers to the right."""
    cells = [[visible(cell) for cell in row] for row in rows]
    hidden = len(cells) - 1 - _MOST_LINES
    shown = cells[: _MOST_LINES + 1]
    widths = [max(len(row[k]) for row in shown) for k in range(len(shown[0]))]
    left = {0} | {k for k, name in enumerate(shown[0]) if name in ("against", "contrast")}
    for number, row in enumerate(shown):
        yield _aligned(row, widths, left)
        if number == 0:
            yield "-" * (sum(widths) + 2 * (len(widths) - 1))
    if hidden > 0:
        yield f"{hidden} more rows are in --json."


def _aligned(row: Sequence[str], widths: Sequence[int], left: set[int]) -> str:
    return "  ".join(
        cell.ljust(width) if k in left else cell.rjust(width)
        for k, (cell, width) in enumerate(zip(row, widths, strict=True))
    ).rstrip()
