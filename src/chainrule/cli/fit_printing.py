"""Output of ``chainrule fit``: as text and as JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from chainrule.cli.shared import printable, text_console
from chainrule.cli.validation_printing import (
    curve_document,
    interval_of,
    method_of,
    print_curve,
    print_validation,
    validation_document,
)
from chainrule.formulas.own_effects import curve_columns, remarks_on_rows
from chainrule.visible import visible

if TYPE_CHECKING:
    from chainrule.tables.fitting import FittedTable
    from chainrule.tables.model import CoefficientRow

_MOST_LINES = 40
_WIDTH = 100


def print_text(fitted: FittedTable, data: str, written: list[str], *, odds: bool = False) -> None:
    """Print the fit as text."""
    console = text_console(_WIDTH)
    model, training = fitted.model, fitted.model.training

    def line(text: str) -> None:
        console.print(text, soft_wrap=True)

    if model.inference is not None:
        from chainrule.cli.inference_printing import summary_lines

        for text in summary_lines(model, model.inference, odds=odds):
            print(visible(text))
        for note in fitted.notes:
            line(f"[yellow]note[/] {printable(note)}")
        line("")
        _print_quality(console, fitted)
        for path in written:
            line(f"wrote {printable(path)}")
        return
    line(f"[bold]{printable(model.target)}[/] from {printable(data)}")
    counts = ", ".join(f"{printable(label)} {n}" for label, n in fitted.class_counts.items())
    line(f"  trained on  {training.rows} rows ({counts})")
    line(f"  columns     {len(model.specs)}, as {len(model.features)} features")
    if model.is_binary:
        line(f"  counts as 1 {printable(model.classes[1])}")
    steps = f"{training.iterations} iterations"
    line(f"  objective   {training.objective:.10g} after {steps} ({training.penalty})")
    line(f"  certificate {printable(model.certificate.sentence)}")
    for note in fitted.notes:
        line(f"  [yellow]note[/]        {printable(note)}")
    line("")
    for label in model.classes[1:] if model.is_binary else model.classes:
        rows = [row for row in model.coefficients() if row.label == label]
        own = model.own_intercepts()[label]
        curves = curve_columns(model.formula)
        console.print(_coefficients(rows, label, own, curves, binary=model.is_binary))
    for remark in remarks_on_rows(model.formula):
        line(printable(remark))
    line("")
    _print_quality(console, fitted)
    for path in written:
        line(f"wrote {printable(path)}")


def _coefficients(
    rows: list[CoefficientRow],
    label: str,
    own_intercept: float,
    curves: set[str],
    *,
    binary: bool,
) -> Table:
    title = f"Odds of {printable(label)}" + ("" if binary else ", against the mean class")
    rows = sorted(rows, key=lambda row: -abs(row.per_deviation))
    hidden = len(rows) - _MOST_LINES
    caption = f"intercept on the file's own scale: {own_intercept:.6g}"
    if hidden > 0:
        caption += f"; {hidden} smaller coefficients are in --json and in the report"
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    table.add_column("feature", overflow="fold")
    table.add_column("one step", overflow="fold")
    table.add_column("odds x", justify="right")
    table.add_column("coefficient a step", justify="right")
    table.add_column("on its own scale", justify="right")
    for row in rows[:_MOST_LINES]:
        feature = row.feature
        step = f"1 sd = {feature.scale:.4g}" if feature.base is None else f"against {feature.base}"
        table.add_row(
            printable(feature.name),
            printable(step),
            "" if feature.column in curves else f"{row.ratio:.4g}",
            f"{row.per_deviation:+.4f}",
            f"{row.own_scale:+.5g}",
        )
    return table


def _print_quality(console: Console, fitted: FittedTable) -> None:
    if fitted.penalty_curve is not None:
        print_curve(console, fitted.penalty_curve)
    _print_metrics(console, fitted, fitted.model.training.seed)
    if fitted.validation is not None:
        is_plain = fitted.penalty_curve is None and fitted.validation.rows == "held-out rows"
        whole = not is_plain or fitted.validation.threshold is not None
        print_validation(console, fitted.validation, whole=whole)


def _print_metrics(console: Console, fitted: FittedTable, seed: int) -> None:
    metrics, validation = fitted.metrics, fitted.validation
    if metrics is None or validation is None:
        console.print("Nothing was held out, so nothing is measured.")
        return
    split = f" (split by seed {seed})" if validation.rows == "held-out rows" else ""
    console.print(f"On {validation.n_rows} {printable(validation.rows)}{split}", soft_wrap=True)
    by_shares = f"{metrics.log_loss_of_shares:.4f} by class shares alone"
    shown: list[tuple[str, str, float | None, str]] = [
        ("log loss", "log_loss", metrics.log_loss, by_shares),
        ("accuracy", "accuracy", metrics.accuracy, ""),
        ("AUC", "auc", metrics.auc, "0.5 is chance"),
        ("Brier score", "brier", metrics.brier, "0 is perfect"),
        ("average precision", "", metrics.average_precision, ""),
    ]
    for label, name, value, remark in shown:
        if value is not None:
            interval = printable(interval_of(validation.estimates.get(name)))
            text = f"  {label:<18}{value:.4f}  {interval:<17} [dim]{remark}[/]"
            console.print(text, soft_wrap=True)
    method = printable(method_of(validation, len(metrics.classes)))
    console.print(f"  [dim]{method}[/]", soft_wrap=True)
    table = Table(title="actual down, predicted across", title_justify="left")
    table.add_column("")
    for label in metrics.classes:
        table.add_column(printable(label), justify="right")
    for label, counts in zip(metrics.classes, metrics.confusion, strict=True):
        table.add_row(printable(label), *(str(count) for count in counts))
    if len(metrics.classes) <= 10:
        console.print(table)


def print_json(fitted: FittedTable, written: list[str], *, odds: bool = False) -> None:
    """Print the fit as JSON."""
    model = fitted.model
    certificate = {"sentence": model.certificate.sentence, **model.certificate.facts}
    result: dict[str, Any] = {
        "target": model.target,
        "classes": list(model.classes),
        "rows": model.training.rows,
        "held_out": model.training.held_out,
        "dropped": model.training.dropped,
        "seed": model.training.seed,
        "objective": model.training.objective,
        "iterations": model.training.iterations,
        "certificate": {name: _finite(fact) for name, fact in certificate.items()},
        "coefficients": [
            {
                "class": row.label,
                "feature": row.feature.name,
                "column": row.feature.column,
                "base": row.feature.base,
                "scale": row.feature.scale,
                "per_deviation": row.per_deviation,
                "own_scale": _finite(row.own_scale),
                "odds_ratio": _finite(row.ratio),
            }
            for row in model.coefficients()
        ],
        "own_intercepts": model.own_intercepts(),
        "metrics": {name: _finite(fact) for name, fact in model.training.metrics.items()},
        "confusion": None if fitted.metrics is None else fitted.metrics.confusion.tolist(),
        "cross_validation": curve_document(fitted.penalty_curve),
        "validation": validation_document(fitted.validation),
        "notes": list(fitted.notes),
        "written": written,
    }
    if model.inference is not None:
        from chainrule.cli.inference_printing import inference_json

        result["inference"] = inference_json(model.inference, odds=odds)
    print(json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False))


def _finite(value: object) -> object:
    """Return None for a number that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
