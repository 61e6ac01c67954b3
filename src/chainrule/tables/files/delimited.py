"""Text files with separated cells, read by pyarrow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pacsv

from chainrule.errors import DataError
from chainrule.storage import byte_budget, refuse_size
from chainrule.tables.cells import NumberStyle
from chainrule.tables.files.compression import compression_of, open_bytes
from chainrule.tables.files.diagnosis import diagnose
from chainrule.tables.files.dialect import sniff
from chainrule.tables.files.errors import unreadable
from chainrule.tables.files.gathering import can_be_gathered, gathered
from chainrule.tables.files.line_parts import NotInParts, parts_of_lines
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.files.table_file import ArrowTable, TableFile
from chainrule.tables.files.tasks import Blocks, Lender, all_tasks_done

WHOLE_BYTES: Final = 8 << 20
_GATHERED_BYTES: Final = 1 << 18
_LEAST_BLOCKS: Final = 16
_PART_BYTES: Final = 2 << 20
_THREAD_BYTES: Final = 1 << 19
_ROOM: Final = 1.02
_MOST_WORDS: Final = 2000
STREAM_BYTES: Final = 1 << 20
"""Small: several blocks are on their way at once, and they bound the memory of a stream."""


class DelimitedFile(TableFile):
    """A CSV file, or one with another separator.

    Parameters
    ----------
    path : Path
    options : ReadOptions
    missing : collection of str
        The words that mean "no value" in numeric columns.
    source : str
        The file, for messages.
    """

    def __init__(
        self, path: Path, options: ReadOptions, missing: Collection[str], source: str
    ) -> None:
        self.path, self.source, self.missing = path, source, tuple(missing)
        self.dialect = sniff(path, options)
        self.notes = list(self.dialect.notes)
        self.decimal, self.codes = self.dialect.decimal, self.dialect.codes
        self.styled = self.dialect.styled
        self._n_comments = 0

    def names(self) -> list[str]:
        """Return the column names."""
        return list(self.dialect.names)

    def read(self, names: Sequence[str], texts: Collection[str]) -> ArrowTable:
        """Return whole columns; those in `texts` as strings, byte for byte."""
        if not compression_of(self.path):
            share = len(names) / max(1, len(self.dialect.names))
            refuse_size(self.source, int(share * self.path.stat().st_size), byte_budget())
        types = {name: pa.string() for name in texts if name in names}
        arrow = self._gathered(names, types)
        if arrow is None:
            arrow = self._whole(names, types)
        if _needs_a_second_look(arrow):
            fault = diagnose(self.path, self.dialect)
            if fault is not None:
                raise fault
        if self._n_comments:
            several = "s that begin" if self._n_comments > 1 else " that begins"
            self.notes.append(f"{self._n_comments} line{several} with '#' left out.")
        return arrow

    def _whole(self, names: Sequence[str], types: dict[str, Any]) -> ArrowTable:
        """Return whole columns, all of whose blocks decide on their types."""
        self._n_comments = 0
        try:
            with all_tasks_done() as lender, self._bytes() as file:
                return pacsv.read_csv(
                    self._lent(file, lender),
                    read_options=self._read_options(WHOLE_BYTES),
                    parse_options=self._parse_options(lender),
                    convert_options=self._convert_options(names, types),
                )
        except pa.ArrowInvalid as error:
            if not _has_no_rows(error):
                raise
            return pa.table({name: pa.nulls(0) for name in names})

    def _gathered(self, names: Sequence[str], types: dict[str, Any]) -> ArrowTable | None:
        """Return whole columns of a long file, block by block, in a third of the memory.

        The first block tells the types of columns. None where it tells of others than numbers and
        strings, or where a later block does not hold to it: then all blocks have to be looked at
        before any is converted.
        """
        n_bytes = self.path.stat().st_size
        if n_bytes < _LEAST_BLOCKS * _GATHERED_BYTES:
            return None
        held = dict.fromkeys(types, pa.dictionary(pa.int32(), pa.string()))
        for read, size in ((self._parts, _THREAD_BYTES), (self._small_blocks, _GATHERED_BYTES)):
            self._n_comments = 0
            try:
                found = gathered(read(names, held), _ROOM * n_bytes / size)
                return None if _may_lack_a_line_feed(found) else found
            except NotInParts:
                continue
            except (_NotGathered, pa.ArrowInvalid, UnicodeDecodeError):
                return None  # said where it is read again, with the place
        return None

    def _parts(self, names: Sequence[str], types: dict[str, Any]) -> Iterator[ArrowTable]:
        """Yield the rows of a file without quotes, each part taken apart by all threads."""
        if not self._is_plain:
            raise NotInParts
        schema = None
        for part in parts_of_lines(self.path, _PART_BYTES):
            with all_tasks_done() as lender:
                rows = pacsv.read_csv(
                    pa.BufferReader(part),
                    read_options=self._read_options(_THREAD_BYTES, is_first=schema is None),
                    parse_options=self._parse_options(lender, line_breaks=False),
                    convert_options=self._convert_options(names, types, _MOST_WORDS),
                    memory_pool=pa.system_memory_pool(),
                )
            if schema is None:
                schema = rows.schema
                _refuse_other_types(schema)
                types = dict(zip(schema.names, schema.types, strict=True))
            yield from rows.to_batches()

    def _small_blocks(self, names: Sequence[str], types: dict[str, Any]) -> Iterator[ArrowTable]:
        # The system gives memory back at once; Arrow's own allocator keeps it for a while.
        pool = pa.system_memory_pool()
        with self._stream(names, types, _GATHERED_BYTES, _MOST_WORDS, pool) as reader:
            _refuse_other_types(reader.schema)
            yield from reader

    def batches(
        self, names: Sequence[str], texts: Collection[str], numbers: Collection[str]
    ) -> Iterator[ArrowTable]:
        """Yield the rows in order, in bounded memory."""
        types = {name: pa.string() if name in texts else pa.float64() for name in names}
        try:
            with self._stream(names, types) as reader:
                yield from reader
        except pa.ArrowInvalid as error:
            if not _has_no_rows(error):
                raise

    def explain(
        self, error: BaseException, numbers: Mapping[str, NumberStyle] | None = None
    ) -> Exception:
        """Return the located error for what reading raised."""
        if isinstance(error, DataError):
            return error
        if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError):
            return unreadable(self.path, error)
        found = diagnose(self.path, self.dialect, numbers, self.missing)
        return found or unreadable(self.path, error)

    @contextmanager
    def _stream(
        self,
        names: Sequence[str],
        types: dict[str, Any],
        block_bytes: int | None = None,
        most_words: int = 0,
        pool: Any = None,  # noqa: ANN401
    ) -> Iterator[Blocks]:
        """Open the rows as a stream of blocks; strings of up to so many words are dictionaries."""
        with (
            all_tasks_done() as lender,
            self._bytes() as file,
            closing(
                Blocks(
                    pacsv.open_csv(
                        self._lent(file, lender),
                        read_options=self._read_options(block_bytes or STREAM_BYTES),
                        parse_options=self._parse_options(lender),
                        convert_options=self._convert_options(names, types, most_words),
                        memory_pool=pool,
                    )
                )
            ) as blocks,
        ):
            yield blocks

    @property
    def _is_plain(self) -> bool:
        """Whether Arrow can read the file itself."""
        return self.dialect.encoding.startswith("utf-8") and not compression_of(self.path)

    def _bytes(self) -> Any:  # noqa: ANN401 - pyarrow ships no types
        return pa.OSFile(str(self.path)) if self._is_plain else open_bytes(self.path)

    def _lent(self, file: Any, lender: Lender) -> Any:  # noqa: ANN401
        """Return a file that Arrow may read; its own, of plain UTF-8, holds nothing of Python's."""
        if isinstance(file, pa.NativeFile):
            return file
        return lender.lend_file(file, self.dialect.encoding)

    def _read_options(self, block_bytes: int, *, is_first: bool = True) -> Any:  # noqa: ANN401
        dialect = self.dialect
        has_header = is_first and dialect.header
        return pacsv.ReadOptions(
            block_size=block_bytes,
            skip_rows=dialect.skipped + (not dialect.header) if is_first else 0,
            column_names=None if has_header else list(dialect.names),
        )

    def _parse_options(self, lender: Lender, *, line_breaks: bool = True) -> Any:  # noqa: ANN401
        return pacsv.ParseOptions(
            delimiter=self.dialect.separator,
            # Without it a quoted line break may be cut at the edge of a block.
            newlines_in_values=line_breaks,
            invalid_row_handler=lender.lend(self._odd_row),
        )

    def _odd_row(self, row: Any) -> str:  # noqa: ANN401
        """Skip a comment between the rows; anything else of another width is an error."""
        if row.text.startswith("#"):
            self._n_comments += 1
            return "skip"
        return "error"

    def _convert_options(
        self, names: Sequence[str], types: dict[str, Any], most_words: int = 0
    ) -> Any:  # noqa: ANN401
        return pacsv.ConvertOptions(
            include_columns=list(names),
            column_types=types,
            null_values=list(self.missing),
            # A column of text is copied byte for byte: which words mean nothing is decided later.
            strings_can_be_null=False,
            decimal_point=self.dialect.decimal,
            auto_dict_encode=most_words > 0,
            auto_dict_max_cardinality=most_words or None,
            # Else True and False would be read as truth values here and as words in a stream.
            true_values=[],
            false_values=[],
        )


