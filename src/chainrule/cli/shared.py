"""Options, comma-separated names and output that several commands share."""

from __future__ import annotations

import sys

import click

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


def names_in(text: str | None) -> list[str]:
    """Return comma-separated names without spaces; none for no text."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def write_text(text: str, out: str | None) -> None:
    """Write a text atomically to a file, or to the standard output where none is given."""
    if out is None:
        sys.stdout.write(text)
        return
    from chainrule.tables.writing import atomic_text

    with atomic_text(out) as handle:
        handle.write(text)
    click.echo(f"wrote {out}", err=True)
