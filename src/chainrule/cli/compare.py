"""``chainrule compare``: two fitted models on the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chainrule.cli.shared import file_options, text_console

if TYPE_CHECKING:
    from chainrule.tables.files.options import ReadOptions

_HELP = """Compare two models that `chainrule fit --out` saved, on rows that neither has seen.

Both must predict the same labels. Prints the metrics of both and their differences with intervals:
AUC by DeLong's paired test, log-loss, Brier score and accuracy by a paired bootstrap, right and
wrong predictions by McNemar's exact test. Where rows come in groups (--group), intervals and tests
take the groups for independent, not single rows. A note says when many rows are those of a fit, so
that the figures flatter it.

\b
Example:
  chainrule compare small.json large.json --data test.csv
"""


@click.command("compare", help=_HELP, short_help="Compare two fitted models on the same rows.")
@click.argument("first", type=click.Path())
@click.argument("second", type=click.Path())
@click.option("--data", required=True, metavar="FILE", help="File of rows with the target.")
@click.option(
    "--group",
    metavar="COLUMN",
    help="Column whose rows of one value depend on each other. Default: --group or --clusters of "
    "the fits, where FILE has that column.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Random seed of the bootstrap.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@file_options
def command(
    first: str,
    second: str,
    data: str,
    group: str | None,
    seed: int,
    as_json: bool,
    file: ReadOptions,
) -> None:
    """Compare; the help text is `_HELP`."""
    import json

    from chainrule.cli.data_files import data_path
    from chainrule.cli.validation_printing import comparison_document, print_comparison
    from chainrule.tables.model import TableModel
    from chainrule.tables.validation.comparing import compare_models

    models = TableModel.load(first), TableModel.load(second)
    found = compare_models(*models, data_path(data), clusters=group, seed=seed, options=file)
    if as_json:
        print(json.dumps(comparison_document(found), indent=2, allow_nan=False))
        return
    console = text_console(100)
    print_comparison(console, found, (first, second), len(models[0].classes))
