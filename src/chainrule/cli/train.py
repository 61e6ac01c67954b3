"""``chainrule train``: gradient descent with the derived gradient, on any forward pass."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from chainrule.cli.shared import ignore_option, names_in

if TYPE_CHECKING:
    from chainrule.tables.specs import Missing

_HELP = """Learn the values of a forward pass by gradient descent.

FILE is a forward pass (or the name of an example); the gradient is the one that chainrule derives
from it, checked against finite differences before the first step. DATA is a CSV or Parquet file
with a header; @breast_cancer ships with chainrule.

--bind names the inputs that hold data. All other inputs are learned. Examples may be the columns of
an input, X : (n, m), or its rows, X : (m, n); a model of one example, x : (n, 1), takes one example
per step.

\b
  --bind X=features      all columns that are not bound elsewhere, text as indicators,
                         numbers standardised (see --raw)
  --bind X=age,income    these columns, as the file has them
  --bind Y=diagnosis     a column; two labels become 0 and 1 (see --positive), more
                         become one row per label where Y has as many rows
  --bind Y=target        the column of --target, or the one named target
  --bind c=0.5           a number, for every entry

The rate: where the objective is a sum over the examples, as in the lecture, a step is rate x
gradient / examples in the batch, so that a rate means the same for any batch. Where it is a mean, a
step is rate x gradient. The rule that applies is printed.

If the rate is too high, a message says so, the exit status is 1, and the best values so far
are still written. Ctrl-C ends the descent and keeps the best values too.

\b
Examples:
  chainrule train logistic_l2 --data @breast_cancer --bind X=features --bind Y=diagnosis
  chainrule train network.cr --data xor.csv --bind X=x1,x2 --bind Y=label \\
      --size h=4 --rate 1 --steps 3000 --out values.json
"""


@click.command("train", help=_HELP, short_help="Gradient descent on any forward pass.")
@click.argument("file")
@click.option("--data", required=True, metavar="DATA", help="Table: CSV, Parquet or @NAME.")
@click.option(
    "--bind",
    "binds",
    multiple=True,
    metavar="NAME=COLUMNS",
    help="Input and its columns or number; see above. Repeatable.",
)
@click.option("--rate", type=float, default=0.1, show_default=True, help="Learning rate.")
@click.option(
    "--steps", type=click.IntRange(1), default=500, show_default=True, help="Number of steps."
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    help="Examples per step, in a seeded random order. Default: all; 1 for a model of one example.",
)
@click.option(
    "--wrt",
    metavar="NAMES",
    help="Variables to learn, comma-separated. Default: all unbound inputs.",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    metavar="h=8",
    help="Size of a dimension that cannot be inferred from the data. Repeatable.",
)
@click.option("--examples", metavar="DIM", help="Dimension of the examples, if it is ambiguous.")
@click.option("--target", metavar="COLUMN", help="Column that 'target' stands for in --bind.")
@click.option("--positive", metavar="LABEL", help="Positive class (coded as 1).")
@click.option(
    "--raw", is_flag=True, help="Use features on the scale of the file, without standardisation."
)
@click.option(
    "--missing",
    type=click.Choice(["refuse", "drop", "mean", "indicator"]),
    default="refuse",
    show_default=True,
    help="Treatment of missing values: stop, drop the rows, or (features only) impute, with an "
    "indicator.",
)
@click.option(
    "--category",
    "categories",
    multiple=True,
    metavar="COLUMN",
    help="Column to encode as categories. Repeatable.",
)
@ignore_option
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Random seed for the initial values and the order of examples.",
)
@click.option(
    "--start", type=click.Path(), metavar="VALUES", help="Initial values: a file that --out wrote."
)
@click.option(
    "--out",
    type=click.Path(),
    metavar="VALUES",
    help="Write the learned values to VALUES, as .npz or .json.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    file: str,
    data: str,
    binds: tuple[str, ...],
    rate: float,
    steps: int,
    batch: int | None,
    wrt: str | None,
    sizes: tuple[str, ...],
    examples: str | None,
    target: str | None,
    positive: str | None,
    raw: bool,
    missing: Missing,
    categories: tuple[str, ...],
    ignore: tuple[str, ...],
    seed: int,
    start: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Train a forward pass; the help text is `_HELP`."""
    from pathlib import Path

    from chainrule.cli.fit import data_path, refuse_places
    from chainrule.cli.train_printing import CostPrinter, print_end, print_json, print_start
    from chainrule.deriving import derive
    from chainrule.descent.binding import BindingOptions, bind_file
    from chainrule.descent.initial import given_values, initial_values
    from chainrule.descent.loop import Descent
    from chainrule.descent.objective import DescentObjective
    from chainrule.descent.result import StopReason
    from chainrule.descent.saving import check_values_path, load_values, save_values
    from chainrule.language.reading import load_model

    path = data_path(data)
    if out is not None:
        check_values_path(out)
        refuse_places((path, Path(file), Path(file + ".cr")), out)
    model = load_model(file)
    names = tuple(names_in(wrt))
    choices = BindingOptions(
        target,
        positive,
        raw,
        missing,
        categories,
        ignore,
        names,
        _sizes(sizes),
        examples,
    )
    bound = bind_file(model, path, binds, choices)
    derivation = derive(model, [s.name for s in bound.binding.roles.learned])
    objective = DescentObjective(derivation, bound.binding)
    first = initial_values(bound.binding, seed)
    if start is not None:
        first = given_values(bound.binding, load_values(start), first)
    descent = Descent(objective, first, rate=rate, steps=steps, batch=batch, seed=seed)
    descent.check()
    if as_json:
        result = descent.run()
    else:
        print_start(descent, bound)
        with CostPrinter(steps) as watcher:
            result = descent.run(watcher.seen)
    if out is not None and result.costs:
        save_values(out, result, model, bound)
    written = out if result.costs else None
    if as_json:
        print_json(result, model, bound, written)
    else:
        print_end(result, bound, written, raw=raw)
    if result.stopped.failed:
        sys.exit(1)
    if result.stopped is StopReason.INTERRUPTED:
        sys.exit(130)


def _sizes(texts: tuple[str, ...]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for text in texts:
        name, sign, number = (part.strip() for part in text.partition("="))
        if not (name and sign and number.isdecimal()):
            raise click.BadParameter(
                f"{text}: write a name and a whole number, such as h=8", param_hint="--size"
            )
        sizes[name] = int(number)
    return sizes
