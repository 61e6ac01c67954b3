"""``chainrule predict``: labels and probabilities from a saved model and a table, as a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

_HELP = """Predict with a model that `chainrule fit --out` or `chainrule train --out` saved.

Writes CSV, to the standard output or to --out: the predicted label and one probability per class;
for a model of another loss than the logistic one, the predicted mean. Offset and exposure columns
of the fit are read from DATA. What `train` saved predicts the last value of the forward pass before
its labels enter; batch normalisation uses the means of the training rows, and masks their mean.
The rows come in the order of DATA, which may be larger than memory.

\b
Examples:
  chainrule predict model.json new.csv
  chainrule predict values.json new.csv --out predicted.csv
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
def command(model: str, data: str, out: str | None, keep: tuple[str, ...], blank: bool) -> None:
    """Predict; the help text is `_HELP`."""
    import sys
    from pathlib import Path

    from chainrule.cli.fit import data_path, progress_line, refuse_places
    from chainrule.descent.predicting import is_trained
    from chainrule.tables.predicting import load_model, write_predictions
    from chainrule.tables.writing import atomic_text

    path = data_path(data)
    refuse_places((path, Path(model)), out)
    if is_trained(model):
        _predict_trained(model, path, out, keep, blank=blank)
        return
    loaded = load_model(model)
    if out is None:
        counted = write_predictions(loaded, path, sys.stdout, keep, blank=blank)
    else:
        with progress_line() as say, atomic_text(out) as file:
            counted = write_predictions(loaded, path, file, keep, blank=blank, say=say)
        click.echo(f"wrote {out}: {counted.rows} rows", err=True)
    if counted.blank:
        click.echo(f"{counted.blank} of {counted.rows} rows left blank", err=True)


def _predict_trained(
    model: str, path: Path, out: str | None, keep: tuple[str, ...], *, blank: bool
) -> None:
    """Predict with what `chainrule train` saved."""
    import sys
    from io import StringIO

    from chainrule.descent.predicting import predict_trained
    from chainrule.tables.writing import atomic_text

    if blank:
        raise click.UsageError("--blank is for models of chainrule fit; omit it here.")
    text = StringIO()
    count, score = predict_trained(model, path, text, keep)
    if out is None:
        sys.stdout.write(text.getvalue())
    else:
        with atomic_text(out) as file:
            file.write(text.getvalue())
        click.echo(f"wrote {out}: {count} rows", err=True)
    if score is not None:
        click.echo(f"{score.name} {score.value:.4f} on these {count} rows", err=True)
