"""Rows of Parquet, Feather (Arrow IPC) and CSV files, some at a time, as one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from glob import glob
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from chainrule.errors import DataError

_BATCH_NUMBERS: Final[int] = 2**19
"""Numbers of a batch that is read from files."""

_PAGE_BYTES: Final[int] = 2**16

_ENDINGS: Final = {
    "parquet": (".parquet", ".pq"),
    "feather": (".feather", ".arrow", ".ipc"),
    "csv": (".csv",),
    "svmlight": (".svm", ".svmlight", ".libsvm"),
}


def dataset_of(files: Sequence[Path], kind: str) -> Any:  # noqa: ANN401
    """Return files as one table, each column of a type that holds the values of every file."""
    names = [str(file) for file in files]
    parts = ds.dataset(names, format=kind).get_fragments()
    schemas = [part.physical_schema for part in parts]
    return ds.dataset(names, pa.unify_schemas(schemas, promote_options="permissive"), format=kind)


def read_batches(path: object, data: Any, names: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401
    """Yield the rows of files; none are read ahead, for they would wait in memory."""
    rows = max(1, _BATCH_NUMBERS // len(names))
    try:
        if data.format.default_extname == "parquet":
            yield from _parquet_batches(data, names, rows)
        else:
            yield from data.to_batches(
                columns=names, batch_size=rows, batch_readahead=0, fragment_readahead=0
            )
        pa.default_memory_pool().release_unused()
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}). A column of numbers that begins with whole ones "
            "in a CSV file is taken for whole numbers: write such files as Parquet"
        ) from None


def _parquet_batches(data: Any, names: Sequence[str], rows: int) -> Iterator[Any]:  # noqa: ANN401
    """Yield rows page by page, where a dataset would hold a whole row group."""
    schema = pa.schema([data.schema.field(name) for name in names]).remove_metadata()
    for file in data.files:
        with pq.ParquetFile(file, pre_buffer=False, buffer_size=_PAGE_BYTES) as reader:
            for batch in reader.iter_batches(rows, columns=list(names)):
                yield pa.Table.from_batches([batch]).select(names).cast(schema)


def files_of(path: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the files of a path, a folder, a pattern, or several of them, in order of names."""
    if not isinstance(path, str | Path):
        return [file for one in path for file in files_of(one)]
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


def kind_of(file: Path) -> str:
    """Return the format that the name of a file ends with."""
    for kind, endings in _ENDINGS.items():
        if file.name.lower().endswith(endings):
            return kind
    raise DataError(
        f"{file}: streams are read from .parquet, .feather, .arrow, .csv and .svmlight files, and "
        "from databases: Stream.query(path, sql, target). For others, such as workbooks, pass a "
        "function that begins an iterator of batches: Stream(batches, target=...)"
    )
