"""``chainrule predict``: labels and probabilities from a saved model and a table, as a stream."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

import click

from chainrule.cli.shared import file_options
from chainrule.cli.streams import data_output

if TYPE_CHECKING:
    from pathlib import Path

    from chainrule.tables.files.options import ReadOptions

_OF_OTHERS: Final = (
    *(".arrow", ".bz2", ".db", ".duckdb", ".feather", ".gz", ".ipc", ".json", ".jsonl", ".ndjson"),
    *(".ods", ".sqlite", ".tsv", ".xls", ".xlsm", ".xz", ".zip", ".zst"),
)
"""Endings of files that predictions are not: a program that goes by the name would refuse them."""

_HELP = """Predict with a model that `chainrule fit --out` or `chainrule train --out` saved.

Writes CSV, to the standard output or to --out; Parquet or a workbook, if the name of --out ends in
.parquet or .xlsx: the predicted label and one probability per class; for a model of another loss
than the logistic one, the predicted mean. Offset and exposure columns of the fit are read from
DATA. What `train` saved predicts the last value of the forward pass before its labels enter; batch
normalisation uses the means of the training rows, and masks their mean.
The rows come in the order of DATA, which may be larger than memory. Columns named by --keep are
copied byte for byte, except that a string which a spreadsheet would run as a formula (it begins
with = + - @) gets an apostrophe before it; --raw writes it as it is.

\b
Examples:
  chainrule predict model.json new.csv
  chainrule predict values.json new.csv --out predicted.csv
  chainrule predict model.json "sales/*.parquet" --out predicted.parquet
  chainrule predict model.json new.parquet --keep customer_id \\
      --blank --out predicted.csv
"""


@click.command("predict", help=_HELP, short_help="Predict with a saved model.")
@click.argument("model", type=click.Path())
@click.argument("data")
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="Write to FILE instead of the standard output, atomically.",
)
@click.option(
    "--keep",
    multiple=True,
    metavar="COLUMN",
    help="Column of DATA to copy to the output. Repeatable.",
)
@click.option(
    "--blank",
    is_flag=True,
    help="Leave the prediction empty, instead of stopping, in rows with a missing value or with a "
    "category that is not in the training data.",
)
@click.option(
    "--raw",
    is_flag=True,
    help="Strings that a spreadsheet would run as formulas, written as they are.",
)
@file_options
def command(
    model: str,
    data: str,
    out: str | None,
    keep: tuple[str, ...],
    blank: bool,
    raw: bool,
    file: ReadOptions,
) -> None:
    """Predict; the help text is `_HELP`."""
    from pathlib import Path

    from chainrule.cli.data_files import data_path, progress_line, refuse_places
    from chainrule.cli.shared import warn_of_limits
    from chainrule.descent.value_documents import is_trained
    from chainrule.storage import atomic_text
    from chainrule.tables.predicting import (
        load_model,
        write_parquet,
        write_predictions,
        write_workbook,
    )

    path = data_path(data)
    refuse_places((path, Path(model)), out)
    kind = _kind(out)
    if is_trained(model):
        if blank:
            raise click.UsageError("--blank is for models of chainrule fit; omit it here.")
        if kind:
            raise click.UsageError(
                f"{kind} is written for models of chainrule fit; name a .csv file: --out"
            )
        _predict_trained(model, path, out, keep, file, raw=raw)
        return
    loaded = load_model(model)
    if out is None:
        counted = write_predictions(
            loaded, path, data_output(), keep, blank=blank, raw=raw, options=file
        )
    elif kind:
        write = write_parquet if kind == ".parquet" else write_workbook
        with progress_line() as say:
            counted = write(loaded, path, out, keep, blank=blank, options=file, say=say)
        click.echo(f"wrote {out}: {counted.rows} rows", err=True)
    else:
        with progress_line() as say, atomic_text(out) as handle:
            counted = write_predictions(
                loaded, path, handle, keep, blank=blank, raw=raw, options=file, say=say
            )
        click.echo(f"wrote {out}: {counted.rows} rows", err=True)
    warn_of_limits(loaded)
    if counted.note:
        click.echo(f"note: {counted.note}", err=True)
    if counted.blank:
        click.echo(f"{counted.blank} of {counted.rows} rows left blank", err=True)


def _kind(out: str | None) -> str:
    """Return the kind of the output by the end of its name; empty for CSV."""
    ending = "" if out is None else PurePath(out).suffix.lower()
    if ending in (".parquet", ".pq"):
        return ".parquet"
    if ending == ".xlsx":
        return ending
    if ending in _OF_OTHERS:
        raise click.UsageError(
            f"predictions are written as CSV, Parquet or .xlsx, and not as {ending}; name such a "
            "file: --out predicted.csv"
        )
    return ""


def _predict_trained(
    model: str,
    path: Path,
    out: str | None,
    keep: tuple[str, ...],
    file: ReadOptions,
    *,
    raw: bool,
) -> None:
    """Predict with what `chainrule train` saved."""
    from io import StringIO

    from chainrule.descent.predicting import predict_trained
    from chainrule.storage import atomic_text

    text = StringIO()
    count, score = predict_trained(model, path, text, keep, options=file, raw=raw)
    if out is None:
        data_output().write(text.getvalue())
    else:
        with atomic_text(out) as handle:
            handle.write(text.getvalue())
        click.echo(f"wrote {out}: {count} rows", err=True)
    if score is not None:
        click.echo(f"{score.name} {score.value:.4f} on these {count} rows", err=True)
