"""Several files that are one table: the parts in a folder, or those of a pattern."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import pyarrow as pa

from chainrule.errors import DataError
from chainrule.tables.cells import NumberStyle
from chainrule.tables.files.table_file import ArrowTable, TableFile


class PartedFile(TableFile):
    """Files with the same columns, read one after the other.

    Parameters
    ----------
    parts : sequence of TableFile
        In the order of their names.
    source : str
    """

    def __init__(self, parts: Sequence[TableFile], source: str) -> None:
        self.parts, self.source = list(parts), source
        self.decimal = parts[0].decimal
        self.codes = {name for part in parts for name in part.codes}
        self.styled = {name for part in parts for name in part.styled}
        self.notes = [f"{len(parts)} parts are read as one table, in the order of their names."]
        self.notes += dict.fromkeys(note for part in parts for note in part.notes)
        self._at = self.parts[0]

    def names(self) -> list[str]:
        """Return the column names of the first part, which all parts have."""
        names = self.parts[0].names()
        for part in self.parts[1:]:
            other = part.names()
            odd = sorted(set(names) ^ set(other))
            if odd:
                holder = self.parts[0] if odd[0] in names else part
                raise DataError(
                    f"{self.source}: its parts have different columns: {odd[0]!r} is in "
                    f"{holder.source} only. Give all parts the same columns, or name one file."
                )
            if part.decimal != self.decimal:
                raise DataError(
                    f"{self.source}: {self.parts[0].source} uses the decimal mark "
                    f"{self.decimal!r}, {part.source} {part.decimal!r}. Set one with --decimal."
                )
        return names

    def read(self, names: Sequence[str], texts: Collection[str]) -> ArrowTable:
        """Return whole columns."""
        tables = []
        for part in self.parts:
            self._at = part
            tables.append(part.read(names, texts).select(list(names)))
        try:
            return pa.concat_tables(tables, promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            raise self._changed(tables, names) from None

    def batches(
        self, names: Sequence[str], texts: Collection[str], numbers: Collection[str]
    ) -> Iterator[ArrowTable]:
        """Yield the rows in order, in bounded memory."""
        for part in self.parts:
            self._at = part
            yield from part.batches(names, texts, numbers)

    def explain(
        self, error: BaseException, numbers: Mapping[str, NumberStyle] | None = None
    ) -> Exception:
        """Return the located error, of the part that was being read."""
        return self._at.explain(error, numbers)

    def _changed(self, tables: list[ArrowTable], names: Sequence[str]) -> DataError:
        for name in names:
            for part, table in zip(self.parts, tables, strict=True):
                first, kind = tables[0].schema.field(name).type, table.schema.field(name).type
                if pa.types.is_string(first) != pa.types.is_string(kind):
                    return DataError(
                        f"{self.source}: column {name!r} changes type: {first} in "
                        f"{self.parts[0].source}, {kind} in {part.source}. Correct a part, or take "
                        f"it as text: --category {name}."
                    )
        return DataError(f"{self.source}: its parts hold columns of different types.")
