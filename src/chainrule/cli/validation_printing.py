"""Output of validation: the curve of penalties, metrics with intervals, thresholds, comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from chainrule.cli.shared import printable
from chainrule.tables.validation.thresholds import threshold_source

if TYPE_CHECKING:
    from chainrule.tables.validation.comparing import Comparison
    from chainrule.tables.validation.penalty import PenaltyCurve
    from chainrule.tables.validation.quality import Estimate, Validation

_BAR = 24
_CLUSTERS = 40
"""Clusters below which intervals from clusters are remarked on, as standard errors are."""
_NAMES = {"log_loss": "log loss", "accuracy": "accuracy", "auc": "AUC", "brier": "Brier score"}


def print_curve(console: Console, curve: PenaltyCurve) -> None:
    """Print the mean loss of each penalty, and which was chosen."""
    table = Table(
        title=f"Penalty by {curve.n_folds} folds ({printable(curve.folds)}): C = {curve.chosen:g}"
        + (f", gamma = {curve.gamma:g}" if curve.gamma is not None else ""),
        caption=f"{curve.n_proven} of {curve.n_fits} fits on folds have a proven optimum; rule "
        f"{curve.rule}",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("C", justify="right")
    table.add_column("mean loss", justify="right")
    table.add_column("std. error", justify="right")
    table.add_column("")
    finite = [mean for mean in curve.mean_loss if math.isfinite(mean)]
    low, high = min(finite), max(finite)
    for C, mean, error in zip(curve.Cs, curve.mean_loss, curve.std_error, strict=True):
        if math.isinf(mean):
            table.add_row(f"{C:.4g}", "", "", "no finite refit")
            continue
        length = _BAR if high == low else round(_BAR * (mean - low) / (high - low))
        mark = " <- chosen" if curve.chosen == C else ""
        table.add_row(f"{C:.4g}", f"{mean:.5f}", f"{error:.5f}", "#" * length + mark)
    console.print(table)


def interval_of(estimate: Estimate | None) -> str:
    """Return the interval of an estimate in brackets; empty without one."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    return f"[{estimate.low:.4f}, {estimate.high:.4f}]"


def method_of(found: Validation | Comparison, n_classes: int, *, paired: bool = False) -> str:
    """Return in words how the intervals were computed."""
    estimates = found.differences if paired else found.estimates  # type: ignore[union-attr]
    clustered = bool(found.cluster_column)
    parts = []
    if n_classes == 2 and "auc" in estimates:
        parts.append("AUC by DeLong for clusters (Obuchowski)" if clustered else "AUC by DeLong")
    if not paired and not clustered:
        parts.append("accuracy by Wilson")
    others = "others by" if parts else "by"
    draws = f"{found.n_replicates} replicates"
    parts.append(f"{others} {'paired ' * paired}bootstrap ({draws})")
    text = f"intervals of {found.level:.0%}: {', '.join(parts)}"
    if not clustered:
        return text
    few = ", so few that they are too narrow on average" if found.n_clusters < _CLUSTERS else ""
    return (
        f"{text}; they take the {found.n_clusters} values of {found.cluster_column!r} for "
        f"independent, not single rows{few}"
    )


def print_validation(console: Console, validation: Validation, *, whole: bool) -> None:
    """Print groups and the chosen threshold; if whole, also thresholds, calibration and gain."""
    if validation.groups:
        console.print(_groups(validation))
    if validation.threshold is not None:
        source = threshold_source(validation.threshold_rows, validation.rows)
        console.print(
            f"Threshold {validation.threshold:.4g}, {printable(source)}; "
            "it is stored in the model.",
            soft_wrap=True,
        )
    if whole and validation.thresholds:
        console.print(_thresholds(validation))
        console.print(_calibration(validation))
        console.print(_gains(validation))


def _groups(validation: Validation) -> Table:
    table = Table(
        title=f"By {printable(validation.by)}, on {printable(validation.rows)}",
        title_justify="left",
    )
    table.add_column(printable(validation.by), overflow="fold")
    table.add_column("rows", justify="right")
    for name in _NAMES.values():
        table.add_column(name, justify="right")
    for group in validation.groups:
        cells = []
        for name in _NAMES:
            found = group.estimates.get(name)
            cells.append("" if found is None else f"{found.value:.4f}\n{interval_of(found)}")
        cells = [printable(cell) for cell in cells]
        table.add_row(printable(group.value or "(missing)"), str(group.n_rows), *cells)
    return table


