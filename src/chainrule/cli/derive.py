"""``chainrule derive``: the gradients of a forward pass, step by step."""

from __future__ import annotations

import json

import click

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.dims import Dim
from chainrule.cli.shared import names_in, out_option, write_text, wrt_option

FORMS = ("index", "matrix", "both")
FORMATS = ("text", "latex", "json", "html", "slides")


_HELP = """Derive the gradients of the forward pass in FILE, and prove every step.

FILE is a path, or the name of a shipped example such as examples/logistic_batch.

\b
chainrule derive examples/logistic_single --reveal
chainrule derive my.cr --wrt W1,b1 --form matrix
chainrule derive examples/board_b1 --format latex --out b1.tex
chainrule derive examples/logistic_batch --hessian w
chainrule derive examples/logistic_batch --format slides --out lecture.html
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
@click.option("--reveal", is_flag=True, help="Show one step per key press, in the terminal.")
@out_option
def command(
    file: str,
    wrt: str | None,
    hessian: str | None,
    hvp: str | None,
    form: str,
    kind: str,
    reveal: bool,
    out: str | None,
) -> None:
    """Derive the gradients of the forward pass in FILE, and prove every step."""
    if reveal and (out or kind != "text"):
        raise click.UsageError("--reveal is for the terminal; leave out --format and --out")
    from chainrule.deriving import derive, derive_second
    from chainrule.language.reading import load_model

    given = [text for text in (wrt, hessian, hvp) if text]
    if len(given) > 1:
        raise click.UsageError("choose one of --wrt, --hessian and --hvp")
    names = names_in(wrt or hessian or hvp) or None
    if hessian or hvp:
        derivation = derive_second(load_model(file), names, hessian=bool(hessian))
    else:
        derivation = derive(load_model(file), names)
    if reveal:
        from chainrule.cli.reveal import reveal_steps

        reveal_steps(derivation, form)
        return
    text = rendered(derivation, kind, form)
    write_text(text, out or None)


def rendered(derivation: Derivation, kind: str, form: str) -> str:
    """Return a derivation in one of the formats."""
    from chainrule.documents.lesson.outline import GradientForm

    wanted = GradientForm(form)
    match kind:
        case "json":
            from chainrule.documents.lesson.as_json import as_data

            return json.dumps(as_data(derivation, wanted), indent=2, ensure_ascii=False) + "\n"
        case "latex":
            from chainrule.documents.lesson.as_latex import as_latex

            return as_latex(derivation, wanted)
        case "html":
            from chainrule.documents.lesson.page import lesson_page

            return lesson_page(derivation, wanted)
        case "slides":
            return _slides(derivation)
        case _:
            from chainrule.documents.lesson.as_text import as_text

            return as_text(derivation, wanted)


def _slides(derivation: Derivation) -> str:
    """Return a slide deck, with values at a random point beside the steps."""
    from chainrule.calculus.proof.step_values import sampled_values
    from chainrule.documents.lesson.numbers import numbers_html
    from chainrule.documents.lesson.slides import slides

    numbers, sizes = sampled_values(derivation)
    at = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    places: dict[Dim, str] = {dim: f"first of {dim}" for dim in sizes}
    beside = numbers_html(numbers, "the first example", places)
    return slides(derivation, beside, f"at a random point with {at}" if at else "at a random point")
