"""``chainrule fit``: a table in; a model, its certificate and a report out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chainrule.cli.shared import ignore_option

if TYPE_CHECKING:
    from chainrule.tables.fitting import FittedTable
    from chainrule.tables.specs import Missing

_HELP = """Fit a logistic regression to a table and prove how good the fit is.

DATA is a CSV or Parquet file with a header; @breast_cancer is a data set that ships with chainrule.

Text columns become categories, each compared with the most frequent one. Numbers are standardised:
the penalty acts on that scale, and coefficients are reported on both. Some rows are held out to
measure the model on unseen data.

\b
Examples:
  chainrule fit @breast_cancer --target diagnosis
  chainrule fit loans.csv --target repaid --positive yes \\
      --missing indicator --ignore customer_id \\
      --out model.json --report report.html
"""


@click.command("fit", help=_HELP, short_help="Fit a table; get coefficients and a certificate.")
@click.argument("data")
@click.option("--target", required=True, metavar="COLUMN", help="Column to predict.")
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
    help="Inverse L2 regularization strength (as in scikit-learn); smaller = stronger penalty, "
    "'inf' = none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    data: str,
    target: str,
    positive: str | None,
    out: str | None,
    report: str | None,
    missing: Missing,
    categories: tuple[str, ...],
    ignore: tuple[str, ...],
    holdout: float,
    seed: int,
    C: float,
    as_json: bool,
) -> None:
    """Fit a table; the help text is `_HELP`."""
    from chainrule.cli.fit_printing import print_json, print_text
    from chainrule.tables.fitting import FitOptions, fit_file

    path = data_path(data)
    refuse_places((path,), out, report)
    choices = FitOptions(target, positive, missing, categories, ignore, holdout, seed, C)
    with progress_line() as say:
        fitted = fit_file(path, choices, say)
        written: list[str] = []
        if out is not None:
            fitted.model.save(out)
            written.append(out)
        if report is not None:
            say("writing the report")
            write_report(fitted, data, report)
            written.append(report)
    if as_json:
        print_json(fitted, written)
    else:
        print_text(fitted, data, written)


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
    from chainrule.tables.writing import check_writable

    taken = {path.resolve() for path in inputs}
    for output in outputs:
        if output is None:
            continue
        check_writable(output)
        place = Path(output).resolve()
        if place in taken:
            raise DataError(f"{output}: this would write over another file of this command.")
        taken.add(place)


def write_report(fitted: FittedTable, data: str, path: str) -> None:
    """Write the report of a fit."""
    from chainrule.documents.fit_section import fit_lead, fit_sections
    from chainrule.documents.gradient_section import gradient_section
    from chainrule.documents.page import render_page
    from chainrule.tables.worked_example import work_example
    from chainrule.tables.writing import atomic_text

    sections = [*fit_sections(fitted), gradient_section(work_example(fitted))]
    page = render_page(
        f"{fitted.model.target}: a fit and its proof", fit_lead(fitted, data), sections
    )
    with atomic_text(path) as file:
        file.write(page)


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
