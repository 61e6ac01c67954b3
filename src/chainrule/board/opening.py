"""Opening an address with a secret in it, without showing it to other users of the machine."""

from __future__ import annotations

import atexit
import os
import tempfile
import threading
import webbrowser
from contextlib import suppress
from html import escape
from pathlib import Path


def open_browser(address: str) -> None:
    """Open an address in the default browser, in the background.

    The command line of a browser can be read by everybody on the machine, so the browser is given
    a file that only its owner can read, and that leads on to the address.
    """
    handle, name = tempfile.mkstemp(".html", "chainrule-")
    shown = escape(address, quote=True)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(
            '<!doctype html><meta charset="utf-8"><title>chainrule</title>'
            f'<meta http-equiv="refresh" content="0; url={shown}">'
            f'<p><a href="{shown}">Open the board</a></p>\n'
        )
    atexit.register(_removed, name)
    threading.Thread(target=_opened, args=(Path(name).as_uri(),), daemon=True).start()


def _opened(address: str) -> None:
    with suppress(webbrowser.Error, OSError):
        webbrowser.open(address)


def _removed(name: str) -> None:
    with suppress(OSError):
        Path(name).unlink()
