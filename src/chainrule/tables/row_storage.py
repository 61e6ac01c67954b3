"""Where the rows of a fit are: in memory, or in files where they are too many for it.

Rows in files are converted once, in a folder of their own. The folder of a fit with a model file
stands beside that, so that a fit that was stopped, even by a power cut, can go on: converted rows
and the results of passes are there, and a fingerprint of the input tells whether they belong to it.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from chainrule import __version__
from chainrule.engine.runtime import fingerprints
from chainrule.engine.runtime.fingerprints import Fingerprint
from chainrule.engine.runtime.journal import Journal
from chainrule.engine.runtime.state_folder import Contents, StateFolder
from chainrule.engine.runtime.stored_arrays import StoredArray
from chainrule.errors import DataError
from chainrule.storage import byte_budget, check_regular
from chainrule.tables.encoding import Matrix
from chainrule.tables.files.arrow_files import parquet_bytes
from chainrule.tables.files.compression import compression_of
from chainrule.tables.files.opening import STANDARD_INPUT, files_of
from chainrule.tables.reading import (
    Declared,
    OpenedTable,
    open_whole,
    read_table,
    return_freed_columns,
)
from chainrule.tables.stored_table import (
    TABLE,
    StoredTable,
    load_table,
    origin_of_table,
    store_table,
)
from chainrule.tables.table import Table
from chainrule.tables.training import StatusCallback

if TYPE_CHECKING:
    from chainrule.engine.results import Fit

_COPIES: Final = 3
"""A fit in memory holds the columns, their encoding, and what was read, about."""

_EXPANDED: Final = 4
"""Compressed text takes so many times as much as the file, about."""

_ROW_BYTES: Final = 80
"""Bytes per row of a fit to rows in files: numbers of rows, classes, one column, scores."""

_LEAST_BYTES: Final = 2**24
"""Vectors of so many bytes are never refused."""

_LEAST_KEPT: Final = 1 << 26
"""Bytes of results of passes that are kept of the smallest of inputs, too."""

_CONTENTS: Final = Contents(
    TABLE,
    (r"column-\d+", r"rows-\d+", "passes-[0-9a-f]{16}"),
    go_on="--resume",
    elsewhere="name another place for the model: --out",
)
_KEPT: Final = (
    "The converted rows are kept in {}: the command with --resume uses them; remove this folder to "
    "start again."
)


@dataclass(frozen=True)
class Storage:
    """Where the rows of a fit may be.

    Parameters
    ----------
    in_files : bool
        Keep the rows in files; otherwise only where they exceed the memory.
    memory : int, optional
        Bytes for the data; by default half of the machine's memory.
    state : Path, optional
        Folder for converted rows and results, kept if the fit is stopped. By default a temporary
        folder, which is always removed.
    resume : bool
        Go on with the fit that was stopped, if `state` holds one.
    held_for : str, optional
        An option that takes rows in memory.
    """

    in_files: bool = False
    memory: int | None = None
    state: Path | None = None
    resume: bool = False
    held_for: str | None = None

    @property
    def budget(self) -> int:
        """Bytes for the data."""
        return byte_budget() if self.memory is None else self.memory

    def refuse_vectors(self, table: Table) -> None:
        """Raise if vectors over all rows take more than the memory that was given."""
        needed = _ROW_BYTES * table.n_rows
        if self.memory is None or needed <= max(self.memory, _LEAST_BYTES):
            return
        raise DataError(
            f"{table.source}: {table.n_rows} rows take about {needed * 1e-6:.0f} MB for the target "
            f"and other vectors ({_ROW_BYTES} bytes per row), and --memory allows "
            f"{self.memory * 1e-6:.0f} MB. Give at least --memory {math.ceil(needed * 1e-6)}MB"
        )


IN_MEMORY: Final = Storage()


@dataclass(frozen=True)
class OpenedRows:
    """The rows of a fit, and the results of its passes.

    Parameters
    ----------
    table : Table
    journal : Journal or None
    """

    table: Table
    journal: Journal | None = None


@contextmanager
def open_rows(
    path: str | Path,
    declared: Declared,
    storage: Storage,
    choices: str,
    say: StatusCallback,
    *,
    folds: bool = False,
) -> Iterator[OpenedRows]:
    """Open the rows of a fit; in the end remove their files, if it came to its end.

    Parameters
    ----------
    path : str or Path
    declared : Declared
        What is known about the columns.
    storage : Storage
    choices : str
        What else the fit depends on: results of passes count for the same choices alone.
    say : callable
        Told what is being done.
    folds : bool
        Whether there are fits to folds, whose rows are in files of their own, fold by fold.
    """
    given = _Input(path, declared, storage, expanded_bytes(path), folds)
    if not (storage.in_files or given.in_memory > storage.budget):
        yield OpenedRows(read_table(path, declared))
        return
    if storage.held_for is not None:
        raise DataError(
            f"{storage.held_for} takes rows in memory, and these stay in files: they take about "
            f"{_size(given.in_memory)}, of {_size(storage.budget)}. Omit {storage.held_for}, or "
            "--stream and --resume; or give more: --memory"
        )
    return_freed_columns()
    if storage.state is None:
        with TemporaryDirectory(prefix="chainrule-rows-", ignore_cleanup_errors=True) as folder:
            table = given.converted(Path(folder), open_whole(path, declared), say)
            storage.refuse_vectors(table)
            yield OpenedRows(table)
        return
    state = StateFolder(storage.state, _CONTENTS, resume=storage.resume)
    try:
        table = given.table_in(state, say)
        storage.refuse_vectors(table)
        asked = sha256(choices.encode()).hexdigest()[:16]
        journal = Journal(
            state.path / f"passes-{asked}",
            most_bytes=given.kept(state.path, given.needed - given.n_bytes),
        )
        yield OpenedRows(table, journal)
    except BaseException as error:
        if not state.holds_rows:
            state.remove()
            raise
        state.leave()
        kept = _KEPT.format(state.path)
        if isinstance(error, DataError) and str(state.path) not in str(error):
            raise DataError(f"{str(error).rstrip('.')}. {kept}") from error
        error.add_note(kept)
        raise
    if journal.is_finished:
        state.remove()
    else:
        state.leave()


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.3g} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.3g} MB"


@dataclass(frozen=True)
class _Input:
    """The input of a fit to rows in files, and how much of the disk it takes.

    Parameters
    ----------
    path : str or Path
    declared : Declared
    storage : Storage
    n_bytes : int
        About what all columns take.
    folds : bool
    """

    path: str | Path
    declared: Declared
    storage: Storage
    n_bytes: int
    folds: bool

    @property
    def in_memory(self) -> int:
        """Bytes of a fit in memory."""
        return _COPIES * self.n_bytes

    @property
    def needed(self) -> int:
        """Bytes of columns and encoded rows; with folds, the rows of one at a time, too."""
        return (2 + self.folds) * self.n_bytes

    def kept(self, folder: Path, needed: int) -> float:
        """Return how many bytes of results are kept in a folder that takes so many others."""
        free = shutil.disk_usage(folder).free - needed
        return max(0.0, min(max(self.n_bytes, _LEAST_KEPT), free / 2))

    def table_in(self, state: StateFolder, say: StatusCallback) -> StoredTable:
        """Return the table that a folder holds, or convert it there."""
        known = origin_of_table(state.path)
        if known is not None:
            fingerprints.refuse_changes(state.path, known["files"], fingerprint(self.path))
            if known["declared"] == _digest(self.declared):
                table = load_table(state.path, self.storage.budget)
                if table is not None:
                    for left in state.path.glob("rows-*"):
                        if _CONTENTS.is_own(left):
                            left.unlink()
                    return table
        # first: an input that cannot be read takes nothing away
        opened = open_whole(self.path, self.declared)
        state.clear()
        return self.converted(state.path, opened, say)

    def converted(self, folder: Path, opened: OpenedTable, say: StatusCallback) -> StoredTable:
        """Convert the input into a folder."""
        now = fingerprint(self.path)
        needed, free = self.needed, shutil.disk_usage(folder).free
        if needed > free:
            raise DataError(
                f"{folder}: the converted rows take about {needed / 1e9:.3g} GB, and "
                f"{free / 1e9:.3g} GB are free there. Put the model on a larger disk (--out), or, "
                "without --out, set TMPDIR to a folder there."
            )
        results = f", and at most {self.kept(folder, needed) * 1e-6:.0f} MB of results"
        say(
            f"converting {Path(self.path).name}: about {needed * 1e-6:.0f} MB of files"
            f"{results if self.storage.state else ''}, removed afterwards"
        )
        made_from = {"files": now, "declared": _digest(self.declared)}
        table = store_table(opened, folder, self.n_bytes, self.storage.budget, made_from)
        try:
            fingerprints.refuse_changes(folder, now, fingerprint(self.path))
        except DataError:
            (folder / TABLE).unlink()
            raise
        return table


def _digest(declared: Declared) -> str:
    """Return a digest of how columns are read: what is declared, by this version."""
    return sha256(f"{__version__} {declared!r}".encode()).hexdigest()


def fingerprint(path: str | Path) -> Fingerprint:
    """Return size, time and a digest of both ends of each file of the input."""
    return fingerprints.fingerprint(files_of(path))


def expanded_bytes(path: str | Path) -> int:
    """Return about how much memory the columns of the input take."""
    if str(path) == STANDARD_INPUT:
        return 0
    with suppress(OSError):  # said where the file is read
        return sum(_bytes_of(file) for file in files_of(path))
    return 0


def _bytes_of(file: Path) -> int:
    size = check_regular(file).st_size
    if file.suffix.lower() in (".parquet", ".pq"):
        return max(size, parquet_bytes(file))
    return _EXPANDED * size if compression_of(file) else size


def reading_notes(X: Matrix, fit: Fit, journal: Journal | None) -> Iterator[str]:
    """Say how rows in files were read, and how to go on with a fit that was stopped."""
    if fit.interrupted and journal is not None:
        yield "the fit was stopped at this point: the same command with --resume goes on."
    if isinstance(X, StoredArray):
        yield (
            f"the rows stay in files: {X.nbytes * 1e-6:.0f} MB, read {fit.passes:.0f} times by the "
            "fit. The coefficients have the bits of a fit in memory."
        )
