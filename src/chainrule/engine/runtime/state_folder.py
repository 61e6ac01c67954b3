"""The folder of a fit that may be stopped: one fit writes there at a time, and nothing is lost.

The lock is one of the system on an open file, so that it ends with the process that holds it,
however that ends.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from chainrule.errors import DataError

_LOCK: Final = "lock"
_ATTEMPTS: Final = 10


@dataclass(frozen=True)
class Contents:
    """The files that the folder of a fit may hold, and how a user names it.

    Parameters
    ----------
    manifest : str
        The file that is written when all rows are converted.
    files : tuple of str
        Regular expressions for the names of the other files, without the ``.*.part`` of a sample of
        rows. What matches is removed with the folder: no file of a user should.
    go_on : str
        How to go on with a fit that was stopped.
    elsewhere : str
        How to name another folder.
    """

    manifest: str
    files: tuple[str, ...]
    go_on: str
    elsewhere: str

    def is_own(self, entry: Path) -> bool:
        """Whether a fit wrote a file."""
        names = "|".join((_LOCK, re.escape(self.manifest), *self.files))
        own = rf"(?:{names})(?:\.\w+\.part)*|\.\w+\.json\.\w+\.part"
        return re.fullmatch(own, entry.name) is not None


class StateFolder:
    """A folder beside a model file, with the converted rows and the passes of its fit.

    Parameters
    ----------
    path : Path
    contents : Contents
    resume : bool
        Go on with the fit that was stopped, if the folder holds one.

    Raises
    ------
    DataError
        When the folder cannot be made, holds something else or a fit that was stopped and is not
        gone on with, or when another fit writes there.
    """

    def __init__(self, path: Path, contents: Contents, *, resume: bool) -> None:
        self.path, self._contents = path, contents
        there = list(path.iterdir()) if path.is_dir() else []
        foreign = [entry.name for entry in there if not contents.is_own(entry)]
        if not foreign and {entry.name for entry in there} - {_LOCK} == {contents.manifest}:
            foreign = [contents.manifest]  # a manifest without the files that it lists
        elif self.holds_rows:
            foreign = []
        if foreign:
            raise DataError(
                f"{path}: this folder holds something else than a stopped fit: {foreign[0]}. Move "
                f"it, or {contents.elsewhere}"
            )
        self._lock = self._locked()
        if self.holds_rows and not resume:
            self.leave()
            raise DataError(
                f"{path}: a fit that was stopped is kept here. Go on with it: "
                f"{contents.go_on}. To start again, remove this folder"
            )

    @property
    def holds_rows(self) -> bool:
        """Whether rows were converted, to the last one."""
        return (self.path / self._contents.manifest).exists()

    def clear(self) -> None:
        """Remove what a fit has written; first what says that it is whole."""
        (self.path / self._contents.manifest).unlink(missing_ok=True)
        for entry in self.path.iterdir():
            if entry.name != _LOCK and self._contents.is_own(entry):
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)

    def leave(self) -> None:
        """Let other fits in, and keep what is there."""
        with suppress(OSError):  # Windows keeps open files
            (self.path / _LOCK).unlink()
        self._lock.close()

    def remove(self) -> None:
        """Remove the folder; what is not of a fit stays."""
        with suppress(OSError):
            self.clear()
        self.leave()
        if sys.platform == "win32":
            with suppress(OSError):
                (self.path / _LOCK).unlink()
        with suppress(OSError):
            self.path.rmdir()

    def _locked(self) -> BinaryIO:
        for _ in range(_ATTEMPTS):
            try:
                self.path.mkdir(exist_ok=True)
                file = (self.path / _LOCK).open("a+b")
            except FileNotFoundError:
                if not self.path.parent.is_dir():
                    raise self._not_made("there is no such folder") from None
                continue  # the fit before was just removing it
            except OSError as error:
                raise self._not_made(error.strerror) from None
            if not _lock(file):
                file.close()
                raise DataError(
                    f"{self.path}: another fit{self._holder()} is writing here. Wait for it, stop "
                    f"it, or {self._contents.elsewhere}"
                )
            with suppress(OSError):
                if os.path.samestat(os.fstat(file.fileno()), os.stat(self.path / _LOCK)):
                    file.truncate(0)
                    file.write(str(os.getpid()).encode())
                    file.flush()
                    return file
            file.close()
        raise self._not_made("another fit keeps removing it")

    def _holder(self) -> str:
        try:
            return f" (process {int((self.path / _LOCK).read_bytes())})"
        except (OSError, ValueError):
            return ""

    def _not_made(self, reason: str | None) -> DataError:
        elsewhere = self._contents.elsewhere
        return DataError(
            f"{self.path}: cannot be made ({reason}), and rows in files need this folder. "
            f"{elsewhere[0].upper()}{elsewhere[1:]}"
        )


def _lock(file: BinaryIO) -> bool:
    """Lock a file; False if another process holds it, and True where the system has no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
