"""Options of the penalty of a fit: its strength, its kind, and its path."""

from __future__ import annotations

from collections.abc import Callable

import click

_OPTIONS = (
    click.option(
        "-C",
        "--inverse-penalty",
        "C",
        type=click.FloatRange(0, min_open=True),
        default=1.0,
        show_default=True,
        help="Inverse regularization strength on the sum of the losses, as in scikit-learn's "
        "LogisticRegression: smaller is a stronger penalty, 'inf' is none.",
    ),
    click.option(
        "--alpha",
        type=click.FloatRange(0),
        help="Regularization strength on the mean of the losses, in place of -C, as in "
        "scikit-learn's PoissonRegressor: C = 1/(alpha x rows), 0 is none.",
    ),
    click.option(
        "--l1-ratio",
        type=click.FloatRange(0, 1),
        default=0.0,
        show_default=True,
        metavar="R",
        help="Share of absolute values in the penalty: 1 is the lasso, which sets coefficients to "
        "0; 0 is L2 alone. For classes, or a convex loss.",
    ),
    click.option(
        "--adaptive",
        is_flag=True,
        help="Adaptive lasso: absolute values weighted by one over the coefficients of a pilot fit "
        "with L2 penalty and C = 1, so that large coefficients hardly shrink. With --l1-ratio.",
    ),
    click.option(
        "--groups",
        type=click.Choice(["levels"]),
        help="Groups of features whose coefficients leave 0 together: the levels of each "
        "categorical column, and with --formula the features of each term. With --l1-ratio.",
    ),
    click.option(
        "--relax",
        is_flag=True,
        help="Refit of the features that the penalty chooses, without penalty. With --cv, the "
        "mixture of both that the folds choose, as cv.glmnet. With --l1-ratio.",
    ),
    click.option(
        "--path",
        "path_file",
        type=click.Path(),
        metavar="FILE",
        help="Write the coefficients for 100 penalties, and when each feature enters, to FILE: a "
        "plot for .png, .svg or .pdf, or else CSV. The penalty is that of --l1-ratio, or the "
        "lasso.",
    ),
)


def penalty_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of the penalty."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
