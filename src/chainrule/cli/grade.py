"""``chainrule grade``: judge one answer."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from chainrule.marking.grading import Grade

_HELP = """Judge an answer to "what is the gradient with respect to W?".

Any notation will do: (A - Y) X^T, np.dot(A - Y, X.T), \\sum_i (a_i - y_i) X_{pi}. A wrong answer
is compared with the mistakes that people make, pushed through this very forward pass. The exit
status is 0 for a right answer, 1 for a wrong one, 2 for one that cannot be read or judged.

\b
chainrule grade --forward examples/logistic_batch --wrt w --answer "(A - Y) X^T"
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


@click.command("grade", help=_HELP, short_help="Judge an answer, and name the mistake.")
@click.option("--forward", metavar="FILE", required=True, help="The forward pass.")
@click.option("--wrt", metavar="NAME", required=True, help="The variable that is asked for.")
@click.option("--answer", metavar="TEXT", required=True, help="The answer, in any notation.")
@click.option("--solution", is_flag=True, help="Show the right answer as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the grade as JSON.")
def command(forward: str, wrt: str, answer: str, solution: bool, as_json: bool) -> None:
    """Judge one answer."""
    from chainrule.interpreters.reading import load_model
    from chainrule.marking.grading import Grader

    grade = Grader(load_model(forward)).grade(wrt, answer)
    if as_json:
        click.echo(json.dumps(grade.data(), indent=2, ensure_ascii=False))
    else:
        _print(grade, solution)
    sys.exit(_STATUS.get(grade.verdict, 2))


def _print(grade: Grade, solution: bool) -> None:
    from chainrule.graph.dims import written

    click.echo(_SENTENCES[grade.verdict])
    if grade.understood:
        shape = f"   {written(grade.shape)}" if grade.shape else ""
        click.echo(f"understood: {grade.understood}{shape}")
    if grade.why:
        click.echo(grade.why)
    for mistake in grade.mistakes:
        click.echo(f"- {mistake.name} ({mistake.step}): {mistake.message}")
    if grade.verdict in ("wrong", "wrong_shape") and not grade.mistakes:
        click.echo("no known mistake gives exactly this")
    if grade.short_form and (solution or grade.verdict == "correct_other_form"):
        click.echo(f"short form: {grade.short_form}")
