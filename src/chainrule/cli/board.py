"""``chainrule board``: the board in the browser, and its export as a folder of files."""

from __future__ import annotations

from contextlib import suppress

import click

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
def command(file: str | None, port: int, no_browser: bool) -> None:
    """Open the board in the browser."""
    from chainrule.board.schema import Opened
    from chainrule.language.reading import load_text

    opened = Opened("", "") if file is None else Opened(file, load_text(file))
    _serve(opened, port, no_browser)


def _serve(opened: object, port: int, no_browser: bool) -> None:
    try:
        from chainrule.board.server import Board
    except ModuleNotFoundError as error:
        raise click.ClickException(MISSING.format(name=error.name)) from None
    from chainrule.board.opening import open_browser

    board = Board(opened, port)  # type: ignore[arg-type]
    click.echo(f"The board is at {board.address}\nCtrl-C ends it.")
    with suppress(KeyboardInterrupt):
        board.run(None if no_browser else lambda: open_browser(board.address))