class _NotGathered(Exception):  # noqa: N818 - a finding about a file, not a fault
    """A column holds other things than numbers or strings."""


def _refuse_other_types(schema: Any) -> None:  # noqa: ANN401
    if not all(map(can_be_gathered, schema.types)):
        raise _NotGathered


def _has_no_rows(error: Exception) -> bool:
    """Whether pyarrow refuses a header that no line feed ends: there are no rows."""
    return "Empty CSV file" in str(error)


def _may_lack_a_line_feed(arrow: Any) -> bool:  # noqa: ANN401
    r"""Whether a string has \r without \n: pyarrow drops \n where a block begins with it."""
    kinds = zip(arrow.columns, arrow.schema.types, strict=True)
    words = (
        word
        for column, kind in kinds
        if pa.types.is_dictionary(kind) and column.num_chunks
        for word in column.chunk(0).dictionary.to_pylist()
    )
    return any("\r" in word and "\r" in word.replace("\r\n", "") for word in words)


def _needs_a_second_look(arrow: Any) -> bool:  # noqa: ANN401
    """Whether the reader may have hidden a fault: bytes for text, or an open quote."""
    if any(pa.types.is_binary(kind) for kind in arrow.schema.types):
        return True
    last = arrow.slice(max(arrow.num_rows - 1, 0)).to_pylist()
    return any(isinstance(cell, str) and "\n" in cell for row in last for cell in row.values())
