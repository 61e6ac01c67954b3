"""Options of validation: folds, the rows to measure on, thresholds."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

import click
from click.core import ParameterSource


def _numbers(context: click.Context, parameter: click.Parameter, text: str | None) -> list[float]:
    """Return comma-separated numbers."""
    try:
        return [float(word) for word in (text or "").split(",") if word.strip()]
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a list of numbers; write them with commas, as 0.01,0.1,1"
        ) from None


_OPTIONS = (
    click.option(
        "--cv",
        type=click.IntRange(2),
        metavar="K",
        help="Number of folds that choose C by the loss of their held-out rows: by class, by whole "
        "groups (--group), or forward in time (--time).",
    ),
    click.option(
        "--grid",
        metavar="NUMBERS",
        callback=_numbers,
        help="Values of C that --cv tries, with commas. Default: 17 values from 1e-4 to 1e4.",
    ),
    click.option(
        "--rule",
        type=click.Choice(["min", "1se"]),
        help="Choice of C by --cv: the least mean loss, or the strongest penalty within one "
        "standard error of it. Default: min.",
    ),
    click.option(
        "--test",
        metavar="FILE",
        help="File of rows to measure on, in place of held-out rows; read like DATA.",
    ),
    click.option("--by", metavar="COLUMN", help="Column whose values are measured one by one."),
    click.option(
        "--threshold",
        metavar="CHOICE",
        help="Least probability of the positive class that predicts it: 'best' (largest "
        "sensitivity + specificity), 'cost' (least cost) or a number. It is stored in the model.",
    ),
    click.option("--cost-fp", type=float, metavar="COST", help="Cost of a false positive."),
    click.option("--cost-fn", type=float, metavar="COST", help="Cost of a false negative."),
)


def validation_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of validation; the command gets them as `validation`."""

    @wraps(command)
    def run(
        *args: Any,  # noqa: ANN401
        cv: int | None,
        grid: list[float],
        rule: Literal["min", "1se"] | None,
        test: str | None,
        by: str | None,
        threshold: str | None,
        cost_fp: float | None,
        cost_fn: float | None,
        **others: Any,  # noqa: ANN401
    ) -> None:
        from chainrule.tables.validation.options import GRID, ValidationOptions
        from chainrule.tables.validation.thresholds import Costs

        given = click.get_current_context().get_parameter_source
        if cv is None and (grid or rule):
            raise click.UsageError("--grid and --rule choose C among folds; give --cv K too")
        if not grid and given("grid") is not ParameterSource.DEFAULT:
            raise click.UsageError("--grid holds no value of C; give some, as 0.01,0.1,1")
        if cv is not None:
            for name, option in (("C", "-C"), ("alpha", "--alpha")):
                if given(name) not in (ParameterSource.DEFAULT, None):
                    raise click.UsageError(
                        f"{option} and --cv both set the penalty; give one of them, or --grid"
                    )
        if (cost_fp is None) != (cost_fn is None):
            raise click.UsageError("--cost-fp and --cost-fn belong together; give both")
        if cost_fp is not None and threshold is None:
            threshold = "cost"
        if test is not None and given("holdout") is ParameterSource.DEFAULT:
            others["holdout"] = 0.0
        validation = ValidationOptions(
            folds=cv,
            grid=tuple(grid) or GRID,
            rule=rule or "min",
            test=test,
            by=by,
            threshold=threshold,
            costs=Costs() if cost_fp is None or cost_fn is None else Costs(cost_fp, cost_fn),
        )
        command(*args, validation=validation, **others)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run
