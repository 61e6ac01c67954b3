"""Files on the command line: the data to read, places that may not meet, a line of progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def data_path(data: str) -> Path:
    """Return the path of a file, or of a shipped data set ``@name``."""
    if data and not data.startswith("@"):
        return Path(data)
    from chainrule.data import SHIPPED
    from chainrule.errors import DataError

    if not data:  # Path("") is the folder where the command runs
        raise DataError("the name of the file is empty. Name a file, a folder or a pattern.")

    if data not in SHIPPED:
        known = ", ".join(SHIPPED)
        raise DataError(f"no data set {data!r} ships with chainrule. There is: {known}.")
    return SHIPPED[data]


def refuse_places(inputs: tuple[Path, ...], *outputs: str | None) -> None:
    """Reject output paths that overwrite an input or cannot be written."""
    from chainrule.errors import DataError
    from chainrule.storage import check_writable

    # Unlike Path.resolve, realpath accepts a link that leads to itself.
    taken = {os.path.realpath(path) for path in inputs}
    for output in outputs:
        if output is None:
            continue
        check_writable(output)
        place = os.path.realpath(output)
        if place in taken:
            raise DataError(f"{output}: this would write over another file of this command.")
        taken.add(place)


class _WithoutOptional:
    """A finder of modules that does not find what pyarrow imports where it is installed."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Raise for these modules; leave every other one to the next finder."""
        if name in _OPTIONAL:
            raise ModuleNotFoundError(name)


_OPTIONAL = ("pandas", "dateutil", "cloudpickle")
"""A command has no data frames, no calendar intervals, and pickles nothing for pyarrow."""


def import_arrow_alone() -> None:
    """Import pyarrow without its optional modules, which take longer than it does.

    It tries each once, with its first array at the latest, to recognise their objects; what
    converts to pandas tries again.
    """
    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _WithoutOptional)
    try:
        from pyarrow import array

        array([1.0]).to_numpy()
    finally:
        sys.meta_path.remove(_WithoutOptional)


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Show one status line; nothing where the error stream is not a terminal."""
    if not (sys.stderr.isatty() or os.environ.get("FORCE_COLOR")):
        yield lambda words: None
        return
    from rich.console import Console

    console = Console(stderr=True, emoji=False)
    if not console.is_terminal:
        yield lambda words: None
        return
    with console.status("starting") as status:
        yield lambda words: status.update(f"{words} ...")
