"""Streams of rows: read once, converted to arrays in files, and fitted from there.

A stream is anything that hands out the same rows in the same order whenever it is begun: Parquet,
Feather and CSV files, queries, iterators of record batches. It is read once. What comes of it
depends on the rows and their order alone, not on how they are cut into files, row groups or
batches, so a fit has the bits of the same rows in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset as ds

from chainrule.engine.data.coded_rows import CodedRows
from chainrule.engine.data.streamed_columns import Role, StreamedColumn, dtype_of
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
        try:
            data = _dataset(files, found.pop())
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: cannot be read as one table ({error})") from None
        names = cls(list, target, **roles).names(data.schema.names)
        for part in data.get_fragments():
            lost = [name for name in names if name not in part.physical_schema.names]
            if lost:
                raise DataError(
                    f"{part.path}: no column is named {lost[0]!r}, which other files have. Add it, "
                    "or leave it out: columns"
                )
        return cls(lambda: _read(path, data, names), target, **roles)

    def names(self, known: Sequence[str]) -> list[str]:
        """Return the columns that are read: features first, then target, weights and offset."""
        roles = {"target": self.target, "weights": self.weights, "offset": self.offset}
        others = {role: name for role, name in roles.items() if name is not None}
        if isinstance(self.columns, str):
            raise DataError(f"columns is a list of names; give [{self.columns!r}]")
        features = self.columns
        if features is None:
            features = [name for name in known if name not in others.values()]
        seen: dict[str, str] = {}
        for role, name in [*(("feature", name) for name in features), *others.items()]:
            if name not in known:
                raise DataError(f"no column is named {name!r}; the columns are {list(known)[:12]}")
            if seen.get(name) == role:
                raise DataError(f"column {name!r} is named twice in columns, or is there twice")
            if name in seen:
                first = "a feature" if seen[name] == "feature" else f"the {seen[name]}"
                raise DataError(f"column {name!r} is {first} and the {role}: choose one")
            seen[name] = role
        if not features:
            left = ", ".join(others.values())
            raise DataError(f"no column is left to learn from, beside {left}")
        return list(seen)

    @contextmanager
    def stored(self) -> Iterator[StoredStream]:
        """Convert the rows, and remove the files in the end."""
        with TemporaryDirectory(prefix="chainrule-rows-", dir=self.folder) as folder:
            yield self._converted(Path(folder))

    def _converted(self, folder: Path) -> StoredStream:
        columns: list[StreamedColumn] = []
        rows: ArrayWriter | None = None
        n_rows = 0
        try:
            for table, kinds in self._typed():
                if not columns:
                    columns = self._columns(kinds, folder)
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

    def _typed(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Yield the batches, with the types of the first rows that are not missing."""
        waiting: list[Any] = []
        kinds: dict[str, Any] = {}
        for table in self._tables():
            for name, kind in zip(table.column_names, table.schema.types, strict=True):
                if pa.types.is_null(kinds.get(name, pa.null())):
                    kinds[name] = kind
            waiting.append(table)
            if not any(map(pa.types.is_null, kinds.values())) or (
                sum(held.nbytes for held in waiting) > self.memory
            ):
                yield from ((held, kinds) for held in waiting)
                waiting = []
        yield from ((held, kinds) for held in waiting)

    def _tables(self) -> Iterator[Any]:
        """Yield the batches that have rows, with the columns that are read."""
        known: list[str] = []
        names: list[str] = []
        n_rows = 0
        for batch in self.batches():
            table = _as_table(batch, n_rows)
            if not table.num_rows:
                continue
            if not names:
                known = table.column_names
                names = self.names(known)
            counts = {name: table.column_names.count(name) for name in names}
            for name, count in counts.items():
                if count != 1:
                    what = "twice" if count else "not"
                    raise DataError(
                        f"column {name!r} is {what} in the batch that begins in row {n_rows}: give "
                        "all parts of the stream the same columns"
                    )
            new = [name for name in table.column_names if name not in known]
            if new and self.columns is None:
                raise DataError(
                    f"column {new[0]!r} is new in the batch that begins in row {n_rows}: give all "
                    "parts of the stream the same columns, or name the features: columns"
                )
            n_rows += table.num_rows
            yield table.select(names)

    def _columns(self, kinds: dict[str, Any], folder: Path) -> list[StreamedColumn]:
        """Return the columns that are read; one that is missing so far is one of numbers."""
        found = {n: pa.float64() if pa.types.is_null(kind) else kind for n, kind in kinds.items()}
        others = (self.target, self.weights, self.offset)
        single = all(pa.types.is_float32(kind) for n, kind in found.items() if n not in others)
        columns = []
        for k, (name, kind) in enumerate(found.items()):
            role: Role = (
                "target" if name == self.target else "other" if name in others else "feature"
            )
            dtype = dtype_of(name, kind, role, single=single)
            columns.append(StreamedColumn(name, folder / f"{k}", kind, dtype, role))
        return columns


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


