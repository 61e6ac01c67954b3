"""``chainrule train``: gradient descent with the derived gradient, on any forward pass."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from chainrule.cli.shared import ignore_option, names_in

if TYPE_CHECKING:
    from chainrule.descent.objective import Values
    from chainrule.descent.result import CostRecord
    from chainrule.descent.state import DescentState
    from chainrule.lecture import Draw
    from chainrule.tables.specs import Missing

_HELP = """Learn the values of a forward pass by gradient descent.

FILE is a forward pass (or the name of an example); the gradient is the one that chainrule derives
from it, checked against finite differences before the first step. DATA is a CSV or Parquet file
with a header; @breast_cancer ships with chainrule.

--bind names the inputs that hold data. Every other input that the objective uses together with
data is learned; all roles are listed before the first step. Examples may be the columns of an
input, X : (n, m), or its rows, X : (m, n); a model of one example, x : (n, 1) or an image
X : (8, 8), takes one row of DATA per step.

\b
  --bind X=features      all columns that are not bound elsewhere, text as indicators,
                         numbers standardised (see --raw)
  --bind X=age,income    these columns, as the file has them
  --bind Y=diagnosis     a column of labels, words or numbers: one row per class where Y meets
                         a softmax, is declared one-hot or has several rows; else two labels
                         become 0 and 1 (see --positive), or -1 and 1 in a margin loss
  --bind ids=word        places for lookup and onehot: whole numbers from 0, or words
  --bind Y=target        the column of --target, or the one named target
  --bind c=0.5           a number, for every entry of an input of any shape
  --mask D=0.8           not bound but drawn at every step: a dropout mask

The rate: where the objective is a sum over the examples, as in the lecture, a step is rate x
gradient / examples in the batch, so that a rate means the same for any batch. Where it is a mean, a
step is rate x gradient. The rule that applies is printed.

A cost that is not finite, or grows without a pause (--patience), ends the descent with exit status
1, advice for a lower rate, and the best values so far, which are still written. A bump that passes
is reported and does no harm. Ctrl-C ends the descent and keeps the best values too.

Plain gradient descent is the lesson and the default. --update adam, --schedule, --clip, --init and
--early-stop change how it descends; --explain says why each of them is as it is.

