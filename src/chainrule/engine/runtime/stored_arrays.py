"""Arrays in files: written once from first row to last, then read again and again by row number.

What is read depends on row numbers alone, never on the parts that were written, so that everything
computed from such an array has the bits of the same computation in memory. Reads are positional
(`preadv`) or in place (`MappedFile`), and several threads read at once. The system's page cache
holds what fits and gives it back when memory is short; the process itself holds the rows of a read
only, and the beginning of the file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from numbers import Integral
from pathlib import Path
from tempfile import mkstemp
from threading import Lock
from types import TracebackType
from typing import Any, Final, Self
from weakref import finalize

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.runtime.allowance import Allowance
from chainrule.engine.runtime.checksums import Checksums
from chainrule.engine.runtime.mapped_file import MappedFile
from chainrule.engine.runtime.workers import Cluster, current_cluster
from chainrule.errors import DataError

WINDOW_BYTES: Final[int] = 2**22
"""Rows of a selection that lie within so many bytes are picked from one read."""

HELD_BYTES: Final[int] = 2**28
"""Memory for what is held of an array, unless the array says otherwise."""

_LONG_BYTES: Final[int] = 2**25
"""Bytes that are read for a selection from which the workers of a cluster read it."""

Append = Callable[[npt.NDArray[Any]], None]
"""Takes the next rows."""


class StoredArray:
    """A one- or two-dimensional array in a file, read some rows at a time.

    Parameters
    ----------
    path : str or Path
        Holds the rows one after the other (C order), in the byte order of the machine.
    dtype : dtype
    shape : tuple of int
    offset : int
        Bytes before the first row.
    held_bytes : int
        Memory for vectors over all rows, selections and pages that stay mapped from pass to pass.
        Selections that do not fit are stored beside the file, and removed with the last reference.
    allowance : Allowance, optional
        The same, shared with other arrays; none of the pages stay mapped.

    Attributes
    ----------
    on_read : callable or None
        Told the number of bytes of each read.
    names : tuple of str or None
        Of the columns.
    drawn : tuple or None
        The rows of a selection made while all rows were read, and what `rows_at` returns for them.
    column_maxima : ndarray or None
        max_i |x_ij|, NaN where a value is NaN; None where the rows were not seen.
    """

    def __init__(
        self,
        path: str | Path,
        dtype: npt.DTypeLike,
        shape: Sequence[int],
        *,
        offset: int = 0,
        held_bytes: int = HELD_BYTES,
        allowance: Allowance | None = None,
    ) -> None:
        self.path = Path(path)
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.shape = tuple(int(size) for size in shape)
        self.allowance = Allowance(held_bytes) if allowance is None else allowance
        self._keeps_pages = allowance is None
        self.on_read: Callable[[int], None] | None = None
        self.names: tuple[str, ...] | None = None
        self.column_maxima: FloatArray | None = None
        self.drawn: tuple[IntArray, npt.NDArray[Any] | StoredArray] | None = None
        self._offset = offset
        self._open()

    def _open(self) -> None:
        try:
            self._file = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read ({error.strerror})") from None
        self._lock = Lock()
        finalize(self, os.close, self._file)
        there = os.fstat(self._file).st_size
        if there < self._offset + self.nbytes:
            raise DataError(
                f"{self.path}: the file holds {there} bytes, and an array of shape {self.shape} "
                f"({self.dtype}) takes {self._offset + self.nbytes}: it was cut short. Write it "
                "again"
            )
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        self._map: MappedFile | None = None
        if self.nbytes and self._offset % self.dtype.alignment == 0:
            with suppress(OSError, ValueError, OverflowError):  # no address space: rows are read
                kept = self.allowance if self._keeps_pages else None
                self._map = MappedFile(self._file, self._offset + self.nbytes, kept)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs to open the same file."""
        own = ("_file", "_lock", "_map", "on_read", "drawn")
        return {k: v for k, v in self.__dict__.items() if k not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.on_read = self.drawn = None
        self._open()

    @property
    def held_bytes(self) -> int:
        """Memory for what is held."""
        return self.allowance.n_bytes

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of entries."""
        return int(np.prod(self.shape))

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape[1:])) * self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return self.shape[0] * self.row_bytes

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"StoredArray({str(self.path)!r}, {self.dtype}, {self.shape})"

    __array_ufunc__ = None  # so that NumPy leaves products to the methods below

    def __matmul__(self, right: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the product with an array, read block by block."""
        return np.concatenate([rows @ right for _, rows in self.blocks()])

    def __rmatmul__(self, left: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the product of an array with this one, read block by block."""
        total = np.zeros((*np.shape(left)[:-1], *self.shape[1:]))
        for start, rows in self.blocks():
            total += left[..., start : start + len(rows)] @ rows
        return total

    def blocks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Yield all rows in order, a few megabytes at a time, with the number of the first."""
        step = max(1, WINDOW_BYTES // max(1, self.row_bytes))
        for start in range(0, max(1, len(self)), step):
            yield start, self[start : start + step]

    def __array__(self, dtype: Any = None, copy: Any = None) -> npt.NDArray[Any]:  # noqa: ANN401
        raise TypeError(
            f"{self.path} is read in blocks of rows and not turned into an array by itself; "
            "array[:] reads it whole"
        )

    def __getitem__(self, rows: Any) -> npt.NDArray[Any]:  # noqa: ANN401
        """Return a range of rows, rows by number or mask, or one row, as NumPy does.

        Raises
        ------
        IndexError
            When a row is not there, or something else than rows is asked for.
        """
        if isinstance(rows, tuple) and len(rows) == 2 and rows[1] is Ellipsis:
            rows = rows[0]
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step != 1:
                return self[np.arange(start, stop, step)]
            found = np.empty((max(0, stop - start), *self.shape[1:]), self.dtype)
            return self.read(start, found)
        if isinstance(rows, Integral):
            return np.asarray(self[np.array([rows])][0])
        rows = self._row_numbers(rows)
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        order = None if (np.diff(rows) >= 0).all() else np.argsort(rows, kind="stable")
        in_order = rows if order is None else rows[order]
        window = max(1, WINDOW_BYTES // max(1, self.row_bytes))
        at = 0
        while at < len(in_order):
            first = int(in_order[at])
            end = int(np.searchsorted(in_order, first + window))
            some = self.view(first, int(in_order[end - 1]) + 1)
            picked = np.take(some, in_order[at:end] - first, axis=0)
            found[slice(at, end) if order is None else order[at:end]] = picked
            at = end
        return found

    def _row_numbers(self, rows: Any) -> IntArray:  # noqa: ANN401
        """Return rows that are asked for as numbers from 0 on."""
        if isinstance(rows, tuple) or rows is None:
            raise IndexError(f"{self.path} is read by rows alone; array[rows][:, columns] goes on")
        found = np.asarray(rows)
        if not found.size:
            return np.empty(0, dtype=np.intp)
        if found.ndim != 1 or found.dtype.kind not in "biu":
            raise IndexError(
                f"{self.path}: rows are a range, numbers or a mask, not {found.dtype} of shape "
                f"{found.shape}"
            )
        if found.dtype == np.bool_:
            if len(found) != len(self):
                raise IndexError(f"{self.path}: the mask is of {len(found)} rows, not {len(self)}")
            return np.flatnonzero(found)
        beyond = np.flatnonzero((found < -len(self)) | (found >= len(self)))
        if len(beyond):
            raise IndexError(f"{self.path} has no row {found[beyond[0]]}: it has {len(self)} rows")
        found = found.astype(np.intp, copy=False)
        return np.where(found < 0, found + len(self), found) if (found < 0).any() else found

    def view(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return a range of rows, in place where that is possible: read-only, and soon used."""
        shape = (stop - start, *self.shape[1:])
        if self._map is None or start >= stop:
            return self.read(start, np.empty(shape, self.dtype))
        if os.fstat(self._file).st_size < self._offset + stop * self.row_bytes:
            raise self._became_shorter()  # else the system would end the process
        found = self._map.array(self._offset + start * self.row_bytes, shape, self.dtype)
        if self.on_read is not None:
            self.on_read(found.nbytes)
        return found

    def _became_shorter(self) -> DataError:
        return DataError(
            f"{self.path}: the file became shorter while it was read. Do not change the data "
            "during a fit; start it again"
        )

    def read(self, start: int, out: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Fill `out` with the rows from `start` on, and return it."""
        view = _bytes_of(out)
        done, place = 0, self._offset + start * self.row_bytes
        while done < len(view):
            got = self._read_into(view[done:], place + done)
            if got == 0:
                raise self._became_shorter()
            done += got
        if self.on_read is not None:
            self.on_read(done)
        return out

    def _read_into(self, view: memoryview, place: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file, [view], place)
        with self._lock:
            os.lseek(self._file, place, os.SEEK_SET)
            data = os.read(self._file, len(view))
        view[: len(data)] = data
        return len(data)

    def part(self, rows: slice) -> StoredArray:
        """Return some rows in one piece as an array in the same file."""
        found = StoredArray(
            self.path,
            self.dtype,
            (rows.stop - rows.start, *self.shape[1:]),
            offset=self._offset + rows.start * self.row_bytes,
            allowance=self.allowance,
        )
        found.names = self.names
        return found

    def parts(self, count: int) -> Iterator[StoredArray]:
        """Yield all rows as about so many arrays in the same file."""
        step = max(1, -(-len(self) // count))
        return (self.part(slice(k, min(k + step, len(self)))) for k in range(0, len(self), step))

    def rows_at(self, rows: IntArray) -> npt.NDArray[Any] | StoredArray:
        """Return rows by number: in memory, or stored beside the file where they are too many."""
        if self.drawn is not None and np.array_equal(self.drawn[0], rows):
            found, self.drawn = self.drawn[1], None
            return found
        n_bytes = len(rows) * self.row_bytes
        cluster = current_cluster() if self._is_long(rows) else None
        if self.allowance.take(n_bytes):
            picked = self[rows] if cluster is None else np.concatenate(self._picked(rows, cluster))
            finalize(picked, self.allowance.give, n_bytes)
            return picked
        at_once = WINDOW_BYTES if cluster is None else max(WINDOW_BYTES, self.held_bytes)
        step = max(1, at_once // max(1, self.row_bytes))
        with self._beside() as writer:
            for start in range(0, len(rows), step):
                some = rows[start : start + step]
                parts = [self[some]] if cluster is None else self._picked(some, cluster)
                for part in parts:
                    writer.append(part)
        return self._owned(writer)

    @contextmanager
    def drawing(self, rows: IntArray) -> Iterator[Append]:
        """Make a selection while all rows are read: `rows_at` returns it once, without a read.

        Yields a function that takes the selected rows, in order, some at a time.
        """
        n_bytes = len(rows) * self.row_bytes
        if not self.allowance.take(n_bytes):
            with self._beside() as writer:
                yield writer.append
            self.drawn = (rows, self._owned(writer))
            return
        held, at = np.empty((len(rows), *self.shape[1:]), self.dtype), 0
        finalize(held, self.allowance.give, n_bytes)

        def append(some: npt.NDArray[Any]) -> None:
            nonlocal at
            held[at : at + len(some)] = some
            at += len(some)

        yield append
        self.drawn = (rows, held)

    @contextmanager
    def _beside(self) -> Iterator[ArrayWriter]:
        """Begin a file of rows beside this one; it is removed after an error."""
        handle, name = mkstemp(prefix=f"{self.path.name}.", suffix=".part", dir=self.path.parent)
        os.close(handle)
        try:
            with ArrayWriter(name, self.dtype, self.shape[1:], summed=False) as writer:
                yield writer
        except BaseException:  # a full disk, or the user
            Path(name).unlink(missing_ok=True)
            raise

    def _owned(self, writer: ArrayWriter) -> StoredArray:
        """Return the rows of a file beside this one, which is removed with the last reference."""
        found = writer.array(allowance=self.allowance)
        found.names = self.names
        finalize(found, writer.path.unlink, missing_ok=True)
        return found

    def _is_long(self, rows: IntArray) -> bool:
        """Tell whether rows are in order, and the file between the first and last is long."""
        if not len(rows) or (int(rows[-1]) - int(rows[0])) * self.row_bytes < _LONG_BYTES:
            return False
        return bool((np.diff(rows) >= 0).all())

    def _picked(self, rows: IntArray, cluster: Cluster) -> Sequence[npt.NDArray[Any]]:
        """Return rows in order, read by the workers of a cluster, in pieces."""

        def cut(count: int) -> Iterator[tuple[StoredArray, IntArray]]:
            for some in np.array_split(rows, min(count, len(rows))):
                first = int(some[0])
                yield self.part(slice(first, int(some[-1]) + 1)), some - first

        return cluster.map(rows, cut, _rows_of)


def _rows_of(part: tuple[StoredArray, IntArray]) -> npt.NDArray[Any]:
    array, rows = part
    return array[rows]


def _bytes_of(array: npt.NDArray[Any]) -> memoryview:
    """Return the bytes of a contiguous array, not copied."""
    return memoryview(array.reshape(-1).view(np.uint8).data)


def open_npy(path: str | Path, *, held_bytes: int = HELD_BYTES) -> StoredArray:
    """Return the array of a ``.npy`` file, read in place.

    Raises
    ------
    DataError
        When the file holds no table of numbers in C order, in this machine's byte order.
    """
    try:
        with Path(path).open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, fortran, dtype = read(file)
            offset = file.tell()
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: this is no .npy file that can be read ({error})") from None
    if dtype.kind not in "biuf" or not dtype.isnative or (fortran and len(shape) > 1):
        order = "Fortran" if fortran else "C"
        raise DataError(
            f"{path}: it holds {dtype} in {order} order, and rows are read in place from native "
            "numbers in C order. Save it again: numpy.save(path, numpy.ascontiguousarray(array))"
        )
    if len(shape) not in (1, 2):
        raise DataError(
            f"{path}: it holds an array of {len(shape)} dimensions, and rows are those of a table "
            "or a vector. Save it again with one or two: numpy.save(path, array.reshape(...))"
        )
    return StoredArray(path, dtype, shape, offset=offset, held_bytes=held_bytes)


class ArrayWriter:
    """Writes the rows of a `StoredArray`, some at a time, with checksums.

    Parameters
    ----------
    path : str or Path
    dtype : dtype
    row_shape : tuple of int
        Shape of one row: () for a vector.
    summed : bool
        Whether checksums and largest numbers are taken.
    """

    def __init__(
        self,
        path: str | Path,
        dtype: npt.DTypeLike,
        row_shape: Sequence[int] = (),
        *,
        summed: bool = True,
    ) -> None:
        self.path, self.dtype = Path(path), np.dtype(dtype)
        self.row_shape = tuple(row_shape)
        self.n_rows = 0
        self._summed = summed
        self._sums = Checksums()
        self._maxima: FloatArray | None = None
        self._file = self.path.open("wb", buffering=1 << 20)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what is left, and close the file."""
        self._file.close()

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Write the next rows."""
        rows = np.ascontiguousarray(rows, dtype=self.dtype)
        if self._summed and rows.ndim == 2 and self.dtype.kind == "f" and len(rows):
            largest = _column_maxima(rows)
            known = largest if self._maxima is None else self._maxima
            self._maxima = np.maximum(known, largest)
        data = _bytes_of(rows)
        if self._summed:
            self._sums.add(data)
        self._file.write(data)
        self.n_rows += len(rows)

    @property
    def checksums(self) -> list[int]:
        """CRC-32 of each piece of the file, of `CHECKED_BYTES` bytes."""
        return self._sums.of_pieces

    def array(
        self, *, held_bytes: int = HELD_BYTES, allowance: Allowance | None = None
    ) -> StoredArray:
        """Return the array that was written."""
        self.close()
        shape = (self.n_rows, *self.row_shape)
        found = StoredArray(
            self.path, self.dtype, shape, held_bytes=held_bytes, allowance=allowance
        )
        found.column_maxima = self._maxima
        return found


def _column_maxima(rows: npt.NDArray[Any]) -> FloatArray:
    """Return the largest size in each column, NaN where there is one."""
    found: FloatArray = np.maximum(rows.max(axis=0), -rows.min(axis=0)).astype(np.float64)
    return np.abs(found)
