"""Compressed files as streams of bytes, up to a budget."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, cast

import pyarrow as pa

from chainrule.errors import DataError
from chainrule.storage import byte_budget, check_regular, refuse_size

ENDINGS: Final = (".gz", ".bz2", ".xz", ".zst", ".zip")

DAMAGE: Final = (
    OSError,
    EOFError,
    NotImplementedError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
"""What reading a damaged or missing file raises."""

_MAGIC: Final = {
    b"\x1f\x8b": ".gz",
    b"BZh": ".bz2",
    b"\xfd7zXZ\x00": ".xz",
    b"\x28\xb5\x2f\xfd": ".zst",
    b"PK\x03\x04": ".zip",
}
_EXPANSION: Final = 300
_HARMLESS: Final = 256 << 20


class _Budgeted(io.RawIOBase):
    """A stream that raises once it has given more than its budget."""

    def __init__(self, path: Path, stream: IO[bytes], budget: int, size: int) -> None:
        self._path, self._stream, self._budget, self._size = path, stream, budget, size
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._given += len(data)
        if self._given > _HARMLESS and self._given > _EXPANSION * self._size:
            raise DataError(
                f"{self._path}: {self._size / 1e6:.3g} MB expand to more than {_EXPANSION} times "
                "as much, as in a file made to fill the memory. If you trust it, unpack it first."
            )
        refuse_size(self._path, self._given, self._budget)
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def compression_of(path: Path) -> str:
    """Return the ending that names the compression of a file, by its first bytes; empty for none.

    A workbook is a zip archive too, and is not compressed text.
    """
    with path.open("rb") as file:
        start = file.read(6)
    for magic, ending in _MAGIC.items():
        if start.startswith(magic):
            return "" if ending == ".zip" and path.suffix.lower() == ".xlsx" else ending
    return path.suffix.lower() if path.suffix.lower() in ENDINGS else ""


def inner_name(path: Path) -> str:
    """Return the name of the file inside a compressed one; of the archive's only file."""
    if compression_of(path) == ".zip":
        return _only_member(path)
    return path.name.removesuffix(path.suffix) if path.suffix.lower() in ENDINGS else path.name


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading, through its compression."""
    size = check_regular(path).st_size
    ending = compression_of(path)
    if not ending:
        return path.open("rb")
    budgeted = _Budgeted(path, _OPENERS[ending](path), byte_budget(), max(size, 1))
    return cast(BinaryIO, io.BufferedReader(budgeted, 1 << 18))


def _open_zip(path: Path) -> IO[bytes]:
    member = _only_member(path)
    try:
        return zipfile.ZipFile(path).open(member)
    except RuntimeError as error:  # a password
        raise DataError(f"{path}: {error}. Unpack it first.") from None


def _only_member(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        names = [
            info.filename
            for info in archive.infolist()
            if not info.is_dir() and not info.filename.startswith("__MACOSX/")
        ]
    if len(names) != 1:
        held = ", ".join(names[:5]) or "nothing"
        raise DataError(
            f"{path}: the archive holds {len(names)} files ({held}), not one table. Unpack it and "
            "name the file, or the folder if all are parts of one table."
        )
    return names[0]


_OPENERS: Final[dict[str, Callable[[Path], Any]]] = {
    ".gz": gzip.GzipFile,
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": lambda path: cast(IO[bytes], pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")),
    ".zip": _open_zip,
}
