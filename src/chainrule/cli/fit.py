"""``chainrule fit``: a table in; a model, its certificate and a report out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from click.core import ParameterSource

from chainrule.cli.constants import constant_values
from chainrule.cli.data_files import data_path, progress_line, refuse_places
from chainrule.cli.fit_path import path_in_words, path_of_fit
from chainrule.cli.inference_options import inference_options
from chainrule.cli.penalty_options import penalty_options
from chainrule.cli.shared import board_address, byte_size, file_options, ignore_option
from chainrule.cli.validation_options import validation_options

if TYPE_CHECKING:
    from chainrule.estimators.coefficient_paths import Path as PenaltyPath
    from chainrule.tables.files.options import ReadOptions
    from chainrule.tables.fitting import FittedTable
    from chainrule.tables.fitting_regression import FittedRegression
    from chainrule.tables.inference_options import InferenceOptions
    from chainrule.tables.options import FitOptions
    from chainrule.tables.row_storage import Storage
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

Data larger than the memory stay in files: they are converted once, beside the model file or in a
temporary folder, and read block by block, with the same coefficients to the last bit. --stream does
so for any data. A fit that was stopped, by Ctrl-C or worse, goes on with --resume.

With --inference, the coefficients come with standard errors, intervals and tests, in the units of
the file, as in R and statsmodels: the fit then has no penalty and uses all rows, unless -C or
--holdout says otherwise.

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
  chainrule fit trial.csv --target cured --inference --clusters clinic --odds --effects
  chainrule fit doses.csv --target dead --trials beetles
  chainrule fit @breast_cancer --target diagnosis --l1-ratio 1 -C 0.1 --path path.csv
  chainrule fit loans.csv --target repaid --l1-ratio 1 --cv 5 --groups levels --relax
  chainrule fit flights.csv.gz --target late --date scheduled --rare 20 --unknown rare
  chainrule fit shop.sqlite --query "select * from sales where year > 2020" --target bought
  chainrule fit "sales/*.parquet" --target bought --memory 2GB --out model.json
  chainrule fit "sales/*.parquet" --target bought --memory 2GB --out model.json --resume
  chainrule fit loans.csv --target repaid --cv 5 --test new.csv --by region \\
      --threshold cost --cost-fp 1 --cost-fn 5
  chainrule fit trial.csv --formula "cured ~ dose*sex + bs(age, df=4)" --inference
  cat data.csv | chainrule fit - --target y --columns columns.toml
"""


