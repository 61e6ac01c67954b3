"""Streams of rows: read once, converted to arrays in files, and fitted from there.

A stream is anything that hands out the same rows in the same order whenever it is begun: Parquet,
Feather and CSV files, queries, iterators of record batches. It is read once. What comes of it
depends on the rows and their order alone, not on how they are cut into files, row groups or
batches, so a fit has the bits of the same rows in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from chainrule.engine.data.coded_rows import UNKNOWN, CodedColumn, CodedRows
from chainrule.engine.runtime.stored_arrays import HELD_BYTES, ArrayWriter, StoredArray
from chainrule.errors import DataError

Batch = Any
"""A record batch or table of pyarrow, any data frame, or a mapping from names to arrays."""

_ENDINGS: Final = {
    "parquet": (".parquet", ".pq"),
    "feather": (".feather", ".arrow", ".ipc"),
    "csv": (".csv",),
}


@dataclass(frozen=True)
class Stream:
    """Rows that are too many for memory, and the roles of their columns.

    Parameters
    ----------
    batches : callable
        Begins the stream: returns an iterable of record batches or tables of pyarrow, data frames,
        or mappings from names to arrays.
    target : str
    columns : sequence of str, optional
        The features; by default all columns that have no other role.
    weights, offset : str, optional
        Columns of sample weights, and of a part of the scores that is known.
    folder : str or Path, optional
        Where the converted rows are written, as large as the numbers in memory; they are removed
        with the fit. By default the folder for temporary files.
    memory : int
        Bytes of samples of rows that may be held in memory.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import LogisticRegression, Stream
    >>> def batches():
    ...     rng = np.random.default_rng(0)
    ...     for _ in range(3):
    ...         x = rng.normal(size=1000)
    ...         yield {"x": x, "y": x + rng.logistic(size=1000) > 0}
    >>> model = LogisticRegression().fit_stream(Stream(batches, target="y"))
    >>> model.certificate_.proven, model.feature_names_in_.tolist()
    (True, ['x'])
    """

    batches: Callable[[], Iterable[Batch]]
    target: str
    columns: Sequence[str] | None = None
    weights: str | None = None
    offset: str | None = None
    folder: str | Path | None = None
    memory: int = HELD_BYTES

    @classmethod
    def files(cls, path: str | Path | Sequence[str | Path], target: str, **roles: Any) -> Stream:  # noqa: ANN401
        """Return the rows of Parquet, Feather (Arrow IPC) or CSV files, in order of their names.

        Parameters
        ----------
        path : str, Path or sequence of them
            A file, a folder, or a pattern such as ``sales/*.parquet``.
        target : str
        **roles
            The other parameters of `Stream`.

        Returns
        -------
        Stream

        Raises
        ------
        DataError
            When there is no such file, files are of several kinds, or a column is not there.

        Examples
        --------
        >>> from chainrule import Stream
        >>> from chainrule.data import BREAST_CANCER
        >>> stream = Stream.files(BREAST_CANCER, target="diagnosis", columns=["mean_area"])
        >>> next(iter(stream.batches())).num_rows
        569
        """
        files = _files(path)
        found = {_kind(file) for file in files}
        if len(found) > 1:
            raise DataError(f"{path}: the files are of several kinds: {', '.join(sorted(found))}")
        data = ds.dataset([str(file) for file in files], format=found.pop())
        names = cls(list, target, **roles).names(data.schema.names)
        return cls(
            # little is read ahead: the batches wait in memory
            lambda: data.to_batches(
                columns=names, batch_size=2**16, batch_readahead=2, fragment_readahead=1
            ),
            target,
            **roles,
        )

    def names(self, known: Sequence[str]) -> list[str]:
        """Return the columns that are read: features first, then target, weights and offset."""
        others = [n for n in (self.target, self.weights, self.offset) if n is not None]
        features = self.columns
        if features is None:
            features = [name for name in known if name not in others]
        for name in (*features, *others):
            if name not in known:
                raise DataError(f"no column is named {name!r}; the columns are {list(known)[:12]}")
        if not features:
            raise DataError(f"no column is left to learn from, beside {', '.join(others)}")
        return [*features, *others]

    @contextmanager
    def stored(self) -> Iterator[StoredStream]:
        """Convert the rows, and remove the files in the end."""
        with TemporaryDirectory(prefix="chainrule-rows-", dir=self.folder) as folder:
            yield self._converted(Path(folder))

    def _converted(self, folder: Path) -> StoredStream:
        columns: list[_Column] = []
        rows: ArrayWriter | None = None
        n_rows = 0
        try:
            for batch in self.batches():
                table = _as_table(batch)
                if not columns:
                    columns = self._columns(table, folder)
                    rows = _writer_of(columns, folder)
                parts = [c.values(table.column(c.name), n_rows) for c in columns]
                n_rows += table.num_rows
                if rows is not None:
                    _append_rows(rows, [p for p, c in zip(parts, columns, strict=True) if c.is_x])
                for column, part in zip(columns, parts, strict=True):
                    if rows is None or not column.is_x:
                        column.append(part)
        finally:
            for writer in (rows, *columns):
                if writer is not None:
                    writer.close()
        if not n_rows:
            raise DataError("there are no rows to fit: the stream is empty")
        features = [column for column in columns if column.is_x]
        X: StoredArray | CodedRows
        if rows is None:
            X = CodedRows([column.coded(self.memory) for column in features])
        else:
            X = numbers = rows.array(held_bytes=self.memory)
            numbers.names = tuple(column.name for column in features)
        others = {column.name: column for column in columns if not column.is_x}
        y, labels = others[self.target].whole()
        return StoredStream(
            X,
            y,
            labels,
            None if self.weights is None else others[self.weights].numbers(),
            None if self.offset is None else others[self.offset].numbers(),
        )

    def _columns(self, table: Any, folder: Path) -> list[_Column]:  # noqa: ANN401
        """Return the columns that are read, of the kinds that the first batch has."""
        names = self.names(table.column_names)
        n_features = len(names) - sum(
            r is not None for r in (self.target, self.weights, self.offset)
        )
        kinds = [table.schema.field(name).type for name in names]
        return [
            _Column(
                name, folder / f"{k}", _is_category(kind), pa.types.is_float32(kind), k < n_features
            )
            for k, (name, kind) in enumerate(zip(names, kinds, strict=True))
        ]


@dataclass(frozen=True)
class StoredStream:
    """The rows of a stream as an estimator takes them.

    Attributes
    ----------
    X : StoredArray or CodedRows
    y : ndarray of shape (n_samples,)
        Numbers, or codes of labels.
    labels : ndarray or None
        The labels that the codes mean, sorted.
    weights, offset : ndarray or None
    """

    X: StoredArray | CodedRows
    y: npt.NDArray[Any]
    labels: npt.NDArray[Any] | None
    weights: npt.NDArray[np.float64] | None
    offset: npt.NDArray[np.float64] | None


@dataclass
class _Column:
    """A column on its way into a file: numbers, or codes in the order of first appearance."""

    name: str
    path: Path
    is_category: bool
    is_single: bool
    is_x: bool
    _places: dict[Any, int] = field(default_factory=dict)
    _writer: ArrayWriter | None = None

    def values(self, data: Any, first_row: int) -> npt.NDArray[Any]:  # noqa: ANN401
        """Return the next rows as numbers or codes."""
        if _is_category(data.type) != self.is_category:
            raise DataError(
                f"column {self.name!r} changes from {'text' if self.is_category else 'numbers'} to "
                f"{data.type} in row {first_row}: give all parts of the stream one type"
            )
        return self._codes(data) if self.is_category else self._numbers(data)

    def append(self, values: npt.NDArray[Any]) -> None:
        """Write the next rows."""
        if self._writer is None:
            self._writer = ArrayWriter(self.path, values.dtype)
        self._writer.append(values)

    def close(self) -> None:
        """Finish the file, if there is one."""
        if self._writer is not None:
            self._writer.close()

    def vector(self, held_bytes: int = HELD_BYTES) -> StoredArray:
        """Return the numbers or codes."""
        assert self._writer is not None
        return self._writer.array(held_bytes=held_bytes)

    def coded(self, held_bytes: int) -> CodedColumn:
        """Return the column as rows of codes have it, its levels in sorted order."""
        vector = self.vector(held_bytes)
        if not self.is_category:
            return CodedColumn(self.name, vector)
        levels, places = self._sorted()
        return CodedColumn(self.name, vector, levels, places)

    def whole(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
        """Return the column in memory: numbers and nothing, or codes and the labels they mean."""
        values = self.vector()[:]
        if not self.is_category:
            return values, None
        missing = np.flatnonzero(values == UNKNOWN)
        if len(missing):
            raise DataError(f"the target {self.name!r} is missing in row {missing[0]}")
        labels, places = self._sorted()
        return places[values].astype(np.min_scalar_type(len(labels))), labels

    def numbers(self) -> npt.NDArray[np.float64]:
        """Return the column in memory as float64."""
        if self.is_category:
            raise DataError(f"column {self.name!r} holds text; expected numbers")
        return self.vector()[:].astype(np.float64, copy=False)

    def _sorted(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32]]:
        levels = np.array(list(self._places))
        order = np.argsort(levels, kind="stable")
        places = np.empty(len(levels), dtype=np.int32)
        places[order] = np.arange(len(levels))
        return levels[order], places

    def _codes(self, data: Any) -> npt.NDArray[np.int32]:  # noqa: ANN401
        encoded = data if pa.types.is_dictionary(data.type) else data.dictionary_encode()
        encoded = encoded.unify_dictionaries()
        found = [np.empty(0, dtype=np.int32)]
        for chunk in encoded.chunks:
            indices = np.asarray(pc.fill_null(chunk.indices.cast(pa.int32()), UNKNOWN))
            words = chunk.dictionary.to_pylist()
            used = np.unique(indices[indices >= 0])  # of the levels, those that occur
            lookup = np.full(len(words) + 1, UNKNOWN, dtype=np.int32)
            for k in used.tolist():
                if words[k] is not None:
                    lookup[k] = self._places.setdefault(words[k], len(self._places))
            found.append(lookup[indices])
        return np.concatenate(found)

    def _numbers(self, data: Any) -> npt.NDArray[Any]:  # noqa: ANN401
        kind = data.type
        if pa.types.is_boolean(kind):
            data = data.cast(pa.uint8())
        elif not (
            pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        ):
            raise DataError(
                f"column {self.name!r} holds neither numbers nor text ({kind}): convert it, or "
                "choose other columns"
            )
        wanted = pa.float32() if self.is_single else pa.float64()
        filled = data.cast(wanted, safe=False).to_numpy(zero_copy_only=False)
        return np.asarray(filled, dtype=np.float32 if self.is_single else np.float64)


def _is_category(kind: Any) -> bool:  # noqa: ANN401
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(is_text or pa.types.is_dictionary(kind))


def _writer_of(columns: Sequence[_Column], folder: Path) -> ArrayWriter | None:
    """Return where rows of numbers are written; None where some features are categories."""
    features = [column for column in columns if column.is_x]
    if any(column.is_category for column in features):
        return None
    single = all(column.is_single for column in features)
    return ArrayWriter(folder / "rows", np.float32 if single else np.float64, (len(features),))


def _append_rows(writer: ArrayWriter, parts: Sequence[npt.NDArray[Any]]) -> None:
    """Write columns as rows, some at a time."""
    step = max(1, 2**20 // len(parts))
    for start in range(0, len(parts[0]), step):
        some = [part[start : start + step] for part in parts]
        writer.append(np.stack(some, axis=1))


def _as_table(batch: Batch) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """Return a batch as a table of pyarrow."""
    if isinstance(batch, pa.RecordBatch):
        return pa.Table.from_batches([batch])
    if isinstance(batch, pa.Table):
        return batch
    if hasattr(batch, "iloc"):
        return pa.Table.from_pandas(batch, preserve_index=False)
    return pa.table(batch)


def _files(path: str | Path | Sequence[str | Path]) -> list[Path]:
    if not isinstance(path, str | Path):
        return [file for one in path for file in _files(one)]
    if Path(path).is_dir():
        found = sorted(file for file in Path(path).rglob("*") if file.is_file())
        found = [file for file in found if not file.name.startswith((".", "_"))]
    elif Path(path).exists():
        found = [Path(path)]
    else:
        found = sorted(map(Path, glob(str(path), recursive=True)))
    if not found:
        raise DataError(f"{path}: there is no such file. Check the path")
    return found


def _kind(file: Path) -> str:
    for kind, endings in _ENDINGS.items():
        if file.name.lower().endswith(endings):
            return kind
    raise DataError(
        f"{file}: streams are read from .parquet, .feather, .arrow and .csv files; for others pass "
        "a function that begins an iterator of batches: Stream(batches, target=...)"
    )
