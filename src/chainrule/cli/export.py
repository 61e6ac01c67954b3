"""``chainrule export``: a fitted model as code or for MLflow, run before it is kept."""

from __future__ import annotations

import click

_HELP = """Write a model that `chainrule fit --out` saved as code that scores the same everywhere.

The suffix of OUT says what: .sql is a query that adds predictions to a table, .py a module of the
standard library, .c one function without dependencies, .onnx a graph in double precision (with the
extra onnx), .pmml a regression model. With --to mlflow, OUT is a new folder that MLflow loads as a
Python function, without pickles and without chainrule. Before it is kept, the export is run on
1,000 rows at the far ends of every column, missing values and unknown levels included, and compared
with the model; the largest difference is printed.

\b
Examples:
  chainrule export model.json model.sql --dialect postgres --table customers
  chainrule export model.json model.py
  chainrule export model.json model.c
  chainrule export model.json model.onnx
  chainrule export model.json --to mlflow churn
"""


@click.command(
    "export",
    help=_HELP,
    short_help="Write a fitted model as code, or for MLflow.",
)
@click.argument("model", type=click.Path())
@click.argument("out", type=click.Path())
@click.option(
    "--to",
    "kind",
    type=click.Choice(["mlflow"]),
    help="Format that the suffix of OUT does not tell.",
)
@click.option(
    "--dialect",
    type=click.Choice(["duckdb", "postgres", "sqlite", "spark", "bigquery"]),
    default="duckdb",
    show_default=True,
    help="Dialect of SQL.",
)
@click.option(
    "--table", default="data", show_default=True, metavar="NAME", help="The table that SQL scores."
)
def command(model: str, out: str, kind: str | None, dialect: str, table: str) -> None:
    """Export a model."""
    from chainrule.cli.shared import warn_of_limits
    from chainrule.tables.export.writing import export_mlflow, export_model
    from chainrule.tables.predicting import load_model

    loaded = load_model(model)
    if kind == "mlflow":
        done = export_mlflow(loaded, out)
    else:
        done = export_model(loaded, out, dialect=dialect, table=table)
    warn_of_limits(loaded)
    click.echo(f"{done.path}: {done.comparison}.")
