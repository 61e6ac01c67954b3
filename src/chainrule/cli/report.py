"""``chainrule report``: a saved model as a summary, a model card or a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from chainrule.cli.shared import board_address, out_option

if TYPE_CHECKING:
    from chainrule.tables.predicting import Model

_HELP = """Show a model that `chainrule fit --out` saved: a summary, a model card, or a page.

MODEL is read, not the data: what needs the rows (curves, influence, the derivation with numbers) is
in the report that `chainrule fit --report` writes.

\b
Examples:
  chainrule report model.json
  chainrule report model.json --format md --out MODEL_CARD.md
  chainrule report model.json --format html --out report.html
"""

Format = Literal["text", "md", "html", "json"]


@click.command("report", help=_HELP, short_help="Show a saved model: summary, card or page.")
@click.argument("model", type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "md", "html", "json"]),
    default="text",
    show_default=True,
    help="Form: summary, model card as Markdown, page, or the blocks of the card as JSON.",
)
@click.option(
    "--board",
    metavar="ADDRESS",
    callback=board_address,
    help="Page of a board, exported or running, that --format html links to.",
)
@out_option
def command(model: str, form: Format, board: str, out: str | None) -> None:
    """Show a saved model."""
    if board and form != "html":
        raise click.UsageError("--board is for --format html; add it, or omit --board")
    from chainrule.cli.data_files import refuse_places
    from chainrule.storage import atomic_text
    from chainrule.tables.predicting import load_model

    text = _written(load_model(model), form, board)
    if out is None:
        click.echo(text, nl=False)
        return
    from pathlib import Path

    refuse_places((Path(model),), out)
    with atomic_text(out) as file:
        file.write(text)
    click.echo(f"wrote {out}")


def _written(model: Model, form: Format, board: str) -> str:
    from chainrule.documents.report.building import model_report
    from chainrule.documents.report.card import model_card
    from chainrule.visible import visible

    if form == "md":
        from chainrule.documents.renderers import markdown

        return markdown.render(model_card(model))
    if form == "html":
        from chainrule.documents.renderers import html

        return visible(html.render(model_report(model, board)))
    if form == "json":
        import json

        from chainrule.documents.renderers.json import render

        return json.dumps(render(model_card(model)), ensure_ascii=False, indent=2) + "\n"
    if model.inference is not None:
        from chainrule.cli.inference_printing import summary_lines

        lines = summary_lines(model, model.inference, odds=True)
        return "".join(f"{visible(line)}\n" for line in lines)
    from chainrule.documents.renderers import terminal

    return visible(terminal.render(model_card(model)))
