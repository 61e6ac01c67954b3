"""``chainrule derive``: the gradients of a forward pass, step by step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.dims import Dim
from chainrule.cli.constants import constant_values
from chainrule.cli.shared import forward_pass, names_in, out_option, write_text, wrt_option

if TYPE_CHECKING:
    from chainrule.documents.blocks import Document, Section
    from chainrule.tables.loss_facts import FactLine

FORMS = ("index", "matrix", "both")
FORMATS = ("text", "latex", "markdown", "json", "html", "slides")


_HELP = """Derive the gradients of the forward pass in FILE, and verify every step.

FILE is a path, the name of a shipped example such as examples/logistic_batch, or '-' for the
standard input.

\b
chainrule derive examples/logistic_single --reveal
chainrule derive examples/logistic_batch --brief
chainrule derive my.cr --wrt W1,b1 --form matrix
chainrule derive examples/board_b1 --format latex --out b1.tex
chainrule derive examples/logistic_batch --hessian w
chainrule derive examples/logistic_batch --format slides --out lecture.html
chainrule derive losses/poisson --facts
chainrule derive my_loss.cr --facts --constant alpha=0.5
"""


@click.command(
    "derive", help=_HELP, short_help="Derive the gradients of a forward pass, step by step."
)
@click.argument("file")
@wrt_option
@click.option(
    "--hessian",
    metavar="NAMES",
    help="Derive the Hessian with respect to these vectors instead: w or w,b.",
)
@click.option(
    "--hvp",
    metavar="NAMES",
    help="Derive the Hessian-vector product instead, with respect to W or W,b.",
)
@click.option(
    "--form",
    type=click.Choice(FORMS),
    default="both",
    help="Form of the gradients: index form, matrix form or both.",
)
@click.option("--format", "kind", type=click.Choice(FORMATS), default="text", help="Output format.")
@click.option(
    "--facts",
    is_flag=True,
    help="Facts of the loss with their proofs, after the gradients: convexity, curvature, "
    "self-concordance, least value. For a loss of one score Z and one target Y per example.",
)
@click.option(
    "--constant",
    "constants",
    multiple=True,
    metavar="NAME=VALUE",
    callback=constant_values,
    help="Value of a named constant of the loss, for --facts. Repeatable.",
)
@click.option(
    "--brief",
    is_flag=True,
    help="One short page: the forward pass, the factors of the chain rule and the gradients. "
    "For every format but json.",
)
@click.option("--proofs", is_flag=True, help="Shapes and proofs below every line, with --brief.")
@click.option(
    "--board",
    metavar="ADDRESS",
    help="Page of a board, exported or running, that --format html links to.",
)
@click.option("--reveal", is_flag=True, help="Show one step per key press, in the terminal.")
@out_option
def command(
    file: str,
    wrt: str | None,
    hessian: str | None,
    hvp: str | None,
    form: str,
    kind: str,
    facts: bool,
    constants: dict[str, float],
    brief: bool,
    proofs: bool,
    board: str | None,
    reveal: bool,
    out: str | None,
) -> None:
    """Derive the gradients of the forward pass in FILE, and verify every step."""
    if constants and not facts:
        raise click.UsageError("--constant is for --facts; add it, or omit --constant")
    if facts and (kind == "slides" or reveal):
        raise click.UsageError(
            "--facts is for the formats text, latex, json and html; omit --reveal and slides"
        )
    if reveal and (out or kind != "text"):
        raise click.UsageError("--reveal is for the terminal; leave out --format and --out")
    if file == "-" and (reveal or board is not None):
        raise click.UsageError("--reveal and --board are for a FILE; write the text into one")
    if board is not None and kind != "html":
        raise click.UsageError("--board is for --format html; add it, or omit --board")
    _check_brief(brief, proofs, kind, bool(hessian or hvp or facts or reveal))
    from chainrule.deriving import derive, derive_second

    given = [text for text in (wrt, hessian, hvp) if text is not None]
    if len(given) > 1:
        raise click.UsageError("choose one of --wrt, --hessian and --hvp")
    names = names_in(given[0]) if given else None
    if wrt is None and names is not None:
        derivation = derive_second(forward_pass(file), names, hessian=hessian is not None)
    else:
        derivation = derive(forward_pass(file), names)
    link = _link(board, file, names or (), order=2 if hessian or hvp else 1)
    if reveal:
        from chainrule.cli.reveal import reveal_steps

        reveal_steps(derivation, form)
        return
    if brief:
        write_text(_brief(derivation, kind, form, proofs, link), out)
        return
    more = _facts(file, constants) if facts else ()
    write_text(rendered(derivation, kind, form, more, link), out)


def _check_brief(brief: bool, proofs: bool, kind: str, other: bool) -> None:
    """Raise where the options of the short page do not fit the others."""
    if proofs and not brief:
        raise click.UsageError("--proofs is for --brief; the whole derivation has every proof")
    if brief and kind == "json":
        raise click.UsageError("--brief is a page to read; omit it, or --format json")
    if proofs and kind not in ("text", "html"):
        raise click.UsageError(
            f"--proofs is for the formats text and html; omit --proofs or --format {kind}"
        )
    if brief and other:
        raise click.UsageError(
            "--brief shows the gradients alone; omit it, or --hessian, --hvp, --facts and --reveal"
        )


def _link(board: str | None, file: str, wrt: Sequence[str], *, order: int) -> str:
    """Return the address of a forward pass on a board; empty where no board is named."""
    if board is None:
        return ""
    from chainrule.documents.board_link import board_link
    from chainrule.language.reading import load_text

    return board_link(board, load_text(file), wrt, order)


def _brief(derivation: Derivation, kind: str, form: str, proofs: bool, link: str) -> str:
    """Return the short page in one of its formats."""
    from chainrule.documents.lesson.brief import brief
    from chainrule.documents.lesson.outline import GradientForm
    from chainrule.documents.renderers import terminal

    document = replace(brief(derivation, GradientForm(form)), board=link)
    if kind == "slides":
        from chainrule.documents.renderers import slides

        return slides.render(document)
    return _written(document, kind) or terminal.render(document, proofs=proofs)


def _facts(file: str, constants: dict[str, float]) -> Sequence[FactLine]:
    """Return the facts of the loss in a file, proven."""
    from chainrule.language.reading import load_text
    from chainrule.tables.loss_facts import fact_lines
    from chainrule.tables.losses import loss_of_text

    return fact_lines(loss_of_text(load_text(file), constants).row)


def rendered(
    derivation: Derivation,
    kind: str,
    form: str,
    facts: Sequence[FactLine] = (),
    link: str = "",
) -> str:
    """Return a derivation in one of the formats, with the facts of a loss and a link to a board."""
    from chainrule.documents.lesson.building import lesson
    from chainrule.documents.lesson.outline import GradientForm
    from chainrule.documents.renderers import terminal

    wanted = GradientForm(form)
    if kind == "slides":
        return _slides(derivation)
    if kind == "json":
        from chainrule.documents.lesson.as_json import as_data

        data = as_data(derivation, wanted)
        if facts:
            from chainrule.documents.lesson.facts import facts_data

            data["facts"] = facts_data(facts)
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    more: list[Section] = []
    if facts:
        from chainrule.documents.lesson.facts import facts_section

        more.append(facts_section(facts))
    document = replace(lesson(derivation, wanted, more), board=link)
    return _written(document, kind) or terminal.render(document)


def _written(document: Document, kind: str) -> str:
    """Return a document in a format that is a file; empty for the terminal's."""
    if kind == "latex":
        from chainrule.documents.renderers import latex

        return latex.render(document)
    if kind == "markdown":
        from chainrule.documents.renderers import markdown

        return markdown.render(document)
    if kind == "html":
        from chainrule.documents.renderers import html

        return html.render(document)
    return ""


def _slides(derivation: Derivation) -> str:
    """Return a slide deck, with values at a random point beside the steps."""
    from chainrule.calculus.proof.step_values import sampled_values
    from chainrule.documents.lesson.building import lesson
    from chainrule.documents.lesson.numbers import numbers_prose
    from chainrule.documents.renderers import slides

    numbers, sizes = sampled_values(derivation)
    at = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    places: dict[Dim, str] = {dim: f"first of {dim}" for dim in sizes}
    beside = numbers_prose(numbers, "the first example", places)
    place = f"at a random point with {at}" if at else "at a random point"
    return slides.render(lesson(derivation, numbers=beside, place=place))
