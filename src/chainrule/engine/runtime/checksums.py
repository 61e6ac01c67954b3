"""Checksums of files, piece by piece, taken while they are written or read."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zlib import crc32

CHECKED_BYTES: Final[int] = 2**24
"""Bytes that one checksum covers."""


class Checksums:
    """CRC-32 of each piece of a sequence of bytes, however it is cut when it is added."""

    def __init__(self) -> None:
        self._done: list[int] = []
        self._running, self._filled = 0, 0

    def add(self, data: memoryview) -> None:
        """Add the next bytes."""
        while len(data):
            part = data[: CHECKED_BYTES - self._filled]
            self._running = crc32(part, self._running)
            self._filled += len(part)
            data = data[len(part) :]
            if self._filled == CHECKED_BYTES:
                self._done.append(self._running)
                self._running, self._filled = 0, 0

    @property
    def of_pieces(self) -> list[int]:
        """The checksums so far."""
        return [*self._done, self._running] if self._filled else list(self._done)


def checksums_of(path: str | Path) -> list[int]:
    """Return the checksums of a file, as `ArrayWriter` counts them."""
    sums = Checksums()
    with Path(path).open("rb") as file:
        while data := file.read(1 << 20):
            sums.add(memoryview(data))
    return sums.of_pieces
