"""The output of ``chainrule fit --loss``: for people, and as JSON for programs."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from chainrule.cli.inference_printing import inference_json, summary_lines
from chainrule.cli.shared import printable, text_console
from chainrule.cli.validation_printing import curve_document, print_curve
from chainrule.formulas.own_effects import curve_columns, remarks_on_rows
from chainrule.tables.effects import EFFECTS
from chainrule.tables.loss_facts import fact_lines
from chainrule.tables.loss_file import loss_document
from chainrule.visible import visible

if TYPE_CHECKING:
    from chainrule.tables.fitting_regression import FittedRegression
    from chainrule.tables.regression_metrics import RegressionMetrics

_MOST_LINES = 40
_WIDTH = 100


def print_regression(
    fitted: FittedRegression, data: str, written: list[str], *, odds: bool = False
) -> None:
    """Print the fit for people."""
    console = text_console(_WIDTH)
    model, training = fitted.model, fitted.model.training

    def line(text: str) -> None:
        console.print(text, soft_wrap=True)

    if model.inference is not None:
        for text in summary_lines(model, model.inference, odds=odds):
            print(visible(text))
        for note in fitted.notes:
            line(f"[yellow]note[/] {printable(note)}")
        line("")
        _print_metrics(console, fitted, training.seed)
        for path in written:
            line(f"wrote {printable(path)}")
        return
    line(f"[bold]{printable(model.target)}[/] from {printable(data)}")
    line(f"  trained on  {training.rows} rows (mean of the target {fitted.y.mean():.6g})")
    line(f"  columns     {len(model.specs)}, as {len(model.features)} features")
    link = model.loss.row.link_name
    line(f"  loss        {printable(model.loss.title)}{printable(_constants(fitted))}, {link} link")
    line(f"  proven      {printable(proven_of(fitted))}")
    if model.offsets.offset is not None:
        line(f"  offset      {printable(model.offsets.offset)}")
    if model.offsets.exposure is not None:
        line(f"  exposure    {printable(model.offsets.exposure)}: log of it added to the score")
    line(
        f"  objective   {training.objective:.10g} after {training.iterations} iterations "
        f"({training.penalty})"
    )
    line(f"  certificate {printable(model.certificate.sentence)}")
    for note in fitted.notes:
        line(f"  [yellow]note[/]        {printable(note)}")
    line("")
    console.print(_coefficients(fitted))
    line(EFFECTS[link].sentence)
    for remark in remarks_on_rows(fitted.model.formula):
        line(printable(remark))
    line("")
    if fitted.penalty_curve is not None:
        print_curve(console, fitted.penalty_curve)
    _print_metrics(console, fitted, training.seed)
    for path in written:
        line(f"wrote {printable(path)}")


def proven_of(fitted: FittedRegression) -> str:
    """Return the proven facts of the loss in a few words."""
    lines = fact_lines(fitted.model.loss.row)
    names = [line.name for line in lines if line.proven]
    absent = [line.name for line in lines if not line.proven]
    said = ", ".join(names) or "nothing"
    return said if not absent else f"{said}; not proven: {', '.join(absent)}"


def _constants(fitted: FittedRegression) -> str:
    constants = fitted.model.loss.constants
    if not constants:
        return ""
    return " with " + ", ".join(f"{name} = {value:g}" for name, value in constants.items())


def _coefficients(fitted: FittedRegression) -> Table:
    model = fitted.model
    effect = EFFECTS[model.loss.row.link_name]
    curves = curve_columns(model.formula)
    rows = sorted(model.coefficients(), key=lambda row: -abs(row.per_deviation))
    hidden = len(rows) - _MOST_LINES
    caption = f"intercept on the file's own scale: {model.own_intercept:.6g}"
    if hidden > 0:
        caption += f"; {hidden} smaller coefficients are in --json and in the report"
    title = f"Effects on the {effect.changes} of {printable(model.target)}"
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    table.add_column("feature", overflow="fold")
    table.add_column("one step", overflow="fold")
    if effect.ratio:
        table.add_column(effect.ratio, justify="right")
    table.add_column("coefficient per step", justify="right")
    table.add_column("on its own scale", justify="right")
    for row in rows[:_MOST_LINES]:
        feature = row.feature
        step = f"1 sd = {feature.scale:.4g}" if feature.base is None else f"against {feature.base}"
        shown = "" if feature.column in curves else f"{row.ratio:.4g}"
        ratio = [shown] if effect.ratio else []
        table.add_row(
            printable(feature.name),
            printable(step),
            *ratio,
            f"{row.per_deviation:+.4f}",
            f"{row.own_scale:+.5g}",
        )
    return table


def _print_metrics(console: Console, fitted: FittedRegression, seed: int) -> None:
    metrics = fitted.metrics
    if metrics is None:
        console.print("Nothing was held out, so nothing is measured.")
        return
    split = f" (split by seed {seed})" if fitted.measured_on == "held-out rows" else ""
    console.print(f"On {metrics.n_rows} {printable(fitted.measured_on)}{split}", soft_wrap=True)
    null = f"{metrics.mean_loss_of_null:.6g} for the null model, a constant"
    shown: list[tuple[str, float | None, str]] = [
        ("deviance explained", metrics.deviance_explained, "D2: 1 is perfect, 0 the null model"),
        ("mean loss", metrics.mean_loss, null),
        ("RMSE", metrics.rmse, "root mean square error of the predicted mean"),
        ("MAE", metrics.mae, "mean absolute error of the predicted mean"),
        ("mean predicted", metrics.mean_predicted, f"actual {metrics.mean_actual:.6g}"),
    ]
    for name, value, remark in shown:
        if value is not None:
            console.print(f"  {name:<20}{value:<12.6g} [dim]{remark}[/]", soft_wrap=True)
    table = Table(title="Predicted against observed, by decile", title_justify="left")
    for name in ("rows", "mean predicted", "mean observed"):
        table.add_column(name, justify="right")
    groups = metrics.groups
    assert groups.weight is not None
    for rows, predicted, observed in zip(groups.weight, groups.x, groups.y, strict=True):
        table.add_row(str(rows), f"{predicted:.5g}", f"{observed:.5g}")
    console.print(table)


def print_regression_json(
    fitted: FittedRegression, written: list[str], *, odds: bool = False
) -> None:
    """Print the fit for programs."""
    model = fitted.model
    effect = EFFECTS[model.loss.row.link_name]
    certificate = {"sentence": model.certificate.sentence, **model.certificate.facts}
    result: dict[str, Any] = {
        "target": model.target,
        "loss": loss_document(model.loss),
        "offset": model.offsets.offset,
        "exposure": model.offsets.exposure,
        "rows": model.training.rows,
        "held_out": model.training.held_out,
        "dropped": model.training.dropped,
        "seed": model.training.seed,
        "C": _finite(model.training.C),
        "objective": model.training.objective,
        "iterations": model.training.iterations,
        "certificate": {name: _finite(fact) for name, fact in certificate.items()},
        "coefficients": [
            {
                "feature": row.feature.name,
                "column": row.feature.column,
                "base": row.feature.base,
                "scale": row.feature.scale,
                "per_deviation": row.per_deviation,
                "own_scale": _finite(row.own_scale),
                **({effect.ratio.replace(" ", "_"): _finite(row.ratio)} if effect.ratio else {}),
            }
            for row in model.coefficients()
        ],
        "own_intercept": model.own_intercept,
        "metrics": {name: _finite(fact) for name, fact in model.training.metrics.items()},
        "groups": _groups(fitted.metrics),
        "measured_on": None if fitted.metrics is None else fitted.measured_on,
        "cross_validation": curve_document(fitted.penalty_curve),
        "notes": list(fitted.notes),
        "written": written,
    }
    if model.inference is not None:
        result["inference"] = inference_json(model.inference, odds=odds)
    print(json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False))


def _groups(metrics: RegressionMetrics | None) -> list[dict[str, float]] | None:
    if metrics is None:
        return None
    groups = metrics.groups
    assert groups.weight is not None
    return [
        {"rows": int(rows), "mean_predicted": float(predicted), "mean_observed": float(observed)}
        for rows, predicted, observed in zip(groups.weight, groups.x, groups.y, strict=True)
    ]


def _finite(value: object) -> object:
    """Return null for what JSON has no word for."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
