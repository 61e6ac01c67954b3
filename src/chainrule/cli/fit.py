"""``chainrule fit``: a table in; a model, its certificate and a report out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from chainrule.cli.constants import constant_values
from chainrule.cli.shared import file_options, ignore_option
from chainrule.cli.validation_options import validation_options

if TYPE_CHECKING:
    from chainrule.tables.files.options import ReadOptions
    from chainrule.tables.fitting import FittedTable
    from chainrule.tables.fitting_regression import FittedRegression
    from chainrule.tables.options import FitOptions
    from chainrule.tables.specs import Missing, Unknown
    from chainrule.tables.validation.options import ValidationOptions

    Fitted = FittedTable | FittedRegression

_HELP = """Fit a regression to a table, with a proven bound on the distance from the optimum.

DATA is a table: a text file with separated cells (.csv, .tsv, ...) or JSON lines, also compressed
(.gz, .bz2, .xz, .zst, .zip), Parquet, Feather, a workbook (.xlsx), a SQLite or DuckDB file, a
folder or a pattern of parts, or '-' for the standard input. @breast_cancer is a data set that ships
with chainrule.

A column named by --category, or the target of labels, is text, byte for byte. What is found out
about a file is said and stored in the model; chainrule columns DATA shows it column by column.

Text columns become categories, each compared with the most frequent one. Numbers are standardised:
the penalty acts on that scale, and coefficients are reported on both. Some rows are held out to
measure the model on unseen data.

Without --loss, the target holds labels and the model is a logistic regression. With --loss, the
target holds numbers: LOSS is a name (poisson, gamma, tweedie, huber, ...), a .cr file with a
forward pass, or a formula in the score z and the target y. Its gradient and curvature are derived,
and the certificate uses what is proven of it; see it with: chainrule derive FILE --facts.

\b
Examples:
  chainrule fit @breast_cancer --target diagnosis
  chainrule fit loans.csv --target repaid --positive yes \\
      --missing indicator --ignore customer_id \\
      --out model.json --report report.html
  chainrule fit claims.csv --target n --loss poisson --exposure years
  chainrule fit sales.csv --target y --loss quantile --constant tau=0.9
  chainrule fit data.csv --target y --loss my_loss.cr --link log
  chainrule fit data.csv --target y --loss "log(cosh(z - y))"
  chainrule fit doses.csv --target dead --trials beetles
  chainrule fit flights.csv.gz --target late --date scheduled --rare 20 --unknown rare
  chainrule fit shop.sqlite --query "select * from sales where year > 2020" --target bought
  chainrule fit loans.csv --target repaid --cv 5 --test new.csv --by region \\
      --threshold cost --cost-fp 1 --cost-fn 5
  cat data.csv | chainrule fit - --target y --columns columns.toml