\b
Examples:
  chainrule train logistic_l2 --data @breast_cancer --bind X=features --bind Y=diagnosis
  chainrule train network.cr --data xor.csv --bind X=x1,x2 --bind Y=label \\
      --size h=4 --rate 1 --steps 3000 --out values.json
  chainrule train softmax.cr --data digits.csv --bind X=features --bind Y=digit --raw \\
      --batch 64 --update adam --rate 0.001 --holdout 0.2 --report digits.html
  chainrule predict values.json new.csv
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
    "--update",
    default="plain",
    show_default=True,
    metavar="RULE",
    help="Update rule: plain, momentum[:0.9], rmsprop[:0.99] or adam[:0.9,0.999]; --explain "
    "derives it.",
)
@click.option(
    "--schedule",
    default="",
    metavar="NAME:STEPS",
    help="Factors of the rate: half:200, inverse:200, cosine:2000, warmup:50; joined by commas "
    "they multiply.",
)
@click.option("--clip", type=float, help="Shorten gradients that are longer than this.")
@click.option(
    "--init",
    "initial",
    default="xavier",
    show_default=True,
    metavar="WAY",
    help="Initial weights: xavier, he, zeros or normal:0.1. Biases start at 0, gains at 1.",
)
@click.option(
    "--mask",
    "masks",
    multiple=True,
    metavar="D=0.8",
    help="Input drawn anew at every step: each entry is 1 with this probability, else 0 (dropout). "
    "Repeatable.",
)
@click.option(
    "--noise",
    "noises",
    multiple=True,
    metavar="E=1",
    help="Input drawn anew at every step: normal, with this standard deviation. Repeatable.",
)
@click.option(
    "--holdout",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    metavar="SHARE",
    help="Share of the rows kept aside, on which cost and score are shown, such as 0.2.",
)
@click.option(
    "--early-stop",
    type=click.IntRange(1),
    metavar="RECORDS",
    help="Stop after so many recorded costs without a lower held-out one; keep the best values.",
)
@click.option(
    "--patience",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    metavar="RECORDS",
    help="Recorded costs of growth without a pause, or far above the start, after which the "
    "descent is given up. A cost that is not finite stops it at once.",
)
@click.option(
    "--wrt",
    metavar="NAMES",
    help="Variables to learn, comma-separated. Default: every unbound input that meets data.",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    metavar="h=8",
    help="Size of a dimension that cannot be inferred from the data. Repeatable.",
)
@click.option(
    "--examples",
    metavar="DIM",
    help="Dimension of the examples, if it is ambiguous; 'row' where the model is written of one "
    "row, 'table' where the whole table is one example (a factorisation).",
)
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
    "--start",
    type=click.Path(),
    metavar="VALUES",
    help="File that --out wrote: goes on from there, with the same bits as one long run.",
)
@click.option(
    "--out",
    type=click.Path(),
    metavar="VALUES",
    help="Write the learned values to VALUES, as .npz or .json.",
)
@click.option(
    "--checkpoint",
    type=click.IntRange(1),
    metavar="STEPS",
    help="Write --out every so many steps, too, so that --start can go on after an interruption.",
)
@click.option("--report", type=click.Path(), metavar="FILE", help="Write a report as HTML.")
@click.option(
    "--explain", is_flag=True, help="Derive the update rule, the schedule and the initial values."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    file: str,
    data: str,
    binds: tuple[str, ...],
    rate: float,
    steps: int,
    batch: int | None,
    update: str,
    schedule: str,
    clip: float | None,
    initial: str,
    masks: tuple[str, ...],
    noises: tuple[str, ...],
    holdout: float,
    early_stop: int | None,
    patience: int,
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
    checkpoint: int | None,
    report: str | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Train a forward pass; the help text is `_HELP`."""
    from pathlib import Path

    from chainrule.cli.data_files import data_path, refuse_places
    from chainrule.cli.train_printing import (
        CostPrinter,
        print_derivations,
        print_end,
        print_json,
        print_start,
    )
    from chainrule.deriving import derive
    from chainrule.descent.binding import BindingOptions, bind_file
    from chainrule.descent.checkpoints import Checkpoints
    from chainrule.descent.continuing import changed_settings, changes, resumed
    from chainrule.descent.initial import given_values, initial_values
    from chainrule.descent.loop import Descent
    from chainrule.descent.objective import DescentObjective
    from chainrule.descent.result import StopReason
    from chainrule.descent.saving import check_values_path, load_state, load_values, save_values
    from chainrule.descent.schedule import read_schedule
    from chainrule.descent.updates import read_rule
    from chainrule.descent.value_documents import load_document
    from chainrule.language.reading import load_model

    rule, factors = read_rule(update), read_schedule(schedule)
    if checkpoint is not None and out is None:
        raise click.UsageError("--checkpoint writes to the file of --out; say which: --out v.json")
    path = data_path(data)
    if out is not None:
        check_values_path(out)
    for written in (out, report):
        refuse_places((path, Path(file), Path(file + ".cr")), written)
    model = load_model(file)
    choices = BindingOptions(
        target=target,
        positive=positive,
        raw=raw,
        missing=missing,
        categories=categories,
        ignore=ignore,
        wrt=tuple(names_in(wrt)),
        sizes=_sizes(sizes),
        examples=examples,
        draws=_draws(masks, noises),
        holdout=holdout,
        seed=seed,
    )
    bound = bind_file(model, path, binds, choices)
    derivation = derive(model, [s.name for s in bound.binding.roles.learned])
    objective = DescentObjective(derivation, bound.binding)
    drawn = initial_values(bound.binding, seed, initial)
    first: Values | DescentState = drawn
    document, changed = None, list[str]()
    if start is not None:
        known, document = load_values(start), load_document(start) or {}
        changed = changes(start, document, bound)
        state = load_state(start, bound.binding)
        if state is not None:
            state = resumed(state, document, rule, other_data=bool(changed))
        first = state or given_values(bound.binding, known, drawn)
    descent = Descent(
        objective,
        first,
        rate=rate,
        steps=steps,
        batch=batch,
        seed=seed,
        update=rule,
        schedule=factors,
        clip=clip,
        patience=patience,
        early_stop=early_stop,
        held_out=bound.held_out,
    )
    changed += changed_settings(document, descent) if document and descent.begin else []
    descent.check()
    saver = Checkpoints(descent, model, bound, out, checkpoint)
    if as_json:
        result = descent.run(saver.seen)
    else:
        print_start(descent, bound, changed)
        if explain:
            print_derivations(descent, initial)
        held = descent.held_out.binding.count if descent.held_out is not None else 0
        counts = (descent.count, held) if held and descent.scaling.divides else None
        with CostPrinter(descent.begin + steps, descent.begin, counts) as watcher:

            def seen(record: CostRecord) -> None:
                watcher.seen(record)
                saver.seen(record)

            result = descent.run(seen)
    if out is not None and result.costs:
        save_values(out, result, model, bound)
    if report is not None and result.costs:
        from chainrule.cli.shared import write_text
        from chainrule.documents.training_report import training_report

        write_text(training_report(descent, result, bound, initial), report)
    written = out if result.costs else None
    if as_json:
        print_json(result, model, bound, written)
    else:
        print_end(result, bound, written, raw=raw)
    if result.stopped.failed:
        sys.exit(1)
    if result.stopped is StopReason.INTERRUPTED:
        sys.exit(130)


def _draws(masks: tuple[str, ...], noises: tuple[str, ...]) -> dict[str, Draw]:
    from chainrule.lecture import Draw

    found: dict[str, Draw] = {}
    for kind, texts in (("mask", masks), ("normal", noises)):
        option = "--mask" if kind == "mask" else "--noise"
        for text in texts:
            name, _, number = (part.strip() for part in text.partition("="))
            try:
                amount = float(number)
            except ValueError:
                raise click.BadParameter(
                    f"{text}: write a name and a number, such as D=0.8", param_hint=option
                ) from None
            found[name] = Draw("mask" if kind == "mask" else "normal", amount)
    return found


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