def _writer_of(columns: Sequence[StreamedColumn], folder: Path) -> ArrayWriter | None:
    """Return where rows of numbers are written; None where some features are categories."""
    features = [column for column in columns if column.is_x]
    if any(column.is_category for column in features):
        return None
    return ArrayWriter(folder / "rows", features[0].dtype, (len(features),))


def _append_rows(writer: ArrayWriter, parts: Sequence[npt.NDArray[Any]]) -> None:
    """Write columns as rows, some at a time."""
    step = max(1, 2**20 // len(parts))
    for start in range(0, len(parts[0]), step):
        some = [part[start : start + step] for part in parts]
        writer.append(np.stack(some, axis=1))


def _as_table(batch: Batch, row: int) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """Return a batch as a table of pyarrow; `row` is the number of its first row."""
    if isinstance(batch, pa.RecordBatch):
        return pa.Table.from_batches([batch])
    if isinstance(batch, pa.Table):
        return batch
    try:
        if hasattr(batch, "iloc"):
            return pa.Table.from_pandas(batch, preserve_index=False)
        return pa.table(batch)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataError(
            f"the batch that begins in row {row} is not a table of columns ({error}): give record "
            "batches of pyarrow, data frames, or mappings from names to arrays"
        ) from None


def _dataset(files: Sequence[Path], kind: str) -> Any:  # noqa: ANN401
    """Return files as one table, each column of a type that holds the values of every file."""
    names = [str(file) for file in files]
    parts = ds.dataset(names, format=kind).get_fragments()
    schemas = [part.physical_schema for part in parts]
    return ds.dataset(names, pa.unify_schemas(schemas, promote_options="permissive"), format=kind)


def _read(path: object, data: Any, names: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401
    """Yield the rows of files; little is read ahead, for the batches wait in memory."""
    try:
        yield from data.to_batches(
            columns=names, batch_size=2**16, batch_readahead=2, fragment_readahead=1
        )
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}). A column of numbers that begins with whole ones "
            "in a CSV file is taken for whole numbers: write such files as Parquet"
        ) from None


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


def feature_batches(
    batches: Callable[[], Iterable[Batch]] | Iterable[Batch], names: Sequence[str]
) -> Iterator[Any]:
    """Yield the columns of the given names, of each batch that has rows, as tables of pyarrow.

    Raises
    ------
    DataError
        When a batch is not a table, or lacks a column.
    """
    row = 0
    for batch in batches() if callable(batches) else batches:
        table = _as_table(batch, row)
        lost = [name for name in names if name not in table.column_names]
        if lost:
            raise DataError(
                f"column {lost[0]!r} is not in the batch that begins in row {row}; the model was "
                f"fitted to {list(names)[:12]}"
            )
        row += table.num_rows
        if table.num_rows:
            yield table.select(names)
