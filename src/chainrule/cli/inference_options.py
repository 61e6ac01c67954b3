"""Options of ``chainrule fit`` for errors, intervals and tests, and what they are by default."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from chainrule.tables.inference_options import InferenceOptions

COVARIANCES: Final = ("model", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR1S", "CR2", "CR3")

_OPTIONS = (
    click.option(
        "--inference",
        is_flag=True,
        help="Standard errors, intervals and tests. Unless -C or --alpha is given, the fit then "
        "has no penalty; unless --holdout is given, all rows are fitted.",
    ),
    click.option(
        "--cov",
        type=click.Choice(COVARIANCES),
        help="Covariance of the coefficients: of the model, robust (HC), or robust by clusters "
        "(CR). Default: model, or CR1 with --clusters. Implies --inference.",
    ),
    click.option(
        "--clusters",
        metavar="COLUMN",
        help="Column of clusters, whose rows may depend on each other. Implies --inference.",
    ),
    click.option(
        "--level",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        metavar="LEVEL",
        help="Level of confidence intervals. Default: 0.95. Implies --inference.",
    ),
    click.option(
        "--penalised",
        type=click.Choice(["bayes", "sandwich"]),
        help="Meaning of the errors of a penalised fit: the penalty as a prior, or the spread "
        "around a biased centre. Implies --inference.",
    ),
    click.option(
        "--odds",
        is_flag=True,
        help="Odds ratios (rate ratios with a log link) with intervals. Implies --inference.",
    ),
    click.option(
        "--effects",
        is_flag=True,
        help="Average marginal effects, by the delta method. Implies --inference.",
    ),
)


def inference_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options; the command gets `inference`, None unless one of them is given, and `odds`.

    Where inference is asked for, `C` and `holdout` lose their defaults for a fit that predicts:
    without a penalty, on all rows.
    """

    @wraps(command)
    def with_inference(
        *arguments: Any,  # noqa: ANN401
        inference: bool,
        cov: str | None,
        clusters: str | None,
        level: float | None,
        penalised: Any,  # noqa: ANN401
        odds: bool,
        effects: bool,
        **others: Any,  # noqa: ANN401
    ) -> None:
        from chainrule.tables.inference_options import InferenceOptions

        context = click.get_current_context()
        chosen: InferenceOptions | None = None
        given = any(option is not None for option in (cov, clusters, level, penalised))
        if inference or odds or effects or given:
            chosen = InferenceOptions(
                cov, clusters, 0.95 if level is None else level, penalised, effects
            )
            if _is_default(context, "C") and others["alpha"] is None and penalised is None:
                others["C"] = float("inf")
            if _is_default(context, "holdout"):
                others["holdout"] = 0.0
        command(*arguments, inference=chosen, odds=odds, **others)

    decorated: Callable[..., None] = with_inference
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _is_default(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.DEFAULT
