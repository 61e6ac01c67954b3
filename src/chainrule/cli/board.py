"""``chainrule board``: the board in the browser, and its export as a folder of files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from chainrule.board.schema import Opened

MISSING = (
    "the board's server is not installed: {name} is missing. Install it with "
    "`pip install 'chainrule[board]'`; `chainrule board --export DIR` works without it"
)

_HELP = """Open the board in the browser: derive, ask why, practise, audit and train.

FILE is a forward pass, as a path or the name of a shipped example. The page is served on this
machine alone (127.0.0.1); the address that is printed holds the key to it. Ctrl-C ends it.

\b
chainrule board
chainrule board examples/logistic_batch --port 8888
chainrule board --export site/
"""


@click.command("board", help=_HELP, short_help="The board in the browser, or as a site.")
@click.argument("file", required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port. Default: any free.")
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@click.option(
    "--export",
    "folder",
    metavar="DIR",
    help="Write the board as a folder of files that needs no server, and open nothing.",
)
@click.option("--scorm", metavar="FILE", help="SCORM 1.2 package to write (a zip file).")
@click.option(
    "--pyodide",
    metavar="DIR",
    help="Pyodide distribution to put into the export, for forward passes of one's own.",
)
@click.option(
    "--examples-only", is_flag=True, help="Export the shipped examples without the exercise bank."
)
def command(
    file: str | None,
    port: int,
    no_browser: bool,
    folder: str | None,
    scorm: str | None,
    pyodide: str | None,
    examples_only: bool,
) -> None:
    """Open the board in the browser, or write it as files."""
    if folder or scorm:
        if file:
            raise click.UsageError("an export holds the gallery; leave FILE out")
        _export(folder, scorm, pyodide, examples_only)
        return
    if pyodide or examples_only:
        raise click.UsageError("--pyodide and --examples-only belong to --export DIR")
    from chainrule.board.schema import Opened
    from chainrule.language.reading import load_text

    _serve(Opened("", "") if file is None else Opened(file, load_text(file)), port, no_browser)


def _export(
    folder: str | None, scorm: str | None, pyodide: str | None, examples_only: bool
) -> None:
    from chainrule.board.export import check_folder, scorm_package, site, write
    from chainrule.board.gallery import examples
    from chainrule.board.pyodide import live_files
    from chainrule.storage import check_writable, write_bytes

    target = None if folder is None else Path(folder)
    if target is not None:
        check_folder(target)
    if scorm is not None:
        check_writable(scorm)
    extra = {} if pyodide is None else live_files(Path(pyodide))

    def said(title: str) -> None:
        click.echo(f"  {title}", err=True)

    groups = examples() if examples_only else None
    found = {**site(groups, live=pyodide is not None, said=said), **extra}
    if target is not None:
        write(target, found)
        size = sum(map(len, found.values())) / 1e6
        click.echo(f"{len(found)} files, {size:.1f} MB, in {target}: open {target / 'index.html'}")
    if scorm is not None:
        write_bytes(scorm, scorm_package(found))
        click.echo(f"SCORM 1.2 package: {scorm}")


def _serve(opened: Opened, port: int, no_browser: bool) -> None:
    try:
        from chainrule.board.server import Board
    except ModuleNotFoundError as error:
        raise click.ClickException(MISSING.format(name=error.name)) from None
    from chainrule.board.opening import open_browser

    board = Board(opened, port)
    click.echo(f"The board is at {board.address}\nCtrl-C ends it.")
    with suppress(KeyboardInterrupt):
        board.run(None if no_browser else lambda: open_browser(board.address))