def _thresholds(validation: Validation) -> Table:
    table = Table(title=f"Thresholds, on {printable(validation.rows)}", title_justify="left")
    heads = ("threshold", "sensitivity", "specificity", "precision", "accuracy", "cost per row")
    for name in heads:
        table.add_column(name, justify="right")
    for row in validation.thresholds:
        numbers = (row.sensitivity, row.specificity, row.precision, row.accuracy, row.cost)
        cells = ["" if math.isnan(number) else f"{number:.4f}" for number in numbers]
        mark = "> " if row.is_chosen else ""
        table.add_row(f"{mark}{row.threshold:.4g}", *cells)
    return table


def _calibration(validation: Validation) -> Table:
    level = f"{validation.level:.0%}"
    table = Table(
        title=f"Calibration, on {printable(validation.rows)}",
        caption=f"intervals of the share: Wilson, {level}"
        + (", for the effective number of rows" if validation.cluster_column else ""),
        title_justify="left",
        caption_justify="left",
    )
    for name in ("rows", "predicted", "observed", "interval", ""):
        table.add_column(name, justify="right")
    for part in validation.calibration:
        table.add_row(
            str(part.n_rows),
            f"{part.predicted:.4f}",
            f"{part.observed:.4f}",
            printable(f"[{part.low:.4f}, {part.high:.4f}]"),
            "" if part.agrees else "off",
        )
    return table


def _gains(validation: Validation) -> Table:
    table = Table(title=f"Lift and gain, on {printable(validation.rows)}", title_justify="left")
    for name in ("top rows", "probability from", "positives found", "lift"):
        table.add_column(name, justify="right")
    for row in validation.gains:
        table.add_row(
            f"{row.share:.0%}", f"{row.threshold:.4g}", f"{row.gain:.2%}", f"{row.lift:.3f}"
        )
    return table


def print_comparison(
    console: Console, comparison: Comparison, names: tuple[str, str], n_classes: int
) -> None:
    """Print two models side by side, and their differences."""
    table = Table(
        title=f"On {comparison.n_rows} rows",
        caption=printable(method_of(comparison, n_classes, paired=True)),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("")
    for name in (*names, "difference"):
        table.add_column(printable(name), justify="right", overflow="fold")
    for name, label in _NAMES.items():
        if name not in comparison.differences:
            continue
        cells = []
        for found in (comparison.first, comparison.second, comparison.differences):
            cells.append(f"{found[name].value:.4f}\n{interval_of(found[name])}")
        cells[2] = f"{comparison.differences[name].value:+.4f}\n" + cells[2].partition("\n")[2]
        table.add_row(label, *(printable(cell) for cell in cells))
    console.print(table)

    def line(text: str) -> None:
        console.print(text, soft_wrap=True)

    if comparison.auc_p is not None:
        line(f"  DeLong      p = {comparison.auc_p:.4g} for equal AUC")
    elif n_classes == 2 and "auc" in comparison.differences:
        line(
            "  DeLong      no p-value: a class has fewer than two rows or clusters, or the areas "
            "have no spread"
        )
    test = comparison.mcnemar
    line(
        f"  McNemar     p = {test.p:.4g}: {test.first_alone:g} rows that only the first gets "
        f"right, {test.second_alone:g} that only the second does"
    )
    for note in comparison.notes:
        line(f"  [yellow]note[/]        {printable(note)}")
    if comparison.n_left_out:
        line(
            f"  [yellow]note[/]        {comparison.n_left_out} rows left out: a value is missing, "
            "a category is new, or the weight is 0"
        )


def curve_document(curve: PenaltyCurve | None) -> dict[str, Any] | None:
    """Return the curve as JSON values."""
    return None if curve is None else _plain(asdict(curve))


def validation_document(validation: Validation | None) -> dict[str, Any] | None:
    """Return a validation as JSON values."""
    if validation is None:
        return None
    found = _plain(asdict(validation))
    for row, entry in zip(validation.thresholds, found["thresholds"], strict=True):
        for name in ("sensitivity", "specificity", "precision", "accuracy"):
            entry[name] = _plain(getattr(row, name))
    return dict(found)


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON values."""
    return dict(_plain(asdict(comparison)))


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return a value as JSON can hold it: null for a number that is not finite."""
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
