"""Streams of rows: read once, converted to arrays in files, and fitted from there.

A stream is anything that hands out the same rows in the same order whenever it is begun: Parquet,
Feather and CSV files, queries, iterators of record batches. It is read once. What comes of it
depends on the rows and their order alone, not on how they are cut into files, row groups or
batches, so a fit has the bits of the same rows in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from errno import ENOSPC
from hashlib import sha256
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from chainrule.engine.data.coded_rows import CodedRows
from chainrule.engine.data.database_batches import query_batches
from chainrule.engine.data.file_batches import dataset_of, files_of, kind_of, read_batches
from chainrule.engine.data.kept_streams import (
    ConvertedColumns,
    Origin,
    load_columns,
    origin_of,
    save_columns,
    state_of,
)
from chainrule.engine.data.streamed_columns import Role, StreamedColumn, dtype_of
from chainrule.engine.data.svmlight_batches import svmlight_batches
from chainrule.engine.runtime.allowance import Allowance
from chainrule.engine.runtime.fingerprints import fingerprint, refuse_changes
from chainrule.engine.runtime.journal import Journal, kept_passes
from chainrule.engine.runtime.stored_arrays import HELD_BYTES, ArrayWriter, StoredArray
from chainrule.errors import DataError

Batch = Any
"""A record batch or table of pyarrow, any data frame, or a mapping from names to arrays."""

_ROW_BYTES: Final = 9
"""Bytes per row that a fit takes for vectors of its own: codes of labels, numbers of rows."""

_LEAST_BYTES: Final = 2**24
"""Vectors of so many bytes are no more than a block of rows, and never refused."""

_LARGER: Final = "Name a folder on a larger disk: Stream(folder=...), or fit_stream(resume=...)"


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
    memory : int, optional
        Bytes of memory for what grows with the rows: the target and other vectors over all rows,
        samples, and pages of the files. By default 256 MB, and the vectors.
    inputs : sequence of Path
        The files that the rows are read from: a fit that is resumed checks that they are the same.
    described : str
        What else the rows depend on, such as a query: a fit is resumed with the same alone.
    n_rows : int, optional
        Number of rows, where it is known: a disk too small is then refused before it is written to.

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
    memory: int | None = None
    inputs: Sequence[Path] = ()
    described: str = ""
    n_rows: int | None = None

    @classmethod
    def files(cls, path: str | Path | Sequence[str | Path], target: str, **roles: Any) -> Stream:  # noqa: ANN401
        """Return the rows of Parquet, Feather (Arrow IPC), CSV or svmlight files, by their names.

        The columns of svmlight are named by their numbers, and the target as it is called here.

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
        files = files_of(path)
        found = {kind_of(file) for file in files}
        if len(found) > 1:
            raise DataError(f"{path}: the files are of several kinds: {', '.join(sorted(found))}")
        if found == {"svmlight"}:
            return cls(lambda: svmlight_batches(files, target), target, **{"inputs": files} | roles)
        try:
            data = dataset_of(files, found.pop())
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
        given: dict[str, Any] = {"inputs": files}
        if kind_of(files[0]) != "csv":
            given["n_rows"] = data.count_rows()
        return cls(lambda: read_batches(path, data, names), target, **given | roles)

    @classmethod
    def query(cls, path: str | Path, sql: str, target: str, **roles: Any) -> Stream:  # noqa: ANN401
        """Return the rows of a query to a file of SQLite or DuckDB, some at a time.

        Parameters
        ----------
        path : str or Path
        sql : str
            A select. With ``order by``, the rows and so the bits of a fit are the same each time.
        target : str
        **roles
            The other parameters of `Stream`.

        Returns
        -------
        Stream

        Examples
        --------
        >>> from chainrule import Stream
        >>> stream = Stream.query("shop.sqlite", "select * from sales order by id", "bought")
        >>> stream.target
        'bought'
        """
        given = {"inputs": [Path(path)], "described": sql} | roles
        return cls(lambda: query_batches(Path(path), sql), target, **given)

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
    def stored(self, resume: str | Path | None = None) -> Iterator[StoredStream]:
        """Convert the rows, and remove the files in the end.

        Parameters
        ----------
        resume : str or Path, optional
            A folder for the files, which are kept where the block ends with an error or Ctrl-C, and
            used when it is begun again.
        """
        if resume is None:
            with TemporaryDirectory(prefix="chainrule-rows-", dir=self.folder) as folder:
                yield self._rows(self._converted(Path(folder)))
            return
        with state_of(Path(resume)) as state:
            columns = load_columns(state.path, self._origin)
            if columns is None:
                state.clear()
                before = fingerprint(self.inputs)
                columns = self._converted(state.path)
                refuse_changes(state.path, before, fingerprint(self.inputs))
                save_columns(state.path, columns, self._origin)
            yield replace(self._rows(columns), folder=state.path)

    def _held(self, columns: Sequence[StreamedColumn]) -> int:
        """Return the memory for rows that are fitted, beside the target as it is read.

        Raises
        ------
        DataError
            When vectors over all rows take more than there may be.
        """
        target = next(column for column in columns if column.role == "target")
        n_rows, held = target.n_rows, target.n_rows * target.dtype.itemsize
        if self.memory is None:
            return HELD_BYTES + n_rows * _ROW_BYTES
        needed = held + n_rows * (8 * sum(c.role == "other" for c in columns) + _ROW_BYTES)
        if needed > max(self.memory, _LEAST_BYTES):
            raise DataError(
                f"{n_rows} rows take {needed * 1e-6:.3g} MB for the target and other vectors, and "
                f"memory={self.memory} allows {self.memory * 1e-6:.3g} MB. Give at least "
                f"memory={needed}"
            )
        return max(0, self.memory - held)

    @property
    def _origin(self) -> Origin:
        """The input and the choices, as far as they are known."""
        columns = None if self.columns is None else list(self.columns)
        roles = repr((self.target, columns, self.weights, self.offset, self.described))
        return origin_of(roles, fingerprint(self.inputs))

    def _converted(self, folder: Path) -> ConvertedColumns:
        """Write the rows to files."""
        columns: list[StreamedColumn] = []
        rows: ArrayWriter | None = None
        n_rows = 0
        try:
            for table, kinds in self._typed():
                if not columns:
                    columns = self._columns(kinds, folder)
                    self._refuse_small_disk(columns, folder)
                    rows = _writer_of(columns, folder)
                parts = [c.values(table.column(c.name), n_rows) for c in columns]
                n_rows += table.num_rows
                if rows is not None:
                    _append_rows(rows, [p for p, c in zip(parts, columns, strict=True) if c.is_x])
                for column, part in zip(columns, parts, strict=True):
                    if rows is None or not column.is_x:
                        column.append(part)
        except OSError as error:
            if error.errno != ENOSPC:
                raise
            raise DataError(
                f"{folder}: the disk is full after {n_rows} converted rows. {_LARGER}"
            ) from None
        finally:
            for writer in (rows, *columns):
                if writer is not None:
                    writer.close()
        if not n_rows:
            raise DataError("there are no rows to fit: the stream is empty")
        if rows is None:
            return ConvertedColumns(columns, None)
        return ConvertedColumns(columns, rows.array(), rows.checksums)

    def _refuse_small_disk(self, columns: Sequence[StreamedColumn], folder: Path) -> None:
        """Raise if the converted rows are known not to fit."""
        if self.n_rows is None:
            return
        needed = self.n_rows * sum(column.dtype.itemsize for column in columns)
        free = disk_usage(folder).free
        if needed > free:
            raise DataError(
                f"{folder}: the converted rows take {needed * 1e-9:.3g} GB, and "
                f"{free * 1e-9:.3g} GB are free there. {_LARGER}"
            )

    def _rows(self, found: ConvertedColumns) -> StoredStream:
        """Return converted rows as an estimator takes them."""
        features = [column for column in found.columns if column.is_x]
        X: StoredArray | CodedRows
        held = self._held(found.columns)
        if found.rows is None:
            allowance = Allowance(held)
            X = CodedRows([column.coded(allowance) for column in features])
        else:
            X = numbers = found.rows
            numbers.allowance.n_bytes = held
            numbers.names = tuple(column.name for column in features)
        others = {column.name: column for column in found.columns if not column.is_x}
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
                sum(held.nbytes for held in waiting) > (self.memory or HELD_BYTES)
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
            columns.append(StreamedColumn(name, folder / f"column-{k}", kind, dtype, role))
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
    folder : Path or None
        Where the rows and the results of passes are kept, if the fit can be resumed.
    """

    X: StoredArray | CodedRows
    y: npt.NDArray[Any]
    labels: npt.NDArray[Any] | None
    weights: npt.NDArray[np.float64] | None
    offset: npt.NDArray[np.float64] | None
    folder: Path | None = None

    @contextmanager
    def kept_passes(self, choices: str) -> Iterator[None]:
        """Keep the passes of the fits in the block, or recall those of the same choices."""
        if self.folder is None:
            yield
            return
        free = disk_usage(self.folder).free
        name = f"passes-{sha256(choices.encode()).hexdigest()[:16]}"
        with kept_passes(Journal(self.folder / name, most_bytes=free / 2)):
            yield


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
