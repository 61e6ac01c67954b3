"""Files on disk: atomic writes, regular files only, and a budget for what is read.

A written file is complete, or as it was before. A file to read must be a regular one, for a pipe or
a device may never end, and its size must be within a budget that the user can change.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from chainrule.errors import DataError

BUDGET_VARIABLE: Final = "CHAINRULE_MAX_GB"
"""The environment variable that sets the budget, in gigabytes."""

_GIGABYTE: Final = 10**9
_SMALL_FILE: Final = 256 << 20
_LEAST_BUDGET: Final = 2 * _GIGABYTE


@contextmanager
def atomic_text(path: str | Path) -> Iterator[TextIO]:
    """Open a UTF-8 text file that takes its name only when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        Where the file shall be. A link is followed, an existing file keeps its permissions, and a
        device or a pipe is written to directly.

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
    if _is_special(Path(path)):
        # A device or a pipe is written to; to rename a file onto it would destroy it.
        try:
            with Path(path).open("w", encoding="utf-8", newline="\n") as file:
                yield file
        except OSError as error:
            raise cannot_write(path, error) from None
        return
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


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file of bytes, whole or not at all; see `atomic_text`."""
    with atomic_text(path) as file:
        file.buffer.write(data)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield the path of a scratch file that takes its name when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        Where the file shall be. A link is followed, an existing file keeps its permissions.

    Raises
    ------
    DataError
        When the place cannot be written to.
    """
    target = Path(os.path.realpath(path))
    if _is_special(Path(path)):
        raise DataError(f"{path}: this is a device or a pipe; name a file.")
    try:
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name}.", suffix=".part"
        )
    except OSError as error:
        raise cannot_write(path, error) from None
    os.close(handle)
    scratch = Path(name)
    try:
        yield scratch
        os.chmod(scratch, _mode(target))
        os.replace(scratch, target)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise cannot_write(path, error) from None
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _is_special(target: Path) -> bool:
    """Whether a path is there and is neither a file nor a folder."""
    return target.exists() and not target.is_file() and not target.is_dir()


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
    if _is_special(Path(path)):
        if not os.access(path, os.W_OK):
            raise cannot_write(path, PermissionError())
        return
    if target.is_dir():
        raise cannot_write(path, IsADirectoryError())
    if not target.parent.is_dir():
        raise cannot_write(path, FileNotFoundError())
    if not os.access(target.parent, os.W_OK):
        raise cannot_write(path, PermissionError())


def byte_budget() -> int:
    """Return how many bytes of data may be read into memory: half of the machine's, or as set.

    Raises
    ------
    DataError
        When the variable that sets it holds no positive number.
    """
    told = os.environ.get(BUDGET_VARIABLE)
    if told is None:
        try:
            memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (AttributeError, OSError, ValueError):  # not on every system
            return _LEAST_BUDGET
        return max(memory // 2, _LEAST_BUDGET)
    try:
        amount = float(told)
    except ValueError:
        amount = 0.0
    if not 0 < amount < float("inf"):
        raise DataError(
            f"{BUDGET_VARIABLE} is the memory for data in gigabytes, a number above 0, not {told!r}"
        )
    return int(amount * _GIGABYTE)


def refuse_size(path: str | Path, n_bytes: int, budget: int) -> None:
    """Raise if so many bytes are more than the budget."""
    if n_bytes > budget:
        raise DataError(
            f"{path}: it holds more than {budget / _GIGABYTE:.3g} GB of data, the budget of this "
            f"machine. Read fewer columns or rows, or raise the budget: {BUDGET_VARIABLE}="
            f"{2 * max(n_bytes, budget) / _GIGABYTE:.0f}"
        )


def check_regular(path: str | Path) -> os.stat_result:
    """Return the state of a regular file.

    Raises
    ------
    OSError
        When there is no such file, or it cannot be read.
    DataError
        When it is a pipe, a device or a socket, which may never end.
    """
    state = os.stat(path)
    if stat.S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(state.st_mode):
        raise DataError(
            f"{path}: this is a pipe or a device, not a file. Save it as a file first, or, for a "
            "table, send it through the standard input and name it '-'."
        )
    return state


def read_small_text(path: str | Path) -> str:
    """Return the text of a regular UTF-8 file of at most 256 MB, such as a model or a key.

    Raises
    ------
    OSError, UnicodeDecodeError
        As `Path.read_text`.
    DataError
        When it is not a regular file, or too large.
    """
    size = check_regular(path).st_size
    if size > _SMALL_FILE:
        raise DataError(
            f"{path}: {size / 1e6:.0f} MB is too large for this kind of file (at most "
            f"{_SMALL_FILE >> 20} MB). Check that it is the file you mean."
        )
    return Path(path).read_text(encoding="utf-8-sig")
