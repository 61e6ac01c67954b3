"""``chainrule grade``: judge one answer, or the submissions of a class."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.teaching.exercises.submissions import MarkedSubmission
    from chainrule.teaching.marking.verdicts import Grade

_HELP = """Judge an answer to "what is the gradient with respect to W?", or those of a whole class.

Any notation will do: (A - Y) X^T, np.dot(A - Y, X.T), \\sum_i (a_i - y_i) X_{pi}. A wrong answer
is compared with known mistakes, injected into this forward pass. The exit
status is 0 for a right answer, 1 for a wrong one, 2 for one that cannot be read or judged.

\b
chainrule grade --exercise logistic-batch --wrt w --answer "(A - Y) X^T"
chainrule grade --forward my.cr --wrt w --answer "(A - Y) X^T" --json

ANSWERS is a file or a folder of submissions to a set that `chainrule exercise new` made: JSON such
as {"1": "(A - Y) X^T"}, or text with lines such as 1: (A - Y) X^T. A file or an answer that cannot
be read gets no points and stops nothing; the exit status is then 2.

\b
chainrule grade submissions/ --set set/
chainrule grade ada.json --set set/ --format gradescope > results.json
"""

_SENTENCES = {
    "correct": "Right.",
    "correct_other_form": "Right, in another form.",
    "wrong": "Not right.",
    "wrong_shape": "Not right: the shapes do not fit.",
    "unreadable": "This cannot be read; nothing is lost.",
    "unsure": "This cannot be judged.",
}
_STATUS = {"correct": 0, "correct_other_form": 0, "wrong": 1, "wrong_shape": 1}
_FORMATS = ("table", "json", "gradescope")


@click.command("grade", help=_HELP, short_help="Judge answers, and name the mistakes.")
@click.argument("answers", required=False)
@click.option("--exercise", metavar="ID", help="Exercise of the bank.")
@click.option("--forward", metavar="FILE", help="Forward pass, instead of --exercise.")
@click.option("--wrt", metavar="NAME", default="", help="Variable of the gradient.")
@click.option("--answer", metavar="TEXT", help="Answer to grade, in any notation.")
@click.option("--solution", is_flag=True, help="Show the right answer as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the grade as JSON.")
@click.option("--set", "set_", metavar="FOLDER", help="Problem set of ANSWERS.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="table",
    show_default=True,
    help="Output format.",
)
@click.option(
    "--jobs", type=click.IntRange(1), help="Number of worker processes. Default: number of CPUs."
)
def command(
    answers: str | None,
    exercise: str | None,
    forward: str | None,
    wrt: str,
    answer: str | None,
    solution: bool,
    as_json: bool,
    set_: str | None,
    form: str,
    jobs: int | None,
) -> None:
    """Judge one answer, or the submissions of a class."""
    if set_ is not None:
        if answers is None:
            raise click.UsageError("say which file or folder holds the ANSWERS to the set")
        _mark(answers, set_, "json" if as_json else form, jobs)
        return
    if answers is not None:
        raise click.UsageError("say which set the ANSWERS are for, with --set FOLDER")
    if answer is None or (exercise is None) == (forward is None):
        raise click.UsageError("give --exercise ID or --forward FILE, and --answer TEXT")
    from chainrule.language.reading import load_model
    from chainrule.teaching.exercises.grading import grade as graded

    given = exercise if exercise is not None else load_model(str(forward))
    grade = graded(given, answer, wrt)
    if as_json:
        click.echo(json.dumps(grade.data(), indent=2, ensure_ascii=False))
    else:
        _print(grade, solution)
    sys.exit(_STATUS.get(grade.verdict, 2))


def _print(grade: Grade, solution: bool) -> None:
    from chainrule.calculus.graph.dims import written

    click.echo(_SENTENCES[grade.verdict])
    if grade.verdict == "unreadable":
        click.echo(grade.understood)
        return
    if grade.understood:
        shape = f"   {written(grade.shape)}" if grade.shape else ""
        click.echo(f"understood: {grade.understood}{shape}")
    if grade.verdict in ("wrong", "wrong_shape"):
        for line in grade.lines:
            click.echo(line)
    elif grade.why:
        click.echo(grade.why)
    if grade.short_form and (solution or grade.verdict == "correct_other_form"):
        click.echo(f"short form: {grade.short_form}")


def _mark(answers: str, set_: str, form: str, jobs: int | None) -> None:
    from chainrule.teaching.exercises.submission_files import (
        SUFFIXES,
        left_out,
        shown,
        submissions,
    )
    from chainrule.teaching.exercises.submissions import load_set

    files = submissions(answers)
    if others := left_out(answers):
        names = ", ".join(map(shown, others))
        click.echo(f"not marked: {names}; submissions end in {', '.join(SUFFIXES)}", err=True)
    marked = list(load_set(set_).mark_all(files, jobs or os.cpu_count() or 1))
    if form == "table":
        _print_table(marked)
    else:
        data = [each.data() if form == "json" else each.gradescope() for each in marked]
        whole = {each.file: one for each, one in zip(marked, data, strict=True)}
        found: object = data[0] if len(data) == 1 else data if form == "json" else whole
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    if any(each.error or _not_judged(each) for each in marked):
        sys.exit(2)


def _not_judged(marked: MarkedSubmission) -> bool:
    """Whether an answer could not be read: that is not a success."""
    given = (result.judgement for result in marked.results)
    return any(judgement is not None and not judgement.read for judgement in given)


def _print_table(marked: Sequence[MarkedSubmission]) -> None:
    width = max(len(each.file) for each in marked)
    numbers = [result.number for result in marked[0].results]
    click.echo(" " * width + "   points   " + " ".join(f"{number:>4}" for number in numbers))
    for each in marked:
        cells = " ".join(
            f"{'-' if result.judgement is None else f'{result.score:g}':>4}"
            for result in each.results
        )
        points = f"{each.score:g}/{each.most}"
        click.echo(f"{each.file:<{width}}   {points:>6}   {cells}")
        if each.error:
            click.echo(f"{'':<{width}}   {each.error}")
        for note in each.notes:
            click.echo(f"{'':<{width}}   {note}")
    if len(marked) == 1:
        for result in marked[0].results:
            first, *others = result.message.splitlines()
            click.echo(f"{result.number:>4}  {first}")
            for line in others:
                click.echo(f"{'':>4}  {line}")
