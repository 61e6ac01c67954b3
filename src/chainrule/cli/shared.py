"""Options, comma-separated names and output that several commands share."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from chainrule.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

    from chainrule.calculus.graph.model import Model
    from chainrule.tables.model import TableModel
    from chainrule.tables.regression import TableRegression

wrt_option = click.option(
    "--wrt", metavar="NAMES", help="Variables, comma-separated: w,b. Default: those of the model."
)
out_option = click.option(
    "--out",
    type=click.Path(dir_okay=False),
    help="Write to this file instead of the standard output.",
)
ignore_option = click.option(
    "--ignore", multiple=True, metavar="COLUMN", help="Column to leave out. Repeatable."
)


def forward_pass(file: str) -> Model:
    """Return a forward pass: of a file, an example by its name, or '-', the standard input."""
    from chainrule.errors import ModelError, ParseError
    from chainrule.language.reading import load_model, read_model
    from chainrule.text_files import TextError, read_standard_input

    if file != "-":
        return load_model(file)
    try:
        return read_model(read_standard_input(), name="forward pass")
    except TextError as error:
        raise ModelError(str(error)) from None
    except ParseError as error:
        error.file = "the standard input"
        raise


def board_address(context: click.Context, option: click.Parameter, given: str | None) -> str:
    """Return the address of a board's page, checked before anything is computed; '' for none."""
    if given is None:
        return ""
    from chainrule.documents.board_link import board_link
    from chainrule.errors import ChainruleError

    try:
        board_link(given, "")
    except ChainruleError as error:
        raise click.BadParameter(str(error), context, option) from error
    return given


def byte_size(context: click.Context, option: click.Parameter, given: str | None) -> int | None:
    """Return the bytes that a size such as 500MB or 2GB means."""
    if given is None:
        return None
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)b?\s*", given, re.IGNORECASE)
    if found is None or float(found[1]) == 0:
        raise click.BadParameter(
            f"{given!r} is not a size above 0, such as 500MB or 2GB", context, option
        )
    return int(float(found[1]) * 1000 ** " kmgt".index(found[2].lower() or " "))


_FILE_OPTIONS = (
    click.option(
        "--separator", metavar="CHARACTER", help="Separator of cells. Default: found out."
    ),
    click.option("--encoding", metavar="NAME", help="Encoding of a text file. Default: found out."),
    click.option(
        "--decimal",
        type=click.Choice([".", ","]),
        help="Decimal mark of a text file. Default: found out.",
    ),
    click.option(
        "--na",
        multiple=True,
        metavar="WORD",
        help="Cell that means a missing value, beside the empty one, in place of NA, N/A, NaN and "
        "null. Repeatable.",
    ),
    click.option("--table", metavar="NAME", help="Table of a database, or sheet of a workbook."),
    click.option(
        "--query", metavar="SQL", help="Rows of a SQLite or DuckDB file, opened for reading only."
    ),
)


def file_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of how a file is read; the command gets them as `file`."""

    @wraps(command)
    def run(
        *args: Any,  # noqa: ANN401
        separator: str | None,
        encoding: str | None,
        decimal: str | None,
        na: tuple[str, ...],
        table: str | None,
        query: str | None,
        **others: Any,  # noqa: ANN401
    ) -> None:
        from chainrule.tables.files.options import ReadOptions

        mark = "\t" if separator in ("tab", "\\t") else separator
        file = ReadOptions(mark, encoding, decimal, na or None, table, query)
        command(*args, file=file, **others)

    for option in reversed(_FILE_OPTIONS):
        run = option(run)
    return run


def printable(text: str) -> str:
    """Return a text from outside for a rich console: no markup, and no control characters."""
    from rich.markup import escape

    return escape(visible(text))


def text_console(width_of_files: int | None = None, *, soft_wrap: bool = False) -> Console:
    """Return a console that prints words as they are: ``:heart:`` stays, and 12 has no colour.

    Where the output is not a terminal, its lines have the width that is given.
    """
    from rich.console import Console

    width = None if sys.stdout.isatty() else width_of_files
    return Console(width=width, highlight=False, emoji=False, soft_wrap=soft_wrap)


def names_in(text: str | None) -> list[str]:
    """Return comma-separated names without spaces; none where the option is not given."""
    if text is None:
        return []
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise click.UsageError(f"{text!r} holds no name; write names such as w,b, or omit it")
    return names


def write_text(text: str, out: str | None) -> None:
    """Write a document atomically to a file, or to the standard output where none is given.

    Control characters in names and titles become escapes.
    """
    text = visible(text)
    if out is None:
        sys.stdout.write(text)
        return
    from chainrule.storage import atomic_text

    with atomic_text(out) as handle:
        handle.write(text)
    click.echo(f"wrote {out}", err=True)


def warn_of_limits(model: TableModel | TableRegression) -> None:
    """Print a warning where the coefficients of a model are those of a last step."""
    from chainrule.tables.fit_results import warning_of

    if warning := warning_of(model.certificate):
        click.echo(f"warning: {warning}", err=True)