@click.command("fit", help=_HELP, short_help="Fit a table; get coefficients and a certificate.")
@click.argument("data")
@click.option("--target", metavar="COLUMN", help="Column to predict.")
@click.option(
    "--formula",
    metavar="FORMULA",
    help="Formula of target and terms, in place of --target and all columns, such as "
    "'y ~ a*b + bs(age, df=4) + C(race, ref=\"white\") + log(income)'.",
)
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
    help="Write a report to FILE: a page with tables and plots, or the card of the model (.md).",
)
@click.option(
    "--board",
    metavar="ADDRESS",
    callback=board_address,
    help="Page of a board, exported or running, that the page of --report links to.",
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
@penalty_options
@click.option(
    "--stream",
    is_flag=True,
    help="Rows in files, not in memory, whatever their size. Default: where they need more than "
    "the memory.",
)
@click.option(
    "--memory",
    metavar="SIZE",
    callback=byte_size,
    help="Memory for the data, such as 500MB or 2GB. Default: half of the machine's.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Continuation of a fit that was stopped, with the same --out: the bits are those of a fit "
    "that never was.",
)
@inference_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def command(
    context: click.Context,
    data: str,
    target: str | None,
    formula: str | None,
    loss: str | None,
    constants: dict[str, float],
    link: str | None,
    targets: str | None,
    offset: str | None,
    exposure: str | None,
    positive: str | None,
    out: str | None,
    report: str | None,
    board: str,
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
    stream: bool,
    memory: int | None,
    resume: bool,
    inference: InferenceOptions | None,
    odds: bool,
    l1_ratio: float,
    adaptive: bool,
    groups: Literal["levels"] | None,
    relax: bool,
    path_file: str | None,
    as_json: bool,
) -> None:
    """Fit a table; the help text is `_HELP`."""
    from chainrule.tables.dates import DateColumn
    from chainrule.tables.options import FitOptions

    if alpha is not None and context.get_parameter_source("C") is not ParameterSource.DEFAULT:
        raise click.UsageError("-C and --alpha both set the penalty; give one of them")
    if target is None and formula is None and columns_file is None:
        raise click.UsageError("Name the column to predict: --target, or a --formula.")
    if board and (report is None or _is_card(report)):
        raise click.UsageError("--board is for a --report that is a page (.html); omit --board")
    if date_format is not None and not dates:
        raise click.UsageError("--date-format is for --date; name the column of dates too")
    path = data_path(data)
    read = [path]
    if validation.test is not None:
        read.append(data_path(validation.test))
        validation = replace(validation, test=str(read[-1]))
    refuse_places(tuple(read), out, report, path_file)
    from chainrule.tables.chosen_loss import CLASSES

    if path_file is not None and trials is not None:
        raise click.UsageError("--path is for rows of labels, not of trials. Omit one of them.")
    if path_file is not None and loss not in (None, CLASSES):
        raise click.UsageError("--path is for a target of labels; omit it, or --loss")
    choices = FitOptions(
        target or "",
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
        inference=inference,
        l1_ratio=l1_ratio,
        adaptive=adaptive,
        relax=relax,
        groups=groups,
    )
    if formula is not None:
        from chainrule.tables.formula import with_formula

        choices = with_formula(choices, formula)
    if columns_file is not None:
        from chainrule.tables.columns_file import with_columns_file

        choices = with_columns_file(choices, columns_file)
        if not choices.target:
            raise click.UsageError(
                f'Name the column to predict: --target, or role = "target" in {columns_file}.'
            )
    with progress_line() as say:
        storage = _storage(out, stream=stream, memory=memory, resume=resume)
        held_for = "--path" if path_file is not None else "--formula" if formula else None
        storage = replace(storage, held_for=held_for)
        fitted = _fit(path, choices, loss, constants, link, targets, say, storage)
        written: list[str] = []
        if out is not None:
            fitted.model.save(out)
            written.append(out)
        penalties = None
        if path_file is not None:
            say("fitting the path")
            penalties = path_of_fit(fitted, l1_ratio, path_file, relax=relax)
        if report is not None:
            say("writing the report")
            write_report(fitted, data, report, penalties, board)
            written.append(report)
        if path_file is not None:
            written.append(path_file)
    _print(fitted, data, written, odds=odds, as_json=as_json)
    if penalties is not None and not as_json:
        click.echo(path_in_words(penalties))


def _fit(
    path: Path,
    choices: FitOptions,
    loss: str | None,
    constants: dict[str, float],
    link: str | None,
    targets: str | None,
    say: Callable[[str], None],
    storage: Storage,
) -> Fitted:
    from chainrule.tables.chosen_loss import CLASSES, TARGETS

    if loss is None or loss == CLASSES:
        if constants or link or targets:
            raise click.UsageError("--constant, --link and --targets describe a loss; give --loss")
        from chainrule.tables.fitting import fit_file

        return fit_file(path, choices, say, storage)
    from chainrule.tables.fitting_regression import fit_regression_file
    from chainrule.tables.losses import choose_loss

    say("deriving the loss")
    chosen = choose_loss(loss, constants, link, None if targets is None else TARGETS[targets])
    return fit_regression_file(path, choices, chosen, say, storage)


def _storage(out: str | None, *, stream: bool, memory: int | None, resume: bool) -> Storage:
    """Return where the rows of the fit may be."""
    from chainrule.tables.row_storage import Storage

    if resume and out is None:
        raise click.UsageError(
            "--resume finds the stopped fit beside its model file; give the --out of that fit"
        )
    state = None if out is None or str(out) == "-" else Path(f"{out}.state")
    return Storage(stream or resume, memory, state, resume)


def _print(fitted: Fitted, data: str, written: list[str], *, odds: bool, as_json: bool) -> None:
    from chainrule.tables.fitting import FittedTable

    if isinstance(fitted, FittedTable):
        from chainrule.cli.fit_printing import print_json, print_text

        if as_json:
            print_json(fitted, written, odds=odds)
        else:
            print_text(fitted, data, written, odds=odds)
        return
    from chainrule.cli.regression_printing import print_regression, print_regression_json

    if as_json:
        print_regression_json(fitted, written, odds=odds)
    else:
        print_regression(fitted, data, written, odds=odds)


def _is_card(report: str) -> bool:
    """Whether a report is a model card, by the name of its file."""
    return Path(report).suffix.lower() in (".md", ".markdown")


def write_report(
    fitted: Fitted, data: str, path: str, penalties: PenaltyPath | None = None, board: str = ""
) -> None:
    """Write the report of a fit: a page, or the card of the model as Markdown."""
    from chainrule.documents.report.building import fit_report
    from chainrule.storage import atomic_text

    if _is_card(path):
        from chainrule.documents.renderers import markdown
        from chainrule.documents.report.card import model_card

        text = markdown.render(model_card(fitted.model, data))
    else:
        from chainrule.documents.renderers import html
        from chainrule.visible import visible

        text = visible(html.render(fit_report(fitted, data, penalties, board)))
    with atomic_text(path) as file:
        file.write(text)
