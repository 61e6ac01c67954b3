"""The converted rows of a stream in a folder that outlives the process that wrote them.

A manifest is written when all rows are there: types, sizes and checksums of the files, and the
fingerprint of the input. Levels are in a file of Arrow, which keeps their type.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import feather

from chainrule.engine.data.streamed_columns import StreamedColumn
from chainrule.engine.runtime.checksums import checksums_of
from chainrule.engine.runtime.fingerprints import Fingerprint, refuse_changes
from chainrule.engine.runtime.state_folder import Contents, StateFolder
from chainrule.engine.runtime.stored_arrays import StoredArray
from chainrule.errors import DataError
from chainrule.storage import atomic_text

_CONTENTS: Final = Contents(
    "stream.json",
    ("rows", r"column-\d+", r"levels-\d+", "passes-[0-9a-f]{16}"),
    go_on="give the same folder again",
    elsewhere="name another folder: resume",
)
_KEPT: Final = (
    "The converted rows and the results of passes are kept in {}: the same call goes on from "
    "there; remove this folder to start again."
)


@dataclass(frozen=True)
class Origin:
    """The input and the choices that converted rows depend on.

    Parameters
    ----------
    roles : str
        The columns that are read, and what for.
    files : dict
        The fingerprint of the input; empty where no files are known.
    version : str
    """

    roles: str
    files: Fingerprint
    version: str


def origin_of(roles: str, files: Fingerprint) -> Origin:
    """Return the origin of rows that this version converts."""
    return Origin(roles, files, version("chainrule"))


@dataclass(frozen=True)
class ConvertedColumns:
    """The files of a stream.

    Parameters
    ----------
    columns : list of StreamedColumn
    rows : StoredArray or None
        The features as rows; None where some are categories, and each column is a file.
    checksums : list of int
        Of the rows.
    """

    columns: list[StreamedColumn]
    rows: StoredArray | None
    checksums: Sequence[int] = ()


@contextmanager
def state_of(path: Path) -> Iterator[StateFolder]:
    """Open the folder of a fit; it is removed when the block ends, and kept after an error."""
    state = StateFolder(path, _CONTENTS, resume=True)
    try:
        yield state
    except BaseException as error:
        if not state.holds_rows:
            state.remove()
            raise
        state.leave()
        error.add_note(_KEPT.format(path))
        raise
    state.remove()


def save_columns(folder: Path, found: ConvertedColumns, origin: Origin) -> None:
    """Write the manifest of a folder whose files are whole."""
    entries: list[dict[str, Any]] = []
    for column in found.columns:
        if column.is_category:
            levels = pa.table({"levels": pa.array(list(column.places))})
            feather.write_feather(levels, str(_levels(column)), compression="uncompressed")
        entries.append(
            {
                "name": column.name,
                "path": column.path.name,
                "is_category": column.is_category,
                "dtype": column.dtype.str,
                "role": column.role,
                "n_rows": column.n_rows,
                "checksums": column.checksums,
            }
        )
    rows = found.rows
    data: dict[str, Any] = {"origin": asdict(origin), "columns": entries, "rows": None}
    if rows is not None:
        assert rows.column_maxima is not None
        data["rows"] = {
            "path": rows.path.name,
            "dtype": rows.dtype.str,
            "shape": rows.shape,
            "checksums": list(found.checksums),
            "maxima": [value.hex() for value in rows.column_maxima.tolist()],
        }
    with atomic_text(folder / _CONTENTS.manifest) as file:
        json.dump(data, file)


def load_columns(folder: Path, origin: Origin) -> ConvertedColumns | None:
    """Return the columns of a folder; None if it is not whole, or of other columns.

    Raises
    ------
    DataError
        When a file of the input is not the one that was converted.
    """
    try:
        data = json.loads((folder / _CONTENTS.manifest).read_text(encoding="utf-8"))
        before = Origin(**data["origin"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if (before.roles, before.version) != (origin.roles, origin.version):
        return None
    refuse_changes(folder, before.files, origin.files)
    try:
        found = [_column(folder, entry) for entry in data["columns"]]
        rows = None if data["rows"] is None else _rows(folder, data["rows"])
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException, DataError):
        return None
    if None in found or (data["rows"] is not None and rows is None):
        return None
    for left in folder.glob("*.part"):  # samples of a process that was killed
        if _CONTENTS.is_own(left):
            left.unlink()
    return ConvertedColumns([column for column in found if column is not None], rows)


def _column(folder: Path, entry: dict[str, Any]) -> StreamedColumn | None:
    """Return a column; None if its file is not what was written."""
    dtype = np.dtype(entry["dtype"])
    kind = pa.string() if entry["is_category"] else pa.from_numpy_dtype(dtype)
    column = StreamedColumn(entry["name"], folder / entry["path"], kind, dtype, entry["role"])
    column.n_rows, column.checksums = entry["n_rows"], entry["checksums"]
    if column.n_rows and checksums_of(column.path) != column.checksums:
        return None
    if column.is_category:
        levels = feather.read_table(str(_levels(column)), memory_map=False).column(0).to_pylist()
        column.places.update({level: code for code, level in enumerate(levels)})
    return column


def _rows(folder: Path, entry: dict[str, Any]) -> StoredArray | None:
    """Return the rows of features; None if their file is not what was written."""
    path = folder / entry["path"]
    if checksums_of(path) != entry["checksums"]:
        return None
    rows = StoredArray(path, np.dtype(entry["dtype"]), entry["shape"])
    rows.column_maxima = np.array([float.fromhex(value) for value in entry["maxima"]])
    return rows


def _levels(column: StreamedColumn) -> Path:
    return column.path.with_name(f"levels-{column.path.name.removeprefix('column-')}")
