"""Atomic writes: a file is complete, or as it was before."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from chainrule.errors import DataError


@contextmanager
def atomic_text(path: str | Path) -> Iterator[TextIO]:
    """Open a UTF-8 text file that takes its name only when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        Where the file shall be. A link is followed, an existing file keeps its permissions.

    Yields
    ------
    TextIO
        The file to write to.

    Raises
    ------
    DataError
        When the place cannot be written to.
    """
    target = Path(os.path.realpath(path))
    try:
        handle, scratch = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name}.", suffix=".part"
        )
    except OSError as error:
        raise cannot_write(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            # Else a power cut may leave the new name on an empty file.
            os.fsync(file.fileno())
        os.chmod(scratch, _mode(target))
        os.replace(scratch, target)
    except OSError as error:
        Path(scratch).unlink(missing_ok=True)
        raise cannot_write(path, error) from None
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """Return the permissions of the file to replace, or those of a new file."""
    try:
        return target.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def cannot_write(path: str | Path, error: OSError) -> DataError:
    """Return the error for a file that cannot be written."""
    why = {
        FileNotFoundError: "its folder does not exist; make it first",
        IsADirectoryError: "this is a folder; name a file in it",
        NotADirectoryError: "a part of the path is a file, not a folder",
        PermissionError: "no permission; choose another place or change the permissions",
    }.get(type(error), error.strerror or str(error))
    return DataError(f"{path}: cannot be written: {why}.")


def check_writable(path: str | Path) -> None:
    """Raise if a file cannot be written at `path`, before the work starts."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise cannot_write(path, IsADirectoryError())
    if not target.parent.is_dir():
        raise cannot_write(path, FileNotFoundError())
    if not os.access(target.parent, os.W_OK):
        raise cannot_write(path, PermissionError())
