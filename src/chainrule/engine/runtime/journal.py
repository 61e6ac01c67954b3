"""The results of passes over the data, kept in files: a fit that was stopped goes on from there.

A fit is deterministic: begun again on the same data, it asks for the same passes in the same order.
So nothing of a solver has to be stored. The sums of each pass are, and a fit that is begun again is
handed those that are there; the first pass that is not is computed, from the last stored state of
its sum on. The bits are those of a fit that was never stopped, whatever the solver.

Files are complete or absent: each is written under another name, flushed, and renamed.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Final
from zipfile import BadZipFile

import numpy as np
from threadpoolctl import ThreadpoolController

from chainrule.engine.arrays import FloatArray
from chainrule.engine.runtime.executors import Partial, TreeSum, add, map_in_order

SECONDS: Final[float] = 5.0
"""Between two stored states of the sum of one pass."""

Known = tuple[str | FloatArray, ...]
"""The name of a pass and the arrays that its result depends on."""

_SAVED: Final = "pass-{:06d}.npz"
_RUNNING: Final = "running.npz"


class Journal:
    """Results of passes in the files of a folder.

    Parameters
    ----------
    folder : Path
        Of this fit alone.
    seconds : float
        Between two stored states of the sum of one pass.
    most_bytes : float
        Of results that are kept; later passes have to be repeated.

    Attributes
    ----------
    recalled : int
        How many passes were not repeated.
    is_finished : bool
        Whether the fit came to its end, so that nothing is left to go on with.
    """

    def __init__(
        self, folder: Path, *, seconds: float = SECONDS, most_bytes: float = math.inf
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._seconds = seconds
        self._next = 0
        self._key = surroundings()
        self._left = most_bytes - sum(path.stat().st_size for path in folder.glob("pass-*.npz"))
        self._is_new = False
        self.recalled = 0
        self.is_finished = False

    def summed(
        self,
        known: Known,
        function: Callable[[int], Partial],
        n_chunks: int,
        n_threads: int,
        table: FloatArray | None = None,
        filled: Sequence[FloatArray] = (),
    ) -> Partial:
        """Return the sum of ``function(chunk)`` over all chunks, computed or recalled.

        Parameters
        ----------
        known : tuple of str and ndarray
            A stored result counts only if it was stored for the same, after the same passes.
        function : callable
        n_chunks, n_threads : int
        table : ndarray, optional
            What the function fills in beside its sums: stored and recalled, too.
        filled : sequence of ndarray
            Arrays among which the function may fill in some: stored and recalled where it does.
        """
        key, path, kept = self._next_pass(known)
        if kept is not None:
            (n_sums, *places), *arrays = kept
            for place, array in zip(places, arrays[int(n_sums) :], strict=True):
                _part(table, filled, int(place))[...] = array
            return tuple(arrays[: int(n_sums)])
        before = [_digest((array,)) for array in filled]
        running = self._folder / _RUNNING
        tree = TreeSum(add, [] if table is not None else _load_stack(running, key))
        done, saved_at = tree.n_items, monotonic()
        can_stop: bool | None = False if table is not None else None
        for item in map_in_order(lambda k: function(k + done), n_chunks - done, n_threads):
            tree.add(item)
            if can_stop is not False and monotonic() - saved_at > self._seconds:
                if can_stop is None:  # what is filled in on the way is not in the sums
                    can_stop = not _changed(filled, before)
                if can_stop:
                    self._save(running, key, _flat(tree.stack))
                saved_at = monotonic()
        found = tree.result()
        places = [*([-1] if table is not None else []), *_changed(filled, before)]
        tables = [_part(table, filled, place) for place in places]
        self._save(path, key, (np.array([len(found), *places]), *found, *tables))
        running.unlink(missing_ok=True)
        return found

    def recalled_or(self, known: Known, function: Callable[[], Partial]) -> Partial:
        """Return the sums of a pass that is computed as a whole, elsewhere, or recalled."""
        key, path, kept = self._next_pass(known)
        if kept is not None:
            return tuple(kept[1:])
        found = function()
        self._save(path, key, (np.array([len(found)]), *found))
        return found

    def _next_pass(self, known: Known) -> tuple[str, Path, list[FloatArray] | None]:
        """Return the key and the file of the next pass, and what is stored there."""
        self._key = key = _digest((self._key, *known))
        path = self._folder / _SAVED.format(self._next)
        self._next += 1
        kept = _load(path, key)
        if kept is not None:
            self.recalled += 1
        elif not self._is_new:
            self._drop_from(self._next - 1)
        return key, path, kept

    def _drop_from(self, first: int) -> None:
        """Remove passes of another fit, and those after them: they will not be asked for."""
        for path in self._folder.glob("pass-*.npz"):
            if int(path.stem.removeprefix("pass-")) >= first:
                path.unlink()
        self._is_new = True

    def _save(self, path: Path, key: str, arrays: Partial) -> None:
        """Write arrays to a file that is complete, or absent: also where the disk is full."""
        n_bytes = sum(array.nbytes for array in arrays)
        if n_bytes > self._left:
            return
        try:
            _write(path, key, arrays)
        except OSError:
            path.with_suffix(".part").unlink(missing_ok=True)
            return
        self._left -= n_bytes if path.name != _RUNNING else 0


_journal: ContextVar[Journal | None] = ContextVar("journal", default=None)


@contextmanager
def kept_passes(journal: Journal | None) -> Iterator[None]:
    """Keep the passes of the fits in the block, or recall them."""
    token = _journal.set(journal)
    try:
        yield
    finally:
        _journal.reset(token)


def current_journal() -> Journal | None:
    """Return where passes are kept; None for nowhere."""
    return _journal.get()


def surroundings() -> str:
    """Return what the bits of a sum depend on beside the data: versions, and the processor."""
    from importlib.metadata import PackageNotFoundError, version

    simd = np.show_config(mode="dicts").get("SIMD Extensions")
    # of libraries only what is the same however many of them are loaded by now
    algebra = ThreadpoolController().select(user_api="blas").info()
    kinds = sorted({str(found.get("architecture")) for found in algebra})
    versions = []
    for name in ("chainrule", "numpy", "scipy", "numba"):
        with suppress(PackageNotFoundError):
            versions.append(f"{name} {version(name)}")
    return f"{versions} {platform.machine()} {simd} {kinds}"


def _part(table: FloatArray | None, filled: Sequence[FloatArray], place: int) -> FloatArray:
    """Return what a function fills in: the table, or one of several arrays."""
    if place >= 0:
        return filled[place]
    assert table is not None
    return table


def _changed(arrays: Sequence[FloatArray], before: Sequence[str]) -> list[int]:
    """Return which arrays are not what they were."""
    return [k for k, array in enumerate(arrays) if _digest((array,)) != before[k]]


def _digest(known: Known) -> str:
    found = sha256()
    for part in known:
        if isinstance(part, str):
            found.update(f"{len(part)}:{part}".encode())
        else:
            found.update(f"{part.dtype}{part.shape}".encode())
            found.update(np.ascontiguousarray(part).data)
    return found.hexdigest()


def _flat(stack: Iterable[tuple[int, Partial]]) -> Partial:
    """Return the stack of a running sum as arrays: its sizes, then what it holds."""
    stack = list(stack)
    sizes = np.array([size for size, _ in stack])
    return (sizes, *(array for _, partial in stack for array in partial))


def _load_stack(path: Path, key: str) -> list[tuple[int, Partial]]:
    kept = _load(path, key)
    if kept is None:
        return []
    sizes, *arrays = kept
    width = len(arrays) // len(sizes)
    return [(int(size), tuple(arrays[k * width : (k + 1) * width])) for k, size in enumerate(sizes)]


def _write(path: Path, key: str, arrays: Partial) -> None:
    scratch = path.with_suffix(".part")
    with scratch.open("wb") as file:
        np.savez(file, np.array(key), *arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)


def _load(path: Path, key: str) -> list[FloatArray] | None:
    """Return the arrays of a file; None if it is absent, damaged, or of another pass."""
    try:
        with path.open("rb") as opened, np.load(opened) as file:
            told, *arrays = (file[name] for name in file.files)
    except (OSError, ValueError, EOFError, BadZipFile):
        return None
    return list(arrays) if str(told) == key else None
