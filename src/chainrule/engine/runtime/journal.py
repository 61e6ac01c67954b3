"""The results of passes over the data, kept in files: a fit that was stopped goes on from there.

A fit is deterministic: begun again on the same data, it asks for the same passes in the same order.
So nothing of a solver has to be stored. The sums of each pass are, and a fit that is begun again is
handed those that are there; the first pass that is not is computed, from the last stored state of
its sum on. The bits are those of a fit that was never stopped, whatever the solver.

Files are complete or absent: each is written under another name, flushed, and renamed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Final
from zipfile import BadZipFile

import numpy as np

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

    Attributes
    ----------
    recalled : int
        How many passes were not repeated.
    is_finished : bool
        Whether the fit came to its end, so that nothing is left to go on with.
    """

    def __init__(self, folder: Path, *, seconds: float = SECONDS) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._seconds = seconds
        self._next = 0
        self.recalled = 0
        self.is_finished = False

    def summed(
        self,
        known: Known,
        function: Callable[[int], Partial],
        n_chunks: int,
        n_threads: int,
        table: FloatArray | None = None,
    ) -> Partial:
        """Return the sum of ``function(chunk)`` over all chunks, computed or recalled.

        Parameters
        ----------
        known : tuple of str and ndarray
            A stored result counts only if it was stored for the same.
        function : callable
        n_chunks, n_threads : int
        table : ndarray, optional
            What the function fills in beside its sums: stored and recalled, too.
        """
        path, key = self._folder / _SAVED.format(self._next), _digest(known)
        self._next += 1
        kept = _load(path, key)
        if kept is not None:
            self.recalled += 1
            if table is not None:
                table[...] = kept.pop()
            return tuple(kept)
        running = self._folder / _RUNNING
        tree = TreeSum(add, [] if table is not None else _load_stack(running, key))
        done, saved_at = tree.n_items, monotonic()
        for item in map_in_order(lambda k: function(k + done), n_chunks - done, n_threads):
            tree.add(item)
            if table is None and monotonic() - saved_at > self._seconds:
                _save_stack(running, key, tree.stack)
                saved_at = monotonic()
        found = tree.result()
        _save(path, key, found if table is None else (*found, table))
        running.unlink(missing_ok=True)
        return found


def _digest(known: Known) -> str:
    found = sha256()
    for part in known:
        found.update(part.encode() if isinstance(part, str) else np.ascontiguousarray(part).data)
        found.update(b"|")
    return found.hexdigest()


def _save_stack(path: Path, key: str, stack: Iterable[tuple[int, Partial]]) -> None:
    stack = list(stack)
    sizes = np.array([size for size, _ in stack])
    _save(path, key, (sizes, *(array for _, partial in stack for array in partial)))


def _load_stack(path: Path, key: str) -> list[tuple[int, Partial]]:
    kept = _load(path, key)
    if kept is None:
        return []
    sizes, *arrays = kept
    width = len(arrays) // len(sizes)
    return [(int(size), tuple(arrays[k * width : (k + 1) * width])) for k, size in enumerate(sizes)]


def _save(path: Path, key: str, arrays: Partial) -> None:
    """Write arrays to a file that is complete, or absent."""
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