"""


@click.command("fit", help=_HELP, short_help="Fit a table; get coefficients and a certificate.")
@click.argument("data")
@click.option("--target", required=True, metavar="COLUMN", help="Column to predict.")
@click.option(
    "--loss",
    metavar="LOSS",
    help="Name of a shipped loss, path of a .cr file, or formula in z and y. Default: logistic.",
)
@click.option(
    "--constant",
    "constants",
    multiple=True,
    metavar="NAME=VALUE",
    callback=constant_values,
    help="Value of a named constant of the loss, such as alpha=0.5. Repeatable.",
)
@click.option(
    "--link",
    type=click.Choice(["identity", "log", "logit", "probit", "cloglog"]),
    help="Link from the mean to the score, for a loss that you write. Default: identity.",
)
@click.option(
    "--targets",
    type=click.Choice(["any", "nonnegative", "positive", "shares"]),
    help="Range of the target, for a loss that you write; 'shares' are numbers from 0 to 1. More "
    "is proven of a loss on a smaller range. Default: any.",
)
@click.option(
    "--offset", metavar="COLUMN", help="Column added to the score, in the fit and in predictions."
)
@click.option(
    "--exposure",
    metavar="COLUMN",
    help="Column whose logarithm is added to the score: time at risk, area, population; with a "
    "loss of log link.",
)
@click.option(
    "--positive",
    metavar="LABEL",
    help="Positive class (coded as 1). Default: the last label in sorted order.",
)
@click.option("--out", type=click.Path(), metavar="FILE", help="Write the model to FILE, as JSON.")
@click.option(
    "--report",
    type=click.Path(),
    metavar="FILE",
    help="Write an HTML report with tables and plots to FILE.",
)
@click.option(
    "--missing",
    type=click.Choice(["refuse", "drop", "mean", "indicator"]),
    default="refuse",
    show_default=True,
    help="Treatment of missing values: stop; drop the rows; impute the mean (for text, the most "
    "frequent category); or impute and add an indicator column.",
)
@click.option(
    "--category",
    "categories",
    multiple=True,
    metavar="COLUMN",
    help="Column to encode as categories, even if it is numeric or has many distinct strings. "
    "Repeatable.",
)
@ignore_option
@click.option(
    "--number",
    "numbers",
    multiple=True,
    metavar="COLUMN",
    help="Column to read as numbers even if it looks like codes. Repeatable.",
)
@click.option(
    "--date",
    "dates",
    multiple=True,
    metavar="COLUMN[=PARTS]",
    help="Column of dates, to use as year, month, weekday and days, or as the PARTS named: "
    "when=year,hour. Repeatable.",
)
@click.option(
    "--date-format", metavar="FORMAT", help="Form of dates written as text, such as %d.%m.%Y."
)
@click.option(
    "--weights", metavar="COLUMN", help="Column of weights: k counts as k repetitions of the row."
)
@click.option(
    "--trials",
    metavar="COLUMN",
    help="Column with the number of trials, of which the target holds the successes.",
)
@click.option(
    "--group", metavar="COLUMN", help="Column whose rows of one value are held out together."
)
@click.option("--time", metavar="COLUMN", help="Column by which the last rows are held out.")
@click.option(
    "--rare",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Least number of training rows of a category; those with fewer become one.",
)
@click.option(
    "--unknown",
    type=click.Choice(["error", "base", "rare"]),
    default="error",
    show_default=True,
    help="Treatment, in predictions, of a category that no training row has: stop; the base; the "
    "group that --rare makes.",
)
@click.option(
    "--fold-labels",
    is_flag=True,
    help="Take labels that differ only by case or blanks as one.",
)
@click.option(
    "--columns",
    "columns_file",
    type=click.Path(),
    metavar="FILE",
    help="Roles of the columns, as chainrule columns DATA --out FILE writes them.",
)
@file_options
@validation_options
@click.option(
    "--holdout",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.2,
    show_default=True,
    metavar="FRACTION",
    help="Fraction of rows held out for the metrics; 0 trains on all.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Random seed for the train/test split.",
)
@click.option(
    "-C",
    "--inverse-penalty",
    "C",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Inverse L2 regularization strength on the sum of the losses, as in scikit-learn's "
    "LogisticRegression: smaller is a stronger penalty, 'inf' is none.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0),
    help="L2 regularization strength on the mean of the losses, in place of -C, as in "
    "scikit-learn's PoissonRegressor: C = 1/(alpha x rows), 0 is none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def command(
    context: click.Context,
    data: str,
    target: str,
    loss: str | None,
    constants: dict[str, float],
    link: str | None,
    targets: str | None,
    offset: str | None,
    exposure: str | None,
    positive: str | None,
    out: str | None,
    report: str | None,
    missing: Missing,
    categories: tuple[str, ...],
    ignore: tuple[str, ...],
    numbers: tuple[str, ...],
    dates: tuple[str, ...],
    date_format: str | None,
    weights: str | None,
    trials: str | None,
    group: str | None,
    time: str | None,
    rare: int,
    unknown: Unknown,
    fold_labels: bool,
    columns_file: str | None,
    file: ReadOptions,
    validation: ValidationOptions,
    holdout: float,
    seed: int,
    C: float,
    alpha: float | None,
    as_json: bool,
) -> None:
    """Fit a table; the help text is `_HELP`."""
    from chainrule.tables.dates import DateColumn
    from chainrule.tables.options import FitOptions

    if alpha is not None and context.get_parameter_source("C") is not ParameterSource.DEFAULT:
        raise click.UsageError("-C and --alpha both set the penalty; give one of them")
    path = data_path(data)
    read = [path]
    if validation.test is not None:
        read.append(data_path(validation.test))
        validation = replace(validation, test=str(read[-1]))
    refuse_places(tuple(read), out, report)
    choices = FitOptions(
        target,
        positive,
        missing,
        categories,
        ignore,
        holdout,
        seed,
        C,
        alpha=alpha,
        offset=offset,
        exposure=exposure,
        weights=weights,
        trials=trials,
        group=group,
        time=time,
        numbers=numbers,
        dates=tuple(DateColumn.read(text, date_format) for text in dates),
        rare=rare,
        unknown=unknown,
        fold_labels=fold_labels,
        file=file,
        validation=validation,
    )
    if columns_file is not None:
        from chainrule.tables.columns_file import with_columns_file

        choices = with_columns_file(choices, columns_file)
    with progress_line() as say:
        fitted = _fit(path, choices, loss, constants, link, targets, say)
        written: list[str] = []
        if out is not None:
            fitted.model.save(out)
            written.append(out)
        if report is not None:
            say("writing the report")
            write_report(fitted, data, report)
            written.append(report)
    _print(fitted, data, written, as_json=as_json)


def _fit(
    path: Path,
    choices: FitOptions,
    loss: str | None,
    constants: dict[str, float],
    link: str | None,
    targets: str | None,
    say: Callable[[str], None],
) -> Fitted:
    from chainrule.tables.chosen_loss import CLASSES, TARGETS

    if loss is None or loss == CLASSES:
        if constants or link or targets:
            raise click.UsageError("--constant, --link and --targets describe a loss; give --loss")
        from chainrule.tables.fitting import fit_file

        return fit_file(path, choices, say)
    from chainrule.tables.fitting_regression import fit_regression_file
    from chainrule.tables.losses import choose_loss

    say("deriving the loss")
    chosen = choose_loss(loss, constants, link, None if targets is None else TARGETS[targets])
    return fit_regression_file(path, choices, chosen, say)


def _print(fitted: Fitted, data: str, written: list[str], *, as_json: bool) -> None:
    from chainrule.tables.fitting import FittedTable

    if isinstance(fitted, FittedTable):
        from chainrule.cli.fit_printing import print_json, print_text

        if as_json:
            print_json(fitted, written)
        else:
            print_text(fitted, data, written)
        return
    from chainrule.cli.regression_printing import print_regression, print_regression_json

    if as_json:
        print_regression_json(fitted, written)
    else:
        print_regression(fitted, data, written)


def data_path(data: str) -> Path:
    """Return the path of a file, or of a shipped data set ``@name``."""
    if not data.startswith("@"):
        return Path(data)
    from chainrule.data import SHIPPED
    from chainrule.errors import DataError

    if data not in SHIPPED:
        known = ", ".join(SHIPPED)
        raise DataError(f"no data set {data!r} ships with chainrule. There is: {known}.")
    return SHIPPED[data]


def refuse_places(inputs: tuple[Path, ...], *outputs: str | None) -> None:
    """Reject output paths that overwrite an input or cannot be written."""
    from chainrule.errors import DataError
    from chainrule.storage import check_writable

    taken = {path.resolve() for path in inputs}
    for output in outputs:
        if output is None:
            continue
        check_writable(output)
        place = Path(output).resolve()
        if place in taken:
            raise DataError(f"{output}: this would write over another file of this command.")
        taken.add(place)


def write_report(fitted: Fitted, data: str, path: str) -> None:
    """Write the page of a fit."""
    from chainrule.documents.page import render_page
    from chainrule.storage import atomic_text
    from chainrule.tables.fitting import FittedTable
    from chainrule.visible import visible

    if isinstance(fitted, FittedTable):
        from chainrule.documents.fit_section import fit_lead, fit_sections
        from chainrule.documents.gradient_section import gradient_section
        from chainrule.tables.worked_example import work_example

        lead = fit_lead(fitted, data)
        sections = [*fit_sections(fitted)]
        if not fitted.is_weighted:  # the derivation has no weights
            sections.append(gradient_section(work_example(fitted)))
    else:
        from chainrule.documents.regression_section import regression_lead, regression_sections

        lead, sections = regression_lead(fitted, data), regression_sections(fitted)
    page = render_page(f"{fitted.model.target}: a fit and its proof", lead, sections)
    with atomic_text(path) as file:
        file.write(visible(page))


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Show one status line; nothing where the error stream is not a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda words: None
        return
    with console.status("starting") as status:
        yield lambda words: status.update(f"{words} ...")
