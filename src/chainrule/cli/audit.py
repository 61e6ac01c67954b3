"""``chainrule audit``: judge a derivation line by line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from chainrule.cli.shared import text_console

if TYPE_CHECKING:
    from chainrule.teaching.grading.audit import Audit

_HELP = """Judge every line of the derivation in FILE: proven, wrong, and if wrong, why.

FILE holds a forward pass, in the language of chainrule or in LaTeX, and below it equations as
people write them: ∂L/∂a = ..., dW = np.dot(dZ, A_prev.T), \\frac{\\partial J}{\\partial w_p} =
\\sum_i ..., dZ^[l] = W^[l+1]^T dZ^[l+1] .* g'(Z^[l]). Markdown with $...$ will do. Use - for
standard input. The exit status is 1 if a line is wrong.

\b
chainrule audit homework.md
chainrule audit answer.txt --forward examples/logistic_batch
"""

_STYLES = {
    "proven": "green",
    "follows": "cyan",
    "wrong": "bold red",
    "shape": "bold red",
    "scope": "bold red",
    "unproven": "yellow",
    "unreadable": "yellow",
}


@click.command("audit", help=_HELP, short_help="Judge a derivation line by line.")
@click.argument("file")
@click.option("--forward", metavar="MODEL", help="Forward pass, where FILE has none.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as JSON.")
def command(file: str, forward: str | None, as_json: bool) -> None:
    """Judge every line of a derivation."""
    from chainrule.language.reading import load_model
    from chainrule.teaching.grading.audit import audit

    model = load_model(forward) if forward else None
    found = audit(_text(file), model)
    if as_json:
        click.echo(json.dumps(found.data(), indent=2, ensure_ascii=False))
    else:
        _print(found)
    if found.wrong:
        sys.exit(1)


def _text(file: str) -> str:
    from chainrule.text_files import TextError, read_standard_input, read_text

    try:
        return read_standard_input() if file == "-" else read_text(file)
    except TextError as error:
        raise click.ClickException(str(error)) from None


def _print(found: Audit) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from chainrule.calculus.graph.roles import assumed_sentences
    from chainrule.documents.audits import NO_FORWARD, count_sentence, remarks

    console = text_console()
    said_first = (NO_FORWARD,) if found.model is None else assumed_sentences(found.model)
    for said in said_first:
        console.print(Text(said, style="dim"))
    for line in found.lines:
        head = Text(f"{line.line:>4}  ")
        head.append(line.verdict.ljust(10), style=_STYLES[line.verdict])
        head.append(f"  {line.text}")
        console.print(head)
        for said in remarks(line):
            console.print(Padding(Text(said, style="dim"), (0, 0, 0, 18)))
    if found.convention:
        console.print(f"Convention: {found.convention}")
    console.print(count_sentence(found))
