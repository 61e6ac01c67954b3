"""The end of the work of Arrow's threads, and of all that they hold of Python's.

A thread that gives an object back to Python needs the interpreter's lock. Python ends a thread that
asks for it while the process is ending, and that aborts the process. So nothing that was lent may
still be out when a reader is left.
"""

from __future__ import annotations

import codecs
import io
import itertools
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, TypeVar

import pyarrow as pa
import pyarrow.csv as pacsv

Thing = TypeVar("Thing")

_SMALL: Final = b"a\n1\n"
_PAUSE: Final = 0.0005
_LONGEST: Final = 10.0


class Lender:
    """Counts the objects lent to Arrow that it has not given back."""

    def __init__(self) -> None:
        self._keys = itertools.count()
        self._out: set[int] = set()

    def lend(self, thing: Thing) -> Thing:
        """Return the object; it is out until its last reference is gone."""
        key = next(self._keys)
        self._out.add(key)
        # The set, not the lender, is held by what may outlive it.
        weakref.finalize(thing, self._out.discard, key).atexit = False
        return thing

    def lend_file(self, stream: BinaryIO, encoding: str = "utf-8") -> LentFile:
        """Return the stream as a file for Arrow, as UTF-8; it and its blocks are out."""
        return self.lend(LentFile(_LentBlocks(stream, self, encoding)))

    def wait(self) -> None:
        """Return when nothing is out, or after 10 seconds."""
        latest = time.monotonic() + _LONGEST
        while self._out and time.monotonic() < latest:
            time.sleep(_PAUSE)


class _LentBlocks:
    """Reads a stream as UTF-8, in blocks that are lent."""

    def __init__(self, stream: BinaryIO, lender: Lender, encoding: str) -> None:
        self.stream, self._lender = stream, lender
        plain = encoding.startswith("utf-8")
        self._decoder = None if plain else codecs.getincrementaldecoder(encoding)()

    def read(self, size: int = io.DEFAULT_BUFFER_SIZE) -> memoryview:
        block = self.stream.read(size)
        if self._decoder is not None:
            block = self._recoded(self._decoder, block, size)
        return self._lender.lend(memoryview(block))

    def _recoded(self, decoder: codecs.IncrementalDecoder, block: bytes, size: int) -> bytes:
        while True:
            text = decoder.decode(block, final=not block)
            if text or not block:
                return text.encode()
            block = self.stream.read(size)


class LentFile:
    """A file for Arrow.

    A shell: the traceback of an error in a method would hold the object, but holds only `blocks`.

    Parameters
    ----------
    blocks : _LentBlocks
    """

    def __init__(self, blocks: _LentBlocks) -> None:
        self.read, self.close, self.readable = (
            blocks.read,
            blocks.stream.close,
            blocks.stream.readable,
        )
        self._stream = blocks.stream

    @property
    def closed(self) -> bool:
        """Whether the stream is closed."""
        return self._stream.closed


@contextmanager
def all_tasks_done() -> Iterator[Lender]:
    """Leave the block only when Arrow's threads hold nothing of Python's that the lender lent.

    A reader that fails leaves tasks in the queue. Where the process ends first, Arrow drops them,
    and each waits for ever for the others of its group. The queue is first in, first out: a small
    read comes after them.
    """
    lender = Lender()
    try:
        yield lender
    except BaseException:
        memory = pa.allocate_buffer(len(_SMALL))
        pa.FixedSizeBufferWriter(memory).write(_SMALL)
        pacsv.read_csv(pa.BufferReader(memory))
        raise
    finally:
        lender.wait()


class Blocks:
    """The blocks of a reader, which is let go with what it was lent when the blocks are closed.

    Parameters
    ----------
    reader : pyarrow.RecordBatchReader or CSVStreamingReader
    """

    def __init__(self, reader: Any) -> None:  # noqa: ANN401 - pyarrow ships no types
        self._reader, self.schema = reader, reader.schema

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:  # noqa: ANN401
        return self._reader.read_next_batch()

    def close(self) -> None:
        """Close the reader and forget it; a second time does nothing."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
